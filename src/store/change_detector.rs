//! Detects whether anything was committed since the last check, without reading a row.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::metrics;
use crate::secret::RowKeys;

use super::database::Store;
use super::error::Error;
use super::heads::Heads;
use super::readers::{Readers, Snapshot};
use super::tally::Tally;
use super::tx::ReadTx;

/// How long SQLite is not asked again while this process neither reads nor writes. A commit of
/// another process is detected at most this much later, unless this process has read it.
const UNASKED_MAX: Duration = Duration::from_millis(1);

/// A connection for detecting changes. Only SQLite knows of them, since any process may write.
pub(crate) struct ChangeDetector {
    connection: Connection,
    keys: RowKeys,
    heads: Heads,
    tally: Tally,
    known: Option<Known>,
}

/// The state at the last question to SQLite.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// SQLite's data version of the last processed state.
    version: i64,
    /// Time and tally of the question.
    at: Instant,
    tally: u64,
}

impl Store {
    /// A new change detector. Its first check reports a change.
    ///
    /// # Errors
    /// If no further connection can be opened.
    pub(crate) fn change_detector(&self) -> Result<ChangeDetector, Error> {
        let connection = <Readers as r2d2::ManageConnection>::connect(&self.reader)?;
        let (keys, heads) = (self.keys.clone(), self.heads.clone());
        Ok(ChangeDetector { connection, keys, heads, tally: self.tally.clone(), known: None })
    }
}

impl ChangeDetector {
    /// Runs `job` on the current state, unless nothing was committed since its last success:
    /// then `None`. Commits and reads of this process are always detected; commits of another
    /// process at most a millisecond late.
    ///
    /// # Errors
    /// Errors of the job and of the database; the next check then reports a change.
    pub(crate) fn if_new<T, E: From<Error>>(
        &mut self,
        job: impl FnOnce(&ReadTx) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let (at, tally) = (Instant::now(), self.tally.now());
        // After a failure nothing is known any more.
        if let Some(known) = self.known.take() {
            let is_current = known.tally == tally && at.duration_since(known.at) < UNASKED_MAX;
            if is_current || known.version == self.version_now()? {
                self.known = Some(if is_current { known } else { Known { at, tally, ..known } });
                return Ok(None);
            }
        }
        metrics::read();
        let heads = self.heads.now()?;
        let snapshot = Snapshot::begin(&self.connection).map_err(Error::from)?;
        let version = self.version_now()?;
        let outcome = job(&ReadTx::new(snapshot.0, &self.keys, heads))?;
        drop(snapshot);
        self.known = Some(Known { version, at, tally });
        Ok(Some(outcome))
    }

    /// `PRAGMA data_version`: changes with a commit of any other connection of any process.
    fn version_now(&self) -> Result<i64, Error> {
        let mut statement = self.connection.prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: &str = "INSERT INTO sweep_requests (at, by) VALUES (1, 'a test')";

    struct Scenario {
        dir: tempfile::TempDir,
        store: Store,
        change_detector: ChangeDetector,
    }

    impl Scenario {
        fn new() -> Scenario {
            let dir = tempfile::tempdir().expect("a folder");
            let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
            let change_detector = store.change_detector().expect("a connection");
            Scenario { dir, store, change_detector }
        }

        /// Commits like another process.
        fn commit_elsewhere(&self) {
            let path = self.dir.path().join("litegate.db");
            Connection::open(&path).expect("opened").execute(ASK, []).expect("written");
        }

        fn check(&mut self) -> Option<i64> {
            let sql = "SELECT count(*) FROM sweep_requests";
            let count = |tx: &ReadTx| Ok(tx.connection.query_row(sql, [], |row| row.get(0))?);
            self.change_detector.if_new::<i64, Error>(count).expect("readable")
        }

        /// Prevents further questions to SQLite.
        fn stop_time(&mut self) {
            self.known().at = Instant::now() + Duration::from_secs(3_600);
        }

        /// Lets SQLite be asked again.
        fn let_time_pass(&mut self) {
            self.known().at -= UNASKED_MAX;
        }

        fn known(&mut self) -> &mut Known {
            self.change_detector.known.as_mut().expect("something is known")
        }
    }

    #[test]
    fn each_commit_is_detected_exactly_once() {
        let mut scenario = Scenario::new();
        assert_eq!(scenario.check(), Some(0), "the first check");
        scenario.stop_time();
        assert_eq!(scenario.check(), None);
        scenario
            .store
            .write_blocking(|tx| Ok::<_, Error>(tx.connection.execute(ASK, [])?))
            .expect("written");
        assert_eq!(scenario.check(), Some(1), "our own writer");
        scenario.let_time_pass();
        assert_eq!(scenario.check(), None);
        scenario.commit_elsewhere();
        scenario.let_time_pass();
        assert_eq!(scenario.check(), Some(2), "another connection");
        scenario.let_time_pass();
        assert_eq!(scenario.check(), None);
        scenario.commit_elsewhere();
        scenario.let_time_pass();
        assert!(scenario.change_detector.if_new(|_| Err::<i64, _>(Error::Busy)).is_err());
        assert_eq!(scenario.check(), Some(3), "a failed check is repeated");
    }

    #[test]
    fn a_change_seen_by_an_own_read_is_detected_at_once() {
        let mut scenario = Scenario::new();
        scenario.check();
        scenario.commit_elsewhere();
        scenario.stop_time();
        assert_eq!(scenario.check(), None, "SQLite is not asked yet");
        scenario.store.read_blocking(|_| Ok::<_, Error>(())).expect("read");
        assert_eq!(scenario.check(), Some(1), "our own read returned the change");
    }
}
