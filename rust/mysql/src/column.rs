//! Descriptions of result columns ("Column Definition").

use crate::cursor::Cursor;
use crate::error::Result;

pub(crate) mod field_type {
    //! Wire types of columns ("Column Types"; MariaDB uses the same numbers).
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
    /// MySQL 9.
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

const UNSIGNED: u16 = 32;
/// Collation id of bytes that are no text.
const BINARY: u16 = 63;

/// One column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub kind: u8,
    pub collation: u16,
    pub flags: u16,
}

impl Column {
    pub fn parse(packet: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(packet);
        // catalog, schema, table, original table
        for _ in 0..4 {
            cursor.lenenc_bytes()?;
        }
        let name = String::from_utf8_lossy(cursor.lenenc_bytes()?).into_owned();
        cursor.lenenc_bytes()?;
        let mut fixed = Cursor::new(cursor.lenenc_bytes()?);
        let collation = fixed.u16()?;
        let _length = fixed.u32()?;
        let kind = fixed.u8()?;
        let flags = fixed.u16()?;
        Ok(Self { name, kind, collation, flags })
    }

    pub fn is_unsigned(&self) -> bool {
        self.flags & UNSIGNED != 0
    }

    /// Whether the text form of a value is bytes rather than text. Numbers and times come as
    /// "binary" text too, and so does MySQL's JSON.
    pub fn is_bytes(&self) -> bool {
        use field_type::{BIT, BLOB, GEOMETRY, LONG_BLOB, MEDIUM_BLOB, STRING, TINY_BLOB, VAR_STRING, VARCHAR, VECTOR};
        match self.kind {
            BIT | GEOMETRY | VECTOR => true,
            TINY_BLOB | MEDIUM_BLOB | LONG_BLOB | BLOB | VAR_STRING | STRING | VARCHAR => self.collation == BINARY,
            _ => false,
        }
    }
}
