//! Random histories on a real database: transactions come, are replaced, mined, taken back by
//! reorganisations and mined elsewhere, and hints are lost. Whatever the order was, what the
//! database says in the end is what the final chain and mempool alone would say.

use std::collections::BTreeMap;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode, TxOut};
use proptest::prelude::*;

use super::*;
use crate::acts::create_payment::{self, NewPayment, create_payment};
use crate::acts::merchants::{self, NewMerchant};
use crate::acts::{Actor, Refusal};
use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::address::Address;
use crate::domain::chain::{NextStep, NodeChain, OurTip, next_step};
use crate::domain::keys::AccountXpub;
use crate::domain::merchant::BusinessName;
use crate::domain::payment::Payment;
use crate::store::{Store, merchants as merchant_rows};

/// Payments of a history, their amount, and the confirmations that they need.
const PAYMENTS: usize = 3;
const AMOUNT: u64 = 5_000_000;
const CONFIRMATIONS: u32 = 3;

/// What may happen. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Act {
    /// So many litoshis to one of the payments.
    Pay(usize, u64),
    /// A transaction leaves the mempool: replaced, double-spent or evicted.
    Drop(usize),
    /// One that had left comes back.
    Return(usize),
    /// A block with every transaction of the mempool but each n-th.
    Mine(usize),
    /// So many of the last blocks are left for as many empty ones and one more.
    Reorg(usize),
    /// The watcher comes to look; until then all hints are lost.
    Look,
    /// The process dies and starts: the database is all that is left.
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..PAYMENTS, 1u64..2 * AMOUNT).prop_map(|(n, litoshis)| Act::Pay(n, litoshis)),
        1 => (0..8usize).prop_map(Act::Drop),
        1 => (0..8usize).prop_map(Act::Return),
        4 => (2..5usize).prop_map(Act::Mine),
        2 => (1..6usize).prop_map(Act::Reorg),
        4 => Just(Act::Look),
        1 => Just(Act::Restart),
    ]
}

/// A node as simple as can be: a best chain of blocks, and a mempool.
struct ModelNode {
    chain: Vec<Block>,
    mempool: Vec<Tx>,
    /// What was dropped, and may come back.
    left: Vec<Tx>,
    made: u32,
}

impl ModelNode {
    fn new() -> ModelNode {
        let mut node =
            ModelNode { chain: Vec::new(), mempool: Vec::new(), left: Vec::new(), made: 0 };
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

    fn mine(&mut self, txs: Vec<Tx>) {
        self.made += 1;
        let previous = self.chain.last().map_or(BlockHash::all_zeros(), |block| block.hash);
        let header = Header {
            version: Version::TWO,
            prev_blockhash: previous,
            merkle_root: TxMerkleNode::all_zeros(),
            time: 1,
            bits: CompactTarget::from_consensus(0),
            nonce: self.made, // Makes blocks of the same height differ.
        };
        self.chain.push(Block { hash: header.block_hash(), header, txs });
    }

    fn pay(&mut self, payment: &Payment, litoshis: u64) {
        self.made += 1;
        let mut id = [0; 32];
        id[..4].copy_from_slice(&self.made.to_le_bytes());
        let value = bitcoin::Amount::from_sat(litoshis);
        self.mempool.push(Tx {
            txid: Some(Txid::from_byte_array(id)),
            kind: TxKind::Plain,
            carries_mweb: false,
            inputs: Vec::new(),
            outputs: vec![TxOut { value, script_pubkey: payment.script.clone() }],
        });
    }

    fn happen(&mut self, act: &Act, payments: &[Payment]) {
        match act {
            Act::Pay(n, litoshis) => self.pay(&payments[*n], *litoshis),
            Act::Drop(which) if !self.mempool.is_empty() => {
                self.left.push(self.mempool.remove(which % self.mempool.len()));
            }
            Act::Return(which) if !self.left.is_empty() => {
                self.mempool.push(self.left.remove(which % self.left.len()));
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
                let depth = (*depth).min(self.chain.len() - 1);
                let lost = self.chain.split_off(self.chain.len() - depth);
                self.mempool.extend(lost.into_iter().flat_map(|block| block.txs));
                for _ in 0..=depth {
                    self.mine(Vec::new());
                }
            }
            Act::Drop(_) | Act::Return(_) | Act::Look | Act::Restart => {}
        }
    }
}

/// The gateway's side: a database, and the walk that the watcher makes.
struct Gateway {
    dir: tempfile::TempDir,
    store: Store,
    payments: Vec<Payment>,
}

impl Gateway {
    fn new() -> Gateway {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a database");
        let payments = store.write_blocking(set_up).expect("set up");
        Gateway { dir, store, payments }
    }

    fn restart(self) -> Gateway {
        let Gateway { dir, store, payments } = self;
        drop(store);
        let store = Store::open(&dir.path().join("litegate.db")).expect("the same database");
        Gateway { dir, store, payments }
    }

    /// Walks to the node's tip and compares the mempool, as a pass of the watcher does.
    fn look(&self, node: &ModelNode) {
        let at_tip = loop {
            let ours = self.store.read_blocking(blocks::tip).expect("read");
            let Some(ours) = ours else {
                let start = BlockId { height: 0, hash: node.chain[0].hash };
                let write = move |tx: &WriteTx| blocks::insert(tx, start, now());
                self.store.write_blocking(write).expect("begun");
                continue;
            };
            let chain = NodeChain { tip: node.tip(), our_tip: node.place_of(ours) };
            match next_step(ours, chain) {
                NextStep::Connect { height } => {
                    let block = node.chain[height as usize].clone();
                    let id = BlockId { height, hash: block.hash };
                    let write =
                        move |tx: &WriteTx| connect(tx, &block, id, Network::Regtest, now());
                    self.store.write_blocking(write).expect("connected");
                }
                NextStep::Disconnect(id) => {
                    self.store.write_blocking(move |tx| disconnect(tx, id)).expect("taken back");
                }
                NextStep::AtTip(at_tip) => break at_tip,
                NextStep::Behind => panic!("the model node is never behind"),
            }
        };
        let outputs: Vec<SeenOutput> = node.mempool.iter().flat_map(seen_outputs).collect();
        let present: Vec<OutPoint> = outputs.iter().map(|output| output.outpoint).collect();
        self.store
            .write_blocking(move |tx| {
                let ours = coins::in_mempool(tx)?;
                let gone = ours.iter().map(|coin| coin.outpoint);
                let gone: Vec<OutPoint> = gone.filter(|at| !present.contains(at)).collect();
                dropped(tx, &gone, &at_tip)?;
                saw_tx(tx, &outputs, now())
            })
            .expect("compared");
    }
}

/// Nothing in these histories expires.
fn now() -> Timestamp {
    Timestamp::from_ms(1_000)
}

fn seen_outputs(tx: &Tx) -> Vec<SeenOutput> {
    let txid = tx.txid.expect("the model's transactions have ids");
    let seen = |(vout, output): (u32, &TxOut)| SeenOutput {
        outpoint: OutPoint { txid, vout },
        amount: Amount::from_litoshis(output.value.to_sat()).expect("in range"),
        script: output.script_pubkey.clone(),
        pegout: false,
    };
    (0..).zip(&tx.outputs).map(seen).collect()
}

fn set_up(tx: &WriteTx) -> Result<Vec<Payment>, Refusal> {
    let xpub: AccountXpub = AccountXpriv::from_mnemonic_seed(&[1; 64], Network::Regtest).to_xpub();
    let elsewhere = AccountXpriv::from_mnemonic_seed(&[2; 64], Network::Regtest).to_xpub();
    let first = DerivationIndex::new(0).expect("small");
    let address = Address::from_script(&elsewhere.script_at(first), Network::Regtest);
    let rules = merchants::Rules { network: Network::Regtest, payout_address_delay_ms: 0 };
    let new = NewMerchant {
        name: BusinessName::parse("Shop")?,
        discord_id: None,
        payout_address: address,
        days: Some(1),
    };
    let merchant = merchants::add(tx, &Actor::Cli, &rules, &new, now())?.id;
    assert!(merchant_rows::has_payout_address(tx, merchant)?);
    let amount = Amount::from_litoshis(AMOUNT).expect("in range");
    let rules = create_payment::Rules {
        confirmations: CONFIRMATIONS,
        large_amount: Amount::MAX,
        confirmations_large: CONFIRMATIONS,
        confirmations_pegout: CONFIRMATIONS,
        expiry_ms: 1_000_000,
        late_grace_ms: 0,
        min_amount: Amount::ZERO,
    };
    (0..PAYMENTS)
        .map(|n| {
            let new = NewPayment {
                amount,
                webhook_url: Some("https://shop.example/hook".to_owned()),
                redirect_url: None,
                reference: None,
                expires_in_seconds: None,
            };
            let id = PaymentId::from_random([u8::try_from(n).expect("few"); 16]);
            let request = create_payment::Request { merchant, new, idempotency_key: None, id };
            create_payment(tx, &rules, &xpub, &request, now())?;
            Ok(payments::by_id(tx, id)?.ok_or(Refusal::UnknownPayment)?.payment)
        })
        .collect()
}

/// Where each coin of a payment is, by the final chain and mempool alone.
fn expected(node: &ModelNode, payment: &Payment) -> BTreeMap<OutPoint, (u64, Place)> {
    let in_blocks = (0u32..).zip(&node.chain).flat_map(|(height, block)| {
        let place = Place::Block(BlockId { height, hash: block.hash });
        block.txs.iter().map(move |tx| (tx, place))
    });
    let in_mempool = node.mempool.iter().map(|tx| (tx, Place::Mempool));
    in_blocks
        .chain(in_mempool)
        .flat_map(|(tx, place)| seen_outputs(tx).into_iter().map(move |out| (out, place)))
        .filter(|(output, _)| output.script == payment.script)
        .map(|(output, place)| (output.outpoint, (output.amount.litoshis(), place)))
        .collect()
}

fn check(gateway: &Gateway, node: &ModelNode, was_completed: &mut [bool; PAYMENTS]) {
    for (payment, was_completed) in gateway.payments.iter().zip(was_completed) {
        let index = payment.index;
        let (judged, stored, events) = gateway
            .store
            .read_blocking(|tx| {
                let judged = payments::by_index(tx, index)?;
                let events = events::of_payment(tx, index)?;
                Ok::<_, Error>((judged, coins::of_payment(tx, index)?, events))
            })
            .expect("read");
        let counted = stored.iter().filter(|coin| coin.counts());
        let counted: BTreeMap<OutPoint, (u64, Place)> =
            counted.map(|coin| (coin.outpoint, (coin.amount.litoshis(), coin.place))).collect();
        assert_eq!(counted, expected(node, payment), "coins that count");
        let tip = node.tip();
        let deep = counted.values().filter(|(_, place)| match place {
            Place::Block(block) => tip.height + 1 - block.height >= CONFIRMATIONS,
            Place::Mempool | Place::Gone => false,
        });
        let confirmed: u64 = deep.map(|(amount, _)| amount).sum();
        let completed = matches!(judged.status, Status::Completed { .. });
        assert!(completed || confirmed < AMOUNT, "paid and confirmed, but not completed");
        assert!(completed || !*was_completed, "completed is final");
        assert!(!completed || *was_completed || confirmed >= AMOUNT, "completed too early");
        assert_eq!(events.len(), usize::from(completed), "one event for one completion");
        *was_completed = completed;
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
    node.pay(&gateway.payments[0], AMOUNT);
    for _ in 0..CONFIRMATIONS {
        gateway.look(&node);
        assert_eq!(status(&gateway), Status::Pending);
        node.happen(&Act::Mine(9), &gateway.payments);
    }
    gateway.look(&node);
    assert_eq!(status(&gateway), Status::Completed { at: now(), late: false });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_history_ends_as_its_final_chain_says(
        history in prop::collection::vec(act(), 1..40),
    ) {
        let mut gateway = Gateway::new();
        let mut node = ModelNode::new();
        let mut was_completed = [false; PAYMENTS];
        for act in &history {
            node.happen(act, &gateway.payments);
            match act {
                Act::Look => {
                    gateway.look(&node);
                    check(&gateway, &node, &mut was_completed);
                }
                Act::Restart => gateway = gateway.restart(),
                Act::Pay(..) | Act::Drop(_) | Act::Return(_) | Act::Mine(_) | Act::Reorg(_) => {}
            }
        }
        gateway.look(&node);
        check(&gateway, &node, &mut was_completed);
    }
}
