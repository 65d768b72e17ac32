//! The dozen calls that we make, typed. Blocking: call from a thread that may wait.
//!
//! Each request is sent once, and nothing here spends by the node's wallet.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::consensus::deserialize;
use bitcoin::hex::DisplayHex;
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid, block};
use bitcoincore_rpc::{Client, RpcApi, jsonrpc};
use serde::Deserialize;
use serde_json::value::{RawValue, Value};

use super::transport::{Cancelled, Door, Http, HttpError};
use super::{Error, codec, hex};
use crate::domain::amount::Amount;
use crate::domain::chain::{BlockId, OurTip};
use crate::domain::chain_guard::{Branch, BranchState};
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::safe_file;
use crate::secret::Secret;

/// How to reach the node.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) rpc_url: String,
    pub(crate) auth: Auth,
}

impl Settings {
    /// Whom the URL names, for people: it holds no password (see `config`).
    pub(crate) fn host_and_port(&self) -> &str {
        let rest = self.rpc_url.split_once("://").map_or(self.rpc_url.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

/// How we prove to the node who we are.
#[derive(Debug, Clone)]
pub(crate) enum Auth {
    /// The node writes a new cookie at each start. `held` is one that was read before root's rights
    /// were given up, for a user who may not read the file.
    CookieFile {
        file: PathBuf,
        held: Option<Secret<String>>,
    },
    Password {
        user: String,
        password: Secret<String>,
    },
}

/// The longest cookie, in bytes.
const COOKIE_BYTES_MAX: u64 = 1024;

/// How long an answer may take. A block of 4 MB comes within a second; a busy node may need more.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long the answer to a question about the node's own state may take: a node that is well has
/// it in memory.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);

/// The calls that [`STATUS_TIMEOUT`] bounds.
const STATUS_CALLS: [&str; 8] = [
    "getblockchaininfo",
    "getbestblockhash",
    "getblockhash",
    "getblockheader",
    "getmempoolinfo",
    "getnetworkinfo",
    "getzmqnotifications",
    "uptime",
];

/// Every call that the gateway makes: what `rpcwhitelist` in the node's configuration has to allow.
pub(crate) const CALLS: [&str; 18] = [
    "getblockchaininfo",
    "getchaintips",
    "getbestblockhash",
    "getblockhash",
    "getblockheader",
    "getblock",
    "getrawmempool",
    "getmempoolentry",
    "getmempoolinfo",
    "getrawtransaction",
    "gettxout",
    "scantxoutset",
    "estimatesmartfee",
    "testmempoolaccept",
    "sendrawtransaction",
    "getnetworkinfo",
    "getzmqnotifications",
    "uptime",
];

/// A connection to one litecoind. Clones share it.
#[derive(Clone)]
pub(crate) struct Node {
    pub(super) settings: Arc<Settings>,
    /// How long an answer may take.
    timeout: Duration,
    /// When to give a call up before that.
    cancelled: Option<Cancelled>,
    /// The header that proves who we are, once it was read.
    authorization: Arc<Mutex<Option<Secret<String>>>>,
}

/// What the node says of its chain (`getblockchaininfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChainState {
    /// `main`, `test` or `regtest`.
    pub(crate) chain: String,
    pub(crate) tip: BlockId,
    /// The height of the best header; above the tip while blocks are being fetched.
    pub(crate) headers: u32,
    pub(crate) initial_block_download: bool,
    /// The lowest block that a pruned node still has.
    pub(crate) prune_height: Option<u32>,
}

/// A header's place and times (`getblockheader`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) height: u32,
    /// What the block's miner said.
    pub(crate) time: Timestamp,
    /// The median of the eleven blocks up to this one (BIP113).
    pub(crate) median_time: Timestamp,
    pub(crate) previous: Option<BlockHash>,
}

/// An unspent output as the node has it (`gettxout`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnspentOutput {
    pub(crate) amount: Amount,
    pub(crate) script: ScriptBuf,
    /// 0 while its transaction is in the mempool.
    pub(crate) confirmations: u32,
}

/// An unspent output in a block (`gettxout`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MinedOutput {
    pub(crate) height: u32,
    pub(crate) coinbase: bool,
}

/// The node's mempool (`getmempoolinfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MempoolState {
    /// Its file was read after a start. Until then a transaction may be missing there that the
    /// node still has.
    pub(crate) loaded: bool,
    /// How much memory it may use, in bytes.
    pub(crate) bytes_max: u64,
    /// The least that it takes now, in litoshis for 1,000 vbytes: more than what is relayed while
    /// it is full.
    pub(crate) taken_per_kvb: u64,
    /// The least that the node ever takes, in the same unit.
    pub(crate) relayed_per_kvb: u64,
}

/// Whether the node would take a transaction (`testmempoolaccept`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Accepted,
    /// The node's reason: for people and logs, never to decide by.
    Refused(String),
}

/// What the node says of itself (`getnetworkinfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    /// 210504 means 0.21.5.4 (the build number is the last part).
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) relay: Relay,
}

/// What the node takes from its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relay {
    Transactions,
    /// Blocks alone (`-blocksonly`): its mempool stays empty.
    BlocksOnly,
}

/// What the node publishes by ZMQ (`getzmqnotifications`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notifications {
    /// The node was built without ZMQ and does not know the call.
    NotBuiltIn,
    /// The topics that it publishes, such as `pubrawtx`, with their addresses.
    Topics(Vec<Topic>),
}

/// One line of `getzmqnotifications`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Topic {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) address: String,
    /// How many messages wait for a slow subscriber before more are dropped.
    #[serde(rename = "hwm")]
    pub(crate) high_water: Option<u64>,
}

impl Node {
    pub(crate) fn new(settings: Settings) -> Node {
        Node::with_timeout(settings, TIMEOUT)
    }

    /// A node whose answers may take so long, in whole seconds.
    pub(crate) fn with_timeout(settings: Settings, timeout: Duration) -> Node {
        let (settings, authorization) = (Arc::new(settings), Arc::default());
        Node { settings, timeout, cancelled: None, authorization }
    }

    /// The same node, whose answers may take so long.
    pub(super) fn with_patience(&self, timeout: Duration) -> Node {
        Node { timeout, ..self.clone() }
    }

    /// The same node, whose calls fail soon after `cancelled` says so, instead of holding up
    /// whoever has other things to do than to wait for a node that hangs.
    pub(crate) fn cancelled_by(&self, cancelled: Cancelled) -> Node {
        let cancelled: Cancelled = match self.cancelled.clone() {
            Some(before) => Arc::new(move || before() || cancelled()),
            None => cancelled,
        };
        Node { cancelled: Some(cancelled), ..self.clone() }
    }

    /// `getblockchaininfo`
    pub(crate) fn chain_state(&self) -> Result<ChainState, Error> {
        #[derive(Deserialize)]
        struct Answer {
            chain: String,
            blocks: u32,
            headers: u32,
            bestblockhash: BlockHash,
            initialblockdownload: bool,
            pruneheight: Option<u32>,
        }
        let answer: Answer = self.call("getblockchaininfo", &[])?;
        Ok(ChainState {
            chain: answer.chain,
            tip: BlockId { height: answer.blocks, hash: answer.bestblockhash },
            headers: answer.headers,
            initial_block_download: answer.initialblockdownload,
            prune_height: answer.pruneheight,
        })
    }

    /// `getchaintips`: the ends of all branches that the node knows of, its own among them.
    pub(crate) fn chain_tips(&self) -> Result<Vec<Branch>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            height: u32,
            hash: BlockHash,
            branchlen: u32,
            status: String,
        }
        let answer: Vec<Answer> = self.call("getchaintips", &[])?;
        let branch = |tip: Answer| Branch {
            height: tip.height,
            hash: tip.hash,
            blocks: tip.branchlen,
            state: match tip.status.as_str() {
                "active" => BranchState::Active,
                "invalid" => BranchState::Invalid,
                // valid-fork, valid-headers, headers-only, and words of nodes to come.
                _ => BranchState::Competing,
            },
        };
        Ok(answer.into_iter().map(branch).collect())
    }

    /// Whether it takes blocks above this height for invalid (`getchaintips`).
    pub(crate) fn refuses_blocks_above(&self, height: u32) -> Result<bool, Error> {
        let refused =
            |branch: &Branch| branch.state == BranchState::Invalid && branch.height > height;
        Ok(self.chain_tips()?.iter().any(refused))
    }

    /// `getbestblockhash`
    pub(crate) fn best_block_hash(&self) -> Result<BlockHash, Error> {
        self.call("getbestblockhash", &[])
    }

    /// `getblockhash`; [`Error::NotFound`] above the node's tip.
    pub(crate) fn block_hash(&self, height: u32) -> Result<BlockHash, Error> {
        match self.call("getblockhash", &[height.into()]) {
            Err(Error::Rejected { code: -8, .. }) => Err(Error::NotFound),
            answer => answer,
        }
    }

    /// `getblockheader`
    pub(crate) fn header(&self, hash: BlockHash) -> Result<Header, Error> {
        let answer: HeaderAnswer = self.call("getblockheader", &[json(&hash)])?;
        Ok(Header {
            height: answer.height,
            time: Timestamp::from_seconds(answer.time),
            median_time: Timestamp::from_seconds(answer.mediantime),
            previous: answer.previousblockhash,
        })
    }

    /// `getblockheader`, as its bytes say, checked to be the one that was asked for.
    pub(crate) fn raw_header(&self, hash: BlockHash) -> Result<block::Header, Error> {
        let text: String = self.call("getblockheader", &[json(&hash), false.into()])?;
        let garbled =
            |reason: &str| Error::Garbled { call: "getblockheader", reason: reason.to_owned() };
        let raw = hex::decode(&text).ok_or_else(|| garbled("no hexadecimal"))?;
        let header: block::Header =
            deserialize(&raw).map_err(|_| garbled("no header of a block"))?;
        if header.block_hash() != hash {
            return Err(garbled("another block's header"));
        }
        Ok(header)
    }

    /// Where the block that we stand on is for the node (`getblockheader`: a block off the best
    /// chain has -1 confirmations).
    pub(crate) fn place_of(&self, ours: BlockId) -> Result<OurTip, Error> {
        match self.call::<HeaderAnswer>("getblockheader", &[json(&ours.hash)]) {
            Ok(answer) if answer.confirmations < 0 => Ok(OurTip::OffBestChain),
            Ok(_) => Ok(OurTip::OnBestChain),
            Err(Error::NotFound) => Ok(OurTip::Unknown),
            Err(error) => Err(error),
        }
    }

    /// `getblock`: a block's bytes in hexadecimal, not looked into.
    pub(crate) fn block_text(&self, hash: BlockHash) -> Result<String, Error> {
        self.call("getblock", &[json(&hash), 0.into()])
    }

    /// `getblock`, decoded and checked to be the block that was asked for.
    pub(crate) fn block(&self, hash: BlockHash) -> Result<codec::Block, Error> {
        Node::block_of(hash, &self.block_text(hash)?)
    }

    /// The block that a text of [`Self::block_text`] is, checked to be the one that was asked for.
    pub(crate) fn block_of(hash: BlockHash, text: &str) -> Result<codec::Block, Error> {
        let garbled = |reason: String| Error::Garbled { call: "getblock", reason };
        let raw = hex::decode(text).ok_or_else(|| garbled("no hexadecimal".to_owned()))?;
        let block = codec::decode_block(&raw).map_err(|error| garbled(error.to_string()))?;
        if block.hash != hash {
            return Err(garbled(format!("asked for {hash}, got {}", block.hash)));
        }
        Ok(block)
    }

    /// `getrawmempool`: all transactions in the mempool, in no order.
    pub(crate) fn mempool_txids(&self) -> Result<Vec<Txid>, Error> {
        self.call("getrawmempool", &[])
    }

    /// `getmempoolentry`: whether the transaction is in the mempool.
    pub(crate) fn mempool_contains(&self, txid: Txid) -> Result<bool, Error> {
        match self.call::<Value>("getmempoolentry", &[json(&txid)]) {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `gettxout` without the mempool: the block of an unspent output. `None` if it is spent, or in
    /// no block.
    pub(crate) fn mined_output(&self, at: OutPoint) -> Result<Option<MinedOutput>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            bestblock: BlockHash,
            confirmations: u32,
            coinbase: bool,
        }
        let arguments = [json(&at.txid), at.vout.into(), false.into()];
        let Some(answer) = self.call::<Option<Answer>>("gettxout", &arguments)? else {
            return Ok(None);
        };
        let tip = self.header(answer.bestblock)?.height;
        let height = tip.saturating_add(1).saturating_sub(answer.confirmations);
        Ok(Some(MinedOutput { height, coinbase: answer.coinbase }))
    }

    /// `estimatesmartfee`: litoshis per 1,000 vbytes to be mined within so many blocks. `None` on
    /// a quiet chain, where the node has nothing to estimate from.
    pub(crate) fn fee_estimate(&self, target_blocks: u16) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            feerate: Option<Box<RawValue>>,
        }
        let answer: Answer = self.call("estimatesmartfee", &[target_blocks.into()])?;
        let Some(rate) = answer.feerate else { return Ok(None) };
        let rate = Amount::parse_json_number(rate.get()).map_err(|error| Error::Garbled {
            call: "estimatesmartfee",
            reason: format!("feerate {error}"),
        })?;
        Ok(Some(rate.litoshis()))
    }

    /// `getmempoolinfo`
    pub(crate) fn mempool_state(&self) -> Result<MempoolState, Error> {
        #[derive(Deserialize)]
        struct Answer {
            loaded: bool,
            maxmempool: u64,
            mempoolminfee: Box<RawValue>,
            minrelaytxfee: Box<RawValue>,
        }
        let answer: Answer = self.call("getmempoolinfo", &[])?;
        let rate = |rate: &RawValue| {
            let rate = Amount::parse_json_number(rate.get());
            rate.map(Amount::litoshis).map_err(|error| Error::Garbled {
                call: "getmempoolinfo",
                reason: format!("a fee {error}"),
            })
        };
        Ok(MempoolState {
            loaded: answer.loaded,
            bytes_max: answer.maxmempool,
            taken_per_kvb: rate(&answer.mempoolminfee)?,
            relayed_per_kvb: rate(&answer.minrelaytxfee)?,
        })
    }

    /// `testmempoolaccept`
    pub(crate) fn test_accept(&self, raw: &[u8]) -> Result<Acceptance, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Answer {
            allowed: bool,
            #[serde(default)]
            reject_reason: String,
        }
        let list = Value::Array(vec![raw.to_lower_hex_string().into()]);
        let answers: Vec<Answer> = self.call("testmempoolaccept", &[list])?;
        match answers.into_iter().next() {
            Some(answer) if answer.allowed => Ok(Acceptance::Accepted),
            Some(answer) => Ok(Acceptance::Refused(answer.reject_reason)),
            None => Err(Error::Garbled {
                call: "testmempoolaccept",
                reason: "an empty list".to_owned(),
            }),
        }
    }

    /// `sendrawtransaction`. Sending the same bytes again does no harm.
    pub(crate) fn broadcast(&self, raw: &[u8]) -> Result<Txid, Error> {
        self.call("sendrawtransaction", &[raw.to_lower_hex_string().into()])
    }

    /// `uptime`: for how long the node has run, in whole seconds.
    pub(crate) fn uptime(&self) -> Result<Duration, Error> {
        // Negative if its clock was set back.
        let seconds: i64 = self.call("uptime", &[])?;
        Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    /// `getnetworkinfo`
    pub(crate) fn version(&self) -> Result<Version, Error> {
        #[derive(Deserialize)]
        struct Answer {
            version: u64,
            subversion: String,
            localrelay: bool,
        }
        let answer: Answer = self.call("getnetworkinfo", &[])?;
        let relay = if answer.localrelay { Relay::Transactions } else { Relay::BlocksOnly };
        Ok(Version { number: answer.version, name: answer.subversion, relay })
    }

    /// `getzmqnotifications`
    pub(crate) fn notifications(&self) -> Result<Notifications, Error> {
        match self.call("getzmqnotifications", &[]) {
            Ok(topics) => Ok(Notifications::Topics(topics)),
            Err(Error::Rejected { code: -32601, .. }) => Ok(Notifications::NotBuiltIn),
            Err(error) => Err(error),
        }
    }

    /// `getblockhash 0`: the chain's first block, which tells one chain from another.
    pub(crate) fn genesis_hash(&self) -> Result<BlockHash, Error> {
        self.block_hash(0)
    }

    /// The calls of ours that the node does not let us make (`rpcwhitelist`). Each is tried with
    /// far too many arguments, so that the node does nothing but look whether we may.
    pub(crate) fn forbidden_calls(&self) -> Result<Vec<&'static str>, Error> {
        let nothing = vec![Value::Null; 20];
        let mut forbidden = Vec::new();
        for call in CALLS {
            match self.call::<Value>(call, &nothing) {
                Err(Error::Forbidden(call)) => forbidden.push(call),
                Err(Error::Rejected { .. }) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(forbidden)
    }

    /// Any other call, for the demo, which plays the shopper with the node's wallet on regtest.
    pub(crate) fn raw(&self, call: &'static str, arguments: &[Value]) -> Result<Value, Error> {
        self.ask(call, arguments)
    }

    pub(super) fn call<T: for<'de> Deserialize<'de>>(
        &self,
        call: &'static str,
        arguments: &[Value],
    ) -> Result<T, Error> {
        assert!(CALLS.contains(&call), "{call} is missing among the CALLS");
        self.ask(call, arguments)
    }

    fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        call: &'static str,
        arguments: &[Value],
    ) -> Result<T, Error> {
        self.with_client(call, |client| client.call(call, arguments))
    }

    /// Lets the client ask, measures that, and forgets the client when the node may have restarted.
    pub(super) fn with_client<T>(
        &self,
        call: &'static str,
        ask: impl FnOnce(&Client) -> Result<T, bitcoincore_rpc::Error>,
    ) -> Result<T, Error> {
        let timeout = match STATUS_CALLS.contains(&call) {
            true => self.timeout.min(STATUS_TIMEOUT),
            false => self.timeout,
        };
        let client = self.client(timeout)?;
        let began = Instant::now();
        let result = ask(&client).map_err(|error| evaluate(call, error));
        let unanswered = matches!(
            result,
            Err(Error::Unauthorized | Error::Unreachable(_) | Error::WarmingUp(_) | Error::Busy)
        );
        metrics::called(call, began.elapsed(), !unanswered);
        if matches!(result, Err(Error::Unauthorized | Error::Unreachable(_))) {
            // The node may have restarted with a new cookie: read it afresh next time.
            *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        result
    }

    /// A client whose answers may take so long.
    pub(super) fn client(&self, timeout: Duration) -> Result<Client, Error> {
        let url = self.settings.rpc_url.clone();
        let door = Door { url, authorization: self.authorization()?, timeout };
        let transport = Http { door, cancelled: self.cancelled.clone() };
        Ok(Client::from_jsonrpc(jsonrpc::Client::with_transport(transport)))
    }

    fn authorization(&self) -> Result<Secret<String>, Error> {
        let mut slot = self.authorization.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*slot {
            return Ok(known.clone());
        }
        let (user, password) = self.settings.auth.credentials()?;
        let pair = Secret::new(format!("{user}:{}", password.reveal()));
        let encoded = Secret::new(STANDARD.encode(pair.reveal()));
        let header = Secret::new(format!("Basic {}", encoded.reveal()));
        Ok(slot.insert(header).clone())
    }
}

#[derive(Deserialize)]
struct HeaderAnswer {
    height: u32,
    time: i64,
    mediantime: i64,
    confirmations: i64,
    previousblockhash: Option<BlockHash>,
}

impl Auth {
    fn credentials(&self) -> Result<(String, Secret<String>), Error> {
        let (file, held) = match self {
            Auth::Password { user, password } => return Ok((user.clone(), password.clone())),
            Auth::CookieFile { file, held } => (file, held),
        };
        let cookie = match (read_cookie(file), held) {
            (Ok(cookie), _) => cookie,
            (Err(error), Some(held)) if error.kind() == ErrorKind::PermissionDenied => held.clone(),
            (Err(error), _) => {
                let what = format!("cookie file {}: {error}", file.display());
                return Err(Error::Unreachable(what));
            }
        };
        let (user, password) = cookie.reveal().trim().split_once(':').ok_or(Error::Unauthorized)?;
        Ok((user.to_owned(), Secret::new(password.to_owned())))
    }

    /// Reads the cookie now: the user that this process is about to become may not. It lasts until
    /// the node's next start.
    pub(crate) fn hold_cookie(&mut self) {
        if let Auth::CookieFile { file, held } = self {
            *held = read_cookie(file).ok(); // Whoever asks the node says what is wrong.
        }
    }
}

fn read_cookie(file: &Path) -> std::io::Result<Secret<String>> {
    let text = String::from_utf8(safe_file::read(file, COOKIE_BYTES_MAX)?);
    text.map(Secret::new).map_err(|_| std::io::Error::other("is no text"))
}

/// Ids are passed as text.
pub(super) fn json(id: &impl ToString) -> Value {
    Value::String(id.to_string())
}

/// Sorts the many ways to fail by what the caller does next.
pub(super) fn evaluate(call: &'static str, error: bitcoincore_rpc::Error) -> Error {
    let error = match error {
        bitcoincore_rpc::Error::JsonRpc(error) => error,
        other => return Error::Garbled { call, reason: other.to_string() },
    };
    match error {
        jsonrpc::Error::Rpc(error) => match error.code {
            -28 => Error::WarmingUp(error.message),
            -5 => Error::NotFound,
            code => Error::Rejected { code, message: error.message },
        },
        jsonrpc::Error::Transport(error) => match error.downcast_ref::<HttpError>() {
            Some(HttpError::Status(401)) => Error::Unauthorized,
            Some(HttpError::Status(403)) => Error::Forbidden(call),
            Some(HttpError::TooLong | HttpError::NoJson(_)) => {
                Error::Garbled { call, reason: error.to_string() }
            }
            // 503: the work queue is full. Everything else is a connection that failed.
            _ => Error::Unreachable(format!("{call}: {error}")),
        },
        other => Error::Garbled { call, reason: other.to_string() },
    }
}
