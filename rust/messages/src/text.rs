//! Values as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opendrs_columns::print;
use opendrs_columns::temporal::DATETIME_IMPOSSIBLE_END;
use opendrs_columns::values::{Column, Values};

use crate::error::{Refused, ValueProblem};
use crate::{escape, java};

/// How an instant is written. Always that of UTC; the zero timestamp is "0000-00-00 00:00:00" in each form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moments {
    /// Seconds since 1970: "1624614713.201".
    Seconds,
    /// "2021-06-25 09:51:53.201".
    Clock,
    /// "2021-06-25 09:51:53.201Z".
    ClockZ,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// Java's signed bytes: "[106, -1]".
    Signed,
    /// With the standard alphabet and padding.
    Base64,
    /// Lower case.
    Hex,
}

/// What the forms of text differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub moments: Moments,
    pub bytes: Bytes,
}

/// Keys of messages.
pub(crate) const KEY: Style = Style { moments: Moments::Clock, bytes: Bytes::Hex };

/// Appends a row as a JSON object of strings and nulls. `prefixes` stand before the values of the first columns
/// ([`crate::names::prefixes`]).
#[inline]
pub(crate) fn row<const HTML: bool>(
    prefixes: &[Box<[u8]>],
    columns: &[Column<'_>],
    row: usize,
    style: Style,
    out: &mut Vec<u8>,
) -> Result<(), Refused> {
    for (number, (prefix, column)) in prefixes.iter().zip(columns).enumerate() {
        out.extend_from_slice(prefix);
        quoted::<HTML>(column, row, style, out).map_err(|problem| (number, problem))?;
    }
    out.extend_from_slice(if prefixes.is_empty() { b"{}" } else { b"}" });
    Ok(())
}

/// Appends a value as a JSON string, or null.
#[inline]
pub(crate) fn quoted<const HTML: bool>(
    column: &Column<'_>,
    row: usize,
    style: Style,
    out: &mut Vec<u8>,
) -> Result<(), ValueProblem> {
    if column.is_null(row) {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match &column.values {
        Values::Text(texts) => escape::string::<HTML>(texts.get(row), out),
        values => {
            // No other value has a character that is to be escaped.
            out.push(b'"');
            write(values, row, style, out)?;
            out.push(b'"');
        }
    }
    Ok(())
}

/// Appends a value as it is, without quotes and escapes.
#[inline]
pub(crate) fn write(values: &Values<'_>, row: usize, style: Style, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    match values {
        Values::I8(v) => print::whole(v[row], out),
        Values::I16(v) => print::whole(v[row], out),
        Values::I32(v) => print::whole(v[row], out),
        Values::I64(v) => print::whole(v[row], out),
        Values::U8(v) => print::whole(v[row], out),
        Values::U16(v) => print::whole(v[row], out),
        Values::U32(v) => print::whole(v[row], out),
        Values::U64(v) | Values::Bits(v, _) => print::whole(v[row], out),
        Values::Decimal128(v, scale) => print::decimal128(v[row], *scale, out),
        Values::Date(v) => print::date(v[row], out),
        Values::Datetime(v, fraction) => print::datetime(v[row], *fraction, out),
        Values::Timestamp(v, fraction) => moment(v[row], *fraction, style.moments, out),
        Values::Text(texts) => out.extend_from_slice(texts.get(row)),
        values => return rare(values, row, style, out),
    }
    Ok(())
}

fn rare(values: &Values<'_>, row: usize, style: Style, out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    match values {
        // As the server prints it: the year 0 is "0000".
        Values::Year(v) => print::year(v[row], out),
        Values::Decimal256(v, scale) => print::decimal256(v[row], *scale, out),
        Values::Float32(v) => java::single(v[row], out),
        Values::Float64(v) => java::double(v[row], out),
        Values::Time(v, fraction) => print::time(v[row], *fraction, out),
        Values::Bytes(bytes) => write_bytes(bytes.get(row), style.bytes, out),
        Values::Vector(bytes) => vector(bytes.get(row), out)?,
        Values::Uuid(v) => print::uuid(v.value(row), out),
        Values::Inet4(v) => print::inet4(v.value(row).try_into().map_err(|_| ValueProblem::Malformed)?, out),
        Values::Inet6(v) => print::inet6(v.value(row).try_into().map_err(|_| ValueProblem::Malformed)?, out),
        _ => return Err(ValueProblem::Malformed),
    }
    Ok(())
}

/// An instant in microseconds.
#[inline]
pub(crate) fn moment(micros: i64, fraction: u8, form: Moments, out: &mut Vec<u8>) {
    // The zero timestamp is no instant.
    let zero = micros < DATETIME_IMPOSSIBLE_END;
    match form {
        Moments::Seconds if !zero => {
            if micros < 0 {
                out.push(b'-');
            }
            print::whole(micros.unsigned_abs() / 1_000_000, out);
            print::second_fraction((micros.unsigned_abs() % 1_000_000) as u32, fraction, out);
        }
        Moments::ClockZ if !zero => {
            print::datetime(micros, fraction, out);
            out.push(b'Z');
        }
        _ => print::datetime(micros, fraction, out),
    }
}

fn write_bytes(bytes: &[u8], form: Bytes, out: &mut Vec<u8>) {
    match form {
        Bytes::Signed => signed(bytes, out),
        Bytes::Base64 => base64(bytes, out),
        Bytes::Hex => print::hex(bytes, out),
    }
}

/// Java's text of each byte and what stands behind it, "-128, "; the last byte is how long that is.
const SIGNED: [[u8; 7]; 256] = {
    let mut texts = [[0; 7]; 256];
    let mut byte = 0;
    while byte < 256 {
        let number = byte as u8 as i8;
        let magnitude = number.unsigned_abs();
        let (text, mut length) = (&mut texts[byte], 0);
        if number < 0 {
            text[0] = b'-';
            length += 1;
        }
        let mut power = if magnitude >= 100 {
            100
        } else if magnitude >= 10 {
            10
        } else {
            1
        };
        while power > 0 {
            text[length] = b'0' + magnitude / power % 10;
            length += 1;
            power /= 10;
        }
        text[length] = b',';
        text[length + 1] = b' ';
        text[6] = length as u8 + 2;
        byte += 1;
    }
    texts
};

fn signed(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(2 + 6 * bytes.len());
    out.push(b'[');
    for byte in bytes {
        // A fixed number of bytes, then cut off what is too much: much faster than a copy of any length.
        let [text @ .., length] = &SIGNED[usize::from(*byte)];
        out.extend_from_slice(text);
        out.truncate(out.len() - text.len() + usize::from(*length));
    }
    if !bytes.is_empty() {
        out.truncate(out.len() - 2);
    }
    out.push(b']');
}

pub(crate) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The room is exact, so the slice is never too short.
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

/// Numbers as Java prints them: "[1.5,2.0]".
pub(crate) fn vector(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueProblem> {
    let (numbers, []) = bytes.as_chunks::<4>() else { return Err(ValueProblem::Malformed) };
    print::list(numbers.iter().map(|number| f32::from_le_bytes(*number)), *b"[]", java::single, out);
    Ok(())
}
