//! Files in other users' directories: root's commands switch to the directory's owner, and
//! follow, change or wait for nothing that this user put there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::files::{self, LITEGATE};
use crate::harness::gateway::{Gateway, Output};
use crate::harness::node::Node;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// The gateway's user and group, the sweeper's user, and an unrelated user.
/// None of them needs an entry in /etc/passwd.
const GATEWAY: u32 = 4001;
const STRANGER: u32 = 4002;
const SWEEPER: u32 = 4003;

/// How long a command may take, in seconds, as `timeout` takes it.
const PATIENCE: &str = "60";

/// Exit code of `timeout` after its deadline.
const TIMED_OUT: i32 = 124;

/// An installation as by the package: root owns configuration and keys, the database is in the
/// gateway user's directory, the record in the sweeper user's.
struct Installed {
    gateway: Gateway,
    node: std::sync::Arc<Node>,
    merchant: String,
}

impl Installed {
    /// `None` if tests without a node are wanted.
    fn new() -> Option<Installed> {
        assert_eq!(files::user(), 0, "this test needs root");
        let TestEnv { gateway, shop, node } = TestEnv::shared()?;
        gateway.term();
        let merchant = shop.merchant_id.clone();
        fs::set_permissions(gateway.folder(), PermissionsExt::from_mode(0o711)).unwrap();
        let installed = Installed { gateway, node, merchant };
        let (data, sweeper) = (installed.data(""), installed.gateway.folder().join("sweeper"));
        for (directory, uid, mode) in [(&data, GATEWAY, 0o2770), (&sweeper, SWEEPER, 0o700)] {
            fs::create_dir(directory).unwrap();
            chown(directory, Some(uid), Some(GATEWAY)).unwrap();
            fs::set_permissions(directory, PermissionsExt::from_mode(mode)).unwrap();
        }
        let gateway = &installed.gateway;
        for from in files::files_below(gateway.folder(), "") {
            let name = from.file_name().unwrap().to_string_lossy().into_owned();
            if !name.starts_with("litegate.db") || name.ends_with(".lock") {
                continue;
            }
            let to = installed.data(&name);
            fs::rename(from, &to).unwrap();
            chown(&to, Some(GATEWAY), Some(GATEWAY)).unwrap();
            fs::set_permissions(&to, PermissionsExt::from_mode(0o660)).unwrap();
        }
        let record = sweeper.join("record");
        fs::rename(format!("{}.record", gateway.setting("sweeper.seal_key_file")), &record)
            .unwrap();
        chown(&record, Some(SWEEPER), Some(GATEWAY)).unwrap();
        gateway.set("database", installed.data("litegate.db").display().to_string());
        gateway.set("sweeper.seal_state_file", record.display().to_string());
        fs::write(gateway.folder().join("victim"), "untouched").unwrap();
        fs::set_permissions(gateway.folder().join("victim"), PermissionsExt::from_mode(0o640))
            .unwrap();
        fs::create_dir(gateway.folder().join("root-only")).unwrap();
        fs::set_permissions(gateway.folder().join("root-only"), PermissionsExt::from_mode(0o700))
            .unwrap();
        Some(installed)
    }

    /// A file in the directory of the gateway's user.
    fn data(&self, name: &str) -> PathBuf {
        self.gateway.folder().join("data").join(name)
    }

    fn root_only(&self, name: &str) -> PathBuf {
        self.gateway.folder().join("root-only").join(name)
    }

    /// Runs a command as root, or as this user, for no longer than it may take.
    fn run(&self, arguments: &[&str], user: Option<u32>) -> Output {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("timeout");
        command.args(["-k", "1", PATIENCE, LITEGATE.as_str()]).args(arguments);
        command.arg("--config").arg(self.gateway.config_file()).current_dir(self.gateway.folder());
        if let Some(user) = user {
            command.uid(user).gid(GATEWAY);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    fn run_ok(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments, None);
        assert_eq!(output.code, 0, "litegate {arguments:?}: {output:?}");
        output
    }

    /// Files of root outside of the users' directories: content, owner and mode.
    fn of_root(&self) -> BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        for folder in [self.gateway.folder().to_owned(), self.gateway.folder().join("root-only")] {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let stat = fs::symlink_metadata(&path).unwrap();
                let bytes = if stat.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
                found.insert(path, (stat.uid(), stat.gid(), stat.mode(), bytes));
            }
        }
        found
    }

    /// Copies the directories of the users somewhere else, or back.
    fn copy_users(&self, from: &str, to: &str) {
        for name in ["data", "sweeper"] {
            let (from, to) = (format!("{from}{name}"), format!("{to}{name}"));
            let folder = self.gateway.folder();
            let _ = fs::remove_dir_all(folder.join(&to)); // It may not be there.
            let copied = Command::new("cp").args(["-a", &from, &to]).current_dir(folder).status();
            assert!(copied.unwrap().success());
        }
    }
}

/// What the user substitutes for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Impostor {
    LinkToKey,
    LinkToNewFile,
    HardLink,
    Fifo,
    Directory,
    Foreign,
}

const IMPOSTORS: [Impostor; 6] = [
    Impostor::LinkToKey,
    Impostor::LinkToNewFile,
    Impostor::HardLink,
    Impostor::Fifo,
    Impostor::Directory,
    Impostor::Foreign,
];

impl Impostor {
    fn take_place_of(self, file: &Path, installed: &Installed) {
        if file.is_dir() {
            fs::remove_dir_all(file).unwrap();
        }
        let _ = fs::remove_file(file); // It may not be there.
        let victim = installed.gateway.folder().join("victim");
        match self {
            Impostor::LinkToKey => symlink(&victim, file).unwrap(),
            Impostor::LinkToNewFile => symlink(installed.root_only("new"), file).unwrap(),
            Impostor::HardLink => fs::hard_link(&victim, file).unwrap(),
            Impostor::Fifo => {
                assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
                chown(file, Some(GATEWAY), Some(GATEWAY)).unwrap();
            }
            Impostor::Directory => {
                fs::create_dir(file).unwrap();
                chown(file, Some(GATEWAY), Some(GATEWAY)).unwrap();
            }
            Impostor::Foreign => {
                fs::write(file, "a stranger's").unwrap();
                chown(file, Some(STRANGER), Some(STRANGER)).unwrap();
                fs::set_permissions(file, PermissionsExt::from_mode(0o666)).unwrap();
            }
        }
    }
}

/// Commands that open files in users' directories. `FILE` is a copy of the database that only
/// root can read, `NEW` a file that does not exist.
const COMMANDS: [&[&str]; 16] = [
    &["merchant", "list"],
    &["payment", "list"],
    &["webhook", "list"],
    &["audit-log"],
    &["chain-guard", "show"],
    &["audit"],
    &["rescan", "--from-height", "1"],
    &["backup", "NEW"],
    &["backup", "--verify", "FILE"],
    &["sweep", "--dry-run"],
    &["sweep", "--psbt", "NEW"],
    &["sweep"],
    &["sweep", "--trust-database"],
    &["doctor"],
    &["restore", "FILE"],
    &["serve"],
];

/// Files that the gateway's user can replace and a command or role opens. Those of a line are
/// replaced together: no command opens one of them and stops before another.
const FILES: [&[&str]; 7] = [
    &["litegate.db"],
    &["litegate.db-wal"],
    &["litegate.db-shm", "litegate.db-journal"],
    &["litegate.db.high-water", "litegate.db.sweeper.lock"],
    &["litegate.db.api.lock", "litegate.db.bot.lock"],
    &["litegate.db.watcher.lock", "litegate.db.verify-wal"],
    &[
        "litegate.db.webhooks.lock",
        "litegate.db.restoring",
        "litegate.db.verify",
        "litegate.db.backup",
    ],
];

/// 1. Install with separate users for gateway and sweeper, who own database, mark and record.
/// 2. As the gateway's user, replace each file by a symbolic link, a dangling one, a hard
///    link, a FIFO, a directory, or another user's file.
/// 3. Run each command as root: it ends in time with at most one error line; no file of root
///    is changed or created unasked.
#[test]
#[ignore = "needs root, long"]
fn no_substituted_file_harms_files_of_root() {
    let Some(installed) = Installed::new() else { return };
    let copy = installed.root_only("copy.db").display().to_string();
    installed.run_ok(&["backup", &copy]);
    installed.copy_users("", "kept-");
    for files in FILES {
        for impostor in IMPOSTORS {
            for command in COMMANDS {
                for file in files {
                    impostor.take_place_of(&installed.data(file), &installed);
                }
                check_command(&installed, command, files[0], impostor, &copy);
                installed.copy_users("kept-", "");
            }
        }
    }
}

/// Runs a command and compares root's files before and after.
#[track_caller]
fn check_command(
    installed: &Installed,
    command: &[&str],
    file: &str,
    impostor: Impostor,
    copy: &str,
) {
    let new = installed.root_only("out").display().to_string();
    let words: Vec<&str> = command
        .iter()
        .map(|word| match *word {
            "FILE" => copy,
            "NEW" => &new,
            word => word,
        })
        .collect();
    let before = installed.of_root();
    let output = match command {
        ["serve"] => serve_until_ready_or_ended(installed),
        _ => installed.run(&words, None),
    };
    let what = format!("{impostor:?} for {file}, litegate {words:?}: {output:?}");
    let made = fs::metadata(&new).is_ok_and(|found| found.len() > 0);
    let _ = fs::remove_file(&new); // It may not be there.
    let mut after = installed.of_root();
    after.retain(|path, _| !path.ends_with("out"));
    assert_eq!(before, after, "{what}");
    assert!(output.code != TIMED_OUT && output.code != -1, "{what}");
    assert!(!output.stderr.contains("panicked"), "{what}");
    // Restore puts another file in the place of a database that is not one.
    let moved_away = command[0] == "restore" || command.contains(&"--verify");
    if file == "litegate.db" && !moved_away {
        assert_ne!(output.code, 0, "{what}");
        assert!(!made, "{what}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("litegate.db"), "{what}");
    }
    if command[0] != "serve" && output.code != 0 {
        assert_eq!(output.stderr.lines().count(), 1, "{what}");
    }
}

/// The output of `serve` until it is ready or ends.
fn serve_until_ready_or_ended(installed: &Installed) -> Output {
    let before = installed.gateway.spawn();
    let code = wait_until("ready, or the end", SOON, || {
        let ready = installed.gateway.log()[before..].lines().any(|line| line == "ready");
        installed.gateway.ended().map(|status| status.code().unwrap_or(-1)).or(ready.then_some(0))
    });
    installed.gateway.kill();
    let stderr = installed.gateway.log()[before..].to_owned();
    Output { code, stdout: String::new(), stderr }
}

/// 1. Install with two users.
/// 2. Run the commands as root, also on files that only root can access: they work.
/// 3. Every file that they created in the users' directories belongs to those users.
#[test]
#[ignore = "needs root"]
fn commands_of_root_act_as_the_users_of_the_directories() {
    let Some(installed) = Installed::new() else { return };
    let copy = installed.root_only("copy.db");
    let shown = copy.display().to_string();
    installed.run_ok(&["backup", &shown]);
    let stat = fs::metadata(&copy).unwrap();
    assert_eq!((stat.uid(), stat.mode() & 0o777), (0, 0o600));
    let again = installed.run(&["backup", &shown], None);
    assert_eq!(again.code, 2, "{again:?}");
    installed.run_ok(&["backup", "--verify", &shown]);
    installed.run_ok(&["restore", &shown]);
    let psbt = installed.root_only("out.psbt");
    let nothing = installed.run(&["sweep", "--psbt", &psbt.display().to_string()], None);
    assert!(nothing.stderr.contains("nothing is due"), "{nothing:?}");
    for command in [&["audit"][..], &["sweep"], &["sweep", "--dry-run"], &["audit-log"]] {
        installed.run_ok(command);
    }
    let doctor = installed.run(&["doctor"], None).stdout;
    for line in doctor.lines().filter(|line| !line.starts_with("ok")) {
        assert!(!line.contains("ermission"), "{doctor}");
    }
    assert!(doctor.contains("ok       seal key"), "{doctor}");
    for (directory, users) in [("data", &[GATEWAY, SWEEPER][..]), ("sweeper", &[SWEEPER])] {
        for entry in fs::read_dir(installed.gateway.folder().join(directory)).unwrap() {
            let (path, stat) =
                entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
            assert!(users.contains(&stat.uid()), "{}: {}", path.display(), stat.uid());
            assert_eq!(stat.gid(), GATEWAY, "{}", path.display());
            assert_eq!(stat.mode() & 0o007, 0, "{}", path.display());
        }
    }
}

/// 1. Install with two users; start each role as root: it switches to its user.
/// 2. Start it as that user: it works the same.
#[test]
#[ignore = "needs root"]
fn a_role_started_by_root_switches_to_its_user() {
    use crate::harness::roles::Part;
    let Some(installed) = Installed::new() else { return };
    for (roles, user) in [("api,watcher,webhooks", GATEWAY), ("sweeper", SWEEPER)] {
        let mut part = Part::of(roles);
        part.start(&installed.gateway);
        let status = fs::read_to_string(format!("/proc/{}/status", part.process())).unwrap();
        let ids = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(ids("Uid:"), vec![user.to_string(); 4], "{roles}");
        assert_eq!(ids("Gid:"), vec![GATEWAY.to_string(); 4], "{roles}");
        assert_eq!(ids("Groups:"), Vec::<String>::new(), "{roles}");
        assert_eq!(ids("CapEff:"), ["0000000000000000"], "{roles}");
        assert_eq!(ids("CapPrm:"), ["0000000000000000"], "{roles}");
    }
}

/// 1. As the gateway's user, link a lock file to the sweeper's record.
/// 2. Start the sweeper as root and as its user, and pay out as root.
/// 3. The record is intact, and the lock is beside it.
#[test]
#[ignore = "needs root"]
fn the_gateways_user_cannot_reach_the_seal_state() {
    let Some(installed) = Installed::new() else { return };
    let sweeper = installed.gateway.folder().join("sweeper");
    installed.run_ok(&["sweep"]); // It takes note of the shop's address.
    let record = fs::read(sweeper.join("record")).unwrap();
    assert!(!record.is_empty());
    for suffix in ["sweeper.lock", "api.lock", "high-water"] {
        let file = installed.data(&format!("litegate.db.{suffix}"));
        let _ = fs::remove_file(&file); // It may not be there.
        symlink(sweeper.join("record"), &file).unwrap();
    }
    installed.run_ok(&["sweep"]);
    let refused = installed.run(&["serve"], None);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("is a symbolic link"), "{refused:?}");
    assert_eq!(fs::read(sweeper.join("record")).unwrap(), record);
    assert!(sweeper.join("record.sweeper.lock").is_file());
}

/// 1. Put the database into a directory that every user can write.
/// 2. Commands of root refuse it by name, because no user owns it.
#[test]
#[ignore = "needs root"]
fn root_refuses_a_world_writable_directory() {
    let Some(installed) = Installed::new() else { return };
    chown(installed.data(""), Some(0), Some(0)).unwrap();
    fs::set_permissions(installed.data(""), PermissionsExt::from_mode(0o777)).unwrap();
    let refused = installed.run(&["merchant", "show", &installed.merchant], None);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("users other than root can write"), "{refused:?}");
    drop(installed.node);
}

/// 1. Make the directory, or its parent, writable for others: `init` exits with 4 and writes
///    nothing.
/// 2. Correct the mode: `init` succeeds.
#[test]
fn init_refuses_a_directory_that_others_can_write() {
    let gateway = Gateway::bare();
    let inner = gateway.folder().join("inner");
    fs::create_dir(&inner).unwrap();
    for (open, mode) in [(inner.as_path(), 0o777), (gateway.folder(), 0o757)] {
        fs::set_permissions(open, PermissionsExt::from_mode(mode)).unwrap();
        let directory = inner.display().to_string();
        let refused = gateway.run(&["init", "--network", "regtest", "--dir", &directory]);
        assert_eq!(refused.code, 4, "{mode:o}: {refused:?}");
        assert!(refused.stderr.contains("other users can write"), "{refused:?}");
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 0, "{mode:o}");
        fs::set_permissions(open, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let made =
        gateway.run(&["init", "--network", "regtest", "--dir", &inner.display().to_string()]);
    assert_eq!(made.code, 0, "{made:?}");
}

/// 1. Make the configuration or its directory writable for others: every command exits with 2,
///    and doctor reports only that.
/// 2. Correct the mode: the configuration is valid.
#[test]
fn a_configuration_that_others_can_change_is_refused() {
    let gateway = Gateway::offline();
    for (path, mode, back) in [
        (gateway.config_file(), 0o666, 0o600),
        (gateway.config_file(), 0o602, 0o600),
        (gateway.folder().to_owned(), 0o777, 0o700),
    ] {
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        for command in
            [&["check-config"][..], &["config", "show"], &["merchant", "list"], &["serve"]]
        {
            gateway.cli_fails(command, 2, &["litegate.toml", "can write", "chmod go-w"]);
        }
        let found = gateway.doctor_fails(&["FAILURE  config", "can write"]);
        assert_eq!(found.stdout.lines().count(), 1, "nothing of it is used: {found:?}");
        fs::set_permissions(&path, PermissionsExt::from_mode(back)).unwrap();
    }
    gateway.cli_ok(&["check-config"]);
}

/// 1. Let the configuration, or its directory, belong to another user.
/// 2. Commands of root refuse it and name that user.
#[test]
#[ignore = "needs root"]
fn root_refuses_a_configuration_of_another_user() {
    assert_eq!(files::user(), 0, "this test needs root");
    let gateway = Gateway::offline();
    for path in [gateway.config_file(), gateway.folder().to_owned()] {
        chown(&path, Some(STRANGER), Some(0)).unwrap();
        gateway.cli_fails(&["merchant", "list"], 2, &["litegate.toml", "user 4002"]);
        gateway.doctor_fails(&["litegate.toml", "user 4002"]);
        chown(&path, Some(0), Some(0)).unwrap();
    }
    gateway.cli_ok(&["check-config"]);
}

/// 1. Replace each configured file by a FIFO: `serve` refuses it without waiting.
/// 2. Replace the configuration by a FIFO: `check-config` refuses it.
#[test]
fn a_fifo_in_place_of_a_configured_file_is_refused_at_once() {
    for (key, serve) in [
        ("secret_file", &["serve"][..]),
        ("wallet.signing_key_file", &["serve"]),
        ("sweeper.seal_key_file", &["serve"]),
        ("sweeper.row_key_file", &["serve", "--only", "sweeper"]),
    ] {
        let gateway = Gateway::offline();
        let file = gateway.setting(key);
        fs::remove_file(&file).unwrap();
        assert!(Command::new("mkfifo").args(["-m", "600", &file]).status().unwrap().success());
        let refused = gateway.cli(serve);
        assert!([2, 4].contains(&refused.code), "{refused:?}");
        assert!(refused.stderr.contains("is a FIFO, not a regular file"), "{refused:?}");
    }
    let gateway = Gateway::offline();
    fs::remove_file(gateway.config_file()).unwrap();
    assert!(Command::new("mkfifo").arg(gateway.config_file()).status().unwrap().success());
    gateway.cli_fails(&["check-config"], 2, &["is a FIFO, not a regular file"]);
}
