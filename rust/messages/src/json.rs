//! Huawei DRS's formats "JSON" and "JSON-C" for MySQL sources.
//!
//! Source: Huawei Cloud, Data Replication Service, "Kafka Message Format". What it does not show: `data` of a
//! deletion is null in JSON, bytes are Java's signed ones, the fields come in the order of its example.

use opendrs_columns::print;

use crate::error::Refused;
use crate::escape::string;
use crate::names::{Shape, mysql_type, pk_names, prefixes, sql_type};
use crate::record::{Kind, Record, Stamp};
use crate::statement::Statement;
use crate::text::{self, Bytes, Moments, Style};

const JSON: Style = Style { moments: Moments::Seconds, bytes: Bytes::Signed };
const JSON_C: Style = Style { moments: Moments::Clock, bytes: Bytes::Signed };

/// Constant parts. A message is: `head` id es ts `kinds` data old `tail`.
pub(crate) struct Layout {
    style: Style,
    /// Whether a deleted row is in `data`, as in JSON-C, and not in `old`.
    deleted_is_data: bool,
    head: Box<[u8]>,
    kinds: [Box<[u8]>; 4],
    prefixes: Box<[Box<[u8]>]>,
    tail: Box<[u8]>,
}

impl Layout {
    pub fn new(shape: &Shape<'_>, json_c: bool) -> Self {
        let mut head = b"{\"mysqlType\":".to_vec();
        mysql_type::<true>(shape.columns, false, &mut head);
        head.extend_from_slice(b",\"id\":");
        let mut tail = b",\"pkNames\":".to_vec();
        pk_names::<true>(shape.key, &mut tail);
        tail.push(b'}');
        let kind = |kind: Kind| {
            let mut out = Vec::new();
            place(shape.database, shape.table, kind.name(), false, "", &mut out);
            sql_type::<true>(shape.columns, &mut out);
            out.extend_from_slice(b",\"data\":");
            out.into()
        };
        Self {
            style: if json_c { JSON_C } else { JSON },
            deleted_is_data: json_c,
            head: head.into(),
            kinds: Kind::ALL.map(kind),
            prefixes: prefixes::<true>(shape.columns.iter().map(|column| column.name)),
            tail: tail.into(),
        }
    }

    #[inline]
    pub fn write(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), Refused> {
        let (data, old) = match record.kind {
            Kind::Delete if self.deleted_is_data => (record.before, None),
            _ => (record.after, record.before),
        };
        out.extend_from_slice(&self.head);
        stamp(record.id, record.stamp, out);
        out.extend_from_slice(&self.kinds[record.kind as usize]);
        self.rows(record, data, out)?;
        out.extend_from_slice(b",\"old\":");
        self.rows(record, old, out)?;
        out.extend_from_slice(&self.tail);
        Ok(())
    }

    #[inline]
    fn rows(&self, record: &Record<'_, '_>, row: Option<usize>, out: &mut Vec<u8>) -> Result<(), Refused> {
        match row {
            Some(row) => {
                out.push(b'[');
                text::row::<true>(&self.prefixes, record.columns, row, self.style, out)?;
                out.push(b']');
            }
            None => out.extend_from_slice(b"null"),
        }
        Ok(())
    }
}

#[inline]
fn stamp(id: u64, stamp: &Stamp, out: &mut Vec<u8>) {
    print::whole(id, out);
    out.extend_from_slice(b",\"es\":");
    out.extend_from_slice(&stamp.es);
    out.extend_from_slice(b",\"ts\":");
    out.extend_from_slice(&stamp.ts);
}

/// From `database` to the name of `sqlType`.
fn place(database: &str, table: &str, kind: &str, ddl: bool, sql: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"database\":");
    string::<true>(database.as_bytes(), out);
    out.extend_from_slice(b",\"table\":");
    string::<true>(table.as_bytes(), out);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(if ddl { b"\",\"isDdl\":true,\"sql\":" } else { b"\",\"isDdl\":false,\"sql\":" });
    string::<true>(sql.as_bytes(), out);
    out.extend_from_slice(b",\"sqlType\":");
}

/// The name that DRS's formats give to all statements.
pub(crate) fn statement_kind(statement: &Statement<'_>) -> &'static str {
    if statement.snapshot { "INIT_DDL" } else { "DDL" }
}

pub(crate) fn statement(statement: &Statement<'_>, id: u64, at: &Stamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"mysqlType\":{},\"id\":");
    stamp(id, at, out);
    place(statement.database, statement.table, statement_kind(statement), true, statement.sql, out);
    out.extend_from_slice(b"{},\"data\":null,\"old\":null,\"pkNames\":[]}");
}
