//! Jobs on any number of rows, in bounded writes.
//!
//! A write blocks all others, so it may change at most [`ROWS_MAX`] rows and take little
//! longer than [`WRITE_TIME_MAX`]; other writes run in between. A job that is interrupted by a
//! restart or an error starts again: its own condition skips what is done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::database::Store;
use super::error::Error;
use super::tx::WriteTx;

/// Maximum number of rows per write, and per page read for it.
pub(crate) const ROWS_MAX: u32 = 1_000;

/// After this time a write takes no further row.
pub(crate) const WRITE_TIME_MAX: Duration = Duration::from_millis(50);

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Done,
    /// The caller stopped it; the rest is left for later.
    Stopped,
}

/// A store, and whether to continue, which is asked before each write: the place for a
/// heartbeat and for a shutdown.
pub(crate) struct Batches<'b> {
    pub(crate) store: &'b Store,
    pub(crate) go_on: &'b dyn Fn() -> bool,
}

impl Batches<'_> {
    /// Runs `each` for all keys, in as many writes as needed. Passes what a write gathered in
    /// its `T` to `written` after the commit.
    ///
    /// # Errors
    /// Errors of `each` and of the database. Earlier writes stay.
    pub(crate) fn write<K, T, E>(
        &self,
        keys: Vec<K>,
        each: impl Fn(&WriteTx, &K, &mut T) -> Result<(), E> + Clone + Send + 'static,
        mut written: impl FnMut(T),
    ) -> Result<Ended, E>
    where
        K: Send + Sync + 'static,
        T: Default + Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let keys = Arc::new(keys);
        let mut done = 0;
        while done < keys.len() {
            if !(self.go_on)() {
                return Ok(Ended::Stopped);
            }
            let (keys, each) = (Arc::clone(&keys), each.clone());
            let (count, gathered) = self.store.write_blocking(move |tx| {
                let (began, mut count, mut gathered) = (Instant::now(), 0, T::default());
                for key in keys.iter().skip(done).take(ROWS_MAX as usize) {
                    each(tx, key, &mut gathered)?;
                    count += 1;
                    if began.elapsed() >= WRITE_TIME_MAX {
                        break;
                    }
                }
                Ok::<_, E>((count, gathered))
            })?;
            done += count;
            written(gathered);
        }
        Ok(Ended::Done)
    }

    /// Repeats a write until it changes fewer rows than its limit, for statements with a
    /// `LIMIT`. `some` gets the limit and returns how many rows it changed.
    ///
    /// # Errors
    /// Errors of `some` and of the database. Earlier writes stay.
    pub(crate) fn until_done<E>(
        &self,
        some: impl Fn(&WriteTx, u32) -> Result<usize, E> + Clone + Send + 'static,
    ) -> Result<Ended, E>
    where
        E: From<Error> + Send + 'static,
    {
        loop {
            if !(self.go_on)() {
                return Ok(Ended::Stopped);
            }
            let some = some.clone();
            if self.store.write_blocking(move |tx| some(tx, ROWS_MAX))? < ROWS_MAX as usize {
                return Ok(Ended::Done);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::domain::time::Timestamp;
    use crate::store::{requests, role_status};

    fn open() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        (dir, store)
    }

    fn note(tx: &WriteTx, n: &u32, count: &mut u32) -> Result<(), Error> {
        *count += 1;
        role_status::note(tx, &n.to_string())
    }

    #[test]
    fn other_writers_run_between_two_batches() {
        let (_dir, store) = open();
        let turns = Cell::new(0u32);
        let go_on = || {
            turns.set(turns.get() + 1);
            let role = format!("other {}", turns.get());
            let other = move |tx: &WriteTx| role_status::note(tx, &role);
            store.write_blocking(other).is_ok()
        };
        let mut counts = Vec::new();
        let batches = Batches { store: &store, go_on: &go_on };
        let ended = batches.write((0..2_500).collect(), note, |count| counts.push(count));
        assert_eq!(ended.expect("written"), Ended::Done);
        assert_eq!(counts.iter().sum::<u32>(), 2_500);
        assert!(counts.iter().all(|count| (1..=ROWS_MAX).contains(count)), "{counts:?}");
        assert_eq!(turns.get() as usize, counts.len());
    }

    #[test]
    fn rows_written_before_an_error_or_a_stop_persist() {
        let (_dir, store) = open();
        let is_noted =
            |n: &str| store.read_blocking(|tx| role_status::is_noted(tx, n)).expect("read");
        let fails = |tx: &WriteTx, n: &u32, count: &mut u32| {
            if *n == 1_500 { Err(Error::Closed) } else { note(tx, n, count) }
        };
        let batches = Batches { store: &store, go_on: &|| true };
        let failed = batches.write((0..2_000).collect(), fails, drop);
        assert!(matches!(failed, Err(Error::Closed)));
        assert!(is_noted("0") && !is_noted("1500"));
        let batches = Batches { store: &store, go_on: &|| false };
        let stopped = batches.write(vec![3_000], note, drop);
        assert_eq!(stopped.expect("stopped"), Ended::Stopped);
        assert!(!is_noted("3000"));
    }

    #[test]
    fn a_limited_statement_repeats_until_no_row_is_left() {
        let (_dir, store) = open();
        let ask = |tx: &WriteTx| {
            (0..2_100).try_for_each(|n| requests::add(tx, "a test", Timestamp::from_ms(n)))
        };
        store.write_blocking(ask).expect("asked");
        let counts = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&counts);
        let some = move |tx: &WriteTx, limit: u32| {
            let sql = "DELETE FROM sweep_requests
                       WHERE id IN (SELECT id FROM sweep_requests LIMIT ?)";
            let count = tx.read.connection.execute(sql, [limit])?;
            seen.lock().expect("not poisoned").push(count);
            Ok::<_, Error>(count)
        };
        let batches = Batches { store: &store, go_on: &|| true };
        assert_eq!(batches.until_done(some).expect("done"), Ended::Done);
        assert_eq!(*counts.lock().expect("not poisoned"), [1_000, 1_000, 100]);
    }
}
