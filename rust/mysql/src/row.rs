//! Rows of the binary protocol, straight into Arrow builders ("Binary Protocol Resultset Row").
//!
//! The binary protocol and not the text one: FLOAT keeps its bits (as text it has six digits).

use std::net::{Ipv4Addr, Ipv6Addr};

use opendrs_binlog::{Flavour, TextDecoder};
use opendrs_columns::temporal::{Parts, date, datetime};
use opendrs_columns::{
    BatchBuilder, ColumnBuilder, ColumnSpec, Logical, TableSpec, parse_decimal128, parse_decimal256,
};

use crate::column::{Column, field_type as t};
use crate::cursor::Cursor;
use crate::error::{ErrorKind, MysqlError, Result};

/// How the values of one column are read and appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    /// A number of the other signedness than the column has: expressions.
    U64AsSigned,
    I64AsUnsigned,
    F32,
    F64,
    Decimal(u8),
    LongDecimal(u8),
    Bits,
    Date,
    Time,
    Datetime,
    Utf8,
    /// Text of another character set, by number of its reader in the plan.
    Text(u16),
    Bytes,
    Uuid,
    Inet4,
    Inet6,
}

/// How rows of one result are read; made once a result, not once a row.
#[derive(Debug)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    texts: Texts,
    bitmap_bytes: usize,
    /// Bytes a row takes in Arrow besides those of its texts.
    pub fixed_bytes: usize,
}

impl Plan {
    /// An error unless the result's columns are the table's, in order.
    pub fn new(columns: &[Column], table: &TableSpec, flavour: Flavour) -> Result<Self> {
        if columns.len() != table.columns.len() {
            let text = format!("{} has {} columns, the result {}", table.name, table.columns.len(), columns.len());
            return Err(MysqlError::new(ErrorKind::SchemaMismatch, text));
        }
        let mut steps = Vec::with_capacity(columns.len());
        let mut texts = Texts::default();
        for (column, spec) in columns.iter().zip(&table.columns) {
            let chosen = step(column, spec).filter(|_| column.name.to_lowercase() == spec.name.to_lowercase());
            let step = chosen.ok_or_else(|| mismatch(column, spec, table))?;
            steps.push(if step == Step::Utf8 { text(column, spec, table, flavour, &mut texts)? } else { step });
        }
        let fixed_bytes = steps.iter().map(fixed_bytes).sum();
        // Two bits of the bitmap are reserved, in front.
        Ok(Self { steps, texts, bitmap_bytes: (columns.len() + 2).div_ceil(8), fixed_bytes })
    }

    /// Appends one row (a packet that begins with a zero byte). After an error the builder holds
    /// half a row and is of no more use.
    #[inline]
    pub fn append(&mut self, packet: &[u8], builder: &mut BatchBuilder) -> Result<()> {
        let mut cursor = Cursor::new(packet);
        cursor.skip(1)?;
        let nulls = cursor.bytes(self.bitmap_bytes)?;
        for (index, (step, column)) in self.steps.iter().zip(&mut builder.columns).enumerate() {
            let bit = index + 2;
            if nulls.get(bit >> 3).is_some_and(|byte| byte >> (bit & 7) & 1 != 0) {
                column.push_null();
            } else {
                append_value(*step, &mut cursor, column, &mut self.texts)?;
            }
        }
        if !cursor.is_empty() {
            return Err(MysqlError::protocol("a row is longer than its columns"));
        }
        builder.rows += 1;
        Ok(())
    }
}

/// The character sets of a result.
#[derive(Debug, Default)]
struct Texts {
    decoders: Vec<TextDecoder>,
    scratch: Vec<u8>,
}

impl Texts {
    /// The number of a new one; None if there are more than a table has columns.
    fn add(&mut self, decoder: TextDecoder) -> Option<u16> {
        self.decoders.push(decoder);
        u16::try_from(self.decoders.len() - 1).ok()
    }

    #[inline]
    fn push(&mut self, number: u16, bytes: &[u8], column: &mut ColumnBuilder) -> Result<()> {
        let decoder = self.decoders.get(usize::from(number));
        let decoder = decoder.ok_or_else(|| MysqlError::protocol("text without a character set"))?;
        Ok(decoder.push(bytes, column, &mut self.scratch)?)
    }
}

/// How text is read that comes as the server stores it. MySQL's JSON is UTF-8, and says that it is no text.
fn text(column: &Column, spec: &ColumnSpec, table: &TableSpec, flavour: Flavour, texts: &mut Texts) -> Result<Step> {
    if column.kind == t::JSON {
        return Ok(Step::Utf8);
    }
    let text = TextDecoder::of_collation(flavour, u64::from(column.collation));
    let text = text.ok_or_else(|| mismatch(column, spec, table))?;
    if text.is_utf8() {
        return Ok(Step::Utf8);
    }
    texts.add(text).map(Step::Text).ok_or_else(|| mismatch(column, spec, table))
}

#[cold]
fn mismatch(column: &Column, spec: &ColumnSpec, table: &TableSpec) -> MysqlError {
    let text = format!(
        "{}: column {} ({} {:?}) cannot be read from result column {} (wire type {}, flags {:#x}, collation {})",
        table.name, spec.name, spec.native, spec.logical, column.name, column.kind, column.flags, column.collation
    );
    MysqlError::new(ErrorKind::SchemaMismatch, text)
}

fn step(column: &Column, spec: &ColumnSpec) -> Option<Step> {
    let textual = matches!(
        column.kind,
        t::VARCHAR
            | t::TINY_BLOB
            | t::MEDIUM_BLOB
            | t::LONG_BLOB
            | t::BLOB
            | t::VAR_STRING
            | t::STRING
            | t::ENUM
            | t::SET
    );
    Some(match &spec.logical {
        Logical::Int { unsigned, .. } => integer(column, *unsigned)?,
        Logical::Year if matches!(column.kind, t::YEAR | t::SHORT) => Step::U16,
        Logical::Decimal { precision, scale } if matches!(column.kind, t::DECIMAL | t::NEWDECIMAL) => {
            if *precision <= 38 { Step::Decimal(*scale) } else { Step::LongDecimal(*scale) }
        }
        Logical::Float32 if column.kind == t::FLOAT => Step::F32,
        Logical::Float64 if column.kind == t::DOUBLE => Step::F64,
        Logical::Bits { .. } if column.kind == t::BIT => Step::Bits,
        Logical::Date if matches!(column.kind, t::DATE | t::NEWDATE) => Step::Date,
        Logical::Time { .. } if column.kind == t::TIME => Step::Time,
        Logical::Datetime { .. } if column.kind == t::DATETIME => Step::Datetime,
        Logical::Timestamp { .. } if column.kind == t::TIMESTAMP => Step::Datetime,
        Logical::Text | Logical::Enum | Logical::Set if textual && !column.is_bytes() => Step::Utf8,
        // MySQL calls its JSON binary; it is utf8mb4. MariaDB's is LONGTEXT.
        Logical::Json if column.kind == t::JSON || textual => Step::Utf8,
        Logical::Binary { .. } if textual && column.is_bytes() => Step::Bytes,
        Logical::Geometry if column.kind == t::GEOMETRY => Step::Bytes,
        // MariaDB 11.7's VECTOR is a kind of VARBINARY on the wire.
        Logical::Vector if column.kind == t::VECTOR || (textual && column.is_bytes()) => Step::Bytes,
        Logical::Uuid if textual => Step::Uuid,
        Logical::Inet4 if textual => Step::Inet4,
        Logical::Inet6 if textual => Step::Inet6,
        _ => return None,
    })
}

fn integer(column: &Column, unsigned: bool) -> Option<Step> {
    Some(match (column.kind, column.is_unsigned(), unsigned) {
        (t::TINY, false, false) => Step::I8,
        (t::SHORT, false, false) => Step::I16,
        (t::LONG | t::INT24, false, false) => Step::I32,
        (t::LONGLONG, false, false) => Step::I64,
        (t::TINY, true, true) => Step::U8,
        (t::SHORT | t::YEAR, true, true) => Step::U16,
        (t::LONG | t::INT24, true, true) => Step::U32,
        (t::LONGLONG, true, true) => Step::U64,
        (t::LONGLONG, true, false) => Step::U64AsSigned,
        (t::LONGLONG, false, true) => Step::I64AsUnsigned,
        _ => return None,
    })
}

fn fixed_bytes(step: &Step) -> usize {
    match step {
        Step::Decimal(_) | Step::Uuid | Step::Inet6 => 16,
        Step::LongDecimal(_) => 32,
        Step::Utf8 | Step::Text(_) | Step::Bytes => 4,
        _ => 8,
    }
}

#[inline]
fn append_value(step: Step, cursor: &mut Cursor<'_>, column: &mut ColumnBuilder, texts: &mut Texts) -> Result<()> {
    match step {
        Step::I8 => column.push_i64(i64::from(cursor.u8()? as i8))?,
        Step::I16 => column.push_i64(i64::from(cursor.u16()? as i16))?,
        Step::I32 => column.push_i64(i64::from(cursor.u32()? as i32))?,
        Step::I64 => column.push_i64(cursor.u64()? as i64)?,
        Step::U8 => column.push_u64(u64::from(cursor.u8()?))?,
        Step::U16 => column.push_u64(u64::from(cursor.u16()?))?,
        Step::U32 => column.push_u64(u64::from(cursor.u32()?))?,
        Step::U64 => column.push_u64(cursor.u64()?)?,
        Step::U64AsSigned => {
            let value = cursor.u64()?;
            column.push_i64(i64::try_from(value).map_err(|_| outside(value))?)?;
        }
        Step::I64AsUnsigned => {
            let value = cursor.u64()? as i64;
            column.push_u64(u64::try_from(value).map_err(|_| outside(value))?)?;
        }
        Step::F32 => column.push_f32(f32::from_bits(cursor.u32()?))?,
        Step::F64 => column.push_f64(f64::from_bits(cursor.u64()?))?,
        Step::Decimal(scale) => {
            let text = cursor.lenenc_bytes()?;
            match short_decimal(text, scale) {
                Some(value) => column.push_i128(i128::from(value))?,
                None => column.push_i128(parse_decimal128(text, scale).map_err(|e| invalid(&e.to_string()))?)?,
            }
        }
        Step::LongDecimal(scale) => match parse_decimal256(cursor.lenenc_bytes()?, scale) {
            Ok(value) => column.push_i256(value)?,
            Err(error) => return Err(invalid(&error.to_string())),
        },
        Step::Bits => column.push_u64(bits(cursor.lenenc_bytes()?)?)?,
        Step::Date => column.push_date(wire_date(cursor)?)?,
        Step::Datetime => column.push_micros(datetime(wire_datetime(cursor)?))?,
        Step::Time => column.push_micros(wire_time(cursor)?)?,
        Step::Utf8 => column.push_utf8(cursor.lenenc_bytes()?)?,
        Step::Text(number) => texts.push(number, cursor.lenenc_bytes()?, column)?,
        Step::Bytes => column.push_bytes(cursor.lenenc_bytes()?)?,
        Step::Uuid => column.push_bytes(&uuid(cursor.lenenc_bytes()?)?)?,
        Step::Inet4 => column.push_bytes(&address::<Ipv4Addr>(cursor.lenenc_bytes()?)?.octets())?,
        Step::Inet6 => column.push_bytes(&address::<Ipv6Addr>(cursor.lenenc_bytes()?)?.octets())?,
    }
    Ok(())
}

#[cold]
fn invalid(what: &str) -> MysqlError {
    MysqlError::new(ErrorKind::Value, format!("a value of the server: {what}"))
}

#[cold]
fn outside(value: impl std::fmt::Display) -> MysqlError {
    invalid(&format!("{value} is outside the range of the column"))
}

/// A decimal of up to 18 digits that has exactly `scale` of them behind the point, as the server
/// prints it; anything else is None and goes the long way.
#[inline]
fn short_decimal(text: &[u8], scale: u8) -> Option<i64> {
    let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let scale = usize::from(scale);
    let (whole, fraction) = match digits.len().checked_sub(scale + 1) {
        Some(at) if scale > 0 && digits.get(at) == Some(&b'.') => (digits.get(..at)?, digits.get(at + 1..)?),
        _ if scale == 0 => (digits, &digits[..0]),
        _ => return None,
    };
    if whole.is_empty() || whole.len() + fraction.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for byte in whole.iter().chain(fraction) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 18 digits fit.
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
    }
    Some(if negative { -value } else { value })
}

/// Most significant byte first.
fn bits(bytes: &[u8]) -> Result<u64> {
    if bytes.len() > 8 {
        return Err(invalid("more than 64 bits"));
    }
    Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// DATE: what `temporal` makes of year, month and day.
#[inline]
fn wire_date(cursor: &mut Cursor<'_>) -> Result<i32> {
    if let [4, low, high, month @ 0..=12, day @ 0..=31, ..] = *cursor.rest()
        && let year @ 0..=9999 = u16::from_le_bytes([low, high])
    {
        cursor.skip(5)?;
        return Ok(date(year, month, day));
    }
    let parts = wire_datetime(cursor)?;
    Ok(date(parts.year, parts.month, parts.day))
}

/// DATE, DATETIME and TIMESTAMP: a length, and only as many parts as are not zero.
#[inline]
fn wire_datetime(cursor: &mut Cursor<'_>) -> Result<Parts> {
    let mut parts = Parts::default();
    let length = cursor.u8()?;
    if !matches!(length, 0 | 4 | 7 | 11) {
        return Err(invalid("a date of unknown length"));
    }
    if length >= 4 {
        parts.year = cursor.u16()?;
        [parts.month, parts.day] = cursor.array()?;
    }
    if length >= 7 {
        [parts.hour, parts.minute, parts.second] = cursor.array()?;
    }
    if length >= 11 {
        parts.micro = cursor.u32()?;
    }
    let Parts { year, month, day, hour, minute, second, micro } = parts;
    // What `temporal` packs must fit its fields.
    if year > 9999 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59 || micro > 999_999 {
        return Err(invalid(&format!("{year}-{month}-{day} {hour}:{minute}:{second}.{micro} is no date")));
    }
    Ok(parts)
}

/// TIME in microseconds.
fn wire_time(cursor: &mut Cursor<'_>) -> Result<i64> {
    let length = cursor.u8()?;
    if length == 0 {
        return Ok(0);
    }
    if !matches!(length, 8 | 12) {
        return Err(invalid("a time of unknown length"));
    }
    let negative = cursor.u8()? != 0;
    let days = i64::from(cursor.u32()?);
    let [hours, minutes, seconds] = cursor.array::<3>()?.map(i64::from);
    let micros = if length == 12 { i64::from(cursor.u32()?) } else { 0 };
    // 32-bit days are at most 3.7e20 microseconds: the check comes before the product.
    if days > 34 || hours > 23 || minutes > 59 || seconds > 59 || micros > 999_999 {
        return Err(invalid("a time beyond 838:59:59"));
    }
    let total = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000 + micros;
    Ok(if negative { -total } else { total })
}

/// The text form, with hyphens or without.
fn uuid(text: &[u8]) -> Result<[u8; 16]> {
    let mut digits = text.iter().filter(|byte| **byte != b'-').map(|byte| char::from(*byte).to_digit(16));
    let mut out = [0; 16];
    for byte in &mut out {
        match (digits.next().flatten(), digits.next().flatten()) {
            (Some(high), Some(low)) => *byte = (high << 4 | low) as u8,
            _ => return Err(invalid("not a UUID")),
        }
    }
    if digits.next().is_some() { Err(invalid("not a UUID")) } else { Ok(out) }
}

fn address<T: std::str::FromStr>(text: &[u8]) -> Result<T> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| invalid("not an IP address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_of_decimals_agrees_with_the_long_one() {
        let texts = [
            "0",
            "-1",
            "123456789012345678",
            "1234567890123456789",
            "12.50",
            "-0.01",
            "0.00",
            ".5",
            "1.",
            "",
            "-",
            "1.2.3",
        ];
        for text in texts {
            for scale in [0, 1, 2, 18] {
                if let Some(short) = short_decimal(text.as_bytes(), scale) {
                    assert_eq!(Ok(i128::from(short)), parse_decimal128(text.as_bytes(), scale), "{text} {scale}");
                }
            }
        }
        assert_eq!(short_decimal(b"-12.50", 2), Some(-1250));
        assert_eq!(short_decimal(b"999999999999999999", 0), Some(999_999_999_999_999_999));
        assert_eq!(short_decimal(b"12.5", 2), None);
    }

    #[test]
    fn dates_and_times_are_checked() {
        let read = |bytes: &[u8]| wire_date(&mut Cursor::new(bytes));
        assert_eq!(read(&[4, 0xE8, 7, 2, 29]).unwrap(), date(2024, 2, 29));
        assert_eq!(read(&[4, 0xE8, 7, 2, 31]).unwrap(), date(2024, 2, 31));
        assert_eq!(read(&[0]).unwrap(), date(0, 0, 0));
        assert_eq!(read(&[7, 0xE8, 7, 2, 29, 1, 2, 3]).unwrap(), date(2024, 2, 29));
        for bad in
            [&[4, 0xE8, 7, 13, 1][..], &[4, 0xE8, 7, 1, 32], &[4, 0x10, 0x27, 1, 1], &[5, 0, 0, 0, 0, 0], &[4, 0]]
        {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        let time = |bytes: &[u8]| wire_time(&mut Cursor::new(bytes));
        assert_eq!(time(&[8, 1, 34, 0, 0, 0, 22, 59, 59]).unwrap(), -3_020_399_000_000);
        assert_eq!(time(&[0]).unwrap(), 0);
        for bad in [
            &[8, 0, 35, 0, 0, 0, 0, 0, 0][..],
            &[8, 0, 0, 0, 0, 0, 24, 0, 0],
            &[9, 0],
            &[8, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0],
        ] {
            assert!(time(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn texts_of_mariadb_types_are_parsed() {
        assert_eq!(uuid(b"123e4567-e89b-12d3-a456-426655440000").unwrap()[..2], [0x12, 0x3e]);
        for bad in [&b"123"[..], b"123e4567-e89b-12d3-a456-42665544000g", b"123e4567-e89b-12d3-a456-4266554400001"] {
            assert!(uuid(bad).is_err());
        }
        assert!(address::<Ipv4Addr>(b"1.2.3").is_err());
        assert_eq!(bits(&[1, 0]).unwrap(), 256);
        assert!(bits(&[0; 9]).is_err());
    }
}
