//! Paths of the program and the project, and temporary directories.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;

/// The gateway's program built by cargo, or the one that `PROGRAM` names.
pub(crate) static LITEGATE: LazyLock<String> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "a variable of the tests' own")]
    std::env::var("PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_litegate").to_owned())
});

/// A directory that is removed when dropped.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("litegate-it-").tempdir().unwrap()
}

/// The project's directory.
pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first command of the how-to guides that begins with `start`, with replaced file names.
#[track_caller]
pub(crate) fn guide_command(start: &str, replaced: &[(&str, &str)]) -> Vec<String> {
    let pages = files_below(&project().join("static/docs/how-to"), ".md");
    let guides: String = pages.iter().map(|page| std::fs::read_to_string(page).unwrap()).collect();
    let line = guides.lines().map(str::trim).find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no guide has the command `{start}…`"));
    let put = |word: &str| {
        let by = replaced.iter().find(|(theirs, _)| *theirs == word);
        by.map_or(word, |(_, ours)| ours).to_owned()
    };
    line.split_whitespace().map(put).collect()
}

/// All files below a directory with this ending, by path.
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

/// A program on the path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The user that runs the tests; 0 is root.
pub(crate) fn user() -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid()
}

/// Sends a signal, such as `TERM`.
pub(crate) fn signal(pid: u32, name: &str) {
    // The shell's built-in: a minimal system has no kill program.
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .status()
        .unwrap();
    assert!(status.success(), "kill -{name} {pid}");
}
