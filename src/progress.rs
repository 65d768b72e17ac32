//! How far a long piece of work has come, for people who wait for it.
//!
//! Must not know: what the work is, and where it is shown.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So much of a piece of work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What is being done, such as "reading blocks".
    pub(crate) what: &'static str,
    pub(crate) done: u64,
    /// How much there is to do in all; it may grow meanwhile.
    pub(crate) of: u64,
}

/// Whoever wants to know is told at each step, from whichever thread takes it.
pub(crate) type OnProgress<'t> = &'t (dyn Fn(Progress) + Sync);

/// For work whose headway interests nobody.
pub(crate) const NOBODY: OnProgress<'static> = &|_| ();

/// Work that takes less than this is not spoken of.
const FIRST: Duration = Duration::from_secs(5);

/// Between two lines about the same work.
const EVERY: Duration = Duration::from_secs(30);

/// Turns many steps into a line now and then, for a log, where no bar can be drawn.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    current: Mutex<Option<Current>>,
}

/// The work that is under way.
#[derive(Debug)]
struct Current {
    what: &'static str,
    began: Instant,
    next_line: Instant,
}

impl Lines {
    /// The line that is due with this step, if one is.
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

    /// The work is over; what begins next under the same name is new.
    pub(crate) fn end(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// How long the rest takes if it goes on as it did so far.
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
        assert_eq!(at(4, 40), None, "short work is not spoken of");
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
