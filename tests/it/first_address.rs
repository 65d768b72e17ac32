//! A merchant's first payout address and first payment, as a sweeper in a separate process
//! sees them.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::receiver::Receiver;
use crate::harness::roles::Part;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// A little more than the delay.
const DELAY: Duration = Duration::from_secs(24 * 3_600 + 60);

/// A gateway whose sweeper has looked at an empty database, and was stopped.
struct Scene {
    sweeper: Part,
    others: Part,
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
        gateway.set("sweeper.min_payout", "0.05");
        gateway.set("sweeper.notify_url", receiver.url("/"));
        let mut others = Part::of("api,watcher,webhooks");
        others.start(&gateway);
        let mut sweeper = Part::of("sweeper");
        sweeper.start(&gateway);
        let early = Shop::open(&gateway, &node, "Early");
        gateway.await_addresses_seen(&early.merchant_id, 1);
        sweeper.kill();
        Some(Scene { sweeper, others, receiver, gateway, node })
    }

    /// A payment that is completed.
    fn pay(&self, shop: &Shop) {
        let payment = shop.create("0.1");
        self.node.send(&payment.address, "0.1");
        self.node.mine(2);
        shop.await_status(&payment.id, "completed", SOON);
    }

    /// The merchant that is paid next.
    #[track_caller]
    fn await_payout(&self) -> Vec<String> {
        wait_for("a payout", SOON, || self.node.mempool().len() == 1);
        let outputs = self.node.outputs_of(&self.node.mempool()[0]);
        self.node.mine(1);
        self.gateway.await_tip(&self.node.height().to_string());
        outputs.into_iter().map(|(address, _)| address).collect()
    }

    fn await_payments_seen(&self, count: u32) {
        let file = format!("{}.record", self.gateway.setting("sweeper.seal_key_file"));
        wait_for("the payments in the record", SOON, || {
            std::fs::read_to_string(&file)
                .is_ok_and(|text| text.contains(&format!("payments {count}\n")))
        });
    }
}

fn id_of(shop: &Shop) -> u64 {
    u64::from_str_radix(&shop.merchant_id["mer_".len()..], 16).unwrap()
}

/// 1. While the sweeper is down, register a merchant's first address and pay a payment.
/// 2. Start the sweeper: it sees both at once and pays out at once.
/// 3. Do the same for another merchant while the sweeper runs: paid out at once.
#[test]
fn an_address_registered_before_the_payment_is_paid_at_once() {
    let Some(mut scene) = Scene::set() else { return };
    let shop = Shop::open(&scene.gateway, &scene.node, "While it was down");
    scene.pay(&shop);
    scene.sweeper.start(&scene.gateway);
    assert_eq!(scene.await_payout(), [shop.payout_address.as_str()], "{}", scene.sweeper.log());
    let shop = Shop::open(&scene.gateway, &scene.node, "While it runs");
    scene.pay(&shop);
    assert_eq!(scene.await_payout(), [shop.payout_address.as_str()], "{}", scene.sweeper.log());
    assert!(!scene.sweeper.log().contains("payouts wait"), "{}", scene.sweeper.log());
}

/// 1. While the sweeper is down, register an address and pay a payment.
/// 2. Hide the address from the sweeper by SQL, so that it sees the payment first.
/// 3. Show the address with its old time: its coins wait, the operator is notified of the
///    delay, and another merchant is paid.
/// 4. Neither `sweep` nor an unsigned sweep pays it.
/// 5. After the delay it is paid.
#[test]
#[ignore = "long"]
fn an_address_seen_after_a_payment_waits_for_the_delay() {
    let Some(mut scene) = Scene::set() else { return };
    let shop = Shop::open(&scene.gateway, &scene.node, "Shop");
    scene.pay(&shop);
    scene.others.kill();
    let database = Database::of(&scene.gateway);
    let id = id_of(&shop);
    let row = database.take(&format!("payout_addresses WHERE merchant_id = {id}"));
    scene.sweeper.start(&scene.gateway);
    scene.await_payments_seen(1);
    assert_eq!(scene.gateway.addresses_seen(&shop.merchant_id), 0);
    database.put("payout_addresses", row);
    scene.gateway.await_addresses_seen(&shop.merchant_id, 1);

    scene.others.start(&scene.gateway);
    let honest = Shop::open(&scene.gateway, &scene.node, "Honest");
    scene.pay(&honest);
    assert_eq!(scene.await_payout(), [honest.payout_address.as_str()]);
    let hit = wait_until("the notification", SOON, || {
        scene.receiver.hits().into_iter().find(|hit| hit.body.contains(&shop.payout_address))
    });
    let fields = hit.fields();
    assert_eq!(fields.text("event"), "payout_address_seen");
    assert!(fields.text("paysFrom") > fields.text("firstSeenAt"), "{}", fields.whole());
    let shown = scene.gateway.cli_json(&["merchant", "show", &shop.merchant_id]);
    assert!(shown.text("payoutsWait").contains("payout address 1"), "{}", shown.whole());
    assert!(scene.sweeper.log().contains("payouts wait"));

    let psbt = scene.gateway.folder().join("unsigned.psbt").display().to_string();
    scene.gateway.cli_fails(&["sweep", "--psbt", &psbt], 1, &["nothing is due"]);
    scene.sweeper.kill();
    for arguments in [&["sweep"][..], &["sweep", "--dry-run"]] {
        let said = scene.gateway.cli_json(arguments);
        assert!(said.objects("sweeps").is_empty(), "{}", said.whole());
        assert_eq!(said.objects("waiting").len(), 1, "{}", said.whole());
    }
    scene.gateway.cli_fails(&["sweep", "--psbt", &psbt], 1, &["nothing is due"]);
    assert!(scene.node.mempool().is_empty());

    scene.sweeper.start(&scene.gateway);
    scene.gateway.let_pass(DELAY);
    assert_eq!(scene.await_payout(), [shop.payout_address.as_str()], "{}", scene.sweeper.log());
}
