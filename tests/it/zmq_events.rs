//! ZMQ events are hints only: without ZMQ the gateway polls, and no message can mislead it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::passes::Passes;
use crate::harness::ports;
use crate::harness::proxy::Relay;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};
use crate::harness::zmq::{Publisher, unhex};

/// Removes the ZMQ endpoints.
fn without_zmq(gateway: &Gateway) {
    gateway.unset("node.zmq_rawtx");
    gateway.unset("node.zmq_hashblock");
}

/// 1. Run without ZMQ and complete a payment.
/// 2. Polling is logged once, and doctor reports it.
#[test]
fn without_zmq_the_watcher_polls_and_logs_it_once() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(without_zmq) else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.text("detail"), "seen");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    let said = gateway.log_lines(&["poll"]);
    assert_eq!(said.len(), 1, "said once: {said:?}");
    assert!(said[0].to_lowercase().contains("zmq"), "{said:?}");
    let doctor = gateway.doctor();
    let line = doctor.stdout.lines().find(|line| line.to_lowercase().contains("zmq"));
    let line = line.unwrap_or_else(|| panic!("doctor says nothing of ZMQ: {doctor:?}"));
    assert!(line.to_lowercase().contains("poll"), "{line}");
}

/// 1. Set ZMQ to a closed port: payments complete.
/// 2. After two tips without a message, the watcher logs polling.
/// 3. A new payment is seen within 3 seconds.
#[test]
fn the_watcher_polls_where_no_publisher_exists() {
    let test_env = TestEnv::alone_with(|gateway| {
        let nobody = format!("tcp://127.0.0.1:{}", ports::free());
        gateway.set("node.zmq_rawtx", nobody.clone());
        gateway.set("node.zmq_hashblock", nobody);
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    // A new tip may once precede its message; twice in a row is silence.
    node.mine(1);
    gateway.await_log(&["zmq", "poll"]);
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", Duration::from_secs(3));
}

/// 1. Double-spend a payment's transaction.
/// 2. Publish that transaction again, and recorded, cut, changed, oversized and malformed
///    messages.
/// 3. The payment receives nothing, and the gateway keeps running.
/// 4. Pay again: it completes.
#[test]
#[ignore = "long"]
fn no_zmq_message_can_mislead_or_stop_the_watcher() {
    let port = ports::free();
    let mut publisher = Publisher::bind(port);
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("node.zmq_rawtx", format!("tcp://127.0.0.1:{port}"));
        gateway.set("node.zmq_hashblock", format!("tcp://127.0.0.1:{port}"));
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    let sent: String = node.call("getrawtransaction", serde_json::json!([txid]));
    node.mine_exactly(&[&double_spend]);
    shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    for _ in 0..3 {
        publisher.publish("rawtx", &unhex(&sent));
    }
    for (topic, body, sequence) in recorded_frames() {
        publisher.publish_as(&topic, &body, sequence);
        publisher.publish_as(&topic, &body[..body.len() / 2], sequence);
        let mut changed = body.clone();
        changed[0] ^= 0xFF;
        publisher.publish_as(&topic, &changed, sequence.wrapping_mul(31));
    }
    for length in [0, 1, 4, 5, 9, 10, 11, 79, 80, 1_000_000] {
        publisher.publish("rawtx", &vec![0xFF; length]);
        publisher.publish("rawtx", &vec![0x00; length]);
        publisher.publish("hashblock", &vec![0xFF; length]);
    }
    publisher.publish("rawtx", &vec![2; 20_000_000]);
    publisher.publish_parts(&[b"rawtx"]);
    publisher.publish_parts(&[b"rawtx", b"body"]);
    publisher.publish_parts(&[b"rawtx", b"body", b"\x01"]);
    publisher.publish_parts(&[b"hashblock", b"", b"\x01\x00\x00\x00", b"more"]);
    publisher.publish_parts(&[b"rawtxandmore", b"", b""]);
    gateway.holds_for_passes(Passes::Watcher, "nothing received, and it lives", || {
        assert!(gateway.ended().is_none(), "it ended:\n{}", gateway.log());
        shop.status(&payment.id).raw("amountReceivedLtc") == "0"
    });
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

/// Frames that a real node published, including MWEB transactions.
fn recorded_frames() -> Vec<(String, Vec<u8>, u32)> {
    let file = files::project().join(Path::new("tests/fixtures/zmq-frames.jsonl"));
    let lines = std::fs::read_to_string(file).unwrap();
    let frames: Vec<(String, Vec<u8>, u32)> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line.get("topic").is_some())
        .map(|line| {
            let topic = line["topic"].as_str().unwrap().to_owned();
            let body = unhex(line["body"].as_str().unwrap());
            (topic, body, u32::try_from(line["sequence"].as_u64().unwrap()).unwrap())
        })
        .collect();
    assert!(frames.len() > 20, "the recording is there");
    frames
}

#[test]
fn every_payment_in_a_burst_of_transactions_completes() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let payments: Vec<_> = (0..20).map(|_| shop.create("0.01")).collect();
    for payment in &payments {
        node.send(&payment.address, "0.01");
    }
    node.mine(2);
    for payment in &payments {
        shop.await_status(&payment.id, "completed", SOON);
    }
}

/// A gateway with a publisher of the test instead of the node's.
fn test_env_with_publisher() -> Option<(TestEnv, Publisher)> {
    let port = ports::free();
    let publisher = Publisher::bind(port);
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("node.zmq_rawtx", format!("tcp://127.0.0.1:{port}"));
        gateway.set("node.zmq_hashblock", format!("tcp://127.0.0.1:{port}"));
    })?;
    await_metric(&test_env.gateway, "litegate_zmq_connections_total", 1);
    Some((test_env, publisher))
}

/// Waits until a metric has at least this value.
#[track_caller]
fn await_metric(gateway: &Gateway, name: &str, least: u64) {
    let mut last = String::new();
    wait_until(&format!("{name} at least {least}"), Duration::from_secs(40), || {
        let metrics = gateway.metrics();
        last = metrics.lines().find(|line| line.starts_with(name))?.to_owned();
        let value: u64 = last.rsplit_once(' ')?.1.parse().ok()?;
        (value >= least).then_some(())
    });
}

/// Expects that a payment is seen and completes.
#[track_caller]
fn goes_on(TestEnv { gateway, shop, node }: &TestEnv) {
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.cli_ok(&["audit"]);
}

/// 1. Publish sequence numbers that are lost, repeated, reordered or restarted.
/// 2. The gaps are counted, the watcher resyncs, and a payment completes.
#[test]
#[ignore = "long"]
fn zmq_sequence_errors_cause_a_resync() {
    #[track_caller]
    fn check(sequences: &[u32], gaps: u64) {
        let Some((test_env, publisher)) = test_env_with_publisher() else { return };
        // A subscription takes a moment; after that no message is lost.
        wait_until("the first message", SOON, || {
            publisher.publish_as("hashblock", &[7; 32], 0);
            let metrics = test_env.gateway.metrics();
            (!metrics.contains("litegate_zmq_messages_total 0")).then_some(())
        });
        for sequence in sequences {
            publisher.publish_as("rawtx", b"no transaction", *sequence);
        }
        await_metric(&test_env.gateway, "litegate_zmq_gaps_total", gaps);
        await_metric(&test_env.gateway, "litegate_zmq_resyncs_total", 1);
        goes_on(&test_env);
    }
    check(&[1, 2, 9], 1); // Lost.
    check(&[1, 2, 2], 1); // Repeated.
    check(&[1, 3, 2, 4], 3); // Reordered.
    check(&[7, 8, 0, 1], 1); // The publisher began anew.
}

#[test]
#[ignore = "long"]
fn malformed_zmq_messages_cause_a_resync() {
    let Some((test_env, publisher)) = test_env_with_publisher() else { return };
    wait_until("messages without form", SOON, || {
        publisher.publish_parts(&[b"rawtx"]);
        publisher.publish_parts(&[b"rawtx", b"a", b"b", b"c"]);
        publisher.publish_parts(&[b"hashblock", &[1; 31], &[0; 4]]);
        publisher.publish_parts(&[b"hashblock", &[1; 32], &[0; 3]]);
        (!test_env.gateway.metrics().contains("litegate_zmq_malformed_total 0")).then_some(())
    });
    await_metric(&test_env.gateway, "litegate_zmq_resyncs_total", 1);
    goes_on(&test_env);
}

/// 1. Publish a message of 9 MB: the connection closes and reopens.
/// 2. A payment completes.
#[test]
#[ignore = "long"]
fn a_huge_zmq_message_only_closes_the_connection() {
    let Some((test_env, mut publisher)) = test_env_with_publisher() else { return };
    wait_until("the connection breaks", SOON, || {
        publisher.publish("rawtx", &vec![0; 9 * 1024 * 1024]);
        let metrics = test_env.gateway.metrics();
        (!metrics.contains("litegate_zmq_connection_losses_total 0")).then_some(())
    });
    await_metric(&test_env.gateway, "litegate_zmq_connections_total", 2);
    goes_on(&test_env);
}

/// 1. Stop the publisher: the loss is counted, and a payment completes.
/// 2. Start it: the watcher reconnects, and a payment completes.
#[test]
#[ignore = "long"]
fn the_watcher_reconnects_to_a_restarted_publisher() {
    let port = ports::free();
    let publisher = Publisher::bind(port);
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("node.zmq_rawtx", format!("tcp://127.0.0.1:{port}"));
        gateway.set("node.zmq_hashblock", format!("tcp://127.0.0.1:{port}"));
    });
    let Some(test_env) = test_env else { return };
    await_metric(&test_env.gateway, "litegate_zmq_connections_total", 1);
    drop(publisher);
    await_metric(&test_env.gateway, "litegate_zmq_connection_losses_total", 1);
    goes_on(&test_env);
    let mut publisher = Publisher::bind(port);
    await_metric(&test_env.gateway, "litegate_zmq_connections_total", 2);
    publisher.publish("hashblock", &[7; 32]);
    goes_on(&test_env);
}

/// 1. Let a relay drop all packets silently: the loss is detected.
/// 2. Let it forward again: the watcher reconnects, and payments complete.
#[test]
#[ignore = "long"]
fn a_silently_broken_zmq_connection_is_reopened() {
    let port = ports::free();
    let _publisher = Publisher::bind(port);
    let relay = Relay::before(port);
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("node.zmq_rawtx", format!("tcp://127.0.0.1:{}", relay.port()));
        gateway.set("node.zmq_hashblock", format!("tcp://127.0.0.1:{}", relay.port()));
    });
    let Some(test_env) = test_env else { return };
    await_metric(&test_env.gateway, "litegate_zmq_connections_total", 1);
    relay.set_hole(true);
    await_metric(&test_env.gateway, "litegate_zmq_connection_losses_total", 1);
    goes_on(&test_env);
    relay.set_hole(false);
    await_metric(&test_env.gateway, "litegate_zmq_connections_total", 2);
    goes_on(&test_env);
}

/// 1. See a payment, then stop the node.
/// 2. Publish its transaction and unknown block hashes: nothing is confirmed.
#[test]
#[ignore = "long"]
fn zmq_events_change_nothing_while_the_node_is_silent() {
    let Some((test_env, mut publisher)) = test_env_with_publisher() else { return };
    let TestEnv { gateway, shop, node } = &test_env;
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.25");
    let raw: String = node.call("getrawtransaction", serde_json::json!([txid]));
    let unpaid = shop.create("0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.25", SOON);
    node.stop();
    gateway.await_log(&["watcher pass failed"]);
    for number in 0..20u8 {
        publisher.publish("rawtx", &unhex(&raw));
        publisher.publish("hashblock", &[number; 32]);
    }
    gateway.holds_for_passes(Passes::Watcher, "nothing is claimed", || {
        shop.status(&payment.id).raw("amountConfirmedLtc") == "0"
            && shop.status(&unpaid.id).raw("amountReceivedLtc") == "0"
    });
}
