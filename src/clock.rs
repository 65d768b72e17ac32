//! The only reader of the system clock; all other code gets the time as a value.
//!
//! The system time can be set wrongly while the process runs, so each reading is compared with
//! `CLOCK_BOOTTIME`, which no user sets. After a jump the returned time continues from its
//! last value until the system time is right again, or until the chain confirms the new one
//! ([`Clock::adopt`]). Coins seen meanwhile get the right time, and payments do not all expire
//! at once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::{Reading, Timestamp, jump_ms};
use crate::safe_file;

/// Maximum size of the offset file, in bytes.
const OFFSET_BYTES_MAX: u64 = 64;

/// Returns the time. On regtest a file can shift it, so that tests can let days pass.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    offset_file: Option<PathBuf>,
    /// The last reading at which both clocks agreed.
    agreed: Arc<Mutex<Option<Reading>>>,
}

/// Content of the offset file.
#[derive(Debug, Clone, Copy, Default)]
struct Offset {
    /// Shift of all clocks, in milliseconds.
    all_ms: i64,
    /// Simulated fault: error of the system time alone, in milliseconds.
    wall_ms: i64,
}

impl Clock {
    pub(crate) fn system() -> Clock {
        Clock::new(None)
    }

    /// The system clock shifted by the milliseconds in a file, which is read each time. A file
    /// that is missing or not a number shifts nothing. `wall` and milliseconds simulate a
    /// system time that was set wrongly.
    pub(crate) fn moved_by(offset_file: PathBuf) -> Clock {
        Clock::new(Some(offset_file))
    }

    fn new(offset_file: Option<PathBuf>) -> Clock {
        Clock { offset_file, agreed: Arc::new(Mutex::new(None)) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let offset = self.offset();
        let reading = self.read(offset);
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = match agreed.filter(|before| jump_ms(*before, reading).is_some()) {
            Some(before) => before.wall.plus_ms(reading.boot_ms.saturating_sub(before.boot_ms)),
            None => {
                *agreed = Some(reading);
                reading.wall
            }
        };
        steady.plus_ms(offset.all_ms)
    }

    /// Shifts the chain's time, as a node reported it, like the clock's: time that a test lets
    /// pass has passed on the chain too. A simulated fault of the system time does not change
    /// it.
    pub(crate) fn chain_time(&self, median_time: Timestamp) -> Timestamp {
        median_time.plus_ms(self.offset().all_ms)
    }

    /// Difference between the system time and the steady time, in milliseconds, after a jump.
    pub(crate) fn jumped_ms(&self) -> Option<i64> {
        let reading = self.read(self.offset());
        let agreed = *self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.and_then(|before| jump_ms(before, reading))
    }

    /// The system time, right or wrong.
    pub(crate) fn wall(&self) -> Timestamp {
        self.read(self.offset()).wall
    }

    /// Accepts the system time as right from now on.
    pub(crate) fn adopt(&self) {
        let reading = self.read(self.offset());
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    fn read(&self, offset: Offset) -> Reading {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        Reading { wall: Timestamp::from_ms(ms).plus_ms(offset.wall_ms), boot_ms: boot_ms() }
    }

    fn offset(&self) -> Offset {
        let Some(file) = &self.offset_file else { return Offset::default() };
        let bytes = safe_file::read(file, OFFSET_BYTES_MAX).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        match text.trim().strip_prefix("wall ") {
            Some(wall) => Offset { wall_ms: wall.trim().parse().unwrap_or(0), all_ms: 0 },
            None => Offset { all_ms: text.trim().parse().unwrap_or(0), wall_ms: 0 },
        }
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::system()
    }
}

/// Milliseconds since boot, including suspend: `CLOCK_BOOTTIME` (clock_gettime(2)), which
/// cannot be set.
fn boot_ms() -> i64 {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    since.tv_sec.saturating_mul(1000).saturating_add(since.tv_nsec / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_counts_from_boot() {
        let shown = std::fs::read_to_string("/proc/uptime").expect("Linux shows it (proc(5))");
        let seconds: i64 = shown.split('.').next().and_then(|s| s.parse().ok()).expect("seconds");
        assert!((seconds * 1000..seconds * 1000 + 60_000).contains(&boot_ms()), "{shown}");
    }

    #[test]
    fn time_continues_steadily_after_a_clock_jump() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = folder.path().join("offset");
        let clock = Clock::moved_by(file.clone());
        let day_ms = 86_400_000;
        let write = |text: &str| std::fs::write(&file, text).expect("a file for the test");
        let since = |before: Timestamp| clock.now().ms_since(before);
        let start = clock.now();
        write(&format!("wall {}", 2 * day_ms));
        assert!(since(start) < day_ms, "two days ahead is not accepted");
        assert!(clock.jumped_ms().is_some_and(|ms| (ms - 2 * day_ms).abs() < 60_000));
        write(&format!("wall -{}", day_ms / 8));
        assert!((0..day_ms / 24).contains(&since(start)), "three hours back is not accepted");
        write("wall 30000");
        assert!(since(start) >= 29_000, "half a minute is a correction");
        write("0");
        assert_eq!(clock.jumped_ms(), None);
        write(&format!("wall {day_ms}"));
        clock.adopt();
        assert!(since(start) >= day_ms - 60_000, "what was adopted is the time");
        assert_eq!(clock.jumped_ms(), None);
    }

    #[test]
    fn advancing_the_test_clock_is_not_a_clock_jump() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = folder.path().join("offset");
        let clock = Clock::moved_by(file.clone());
        let start = clock.now();
        std::fs::write(&file, "172800000").expect("a file for the test");
        assert!(clock.now().ms_since(start) >= 172_800_000);
        assert_eq!(clock.jumped_ms(), None);
    }
}
