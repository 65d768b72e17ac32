//! `litegate doctor`: its checks, its deadline, and the first start on main.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::ports;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Genesis blocks of regtest and main.
pub(crate) const GENESIS_REGTEST: &str =
    "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9";
pub(crate) const GENESIS_MAIN: &str =
    "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2";

/// A `[[node]]` section.
fn section(rpc_url: &str, cookie_file: &Path) -> toml::Value {
    let mut table = toml::Table::new();
    table.insert("rpc_url".to_owned(), rpc_url.into());
    table.insert("cookie_file".to_owned(), cookie_file.display().to_string().into());
    table.into()
}

/// 1. Configure a node that does not answer, a slow node, and a silent public URL.
/// 2. Doctor ends within five seconds and reports each, and the finished checks.
#[test]
#[ignore = "long"]
fn doctor_reports_silent_endpoints_within_five_seconds() {
    let Some(node) = Node::shared() else { return };
    let (hole, slow) = (RpcProxy::before(&node.rpc_url()), RpcProxy::before(&node.rpc_url()));
    hole.set(Fault::Hole);
    slow.set(Fault::Slow(Duration::from_millis(1500)));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = Gateway::init(&node);
    let sections = [&hole, &slow].map(|proxy| section(&proxy.url(), node.cookie_file()));
    gateway.set("node", toml::Value::Array(sections.to_vec()));
    gateway.set("public_url", format!("http://{}", silent.local_addr().unwrap()));
    let said = gateway.cli(&["doctor"]);
    assert_eq!(said.code, 1, "{said:?}");
    let name = |proxy: &RpcProxy| proxy.url().trim_start_matches("http://").to_owned();
    for words in [
        format!("FAILURE  node: {}: ", name(&hole)),
        format!("ok       node: {}: on regtest", name(&slow)),
        format!("FAILURE  node: {}: not finished within 4 seconds", name(&slow)),
        "warning  public URL: ".to_owned(),
        "ok       database: ".to_owned(),
    ] {
        assert!(said.stdout.contains(&words), "{words:?} is not in {}", said.stdout);
    }
}

/// Puts a program that prints a line on the gateway's path.
fn put_in_path(gateway: &Gateway, name: &str, line: &str) {
    let folder = gateway.folder().join("programs");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), format!("#!/bin/sh\necho {line}\n")).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    gateway.set_environment("PATH", &format!("{}:/usr/bin:/bin", folder.display()));
}

/// 1. Doctor reports a synchronised clock and an ordinary mempool.
/// 2. Report an unsynchronised clock, a small and a full mempool: each is a warning.
#[test]
fn doctor_reports_an_unsynchronised_clock_and_full_mempool() {
    let Some(node) = Node::shared() else { return };
    let proxy = RpcProxy::before(&node.rpc_url());
    let gateway = Gateway::init(&node);
    gateway.set("node.rpc_url", proxy.url());
    put_in_path(&gateway, "timedatectl", "yes");
    let sound = gateway.doctor_ok().stdout;
    assert!(sound.contains("ok       time server: the clock is synchronised"), "{sound}");
    assert!(sound.contains("ok       mempool: holds 300 MB"), "{sound}");
    put_in_path(&gateway, "timedatectl", "no");
    proxy.set(Fault::Rewrite("\"maxmempool\":300000000", "\"maxmempool\":5000000"));
    let warned = gateway.doctor_ok().stdout;
    assert!(warned.contains("warning  time server: the clock is not synchronised"), "{warned}");
    assert!(warned.contains("warning  mempool: the mempool holds only 5 MB"), "{warned}");
    proxy.set(Fault::Rewrite("\"mempoolminfee\":0.00001000", "\"mempoolminfee\":0.00005000"));
    let full = gateway.doctor_ok().stdout;
    assert!(full.contains("it drops payments with a fee below 5000 litoshis"), "{full}");
}

/// 1. Report a hardware clock in UTC, and one in local time: only the second is a warning, which
///    names the zone.
#[test]
fn doctor_reports_a_hardware_clock_in_local_time() {
    let gateway = Gateway::offline();
    let program = |local: &str| {
        format!(
            "-n; case \"$*\" in *NTPSynchronized*) echo yes;; \
             *) printf 'LocalRTC={local}\\nTimezone=Europe/Berlin\\n';; esac"
        )
    };
    put_in_path(&gateway, "timedatectl", &program("no"));
    assert!(!gateway.doctor().stdout.contains("  time zone: "));
    put_in_path(&gateway, "timedatectl", &program("yes"));
    let said = gateway.doctor().stdout;
    let wanted = "warning  time zone: the hardware clock is in local time (Europe/Berlin)";
    assert!(said.contains(wanted) && said.contains("timedatectl set-local-rtc 0"), "{said}");
}

/// Proxies that make the node report main and a current version.
struct AsMain {
    _genesis: RpcProxy,
    _chain: RpcProxy,
    version: RpcProxy,
}

impl AsMain {
    fn before(node: &Node) -> AsMain {
        let genesis = RpcProxy::before(&node.rpc_url());
        genesis.set(Fault::Rewrite(GENESIS_REGTEST, GENESIS_MAIN));
        let chain = RpcProxy::before(&genesis.url());
        chain.set(Fault::Rewrite("\"chain\":\"regtest\"", "\"chain\":\"main\""));
        let version = RpcProxy::before(&chain.url());
        version.set(Fault::Rewrite("\"version\":21", "\"version\":22"));
        AsMain { _genesis: genesis, _chain: chain, version }
    }

    fn url(&self) -> String {
        self.version.url()
    }
}

/// A gateway that `init` created for main.
fn gateway_on_main() -> Gateway {
    let gateway = Gateway::bare();
    let folder = gateway.folder().display().to_string();
    assert_eq!(gateway.run(&["init", "--network", "main", "--dir", &folder]).code, 0);
    gateway.set("http.listen", format!("127.0.0.1:{}", gateway.port()));
    gateway.set("metrics.listen", format!("127.0.0.1:{}", ports::free()));
    gateway
}

/// 1. Start on main without a doctor run, and after one with failures: exit code 4.
/// 2. Run doctor without failure and start.
/// 3. Later starts succeed even if doctor fails.
#[test]
#[ignore = "long"]
fn the_first_start_on_main_requires_a_clean_doctor_run() {
    let Some(node) = Node::shared() else { return };
    let gateway = gateway_on_main();
    let first = "first start on main";
    gateway.set("node.rpc_url", format!("http://127.0.0.1:{}", ports::free()));
    gateway.set("node.cookie_file", node.cookie_file().display().to_string());
    gateway.cli_fails(&["serve"], 4, &[first, "never run", "--force"]);
    assert_eq!(gateway.doctor().code, 1, "there is no node");
    gateway.cli_fails(&["serve"], 4, &[first, "1 failure"]);
    let as_main = AsMain::before(&node);
    gateway.set("node.rpc_url", as_main.url());
    gateway.cli_fails(&["serve"], 4, &[first, "1 failure"]);
    gateway.doctor_ok();
    gateway.start();
    gateway.await_log(&["following the chain from here"]);
    gateway.term();
    as_main.version.set(Fault::Status(503));
    assert_eq!(gateway.doctor().code, 1);
    gateway.start();
    assert!(gateway.log_lines(&["--force"]).is_empty(), "{}", gateway.log());
}

#[test]
fn a_forced_first_start_on_main_is_logged_once() {
    let gateway = gateway_on_main();
    gateway.set("node.rpc_url", format!("http://127.0.0.1:{}", ports::free()));
    gateway.set("node.cookie_file", gateway.folder().join(".cookie").display().to_string());
    gateway.start_with(&["--force"]);
    gateway.await_log(&["warn", "first start on main with --force", "never run"]);
    gateway.restart();
}

/// 1. Configure an old node and a current one: doctor warns, the start leaves the old one out,
///    and metrics show it.
/// 2. Configure the old node alone: the start exits with 4.
#[test]
fn a_spare_node_that_is_too_old_is_skipped() {
    let Some(node) = Node::shared() else { return };
    let (old, fit) = (AsMain::before(&node), AsMain::before(&node));
    old.version.set(Fault::None);
    // The second node is newer than main requires, whatever the tests' node is.
    let ancient = RpcProxy::before(&old.url());
    ancient.set(Fault::Rewrite("\"version\":21", "\"version\":18"));
    let gateway = gateway_on_main();
    let sections = [ancient.url(), fit.url()].map(|url| section(&url, node.cookie_file()));
    gateway.set("node", toml::Value::Array(sections.to_vec()));
    let doctor = gateway.doctor_ok().stdout;
    let name = |url: String| url.trim_start_matches("http://").to_owned();
    let line = format!("warning  version: {}: ", name(ancient.url()));
    let line = doctor.lines().find(|found| found.starts_with(&line));
    assert!(line.is_some_and(|line| line.contains("it is left out")), "{doctor}");
    gateway.start();
    gateway.await_log(&["warn", "too old and is left out", &name(ancient.url())]);
    let metric = |what: &str, url: String, value: u8| {
        let line = format!("litegate_node_{what}{{node=\"{}\"}} {value}", name(url));
        wait_for(&line, SOON, || gateway.metrics().lines().any(|found| found == line));
    };
    metric("in_use", fit.url(), 1);
    metric("healthy", fit.url(), 1);
    metric("in_use", ancient.url(), 0);
    metric("healthy", ancient.url(), 0);
    gateway.term();
    gateway.set("node", toml::Value::Array(vec![section(&ancient.url(), node.cookie_file())]));
    gateway.cli_fails(&["serve"], 4, &["older than 0.21.5.4"]);
}

/// 1. Configure two nodes whose password files have equal names: refused, because credentials
///    would collide.
/// 2. The same file for both is valid.
#[test]
fn secret_files_with_equal_names_are_refused() {
    let Some(TestEnv { gateway, node, .. }) = TestEnv::shared() else { return };
    let (here, there) = (gateway.folder().join("rpc"), gateway.folder().join("other").join("rpc"));
    fs::create_dir(gateway.folder().join("other")).unwrap();
    for file in [&here, &there] {
        crate::harness::files::write_private(file, b"hush");
    }
    let with_password = |file: &Path, port: u16| {
        let mut table = toml::Table::new();
        table.insert("rpc_url".to_owned(), format!("http://127.0.0.1:{port}").into());
        table.insert("rpc_user".to_owned(), "litegate".into());
        table.insert("rpc_password_file".to_owned(), file.display().to_string().into());
        toml::Value::Table(table)
    };
    let list =
        |second: &Path| toml::Value::Array(vec![with_password(&here, 1), with_password(second, 2)]);
    gateway.set("node", list(&there));
    let words =
        ["node[2].rpc_password_file", "has the same name as the file of node[1].rpc_password_file"];
    gateway.cli_fails(&["check-config"], 2, &words);
    gateway.set("node", list(&here));
    gateway.cli_ok(&["check-config"]);
    gateway
        .set("node", toml::Value::Array(vec![section("http://127.0.0.1:1", node.cookie_file())]));
    gateway.set_environment("LITEGATE_NODE__RPC_URL", &node.rpc_url());
    gateway.doctor_ok();
}
