//! Pauses after failed requests to a source, growing and jittered.

use std::time::Duration;

use crate::domain::retry::RetryAfter;
use crate::domain::time::Timestamp;

/// The longest pause of our own. Quotes are stale long before, so a source that works again
/// should be noticed.
const PAUSE_MS_MAX: i64 = 300_000;

/// The longest pause that a source may ask for.
const ASKED_MS_MAX: i64 = 3_600_000;

/// The state of one source and currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Backoff {
    failures: u32,
    until: Option<Timestamp>,
}

impl Backoff {
    /// Whether to ask now. A pause from before the clock was set back does not last longer
    /// than the longest one.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| !(1..=ASKED_MS_MAX).contains(&until.ms_since(now)))
    }

    pub(super) fn succeed(&mut self) {
        *self = Backoff::default();
    }

    /// Notes a failure. The first one costs no refresh; then the pause doubles with each.
    /// `jitter` varies it by up to a quarter; `asked` is the source's request, which can only
    /// lengthen it.
    pub(super) fn fail(
        &mut self,
        refresh: Duration,
        now: Timestamp,
        jitter: u32,
        asked: Option<RetryAfter>,
    ) {
        self.failures = self.failures.saturating_add(1);
        let refresh_ms = i64::try_from(refresh.as_millis()).unwrap_or(i64::MAX);
        let doublings = self.failures.saturating_sub(1).min(16);
        let pause_ms = match doublings {
            0 => 0,
            n => refresh_ms.saturating_mul(1 << n).min(PAUSE_MS_MAX),
        };
        // 750 to 1000 thousandths: many gateways do not return at the same moment.
        let thousandths = 1_000i64.saturating_sub(i64::from(jitter % 251));
        let pause_ms = pause_ms.saturating_mul(thousandths) / 1_000;
        let asked_ms = asked.map_or(0, |asked| match asked {
            RetryAfter::Pause { ms } => ms,
            RetryAfter::At(at) => at.ms_since(now),
        });
        self.until = Some(now.plus_ms(pause_ms.max(asked_ms.clamp(0, ASKED_MS_MAX))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: Duration = Duration::from_secs(30);

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let mut backoff = Backoff::default();
        let now = Timestamp::from_ms(1_000_000);
        assert!(backoff.is_over(now));
        for pause_ms in [0, 60_000, 120_000, 240_000, 300_000, 300_000] {
            backoff.fail(REFRESH, now, 0, None);
            assert_eq!(backoff.until, Some(now.plus_ms(pause_ms)));
        }
        assert!(!backoff.is_over(now.plus_ms(299_999)));
        assert!(backoff.is_over(now.plus_ms(300_000)));
        // The clock was set back by a day.
        assert!(backoff.is_over(now.plus_ms(-86_400_000)));
        backoff.succeed();
        assert!(backoff.is_over(now));
    }

    #[test]
    fn a_source_can_lengthen_a_pause_and_jitter_shortens_it() {
        let now = Timestamp::from_ms(1_000_000);
        let after = |failures, jitter, asked| {
            let mut backoff = Backoff::default();
            (0..failures).for_each(|_| backoff.fail(REFRESH, now, jitter, asked));
            backoff.until.expect("failed").ms_since(now)
        };
        let asked = |ms| Some(RetryAfter::Pause { ms });
        assert_eq!(after(1, 0, asked(90_000)), 90_000);
        assert_eq!(after(2, 0, asked(1_000)), 60_000);
        assert_eq!(after(1, 0, asked(i64::MAX)), ASKED_MS_MAX);
        assert_eq!(after(2, 250, None), 45_000);
        assert_eq!(after(1, 0, Some(RetryAfter::At(now.plus_ms(5_000)))), 5_000);
    }
}
