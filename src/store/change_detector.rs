//! Whether anything was committed since one last looked, at the price of two locks and no row, and
//! mostly not even that.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::metrics;
use crate::secret::RowKeys;

use super::heads::Heads;
use super::{Error, ReadTx, Readers, Snapshot, Store};

/// How long SQLite is not asked again while this process neither reads nor writes. So much later
/// than committed may the commit of another process be seen, unless we have read it ourselves.
const UNASKED_MAX: Duration = Duration::from_millis(1);

/// Counts what this process reads and commits, before anybody is told the outcome: while it stands
/// still, nobody has heard of a newer state from us.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<AtomicU64>);

impl Tally {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A connection that is kept for looking whether the database is still as it was. Only SQLite
/// knows, for any process may write.
pub(crate) struct ChangeDetector {
    connection: Connection,
    keys: RowKeys,
    heads: Heads,
    tally: Tally,
    known: Option<Known>,
}

/// What was known when SQLite was last asked.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// What it said of the state that was last looked through.
    version: i64,
    /// When it was asked, and the tally then.
    at: Instant,
    tally: u64,
}

impl Store {
    /// A glance of one's own. The first look finds that everything is new.
    ///
    /// # Errors
    /// If there is no further connection.
    pub(crate) fn change_detector(&self) -> Result<ChangeDetector, Error> {
        let connection = <Readers as r2d2::ManageConnection>::connect(&self.reader)?;
        let (keys, heads) = (self.keys.clone(), self.heads.clone());
        Ok(ChangeDetector { connection, keys, heads, tally: self.tally.clone(), known: None })
    }
}

impl ChangeDetector {
    /// Runs `job` over the state as it is now, unless nothing was committed since the last time
    /// that one succeeded: then `None`. What this process has committed or read is always seen;
    /// what another one has committed, a millisecond later at the most.
    ///
    /// # Errors
    /// Those of the job, and of the database; the next look then finds everything new again.
    pub(crate) fn if_new<T, E: From<Error>>(
        &mut self,
        job: impl FnOnce(&ReadTx) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let (at, tally) = (Instant::now(), self.tally.now());
        // If anything fails, nothing is known any more.
        if let Some(known) = self.known.take() {
            let stands = known.tally == tally && at.duration_since(known.at) < UNASKED_MAX;
            if stands || known.version == self.version_now()? {
                self.known = Some(if stands { known } else { Known { at, tally, ..known } });
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

    /// `PRAGMA data_version`: changes when any other connection, of any process, has committed.
    fn version_now(&self) -> Result<i64, Error> {
        let mut statement = self.connection.prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: &str = "INSERT INTO sweep_requests (at, by) VALUES (1, 'a test')";

    struct Ground {
        dir: tempfile::TempDir,
        store: Store,
        change_detector: ChangeDetector,
    }

    impl Ground {
        fn new() -> Ground {
            let dir = tempfile::tempdir().expect("a folder");
            let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
            let change_detector = store.change_detector().expect("a connection");
            Ground { dir, store, change_detector }
        }

        /// What another process would do.
        fn commit_elsewhere(&self) {
            let path = self.dir.path().join("litegate.db");
            Connection::open(&path).expect("opened").execute(ASK, []).expect("written");
        }

        fn look(&mut self) -> Option<i64> {
            let sql = "SELECT count(*) FROM sweep_requests";
            let count = |tx: &ReadTx| Ok(tx.connection.query_row(sql, [], |row| row.get(0))?);
            self.change_detector.if_new::<i64, Error>(count).expect("readable")
        }

        /// As if SQLite were always asked just now.
        fn stop_time(&mut self) {
            self.known().at = Instant::now() + Duration::from_secs(3_600);
        }

        /// As if SQLite had been asked a while ago.
        fn let_time_pass(&mut self) {
            self.known().at -= UNASKED_MAX;
        }

        fn known(&mut self) -> &mut Known {
            self.change_detector.known.as_mut().expect("something is known")
        }
    }

    #[test]
    fn each_commit_is_detected_exactly_once() {
        let mut ground = Ground::new();
        assert_eq!(ground.look(), Some(0), "the first look");
        ground.stop_time();
        assert_eq!(ground.look(), None);
        ground
            .store
            .write_blocking(|tx| Ok::<_, Error>(tx.connection.execute(ASK, [])?))
            .expect("written");
        assert_eq!(ground.look(), Some(1), "our own writer");
        ground.let_time_pass();
        assert_eq!(ground.look(), None);
        ground.commit_elsewhere();
        ground.let_time_pass();
        assert_eq!(ground.look(), Some(2), "another connection");
        ground.let_time_pass();
        assert_eq!(ground.look(), None);
        ground.commit_elsewhere();
        ground.let_time_pass();
        assert!(ground.change_detector.if_new(|_| Err::<i64, _>(Error::Busy)).is_err());
        assert_eq!(ground.look(), Some(3), "what could not be looked at is still new");
    }

    #[test]
    fn a_change_seen_by_an_own_read_is_detected_at_once() {
        let mut ground = Ground::new();
        ground.look();
        ground.commit_elsewhere();
        ground.stop_time();
        assert_eq!(ground.look(), None, "SQLite is not asked yet");
        ground.store.read_blocking(|_| Ok::<_, Error>(())).expect("read");
        assert_eq!(ground.look(), Some(1), "somebody may have been told by us");
    }
}
