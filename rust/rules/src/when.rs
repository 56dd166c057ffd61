//! Comparison of dates and times, those too that no calendar has: part by part, as servers of MySQL do it.

use std::cmp::Ordering;

use opendrs_columns::temporal::{DAY_US, Parts, as_impossible_date, as_impossible_datetime, civil_from_days, datetime};

/// A constant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    parts: Parts,
    micros: i64,
    possible: bool,
}

impl When {
    pub fn new([year, month, day, hour, minute, second, micro]: [u32; 7]) -> Option<Self> {
        if year > 9999 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59 || micro > 999_999 {
            return None;
        }
        let (month, day, hour) = (month as u8, day as u8, hour as u8);
        let parts = Parts { year: year as u16, month, day, hour, minute: minute as u8, second: second as u8, micro };
        let micros = datetime(parts);
        Some(Self { parts, micros, possible: as_impossible_datetime(micros).is_none() })
    }

    /// How a value of an array of microseconds compares with it.
    #[inline]
    pub fn order_datetime(&self, value: i64) -> Ordering {
        match as_impossible_datetime(value) {
            None if self.possible => value.cmp(&self.micros),
            None => packed(&civil(value)).cmp(&packed(&self.parts)),
            Some(parts) => packed(&parts).cmp(&packed(&self.parts)),
        }
    }

    /// How a value of an array of days compares with it.
    #[inline]
    pub fn order_date(&self, value: i32) -> Ordering {
        match as_impossible_date(value) {
            None => self.order_datetime(i64::from(value) * DAY_US),
            Some((year, month, day)) => {
                packed(&Parts { year, month, day, ..Parts::default() }).cmp(&packed(&self.parts))
            }
        }
    }
}

/// How two values of arrays of microseconds compare.
pub(crate) fn order_datetimes(left: i64, right: i64) -> Ordering {
    let parts = |value| as_impossible_datetime(value).unwrap_or_else(|| civil(value));
    if as_impossible_datetime(left).is_none() && as_impossible_datetime(right).is_none() {
        return left.cmp(&right);
    }
    packed(&parts(left)).cmp(&packed(&parts(right)))
}

/// The microseconds of a day, possible or not.
pub(crate) fn midnight(days: i32) -> i64 {
    match as_impossible_date(days) {
        None => i64::from(days) * DAY_US,
        Some((year, month, day)) => datetime(Parts { year, month, day, ..Parts::default() }),
    }
}

fn civil(micros: i64) -> Parts {
    // A 64-bit number of microseconds has less than 2^28 days.
    let (year, month, day) = civil_from_days(micros.div_euclid(DAY_US) as i32);
    let rest = micros.rem_euclid(DAY_US);
    let seconds = rest / 1_000_000;
    Parts {
        year: year.clamp(0, 9999) as u16,
        month,
        day,
        hour: (seconds / 3600) as u8,
        minute: (seconds / 60 % 60) as u8,
        second: (seconds % 60) as u8,
        micro: (rest % 1_000_000) as u32,
    }
}

fn packed(parts: &Parts) -> (u16, u8, u8, u8, u8, u8, u32) {
    let Parts { year, month, day, hour, minute, second, micro } = *parts;
    (year, month, day, hour, minute, second, micro)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opendrs_columns::temporal::{date, impossible_datetime};

    #[test]
    fn impossible_dates_have_their_place_among_the_others() {
        let at = When::new([2024, 2, 1, 0, 0, 0, 0]).expect("a date");
        assert_eq!(at.order_date(date(2024, 2, 1)), Ordering::Equal);
        assert_eq!(at.order_date(date(2024, 2, 0)), Ordering::Less);
        assert_eq!(at.order_date(date(2024, 0, 31)), Ordering::Less);
        assert_eq!(at.order_date(date(2024, 2, 31)), Ordering::Greater);
        assert_eq!(at.order_date(date(0, 0, 0)), Ordering::Less);
        let zero = When::new([0; 7]).expect("the zero date");
        assert_eq!(zero.order_datetime(i64::MIN), Ordering::Equal);
        assert_eq!(zero.order_date(date(0, 1, 1)), Ordering::Greater);
        let parts = Parts { year: 2024, month: 2, hour: 1, ..Parts::default() };
        assert_eq!(at.order_datetime(impossible_datetime(parts)), Ordering::Less);
        assert_eq!(order_datetimes(impossible_datetime(parts), midnight(date(2024, 2, 0))), Ordering::Greater);
        assert_eq!(order_datetimes(midnight(date(2024, 1, 31)), midnight(date(2024, 2, 0))), Ordering::Less);
    }

    #[test]
    fn microseconds_count() {
        let at = When::new([1969, 12, 31, 23, 59, 59, 999_999]).expect("a moment");
        assert_eq!(at.order_datetime(-1), Ordering::Equal);
        assert_eq!(at.order_datetime(-2), Ordering::Less);
        assert_eq!(at.order_date(0), Ordering::Greater);
        assert!(When::new([2024, 13, 1, 0, 0, 0, 0]).is_none());
    }
}
