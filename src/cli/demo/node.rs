//! The demo's litecoind, and the process that ends it.
//!
//! The demo starts a copy of this program (`litegate demo-node`), which runs litecoind until
//! its standard input ends. That happens however the demo ends, so even `kill -9` leaves no
//! process and no directory behind.

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

/// Deadline for litecoind's start and stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Debian's `litecoind` on the path is a wrapper that writes to the caller's home; the daemon
/// is here.
const DEBIANS_DAEMON: &str = "/usr/lib/litecoin/litecoind";

const HOW_TO_GET_ONE: &str = "litecoind is not installed: apt-get install litecoind (for the demo; \
                              mainnet needs 0.21.5.4 or later), or set LITECOIND to its path";

/// The hidden command that runs the node.
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
    /// Runs litecoind until standard input ends, then stops it and removes the directory.
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Failed(error.to_string()))?;
        // Terminal signals reach the whole process group, but only the end of input may stop
        // this process. A registered handler makes signals have no effect.
        let _ignored = runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            kinds.map(signal)
        });
        let mut child = self.start()?;
        let mut nothing = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut nothing); // An error ends it, too.
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

/// The demo's chain is thrown away, so litecoind need not stop cleanly.
fn stop(child: &mut Child) {
    let _ = child.kill(); // It may have ended already.
    let _ = child.wait();
}

/// The demo's node and the process that runs it.
pub(super) struct PlayNode {
    keeper: Child,
    pub(super) dir: PathBuf,
    pub(super) rpc_url: String,
    pub(super) cookie_file: PathBuf,
    pub(super) zmq: String,
    pub(super) node: Node,
}

impl PlayNode {
    /// Starts litecoind on regtest in a new directory and waits until it answers.
    pub(super) fn start() -> Result<PlayNode, Failure> {
        let litecoind = find()?;
        let failed =
            |what: &str, error: std::io::Error| Failure::Failed(format!("{what}: {error}"));
        let dir = tempfile::Builder::new()
            .prefix("litegate-demo-")
            .tempdir()
            .map_err(|error| failed("create a directory", error))?
            .keep(); // The keeper removes it.
        let [rpc_port, zmq_port] = free_ports().map_err(|error| failed("find a port", error))?;
        let program =
            std::env::current_exe().map_err(|error| failed("find this program", error))?;
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

    /// Creates a wallet and mines until it has funds.
    pub(super) fn fund(&self) -> Result<(), Failure> {
        self.call("createwallet", &[json!("shopper")])?;
        self.mine(101)
    }

    pub(super) fn mine(&self, blocks: u32) -> Result<(), Failure> {
        let address = self.new_address()?;
        self.call("generatetoaddress", &[json!(blocks), json!(address.to_string())])?;
        Ok(())
    }

    pub(super) fn new_address(&self) -> Result<Address, Failure> {
        let answer = self.call("getnewaddress", &[json!(""), json!("bech32")])?;
        let text = answer.as_str().unwrap_or_default();
        Address::parse(text, Network::Regtest)
            .map_err(|error| Failure::Failed(format!("getnewaddress {error}")))
    }

    pub(super) fn pay(&self, address: &str, amount: &str) -> Result<String, Failure> {
        let answer = self.call("sendtoaddress", &[json!(address), json!(amount)])?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// The balance of an address on the best chain.
    pub(super) fn received(&self, address: &Address) -> Result<Amount, Failure> {
        let scan = json!([format!("addr({address})")]);
        let answer = self.call("scantxoutset", &[json!("start"), scan])?;
        // litecoind prints this amount with eight decimals.
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

/// Waits until the keeper has ended the node, so that nothing is left behind.
impl Drop for PlayNode {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait(); // A keeper that cannot be waited for is ignored.
    }
}

/// The litecoind named by the environment, else the one on the path.
fn find() -> Result<PathBuf, Failure> {
    if let Some(named) = config::litecoind() {
        if named.is_file() {
            return Ok(named);
        }
        let message = format!("LITECOIND names {}, which does not exist", named.display());
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

/// Ports that are free now.
fn free_ports<const N: usize>() -> std::io::Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        held.push(listener); // All are held at once, so that they differ.
    }
    Ok(ports)
}
