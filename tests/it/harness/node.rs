//! A real litecoind on regtest. Killed and removed when dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::files;
use super::json::litoshis;
use super::ports;
use super::rpc::{Rpc, RpcError};
use super::wait::wait_until;
use super::zmq::Announcer;

/// Deadline for the node's start.
const UP: Duration = Duration::from_secs(60);

/// Blocks of the prepared chain. The wallet owns the first coinbases only, so that its coins
/// stay spendable after a reorganisation of the last blocks.
const PREPARED_BLOCKS: u32 = 110;
const WALLET_BLOCKS: u32 = 8;

/// Height of the last block before MWEB on regtest.
const BEFORE_MWEB: u32 = 431;

/// A litecoind, running or stopped, with a funded wallet.
pub(crate) struct Node {
    // Declared before the directory, because fields are dropped in order: the process must end
    // before its directory is removed.
    running: Mutex<Option<Running>>,
    folder: TempDir,
    rpc: Rpc,
    zmq_port: u16,
    how: How,
}

/// How the daemon is configured.
enum How {
    /// Test defaults and these arguments.
    Arguments(Vec<String>),
    /// Only this configuration file.
    Conf(PathBuf),
}

struct Running {
    process: Child,
    /// Publishes for a node built without ZMQ.
    announcer: Option<Announcer>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.announcer.take();
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Node {
    /// A separate node. `None` only if the user asked to skip tests that need a node.
    pub(crate) fn start() -> Option<Node> {
        Node::start_with(&[])
    }

    /// A separate node with further arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Option<Node> {
        let node = Node::stopped_with(arguments)?;
        node.up();
        Some(node)
    }

    /// A node with directory and ports that does not run yet.
    pub(crate) fn stopped() -> Option<Node> {
        Node::stopped_with(&[])
    }

    /// A separate node configured only by this file, which names these ports.
    pub(crate) fn start_from(conf: &Path, rpc_port: u16, zmq_port: u16) -> Option<Node> {
        let node = Node::prepared(How::Conf(conf.to_owned()), rpc_port, zmq_port)?;
        node.up();
        Some(node)
    }

    /// As [`Node::stopped`], with further arguments.
    pub(crate) fn stopped_with(arguments: &[&str]) -> Option<Node> {
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        Node::prepared(How::Arguments(arguments), ports::free(), ports::free())
    }

    fn prepared(how: How, rpc_port: u16, zmq_port: u16) -> Option<Node> {
        let prepared = prepared_folder()?;
        let folder = files::folder();
        copy_folder(&prepared, folder.path());
        let rpc =
            Rpc { port: rpc_port, cookie_file: folder.path().join("regtest").join(".cookie") };
        Some(Node { folder, rpc, zmq_port, how, running: Mutex::new(None) })
    }

    /// The node shared by all tests that neither stop nor reorganise it, nor depend on the
    /// number of blocks. It ends with the last of them.
    pub(crate) fn shared() -> Option<Arc<Node>> {
        static SHARED: Mutex<Weak<Node>> = Mutex::new(Weak::new());
        // A test that failed to start the node has reported it; try again.
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(node) = shared.upgrade() {
            return Some(node);
        }
        let node = Arc::new(Node::start()?);
        *shared = Arc::downgrade(&node);
        Some(node)
    }

    /// Starts it and mines a block: a node with a day-old tip would be in initial download.
    pub(crate) fn up(&self) {
        self.up_with(&[]);
        self.mine(1);
    }

    /// Starts it with further arguments, without mining.
    pub(crate) fn up_with(&self, more: &[&str]) {
        let process = match &self.how {
            How::Arguments(arguments) => {
                let more = more.iter().map(|argument| (*argument).to_owned());
                let arguments: Vec<String> = arguments.iter().cloned().chain(more).collect();
                spawn(self.folder.path(), &self.rpc, self.zmq_port, &arguments)
            }
            How::Conf(conf) => spawn_from(self.folder.path(), conf),
        };
        let mut running = Running { process, announcer: None };
        await_rpc(&self.rpc, &mut running.process, self.folder.path());
        if !has_zmq(&self.rpc) {
            running.announcer = Some(Announcer::start(self.rpc.clone(), self.zmq_port));
        }
        *self.running.lock().unwrap() = Some(running);
    }

    /// Stops it cleanly.
    pub(crate) fn stop(&self) {
        let mut running = self.running.lock().unwrap().take().expect("the node runs");
        running.announcer.take();
        self.rpc.call::<Value>("stop", json!([]));
        wait_until("the node's end", UP, || running.process.try_wait().unwrap());
    }

    /// Restarts it with the same ports and directory.
    pub(crate) fn restart(&self) {
        self.stop();
        self.up();
    }

    pub(crate) fn rpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.rpc.port)
    }

    pub(crate) fn cookie_file(&self) -> &Path {
        &self.rpc.cookie_file
    }

    /// The publisher of `rawtx` and `hashblock`.
    pub(crate) fn zmq_url(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.zmq_port)
    }

    /// Any RPC.
    #[track_caller]
    pub(crate) fn call<T: serde::de::DeserializeOwned>(&self, method: &str, params: Value) -> T {
        self.rpc.call(method, params)
    }

    /// Any RPC that may be refused.
    pub(crate) fn try_call<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, RpcError> {
        self.rpc.try_call(method, params)
    }

    /// A new address of the node's wallet.
    pub(crate) fn fresh_address(&self) -> String {
        self.call("getnewaddress", json!([]))
    }

    /// Mines blocks with unspendable coinbases.
    pub(crate) fn mine(&self, blocks: u32) {
        let mined: Vec<String> = self.call("generatetodescriptor", json!([blocks, nobody()]));
        assert_eq!(mined.len(), blocks as usize, "blocks mined");
    }

    /// Mines blocks whose coinbases pay this address.
    pub(crate) fn mine_to(&self, address: &str, blocks: u32) {
        let mined: Vec<String> = self.call("generatetoaddress", json!([blocks, address]));
        assert_eq!(mined.len(), blocks as usize, "blocks mined");
    }

    /// Mines a block without transactions. Before MWEB only.
    pub(crate) fn mine_empty(&self) {
        self.mine_exactly(&[]);
    }

    /// Mines a block of exactly these raw transactions. Before MWEB only.
    pub(crate) fn mine_exactly(&self, transactions: &[&str]) {
        self.call::<Value>("generateblock", json!([nobody(), transactions]));
    }

    /// Mines a block without this transaction of the mempool.
    pub(crate) fn mine_without(&self, txid: &str) {
        const FEE: i64 = 100_000_000;
        self.call::<Value>("prioritisetransaction", json!([txid, null, -FEE]));
        self.mine(1);
        self.call::<Value>("prioritisetransaction", json!([txid, null, FEE]));
    }

    /// Replaces the top blocks by one more. Their transactions return to the mempool and are
    /// mined again.
    pub(crate) fn reorg(&self, depth: u32) {
        self.disconnect(depth);
        self.mine(depth + 1);
    }

    /// As [`Node::reorg`], with empty blocks: the transactions stay in the mempool.
    pub(crate) fn reorg_to_empty(&self, depth: u32) {
        self.disconnect(depth);
        for _ in 0..=depth {
            self.mine_empty();
        }
    }

    /// Rebroadcasts unmined transactions of the wallet, as wallets do: after a disconnect the
    /// node keeps neither the end of long chains nor transactions locked to a later height.
    /// Answers whether there was any.
    pub(crate) fn send_unmined_again(&self) -> bool {
        #[derive(Deserialize)]
        struct Sent {
            txid: String,
            confirmations: i64,
        }
        let sent: Vec<Sent> = self.call("listtransactions", json!(["*", 100_000]));
        let mut unmined = sent.iter().filter(|sent| sent.confirmations == 0).peekable();
        let any = unmined.peek().is_some();
        unmined.for_each(|sent| self.send_again(&sent.txid));
        any
    }

    /// Rebroadcasts a transaction of the wallet, if the node accepts it.
    pub(crate) fn send_again(&self, txid: &str) {
        let raw = self.raw_of_wallet(txid);
        let _: Result<Value, _> = self.try_call("sendrawtransaction", json!([raw]));
    }

    /// A transaction of the wallet, in hexadecimal.
    pub(crate) fn raw_of_wallet(&self, txid: &str) -> String {
        #[derive(Deserialize)]
        struct Tx {
            hex: String,
        }
        let tx: Tx = self.call("gettransaction", json!([txid]));
        tx.hex
    }

    /// Invalidates the top blocks for good.
    pub(crate) fn disconnect(&self, depth: u32) {
        let lowest: String = self.call("getblockhash", json!([self.height() + 1 - depth]));
        self.call::<Value>("invalidateblock", json!([lowest]));
    }

    /// Pays from the node's wallet; amount in LTC as text. Answers the txid.
    pub(crate) fn send(&self, address: &str, amount: &str) -> String {
        self.call("sendtoaddress", json!([address, amount]))
    }

    /// Pays the same amount to all these addresses, in as few transactions as the node relays.
    pub(crate) fn send_to_all(&self, addresses: &[&str], amount: &str) {
        for some in addresses.chunks(500) {
            let amounts: serde_json::Map<String, Value> =
                some.iter().map(|address| ((*address).to_owned(), json!(amount))).collect();
            let _: String = self.call("sendmany", json!(["", amounts]));
        }
    }

    pub(crate) fn height(&self) -> u32 {
        self.call("getblockcount", json!([]))
    }

    /// Confirmed balance of an address, in litoshis, by the node's UTXO set.
    pub(crate) fn balance_of(&self, address: &str) -> u64 {
        #[derive(Deserialize)]
        struct Scan {
            total_amount: Box<RawValue>,
        }
        // One scan at a time: another test may run one on a shared node.
        let scan: Scan = wait_until("a scan of the UTXO set", UP, || {
            let what = json!(["start", [format!("addr({address})")]]);
            self.try_call("scantxoutset", what).ok()
        });
        litoshis(scan.total_amount.get())
    }

    /// Unconfirmed transactions.
    pub(crate) fn mempool(&self) -> Vec<String> {
        self.call("getrawmempool", json!([]))
    }

    /// Outputs of a mempool transaction, as address and litoshis.
    pub(crate) fn outputs_of(&self, txid: &str) -> Vec<(String, u64)> {
        #[derive(Deserialize)]
        struct Tx {
            vout: Vec<Out>,
        }
        #[derive(Deserialize)]
        struct Out {
            value: Box<RawValue>,
            #[serde(rename = "scriptPubKey")]
            script: Script,
        }
        #[derive(Deserialize)]
        struct Script {
            #[serde(default)]
            addresses: Vec<String>,
        }
        let tx: Tx = self.call("getrawtransaction", json!([txid, true]));
        let pay = |out: Out| (out.script.addresses.join(","), litoshis(out.value.get()));
        tx.vout.into_iter().map(pay).collect()
    }

    /// Fee of a mempool transaction, in litoshis.
    pub(crate) fn fee_of(&self, txid: &str) -> u64 {
        #[derive(Deserialize)]
        struct Entry {
            fees: Fees,
        }
        #[derive(Deserialize)]
        struct Fees {
            base: Box<RawValue>,
        }
        let entry: Entry = self.call("getmempoolentry", json!([txid]));
        litoshis(entry.fees.base.get())
    }

    /// A mempool transaction, in hexadecimal.
    pub(crate) fn raw_transaction(&self, txid: &str) -> String {
        self.call("getrawtransaction", json!([txid]))
    }

    /// A double spend of a mempool transaction: spends the same coins to the node's wallet
    /// with a high fee. In hexadecimal.
    pub(crate) fn double_spend_of(&self, txid: &str) -> String {
        #[derive(Deserialize)]
        struct Tx {
            vin: Vec<In>,
        }
        #[derive(Deserialize)]
        struct In {
            txid: String,
            vout: u32,
        }
        let tx: Tx = self.call("getrawtransaction", json!([txid, true]));
        let spent: u64 = self.outputs_of(txid).iter().map(|(_, amount)| amount).sum();
        let inputs: Vec<Value> =
            tx.vin.iter().map(|i| json!({"txid": i.txid, "vout": i.vout})).collect();
        // Far above the first fee, so that a replacing node accepts it.
        let amount = decimal(spent - 1_000_000);
        let output = json!({ self.fresh_address(): amount });
        let raw: String = self.call("createrawtransaction", json!([inputs, [output]]));
        #[derive(Deserialize)]
        struct Signed {
            hex: String,
            complete: bool,
        }
        let signed: Signed = self.call("signrawtransactionwithwallet", json!([raw]));
        assert!(signed.complete, "the wallet signs for its own coins");
        signed.hex
    }

    /// Mines past the activation of MWEB. The first MWEB block needs a peg-in.
    pub(crate) fn activate_mweb(&self) {
        let height = self.height();
        if height > BEFORE_MWEB {
            return;
        }
        self.mine(BEFORE_MWEB - height);
        let address: String = self.call("getnewaddress", json!(["", "mweb"]));
        self.send(&address, "10");
        self.mine(1);
    }

    /// Pays from the wallet's MWEB balance. Answers the txid in the mempool.
    #[track_caller]
    pub(crate) fn send_from_mweb(&self, address: &str, amount: &str) -> String {
        self.try_send_from_mweb(address, amount).unwrap()
    }

    /// As [`Node::send_from_mweb`], if the balance may wait for a block.
    pub(crate) fn try_send_from_mweb(
        &self,
        address: &str,
        amount: &str,
    ) -> Result<String, RpcError> {
        #[derive(Deserialize)]
        struct Coin {
            txid: Option<String>,
            vout: Option<u32>,
        }
        // With all other coins locked, the wallet must use MWEB.
        let coins: Vec<Coin> = self.call("listunspent", json!([0]));
        let plain: Vec<Value> = coins
            .iter()
            .filter_map(|coin| Some(json!({"txid": coin.txid.as_ref()?, "vout": coin.vout?})))
            .collect();
        self.call::<bool>("lockunspent", json!([false, plain]));
        let txid = self.try_call("sendtoaddress", json!([address, amount]));
        self.call::<bool>("lockunspent", json!([true, plain]));
        txid
    }

    /// p2wpkh addresses of `xpub/0/first` to `xpub/0/last`, derived by the node.
    pub(crate) fn derive_addresses(&self, xpub: &str, first: u32, last: u32) -> Vec<String> {
        self.derive(&format!("wpkh({}/0/*)", core_spelling(xpub)), first, last)
    }

    /// Addresses of a descriptor that ends in `/*`.
    pub(crate) fn derive(&self, descriptor: &str, first: u32, last: u32) -> Vec<String> {
        #[derive(Deserialize)]
        struct Descriptor {
            descriptor: String,
        }
        let whole: Descriptor = self.call("getdescriptorinfo", json!([descriptor]));
        self.call("deriveaddresses", json!([whole.descriptor, [first, last]]))
    }
}

/// Decimal text in LTC, as the node's RPC takes it.
pub(crate) fn decimal(litoshis: u64) -> String {
    format!("{}.{:08}", litoshis / 100_000_000, litoshis % 100_000_000)
}

/// The extended key in the node's spelling off mainnet (`tpub`).
pub(crate) fn core_spelling(xpub: &str) -> String {
    let mut bytes = bitcoin::base58::decode_check(xpub).unwrap();
    bytes[..4].copy_from_slice(&[0x04, 0x35, 0x87, 0xCF]);
    bitcoin::base58::encode_check(&bytes)
}

/// The daemon: `LITECOIND`, else the one on the path, behind Debian's wrapper.
pub(crate) fn daemon() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LITECOIND").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "LITECOIND={}: there is no such file", named.display());
        return Some(named);
    }
    let wrapped = PathBuf::from("/usr/lib/litecoin/litecoind");
    let found = files::on_path("litecoind");
    let is_script = |path: &PathBuf| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"#!"));
    match found {
        Some(path) if is_script(&path) => Some(wrapped).filter(|path| path.is_file()),
        Some(path) => Some(path),
        None => Some(wrapped).filter(|path| path.is_file()),
    }
}

/// A unique unspendable script. All wallets are copies of one: two nodes that mined to the
/// next address within the same second would mine the same block.
fn nobody() -> String {
    static BLOCKS: AtomicU64 = AtomicU64::new(0);
    let number = BLOCKS.fetch_add(1, Ordering::Relaxed);
    format!("raw(6a08{number:016x})") // OP_RETURN and eight bytes.
}

/// A directory with a funded wallet, prepared once per daemon and copied for each test.
fn prepared_folder() -> Option<PathBuf> {
    static PREPARED: OnceLock<Option<PathBuf>> = OnceLock::new();
    PREPARED
        .get_or_init(|| {
            let Some(daemon) = daemon() else {
                let skip = std::env::var_os("LITEGATE_TEST_WITHOUT_NODE");
                assert!(
                    skip.is_some_and(|value| value == "1"),
                    "no litecoind: `apt-get install litecoind`, or set LITECOIND=/path/to/litecoind"
                );
                return None;
            };
            Some(prepare(&daemon))
        })
        .clone()
}

fn prepare(daemon: &Path) -> PathBuf {
    let file = fs::metadata(daemon).unwrap();
    let modified = file.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    let chain = format!("regtest-{WALLET_BLOCKS}-{PREPARED_BLOCKS}");
    let name = format!("{chain}-{}-{}", file.len(), modified.as_secs());
    let finished = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if finished.is_dir() {
        return finished;
    }
    let folder = files::folder();
    let rpc =
        Rpc { port: ports::free(), cookie_file: folder.path().join("regtest").join(".cookie") };
    let mut process = spawn(folder.path(), &rpc, ports::free(), &[]);
    await_rpc(&rpc, &mut process, folder.path());
    rpc.call::<Value>("createwallet", json!(["money"]));
    let address: String = rpc.call("getnewaddress", json!([]));
    rpc.call::<Value>("generatetoaddress", json!([WALLET_BLOCKS, address]));
    let rest = PREPARED_BLOCKS - WALLET_BLOCKS;
    rpc.call::<Value>("generatetodescriptor", json!([rest, nobody()]));
    rpc.call::<Value>("stop", json!([]));
    wait_until("the prepared node's end", UP, || process.try_wait().unwrap());
    // Another test run may prepare the same; the first rename wins.
    let unfinished = finished.with_extension(std::process::id().to_string());
    copy_folder(folder.path(), &unfinished);
    if fs::rename(&unfinished, &finished).is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    finished
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn spawn(folder: &Path, rpc: &Rpc, zmq_port: u16, arguments: &[String]) -> Child {
    let daemon = daemon().expect("a folder was prepared with it");
    let wallets = folder.join("regtest").join("wallets").join("money");
    let wallet = if wallets.is_dir() { vec!["-wallet=money"] } else { vec![] };
    Command::new(daemon)
        .arg(format!("-datadir={}", folder.display()))
        .args(["-regtest", "-server", "-listen=0", "-connect=0", "-dnsseed=0", "-upnp=0"])
        .args(["-fallbackfee=0.0002", "-keypool=20", "-dbcache=4", "-rpcthreads=8"])
        .args(["-debug=0", "-shrinkdebugfile=0", "-rpcworkqueue=64"])
        .arg(format!("-rpcport={}", rpc.port))
        .arg(format!("-zmqpubrawtx=tcp://127.0.0.1:{zmq_port}"))
        .arg(format!("-zmqpubhashblock=tcp://127.0.0.1:{zmq_port}"))
        .args(wallet)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The daemon with this configuration and the funded wallet.
fn spawn_from(folder: &Path, conf: &Path) -> Child {
    Command::new(daemon().expect("a folder was prepared with it"))
        .arg(format!("-conf={}", conf.display()))
        .arg(format!("-datadir={}", folder.display()))
        .arg("-wallet=money")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn await_rpc(rpc: &Rpc, process: &mut Child, folder: &Path) {
    wait_until("the node's RPC", UP, || {
        if let Some(status) = process.try_wait().unwrap() {
            let log = fs::read_to_string(folder.join("regtest").join("debug.log"));
            panic!("litecoind ended ({status}):\n{}", log.unwrap_or_default());
        }
        rpc.try_call::<u32>("getblockcount", json!([])).ok()
    });
}

fn has_zmq(rpc: &Rpc) -> bool {
    rpc.try_call::<Vec<Value>>("getzmqnotifications", json!([])).is_ok_and(|list| !list.is_empty())
}
