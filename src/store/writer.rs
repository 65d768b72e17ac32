//! The writing thread: group commit, with a savepoint per job where several share a commit.
//!
//! A caller is refused as busy, and its job never runs, if the writer has not started it
//! within twice the connection's lock timeout: once for the jobs before it, once for another
//! process's lock. A job that has started is awaited to its end.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::logging;
use crate::metrics;
use crate::secret::RowKeys;

use super::disk_space::LogLimit;
use super::error::Error;
use super::failure::{self, Failure};
use super::heads::{self, Heads};
use super::high_water::HighWater;
use super::tx::WriteTx;

/// Capacity of the queue; further jobs are refused as busy.
const QUEUE_MAX: usize = 1024;

/// Maximum number of jobs per commit, so that the first one does not wait too long.
const GROUP_MAX: usize = 256;

/// A group that has run this long takes no further job, since its jobs wait for the commit.
const GROUP_TIME_MAX: Duration = Duration::from_millis(50);

/// The result of a job's writes.
enum Ran {
    /// They stay; the caller is answered after the commit.
    Kept,
    /// They are rolled back; the caller can be answered.
    RolledBack,
}

/// Whether a job may share its commit with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    Shared,
    /// One fact that may change very many rows. It runs without a savepoint, because the cost
    /// of SQLite's statements grows with the size of the savepoint around them.
    Alone,
}

/// A job waiting for the writer.
struct Job {
    commit: Commit,
    claimed: Claim,
    work: Work,
}

/// Decides between the writer, which starts a job, and its caller, which stops waiting: the
/// first to take it wins.
#[derive(Clone, Default)]
struct Claim(Arc<AtomicBool>);

impl Claim {
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    fn is_taken(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The work of a job. With an error, the caller is refused and nothing is done.
type Work = Box<dyn FnOnce(Result<&WriteTx, Error>) -> Option<(Ran, Answer)> + Send>;

/// Returns the outcome to the caller: `None` for committed, or the error.
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;

pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// How long a caller waits for its job to start.
    patience: Duration,
}

/// The result of a job, or its panic.
type Outcome<T, E> = Result<Result<T, E>, Box<dyn Any + Send>>;

fn unpack<T, E: From<Error>>(outcome: Option<Outcome<T, E>>) -> Result<T, E> {
    match outcome {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(Error::Closed.into()),
    }
}

impl Writer {
    /// Starts the thread. `patience` is the lock timeout of `connection`; `log` limits the
    /// size of the write-ahead log.
    pub(super) fn start(
        connection: Connection,
        keys: RowKeys,
        heads: Heads,
        high_water: HighWater,
        patience: Duration,
        mut log: LogLimit,
    ) -> Writer {
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                write_all(&Resources { connection, keys, heads, high_water }, &jobs, &mut log);
            })
            .expect("the system can start one more thread at start-up");
        Writer { queue: Some(queue), thread: Some(thread), patience: patience * 2 }
    }

    /// Runs a job and returns once it is durable. A started job is completed even if its
    /// caller no longer waits.
    pub(super) async fn run<T, E>(
        &self,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, mut outcome) = oneshot::channel();
        let claim = self.submit(Commit::Shared, job, move |outcome| {
            let _ = sender.send(outcome); // the caller may no longer wait
        })?;
        match tokio::time::timeout(self.patience, &mut outcome).await {
            Ok(outcome) => unpack(outcome.ok()),
            Err(_) if claim.take() => Err(Error::Busy.into()),
            Err(_) => unpack(outcome.await.ok()),
        }
    }

    /// As [`Writer::run`], for callers on a blocking thread.
    pub(super) fn run_blocking<T, E>(
        &self,
        commit: Commit,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, outcome) = mpsc::sync_channel(1);
        let claim = self.submit(commit, job, move |outcome| {
            let _ = sender.send(outcome); // the caller may no longer wait
        })?;
        match outcome.recv_timeout(self.patience) {
            Ok(outcome) => unpack(Some(outcome)),
            Err(RecvTimeoutError::Timeout) if claim.take() => Err(Error::Busy.into()),
            Err(_) => unpack(outcome.recv().ok()),
        }
    }

    /// Queues a job. `deliver` gets its outcome, unless the caller claims it first.
    fn submit<T, E>(
        &self,
        commit: Commit,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
        deliver: impl FnOnce(Outcome<T, E>) + Send + 'static,
    ) -> Result<Claim, Error>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let work = move |tx: Result<&WriteTx, Error>| {
            let tx = match tx {
                Ok(tx) => tx,
                Err(error) => {
                    deliver(Ok(Err(error.into())));
                    return None;
                }
            };
            let outcome = catch_unwind(AssertUnwindSafe(|| job(tx)));
            let ran = match &outcome {
                Ok(Ok(_)) => Ran::Kept,
                Ok(Err(_)) | Err(_) => Ran::RolledBack,
            };
            let answer: Answer = Box::new(move |failure| {
                deliver(match (failure, outcome) {
                    (Some(error), Ok(Ok(_))) => Ok(Err(error.into())),
                    (_, outcome) => outcome,
                });
            });
            Some((ran, answer))
        };
        let claimed = Claim::default();
        let job = Job { commit, claimed: claimed.clone(), work: Box::new(work) };
        let queue = self.queue.as_ref().ok_or(Error::Closed)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::Closed,
        })?;
        Ok(claimed)
    }
}

/// The writer completes the queue before it ends.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.take();
        let Some(thread) = self.thread.take() else { return };
        // A job may have held the last handle: then this is the writer's own thread, about to
        // end.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join(); // a panic of the writer was logged
        }
    }
}

struct Resources {
    connection: Connection,
    keys: RowKeys,
    heads: Heads,
    high_water: HighWater,
}

fn write_all(resources: &Resources, jobs: &Receiver<Job>, log: &mut LogLimit) {
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            let Ok(first) = jobs.recv() else { break };
            waiting.push_back(first);
        }
        waiting.extend(jobs.try_iter().take(GROUP_MAX.saturating_sub(waiting.len())));
        log.keep(&resources.connection);
        write_group(resources, &mut waiting);
    }
    // Checkpoints everything into the database file, so that a copy of a stopped gateway is
    // complete.
    let connection = &resources.connection;
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the write-ahead log was not emptied");
    }
}

/// Runs the first of the waiting jobs in one transaction, and answers each after the commit.
/// Jobs without time left stay for the next group.
fn write_group(resources: &Resources, waiting: &mut VecDeque<Job>) {
    waiting.retain(|job| !job.claimed.is_taken());
    let Some(first) = waiting.pop_front() else { return };
    let (connection, began) = (&resources.connection, Instant::now());
    // Read before the transaction starts: no row of its state may be below them.
    let heads = match resources.heads.now() {
        Ok(heads) => heads,
        Err(error) => {
            tracing::error!(%error, "cannot read the file of heads, so nothing is written");
            refuse(first, Error::Impossible(error.to_string()));
            return;
        }
    };
    let tx = &WriteTx::new(connection, &resources.keys, heads, &resources.high_water);
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        tracing::error!(%error, "cannot begin to write");
        let failure = Failure::of(&error);
        end_if_disk_fails(&failure);
        refuse(first, Error::from(&failure));
        waiting.drain(..).for_each(|job| refuse(job, Error::from(&failure)));
        return;
    }
    let share = match first.commit {
        Commit::Shared if !waiting.is_empty() => Commit::Shared,
        Commit::Shared | Commit::Alone => Commit::Alone,
    };
    let mut answers = Vec::new();
    let mut next = Some(first);
    let mut failure = None;
    while let Some(job) = next {
        if job.claimed.take() {
            let (answer, ended) = run_job(tx, job, share);
            answers.extend(answer);
            failure = ended.err();
        }
        let is_full = answers.len() >= GROUP_MAX || began.elapsed() >= GROUP_TIME_MAX;
        next = match share {
            Commit::Shared if !is_full && failure.is_none() => take_shared(waiting),
            Commit::Shared | Commit::Alone => None,
        };
    }
    if failure.is_none() && !connection.is_autocommit() {
        crate::crash::point("before-commit");
        failure = connection.execute_batch("COMMIT").err().map(|error| Failure::of(&error));
        crate::crash::point("after-commit");
    }
    match &failure {
        Some(failure) => roll_back(connection, failure),
        None => metrics::committed(answers.len(), began.elapsed()),
    }
    let raised = match &failure {
        None => raise_heads(resources, &tx.raised.take()),
        Some(_) => Ok(()),
    };
    for answer in answers {
        answer(match (&failure, &raised) {
            (Some(failure), _) => Some(Error::from(failure)),
            (None, Err(why)) => Some(Error::Impossible(why.clone())),
            (None, Ok(())) => None,
        });
    }
}

/// Raises the heads of a commit. If that fails, the callers get an error: their changes are
/// stored, but restoring an older state would not be detected.
fn raise_heads(resources: &Resources, raised: &heads::State) -> Result<(), String> {
    if raised.is_empty() {
        return Ok(());
    }
    let written = resources.heads.raise(raised);
    crate::crash::point("heads-raised");
    written.map_err(|error| {
        tracing::error!(%error, "committed, but the file of heads could not be updated");
        format!("the change is stored, but the file of heads could not be updated ({error}): repeat the change")
    })
}

/// The next waiting job, if it may share the commit.
fn take_shared(waiting: &mut VecDeque<Job>) -> Option<Job> {
    let shares = waiting.front().is_some_and(|job| job.commit == Commit::Shared);
    if shares { waiting.pop_front() } else { None }
}

fn refuse(job: Job, error: Error) {
    if job.claimed.take() {
        (job.work)(Err(error)); // answers the caller
    }
}

/// Rolls back a failed transaction.
fn roll_back(connection: &Connection, failure: &Failure) {
    tracing::error!(error = %failure, "a write failed and was rolled back");
    end_if_disk_fails(failure);
    if !connection.is_autocommit() {
        // If this fails too, the next BEGIN fails and reports it.
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// Exits if the disk fails. The effect of a failed flush is unknown, and a later successful
/// flush proves nothing, because the kernel drops what it could not write. No caller is
/// answered; a restart reads the stored state.
fn end_if_disk_fails(failure: &Failure) {
    if failure.is_of_the_disk() {
        tracing::error!("the disk fails: ending at once");
        logging::write_out();
        std::process::exit(1);
    }
}

/// Runs one job: in a savepoint if it shares its commit, else directly in the transaction,
/// which a failing job then ends. An error means that the whole transaction is lost: on a full
/// disk or an I/O error SQLite rolls back more than the statement.
fn run_job(tx: &WriteTx, job: Job, share: Commit) -> (Option<Answer>, Result<(), Failure>) {
    let connection = tx.connection;
    if share == Commit::Shared
        && let Err(error) = execute(connection, "SAVEPOINT job")
    {
        let failure = Failure::of(&error);
        (job.work)(Err(Error::from(&failure)));
        return (None, Err(failure));
    }
    failure::forget();
    let raised_before = tx.raised.borrow().clone();
    let Some((ran, answer)) = (job.work)(Ok(tx)) else { return (None, Ok(())) };
    if matches!(ran, Ran::RolledBack) {
        *tx.raised.borrow_mut() = raised_before;
    }
    let seen = failure::last();
    if let Some(failure) = seen.as_ref().filter(|failure| failure.is_of_the_disk()) {
        return (Some(answer), Err(failure.clone()));
    }
    if connection.is_autocommit() {
        return (Some(answer), Err(seen.unwrap_or_else(Failure::unknown)));
    }
    let end = match (ran, share) {
        (Ran::Kept, Commit::Shared) => execute(connection, "RELEASE job"),
        (Ran::RolledBack, Commit::Shared) => {
            connection.execute_batch("ROLLBACK TO job; RELEASE job")
        }
        (Ran::Kept, Commit::Alone) => Ok(()),
        (Ran::RolledBack, Commit::Alone) => connection.execute_batch("ROLLBACK"),
    };
    (Some(answer), end.map_err(|error| Failure::of(&error)))
}

/// Runs a cached statement.
fn execute(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

#[cfg(test)]
mod tests;
