use std::fmt::Write;

/// Digits before or behind the point up to which no exponent is used (MySQL, strings/dtoa.c,
/// `MAX_DECPT_FOR_F_FORMAT`).
const POINT_MAX: i32 = 15;

/// Appends a double as MySQL prints it within JSON: the shortest digits that read back as the same
/// number, laid out by `my_gcvt`, and with a point or an exponent in any case.
pub(crate) fn print(value: f64, out: &mut String) {
    if value == 0.0 {
        out.push_str(if value.is_sign_negative() { "-0.0" } else { "0.0" });
        return;
    }
    let mut scientific = String::with_capacity(32);
    let _ = write!(scientific, "{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let mut digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    if digits.len() >= TIE_DIGITS {
        to_even(value, &mut digits);
    }
    // Digits before the point.
    let point = exponent + 1;
    let count = digits.len() as i32;
    out.push_str(sign);
    // A number with digits behind the point shows them, however many are before it (asked of MySQL 9.7, 7000 numbers).
    if point < 1 - POINT_MAX || (point > POINT_MAX && count <= point) {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        let _ = write!(out, "e{exponent}");
    } else if point <= 0 {
        out.push_str("0.");
        (point..0).for_each(|_| out.push('0'));
        out.push_str(&digits);
    } else if point >= count {
        out.push_str(&digits);
        (count..point).for_each(|_| out.push('0'));
        out.push_str(".0");
    } else {
        let (before, behind) = digits.split_at(point as usize);
        out.push_str(before);
        out.push('.');
        out.push_str(behind);
    }
}

/// From so many digits on, two shortest texts may be as near to a number.
const TIE_DIGITS: usize = 16;

/// Of two texts that are as near to the number, MySQL takes the one whose last digit is even, and Rust the larger.
fn to_even(value: f64, digits: &mut String) {
    let exact = format!("{:.*e}", digits.len() + 8, value.abs());
    let exact: String = exact.chars().take_while(|c| *c != 'e').filter(char::is_ascii_digit).collect();
    let Some((lower, rest)) = exact.split_at_checked(digits.len()) else { return };
    let tie = rest.strip_prefix('5').is_some_and(|rest| rest.bytes().all(|digit| digit == b'0'));
    if tie && lower.ends_with(['0', '2', '4', '6', '8']) {
        lower.clone_into(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_look_as_the_server_prints_them() {
        // Asked from MySQL 9.7: SELECT CAST(CAST('[...]' AS JSON) AS CHAR).
        for (value, expected) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e14, "100000000000000.0"),
            (1e15, "1e15"),
            (1.5e300, "1.5e300"),
            (1e-5, "0.00001"),
            (1.7976931348623157e308, "1.7976931348623157e308"),
            (5e-324, "5e-324"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (1234567890123456.0, "1.234567890123456e15"),
            (-3125376296127423.5, "-3125376296127423.5"),
            (2f64.powi(50) + 0.25, "1125899906842624.2"),
            (-123.456, "-123.456"),
        ] {
            let mut out = String::new();
            print(value, &mut out);
            assert_eq!(out, expected);
        }
    }
}
