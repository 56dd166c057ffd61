//! Dates and times of the log, the old forms (before MySQL 5.6; MariaDB with
//! `mysql56_temporal_format=OFF`) and the new ones (MySQL, sql-common/my_time.c).

use opendrs_columns::temporal::{self, Parts, TIMESTAMP_ZERO};

use crate::cursor::Cursor;
use crate::error::{ErrorKind, Fault, Result};

const SECOND_US: i64 = 1_000_000;
/// Microseconds of a unit in the last place of a fraction with so many digits.
const UNIT_US: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

#[cold]
fn bad(what: &str, value: impl std::fmt::Display) -> Fault {
    Fault::new(ErrorKind::Value, format!("{value} is not a {what}"))
}

/// DATE, 3 bytes: day 5 bits, month 4, year 15.
#[inline]
pub(crate) fn date(cursor: &mut Cursor<'_>) -> Result<i32> {
    let packed = cursor.u24()?;
    let (year, month, day) = (packed >> 9, packed >> 5 & 15, packed & 31);
    if year > 9999 || month > 12 {
        return Err(bad("date", format!("{year}-{month}-{day}")));
    }
    Ok(temporal::date(year as u16, month as u8, day as u8))
}

/// The fraction of a new temporal: 0 to 3 bytes, big-endian, always an even number of digits.
#[inline]
fn fraction(cursor: &mut Cursor<'_>, digits: u8) -> Result<u32> {
    let micros = match digits {
        0 => 0,
        1 | 2 => u32::from(cursor.u8()?) * 10_000,
        3 | 4 => u32::from(u16::from_be_bytes(cursor.array()?)) * 100,
        _ => cursor.uint_be(3)? as u32,
    };
    if micros > 999_999 { Err(bad("fraction of a second", micros)) } else { Ok(micros) }
}

/// DATETIME2: 1 bit sign (always 1), year * 13 + month 17 bits, day 5, hour 5, minute 6, second 6.
#[inline]
pub(crate) fn datetime2(cursor: &mut Cursor<'_>, digits: u8) -> Result<i64> {
    let raw = cursor.uint_be(5)?;
    let micro = fraction(cursor, digits)?;
    let Some(packed) = raw.checked_sub(1 << 39) else { return Err(bad("date and time", raw)) };
    from_packed(packed, micro)
}

fn from_packed(packed: u64, micro: u32) -> Result<i64> {
    let (ymd, hms) = (packed >> 17, packed & 0x1_ffff);
    let (ym, day) = (ymd >> 5, ymd & 31);
    datetime(ym / 13, ym % 13, day, hms >> 12, hms >> 6 & 63, hms & 63, micro)
}

#[inline]
fn datetime(year: u64, month: u64, day: u64, hour: u64, minute: u64, second: u64, micro: u32) -> Result<i64> {
    if year > 9999 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59 || micro > 999_999 {
        return Err(bad("date and time", format!("{year}-{month}-{day} {hour}:{minute}:{second}.{micro:06}")));
    }
    Ok(temporal::datetime(Parts {
        year: year as u16,
        month: month as u8,
        day: day as u8,
        hour: hour as u8,
        minute: minute as u8,
        second: second as u8,
        micro,
    }))
}

/// TIMESTAMP2: seconds since 1970 in 4 big-endian bytes (MariaDB 11.5 and newer: up to 2106).
#[inline]
pub(crate) fn timestamp2(cursor: &mut Cursor<'_>, digits: u8) -> Result<i64> {
    let seconds = u32::from_be_bytes(cursor.array()?);
    let micro = fraction(cursor, digits)?;
    Ok(instant(seconds, micro))
}

fn instant(seconds: u32, micro: u32) -> i64 {
    if seconds == 0 && micro == 0 { TIMESTAMP_ZERO } else { i64::from(seconds) * SECOND_US + i64::from(micro) }
}

/// TIME2: 1 bit sign, 1 unused, hour 10 bits, minute 6, second 6, offset by 2^23; the fraction of a
/// negative time counts down from the next second.
#[inline]
pub(crate) fn time2(cursor: &mut Cursor<'_>, digits: u8) -> Result<i64> {
    let width = usize::from(digits.div_ceil(2).min(3));
    let raw = cursor.uint_be(3 + width)? as i64;
    let packed = raw - (1 << (23 + 8 * width));
    let (magnitude, sign) = (packed.unsigned_abs(), packed.signum());
    let (hms, part) = (magnitude >> (8 * width), magnitude & ((1 << (8 * width)) - 1));
    let micro = part as i64 * [0, 10_000, 100, 1][width];
    let (hour, minute, second) = (hms >> 12 & 1023, hms >> 6 & 63, hms & 63);
    if hour > 838 || minute > 59 || second > 59 || micro > 999_999 {
        return Err(bad("time", format!("{hour}:{minute}:{second}.{micro:06}")));
    }
    let seconds = (hour * 60 + minute) * 60 + second;
    Ok(sign * (seconds as i64 * SECOND_US + micro))
}

/// Bytes of an old TIME of MariaDB by the digits of its fraction (sql/field.cc, `Field_time_hires`).
const TIME_BYTES: [usize; 7] = [3, 4, 4, 5, 5, 5, 6];
/// The same for DATETIME (`Field_datetime_hires`).
const DATETIME_BYTES: [usize; 7] = [5, 6, 6, 7, 7, 7, 8];
/// The same for the fraction of a TIMESTAMP (`Field_timestamp_hires`).
const TIMESTAMP_FRACTION_BYTES: [usize; 7] = [0, 1, 1, 2, 2, 3, 3];

/// Bytes of an old TIME.
pub(crate) fn time_old_bytes(digits: u8) -> usize {
    TIME_BYTES[usize::from(digits.min(6))]
}

/// Bytes of an old DATETIME; without a fraction it is a number of 8 bytes.
pub(crate) fn datetime_old_bytes(digits: u8) -> usize {
    if digits == 0 { 8 } else { DATETIME_BYTES[usize::from(digits.min(6))] }
}

/// Bytes of an old TIMESTAMP.
pub(crate) fn timestamp_old_bytes(digits: u8) -> usize {
    4 + TIMESTAMP_FRACTION_BYTES[usize::from(digits.min(6))]
}

/// TIME before MySQL 5.6: hours * 10000 + minutes * 100 + seconds, signed. With a fraction it is
/// MariaDB's: microseconds, cut to the digits, offset by the largest time.
pub(crate) fn time_old(cursor: &mut Cursor<'_>, digits: u8) -> Result<i64> {
    if digits == 0 {
        let value = i64::from((cursor.u24()? as i32) << 8 >> 8);
        let magnitude = value.unsigned_abs();
        let (hour, minute, second) = (magnitude / 10_000, magnitude / 100 % 100, magnitude % 100);
        if hour > 838 || minute > 59 || second > 59 {
            return Err(bad("time", value));
        }
        let seconds = (hour * 60 + minute) * 60 + second;
        return Ok(value.signum() * seconds as i64 * SECOND_US);
    }
    const END_S: i64 = 839 * 3600;
    let digits = usize::from(digits.min(6));
    let raw = cursor.uint_be(TIME_BYTES[digits])? as i64;
    let unit = UNIT_US[digits];
    let micros = (raw - END_S * (SECOND_US / unit)) * unit;
    if micros.unsigned_abs() >= (END_S * SECOND_US) as u64 { Err(bad("time", raw)) } else { Ok(micros) }
}

/// DATETIME before MySQL 5.6: the decimal number YYYYMMDDhhmmss. With a fraction it is MariaDB's:
/// the parts in mixed radix (13 months, 32 days), cut to the digits.
pub(crate) fn datetime_old(cursor: &mut Cursor<'_>, digits: u8) -> Result<i64> {
    if digits == 0 {
        let value = cursor.u64()?;
        let (date, time) = (value / 1_000_000, value % 1_000_000);
        return datetime(date / 10_000, date / 100 % 100, date % 100, time / 10_000, time / 100 % 100, time % 100, 0);
    }
    let digits = usize::from(digits.min(6));
    let raw = cursor.uint_be(DATETIME_BYTES[digits])?;
    let per_second = (SECOND_US / UNIT_US[digits]) as u64;
    let micro = (raw % per_second) as i64 * UNIT_US[digits];
    let s = raw / per_second;
    let (minutes, hours) = (s / 60, s / 3600);
    let (days, months) = (hours / 24, hours / (24 * 32));
    datetime(months / 13, months % 13, days % 32, hours % 24, minutes % 60, s % 60, micro as u32)
}

/// TIMESTAMP before MySQL 5.6: little-endian seconds. With a fraction it is MariaDB's: big-endian.
pub(crate) fn timestamp_old(cursor: &mut Cursor<'_>, digits: u8) -> Result<i64> {
    if digits == 0 {
        return Ok(instant(cursor.u32()?, 0));
    }
    let digits = usize::from(digits.min(6));
    let seconds = u32::from_be_bytes(cursor.array()?);
    let micro = cursor.uint_be(TIMESTAMP_FRACTION_BYTES[digits])? as i64 * UNIT_US[digits];
    if micro > 999_999 { Err(bad("fraction of a second", micro)) } else { Ok(instant(seconds, micro as u32)) }
}

/// A date, time or both within JSON, as the server prints it: the packed form of the types above in
/// 8 little-endian bytes, with the fraction in the lowest 24 bits.
pub(crate) fn json_text(kind: JsonTemporal, bytes: &[u8]) -> Result<String> {
    let packed = Cursor::new(bytes).u64()? as i64;
    let (magnitude, sign) = (packed.unsigned_abs(), if packed < 0 { "-" } else { "" });
    let (whole, micro) = (magnitude >> 24, magnitude & 0xff_ffff);
    let (ymd, hms) = (whole >> 17, whole & 0x1_ffff);
    let (year, month, day) = (ymd >> 5, ymd >> 5, ymd & 31);
    let (year, month) = (year / 13, month % 13);
    let (minute, second) = (hms >> 6 & 63, hms & 63);
    Ok(match kind {
        JsonTemporal::Date => format!("{year:04}-{month:02}-{day:02}"),
        JsonTemporal::Time => {
            let hour = whole >> 12 & 1023;
            format!("{sign}{hour:02}:{minute:02}:{second:02}.{micro:06}")
        }
        JsonTemporal::Datetime => {
            let hour = hms >> 12;
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micro:06}")
        }
    })
}

/// Which parts a temporal within JSON has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum JsonTemporal {
    Date,
    Time,
    Datetime,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(f: fn(&mut Cursor<'_>, u8) -> Result<i64>, bytes: &[u8], digits: u8) -> i64 {
        let mut cursor = Cursor::new(bytes);
        let value = f(&mut cursor, digits).unwrap();
        assert!(cursor.is_empty());
        value
    }

    #[test]
    fn negative_times_count_their_fraction_down() {
        // my_time.c, comment above my_time_packed_from_binary: -00:00:01.10 in TIME(2) is 7FFFFE.F6.
        assert_eq!(micros(time2, &[0x7f, 0xff, 0xfe, 0xf6], 2), -1_100_000);
        assert_eq!(micros(time2, &[0x7f, 0xff, 0xff, 0x9d], 2), -990_000);
        assert_eq!(micros(time2, &[0x80, 0x00, 0x01], 0), 1_000_000);
        assert_eq!(micros(time2, &[0x80, 0, 0, 0, 0, 0], 6), 0);
        assert!(time2(&mut Cursor::new(&[0xff, 0xff, 0xff]), 0).is_err());
    }

    #[test]
    fn old_forms() {
        assert_eq!(micros(time_old, &8_385_959u32.to_le_bytes()[..3], 0), (839 * 3600 - 1) * SECOND_US);
        assert_eq!(micros(time_old, &(-12_34_56i32).to_le_bytes()[..3], 0), -45_296 * SECOND_US);
        assert_eq!(micros(timestamp_old, &[0; 4], 0), TIMESTAMP_ZERO);
        let value = micros(datetime_old, &20_240_229_235_958u64.to_le_bytes(), 0);
        assert_eq!(value, 1_709_251_198 * SECOND_US);
        assert!(datetime_old(&mut Cursor::new(&u64::MAX.to_le_bytes()), 0).is_err());
        for digits in 0..=6 {
            for f in [time_old, datetime_old, timestamp_old, time2, datetime2, timestamp2] {
                let _ = f(&mut Cursor::new(&[0xff; 8]), digits);
            }
        }
    }
}
