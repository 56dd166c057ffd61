//! Floating-point numbers as Java prints them.
//!
//! Source: the documentation of `Double.toString` and `Float.toString` of Java 19 and newer: the shortest
//! digits that read back as the same number, though at least two of them; plain from 10^-3 to below 10^7,
//! else as "d.ddE-n". (Older versions print now and then more digits than they need.)

/// Decimal digits that the shortest text of a double has at most.
const DIGITS_MAX: usize = 17;

/// A double: "10357.0", "1.2510357E7".
pub(crate) fn double(value: f64, out: &mut Vec<u8>) {
    if value.is_subnormal() {
        return subnormal(
            value.is_sign_negative(),
            &format!("{:e}", value.abs()),
            &format!("{:.1e}", value.abs()),
            out,
        );
    }
    match name(value) {
        Some(name) => out.extend_from_slice(name),
        None => write(value.is_sign_negative(), zmij::Buffer::new().format_finite(value.abs()), out),
    }
}

/// A single: "0.1".
pub(crate) fn single(value: f32, out: &mut Vec<u8>) {
    if value.is_subnormal() {
        return subnormal(
            value.is_sign_negative(),
            &format!("{:e}", value.abs()),
            &format!("{:.1e}", value.abs()),
            out,
        );
    }
    match name(value.into()) {
        Some(name) => out.extend_from_slice(name),
        None => write(value.is_sign_negative(), zmij::Buffer::new().format_finite(value.abs()), out),
    }
}

/// What has no digits.
fn name(value: f64) -> Option<&'static [u8]> {
    match value {
        f64::INFINITY => Some(b"Infinity"),
        f64::NEG_INFINITY => Some(b"-Infinity"),
        _ => value.is_nan().then_some(b"NaN"),
    }
}

/// Only of a number as small as these the second digit may be another than 0 where one digit would do:
/// the smallest double is 4.9E-324 there.
fn subnormal(negative: bool, shortest: &str, two_digits: &str, out: &mut Vec<u8>) {
    write(negative, if shortest.contains('.') { shortest } else { two_digits }, out);
}

/// Puts digits in Java's order; `text` is a decimal with or without point and exponent, and finite.
fn write(negative: bool, text: &str, out: &mut Vec<u8>) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (mut digits, mut count) = ([b'0'; DIGITS_MAX + 1], 0);
    // Digits before the point, counted from the first that is not 0.
    let mut point: i32 = exponent.parse().unwrap_or(0);
    let mut behind = false;
    for byte in mantissa.bytes() {
        match byte {
            b'.' => behind = true,
            b'0' if count == 0 => point -= i32::from(behind),
            digit => {
                point += i32::from(!behind);
                if let Some(place) = digits.get_mut(count) {
                    *place = digit;
                    count += 1;
                }
            }
        }
    }
    while count > 0 && digits[count - 1] == b'0' {
        count -= 1;
    }
    if negative {
        out.push(b'-');
    }
    match (&digits[..count], point) {
        ([], _) => out.extend_from_slice(b"0.0"),
        (digits, -2..=0) => {
            out.extend_from_slice(&b"0.00"[..2 + point.unsigned_abs() as usize]);
            out.extend_from_slice(digits);
        }
        (digits, 1..=7) => plain(digits, point.unsigned_abs() as usize, out),
        (digits, _) => {
            plain(digits, 1, out);
            out.push(b'E');
            opendrs_columns::print::whole(point - 1, out);
        }
    }
}

/// Digits, the first `whole` of them before the point, and at least one behind it.
fn plain(digits: &[u8], whole: usize, out: &mut Vec<u8>) {
    let (before, behind) = digits.split_at(whole.min(digits.len()));
    out.extend_from_slice(before);
    out.resize(out.len() + whole - before.len(), b'0');
    out.push(b'.');
    out.extend_from_slice(if behind.is_empty() { b"0" } else { behind });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn doubles_are_javas() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (10_357.0, "10357.0"),
            (12_510_357.0, "1.2510357E7"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (0.001, "0.001"),
            (0.012, "0.012"),
            (0.000_999, "9.99E-4"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1.0 / 3.0, "0.3333333333333333"),
            (123_456_789.012_345_67, "1.2345678901234567E8"),
            (2e23, "2.0E23"),
            (1e-7, "1.0E-7"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::from_bits(1), "4.9E-324"),
            (-f64::from_bits(2), "-9.9E-324"),
            (f64::from_bits(4), "2.0E-323"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(shown(|out| double(value, out)), text);
        }
    }

    #[test]
    fn singles_are_javas() {
        for (value, text) in [
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (16_777_216.0, "1.6777216E7"),
            (3.402_823_5e38, "3.4028235E38"),
            (f32::from_bits(1), "1.4E-45"),
            (-1.175_494_4e-38, "-1.1754944E-38"),
            (1.1e-40, "1.1E-40"),
            (f32::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(shown(|out| single(value, out)), text);
        }
    }

    #[test]
    fn all_digits_read_back() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..200_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let (long, short) = (f64::from_bits(state), f32::from_bits(state as u32));
            if long.is_finite() {
                let read: f64 = shown(|out| double(long, out)).parse().expect("a number");
                assert_eq!(read.to_bits(), long.to_bits());
            }
            if short.is_finite() {
                let read: f32 = shown(|out| single(short, out)).parse().expect("a number");
                assert_eq!(read.to_bits(), short.to_bits());
            }
        }
    }
}
