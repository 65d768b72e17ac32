//! Scenarios as text: `pay 0.02 / mine 1 / expect pending`, run by [`Scenario`].

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid, WPubkeyHash};
use proptest::prelude::*;

use super::id::BadPaymentId;
use super::status::NothingConfirmed;
use super::*;
use crate::domain::chain::{AtTip, BlockId, NextStep, NodeChain, OurTip, next_step};
use crate::domain::chain_guard::Trust;
use crate::domain::event_kind::{Cause, EventKinds};
use crate::domain::fiat::{Currency, FiatAmount};
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::rate::{Rate, Source};
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("a test writes amounts well")
}

fn rate(text: &str) -> Rate {
    Rate::parse(text).expect("a test writes rates well")
}

fn at_tip(tip: BlockId) -> AtTip {
    match next_step(tip, NodeChain { tip, our_tip: OurTip::OnBestChain }) {
        NextStep::AtTip(proof) => proof,
        other => panic!("{other:?}"),
    }
}

/// A payment of 0.05 with 3 confirmations (peg-outs: 5), created at second 0, expiring at 100
/// and late until 200, on a chain that grows or loses its last blocks.
struct Scenario {
    payment: Payment,
    status: Status,
    coins: Vec<Coin>,
    tip: BlockId,
    now: Timestamp,
    trust: Trust,
    /// The exchange rate at the first sight of late coins.
    rate: Option<Rate>,
}

impl Scenario {
    fn new() -> Scenario {
        let payment = Payment {
            id: PaymentId::from_random([1; 16]),
            merchant: MerchantId::from_random(1),
            index: DerivationIndex::new(0).expect("small"),
            script: ScriptBuf::new_p2wpkh(&WPubkeyHash::all_zeros()),
            amount: amount("0.05"),
            created_at: Timestamp::from_seconds(0),
            expires_at: Timestamp::from_seconds(100),
            late_until: Timestamp::from_seconds(200),
            confirmations: 3,
            confirmations_pegout: 5,
            reference: None,
            webhook_url: None,
            redirect_url: None,
            display_amount: None,
            metadata: None,
            events: EventKinds::NONE,
            price: None,
            tolerance: Tolerance::NONE,
            api_key: None,
        };
        let tip = BlockId { height: 10, hash: BlockHash::all_zeros() };
        let now = payment.created_at;
        let (status, trust) = (Status::Pending, Trust::Full);
        Scenario { payment, status, coins: Vec::new(), tip, now, trust, rate: None }
    }

    /// Runs one verb, then the watcher's transition after it: complete or expire.
    fn step(&mut self, verb: &str) {
        let words: Vec<&str> = verb.split_whitespace().collect();
        match words.as_slice() {
            ["pay", sum] => self.pay(sum, Origin::Plain),
            ["pegout", sum] => self.pay(sum, Origin::Pegout),
            ["mine", n] => {
                let n: u32 = n.parse().expect("a count");
                let first = BlockId { height: self.tip.height + 1, ..self.tip };
                for coin in &mut self.coins {
                    if coin.place == Place::Mempool {
                        coin.place = Place::Block(first);
                    }
                }
                self.tip.height += n;
            }
            ["reorg", n] => {
                self.tip.height -= n.parse::<u32>().expect("a count");
                let tip = self.tip;
                for coin in &mut self.coins {
                    if matches!(coin.place, Place::Block(b) if b.height > tip.height) {
                        coin.place = Place::Mempool;
                    }
                }
            }
            ["drop", n] => {
                self.coins[n.parse::<usize>().expect("a position")].place = Place::Removed
            }
            ["tolerance", percent] => {
                self.payment.tolerance = Tolerance::parse(percent).expect("percent");
            }
            ["accept"] => {
                let Scenario { payment, status, coins, tip, trust, .. } = &*self;
                match accepts(payment, *status, coins, *tip, *trust) {
                    Ok(Some(transition)) => self.decide(transition),
                    Ok(None) => {}
                    Err(NothingConfirmed) => panic!("nothing is confirmed"),
                }
            }
            ["cancel"] => self.decide(Transition::Cancel),
            // The price of 4 EUR at 80: 0.05 LTC.
            ["price"] => {
                let euros = FiatAmount::parse("4", Currency::EUR).expect("a price");
                let (rate, rate_at) = (rate("80"), self.now);
                let sources = vec![Source::Fixed];
                self.payment.price = Some(Price { amount: euros, rate, rate_at, sources });
            }
            ["rate", text] => self.rate = Some(rate(text)),
            ["suspect"] => self.trust = Trust::Withheld,
            ["trust"] => self.trust = Trust::Full,
            ["clock", s] => self.now = Timestamp::from_seconds(s.parse().expect("seconds")),
            ["expect", expected @ ..] => {
                assert_eq!(self.shown(), expected.join(" "), "after {verb:?}");
                return;
            }
            _ => panic!("no such verb: {verb}"),
        }
        let due = completes(&self.payment, self.status, &self.coins, self.tip, self.trust).or_else(
            || expires(&self.payment, self.status, &self.coins, self.now, &at_tip(self.tip)),
        );
        if let Some(transition) = due {
            self.decide(transition);
        }
    }

    fn decide(&mut self, transition: Transition) {
        self.status = transition.status(self.now);
    }

    fn pay(&mut self, sum: &str, origin: Origin) {
        let vout = u32::try_from(self.coins.len()).expect("few coins");
        self.coins.push(Coin {
            outpoint: OutPoint { txid: Txid::all_zeros(), vout },
            index: self.payment.index,
            amount: amount(sum),
            origin,
            seen_at: self.now,
            place: Place::Mempool,
            rate: self.rate.filter(|_| self.now > self.payment.expires_at),
        });
    }

    fn shown(&self) -> String {
        let a = assess(&self.payment, &self.coins, Some(self.tip));
        let word = detail(&self.payment, self.status, &a).as_str();
        let late = matches!(self.status, Status::Completed { late: true, .. });
        let late = if late { " late" } else { "" };
        let (n, m) = (a.confirmations, a.confirmations_required);
        format!("{}{late} {word} {n}/{m} due {}", self.status.as_str(), a.due)
    }
}

#[track_caller]
fn scenario(text: &str) {
    let mut scenario = Scenario::new();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for verb in text.split(" / ") {
        scenario.step(verb);
    }
}

#[test]
fn a_payment_paid_in_full_completes() {
    scenario(
        "expect pending waiting 0/3 due 0.05 / pay 0.05 / expect pending seen 0/3 due 0 / mine 1
         / expect pending confirming 1/3 due 0 / mine 1 / expect pending confirming 2/3 due 0
         / mine 1 / expect completed paid 3/3 due 0",
    );
}

#[test]
fn the_last_part_decides_when_a_payment_completes() {
    scenario(
        "pay 0.02 / expect pending partly_paid 0/3 due 0.03 / mine 3
         / expect pending partly_paid 3/3 due 0.03 / pay 0.03 / expect pending seen 0/3 due 0
         / mine 2 / expect pending confirming 2/3 due 0 / mine 1 / expect completed paid 3/3 due 0",
    );
}

#[test]
fn a_remainder_is_never_requested_below_the_dust_limit() {
    scenario("pay 0.04997060 / mine 9 / expect pending partly_paid 9/3 due 0.0000294");
    scenario("pay 0.04997061 / mine 9 / expect pending partly_paid 9/3 due 0.0000294");
    scenario("pay 0.04999999 / mine 9 / expect pending partly_paid 9/3 due 0.0000294");
    scenario("pay 0.04997059 / mine 9 / expect pending partly_paid 9/3 due 0.00002941");
    scenario("pay 0.04999999 / pay 0.0000294 / mine 3 / expect completed overpaid 3/3 due 0");
}

#[test]
fn a_payment_does_not_wait_for_its_surplus_to_confirm() {
    scenario("pay 0.05 / mine 2 / pay 0.01 / mine 1 / expect completed overpaid 3/3 due 0");
}

#[test]
fn a_replaced_coin_stops_counting() {
    scenario(
        "pay 0.05 / drop 0 / expect pending replaced 0/3 due 0.05 / pay 0.05 / mine 3 /
           expect completed paid 3/3 due 0",
    );
}

#[test]
fn an_unpaid_payment_expires() {
    scenario(
        "clock 100 / expect pending waiting 0/3 due 0.05 / clock 101 /
           expect expired expired 0/3 due 0.05",
    );
}

#[test]
fn a_partly_paid_payment_expires() {
    scenario("pay 0.04 / clock 101 / expect expired expired 0/3 due 0.01");
}

#[test]
fn a_payment_seen_in_time_never_expires() {
    scenario(
        "clock 100 / pay 0.05 / clock 999 / expect pending seen 0/3 due 0 / mine 3 /
           expect completed paid 3/3 due 0",
    );
}

#[test]
fn a_payment_whose_coin_was_evicted_expires() {
    scenario("pay 0.05 / clock 150 / drop 0 / expect expired expired 0/3 due 0.05");
}

#[test]
fn a_payment_within_the_grace_period_completes_late() {
    scenario(
        "clock 101 / pay 0.05 / expect expired late 0/3 due 0 / mine 3 /
           expect completed late paid 3/3 due 0",
    );
}

#[test]
fn a_payment_completed_by_a_late_part_is_late() {
    scenario("pay 0.04 / clock 101 / pay 0.01 / mine 3 / expect completed late paid 3/3 due 0");
}

#[test]
fn a_late_payment_may_confirm_after_the_grace_period() {
    scenario("clock 200 / pay 0.05 / clock 500 / mine 3 / expect completed late paid 3/3 due 0");
}

#[test]
fn a_payment_after_the_grace_period_stays_expired() {
    scenario("clock 201 / pay 0.05 / mine 9 / expect expired late 9/3 due 0");
}

#[test]
fn a_reorganisation_reduces_the_confirmations() {
    scenario(
        "pay 0.05 / mine 2 / reorg 2 / expect pending seen 0/3 due 0 / mine 3 /
           expect completed paid 3/3 due 0",
    );
}

#[test]
fn a_completed_payment_is_final() {
    scenario(
        "pay 0.05 / mine 3 / reorg 3 / drop 0 / clock 999 / expect completed paid 0/3 due 0.05",
    );
}

#[test]
fn an_underpayment_within_the_tolerance_completes() {
    scenario(
        "tolerance 1 / pay 0.0495 / expect pending seen 0/3 due 0 / mine 3
         / expect completed paid_short 3/3 due 0",
    );
    scenario(
        "tolerance 1 / pay 0.04949999 / mine 3 / expect pending partly_paid 3/3 due 0.00050001",
    );
    scenario(
        "tolerance 1 / pay 0.0495 / clock 101 / mine 3 / expect completed paid_short 3/3 due 0",
    );
    scenario("tolerance 1 / pay 0.05 / mine 3 / expect completed paid 3/3 due 0");
    scenario("tolerance 1 / pay 0.06 / mine 3 / expect completed overpaid 3/3 due 0");
    scenario(
        "tolerance 1 / clock 101 / pay 0.0495 / mine 3 / expect completed late paid_short 3/3 due 0",
    );
    // Its coins left the chain afterwards.
    scenario("tolerance 1 / pay 0.0495 / mine 3 / drop 0 / expect completed paid 0/3 due 0.05");
}

#[test]
fn a_late_coin_of_a_priced_payment_counts_at_its_own_rate() {
    // Seen in time: the frozen rate counts, whatever the rate is now.
    scenario("price / rate 1 / pay 0.05 / mine 3 / expect completed paid 3/3 due 0");
    let late = "price / clock 101";
    // The rate moved for the shop, or stayed.
    scenario(&format!(
        "{late} / rate 81 / pay 0.05 / mine 3 / expect completed late paid 3/3 due 0"
    ));
    scenario(&format!(
        "{late} / rate 80 / pay 0.05 / mine 3 / expect completed late paid 3/3 due 0"
    ));
    // Against it: more LTC is needed.
    scenario(&format!("{late} / rate 79.9 / pay 0.05 / mine 3 / expect expired late 3/3 due 0"));
    scenario(&format!(
        "{late} / rate 40 / pay 0.1 / mine 3 / expect completed late overpaid 3/3 due 0"
    ));
    scenario(&format!(
        "{late} / rate 40 / pay 0.09999999 / mine 3 / expect expired late 3/3 due 0"
    ));
    // The required amount in LTC counts, too.
    scenario(&format!("{late} / rate 160 / pay 0.04 / mine 3 / expect expired late 3/3 due 0.01"));
    // Without a rate of its first sight.
    scenario(&format!("{late} / pay 0.05 / mine 3 / expect expired late 3/3 due 0"));
    scenario(&format!(
        "{late} / pay 0.05 / mine 3 / accept / expect completed late accepted 3/3 due 0"
    ));
}

#[test]
fn the_parts_of_a_priced_payment_count_at_their_rates() {
    // 2 EUR in time, and 0.025 LTC late.
    let part = "price / pay 0.025 / clock 101";
    scenario(&format!(
        "{part} / rate 80 / pay 0.025 / mine 3 / expect completed late paid 3/3 due 0"
    ));
    scenario(&format!("{part} / rate 79 / pay 0.025 / mine 3 / expect expired late 3/3 due 0"));
    scenario(&format!(
        "tolerance 1 / {part} / rate 79 / pay 0.025 / mine 3
         / expect completed late paid 3/3 due 0"
    ));
}

#[test]
fn a_merchant_may_accept_confirmed_coins() {
    scenario("pay 0.02 / mine 3 / accept / expect completed accepted 3/3 due 0.03");
    scenario("pay 0.02 / clock 101 / mine 3 / accept / expect completed accepted 3/3 due 0.03");
    scenario("clock 201 / pay 0.05 / mine 3 / accept / expect completed late accepted 3/3 due 0");
    scenario("pay 0.02 / mine 3 / accept / pay 0.03 / expect completed accepted 0/3 due 0");
    scenario("cancel / pay 0.05 / mine 3 / accept / expect completed late accepted 3/3 due 0");
    // A completed payment does not change.
    scenario("pay 0.05 / mine 3 / accept / expect completed paid 3/3 due 0");
}

#[test]
fn only_confirmed_and_trusted_coins_can_be_accepted() {
    #[track_caller]
    fn check(text: &str, expected: Result<&str, NothingConfirmed>) {
        let mut scenario = Scenario::new();
        text.split(" / ").for_each(|verb| scenario.step(verb));
        let Scenario { payment, status, coins, tip, trust, .. } = &scenario;
        let counted = accepts(payment, *status, coins, *tip, *trust).map(|due| match due {
            Some(Transition::Accept { counted, .. }) => counted.to_string(),
            other => format!("{other:?}"),
        });
        assert_eq!(counted, expected.map(str::to_owned), "{text}");
    }
    check("clock 1", Err(NothingConfirmed));
    check("pay 0.02", Err(NothingConfirmed));
    check("pay 0.02 / mine 2", Err(NothingConfirmed));
    check("pay 0.02 / mine 3", Ok("0.02"));
    check("pay 0.02 / mine 3 / pay 0.01", Ok("0.02"));
    check("pay 0.02 / mine 3 / drop 0", Err(NothingConfirmed));
    check("pegout 0.02 / mine 4", Err(NothingConfirmed));
    check("pegout 0.02 / mine 5", Ok("0.02"));
    check("suspect / pegout 0.02 / mine 9", Err(NothingConfirmed));
    check("suspect / pegout 0.02 / pay 0.01 / mine 9", Ok("0.01"));
}

#[test]
fn a_cancelled_payment_never_completes_by_itself() {
    scenario("cancel / expect expired cancelled 0/3 due 0.05");
    scenario("cancel / pay 0.05 / mine 9 / expect expired late 9/3 due 0");
    scenario("cancel / clock 101 / pay 0.05 / mine 9 / expect expired late 9/3 due 0");
}

/// The kinds of events of coins, in their order.
#[track_caller]
fn announced(text: &str, expected: &[&str]) {
    let mut scenario = Scenario::new();
    text.split(" / ").for_each(|verb| scenario.step(verb));
    let caused: Vec<CausedCoin> = (1u8..)
        .zip(&scenario.coins)
        .map(|(n, coin)| {
            let cause = Cause::Transaction(Txid::from_byte_array([n; 32]));
            CausedCoin { coin: coin.clone(), cause }
        })
        .collect();
    let found = announcements(&scenario.payment, scenario.status, &caused);
    let kinds: Vec<&str> = found.iter().map(|found| found.kind.as_str()).collect();
    assert_eq!(kinds, expected, "{text}");
}

#[test]
fn events_follow_from_the_coins() {
    announced("clock 1", &[]);
    announced("pay 0.05", &["seen"]);
    announced("pay 0.02", &["partly_paid"]);
    announced("pay 0.02 / clock 1 / pay 0.03", &["partly_paid", "seen"]);
    announced("pay 0.05 / clock 1 / pay 0.03", &["seen"]);
    announced("tolerance 1 / pay 0.0495", &["seen"]);
    announced("pay 0.05 / drop 0", &["replaced"]);
    announced("pay 0.02 / clock 1 / pay 0.03 / drop 0", &["replaced", "partly_paid"]);
    announced("clock 101 / pay 0.05", &["late"]);
    announced("pay 0.02 / clock 101 / pay 0.03", &["partly_paid", "late"]);
    announced("pay 0.05 / mine 3", &[]);
    announced("pay 0.05 / mine 3 / clock 101 / pay 0.01", &["late"]);
    announced("cancel / clock 1 / pay 0.05", &["late"]);
}

#[test]
fn coins_out_of_mweb_need_more_confirmations() {
    scenario(
        "pegout 0.05 / mine 4 / expect pending confirming 4/5 due 0 / mine 1 /
           expect completed paid 5/5 due 0",
    );
}

#[test]
fn plain_and_peg_out_parts_need_their_own_confirmations() {
    scenario(
        "pay 0.02 / expect pending partly_paid 0/3 due 0.03 / pegout 0.03
         / expect pending seen 0/5 due 0 / mine 3 / expect pending confirming 3/5 due 0
         / mine 1 / expect pending confirming 4/5 due 0 / mine 1 / expect completed paid 5/5 due 0",
    );
    // The peg-out is older: the plain coin decides.
    scenario(
        "pegout 0.03 / mine 4 / pay 0.02 / expect pending seen 0/3 due 0 / mine 2
         / expect pending confirming 2/3 due 0 / mine 1 / expect completed paid 3/3 due 0",
    );
    // The payment does not wait for a surplus from MWEB.
    scenario("pay 0.05 / pegout 0.01 / mine 3 / expect completed overpaid 3/3 due 0");
}

#[test]
fn the_chain_guard_delays_only_coins_out_of_mweb() {
    scenario("suspect / pay 0.05 / mine 3 / expect completed paid 3/3 due 0");
    scenario(
        "suspect / pegout 0.05 / mine 9 / expect pending confirming 9/5 due 0 / trust
         / expect completed paid 9/5 due 0",
    );
    scenario("suspect / pay 0.02 / pegout 0.03 / mine 9 / expect pending confirming 9/5 due 0");
    scenario("suspect / pay 0.05 / pegout 0.01 / mine 3 / expect completed overpaid 3/3 due 0");
}

proptest! {
    /// The confirmations that the checkout shows reach the required number at the completion.
    #[test]
    fn a_payment_completes_at_the_displayed_confirmation_count(
        coins in prop::collection::vec((1..6u64, any::<bool>(), 0..8u32), 1..6)
    ) {
        let mut scenario = Scenario::new();
        for (cents, pegout, depth) in coins {
            let origin = if pegout { Origin::Pegout } else { Origin::Plain };
            scenario.pay(&format!("0.0{cents}"), origin);
            let coin = scenario.coins.last_mut().expect("just paid");
            if let Some(above) = depth.checked_sub(1) {
                coin.place = Place::Block(BlockId { height: 10 - above, ..scenario.tip });
            }
        }
        let shown = assess(&scenario.payment, &scenario.coins, Some(scenario.tip));
        let due = completes(&scenario.payment, scenario.status, &scenario.coins, scenario.tip, Trust::Full);
        let counted = shown.confirmations >= shown.confirmations_required;
        prop_assert_eq!(due.is_some(), counted && shown.due.is_zero(), "{:?}", shown);
    }
}

#[test]
fn late_money_does_not_keep_a_payment_open() {
    // The watcher was down at the deadline: it processes the late money first.
    let mut scenario = Scenario::new();
    scenario.now = Timestamp::from_seconds(101);
    scenario.pay("0.05", Origin::Plain);
    let due = expires(
        &scenario.payment,
        scenario.status,
        &scenario.coins,
        scenario.now,
        &at_tip(scenario.tip),
    );
    assert_eq!(due, Some(Transition::Expire));
}

#[test]
fn payment_ids_round_trip_as_uuids() {
    let id = PaymentId::from_random([0xab; 16]);
    assert_eq!(id.to_string(), "abababab-abab-4bab-abab-abababababab");
    assert_eq!(id.to_string().parse(), Ok(id));
    let no_hyphens = "abababababab4bababababababababab";
    for text in ["", no_hyphens, "abababab-abab-4bab-abab-ababababababab", "é", "g"] {
        assert_eq!(text.parse::<PaymentId>(), Err(BadPaymentId), "{text}");
    }
}
