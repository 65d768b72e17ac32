//! Tests of the callers' results when the writer fails, is slow, or loses a transaction.

use std::process::Command;
use std::sync::mpsc::{Sender, channel};

use super::*;
use crate::store::{Store, role_status};

/// A store whose callers wait twice this many milliseconds for their jobs to start.
fn open(patience_ms: u64) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("litegate.db");
    let store = Store::open_patient(&path, Duration::from_millis(patience_ms));
    (dir, store.expect("a new database"))
}

/// Blocks the writer until the sender is dropped, so that later jobs form one group.
fn hold(store: &Store) -> Sender<()> {
    let (begun, has_begun) = channel();
    let (release, released) = channel::<()>();
    let wait = move |_: &WriteTx| {
        begun.send(()).expect("the test waits");
        let _ = released.recv(); // ends when the sender is dropped
        Ok::<_, Error>(())
    };
    store.writer.submit(Commit::Shared, wait, |_| {}).expect("queued");
    has_begun.recv().expect("it runs");
    release
}

/// Queues a job; the receiver gets its outcome.
fn queue(
    store: &Store,
    job: impl FnOnce(&WriteTx) -> Result<(), Error> + Send + 'static,
) -> Receiver<Result<(), Error>> {
    let (sender, outcome) = channel();
    let deliver = move |outcome: Outcome<(), Error>| {
        sender.send(outcome.expect("no panic")).expect("the test waits");
    };
    store.writer.submit(Commit::Shared, job, deliver).expect("queued");
    outcome
}

fn note(role: &'static str) -> impl FnOnce(&WriteTx) -> Result<(), Error> + Send + 'static {
    move |tx| role_status::note(tx, role)
}

fn is_noted(store: &Store, role: &str) -> bool {
    store.read_blocking(|tx| role_status::is_noted(tx, role)).expect("read")
}

/// Writes more than the test's database may hold.
fn fill(tx: &WriteTx) -> Result<(), Error> {
    tx.connection.execute("INSERT INTO filler VALUES (zeroblob(4000000))", [])?;
    Ok(())
}

#[test]
fn a_lost_transaction_reports_its_cause_to_all_its_jobs() {
    let (_dir, store) = open(5_000);
    let prepare = |tx: &WriteTx| {
        let small = "CREATE TABLE filler (bytes BLOB); PRAGMA max_page_count = 300";
        Ok::<_, Error>(tx.connection.execute_batch(small)?)
    };
    store.write_blocking(prepare).expect("prepared");
    let held = hold(&store);
    let before = queue(&store, note("before"));
    let undone = queue(&store, |tx| note("undone")(tx).and(Err(Error::Closed)));
    let failing = queue(&store, fill);
    let after = queue(&store, note("after"));
    drop(held);
    let notified = |outcome: Receiver<_>| outcome.recv().expect("an answer");
    assert!(matches!(notified(failing), Err(Error::Full)), "SQLITE_FULL rolls everything back");
    let neighbour = notified(before);
    assert!(matches!(neighbour, Err(Error::Full)), "{neighbour:?}");
    assert!(matches!(notified(undone), Err(Error::Closed)), "its own error");
    notified(after).expect("what had not begun runs in the next group");
    let kept = ["before", "undone", "after"].map(|role| is_noted(&store, role));
    assert_eq!(kept, [false, false, true], "nothing is written by halves");
    store.write_blocking(note("later")).expect("the writer continues");
}

#[test]
fn a_lost_transaction_of_one_job_writes_nothing() {
    let (_dir, store) = open(5_000);
    let prepare = |tx: &WriteTx| {
        let small = "CREATE TABLE filler (bytes BLOB); PRAGMA max_page_count = 300";
        Ok::<_, Error>(tx.connection.execute_batch(small)?)
    };
    store.write_blocking(prepare).expect("prepared");
    let failed = store.write_blocking(|tx| note("before")(tx).and_then(|()| fill(tx)));
    assert!(matches!(failed, Err(Error::Full)), "{failed:?}");
    // A job that ignores the error has lost its writes all the same.
    let hidden = store.write_blocking(|tx| note("before")(tx).map(|()| fill(tx).is_ok()));
    assert!(matches!(hidden, Err(Error::Full)), "{hidden:?}");
    assert!(!is_noted(&store, "before"));
}

#[test]
fn a_job_abandoned_by_its_caller_never_runs() {
    let (_dir, store) = open(300);
    let held = hold(&store);
    let late = store.write_blocking(note("late"));
    assert!(matches!(late, Err(Error::Busy)), "{late:?}");
    let large = store.write_large_blocking(note("late"));
    assert!(matches!(large, Err(Error::Busy)), "{large:?}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let late = runtime.expect("a runtime").block_on(store.write(note("late")));
    assert!(matches!(late, Err(Error::Busy)), "{late:?}");
    drop(held);
    queue(&store, note("next")).recv().expect("an answer").expect("written");
    assert!(!is_noted(&store, "late"), "its caller got an error");
}

#[test]
fn the_caller_waits_for_a_started_job() {
    let (dir, store) = open(300);
    let other = Connection::open(dir.path().join("litegate.db")).expect("open");
    other.busy_timeout(Duration::from_millis(40)).expect("set");
    let (begun, has_begun) = channel();
    let (release, released) = channel::<()>();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| {
            store.write_blocking(move |tx| {
                begun.send(()).expect("the test waits");
                let _ = released.recv();
                note("slow")(tx)
            })
        });
        has_begun.recv().expect("it runs");
        // Longer than a caller waits for its job to start.
        let locked = (0..20).all(|_| other.execute_batch("BEGIN IMMEDIATE").is_err());
        assert!(locked, "the job is running");
        drop(release);
        slow.join().expect("no panic").expect("written");
    });
    assert!(is_noted(&store, "slow"));
}

#[test]
fn a_large_job_commits_alone() {
    let (_dir, store) = open(5_000);
    let held = hold(&store);
    let before = queue(&store, note("before"));
    let (sender, large) = channel();
    let in_savepoint =
        |tx: &WriteTx| Ok::<_, Error>(tx.connection.execute_batch("RELEASE job").is_ok());
    let deliver = move |outcome: Outcome<bool, Error>| {
        sender.send(outcome.expect("no panic")).expect("the test waits");
    };
    store.writer.submit(Commit::Alone, in_savepoint, deliver).expect("queued");
    let after = queue(&store, note("after"));
    drop(held);
    assert!(!large.recv().expect("an answer").expect("written"), "it runs in no savepoint");
    for outcome in [before, after] {
        outcome.recv().expect("an answer").expect("written");
    }
}

/// The name under which the next test runs itself in a child process.
const FAILING: &str = "store::writer::tests::the_process_with_the_failing_disk";

#[test]
fn an_io_error_inside_a_job_ends_the_process() {
    // Writes beyond this file size fail with EFBIG (setrlimit(2)): SQLITE_IOERR_WRITE.
    let script = "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\"";
    let this = std::env::current_exe().expect("this program");
    let mut child = Command::new("sh");
    child.args(["-c", script]).arg(this);
    let child = child.args(["--exact", FAILING, "--ignored", "--nocapture"]);
    let output = child.output().expect("sh");
    let message = String::from_utf8_lossy(&output.stdout);
    assert!(message.contains("the job failed"), "{output:?}");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!message.contains("answered"), "{output:?}");
}

#[test]
#[ignore = "run by the test above, with a disk that fails"]
fn the_process_with_the_failing_disk() {
    let (_dir, store) = open(5_000);
    let answered = store.write_blocking(|tx| {
        tx.connection.execute_batch("CREATE TABLE filler (bytes BLOB)")?;
        // More than the cache holds, so that a part is written before the commit.
        let failed = (0..20).find_map(|_| fill(tx).err());
        println!("the job failed: {failed:?}");
        Ok::<_, Error>(failed.is_some())
    });
    println!("answered {answered:?}");
}
