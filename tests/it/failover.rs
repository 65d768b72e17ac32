//! Several nodes behind one gateway: one is followed at a time, and another when that one fails.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::gate::Gate;
use crate::harness::node::Node;
use crate::harness::ports;
use crate::harness::receiver::Receiver;
use crate::harness::shop::{Created, Shop};
use crate::harness::wait::{SOON, stays_true, wait_for, wait_until};

/// Long enough for a node that was left to be taken back: ten times the patience, and looks.
const STEADY: Duration = Duration::from_secs(60);

/// A node that others can connect to, and where.
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

    fn connect(&self, other: &Peer) {
        self.node.call::<Value>("addnode", json!([other.at, "onetry"]));
        wait_for("both nodes on one tip", SOON, || self.tip() == other.tip());
    }

    /// Cuts all its connections.
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

    fn section(&self) -> toml::Value {
        let mut table = toml::Table::new();
        table.insert("rpc_url".to_owned(), self.node.rpc_url().into());
        let cookie = self.node.cookie_file().display().to_string();
        table.insert("cookie_file".to_owned(), cookie.into());
        table.insert("zmq_rawtx".to_owned(), self.node.zmq_url().into());
        table.insert("zmq_hashblock".to_owned(), self.node.zmq_url().into());
        table.into()
    }

    fn name(&self) -> String {
        self.node.rpc_url().trim_start_matches("http://").to_owned()
    }
}

/// Two connected nodes, the first of which the gateway follows.
fn pair(configure: impl FnOnce(&Gate)) -> Option<(Peer, Peer, Gate)> {
    let (first, second) = (Peer::stopped()?, Peer::stopped()?);
    first.node.up();
    second.node.up_with(&[]);
    second.connect(&first);
    let gate = Gate::init(&first.node);
    gate.set("node", toml::Value::Array(vec![first.section(), second.section()]));
    gate.set("failover.patience", "2s");
    configure(&gate);
    Some((first, second, gate))
}

#[track_caller]
fn await_followed(gate: &Gate, peer: &Peer, deadline: Duration) {
    let line = format!("litegate_node_in_use{{node=\"{}\"}} 1", peer.name());
    wait_for(&line, deadline, || gate.metrics().lines().any(|found| found == line));
}

fn changes(gate: &Gate) -> usize {
    gate.log_lines(&["following another node"]).len()
}

/// Lets a payment be paid and mined at a node, and waits for the whole of it.
#[track_caller]
fn whole_life(shop: &Shop, receiver: &Receiver, peer: &Peer) -> Created {
    let payment = shop.create_told("0.05", &receiver.url("/hook"));
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

/// Starts a gateway that follows this node, with a shop that is paid and told once.
#[track_caller]
fn trade(gate: &Gate, followed: &Peer) -> (Shop, Receiver, Created) {
    let receiver = Receiver::start();
    gate.start();
    await_followed(gate, followed, SOON);
    let shop = Shop::open_paid_to(gate, "Corner Shop", &followed.node.fresh_address());
    let payment = whole_life(&shop, &receiver, followed);
    (shop, receiver, payment)
}

/// Each payment was told under one id, and each litoshi was paid once.
#[track_caller]
fn check_books(gate: &Gate, receiver: &Receiver, payments: &[Created]) {
    let hits = receiver.hits();
    for payment in payments {
        let of = hits.iter().filter(|hit| hit.fields().text("paymentId") == payment.id);
        let ids: std::collections::BTreeSet<&str> =
            of.map(|hit| hit.header("webhook-id")).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    let sums = gate.cli_json(&["audit"]);
    let of = |name: &str| crate::harness::json::litoshis(sums.raw(name));
    assert_eq!(of("receivedLtc"), 5_000_000 * u64::try_from(payments.len()).unwrap());
    assert_eq!(of("paidLtc") + of("feesLtc"), of("receivedLtc"));
}

#[test]
#[ignore = "long"]
fn payments_go_on_while_the_first_node_stops_lags_and_returns_with_another_tip() {
    let made = pair(|gate| {
        gate.set("sweeper.interval", "1s");
        gate.set("payments.late_grace", "1h");
    });
    let Some((first, second, gate)) = made else { return };
    let (shop, receiver, first_payment) = trade(&gate, &first);
    let mut payments = vec![first_payment];
    wait_for("the second has it all", SOON, || first.tip() == second.tip());

    // The first stops, with a payment seen and one created meanwhile.
    let seen = shop.create_told("0.05", &receiver.url("/hook"));
    second.await_tx(&first.node.send(&seen.address, "0.05"));
    shop.await_field(&seen.id, "amountReceivedLtc", "0.05", SOON);
    first.node.stop();
    let created = shop.create_told("0.05", &receiver.url("/hook"));
    gate.await_log(&["warn", "following another node", &second.name(), "out of reach"]);
    await_followed(&gate, &second, SOON);
    second.node.send(&created.address, "0.05");
    second.node.mine(2);
    for payment in [&seen, &created] {
        shop.await_status(&payment.id, "completed", SOON);
        receiver.await_hit_for(&payment.id, SOON);
    }
    wait_for("the sweep by the second", SOON, || !second.node.mempool().is_empty());
    second.node.mine(1);
    payments.extend([seen, created]);
    gate.await_tip(&second.node.height().to_string());
    gate.cli_ok(&["audit"]);

    // It returns, and lags: it has none of these blocks. Nobody goes back to it.
    first.node.up_with(&[]);
    let behind = gate.await_log(&["warn", "a node is behind the block that we stand on"]);
    assert!(behind.contains(&first.name()), "{behind}");
    payments.push(whole_life(&shop, &receiver, &second));
    // It catches up and is well: still nobody goes back.
    first.connect(&second);
    gate.await_log(&["info", "a node is well", &first.name()]);
    stays_true("it stays with the second", Duration::from_secs(6), || changes(&gate) == 1);

    // Now the second lags: cut off, it misses what the first goes on with.
    second.cut();
    let on_first = shop.create_told("0.05", &receiver.url("/hook"));
    let txid = first.node.send(&on_first.address, "0.05");
    let raw = first.node.raw_transaction(&txid);
    first.node.mine(4);
    await_followed(&gate, &first, STEADY);
    shop.await_status(&on_first.id, "completed", SOON);
    let hit = receiver.await_hit_for(&on_first.id, SOON);
    wait_for("the sweep by the first", SOON, || !first.node.mempool().is_empty());
    assert_eq!(changes(&gate), 2);

    // The first stops for good measure, and the second has gone on by itself, on another branch
    // that is longer: as after any reorganisation the gateway follows it.
    first.node.stop();
    let above = gate.metrics();
    let height =
        above.lines().find_map(|line| line.strip_prefix("litegate_chain_height ")).unwrap();
    let height: u32 = height.parse().unwrap();
    second.node.mine(height + 2 - second.node.height());
    await_followed(&gate, &second, SOON);
    gate.await_log(&["reorganisation: block taken back"]);
    gate.await_tip(&second.node.height().to_string());
    let after = shop.status(&on_first.id);
    assert_eq!(after.text("status"), "completed", "completed is final");
    gate.await_log(&["error", "a completed payment has lost its coins"]);
    // Its transaction and the stored sweep reach the other node: the payout goes out all the same.
    let _: String = second.node.call("sendrawtransaction", json!([raw]));
    second.node.mine(2);
    gate.await_log(&["warn", "the coins of a completed payment are back"]);
    wait_for("the same sweep, sent again", STEADY, || !second.node.mempool().is_empty());
    second.node.mine(1);
    payments.push(on_first);

    // The first comes back with its own tip, and gives it up for the longer branch.
    first.node.up_with(&[]);
    first.connect(&second);
    payments.push(whole_life(&shop, &receiver, &second));
    gate.await_tip(&second.node.height().to_string());
    assert_eq!(changes(&gate), 3, "{:?}", gate.log_lines(&["following another node"]));
    gate.cli_ok(&["audit"]);
    let doctor = gate.doctor().stdout;
    for peer in [&first, &second] {
        assert!(doctor.contains(&format!("node: {}: on regtest", peer.name())), "{doctor}");
    }

    check_books(&gate, &receiver, &payments);
    assert!(!hit.header("webhook-id").is_empty());
    let sums = gate.cli_json(&["audit"]);
    let paid = crate::harness::json::litoshis(sums.raw("paidLtc"));
    assert_eq!(second.node.balance_of(&shop.payout_address), paid);
}

/// A node that has only just been turned to may not have heard of a transaction yet.
#[test]
#[ignore = "long"]
fn what_the_node_before_has_seen_is_not_taken_for_replaced_at_once() {
    let made = pair(|gate| {
        gate.set("failover.patience", "1s");
        gate.set("payments.expiry", "4s");
        gate.set("payments.late_grace", "1h");
    });
    let Some((first, second, gate)) = made else { return };
    gate.start();
    await_followed(&gate, &first, SOON);
    let shop = Shop::open_paid_to(&gate, "Corner Shop", &first.node.fresh_address());
    second.cut();
    let paid = |amount| {
        let payment = shop.create("0.05");
        let txid = first.node.send(&payment.address, amount);
        shop.await_field(&payment.id, "amountReceivedLtc", amount, SOON);
        (payment, first.node.raw_transaction(&txid))
    };
    let ((slow, raw), (lost, _)) = (paid("0.05"), paid("0.051"));
    first.node.stop();
    await_followed(&gate, &second, SOON);
    // Their time is up meanwhile: nobody may be told that they were not paid.
    stays_true("it counts as seen", Duration::from_secs(6), || {
        let status = shop.status(&slow.id);
        status.text("status") == "pending" && status.raw("amountReceivedLtc") == "0.05"
    });
    // A start in between is no other node.
    gate.restart();
    let _: String = second.node.call("sendrawtransaction", json!([raw]));
    second.node.mine(2);
    let done = shop.await_status(&slow.id, "completed", SOON);
    assert_eq!(done.raw("late"), "false");
    // The one that the new node never hears of does not stay for ever.
    let fields = shop.await_status(&lost.id, "expired", Duration::from_secs(40));
    assert_eq!(fields.raw("amountReceivedLtc"), "0");
}

#[test]
fn a_first_node_that_never_answers_is_passed_over_also_by_commands() {
    let Some(second) = Node::start() else { return };
    let gate = Gate::init(&second);
    let section = gate.config()["node"].clone();
    let mut nowhere = section.clone();
    let table = nowhere.as_table_mut().unwrap();
    table.insert("rpc_url".to_owned(), format!("http://127.0.0.1:{}", ports::free()).into());
    gate.set("node", toml::Value::Array(vec![nowhere, section]));
    gate.set("failover.patience", "1s");
    gate.start();
    gate.await_log(&["warn", "following another node", "out of reach"]);
    gate.await_tip(&second.height().to_string());
    let shop = Shop::open(&gate, &second, "Corner Shop");
    let payment = shop.create("0.05");
    second.send(&payment.address, "0.05");
    second.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gate.cli_ok(&["audit"]);
    // What was chosen holds over a restart: nobody waits for the first again.
    gate.restart();
    let again = shop.create("0.05");
    second.send(&again.address, "0.05");
    shop.await_field(&again.id, "amountReceivedLtc", "0.05", Duration::from_secs(5));
    assert_eq!(gate.log_lines(&["following another node"]).len(), 1);
}

/// Of a branch that it refuses a node knows no more than its first block, which lies no higher than
/// its own tip: it is behind on purpose, and is not left for the one that accepts more.
#[test]
#[ignore = "long"]
fn a_node_that_refuses_the_others_blocks_is_not_left_for_it() {
    let made = pair(|gate| gate.set("failover.patience", "1s"));
    let Some((first, second, gate)) = made else { return };
    gate.start();
    await_followed(&gate, &first, SOON);
    second.node.mine(1);
    wait_for("the first has it", SOON, || first.tip() == second.tip());
    second.cut();
    let refused = first.tip();
    first.node.call::<Value>("invalidateblock", json!([refused]));
    first.node.fresh_address();
    first.node.mine(2);
    second.node.mine(3);
    assert_eq!(second.node.height(), first.node.height() + 2);
    gate.await_tip(&first.node.height().to_string());
    stays_true("it is followed", Duration::from_secs(8), || changes(&gate) == 0);
    // As soon as it is gone, the other has to do.
    first.node.stop();
    await_followed(&gate, &second, SOON);
}

/// At the very moment of the change, before and after it is recorded.
#[test]
#[ignore = "long"]
fn a_process_that_dies_while_it_changes_nodes_goes_on_with_the_other() {
    let made = pair(|gate| {
        gate.set("failover.patience", "1s");
        gate.set("sweeper.interval", "1s");
    });
    let Some((first, second, gate)) = made else { return };
    let (shop, receiver, first_payment) = trade(&gate, &first);
    let mut payments = vec![first_payment];
    for (point, left, taken) in [("node-left", &first, &second), ("node-taken", &second, &first)] {
        taken.connect(left);
        let created = [(); 2].map(|()| shop.create_told("0.05", &receiver.url("/hook")));
        gate.term();
        gate.set_environment("LITEGATE_CRASH_AT", point);
        gate.start();
        await_followed(&gate, left, SOON);
        for payment in &created {
            taken.await_tx(&left.node.send(&payment.address, "0.05"));
            shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        }
        left.node.stop();
        wait_for("its death", SOON, || gate.ended().is_some());
        gate.kill();
        gate.clear_environment();
        taken.node.mine(2);
        gate.start();
        await_followed(&gate, taken, SOON);
        for payment in created {
            shop.await_status(&payment.id, "completed", SOON);
            receiver.await_hit_for(&payment.id, SOON);
            payments.push(payment);
        }
        wait_for("the sweep", SOON, || !taken.node.mempool().is_empty());
        taken.node.mine(1);
        left.node.up_with(&[]);
    }
    gate.await_tip(&first.node.height().to_string());
    check_books(&gate, &receiver, &payments);
}

/// A node of another chain is no way out, however well it is.
#[test]
#[ignore = "long"]
fn another_chain_is_never_followed() {
    let made = pair(|gate| gate.set("failover.patience", "1s"));
    let Some((first, second, gate)) = made else { return };
    gate.start();
    let shop = Shop::open(&gate, &first.node, "Corner Shop");
    let payment = shop.create("0.05");
    first.node.send(&payment.address, "0.05");
    // So many that no reorganisation may take them all.
    first.node.mine(26);
    shop.await_status(&payment.id, "completed", SOON);
    gate.await_tip(&first.node.height().to_string());
    wait_for("the second has it all", SOON, || first.tip() == second.tip());
    // It forgets the first block that we followed, and goes on with others.
    second.cut();
    let began = 110;
    second.node.disconnect(second.node.height() - began + 1);
    second.node.mine(60);
    gate.await_log(&["warn", "a node is not to be followed", &second.name()]);
    first.node.stop();
    gate.await_log(&["warn", "a node is out of reach", &first.name()]);
    stays_true("nobody follows it", Duration::from_secs(4), || changes(&gate) == 0);
    assert_eq!(shop.status(&payment.id).text("status"), "completed");
    first.node.up_with(&[]);
    let later = shop.create("0.05");
    first.node.send(&later.address, "0.05");
    first.node.mine(2);
    wait_until("it goes on", SOON, || {
        (shop.status(&later.id).text("status") == "completed").then_some(())
    });
}
