//! Everything at once, for long: many merchants and kinds of payments, reorganisations, fee
//! spikes, changed payout addresses, a moving clock, and kills of each process. At the end the
//! gateway agrees with the node's chain and UTXO set to the litoshi.
//!
//! `make soak` runs it with 50 merchants and 2,000 payments; SOAK_MERCHANTS, SOAK_PAYMENTS and
//! SEED change that. Every second seed uses a node that replaces transactions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::harness::database::Database;
use crate::harness::expected::{At, Chain, chain, unspent};
use crate::harness::gateway::Gateway;
use crate::harness::json::{Fields, litoshis};
use crate::harness::node::{Node, core_spelling, decimal};
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::random::{Random, setting};
use crate::harness::receiver::Receiver;
use crate::harness::roles::Part;
use crate::harness::shop::{Created, Shop};
use crate::harness::wait::{SOON, wait_for};

const MERCHANTS: u64 = 4;
const PAYMENTS: u64 = 40;

/// Kinds of payout addresses.
const ADDRESS_KINDS: [&str; 4] =
    ["wpkh({}/7/*)", "pkh({}/7/*)", "sh(wpkh({}/7/*))", "wsh(pkh({}/7/*))"];

/// The clock moves by multiples of this, so that no delay of a payout address ends within
/// seconds.
const CLOCK_STEP: Duration = Duration::from_secs(2 * 3600);
const ADDRESS_DELAY: Duration = Duration::from_secs(24 * 3600);

/// The configured smallest payout, in litoshis.
const MIN_PAYOUT: u64 = 1_000_000;

/// More than the deepest reorganisation, so that completed payments stay in the chain.
const CONFIRMATIONS: u32 = 4;

/// Last height of empty blocks; above it MWEB may be active.
const EMPTY_BLOCKS_UNTIL: u32 = 400;

/// The node's answer without a fee estimate, and its replacements.
const NO_ESTIMATE: &str = r#""errors":["Insufficient data or no feerate found"]"#;
const SPIKES: [&str; 4] = [
    r#""feerate":0.00000001"#,
    r#""feerate":0.00090000"#,
    r#""feerate":0.00500000"#,
    r#""feerate":1.00000000"#,
];

/// Index of each process in `PARTS`; 1 is the watcher.
const API: usize = 0; // 1 is the watcher.
const SWEEPER: usize = 2;
const PARTS: [&str; 3] = ["api,webhooks", "watcher", "sweeper"];

/// A shopper's action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Send(u64),
    FromMweb(u64),
    Mine,
}

struct Order {
    merchant: usize,
    created: Created,
    amount: u64,
    /// Remaining actions, in order.
    operations: VecDeque<Act>,
    /// Not before the clock shows this.
    not_before: Duration,
}

/// A registered payout address, with the time of the moved clock.
struct Registration {
    address: String,
    at: Duration,
    cancelled: bool,
}

struct Merchant {
    shop: Shop,
    registrations: Vec<Registration>,
}

impl Merchant {
    fn pending(&mut self, now: Duration) -> impl Iterator<Item = &mut Registration> {
        let later = self.registrations.iter_mut().skip(1);
        later.filter(move |r| !r.cancelled && r.at + ADDRESS_DELAY > now)
    }

    /// The address in force: the first at once, others after their delay.
    fn in_force(&self, now: Duration) -> &str {
        let [first, later @ ..] = self.registrations.as_slice() else { panic!("has an address") };
        let newest = later.iter().rev().find(|r| !r.cancelled && r.at + ADDRESS_DELAY <= now);
        &newest.unwrap_or(first).address
    }
}

struct Soak {
    // In the order in which they end.
    parts: [Part; 3],
    gateway: Gateway,
    proxy: RpcProxy,
    receiver: Receiver,
    node: Node,
    random: Random,
    merchants: Vec<Merchant>,
    orders: Vec<Order>,
    target: usize,
    fresh_addresses: VecDeque<String>,
    passed: Duration,
    /// Until which step a part stays down.
    down_until: [u64; 3],
    step: u64,
    /// Not before this height is more money moved into MWEB.
    pegin_again_at: u32,
    /// Where each merchant's money went when a sweep was made.
    in_force_of: BTreeMap<i64, Vec<String>>,
    counts: BTreeMap<&'static str, u64>,
}

/// 1. Take random steps until all payments are created and paid.
/// 2. Start everything, let time pass, and mine until nothing is pending.
/// 3. Compare payments, sweeps, sums and webhooks with the chain.
#[test]
#[ignore = "long"]
fn the_ledger_matches_the_utxo_set_after_a_mixed_load() {
    let (merchants, payments) =
        (setting("SOAK_MERCHANTS", MERCHANTS), setting("SOAK_PAYMENTS", PAYMENTS));
    let seed = setting("SEED", 1);
    println!("{merchants} merchants, {payments} payments, seed {seed}");
    let began = Instant::now();
    let Some(mut soak) = Soak::begin(merchants, payments, seed) else { return };
    // An upper bound, which is never reached.
    for _ in 0..payments * 20 + 1_000 {
        if soak.orders.len() >= soak.target && soak.orders.iter().all(|o| o.operations.is_empty()) {
            break;
        }
        soak.step();
    }
    println!("walked for {} s: {:?}", began.elapsed().as_secs(), soak.counts);
    soak.settle();
    soak.evaluate();
    println!("all in {} s", began.elapsed().as_secs());
}

impl Soak {
    fn begin(merchants: u64, payments: u64, seed: u64) -> Option<Soak> {
        let replaces = ["-mempoolreplacement=1", "-walletrbf=1"];
        let node = Node::start_with(if seed.is_multiple_of(2) { &replaces } else { &[] })?;
        let gateway = Gateway::init(&node);
        let proxy = RpcProxy::before(&node.rpc_url());
        gateway.set("node.rpc_url", proxy.url());
        gateway.set("payments.confirmations", CONFIRMATIONS);
        gateway.set("payments.confirmations_pegout", CONFIRMATIONS + 2);
        gateway.set("sweeper.interval", "1s");
        gateway.set("sweeper.min_payout", decimal(MIN_PAYOUT));
        // Many coins, because chains of few outputs would be too long for the mempool.
        let purse: serde_json::Map<String, Value> =
            (0..40).map(|_| (node.fresh_address(), json!("2"))).collect();
        node.call::<String>("sendmany", json!(["", purse]));
        node.mine(1);
        let each = u32::try_from(merchants + payments / 8).unwrap();
        let key = core_spelling(&gateway.setting("wallet.xpub"));
        let lists = ADDRESS_KINDS.map(|kind| node.derive(&kind.replace("{}", &key), 0, each));
        let mixed = (0..lists[0].len()).flat_map(|at| lists.iter().map(move |l| l[at].clone()));
        let mut soak = Soak {
            fresh_addresses: mixed.collect(),
            parts: PARTS.map(Part::of),
            gateway,
            proxy,
            receiver: Receiver::start(),
            node,
            random: Random::of(seed),
            merchants: Vec::new(),
            orders: Vec::new(),
            target: usize::try_from(payments).unwrap(),
            passed: Duration::ZERO,
            down_until: [0; 3],
            step: 0,
            pegin_again_at: 0,
            in_force_of: BTreeMap::new(),
            counts: BTreeMap::new(),
        };
        let crash = format!("before-broadcast@{}", soak.crash_flag().display());
        soak.parts[SWEEPER].set_environment("LITEGATE_CRASH_AT", &crash);
        for part in &mut soak.parts {
            part.start(&soak.gateway);
        }
        for number in 0..merchants {
            let address = soak.fresh_addresses.pop_front().unwrap();
            let shop = Shop::open_paid_to(&soak.gateway, &format!("Merchant {number}"), &address);
            // The clock moves by more than the initial month.
            soak.gateway.cli_ok(&["merchant", "grant", &shop.merchant_id, "3650"]);
            let first = Registration { address, at: Duration::ZERO, cancelled: false };
            soak.merchants.push(Merchant { shop, registrations: vec![first] });
        }
        Some(soak)
    }

    fn step(&mut self) {
        self.step += 1;
        let what = match self.random.below(100) {
            0..=24 => self.order(),
            25..=58 => self.pay(),
            59..=77 => self.mine(),
            78..=82 => self.reorganise(),
            83..=88 => self.kill(),
            89..=92 => self.spike(),
            93..=96 => self.change_address(),
            _ => self.move_clock(),
        };
        *self.counts.entry(what).or_default() += 1;
        self.revive();
        if self.orders.len() >= self.target / 2 {
            self.enter_mweb();
        }
    }

    fn batch(&self) -> u64 {
        1 + self.target as u64 / 200
    }

    /// Creates payments of random kinds.
    fn order(&mut self) -> &'static str {
        if !self.parts[API].runs() {
            return "nothing";
        }
        let mweb = self.node.height() > EMPTY_BLOCKS_UNTIL;
        for _ in 0..=self.random.below(self.batch() * 2) {
            if self.orders.len() >= self.target {
                break;
            }
            let amount = 200_000 + self.random.below(5_000_000);
            let dust = 3_000 + self.random.below(2_000);
            let (kind, operations) = match self.random.below(20) {
                0 => ("unpaid", vec![]),
                1..=5 => ("exact", vec![Act::Send(amount)]),
                6 | 7 => ("part", vec![Act::Send(amount / 2)]),
                8 | 9 => ("split", vec![Act::Send(amount / 3), Act::Send(amount - amount / 3)]),
                10 | 11 => ("over", vec![Act::Send(amount * 2)]),
                12 => ("late", vec![Act::Send(amount)]),
                13 => ("repeated", vec![Act::Send(amount), Act::Send(amount)]),
                14 => ("dust", vec![Act::Send(dust)]),
                15 => ("dust beside", vec![Act::Send(dust), Act::Send(amount)]),
                16 if self.random.below(self.batch()) == 0 => ("coinbase", vec![Act::Mine]),
                _ if mweb => ("out of MWEB", vec![Act::FromMweb(amount)]),
                _ => ("exact", vec![Act::Send(amount)]),
            };
            *self.counts.entry(kind).or_default() += 1;
            let merchant = self.random.below(self.merchants.len() as u64) as usize;
            let url = self.receiver.url("/hook");
            let created = self.merchants[merchant].shop.create_with_webhook(&decimal(amount), &url);
            let wait = if kind == "late" { CLOCK_STEP } else { Duration::ZERO };
            let not_before = self.passed + wait;
            self.orders.push(Order {
                merchant,
                created,
                amount,
                operations: operations.into(),
                not_before,
            });
        }
        "order"
    }

    /// Pays orders, alone or several in one transaction.
    fn pay(&mut self) -> &'static str {
        let passed = self.passed;
        let ready = |order: &Order| !order.operations.is_empty() && order.not_before <= passed;
        let mut able: Vec<usize> =
            (0..self.orders.len()).filter(|at| ready(&self.orders[*at])).collect();
        let count = 1 + self.random.below(self.batch() * 3) as usize;
        let mut together = serde_json::Map::new();
        let alone = self.random.below(3) == 0;
        let mut mweb_is_empty = false;
        for _ in 0..count.min(able.len()) {
            let place = self.random.below(able.len() as u64) as usize;
            let order = &mut self.orders[able.swap_remove(place)];
            let Some(act) = order.operations.pop_front() else { continue };
            let address = &order.created.address;
            let done = match act {
                Act::Send(amount) if alone => {
                    let to = json!([address, decimal(amount)]);
                    self.node.try_call::<String>("sendtoaddress", to).is_ok()
                }
                Act::Send(amount) => {
                    together.insert(address.clone(), json!(decimal(amount)));
                    true
                }
                Act::FromMweb(amount) => {
                    let paid = self.node.try_send_from_mweb(address, &decimal(amount)).is_ok();
                    mweb_is_empty |= !paid;
                    paid
                }
                Act::Mine => {
                    self.node.mine_to(address, 1);
                    true
                }
            };
            if !done {
                // The wallet may lack coins until the next block.
                order.operations.push_front(act);
            }
        }
        if !together.is_empty()
            && self.node.try_call::<String>("sendmany", json!(["", together])).is_err()
        {
            for order in &mut self.orders {
                if let Some(amount) = together.get(&order.created.address) {
                    order.operations.push_front(Act::Send(litoshis(amount.as_str().unwrap())));
                }
            }
        }
        if mweb_is_empty && self.node.height() >= self.pegin_again_at {
            // The wallet also uses MWEB coins for other payments.
            let address: String = self.node.call("getnewaddress", json!(["", "mweb"]));
            let _: Result<String, _> = self.node.try_call("sendtoaddress", json!([address, "5"]));
            self.pegin_again_at = self.node.height() + 4;
        }
        "pay"
    }

    fn mine(&mut self) -> &'static str {
        self.node.mine(1 + u32::try_from(self.random.below(2)).unwrap());
        "mine"
    }

    fn reorganise(&mut self) -> &'static str {
        let depth = 1 + u32::try_from(self.random.below(u64::from(CONFIRMATIONS) - 1)).unwrap();
        if self.node.height() < EMPTY_BLOCKS_UNTIL && self.random.below(2) == 0 {
            self.node.reorg_to_empty(depth);
            return "reorganise to empty";
        }
        self.node.reorg(depth);
        "reorganise"
    }

    /// Kills a process, or lets the sweeper crash at its next stored sweep.
    fn kill(&mut self) -> &'static str {
        let part = self.random.below(3) as usize;
        if part == SWEEPER && self.random.below(2) == 0 {
            fs::write(self.crash_flag(), "").unwrap();
            return "doom the sweeper";
        }
        self.parts[part].kill();
        self.down_until[part] = self.step + self.random.below(2) * self.random.below(12);
        "kill"
    }

    fn crash_flag(&self) -> PathBuf {
        self.gateway.folder().join("die-now")
    }

    /// Starts processes that were down long enough.
    fn revive(&mut self) {
        let flag = self.crash_flag();
        for (at, part) in self.parts.iter_mut().enumerate() {
            if part.has_ended() {
                assert!(at == SWEEPER && flag.exists(), "{} ended by itself", part.roles());
                fs::remove_file(&flag).unwrap();
                part.kill();
                *self.counts.entry("died before a broadcast").or_default() += 1;
            }
            if !part.runs() && self.down_until[at] <= self.step {
                part.start(&self.gateway);
            }
        }
    }

    /// Changes the node's fee estimate: low, high, absurd or none.
    fn spike(&mut self) -> &'static str {
        let spikes = SPIKES.len() as u64;
        let fault = match self.random.below(spikes + 2).checked_sub(2) {
            Some(at) => Fault::Rewrite(NO_ESTIMATE, SPIKES[at as usize]),
            None => Fault::None,
        };
        self.proxy.set(fault);
        "spike"
    }

    /// Registers another payout address, or cancels a change.
    fn change_address(&mut self) -> &'static str {
        let at = self.random.below(self.merchants.len() as u64) as usize;
        let (passed, cancels) = (self.passed, self.random.below(2) == 0);
        let merchant = &mut self.merchants[at];
        let id = merchant.shop.merchant_id.clone();
        if cancels && merchant.pending(passed).next().is_some() {
            self.gateway.cli_ok(&["merchant", "cancel-address-change", &id]);
            merchant.pending(passed).for_each(|change| change.cancelled = true);
            return "cancel a change of address";
        }
        let Some(address) = self.fresh_addresses.pop_front() else { return "nothing" };
        self.gateway.cli_ok(&["merchant", "set-address", &id, &address]);
        // A pending change is superseded.
        merchant.pending(passed).for_each(|change| change.cancelled = true);
        merchant.registrations.push(Registration { address, at: passed, cancelled: false });
        "change an address"
    }

    /// Lets hours pass. The sweeper is killed first, so that earlier sweeps are known.
    fn move_clock(&mut self) -> &'static str {
        let steps = [1, 1, 2, 13][self.random.below(4) as usize];
        self.move_clock_by(CLOCK_STEP * steps);
        "move the clock"
    }

    fn move_clock_by(&mut self, time: Duration) {
        self.await_addresses_seen();
        self.parts[SWEEPER].kill();
        self.note_sweeps();
        self.passed += time;
        self.gateway.let_pass(self.passed);
    }

    /// The delay counts from the sweeper's first sight.
    fn await_addresses_seen(&mut self) {
        self.down_until[SWEEPER] = 0;
        let seen = |soak: &Soak| {
            soak.merchants.iter().all(|merchant| {
                let seen = soak.gateway.addresses_seen(&merchant.shop.merchant_id);
                seen >= merchant.registrations.len()
            })
        };
        wait_for("the sweeper sees all addresses", SOON, || {
            self.revive();
            seen(self)
        });
    }

    /// Records the addresses in force for all new sweeps.
    fn note_sweeps(&mut self) {
        let now: Vec<String> =
            self.merchants.iter().map(|m| m.in_force(self.passed).to_owned()).collect();
        for row in Database::of(&self.gateway).rows("SELECT id FROM sweeps") {
            self.in_force_of.entry(number(&row[0])).or_insert_with(|| now.clone());
        }
    }

    /// From here on, payments by peg-out are possible.
    fn enter_mweb(&mut self) {
        if self.node.height() > EMPTY_BLOCKS_UNTIL {
            return;
        }
        self.node.activate_mweb();
        // Deeper than any reorganisation.
        self.node.mine(CONFIRMATIONS + 2);
    }

    /// Starts everything with usual fees, and mines until every payment is decided and paid
    /// out.
    fn settle(&mut self) {
        self.proxy.set(Fault::None);
        let _ = fs::remove_file(self.crash_flag()); // It may not be there.
        self.move_clock_by(CLOCK_STEP * 30);
        self.down_until = [0; 3];
        self.revive();
        // Coinbases can be spent now.
        self.node.mine(101);
        let (mut quiet_since, deadline) = (Instant::now(), Instant::now() + SOON * 30);
        while quiet_since.elapsed() < Duration::from_secs(6) {
            assert!(Instant::now() < deadline, "it never comes to rest");
            if !self.node.mempool().is_empty() || !self.is_decided() {
                self.node.mine(1);
                self.gateway.await_tip(&self.node.height().to_string());
                quiet_since = Instant::now();
            }
            // An idle sweeper gives no event to wait for.
            std::thread::park_timeout(Duration::from_millis(200));
        }
        self.gateway.await_tip(&self.node.height().to_string());
        self.note_sweeps();
    }

    /// Whether no payment is pending and no sweep waits to be mined.
    fn is_decided(&self) -> bool {
        let waiting = "SELECT 1 FROM payments WHERE status = 'pending' UNION ALL
                       SELECT 1 FROM sweeps WHERE abandoned_at IS NULL AND id NOT IN
                           (SELECT sweep_id FROM sweep_txs WHERE block_height IS NOT NULL)";
        Database::of(&self.gateway).rows(waiting).is_empty()
    }

    /// Compares the gateway with the chain.
    fn evaluate(&self) {
        let chain = chain(&self.node);
        self.validate_payments(&chain);
        let fees = self.validate_sweeps(&chain);
        self.evaluate_sums(&chain, fees);
        self.validate_webhooks();
    }

    fn validate_payments(&self, chain: &Chain) {
        let paid = chain.paid();
        let listed = self.gateway.cli_list(&["payment", "list", "--limit", "1000000"]);
        assert_eq!(listed.len(), self.orders.len());
        let listed: BTreeMap<String, Fields> =
            listed.into_iter().map(|fields| (fields.text("paymentId"), fields)).collect();
        let mut completed = 0;
        for Order { created, amount, .. } in &self.orders {
            let expected = paid.get(&created.address).cloned().unwrap_or_default();
            let fields = &listed[&created.id];
            assert_eq!(litoshis(fields.raw("amountReceivedLtc")), expected.sum, "{fields:?}");
            assert_eq!(litoshis(fields.raw("amountConfirmedLtc")), expected.sum, "{fields:?}");
            assert_eq!(fields.texts("txids").into_iter().collect::<BTreeSet<_>>(), expected.txids);
            match fields.text("status").as_str() {
                "completed" => assert!(expected.sum >= *amount, "{fields:?}"),
                "expired" => {}
                other => panic!("{other}: {fields:?}"),
            }
            completed += u64::from(fields.text("status") == "completed");
        }
        println!("{completed} of {} payments are completed", self.orders.len());
        assert!(completed * 3 > self.orders.len() as u64, "most are paid in time");
    }

    /// Each transaction that spends our coins is a sweep. It pays each merchant its coins
    /// minus its share of the fee, to the address in force when it was made. Answers the sum
    /// of fees.
    fn validate_sweeps(&self, chain: &Chain) -> u64 {
        let sweep_of: BTreeMap<String, i64> = Database::of(&self.gateway)
            .rows("SELECT txid, sweep_id FROM sweep_txs")
            .iter()
            .map(|row| (txid(&row[0]), number(&row[1])))
            .collect();
        let merchant_of: BTreeMap<&str, usize> =
            self.orders.iter().map(|o| (o.created.address.as_str(), o.merchant)).collect();
        // By sweep: each merchant's number and sum of coins in it.
        let mut spent: BTreeMap<&str, BTreeMap<usize, (u64, u64)>> = BTreeMap::new();
        for (at, by) in &chain.spent_by {
            let Some(out) = chain.outputs.get(at) else { continue };
            let Some(merchant) = out.address.as_deref().and_then(|a| merchant_of.get(a)) else {
                continue;
            };
            let (coins, sum) = spent.entry(by).or_default().entry(*merchant).or_default();
            (*coins, *sum) = (*coins + 1, *sum + out.amount);
        }
        let mut fees = 0;
        for (by, shares) in &spent {
            let sweep = sweep_of.get(*by).unwrap_or_else(|| panic!("{by} is no sweep of ours"));
            let pays: BTreeMap<&str, u64> = outputs_of(chain, by);
            let in_force = &self.in_force_of[sweep];
            let gross: u64 = shares.values().map(|(_, sum)| sum).sum();
            let coins: u64 = shares.values().map(|(coins, _)| coins).sum();
            let fee = gross - pays.values().sum::<u64>();
            assert_eq!(pays.len(), shares.len(), "{by}: an output for each merchant, no other");
            for (merchant, (own, sum)) in shares {
                let address = &in_force[*merchant];
                let paid = pays.get(address.as_str());
                let paid = paid.unwrap_or_else(|| panic!("{by}: {address} is not in {pays:?}"));
                let share = u128::from(fee) * u128::from(*own) / u128::from(coins);
                let share = u64::try_from(share).unwrap();
                let bears = sum - paid;
                assert!(bears.abs_diff(share) <= 1, "{by}: bears {bears}, its share is {share}");
            }
            fees += fee;
        }
        println!("{} sweeps were mined", spent.len());
        fees
    }

    /// received = paid + fees + unswept, by the node's UTXO set and by the gateway's ledger.
    fn evaluate_sums(&self, chain: &Chain, fees: u64) {
        let paid_at = chain.paid();
        let sum_at = |address: &String| paid_at.get(address).map_or(0, |expected| expected.sum);
        let received: u64 = self.orders.iter().map(|o| sum_at(&o.created.address)).sum();
        let ledger = self.ledger_payouts();
        let (mut paid, mut paid_to) = (0, Vec::new());
        for merchant in &self.merchants {
            let before = paid;
            for Registration { address, cancelled, .. } in &merchant.registrations {
                let holds: u64 = self.utxos(&[json!(format!("addr({address})"))]).values().sum();
                assert_eq!(holds, ledger.get(address).copied().unwrap_or(0), "{address}");
                assert!(!cancelled || holds == 0, "{address} was cancelled and holds {holds}");
                paid += holds;
            }
            paid_to.push(paid - before);
        }
        let key = core_spelling(&self.gateway.setting("wallet.xpub"));
        let range = self.orders.len() + 1_000;
        let unswept = self.utxos(&[json!({ "desc": format!("wpkh({key}/0/*)"), "range": range })]);
        let unswept_sum: u64 = unswept.values().sum();
        println!("received {received} = paid {paid} + fees {fees} + unswept {unswept_sum}");
        assert_eq!(received, paid + fees + unswept_sum);
        // Nothing waits that could go out.
        let mut waits: BTreeMap<usize, u64> = BTreeMap::new();
        for (at, amount) in &unswept {
            let address = chain.outputs[at].address.as_ref().unwrap();
            let order = self.orders.iter().find(|o| o.created.address == *address).unwrap();
            *waits.entry(order.merchant).or_default() += amount;
        }
        assert!(waits.values().all(|sum| *sum < MIN_PAYOUT), "these could go out: {waits:?}");
        for (at, merchant) in self.merchants.iter().enumerate() {
            let own = self.orders.iter().filter(|order| order.merchant == at);
            let received = own.map(|order| sum_at(&order.created.address)).sum();
            let waits = waits.get(&at).copied().unwrap_or(0);
            self.validate_account(&merchant.shop, received, paid_to[at], waits);
        }
        let audit = self.gateway.cli_json(&["audit"]);
        for (name, sum) in [
            ("receivedLtc", received),
            ("paidLtc", paid),
            ("feesLtc", fees),
            ("unsweptLtc", unswept_sum),
            ("inFlightLtc", 0),
        ] {
            assert_eq!(litoshis(audit.raw(name)), sum, "{name} of the audit");
        }
    }

    /// A merchant's balances through its API key.
    fn validate_account(&self, shop: &Shop, received: u64, paid: u64, unswept: u64) {
        let ask = |path: &str| {
            let answer = self.gateway.request("GET", path, &[("x-api-key", &shop.api_key)], "");
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            Fields::of(&answer.body)
        };
        let account = ask("/api/account");
        for (name, sum) in [
            ("receivedLtc", received),
            ("paidLtc", paid),
            ("unsweptLtc", unswept),
            ("feesLtc", received - paid - unswept),
            ("inFlightLtc", 0),
            ("elsewhereLtc", 0),
            ("unconfirmedLtc", 0),
        ] {
            assert_eq!(litoshis(account.raw(name)), sum, "{name}: {account:?}");
        }
        let (mut notified, mut sweeps, mut cursor) = (0, BTreeSet::new(), String::new());
        loop {
            let page = ask(&format!("/api/payouts?limit=7{cursor}"));
            for payout in page.objects("data") {
                assert_ne!(payout.raw("confirmations"), "0", "{payout:?}");
                notified += litoshis(payout.raw("amountLtc"));
                assert!(sweeps.insert(payout.text("txid")), "told twice: {payout:?}");
            }
            if page.raw("nextCursor") == "null" {
                break;
            }
            cursor = format!("&cursor={}", page.text("nextCursor"));
        }
        assert_eq!(notified, paid, "the sum of its payouts");
    }

    /// Payouts of mined sweeps, by address.
    fn ledger_payouts(&self) -> BTreeMap<String, u64> {
        let rows = Database::of(&self.gateway).rows(
            "SELECT hex(script), sum(amount) FROM payouts JOIN sweep_txs USING (sweep_id, version)
             WHERE block_height IS NOT NULL GROUP BY script",
        );
        let mut ledger = BTreeMap::new();
        for row in rows {
            let Cell::Text(script) = &row[0] else { panic!("a script: {row:?}") };
            let decoded: Value = self.node.call("decodescript", json!([script]));
            let address = decoded["addresses"][0].as_str().unwrap().to_owned();
            ledger.insert(address, u64::try_from(number(&row[1])).unwrap());
        }
        ledger
    }

    fn utxos(&self, descriptors: &[Value]) -> BTreeMap<At, u64> {
        unspent(&self.node, &json!(descriptors))
    }

    /// Each completed payment has one event id, and no other payment has one.
    fn validate_webhooks(&self) {
        let completed: BTreeSet<String> = self
            .gateway
            .cli_list(&["payment", "list", "--status", "completed", "--limit", "1000000"])
            .iter()
            .map(|fields| fields.text("paymentId"))
            .collect();
        let notified = || {
            let mut notified: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for hit in self.receiver.hits() {
                let id = hit.header("webhook-id").to_owned();
                notified.entry(hit.fields().text("paymentId")).or_default().insert(id);
            }
            notified
        };
        wait_for("all are told", SOON * 3, || notified().len() >= completed.len());
        let notified = notified();
        assert!(notified.keys().eq(&completed), "those that are complete, and no other");
        assert!(notified.values().all(|ids| ids.len() == 1), "one event each");
    }
}

fn outputs_of<'c>(chain: &'c Chain, txid: &str) -> BTreeMap<&'c str, u64> {
    let mut pays = BTreeMap::new();
    let all = (txid.to_owned(), 0)..=(txid.to_owned(), u32::MAX);
    for (at, out) in chain.outputs.range(all) {
        let address = out.address.as_deref().unwrap_or_else(|| panic!("{at:?} pays nobody"));
        *pays.entry(address).or_default() += out.amount;
    }
    pays
}

fn number(cell: &Cell) -> i64 {
    match cell {
        Cell::Integer(number) => *number,
        other => panic!("not a number: {other:?}"),
    }
}

/// A txid as displayed, from its bytes in internal order.
fn txid(cell: &Cell) -> String {
    let Cell::Blob(bytes) = cell else { panic!("not bytes: {cell:?}") };
    bytes.iter().rev().map(|byte| format!("{byte:02x}")).collect()
}
