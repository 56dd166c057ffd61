//! What kind of statement a QUERY event holds.

use crate::error::{Fault, Result};
use crate::words::{Word, Words};

/// The identifier of an XA transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Xid {
    pub format: i64,
    pub gtrid: Vec<u8>,
    pub bqual: Vec<u8>,
}

/// A statement, told apart as far as the log's grammar needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Statement {
    Begin,
    Commit,
    Rollback,
    Savepoint(String),
    RollbackTo(String),
    XaStart(Xid),
    XaEnd,
    XaCommit {
        xid: Xid,
        one_phase: bool,
    },
    XaRollback(Xid),
    /// Changes neither rows nor the schema of a table that is not temporary.
    Harmless,
    /// Empties a whole table: a MEMORY table after a restart of the server.
    Truncate {
        schema: Option<String>,
        table: String,
    },
    /// Changes a schema.
    Schema,
    /// May change rows; the table only if the statement can change no other by itself.
    Data {
        kind: String,
        table: Option<(Option<String>, String)>,
    },
}

/// Classifies a statement. Never fails: what is not known may change rows.
pub(crate) fn classify(sql: &[u8], sql_mode: u64) -> Statement {
    // Nearly every QUERY event is one of these, written by the server itself.
    match sql {
        b"BEGIN" => return Statement::Begin,
        b"COMMIT" => return Statement::Commit,
        _ => {}
    }
    let mut words = Words::new(sql, sql_mode);
    let Some(first) = words.next() else { return Statement::Harmless };
    let Word::Bare(first) = first else { return unknown(sql) };
    match first.to_ascii_uppercase().as_slice() {
        b"BEGIN" => begin(words, sql),
        b"START" => start(words, sql),
        b"COMMIT" => Statement::Commit,
        b"ROLLBACK" => rollback(words),
        b"SAVEPOINT" => words.next().and_then(|w| w.as_name()).map_or_else(|| unknown(sql), Statement::Savepoint),
        b"XA" => xa(words).unwrap_or_else(|_| unknown(sql)),
        b"CREATE" => create(words),
        b"ALTER" => account_or_schema(words),
        b"DROP" => drop_statement(words),
        b"RENAME" if words.eat("USER") => Statement::Harmless,
        b"RENAME" | b"TRUNCATE" | b"IMPORT" => Statement::Schema,
        b"SET" => set(words, sql, sql_mode),
        b"INSERT" | b"REPLACE" => insert(words, first),
        b"UPDATE" => update(words),
        b"DELETE" => delete(words),
        b"LOAD" => load(words),
        b"RELEASE" | b"GRANT" | b"REVOKE" | b"FLUSH" | b"ANALYZE" | b"OPTIMIZE" | b"REPAIR" | b"CHECK"
        | b"CHECKSUM" | b"RESET" | b"INSTALL" | b"UNINSTALL" | b"LOCK" | b"UNLOCK" | b"PURGE" | b"CHANGE" | b"STOP"
        | b"USE" | b"SHOW" | b"CACHE" | b"KILL" | b"BACKUP" | b"CLONE" => Statement::Harmless,
        _ => unknown(sql),
    }
}

fn unknown(sql: &[u8]) -> Statement {
    let mut words = Words::new(sql, 0);
    let kind = match words.next() {
        Some(Word::Bare(word)) => String::from_utf8_lossy(word).to_ascii_uppercase(),
        _ => "statement".to_owned(),
    };
    Statement::Data { kind, table: None }
}

fn begin(mut words: Words<'_>, sql: &[u8]) -> Statement {
    match words.next() {
        None => Statement::Begin,
        Some(word) if word.is("WORK") => Statement::Begin,
        // MariaDB's compound statement BEGIN NOT ATOMIC.
        Some(_) => unknown(sql),
    }
}

fn start(mut words: Words<'_>, sql: &[u8]) -> Statement {
    if words.eat("TRANSACTION") {
        Statement::Begin
    } else if words.eat("SLAVE") || words.eat("REPLICA") || words.eat("ALL") || words.eat("GROUP_REPLICATION") {
        Statement::Harmless
    } else {
        unknown(sql)
    }
}

fn rollback(mut words: Words<'_>) -> Statement {
    words.eat("WORK");
    if !words.eat("TO") {
        return Statement::Rollback;
    }
    words.eat("SAVEPOINT");
    match words.next().and_then(|word| word.as_name()) {
        Some(name) => Statement::RollbackTo(name),
        None => Statement::Rollback,
    }
}

fn xa(mut words: Words<'_>) -> Result<Statement> {
    let verb = words.next().ok_or_else(|| Fault::corrupt("XA without a verb"))?;
    if verb.is("END") {
        return Ok(Statement::XaEnd);
    }
    let xid = xid(&mut words)?;
    if verb.is("START") || verb.is("BEGIN") {
        Ok(Statement::XaStart(xid))
    } else if verb.is("COMMIT") {
        Ok(Statement::XaCommit { xid, one_phase: words.eat_all(&["ONE", "PHASE"]) })
    } else if verb.is("ROLLBACK") {
        Ok(Statement::XaRollback(xid))
    } else {
        Err(Fault::corrupt("an unknown XA statement"))
    }
}

/// `X'..',X'..',1`, as both servers write it.
fn xid(words: &mut Words<'_>) -> Result<Xid> {
    let bad = || Fault::corrupt("an XA identifier that cannot be read");
    let gtrid = bytes(words.next().ok_or_else(bad)?)?;
    let (mut bqual, mut format) = (Vec::new(), 1);
    let mut ahead = words.clone();
    if ahead.next() == Some(Word::Mark(b',')) {
        bqual = bytes(ahead.next().ok_or_else(bad)?)?;
        *words = ahead.clone();
        if ahead.next() == Some(Word::Mark(b',')) {
            let Some(Word::Bare(number)) = ahead.next() else { return Err(bad()) };
            format = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok()).ok_or_else(bad)?;
            *words = ahead;
        }
    }
    Ok(Xid { format, gtrid, bqual })
}

fn bytes(word: Word<'_>) -> Result<Vec<u8>> {
    let bad = || Fault::corrupt("an XA identifier that cannot be read");
    match word {
        Word::Text([b'x' | b'X', b'\'', hex @ .., b'\'']) if hex.len() % 2 == 0 => hex
            .chunks(2)
            .map(|pair| {
                let text = std::str::from_utf8(pair).map_err(|_| bad())?;
                u8::from_str_radix(text, 16).map_err(|_| bad())
            })
            .collect(),
        // A literal that is torn off, or no text at all.
        Word::Text([b'x' | b'X' | b'b' | b'B' | b'n' | b'N', b'\'', ..]) => Err(bad()),
        Word::Text(raw) => Ok(raw.to_vec()),
        // MySQL 5.7 writes 0x6162.
        Word::Bare([b'0', b'x', hex @ ..]) if hex.len() % 2 == 0 => {
            bytes(Word::Text([b"X'", hex, b"'"].concat().as_slice()))
        }
        _ => Err(bad()),
    }
}

fn create(mut words: Words<'_>) -> Statement {
    words.eat_all(&["OR", "REPLACE"]);
    if words.eat("TEMPORARY") { Statement::Harmless } else { account_or_schema(words) }
}

fn drop_statement(mut words: Words<'_>) -> Statement {
    if words.eat("TEMPORARY") || words.eat("PREPARE") { Statement::Harmless } else { account_or_schema(words) }
}

/// CREATE, ALTER and DROP of things that are no part of a schema are of no interest.
fn account_or_schema(mut words: Words<'_>) -> Statement {
    let outside = ["USER", "ROLE", "SERVER", "INSTANCE", "RESOURCE", "BINLOG"];
    if outside.iter().any(|word| words.eat(word)) { Statement::Harmless } else { Statement::Schema }
}

/// SET is harmless, but MariaDB's SET STATEMENT ... FOR holds another statement.
fn set(mut words: Words<'_>, sql: &[u8], sql_mode: u64) -> Statement {
    if !words.eat("STATEMENT") {
        return Statement::Harmless;
    }
    let mut depth = 0usize;
    while let Some(word) = words.next() {
        match word {
            Word::Mark(b'(') => depth += 1,
            Word::Mark(b')') => depth = depth.saturating_sub(1),
            word if depth == 0 && word.is("FOR") => return classify(words.rest(), sql_mode),
            _ => {}
        }
    }
    unknown(sql)
}

fn data(kind: &str, table: Option<(Option<String>, String)>) -> Statement {
    Statement::Data { kind: kind.to_owned(), table }
}

fn insert(mut words: Words<'_>, verb: &[u8]) -> Statement {
    let verb = String::from_utf8_lossy(verb).to_ascii_uppercase();
    while ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"].iter().any(|word| words.eat(word)) {}
    data(&verb, words.table_name())
}

fn update(mut words: Words<'_>) -> Statement {
    while ["LOW_PRIORITY", "IGNORE"].iter().any(|word| words.eat(word)) {}
    let table = words.table_name();
    words.eat("AS");
    let alias = !words.clone().eat("SET");
    if alias {
        words.next();
    }
    // A second table would stand before SET.
    if words.eat("SET") { data("UPDATE", table) } else { data("UPDATE", None) }
}

fn delete(mut words: Words<'_>) -> Statement {
    while ["LOW_PRIORITY", "QUICK", "IGNORE"].iter().any(|word| words.eat(word)) {}
    if !words.eat("FROM") {
        return data("DELETE", None);
    }
    let table = words.table_name();
    let mut ahead = words.clone();
    match (ahead.next(), table) {
        (None, Some((schema, table))) => Statement::Truncate { schema, table },
        (Some(word), table) if word.is("WHERE") || word.is("ORDER") || word.is("LIMIT") => data("DELETE", table),
        _ => data("DELETE", None),
    }
}

fn load(mut words: Words<'_>) -> Statement {
    while let Some(word) = words.next() {
        if word.is("INTO") && words.eat("TABLE") {
            return data("LOAD DATA", words.table_name());
        }
    }
    data("LOAD DATA", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(sql: &str) -> Statement {
        classify(sql.as_bytes(), 0)
    }

    fn touches(kind: &str, schema: Option<&str>, table: &str) -> Statement {
        data(kind, Some((schema.map(str::to_owned), table.to_owned())))
    }

    #[test]
    fn transactions() {
        assert_eq!(kind("BEGIN"), Statement::Begin);
        assert_eq!(kind("START TRANSACTION"), Statement::Begin);
        assert_eq!(kind("ROLLBACK"), Statement::Rollback);
        assert_eq!(kind("ROLLBACK TO `a`"), Statement::RollbackTo("a".to_owned()));
        assert_eq!(kind("ROLLBACK WORK TO SAVEPOINT a"), Statement::RollbackTo("a".to_owned()));
        assert_eq!(kind("SAVEPOINT `a b`"), Statement::Savepoint("a b".to_owned()));
        assert_eq!(kind("begin not atomic select 1; end"), unknown(b"BEGIN"));
    }

    #[test]
    fn xa_identifiers_are_read_in_every_form() {
        let xid = Xid { format: 7, gtrid: b"ab".to_vec(), bqual: b"c".to_vec() };
        assert_eq!(kind("XA START X'6162',X'63',7"), Statement::XaStart(xid.clone()));
        assert_eq!(kind("XA COMMIT 'ab','c',7"), Statement::XaCommit { xid: xid.clone(), one_phase: false });
        assert_eq!(kind("XA COMMIT 0x6162,0x63,7 ONE PHASE"), Statement::XaCommit { xid, one_phase: true });
        assert_eq!(kind("XA END X'6162',X'63',7"), Statement::XaEnd);
        assert_eq!(kind("XA COMMIT X'61"), unknown(b"XA"));
        assert_eq!(kind("XA COMMIT X'6\u{e9}'"), unknown(b"XA"));
    }

    #[test]
    fn schemas_and_what_is_none() {
        for sql in [
            "CREATE TABLE t (a INT)",
            "create or replace table t as select 1",
            "ALTER TABLE t ADD b INT",
            "DROP TABLE `t` /* generated by server */",
            "RENAME TABLE a TO b",
            "TRUNCATE t",
            "DROP DATABASE d",
            "CREATE DEFINER=`root`@`localhost` TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a=1",
            "SET STATEMENT max_statement_time=(1+1) FOR ALTER TABLE t ADD b INT",
            "/* c */ CREATE INDEX i ON t (a)",
        ] {
            assert_eq!(kind(sql), Statement::Schema, "{sql}");
        }
        for sql in [
            "DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`",
            "CREATE TEMPORARY TABLE t (a INT)",
            "",
            "GRANT ALL ON *.* TO a",
            "CREATE USER a",
            "ALTER USER a",
            "DROP ROLE r",
            "RENAME USER a TO b",
            "FLUSH TABLES",
            "ANALYZE TABLE t",
            "SET PASSWORD FOR a = 'x'",
            "# Dummy event replacing event type 160",
        ] {
            assert_eq!(kind(sql), Statement::Harmless, "{sql}");
        }
    }

    #[test]
    fn rows_changed_by_text() {
        assert_eq!(kind("INSERT IGNORE INTO a.t VALUES (1)"), touches("INSERT", Some("a"), "t"));
        assert_eq!(kind("replace `t`(x) select 1"), touches("REPLACE", None, "t"));
        assert_eq!(kind("UPDATE t AS x SET a = 1"), touches("UPDATE", None, "t"));
        assert_eq!(kind("UPDATE t x SET a = 1"), touches("UPDATE", None, "t"));
        assert_eq!(kind("UPDATE t, u SET t.a = u.a"), data("UPDATE", None));
        assert_eq!(kind("DELETE FROM t WHERE a = 1"), touches("DELETE", None, "t"));
        assert_eq!(kind("DELETE a FROM a JOIN b"), data("DELETE", None));
        assert_eq!(kind("DELETE FROM a USING a JOIN b"), data("DELETE", None));
        let truncate = Statement::Truncate { schema: Some("d".to_owned()), table: "t".to_owned() };
        assert_eq!(kind("DELETE FROM `d`.`t`"), truncate);
        assert_eq!(kind("DELETE FROM `d`.`t` /* x */"), truncate);
        assert_eq!(kind("LOAD DATA INFILE 'x' INTO TABLE `t` FIELDS"), touches("LOAD DATA", None, "t"));
        for sql in ["SELECT f()", "CALL p()", "WITH x AS (SELECT 1) DELETE FROM t", "DO f()", "(SELECT 1)", "foo"] {
            assert!(matches!(kind(sql), Statement::Data { table: None, .. }), "{sql}");
        }
    }
}
