use crate::cursor::Cursor;
use crate::error::{Fault, Result};

/// A value within a document; nothing below it is read yet.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(&'a [u8]),
    /// A value of a column type that JSON lacks: the type, and bytes in that type's own form.
    Opaque(u8, &'a [u8]),
    Array(Container<'a>),
    Object(Container<'a>),
}

/// An array or object: entries at fixed places, which point to keys and values behind them.
#[derive(Clone, Copy)]
pub(crate) struct Container<'a> {
    data: &'a [u8],
    /// Offsets have 4 bytes instead of 2.
    large: bool,
    object: bool,
    pub count: usize,
}

/// A whole document.
pub(crate) struct Document;

const SMALL_OBJECT: u8 = 0;
const LARGE_OBJECT: u8 = 1;
const SMALL_ARRAY: u8 = 2;
const LARGE_ARRAY: u8 = 3;
const LITERAL: u8 = 4;
const INT16: u8 = 5;
const UINT16: u8 = 6;
const INT32: u8 = 7;
const UINT32: u8 = 8;
const INT64: u8 = 9;
const UINT64: u8 = 10;
const DOUBLE: u8 = 11;
const STRING: u8 = 12;
const OPAQUE: u8 = 15;

impl Document {
    /// The value that a column's bytes hold. No bytes at all are what the servers write for a
    /// document that was never set; they read it as the literal null.
    pub fn parse(bytes: &[u8]) -> Result<Value<'_>> {
        match bytes.split_first() {
            None => Ok(Value::Null),
            Some((kind, data)) => value(*kind, data),
        }
    }
}

fn value(kind: u8, data: &[u8]) -> Result<Value<'_>> {
    let mut cursor = Cursor::new(data);
    Ok(match kind {
        SMALL_OBJECT => Value::Object(Container::parse(data, false, true)?),
        LARGE_OBJECT => Value::Object(Container::parse(data, true, true)?),
        SMALL_ARRAY => Value::Array(Container::parse(data, false, false)?),
        LARGE_ARRAY => Value::Array(Container::parse(data, true, false)?),
        LITERAL => match cursor.u8()? {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => Value::Bool(false),
            other => return Err(Fault::corrupt(format!("JSON literal {other}"))),
        },
        INT16 => Value::Int(i64::from(cursor.u16()? as i16)),
        UINT16 => Value::Uint(u64::from(cursor.u16()?)),
        INT32 => Value::Int(i64::from(cursor.u32()? as i32)),
        UINT32 => Value::Uint(u64::from(cursor.u32()?)),
        INT64 => Value::Int(cursor.u64()? as i64),
        UINT64 => Value::Uint(cursor.u64()?),
        DOUBLE => Value::Double(f64::from_le_bytes(cursor.array()?)),
        STRING => Value::String(sized(&mut cursor)?),
        OPAQUE => {
            let column_type = cursor.u8()?;
            Value::Opaque(column_type, sized(&mut cursor)?)
        }
        other => return Err(Fault::corrupt(format!("JSON value of type {other}"))),
    })
}

/// Bytes behind a length of 7 bits a byte, lowest first.
fn sized<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let mut length = 0usize;
    for shift in [0, 7, 14, 21, 28] {
        let byte = cursor.u8()?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return cursor.take(length);
        }
    }
    Err(Fault::corrupt("a length within JSON of more than 5 bytes"))
}

impl<'a> Container<'a> {
    fn parse(data: &'a [u8], large: bool, object: bool) -> Result<Self> {
        let mut cursor = Cursor::new(data);
        let mut size = || Ok::<usize, Fault>(if large { cursor.u32()? as usize } else { usize::from(cursor.u16()?) });
        let (count, bytes) = (size()?, size()?);
        let Some(data) = data.get(..bytes) else {
            return Err(Fault::corrupt("a JSON container that is longer than its document"));
        };
        let container = Self { data, large, object, count };
        // Makes sure that the number of entries is bounded by the bytes that are there.
        if container.value_entry(count) > bytes {
            return Err(Fault::corrupt("a JSON container with more entries than bytes"));
        }
        Ok(container)
    }

    fn offset_bytes(&self) -> usize {
        if self.large { 4 } else { 2 }
    }

    fn key_entry(&self, index: usize) -> usize {
        2 * self.offset_bytes() + index * (self.offset_bytes() + 2)
    }

    fn value_entry(&self, index: usize) -> usize {
        let keys = if self.object { self.count } else { 0 };
        self.key_entry(keys).saturating_add(index.saturating_mul(1 + self.offset_bytes()))
    }

    fn at(&self, offset: usize) -> Cursor<'a> {
        Cursor::new(self.data.get(offset..).unwrap_or_default())
    }

    fn offset(&self, cursor: &mut Cursor<'a>) -> Result<usize> {
        Ok(if self.large { cursor.u32()? as usize } else { usize::from(cursor.u16()?) })
    }

    /// The key of a member, UTF-8 if the document is sound.
    pub fn key(&self, index: usize) -> Result<&'a [u8]> {
        let mut entry = self.at(self.key_entry(index));
        let offset = self.offset(&mut entry)?;
        let length = usize::from(entry.u16()?);
        self.at(offset).take(length)
    }

    /// The value of a member or element.
    pub fn value(&self, index: usize) -> Result<Value<'a>> {
        let mut entry = self.at(self.value_entry(index));
        let kind = entry.u8()?;
        let inlined = matches!(kind, LITERAL | INT16 | UINT16) || (self.large && matches!(kind, INT32 | UINT32));
        if inlined {
            return value(kind, entry.rest());
        }
        let offset = self.offset(&mut entry)?;
        if offset < self.value_entry(self.count) {
            // Would point into the entries, and could make a container its own element.
            return Err(Fault::corrupt("a JSON value that lies within its container's entries"));
        }
        value(kind, self.at(offset).rest())
    }
}
