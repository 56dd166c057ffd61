use arrow_buffer::i256;

/// Why a text is not a decimal of the expected scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// A byte that is neither digit, point nor a leading sign, or no digit at all.
    #[error("not a decimal number")]
    Malformed,
    /// More digits behind the point than the scale, or more digits than the type holds.
    #[error("more digits than the type holds")]
    TooLong,
}

/// Unscaled digits of a decimal text with at most `scale` digits behind the point ("-1.5", 2 -> -150).
#[inline]
pub fn parse_decimal128(text: &[u8], scale: u8) -> Result<i128, DecimalError> {
    let (negative, digits) = sign(text);
    // Up to 18 digits fit a 64-bit accumulator, which is several times faster than a 128-bit one.
    let magnitude = if digits.len() <= 18 {
        let (value, missing) = accumulate(digits, scale, 0u64, |acc, digit| Some(acc * 10 + u64::from(digit)))?;
        i128::from(value) * 10i128.pow(u32::from(missing))
    } else {
        let step = |acc: i128, digit: u8| acc.checked_mul(10)?.checked_add(i128::from(digit));
        let (value, missing) = accumulate(digits, scale, 0i128, step)?;
        let factor = 10i128.checked_pow(u32::from(missing)).ok_or(DecimalError::TooLong)?;
        value.checked_mul(factor).ok_or(DecimalError::TooLong)?
    };
    Ok(if negative { -magnitude } else { magnitude })
}

/// As [`parse_decimal128`], for up to 76 digits.
pub fn parse_decimal256(text: &[u8], scale: u8) -> Result<i256, DecimalError> {
    let (negative, digits) = sign(text);
    let ten = i256::from_i128(10);
    let step = |acc: i256, digit: u8| acc.checked_mul(ten)?.checked_add(i256::from_i128(i128::from(digit)));
    let (mut value, missing) = accumulate(digits, scale, i256::ZERO, step)?;
    for _ in 0..missing {
        value = value.checked_mul(ten).ok_or(DecimalError::TooLong)?;
    }
    Ok(if negative { value.wrapping_neg() } else { value })
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Folds the digits; returns the fold and how many digits behind the point were missing.
#[inline]
fn accumulate<T>(text: &[u8], scale: u8, zero: T, step: impl Fn(T, u8) -> Option<T>) -> Result<(T, u8), DecimalError> {
    let (mut value, mut seen, mut behind) = (zero, 0usize, None::<u8>);
    for &byte in text {
        if byte == b'.' && behind.is_none() {
            behind = Some(0);
            continue;
        }
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(DecimalError::Malformed);
        }
        if let Some(count) = &mut behind {
            *count += 1;
            if *count > scale {
                return Err(DecimalError::TooLong);
            }
        }
        value = step(value, digit).ok_or(DecimalError::TooLong)?;
        seen += 1;
    }
    if seen == 0 {
        return Err(DecimalError::Malformed);
    }
    Ok((value, scale - behind.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_keep_their_place() {
        assert_eq!(parse_decimal128(b"12.50", 2), Ok(1250));
        assert_eq!(parse_decimal128(b"-12.5", 2), Ok(-1250));
        assert_eq!(parse_decimal128(b"12", 2), Ok(1200));
        assert_eq!(parse_decimal128(b"-0.01", 2), Ok(-1));
        assert_eq!(parse_decimal128(b".5", 1), Ok(5));
        assert_eq!(parse_decimal128(b"99999999999999999999999999999999999999", 0), Ok(10i128.pow(38) - 1));
        assert_eq!(parse_decimal128(b"1.234", 2), Err(DecimalError::TooLong));
        for bad in [&b""[..], b"-", b".", b"1.2.3", b"1e5", b" 1", b"0x1"] {
            assert_eq!(parse_decimal128(bad, 4), Err(DecimalError::Malformed), "{bad:?}");
        }
        let nines = "9".repeat(65);
        let expected = i256::from_string(&nines).expect("65 digits fit");
        assert_eq!(parse_decimal256(nines.as_bytes(), 0), Ok(expected));
        assert_eq!(parse_decimal256(format!("-{nines}").as_bytes(), 0), Ok(expected.wrapping_neg()));
        assert_eq!(
            parse_decimal256(b"1.5", 30),
            Ok(i256::from_string(&format!("15{}", "0".repeat(29))).expect("fits"))
        );
    }
}
