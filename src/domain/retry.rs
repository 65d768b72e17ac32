//! Retry schedule of webhook deliveries.

use std::time::UNIX_EPOCH;

use super::time::{DAY_MS, Timestamp};

/// The pause after each attempt, in milliseconds: the schedule that Standard Webhooks
/// suggests, a little over three days. Delivery is given up after the attempt that follows the
/// last pause.
const PAUSES_MS: [i64; 9] = [
    5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
    86_400_000,
];

/// Maximum pause that a receiver may request by `retry-after`, in milliseconds.
const RETRY_AFTER_MS_MAX: i64 = DAY_MS;

/// The value of a `retry-after` header (RFC 9110, 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Pause { ms: i64 },
    At(Timestamp),
}

impl RetryAfter {
    /// Parses the header: whole seconds or an HTTP date. `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<RetryAfter> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            // A number above the range means forever, which the caller limits.
            let seconds: i64 = text.parse().unwrap_or(i64::MAX);
            return Some(RetryAfter::Pause { ms: seconds.saturating_mul(1000) });
        }
        http_date(text).map(RetryAfter::At)
    }

    fn pause_ms(self, now: Timestamp) -> i64 {
        let asked_ms = match self {
            RetryAfter::Pause { ms } => ms,
            RetryAfter::At(at) => at.ms_since(now),
        };
        asked_ms.clamp(0, RETRY_AFTER_MS_MAX)
    }
}

/// A date of RFC 9110, 5.6.7, in any of its three forms.
fn http_date(text: &str) -> Option<Timestamp> {
    let since_1970 = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_1970.as_secs()).ok().map(Timestamp::from_seconds)
}

/// What follows after an attempt that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    TryAt(Timestamp),
    GiveUp,
}

/// Decides what follows attempt number `attempts` (1 is the first). `jitter` is a random
/// number that varies the pause by ten per cent; `asked` is the receiver's request, which can
/// only lengthen it.
pub(crate) fn after_failure(
    attempts: u32,
    now: Timestamp,
    jitter: u32,
    asked: Option<RetryAfter>,
) -> Next {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(pause_ms) = PAUSES_MS.get(nth) else { return Next::GiveUp };
    // 900 to 1100 thousandths.
    let thousandths = 900i64.saturating_add(i64::from(jitter % 201));
    let spread_ms = pause_ms.saturating_mul(thousandths) / 1000;
    let asked_ms = asked.map_or(0, |asked| asked.pause_ms(now));
    Next::TryAt(now.plus_ms(spread_ms.max(asked_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_span_three_days_and_then_stop() {
        let created_at = Timestamp::from_ms(0);
        let mut now = created_at;
        let mut attempts = 1;
        while let Next::TryAt(at) = after_failure(attempts, now, 100, None) {
            assert!(at > now);
            now = at;
            attempts += 1;
        }
        assert_eq!(attempts, 10);
        assert!(now.ms_since(created_at) > 3 * DAY_MS, "{now}");
    }

    #[test]
    fn retry_pauses_vary_by_a_tenth() {
        let at = |jitter| after_failure(2, Timestamp::from_ms(0), jitter, None);
        assert_eq!(at(0), Next::TryAt(Timestamp::from_ms(270_000)));
        assert_eq!(at(200), Next::TryAt(Timestamp::from_ms(330_000)));
        assert_eq!(at(201), at(0));
    }

    #[test]
    fn retry_after_extends_a_pause_up_to_a_limit() {
        let at = |ms| after_failure(1, Timestamp::from_ms(0), 100, Some(RetryAfter::Pause { ms }));
        assert_eq!(at(60_000), Next::TryAt(Timestamp::from_ms(60_000)));
        assert_eq!(at(1), Next::TryAt(Timestamp::from_ms(5_000)));
        assert_eq!(at(i64::MAX), Next::TryAt(Timestamp::from_ms(DAY_MS)));
        assert_eq!(at(-5), Next::TryAt(Timestamp::from_ms(5_000)));
        let now = Timestamp::from_ms(1_000_000);
        let until = |ms| {
            let asked = RetryAfter::At(Timestamp::from_ms(ms));
            after_failure(1, now, 100, Some(asked))
        };
        assert_eq!(until(1_090_000), Next::TryAt(Timestamp::from_ms(1_090_000)));
        assert_eq!(until(900_000), Next::TryAt(now.plus_ms(5_000)));
        assert_eq!(until(i64::MAX), Next::TryAt(now.plus_ms(DAY_MS)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        #[track_caller]
        fn check(text: &str, expected: Option<RetryAfter>) {
            assert_eq!(RetryAfter::parse(text), expected, "{text}");
        }
        let pause = |ms| Some(RetryAfter::Pause { ms });
        let at = |seconds| Some(RetryAfter::At(Timestamp::from_seconds(seconds)));
        check("120", pause(120_000));
        check(" 7 ", pause(7_000));
        check("0", pause(0));
        check("9223372036854775807", pause(i64::MAX));
        check("99999999999999999999", pause(i64::MAX));
        check("Sun, 06 Nov 1994 08:49:37 GMT", at(784_111_777));
        check("Sunday, 06-Nov-94 08:49:37 GMT", at(784_111_777));
        check("Sun Nov  6 08:49:37 1994", at(784_111_777));
        check("Thu Feb 29 23:59:59 2024", at(1_709_251_199));
        check("Friday, 01-Mar-24 00:00:00 GMT", at(1_709_251_200));
        check("Thu, 01 Jan 1970 00:00:00 GMT", at(0));
        check("Thu, 29 Feb 2024 23:59:59 GMT", at(1_709_251_199));
        check("Fri, 01 Mar 2024 00:00:00 GMT", at(1_709_251_200));
        check("Fri, 31 Dec 2100 12:00:00 GMT", at(4_133_937_600));
        for text in [
            "",
            "soon",
            "-1",
            "1.5",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday, 6-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37",
            "Sun Nov  6 08:49:37 94",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun 6 Nov 08:49:37 1994",
            "Sun, 29 Feb 2023 00:00:00 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            check(text, None);
        }
    }
}
