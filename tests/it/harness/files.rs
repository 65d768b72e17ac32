//! Where the program and the project's files are, and folders that go away by themselves.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The gateway's program, as cargo built it for these tests.
pub(crate) const LITEGATE: &str = env!("CARGO_BIN_EXE_litegate");

/// A folder that is removed when it is dropped.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("litegate-it-").tempdir().unwrap()
}

/// The project's folder.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder whose names end so, in the order of their paths.
pub(crate) fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A program on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Sends a signal, such as `TERM`, to a process of ours.
pub(crate) fn signal(pid: u32, name: &str) {
    // The shell's own kill: a small system has no program of that name.
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status()
        .unwrap();
    assert!(status.success(), "kill -{name} {pid}");
}
