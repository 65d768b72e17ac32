//! Tests of stored sweeps on a real file: a coin is claimed once, a sweep ends by facts of the
//! chain alone, and the newest version is broadcast again.

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint, ScriptBuf, WPubkeyHash};

use super::abandoned::{abandon_impossible, abandon_vanished, with_vanished_coin};
use super::*;
use crate::domain::amount::Amount;
use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::payment::{Coin, Origin, Payment, Place};
use crate::domain::sweep::{Payee, Rules, plan};
use crate::store::{Store, merchants, payments};

/// The coins of these tests are in the block at this height, and need this many confirmations.
const HEIGHT: u32 = 100;
const CONFIRMATIONS: u32 = 3;
/// A tip at which all of them can be swept.
const TIP: u32 = 102;
const NOW: Timestamp = Timestamp::from_ms(1_000);

fn merchant() -> MerchantId {
    MerchantId::from_random(1)
}

fn script(n: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([n; 20]))
}

fn txid(n: u8) -> Txid {
    Txid::from_byte_array([n; 32])
}

fn at(n: u8) -> OutPoint {
    OutPoint { txid: txid(n), vout: 0 }
}

/// A decided payment with index `n`, and its coin in a block.
fn add_paid(tx: &WriteTx, n: u8, status: &str, origin: Origin) -> Result<(), Error> {
    let index = DerivationIndex::new(n.into()).expect("small");
    let amount = Amount::from_litoshis(5_000_000).expect("in range");
    payments::insert(
        tx,
        &Payment {
            script: script(n),
            amount,
            confirmations: CONFIRMATIONS,
            confirmations_pegout: CONFIRMATIONS + 1,
            ..Payment::smallest(merchant(), index, NOW)
        },
    )?;
    let sql = "UPDATE payments SET status = ?1, status_at = iif(?1 = 'pending', NULL, 0)
               WHERE derivation_index = ?2";
    tx.connection.execute(sql, params![status, index])?;
    tx.connection.execute("UPDATE payments SET mac = NULL", [])?;
    tx.seal_all()?;
    let place = Place::Block(block(HEIGHT));
    coins::insert(
        tx,
        &Coin { outpoint: at(n), index, amount, origin, seen_at: NOW, place, rate: None },
    )
}

/// A store with completed payments 1, 2, 3, each with a coin.
fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
    write(&store, |tx| {
        merchants::insert(tx, &Merchant::new_shop(merchant()))?;
        for n in 1..=3 {
            add_paid(tx, n, "completed", Origin::Plain)?;
        }
        Ok(())
    });
    (dir, store)
}

fn write<T: Send + 'static>(
    store: &Store,
    job: impl FnOnce(&WriteTx) -> Result<T, Error> + Send + 'static,
) -> T {
    store.write_blocking(job).expect("written")
}

fn read<T>(store: &Store, job: impl FnOnce(&ReadTx) -> Result<T, Error>) -> T {
    store.read_blocking(job).expect("read")
}

/// The numbers of the coins that can be swept at this tip.
fn sweepable_at(store: &Store, tip_height: u32) -> Vec<u8> {
    let coins = read(store, |tx| sweepable(tx, tip_height));
    coins.iter().map(|coin| coin.outpoint.txid.to_byte_array()[0]).collect()
}

/// A signed sweep of these coins with the txid `id`.
fn signed(store: &Store, coins: &[u8], id: u8) -> SignedPlan {
    let mut found = read(store, |tx| sweepable(tx, TIP));
    found.retain(|coin| coins.contains(&coin.outpoint.txid.to_byte_array()[0]));
    assert_eq!(found.len(), coins.len(), "the coins of the plan are there");
    let payee = Payee { merchant: merchant(), script: script(200) };
    let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: None };
    let plan = plan(&found, &[payee], 10_000, &rules).plans.remove(0);
    SignedPlan { plan, txid: txid(id), raw: vec![id], vsize: 200 }
}

fn claim(store: &Store, coins: &[u8], id: u8) -> StoredSweepTx {
    let signed = signed(store, coins, id);
    write(store, move |tx| store_signed(tx, &signed, NOW))
}

fn in_flight(store: &Store) -> Vec<Txid> {
    read(store, unconfirmed).iter().map(|sweep| sweep.versions[0].txid()).collect()
}

fn block(height: u32) -> BlockId {
    BlockId { height, hash: BlockHash::from_byte_array([height.to_le_bytes()[0]; 32]) }
}

/// Records a block with the transaction of a sweep, and the spends of its coins.
fn mine(store: &Store, id: u8, coins_spent: &'static [u8], height: u32) {
    write(store, move |tx| {
        confirm_in_block(tx, txid(id), block(height))?;
        for n in coins_spent {
            assert!(coins::spend(tx, at(*n), txid(id), height)?);
        }
        Ok(())
    });
}

fn abandoned_at(store: &Store, tip_height: u32) -> usize {
    write(store, move |tx| abandon_impossible(tx, tip_height, 2, NOW)).len()
}

#[test]
fn a_mature_coin_is_swept_once_its_payment_is_final() {
    let (_dir, store) = store();
    write(&store, |tx| {
        add_paid(tx, 4, "pending", Origin::Plain)?;
        add_paid(tx, 5, "expired", Origin::Plain)?;
        add_paid(tx, 6, "completed", Origin::Pegout)
    });
    let tip_of_confirmations = |n: u32| HEIGHT + n - 1;
    let at_confirmations = |n| sweepable_at(&store, tip_of_confirmations(n));
    assert_eq!(at_confirmations(CONFIRMATIONS - 1), [0; 0]);
    assert_eq!(at_confirmations(CONFIRMATIONS), [1, 2, 3, 5], "late money too, pending not");
    assert_eq!(at_confirmations(CONFIRMATIONS + 1), [1, 2, 3, 5, 6], "peg-outs need one more");
}

#[test]
fn a_plan_claims_all_of_its_coins_or_none() {
    let (_dir, store) = store();
    let overlapping = signed(&store, &[2, 3], 101);
    claim(&store, &[1, 2], 100);
    assert_eq!(sweepable_at(&store, TIP), [3]);
    let refused = store.write_blocking(move |tx| store_signed(tx, &overlapping, NOW));
    assert!(matches!(refused, Err(Error::Impossible(_))), "{refused:?}");
    assert_eq!(sweepable_at(&store, TIP), [3], "the coin beside the claimed one stays free");
    assert_eq!(in_flight(&store), [txid(100)]);
}

#[test]
fn a_coin_that_was_spent_or_lost_since_the_plan_is_not_claimed() {
    for (spent, place) in [(true, Place::Block(block(HEIGHT))), (false, Place::Mempool)] {
        let (_dir, store) = store();
        let stale = signed(&store, &[1, 2], 100);
        write(&store, move |tx| {
            coins::move_to(tx, at(1), place)?;
            if spent {
                coins::spend(tx, at(1), txid(66), TIP)?;
            }
            Ok(())
        });
        assert!(store.write_blocking(move |tx| store_signed(tx, &stale, NOW)).is_err());
        assert_eq!(in_flight(&store), []);
        assert_eq!(sweepable_at(&store, TIP), [2, 3]);
    }
}

#[test]
fn sweep_versions_are_kept_newest_first_until_one_is_mined() {
    let (_dir, store) = store();
    let spare = signed(&store, &[1], 0);
    let mut newest = claim(&store, &[1], 100);
    let id = newest.sweep;
    // Ids and bytes sort against the versions, so that their order does not give the newest.
    for n in [50, 70, 60] {
        let bumped = SignedPlan { txid: txid(n), raw: vec![n], ..spare.clone() };
        let before = newest.clone();
        newest = write(&store, move |tx| store_fee_bump(tx, id, &before, &bumped, NOW));
        let bumped = SignedPlan { txid: txid(n + 1), raw: vec![n], ..spare.clone() };
        let late = claimed_version(&newest, newest.version - 1);
        let twice = store.write_blocking(move |tx| store_fee_bump(tx, id, &late, &bumped, NOW));
        assert!(twice.is_err(), "another process raised it meanwhile");
    }
    let [sweep] = &read(&store, unconfirmed)[..] else { panic!("one sweep") };
    let versions: Vec<_> = sweep.versions.iter().map(|v| (v.version, v.txid())).collect();
    assert_eq!(versions, [(4, txid(60)), (3, txid(70)), (2, txid(50)), (1, txid(100))]);
    assert_eq!(read(&store, |tx| payouts_of(tx, &newest)).len(), 1, "each version has its lines");
    mine(&store, 100, &[1], TIP + 1);
    assert_eq!(in_flight(&store), [], "an older version was mined");
    write(&store, |tx| unconfirm_from_block(tx, block(TIP + 1)));
    assert_eq!(in_flight(&store), [txid(60)], "its block left the chain");
}

#[test]
fn a_sweep_version_over_other_coins_is_not_stored() {
    let (_dir, store) = store();
    let others = signed(&store, &[1, 2], 50);
    let newest = claim(&store, &[1], 100);
    let id = newest.sweep;
    let stored = store.write_blocking(move |tx| store_fee_bump(tx, id, &newest, &others, NOW));
    assert!(stored.is_err());
    assert_eq!(in_flight(&store), [txid(100)]);
}

fn claimed_version(of: &StoredSweepTx, version: u32) -> StoredSweepTx {
    StoredSweepTx { version, ..of.clone() }
}

#[test]
fn only_a_deep_foreign_spend_abandons_a_sweep() {
    let (_dir, store) = store();
    claim(&store, &[1, 2], 100);
    claim(&store, &[3], 101);
    mine(&store, 101, &[3], TIP + 1);
    assert_eq!(abandoned_at(&store, TIP + 50), 0, "it was paid");
    mine(&store, 66, &[1], TIP + 1);
    assert_eq!(abandoned_at(&store, TIP + 1), 0, "the block may yet be replaced");
    assert_eq!(abandoned_at(&store, TIP + 2), 1);
    assert_eq!(abandoned_at(&store, TIP + 3), 0, "once");
    assert_eq!(in_flight(&store), []);
    assert_eq!(sweepable_at(&store, TIP), [2], "the spent coin is not, the other is free");
    claim(&store, &[2], 102);
    assert_eq!(in_flight(&store), [txid(102)]);
}

#[test]
fn a_sweep_is_abandoned_only_when_a_coin_is_evicted() {
    let (_dir, store) = store();
    let vanished = |store: &Store| read(store, with_vanished_coin);
    let place = |place| write(&store, move |tx| coins::move_to(tx, at(1), place));
    claim(&store, &[1, 2], 100);
    let [sweep] = &read(&store, unconfirmed)[..] else { panic!("one sweep") };
    let id = sweep.id;
    place(Place::Mempool);
    assert_eq!(vanished(&store), [0i64; 0], "its transaction may be mined again");
    place(Place::Removed);
    assert_eq!(vanished(&store), [id]);
    place(Place::Block(block(HEIGHT)));
    let abandoned = write(&store, move |tx| abandon_vanished(tx, &[id], NOW));
    assert_eq!(abandoned, [0i64; 0], "it came back between the read and the write");
    place(Place::Removed);
    let abandoned = write(&store, |tx| abandon_vanished(tx, &[], NOW));
    assert_eq!(abandoned, [0i64; 0], "removed, but not for long enough");
    let abandoned = write(&store, move |tx| abandon_vanished(tx, &[id], NOW));
    assert_eq!(abandoned, [id]);
    assert_eq!((in_flight(&store), vanished(&store)), (vec![], vec![]));
    assert_eq!(sweepable_at(&store, TIP), [2, 3]);
    place(Place::Block(block(HEIGHT)));
    assert_eq!(sweepable_at(&store, TIP), [1, 2, 3], "a coin that returns is free as well");
}

#[test]
fn a_mined_sweep_is_never_abandoned_for_a_lost_coin() {
    let (_dir, store) = store();
    claim(&store, &[1, 2], 100);
    mine(&store, 100, &[1, 2], TIP + 1);
    write(&store, |tx| coins::move_to(tx, at(1), Place::Removed));
    assert_eq!(read(&store, with_vanished_coin), [0i64; 0]);
}

#[test]
fn an_abandoned_sweep_that_is_mined_counts_for_its_payments() {
    let (_dir, store) = store();
    let payouts = |index| {
        let index = DerivationIndex::new(index).expect("small");
        let found = read(&store, |tx| payout_of_payment(tx, index));
        found.iter().map(|payout| payout.txid).collect::<Vec<_>>()
    };
    claim(&store, &[1, 2], 100);
    assert_eq!(payouts(2), [txid(100)]);
    mine(&store, 66, &[1], TIP + 1);
    assert_eq!(abandoned_at(&store, TIP + 2), 1);
    assert_eq!(payouts(2), []);
    // The other branch wins: the foreign spend is removed, and our sweep is in a block.
    write(&store, |tx| {
        coins::unspend_at_height(tx, TIP + 1)?;
        unconfirm_from_block(tx, block(TIP + 1))
    });
    mine(&store, 100, &[1, 2], TIP + 1);
    assert_eq!((payouts(1), payouts(2)), (vec![txid(100)], vec![txid(100)]));
}

#[test]
fn an_abandoned_sweep_that_is_planned_again_is_claimed_again() {
    let (_dir, store) = store();
    claim(&store, &[1, 2], 100);
    mine(&store, 66, &[1], TIP + 1);
    assert_eq!(abandoned_at(&store, TIP + 2), 1);
    // The branch with the foreign spend loses: the same coins give the same transaction.
    write(&store, |tx| coins::unspend_at_height(tx, TIP + 1));
    let again = claim(&store, &[1, 2], 100);
    assert_eq!(in_flight(&store), [txid(100)]);
    assert_eq!(sweepable_at(&store, TIP), [3]);
    assert_eq!(read(&store, |tx| payouts_of(tx, &again)).len(), 1);
    mine(&store, 100, &[1, 2], TIP + 1);
    assert_eq!(in_flight(&store), []);
    let index = DerivationIndex::new(1).expect("small");
    let payouts = read(&store, |tx| payout_of_payment(tx, index));
    assert_eq!(payouts.len(), 1, "one payout, of the sweep that holds it now: {payouts:?}");
}

#[test]
fn a_fee_bump_may_equal_a_version_of_an_abandoned_sweep() {
    let (_dir, store) = store();
    claim(&store, &[1], 100);
    mine(&store, 66, &[1], TIP + 1);
    assert_eq!(abandoned_at(&store, TIP + 2), 1);
    write(&store, |tx| coins::unspend_at_height(tx, TIP + 1));
    let bumped = signed(&store, &[1], 100);
    let first = claim(&store, &[1], 50);
    let id = first.sweep;
    write(&store, move |tx| store_fee_bump(tx, id, &first, &bumped, NOW));
    assert_eq!(in_flight(&store), [txid(100)]);
}

#[test]
fn a_transaction_of_a_sweep_in_flight_is_not_stored_twice() {
    let (_dir, store) = store();
    let same = signed(&store, &[1], 100);
    claim(&store, &[1], 100);
    let refused = store.write_blocking(move |tx| store_signed(tx, &same, NOW));
    assert!(matches!(refused, Err(Error::Impossible(_))), "the coin is claimed: {refused:?}");
}
