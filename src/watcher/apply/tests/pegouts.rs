//! Single peg-outs: identity proven by kernels, and assumed where a node does not report them.

use super::gateway::context;
use super::*;
use crate::domain::network::Network;

/// One history.
struct Scene {
    gateway: Gateway,
    node: ModelNode,
}

impl Scene {
    fn new() -> Scene {
        Scene { gateway: Gateway::new(), node: ModelNode::new() }
    }

    fn payment(&self) -> &Payment {
        &self.gateway.payments[0]
    }

    /// Announces a peg-out at this time.
    fn peg_out(&mut self, ms: i64) -> Txid {
        self.node.now = START.plus_ms(ms);
        let payment = self.payment().clone();
        self.node.peg_out(&payment, AMOUNT, 1);
        self.node.mempool.last().expect("it entered").id
    }

    fn look_at(&mut self, ms: i64) {
        self.node.now = START.plus_ms(ms);
        self.gateway.look(&mut self.node);
    }

    /// Removes a transaction from the mempool.
    fn take(&mut self, txid: Txid) -> ModelTx {
        let at = self.node.mempool.iter().position(|tx| tx.id == txid).expect("it is there");
        self.node.mempool.remove(at)
    }

    fn mine(&mut self, txids: &[Txid]) {
        let txs = txids.iter().map(|txid| self.take(*txid)).collect();
        self.node.mine(txs);
    }

    /// The first-seen times of the counting coins, in milliseconds from the start.
    fn counting(&self) -> Vec<i64> {
        let index = self.payment().index;
        let coins = self.gateway.store.read_blocking(|tx| coins::of_payment(tx, index));
        let counting = coins.expect("read").into_iter().filter(Coin::counts);
        let mut times: Vec<i64> = counting.map(|coin| coin.seen_at.ms_since(START)).collect();
        times.sort_unstable();
        times
    }

    /// Connects the node's tip with this proof of its peg-outs.
    fn connect_as(&mut self, ms: i64, proof: PegoutProof) {
        let (id, now) = (self.node.tip(), START.plus_ms(ms));
        let block = Block { pegouts: proof, ..self.node.chain.last().expect("a tip").read() };
        let write = move |tx: &WriteTx| connect(tx, &block, id, &context(now), &Rates::off(), None);
        self.gateway.store.write_blocking(write).expect("connected");
    }

    /// The kernels of the tip, as reported by a node that strips MWEB from its blocks.
    fn kernels(&self) -> PegoutProof {
        match self.node.chain.last().expect("a tip").read().pegouts {
            PegoutProof::Listed(listed) => {
                PegoutProof::Kernels(listed.iter().map(|pegout| pegout.id.kernel).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    /// The proof of a node that does not report kernels: what is left in its mempool.
    fn absent(&self) -> PegoutProof {
        PegoutProof::Absent { unmined: self.node.mempool.iter().map(|tx| tx.id).collect() }
    }
}

#[test]
fn equal_peg_outs_both_count_in_either_mining_order() {
    // 1. Two equal peg-outs are announced, one after the other.
    // 2. The second is mined first, by nodes that report all, only kernels, or nothing.
    // 3. Both count, each from its own first-seen time, also once both are mined.
    #[track_caller]
    fn check(proof: impl Fn(&Scene) -> PegoutProof) {
        let mut scene = Scene::new();
        scene.look_at(0);
        let first = scene.peg_out(10);
        let second = scene.peg_out(20);
        scene.look_at(20);
        assert_eq!(scene.counting(), [10, 20]);
        scene.mine(&[second]);
        let says = proof(&scene);
        scene.connect_as(30, says);
        assert_eq!(scene.counting(), [10, 20], "connected");
        scene.look_at(40);
        assert_eq!(scene.counting(), [10, 20], "and compared");
        scene.mine(&[first]);
        let says = proof(&scene);
        scene.connect_as(50, says);
        scene.look_at(60);
        assert_eq!(scene.counting(), [10, 20], "both in blocks");
    }
    check(|scene| scene.node.chain.last().expect("a tip").read().pegouts);
    check(Scene::kernels);
    check(Scene::absent);
}

#[test]
fn a_lost_announcement_passes_its_time_to_no_other_peg_out() {
    #[track_caller]
    fn check(proof: impl Fn(&Scene) -> PegoutProof) {
        let mut scene = Scene::new();
        scene.look_at(0);
        let lost = scene.peg_out(10);
        scene.look_at(10);
        scene.take(lost);
        scene.look_at(20);
        assert_eq!(scene.counting(), [0; 0]);
        // One was announced, one was not.
        let other = scene.peg_out(5_000);
        scene.look_at(5_000);
        let third = scene.peg_out(5_500);
        assert_eq!(scene.counting(), [5_000]);
        scene.mine(&[other, third]);
        let says = proof(&scene);
        scene.connect_as(6_000, says);
        assert_eq!(scene.counting(), [5_000, 6_000]);
    }
    check(|scene| scene.node.chain.last().expect("a tip").read().pegouts);
    check(Scene::kernels);
    check(Scene::absent);
}

#[test]
fn a_returning_kernel_keeps_its_first_seen_time() {
    // 1. A peg-out is announced and lost. 2. Its kernel comes in another transaction.
    let mut scene = Scene::new();
    let first = scene.peg_out(10);
    scene.look_at(10);
    let tx = scene.take(first);
    scene.look_at(20);
    let id = scene.node.fresh_id();
    scene.node.enter(ModelTx { id, ..tx });
    scene.look_at(2_000);
    assert_eq!(scene.counting(), [10]);
    // 3. It is mined. 4. The block is disconnected, and the transaction returns with its
    //    first id.
    scene.mine(&[id]);
    scene.look_at(2_100);
    let tx = scene.node.leave(1).remove(0);
    scene.node.mine(Vec::new());
    scene.node.mine(Vec::new());
    scene.node.enter(ModelTx { id: first, ..tx });
    scene.look_at(2_200);
    assert_eq!(scene.counting(), [10]);
}

#[test]
fn a_kernel_that_is_mined_twice_counts_as_two_payments() {
    let mut scene = Scene::new();
    let first = scene.peg_out(10);
    scene.look_at(10);
    let tx = scene.node.mempool[0].clone();
    scene.mine(&[first]);
    scene.look_at(20);
    // The same kernel again: undecided until it is in a block.
    scene.node.enter(tx.clone());
    scene.look_at(30);
    assert_eq!(scene.counting(), [10]);
    scene.node.mempool.clear();
    scene.node.mine(vec![tx]);
    scene.look_at(40);
    assert_eq!(scene.counting(), [10, 40]);
    // Both are disconnected and mined again.
    let lost = scene.node.leave(2);
    scene.node.mine(Vec::new());
    for tx in lost {
        scene.node.mine(vec![tx]);
    }
    scene.look_at(50);
    assert_eq!(scene.counting(), [10, 40]);
}

#[test]
fn an_announcement_without_its_kernel_is_still_matched() {
    // A node that does not report kernel ids, and a database from before they were stored.
    let mut scene = Scene::new();
    scene.look_at(0);
    let announced = scene.peg_out(5);
    let mut seen = scene.node.mempool[0].seen();
    seen.outputs[0].kind = OutputKind::Pegout { id: None };
    let seen_at = SeenAt { now: START.plus_ms(10), compared_at: None };
    let write =
        move |tx: &WriteTx| record_seen(tx, &[seen], Network::Regtest, &Rates::off(), seen_at);
    scene.gateway.store.write_blocking(write).expect("seen");
    scene.mine(&[announced]);
    scene.look_at(2_000);
    assert_eq!(scene.counting(), [5], "when the node took it");
    // Its kernel is known from the block on.
    let lost = scene.node.leave(1);
    scene.node.mine(Vec::new());
    scene.node.mine(lost);
    scene.look_at(3_000);
    assert_eq!(scene.counting(), [5]);
}

#[test]
#[ignore = "long"]
fn ten_thousand_peg_outs_in_one_transaction_all_count() {
    // `cargo test --release --lib ten_thousand -- --include-ignored --nocapture` prints
    // the time.
    const MANY: usize = 10_000;
    let mut scene = Scene::new();
    scene.look_at(0);
    let payment = scene.payment().clone();
    scene.node.peg_out(&payment, AMOUNT, MANY);
    let mut timed = |what: &str, ms: i64| {
        let began = std::time::Instant::now();
        scene.look_at(ms);
        println!("{MANY} peg-outs {what}: {:?}", began.elapsed());
        assert_eq!(scene.counting(), [0; MANY], "{what}");
        scene.node.happen(if ms == 20 { &Act::ReorgMined(1) } else { &Act::Mine(9) }, &[]);
    };
    timed("in the mempool", 10);
    timed("in a block", 20);
    timed("in another block", 30);
}
