//! The one clock. Everybody else is told the time.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// Tells the time. On regtest it can be moved by a file, so that days pass within a test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    offset_file: Option<PathBuf>,
}

impl Clock {
    /// The clock of this machine.
    pub(crate) fn system() -> Clock {
        Clock { offset_file: None }
    }

    /// The clock of this machine, moved by the milliseconds that stand in a file, read at each
    /// look. A file that is missing or no number moves nothing.
    pub(crate) fn moved_by(offset_file: PathBuf) -> Clock {
        Clock { offset_file: Some(offset_file) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_ms(ms).plus_ms(self.offset_ms())
    }

    fn offset_ms(&self) -> i64 {
        let Some(file) = &self.offset_file else { return 0 };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}
