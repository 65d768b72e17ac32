//! Random histories on a real database: transactions are seen, replaced, mined, disconnected
//! by reorganisations and mined elsewhere, peg-outs return in other transactions, ZMQ messages
//! are lost, the node's clock is wrong, and coins are swept. In the end the database must
//! equal what the final chain and mempool alone imply.

mod announced;
mod gateway;
mod model;
mod pegouts;
mod sweeping;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, ScriptBuf, TxOut};
use proptest::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::address::Address;
use crate::domain::chain::{NextStep, NodeChain, OurTip, next_step};
use crate::domain::keys::AccountXpub;
use crate::domain::merchant::BusinessName;
use crate::domain::payment::{Payment, PaymentId};
use crate::domain::pegout::{KernelId, PegoutId};
use crate::node::codec::Pegout;
use crate::node::mempool::{OutputKind, SeenOutput, SeenTx};
use crate::operations::account_scan;
use crate::operations::addresses::Addresses;
use crate::operations::create_payment::{self, NewPayment, create_payment};
use crate::operations::merchants::{self, NewMerchant};
use crate::operations::own_addresses::ForeignAddress;
use crate::operations::{Actor, Refusal};
use crate::store::batches::{Batches, Ended};
use crate::store::{Store, accounts, events, merchants as merchant_rows};
use crate::watcher::expiry::Expiry;
use crate::watcher::filter_builder::{FilterBuilder, LentFilter};
use crate::watcher::tests::{header_on, histories};

use gateway::{Gateway, START, payout_script};
use model::{ModelNode, ModelTx, OutputId};

/// Payments of a history, their amount, and the confirmations that they need.
const PAYMENTS: usize = 3;
const AMOUNT: u64 = 5_000_000;
const CONFIRMATIONS: u32 = 3;

/// The time until a payment expires, and its late grace, in milliseconds.
const EXPIRY_MS: i64 = 1_000;
const LATE_GRACE_MS: i64 = 1_000;

/// A step of a history. Numbers are taken modulo what exists.
#[derive(Debug, Clone)]
enum Act {
    /// Pays so many litoshis to one of the payments.
    Pay(usize, u64),
    /// Pays two payments in one transaction.
    PayTwo(usize, u64),
    /// Pays by so many peg-outs in one transaction, which become outputs of a HogEx.
    PegOut(usize, u64, usize),
    /// The kernels of two mempool transactions move to one other transaction.
    Repack(usize),
    /// The node's clock is so many milliseconds ahead of the gateway's.
    NodeClock(i64),
    /// A transaction leaves the mempool: replaced, double-spent or evicted.
    Drop(usize),
    /// A transaction is replaced by one that pays this amount.
    Replace(usize, u64),
    /// A transaction that left returns.
    Return(usize),
    /// Mines a block of the mempool without every n-th transaction.
    Mine(usize),
    /// Replaces the last n blocks by n + 1 empty ones.
    Reorg(usize),
    /// As `Reorg`, but the first new block mines the transactions of the old ones.
    ReorgMined(usize),
    /// A ZMQ message announces one mempool transaction.
    Hear(usize),
    /// The watcher makes a pass. All earlier ZMQ messages are lost.
    Look,
    /// The sweeper plans, stores and sends due coins.
    Sweep,
    /// The sweeper makes a fee bump, and the node accepts it or keeps the old version.
    FeeBump(usize, bool),
    /// The sweeper abandons impossible sweeps, and sends unconfirmed ones again.
    LookAfter,
    /// A foreign transaction spends one of the gateway's coins.
    Steal(usize),
    /// The watcher asks a node that is still syncing.
    LookLagging,
    /// Time passes, in milliseconds.
    Wait(i64),
    /// The process restarts with the database only.
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let payment = 0..PAYMENTS;
    let litoshis = || prop_oneof![Just(AMOUNT), 1u64..2 * AMOUNT];
    // Few amounts, so that many peg-outs are equal.
    let pegged = || prop_oneof![Just(AMOUNT), Just(AMOUNT / 2)];
    prop_oneof![
        4 => (payment.clone(), litoshis()).prop_map(|(n, litoshis)| Act::Pay(n, litoshis)),
        1 => (payment.clone(), litoshis()).prop_map(|(n, litoshis)| Act::PayTwo(n, litoshis)),
        3 => (payment, pegged(), 1..4usize).prop_map(|(n, litoshis, times)| Act::PegOut(n, litoshis, times)),
        1 => (0..8usize).prop_map(Act::Repack),
        1 => (-2 * EXPIRY_MS..2 * EXPIRY_MS).prop_map(Act::NodeClock),
        1 => (0..8usize).prop_map(Act::Drop),
        1 => (0..8usize, litoshis()).prop_map(|(n, litoshis)| Act::Replace(n, litoshis)),
        1 => (0..8usize).prop_map(Act::Return),
        4 => (2..5usize).prop_map(Act::Mine),
        1 => (1..6usize).prop_map(Act::Reorg),
        2 => (1..6usize).prop_map(Act::ReorgMined),
        1 => (0..8usize).prop_map(Act::Hear),
        4 => Just(Act::Look),
        1 => Just(Act::LookLagging),
        3 => Just(Act::Sweep),
        1 => (0..8usize, any::<bool>()).prop_map(|(n, taken)| Act::FeeBump(n, taken)),
        1 => Just(Act::LookAfter),
        1 => (0..8usize).prop_map(Act::Steal),
        1 => (1..EXPIRY_MS).prop_map(Act::Wait),
        1 => Just(Act::Restart),
    ]
}

/// The expected facts of a coin: amount, first-seen time, place.
type Expected = (u64, Timestamp, Place);

/// The counting coins of a payment, by the final chain and mempool alone.
fn expected(node: &ModelNode, payment: &Payment) -> BTreeMap<OutPoint, Expected> {
    let mut found = BTreeMap::new();
    let mut note = |at: OutPoint, id: OutputId, output: &TxOut, place: Place| {
        if output.script_pubkey == payment.script {
            found.insert(at, (output.value.to_sat(), node.first_seen[&id], place));
        }
    };
    for (height, block) in (0u32..).zip(&node.chain) {
        let place = Place::Block(BlockId { height, hash: block.hash });
        for (at, id, output) in block.outputs() {
            note(at, id, output, place);
        }
    }
    for tx in &node.mempool {
        for (vout, (id, output)) in (0..).zip(tx.output_ids().zip(&tx.outputs)) {
            note(OutPoint { txid: tx.id, vout }, id, output, Place::Mempool);
        }
    }
    found
}

/// The expected verdict after an earlier one. Blocks are evaluated in order: late coins that
/// are confirmed complete a payment as late, even if coins that came in time are confirmed one
/// block later.
fn verdict(
    before: &'static str,
    payment: &Payment,
    coins: &BTreeMap<OutPoint, Expected>,
    node: &ModelNode,
) -> &'static str {
    let sum = |until: Timestamp, tip: u32, depth: u32| -> u64 {
        let counts = |(_, seen, place): &&Expected| {
            let deep = match place {
                Place::Block(block) => (tip + 1).saturating_sub(block.height),
                Place::Mempool | Place::Removed => 0,
            };
            *seen <= until && deep >= depth
        };
        coins.values().filter(counts).map(|(amount, ..)| amount).sum()
    };
    if before.starts_with("completed") {
        return before;
    }
    for tip in 0..=node.tip().height {
        if sum(payment.expires_at, tip, CONFIRMATIONS) >= AMOUNT {
            return "completed";
        }
        if sum(payment.late_until, tip, CONFIRMATIONS) >= AMOUNT {
            return "completed late";
        }
    }
    let seen_in_time = sum(payment.expires_at, 0, 0);
    match before {
        "pending" if node.now > payment.expires_at && seen_in_time < AMOUNT => "expired",
        _ => before,
    }
}

/// The stored sums must equal the sums of the facts.
fn check_sums(gateway: &Gateway) {
    let wrong = gateway.store.read_blocking(|tx| {
        let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
        let mut wrong = merchant_rows::all(tx)?;
        for at in (0..wrong.len()).rev() {
            if accounts::are_kept(tx, wrong[at].id, tip)? {
                wrong.remove(at);
            }
        }
        assert!(sweeps::in_flight_are_kept(tx)?, "the table of in-flight sweeps differs");
        Ok::<_, Error>(wrong)
    });
    assert_eq!(wrong.expect("read"), [], "merchants whose sums are not kept");
}

/// Compares coins. Equal peg-outs in one block are interchangeable, so their times are
/// compared as a set.
fn check_coins(counted: &BTreeMap<OutPoint, Expected>, expected: &BTreeMap<OutPoint, Expected>) {
    let without_times = |coins: &BTreeMap<OutPoint, Expected>| -> Vec<(OutPoint, u64, Place)> {
        coins.iter().map(|(at, (amount, _, place))| (*at, *amount, *place)).collect()
    };
    assert_eq!(without_times(counted), without_times(expected), "coins that count");
    let of_txids = |coins: &BTreeMap<OutPoint, Expected>| {
        let times = coins.iter().map(|(at, (amount, seen_at, _))| (at.txid, *amount, *seen_at));
        let mut times: Vec<_> = times.collect();
        times.sort_unstable();
        times
    };
    assert_eq!(of_txids(counted), of_txids(expected), "first sights of {counted:?}");
}

/// Compares the stored facts after a pass with the expected ones. `verdicts` are the earlier
/// verdicts.
fn check(
    gateway: &Gateway,
    node: &ModelNode,
    verdicts: &mut [&'static str; PAYMENTS],
    fates: &mut sweeping::Fates,
) {
    check_sums(gateway);
    fates.note(sweeping::check(gateway, node));
    for (payment, before) in gateway.payments.iter().zip(verdicts) {
        let index = payment.index;
        let (evaluated, stored, events) = gateway
            .store
            .read_blocking(|tx| {
                let evaluated = payments::by_index(tx, index)?;
                let events = events::of_payment(tx, index)?;
                Ok::<_, Error>((evaluated, coins::of_payment(tx, index)?, events))
            })
            .expect("read");
        let counted: BTreeMap<OutPoint, Expected> = stored
            .iter()
            .filter(|coin| coin.counts())
            .map(|coin| (coin.outpoint, (coin.amount.litoshis(), coin.seen_at, coin.place)))
            .collect();
        check_coins(&counted, &expected(node, payment));
        let status = match evaluated.status {
            Status::Pending => "pending",
            Status::Expired { .. } => "expired",
            Status::Completed { late: false, .. } => "completed",
            Status::Completed { late: true, .. } => "completed late",
        };
        *before = verdict(before, payment, &counted, node);
        assert_eq!(status, *before, "of {counted:?} at {:?}", node.now);
        announced::check(gateway, &evaluated, &events);
    }
}

#[test]
fn a_payment_completes_exactly_with_its_last_confirmation() {
    let gateway = Gateway::new();
    let mut node = ModelNode::new();
    let status = |gateway: &Gateway| {
        let index = gateway.payments[0].index;
        gateway.store.read_blocking(|tx| payments::by_index(tx, index)).expect("read").status
    };
    node.pay(&[&gateway.payments[0]], AMOUNT);
    for _ in 0..CONFIRMATIONS {
        gateway.look(&mut node);
        assert_eq!(status(&gateway), Status::Pending);
        node.happen(&Act::Mine(9), &gateway.payments);
    }
    gateway.look(&mut node);
    assert_eq!(status(&gateway), Status::Completed { at: START, late: false, accepted: None });
}

/// Runs a history, and checks after each pass and at the end. Returns what happened to sweeps.
fn play(history: &[Act]) -> sweeping::Fates {
    let mut fates = sweeping::Fates::default();
    let mut gateway = Gateway::new();
    let mut node = ModelNode::new();
    let mut verdicts = ["pending"; PAYMENTS];
    for act in history {
        node.happen(act, &gateway.payments);
        match act {
            Act::Look => {
                gateway.look(&mut node);
                check(&gateway, &node, &mut verdicts, &mut fates);
            }
            Act::Hear(which) => {
                if gateway.hear(&mut node, *which) {
                    check(&gateway, &node, &mut verdicts, &mut fates);
                }
            }
            Act::LookLagging => gateway.look_lagging(),
            Act::Sweep => gateway.sweep(&mut node, &mut fates),
            Act::FeeBump(which, taken) => gateway.bump_fee(&mut node, *which, *taken, &mut fates),
            Act::LookAfter => gateway.look_after(&mut node, &mut fates),
            Act::Restart => gateway = gateway.restart(),
            Act::Pay(..)
            | Act::PayTwo(..)
            | Act::PegOut(..)
            | Act::Repack(_)
            | Act::NodeClock(_)
            | Act::Drop(_)
            | Act::Replace(..)
            | Act::Return(_)
            | Act::Mine(_)
            | Act::Reorg(_)
            | Act::ReorgMined(_)
            | Act::Steal(_)
            | Act::Wait(_) => {}
        }
        check_sums(&gateway);
    }
    gateway.look(&mut node);
    check(&gateway, &node, &mut verdicts, &mut fates);
    fates
}

#[test]
fn a_peg_out_mined_again_keeps_its_first_seen_time() {
    // No pass ran between the two blocks, and the payment expired meanwhile.
    let paid = Act::PegOut(0, AMOUNT, 1);
    let late = Act::Wait(EXPIRY_MS + 1);
    let again = Act::ReorgMined(1);
    play(&[paid.clone(), Act::Mine(9), Act::Look, late.clone(), again.clone(), Act::Look]);
    play(&[paid, Act::Look, Act::Mine(9), Act::Look, late, again, Act::Look]);
}

proptest! {
    #![proptest_config(histories(48))]

    #[test]
    fn any_history_ends_in_the_state_of_its_final_chain(
        swept in any::<bool>(),
        history in prop::collection::vec(act(), 1..40),
    ) {
        let before = if swept { sweeping::paid_and_swept() } else { Vec::new() };
        play(&[before, history].concat());
    }
}
