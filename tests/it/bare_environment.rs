//! Commands in a bare environment: without variables, with a closed standard input, full
//! outputs, without a configuration file, as an ordinary user in a directory of others.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::harness::files::{self, LITEGATE};
use crate::harness::gateway::Gateway;

/// Commands that need no node, and how they end.
const COMMANDS: [(&str, i32); 19] = [
    ("--help", 0),
    ("--version", 0),
    ("merchant --help", 0),
    ("openapi", 0),
    ("completions bash", 0),
    ("bot commands", 0),
    ("check-config", 0),
    ("config show", 0),
    ("merchant list --json", 0),
    ("payment list --json", 0),
    ("webhook list --json", 0),
    ("audit-log --verify", 0),
    ("secret status", 0),
    ("chain-guard show", 0),
    ("sweep --dry-run", 0),
    ("sweeper-webhook-secret", 0),
    ("doctor", 1),
    ("audit", 3),
    ("no-such-command", 2),
];

/// Runs a command without any variable. `redirection` is the shell's, such as `<&-`.
fn run_bare(folder: &Path, line: &str, redirection: &str) -> Output {
    let config = folder.join("litegate.toml");
    let named =
        if config.exists() { format!(" --config {}", config.display()) } else { String::new() };
    let script = format!("exec env -i {} {line}{named} {redirection}", LITEGATE.as_str());
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(folder).stdin(Stdio::null());
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// 1. Run each command without variables (`TERM`, `LANG`, `HOME`, `TZ`, `PATH`) and with a closed
///    standard input.
/// 2. It ends as usual, with at most one line on standard error.
#[test]
fn commands_need_no_variables_and_no_standard_input() {
    let gateway = Gateway::offline();
    for (line, code) in COMMANDS {
        let output = run_bare(gateway.folder(), line, "<&-");
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        let lines = stderr(&output).lines().count();
        assert_eq!(lines, usize::from(code != 0), "{line}: {}", stderr(&output));
    }
}

/// 1. Run each command that prints with standard output on a full device.
/// 2. It exits with 1 and reports that in one line.
#[test]
fn a_full_standard_output_is_reported() {
    let gateway = Gateway::offline();
    for (line, code) in COMMANDS {
        if code >= 2 {
            continue; // Nothing is printed on standard output.
        }
        let output = run_bare(gateway.folder(), line, ">/dev/full");
        assert_eq!(output.status.code(), Some(1), "{line}: {output:?}");
        let said = stderr(&output);
        assert!(said.contains("standard output: No space left on device"), "{line}: {said}");
        assert_eq!(said.lines().count(), 1, "{line}: {said}");
    }
}

/// 1. Run each command with standard error on a full device and closed: it ends as usual.
/// 2. A command that only warns does its work.
#[test]
fn an_unwritable_standard_error_ends_no_command() {
    let gateway = Gateway::offline();
    let added = gateway.cli_ok(&["merchant", "add", "--name", "Shop", "--json"]).stdout;
    let added: serde_json::Value = serde_json::from_str(&added).unwrap();
    let id = added["merchantId"].as_str().unwrap();
    let address = "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs3";
    let twice = format!("merchant set-address {id} {address}");
    let first = run_bare(gateway.folder(), &twice, "");
    assert!(first.status.success(), "{first:?}");
    for redirection in ["2>/dev/full", "2>&-"] {
        for (line, code) in COMMANDS.into_iter().chain([(twice.as_str(), 0)]) {
            let output = run_bare(gateway.folder(), line, redirection);
            assert_eq!(output.status.code(), Some(code), "{line} {redirection}: {output:?}");
        }
    }
}

/// 1. Run commands in an empty directory, without a configuration file anywhere.
/// 2. Each exits with 2 and says which files do not exist, and what to do.
#[test]
fn a_missing_configuration_file_is_named() {
    let folder = files::folder();
    for line in ["doctor", "serve", "merchant list", "backup copy.db", "sweep"] {
        let output = run_bare(folder.path(), line, "");
        assert_eq!(output.status.code(), Some(2), "{line}: {output:?}");
        let said = stderr(&output);
        assert!(said.contains("neither ./litegate.toml nor /etc/litegate/litegate.toml"), "{said}");
        assert!(said.contains("--config"), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

/// 1. As an ordinary user in a directory of root, run commands that write: refused by name.
/// 2. `init` into a directory of the user; every command works with it.
/// 3. Root's configuration is not readable: the command says so.
#[test]
#[ignore = "needs root"]
fn an_ordinary_user_works_in_its_own_directory_only() {
    const USER: u32 = 65_534;
    assert_eq!(files::user(), 0, "this test needs root");
    let (roots, own) = (files::folder(), files::folder());
    fs::set_permissions(roots.path(), PermissionsExt::from_mode(0o755)).unwrap();
    chown(own.path(), Some(USER), Some(USER)).unwrap();
    let run = |line: &str| {
        let user = USER.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "env", "-i"]);
        command.arg(LITEGATE.as_str()).args(line.split(' ')).current_dir(roots.path());
        command.stdin(Stdio::null()).output().unwrap()
    };
    for line in ["init --network regtest", "man pages"] {
        let refused = run(line);
        assert_eq!(refused.status.code(), Some(1), "{line}: {refused:?}");
        assert!(stderr(&refused).contains("Permission denied"), "{refused:?}");
    }
    assert_eq!(fs::read_dir(roots.path()).unwrap().count(), 0, "nothing was written");
    let made = run(&format!("init --network regtest --dir {}", own.path().display()));
    assert!(made.status.success(), "{made:?}");
    let config = own.path().join("litegate.toml");
    for (line, code) in COMMANDS.into_iter().filter(|(line, _)| !line.starts_with('-')) {
        let output = run(&format!("{line} --config {}", config.display()));
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
    }
    chown(&config, Some(0), Some(0)).unwrap();
    fs::set_permissions(&config, PermissionsExt::from_mode(0o600)).unwrap();
    let refused = run(&format!("merchant list --config {}", config.display()));
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(stderr(&refused).contains("Permission denied"), "{refused:?}");
}

/// The macros of the standard library panic if an output cannot be written.
#[test]
fn the_program_does_not_print_by_panicking_macros() {
    for file in files::files_below(&files::project().join("src"), ".rs") {
        let path = file.display().to_string();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let found = ["println!(", "print!("].iter().any(|name| code.contains(name));
        assert!(!found || path.contains("/tests"), "{path}: use print_line or print_note");
    }
}
