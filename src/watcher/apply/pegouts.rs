//! Matches MWEB peg-outs in blocks with those announced in the mempool (decision 0027).
//!
//! The kernel identifies a peg-out in every mempool transaction and block that contains it, so
//! the first-seen time is inherited only where the chain proves that it is the same peg-out.
//! If the node does not report kernels, an announcement is fulfilled by an equal output of the
//! block with which its transaction left the mempool, one for one in their sequence.
//!
//! A write loads its rows at once, so its cost is linear in the outputs.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use bitcoin::{OutPoint, ScriptBuf, Txid};

use crate::domain::amount::Amount;
use crate::domain::keys::DerivationIndex;
use crate::domain::payment::{Coin, Origin, Place};
use crate::domain::pegout::{KernelId, PegoutId, Sequence};
use crate::domain::time::Timestamp;
use crate::node::codec::PegoutProof;
use crate::store::payments::Ours;
use crate::store::pegouts::{self, Known};
use crate::store::{Error, WriteTx, coins};

/// A peg-out that pays the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) outpoint: OutPoint,
    pub(super) index: DerivationIndex,
    pub(super) amount: Amount,
    /// The first-seen time, if the peg-out was not seen before.
    pub(super) seen_at: Timestamp,
}

impl Output {
    fn paid(&self) -> Paid {
        (self.index, self.amount)
    }

    fn coin(&self, seen_at: Timestamp, place: Place) -> Coin {
        let Output { outpoint, index, amount, .. } = *self;
        Coin { outpoint, index, amount, origin: Origin::Pegout, seen_at, place, rate: None }
    }
}

/// The payment and the amount of a peg-out.
type Paid = (DerivationIndex, Amount);

#[derive(Debug, Default)]
struct PegoutIndex {
    known: HashMap<Sequence, Known>,
    by_id: HashMap<PegoutId, Vec<Sequence>>,
}

impl PegoutIndex {
    fn add(&mut self, found: Vec<Known>) {
        for known in found {
            if self.known.contains_key(&known.sequence) {
                continue;
            }
            if let Some(id) = known.id {
                self.by_id.entry(id).or_default().push(known.sequence);
            }
            self.known.insert(known.sequence, known);
        }
    }

    /// The peg-out of this id, unless it is in a block: then the kernel is repeated.
    fn unmined(&self, id: PegoutId) -> Option<Sequence> {
        let unmined = |sequence: &&Sequence| !self.is_mined(**sequence);
        self.by_id.get(&id).into_iter().flatten().find(unmined).copied()
    }

    fn is_mined(&self, sequence: Sequence) -> bool {
        self.mined(sequence).is_some()
    }

    fn is_mined_but_by(&self, sequence: Sequence, at: OutPoint) -> bool {
        self.mined(sequence).is_some_and(|coin| coin.outpoint != at)
    }

    /// The coin of a peg-out that is in a block of the gateway's chain.
    fn mined(&self, sequence: Sequence) -> Option<&Coin> {
        let counting = self.known.get(&sequence)?.counting.as_ref();
        counting.filter(|coin| matches!(coin.place, Place::Block(_)))
    }

    /// Makes this coin the only one by which the peg-out counts.
    fn count_by(&mut self, tx: &WriteTx, sequence: Sequence, coin: &Coin) -> Result<(), Error> {
        let Some(known) = self.known.get_mut(&sequence) else { return Ok(()) };
        let before = known.counting.replace(coin.clone());
        if let Some(before) = before.filter(|before| before.outpoint != coin.outpoint) {
            coins::move_to(tx, before.outpoint, Place::Removed)?;
        }
        Ok(())
    }

    fn first_seen(&self, sequence: Sequence) -> Option<Timestamp> {
        self.known.get(&sequence).map(|known| known.first_seen)
    }
}

/// The peg-outs announced by mempool transactions.
pub(super) struct Announcements {
    index: PegoutIndex,
}

/// Whether an announced output changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Its amount counts now.
    Counts,
    /// It counted already, or is in a block.
    Nothing,
}

impl Announcements {
    /// Loads the stored peg-outs of these ids and coins.
    pub(super) fn load(
        tx: &WriteTx,
        ids: impl Iterator<Item = PegoutId>,
        coins: impl Iterator<Item = Sequence>,
    ) -> Result<Announcements, Error> {
        let mut index = PegoutIndex::default();
        let kernels: HashSet<KernelId> = ids.map(|id| id.kernel).collect();
        index.add(pegouts::of_kernels(tx, kernels.into_iter())?);
        index.add(pegouts::of_sequences(tx, coins)?);
        Ok(Announcements { index })
    }

    /// Stores an announced output. `before` is its coin, if it has one.
    pub(super) fn record(
        &mut self,
        tx: &WriteTx,
        output: Output,
        id: Option<PegoutId>,
        before: Option<&(Coin, Option<Sequence>)>,
    ) -> Result<Seen, Error> {
        match before {
            Some((coin, sequence)) => self.record_again(tx, coin, *sequence, id),
            None => self.record_new(tx, output, id),
        }
    }

    fn record_again(
        &mut self,
        tx: &WriteTx,
        coin: &Coin,
        sequence: Option<Sequence>,
        id: Option<PegoutId>,
    ) -> Result<Seen, Error> {
        if let (Some(sequence), Some(id)) = (sequence, id) {
            pegouts::identify(tx, sequence, id)?; // Older versions did not store it.
        }
        if coin.counts() || sequence.is_some_and(|sequence| self.index.is_mined(sequence)) {
            return Ok(Seen::Nothing);
        }
        let coin = Coin { place: Place::Mempool, ..coin.clone() };
        if let Some(sequence) = sequence {
            self.index.count_by(tx, sequence, &coin)?;
            pegouts::announce(tx, sequence, coin.outpoint)?;
        }
        coins::move_to(tx, coin.outpoint, coin.place)?;
        Ok(Seen::Counts)
    }

    fn record_new(
        &mut self,
        tx: &WriteTx,
        output: Output,
        id: Option<PegoutId>,
    ) -> Result<Seen, Error> {
        let known = id.and_then(|id| self.index.by_id.get(&id)).map_or(&[][..], Vec::as_slice);
        if known.iter().any(|sequence| self.index.is_mined(*sequence)) {
            // The node disconnected the block since the comparison, or the kernel is repeated.
            // The next comparison or block decides.
            return Ok(Seen::Nothing);
        }
        let at = output.outpoint;
        let Some(sequence) = known.first().copied() else {
            let sequence = pegouts::insert(tx, id, Some(at))?;
            let coin = output.coin(output.seen_at, Place::Mempool);
            coins::insert_pegout(tx, &coin, sequence)?;
            let (first_seen, counting) = (coin.seen_at, Some(coin.clone()));
            self.index.add(vec![Known { sequence, id, coin, first_seen, counting }]);
            return Ok(Seen::Counts);
        };
        let first_seen = self.index.first_seen(sequence).unwrap_or(output.seen_at);
        let coin = output.coin(first_seen, Place::Mempool);
        self.index.count_by(tx, sequence, &coin)?;
        coins::insert_pegout(tx, &coin, sequence)?;
        pegouts::announce(tx, sequence, at)?;
        Ok(Seen::Counts)
    }
}

/// The peg-outs that the outputs of a block may be.
struct Candidates {
    index: PegoutIndex,
    /// Proven by the kernels of the block, in their order.
    proven: HashMap<Paid, VecDeque<PegoutId>>,
    /// Announcements that the block may fulfil, in their sequence.
    unproven: HashMap<Paid, VecDeque<Sequence>>,
}

impl Candidates {
    fn load(
        tx: &WriteTx,
        outputs: &[Output],
        proof: &PegoutProof,
        ours: &HashMap<ScriptBuf, Ours>,
    ) -> Result<Candidates, Error> {
        let mut index = PegoutIndex::default();
        let mut proven: HashMap<Paid, VecDeque<PegoutId>> = HashMap::new();
        match proof {
            PegoutProof::Listed(listed) => {
                let mut kernels = HashSet::new();
                for pegout in listed {
                    let Some(to) = ours.get(&pegout.output.script_pubkey) else { continue };
                    let amount = Amount::from_litoshis(pegout.output.value.to_sat());
                    let Some(amount) = amount else { continue };
                    proven.entry((to.index, amount)).or_default().push_back(pegout.id);
                    kernels.insert(pegout.id.kernel);
                }
                index.add(pegouts::of_kernels(tx, kernels.into_iter())?);
            }
            PegoutProof::Kernels(kernels) => {
                let found = pegouts::of_kernels(tx, kernels.iter().copied())?;
                let mut ids = BTreeMap::new();
                for known in &found {
                    let paid = (known.coin.index, known.coin.amount);
                    ids.extend(known.id.map(|id| (id, paid)));
                }
                ids.into_iter()
                    .for_each(|(id, paid)| proven.entry(paid).or_default().push_back(id));
                index.add(found);
            }
            PegoutProof::Absent { .. } => {}
        }
        let payments: HashSet<DerivationIndex> =
            outputs.iter().map(|output| output.index).collect();
        let unmined = pegouts::unmined(tx, payments.into_iter())?;
        let mut unproven: HashMap<Paid, VecDeque<Sequence>> = HashMap::new();
        for known in unmined.iter().filter(|known| may_be_fulfilled(known, proof)) {
            let paid = (known.coin.index, known.coin.amount);
            unproven.entry(paid).or_default().push_back(known.sequence);
        }
        index.add(unmined);
        Ok(Candidates { index, proven, unproven })
    }

    /// The peg-out and the id of an output that has no coin yet.
    fn next(
        &mut self,
        paid: Paid,
        taken: &HashSet<PegoutId>,
    ) -> (Option<Sequence>, Option<PegoutId>) {
        let ids = self.proven.entry(paid).or_default();
        let id = std::iter::from_fn(|| ids.pop_front()).find(|id| !taken.contains(id));
        let proven = id.and_then(|id| self.index.unmined(id));
        let unproven = self.unproven.entry(paid).or_default();
        let sequence = proven.or_else(|| {
            std::iter::from_fn(|| unproven.pop_front()).find(|it| !self.index.is_mined(*it))
        });
        (sequence, id)
    }
}

/// Whether a block may fulfil an announcement without proof by a kernel.
fn may_be_fulfilled(announced: &Known, proof: &PegoutProof) -> bool {
    match proof {
        // The block's kernels are known. Only an announcement without a kernel can match.
        PegoutProof::Listed(_) | PegoutProof::Kernels(_) => announced.id.is_none(),
        PegoutProof::Absent { unmined } => {
            let txid = announced.counting.as_ref().map(|coin| coin.outpoint.txid);
            txid.is_some_and(|txid| !unmined.contains(&txid))
        }
    }
}

/// Stores the outputs of a block's HogEx as the peg-outs that they are.
pub(super) fn place(
    tx: &WriteTx,
    hogex: Txid,
    outputs: &[Output],
    place: Place,
    proof: &PegoutProof,
    ours: &HashMap<ScriptBuf, Ours>,
) -> Result<(), Error> {
    if outputs.is_empty() {
        return Ok(());
    }
    let before = coins::of_txids(tx, std::iter::once(hogex))?;
    let mut candidates = Candidates::load(tx, outputs, proof, ours)?;
    candidates.index.add(pegouts::of_sequences(tx, before.values().filter_map(|coin| coin.1))?);
    let mut taken = HashSet::new();
    // The block was connected before: its outputs keep their peg-outs.
    for (coin, sequence) in outputs.iter().filter_map(|output| before.get(&output.outpoint)) {
        let coin = Coin { place, ..coin.clone() };
        match *sequence {
            Some(sequence) if candidates.index.is_mined_but_by(sequence, coin.outpoint) => {
                // The kernel is repeated, and another coin of it is in a block.
                pegouts::separate(tx, coin.outpoint)?;
            }
            Some(sequence) => {
                candidates.index.count_by(tx, sequence, &coin)?;
                taken.extend(candidates.index.known.get(&sequence).and_then(|known| known.id));
            }
            None => {}
        }
        coins::move_to(tx, coin.outpoint, place)?;
    }
    for output in outputs.iter().filter(|output| !before.contains_key(&output.outpoint)) {
        let (known, id) = candidates.next(output.paid(), &taken);
        let sequence = match known {
            Some(sequence) => sequence,
            None => pegouts::insert(tx, id, None)?,
        };
        let first_seen = candidates.index.first_seen(sequence).unwrap_or(output.seen_at);
        let coin = output.coin(first_seen, place);
        candidates.index.count_by(tx, sequence, &coin)?;
        if let (Some(sequence), Some(id)) = (known, id) {
            pegouts::identify(tx, sequence, id)?;
        }
        coins::insert_pegout(tx, &coin, sequence)?;
    }
    Ok(())
}
