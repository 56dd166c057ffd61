//! QUERY events: the ends of transactions, schema changes, and rows changed by text.

use opendrs_columns::TableName;

use crate::charset::{self, Charset};
use crate::decoder::{Barrier, Decoder};
use crate::error::{ErrorKind, Fault, Result};
use crate::event::SchemaChange;
use crate::group::{Alter, Group};
use crate::header::{Header, types};
use crate::held::Held;
use crate::query::{self, Statement};
use crate::query_event::{QueryEvent, Session};
use crate::selection::Selection;

impl Decoder {
    pub(crate) fn query(&mut self, header: &Header, body: &[u8]) -> Result<()> {
        self.context = false;
        let event = QueryEvent::parse(body)?;
        let statement = match event.sql {
            b"BEGIN" => Statement::Begin,
            b"COMMIT" => Statement::Commit,
            sql if sql.is_ascii() => query::classify(sql, event.session()?.sql_mode),
            sql => {
                // In some character sets the second byte of a letter looks like a quote or a backslash.
                let session = event.session()?;
                let text = self.sql_text(sql, &session);
                query::classify(text.as_ref().map_or(sql, |text| text.as_bytes()), session.sql_mode)
            }
        };
        match statement {
            Statement::Begin => {
                let group = self.statement_group()?;
                if std::mem::replace(&mut group.began, true) {
                    return Err(Fault::corrupt("BEGIN within a transaction"));
                }
                Ok(())
            }
            Statement::Commit => self.end_commit(header),
            Statement::Rollback => self.rollback(header.timestamp),
            Statement::Savepoint(_) | Statement::RollbackTo(_) if self.is_held() => self.hold(types::QUERY, body),
            Statement::Savepoint(name) => {
                let (mark, seq) = (self.rows.mark(), self.rows.next_seq());
                self.open_group()?.savepoint(name, mark, seq);
                Ok(())
            }
            Statement::RollbackTo(name) => self.rollback_to(&name),
            Statement::XaStart(xid) => {
                let group = self.statement_group()?;
                group.began = true;
                group.xa = Some(Box::new((xid, Held::default())));
                Ok(())
            }
            Statement::XaEnd => self.open_group().map(drop),
            Statement::XaCommit { one_phase: true, .. } if self.is_held() => self.end_commit(header),
            Statement::XaCommit { xid, .. } => self.xa_decision(header, &xid, true),
            Statement::XaRollback(xid) => self.xa_decision(header, &xid, false),
            other => self.plain_statement(header, &event, other),
        }
    }

    fn is_held(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.xa.is_some())
    }

    /// Keeps an event of an XA transaction for its decision.
    pub(crate) fn hold(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        let (memory_max, folder) = (self.config.held_bytes_max, &self.config.spill_folder);
        match self.group.as_mut().and_then(|group| group.xa.as_mut()) {
            Some(xa) => xa.1.push(kind, body, memory_max, folder),
            None => Err(Fault::corrupt("an event of an XA transaction outside of any")),
        }
    }

    /// The group that a statement belongs to; servers without GTIDs begin it with the statement.
    pub(crate) fn statement_group(&mut self) -> Result<&mut Group> {
        if self.group.is_none() {
            let id = self.tracker.identify(None, None)?;
            self.begin_group(id)?;
        }
        self.group.as_mut().ok_or_else(|| Fault::corrupt("a statement outside of a transaction"))
    }

    fn rollback_to(&mut self, name: &str) -> Result<()> {
        let seq = self.rows.next_seq();
        self.open_group()?;
        let Some(group) = &mut self.group else { return Ok(()) };
        let mark = group.rollback_to(name, seq);
        let mark = mark.map_err(|()| Fault::corrupt(format!("ROLLBACK TO the unknown savepoint {name:?}")))?;
        self.rows.undo(mark, false);
        Ok(())
    }

    /// Statements that end no transaction: alone in their group, or within one.
    fn plain_statement(&mut self, header: &Header, event: &QueryEvent<'_>, statement: Statement) -> Result<()> {
        let group = self.statement_group()?;
        let (applied, began, void) = (group.applied, group.began, group.alter == Alter::Void);
        let sql = if applied || void { None } else { self.effect(event, statement)? };
        match sql {
            Some(sql) => self.schema_change(header, event, sql, began),
            None if began => Ok(()),
            None => {
                self.settle_group();
                Ok(())
            }
        }
    }

    /// The text of a schema change, None if nothing changes; an error if rows may.
    fn effect(&self, event: &QueryEvent<'_>, statement: Statement) -> Result<Option<Text>> {
        match statement {
            Statement::Schema => Ok(Some(Text::Logged)),
            Statement::Truncate { schema: Some(schema), table } => {
                let name = TableName { schema, table };
                let quoted = |part: &str| part.replace('`', "``");
                let sql = format!("TRUNCATE TABLE `{}`.`{}`", quoted(&name.schema), quoted(&name.table));
                Ok(self.selection.selects(&name).then_some(Text::Made(sql)))
            }
            Statement::Truncate { schema: None, table } => {
                self.text_changes_rows("DELETE", Some((None, table)), event).map(|()| None)
            }
            Statement::Data { kind, table } => self.text_changes_rows(&kind, table, event).map(|()| None),
            _ => Ok(None),
        }
    }

    /// An error unless a statement provably leaves every selected table alone.
    pub(crate) fn text_changes_rows(
        &self,
        kind: &str,
        table: Option<(Option<String>, String)>,
        event: &QueryEvent<'_>,
    ) -> Result<()> {
        let remedy = "set binlog_format=ROW on the source, for all sessions";
        let Some((schema, table)) = table else {
            let what = format!("{kind} was logged as a statement, and may change any table: {remedy}");
            return Err(Fault::new(ErrorKind::StatementLogged, what));
        };
        let schema = match schema {
            Some(schema) => schema,
            None => event.database()?.to_owned(),
        };
        let name = TableName { schema, table };
        let selected = self.selection.selects(&name);
        // The server's own tables have no triggers; of others the caller may know that.
        if !selected && (Selection::is_system(&name.schema) || self.selection.vouched.contains(&name)) {
            return Ok(());
        }
        let what = if selected {
            format!("{kind} was logged as a statement: {remedy}, then load the table again")
        } else {
            format!(
                "{kind} was logged as a statement; the table is not selected, but its triggers may change others: {remedy}"
            )
        };
        Err(Fault::new(ErrorKind::StatementLogged, what).of_table(&name))
    }

    fn schema_change(&mut self, header: &Header, event: &QueryEvent<'_>, text: Text, in_group: bool) -> Result<()> {
        let session = event.session()?;
        if let Some(unknown) = session.unknown {
            let what = format!("a schema change under the unknown session variable {unknown}");
            return Err(Fault::new(ErrorKind::Unsupported, what));
        }
        let sql = match text {
            Text::Made(sql) => sql,
            Text::Logged => self.sql_text(event.sql, &session)?,
        };
        let started_us = i64::from(header.timestamp) * 1_000_000 + i64::from(session.micros);
        let commit_us = self.group.as_ref().map_or(0, |group| group.commit_us);
        let mut change = SchemaChange {
            database: event.database()?.to_owned(),
            sql,
            sql_mode: session.sql_mode,
            client_charset: session.client_charset,
            connection_collation: session.connection_collation,
            server_collation: session.server_collation,
            database_collation: session.database_collation,
            time_zone: session.time_zone,
            thread_id: event.thread_id,
            server_version: self.format.as_ref().map(|format| format.server_version.clone()).unwrap_or_default(),
            position: None,
            commit_us: if commit_us > 0 { commit_us } else { started_us },
            in_group,
        };
        if !in_group {
            if self.rows.transactions() > 0 || self.rows.has_complete() {
                self.before_barrier = Some(self.position());
            }
            self.settle_group();
            change.position = Some(self.position());
        }
        self.barrier = Barrier::Due(Box::new(change));
        Ok(())
    }

    /// The statement in UTF-8, from the character set of its client.
    fn sql_text(&self, sql: &[u8], session: &Session) -> Result<String> {
        let id = u64::from(session.client_charset);
        let name = if id == 0 { Some("utf8mb4") } else { charset::of_collation(self.flavour(), id) };
        // A client that says "binary" sends what it likes; the server itself writes UTF-8.
        let charset = match name {
            Some("binary") => Some(Charset::Utf8),
            Some(name) => Charset::named(name),
            None => None,
        };
        let unknown = || Fault::new(ErrorKind::Unsupported, format!("a schema change in the unknown collation {id}"));
        let mut out = Vec::with_capacity(sql.len());
        let bad = || {
            let what = format!("a schema change whose text is not valid in {}", name.unwrap_or_default());
            Fault::new(ErrorKind::Charset, what)
        };
        charset.ok_or_else(unknown)?.decode(sql, &mut out).map_err(|_| bad())?;
        String::from_utf8(out).map_err(|_| bad())
    }

    /// LOAD DATA as a statement: thread, times, schema, error, variables as in QUERY, then four numbers
    /// and a flag of its own (libbinlogevents, load_data_events.h, `Execute_load_query_event`).
    pub(crate) fn execute_load(&mut self, body: &[u8]) -> Result<()> {
        self.context = false;
        const QUERY_FIXED: usize = 13;
        const OWN: usize = 13;
        if self.group.as_ref().is_some_and(|group| group.applied) {
            return Ok(());
        }
        let (Some(fixed), Some(rest)) = (body.get(..QUERY_FIXED), body.get(QUERY_FIXED + OWN..)) else {
            return Err(Fault::corrupt("a LOAD DATA event that ends early"));
        };
        let plain = [fixed, rest].concat();
        let event = QueryEvent::parse(&plain)?;
        match query::classify(event.sql, event.session()?.sql_mode) {
            Statement::Data { kind, table } => self.text_changes_rows(&kind, table, &event),
            _ => Err(Fault::corrupt("a LOAD DATA event with another statement")),
        }
    }
}

/// Where the text of a schema change comes from.
enum Text {
    Logged,
    Made(String),
}
