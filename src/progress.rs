//! Progress of a long command, reported to the users who wait for it.
//!
//! Must not know: what the command does, and where its progress is shown.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One report of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The current activity, such as "reading blocks".
    pub(crate) what: &'static str,
    pub(crate) done: u64,
    /// The total; it may grow meanwhile.
    pub(crate) of: u64,
}

/// Receives each report, on the thread that makes it.
pub(crate) type OnProgress<'t> = &'t (dyn Fn(Progress) + Sync);

/// Ignores progress.
pub(crate) const NO_REPORT: OnProgress<'static> = &|_| ();

/// Shorter activities are not reported.
const FIRST: Duration = Duration::from_secs(5);

/// Interval between two lines about one activity.
const EVERY: Duration = Duration::from_secs(30);

/// Turns frequent reports into occasional log lines, for output without a progress bar.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    current: Mutex<Option<Current>>,
}

/// The current activity.
#[derive(Debug)]
struct Current {
    what: &'static str,
    began: Instant,
    next_line: Instant,
}

impl Lines {
    /// The line that is due with this report, if any.
    pub(crate) fn line(&self, step: Progress, now: Instant) -> Option<String> {
        let mut slot = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match &mut *slot {
            Some(current) if current.what == step.what => current,
            other => {
                let began = Current { what: step.what, began: now, next_line: now + FIRST };
                other.insert(began)
            }
        };
        if now < current.next_line {
            return None;
        }
        current.next_line = now + EVERY;
        let left = time_left(step, now.saturating_duration_since(current.began));
        let left = left.map(|left| format!(", about {} left", in_words(left))).unwrap_or_default();
        Some(format!("{}: {} of {}{left}", step.what, step.done, step.of))
    }

    /// Ends the activity; a later one of the same name counts as new.
    pub(crate) fn end(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Estimates the remaining time from the average speed so far.
fn time_left(step: Progress, so_far: Duration) -> Option<Duration> {
    let left = u128::from(step.of.saturating_sub(step.done));
    let ms = so_far.as_millis().saturating_mul(left).checked_div(u128::from(step.done))?;
    Some(Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX)))
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_lines_are_periodic_and_show_the_time_left() {
        let began = Instant::now();
        let lines = Lines::default();
        let at = |seconds, done| {
            let step = Progress { what: "reading blocks", done, of: 1000 };
            lines.line(step, began + Duration::from_secs(seconds))
        };
        assert_eq!(at(0, 0), None);
        assert_eq!(at(4, 40), None, "a short activity is not reported");
        assert_eq!(at(5, 50).as_deref(), Some("reading blocks: 50 of 1000, about 95 s left"));
        assert_eq!(at(34, 340), None);
        assert_eq!(at(35, 100).as_deref(), Some("reading blocks: 100 of 1000, about 5 min left"));
        lines.end();
        let step = Progress { what: "reading blocks", done: 0, of: 10 };
        assert_eq!(lines.line(step, began + Duration::from_secs(100)), None, "it is new");
        let later = began + Duration::from_secs(106);
        assert_eq!(lines.line(step, later).as_deref(), Some("reading blocks: 0 of 10"));
    }

    #[test]
    fn a_time_estimate_never_overflows() {
        let step = |done, of| Progress { what: "x", done, of };
        let year = Duration::from_secs(365 * 86_400);
        assert_eq!(time_left(step(0, 10), year), None);
        assert_eq!(time_left(step(20, 10), year), Some(Duration::ZERO));
        assert!(time_left(step(1, u64::MAX), year).is_some());
    }
}
