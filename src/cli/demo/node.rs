//! A litecoind for the demo, and the process that sees to its end.
//!
//! The demo starts a copy of this program (`litegate demo-node`), which starts litecoind and waits
//! for its standard input to end. That happens when the demo ends, however it does, so that even
//! `kill -9` leaves neither a process nor a folder behind.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::config;
use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::network::Network;
use crate::node::rpc::{Auth, Node, Settings};

/// How long litecoind may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Debian puts a wrapper into the path that touches the caller's home; the daemon is here.
const DEBIANS_DAEMON: &str = "/usr/lib/litecoin/litecoind";

/// What to say where there is no litecoind.
const HOW_TO_GET_ONE: &str = "litecoind is not installed: apt-get install litecoind (for the demo; \
                              mainnet needs 0.21.5.4 or later), or name one with LITECOIND=…";

/// The internal command that keeps the node.
#[derive(Args)]
pub(in crate::cli) struct DemoNode {
    #[arg(long)]
    litecoind: PathBuf,
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    rpc_port: u16,
    #[arg(long)]
    zmq_port: u16,
}

impl DemoNode {
    /// Runs litecoind until standard input ends, then stops it and removes the folder.
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Failed(error.to_string()))?;
        // Signals to the terminal or the group reach this process too; it waits for its input to
        // end. Being listened to is enough for a signal to do nothing.
        let _ignored = runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            kinds.map(signal)
        });
        let mut child = self.start()?;
        let mut nothing = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut nothing); // An error is an end, too.
        stop(&mut child);
        std::fs::remove_dir_all(&self.dir)
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.dir.display())))
    }

    fn start(&self) -> Result<Child, Failure> {
        let zmq = format!("tcp://127.0.0.1:{}", self.zmq_port);
        Command::new(&self.litecoind)
            .arg("-regtest")
            .arg(format!("-datadir={}", self.dir.display()))
            .arg(format!("-rpcport={}", self.rpc_port))
            .arg(format!("-zmqpubrawtx={zmq}"))
            .arg(format!("-zmqpubhashblock={zmq}"))
            .args(["-listen=0", "-server=1", "-fallbackfee=0.0001", "-rpcbind=127.0.0.1"])
            .args(["-rpcallowip=127.0.0.1", "-printtoconsole=0", "-dnsseed=0", "-upnp=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                Failure::Failed(format!("start {}: {error}", self.litecoind.display()))
            })
    }
}

/// Nothing in the demo's node is worth a clean end.
fn stop(child: &mut Child) {
    let _ = child.kill(); // It may have ended by itself.
    let _ = child.wait();
}

/// The demo's node: its keeper, and how to talk to it.
pub(super) struct PlayNode {
    keeper: Child,
    pub(super) dir: PathBuf,
    pub(super) rpc_url: String,
    pub(super) cookie_file: PathBuf,
    pub(super) zmq: String,
    pub(super) node: Node,
}

impl PlayNode {
    /// Starts a litecoind on regtest in a new folder and waits until it answers.
    pub(super) fn start() -> Result<PlayNode, Failure> {
        let litecoind = find()?;
        let failed =
            |what: &str, error: std::io::Error| Failure::Failed(format!("{what}: {error}"));
        let dir = tempfile::Builder::new()
            .prefix("litegate-demo-")
            .tempdir()
            .map_err(|error| failed("make a folder", error))?
            .keep(); // The keeper removes it.
        let [rpc_port, zmq_port] = free_ports().map_err(|error| failed("find a port", error))?;
        let program = std::env::current_exe().map_err(|error| failed("find myself", error))?;
        let keeper = Command::new(program)
            .args(["demo-node", "--litecoind"])
            .arg(&litecoind)
            .arg("--dir")
            .arg(&dir)
            .args(["--rpc-port", &rpc_port.to_string(), "--zmq-port", &zmq_port.to_string()])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed("start the node's keeper", error))?;
        let rpc_url = format!("http://127.0.0.1:{rpc_port}");
        let cookie_file = dir.join("regtest/.cookie");
        let auth = Auth::CookieFile { file: cookie_file.clone(), held: None };
        let node = Node::new(Settings { rpc_url: rpc_url.clone(), auth });
        let zmq = format!("tcp://127.0.0.1:{zmq_port}");
        let mut play = PlayNode { keeper, dir, rpc_url, cookie_file, zmq, node };
        play.await_answer()?;
        Ok(play)
    }

    fn await_answer(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let error = match self.node.chain_state() {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if let Ok(Some(_)) = self.keeper.try_wait() {
                let mut line = String::new();
                if let Some(stderr) = self.keeper.stderr.take() {
                    let _ = BufReader::new(stderr).read_line(&mut line); // For the message only.
                }
                return Err(Failure::Failed(format!("litecoind did not start: {}", line.trim())));
            }
            if Instant::now() > deadline {
                return Err(Failure::NodeOutOfReach(format!("litecoind does not answer: {error}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Makes a wallet and mines until it has money to spend.
    pub(super) fn fund(&self) -> Result<(), Failure> {
        self.call("createwallet", &[json!("shopper")])?;
        self.mine(101)
    }

    /// Mines blocks.
    pub(super) fn mine(&self, blocks: u32) -> Result<(), Failure> {
        let address = self.new_address()?;
        self.call("generatetoaddress", &[json!(blocks), json!(address.to_string())])?;
        Ok(())
    }

    /// A new address of the node's wallet.
    pub(super) fn new_address(&self) -> Result<Address, Failure> {
        let answer = self.call("getnewaddress", &[json!(""), json!("bech32")])?;
        let text = answer.as_str().unwrap_or_default();
        Address::parse(text, Network::Regtest)
            .map_err(|error| Failure::Failed(format!("getnewaddress {error}")))
    }

    /// Pays as a shopper would.
    pub(super) fn pay(&self, address: &str, amount: &str) -> Result<String, Failure> {
        let answer = self.call("sendtoaddress", &[json!(address), json!(amount)])?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// What the best chain holds for an address of the node's wallet.
    pub(super) fn received(&self, address: &Address) -> Result<Amount, Failure> {
        let scan = json!([format!("addr({address})")]);
        let answer = self.call("scantxoutset", &[json!("start"), scan])?;
        // The sum is a number of the node's, which prints eight decimals.
        let text = answer.get("total_amount").map(Value::to_string).unwrap_or_default();
        Amount::parse_json_number(&text)
            .map_err(|error| Failure::Failed(format!("scantxoutset {error}")))
    }

    fn call(&self, call: &'static str, arguments: &[Value]) -> Result<Value, Failure> {
        self.node
            .raw(call, arguments)
            .map_err(|error| Failure::Failed(format!("litecoind {call}: {error}")))
    }
}

/// The keeper ends the node once its input ends; wait for that, so that nothing is left.
impl Drop for PlayNode {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait(); // Nothing can be done about a keeper that cannot be waited for.
    }
}

/// The litecoind that the environment names, else the one in the path.
fn find() -> Result<PathBuf, Failure> {
    if let Some(named) = config::litecoind() {
        if named.is_file() {
            return Ok(named);
        }
        let message = format!("LITECOIND names {}, which is not there", named.display());
        return Err(Failure::Failed(message));
    }
    let in_path = config::search_path().into_iter().map(|dir| dir.join("litecoind"));
    let found = in_path.into_iter().find(|file| file.is_file());
    let debians = Path::new(DEBIANS_DAEMON);
    match found {
        Some(found) if !is_script(&found) => Ok(found),
        _ if debians.is_file() => Ok(debians.to_owned()),
        _ => Err(Failure::Failed(HOW_TO_GET_ONE.to_owned())),
    }
}

fn is_script(file: &Path) -> bool {
    let mut first = [0u8; 2];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && &first == b"#!"
}

/// Ports that were free a moment ago.
fn free_ports<const N: usize>() -> std::io::Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        held.push(listener); // All at once, so that they differ.
    }
    Ok(ports)
}
