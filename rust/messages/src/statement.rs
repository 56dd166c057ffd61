use crate::facts::Facts;
use crate::options::{Format, Options, Source};
use crate::record::Stamp;
use crate::{avro, canal, debezium, json, key};

/// A statement that changed a schema, or that made what a snapshot found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Where it is from.
    pub facts: Facts<'a>,
    /// Database at the source.
    pub database: &'a str,
    /// Table at the source; empty if it concerns none.
    pub table: &'a str,
    /// The text.
    pub sql: &'a str,
    /// What it does: CREATE, ALTER, DROP, RENAME, TRUNCATE, or anything else. Only `canal-json` says it.
    pub kind: &'a str,
    /// Whether it was made for a snapshot, and never ran.
    pub snapshot: bool,
}

/// The message of a statement. Where it goes is up to the caller: [`crate::partition`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementMessage {
    /// The key; None under the policy that has none.
    pub key: Option<Vec<u8>>,
    /// The record.
    pub value: Vec<u8>,
}

pub(crate) fn message(
    options: &Options,
    source: &Source,
    statement: &Statement<'_>,
    id: u64,
    now_ms: i64,
) -> StatementMessage {
    let at = Stamp::of(options.format, now_ms, &statement.facts);
    let mut value = Vec::new();
    match options.format {
        Format::Json | Format::JsonC => json::statement(statement, id, &at, &mut value),
        Format::CanalJson => canal::statement(statement, id, &at, &mut value),
        Format::Avro => avro::statement(statement, id, &at, &mut value),
        Format::DebeziumJson => debezium::statement(statement, source, &at, &mut value),
    }
    let key = match options.format {
        Format::DebeziumJson => Some(debezium::statement_key(statement.database)),
        _ => key::shared(options.partition_policy, statement.database, statement.table).map(String::into_bytes),
    };
    StatementMessage { key, value }
}
