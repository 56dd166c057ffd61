//! Alibaba canal's FlatMessage as JSON, so that its readers and Flink's `canal-json` take it.
//!
//! Sources: canal, `FlatMessage`, `MQMessageUtils` and `DruidDdlParser`; Flink, `CanalJsonDeserializationSchema`, which wants
//! `old` of an update to be there, reads BYTES as base64, and knows no type but INSERT, UPDATE, DELETE and
//! CREATE (which it skips): rows of a snapshot are insertions here.

use opendrs_columns::print;

use crate::error::Refused;
use crate::escape::string;
use crate::facts::Facts;
use crate::names::{Shape, mysql_type, pk_names, prefixes, sql_type};
use crate::record::{Kind, Record, Stamp};
use crate::statement::Statement;
use crate::text::{self, Bytes, Moments, Style};

const STYLE: Style = Style { moments: Moments::Clock, bytes: Bytes::Base64 };

/// Constant parts. A message is: data `database` es gtid id `types` old `tail` ts type.
pub(crate) struct Layout {
    prefixes: Box<[Box<[u8]>]>,
    database: Box<[u8]>,
    types: Box<[u8]>,
    tail: Box<[u8]>,
}

impl Layout {
    pub fn new(shape: &Shape<'_>) -> Self {
        let mut database = b",\"database\":".to_vec();
        string::<false>(shape.database.as_bytes(), &mut database);
        database.extend_from_slice(b",\"es\":");
        let mut types = b",\"isDdl\":false,\"mysqlType\":".to_vec();
        mysql_type::<false>(shape.columns, true, &mut types);
        types.extend_from_slice(b",\"old\":");
        let mut tail = b",\"pkNames\":".to_vec();
        if shape.key.is_empty() {
            tail.extend_from_slice(b"null");
        } else {
            pk_names::<false>(shape.key, &mut tail);
        }
        tail.extend_from_slice(b",\"sql\":\"\",\"sqlType\":");
        sql_type::<false>(shape.columns, &mut tail);
        tail.extend_from_slice(b",\"table\":");
        string::<false>(shape.table.as_bytes(), &mut tail);
        tail.extend_from_slice(b",\"ts\":");
        Self {
            prefixes: prefixes::<false>(shape.columns.iter().map(|column| column.name)),
            database: database.into(),
            types: types.into(),
            tail: tail.into(),
        }
    }

    #[inline]
    pub fn write(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), Refused> {
        out.extend_from_slice(b"{\"data\":[");
        if let Some(row) = record.row() {
            text::row::<false>(&self.prefixes, record.columns, row, STYLE, out)?;
        }
        out.push(b']');
        out.extend_from_slice(&self.database);
        stamp(record.id, record.stamp, out);
        out.extend_from_slice(&self.types);
        match (record.before, record.after) {
            (Some(before), Some(after)) => self.changed(record, before, after, out)?,
            _ => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(&self.tail);
        out.extend_from_slice(&record.stamp.ts);
        out.extend_from_slice(match record.kind {
            Kind::Insert | Kind::Init => b",\"type\":\"INSERT\"}",
            Kind::Update => b",\"type\":\"UPDATE\"}",
            Kind::Delete => b",\"type\":\"DELETE\"}",
        });
        Ok(())
    }

    /// What was in the columns that the update changed.
    fn changed(&self, record: &Record<'_, '_>, before: usize, after: usize, out: &mut Vec<u8>) -> Result<(), Refused> {
        let start = out.len();
        out.push(b'[');
        for (number, (prefix, column)) in self.prefixes.iter().zip(record.columns).enumerate() {
            if !column.same(before, column, after) {
                out.extend_from_slice(prefix);
                text::quoted::<false>(column, before, STYLE, out).map_err(|problem| (number, problem))?;
            }
        }
        match out.get_mut(start + 1) {
            // Whichever column is the first.
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.extend_from_slice(b"}]");
        Ok(())
    }
}

/// The transaction's id, from `gtid` to the name of `id`.
pub(crate) fn place(facts: &Facts<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"gtid\":");
    string::<false>(facts.gtid.unwrap_or_default().as_bytes(), out);
    out.extend_from_slice(b",\"id\":");
}

#[inline]
fn stamp(id: u64, stamp: &Stamp, out: &mut Vec<u8>) {
    out.extend_from_slice(&stamp.es);
    out.extend_from_slice(&stamp.place);
    print::whole(id, out);
}

pub(crate) fn statement(statement: &Statement<'_>, id: u64, at: &Stamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"data\":null,\"database\":");
    string::<false>(statement.database.as_bytes(), out);
    out.extend_from_slice(b",\"es\":");
    stamp(id, at, out);
    out.extend_from_slice(b",\"isDdl\":true,\"mysqlType\":null,\"old\":null,\"pkNames\":null,\"sql\":");
    string::<false>(statement.sql.as_bytes(), out);
    out.extend_from_slice(b",\"sqlType\":null,\"table\":");
    string::<false>(statement.table.as_bytes(), out);
    out.extend_from_slice(b",\"ts\":");
    out.extend_from_slice(&at.ts);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(event_type(statement).as_bytes());
    out.extend_from_slice(b"\"}");
}

/// The name that canal has for what a statement does (`CanalEntry.EventType`): whatever is not one of these, or
/// concerns no table, is a QUERY.
fn event_type(statement: &Statement<'_>) -> &'static str {
    const TYPES: [(&str, &str); 5] =
        [("CREATE", "CREATE"), ("ALTER", "ALTER"), ("DROP", "ERASE"), ("RENAME", "RENAME"), ("TRUNCATE", "TRUNCATE")];
    let known = TYPES.iter().find(|(kind, _)| *kind == statement.kind && !statement.table.is_empty());
    known.map_or("QUERY", |(_, name)| name)
}
