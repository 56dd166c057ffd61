//! NEWDECIMAL: groups of nine digits in four big-endian bytes, fewer digits in fewer bytes; the
//! first bit is inverted, all bits of a negative number are (MySQL, strings/decimal.c, `decimal2bin`).

use arrow_buffer::i256;

use crate::error::{Fault, Result};

/// Bytes of 0 to 9 digits.
const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const POWERS: [u64; 10] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
/// A DECIMAL has up to 65 digits. Within JSON the digits before the point are rounded up to whole groups, so
/// that there are up to nine groups (seen on MySQL 9.7: precision 66).
const DIGITS_MAX: u8 = 81;
const BYTES_MAX: usize = 40;

/// Where the digits of a decimal stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Digits before the point that fill no group; they come first.
    head: usize,
    /// Whole groups before the point.
    before: usize,
    /// Whole groups behind it.
    behind: usize,
    /// Digits behind the point that fill no group; they come last.
    tail: usize,
    /// All bytes.
    pub bytes: usize,
    /// All digits.
    digits: usize,
}

impl Layout {
    pub fn new(precision: u8, scale: u8) -> Result<Self> {
        let Some(before) = precision.checked_sub(scale).filter(|_| (1..=DIGITS_MAX).contains(&precision)) else {
            return Err(Fault::corrupt(format!("a decimal of {precision} digits, {scale} behind the point")));
        };
        let (before, scale) = (usize::from(before), usize::from(scale));
        let (head, tail) = (before % 9, scale % 9);
        let bytes = BYTES[head] + before / 9 * 4 + scale / 9 * 4 + BYTES[tail];
        if bytes > BYTES_MAX {
            return Err(Fault::corrupt(format!("a decimal of {bytes} bytes")));
        }
        Ok(Self { head, before: before / 9, behind: scale / 9, tail, bytes, digits: before + scale })
    }

    /// Calls back with each group and how many digits it has; true if the number is negative.
    #[inline]
    fn groups(&self, bytes: &[u8], mut group: impl FnMut(u64, usize)) -> Result<bool> {
        let mut buffer = [0u8; BYTES_MAX];
        let Some(own) = buffer.get_mut(..bytes.len()) else { return Err(Fault::corrupt("a decimal that is too long")) };
        own.copy_from_slice(bytes);
        let negative = bytes.first().is_some_and(|byte| byte & 0x80 == 0);
        if let Some(first) = own.first_mut() {
            *first ^= 0x80;
        }
        if negative {
            own.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let mut at = 0;
        let mut read = |digits: usize| -> Result<()> {
            let width = BYTES[digits];
            let value = own[at..at + width].iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
            at += width;
            if value >= POWERS[digits] {
                return Err(Fault::corrupt(format!("{value} where a decimal has {digits} digits")));
            }
            group(value, digits);
            Ok(())
        };
        if self.head > 0 {
            read(self.head)?;
        }
        for _ in 0..self.before + self.behind {
            read(9)?;
        }
        if self.tail > 0 {
            read(self.tail)?;
        }
        Ok(negative)
    }

    /// The unscaled digits of a number of at most 38 digits.
    #[inline]
    pub fn to_i128(self, bytes: &[u8]) -> Result<i128> {
        if self.digits <= 18 {
            let mut value = 0u64;
            let negative = self.groups(bytes, |group, digits| value = value * POWERS[digits] + group)?;
            let value = i128::from(value);
            return Ok(if negative { -value } else { value });
        }
        let mut value = 0i128;
        let negative = self.groups(bytes, |group, digits| {
            value = value.wrapping_mul(i128::from(POWERS[digits])).wrapping_add(i128::from(group));
        })?;
        Ok(if negative { -value } else { value })
    }

    /// The unscaled digits of any number.
    pub fn to_i256(self, bytes: &[u8]) -> Result<i256> {
        let mut value = i256::ZERO;
        let negative = self.groups(bytes, |group, digits| {
            let shifted = value.wrapping_mul(i256::from_i128(i128::from(POWERS[digits])));
            value = shifted.wrapping_add(i256::from_i128(i128::from(group)));
        })?;
        Ok(if negative { value.wrapping_neg() } else { value })
    }

    /// The number as the server prints it, all digits of the scale included.
    pub fn to_text(self, bytes: &[u8]) -> Result<String> {
        let mut digits = self.to_i256(bytes)?.to_string();
        let scale = self.behind * 9 + self.tail;
        let sign = if digits.starts_with('-') { digits.remove(0).to_string() } else { String::new() };
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (before, behind) = padded.split_at(padded.len() - scale);
        Ok(if scale == 0 { format!("{sign}{before}") } else { format!("{sign}{before}.{behind}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manuals_example() {
        // strings/decimal.c: 1234567890.1234 as DECIMAL(14,4).
        let layout = Layout::new(14, 4).unwrap();
        let bytes = [0x81, 0x0D, 0xFB, 0x38, 0xD2, 0x04, 0xD2];
        assert_eq!(layout.bytes, 7);
        assert_eq!(layout.to_i128(&bytes).unwrap(), 12_345_678_901_234);
        assert_eq!(layout.to_text(&bytes).unwrap(), "1234567890.1234");
        let negative = bytes.map(|byte| !byte);
        assert_eq!(layout.to_i128(&negative).unwrap(), -12_345_678_901_234);
        assert_eq!(layout.to_text(&negative).unwrap(), "-1234567890.1234");
    }

    #[test]
    fn groups_have_their_digits_only() {
        let layout = Layout::new(9, 0).unwrap();
        assert!(layout.to_i128(&[0xff, 0xff, 0xff, 0xff]).is_err());
        assert_eq!(layout.to_i128(&[0x80, 0, 0, 5]).unwrap(), 5);
        assert_eq!(Layout::new(2, 2).unwrap().to_text(&[0x80 | 5]).unwrap(), "0.05");
        assert!(Layout::new(0, 0).is_err() && Layout::new(5, 6).is_err() && Layout::new(82, 0).is_err());
        assert_eq!(
            Layout::new(65, 30)
                .unwrap()
                .to_i256(&{
                    let mut b = [0; 30];
                    b[0] = 0x80;
                    b
                })
                .unwrap(),
            i256::ZERO
        );
    }
}
