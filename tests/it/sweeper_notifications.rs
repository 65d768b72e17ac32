//! Notifications of the sweeper, in a separate process, to the operator: signed, at least
//! once, whatever the receiver does. No sweep waits for them.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::receiver::{Hit, Receiver, Reply};
use crate::harness::roles::Part;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for, wait_until};
use crate::webhooks::verify;

/// The other roles, and a sweeper that notifies this receiver. It is not started.
struct Scene {
    sweeper: Part,
    _others: Part,
    receiver: Receiver,
    gateway: Gateway,
    node: Arc<Node>,
}

impl Scene {
    fn set() -> Option<Scene> {
        let node = Arc::new(Node::start()?);
        let gateway = Gateway::init(&node);
        let receiver = Receiver::start();
        gateway.set("sweeper.interval", "1s");
        gateway.set("sweeper.notify_url", receiver.url("/litegate"));
        let mut others = Part::of("api,watcher,webhooks");
        others.start(&gateway);
        let sweeper = Part::of("sweeper");
        Some(Scene { sweeper, _others: others, receiver, gateway, node })
    }

    fn secret(&self) -> String {
        self.gateway.cli_json(&["sweeper-webhook-secret"]).text("webhookSecret")
    }

    /// Waits for the notification of this event about this registration, and verifies it.
    #[track_caller]
    fn await_event(&self, event: &str, shop: &Shop, version: u32) -> (Hit, Fields) {
        let is_it = |hit: &Hit| {
            let fields = hit.fields();
            fields.text("event") == event
                && fields.text("merchantId") == shop.merchant_id
                && fields.raw("version") == version.to_string()
        };
        let hit = wait_until(&format!("{event} {version}"), SOON, || {
            self.receiver.hits().into_iter().find(is_it)
        });
        verify(&hit, &self.secret());
        let fields = hit.fields();
        (hit, fields)
    }
}

/// 1. Register a merchant's first address: the operator is notified, and the log names it.
/// 2. Register a change and cancel it: two notifications.
/// 3. Delete the first registration by SQL: the operator is notified that a person must
///    decide.
/// 4. Restart the sweeper: nothing is sent again.
#[test]
fn the_operator_is_notified_of_payout_address_changes() {
    let Some(mut scene) = Scene::set() else { return };
    scene.sweeper.start(&scene.gateway);
    let shop = Shop::open(&scene.gateway, &scene.node, "Shop");
    let (hit, first) = scene.await_event("payout_address_seen", &shop, 1);
    assert_eq!((hit.method.as_str(), hit.path.as_str()), ("POST", "/litegate"));
    assert_eq!(hit.header("content-type"), "application/json");
    assert_eq!(first.text("address"), shop.payout_address);
    assert_eq!(first.text("network"), "regtest");
    assert_eq!(first.text("registeredAt"), first.text("effectiveAt"));
    assert_eq!(first.text("paysFrom"), first.text("effectiveAt"), "at once");
    assert!(first.text("firstSeenAt") >= first.text("registeredAt"));
    assert!(!first.has("previousAddress") && !first.has("reason"));

    let address = scene.node.fresh_address();
    scene.gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &address]);
    let (hit, change) = scene.await_event("payout_address_seen", &shop, 2);
    assert_eq!(change.text("address"), address);
    assert_eq!(change.text("previousAddress"), shop.payout_address);
    assert!(change.text("paysFrom") >= change.text("effectiveAt"));
    let seen = hit.header("webhook-id").to_owned();
    scene.gateway.cli_ok(&["merchant", "cancel-address-change", &shop.merchant_id]);
    let (hit, undone) = scene.await_event("payout_address_cancelled", &shop, 2);
    assert_eq!(undone.raw("cancelled"), "true");
    assert_ne!(hit.header("webhook-id"), seen);

    let id = u64::from_str_radix(&shop.merchant_id["mer_".len()..], 16).unwrap();
    let sql = format!("DELETE FROM payout_addresses WHERE merchant_id = {id} AND version = 1");
    Database::of(&scene.gateway).write(&sql);
    // The remaining row makes the sweeper check again.
    scene.sweeper.kill();
    scene.sweeper.start(&scene.gateway);
    let (_, refused) = scene.await_event("payout_address_refused", &shop, 1);
    assert_eq!(refused.text("reason"), "damaged");
    assert!(refused.text("message").contains("payout address 1 is missing"));
    let log = scene.sweeper.log();
    for address in [&shop.payout_address, &address] {
        let named = |line: &&str| line.contains(address.as_str()) && line.contains("address");
        assert!(log.lines().any(|line| named(&line)), "{address} is in the sweeper's log: {log}");
    }

    // A notification is recorded as delivered once the record has no mark of it.
    scene.sweeper.kill();
    scene.sweeper.start(&scene.gateway);
    let another = Shop::open(&scene.gateway, &scene.node, "Another");
    scene.await_event("payout_address_seen", &another, 1);
    let hits = scene.receiver.hits();
    let of_shop = hits.iter().filter(|hit| hit.body.contains(&shop.merchant_id));
    let mut ids: Vec<&str> = of_shop.map(|hit| hit.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4, "{hits:?}");
}

/// 1. Let the receiver fail: the notification is retried with the same id and body.
/// 2. Kill the sweeper before the delivery, and start it: the notification is delivered.
/// 3. Doctor reports no overdue notification.
#[test]
#[ignore = "long"]
fn an_undelivered_notification_survives_a_kill() {
    let Some(mut scene) = Scene::set() else { return };
    scene.receiver.reply_next(std::iter::repeat_n(Reply::HangUp, 2));
    scene.receiver.fail_next(100);
    scene.sweeper.start(&scene.gateway);
    let shop = Shop::open(&scene.gateway, &scene.node, "Shop");
    scene.receiver.await_hits(3, SOON);
    scene.sweeper.kill();
    let failed = scene.receiver.hits();
    scene.receiver.forget_replies();
    scene.sweeper.start(&scene.gateway);
    let hits = scene.receiver.await_hits(failed.len() + 1, SOON);
    for hit in &hits {
        assert_eq!(hit.body, hits[0].body);
        assert_eq!(hit.header("webhook-id"), hits[0].header("webhook-id"));
    }
    assert!(hits[0].body.contains(&shop.merchant_id));
    wait_for("the delivery in the log", SOON, || {
        scene.sweeper.log().contains("notification delivered")
    });
    let doctor = scene.gateway.cli(&["doctor"]).stdout;
    let line = doctor.lines().find(|line| line.contains("sweeper notifications"));
    assert!(line.is_some_and(|line| line.starts_with("ok")), "{doctor}");
}

/// 1. Let the receiver hang.
/// 2. A payment is paid out meanwhile.
#[test]
fn a_receiver_that_hangs_delays_no_payout() {
    let Some(mut scene) = Scene::set() else { return };
    scene.receiver.reply_next(std::iter::repeat_n(Reply::Slow(Duration::from_secs(12)), 3));
    scene.sweeper.start(&scene.gateway);
    let shop = Shop::open(&scene.gateway, &scene.node, "Shop");
    let payment = shop.create("0.1");
    scene.node.send(&payment.address, "0.1");
    scene.receiver.await_hits(1, SOON);
    scene.node.mine(2);
    wait_for("the payout", SOON, || !scene.node.mempool().is_empty());
    let outputs = scene.node.outputs_of(&scene.node.mempool()[0]);
    assert_eq!(outputs[0].0, shop.payout_address);
    assert!(!scene.sweeper.log().contains("notification delivered"), "it still hangs");
}
