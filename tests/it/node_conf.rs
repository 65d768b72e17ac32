//! The node's configuration written by `litegate init`: with exactly this file, the gateway
//! may make only its own RPCs, and completes a payment.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::ports;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

/// A gateway and its node as `init --litecoin-conf` sets them up, on ports of the test's own.
fn set_up(change: impl Fn(String) -> String) -> Option<(Gateway, Node)> {
    let gateway = Gateway::bare();
    let file = gateway.folder().join("litecoin.conf");
    let folder = gateway.folder().display().to_string();
    let arguments = ["init", "--network", "regtest", "--dir", &folder, "--litecoin-conf"];
    let made = gateway.run(&[&arguments[..], &[file.to_str().unwrap()]].concat());
    assert_eq!(made.code, 0, "{made:?}");
    let text = fs::read_to_string(&file).unwrap();
    let password_file = gateway.setting("node.rpc_password_file");
    let password = fs::read_to_string(&password_file).unwrap();
    assert!(password.trim().len() >= 32 && !text.contains(password.trim()), "a hash only: {text}");
    let mode = fs::metadata(&password_file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{password_file}");
    // Only the ports are others: several tests run at a time.
    let (rpc_port, zmq_port) = (ports::free(), ports::free());
    let text = change(text)
        .replace("rpcport=19443", &format!("rpcport={rpc_port}"))
        .replace("127.0.0.1:28332", &format!("127.0.0.1:{zmq_port}"));
    fs::write(&file, text).unwrap();
    gateway.set("node.rpc_url", format!("http://127.0.0.1:{rpc_port}"));
    for key in ["node.zmq_rawtx", "node.zmq_hashblock"] {
        gateway.set(key, format!("tcp://127.0.0.1:{zmq_port}"));
    }
    gateway.set("public_url", format!("http://127.0.0.1:{}", gateway.port()));
    gateway.set("http.listen", format!("127.0.0.1:{}", gateway.port()));
    gateway.set("payments.confirmations", 2);
    let node = Node::start_from(&file, rpc_port, zmq_port)?;
    Some((gateway, node))
}

/// 1. Start a node with the configuration of `init`, and a gateway with its restricted RPC
///    user.
/// 2. Complete and sweep a payment; audit and doctor report no problem.
#[test]
fn a_node_configured_by_init_receives_a_payment() {
    let Some((gateway, node)) = set_up(|text| text) else { return };
    gateway.start();
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    wait_for("the payment is seen", SOON, || {
        shop.status(&payment.id).raw("amountReceivedLtc") == "0.05"
    });
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.cli_ok(&["sweep"]);
    node.mine(1);
    wait_for("the payout", SOON, || node.balance_of(&shop.payout_address) > 0);
    gateway.cli_ok(&["audit"]);
    let doctor = gateway.doctor();
    assert_eq!(doctor.code, 0, "{doctor:?}");
    assert!(doctor.stdout.contains("ok       calls:"), "{}", doctor.stdout);
    assert!(
        doctor.stdout.contains("ok       public URL: this gateway answers"),
        "{}",
        doctor.stdout
    );
    let streams = "ok       event streams: not checked, because no payment is open";
    assert!(doctor.stdout.contains(streams), "{}", doctor.stdout);
}

#[test]
fn doctor_reports_an_rpc_that_the_node_does_not_allow() {
    let narrow = |text: String| text.replace("testmempoolaccept,", "");
    let Some((gateway, _node)) = set_up(narrow) else { return };
    let doctor = gateway.doctor_list();
    let calls = doctor.iter().find(|finding| finding.text("check") == "calls").unwrap();
    assert_eq!(calls.text("verdict"), "failure");
    assert!(calls.text("what").ends_with("does not allow testmempoolaccept"), "{calls:?}");
    assert!(calls.text("fix").contains("rpcwhitelist="), "{calls:?}");
}
