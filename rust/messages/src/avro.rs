//! Our own record in Avro: one schema for all tables, `record.avsc`.
//!
//! Source: Apache Avro, "Specification": "Binary Encoding" and "Single-object encoding".

use opendrs_columns::values::{Column, Values};

use crate::error::{Refused, ValueProblem};
use crate::json::statement_kind;
use crate::names::{Named, Shape};
use crate::record::{Kind, Record, Stamp};
use crate::statement::Statement;
use crate::text::{self, Bytes, Moments, Style};

/// The schema of all messages in the format `avro`.
pub const RECORD_SCHEMA: &str = include_str!("record.avsc");
/// CRC-64-AVRO of the schema's parsing canonical form. A test computes it.
pub const RECORD_FINGERPRINT: u64 = 0x4b63_ce9e_7317_3510;

const STYLE: Style = Style { moments: Moments::Clock, bytes: Bytes::Signed };
/// The symbols of the enum, in the order of the schema.
const TYPES: [&str; 6] = ["INSERT", "UPDATE", "DELETE", "DDL", "INIT", "INIT_DDL"];

/// Constant parts. A message is: header id es ts `kinds` data old `tail`.
pub(crate) struct Layout {
    kinds: [Box<[u8]>; 4],
    /// The number of entries in a row, as a block of a map begins with.
    count: Box<[u8]>,
    names: Box<[Box<[u8]>]>,
    tail: Box<[u8]>,
}

impl Layout {
    pub fn new(shape: &Shape<'_>) -> Self {
        let mut types = Vec::new();
        let base = |column: &Named<'_>, out: &mut Vec<u8>| {
            string(column.name.as_bytes(), out);
            string(column.base.as_bytes(), out);
        };
        block(shape.columns, base, &mut types);
        let number = |column: &Named<'_>, out: &mut Vec<u8>| {
            string(column.name.as_bytes(), out);
            long(column.number.into(), out);
        };
        block(shape.columns, number, &mut types);
        let kind = |kind: Kind| {
            let mut out = Vec::new();
            place(shape.database, shape.table, kind.name(), false, "", &mut out);
            out.extend_from_slice(&types);
            out.into()
        };
        let mut tail = Vec::new();
        block(shape.key, |name, out| string(name.as_bytes(), out), &mut tail);
        let mut count = Vec::new();
        if !shape.columns.is_empty() {
            long(shape.columns.len() as i64, &mut count);
        }
        let name = |name: &str| {
            let mut out = Vec::new();
            string(name.as_bytes(), &mut out);
            out.into()
        };
        Self {
            kinds: Kind::ALL.map(kind),
            count: count.into(),
            names: shape.columns.iter().map(|column| name(column.name)).collect(),
            tail: tail.into(),
        }
    }

    #[inline]
    pub fn write(&self, record: &Record<'_, '_>, out: &mut Vec<u8>) -> Result<(), Refused> {
        stamp(record.id, record.stamp, out);
        out.extend_from_slice(&self.kinds[record.kind as usize]);
        self.rows(record, record.row(), out)?;
        self.rows(record, record.before.filter(|_| record.kind == Kind::Update), out)?;
        out.extend_from_slice(&self.tail);
        Ok(())
    }

    /// The branch of the union; an array of one row, which is a map.
    #[inline]
    fn rows(&self, record: &Record<'_, '_>, row: Option<usize>, out: &mut Vec<u8>) -> Result<(), Refused> {
        let Some(row) = row else {
            out.push(NULL);
            return Ok(());
        };
        out.extend_from_slice(&[ARRAY, ONE]);
        out.extend_from_slice(&self.count);
        for (number, (name, column)) in self.names.iter().zip(record.columns).enumerate() {
            out.extend_from_slice(name);
            value(column, row, out).map_err(|problem| (number, problem))?;
        }
        out.extend_from_slice(&[END, END]);
        Ok(())
    }
}

/// Branches of the unions, as they are written.
const NULL: u8 = 0;
const ARRAY: u8 = 2;
const STRING: u8 = 2;
const BYTES: u8 = 4;
/// A block of one item, and the block that ends an array or a map.
const ONE: u8 = 2;
const END: u8 = 0;

#[inline]
fn value(column: &Column<'_>, row: usize, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    if column.is_null(row) {
        out.push(NULL);
        return Ok(());
    }
    match &column.values {
        Values::Text(texts) => {
            out.push(STRING);
            string(texts.get(row), out);
        }
        Values::Bytes(bytes) => {
            out.push(BYTES);
            string(bytes.get(row), out);
        }
        values => {
            // Nearly all are shorter than the 64 bytes whose length is one byte.
            out.extend_from_slice(&[STRING, 0]);
            let start = out.len();
            text::write(values, row, STYLE, out)?;
            let mut length = Vec::new();
            match out.len() - start {
                short @ ..64 => out[start - 1] = 2 * short as u8,
                more => {
                    long(more as i64, &mut length);
                    out.splice(start - 1..start, length);
                }
            }
        }
    }
    Ok(())
}

/// A whole number: zig-zag, then seven bits a byte, the lowest first.
#[inline]
pub(crate) fn long(number: i64, out: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// A string or bytes.
#[inline]
fn string(bytes: &[u8], out: &mut Vec<u8>) {
    long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

/// An array, or a map whose `entry` is a name and a value: one block, then the end.
fn block<T>(entries: &[T], entry: impl Fn(&T, &mut Vec<u8>), out: &mut Vec<u8>) {
    if !entries.is_empty() {
        long(entries.len() as i64, out);
        entries.iter().for_each(|item| entry(item, out));
    }
    out.push(END);
}

/// From the header to `ts`.
#[inline]
fn stamp(id: u64, stamp: &Stamp, out: &mut Vec<u8>) {
    let mut header = [0xc3, 0x01, 0, 0, 0, 0, 0, 0, 0, 0];
    header[2..].copy_from_slice(&RECORD_FINGERPRINT.to_le_bytes());
    out.extend_from_slice(&header);
    // The encoder has made sure that ids fit 63 bits.
    long(id as i64, out);
    out.extend_from_slice(&stamp.es);
    out.extend_from_slice(&stamp.ts);
}

/// From `database` to `sql`.
fn place(database: &str, table: &str, kind: &str, ddl: bool, sql: &str, out: &mut Vec<u8>) {
    string(database.as_bytes(), out);
    string(table.as_bytes(), out);
    long(TYPES.iter().position(|name| *name == kind).unwrap_or_default() as i64, out);
    out.push(ddl.into());
    string(sql.as_bytes(), out);
}

pub(crate) fn statement(statement: &Statement<'_>, id: u64, at: &Stamp, out: &mut Vec<u8>) {
    stamp(id, at, out);
    place(statement.database, statement.table, statement_kind(statement), true, statement.sql, out);
    // No types, no rows, no key.
    out.extend_from_slice(&[END, END, NULL, NULL, END]);
}
