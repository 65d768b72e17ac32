//! A `litegate serve` as an operator runs it, its log in a file, and what Linux says of it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::harness::files;
use super::harness::gateway::Gateway;

/// A gateway that has not said `ready` by then never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that runs until it is dropped.
pub(crate) struct Serving {
    process: Child,
    /// From the start of the process to the line `ready`.
    pub(crate) ready_after: Duration,
}

impl Serving {
    /// Starts all roles and waits for `ready`.
    pub(crate) fn start(gateway: &Gateway) -> Serving {
        Serving::start_with(gateway, &[])
    }

    /// As [`Serving::start`], with variables of the environment.
    pub(crate) fn start_with(gateway: &Gateway, environment: &[(&str, &str)]) -> Serving {
        let log = gateway.folder().join("serve.log");
        let mut command = Command::new(files::LITEGATE.as_str());
        command.arg("serve").arg("--config").arg(gateway.config_file()).stdin(Stdio::null());
        command.stderr(File::create(&log).unwrap());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LITEGATE_") {
                command.env_remove(name);
            }
        }
        command.envs(environment.iter().copied());
        let began = Instant::now();
        let mut process = command.spawn().unwrap();
        while !says_ready(&log) {
            if let Some(status) = process.try_wait().unwrap() {
                panic!("litegate serve: {status}\n{}", fs::read_to_string(&log).unwrap());
            }
            assert!(began.elapsed() < PATIENCE, "{}", fs::read_to_string(&log).unwrap());
            std::thread::park_timeout(Duration::from_millis(2));
        }
        Serving { process, ready_after: began.elapsed() }
    }

    /// Memory in use, in bytes (proc(5), VmRSS).
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
    }
}

fn says_ready(log: &Path) -> bool {
    fs::read_to_string(log).is_ok_and(|text| text.lines().any(|line| line == "ready"))
}

impl Drop for Serving {
    fn drop(&mut self) {
        files::signal(self.process.id(), "TERM");
        let _ = self.process.wait();
    }
}
