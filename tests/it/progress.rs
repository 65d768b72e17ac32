//! Progress of long work, for users and for systemd.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::shop::Shop;
use crate::harness::terminal::Terminal;
use crate::harness::wait::{SOON, wait_for};

/// A stopped gateway that reaches its node through a proxy, without ZMQ.
fn gateway_with_proxy(node: &Node) -> (Gateway, RpcProxy) {
    let proxy = RpcProxy::before(&node.rpc_url());
    let gateway = Gateway::init(node);
    gateway.set("node.rpc_url", proxy.url());
    gateway.unset("node.zmq_rawtx");
    gateway.unset("node.zmq_hashblock");
    (gateway, proxy)
}

/// A stopped gateway that lags this many blocks behind.
fn stopped_after(blocks: u32) -> Option<(Gateway, RpcProxy, Arc<Node>)> {
    let node = Arc::new(Node::start()?);
    let (gateway, proxy) = gateway_with_proxy(&node);
    gateway.start();
    node.mine(blocks);
    gateway.await_tip(&node.height().to_string());
    gateway.term();
    Some((gateway, proxy, node))
}

fn on_a_terminal(gateway: &Gateway, command: &str) -> Terminal {
    let (program, config) = (env!("CARGO_BIN_EXE_litegate"), gateway.config_file());
    Terminal::start(&format!("{program} {command} --config {}", config.display()))
}

/// 1. Slow down the node and run `rescan`, `audit` and `backup --verify` on a terminal.
/// 2. Each shows one line with a bar and the remaining time, and clears it at the end.
#[test]
#[ignore = "long"]
fn a_terminal_shows_a_bar_with_the_time_left() {
    let Some((gateway, proxy, node)) = stopped_after(12) else { return };
    let copy = gateway.folder().join("copy.db").display().to_string();
    gateway.cli_ok(&["backup", &copy]);
    proxy.set(Fault::SlowCall("getblock", Duration::from_millis(150)));
    let ended = |terminal: &mut Terminal| {
        assert_eq!(terminal.code(), 0, "{}", terminal.screen());
        terminal.screen()
    };
    let screen = ended(&mut on_a_terminal(&gateway, "rescan --from-height 1"));
    assert!(screen.contains("reading blocks again [=") && screen.contains("s left"), "{screen:?}");
    assert!(!screen.contains("\x1b[1A"), "it is one line: {screen:?}");
    let last = screen.trim_end().rsplit("\x1b[2K").next().unwrap();
    assert!(!last.contains("left"), "the bar is gone at the end: {screen:?}");
    proxy.set(Fault::SlowScan(Duration::from_millis(2500)));
    let screen = ended(&mut on_a_terminal(&gateway, "audit"));
    let bar = "reading the node's unspent outputs [=";
    assert!(screen.contains(bar) && screen.contains("42 %"), "{screen}");
    proxy.set(Fault::SlowCall("getblock", Duration::from_millis(150)));
    node.mine(12);
    let screen = ended(&mut on_a_terminal(&gateway, &format!("backup --verify {copy}")));
    assert!(screen.contains("reading blocks [=") && screen.contains("clean"), "{screen}");
}

#[test]
#[ignore = "long"]
fn without_a_terminal_progress_is_plain_periodic_lines() {
    let Some((gateway, proxy, node)) = stopped_after(16) else { return };
    gateway.cli_ok(&["rescan", "--from-height", "1"]);
    assert_eq!(gateway.cli_ok(&["audit"]).stderr, "", "short work is not spoken of");
    proxy.set(Fault::SlowCall("getblock", Duration::from_millis(450)));
    let said = gateway.cli_ok(&["rescan", "--from-height", "1"]).stderr;
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("reading blocks again: ") && said.contains(" s left"), "{said}");
    assert!(!said.contains(['\x1b', '\r']), "{said:?}");
    // The log of a gateway that catches up reports it, too.
    node.mine(16);
    gateway.start();
    gateway.await_log(&["info", "reading blocks: ", " of 16, about "]);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(gateway.log_lines(&["reading blocks: "]).len(), 1, "{}", gateway.log());
}

/// The log line when the watchdog is not fed.
const STILL: [&str; 1] = ["a role hangs"];

/// Enables a watchdog with this many seconds from the next start on.
fn watch_over(gateway: &Gateway, seconds: u64) -> UnixDatagram {
    let path = gateway.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    gateway.set_environment("NOTIFY_SOCKET", &path.display().to_string());
    gateway.set_environment("WATCHDOG_USEC", &(seconds * 1_000_000).to_string());
    socket
}

#[test]
#[ignore = "long"]
fn a_long_first_start_keeps_sending_heartbeats() {
    let Some(node) = Node::start() else { return };
    let (gateway, proxy) = gateway_with_proxy(&node);
    let xpub = gateway.setting("wallet.xpub");
    node.send(&node.derive_addresses(&xpub, 7, 7)[0], "1");
    node.mine(1);
    proxy.set(Fault::SlowScan(Duration::from_secs(7)));
    let _socket = watch_over(&gateway, 3);
    gateway.start();
    gateway.await_log(&["never issued", "index=7"]);
    assert!(gateway.log_lines(&STILL).is_empty(), "{}", gateway.log());
    gateway.await_log(&["info", "unspent outputs: 42 of 100"]);
}

#[test]
fn a_scan_of_another_client_is_awaited() {
    let Some(node) = Node::start() else { return };
    let (gateway, proxy) = gateway_with_proxy(&node);
    let xpub = gateway.setting("wallet.xpub");
    node.send(&node.derive_addresses(&xpub, 7, 7)[0], "1");
    node.mine(1);
    proxy.set(Fault::BusyScan);
    gateway.start();
    wait_for("the operator is told why", SOON, || gateway.readiness().contains("earlier use"));
    proxy.set(Fault::None);
    gateway.await_log(&["error", "never issued", "index=7"]);
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    assert_eq!(shop.create("0.05").address, node.derive_addresses(&xpub, 8, 8)[0]);
}
