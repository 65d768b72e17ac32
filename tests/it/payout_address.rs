//! The payout address in force: the database, the sweeper's record and two clocks must agree. Each
//! row of the table in `static/docs/explanation/architecture.md` by its number, with the sweeper as
//! a process of its own, its clock moved, its record older or newer than the database.

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
/// A little more than the delay.
const DELAY: Duration = Duration::from_secs(24 * 3_600 + 60);

/// A shop, and an honest one beside it that is paid in every round. The sweeper runs alone.
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
    /// Row 1: both are paid at once.
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

    fn seal_state_file(&self) -> PathBuf {
        PathBuf::from(format!("{}.record", self.gateway.setting("sweeper.seal_key_file")))
    }

    fn set_clock(&self, text: &str) {
        let next = self.gateway.folder().join("sweepers-clock-next");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.gateway.folder().join("sweepers-clock")).unwrap();
    }

    /// Starts the sweeper anew with a clock that is wrong by so many hours.
    fn wrong_clock(&mut self, hours: i64) {
        self.sweeper.kill();
        self.set_clock(&format!("wall {}", hours * 3_600_000));
        self.sweeper.start(&self.gateway);
    }

    /// Starts the sweeper anew with the right time.
    fn right_clock(&mut self) {
        self.sweeper.kill();
        self.set_clock(&self.passed.as_millis().to_string());
        self.sweeper.start(&self.gateway);
    }

    /// Time passes for everybody, the chain included.
    fn let_pass(&mut self, time: Duration) {
        self.passed += time;
        self.gateway.let_pass(self.passed);
        self.set_clock(&self.passed.as_millis().to_string());
    }

    fn merchant(&self, act: &str) {
        self.gateway.cli_ok(&["merchant", act, &self.shop.merchant_id]);
    }

    /// Registers a fresh address.
    fn change(&self) -> String {
        let address = self.node.fresh_address();
        self.register(&address);
        address
    }

    fn register(&self, address: &str) {
        self.gateway.cli_ok(&["merchant", "set-address", &self.shop.merchant_id, address]);
    }

    /// As [`Scene::change`], and the sweeper sees it: it is the so-manieth of the shop.
    fn change_seen(&self, count: usize) -> String {
        let address = self.change();
        self.gateway.await_addresses_seen(&self.shop.merchant_id, count);
        address
    }

    /// Writes into the database, as an attacker who controls the process that serves the web: rows
    /// and heads verify.
    fn write(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.gateway.setting("database")).unwrap();
        connection.busy_timeout(SOON).unwrap();
        let id = u64::from_str_radix(&self.shop.merchant_id["mer_".len()..], 16).unwrap();
        let sql = sql.replace("{id}", &id.to_string());
        assert_eq!(connection.execute(&sql, []).unwrap(), 1, "a row changes: {sql}");
        RowKey::of(&self.gateway).seal(&connection);
        forge_heads(&self.gateway, &connection);
    }

    fn script_of(&self, address: &str) -> String {
        let info: serde_json::Value =
            self.node.call("getaddressinfo", serde_json::json!([address]));
        info["scriptPubKey"].as_str().unwrap().to_owned()
    }

    /// Both shops get a payment, and the sweeper pays out: to these addresses, and nobody else.
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

    fn gateway_tip(&self) {
        self.gateway.await_tip(&self.node.height().to_string());
    }

    /// What waited goes out: to this address, and to nobody else.
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

    #[track_caller]
    fn round_pays(&self, address: &str) {
        self.round(&[address]);
    }

    /// In a round only the honest shop is paid, and everybody is told why the other waits.
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

    /// Nobody waits any more.
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

    /// What doctor says of the shop.
    #[track_caller]
    fn await_doctor(&self, words: &str) {
        let named = format!("payouts of {} wait", self.shop.merchant_id);
        wait_for("doctor names the shop", SOON, || {
            let said = self.gateway.doctor().stdout;
            said.lines().any(|line| line.contains(&named) && line.contains(words))
        });
    }

    /// What the audit and the audit log say of the shop.
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

    /// The way out of a contradiction: an address is registered once more, and paid after the
    /// delay.
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

/// 1. A change is registered, and seen by the sweeper: the old address is paid.
/// 2. The delay passes by both clocks: the new one is paid.
/// 3. Another change is cancelled: nothing changes. The cancellation is undone by SQL: it waits.
/// 4. It is cancelled once more, by an ordinary command.
#[test]
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

/// 1. The sweeper is down while a change is registered and takes effect.
/// 2. It starts: the database says that the new one is in force. The coins wait, and everybody is
///    told.
/// 3. After the whole delay the new one is paid, and never the old one.
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

/// 1. As before, but the record is one from before the change, and the new one was paid already.
/// 2. The merchant did not ask for it and cancels, although it is in force by the database: the old
///    one is paid again, by both.
#[test]
fn row_4_an_older_seal_state_waits_and_allows_cancellation() {
    let Some(mut scene) = Scene::set() else { return };
    let record = fs::read_to_string(scene.seal_state_file()).unwrap();
    let new = scene.change_seen(2);
    scene.let_pass(DELAY);
    scene.round_pays(&new);
    scene.sweeper.kill();
    // Of payments the record must know what it sealed.
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

/// 1. A change was seen too late, and a newer one is registered.
/// 2. Neither the old one nor the one in between is paid; then the newest is.
#[test]
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
    // By now the one in between was known for the whole delay.
    scene.let_pass(DELAY - HOUR);
    scene.round(&[]);
    scene.let_pass(HOUR);
    scene.heals_to(&newest);
}

/// 1. A change waits. The sweeper starts with a clock that is two days ahead: nothing is paid, and
///    everybody is told.
/// 2. The clock is right again: the old one is paid. The change is cancelled: it still is.
/// 3. Another change takes effect by both clocks, and is paid.
#[test]
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

/// The shop has changed its address once, and was paid there; then somebody writes into the
/// database. The coins wait, everybody is told, and an ordinary command is the way out.
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

/// The row of a change by SQL: the fourth that the table would have, or an earlier version.
fn insert(scene: &Scene, version: u32, registered: &str) -> String {
    let script = scene.script_of(&scene.node.fresh_address());
    format!(
        "INSERT INTO payout_addresses (merchant_id, version, script, registered_at, effective_at)
         SELECT merchant_id, {version}, x'{script}', {registered}, {registered} + 86400000
         FROM payout_addresses WHERE merchant_id = {{id}} AND version = 2"
    )
}

#[test]
fn row_8_a_backdated_row_waits_for_a_normal_command() {
    let month = 30 * 86_400_000u64;
    let backdated = |scene: &Scene| insert(scene, 3, &format!("registered_at - {month}"));
    check_contradiction(backdated, "backdated", "payout address 3 claims to be older than it");
}

#[test]
fn row_8_a_change_without_delay_waits_for_a_normal_command() {
    let month = 30 * 86_400_000u64;
    let at_once = |scene: &Scene| {
        let row = insert(scene, 3, &format!("registered_at - {month}"));
        row.replace(" + 86400000", "")
    };
    check_contradiction(at_once, "backdated", "payout address 3 claims to be older than it");
}

#[test]
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
fn row_10_an_older_database_waits_for_a_normal_command() {
    let gone =
        |_: &Scene| "DELETE FROM payout_addresses WHERE merchant_id = {id} AND version = 2".into();
    check_contradiction(gone, "missing", "payout address 2 is missing");
}

#[test]
fn row_12_a_change_cancelled_in_force_waits_for_a_command() {
    let cancelled = |_: &Scene| {
        "UPDATE payout_addresses SET cancelled_at = 1 WHERE merchant_id = {id} AND version = 2"
            .into()
    };
    let words = "payout address 2 was cancelled after it was in force";
    check_contradiction(cancelled, "cancelled_in_force", words);
}

/// 1. A third address is registered and cancelled, and taken away by SQL; the second one is put in
///    force under its number.
/// 2. The coins wait; the row is cancelled by an ordinary command, and the second one is paid.
#[test]
fn row_11_a_row_inserted_behind_a_later_one_waits() {
    let Some(mut scene) = Scene::set() else { return };
    scene.sweeper.kill();
    // Version 2 was never seen.
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

/// 1. A change has taken effect for both; the operator then vouches for the whole database.
/// 2. The record begins anew: the address in force is paid, and a further change waits for the
///    whole delay.
#[test]
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

/// 1. The script of the address in force is made unreadable. Only that shop waits; `merchant show`
///    shows the rest and names the version, and so does doctor.
/// 2. The row is mended: what waited goes out.
/// 3. It is unreadable again. An address is registered by the ordinary command: after the delay it
///    is paid, and the damaged row holds up nobody.
#[test]
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
