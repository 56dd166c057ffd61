//! Debezium's envelope as JSON without schema, so that Flink's `debezium-json` reads it.
//!
//! Sources: Debezium's documentation of its MySQL connector (the envelope, the block `source`, bits as
//! little-endian bytes); Flink, `DebeziumJsonDeserializationSchema` and `TimeFormats`, whose SQL format the
//! dates and times have, and which reads BYTES as base64.

use opendrs_columns::print;
use opendrs_columns::values::{Column, Values};

use crate::error::{Refused, ValueProblem};
use crate::escape::string;
use crate::facts::Facts;
use crate::names::{Shape, prefixes};
use crate::options::Source;
use crate::record::{Kind, Record, Stamp};
use crate::statement::Statement;
use crate::text::{self, Bytes, Moments, Style};

const STYLE: Style = Style { moments: Moments::ClockZ, bytes: Bytes::Base64 };

/// Constant parts. A message is: before after `source` es `snapshot` place row op ts.
pub(crate) struct Layout {
    prefixes: Box<[Box<[u8]>]>,
    source: Box<[u8]>,
    /// Of a change, and of a row of a snapshot.
    snapshot: [Box<[u8]>; 2],
}

impl Layout {
    pub fn new(shape: &Shape<'_>, source: &Source) -> Self {
        let mut begin = b",\"source\":{".to_vec();
        source_begin(source, &mut begin);
        let snapshot = |snapshot: bool| {
            let mut out = Vec::new();
            source_middle(source, shape.database, shape.table, snapshot, &mut out);
            out.into()
        };
        Self {
            prefixes: names(shape.columns.iter().map(|column| column.name)),
            source: begin.into(),
            snapshot: [snapshot(false), snapshot(true)],
        }
    }

    #[inline]
    pub fn write(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), Refused> {
        out.extend_from_slice(b"{\"before\":");
        self.row(record, record.before, out)?;
        out.extend_from_slice(b",\"after\":");
        self.row(record, record.after, out)?;
        out.extend_from_slice(&self.source);
        out.extend_from_slice(&record.stamp.es);
        out.extend_from_slice(&self.snapshot[usize::from(record.kind == Kind::Init)]);
        source_end(record.ordinal, record.stamp, out);
        out.extend_from_slice(match record.kind {
            Kind::Insert => b",\"op\":\"c\",\"ts_ms\":",
            Kind::Update => b",\"op\":\"u\",\"ts_ms\":",
            Kind::Delete => b",\"op\":\"d\",\"ts_ms\":",
            Kind::Init => b",\"op\":\"r\",\"ts_ms\":",
        });
        out.extend_from_slice(&record.stamp.ts);
        out.extend_from_slice(b",\"transaction\":null}");
        Ok(())
    }

    #[inline]
    fn row(&self, record: &Record<'_, '_>, row: Option<usize>, out: &mut Vec<u8>) -> Result<(), Refused> {
        match row {
            Some(row) => object(&self.prefixes, record.columns, 0..self.prefixes.len(), row, out),
            None => {
                out.extend_from_slice(b"null");
                Ok(())
            }
        }
    }
}

/// What stands before the values of an object of these columns.
pub(crate) fn names<'a>(columns: impl IntoIterator<Item = &'a str>) -> Box<[Box<[u8]>]> {
    prefixes::<false>(columns)
}

/// Appends some columns of a row as a JSON object.
#[inline]
pub(crate) fn object(
    prefixes: &[Box<[u8]>],
    columns: &[Column<'_>],
    numbers: impl Iterator<Item = usize>,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<(), Refused> {
    for (prefix, number) in prefixes.iter().zip(numbers) {
        out.extend_from_slice(prefix);
        value(&columns[number], row, out).map_err(|problem| (number, problem))?;
    }
    out.extend_from_slice(if prefixes.is_empty() { b"{}" } else { b"}" });
    Ok(())
}

#[inline]
fn value(column: &Column<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    if column.is_null(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match &column.values {
        Values::Year(v) => print::whole(v[row], out),
        Values::Float32(v) => number(v[row].is_finite(), zmij::Buffer::new().format(v[row]), out)?,
        Values::Float64(v) => number(v[row].is_finite(), zmij::Buffer::new().format(v[row]), out)?,
        Values::Bits(v, length) => bits(v[row], *length, out)?,
        Values::I8(_) | Values::I16(_) | Values::I32(_) | Values::I64(_) => {
            text::write(&column.values, row, STYLE, out)?
        }
        Values::U8(_) | Values::U16(_) | Values::U32(_) | Values::U64(_) => {
            text::write(&column.values, row, STYLE, out)?
        }
        _ => text::quoted::<false>(column, row, STYLE, out)?,
    }
    Ok(())
}

fn number(finite: bool, text: &str, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    if !finite {
        return Err(ValueProblem::NotANumber);
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// One bit is true or false, several are the base64 of little-endian bytes.
fn bits(value: u64, length: u8, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    if value.unbounded_shr(length.into()) != 0 {
        return Err(ValueProblem::Malformed);
    }
    if length == 1 {
        out.extend_from_slice(if value == 0 { b"false" } else { b"true" });
    } else {
        out.push(b'"');
        text::base64(&value.to_le_bytes()[..usize::from(length).div_ceil(8).min(8)], out);
        out.push(b'"');
    }
    Ok(())
}

/// From `version` to the name of `ts_ms`.
fn source_begin(source: &Source, out: &mut Vec<u8>) {
    for (name, text) in
        [("\"version\":", &source.version), (",\"connector\":", &source.connector), (",\"name\":", &source.name)]
    {
        out.extend_from_slice(name.as_bytes());
        string::<false>(text.as_bytes(), out);
    }
    out.extend_from_slice(b",\"ts_ms\":");
}

/// From `snapshot` to `server_id`.
fn source_middle(source: &Source, database: &str, table: &str, snapshot: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if snapshot {
        b",\"snapshot\":\"true\",\"db\":"
    } else {
        b",\"snapshot\":\"false\",\"db\":"
    });
    string::<false>(database.as_bytes(), out);
    out.extend_from_slice(b",\"sequence\":null,\"table\":");
    string::<false>(table.as_bytes(), out);
    out.extend_from_slice(b",\"server_id\":");
    print::whole(source.server_id, out);
}

/// The transaction's place in the log, from `gtid` to the name of `row`.
pub(crate) fn place(facts: &Facts<'_>, out: &mut Vec<u8>) {
    for (name, text) in [(",\"gtid\":", facts.gtid), (",\"file\":", facts.file)] {
        out.extend_from_slice(name.as_bytes());
        match text {
            Some(text) => string::<false>(text.as_bytes(), out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b",\"pos\":");
    print::whole(facts.pos, out);
    out.extend_from_slice(b",\"row\":");
}

/// From `gtid` to the end of `source`.
#[inline]
fn source_end(row: u32, stamp: &Stamp, out: &mut Vec<u8>) {
    out.extend_from_slice(&stamp.place);
    print::whole(row, out);
    out.extend_from_slice(b",\"thread\":null,\"query\":null}");
}

pub(crate) fn statement(statement: &Statement<'_>, source: &Source, at: &Stamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"source\":{");
    source_begin(source, out);
    out.extend_from_slice(&at.es);
    source_middle(source, statement.database, statement.table, statement.snapshot, out);
    source_end(0, at, out);
    out.extend_from_slice(b",\"ts_ms\":");
    out.extend_from_slice(&at.ts);
    out.extend_from_slice(b",\"databaseName\":");
    string::<false>(statement.database.as_bytes(), out);
    out.extend_from_slice(b",\"schemaName\":null,\"ddl\":");
    string::<false>(statement.sql.as_bytes(), out);
    out.extend_from_slice(b",\"tableChanges\":[]}");
}

/// The key of a statement's message, as Debezium's topic of schema changes has it.
pub(crate) fn statement_key(database: &str) -> Vec<u8> {
    let mut out = b"{\"databaseName\":".to_vec();
    string::<false>(database.as_bytes(), &mut out);
    out.push(b'}');
    out
}
