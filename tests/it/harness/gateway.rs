//! The gateway as an operator has it: a directory made by `litegate init`, an editable
//! configuration, a server that can be started, stopped and killed, and commands beside it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::files;
use super::http::{self, Answer};
use super::json::{self, Fields};
use super::node::Node;
use super::ports;
use super::rows::RowKey;
use super::wait::{SOON, wait_for, wait_until};

/// Deadline of a command.
const COMMAND: Duration = Duration::from_secs(300);

/// A gateway and its directory. Killed and removed when dropped.
pub(crate) struct Gateway {
    folder: TempDir,
    port: u16,
    environment: Mutex<Vec<(String, String)>>,
    running: Mutex<Option<Running>>,
    /// The logs of all servers of this directory.
    log: Arc<Mutex<String>>,
}

/// A `litegate serve`. Killed when dropped.
pub(super) struct Running {
    pub(super) process: Child,
    reader: Option<JoinHandle<()>>,
}

/// Output and exit code of a command.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Expects this exit code and these words, in any case.
    #[track_caller]
    fn assert_failed(&self, command: &str, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "litegate {command}: {self:?}");
        let said = format!("{}{}", self.stdout, self.stderr).to_lowercase();
        for word in words {
            assert!(said.contains(&word.to_lowercase()), "{word:?} is not in {self:?}");
        }
    }
}

impl Gateway {
    /// A stopped gateway beside this node, configured by `litegate init`: ZMQ, two
    /// confirmations, no automatic sweep during a test, webhooks to this machine allowed.
    pub(crate) fn init(node: &Node) -> Gateway {
        let gateway = Gateway::offline();
        gateway.set("node.rpc_url", node.rpc_url());
        gateway.set("node.cookie_file", node.cookie_file().display().to_string());
        gateway.set("node.zmq_rawtx", node.zmq_url());
        gateway.set("node.zmq_hashblock", node.zmq_url());
        gateway
    }

    /// As [`Gateway::init`], beside a node that does not run.
    pub(crate) fn offline() -> Gateway {
        let gateway = Gateway::bare();
        let folder = gateway.folder.path().display().to_string();
        let made = gateway.run(&["init", "--network", "regtest", "--dir", &folder]);
        assert_eq!(made.code, 0, "litegate init: {made:?}");
        gateway.set("public_url", format!("http://127.0.0.1:{}", gateway.port));
        gateway.set("http.listen", format!("127.0.0.1:{}", gateway.port));
        gateway.set("http.rate_per_key", 0);
        gateway.set("http.rate_per_address", 0);
        gateway.set("metrics.listen", format!("127.0.0.1:{}", ports::free()));
        gateway.set("node.rpc_url", format!("http://127.0.0.1:{}", ports::free()));
        gateway.set("node.cookie_file", format!("{folder}/.cookie"));
        gateway.set("node.zmq_rawtx", format!("tcp://127.0.0.1:{}", ports::free()));
        gateway.set("node.zmq_hashblock", gateway.setting("node.zmq_rawtx"));
        gateway.set("payments.confirmations", 2);
        gateway.set("clock.offset_file", gateway.clock_file().display().to_string());
        gateway.let_pass(Duration::ZERO);
        gateway.set("sweeper.interval", "12h");
        gateway.set("webhooks.allow_private_networks", true);
        gateway
    }

    /// An empty directory and a port.
    pub(crate) fn bare() -> Gateway {
        Gateway {
            folder: files::folder(),
            port: ports::free(),
            environment: Mutex::new(Vec::new()),
            running: Mutex::new(None),
            log: Arc::new(Mutex::new(String::new())),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("litegate.toml")
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> toml::Table {
        fs::read_to_string(self.config_file()).unwrap().parse().unwrap()
    }

    /// A string key of the configuration, such as `wallet.xpub`.
    #[track_caller]
    pub(crate) fn setting(&self, key: &str) -> String {
        let mut value = toml::Value::Table(self.config());
        for part in key.split('.') {
            value = value.get(part).unwrap_or_else(|| panic!("no key {key}")).clone();
        }
        value.as_str().unwrap_or_else(|| panic!("{key} is not a string")).to_owned()
    }

    /// Sets a key of the configuration, such as `payments.confirmations`.
    pub(crate) fn set(&self, key: &str, value: impl Into<toml::Value>) {
        let mut config = self.config();
        let (sections, name) = match key.rsplit_once('.') {
            Some((sections, name)) => (sections.split('.').collect(), name),
            None => (Vec::new(), key),
        };
        let mut table = &mut config;
        for section in sections {
            let entry = table.entry(section).or_insert_with(|| toml::Table::new().into());
            table = entry.as_table_mut().unwrap();
        }
        table.insert(name.to_owned(), value.into());
        fs::write(self.config_file(), config.to_string()).unwrap();
    }

    /// Removes a key from the configuration.
    pub(crate) fn unset(&self, key: &str) {
        let mut config = self.config();
        let (section, name) = key.split_once('.').unwrap();
        let table = config.get_mut(section).and_then(toml::Value::as_table_mut);
        table.and_then(|table| table.remove(name)).unwrap_or_else(|| panic!("no key {key}"));
        fs::write(self.config_file(), config.to_string()).unwrap();
    }

    fn clock_file(&self) -> PathBuf {
        self.folder.path().join("clock-offset")
    }

    /// Moves the gateway's clock ahead of the real one. The node's clock stays.
    pub(crate) fn let_pass(&self, time: Duration) {
        // Renamed into place, so that the gateway never reads half a number.
        let file = self.folder.path().join("clock-offset-next");
        fs::write(&file, time.as_millis().to_string()).unwrap();
        fs::rename(file, self.clock_file()).unwrap();
    }

    /// Overrides a key by an environment variable for all later commands.
    pub(crate) fn set_environment(&self, name: &str, value: &str) {
        self.environment.lock().unwrap().push((name.to_owned(), value.to_owned()));
    }

    /// Removes all variables of [`Gateway::set_environment`].
    pub(crate) fn clear_environment(&self) {
        self.environment.lock().unwrap().clear();
    }

    /// Makes the next start a later one: stores the node's answer that the account was unused.
    pub(crate) fn store_scan_answer(&self) {
        self.cli_ok(&["merchant", "list"]); // Makes the database.
        let database = rusqlite::Connection::open(self.setting("database")).unwrap();
        let sql = "INSERT INTO identity (name, value) VALUES ('account_scan', 'scanned')";
        assert_eq!(database.execute(sql, []).unwrap(), 1);
        RowKey::of(self).seal(&database);
    }

    /// Starts the server and waits until it says `ready`.
    #[track_caller]
    pub(crate) fn start(&self) {
        let before = self.spawn();
        self.await_ready(before);
    }

    /// As [`Gateway::start`], with further arguments.
    #[track_caller]
    pub(crate) fn start_with(&self, arguments: &[&str]) {
        let before = self.spawn_as(self.command(&[&["serve"], arguments].concat()));
        self.await_ready(before);
    }

    /// Starts the server without waiting. Answers where its part of the log begins.
    pub(crate) fn spawn(&self) -> usize {
        self.spawn_as(self.command(&["serve"]))
    }

    /// As [`Gateway::spawn`], after a shell prefix, such as `ulimit -n 256 && `.
    pub(crate) fn spawn_in_shell(&self, shell: &str) -> usize {
        let inner = self.command(&["serve"]);
        let mut command = Command::new("sh");
        command.args(["-c", &line_after(shell, &inner)]).current_dir(self.folder.path());
        copy_environment(&inner, &mut command);
        self.spawn_as(command)
    }

    /// As [`Gateway::spawn_in_shell`], in a separate mount namespace.
    pub(crate) fn spawn_after(&self, shell: &str) -> usize {
        self.spawn_as(self.command_after(shell, &["serve"]))
    }

    fn spawn_as(&self, command: Command) -> usize {
        let before = self.log().len();
        let started = Running::start(command, &self.log);
        let mut running = self.running.lock().unwrap();
        assert!(running.is_none(), "the gateway runs already");
        *running = Some(started);
        before
    }

    /// Waits for the line `ready` of the server whose log begins at `before`.
    #[track_caller]
    pub(crate) fn await_ready(&self, before: usize) {
        wait_for("the line `ready`", SOON, || {
            if let Some(running) = self.running.lock().unwrap().as_mut()
                && let Some(status) = running.process.try_wait().unwrap()
            {
                panic!("litegate serve ended ({status}):\n{}", self.log());
            }
            self.log()[before..].lines().any(|line| line == "ready")
        });
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.running.lock().unwrap().as_ref().expect("the gateway runs").process.id()
    }

    /// How the server has ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        let mut running = self.running.lock().unwrap();
        running.as_mut().expect("it was started").process.try_wait().unwrap()
    }

    /// Sends SIGKILL.
    pub(crate) fn kill(&self) {
        let mut running = self.running.lock().unwrap().take().expect("the gateway runs");
        running.process.kill().unwrap();
        running.process.wait().unwrap();
        running.join();
    }

    /// Sends SIGTERM and waits for a clean end.
    #[track_caller]
    pub(crate) fn term(&self) {
        let mut running = self.running.lock().unwrap().take().expect("the gateway runs");
        files::signal(running.process.id(), "TERM");
        let status =
            wait_until("the end after SIGTERM", SOON, || running.process.try_wait().unwrap());
        running.join();
        assert!(status.success(), "SIGTERM ended it with {status}:\n{}", self.log());
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        let running = self.running.lock().unwrap();
        files::signal(running.as_ref().expect("the gateway runs").process.id(), "HUP");
    }

    /// Stops and starts the server.
    #[track_caller]
    pub(crate) fn restart(&self) {
        self.term();
        self.start();
    }

    /// The whole log.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until a line of the log contains all these words, in any case.
    #[track_caller]
    pub(crate) fn await_log(&self, words: &[&str]) -> String {
        wait_until(&format!("a line of the log with {words:?}"), SOON, || {
            self.log_lines(words).into_iter().next()
        })
    }

    /// Waits until the watcher has recorded the tip at this height.
    #[track_caller]
    pub(crate) fn await_tip(&self, height: &str) {
        let metric = format!("litegate_chain_height {height}");
        wait_for(&metric, SOON, || self.metrics().lines().any(|line| line == metric));
    }

    /// Waits until the sweeper has recorded this many payout addresses of a merchant: the
    /// delay of a change counts from then.
    #[track_caller]
    pub(crate) fn await_addresses_seen(&self, merchant_id: &str, count: usize) {
        let what = format!("{count} addresses of {merchant_id} in the sweeper's record");
        wait_for(&what, SOON, || self.addresses_seen(merchant_id) >= count);
    }

    /// Number of a merchant's payout addresses in the sweeper's record.
    pub(crate) fn addresses_seen(&self, merchant_id: &str) -> usize {
        let file = format!("{}.record", self.setting("sweeper.seal_key_file"));
        let record = fs::read_to_string(file).unwrap_or_default();
        let start = format!("address {merchant_id} ");
        record.lines().filter(|line| line.starts_with(&start)).count()
    }

    /// The response of `/readyz`.
    pub(crate) fn readiness(&self) -> String {
        let port = self.setting("metrics.listen").rsplit_once(':').unwrap().1.parse().unwrap();
        http::request(port, "GET", "/readyz", &[], b"").unwrap().body
    }

    /// The metrics as Prometheus reads them.
    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        let port = self.setting("metrics.listen").rsplit_once(':').unwrap().1.parse().unwrap();
        http::request(port, "GET", "/metrics", &[], b"").unwrap().body
    }

    /// The lines of the log that contain all these words, in any case.
    pub(crate) fn log_lines(&self, words: &[&str]) -> Vec<String> {
        let has = |line: &str| {
            let line = line.to_lowercase();
            words.iter().all(|word| line.contains(&word.to_lowercase()))
        };
        self.log().lines().filter(|line| has(line)).map(str::to_owned).collect()
    }

    /// Runs a command with this gateway's configuration.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Output {
        let file = self.config_file().display().to_string();
        self.run(&[arguments, &["--config", &file]].concat())
    }

    /// Runs a command that must succeed and print one JSON object.
    #[track_caller]
    pub(crate) fn cli_json(&self, arguments: &[&str]) -> Fields {
        Fields::of(self.cli_ok(&[arguments, &["--json"]].concat()).stdout.trim())
    }

    /// Runs a command that must succeed and print a JSON list.
    #[track_caller]
    pub(crate) fn cli_list(&self, arguments: &[&str]) -> Vec<Fields> {
        json::list(self.cli_ok(&[arguments, &["--json"]].concat()).stdout.trim())
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn cli_ok(&self, arguments: &[&str]) -> Output {
        let output = self.cli(arguments);
        assert_eq!(output.code, 0, "litegate {arguments:?}: {output:?}");
        output
    }

    /// Runs a command that must fail with this exit code and these words.
    #[track_caller]
    pub(crate) fn cli_fails(&self, arguments: &[&str], code: i32, words: &[&str]) -> Output {
        let output = self.cli(arguments);
        output.assert_failed(&format!("{arguments:?}"), code, words);
        output
    }

    /// Runs `litegate doctor` until all checks finish: a busy machine may exceed the deadline.
    pub(crate) fn doctor(&self) -> Output {
        self.whole(&["doctor"])
    }

    /// As [`Gateway::doctor`], and no check may fail.
    #[track_caller]
    pub(crate) fn doctor_ok(&self) -> Output {
        let output = self.doctor();
        assert_eq!(output.code, 0, "{output:?}");
        output
    }

    /// As [`Gateway::doctor`], and a check must fail with these words.
    #[track_caller]
    pub(crate) fn doctor_fails(&self, words: &[&str]) -> Output {
        let output = self.doctor();
        output.assert_failed("doctor", 1, words);
        output
    }

    /// As [`Gateway::doctor`], as a list of findings.
    pub(crate) fn doctor_list(&self) -> Vec<Fields> {
        json::list(self.whole(&["doctor", "--json"]).stdout.trim())
    }

    fn whole(&self, arguments: &[&str]) -> Output {
        wait_until("a whole answer of doctor", COMMAND, || {
            let output = self.cli(arguments);
            (!output.stdout.contains("not finished within")).then_some(output)
        })
    }

    /// Runs a command with this gateway's configuration after a shell prefix, in a separate
    /// mount namespace.
    pub(crate) fn cli_after(&self, shell: &str, arguments: &[&str]) -> Output {
        self.run_as(self.command_after(shell, arguments))
    }

    /// A command in a shell, in a separate mount namespace.
    fn command_after(&self, shell: &str, arguments: &[&str]) -> Command {
        let inner = self.command(arguments);
        // A user other than root needs a user namespace.
        let flags = if files::user() != 0 { "-rm" } else { "-m" };
        let mut command = Command::new("unshare");
        command.arg(flags).args(propagation(flags));
        command.args(["sh", "-c", &line_after(shell, &inner)]).current_dir(self.folder.path());
        copy_environment(&inner, &mut command);
        command
    }

    /// Runs a command without changes, in the gateway's directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_as(self.command_bare(arguments))
    }

    fn run_as(&self, mut command: Command) -> Output {
        let shown = format!("{command:?}");
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = collect(process.stdout.take().unwrap());
        let stderr = collect(process.stderr.take().unwrap());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = process.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > COMMAND {
                process.kill().unwrap();
                process.wait().unwrap();
                panic!("{shown} did not end: {}", stderr.join().unwrap());
            }
            std::thread::park_timeout(Duration::from_millis(5));
        };
        Output {
            code: status.code().unwrap_or(-1),
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
        }
    }

    /// Runs a command with this gateway's configuration, and kills it after this time.
    pub(crate) fn run_killed(&self, arguments: &[&str], after: Duration) {
        let mut process = self
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while start.elapsed() < after {
            std::thread::park_timeout(after.saturating_sub(start.elapsed()));
        }
        let _ = process.kill(); // It may have ended.
        process.wait().unwrap();
    }

    /// A command with this gateway's configuration and environment, not started.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_bare(arguments);
        command.arg("--config").arg(self.config_file());
        command
    }

    fn command_bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(files::LITEGATE.as_str());
        // Variables of the user that runs the tests must not configure the gateway.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LITEGATE_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.folder.path());
        command.envs(self.environment.lock().unwrap().iter().map(|(name, value)| (name, value)));
        command
    }

    /// Sends a request to the public API.
    #[track_caller]
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        match http::request(self.port, method, path, headers, body.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }

    /// Sends a GET without headers.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // A failed test may have poisoned the lock; the process must end anyway.
        let running = self.running.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        drop(running.take());
        if std::thread::panicking()
            && let Ok(log) = self.log.lock()
        {
            println!("--- the gateway's log ---\n{log}--- end ---");
        }
    }
}

impl Running {
    /// Starts a server that logs to `log`.
    pub(super) fn start(mut command: Command, log: &Arc<Mutex<String>>) -> Running {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let log = Arc::clone(log);
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Running { process, reader: Some(reader) }
    }

    fn join(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// The process ends with the test.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill(); // It may have ended.
        let _ = self.process.wait();
        self.join();
    }
}

/// A shell line: the prefix, then this command by exec.
fn line_after(shell: &str, inner: &Command) -> String {
    let words: Vec<String> =
        inner.get_args().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    format!("{shell} exec '{}' {}", files::LITEGATE.as_str(), words.join(" "))
}

fn copy_environment(from: &Command, to: &mut Command) {
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
}

/// unshare(1) must not change the propagation of mounts in a root that is not a mount point,
/// as in chroot(1).
fn propagation(flags: &str) -> &'static [&'static str] {
    let tried = Command::new("unshare").args([flags, "true"]).stderr(Stdio::null()).status();
    match tried.is_ok_and(|status| status.success()) {
        true => &[],
        false => &["--propagation", "unchanged"],
    }
}

fn collect(mut from: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // Keep what was read before the pipe broke.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
