//! TABLE_MAP: which table and which column types the rows events behind it have.

use opendrs_columns::TableName;

use crate::cursor::{self, Cursor};
use crate::error::{ErrorKind, Fault, Result};

/// Column types, as both servers number them (`enum_field_types`).
#[allow(missing_docs)] // the names are the servers' own
pub mod column_types {
    pub const DECIMAL: u8 = 0;
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const TIMESTAMP2: u8 = 17;
    pub const DATETIME2: u8 = 18;
    pub const TIME2: u8 = 19;
    pub const TYPED_ARRAY: u8 = 20;
    /// MariaDB: BLOB and TEXT with the COMPRESSED attribute.
    pub const BLOB_COMPRESSED: u8 = 140;
    /// MariaDB: VARCHAR and VARBINARY with the COMPRESSED attribute.
    pub const VARCHAR_COMPRESSED: u8 = 141;
    pub const VECTOR: u8 = 242;
    pub const JSON: u8 = 245;
    pub const NEWDECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const MEDIUM_BLOB: u8 = 250;
    pub const LONG_BLOB: u8 = 251;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

use column_types as t;

/// One column as the wire has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WireColumn {
    /// Type; what STRING hides (ENUM, SET) is brought out.
    pub kind: u8,
    /// Metadata of the type: see [`metadata`].
    pub meta: u16,
}

/// The body of a TABLE_MAP, its parts located; only the names are decoded.
pub(crate) struct TableMap<'a> {
    pub id: u64,
    pub schema: &'a [u8],
    pub table: &'a [u8],
    rest: Cursor<'a>,
}

/// The columns of a TABLE_MAP.
pub(crate) struct Columns<'a> {
    pub columns: Vec<WireColumn>,
    /// What `binlog_row_metadata` adds; empty if nothing.
    pub optional: &'a [u8],
}

impl<'a> TableMap<'a> {
    pub fn parse(body: &'a [u8], table_id_bytes: usize) -> Result<Self> {
        let mut cursor = Cursor::new(body);
        let id = cursor.uint(table_id_bytes)?;
        let _flags = cursor.u16()?;
        let schema = Self::name(&mut cursor)?;
        let table = Self::name(&mut cursor)?;
        Ok(Self { id, schema, table, rest: cursor })
    }

    /// A length-encoded name with a closing zero byte.
    fn name(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
        let name = cursor.lenenc_bytes()?;
        match cursor.u8()? {
            0 => Ok(name),
            _ => Err(Fault::corrupt("a name in a table map without its closing zero byte")),
        }
    }

    pub fn table_name(&self) -> Result<TableName> {
        let (schema, table) = (cursor::name(self.schema)?.to_owned(), cursor::name(self.table)?.to_owned());
        Ok(TableName { schema, table })
    }

    pub fn columns(&self) -> Result<Columns<'a>> {
        let mut cursor = self.rest;
        let count = cursor.lenenc_size()?;
        let kinds = cursor.take(count)?;
        let mut meta = Cursor::new(cursor.lenenc_bytes()?);
        let columns = kinds.iter().map(|kind| metadata(*kind, &mut meta)).collect::<Result<Vec<_>>>()?;
        if !meta.is_empty() {
            return Err(Fault::corrupt("a table map with more column metadata than columns"));
        }
        cursor.take(count.div_ceil(8))?; // which columns may be NULL
        Ok(Columns { columns, optional: cursor.rest() })
    }
}

/// Reads the metadata of one column (MySQL source documentation, `Table_map_event`, "Table: Table_map_event
/// column types: numerical identifier and metadata"). In [`WireColumn::meta`]:
///
/// - VARCHAR, VAR_STRING, STRING and the compressed VARCHAR: the most bytes a value has;
/// - ENUM, SET: the bytes of a value; BLOB, JSON, GEOMETRY, VECTOR: the bytes of its length;
/// - NEWDECIMAL: precision, then scale in the high byte; BIT: all bits;
/// - TIME2, DATETIME2, TIMESTAMP2: digits of the fraction; FLOAT, DOUBLE: bytes.
fn metadata(kind: u8, meta: &mut Cursor<'_>) -> Result<WireColumn> {
    let plain = |meta| Ok(WireColumn { kind, meta });
    match kind {
        t::DECIMAL
        | t::TINY
        | t::SHORT
        | t::LONG
        | t::NULL
        | t::TIMESTAMP
        | t::LONGLONG
        | t::INT24
        | t::DATE
        | t::TIME
        | t::DATETIME
        | t::YEAR
        | t::NEWDATE => plain(0),
        t::FLOAT
        | t::DOUBLE
        | t::TIMESTAMP2
        | t::DATETIME2
        | t::TIME2
        | t::TINY_BLOB
        | t::MEDIUM_BLOB
        | t::LONG_BLOB
        | t::BLOB
        | t::BLOB_COMPRESSED
        | t::JSON
        | t::GEOMETRY
        | t::VECTOR => plain(u16::from(meta.u8()?)),
        t::VARCHAR | t::VARCHAR_COMPRESSED | t::NEWDECIMAL => plain(meta.u16()?),
        t::BIT => {
            let (bits, bytes) = (meta.u8()?, meta.u8()?);
            if bits > 7 || bytes > 8 {
                return Err(Fault::corrupt(format!("a BIT column of {bytes} bytes and {bits} bits")));
            }
            plain(u16::from(bytes) * 8 + u16::from(bits))
        }
        t::STRING | t::VAR_STRING | t::ENUM | t::SET => string_metadata(kind, meta.u8()?, meta.u8()?),
        t::TYPED_ARRAY => {
            // The element's type and metadata; the array itself is stored as JSON.
            let element = meta.u8()?;
            metadata(element, meta)?;
            plain(4)
        }
        _ => Err(Fault::new(ErrorKind::UnknownType, format!("column type {kind} is not known"))),
    }
}

/// STRING's metadata holds the real type and the length; lengths above 255 take two bits of the
/// type byte, inverted (MySQL bug 37426).
fn string_metadata(kind: u8, first: u8, second: u8) -> Result<WireColumn> {
    if kind != t::STRING {
        // Not written by any server of today, but defined in the same bytes.
        return Ok(WireColumn { kind, meta: u16::from_le_bytes([first, second]) });
    }
    if first & 0x30 != 0x30 {
        let length = u16::from(second) | (u16::from((first & 0x30) ^ 0x30) << 4);
        return Ok(WireColumn { kind: first | 0x30, meta: length });
    }
    match first {
        t::ENUM | t::SET | t::STRING => Ok(WireColumn { kind: first, meta: u16::from(second) }),
        other => Err(Fault::new(ErrorKind::UnknownType, format!("column type {other} within a string is not known"))),
    }
}

/// What `binlog_row_metadata` tells; each part only if the server sent it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OptionalMetadata {
    /// Per numeric column in order: whether it is unsigned.
    pub unsigned: Option<Vec<bool>>,
    /// Per character column in order: its collation id.
    pub collations: Option<Charsets>,
    /// Per ENUM and SET column in order: its collation id.
    pub member_collations: Option<Charsets>,
    pub names: Option<Vec<String>>,
    /// Per SET column in order: its members, in the column's character set.
    pub set_members: Option<Vec<Vec<Vec<u8>>>>,
    /// Per ENUM column in order.
    pub enum_members: Option<Vec<Vec<Vec<u8>>>>,
}

/// Collation ids of the character columns in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Charsets {
    /// One for all but the listed ordinals.
    Default(u64, Vec<(u64, u64)>),
    Each(Vec<u64>),
}

impl Charsets {
    pub fn of(&self, ordinal: usize) -> Option<u64> {
        match self {
            Self::Each(all) => all.get(ordinal).copied(),
            Self::Default(all, others) => {
                Some(others.iter().find(|other| other.0 == ordinal as u64).map_or(*all, |other| other.1))
            }
        }
    }
}

impl OptionalMetadata {
    /// Reads the fields: type, length, value (libbinlogevents, rows_event.h,
    /// `Table_map_event::Optional_metadata_field_type`).
    pub fn parse(bytes: &[u8], numeric_columns: usize) -> Result<Self> {
        let mut found = Self::default();
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_empty() {
            let kind = cursor.u8()?;
            let value = Cursor::new(cursor.lenenc_bytes()?);
            match kind {
                1 => found.unsigned = Some(bits(value, numeric_columns)?),
                2 => found.collations = Some(default_charset(value)?),
                3 => found.collations = Some(Charsets::Each(numbers(value)?)),
                4 => found.names = Some(names(value)?),
                5 => found.set_members = Some(members(value)?),
                6 => found.enum_members = Some(members(value)?),
                10 => found.member_collations = Some(default_charset(value)?),
                11 => found.member_collations = Some(Charsets::Each(numbers(value)?)),
                // 7 geometry types, 8 and 9 primary keys, 12 visibility, 13 dimensions of vectors:
                // not needed to read rows. All of it is optional by its name and nature.
                _ => {}
            }
        }
        Ok(found)
    }
}

fn bits(value: Cursor<'_>, count: usize) -> Result<Vec<bool>> {
    let bytes = value.rest();
    if bytes.len() < count.div_ceil(8) {
        return Err(Fault::corrupt("a table map whose signedness is too short"));
    }
    Ok((0..count).map(|i| bytes[i / 8] & (0x80 >> (i % 8)) != 0).collect())
}

fn numbers(mut value: Cursor<'_>) -> Result<Vec<u64>> {
    let mut all = Vec::new();
    while !value.is_empty() {
        all.push(value.lenenc()?);
    }
    Ok(all)
}

fn default_charset(mut value: Cursor<'_>) -> Result<Charsets> {
    let default = value.lenenc()?;
    let mut others = Vec::new();
    while !value.is_empty() {
        others.push((value.lenenc()?, value.lenenc()?));
    }
    Ok(Charsets::Default(default, others))
}

fn names(mut value: Cursor<'_>) -> Result<Vec<String>> {
    let mut all = Vec::new();
    while !value.is_empty() {
        all.push(cursor::name(value.lenenc_bytes()?)?.to_owned());
    }
    Ok(all)
}

fn members(mut value: Cursor<'_>) -> Result<Vec<Vec<Vec<u8>>>> {
    let mut columns = Vec::new();
    while !value.is_empty() {
        let count = value.lenenc_size()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(value.lenenc_bytes()?.to_vec());
        }
        columns.push(list);
    }
    Ok(columns)
}
