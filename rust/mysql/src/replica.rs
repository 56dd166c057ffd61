//! What a server must be like before its log is asked for.

use opendrs_binlog::{FilePosition, Flavour, GtidList, GtidSet, Restart};

use crate::connection::Connection;
use crate::error::{ErrorKind, MysqlError, Result};
use crate::query::quote_text;

/// Facts about a server that the log stream depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// `@@server_uuid`; empty on MariaDB, which has no such thing.
    pub server_uuid: String,
    /// `@@server_id`.
    pub server_id: u32,
}

impl SourceFacts {
    /// Asks the server. An error if it writes no binary log.
    pub fn ask(connection: &mut Connection) -> Result<Self> {
        let uuid = match connection.flavour() {
            Flavour::Mysql => "@@global.server_uuid",
            Flavour::Mariadb => "''",
        };
        let rows = connection.query(&format!(
            "SELECT {uuid} AS server_uuid, @@global.server_id AS server_id, @@global.log_bin AS log_bin"
        ))?;
        if rows.text(0, "log_bin") != Some("1") {
            return Err(MysqlError::new(ErrorKind::Unsupported, "the server writes no binary log (log_bin is off)"));
        }
        let server_id = rows.text(0, "server_id").and_then(|text| text.parse().ok());
        let server_id = server_id.ok_or_else(|| MysqlError::protocol("the server has no server_id"))?;
        Ok(Self { server_uuid: rows.text(0, "server_uuid").unwrap_or_default().to_owned(), server_id })
    }

    /// What a spool remembers the server by.
    pub(crate) fn identity(&self) -> String {
        if self.server_uuid.is_empty() { format!("mariadb:{}", self.server_id) } else { self.server_uuid.clone() }
    }
}

/// Checks that the server can send its log from `start` on. `expected` is the server that the
/// position was taken on (empty: not known).
///
/// Errors: `LogPurged`, `AheadOfSource`, `OtherServer`, each with what was wanted and what is there.
pub(crate) fn check_start(
    connection: &mut Connection,
    facts: &SourceFacts,
    expected: &str,
    start: &Restart,
) -> Result<()> {
    let other = !expected.is_empty() && !facts.server_uuid.is_empty() && expected != facts.server_uuid;
    match start {
        Restart::MysqlGtid(wanted) => {
            require(connection, Flavour::Mysql)?;
            let executed = gtid_set(connection, "gtid_executed")?;
            let purged = gtid_set(connection, "gtid_purged")?;
            let problem = judge_mysql(wanted, &executed, &purged, other);
            problem.map_or(Ok(()), |(kind, text)| Err(MysqlError::new(kind, text)))
        }
        Restart::MysqlFile(_) if other => {
            let text = format!("the position belongs to server {expected}, this is {}", facts.server_uuid);
            Err(MysqlError::new(ErrorKind::OtherServer, text))
        }
        Restart::MysqlFile(wanted) => {
            require(connection, Flavour::Mysql)?;
            check_file(connection, wanted)
        }
        Restart::MariadbGtid(wanted) => {
            require(connection, Flavour::Mariadb)?;
            check_mariadb(connection, wanted)
        }
    }
}

fn require(connection: &Connection, flavour: Flavour) -> Result<()> {
    if connection.flavour() == flavour {
        return Ok(());
    }
    let text =
        format!("the position was taken on {}, and this server is {}", flavour.name(), connection.info().version);
    Err(MysqlError::new(ErrorKind::OtherServer, text))
}

fn gtid_set(connection: &mut Connection, variable: &str) -> Result<GtidSet> {
    let rows = connection.query(&format!("SELECT @@global.{variable}"))?;
    let text = rows.scalar().unwrap_or_default();
    text.parse().map_err(|e| MysqlError::protocol(format!("@@{variable} cannot be read: {e}")))
}

/// What speaks against beginning behind `wanted`, if anything does.
fn judge_mysql(wanted: &GtidSet, executed: &GtidSet, purged: &GtidSet, other: bool) -> Option<(ErrorKind, String)> {
    if !executed.covers(wanted) {
        let mut surplus = wanted.clone();
        surplus.subtract(executed);
        // A server that knows one of the position's origins is the right one, set back; one that
        // knows none has never been part of this replication.
        let known = wanted.iter().any(|(source, _, _)| executed.iter().any(|(there, _, _)| there == source));
        let (kind, what) = if known && !other {
            (ErrorKind::AheadOfSource, "the target is ahead of the source")
        } else {
            (ErrorKind::OtherServer, "the position belongs to another server")
        };
        return Some((kind, format!("{what}: transactions {surplus} were read, and the source has only {executed}")));
    }
    if other && wanted.is_empty() {
        return Some((ErrorKind::OtherServer, "the position belongs to another server".to_owned()));
    }
    if !wanted.covers(purged) {
        let mut missing = purged.clone();
        missing.subtract(wanted);
        let text = format!(
            "the source has purged transactions that are still needed: wanted is everything behind {wanted}, and {missing} \
             are gone (gtid_purged is {purged})"
        );
        return Some((ErrorKind::LogPurged, text));
    }
    None
}

/// Names and sizes of the server's log files, oldest first.
fn log_files(connection: &mut Connection) -> Result<Vec<FilePosition>> {
    let rows = connection.query("SHOW BINARY LOGS")?;
    let files = (0..rows.rows.len()).filter_map(|row| {
        let pos = rows.text(row, "File_size")?.parse().ok()?;
        Some(FilePosition { file: rows.text(row, "Log_name")?.to_owned(), pos })
    });
    Ok(files.collect())
}

fn check_file(connection: &mut Connection, wanted: &FilePosition) -> Result<()> {
    let files = log_files(connection)?;
    judge_file(wanted, &files).map_or(Ok(()), |(kind, text)| Err(MysqlError::new(kind, text)))
}

fn judge_file(wanted: &FilePosition, files: &[FilePosition]) -> Option<(ErrorKind, String)> {
    let (Some(first), Some(last)) = (files.first(), files.last()) else {
        return Some((ErrorKind::LogPurged, format!("{wanted} is wanted, and the source has no log files")));
    };
    let there = format!("{wanted} is wanted, and the source has {} to {last}", first.file);
    match files.iter().find(|file| file.file == wanted.file) {
        Some(file) if file.pos >= wanted.pos => None,
        Some(_) => Some((ErrorKind::AheadOfSource, format!("the target is ahead of the source: {there}"))),
        None if first.reaches(wanted) => Some((ErrorKind::LogPurged, format!("the log was purged: {there}"))),
        None if wanted.reaches(last) => {
            Some((ErrorKind::AheadOfSource, format!("the target is ahead of the source: {there}")))
        }
        None => Some((ErrorKind::OtherServer, format!("the position belongs to another server: {there}"))),
    }
}

/// MariaDB tells what it has by origin (`gtid_binlog_state`, purged transactions included); what it
/// has purged shows only when the log is asked for.
fn check_mariadb(connection: &mut Connection, wanted: &GtidList) -> Result<()> {
    let rows = connection.query("SELECT @@global.gtid_binlog_state AS state, @@global.gtid_slave_pos AS replicated")?;
    let state = rows.text(0, "state").unwrap_or_default().to_owned();
    // A replica without log_slave_updates has transactions that its own log lacks; the server
    // accepts them as a place to start as well (check_slave_start_position in sql/sql_repl.cc).
    let replicated = rows.text(0, "replicated").unwrap_or_default();
    judge_mariadb(wanted, &state, replicated).map_or(Ok(()), |(kind, text)| Err(MysqlError::new(kind, text)))
}

fn judge_mariadb(wanted: &GtidList, state: &str, replicated: &str) -> Option<(ErrorKind, String)> {
    let parse = |text: &str| {
        text.split(',').filter_map(|gtid| gtid.trim().parse().ok()).collect::<Vec<opendrs_binlog::MariadbGtid>>()
    };
    let (state_list, replicated) = (parse(state), parse(replicated));
    for gtid in wanted.iter() {
        if replicated.contains(&gtid) {
            continue;
        }
        let origin = state_list.iter().find(|there| there.domain == gtid.domain && there.server == gtid.server);
        let there = format!("transactions up to {gtid} were read, and the source has {state:?} (gtid_binlog_state)");
        match origin {
            Some(origin) if origin.sequence >= gtid.sequence => {}
            Some(_) => return Some((ErrorKind::AheadOfSource, format!("the target is ahead of the source: {there}"))),
            None => return Some((ErrorKind::OtherServer, format!("the position belongs to another server: {there}"))),
        }
    }
    None
}

/// An error if a replica that is not us uses our server id: asking for the log would throw it out.
pub(crate) fn check_server_id(
    connection: &mut Connection,
    facts: &SourceFacts,
    server_id: u32,
    uuid: &str,
    host: &str,
) -> Result<()> {
    if server_id == 0 || facts.server_id == server_id {
        let text = format!("server_id {server_id} cannot be ours: it is 0 or the source's own");
        return Err(MysqlError::new(ErrorKind::ServerIdCollision, text));
    }
    let statement = match connection.flavour() {
        Flavour::Mysql if connection.info().version_numbers() >= (8, 0, 22) => "SHOW REPLICAS",
        _ => "SHOW SLAVE HOSTS",
    };
    let rows = match connection.query(statement) {
        Ok(rows) => rows,
        // MariaDB wants another privilege for this than for the log itself (REPLICATION MASTER
        // ADMIN); then the collision shows when one of the two is thrown out.
        Err(error) if error.kind() == ErrorKind::AccessDenied => return Ok(()),
        Err(error) => return Err(error),
    };
    let uuid_column = rows.column(&["Replica_UUID", "Slave_UUID"]).and_then(|at| rows.columns.get(at)).cloned();
    for row in 0..rows.rows.len() {
        if rows.text(row, "Server_id") != Some(server_id.to_string().as_str()) {
            continue;
        }
        // MariaDB shows no UUID; our host name tells our jobs apart.
        let ours = match &uuid_column {
            Some(column) => rows.text(row, column).is_some_and(|there| there.eq_ignore_ascii_case(uuid)),
            None => rows.text(row, "Host") == Some(host),
        };
        if !ours {
            let other = rows.text(row, "Host").unwrap_or("unknown host");
            let text =
                format!("server_id {server_id} is used by another replica of the source ({other}); choose another one");
            return Err(MysqlError::new(ErrorKind::ServerIdCollision, text));
        }
    }
    Ok(())
}

/// Session variables that the server reads when the log is asked for.
pub(crate) fn announce(
    connection: &mut Connection,
    start: &Restart,
    uuid: &str,
    heartbeat: std::time::Duration,
) -> Result<()> {
    let period = heartbeat.as_nanos();
    let uuid = quote_text(uuid);
    // Both spellings: MySQL 8.0.26 brought the new ones, and each server reads those it knows.
    let mut variables = vec![
        // We verify checksums; the server sends what its log has.
        "@master_binlog_checksum = 'CRC32'".to_owned(),
        "@source_binlog_checksum = 'CRC32'".to_owned(),
        format!("@master_heartbeat_period = {period}"),
        format!("@source_heartbeat_period = {period}"),
    ];
    match start {
        Restart::MariadbGtid(list) => {
            // 4: understands GTIDs; less, and old-style events come instead (MariaDB 10.6.12 sends broken ones).
            variables.push("@mariadb_slave_capability = 4".to_owned());
            variables.push(format!("@slave_connect_state = {}", quote_text(&list.to_string())));
            // A gap or a foreign history is an error, not a guess.
            variables.push("@slave_gtid_strict_mode = 1".to_owned());
            variables.push("@slave_gtid_ignore_duplicates = 0".to_owned());
        }
        Restart::MysqlGtid(_) | Restart::MysqlFile(_) => {
            variables.push(format!("@slave_uuid = {uuid}"));
            variables.push(format!("@replica_uuid = {uuid}"));
        }
    }
    connection.execute(&format!("SET {}", variables.join(", "))).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn set(text: &str) -> GtidSet {
        text.parse().unwrap()
    }

    fn kind(problem: Option<(ErrorKind, String)>) -> Option<ErrorKind> {
        problem.map(|(kind, _)| kind)
    }

    #[test]
    fn mysql_sets_are_judged_with_their_gaps() {
        let executed = set(&format!("{A}:1-100,{B}:1-5"));
        let ok = |wanted: &str, purged: &str, other| kind(judge_mysql(&set(wanted), &executed, &set(purged), other));
        assert_eq!(ok(&format!("{A}:1-50"), &format!("{A}:1-50"), false), None);
        assert_eq!(ok("", "", false), None);
        assert_eq!(ok("", &format!("{A}:1"), false), Some(ErrorKind::LogPurged));
        assert_eq!(
            ok(&format!("{A}:1-9:11-50"), &format!("{A}:1-10"), false),
            Some(ErrorKind::LogPurged),
            "10 is gone"
        );
        assert_eq!(ok(&format!("{A}:1-101"), "", false), Some(ErrorKind::AheadOfSource));
        assert_eq!(ok("5e11fa47-71ca-11e1-9e33-c80aa9429562:1", "", false), Some(ErrorKind::OtherServer));
        assert_eq!(ok(&format!("{A}:1-50"), "", true), None, "a member of the same family took over");
        assert_eq!(ok(&format!("{A}:1-101"), "", true), Some(ErrorKind::OtherServer));
        assert_eq!(ok("", "", true), Some(ErrorKind::OtherServer));
    }

    #[test]
    fn files_are_judged_by_name_and_size() {
        let at = |file: &str, pos| FilePosition { file: file.into(), pos };
        let files = [at("bin.000003", 500), at("bin.000004", 900)];
        let judge = |file: &str, pos| kind(judge_file(&at(file, pos), &files));
        assert_eq!(judge("bin.000003", 4), None);
        assert_eq!(judge("bin.000004", 900), None);
        assert_eq!(judge("bin.000004", 901), Some(ErrorKind::AheadOfSource));
        assert_eq!(judge("bin.000005", 4), Some(ErrorKind::AheadOfSource));
        assert_eq!(judge("bin.000002", 4), Some(ErrorKind::LogPurged));
        assert_eq!(judge("other.000003", 4), Some(ErrorKind::OtherServer));
        assert_eq!(kind(judge_file(&at("bin.000001", 4), &[])), Some(ErrorKind::LogPurged));
    }

    #[test]
    fn mariadb_lists_are_judged_by_origin() {
        let judge =
            |wanted: &str, state: &str, slave: &str| kind(judge_mariadb(&wanted.parse().unwrap(), state, slave));
        assert_eq!(judge("0-1-50", "0-2-80,0-1-60,7-1-3", ""), None);
        assert_eq!(judge("0-1-61", "0-2-80,0-1-60", ""), Some(ErrorKind::AheadOfSource));
        assert_eq!(judge("0-9-5", "0-1-60", ""), Some(ErrorKind::OtherServer));
        assert_eq!(judge("3-1-5", "0-1-60", ""), Some(ErrorKind::OtherServer));
        assert_eq!(judge("0-9-5", "0-1-60", "0-9-5"), None);
        assert_eq!(judge("", "", ""), None);
    }
}
