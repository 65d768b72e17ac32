//! Output of commands: data on standard output, the one error line on standard error.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use super::failure::Failure;

/// The output format of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

/// Prints one JSON document. Serialised as text at once, so that amounts keep their digits.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?;
    print_line(&text)
}

/// Prints a line. A closed pipe (`| head`) is no error.
pub(super) fn print_line(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Failed(format!("standard output: {error}"))),
    }
}

/// Prints a warning or a note on standard error, if that can be written: unlike `eprintln!`, a
/// closed or full standard error ends no work.
pub(super) fn print_note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}"); // There is no other place to report it.
}

/// Deadline for the error line.
const LAST_LINE: Duration = Duration::from_secs(1);

/// Prints the error line. A reader that stalls does not keep the process from ending.
pub(super) fn print_error(line: String) {
    let (printed, done) = mpsc::channel();
    let print = move || {
        let _ = writeln!(std::io::stderr(), "{line}"); // It may be closed.
        let _ = printed.send(());
    };
    if std::thread::Builder::new().spawn(print).is_ok() {
        let _ = done.recv_timeout(LAST_LINE);
    }
}
