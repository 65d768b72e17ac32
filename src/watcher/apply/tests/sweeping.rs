//! Sweeps in random histories, and foreign spends. Sweeps are planned and stored by the real
//! code, unsigned, and sent to the model node, which accepts what its chain allows.

use std::collections::BTreeSet;

use bitcoin::absolute::LockTime;
use bitcoin::{Sequence, Transaction, TxIn};

use super::model::ModelBlock;
use super::*;
use crate::domain::audit::{Audit, Difference, Unspent};
use crate::domain::ledger::Ledger;
use crate::domain::sweep::{OperatorFee, Payee, Rules, SweepPlan, plan, plan_again};
use crate::store::ledger_report;
use crate::store::sweeps::{SignedPlan, StoredSweepTx, Unconfirmed};

/// Fees, in litoshis for 1,000 vbytes: of a first version, and how much each further one adds.
const RATE: u64 = 10_000;
const BUMPED_BY: u64 = 5_000;

/// For how many blocks a foreign spend has to last, as in the sweeper.
const ABANDON_DEPTH: u32 = 2;

/// How often each fate of a sweep occurred in a history.
#[derive(Debug, Default)]
pub(super) struct Fates {
    made: usize,
    bumped: usize,
    given_up: usize,
    mined: usize,
    taken_back: usize,
    /// Versions that were in the chain at the last check.
    in_chain: BTreeSet<Txid>,
}

impl Fates {
    /// Updates the versions that the chain holds.
    pub(super) fn note(&mut self, in_chain: BTreeSet<Txid>) {
        self.mined += in_chain.difference(&self.in_chain).count();
        self.taken_back += self.in_chain.difference(&in_chain).count();
        self.in_chain = in_chain;
    }
}

fn rules() -> Rules {
    let script = payout_script(9);
    let operator = Some(OperatorFee { basis_points: 150, script });
    Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator }
}

/// The unsigned transaction of a plan, with the id, inputs and outputs of a real one.
fn signed(plan: SweepPlan) -> SignedPlan {
    let input = |at: OutPoint| TxIn {
        previous_output: at,
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    };
    let output = |(script, amount): (&ScriptBuf, Amount)| TxOut {
        value: bitcoin::Amount::from_sat(amount.litoshis()),
        script_pubkey: script.clone(),
    };
    let tx = Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: plan.coins.iter().map(|coin| input(coin.outpoint)).collect(),
        output: plan.outputs().map(output).collect(),
    };
    let raw = bitcoin::consensus::encode::serialize(&tx);
    SignedPlan { txid: tx.compute_txid(), raw, vsize: plan.weight.div_ceil(4), plan }
}

/// A stored version as the node has it.
fn model_of(version: &StoredSweepTx) -> ModelTx {
    let tx: Transaction =
        bitcoin::consensus::encode::deserialize(version.raw()).expect("as it was stored");
    let inputs = tx.input.iter().map(|input| input.previous_output).collect();
    ModelTx { id: version.txid(), inputs, outputs: tx.output, ..ModelTx::empty() }
}

impl Gateway {
    fn unconfirmed(&self) -> Vec<Unconfirmed> {
        self.store.read_blocking(sweeps::unconfirmed).expect("read")
    }

    pub(super) fn sweep(&self, node: &mut ModelNode, fates: &mut Fates) {
        let now = node.now;
        let due = self.store.read_blocking(|tx| match blocks::tip(tx)? {
            Some(tip) => sweeps::sweepable(tx, tip.height),
            None => Ok(Vec::new()),
        });
        let payees: Vec<Payee> = [0, 1]
            .map(|n| Payee {
                merchant: self.payments[n].merchant,
                script: payout_script(u32::try_from(n).expect("small")),
            })
            .to_vec();
        for plan in plan(&due.expect("read"), &payees, RATE, &rules()).plans {
            let signed = signed(plan);
            let store = move |tx: &WriteTx| sweeps::store_signed(tx, &signed, now);
            let stored = self.store.write_blocking(store).expect("stored");
            fates.made += 1;
            node.take(model_of(&stored));
        }
    }

    pub(super) fn bump_fee(
        &self,
        node: &mut ModelNode,
        which: usize,
        taken: bool,
        fates: &mut Fates,
    ) {
        let in_flight = self.unconfirmed();
        let Some(sweep) = in_flight.get(which % in_flight.len().max(1)) else { return };
        let (newest, now) = (sweep.versions[0].clone(), node.now);
        let (coins, payouts) = self
            .store
            .read_blocking(|tx| {
                Ok::<_, Error>((
                    sweeps::coins_of(tx, sweep.id, 0)?,
                    sweeps::payouts_of(tx, &newest)?,
                ))
            })
            .expect("read");
        let (rules, operator) = (rules(), payout_script(9));
        let operator = model_of(&newest)
            .outputs
            .last()
            .map(|out| out.script_pubkey.clone())
            .filter(|script| *script == operator);
        let plan_at = |fee| plan_again(&coins, &payouts, operator.as_ref(), fee, &rules);
        let version = u64::try_from(sweep.versions.len()).expect("few");
        let weightless = plan_at(Amount::from_litoshis(1_000).expect("small"));
        let Ok(plan) = weightless.and_then(|plan| plan_at(plan.fee_at(RATE + version * BUMPED_BY)))
        else {
            return;
        };
        let (signed, id) = (signed(plan), sweep.id);
        let store = move |tx: &WriteTx| sweeps::store_fee_bump(tx, id, &newest, &signed, now);
        let stored = self.store.write_blocking(store).expect("stored");
        fates.bumped += 1;
        if taken {
            let before: BTreeSet<Txid> = sweep.versions.iter().map(|v| v.txid()).collect();
            node.mempool.retain(|tx| !before.contains(&tx.id));
            node.take(model_of(&stored));
        }
    }

    pub(super) fn look_after(&self, node: &mut ModelNode, fates: &mut Fates) {
        let now = node.now;
        let given_up = self.store.write_blocking(move |tx| {
            let Some(tip) = blocks::tip(tx)? else { return Ok::<_, Error>(0) };
            let vanished = sweeps::abandoned::with_vanished_coin(tx)?;
            let spent = sweeps::abandoned::abandon_impossible(tx, tip.height, ABANDON_DEPTH, now)?;
            Ok(spent.len() + sweeps::abandoned::abandon_vanished(tx, &vanished, now)?.len())
        });
        fates.given_up += given_up.expect("written");
        for sweep in self.unconfirmed() {
            for version in &sweep.versions {
                node.take(model_of(version));
            }
        }
    }
}

impl ModelNode {
    /// Splits the transactions, in order, into those whose inputs are unspent and the others.
    pub(super) fn allowed(&self, txs: Vec<ModelTx>) -> (Vec<ModelTx>, Vec<ModelTx>) {
        let mined = self.chain.iter().flat_map(|block| &block.txs);
        let mut spent: BTreeSet<OutPoint> = mined.flat_map(|tx| tx.inputs.clone()).collect();
        let outputs = self.chain.iter().flat_map(ModelBlock::outputs);
        let mut there: BTreeSet<OutPoint> = outputs.map(|(at, ..)| at).collect();
        let (mut allowed, mut refused) = (Vec::new(), Vec::new());
        for tx in txs {
            if tx.inputs.iter().any(|at| spent.contains(at) || !there.contains(at)) {
                refused.push(tx);
                continue;
            }
            spent.extend(&tx.inputs);
            if !tx.is_pegout() {
                let vouts = (0..).zip(&tx.outputs).map(|(vout, _)| vout);
                there.extend(vouts.map(|vout| OutPoint { txid: tx.id, vout }));
            }
            allowed.push(tx);
        }
        (allowed, refused)
    }

    /// Evicts transactions that the chain no longer allows.
    pub(super) fn tidy(&mut self) {
        let all = std::mem::take(&mut self.mempool);
        let (allowed, refused) = self.allowed(all);
        self.mempool = allowed;
        self.left.extend(refused);
    }

    /// Sends a transaction. The node accepts it unless it conflicts with another.
    fn take(&mut self, tx: ModelTx) {
        self.left.retain(|left| left.id != tx.id);
        self.enter(tx);
        self.tidy();
    }

    /// A foreign transaction spends one of the gateway's unspent coins.
    pub(super) fn steal(&mut self, which: usize, payments: &[Payment]) {
        let coins = self.unspent(payments);
        let Some((at, ..)) = coins.get(which % coins.len().max(1)) else { return };
        let (at, id) = (*at, self.fresh_id());
        self.left.extend(self.mempool.extract_if(.., |tx| tx.inputs.contains(&at)));
        self.enter(ModelTx { id, inputs: vec![at], ..ModelTx::empty() });
    }

    /// The chain's unspent outputs that pay the gateway, with their heights.
    fn unspent(&self, payments: &[Payment]) -> Vec<(OutPoint, &TxOut, u32)> {
        let mined = self.chain.iter().flat_map(|block| &block.txs);
        let spent: BTreeSet<OutPoint> = mined.flat_map(|tx| tx.inputs.clone()).collect();
        let ours = |script| payments.iter().any(|payment| payment.script == script);
        let all = (0..).zip(&self.chain).flat_map(|(height, block)| {
            let outputs = block.outputs().into_iter();
            outputs.map(move |(at, _, output)| (at, output, height))
        });
        all.filter(|(at, out, _)| ours(out.script_pubkey.clone()) && !spent.contains(at)).collect()
    }
}

/// Runs the audit on the stored coins and sweeps with the model's unspent outputs. Returns the
/// mined versions.
pub(super) fn check(gateway: &Gateway, node: &ModelNode) -> BTreeSet<Txid> {
    let mut places: BTreeMap<Txid, BlockId> = BTreeMap::new();
    let mut spenders: BTreeMap<OutPoint, Txid> = BTreeMap::new();
    for (height, block) in (0..).zip(&node.chain) {
        for tx in &block.txs {
            places.insert(tx.id, BlockId { height, hash: block.hash });
            spenders.extend(tx.inputs.iter().map(|at| (*at, tx.id)));
        }
    }
    let unspent: Vec<Unspent> = node
        .unspent(&gateway.payments)
        .into_iter()
        .map(|(outpoint, output, height)| Unspent {
            outpoint,
            script: output.script_pubkey.clone(),
            amount: Amount::from_litoshis(output.value.to_sat()).expect("in range"),
            height,
        })
        .collect();
    let mut mined = BTreeSet::new();
    let report = gateway.store.read_blocking(|tx| {
        let (coins, versions) = (ledger_report::coins(tx)?, ledger_report::sweeps(tx)?);
        for ledger in coins.iter().filter(|ledger| matches!(ledger.coin.place, Place::Block(_))) {
            let at = ledger.coin.outpoint;
            assert_eq!(ledger.spent_by, spenders.get(&at).copied(), "what spent {at}");
        }
        for version in &versions {
            assert_eq!(version.block, places.get(&version.txid).copied(), "where it was mined");
            mined.extend(version.block.map(|_| version.txid));
        }
        let tip = blocks::tip(tx)?;
        let mut audit = Audit::new(&gateway.xpub, tip, coins, versions);
        ledger_report::payments(tx, |payment| audit.payment(payment.expect("it can be read")))?;
        let mut report = audit.finish(&unspent);
        let height = tip.map_or(0, |tip| tip.height);
        let ledgers = merchant_rows::all(tx)?.into_iter().map(|merchant| {
            let mut ledger = Ledger::default();
            let facts = accounts::facts_anew(tx, merchant.id, height)?;
            facts.ledger.iter().for_each(|fact| ledger.book(*fact));
            Ok::<_, Error>((merchant.id, ledger))
        });
        report.compare_accounts(&ledgers.collect::<Result<Vec<_>, _>>()?);
        Ok::<_, Error>(report)
    });
    let mut found = report.expect("read").differences;
    // Losses that the chain caused.
    found.retain(|difference| {
        !matches!(
            difference,
            Difference::SpentElsewhere { .. } | Difference::CompletedWithoutCoins { .. }
        )
    });
    assert_eq!(found, [], "the audit");
    mined
}

/// Two payments of two merchants that are paid, complete and swept.
pub(super) fn paid_and_swept() -> Vec<Act> {
    let paid = [Act::Pay(0, AMOUNT), Act::Pay(1, 2 * AMOUNT)];
    let swept = [Act::Mine(9), Act::Mine(9), Act::Mine(9), Act::Look, Act::Sweep];
    [&paid[..], &swept].concat()
}

/// Returns what happens to their sweep in this history.
#[track_caller]
fn check_fates(then: &[Act], expected: [usize; 5]) {
    let mut history = paid_and_swept();
    history.extend_from_slice(then);
    history.push(Act::Look);
    let Fates { made, bumped, given_up, mined, taken_back, .. } = play(&history);
    assert_eq!([made, bumped, given_up, mined, taken_back], expected, "{then:?}");
}

#[test]
fn merchant_sums_stay_correct_for_every_sweep_outcome() {
    use Act::{FeeBump, Look, LookAfter, Mine, Reorg, ReorgMined, Steal, Sweep};
    let mine = || Mine(9);
    check_fates(&[Look], [1, 0, 0, 0, 0]);
    check_fates(&[mine(), Look, Reorg(1), Look, mine(), Look], [1, 0, 0, 2, 1]);
    check_fates(&[mine(), Look, ReorgMined(1), Look, Reorg(3), Look], [1, 0, 0, 1, 1]);
    // The node accepts the fee bump, or the first version is mined all the same.
    check_fates(&[FeeBump(0, true), FeeBump(0, true), mine(), Look, Reorg(1)], [1, 2, 0, 1, 1]);
    check_fates(&[FeeBump(0, false), mine(), Look, Reorg(1), Look, mine()], [1, 1, 0, 2, 1]);
    // A foreign transaction spends a coin: the rest goes into another sweep.
    let stolen = [Steal(0), mine(), Look, mine(), Look, LookAfter, Sweep, mine(), Look];
    check_fates(&stolen, [2, 0, 1, 1, 0]);
    // The foreign spend is disconnected, and the abandoned sweep is mined after all.
    let flipped = [Steal(0), mine(), mine(), Look, LookAfter, Look, Reorg(2), Act::Drop(0)];
    let and_back = [LookAfter, Act::Return(0), mine(), Look, Reorg(1), Look];
    check_fates(&[&flipped[..], &and_back].concat(), [1, 0, 1, 1, 1]);
    // Or it is planned again before: the same coins give the same transaction.
    let again = [LookAfter, Sweep, mine(), Look, Reorg(1), Look];
    check_fates(&[&flipped[..], &again].concat(), [2, 0, 1, 1, 1]);
}
