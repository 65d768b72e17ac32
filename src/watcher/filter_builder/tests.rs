//! The Bloom filter changes only the speed: the same random history runs on two databases,
//! with and without it, and both must be equal in the end.

use std::collections::BTreeMap;

use bitcoin::hashes::Hash;
use bitcoin::{Amount as Value, BlockHash, OutPoint, ScriptBuf, TxOut, Txid};
use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::network::Network;
use crate::domain::payment::Payment;
use crate::domain::time::Timestamp;
use crate::node::codec::{Block, PegoutProof, Tx, TxKind};
use crate::node::mempool::{OutputKind, SeenOutput, SeenTx};
use crate::operations::payment_events::EventContext;
use crate::operations::rates::Rates;
use crate::store::{blocks, indexes, merchants, payments};
use crate::watcher::apply::{self, Changes};
use crate::watcher::tests::{header_on, histories};

const NOW: Timestamp = Timestamp::from_ms(1_000);

/// The amount of each payment and of each output, in litoshis.
const LITOSHIS: u64 = 1_000;

/// A step of a history. Numbers choose among what exists or was rolled back.
#[derive(Debug, Clone)]
enum Act {
    /// This process or another one creates a payment.
    Issue(Who),
    /// A payment is created and rolled back: its index is issued again with another script.
    IssueRolledBack,
    /// A transaction in the mempool pays one of the scripts.
    See(Who, usize),
    /// The same, rolled back.
    SeeRolledBack(usize),
    /// A block pays these scripts and spends these outputs, some of them its own.
    Connect(BlockSpec),
    /// The same, and the payment that it pays first is created before in the same write.
    ConnectAfterIssue(BlockSpec),
    /// The same write connects a block, creates a payment and sees a transaction, and then
    /// fails.
    ConnectRolledBack(BlockSpec, How),
    /// The last block is disconnected.
    Disconnect,
    /// The filter is lost. Then a slice of a new one is built, or all of it.
    Lose,
    BuildSlice,
    BuildAll,
}

#[derive(Debug, Clone, Copy)]
enum Who {
    ThisProcess,
    AnotherProcess,
}

/// How a write fails.
#[derive(Debug, Clone, Copy)]
enum How {
    /// It returns an error.
    Refused,
    /// It panics.
    Panics,
    /// The commit fails.
    NotCommitted,
}

/// The scripts that a block pays, and the outputs that it spends.
#[derive(Debug, Clone)]
struct BlockSpec {
    pays: Vec<usize>,
    spends: Vec<usize>,
}

fn act() -> impl Strategy<Value = Act> {
    let who = || prop_oneof![Just(Who::ThisProcess), Just(Who::AnotherProcess)];
    let how = || prop_oneof![Just(How::Refused), Just(How::Panics), Just(How::NotCommitted)];
    let block_spec = || {
        let some = || proptest::collection::vec(0..64usize, 0..5);
        (some(), some()).prop_map(|(pays, spends)| BlockSpec { pays, spends })
    };
    prop_oneof![
        4 => who().prop_map(Act::Issue),
        2 => Just(Act::IssueRolledBack),
        3 => (who(), 0..64usize).prop_map(|(who, n)| Act::See(who, n)),
        1 => (0..64usize).prop_map(Act::SeeRolledBack),
        6 => block_spec().prop_map(Act::Connect),
        2 => block_spec().prop_map(Act::ConnectAfterIssue),
        3 => (block_spec(), how()).prop_map(|(block_spec, how)| Act::ConnectRolledBack(block_spec, how)),
        2 => Just(Act::Disconnect),
        1 => Just(Act::Lose),
        4 => Just(Act::BuildSlice),
        2 => Just(Act::BuildAll),
    ]
}

/// One of the two databases, opened by this process and by another one.
struct Twin {
    dir: tempfile::TempDir,
    store: Store,
    elsewhere: Store,
    filter_builder: FilterBuilder,
    building: Option<Building>,
}

impl Twin {
    fn new() -> Twin {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("litegate.db");
        let store = Store::open(&path).expect("a database");
        let set_up = |tx: &WriteTx| {
            let start = BlockId { height: 0, hash: BlockHash::all_zeros() };
            blocks::insert(tx, start, NOW)?;
            merchants::insert(tx, &Merchant::new_shop(MerchantId::from_random(1)))
        };
        store.write_blocking(set_up).expect("set up");
        let elsewhere = Store::open(&path).expect("the same database");
        Twin { dir, store, elsewhere, filter_builder: FilterBuilder::default(), building: None }
    }

    fn store_of(&self, who: Who) -> &Store {
        match who {
            Who::ThisProcess => &self.store,
            Who::AnotherProcess => &self.elsewhere,
        }
    }

    /// Builds a slice of the filter. Returns whether the filter is complete.
    fn build_slice(&mut self) -> bool {
        if self.filter_builder.bloom_filter.is_some() {
            return true;
        }
        let building = match self.building.take() {
            Some(building) => building,
            None => self.store.read_blocking(|tx| Building::begin(tx, 0)).expect("read"),
        };
        let building = self.building.insert(building);
        let done = self.store.read_blocking(|tx| building.step(tx)).expect("read");
        if done {
            self.filter_builder.bloom_filter = self.building.take().map(Building::end);
        }
        done
    }

    /// All rows of the database by table.
    fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let connection = Connection::open(self.dir.path().join("litegate.db")).expect("open");
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let mut names = connection.prepare(names).expect("a statement");
        let names = names.query_map([], |row| row.get::<_, String>(0)).expect("names");
        let rows_of = |name: &str| {
            let mut all = connection.prepare(&format!("SELECT * FROM {name}")).expect("rows");
            let columns = all.column_count();
            let row_of = |row: &rusqlite::Row| {
                let cells = (0..columns).map(|at| row.get_ref(at).map(|cell| format!("{cell:?}")));
                Ok(cells.collect::<Result<Vec<_>, _>>()?.join(", "))
            };
            let rows = all.query_map([], row_of).expect("rows");
            let mut rows: Vec<String> = rows.map(|row| row.expect("a row")).collect();
            rows.sort();
            rows
        };
        names.map(|name| name.expect("a name")).map(|name| (name.clone(), rows_of(&name))).collect()
    }
}

/// The `n`-th script.
fn script(n: usize) -> ScriptBuf {
    let mut bytes = vec![0, 20];
    bytes.extend([0; 12]);
    bytes.extend((n as u64).to_be_bytes());
    ScriptBuf::from_bytes(bytes)
}

/// Creates a payment with the `n`-th script.
fn issue(tx: &WriteTx, n: usize) -> Result<(), Error> {
    let payment = Payment {
        script: script(n),
        amount: Amount::from_litoshis(LITOSHIS).expect("in range"),
        expires_at: NOW.plus_ms(1),
        late_until: NOW.plus_ms(2),
        // Some need more blocks than others.
        confirmations: 1 + u32::try_from(n % 3).expect("small"),
        confirmations_pegout: 1 + u32::try_from(n % 5 + n % 3).expect("small"),
        ..Payment::smallest(MerchantId::from_random(1), indexes::next_index(tx)?, NOW)
    };
    payments::insert(tx, &payment)
}

const CONTEXT: EventContext<'static> =
    EventContext { network: Network::Regtest, now: NOW, mempool: None };

fn see(tx: &WriteTx, txid: Txid, n: usize) -> Result<(), Error> {
    let amount = Amount::from_litoshis(LITOSHIS).expect("in range");
    let outpoint = OutPoint { txid, vout: 0 };
    let output = SeenOutput { outpoint, amount, script: script(n), kind: OutputKind::Plain };
    let seen = SeenTx { txid, outputs: vec![output], entered_at: None, facts: None };
    let seen_at = apply::SeenAt { now: NOW, compared_at: None };
    apply::record_seen(tx, &[seen], Network::Regtest, &Rates::off(), seen_at).map(drop)
}

/// Both databases with their common history.
struct Course {
    with: Twin,
    without: Twin,
    /// The scripts and transactions ever made, also those rolled back.
    scripts: usize,
    txids: u32,
    outputs: Vec<OutPoint>,
    chain: Vec<BlockId>,
}

impl Course {
    fn new() -> Course {
        let (with, without) = (Twin::new(), Twin::new());
        Course { with, without, scripts: 0, txids: 0, outputs: Vec::new(), chain: Vec::new() }
    }

    fn next_txid(&mut self) -> Txid {
        self.txids += 1;
        let mut id = [0; 32];
        id[..4].copy_from_slice(&self.txids.to_be_bytes());
        let txid = Txid::from_byte_array(id);
        self.outputs.push(OutPoint { txid, vout: 0 });
        txid
    }

    /// A block with one transaction for each script. Each spends an existing output, of the
    /// same block too.
    fn block(&mut self, block_spec: &BlockSpec) -> (Block, BlockId) {
        let mut txs = Vec::new();
        for (at, pays) in block_spec.pays.iter().enumerate() {
            let spent = block_spec.spends.get(at).filter(|_| !self.outputs.is_empty());
            let inputs = spent.map(|n| self.outputs[n % self.outputs.len()]).into_iter().collect();
            let script_pubkey = script(pays % (self.scripts + 1));
            let output = TxOut { value: Value::from_sat(LITOSHIS), script_pubkey };
            let txid = Some(self.next_txid());
            let (kind, outputs) = (TxKind::Plain, vec![output]);
            txs.push(Tx { txid, kind, carries_mweb: false, inputs, outputs });
        }
        self.txids += 1;
        let header = header_on(self.chain.last().map(|tip| tip.hash), 0, self.txids);
        let hash = header.block_hash();
        let height = u32::try_from(self.chain.len() + 1).expect("short");
        let pegouts = PegoutProof::Listed(Vec::new());
        (Block { hash, header, txs, pegouts }, BlockId { height, hash })
    }

    fn both(
        &mut self,
        who: Who,
        job: impl Fn(&WriteTx) -> Result<(), Error> + Clone + Send + 'static,
    ) {
        for twin in [&self.with, &self.without] {
            twin.store_of(who).write_blocking(job.clone()).expect("written");
        }
    }

    fn neither(&mut self, job: impl Fn(&WriteTx) -> Result<(), Error> + Clone + Send + 'static) {
        let job = move |tx: &WriteTx| job(tx).and(Err::<(), Error>(Error::Busy));
        for twin in [&self.with, &self.without] {
            twin.store.write_blocking(job.clone()).expect_err("rolled back");
        }
    }

    fn happen(&mut self, act: &Act) {
        let any = |n: usize, scripts: usize| n % scripts.max(1);
        match act {
            Act::Issue(who) => {
                let n = self.scripts;
                self.scripts += 1;
                self.both(*who, move |tx| issue(tx, n));
            }
            Act::IssueRolledBack => {
                let n = self.scripts;
                self.scripts += 1;
                self.neither(move |tx| issue(tx, n));
            }
            Act::See(who, n) => {
                let (txid, n) = (self.next_txid(), any(*n, self.scripts));
                self.both(*who, move |tx| see(tx, txid, n));
            }
            Act::SeeRolledBack(n) => {
                let (txid, n) = (self.next_txid(), any(*n, self.scripts));
                self.neither(move |tx| see(tx, txid, n));
            }
            Act::Connect(block_spec) => self.connect(block_spec, None),
            Act::ConnectAfterIssue(block_spec) => {
                let mut block_spec = block_spec.clone();
                block_spec.pays.insert(0, self.scripts);
                self.scripts += 1;
                self.connect(&block_spec, Some(self.scripts - 1));
            }
            Act::ConnectRolledBack(block_spec, how) => self.connect_in_vain(block_spec, *how),
            Act::Disconnect => {
                let Some(tip) = self.chain.pop() else { return };
                self.both(Who::ThisProcess, move |tx| {
                    apply::disconnect(tx, tip, &CONTEXT, &Rates::off()).map(drop)
                });
            }
            Act::Lose => {
                self.with.filter_builder = FilterBuilder::default();
                self.with.building = None;
            }
            Act::BuildSlice => {
                let _ = self.with.build_slice();
            }
            Act::BuildAll => while !self.with.build_slice() {},
        }
    }

    /// Connects a block to both, after a payment with the `issued`-th script was created.
    fn connect(&mut self, block_spec: &BlockSpec, issued: Option<usize>) {
        let (block, id) = self.block(block_spec);
        self.chain.push(id);
        let there = self.with.filter_builder.bloom_filter.is_some();
        let (of_with, of_without) = (block.clone(), block);
        let connect = move |tx: &WriteTx, bloom_filter: &mut LentFilter| {
            issued.map_or(Ok(()), |n| issue(tx, n))?;
            let bloom_filter = bloom_filter.complete(tx)?;
            assert_eq!(bloom_filter.is_some(), there, "it is lost by failures only");
            apply::connect(tx, &of_with, id, &CONTEXT, &Rates::off(), bloom_filter.as_ref())
        };
        let with = self.with.filter_builder.write(&self.with.store, connect).expect("connected");
        assert_eq!(self.with.filter_builder.bloom_filter.is_some(), there);
        let connect = move |tx: &WriteTx| {
            issued.map_or(Ok(()), |n| issue(tx, n))?;
            apply::connect(tx, &of_without, id, &CONTEXT, &Rates::off(), None)
        };
        let without = self.without.store.write_blocking(connect).expect("connected");
        assert_eq!(with, without, "of both is told the same");
    }

    /// The write is rolled back, and another payment takes the index.
    fn connect_in_vain(&mut self, block_spec: &BlockSpec, how: How) {
        let (block, id) = self.block(block_spec);
        let (n, txid) = (self.scripts, self.next_txid());
        self.scripts += 1;
        let connect = move |tx: &WriteTx, bloom_filter: &mut LentFilter| {
            issue(tx, n)?;
            see(tx, txid, n)?;
            let bloom_filter = bloom_filter.complete(tx)?;
            apply::connect(tx, &block, id, &CONTEXT, &Rates::off(), bloom_filter.as_ref())?;
            match how {
                How::Refused => return Err(Error::Busy),
                How::Panics => panic!("a bug"),
                How::NotCommitted => tx.spoil_commit()?,
            }
            Ok(Changes::default())
        };
        let (filter_builder, store) = (&mut self.with.filter_builder, &self.with.store);
        let write = std::panic::AssertUnwindSafe(|| filter_builder.write(store, connect));
        assert!(!matches!(std::panic::catch_unwind(write), Ok(Ok(_))), "it fails");
        assert!(self.with.filter_builder.bloom_filter.is_none(), "the write took it along");
    }
}

proptest! {
    #![proptest_config(histories(12))]

    #[test]
    fn the_bloom_filter_changes_no_result(history in proptest::collection::vec(act(), 10..60)) {
        let mut course = Course::new();
        for act in &history {
            course.happen(act);
        }
        // One more block pays all scripts again.
        course.happen(&Act::BuildAll);
        let scripts = (0..course.scripts).collect();
        course.happen(&Act::Connect(BlockSpec { pays: scripts, spends: (0..64).collect() }));
        prop_assert_eq!(course.with.rows(), course.without.rows());
    }
}

/// A write that is not committed must not count as seen, because its index is issued again.
#[test]
fn an_uncommitted_write_discards_the_bloom_filter() {
    for how in [How::Refused, How::Panics, How::NotCommitted] {
        let mut course = Course::new();
        course.happen(&Act::Issue(Who::ThisProcess));
        course.happen(&Act::BuildAll);
        let block_spec = BlockSpec { pays: vec![0], spends: Vec::new() };
        course.happen(&Act::ConnectRolledBack(block_spec.clone(), how));
        course.happen(&Act::Issue(Who::AnotherProcess));
        course.happen(&Act::BuildAll);
        let paid = course.scripts - 1;
        course.happen(&Act::Connect(BlockSpec { pays: vec![paid], spends: Vec::new() }));
        let says = course.with.rows();
        assert_eq!(says["coins"].len(), 1, "{how:?}: the payment is seen");
        assert_eq!(says, course.without.rows());
    }
}

#[test]
fn the_bloom_filter_is_built_in_the_background_and_grows() {
    let mut twin = Twin::new();
    twin.filter_builder.begin(&twin.store);
    twin.filter_builder.begin(&twin.store); // One is enough.
    twin.filter_builder.await_built();
    let small = twin.filter_builder.bloom_filter.as_ref().expect("built").keys();
    assert_eq!(small, 0);
    for n in 0..600 {
        twin.store.write_blocking(move |tx| issue(tx, n)).expect("issued");
    }
    let nothing = |_: &WriteTx, _: &mut LentFilter| Ok::<_, Error>(());
    twin.filter_builder.write(&twin.store, nothing).expect("written");
    assert!(twin.filter_builder.bloom_filter.is_none(), "it was too small");
    twin.filter_builder.begin(&twin.store);
    twin.filter_builder.await_built();
    let large = twin.filter_builder.bloom_filter.as_ref().expect("built");
    assert!(large.keys() > 500 && !large.is_crowded());
}

#[test]
fn a_command_builds_the_bloom_filter_only_for_many_blocks() {
    let twin = Twin::new();
    let mut filter_builder = FilterBuilder::default();
    filter_builder.begin_for(&twin.store, 0).expect("read");
    assert!(filter_builder.building.is_none());
    filter_builder.begin_for(&twin.store, 1).expect("read");
    filter_builder.await_built();
    assert!(filter_builder.bloom_filter.is_some());
}

/// A number that the filter has seen and the database does not have may be issued again.
#[test]
fn a_bloom_filter_of_another_state_is_discarded() {
    let (mut ahead, mut behind) = (Twin::new(), Twin::new());
    for twin in [&ahead, &behind] {
        twin.store.write_blocking(|tx| issue(tx, 0)).expect("issued");
    }
    ahead.store.write_blocking(|tx| issue(tx, 1)).expect("issued");
    while !ahead.build_slice() {}
    let mut lent = LentFilter(ahead.filter_builder.bloom_filter.take());
    let ask = move |tx: &WriteTx| {
        let asked = lent.complete(tx)?.is_some();
        issue(tx, 2)?;
        Ok::<_, Error>((asked, lent.complete(tx)?.is_some()))
    };
    let said = behind.store.write_blocking(ask).expect("written");
    assert_eq!(said, (false, false), "nor does it come back once there is as much");
    ahead.store.write_blocking(|tx| issue(tx, 3)).expect("issued");
    while !ahead.build_slice() {}
    behind.filter_builder.bloom_filter = ahead.filter_builder.bloom_filter.take();
    assert!(behind.filter_builder.take(&behind.store).expect("read").is_none());
}
