//! PostgreSQL's `numeric` in binary: a sign and digits of base 10,000, aligned to the decimal point.
//!
//! Source: PostgreSQL, `numeric_recv` in `src/backend/utils/adt/numeric.c`: int16 number of digits,
//! int16 weight of the first, uint16 sign, uint16 decimal digits to show, then the digits.

use arrow_buffer::i256;

const BASE: u64 = 10_000;
const NEGATIVE: u16 = 0x4000;
/// Digits of base 10,000 that 256 bits (77 decimal digits) need, however they lie to the point.
const DIGITS_MAX: usize = 21;

/// Appends a numeric field, its length first.
#[inline]
pub(crate) fn write_i128(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    let magnitude = unscaled.unsigned_abs();
    // Behind the point the digits come in fours: fill up the last group.
    let fill = POWERS[usize::from((4 - scale % 4) % 4)];
    if let Ok(small) = u64::try_from(magnitude)
        && let Some(aligned) = small.checked_mul(fill)
    {
        return write_u64(out, aligned, unscaled < 0, scale);
    }
    let mut digits = Digits::default();
    // In two parts, so that the filling cannot overflow: the lowest group, then the rest.
    let unit = u128::from(BASE / fill);
    digits.push((magnitude % unit) as u64 * fill);
    let mut rest = magnitude / unit;
    while rest > u128::from(u64::MAX) {
        const FOUR: u128 = 10_000_000_000_000_000;
        let mut low = (rest % FOUR) as u64;
        rest /= FOUR;
        for _ in 0..4 {
            digits.push(low % BASE);
            low /= BASE;
        }
    }
    let mut rest = rest as u64;
    while rest > 0 {
        digits.push(rest % BASE);
        rest /= BASE;
    }
    digits.write(out, unscaled < 0, scale);
}

/// As [`write_i128`], for up to 76 digits.
pub(crate) fn write_i256(out: &mut Vec<u8>, unscaled: i256, scale: u8) {
    if let Some(small) = unscaled.to_i128() {
        return write_i128(out, small, scale);
    }
    let negative = unscaled < i256::ZERO;
    let fill = POWERS[usize::from((4 - scale % 4) % 4)];
    // Long division in base 10,000 on the 32-bit limbs of the magnitude; values this long are rare.
    let bytes = unscaled.wrapping_abs().to_le_bytes();
    let mut limbs = [0u64; 8];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(4)) {
        *limb = chunk.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    let mut digits = Digits::default();
    digits.push(divide(&mut limbs, BASE / fill) * fill);
    while limbs.iter().any(|limb| *limb > 0) {
        digits.push(divide(&mut limbs, BASE));
    }
    digits.write(out, negative, scale);
}

const POWERS: [u64; 4] = [1, 10, 100, 1000];

/// Divides the little-endian number in place; returns the remainder.
fn divide(limbs: &mut [u64; 8], by: u64) -> u64 {
    limbs.iter_mut().rev().fold(0, |remainder, limb| {
        let value = remainder << 32 | *limb;
        *limb = value / by;
        value % by
    })
}

/// The common case: everything fits 64 bits. `aligned` counts units of the last group of four.
#[inline]
fn write_u64(out: &mut Vec<u8>, mut aligned: u64, negative: bool, scale: u8) {
    if aligned == 0 {
        out.extend_from_slice(&header(0, 0, false, scale));
        return;
    }
    let behind = i16::from(scale.div_ceil(4));
    let mut lowest = 0;
    while aligned.is_multiple_of(BASE) {
        aligned /= BASE;
        lowest += 1;
    }
    // The groups as big-endian words from the top of a register: the first one ends up highest.
    let (mut groups, mut count) = (0u64, 0);
    let mut last = None;
    while aligned > 0 {
        if count == 4 {
            last = Some(groups as u16);
        }
        groups = groups >> 16 | (aligned % BASE) << 48;
        aligned /= BASE;
        count += 1;
    }
    // A fixed number of bytes, then cut off what is too much: much faster than a copy of any length.
    let mut field = [0u8; 20];
    field[..12].copy_from_slice(&header(count, lowest + count - 1 - behind, negative, scale));
    field[12..].copy_from_slice(&groups.to_be_bytes());
    out.extend_from_slice(&field);
    match last {
        Some(group) => out.extend_from_slice(&group.to_be_bytes()),
        None => out.truncate(out.len() - 2 * (4 - count.unsigned_abs() as usize)),
    }
}

#[inline]
fn header(count: i16, weight: i16, negative: bool, scale: u8) -> [u8; 12] {
    let sign = if negative { NEGATIVE } else { 0 };
    // As two words, for bytes one by one are slow to put together.
    let first = (8 + 2 * count as u64) << 32 | (count as u64) << 16 | u64::from(weight as u16);
    let second = u32::from(sign) << 16 | u32::from(scale);
    let mut header = [0u8; 12];
    header[..8].copy_from_slice(&first.to_be_bytes());
    header[8..].copy_from_slice(&second.to_be_bytes());
    header
}

/// Digits of base 10,000, least significant first.
#[derive(Default)]
struct Digits {
    digits: [u16; DIGITS_MAX],
    count: usize,
}

impl Digits {
    fn push(&mut self, digit: u64) {
        if let Some(place) = self.digits.get_mut(self.count) {
            *place = digit as u16;
            self.count += 1;
        }
    }

    fn write(&self, out: &mut Vec<u8>, negative: bool, scale: u8) {
        let digits = &self.digits[..self.count];
        let Some(lowest) = digits.iter().position(|digit| *digit != 0) else {
            out.extend_from_slice(&header(0, 0, false, scale));
            return;
        };
        let highest = digits.iter().rposition(|digit| *digit != 0).unwrap_or(lowest);
        let behind = i16::from(scale.div_ceil(4));
        out.extend_from_slice(&header((highest - lowest + 1) as i16, highest as i16 - behind, negative, scale));
        for digit in digits[lowest..=highest].iter().rev() {
            out.extend_from_slice(&digit.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the field back as decimal text, the way the server would.
    fn read(field: &[u8]) -> String {
        let word = |at: usize| i16::from_be_bytes([field[at], field[at + 1]]);
        let (count, weight, sign, scale) = (word(4), word(6), word(8), word(10));
        assert_eq!(i32::from_be_bytes([field[0], field[1], field[2], field[3]]) as usize, field.len() - 4);
        assert_eq!(field.len(), 12 + 2 * count as usize);
        let digit = |position: i16| {
            let index = weight - position;
            if (0..count).contains(&index) { word(12 + 2 * index as usize) } else { 0 }
        };
        if count > 0 {
            assert!(word(12) != 0 && word(field.len() - 2) != 0, "groups of zero at an end");
        }
        let whole: String = (0..=weight.max(0)).rev().map(|p| format!("{:04}", digit(p))).collect();
        let whole = whole.trim_start_matches('0');
        let part: String = (1..=(scale + 3) / 4).map(|p| format!("{:04}", digit(-p))).collect();
        assert!(part[scale as usize..].chars().all(|c| c == '0'), "digits beyond the scale");
        let point = if scale > 0 { "." } else { "" };
        let sign = if sign == 0 { "" } else { "-" };
        format!("{sign}{}{point}{}", if whole.is_empty() { "0" } else { whole }, &part[..scale as usize])
    }

    fn text(magnitude: &str, negative: bool, scale: usize) -> String {
        let padded = format!("{magnitude:0>width$}", width = scale + 1);
        let (whole, part) = padded.split_at(padded.len() - scale);
        let point = if scale > 0 { "." } else { "" };
        let sign = if negative && magnitude.bytes().any(|b| b != b'0') { "-" } else { "" };
        format!("{sign}{whole}{point}{part}")
    }

    #[test]
    fn known_bytes() {
        let encode = |value, scale| {
            let mut out = Vec::new();
            write_i128(&mut out, value, scale);
            out
        };
        // What `SELECT numeric_send('1234.56')` prints: 0002 0000 0000 0002 04d2 15e0.
        assert_eq!(encode(123_456, 2), b"\0\0\0\x0c\0\x02\0\0\0\0\0\x02\x04\xd2\x15\xe0");
        assert_eq!(encode(0, 2), b"\0\0\0\x08\0\0\0\0\0\0\0\x02");
        assert_eq!(encode(-1, 4), b"\0\0\0\x0a\0\x01\xff\xff\x40\0\0\x04\0\x01");
        assert_eq!(encode(100_000_000, 0), b"\0\0\0\x0a\0\x01\0\x02\0\0\0\0\0\x01");
        assert_eq!(encode(50_000, 4), b"\0\0\0\x0a\0\x01\0\0\0\0\0\x04\0\x05");
    }

    #[test]
    fn every_size_at_every_scale_reads_back() {
        let mut numbers: Vec<String> = vec!["0".into()];
        for length in 1..=76usize {
            numbers.push("9".repeat(length));
            numbers.push(format!("1{}", "0".repeat(length - 1)));
            numbers.push("1234567890".chars().cycle().take(length).collect());
            numbers.push(format!("5{}7", "0".repeat(length.saturating_sub(2))));
        }
        for number in numbers.iter().filter(|n| n.len() <= 76) {
            for scale in (0..=38).chain([45, 60, 76]) {
                let value = i256::from_string(number).expect("fits");
                for signed in [value, value.wrapping_neg()] {
                    let expected = text(number, signed < i256::ZERO, scale.into());
                    let mut out = Vec::new();
                    write_i256(&mut out, signed, scale);
                    assert_eq!(read(&out), expected, "i256 {number} scale {scale}");
                    if let Some(short) = signed.to_i128() {
                        let mut out = Vec::new();
                        write_i128(&mut out, short, scale);
                        assert_eq!(read(&out), expected, "i128 {number} scale {scale}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_ends_of_the_ranges() {
        for value in [i128::MAX, i128::MIN, i128::from(u64::MAX), i128::from(i64::MIN), i128::from(u64::MAX) + 1] {
            for scale in 0..8u8 {
                let mut out = Vec::new();
                write_i128(&mut out, value, scale);
                assert_eq!(read(&out), text(&value.unsigned_abs().to_string(), value < 0, scale.into()));
            }
        }
    }
}
