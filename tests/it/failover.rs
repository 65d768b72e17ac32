//! Several nodes: one is followed at a time, and another one when it fails.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::passes::Passes;
use crate::harness::ports;
use crate::harness::receiver::Receiver;
use crate::harness::shop::{Created, Shop};
use crate::harness::wait::{SOON, wait_for, wait_until};

/// Longer than a node needs to be followed again: ten timeouts and some probes.
const STEADY: Duration = Duration::from_secs(60);

/// A node that others can connect to, and its address.
struct Peer {
    node: Node,
    at: String,
}

impl Peer {
    fn stopped() -> Option<Peer> {
        let at = format!("127.0.0.1:{}", ports::free());
        let port = at.rsplit_once(':').unwrap().1;
        let node = Node::stopped_with(&[
            "-listen=1",
            &format!("-bind={at}"),
            &format!("-port={port}"),
            "-whitelist=noban,relay@127.0.0.1",
        ])?;
        Some(Peer { node, at })
    }

    /// Connects to another node and waits until both have the same tip.
    fn connect(&self, other: &Peer) {
        self.node.call::<Value>("addnode", json!([other.at, "onetry"]));
        wait_for("both nodes on one tip", SOON, || self.tip() == other.tip());
    }

    /// Disconnects all its peers.
    fn cut(&self) {
        let peers: Vec<Value> = self.node.call("getpeerinfo", json!([]));
        for peer in &peers {
            self.node.call::<Value>("disconnectnode", json!(["", peer["id"]]));
        }
        wait_for("no connection", SOON, || {
            self.node.call::<Vec<Value>>("getpeerinfo", json!([])).is_empty()
        });
    }

    fn tip(&self) -> String {
        self.node.call("getbestblockhash", json!([]))
    }

    /// Waits until a transaction is in its mempool.
    #[track_caller]
    fn await_tx(&self, txid: &str) {
        wait_for("a relayed transaction", SOON, || self.node.mempool().iter().any(|id| id == txid));
    }

    /// Its `[[node]]` section.
    fn section(&self) -> toml::Value {
        let mut table = toml::Table::new();
        table.insert("rpc_url".to_owned(), self.node.rpc_url().into());
        let cookie = self.node.cookie_file().display().to_string();
        table.insert("cookie_file".to_owned(), cookie.into());
        table.insert("zmq_rawtx".to_owned(), self.node.zmq_url().into());
        table.insert("zmq_hashblock".to_owned(), self.node.zmq_url().into());
        table.into()
    }

    /// Its name in logs and metrics.
    fn name(&self) -> String {
        self.node.rpc_url().trim_start_matches("http://").to_owned()
    }
}

/// Two connected nodes, of which the gateway follows the first.
fn pair(configure: impl FnOnce(&Gateway)) -> Option<(Peer, Peer, Gateway)> {
    let (first, second) = (Peer::stopped()?, Peer::stopped()?);
    first.node.up();
    second.node.up_with(&[]);
    second.connect(&first);
    let gateway = Gateway::init(&first.node);
    gateway.set("node", toml::Value::Array(vec![first.section(), second.section()]));
    gateway.set("failover.timeout", "2s");
    configure(&gateway);
    Some((first, second, gateway))
}

/// Waits until the gateway follows this node.
#[track_caller]
fn await_followed(gateway: &Gateway, peer: &Peer, deadline: Duration) {
    let line = format!("litegate_node_in_use{{node=\"{}\"}} 1", peer.name());
    wait_for(&line, deadline, || gateway.metrics().lines().any(|found| found == line));
}

/// Number of failovers so far.
fn changes(gateway: &Gateway) -> usize {
    gateway.log_lines(&["following another node"]).len()
}

/// Completes a payment at a node, including its webhook.
#[track_caller]
fn whole_life(shop: &Shop, receiver: &Receiver, peer: &Peer) -> Created {
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    peer.node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    peer.node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    receiver.await_hit_for(&payment.id, SOON);
    let swept = |id: &str| {
        let shown = shop.status(id);
        shown.text("status") == "completed" && !peer.node.mempool().is_empty()
    };
    wait_for("its sweep at the node in use", SOON, || swept(&payment.id));
    peer.node.mine(1);
    payment
}

/// Starts a gateway that follows this node, and completes a shop's first payment.
#[track_caller]
fn trade(gateway: &Gateway, followed: &Peer) -> (Shop, Receiver, Created) {
    let receiver = Receiver::start();
    gateway.start();
    await_followed(gateway, followed, SOON);
    let shop = Shop::open_paid_to(gateway, "Corner Shop", &followed.node.fresh_address());
    let payment = whole_life(&shop, &receiver, followed);
    (shop, receiver, payment)
}

/// Each payment has one event id, and each litoshi is paid once.
#[track_caller]
fn check_ledger(gateway: &Gateway, receiver: &Receiver, payments: &[Created]) {
    let hits = receiver.hits();
    for payment in payments {
        let of = hits.iter().filter(|hit| hit.fields().text("paymentId") == payment.id);
        let ids: std::collections::BTreeSet<&str> =
            of.map(|hit| hit.header("webhook-id")).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    let sums = gateway.cli_json(&["audit"]);
    let of = |name: &str| crate::harness::json::litoshis(sums.raw(name));
    assert_eq!(of("receivedLtc"), 5_000_000 * u64::try_from(payments.len()).unwrap());
    assert_eq!(of("paidLtc") + of("feesLtc"), of("receivedLtc"));
}

/// 1. Stop the first node: the gateway follows the second, and payments complete and are
///    swept.
/// 2. Start the first node, behind and then synchronised: the gateway stays with the second.
/// 3. Disconnect the second node and extend the first: the gateway follows the first.
/// 4. Stop the first node and let the second have a longer branch: it is followed as a
///    reorganisation, and the payment's loss is logged.
/// 5. Broadcast the payment again: its sweep is sent again.
/// 6. Reconnect both: every payment is paid once, and the audit is clean.
#[test]
#[ignore = "long"]
fn payments_continue_while_the_first_node_fails_and_returns() {
    let made = pair(|gateway| {
        gateway.set("sweeper.interval", "1s");
        gateway.set("payments.late_grace", "1h");
    });
    let Some((first, second, gateway)) = made else { return };
    let (shop, receiver, first_payment) = trade(&gateway, &first);
    let mut payments = vec![first_payment];
    wait_for("the second has it all", SOON, || first.tip() == second.tip());

    let seen = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    second.await_tx(&first.node.send(&seen.address, "0.05"));
    shop.await_field(&seen.id, "amountReceivedLtc", "0.05", SOON);
    first.node.stop();
    let created = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    gateway.await_log(&["warn", "following another node", &second.name(), "out of reach"]);
    await_followed(&gateway, &second, SOON);
    second.node.send(&created.address, "0.05");
    second.node.mine(2);
    for payment in [&seen, &created] {
        shop.await_status(&payment.id, "completed", SOON);
        receiver.await_hit_for(&payment.id, SOON);
    }
    wait_for("the sweep by the second", SOON, || !second.node.mempool().is_empty());
    second.node.mine(1);
    payments.extend([seen, created]);
    gateway.await_tip(&second.node.height().to_string());
    gateway.cli_ok(&["audit"]);

    first.node.up_with(&[]);
    let behind = gateway.await_log(&["warn", "a node is behind the gateway's own tip"]);
    assert!(behind.contains(&first.name()), "{behind}");
    payments.push(whole_life(&shop, &receiver, &second));
    // The first node is synchronised again, and still not followed.
    first.connect(&second);
    gateway.await_log(&["info", "a node is well", &first.name()]);
    gateway.holds_for(4, Passes::Watcher, "it stays with the second", || changes(&gateway) == 1);

    second.cut();
    let on_first = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    let txid = first.node.send(&on_first.address, "0.05");
    let raw = first.node.raw_transaction(&txid);
    first.node.mine(4);
    await_followed(&gateway, &first, STEADY);
    shop.await_status(&on_first.id, "completed", SOON);
    let hit = receiver.await_hit_for(&on_first.id, SOON);
    wait_for("the sweep by the first", SOON, || !first.node.mempool().is_empty());
    assert_eq!(changes(&gateway), 2);

    first.node.stop();
    let above = gateway.metrics();
    let height =
        above.lines().find_map(|line| line.strip_prefix("litegate_chain_height ")).unwrap();
    let height: u32 = height.parse().unwrap();
    second.node.mine(height + 2 - second.node.height());
    await_followed(&gateway, &second, SOON);
    gateway.await_log(&["reorganisation: block disconnected"]);
    gateway.await_tip(&second.node.height().to_string());
    let after = shop.status(&on_first.id);
    assert_eq!(after.text("status"), "completed", "completed is final");
    gateway.await_log(&["error", "a completed payment has lost its coins"]);
    let _: String = second.node.call("sendrawtransaction", json!([raw]));
    second.node.mine(2);
    gateway.await_log(&["warn", "the coins of a completed payment are back"]);
    wait_for("the same sweep, sent again", STEADY, || !second.node.mempool().is_empty());
    second.node.mine(1);
    payments.push(on_first);

    first.node.up_with(&[]);
    first.connect(&second);
    payments.push(whole_life(&shop, &receiver, &second));
    gateway.await_tip(&second.node.height().to_string());
    assert_eq!(changes(&gateway), 3, "{:?}", gateway.log_lines(&["following another node"]));
    gateway.cli_ok(&["audit"]);
    let doctor = gateway.doctor().stdout;
    for peer in [&first, &second] {
        assert!(doctor.contains(&format!("node: {}: on regtest", peer.name())), "{doctor}");
    }

    check_ledger(&gateway, &receiver, &payments);
    assert!(!hit.header("webhook-id").is_empty());
    let sums = gateway.cli_json(&["audit"]);
    let paid = crate::harness::json::litoshis(sums.raw("paidLtc"));
    assert_eq!(second.node.balance_of(&shop.payout_address), paid);
}

/// 1. See two payments at the first node only, then stop it.
/// 2. The second node lacks them; both count as seen past their expiry, also after a restart.
/// 3. Broadcast one at the second node and mine it: it completes, not late.
/// 4. The other one expires.
#[test]
#[ignore = "long"]
fn coins_of_the_previous_node_are_not_replaced_at_once() {
    let made = pair(|gateway| {
        gateway.set("failover.timeout", "1s");
        gateway.set("payments.expiry", "4s");
        gateway.set("payments.late_grace", "1h");
    });
    let Some((first, second, gateway)) = made else { return };
    gateway.start();
    await_followed(&gateway, &first, SOON);
    let shop = Shop::open_paid_to(&gateway, "Corner Shop", &first.node.fresh_address());
    second.cut();
    let paid = |amount| {
        let payment = shop.create("0.05");
        let txid = first.node.send(&payment.address, amount);
        shop.await_field(&payment.id, "amountReceivedLtc", amount, SOON);
        (payment, first.node.raw_transaction(&txid))
    };
    let ((slow, raw), (lost, _)) = (paid("0.05"), paid("0.051"));
    first.node.stop();
    await_followed(&gateway, &second, SOON);
    gateway.holds_for_passes(Passes::Watcher, "it counts as seen", || {
        let status = shop.status(&slow.id);
        status.text("status") == "pending" && status.raw("amountReceivedLtc") == "0.05"
    });
    gateway.restart();
    let _: String = second.node.call("sendrawtransaction", json!([raw]));
    second.node.mine(2);
    let done = shop.await_status(&slow.id, "completed", SOON);
    assert_eq!(done.raw("late"), "false");
    let fields = shop.await_status(&lost.id, "expired", Duration::from_secs(40));
    assert_eq!(fields.raw("amountReceivedLtc"), "0");
}

/// 1. Configure a first node that does not exist: the gateway follows the second.
/// 2. A payment completes, and `audit` uses the second node.
/// 3. Restart: the second node is used at once.
#[test]
fn an_unreachable_first_node_is_skipped_by_commands_too() {
    let Some(second) = Node::start() else { return };
    let gateway = Gateway::init(&second);
    let section = gateway.config()["node"].clone();
    let mut nowhere = section.clone();
    let table = nowhere.as_table_mut().unwrap();
    table.insert("rpc_url".to_owned(), format!("http://127.0.0.1:{}", ports::free()).into());
    gateway.set("node", toml::Value::Array(vec![nowhere, section]));
    gateway.set("failover.timeout", "1s");
    gateway.start();
    gateway.await_log(&["warn", "following another node", "out of reach"]);
    gateway.await_tip(&second.height().to_string());
    let shop = Shop::open(&gateway, &second, "Corner Shop");
    let payment = shop.create("0.05");
    second.send(&payment.address, "0.05");
    second.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.cli_ok(&["audit"]);
    // The choice is stored, so the restart does not wait for the first node.
    gateway.restart();
    let again = shop.create("0.05");
    second.send(&again.address, "0.05");
    shop.await_field(&again.id, "amountReceivedLtc", "0.05", Duration::from_secs(5));
    assert_eq!(gateway.log_lines(&["following another node"]).len(), 1);
}

/// 1. Let the first node refuse a block of the second and mine its own, shorter branch.
/// 2. The gateway stays with the first: of a refused branch a node knows only the first block,
///    so it is not behind.
/// 3. Stop the first node: the gateway follows the second.
#[test]
#[ignore = "long"]
fn a_node_that_refuses_the_blocks_of_another_is_not_left() {
    let made = pair(|gateway| gateway.set("failover.timeout", "1s"));
    let Some((first, second, gateway)) = made else { return };
    gateway.start();
    await_followed(&gateway, &first, SOON);
    second.node.mine(1);
    wait_for("the first has it", SOON, || first.tip() == second.tip());
    second.cut();
    let refused = first.tip();
    first.node.call::<Value>("invalidateblock", json!([refused]));
    first.node.fresh_address();
    first.node.mine(2);
    second.node.mine(3);
    assert_eq!(second.node.height(), first.node.height() + 2);
    gateway.await_tip(&first.node.height().to_string());
    gateway.holds_for(4, Passes::Watcher, "it is followed", || changes(&gateway) == 0);
    first.node.stop();
    await_followed(&gateway, &second, SOON);
}

/// 1. Crash the gateway during a failover, before or after it is recorded.
/// 2. Start it: it follows the other node, and payments complete and are swept.
/// 3. Repeat in the other direction: every payment is paid once.
#[test]
#[ignore = "long"]
fn a_crash_during_failover_continues_with_the_other_node() {
    let made = pair(|gateway| {
        gateway.set("failover.timeout", "1s");
        gateway.set("sweeper.interval", "1s");
    });
    let Some((first, second, gateway)) = made else { return };
    let (shop, receiver, first_payment) = trade(&gateway, &first);
    let mut payments = vec![first_payment];
    for (point, left, taken) in [("node-left", &first, &second), ("node-taken", &second, &first)] {
        taken.connect(left);
        let created = [(); 2].map(|()| shop.create_with_webhook("0.05", &receiver.url("/hook")));
        gateway.term();
        gateway.set_environment("LITEGATE_CRASH_AT", point);
        gateway.start();
        await_followed(&gateway, left, SOON);
        for payment in &created {
            taken.await_tx(&left.node.send(&payment.address, "0.05"));
            shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        }
        left.node.stop();
        wait_for("its death", SOON, || gateway.ended().is_some());
        gateway.kill();
        gateway.clear_environment();
        taken.node.mine(2);
        gateway.start();
        await_followed(&gateway, taken, SOON);
        for payment in created {
            shop.await_status(&payment.id, "completed", SOON);
            receiver.await_hit_for(&payment.id, SOON);
            payments.push(payment);
        }
        wait_for("the sweep", SOON, || !taken.node.mempool().is_empty());
        taken.node.mine(1);
        left.node.up_with(&[]);
    }
    gateway.await_tip(&first.node.height().to_string());
    check_ledger(&gateway, &receiver, &payments);
}

/// 1. Complete a payment with 26 confirmations at the first node.
/// 2. Let the second node replace the first followed block and all after it.
/// 3. Stop the first node: the gateway does not follow the second.
/// 4. Start the first node: payments continue.
#[test]
#[ignore = "long"]
fn another_chain_is_never_followed() {
    let made = pair(|gateway| gateway.set("failover.timeout", "1s"));
    let Some((first, second, gateway)) = made else { return };
    gateway.start();
    let shop = Shop::open(&gateway, &first.node, "Corner Shop");
    let payment = shop.create("0.05");
    first.node.send(&payment.address, "0.05");
    // More blocks than a reorganisation may replace.
    first.node.mine(26);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.await_tip(&first.node.height().to_string());
    wait_for("the second has it all", SOON, || first.tip() == second.tip());
    second.cut();
    let began = 110;
    second.node.disconnect(second.node.height() - began + 1);
    second.node.mine(60);
    gateway.await_log(&["warn", "a node is not usable", &second.name()]);
    first.node.stop();
    gateway.await_log(&["warn", "a node is out of reach", &first.name()]);
    gateway.holds_for(4, Passes::Watcher, "nobody follows it", || changes(&gateway) == 0);
    assert_eq!(shop.status(&payment.id).text("status"), "completed");
    first.node.up_with(&[]);
    let later = shop.create("0.05");
    first.node.send(&later.address, "0.05");
    first.node.mine(2);
    wait_until("it continues", SOON, || {
        (shop.status(&later.id).text("status") == "completed").then_some(())
    });
}
