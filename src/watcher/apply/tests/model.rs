//! The model of a node: a best chain of blocks, and a mempool.

use super::*;

/// A transaction of the model.
#[derive(Debug, Clone)]
pub(super) struct ModelTx {
    pub(super) id: Txid,
    /// The gateway's coins that it spends.
    pub(super) inputs: Vec<OutPoint>,
    pub(super) outputs: Vec<TxOut>,
    /// The ids of its peg-outs. Empty for an ordinary transaction.
    pub(super) pegouts: Vec<PegoutId>,
    /// When it entered the mempool, by the node's clock.
    pub(super) entered_at: Timestamp,
}

/// An output, identified by the transaction or the kernel that pays it.
pub(super) type OutputId = ([u8; 32], u32);

/// A node: a best chain and a mempool.
pub(super) struct ModelNode {
    pub(super) chain: Vec<ModelBlock>,
    pub(super) mempool: Vec<ModelTx>,
    /// Evicted transactions, which may return.
    pub(super) left: Vec<ModelTx>,
    pub(super) made: u32,
    pub(super) now: Timestamp,
    /// How far its clock is ahead, in milliseconds.
    pub(super) clock_ms: i64,
    /// When the gateway last compared the mempool.
    pub(super) compared_at: Timestamp,
    /// When the gateway could first see each output.
    pub(super) first_seen: BTreeMap<OutputId, Timestamp>,
}

pub(super) struct ModelBlock {
    pub(super) hash: BlockHash,
    pub(super) header: Header,
    pub(super) txs: Vec<ModelTx>,
    pub(super) hogex: Txid,
}

impl ModelBlock {
    /// The block as a node reports it: peg-outs are outputs of the last transaction, in the
    /// order of transactions, while kernels are sorted by id.
    pub(super) fn read(&self) -> Block {
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

    /// The place of each output of the block. Equal peg-outs are interchangeable.
    pub(super) fn outputs(&self) -> Vec<(OutPoint, OutputId, &TxOut)> {
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
    pub(super) fn new() -> ModelNode {
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

    pub(super) fn tip(&self) -> BlockId {
        let height = u32::try_from(self.chain.len() - 1).expect("a short chain");
        BlockId { height, hash: self.chain.last().expect("a genesis").hash }
    }

    pub(super) fn place_of(&self, block: BlockId) -> OurTip {
        match self.chain.get(block.height as usize) {
            Some(here) if here.hash == block.hash => OurTip::OnBestChain,
            _ => OurTip::OffBestChain,
        }
    }

    pub(super) fn fresh_id(&mut self) -> Txid {
        self.made += 1;
        let mut id = [0; 32];
        id[..4].copy_from_slice(&self.made.to_le_bytes());
        Txid::from_byte_array(id)
    }

    /// Mines the transactions that the chain allows. The others stay unmined.
    pub(super) fn mine(&mut self, txs: Vec<ModelTx>) {
        let (txs, refused) = self.allowed(txs);
        self.mempool.extend(refused);
        let hogex = self.fresh_id();
        let parent = self.chain.last().map(|block| block.hash);
        // Later than any time here, so that the gateway's first-seen time counts.
        let header = header_on(parent, u32::MAX, self.made);
        self.chain.push(ModelBlock { hash: header.block_hash(), header, txs, hogex });
    }

    pub(super) fn pay(&mut self, payments: &[&Payment], litoshis: u64) {
        let value = bitcoin::Amount::from_sat(litoshis);
        let pay = |payment: &&Payment| TxOut { value, script_pubkey: payment.script.clone() };
        let outputs: Vec<TxOut> = payments.iter().map(pay).collect();
        let tx = ModelTx { id: self.fresh_id(), outputs, ..ModelTx::empty() };
        self.enter(tx);
    }

    /// A kernel with so many peg-outs.
    pub(super) fn peg_out(&mut self, payment: &Payment, litoshis: u64, times: usize) {
        let value = bitcoin::Amount::from_sat(litoshis);
        let output = TxOut { value, script_pubkey: payment.script.clone() };
        let id = self.fresh_id();
        // Another order than that of creation: kernels are not in the order of transactions.
        let mut kernel = *id.as_byte_array();
        kernel[0] ^= 0x55;
        let kernel = KernelId::from_bytes(kernel);
        let pegouts = (0..).take(times).map(|position| PegoutId { kernel, position }).collect();
        let outputs = vec![output; times];
        self.enter(ModelTx { id, outputs, pegouts, ..ModelTx::empty() });
    }

    /// Merges two MWEB transactions into one with another id, or gives one another id.
    pub(super) fn repack(&mut self, which: usize) {
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

    pub(super) fn enter(&mut self, tx: ModelTx) {
        let entered_at = self.now.plus_ms(self.clock_ms);
        self.mempool.push(ModelTx { entered_at, ..tx });
    }

    pub(super) fn leave(&mut self, depth: usize) -> Vec<ModelTx> {
        let depth = depth.min(self.chain.len() - 1);
        let lost = self.chain.split_off(self.chain.len() - depth);
        lost.into_iter().flat_map(|block| block.txs).collect()
    }

    pub(super) fn happen(&mut self, act: &Act, payments: &[Payment]) {
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
            | Act::FeeBump(..)
            | Act::LookAfter
            | Act::Restart => {}
        }
        self.tidy();
    }

    /// Records the first-seen time of what a pass sees now: now, or when the node accepted it.
    pub(super) fn be_seen(&mut self) {
        for tx in self.chain.iter().flat_map(|block| &block.txs) {
            for id in tx.output_ids() {
                self.first_seen.entry(id).or_insert(self.now);
            }
        }
        for tx in self.mempool.clone() {
            self.be_heard(&tx);
        }
    }

    pub(super) fn be_heard(&mut self, tx: &ModelTx) {
        let earliest = self.now.min(tx.entered_at);
        let sight = if earliest < self.compared_at { self.compared_at } else { earliest };
        for id in tx.output_ids() {
            self.first_seen.entry(id).or_insert(sight);
        }
    }
}

impl ModelTx {
    /// A transaction that pays nothing.
    pub(super) fn empty() -> ModelTx {
        ModelTx {
            id: Txid::all_zeros(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            pegouts: Vec::new(),
            entered_at: START,
        }
    }

    pub(super) fn is_pegout(&self) -> bool {
        !self.pegouts.is_empty()
    }

    pub(super) fn output_ids(&self) -> impl Iterator<Item = OutputId> + '_ {
        let id = |(vout, at): (u32, usize)| match self.pegouts.get(at) {
            Some(pegout) => (*pegout.kernel.as_bytes(), pegout.position),
            None => (self.id.to_byte_array(), vout),
        };
        (0u32..).zip(0..self.outputs.len()).map(id)
    }

    /// The transaction as the node reports it from the mempool.
    pub(super) fn seen(&self) -> SeenTx {
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
        SeenTx { txid: self.id, outputs, entered_at: Some(self.entered_at), facts: None }
    }
}
