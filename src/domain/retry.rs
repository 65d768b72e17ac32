//! When an event that was not taken is tried again, and when it is given up.

use super::time::{DAY_MS, Timestamp};

/// The pause after each attempt, in milliseconds: the schedule that Standard Webhooks suggests.
/// Together a little over three days; after the attempt that follows the last pause it is over.
const PAUSES_MS: [i64; 9] = [
    5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
    86_400_000,
];

/// The longest pause that a receiver may ask for by `retry-after`, in milliseconds.
const RETRY_AFTER_MS_MAX: i64 = DAY_MS;

/// What follows after an attempt that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    TryAt(Timestamp),
    GiveUp,
}

/// Decides what follows after attempt number `attempts` (1 is the first). `jitter` is a random
/// number by which the pause is spread ten per cent to either side; `retry_after_ms` is what the
/// receiver asked for.
pub(crate) fn after_failure(
    attempts: u32,
    now: Timestamp,
    jitter: u32,
    retry_after_ms: Option<i64>,
) -> Next {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(pause_ms) = PAUSES_MS.get(nth) else { return Next::GiveUp };
    // 900 to 1100 thousandths.
    let thousandths = 900i64.saturating_add(i64::from(jitter % 201));
    let spread_ms = pause_ms.saturating_mul(thousandths) / 1000;
    let asked_ms = retry_after_ms.unwrap_or(0).clamp(0, RETRY_AFTER_MS_MAX);
    Next::TryAt(now.plus_ms(spread_ms.max(asked_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_spread_over_three_days_and_then_end() {
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
    fn a_pause_is_spread_by_a_tenth() {
        let at = |jitter| after_failure(2, Timestamp::from_ms(0), jitter, None);
        assert_eq!(at(0), Next::TryAt(Timestamp::from_ms(270_000)));
        assert_eq!(at(200), Next::TryAt(Timestamp::from_ms(330_000)));
        assert_eq!(at(201), at(0));
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_but_not_for_ever() {
        let at = |asked| after_failure(1, Timestamp::from_ms(0), 100, Some(asked));
        assert_eq!(at(60_000), Next::TryAt(Timestamp::from_ms(60_000)));
        assert_eq!(at(1), Next::TryAt(Timestamp::from_ms(5_000)));
        assert_eq!(at(i64::MAX), Next::TryAt(Timestamp::from_ms(DAY_MS)));
        assert_eq!(at(-5), Next::TryAt(Timestamp::from_ms(5_000)));
    }
}
