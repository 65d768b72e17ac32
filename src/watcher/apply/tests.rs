//! Random histories on a real database: transactions come, are replaced, mined, taken back by
//! reorganisations and mined elsewhere, peg-outs return within other transactions, hints are lost,
//! the node's clock is wrong, and what was paid is swept. Whatever
//! the order was, what the database says in the end is what the final chain and mempool alone
//! would say.

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
use crate::acts::account_scan;
use crate::acts::addresses::Addresses;
use crate::acts::create_payment::{self, NewPayment, create_payment};
use crate::acts::merchants::{self, NewMerchant};
use crate::acts::own_addresses::ForeignAddress;
use crate::acts::{Actor, Refusal};
use crate::clock::Clock;
use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::address::Address;
use crate::domain::chain::{NextStep, NodeChain, OurTip, next_step};
use crate::domain::keys::AccountXpub;
use crate::domain::merchant::BusinessName;
use crate::domain::payment::Payment;
use crate::domain::pegout::{KernelId, PegoutId};
use crate::node::codec::Pegout;
use crate::node::mempool::{OutputKind, SeenOutput, SeenTx};
use crate::store::batches::{Batches, Ended};
use crate::store::{Store, accounts, merchants as merchant_rows};
use crate::watcher::expiry::Expiry;
use crate::watcher::sieving::{AtHand, Sieving};
use crate::watcher::tests::{header_on, histories};

/// Payments of a history, their amount, and the confirmations that they need.
const PAYMENTS: usize = 3;
const AMOUNT: u64 = 5_000_000;
const CONFIRMATIONS: u32 = 3;

/// How long a payment lives, and how long it may still complete after that, in milliseconds.
const EXPIRY_MS: i64 = 1_000;
const LATE_GRACE_MS: i64 = 1_000;

/// What may happen. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Act {
    /// So many litoshis to one of the payments.
    Pay(usize, u64),
    /// The same to two payments at once, from one transaction.
    PayTwo(usize, u64),
    /// Out of MWEB, this often in one transaction: the coins will be outputs of a block's HogEx.
    PegOut(usize, u64, usize),
    /// The kernels of a transaction of the mempool come in another one, together with those of the
    /// next.
    Repack(usize),
    /// The node's clock is so many milliseconds ahead of ours.
    NodeClock(i64),
    /// A transaction leaves the mempool: replaced, double-spent or evicted.
    Drop(usize),
    /// A transaction is replaced by one that pays so much.
    Replace(usize, u64),
    /// One that had left comes back.
    Return(usize),
    /// A block with every transaction of the mempool but each n-th.
    Mine(usize),
    /// So many of the last blocks are left for as many empty ones and one more.
    Reorg(usize),
    /// As `Reorg`, but the first of the new blocks takes what the old ones held.
    ReorgMined(usize),
    /// A frame tells of one transaction of the mempool.
    Hear(usize),
    /// The watcher comes to look; until then all hints are lost.
    Look,
    /// The sweeper plans, stores and sends what is due.
    Sweep,
    /// It raises the fee of a sweep, and the node takes the new version or keeps the old one.
    Raise(usize, bool),
    /// It gives up what the chain has made impossible, and sends again what is unconfirmed.
    LookAfter,
    /// Somebody else spends a coin that was paid to us.
    Steal(usize),
    /// It looks at a node that has not come as far as we have.
    LookLagging,
    /// Time passes, in milliseconds.
    Wait(i64),
    /// The process dies and starts: the database is all that is left.
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
        1 => (0..8usize, any::<bool>()).prop_map(|(n, taken)| Act::Raise(n, taken)),
        1 => Just(Act::LookAfter),
        1 => (0..8usize).prop_map(Act::Steal),
        1 => (1..EXPIRY_MS).prop_map(Act::Wait),
        1 => Just(Act::Restart),
    ]
}

/// A transaction of the model: what it pays, and whether that comes out of MWEB.
#[derive(Debug, Clone)]
struct ModelTx {
    id: Txid,
    /// Coins that were paid to us; what else it spends is nothing to us.
    inputs: Vec<OutPoint>,
    outputs: Vec<TxOut>,
    /// Which peg-outs these outputs are; empty for an ordinary transaction.
    pegouts: Vec<PegoutId>,
    /// When it entered the mempool, by the node's clock.
    entered_at: Timestamp,
}

/// An output, wherever it goes: by the transaction or the kernel that pays it.
type OutputId = ([u8; 32], u32);

/// A node as simple as can be: a best chain of blocks, and a mempool.
struct ModelNode {
    chain: Vec<ModelBlock>,
    mempool: Vec<ModelTx>,
    /// What was dropped, and may come back.
    left: Vec<ModelTx>,
    made: u32,
    now: Timestamp,
    /// How far its clock is ahead, in milliseconds.
    clock_ms: i64,
    /// When the gateway last compared the mempool.
    compared_at: Timestamp,
    /// When the gateway could first see each output.
    first_seen: BTreeMap<OutputId, Timestamp>,
}

struct ModelBlock {
    hash: BlockHash,
    header: Header,
    txs: Vec<ModelTx>,
    hogex: Txid,
}

impl ModelBlock {
    /// The block as the node hands it over: peg-outs are outputs of its last transaction, which are
    /// in the order of transactions, while its kernels are sorted by their ids.
    fn read(&self) -> Block {
        let (pegouts, plain): (Vec<_>, Vec<_>) = self.txs.iter().partition(|tx| tx.is_pegout());
        let tx = |txid, kind, inputs, outputs| Tx {
            txid: Some(txid),
            kind,
            carries_mweb: false,
            inputs,
            outputs,
        };
        let plain = plain.into_iter().cloned();
        let mut txs: Vec<Tx> =
            plain.map(|of| tx(of.id, TxKind::Plain, of.inputs, of.outputs)).collect();
        let outputs = pegouts.iter().flat_map(|of| of.outputs.clone()).collect();
        txs.push(tx(self.hogex, TxKind::Hogex, Vec::new(), outputs));
        let listed = pegouts.iter().flat_map(|of| of.pegouts.iter().zip(of.outputs.clone()));
        let mut listed: Vec<Pegout> =
            listed.map(|(id, output)| Pegout { id: *id, output }).collect();
        listed.sort_by_key(|pegout| pegout.id);
        Block { hash: self.hash, header: self.header, txs, pegouts: PegoutProof::Listed(listed) }
    }

    /// Where each output of the block stands, with the output of the model that it is. Equal
    /// peg-outs may stand for one another.
    fn outputs(&self) -> Vec<(OutPoint, OutputId, &TxOut)> {
        let mut of_hogex = 0..;
        let mut found = Vec::new();
        for tx in &self.txs {
            for (vout, (id, output)) in (0u32..).zip(tx.output_ids().zip(&tx.outputs)) {
                let at = match tx.is_pegout() {
                    true => OutPoint { txid: self.hogex, vout: of_hogex.next().expect("few") },
                    false => OutPoint { txid: tx.id, vout },
                };
                found.push((at, id, output));
            }
        }
        found
    }
}

impl ModelNode {
    fn new() -> ModelNode {
        let mut node = ModelNode {
            chain: Vec::new(),
            mempool: Vec::new(),
            left: Vec::new(),
            made: 0,
            now: START,
            clock_ms: 0,
            compared_at: START,
            first_seen: BTreeMap::new(),
        };
        node.mine(Vec::new());
        node
    }

    fn tip(&self) -> BlockId {
        let height = u32::try_from(self.chain.len() - 1).expect("a short chain");
        BlockId { height, hash: self.chain.last().expect("a genesis").hash }
    }

    fn place_of(&self, block: BlockId) -> OurTip {
        match self.chain.get(block.height as usize) {
            Some(here) if here.hash == block.hash => OurTip::OnBestChain,
            _ => OurTip::OffBestChain,
        }
    }

    fn fresh_id(&mut self) -> Txid {
        self.made += 1;
        let mut id = [0; 32];
        id[..4].copy_from_slice(&self.made.to_le_bytes());
        Txid::from_byte_array(id)
    }

    /// A block with those of the transactions that the chain allows; the others stay unmined.
    fn mine(&mut self, txs: Vec<ModelTx>) {
        let (txs, refused) = self.allowed(txs);
        self.mempool.extend(refused);
        let hogex = self.fresh_id();
        let parent = self.chain.last().map(|block| block.hash);
        // Later than any time here: what counts is when we saw it.
        let header = header_on(parent, u32::MAX, self.made);
        self.chain.push(ModelBlock { hash: header.block_hash(), header, txs, hogex });
    }

    fn pay(&mut self, payments: &[&Payment], litoshis: u64) {
        let value = bitcoin::Amount::from_sat(litoshis);
        let pay = |payment: &&Payment| TxOut { value, script_pubkey: payment.script.clone() };
        let outputs: Vec<TxOut> = payments.iter().map(pay).collect();
        let tx = ModelTx { id: self.fresh_id(), outputs, ..ModelTx::empty() };
        self.enter(tx);
    }

    /// A kernel that pays so often.
    fn peg_out(&mut self, payment: &Payment, litoshis: u64, times: usize) {
        let value = bitcoin::Amount::from_sat(litoshis);
        let output = TxOut { value, script_pubkey: payment.script.clone() };
        let id = self.fresh_id();
        // Sorted otherwise than made: the order of kernels says nothing of that of transactions.
        let mut kernel = *id.as_byte_array();
        kernel[0] ^= 0x55;
        let kernel = KernelId::from_bytes(kernel);
        let pegouts = (0..).take(times).map(|position| PegoutId { kernel, position }).collect();
        let outputs = vec![output; times];
        self.enter(ModelTx { id, outputs, pegouts, ..ModelTx::empty() });
    }

    /// Two transactions of MWEB become one with another id, or one gets another id.
    fn repack(&mut self, which: usize) {
        let of_mweb: Vec<usize> =
            (0..self.mempool.len()).filter(|at| self.mempool[*at].is_pegout()).collect();
        let Some(first) = of_mweb.get(which % of_mweb.len().max(1)).copied() else { return };
        let second = of_mweb.iter().copied().find(|at| *at > first);
        let second = second.map(|at| self.mempool.remove(at));
        let mut tx = self.mempool.remove(first);
        if let Some(second) = second {
            tx.outputs.extend(second.outputs);
            tx.pegouts.extend(second.pegouts);
        }
        let id = self.fresh_id();
        self.enter(ModelTx { id, ..tx });
    }

    fn enter(&mut self, tx: ModelTx) {
        let entered_at = self.now.plus_ms(self.clock_ms);
        self.mempool.push(ModelTx { entered_at, ..tx });
    }

    fn leave(&mut self, depth: usize) -> Vec<ModelTx> {
        let depth = depth.min(self.chain.len() - 1);
        let lost = self.chain.split_off(self.chain.len() - depth);
        lost.into_iter().flat_map(|block| block.txs).collect()
    }

    fn happen(&mut self, act: &Act, payments: &[Payment]) {
        match act {
            Act::Pay(n, litoshis) => self.pay(&[&payments[*n]], *litoshis),
            Act::PayTwo(n, litoshis) => {
                let other = (n + 1) % payments.len();
                self.pay(&[&payments[*n], &payments[other]], *litoshis);
            }
            Act::PegOut(n, litoshis, times) => self.peg_out(&payments[*n], *litoshis, *times),
            Act::Repack(which) => self.repack(*which),
            Act::NodeClock(ms) => self.clock_ms = *ms,
            Act::Drop(which) if !self.mempool.is_empty() => {
                self.left.push(self.mempool.remove(which % self.mempool.len()));
            }
            Act::Replace(which, litoshis) if !self.mempool.is_empty() => {
                self.mempool.remove(which % self.mempool.len());
                self.pay(&[&payments[which % payments.len()]], *litoshis);
            }
            Act::Return(which) if !self.left.is_empty() => {
                let tx = self.left.remove(which % self.left.len());
                self.enter(tx);
            }
            Act::Mine(nth) => {
                let mut mined = Vec::new();
                for (place, tx) in std::mem::take(&mut self.mempool).into_iter().enumerate() {
                    let skipped = (place + 1) % nth == 0;
                    if skipped { self.mempool.push(tx) } else { mined.push(tx) }
                }
                self.mine(mined);
            }
            Act::Reorg(depth) => {
                let lost = self.leave(*depth);
                let entered_at = self.now.plus_ms(self.clock_ms);
                let lost = lost.into_iter().map(|tx| ModelTx { entered_at, ..tx });
                self.mempool.splice(0..0, lost); // Parents before children.
                for _ in 0..=*depth {
                    self.mine(Vec::new());
                }
            }
            Act::ReorgMined(depth) => {
                let lost = self.leave(*depth);
                self.mine(lost);
                for _ in 0..*depth {
                    self.mine(Vec::new());
                }
            }
            Act::Steal(which) => self.steal(*which, payments),
            Act::Wait(ms) => self.now = self.now.plus_ms(*ms),
            Act::Drop(_)
            | Act::Replace(..)
            | Act::Return(_)
            | Act::Hear(_)
            | Act::Look
            | Act::LookLagging
            | Act::Sweep
            | Act::Raise(..)
            | Act::LookAfter
            | Act::Restart => {}
        }
        self.tidy();
    }

    /// What the gateway sees when it looks now was first seen now, or when the node took it into
    /// its mempool, if it was not seen before.
    fn be_seen(&mut self) {
        for tx in self.chain.iter().flat_map(|block| &block.txs) {
            for id in tx.output_ids() {
                self.first_seen.entry(id).or_insert(self.now);
            }
        }
        for tx in self.mempool.clone() {
            self.be_heard(&tx);
        }
    }

    fn be_heard(&mut self, tx: &ModelTx) {
        let earliest = self.now.min(tx.entered_at);
        let sight = if earliest < self.compared_at { self.compared_at } else { earliest };
        for id in tx.output_ids() {
            self.first_seen.entry(id).or_insert(sight);
        }
    }
}

impl ModelTx {
    /// One that pays nothing.
    fn empty() -> ModelTx {
        ModelTx {
            id: Txid::all_zeros(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            pegouts: Vec::new(),
            entered_at: START,
        }
    }

    fn is_pegout(&self) -> bool {
        !self.pegouts.is_empty()
    }

    fn output_ids(&self) -> impl Iterator<Item = OutputId> + '_ {
        let id = |(vout, at): (u32, usize)| match self.pegouts.get(at) {
            Some(pegout) => (*pegout.kernel.as_bytes(), pegout.position),
            None => (self.id.to_byte_array(), vout),
        };
        (0u32..).zip(0..self.outputs.len()).map(id)
    }

    /// The transaction as the node tells of it while it is in the mempool.
    fn seen(&self) -> SeenTx {
        let seen = |(vout, output): (u32, &TxOut)| SeenOutput {
            outpoint: OutPoint { txid: self.id, vout },
            amount: Amount::from_litoshis(output.value.to_sat()).expect("in range"),
            script: output.script_pubkey.clone(),
            kind: match self.pegouts.get(vout as usize) {
                Some(id) => OutputKind::Pegout { id: Some(*id) },
                None => OutputKind::Plain,
            },
        };
        let outputs = (0..).zip(&self.outputs).map(seen).collect();
        SeenTx { outputs, entered_at: Some(self.entered_at) }
    }
}

/// The gateway's side: a database, and the walk that the watcher makes.
struct Gateway {
    dir: tempfile::TempDir,
    store: Store,
    sieving: RefCell<Sieving>,
    expiry: RefCell<Expiry>,
    xpub: AccountXpub,
    payments: Vec<Payment>,
}

/// A database with the payments, closed: each history begins with a copy, for to make one takes
/// longer than to play a history.
static TEMPLATE: LazyLock<(tempfile::TempDir, Vec<Payment>)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a database");
    let payments = store.write_blocking(set_up).expect("set up");
    (dir, payments)
});

impl Gateway {
    fn new() -> Gateway {
        let (template, payments) = &*TEMPLATE;
        let dir = tempfile::tempdir().expect("a folder");
        for file in std::fs::read_dir(template.path()).expect("the template").flatten() {
            std::fs::copy(file.path(), dir.path().join(file.file_name())).expect("copied");
        }
        let store = Store::open(&dir.path().join("litegate.db")).expect("a database");
        let (xpub, payments) = (account(1), payments.clone());
        let (sieving, expiry) = Default::default();
        Gateway { dir, store, sieving, expiry, xpub, payments }
    }

    fn restart(self) -> Gateway {
        let Gateway { dir, store, xpub, payments, .. } = self;
        drop(store);
        let store = Store::open(&dir.path().join("litegate.db")).expect("the same database");
        let (sieving, expiry) = Default::default();
        Gateway { dir, store, sieving, expiry, xpub, payments }
    }

    /// Walks to the node's tip, compares the mempool and lets time run out, as a pass of the
    /// watcher does.
    fn look(&self, node: &mut ModelNode) {
        node.be_seen();
        let now = node.now;
        let at_tip = loop {
            let ours = self.store.read_blocking(blocks::tip).expect("read");
            let Some(ours) = ours else {
                let start = BlockId { height: 0, hash: node.chain[0].hash };
                let write = move |tx: &WriteTx| blocks::insert(tx, start, now);
                self.store.write_blocking(write).expect("begun");
                continue;
            };
            let chain = NodeChain { tip: node.tip(), our_tip: node.place_of(ours) };
            match next_step(ours, chain) {
                NextStep::Connect { height } => {
                    let block = node.chain[height as usize].read();
                    let id = BlockId { height, hash: block.hash };
                    let mut sieving = self.sieving.borrow_mut();
                    sieving.begin(&self.store);
                    sieving.await_built();
                    let write = move |tx: &WriteTx, sieve: &mut AtHand| {
                        let sieve = sieve.complete(tx)?;
                        assert!(sieve.is_some(), "it was built, and nothing has failed");
                        connect(tx, &block, id, Network::Regtest, now, sieve.as_ref())
                    };
                    sieving.write(&self.store, write).expect("connected");
                }
                NextStep::Disconnect(id) => {
                    self.store.write_blocking(move |tx| disconnect(tx, id)).expect("taken back");
                }
                NextStep::AtTip(at_tip) => break at_tip,
                NextStep::Behind => panic!("the model node is never behind"),
            }
        };
        let seen: Vec<SeenTx> = node.mempool.iter().map(ModelTx::seen).collect();
        let present: Vec<Txid> = node.mempool.iter().map(|tx| tx.id).collect();
        let sight = Sight { now, compared_at: Some(node.compared_at) };
        self.store
            .write_blocking(move |tx| {
                let ours = coins::in_mempool(tx)?;
                let gone = ours.iter().map(|coin| coin.outpoint);
                let gone: Vec<OutPoint> = gone.filter(|at| !present.contains(&at.txid)).collect();
                dropped(tx, &gone, &at_tip)?;
                saw(tx, &seen, sight)
            })
            .expect("compared");
        node.compared_at = now;
        let batches = Batches { store: &self.store, go_on: &|| true };
        let mut expiry = self.expiry.borrow_mut();
        while expiry.pass(&batches, now, at_tip, |_| {}).expect("expired") == Ended::Stopped {}
    }

    /// Looks at a node that is still on its way to where we stand: nothing may follow from that.
    fn look_lagging(&self) {
        let Some(ours) = self.store.read_blocking(blocks::tip).expect("read") else { return };
        for below in 0..ours.height.min(3) {
            let tip = BlockId { height: below, hash: BlockHash::all_zeros() };
            let chain = NodeChain { tip, our_tip: OurTip::Unknown };
            assert_eq!(next_step(ours, chain), NextStep::Behind);
        }
    }

    /// A frame told of a transaction, and the node confirmed that it is in the mempool. Says
    /// whether that caused a whole look.
    fn hear(&self, node: &mut ModelNode, which: usize) -> bool {
        if node.mempool.is_empty() {
            return false;
        }
        let heard = node.mempool[which % node.mempool.len()].clone();
        if heard.is_pegout() {
            self.look(node); // Frames do not show peg-outs.
            return true;
        }
        node.be_heard(&heard);
        let sight = Sight { now: node.now, compared_at: Some(node.compared_at) };
        self.store.write_blocking(move |tx| saw(tx, &[heard.seen()], sight)).expect("seen");
        false
    }
}

/// When each history begins.
const START: Timestamp = Timestamp::from_ms(1_000);

/// An account of these tests: 1 is the gateway's own.
fn account(seed: u8) -> AccountXpub {
    AccountXpriv::from_mnemonic_seed(&[seed; 64], Network::Regtest).0.to_xpub()
}

/// Where the `n`-th merchant is paid.
fn payout_script(n: u32) -> ScriptBuf {
    account(2).script_at(DerivationIndex::new(n).expect("small"))
}

/// Payments of two merchants in turn.
fn set_up(tx: &WriteTx) -> Result<Vec<Payment>, Refusal> {
    let rules = merchants::Rules { network: Network::Regtest, payout_address_delay_ms: 0 };
    let add = |n| {
        let new = NewMerchant {
            name: BusinessName::parse("Shop")?,
            discord_id: None,
            payout_address: Address::from_script(&payout_script(n), Network::Regtest)
                .map(ForeignAddress::assumed),
            days: Some(1),
        };
        let merchant = merchants::add(tx, &Actor::Cli, &rules, &new, &Clock::system())?.id;
        assert!(merchant_rows::has_payout_address(tx, merchant)?);
        Ok::<_, Refusal>(merchant)
    };
    let shops = [add(0)?, add(1)?];
    let amount = Amount::from_litoshis(AMOUNT).expect("in range");
    let rules = create_payment::Rules {
        confirmations: CONFIRMATIONS,
        large_amount: Amount::MAX,
        confirmations_large: CONFIRMATIONS,
        confirmations_pegout: CONFIRMATIONS,
        expiry_ms: EXPIRY_MS,
        late_grace_ms: LATE_GRACE_MS,
        min_amount: Amount::ZERO,
        open_max: u32::MAX,
        max_daily_payments: 0,
    };
    account_scan::record_answer(tx)?;
    let addresses = Addresses::new(account(1), None);
    (0..PAYMENTS)
        .map(|n| {
            let new = NewPayment {
                amount,
                webhook_url: Some("https://shop.example/hook".to_owned()),
                redirect_url: None,
                display_amount: None,
                reference: None,
                expires_in_seconds: None,
            };
            let id = PaymentId::from_random([u8::try_from(n).expect("few"); 16]);
            let merchant = shops[n % shops.len()];
            let request =
                create_payment::Request { merchant, api_key: None, new, idempotency_key: None, id };
            create_payment(tx, &rules, &addresses, &request, START)?;
            Ok(payments::by_id(tx, id)?.ok_or(Refusal::UnknownPayment)?.payment)
        })
        .collect()
}

/// A coin as it must be recorded: its amount, when it was first seen, and where it is.
type Expected = (u64, Timestamp, Place);

/// The coins of a payment that count, by the final chain and mempool alone.
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

/// The verdict that follows from an earlier one and the coins that count now. Blocks are judged
/// one after the other: late money that is deep enough completes a payment, late, even if money
/// that came in time is deep enough a block later.
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
                Place::Mempool | Place::Gone => 0,
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

/// The sums that are kept from write to write must be what the facts come to.
fn check_sums(gateway: &Gateway) {
    let wrong = gateway.store.read_blocking(|tx| {
        let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
        let mut wrong = merchant_rows::all(tx)?;
        for at in (0..wrong.len()).rev() {
            if accounts::are_kept(tx, wrong[at].id, tip)? {
                wrong.remove(at);
            }
        }
        assert!(sweeps::under_way_are_kept(tx)?, "the sweeps under way are not kept");
        Ok::<_, Error>(wrong)
    });
    assert_eq!(wrong.expect("read"), [], "merchants whose sums are not kept");
}

/// Compares coins. Of equal peg-outs in one block it is not said which output is which: their times
/// are compared together.
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

/// Compares what is stored after a look with what it must be; `verdicts` are those before it.
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
        let (judged, stored, events) = gateway
            .store
            .read_blocking(|tx| {
                let judged = payments::by_index(tx, index)?;
                let events = events::of_payment(tx, index)?;
                Ok::<_, Error>((judged, coins::of_payment(tx, index)?, events))
            })
            .expect("read");
        let counted: BTreeMap<OutPoint, Expected> = stored
            .iter()
            .filter(|coin| coin.counts())
            .map(|coin| (coin.outpoint, (coin.amount.litoshis(), coin.seen_at, coin.place)))
            .collect();
        check_coins(&counted, &expected(node, payment));
        let status = match judged.status {
            Status::Pending => "pending",
            Status::Expired { .. } => "expired",
            Status::Completed { late: false, .. } => "completed",
            Status::Completed { late: true, .. } => "completed late",
        };
        *before = verdict(before, payment, &counted, node);
        assert_eq!(status, *before, "of {counted:?} at {:?}", node.now);
        let told = usize::from(status.starts_with("completed"));
        assert_eq!(events.len(), told, "one event for one completion");
    }
}

#[test]
fn completes_with_the_last_confirmation_and_not_before() {
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
    assert_eq!(status(&gateway), Status::Completed { at: START, late: false });
}

/// Plays a history and checks after each look, and at its end. Answers what became of sweeps.
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
            Act::Raise(which, taken) => gateway.raise(&mut node, *which, *taken, &mut fates),
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
fn a_pegout_that_is_mined_again_elsewhere_was_seen_when_it_was_first_seen() {
    // Nobody looked between the two blocks, and the payment's time was up meanwhile.
    let paid = Act::PegOut(0, AMOUNT, 1);
    let late = Act::Wait(EXPIRY_MS + 1);
    let again = Act::ReorgMined(1);
    play(&[paid.clone(), Act::Mine(9), Act::Look, late.clone(), again.clone(), Act::Look]);
    play(&[paid, Act::Look, Act::Mine(9), Act::Look, late, again, Act::Look]);
}

proptest! {
    #![proptest_config(histories(48))]

    #[test]
    fn any_history_ends_as_its_final_chain_says(
        swept in any::<bool>(),
        history in prop::collection::vec(act(), 1..40),
    ) {
        let before = if swept { sweeping::paid_and_swept() } else { Vec::new() };
        play(&[before, history].concat());
    }
}
