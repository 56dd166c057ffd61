//! Descriptions of result columns ("Column Definition").

use crate::cursor::Cursor;
use crate::error::Result;

/// Wire types of columns are numbered as in the log.
pub(crate) use opendrs_binlog::column_types as field_type;

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
