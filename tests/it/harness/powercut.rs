//! Power cuts. `tests/powercut/recorder.c`, preloaded into the program, records its disk
//! operations; this module builds the files that a cut could leave.
//!
//! Model: flushed data is present. Of later writes to a file any part may be present, in
//! sectors of 512 bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::files;
use super::gateway::Gateway;
use super::random::Random;

/// Unit that a disk writes atomically, in bytes.
const SECTOR: usize = 512;

/// The recorder of a gateway's database.
pub(crate) struct Recorder {
    database: PathBuf,
    log: PathBuf,
    full: PathBuf,
    eio: PathBuf,
    base: Vec<u8>,
}

/// Behaviour of the recorded disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    Honest,
    /// Reports flushes without doing them.
    Liar,
}

impl Recorder {
    /// Records the stopped gateway from its next start on.
    pub(crate) fn preload(gateway: &Gateway, disk: Disk) -> Recorder {
        let database = PathBuf::from(gateway.setting("database"));
        let beside = |name: &str| gateway.folder().join(name);
        let recorder = Recorder {
            base: fs::read(&database).unwrap(),
            log: beside("requests"),
            full: beside("disk-is-full"),
            eio: beside("disk-fails"),
            database,
        };
        gateway.set_environment("LD_PRELOAD", &library().display().to_string());
        gateway.set_environment("POWERCUT_FILE", &recorder.database.display().to_string());
        gateway.set_environment("POWERCUT_LOG", &recorder.log.display().to_string());
        gateway.set_environment("POWERCUT_FULL", &recorder.full.display().to_string());
        gateway.set_environment("POWERCUT_EIO", &recorder.eio.display().to_string());
        if disk == Disk::Liar {
            gateway.set_environment("POWERCUT_LIAR", "1");
        }
        recorder
    }

    /// Position in the recording: a promise made now depends on no later request.
    pub(crate) fn position(&self) -> u64 {
        fs::metadata(&self.log).map_or(0, |log| log.len())
    }

    pub(crate) fn fill_disk(&self) {
        fs::write(&self.full, "").unwrap();
    }

    pub(crate) fn free_disk(&self) {
        fs::remove_file(&self.full).unwrap();
    }

    /// Lets flushes fail after this many.
    pub(crate) fn break_disk_after(&self, flushes: u64) {
        fs::write(&self.eio, flushes.to_string()).unwrap();
    }

    pub(crate) fn mend_disk(&self) {
        fs::remove_file(&self.eio).unwrap();
    }

    /// All requests with their end positions.
    pub(crate) fn requests(&self) -> Vec<(Request, u64)> {
        let log = fs::read(&self.log).unwrap();
        let mut requests = Vec::new();
        let mut at = 0;
        while at < log.len() {
            let number = |at: usize| u64::from_le_bytes(log[at..at + 8].try_into().unwrap());
            let (operation, file) = (log[at], log[at + 1]);
            let (offset, length) = (number(at + 2) as usize, number(at + 10) as usize);
            at += 18;
            let action = match operation {
                b'W' => {
                    at += length;
                    Action::Write { offset, data: log[at - length..at].to_vec() }
                }
                b'T' => Action::Truncate { length: offset },
                b'S' => Action::Flush,
                b'U' => Action::Unlink,
                other => panic!("not a request: {other}"),
            };
            requests.push((Request { file, action }, at as u64));
        }
        requests
    }

    /// Writes the files that a cut after these requests could leave. Answers the database.
    pub(crate) fn image(
        &self,
        requests: &[(Request, u64)],
        random: &mut Random,
        folder: &Path,
    ) -> PathBuf {
        let mut disk: BTreeMap<u8, Contents> = BTreeMap::new();
        disk.insert(b'd', Contents { flushed: Some(self.base.clone()), waiting: Vec::new() });
        for (request, _) in requests {
            let contents = disk.entry(request.file).or_default();
            match &request.action {
                Action::Flush => contents.flush(),
                action => contents.waiting.push(action),
            }
        }
        let database = folder.join("litegate.db");
        for (file, suffix) in [(b'd', ""), (b'w', "-wal"), (b'j', "-journal")] {
            let path = folder.join(format!("litegate.db{suffix}"));
            let _ = fs::remove_file(&path); // Of the image before this one.
            if let Some(bytes) = disk.get(&file).and_then(|contents| contents.after_cut(random)) {
                fs::write(path, bytes).unwrap();
            }
        }
        let _ = fs::remove_file(folder.join("litegate.db-shm"));
        database
    }
}

/// A disk operation.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    file: u8,
    action: Action,
}

#[derive(Debug, Clone)]
enum Action {
    Write { offset: usize, data: Vec<u8> },
    Truncate { length: usize },
    Flush,
    Unlink,
}

/// A file: flushed content, and pending writes.
#[derive(Debug, Default)]
struct Contents<'r> {
    flushed: Option<Vec<u8>>,
    waiting: Vec<&'r Action>,
}

impl Contents<'_> {
    fn flush(&mut self) {
        for action in std::mem::take(&mut self.waiting) {
            apply(&mut self.flushed, action, |_| true);
        }
    }

    /// Content after the cut: of each pending write all, nothing or some sectors.
    fn after_cut(&self, random: &mut Random) -> Option<Vec<u8>> {
        let mut left = self.flushed.clone();
        for action in &self.waiting {
            match random.below(3) {
                0 => {}
                1 => apply(&mut left, action, |_| true),
                _ => apply(&mut left, action, |_| random.below(2) == 0),
            }
        }
        left
    }
}

fn apply(file: &mut Option<Vec<u8>>, action: &Action, mut keep: impl FnMut(usize) -> bool) {
    match action {
        Action::Write { offset, data } => {
            let bytes = file.get_or_insert_default();
            for (number, piece) in sectors(*offset, data) {
                if keep(number) {
                    let end = number + piece.len();
                    bytes.resize(bytes.len().max(end), 0);
                    bytes[number..end].copy_from_slice(piece);
                }
            }
        }
        Action::Truncate { length } => {
            if keep(0) {
                file.get_or_insert_default().resize(*length, 0);
            }
        }
        Action::Unlink => {
            if keep(0) {
                *file = None;
            }
        }
        Action::Flush => {}
    }
}

/// Data in pieces at sector boundaries, with offsets.
fn sectors(offset: usize, data: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = offset + at;
        let length = (SECTOR - start % SECTOR).min(data.len() - at);
        let piece = &data[at..at + length];
        at += length;
        (length > 0).then_some((start, piece))
    })
}

/// The compiled recorder.
fn library() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let made = folder.join("powercut-recorder.so");
        let source = files::project().join("tests/powercut/recorder.c");
        let status = Command::new("cc")
            .args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .args([&made, &source])
            .args(["-ldl", "-lpthread"])
            .status()
            .expect("a C compiler");
        assert!(status.success(), "the recorder does not compile");
        made
    })
}
