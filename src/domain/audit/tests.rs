//! Tests that an audit finds each kind of difference.

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::*;
use crate::domain::event_kind::EventKinds;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::payment::{Origin, Payment};
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;

/// The key of `tests/fixtures/addresses.tsv`.
const XPUB: &str = "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhW\
    o4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp";
const TIP: u32 = 110;

fn xpub() -> AccountXpub {
    AccountXpub::parse(XPUB, Network::Regtest).expect("a good key")
}

fn index(n: u32) -> DerivationIndex {
    DerivationIndex::new(n).expect("small")
}

fn ltc(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

fn block(height: u32) -> BlockId {
    BlockId { height, hash: BlockHash::from_byte_array([7; 32]) }
}

fn at(n: u8) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([n; 32]), vout: 0 }
}

fn sweep_txid() -> Txid {
    Txid::from_byte_array([99; 32])
}

/// Facts of two completed payments of 1 LTC: the first is swept, the second is not.
struct Facts {
    coins: Vec<LedgerCoin>,
    sweeps: Vec<LedgerVersion>,
    payments: Vec<LedgerPayment>,
    unspent: Vec<Unspent>,
}

fn coin(n: u8) -> LedgerCoin {
    let coin = Coin {
        outpoint: at(n),
        index: index(n.into()),
        amount: ltc("1"),
        origin: Origin::Plain,
        seen_at: Timestamp::from_ms(0),
        place: Place::Block(block(100)),
        rate: None,
    };
    LedgerCoin { coin, claim: None, spent_by: None, spent_height: None }
}

impl LedgerCoin {
    fn spent(self, by: Txid, height: u32) -> LedgerCoin {
        LedgerCoin { spent_by: Some(by), spent_height: Some(height), ..self }
    }
}

fn paid(n: u8) -> LedgerPayment {
    let payment = Payment {
        id: PaymentId::from_random([n; 16]),
        merchant: MerchantId::from_random(1),
        index: index(n.into()),
        script: xpub().script_at(index(n.into())),
        amount: ltc("1"),
        created_at: Timestamp::from_ms(0),
        expires_at: Timestamp::from_ms(0),
        late_until: Timestamp::from_ms(0),
        confirmations: 6,
        confirmations_pegout: 6,
        reference: None,
        webhook_url: Some("https://shop.example/hook".to_owned()),
        redirect_url: None,
        display_amount: None,
        metadata: None,
        events: EventKinds::NONE,
        price: None,
        tolerance: Tolerance::NONE,
        api_key: None,
    };
    let status = Status::Completed { at: Timestamp::from_ms(0), late: false, accepted: None };
    LedgerPayment { payment, status, has_event: true }
}

fn unspent(n: u8) -> Unspent {
    let script = xpub().script_at(index(n.into()));
    Unspent { outpoint: at(n), script, amount: ltc("1"), height: 100 }
}

fn facts() -> Facts {
    let script = ScriptBuf::from_bytes(vec![0x51]);
    let (merchant, amount) = (MerchantId::from_random(1), ltc("0.99"));
    let sweep = LedgerVersion {
        sweep: 1,
        abandoned: false,
        recognised: false,
        txid: sweep_txid(),
        readable: true,
        inputs: vec![at(0)],
        outputs: vec![(script.clone(), amount)],
        fee: ltc("0.01"),
        payouts: vec![LedgerPayout {
            merchant,
            script,
            gross: ltc("1"),
            operator_fee: Amount::ZERO,
            amount,
        }],
        block: Some(block(108)),
    };
    let swept = LedgerCoin { claim: Some(1), ..coin(0) }.spent(sweep_txid(), 108);
    Facts {
        coins: vec![swept, coin(1)],
        sweeps: vec![sweep],
        payments: vec![paid(0), paid(1)],
        unspent: vec![unspent(1)],
    }
}

fn audit(facts: Facts) -> Report {
    let xpub = xpub();
    let mut audit = Audit::new(&xpub, Some(block(TIP)), facts.coins, facts.sweeps);
    facts.payments.iter().for_each(|payment| audit.payment(payment));
    audit.finish(&facts.unspent)
}

#[test]
fn each_litoshi_is_counted_in_exactly_one_sum() {
    let report = audit(facts());
    assert_eq!(report.differences, []);
    let Report { received, paid, fees, in_flight, unswept, elsewhere, .. } = report;
    assert_eq!((received, unswept), (ltc("2"), ltc("1")));
    assert_eq!(
        (paid, fees, in_flight, elsewhere),
        (ltc("0.99"), ltc("0.01"), Amount::ZERO, Amount::ZERO)
    );
    assert_eq!(received, Amount::total([paid, fees, in_flight, unswept, elsewhere]));
}

#[test]
fn a_sweep_that_is_not_mined_is_in_flight() {
    let mut facts = facts();
    facts.sweeps[0].block = None;
    facts.coins[0] = LedgerCoin { claim: Some(1), ..coin(0) };
    facts.unspent.push(unspent(0));
    let report = audit(facts);
    assert_eq!(report.differences, []);
    assert_eq!((report.in_flight, report.unswept, report.paid), (ltc("1"), ltc("1"), Amount::ZERO));
}

#[test]
fn outputs_of_blocks_mined_during_the_scan_may_be_missing() {
    let listed = |height: u32, on_node: &[u8]| -> Vec<&'static str> {
        let (xpub, mut facts) = (xpub(), facts());
        facts.unspent = on_node.iter().map(|n| unspent(*n)).collect();
        let mut audit = Audit::new(&xpub, Some(block(TIP)), facts.coins, facts.sweeps);
        audit.listed_to(height);
        facts.payments.iter().for_each(|payment| audit.payment(payment));
        audit.finish(&facts.unspent).differences.iter().map(Difference::kind).collect()
    };
    // Block 100 has both coins, and block 108 spent the first.
    assert_eq!(listed(108, &[1]), [""; 0]);
    assert_eq!(listed(108, &[0, 1]), ["missing_coin"], "it was spent before the list began");
    for seen in [&[1][..], &[0, 1]] {
        assert_eq!(listed(107, seen), [""; 0], "it was spent after the list began");
    }
    assert_eq!(listed(107, &[0]), ["not_on_node"]);
    assert_eq!(listed(100, &[]), ["not_on_node"], "the second was there all the time");
    for seen in [&[][..], &[0], &[1], &[0, 1]] {
        assert_eq!(listed(99, seen), [""; 0], "both came after the list began");
    }
    assert_eq!(listed(99, &[1, 5]), ["unattributed"], "what is shown must be recorded");
}

#[test]
fn scripts_checked_before_the_audit_give_the_same_result() {
    let (xpub, mut facts) = (xpub(), facts());
    let strange = ScriptBuf::from_bytes(vec![0x51]);
    facts.payments.iter_mut().for_each(|ledger| ledger.payment.script = strange.clone());
    facts.coins.clear();
    facts.sweeps.clear();
    let [first, second] = [0, 1].map(|n: usize| facts.payments[n].payment.clone());
    let mut scripts = Scripts::default();
    scripts.look_at(&xpub, first.index, &strange, first.id);
    let mut audit = Audit::new(&xpub, Some(block(TIP)), Vec::new(), Vec::new());
    audit.take_over(&scripts);
    facts.payments.iter().for_each(|payment| audit.payment(payment));
    let found = audit.finish(&[]).differences;
    let foreign: Vec<&Difference> =
        found.iter().filter(|one| matches!(one, Difference::ForeignScript(_))).collect();
    let expected = [first.id, second.id].map(Difference::ForeignScript);
    assert_eq!(foreign, [&expected[0], &expected[1]], "each once, looked at before or not");
    scripts.look_at(&xpub, second.index, &xpub.script_at(second.index), second.id);
    assert_eq!(scripts.below(), second.index.get() + 1);
}

#[test]
fn each_wrong_fact_is_reported_by_its_kind() {
    #[track_caller]
    fn check(kinds: &[&str], damage: impl FnOnce(&mut Facts)) {
        let mut damaged = facts();
        damage(&mut damaged);
        let found: Vec<&str> = audit(damaged).differences.iter().map(Difference::kind).collect();
        assert_eq!(found, kinds);
    }
    // A coin's row is missing: the node has the coin, the payment lacks it.
    check(&["completed_without_coins", "missing_coin"], |f| f.coins.truncate(1));
    // A swept coin's row is missing: the sweep's bytes still name it.
    check(&["completed_without_coins", "bad_sweep"], |f| f.coins.retain(|c| c.claim.is_none()));
    check(&["not_on_node"], |f| f.unspent.clear());
    check(&["other_coin"], |f| f.unspent[0].amount = ltc("0.5"));
    check(&["other_coin"], |f| f.unspent[0].height = 99);
    check(&["unattributed"], |f| f.unspent.push(unspent(5)));
    check(&["completed_without_coins", "orphan_coin"], |f| f.coins[1].coin.index = index(77));
    check(&["spent_elsewhere"], |f| {
        f.coins[1] = coin(1).spent(Txid::from_byte_array([55; 32]), 105);
        f.unspent.clear();
    });
    check(&["foreign_script"], |f| {
        f.payments[1].payment.script = ScriptBuf::from_bytes(vec![0x52]);
    });
    check(&["completed_without_coins"], |f| {
        f.coins[1].coin.place = Place::Mempool;
        f.unspent.clear();
    });
    check(&["not_completed"], |f| f.payments[1].status = Status::Pending);
    check(&["missing_event"], |f| f.payments[1].has_event = false);
    check(&["bad_sweep"], |f| f.coins[0].claim = None);
    check(&["bad_sweep"], |f| f.sweeps[0].outputs[0].1 = ltc("0.98"));
    check(&["bad_sweep"], |f| f.sweeps[0].payouts[0].gross = ltc("0.99"));
    check(&["bad_sweep"], |f| f.sweeps[0].payouts[0].operator_fee = ltc("0.01"));
    check(&["bad_sweep"], |f| f.sweeps[0].fee = ltc("0.02"));
    check(&["bad_sweep"], |f| f.sweeps[0].readable = false);
}

#[test]
fn a_mined_recognised_sweep_is_reported_without_a_difference() {
    let recognised = |mined: bool| {
        let mut facts = facts();
        facts.sweeps[0].recognised = true;
        facts.sweeps[0].abandoned = true;
        facts.coins[0].claim = None;
        if !mined {
            facts.sweeps[0].block = None;
            facts.coins[0] = coin(0);
            facts.unspent.push(unspent(0));
        }
        let report = audit(facts);
        assert_eq!(report.differences, []);
        report.recognised
    };
    assert_eq!(recognised(true), [sweep_txid()]);
    assert_eq!(recognised(false), []);
}

#[test]
fn coins_at_an_unissued_address_are_reported_with_its_index() {
    let mut facts = facts();
    facts.unspent.push(unspent(200));
    let difference = Difference::Unattributed { index: 200, at: at(200), amount: ltc("1") };
    assert_eq!(audit(facts).differences, [difference]);
}

#[test]
fn a_database_behind_the_node_is_not_compared() {
    let xpub = xpub();
    let Facts { coins, sweeps, payments, .. } = facts();
    let mut audit = Audit::new(&xpub, Some(block(TIP)), coins, sweeps);
    payments.iter().for_each(|payment| audit.payment(payment));
    let report = audit.behind(120);
    assert_eq!(report.differences, [Difference::Behind { ours: TIP, node: 120 }]);
    assert_eq!(report.received, ltc("2"));
}
