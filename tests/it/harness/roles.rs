//! A gateway whose roles run in separate processes, as with one systemd unit each. Each can be
//! killed and started while the others continue.

use std::sync::{Arc, Mutex};

use super::gateway::{Gateway, Running};
use super::ports;
use super::wait::{SOON, wait_for};

/// One process with some of the roles.
pub(crate) struct Part {
    /// As `--only` takes them: `api,webhooks`.
    roles: &'static str,
    /// Metrics address of this process; the shared one is the watcher's.
    metrics: Option<String>,
    environment: Vec<(String, String)>,
    running: Option<Running>,
    log: Arc<Mutex<String>>,
}

impl Part {
    /// A process of this gateway, not started.
    pub(crate) fn of(roles: &'static str) -> Part {
        let own_metrics = !roles.contains("watcher");
        Part {
            roles,
            metrics: own_metrics.then(|| format!("127.0.0.1:{}", ports::free())),
            environment: Vec::new(),
            running: None,
            log: Arc::default(),
        }
    }

    /// Sets an environment variable of this process from its next start on.
    pub(crate) fn set_environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn roles(&self) -> &'static str {
        self.roles
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Metrics of this process, which is not the watcher's.
    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        let listen = self.metrics.as_ref().expect("metrics of its own");
        let port = listen.rsplit_once(':').unwrap().1.parse().unwrap();
        super::http::request(port, "GET", "/metrics", &[], b"").unwrap().body
    }

    /// Number of database reads by this process.
    #[track_caller]
    pub(crate) fn reads(&self) -> u64 {
        let metrics = self.metrics();
        let line = metrics.lines().find_map(|l| l.strip_prefix("litegate_database_reads_total "));
        line.expect("the count").parse().unwrap()
    }

    /// The running process.
    #[track_caller]
    pub(crate) fn process(&self) -> u32 {
        self.running.as_ref().expect("it runs").process.id()
    }

    /// Starts it without waiting. Answers where its part of the log begins.
    pub(crate) fn spawn(&mut self, gateway: &Gateway) -> usize {
        assert!(self.running.is_none(), "{} runs already", self.roles);
        let before = self.log().len();
        let mut command = gateway.command(&["serve", "--only", self.roles]);
        command.envs(self.metrics.iter().map(|listen| ("LITEGATE_METRICS__LISTEN", listen)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.running = Some(Running::start(command, &self.log));
        before
    }

    /// Starts it and waits until it says `ready`.
    #[track_caller]
    pub(crate) fn start(&mut self, gateway: &Gateway) {
        let before = self.spawn(gateway);
        wait_for("the line `ready`", SOON, || {
            assert!(!self.has_ended(), "{} ended by itself:\n{}", self.roles, self.log());
            self.log()[before..].lines().any(|line| line == "ready")
        });
    }

    /// SIGKILL, if it runs.
    pub(crate) fn kill(&mut self) {
        self.running = None;
    }

    pub(crate) fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// Whether it was started and has ended unexpectedly.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| running.process.try_wait().unwrap().is_some())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking()
            && let Ok(log) = self.log.lock()
        {
            let tail: Vec<&str> = log.lines().rev().take(200).collect();
            println!("--- the log of {}, newest line first ---", self.roles);
            println!("{}\n--- end ---", tail.join("\n"));
        }
    }
}
