//! Expiry on a real database: what is examined when, and what expires.

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint, Txid};

use super::*;
use crate::domain::amount::Amount;
use crate::domain::chain::{BlockId, NextStep, NodeChain, OurTip, next_step};
use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::network::Network;
use crate::domain::payment::{Coin, Origin, Payment, Place, Status};
use crate::store::{Store, coins, merchants};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn index(n: u32) -> DerivationIndex {
    DerivationIndex::new(n).expect("small")
}

/// The outpoint of a coin of the payment with this index.
fn outpoint(n: u32) -> OutPoint {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&n.to_be_bytes());
    OutPoint { txid: Txid::from_byte_array(id), vout: 0 }
}

struct TestEnv {
    _dir: tempfile::TempDir,
    store: Store,
    expiry: Expiry,
    at_tip: AtTip,
}

impl TestEnv {
    fn new() -> TestEnv {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("litegate.db");
        let store = Store::open_patient(&path, Duration::from_millis(300)).expect("a database");
        let shop = Merchant::new_shop(MerchantId::from_random(1));
        store.write_blocking(move |tx| merchants::insert(tx, &shop)).expect("written");
        let tip = BlockId { height: 7, hash: BlockHash::all_zeros() };
        let NextStep::AtTip(at_tip) =
            next_step(tip, NodeChain { tip, our_tip: OurTip::OnBestChain })
        else {
            panic!("both stand on one block");
        };
        TestEnv { _dir: dir, store, expiry: Expiry::default(), at_tip }
    }

    /// Adds payments with these indexes that expire at a time. `paid` ones were paid before.
    fn add(&self, indexes: std::ops::Range<u32>, expires_at: i64, paid: bool) {
        let write = move |tx: &WriteTx| {
            for n in indexes {
                let merchant = MerchantId::from_random(1);
                let payment = Payment::smallest(merchant, index(n), at(expires_at));
                let amount = payment.amount;
                payments::insert(tx, &payment)?;
                if paid {
                    coins::insert(tx, &coin(n, amount, at(expires_at)))?;
                }
            }
            Ok::<_, Error>(())
        };
        self.store.write_blocking(write).expect("written");
    }

    /// Makes passes until all is examined. Returns how many payments each write expired.
    fn pass(&mut self, now: i64) -> Vec<usize> {
        let batches = Batches { store: &self.store, go_on: &|| true };
        let mut expired = Vec::new();
        let mut count = |changes: Changes| expired.push(changes.payments.len());
        while self
            .expiry
            .pass(&batches, Network::Regtest, at(now), self.at_tip, &mut count)
            .expect("expired")
            == Ended::Stopped
        {}
        expired
    }

    fn status(&self, n: u32) -> Status {
        self.store.read_blocking(|tx| payments::by_index(tx, index(n))).expect("read").status
    }
}

fn coin(n: u32, amount: Amount, seen_at: Timestamp) -> Coin {
    let (origin, place) = (Origin::Plain, Place::Mempool);
    Coin { outpoint: outpoint(n), index: index(n), amount, origin, seen_at, place, rate: None }
}

#[test]
fn a_mass_expiry_is_written_in_batches() {
    let mut env = TestEnv::new();
    env.add(0..2_500, 10, false);
    let expired = env.pass(20);
    assert_eq!(expired.iter().sum::<usize>(), 2_500);
    assert!(expired.iter().all(|count| (1..=1_000).contains(count)), "{expired:?}");
    assert_eq!(env.pass(30), [0usize; 0]);
}

#[test]
fn a_payment_paid_in_time_costs_no_write() {
    let mut env = TestEnv::new();
    env.add(0..50, 10, true);
    let held = env.store.clone();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            held.write_blocking(move |_| {
                begun.send(()).expect("the test waits");
                let _ = released.recv(); // It ends when the sender is dropped.
                Ok::<_, Error>(())
            })
        });
        has_begun.recv().expect("it runs");
        assert_eq!(env.pass(20), [0usize; 0], "the writer is busy, and is not needed");
        drop(release);
    });
    let round = env.expiry.round.expect("a round has begun");
    let again = env.store.read_blocking(|tx| round.examine(tx, at(30), env.at_tip));
    assert!(again.expect("read").0.is_none(), "nothing is examined twice");
}

#[test]
fn a_payment_whose_coin_vanishes_later_expires() {
    let mut env = TestEnv::new();
    env.add(0..3, 10, true);
    assert_eq!(env.pass(20), [0usize; 0]);
    let vanish = |tx: &WriteTx| coins::move_to(tx, outpoint(1), Place::Removed);
    env.store.write_blocking(vanish).expect("written");
    assert_eq!(env.pass(30), [1]);
    let expired = Status::Expired { at: at(30), cancelled: false };
    assert_eq!([0, 1, 2].map(|n| env.status(n)), [Status::Pending, expired, Status::Pending]);
}

#[test]
fn setting_the_clock_back_triggers_a_full_expiry_scan() {
    let mut env = TestEnv::new();
    env.add(0..1, 10_000, true);
    assert_eq!(env.pass(20_000), [0usize; 0]);
    env.add(1..2, 500, false);
    assert_eq!(env.pass(600), [1]);
}

#[test]
fn the_expiry_scan_periodically_covers_every_payment() {
    let mut env = TestEnv::new();
    env.add(0..1, 10_000, true);
    assert_eq!(env.pass(20_000), [0usize; 0]);
    env.add(1..2, 500, false); // The gateway never creates such a payment.
    assert_eq!(env.pass(30_000), [0usize; 0]);
    assert_eq!(env.pass(20_000 + RESTART_MS), [1]);
}
