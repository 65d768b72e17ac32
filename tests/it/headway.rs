//! Work that takes long says how far it is, to people and to systemd.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::gate::Gate;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::shop::Shop;
use crate::harness::terminal::Terminal;
use crate::harness::wait::{SOON, wait_for};

/// A gateway that asks its node through a proxy, and hears nothing by ZMQ, not started.
fn gate_with_proxy(node: &Node) -> (Gate, RpcProxy) {
    let proxy = RpcProxy::before(&node.rpc_url());
    let gate = Gate::init(node);
    gate.set("node.rpc_url", proxy.url());
    gate.unset("node.zmq_rawtx");
    gate.unset("node.zmq_hashblock");
    (gate, proxy)
}

/// A stopped gateway that has followed the chain for so many blocks.
fn stopped_after(blocks: u32) -> Option<(Gate, RpcProxy, Arc<Node>)> {
    let node = Arc::new(Node::start()?);
    let (gate, proxy) = gate_with_proxy(&node);
    gate.start();
    node.mine(blocks);
    gate.await_tip(&node.height().to_string());
    gate.term();
    Some((gate, proxy, node))
}

fn on_a_terminal(gate: &Gate, command: &str) -> Terminal {
    let (program, config) = (env!("CARGO_BIN_EXE_litegate"), gate.config_file());
    Terminal::start(&format!("{program} {command} --config {}", config.display()))
}

#[test]
#[ignore = "long"]
fn a_terminal_shows_a_bar_with_the_time_left() {
    let Some((gate, proxy, node)) = stopped_after(12) else { return };
    let copy = gate.folder().join("copy.db").display().to_string();
    gate.cli_ok(&["backup", &copy]);
    proxy.set(Fault::SlowCall("getblock", Duration::from_millis(150)));
    let ended = |terminal: &mut Terminal| {
        assert_eq!(terminal.code(), 0, "{}", terminal.screen());
        terminal.screen()
    };
    let screen = ended(&mut on_a_terminal(&gate, "rescan --from-height 1"));
    assert!(screen.contains("reading blocks again [=") && screen.contains("s left"), "{screen:?}");
    assert!(!screen.contains("\x1b[1A"), "it is one line: {screen:?}");
    let last = screen.trim_end().rsplit("\x1b[2K").next().unwrap();
    assert!(!last.contains("left"), "the bar is gone at the end: {screen:?}");
    proxy.set(Fault::SlowScan(Duration::from_millis(2500)));
    let screen = ended(&mut on_a_terminal(&gate, "audit"));
    let bar = "reading the node's unspent outputs [=";
    assert!(screen.contains(bar) && screen.contains("42 %"), "{screen}");
    // Catching up, in a trial of a copy.
    proxy.set(Fault::SlowCall("getblock", Duration::from_millis(150)));
    node.mine(12);
    let screen = ended(&mut on_a_terminal(&gate, &format!("backup --verify {copy}")));
    assert!(screen.contains("reading blocks [=") && screen.contains("clean"), "{screen}");
}

#[test]
#[ignore = "long"]
fn without_a_terminal_it_is_a_plain_line_now_and_then() {
    let Some((gate, proxy, node)) = stopped_after(16) else { return };
    gate.cli_ok(&["rescan", "--from-height", "1"]);
    assert_eq!(gate.cli_ok(&["audit"]).stderr, "", "short work is not spoken of");
    proxy.set(Fault::SlowCall("getblock", Duration::from_millis(450)));
    let said = gate.cli_ok(&["rescan", "--from-height", "1"]).stderr;
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("reading blocks again: ") && said.contains(" s left"), "{said}");
    assert!(!said.contains(['\x1b', '\r']), "{said:?}");
    // The log of a gateway that catches up says it, too.
    node.mine(16);
    gate.start();
    gate.await_log(&["info", "reading blocks: ", " of 16, about "]);
    gate.await_tip(&node.height().to_string());
    assert_eq!(gate.log_lines(&["reading blocks: "]).len(), 1, "{}", gate.log());
}

/// What the log says when systemd's watchdog is not fed.
const STILL: [&str; 1] = ["stands still"];

/// From its next start on the gateway is watched by a watchdog that waits for so many seconds.
fn watch_over(gate: &Gate, seconds: u64) -> UnixDatagram {
    let path = gate.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    gate.set_environment("NOTIFY_SOCKET", &path.display().to_string());
    gate.set_environment("WATCHDOG_USEC", &(seconds * 1_000_000).to_string());
    socket
}

#[test]
#[ignore = "long"]
fn a_first_start_that_takes_long_is_alive_all_the_time() {
    let Some(node) = Node::start() else { return };
    let (gate, proxy) = gate_with_proxy(&node);
    let xpub = gate.setting("wallet.xpub");
    node.send(&node.derive_addresses(&xpub, 7, 7)[0], "1");
    node.mine(1);
    proxy.set(Fault::SlowScan(Duration::from_secs(7)));
    let _socket = watch_over(&gate, 3);
    gate.start();
    gate.await_log(&["never gave out", "index=7"]);
    assert!(gate.log_lines(&STILL).is_empty(), "{}", gate.log());
    gate.await_log(&["info", "unspent outputs: 42 of 100"]);
}

#[test]
fn a_scan_of_somebody_else_is_waited_for() {
    let Some(node) = Node::start() else { return };
    let (gate, proxy) = gate_with_proxy(&node);
    let xpub = gate.setting("wallet.xpub");
    node.send(&node.derive_addresses(&xpub, 7, 7)[0], "1");
    node.mine(1);
    proxy.set(Fault::BusyScan);
    gate.start();
    wait_for("the operator is told why", SOON, || gate.readiness().contains("in use before"));
    proxy.set(Fault::None);
    gate.await_log(&["error", "never gave out", "index=7"]);
    let shop = Shop::open(&gate, &node, "Corner Shop");
    assert_eq!(shop.create("0.05").address, node.derive_addresses(&xpub, 8, 8)[0]);
}
