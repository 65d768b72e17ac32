//! Timestamps in milliseconds since 1970 (UTC), and comparison of clocks.
//!
//! The current time is always an argument called `now`; this module cannot read a clock.

use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(i64);

pub(crate) const DAY_MS: i64 = 86_400_000;

pub(crate) const HOUR_MS: i64 = 3_600_000;

pub(crate) const MINUTE_MS: i64 = 60_000;

impl Timestamp {
    pub(crate) const fn from_ms(ms: i64) -> Timestamp {
        Timestamp(ms)
    }

    /// From Unix time in whole seconds, as in block headers.
    pub(crate) fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(1000))
    }

    pub(crate) fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub(crate) fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub(crate) fn plus_ms(self, ms: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(ms))
    }

    /// Milliseconds since `earlier`; negative if that is in the future.
    pub(crate) fn ms_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Two clocks at one moment: the system time, which can be set, and the time since boot, which
/// cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) wall: Timestamp,
    pub(crate) boot_ms: i64,
}

/// Maximum difference between the clocks' progress, in milliseconds: leap seconds and NTP
/// corrections are smaller.
pub(crate) const JUMP_MS_MAX: i64 = 2 * 60_000;

/// How far the system time jumped between two readings, if that is more than a correction.
/// Positive: it is ahead.
pub(crate) fn jump_ms(before: Reading, now: Reading) -> Option<i64> {
    let by_boot = now.boot_ms.saturating_sub(before.boot_ms);
    let jump = now.wall.ms_since(before.wall).saturating_sub(by_boot);
    (jump.saturating_abs() > JUMP_MS_MAX).then_some(jump)
}

/// Whether a time contradicts the best chain's median time past (BIP113), which lags the true
/// time by about a quarter of an hour. A clock ten minutes behind it is wrong; one three hours
/// ahead is wrong or sees no blocks.
pub(crate) fn chain_contradicts(time: Timestamp, median_time: Timestamp) -> bool {
    let ahead = time.ms_since(median_time);
    !(-10 * 60_000..=3 * 3_600_000).contains(&ahead)
}

/// Whether the chain supports a time: the median time past is as close to it as usual.
pub(crate) fn chain_confirms(time: Timestamp, median_time: Timestamp) -> bool {
    (0..=30 * 60_000).contains(&time.ms_since(median_time))
}

/// RFC 3339 in UTC, always with milliseconds and `Z`: `2023-12-31T23:59:59.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(DAY_MS);
        let ms = self.0.rem_euclid(DAY_MS);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
        let (second, ms) = (ms / 1000 % 60, ms % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

/// The Gregorian date of a day counted from 1970-01-01. Years start in March, so that the leap
/// day is the last of its year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_with_milliseconds() {
        #[track_caller]
        fn check(ms: i64, expected: &str) {
            assert_eq!(Timestamp::from_ms(ms).to_string(), expected);
        }
        check(0, "1970-01-01T00:00:00.000Z");
        check(1_704_067_199_000, "2023-12-31T23:59:59.000Z");
        check(1_709_164_800_001, "2024-02-29T00:00:00.001Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(4_107_542_399_999, "2100-02-28T23:59:59.999Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
    }
    #[test]
    fn a_clock_that_diverges_from_the_other_has_jumped() {
        #[track_caller]
        fn check(wall_ms: i64, boot_ms: i64, expected: Option<i64>) {
            let reading = |wall, boot_ms| Reading { wall: Timestamp::from_ms(wall), boot_ms };
            let start = reading(1_700_000_000_000, 5_000);
            let now = reading(1_700_000_000_000 + wall_ms, 5_000 + boot_ms);
            assert_eq!(jump_ms(start, now), expected, "{wall_ms} {boot_ms}");
        }
        let minute = 60_000;
        check(0, 0, None);
        check(10 * DAY_MS, 10 * DAY_MS, None);
        check(1_000, 0, None);
        check(2 * minute, 0, None);
        check(2 * minute + 1, 0, Some(2 * minute + 1));
        check(-2 * minute - 1, 0, Some(-2 * minute - 1));
        check(2 * DAY_MS, 1_000, Some(2 * DAY_MS - 1_000));
        check(-180 * minute, 1_000, Some(-180 * minute - 1_000));
        // The machine slept while the system time did not advance.
        check(0, DAY_MS, Some(-DAY_MS));
    }

    #[test]
    fn the_median_block_time_confirms_or_contradicts_a_time() {
        #[track_caller]
        fn check(ahead_minutes: i64, contradicted: bool, confirmed: bool) {
            let median = Timestamp::from_ms(1_700_000_000_000);
            let time = median.plus_ms(ahead_minutes * 60_000);
            assert_eq!(chain_contradicts(time, median), contradicted, "{ahead_minutes}");
            assert_eq!(chain_confirms(time, median), confirmed, "{ahead_minutes}");
        }
        check(15, false, true);
        check(0, false, true);
        check(30, false, true);
        check(31, false, false);
        check(180, false, false);
        check(181, true, false);
        check(2_880, true, false);
        check(-1, false, false);
        check(-10, false, false);
        check(-11, true, false);
        check(-180, true, false);
    }
}
