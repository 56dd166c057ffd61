//! Dates and times, among them those that only MySQL has.
//!
//! Arrow's `Date32` and `Timestamp` carry every date of the proleptic Gregorian calendar. A date
//! that no calendar has (0000-00-00, 2024-00-10, 2024-02-31) is carried in the same array, far
//! below any value that a source can hold: the smallest value of the type plus the packed parts.
//! So nothing is lost and an ordinary reader of Arrow still reads the ordinary values.

/// Year, month, day, hour, minute, second, microsecond as the source wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// Year (0 to 9999).
    pub year: u16,
    /// Month (0 to 12).
    pub month: u8,
    /// Day (0 to 31).
    pub day: u8,
    /// Hour (0 to 23).
    pub hour: u8,
    /// Minute (0 to 59).
    pub minute: u8,
    /// Second (0 to 59).
    pub second: u8,
    /// Microsecond (0 to 999,999).
    pub micro: u32,
}

const DATE_BITS: u32 = 14 + 4 + 5;
const DATETIME_BITS: u32 = DATE_BITS + 5 + 6 + 6 + 20;
/// Values of `Date32` below this one are impossible dates.
pub const DATE_IMPOSSIBLE_END: i32 = i32::MIN + (1 << DATE_BITS);
/// Values of `Timestamp` below this one are impossible date-times.
pub const DATETIME_IMPOSSIBLE_END: i64 = i64::MIN + (1 << DATETIME_BITS);
/// The zero timestamp of MySQL, `0000-00-00 00:00:00`.
pub const TIMESTAMP_ZERO: i64 = i64::MIN;
/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, or None if it has no such day.
pub fn days_from_civil(year: u16, month: u8, day: u8) -> Option<i32> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    // Shift the year to begin in March, so that the leap day is the last one. 400 years are 146,097 days.
    let (y, m, d) = (i32::from(year) - i32::from(month <= 2), i32::from(month), i32::from(day));
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The inverse of [`days_from_civil`]: (year, month, day). The year may leave 0 to 9999.
pub fn civil_from_days(days: i32) -> (i32, u8, u8) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u8;
    let month = (if shifted < 10 { shifted + 3 } else { shifted - 9 }) as u8;
    ((year_of_era + era * 400) as i32 + i32::from(month <= 2), month, day)
}

/// The `Date32` value of a date, possible or not.
pub fn date(year: u16, month: u8, day: u8) -> i32 {
    days_from_civil(year, month, day).unwrap_or_else(|| impossible_date(year, month, day))
}

/// The `Date32` value that carries a date no calendar has.
pub fn impossible_date(year: u16, month: u8, day: u8) -> i32 {
    i32::MIN + ((i32::from(year) << 9) | (i32::from(month) << 5) | i32::from(day))
}

/// (year, month, day) if the `Date32` value is an impossible date.
pub fn as_impossible_date(value: i32) -> Option<(u16, u8, u8)> {
    (value < DATE_IMPOSSIBLE_END).then(|| {
        let packed = value.wrapping_sub(i32::MIN);
        ((packed >> 9) as u16, (packed >> 5 & 15) as u8, (packed & 31) as u8)
    })
}

/// The microseconds of a date-time since 1970-01-01 00:00:00, possible or not.
pub fn datetime(parts: Parts) -> i64 {
    match days_from_civil(parts.year, parts.month, parts.day) {
        Some(days) => i64::from(days) * DAY_US + time_of_day(parts),
        None => impossible_datetime(parts),
    }
}

fn time_of_day(parts: Parts) -> i64 {
    let seconds = i64::from(parts.hour) * 3600 + i64::from(parts.minute) * 60 + i64::from(parts.second);
    seconds * 1_000_000 + i64::from(parts.micro)
}

/// The value that carries a date-time no calendar has.
pub fn impossible_datetime(parts: Parts) -> i64 {
    let date = (i64::from(parts.year) << 9) | (i64::from(parts.month) << 5) | i64::from(parts.day);
    let time = (i64::from(parts.hour) << 12) | (i64::from(parts.minute) << 6) | i64::from(parts.second);
    i64::MIN + (((date << 17 | time) << 20) | i64::from(parts.micro))
}

/// The parts if the `Timestamp` value is an impossible date-time.
pub fn as_impossible_datetime(value: i64) -> Option<Parts> {
    (value < DATETIME_IMPOSSIBLE_END).then(|| {
        let packed = value.wrapping_sub(i64::MIN);
        let (date, time) = (packed >> 37, packed >> 20);
        Parts {
            year: (date >> 9) as u16,
            month: (date >> 5 & 15) as u8,
            day: (date & 31) as u8,
            hour: (time >> 12 & 31) as u8,
            minute: (time >> 6 & 63) as u8,
            second: (time & 63) as u8,
            micro: (packed & 0xF_FFFF) as u32,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_goes_there_and_back() {
        let mut expected = days_from_civil(0, 1, 1).expect("a day");
        for year in 0..=9999u16 {
            for month in 1..=12u8 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_from_civil(year, month, day), Some(expected));
                    assert_eq!(civil_from_days(expected), (i32::from(year), month, day));
                    expected += 1;
                }
            }
        }
        assert_eq!(days_from_civil(1970, 1, 1), Some(0));
        assert_eq!(days_from_civil(2000, 1, 1), Some(10_957));
    }

    #[test]
    fn impossible_dates_keep_their_parts() {
        for (y, m, d) in
            [(0, 0, 0), (2024, 0, 0), (2024, 0, 31), (2024, 12, 0), (2023, 2, 29), (9999, 0, 0), (2024, 2, 31)]
        {
            let value = date(y, m, d);
            assert_eq!(as_impossible_date(value), Some((y, m, d)));
            let parts = Parts { year: y, month: m, day: d, hour: 23, minute: 59, second: 58, micro: 999_999 };
            assert_eq!(as_impossible_datetime(datetime(parts)), Some(parts));
        }
        assert_eq!(as_impossible_date(date(0, 1, 1)), None);
        assert_eq!(datetime(Parts::default()), TIMESTAMP_ZERO);
        assert_eq!(as_impossible_datetime(datetime(Parts { year: 0, month: 1, day: 1, ..Parts::default() })), None);
    }
}
