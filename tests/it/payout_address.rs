//! The payout address in force: the database, the sweeper's record and both clocks must agree.
//! Tests carry the row numbers of the table in `static/docs/explanation/architecture.md`. The
//! sweeper runs in a separate process, with its own clock and an older or newer record.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::roles::Part;
use crate::harness::rows::{RowKey, forge_heads};
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

const HOUR: Duration = Duration::from_secs(3_600);
/// Slightly more than the delay of a changed address.
const DELAY: Duration = Duration::from_secs(24 * 3_600 + 60);

/// A shop, and an honest shop that is paid in every round. The sweeper runs alone.
struct Scene {
    sweeper: Part,
    _others: Part,
    shop: Shop,
    honest: Shop,
    gateway: Gateway,
    node: Arc<Node>,
    passed: Duration,
}

impl Scene {
    /// Sets up row 1: both shops are paid at once.
    fn set() -> Option<Scene> {
        let node = Arc::new(Node::start()?);
        let gateway = Gateway::init(&node);
        gateway.set("sweeper.interval", "1s");
        gateway.set("sweeper.min_payout", "0.05");
        let mut others = Part::of("api,watcher,webhooks");
        others.start(&gateway);
        let (shop, honest) =
            (Shop::open(&gateway, &node, "Shop"), Shop::open(&gateway, &node, "Honest"));
        let mut sweeper = Part::of("sweeper");
        let clock = gateway.folder().join("sweepers-clock").display().to_string();
        sweeper.set_environment("LITEGATE_CLOCK__OFFSET_FILE", &clock);
        let passed = Duration::ZERO;
        let mut scene = Scene { sweeper, _others: others, shop, honest, gateway, node, passed };
        scene.right_clock();
        let first = scene.shop.payout_address.clone();
        scene.round_pays(&first);
        Some(scene)
    }

    /// The sweeper's record.
    fn seal_state_file(&self) -> PathBuf {
        PathBuf::from(format!("{}.record", self.gateway.setting("sweeper.seal_key_file")))
    }

    /// Replaces the file with the offset of the sweeper's clock atomically.
    fn set_clock(&self, text: &str) {
        let next = self.gateway.folder().join("sweepers-clock-next");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.gateway.folder().join("sweepers-clock")).unwrap();
    }

    /// Restarts the sweeper with a clock that is wrong by this many hours.
    fn wrong_clock(&mut self, hours: i64) {
        self.sweeper.kill();
        self.set_clock(&format!("wall {}", hours * 3_600_000));
        self.sweeper.start(&self.gateway);
    }

    /// Restarts the sweeper with the correct time.
    fn right_clock(&mut self) {
        self.sweeper.kill();
        self.set_clock(&self.passed.as_millis().to_string());
        self.sweeper.start(&self.gateway);
    }

    /// Lets time pass for all processes and the chain.
    fn let_pass(&mut self, time: Duration) {
        self.passed += time;
        self.gateway.let_pass(self.passed);
        self.set_clock(&self.passed.as_millis().to_string());
    }

    /// Runs `litegate merchant` for the shop.
    fn merchant(&self, act: &str) {
        self.gateway.cli_ok(&["merchant", act, &self.shop.merchant_id]);
    }

    /// Registers a new address of the shop.
    fn change(&self) -> String {
        let address = self.node.fresh_address();
        self.register(&address);
        address
    }

    /// Registers this address for the shop.
    fn register(&self, address: &str) {
        self.gateway.cli_ok(&["merchant", "set-address", &self.shop.merchant_id, address]);
    }

    /// As [`Scene::change`], and waits until the sweeper has seen `count` addresses.
    fn change_seen(&self, count: usize) -> String {
        let address = self.change();
        self.gateway.await_addresses_seen(&self.shop.merchant_id, count);
        address
    }

    /// Writes to the database as an attacker who controls the web process: rows and heads
    /// verify.
    fn write(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.gateway.setting("database")).unwrap();
        connection.busy_timeout(SOON).unwrap();
        let id = u64::from_str_radix(&self.shop.merchant_id["mer_".len()..], 16).unwrap();
        let sql = sql.replace("{id}", &id.to_string());
        assert_eq!(connection.execute(&sql, []).unwrap(), 1, "a row changes: {sql}");
        RowKey::of(&self.gateway).seal(&connection);
        forge_heads(&self.gateway, &connection);
    }

    /// The script of an address, as hexadecimal text.
    fn script_of(&self, address: &str) -> String {
        let info: serde_json::Value =
            self.node.call("getaddressinfo", serde_json::json!([address]));
        info["scriptPubKey"].as_str().unwrap().to_owned()
    }

    /// Completes a payment for both shops and expects one sweep to these addresses and the
    /// honest shop.
    #[track_caller]
    fn round(&self, expected: &[&str]) {
        let payments = [self.shop.create("0.1"), self.honest.create("0.1")];
        for payment in &payments {
            self.node.send(&payment.address, "0.1");
        }
        self.node.mine(2);
        for payment in &payments {
            self.shop.await_status(&payment.id, "completed", SOON);
        }
        wait_for("the payout of the honest shop", SOON, || self.node.mempool().len() == 1);
        let outputs = self.node.outputs_of(&self.node.mempool()[0]);
        let mut paid: Vec<&str> = outputs.iter().map(|(address, _)| address.as_str()).collect();
        let mut expected = [expected, &[&self.honest.payout_address]].concat();
        paid.sort_unstable();
        expected.sort_unstable();
        assert_eq!(paid, expected, "{}", self.sweeper.log());
        self.node.mine(1);
        self.gateway_tip();
    }

    /// Waits until the gateway is at the node's tip.
    fn gateway_tip(&self) {
        self.gateway.await_tip(&self.node.height().to_string());
    }

    /// Expects the waiting payout to go to this address alone, and no further wait.
    #[track_caller]
    fn heals_to(&self, address: &str) {
        wait_for("the payout of what waited", SOON, || self.node.mempool().len() == 1);
        let outputs = self.node.outputs_of(&self.node.mempool()[0]);
        let paid: Vec<&str> = outputs.iter().map(|(address, _)| address.as_str()).collect();
        assert_eq!(paid, [address], "{}", self.sweeper.log());
        self.node.mine(1);
        self.gateway_tip();
        self.await_no_wait();
    }

    /// A round in which the shop is paid at this address.
    #[track_caller]
    fn round_pays(&self, address: &str) {
        self.round(&[address]);
    }

    /// A round in which only the honest shop is paid. Metric, `merchant show` and one log line
    /// give the reason.
    #[track_caller]
    fn round_waits(&self, reason: &str, words: &str) {
        self.round(&[]);
        let metric = format!("litegate_payouts_waiting{{reason=\"{reason}\"}} 1");
        wait_for(&metric, SOON, || self.sweeper.metrics().lines().any(|line| line == metric));
        let shown = self.gateway.cli_json(&["merchant", "show", &self.shop.merchant_id]);
        assert!(shown.text("payoutsWait").contains(words), "{}", shown.whole());
        let log = self.sweeper.log();
        let notified = log
            .lines()
            .filter(|line| line.contains(&self.shop.merchant_id) && line.contains(words));
        assert_eq!(notified.count(), 1, "once: {log}");
    }

    /// Waits until no payout waits.
    #[track_caller]
    fn await_no_wait(&self) {
        wait_for("no payouts that wait", SOON, || {
            let metrics = self.sweeper.metrics();
            let mut lines = metrics.lines().filter(|line| line.starts_with("litegate_payouts_w"));
            lines.all(|line| line.ends_with(" 0"))
        });
        let shown = self.gateway.cli_json(&["merchant", "show", &self.shop.merchant_id]);
        assert!(!shown.has("payoutsWait"), "{}", shown.whole());
    }

    /// Waits until doctor reports the shop's wait.
    #[track_caller]
    fn await_doctor(&self, words: &str) {
        let named = format!("payouts of {} wait", self.shop.merchant_id);
        wait_for("doctor names the shop", SOON, || {
            let said = self.gateway.doctor().stdout;
            said.lines().any(|line| line.contains(&named) && line.contains(words))
        });
    }

    /// Expects audit and audit log to report the shop's wait.
    #[track_caller]
    fn audits_name(&self, words: &str) {
        let said = self.gateway.cli_fails(&["audit", "--json"], 1, &["payout_address"]).stdout;
        assert!(said.contains(words) && said.contains(&self.shop.merchant_id), "{said}");
        let operations =
            self.gateway.cli_list(&["audit-log", "--merchant", &self.shop.merchant_id]);
        let waits = operations.iter().filter(|act| act.text("act") == "payouts_wait");
        let named: Vec<String> = waits.map(|act| act.text("after")).collect();
        assert!(named.len() == 1 && named[0].contains(words), "{named:?}");
    }

    /// Resolves a contradiction: registers an address again, which is paid after the delay.
    #[track_caller]
    fn leave_by_registering(&mut self, address: &str) {
        let seen = self.gateway.addresses_seen(&self.shop.merchant_id);
        self.register(address);
        self.gateway.await_addresses_seen(&self.shop.merchant_id, seen + 1);
        self.round(&[]);
        self.let_pass(DELAY);
        self.heals_to(address);
    }
}

/// 1. Register a change that the sweeper sees: the old address is paid.
/// 2. Let the delay pass by both clocks: the new address is paid.
/// 3. Register another change and cancel it; undo the cancellation by SQL: payouts wait.
/// 4. Cancel it again with the normal command: the address in force is paid.
#[test]
#[ignore = "long"]
fn rows_1_to_3_changes_apply_after_the_delay_unless_cancelled() {
    let Some(mut scene) = Scene::set() else { return };
    let new = scene.change_seen(2);
    scene.round_pays(&scene.shop.payout_address);
    scene.let_pass(DELAY);
    scene.round_pays(&new);
    scene.change_seen(3);
    scene.merchant("cancel-address-change");
    wait_for("the cancellation is noted", SOON, || {
        fs::read_to_string(scene.seal_state_file()).is_ok_and(|text| text.contains(" 0 1\n"))
    });
    scene.write("UPDATE payout_addresses SET cancelled_at = NULL WHERE version = 3");
    scene.let_pass(DELAY);
    scene.round_waits(
        "cancel_undone",
        "payout address 3 was cancelled, and the cancellation was undone",
    );
    scene.await_doctor("payout address 3 was cancelled");
    scene.merchant("cancel-address-change");
    scene.heals_to(&new);
}

/// 1. Register a change and let it take effect while the sweeper is down.
/// 2. Start the sweeper: payouts wait, with a report.
/// 3. Let the whole delay pass: the new address is paid, and never the old one.
#[test]
fn row_4_a_change_while_the_sweeper_was_down_waits() {
    let Some(mut scene) = Scene::set() else { return };
    scene.sweeper.kill();
    let new = scene.change();
    scene.let_pass(2 * DELAY);
    scene.sweeper.start(&scene.gateway);
    let shown = scene.gateway.cli_json(&["merchant", "show", &scene.shop.merchant_id]);
    assert_eq!(shown.text("payoutAddress"), new);
    scene.round_waits("unconfirmed", "payout address 2 is in force, but the sweeper saw it too");
    scene.await_doctor("saw it too late");
    scene.let_pass(DELAY);
    scene.heals_to(&new);
}

/// 1. Register a change, and let it take effect and be paid.
/// 2. Replace the sweeper's record by the one from before the change: payouts wait.
/// 3. Cancel the change, although it is in force: the old address is paid again.
#[test]
#[ignore = "long"]
fn row_4_an_older_seal_state_waits_and_allows_cancellation() {
    let Some(mut scene) = Scene::set() else { return };
    let record = fs::read_to_string(scene.seal_state_file()).unwrap();
    let new = scene.change_seen(2);
    scene.let_pass(DELAY);
    scene.round_pays(&new);
    scene.sweeper.kill();
    let now = fs::read_to_string(scene.seal_state_file()).unwrap();
    assert_ne!(record, now);
    fs::write(scene.seal_state_file(), &record).unwrap();
    scene.sweeper.start(&scene.gateway);
    scene.round_waits("unconfirmed", "payout address 2 is in force, but the sweeper saw it too");
    scene.merchant("cancel-address-change");
    scene.heals_to(&scene.shop.payout_address);
    let shown = scene.gateway.cli_json(&["merchant", "show", &scene.shop.merchant_id]);
    assert_eq!(shown.text("payoutAddress"), scene.shop.payout_address);
}

/// 1. Register a change while the sweeper is down, and a newer one after it has started.
/// 2. Payouts wait; neither the old address nor the one in between is paid.
/// 3. Let the delay of the newest pass: it is paid.
#[test]
#[ignore = "long"]
fn row_5_a_newer_change_supersedes_one_seen_too_late() {
    let Some(mut scene) = Scene::set() else { return };
    scene.sweeper.kill();
    scene.change();
    scene.let_pass(DELAY);
    scene.sweeper.start(&scene.gateway);
    scene.gateway.await_addresses_seen(&scene.shop.merchant_id, 2);
    scene.let_pass(HOUR);
    let newest = scene.change_seen(3);
    scene.round_waits("overtaken", "and a newer change waits");
    // The one in between is now known for the whole delay.
    scene.let_pass(DELAY - HOUR);
    scene.round(&[]);
    scene.let_pass(HOUR);
    scene.heals_to(&newest);
}

/// 1. Register a change, and start the sweeper with a clock two days ahead: payouts wait.
/// 2. Correct the clock: the old address is paid, also after the change is cancelled.
/// 3. Let another change take effect by both clocks: it is paid.
#[test]
#[ignore = "long"]
fn row_6_a_wrong_clock_delays_payouts_until_it_is_corrected() {
    let Some(mut scene) = Scene::set() else { return };
    scene.change_seen(2);
    scene.wrong_clock(48);
    scene.round_waits("clock", "one of them is wrong");
    scene.await_doctor("one of them is wrong");
    scene.right_clock();
    scene.heals_to(&scene.shop.payout_address);
    scene.merchant("cancel-address-change");
    scene.round_pays(&scene.shop.payout_address);
    let new = scene.change_seen(3);
    scene.sweeper.kill();
    scene.passed = DELAY;
    scene.gateway.let_pass(DELAY);
    scene.right_clock();
    scene.round_pays(&new);
    scene.await_no_wait();
}

/// 1. Change the shop's address once and pay it there.
/// 2. Write to the database: payouts wait, and doctor and audit report it.
/// 3. Register the address again with the normal command: it is paid after the delay.
#[track_caller]
fn check_contradiction(sql: impl FnOnce(&Scene) -> String, reason: &str, words: &str) {
    let Some(mut scene) = Scene::set() else { return };
    let second = scene.change_seen(2);
    scene.let_pass(DELAY);
    scene.round_pays(&second);
    let sql = sql(&scene);
    scene.write(&sql);
    scene.round_waits(reason, words);
    scene.await_doctor(words);
    scene.audits_name(words);
    scene.leave_by_registering(&second);
    scene.gateway.cli_ok(&["audit"]);
}

/// SQL that inserts a change with this version and registration time.
fn insert(scene: &Scene, version: u32, registered: &str) -> String {
    let script = scene.script_of(&scene.node.fresh_address());
    format!(
        "INSERT INTO payout_addresses (merchant_id, version, script, registered_at, effective_at)
         SELECT merchant_id, {version}, x'{script}', {registered}, {registered} + 86400000
         FROM payout_addresses WHERE merchant_id = {{id}} AND version = 2"
    )
}

#[test]
#[ignore = "long"]
fn row_8_a_backdated_row_waits_for_a_normal_command() {
    let month = 30 * 86_400_000u64;
    let backdated = |scene: &Scene| insert(scene, 3, &format!("registered_at - {month}"));
    check_contradiction(backdated, "backdated", "payout address 3 claims to be older than it");
}

#[test]
#[ignore = "long"]
fn row_8_a_change_without_delay_waits_for_a_normal_command() {
    let month = 30 * 86_400_000u64;
    let at_once = |scene: &Scene| {
        let row = insert(scene, 3, &format!("registered_at - {month}"));
        row.replace(" + 86400000", "")
    };
    check_contradiction(at_once, "backdated", "payout address 3 claims to be older than it");
}

#[test]
#[ignore = "long"]
fn row_9_a_changed_row_waits_for_a_normal_command() {
    let changed = |scene: &Scene| {
        let script = scene.script_of(&scene.node.fresh_address());
        format!(
            "UPDATE payout_addresses SET script = x'{script}'
             WHERE merchant_id = {{id}} AND version = 2"
        )
    };
    check_contradiction(changed, "changed", "payout address 2 was changed");
}

#[test]
#[ignore = "long"]
fn row_10_an_older_database_waits_for_a_normal_command() {
    let gone =
        |_: &Scene| "DELETE FROM payout_addresses WHERE merchant_id = {id} AND version = 2".into();
    check_contradiction(gone, "missing", "payout address 2 is missing");
}

#[test]
#[ignore = "long"]
fn row_12_a_change_cancelled_in_force_waits_for_a_command() {
    let cancelled = |_: &Scene| {
        "UPDATE payout_addresses SET cancelled_at = 1 WHERE merchant_id = {id} AND version = 2"
            .into()
    };
    let words = "payout address 2 was cancelled after it was in force";
    check_contradiction(cancelled, "cancelled_in_force", words);
}

/// 1. Let the sweeper see only the versions 1 and 3; version 3 is cancelled.
/// 2. Insert a version 2 by SQL: payouts wait.
/// 3. Cancel it with the normal command: the first address is paid.
#[test]
fn row_11_a_row_inserted_behind_a_later_one_waits() {
    let Some(mut scene) = Scene::set() else { return };
    scene.sweeper.kill();
    scene.change();
    scene.merchant("cancel-address-change");
    scene.write("DELETE FROM payout_addresses WHERE merchant_id = {id} AND version = 2");
    scene.change();
    scene.write("UPDATE payout_addresses SET version = 3 WHERE merchant_id = {id} AND version = 2");
    scene.merchant("cancel-address-change");
    scene.sweeper.start(&scene.gateway);
    scene.gateway.await_addresses_seen(&scene.shop.merchant_id, 2);
    scene.let_pass(2 * DELAY);
    let script = scene.script_of(&scene.node.fresh_address());
    scene.write(&format!(
        "INSERT INTO payout_addresses (merchant_id, version, script, registered_at, effective_at)
         SELECT merchant_id, 2, x'{script}', registered_at, registered_at + 86400000
         FROM payout_addresses WHERE merchant_id = {{id}} AND version = 1"
    ));
    scene.round_waits("inserted", "payout address 2 was inserted after a later one");
    scene.merchant("cancel-address-change");
    scene.heals_to(&scene.shop.payout_address);
}

/// 1. Let a change take effect, then run `sweep --trust-database`.
/// 2. The address in force is paid.
/// 3. A further change waits for the whole delay.
#[test]
#[ignore = "long"]
fn row_7_after_database_trust_the_address_in_force_is_paid() {
    let Some(mut scene) = Scene::set() else { return };
    let second = scene.change_seen(2);
    scene.let_pass(DELAY);
    scene.round_pays(&second);
    scene.sweeper.kill();
    scene.gateway.cli_ok(&["sweep", "--trust-database"]);
    scene.sweeper.start(&scene.gateway);
    scene.round_pays(&second);
    let third = scene.change_seen(3);
    scene.round_pays(&second);
    scene.let_pass(DELAY);
    scene.round_pays(&third);
}

/// 1. Damage the script of the address in force: only that shop waits; `merchant show` and
///    doctor name the version.
/// 2. Repair the row: the waiting payout goes out.
/// 3. Damage it again and register an address with the normal command: it is paid after the
///    delay.
#[test]
#[ignore = "long"]
fn row_14_a_damaged_row_is_superseded_by_a_normal_command() {
    let Some(mut scene) = Scene::set() else { return };
    let change = |scene: &Scene, script: &str| {
        scene.write(&format!(
            "UPDATE payout_addresses SET script = x'{script}'
             WHERE merchant_id = {{id}} AND version = 1"
        ));
    };
    change(&scene, "6a");
    scene.round_waits("damaged", "payout address 1 is missing, damaged, or was changed");
    scene.await_doctor("payout address 1 is missing, damaged, or was changed");
    let shown =
        |scene: &Scene| scene.gateway.cli_json(&["merchant", "show", &scene.shop.merchant_id]);
    assert_eq!(shown(&scene).raw("damagedPayoutAddresses"), "[1]");
    assert_eq!(shown(&scene).raw("payoutAddress"), "null");
    change(&scene, &scene.script_of(&scene.shop.payout_address));
    scene.heals_to(&scene.shop.payout_address);
    change(&scene, "6a");
    let right = scene.change_seen(2);
    scene.let_pass(DELAY);
    scene.round_pays(&right);
    scene.await_no_wait();
    assert_eq!(shown(&scene).text("payoutAddress"), right);
    assert_eq!(shown(&scene).raw("damagedPayoutAddresses"), "[1]");
}
