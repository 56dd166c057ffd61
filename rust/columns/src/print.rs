//! Values as text, in the forms that the source prints and that most readers share. Each function
//! appends to `out`; none can fail.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use arrow_buffer::i256;

use crate::temporal::{DAY_US, Parts, as_impossible_date, as_impossible_datetime, civil_from_days};

/// The digits 00 to 99, one pair behind the other.
const PAIRS: [u8; 200] = pairs();

const fn pairs() -> [u8; 200] {
    let mut pairs = [0; 200];
    let mut number = 0;
    while number < 100 {
        pairs[2 * number] = b'0' + number as u8 / 10;
        pairs[2 * number + 1] = b'0' + number as u8 % 10;
        number += 1;
    }
    pairs
}

/// A whole number: "-5".
#[inline]
pub fn whole(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A decimal from its unscaled digits, with all digits behind the point: (-5, 2) is "-0.05".
#[inline]
pub fn decimal128(unscaled: i128, scale: u8, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    // Most decimals fit 64 bits, whose digits are much cheaper.
    let digits = match u64::try_from(unscaled.unsigned_abs()) {
        Ok(short) => buffer.format(short),
        Err(_) => buffer.format(unscaled.unsigned_abs()),
    };
    decimal(digits.as_bytes(), unscaled < 0, scale, out);
}

/// As [`decimal128`], for up to 76 digits.
pub fn decimal256(unscaled: i256, scale: u8, out: &mut Vec<u8>) {
    let digits = unscaled.to_string();
    decimal(digits.trim_start_matches('-').as_bytes(), unscaled < i256::ZERO, scale, out);
}

fn decimal(digits: &[u8], negative: bool, scale: u8, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    let scale = usize::from(scale);
    let (whole, behind) = digits.split_at(digits.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if scale > 0 {
        out.push(b'.');
        out.resize(out.len() + scale - behind.len(), b'0');
        out.extend_from_slice(behind);
    }
}

/// A day, possible or not, as MySQL prints it: "2024-02-29", "0000-00-00".
#[inline]
pub fn date(days: i32, out: &mut Vec<u8>) {
    let (year, month, day) = match as_impossible_date(days) {
        Some((year, month, day)) => (i32::from(year), month, day),
        None => civil_from_days(days),
    };
    civil(year, month, day, out);
}

/// A wall clock, possible or not, as MySQL prints it: "2024-02-29 23:59:59.123". The fraction as [`time`] has it.
#[inline]
pub fn datetime(micros: i64, fraction: u8, out: &mut Vec<u8>) {
    if let Some(parts) = as_impossible_datetime(micros) {
        return impossible_datetime(parts, fraction, out);
    }
    // A 64-bit number of microseconds has less than 2^28 days.
    date(micros.div_euclid(DAY_US) as i32, out);
    out.push(b' ');
    time(micros.rem_euclid(DAY_US), fraction, out);
}

fn impossible_datetime(parts: Parts, fraction: u8, out: &mut Vec<u8>) {
    civil(parts.year.into(), parts.month, parts.day, out);
    out.push(b' ');
    clock(parts.hour.into(), parts.minute.into(), parts.second.into(), out);
    second_fraction(parts.micro, fraction, out);
}

/// A duration or a time of day, in microseconds: "-838:59:59". With as many digits behind the second as
/// the column declares; all six, should the value have more than that.
#[inline]
pub fn time(micros: i64, fraction: u8, out: &mut Vec<u8>) {
    if micros < 0 {
        out.push(b'-');
    }
    let magnitude = micros.unsigned_abs();
    let seconds = magnitude / 1_000_000;
    clock(seconds / 3600, seconds / 60 % 60, seconds % 60, out);
    second_fraction((magnitude % 1_000_000) as u32, fraction, out);
}

/// What stands behind a second: nothing, or a point and digits as [`time`] has them.
#[inline]
pub fn second_fraction(micros: u32, fraction: u8, out: &mut Vec<u8>) {
    let declared = usize::from(fraction.min(6));
    let mut text = *b".000000";
    text[1..3].copy_from_slice(pair(micros / 10_000 % 100));
    text[3..5].copy_from_slice(pair(micros / 100 % 100));
    text[5..7].copy_from_slice(pair(micros % 100));
    let digits = if text[1 + declared..] == b"000000"[declared..] { declared } else { 6 };
    if digits > 0 {
        out.extend_from_slice(&text[..=digits]);
    }
}

/// A year, month and day: "2024-02-29". Years of 0 to 9999 have four digits.
#[inline]
pub fn civil(year: i32, month: u8, day: u8, out: &mut Vec<u8>) {
    let mut text = *b"0000-00-00";
    text[5..7].copy_from_slice(pair(month.into()));
    text[8..].copy_from_slice(pair(day.into()));
    if (0..=9999).contains(&year) {
        text[..2].copy_from_slice(pair(year as u32 / 100));
        text[2..4].copy_from_slice(pair(year as u32 % 100));
        out.extend_from_slice(&text);
    } else {
        // Writing to memory cannot fail.
        let _ = write!(out, "{year:04}");
        out.extend_from_slice(&text[4..]);
    }
}

/// A year as MySQL prints it, in four digits: "0000", "2024".
pub fn year(year: u16, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(year).as_bytes();
    out.extend_from_slice(&b"0000"[..4usize.saturating_sub(digits.len())]);
    out.extend_from_slice(digits);
}

#[inline]
fn clock(hours: u64, minutes: u64, seconds: u64, out: &mut Vec<u8>) {
    let mut text = *b"00:00:00";
    text[3..5].copy_from_slice(pair(minutes as u32));
    text[6..].copy_from_slice(pair(seconds as u32));
    if hours < 100 {
        text[..2].copy_from_slice(pair(hours as u32));
        out.extend_from_slice(&text);
    } else {
        whole(hours, out);
        out.extend_from_slice(&text[2..]);
    }
}

/// The two digits of a number below 100.
#[inline]
fn pair(number: u32) -> &'static [u8] {
    let at = 2 * (number as usize % 100);
    &PAIRS[at..at + 2]
}

/// Bytes in lower-case hexadecimal, without a prefix.
pub fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(2 * bytes.len());
    for byte in bytes {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// A UUID from its 16 bytes: "12345678-9abc-def0-0102-030405060708".
pub fn uuid(bytes: &[u8], out: &mut Vec<u8>) {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        hex(&[*byte], out);
    }
}

/// An address of IP version 4: "10.0.0.1".
pub fn inet4(address: [u8; 4], out: &mut Vec<u8>) {
    let _ = write!(out, "{}", Ipv4Addr::from(address));
}

/// An address of IP version 6: "fe80::1".
pub fn inet6(address: [u8; 16], out: &mut Vec<u8>) {
    let _ = write!(out, "{}", Ipv6Addr::from(address));
}

/// Numbers between brackets: "[1,2]". `number` appends one.
pub fn list<T>(
    numbers: impl IntoIterator<Item = T>,
    [open, close]: [u8; 2],
    number: impl Fn(T, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    out.push(open);
    for (index, value) in numbers.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        number(value, out);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporal::{self, impossible_date};

    fn shown(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = b"<".to_vec();
        write(&mut out);
        String::from_utf8(out).expect("ASCII")[1..].to_owned()
    }

    #[test]
    fn decimals_have_all_digits_behind_the_point() {
        for (unscaled, scale, text) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (-5, 2, "-0.05"),
            (-123, 2, "-1.23"),
            (1230, 3, "1.230"),
            (i128::MAX, 0, "170141183460469231731687303715884105727"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
            (7, 38, "0.00000000000000000000000000000000000007"),
        ] {
            assert_eq!(shown(|out| decimal128(unscaled, scale, out)), text);
            assert_eq!(shown(|out| decimal256(i256::from_i128(unscaled), scale, out)), text);
        }
        let long = i256::from_string(&"9".repeat(65)).expect("fits");
        assert_eq!(
            shown(|out| decimal256(long.wrapping_neg(), 30, out)),
            format!("-{}.{}", "9".repeat(35), "9".repeat(30))
        );
    }

    #[test]
    fn times_have_the_declared_digits() {
        for (micros, fraction, text) in [
            (0, 0, "00:00:00"),
            (-1_000_000, 0, "-00:00:01"),
            (-3_020_399_999_999, 6, "-838:59:59.999999"),
            (1_500_000, 3, "00:00:01.500"),
            (1_500_000, 0, "00:00:01.500000"), // more than declared: not dropped
            (1_000_001, 5, "00:00:01.000001"),
            (359_999_000_000, 1, "99:59:59.0"),
            (360_000_000_000, 9, "100:00:00.000000"),
        ] {
            assert_eq!(shown(|out| time(micros, fraction, out)), text);
        }
    }

    #[test]
    fn dates_print_as_mysql_prints_them() {
        for (y, m, d, text) in [(0, 0, 0, "0000-00-00"), (2024, 0, 10, "2024-00-10"), (9999, 12, 31, "9999-12-31")] {
            assert_eq!(shown(|out| date(temporal::date(y, m, d), out)), text);
            let parts = Parts { year: y, month: m, day: d, hour: 23, minute: 5, second: 9, micro: 120_000 };
            assert_eq!(shown(|out| datetime(temporal::datetime(parts), 2, out)), format!("{text} 23:05:09.12"));
        }
        assert_eq!(shown(|out| date(impossible_date(2023, 2, 29), out)), "2023-02-29");
        assert_eq!(shown(|out| datetime(-1, 6, out)), "1969-12-31 23:59:59.999999");
        assert_eq!(shown(|out| civil(-44, 3, 15, out)), "-044-03-15");
        assert_eq!(shown(|out| civil(12_345, 1, 1, out)), "12345-01-01");
        assert_eq!(shown(|out| year(0, out)) + &shown(|out| year(1901, out)), "00001901");
        assert_eq!(shown(|out| datetime(i64::MAX, 6, out)), "294247-01-10 04:00:54.775807");
    }

    #[test]
    fn the_rest() {
        let bytes: Vec<u8> = (0xf0..=0xff).collect();
        assert_eq!(shown(|out| uuid(&bytes, out)), "f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff");
        assert_eq!(shown(|out| hex(&[0, 1, 0xab], out)), "0001ab");
        assert_eq!(shown(|out| inet4([10, 0, 0, 1], out)), "10.0.0.1");
        assert_eq!(shown(|out| inet6([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], out)), "fe80::1");
        assert_eq!(shown(|out| list([1u8, 2], *b"[]", whole, out)), "[1,2]");
        assert_eq!(shown(|out| list([0u8; 0], *b"{}", whole, out)), "{}");
        assert_eq!(shown(|out| whole(u64::MAX, out)), "18446744073709551615");
    }
}
