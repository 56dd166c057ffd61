//! Exact comparison of numbers of any width with constants of any number of digits.

use std::cmp::Ordering;

use arrow_buffer::i256;

/// A constant as a column of some scale sees it: the whole multiple of the column's last digit at or below it, and
/// whether that is all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    floor: i256,
    exact: bool,
}

/// More digits than any column has.
const DIGITS_MAX: usize = 76;

impl Bound {
    /// Digits with or without a sign and a point, for a column with `scale` digits behind its point. None: no number.
    pub fn new(text: &str, scale: u8) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
        let (whole, behind) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
        if whole.len() + behind.len() == 0 || !whole.iter().chain(behind).all(u8::is_ascii_digit) {
            return None;
        }
        let scale = usize::from(scale);
        let kept = whole.iter().chain(behind.iter().take(scale)).copied();
        let missing = scale.saturating_sub(behind.len());
        let exact = behind.iter().skip(scale).all(|digit| *digit == b'0');
        let all: Vec<u8> = kept.chain(std::iter::repeat_n(b'0', missing)).skip_while(|digit| *digit == b'0').collect();
        if all.len() > DIGITS_MAX {
            // Beyond every value, on either side; and equal to none.
            let far = if negative { i256::MIN } else { i256::MAX };
            return Some(Self { floor: far, exact: false });
        }
        let ten = i256::from_i128(10);
        let add =
            |value: i256, digit: &u8| value.wrapping_mul(ten).wrapping_add(i256::from_i128(i128::from(*digit - b'0')));
        let magnitude = all.iter().fold(i256::ZERO, add);
        let floor = match (negative, exact) {
            (false, _) => magnitude,
            (true, true) => magnitude.wrapping_neg(),
            (true, false) => magnitude.wrapping_neg().wrapping_sub(i256::ONE),
        };
        Some(Self { floor, exact })
    }

    /// How a value of the column, without its point, compares with the constant.
    pub fn order(&self, value: i256) -> Ordering {
        self.against(value.cmp(&self.floor))
    }

    /// The same for narrow values: the constant is looked at once.
    pub fn narrow(&self) -> NarrowBound {
        match self.floor.to_i128() {
            Some(floor) => NarrowBound::Near(floor, self.exact),
            None if self.floor > i256::ZERO => NarrowBound::Far(Ordering::Less),
            None => NarrowBound::Far(Ordering::Greater),
        }
    }

    fn against(&self, order: Ordering) -> Ordering {
        if order.is_eq() && !self.exact { Ordering::Less } else { order }
    }

    /// The constant, if a whole multiple of the column's last digit: what equality can be looked up by.
    pub fn whole(&self) -> Option<i256> {
        self.exact.then_some(self.floor)
    }
}

/// A constant for values of up to 128 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NarrowBound {
    /// The floor, and whether it is all of the constant.
    Near(i128, bool),
    /// How every value compares with the constant.
    Far(Ordering),
}

impl NarrowBound {
    #[inline]
    pub fn order(self, value: i128) -> Ordering {
        match self {
            Self::Near(floor, exact) => match value.cmp(&floor) {
                Ordering::Equal if !exact => Ordering::Less,
                order => order,
            },
            Self::Far(order) => order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_between_two_values_are_equal_to_none() {
        for (text, scale, value, order) in [
            ("12.5", 1, 125, Ordering::Equal),
            ("12.50", 1, 125, Ordering::Equal),
            ("12.51", 1, 125, Ordering::Less),
            ("12.51", 1, 126, Ordering::Greater),
            ("-12.51", 1, -125, Ordering::Greater),
            ("-12.51", 1, -126, Ordering::Less),
            ("3", 2, 300, Ordering::Equal),
            (".5", 0, 0, Ordering::Less),
            (".5", 0, 1, Ordering::Greater),
            ("-.5", 0, 0, Ordering::Greater),
            ("-.5", 0, -1, Ordering::Less),
            ("007", 0, 7, Ordering::Equal),
            ("-0.0", 0, 0, Ordering::Equal),
        ] {
            let bound = Bound::new(text, scale).expect(text);
            assert_eq!(bound.order(i256::from_i128(value)), order, "{value} and {text}");
            assert_eq!(bound.narrow().order(value), order, "{value} and {text}");
        }
    }

    #[test]
    fn huge_constants_lie_beyond_every_value() {
        for (text, order) in [("1", Ordering::Less), ("-1", Ordering::Greater)] {
            for digits in [39, 60, 80] {
                let bound = Bound::new(&format!("{text}{}", "0".repeat(digits)), 0).expect("a number");
                assert_eq!(bound.narrow().order(i128::from(u64::MAX)), order);
                assert_eq!(bound.order(i256::from_i128(i64::MIN.into())), order);
            }
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1e3", "1.2.3", "x", " 1", "0x1"] {
            assert_eq!(Bound::new(text, 2), None, "{text}");
        }
    }
}
