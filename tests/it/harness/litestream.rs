//! Litestream beside a gateway, with the project's configuration and other paths. Killed when
//! dropped.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::files;
use super::gateway::Gateway;
use super::wait::wait_for;

/// Deadline for the first replica.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Litestream for one gateway. The replica remains.
pub(crate) struct Litestream {
    program: PathBuf,
    config: PathBuf,
    database: String,
    replica: PathBuf,
    running: Option<Child>,
}

impl Litestream {
    /// Starts it for this gateway's existing database.
    #[track_caller]
    pub(crate) fn start(gateway: &Gateway) -> Litestream {
        let program = files::project().join("tests/litestream/bin/litestream");
        assert!(program.is_file(), "run tests/prepare.sh: it installs Litestream");
        let replica = gateway.folder().join("replica");
        let config = gateway.folder().join("litestream.yml");
        let sample = fs::read_to_string(files::project().join("config/litestream.yml")).unwrap();
        let (theirs, database) = ("/var/lib/litegate/litegate.db", gateway.setting("database"));
        let place = "/var/backups/litegate/replica";
        assert!(sample.contains(theirs) && sample.contains(place), "{sample}");
        let text = sample.replace(theirs, &database).replace(place, &replica.display().to_string());
        fs::write(&config, text).unwrap();
        let mut litestream = Litestream { program, config, database, replica, running: None };
        litestream.go_on();
        litestream
    }

    /// Starts it and waits for the first complete snapshot.
    #[track_caller]
    pub(crate) fn go_on(&mut self) {
        let process = self
            .command(&["replicate"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.running = Some(process);
        wait_for("a replica", PATIENCE, || {
            self.replica.is_dir() && !files::files_below(&self.replica, ".ltx").is_empty()
        });
    }

    /// Sends SIGKILL, as if its machine were lost.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.kill(); // It may have ended.
            let _ = running.wait();
        }
    }

    /// Restores the database from the replica, as the operator's guide says.
    ///
    /// # Errors
    /// Those of Litestream.
    pub(crate) fn restore(&self, to: &str) -> Result<(), String> {
        let words = files::guide_command(
            "litestream restore ",
            &[
                ("/etc/litegate/litestream.yml", &self.config.display().to_string()),
                ("/var/lib/litegate/from-replica.db", to),
                ("/var/lib/litegate/litegate.db", &self.database),
            ],
        );
        let output = Command::new(&self.program).args(&words[1..]).output().unwrap();
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("-config").arg(&self.config);
        command
    }
}

impl Drop for Litestream {
    fn drop(&mut self) {
        self.kill();
    }
}
