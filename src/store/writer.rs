//! The one thread that writes: group commit, one savepoint a job.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::measures;

use super::high_water::HighWater;
use super::{Error, WriteTx};

/// Jobs that may wait at a time; one more is told that the database is busy.
const QUEUE_MAX: usize = 1024;

/// Jobs that share one commit at most, so that the first of them need not wait for ever.
const GROUP_MAX: usize = 256;

/// What became of a job's savepoint.
enum Ran {
    /// It holds: the answer goes out after the commit.
    Kept,
    /// It was rolled back: the answer may go out, nothing of it is in the database.
    Undone,
}

/// A job waiting for the writer. `run` works inside of a savepoint; `answer` tells the caller,
/// after the commit or with the error that prevented it.
struct Job {
    run: Work,
    refuse: Box<dyn FnOnce(Error) + Send>,
}

/// The work of a job, and how its caller is answered.
type Work = Box<dyn FnOnce(&WriteTx) -> (Ran, Answer) + Send>;

/// Tells the caller the outcome: `None` for "committed", or why it was not.
type Answer = Box<dyn FnOnce(Option<Error>) + Send>;

pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// What a job ended with: its result, or the panic that ended it.
type Outcome<T, E> = Result<Result<T, E>, Box<dyn Any + Send>>;

/// The outcome that a caller of the writer waits for.
pub(super) struct Pending<T, E> {
    outcome: oneshot::Receiver<Outcome<T, E>>,
}

impl<T, E: From<Error>> Pending<T, E> {
    pub(super) async fn wait(self) -> Result<T, E> {
        Self::unpack(self.outcome.await)
    }

    pub(super) fn wait_blocking(self) -> Result<T, E> {
        Self::unpack(self.outcome.blocking_recv())
    }

    fn unpack(outcome: Result<Outcome<T, E>, oneshot::error::RecvError>) -> Result<T, E> {
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(Error::Closed.into()),
        }
    }
}

impl Writer {
    pub(super) fn start(connection: Connection, high_water: HighWater) -> Writer {
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_all(&WriteTx::new(&connection, &high_water), &jobs))
            .expect("the system can start one more thread at start-up");
        Writer { queue: Some(queue), thread: Some(thread) }
    }

    /// Queues a job. Its work is done even if nobody waits for the outcome any more.
    pub(super) fn submit<T, E>(
        &self,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<Pending<T, E>, Error>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (sender, outcome) = oneshot::channel();
        // Either `run` or `refuse` is called, never both: whoever is takes the sender.
        let sender = std::sync::Arc::new(std::sync::Mutex::new(Some(sender)));
        let of_run = sender.clone();
        let take = |slot: &std::sync::Mutex<Option<oneshot::Sender<_>>>| {
            slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
        };
        let run = move |tx: &WriteTx| {
            let outcome = catch_unwind(AssertUnwindSafe(|| job(tx)));
            let ran = match &outcome {
                Ok(Ok(_)) => Ran::Kept,
                Ok(Err(_)) | Err(_) => Ran::Undone,
            };
            let answer: Answer = Box::new(move |failure| {
                let outcome = match (failure, outcome) {
                    (Some(error), Ok(Ok(_))) => Ok(Err(error.into())),
                    (_, outcome) => outcome,
                };
                if let Some(sender) = take(&of_run) {
                    let _ = sender.send(outcome); // The caller may have gone; the work is done.
                }
            });
            (ran, answer)
        };
        let refuse = move |error: Error| {
            if let Some(sender) = take(&sender) {
                let _ = sender.send(Ok(Err(error.into())));
            }
        };
        let job = Job { run: Box::new(run), refuse: Box::new(refuse) };
        let queue = self.queue.as_ref().ok_or(Error::Closed)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::Closed,
        })?;
        Ok(Pending { outcome })
    }
}

/// What was queued is still written before the writer ends.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.take();
        let Some(thread) = self.thread.take() else { return };
        // A job may have held the last handle: then this is the writer itself, about to end.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join(); // A panic of the writer was reported when it happened.
        }
    }
}

fn write_all(tx: &WriteTx, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP_MAX - 1));
        write_group(tx, group);
    }
    // Everything into the one file, so that a copy of it taken while nothing runs is whole.
    if let Err(error) = tx.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the log of writes stays beside the database");
    }
}

/// Runs a group of jobs in one transaction, and answers each after the commit.
fn write_group(tx: &WriteTx, group: Vec<Job>) {
    let (connection, began) = (tx.connection, Instant::now());
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        tracing::error!(%error, "cannot begin to write");
        group.into_iter().for_each(|job| (job.refuse)(lost(&error)));
        return;
    }
    let mut answers = Vec::with_capacity(group.len());
    let mut jobs = group.into_iter();
    let mut failure: Option<rusqlite::Error> = None;
    for job in jobs.by_ref() {
        match run_in_savepoint(tx, job) {
            Ok(answer) => answers.push(answer),
            Err((answer, error)) => {
                answers.extend(answer);
                failure = Some(error);
                break;
            }
        }
    }
    if failure.is_none() {
        crate::crash::point("before-commit");
        failure = connection.execute_batch("COMMIT").err();
        crate::crash::point("after-commit");
    }
    if let Some(error) = &failure {
        tracing::error!(%error, "a write failed and was taken back");
        end_if_disk_fails(error);
        if !connection.is_autocommit() {
            // If even this fails the next BEGIN fails too, and says so.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
    if failure.is_none() {
        measures::committed(answers.len(), began.elapsed());
    }
    for answer in answers {
        answer(failure.as_ref().map(lost));
    }
    for job in jobs {
        (job.refuse)(failure.as_ref().map_or(Error::Closed, lost));
    }
}

/// What a caller is told whose write was lost to this error.
fn lost(error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
        Some(ErrorCode::DiskFull) => Error::Full,
        Some(ErrorCode::ReadOnly) => Error::ReadOnly,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Damaged(error.to_string())
        }
        _ => Error::Impossible(format!("not written: {error}")),
    }
}

/// Ends the process if the disk fails. What a failed flush left behind is unknown, and a second
/// flush that succeeds proves nothing, for the system forgets what it could not write. Nobody is
/// answered; starting again reads what is really there.
fn end_if_disk_fails(error: &rusqlite::Error) {
    if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
        tracing::error!("the disk fails: ending at once");
        std::process::exit(1);
    }
}

/// Runs one job in its own savepoint. The error case means that the whole transaction is lost:
/// SQLite rolls everything back by itself on a full disk or an I/O error.
fn run_in_savepoint(tx: &WriteTx, job: Job) -> Result<Answer, (Option<Answer>, rusqlite::Error)> {
    let connection = tx.connection;
    if let Err(error) = execute(connection, "SAVEPOINT job") {
        (job.refuse)(Error::Closed);
        return Err((None, error));
    }
    let (ran, answer) = (job.run)(tx);
    let end = match ran {
        Ran::Kept => execute(connection, "RELEASE job"),
        Ran::Undone => connection.execute_batch("ROLLBACK TO job; RELEASE job"),
    };
    match end {
        Ok(()) => Ok(answer),
        Err(error) => Err((Some(answer), error)),
    }
}

/// Runs a statement that is prepared once.
fn execute(connection: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
