//! Doubt about the chain: what waits meanwhile, and how it ends. And a clock that is wrong.

use std::time::Duration;

use crate::harness::gate::Gate;
use crate::harness::http;
use crate::harness::node::Node;
use crate::harness::ports;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true, wait_for};

fn watchful(gate: &Gate) {
    gate.set("doubt.watch", "on");
}

fn watchful_with(second: &Node) -> impl FnOnce(&Gate) {
    let (url, cookie) = (second.rpc_url(), second.cookie_file().display().to_string());
    move |gate| {
        watchful(gate);
        gate.set("doubt.second_rpc_url", url);
        gate.set("doubt.second_cookie_file", cookie);
    }
}

fn metric(gate: &Gate) -> String {
    let port = gate.setting("metrics.listen").rsplit(':').next().unwrap().parse().unwrap();
    let answer = http::request(port, "GET", "/metrics", &[], b"").unwrap();
    let line = answer.body.lines().find(|line| line.starts_with("litegate_doubt ")).unwrap();
    line.to_owned()
}

fn in_doubt(gate: &Gate) -> bool {
    gate.cli_json(&["doubt", "show"]).raw("inDoubt") == "true"
}

#[track_caller]
fn await_doubt(gate: &Gate, expected: bool) {
    wait_for(&format!("in doubt: {expected}"), SOON, || in_doubt(gate) == expected);
}

#[test]
#[ignore = "long"]
fn in_doubt_nothing_is_swept_and_nothing_expires_until_a_hand_ends_it() {
    let stage = Stage::alone_with(|gate| {
        watchful(gate);
        gate.set("sweeper.interval", "1s");
    });
    let Some(Stage { gate, shop, node }) = stage else { return };
    assert_eq!(metric(&gate), "litegate_doubt 0");
    node.mine(3);
    node.reorg_to_empty(3);
    gate.await_log(&["warn", "in doubt", "invalid_branch"]);
    assert_eq!(metric(&gate), "litegate_doubt 1");
    let doctor = gate.doctor();
    assert!(doctor.stdout.contains("warning  doubt: since"), "{doctor:?}");

    // Ordinary coins complete a payment as ever.
    let (paid, unpaid) = (shop.create("0.05"), shop.create("0.05"));
    shop.await_field(&unpaid.id, "detail", "\"delayed\"", SOON);
    node.send(&paid.address, "0.05");
    node.mine(2);
    shop.await_status(&paid.id, "completed", SOON);
    gate.let_pass(Duration::from_secs(3_600));
    stays_true("no sweep, no expiry", Duration::from_millis(2_500), || {
        node.mempool().is_empty() && shop.status(&unpaid.id).text("status") == "pending"
    });
    // It is a fact in the database: a restart changes nothing.
    gate.kill();
    gate.start();
    assert!(in_doubt(&gate));

    gate.cli_ok(&["doubt", "end"]);
    gate.await_log(&["the doubt about the chain is over"]);
    shop.await_status(&unpaid.id, "expired", SOON);
    wait_for("the sweep", SOON, || !node.mempool().is_empty());
    assert_eq!(metric(&gate), "litegate_doubt 0");
    gate.cli_fails(&["doubt", "end"], 1, &["no doubt"]);
    // The node goes on to know the branch. That is no news.
    node.mine(1);
    let later = shop.create("0.05");
    node.send(&later.address, "0.05");
    node.mine(2);
    shop.await_status(&later.id, "completed", SOON);
    assert!(!in_doubt(&gate));
}

#[test]
#[ignore = "long"]
fn a_doubt_ends_by_itself_after_24_quiet_blocks() {
    let Some(Stage { gate, shop, node }) = Stage::alone_with(watchful) else { return };
    node.mine(3);
    node.reorg_to_empty(3);
    await_doubt(&gate, true);
    let began: u32 = gate.cli_json(&["doubt", "show"]).raw("sinceHeight").parse().unwrap();
    let payment = shop.create("0.05");
    node.mine(began + 23 - node.height());
    let left = || gate.cli_json(&["doubt", "show"]).raw("quietBlocksLeft").to_owned();
    wait_for("the 23rd block", SOON, || left() == "1");
    assert_eq!(shop.status(&payment.id).text("detail"), "delayed");
    node.mine(1);
    await_doubt(&gate, false);
    assert_eq!(shop.status(&payment.id).text("detail"), "waiting");
    assert_eq!(gate.log_lines(&["in doubt about the chain"]).len(), 1, "said once");
}

#[test]
fn without_being_asked_for_regtest_knows_no_doubt() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    node.mine(4);
    node.reorg_to_empty(4);
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    assert!(!in_doubt(&gate));
}

#[test]
#[ignore = "long"]
fn of_several_nodes_one_that_answers_is_compared() {
    let Some(third) = Node::start() else { return };
    let Some(node) = Node::start() else { return };
    let stage = Stage::beside(std::sync::Arc::new(node), |gate| {
        watchful(gate);
        let first = gate.config()["node"].clone();
        let elsewhere = |url: String, cookie: &std::path::Path| {
            let mut section = first.clone();
            let table = section.as_table_mut().unwrap();
            table.insert("rpc_url".to_owned(), url.into());
            table.insert("cookie_file".to_owned(), cookie.display().to_string().into());
            section
        };
        let dead = format!("http://127.0.0.1:{}", ports::free());
        let dead = elsewhere(dead, third.cookie_file());
        let third = elsewhere(third.rpc_url(), third.cookie_file());
        gate.set("node", toml::Value::Array(vec![first.clone(), dead, third]));
        gate.set("failover.patience", "1s");
    });
    let Stage { gate, shop: _shop, node } = stage;
    gate.await_log(&["a node is well", third.rpc_url().trim_start_matches("http://")]);
    node.mine(3);
    third.mine(3);
    gate.await_tip(&node.height().to_string());
    node.mine(1);
    gate.await_log(&["warn", "in doubt", "nodes_disagree"]);
}

#[test]
#[ignore = "long"]
fn coins_out_of_mweb_wait_while_two_nodes_disagree() {
    let Some(second) = Node::start() else { return };
    let Some(node) = Node::start() else { return };
    node.activate_mweb();
    let stage = Stage::beside(std::sync::Arc::new(node), |gate| {
        watchful_with(&second)(gate);
        gate.set("payments.confirmations_pegout", 4);
    });
    let Stage { gate, shop, node } = stage;
    // Part plain, part out of MWEB: each coin needs its own number, the larger one is shown.
    let mixed = shop.create("0.05");
    assert_eq!(mixed.fields.raw("confirmationsRequired"), "2");
    node.send(&mixed.address, "0.02");
    node.send_from_mweb(&mixed.address, "0.03");
    node.mine(3);
    let fields = shop.await_field(&mixed.id, "confirmations", "3", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.raw("confirmationsRequired"), "4");
    assert_eq!(fields.raw("amountConfirmedLtc"), "0.02");
    node.mine(1);
    shop.await_status(&mixed.id, "completed", SOON);

    second.mine(3);
    node.mine(1);
    gate.await_log(&["warn", "in doubt", "nodes_disagree"]);
    let (private, plain) = (shop.create("0.05"), shop.create("0.05"));
    node.send_from_mweb(&private.address, "0.05");
    node.send(&plain.address, "0.05");
    node.mine(5);
    shop.await_status(&plain.id, "completed", SOON);
    let fields = shop.await_field(&private.id, "confirmations", "5", SOON);
    assert_eq!(fields.text("status"), "pending", "confirmed, but in doubt");
    assert_eq!(fields.text("detail"), "delayed");
    let page = gate.get(&format!("/pay/{}", private.id)).body;
    assert!(page.contains("with a delay"), "{page}");
    // No further block is needed once the doubt has ended.
    gate.cli_ok(&["doubt", "end"]);
    let fields = shop.await_status(&private.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    assert!(!in_doubt(&gate), "the nodes go on to disagree, which the hand has put aside");
}

#[test]
fn a_short_branch_is_no_doubt_nor_is_a_second_node_that_does_not_answer() {
    let Some(second) = Node::stopped() else { return };
    let Some(Stage { gate, shop, node }) = Stage::alone_with(watchful_with(&second)) else {
        return;
    };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gate.await_log(&["warn", "second node does not answer"]);
    assert!(!in_doubt(&gate));
}

#[test]
fn large_amounts_need_more_confirmations() {
    let stage = Stage::shared_with(|gate| {
        gate.set("payments.confirmations", 1);
        gate.set("payments.large_amount", "1");
        gate.set("payments.confirmations_large", 3);
    });
    let Some(Stage { gate, shop, node }) = stage else { return };
    let (small, large) = (shop.create("0.99999999"), shop.create("1"));
    assert_eq!(small.fields.raw("confirmationsRequired"), "1");
    assert_eq!(large.fields.raw("confirmationsRequired"), "3");
    node.send(&small.address, "0.99999999");
    node.mine(1);
    shop.await_status(&small.id, "completed", SOON);
    gate.cli_ok(&["merchant", "set-confirmations", &shop.merchant_id, "5"]);
    assert_eq!(shop.create("0.5").fields.raw("confirmationsRequired"), "5");
    assert_eq!(shop.create("1").fields.raw("confirmationsRequired"), "5");
    assert_eq!(large.fields.raw("confirmationsRequired"), "3", "what was asked for stays");
}

/// Sets the machine's clock wrong by so much, for this gateway.
fn set_wall_clock(gate: &Gate, milliseconds: i64) {
    let next = gate.folder().join("clock-offset-next");
    std::fs::write(&next, format!("wall {milliseconds}")).unwrap();
    std::fs::rename(next, gate.folder().join("clock-offset")).unwrap();
}

#[test]
#[ignore = "long"]
fn a_clock_that_jumps_lets_nothing_expire() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let (waiting, paid) = (shop.create("0.05"), shop.create("0.05"));
    for (milliseconds, direction) in [(2 * 86_400_000, "ahead"), (-3 * 3_600_000, "back")] {
        set_wall_clock(&gate, milliseconds);
        gate.await_log(&["error", "clock", "wrong"]);
        node.mine(1);
        stays_true(direction, Duration::from_millis(1_500), || {
            let fields = shop.status(&waiting.id);
            let left: u32 = fields.raw("expiresInSeconds").parse().unwrap();
            fields.text("status") == "pending" && (1_500..=1_800).contains(&left)
        });
    }
    // Seen while the clock was wrong, and yet in time.
    node.send(&paid.address, "0.05");
    node.mine(2);
    let fields = shop.await_status(&paid.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    gate.let_pass(Duration::ZERO);
    gate.await_log(&["clock", "right again"]);
    assert_eq!(gate.log_lines(&["error", "clock", "wrong"]).len(), 1, "said once");
    gate.let_pass(Duration::from_secs(1_900));
    shop.await_status(&waiting.id, "expired", SOON);
}
