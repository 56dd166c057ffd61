//! How one column of one table is read: chosen once per table map, run once per value.

use opendrs_columns::{ColumnBuilder, ColumnSpec, Logical};

use crate::charset::TextDecoder;
use crate::compressed;
use crate::cursor::Cursor;
use crate::decimal::Layout;
use crate::error::{ErrorKind, Fault, Result};
use crate::json;
use crate::table_map::{WireColumn, column_types as t};
use crate::temporal;

/// Reads the values of one column from row images.
#[derive(Debug)]
pub(crate) enum Column {
    I8,
    I16,
    I24,
    I32,
    I64,
    U8,
    U16,
    U24,
    U32,
    U64,
    F32,
    F64,
    Decimal128(Layout),
    Decimal256(Layout),
    Year,
    Bits {
        bytes: usize,
    },
    Date,
    Time2(u8),
    Datetime2(u8),
    Timestamp2(u8),
    TimeOld(u8),
    DatetimeOld(u8),
    TimestampOld(u8),
    Enum {
        bytes: usize,
        members: Vec<String>,
    },
    Set {
        bytes: usize,
        members: Vec<String>,
    },
    /// Text that needs no conversion, behind a length of so many bytes.
    Utf8 {
        length: usize,
    },
    Text {
        length: usize,
        text: TextDecoder,
    },
    Bytes {
        length: usize,
    },
    Json {
        length: usize,
    },
    /// UUID and the INET types: this many bytes, trailing zero bytes left out in the log.
    Fixed {
        bytes: usize,
    },
    /// MariaDB's COMPRESSED attribute around one of the above with a length of 4 bytes.
    Compressed {
        length: usize,
        inner: Box<Column>,
    },
}

/// Memory that is used again for each value that must be converted.
#[derive(Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    text: String,
}

impl Column {
    /// The reader for a column, or why the registered column cannot be what the log has.
    pub fn compile(spec: &ColumnSpec, wire: WireColumn) -> std::result::Result<Self, String> {
        let mismatch = || {
            let native = if spec.native.is_empty() { format!("{:?}", spec.logical) } else { spec.native.clone() };
            format!(
                "column `{}` is registered as {native}, but the log has type {} ({})",
                spec.name, wire.kind, wire.meta
            )
        };
        let column = match &spec.logical {
            Logical::Int { bits, unsigned } => int(wire.kind, *bits, *unsigned),
            Logical::Decimal { precision, scale } => decimal(wire, *precision, *scale),
            Logical::Float32 => (wire.kind == t::FLOAT).then_some(Self::F32),
            Logical::Float64 => (wire.kind == t::DOUBLE).then_some(Self::F64),
            Logical::Year => (wire.kind == t::YEAR).then_some(Self::Year),
            Logical::Bits { length } => (wire.kind == t::BIT && wire.meta == u16::from(*length))
                .then(|| Self::Bits { bytes: usize::from(*length).div_ceil(8) }),
            Logical::Date => matches!(wire.kind, t::DATE | t::NEWDATE).then_some(Self::Date),
            Logical::Time { fraction } => temporal(wire, *fraction, t::TIME2, t::TIME, Self::Time2, Self::TimeOld),
            Logical::Datetime { fraction } => {
                temporal(wire, *fraction, t::DATETIME2, t::DATETIME, Self::Datetime2, Self::DatetimeOld)
            }
            Logical::Timestamp { fraction } => {
                temporal(wire, *fraction, t::TIMESTAMP2, t::TIMESTAMP, Self::Timestamp2, Self::TimestampOld)
            }
            Logical::Enum => enumeration(spec, wire),
            Logical::Set => set(spec, wire),
            Logical::Text => return text(spec, wire)?.ok_or_else(mismatch),
            // MariaDB's JSON is a LONGTEXT.
            Logical::Json if wire.kind != t::JSON && wire.kind != t::TYPED_ARRAY => {
                return text(spec, wire)?.ok_or_else(mismatch);
            }
            Logical::Json => Some(Self::Json { length: usize::from(wire.meta) }).filter(|_| length_fits(wire.meta)),
            Logical::Binary { fixed } => binary(wire, *fixed),
            Logical::Geometry => (wire.kind == t::GEOMETRY && length_fits(wire.meta))
                .then(|| Self::Bytes { length: usize::from(wire.meta) }),
            Logical::Vector => match wire.kind {
                t::VECTOR if length_fits(wire.meta) => Some(Self::Bytes { length: usize::from(wire.meta) }),
                _ => binary(wire, None),
            },
            Logical::Uuid | Logical::Inet6 => fixed_string(wire, 16),
            Logical::Inet4 => fixed_string(wire, 4),
        };
        column.ok_or_else(mismatch)
    }

    /// Reads one value and appends it.
    #[inline]
    pub fn read(&self, cursor: &mut Cursor<'_>, out: &mut ColumnBuilder, scratch: &mut Scratch) -> Result<()> {
        match self {
            Self::I8 => out.push_i64(i64::from(cursor.u8()? as i8))?,
            Self::I16 => out.push_i64(i64::from(cursor.u16()? as i16))?,
            Self::I24 => out.push_i64(i64::from((cursor.u24()? << 8) as i32 >> 8))?,
            Self::I32 => out.push_i64(i64::from(cursor.u32()? as i32))?,
            Self::I64 => out.push_i64(cursor.u64()? as i64)?,
            Self::U8 => out.push_u64(u64::from(cursor.u8()?))?,
            Self::U16 => out.push_u64(u64::from(cursor.u16()?))?,
            Self::U24 => out.push_u64(u64::from(cursor.u24()?))?,
            Self::U32 => out.push_u64(u64::from(cursor.u32()?))?,
            Self::U64 => out.push_u64(cursor.u64()?)?,
            Self::F32 => out.push_f32(f32::from_le_bytes(cursor.array()?))?,
            Self::F64 => out.push_f64(f64::from_le_bytes(cursor.array()?))?,
            Self::Decimal128(layout) => out.push_i128(layout.to_i128(cursor.take(layout.bytes)?)?)?,
            Self::Decimal256(layout) => out.push_i256(layout.to_i256(cursor.take(layout.bytes)?)?)?,
            Self::Date => out.push_date(temporal::date(cursor)?)?,
            Self::Time2(digits) => out.push_micros(temporal::time2(cursor, *digits)?)?,
            Self::Datetime2(digits) => out.push_micros(temporal::datetime2(cursor, *digits)?)?,
            Self::Timestamp2(digits) => out.push_micros(temporal::timestamp2(cursor, *digits)?)?,
            Self::Utf8 { length } => {
                let length = cursor.uint(*length)? as usize;
                out.push_utf8(cursor.take(length)?)?;
            }
            Self::Text { length, text } => {
                let length = cursor.uint(*length)? as usize;
                text.push(cursor.take(length)?, out, &mut scratch.bytes)?;
            }
            Self::Bytes { length } => {
                let length = cursor.uint(*length)? as usize;
                out.push_bytes(cursor.take(length)?)?;
            }
            _ => return self.read_rare(cursor, out, scratch),
        }
        Ok(())
    }

    /// Gives an ENUM or SET other members, as many as it has.
    pub(crate) fn set_members(&mut self, found: Vec<String>) {
        if let Self::Enum { members, .. } | Self::Set { members, .. } = self {
            *members = found;
        }
    }

    fn read_rare(&self, cursor: &mut Cursor<'_>, out: &mut ColumnBuilder, scratch: &mut Scratch) -> Result<()> {
        match self {
            Self::Year => {
                let year = u64::from(cursor.u8()?);
                out.push_u64(if year == 0 { 0 } else { 1900 + year })?;
            }
            Self::Bits { bytes } => out.push_u64(cursor.uint_be(*bytes)?)?,
            Self::TimeOld(digits) => out.push_micros(temporal::time_old(cursor, *digits)?)?,
            Self::DatetimeOld(digits) => out.push_micros(temporal::datetime_old(cursor, *digits)?)?,
            Self::TimestampOld(digits) => out.push_micros(temporal::timestamp_old(cursor, *digits)?)?,
            Self::Enum { bytes, members } => {
                // Index 0 is the error value, the empty string.
                let index = cursor.uint(*bytes)? as usize;
                let member = if index == 0 { Some("") } else { members.get(index - 1).map(String::as_str) };
                let none = || Fault::new(ErrorKind::Value, format!("member {index} of an ENUM of {}", members.len()));
                out.push_str(member.ok_or_else(none)?)?;
            }
            Self::Set { bytes, members } => {
                let bits = cursor.uint(*bytes)?;
                if members.len() < 64 && bits >> members.len() != 0 {
                    let what = format!("the bits {bits:#x} of a SET of {} members", members.len());
                    return Err(Fault::new(ErrorKind::Value, what));
                }
                scratch.text.clear();
                for (_, member) in members.iter().take(64).enumerate().filter(|(i, _)| bits >> i & 1 == 1) {
                    if !scratch.text.is_empty() {
                        scratch.text.push(',');
                    }
                    scratch.text.push_str(member);
                }
                out.push_str(&scratch.text)?;
            }
            Self::Json { length } => {
                let length = cursor.uint(*length)? as usize;
                scratch.text.clear();
                let document = cursor.take(length)?;
                json::print(json::Document::parse(document)?, document.len(), &mut scratch.text)?;
                out.push_str(&scratch.text)?;
            }
            Self::Fixed { bytes } => {
                let length = usize::from(cursor.u8()?);
                let full = fixed_value(cursor.take(length)?)?;
                if length > *bytes {
                    return Err(Fault::corrupt(format!("{length} bytes where {bytes} are the most")));
                }
                out.push_bytes(full.get(..*bytes).unwrap_or_default())?;
            }
            Self::Compressed { length, inner } => {
                let length = cursor.uint(*length)? as usize;
                let value = compressed::column(cursor.take(length)?)?;
                inner.read(&mut Cursor::new(&value), out, scratch)?;
            }
            _ => return Err(Fault::new(ErrorKind::Misuse, "a column without a reader")),
        }
        Ok(())
    }

    /// Passes over one value; returns its bytes.
    pub fn skip<'a>(&self, cursor: &mut Cursor<'a>) -> Result<&'a [u8]> {
        let fixed = match self {
            Self::I8 | Self::U8 | Self::Year => 1,
            Self::I16 | Self::U16 => 2,
            Self::I24 | Self::U24 | Self::Date => 3,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
            Self::Decimal128(layout) | Self::Decimal256(layout) => layout.bytes,
            Self::Bits { bytes } | Self::Enum { bytes, .. } | Self::Set { bytes, .. } => *bytes,
            Self::Time2(digits) => 3 + usize::from(digits.div_ceil(2)),
            Self::Datetime2(digits) => 5 + usize::from(digits.div_ceil(2)),
            Self::Timestamp2(digits) => 4 + usize::from(digits.div_ceil(2)),
            Self::TimeOld(digits) => temporal::time_old_bytes(*digits),
            Self::DatetimeOld(digits) => temporal::datetime_old_bytes(*digits),
            Self::TimestampOld(digits) => temporal::timestamp_old_bytes(*digits),
            Self::Utf8 { length }
            | Self::Text { length, .. }
            | Self::Bytes { length }
            | Self::Json { length }
            | Self::Compressed { length, .. } => cursor.uint(*length)? as usize,
            Self::Fixed { .. } => usize::from(cursor.u8()?),
        };
        cursor.take(fixed)
    }
}

fn int(kind: u8, bits: u8, unsigned: bool) -> Option<Column> {
    Some(match (kind, bits, unsigned) {
        (t::TINY, 8, false) => Column::I8,
        (t::SHORT, 16, false) => Column::I16,
        (t::INT24, 24, false) => Column::I24,
        (t::LONG, 32, false) => Column::I32,
        (t::LONGLONG, 64, false) => Column::I64,
        (t::TINY, 8, true) => Column::U8,
        (t::SHORT, 16, true) => Column::U16,
        (t::INT24, 24, true) => Column::U24,
        (t::LONG, 32, true) => Column::U32,
        (t::LONGLONG, 64, true) => Column::U64,
        _ => return None,
    })
}

fn decimal(wire: WireColumn, precision: u8, scale: u8) -> Option<Column> {
    let own = u16::from_le_bytes([precision, scale]);
    let layout = Layout::new(precision, scale).ok().filter(|_| wire.kind == t::NEWDECIMAL && wire.meta == own)?;
    Some(if precision <= 38 { Column::Decimal128(layout) } else { Column::Decimal256(layout) })
}

fn temporal(
    wire: WireColumn,
    fraction: u8,
    new: u8,
    old: u8,
    f: fn(u8) -> Column,
    g: fn(u8) -> Column,
) -> Option<Column> {
    if fraction > 6 {
        None
    } else if wire.kind == new {
        (wire.meta == u16::from(fraction)).then(|| f(fraction))
    } else {
        // The old types have no metadata: the digits are known from the registered table alone.
        (wire.kind == old).then(|| g(fraction))
    }
}

fn enumeration(spec: &ColumnSpec, wire: WireColumn) -> Option<Column> {
    let bytes = if spec.members.len() < 256 { 1 } else { 2 };
    (wire.kind == t::ENUM && wire.meta == bytes && !spec.members.is_empty())
        .then(|| Column::Enum { bytes: usize::from(bytes), members: spec.members.clone() })
}

fn set(spec: &ColumnSpec, wire: WireColumn) -> Option<Column> {
    let bytes = match spec.members.len() {
        1..=32 => spec.members.len().div_ceil(8),
        33..=64 => 8,
        _ => return None,
    };
    (wire.kind == t::SET && usize::from(wire.meta) == bytes)
        .then(|| Column::Set { bytes, members: spec.members.clone() })
}

fn length_fits(meta: u16) -> bool {
    (1..=4).contains(&meta)
}

/// Bytes of the length before a value of a type of variable length.
fn length_bytes(wire: WireColumn) -> Option<usize> {
    match wire.kind {
        t::VARCHAR | t::VAR_STRING | t::STRING | t::VARCHAR_COMPRESSED => Some(if wire.meta > 255 { 2 } else { 1 }),
        t::TINY_BLOB | t::MEDIUM_BLOB | t::LONG_BLOB | t::BLOB | t::BLOB_COMPRESSED => {
            Some(usize::from(wire.meta)).filter(|_| length_fits(wire.meta))
        }
        _ => None,
    }
}

fn unpacked(wire: WireColumn, length: usize, column: impl Fn(usize) -> Column) -> Column {
    if matches!(wire.kind, t::VARCHAR_COMPRESSED | t::BLOB_COMPRESSED) {
        Column::Compressed { length, inner: Box::new(column(compressed::LENGTH_BYTES)) }
    } else {
        column(length)
    }
}

fn text(spec: &ColumnSpec, wire: WireColumn) -> std::result::Result<Option<Column>, String> {
    let Some(length) = length_bytes(wire) else { return Ok(None) };
    let name = spec.charset.as_deref().unwrap_or("utf8mb4");
    let text = TextDecoder::named(name)
        .ok_or_else(|| format!("column `{}` has the character set {name}, which is not known", spec.name))?;
    Ok(Some(unpacked(wire, length, |length| {
        if text.is_utf8() { Column::Utf8 { length } } else { Column::Text { length, text: text.clone() } }
    })))
}

fn binary(wire: WireColumn, fixed: Option<u32>) -> Option<Column> {
    let length = length_bytes(wire)?;
    // BINARY(n) is a STRING of n bytes; all other binary types have no fixed length.
    let fits = match fixed {
        Some(bytes) => wire.kind == t::STRING && u32::from(wire.meta) == bytes,
        None => wire.kind != t::STRING,
    };
    fits.then(|| unpacked(wire, length, |length| Column::Bytes { length }))
}

fn fixed_string(wire: WireColumn, bytes: u16) -> Option<Column> {
    (wire.kind == t::STRING && wire.meta == bytes).then_some(Column::Fixed { bytes: usize::from(bytes) })
}

/// A value of fixed length whose trailing zero bytes the log leaves out. MariaDB *stores* a UUID with
/// its groups turned round, but logs it as it reads (seen on 10.11 and 11.8).
fn fixed_value(logged: &[u8]) -> Result<[u8; 16]> {
    let mut full = [0u8; 16];
    let Some(own) = full.get_mut(..logged.len()) else {
        return Err(Fault::corrupt("a UUID or INET of more than 16 bytes"));
    };
    own.copy_from_slice(logged);
    Ok(full)
}
