//! Which litecoind to ask, where there are several, and how each of them is.

use crate::domain::chain::{BlockId, OurTip};
use crate::domain::chain_guard::QUIET_BLOCKS;
use crate::domain::failover::{ChainView, ProbeResult, RACE_BLOCKS};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::node::chain::ChainState;
use crate::node::nodes::{Candidate, Nodes};
use crate::node::rpc::Node;
use crate::node::{self, Error};
use crate::store::{self, Store, blocks, node_in_use, role_status};
use crate::view::role_status::Role;

/// The node that the watcher follows.
pub(crate) fn in_use<'n>(store: &Store, nodes: &'n Nodes) -> Result<&'n Candidate, store::Error> {
    let name = match nodes.all() {
        [_] => None, // There is no choice.
        _ => store.read_blocking(node_in_use::get)?,
    };
    Ok(&nodes.all()[nodes.place_of(name.as_deref())])
}

/// The node that a command asks: the one in use, or, if that does not answer, the next that can be
/// followed.
pub(crate) fn for_command(
    store: &Store,
    nodes: &Nodes,
    network: Network,
) -> Result<Node, store::Error> {
    let followed = in_use(store, nodes)?;
    if nodes.all().len() == 1 {
        return Ok(followed.node.clone());
    }
    let ours = store.read_blocking(Ours::read)?;
    let can_be_asked = |one: &&Candidate| match look(one, network, &ours, None) {
        ProbeResult::Stands(_) | ProbeResult::Syncing => true,
        ProbeResult::Silent | ProbeResult::Unfit | ProbeResult::BehindUs => false,
    };
    let others = nodes.all().iter().filter(|other| other.name != followed.name);
    let mut all = std::iter::once(followed).chain(others);
    Ok(all.find(can_be_asked).unwrap_or(followed).node.clone())
}

/// When the node's ZMQ last told of a transaction or a block; recorded at each tip and every ten
/// seconds. `None` if it never did.
pub(crate) fn zmq_heard_at(tx: &store::ReadTx) -> Result<Option<Timestamp>, store::Error> {
    Ok(role_status::of_role(tx, Role::Zmq)?.and_then(|heard| heard.at))
}

/// The ends of the chain that we stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ours {
    first: Option<BlockId>,
    tip: Option<BlockId>,
}

impl Ours {
    /// Whether it is longer than any reorganisation that one would believe.
    fn is_long(&self) -> bool {
        let (Some(first), Some(tip)) = (self.first, self.tip) else { return false };
        tip.height.saturating_sub(first.height) >= QUIET_BLOCKS
    }

    pub(crate) fn read(tx: &store::ReadTx) -> Result<Ours, store::Error> {
        Ok(Ours { first: blocks::first(tx)?, tip: blocks::tip(tx)? })
    }
}

/// What the node in use says of itself to those that are held against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The block by which another node is held against it.
    Block(BlockId),
    /// It does not answer.
    Silent,
    /// It answers, but not with a block.
    Unknown,
}

/// The block by which another node is held against the node in use.
pub(crate) fn block_to_compare(in_use: &Node) -> Compared {
    let block = || {
        let height = in_use.chain_state()?.tip.height.saturating_sub(RACE_BLOCKS);
        Ok(BlockId { height, hash: in_use.block_hash(height)? })
    };
    match block() {
        Ok(block) => Compared::Block(block),
        Err(Error::Unreachable(_)) => Compared::Silent,
        Err(_) => Compared::Unknown,
    }
}

/// How a node is: its network, genesis and version, and what it knows of the blocks that we stored.
/// `compared` is a block of the node in use, if that answers. What it refuses is not asked here:
/// that walks its whole block index.
pub(crate) fn look(
    candidate: &Candidate,
    network: Network,
    ours: &Ours,
    compared: Option<BlockId>,
) -> ProbeResult {
    match try_look(candidate, network, ours, compared) {
        Ok(probe) => probe,
        Err(error) => {
            tracing::debug!(node = candidate.name, %error, "a node does not say how it is");
            ProbeResult::Silent
        }
    }
}

fn try_look(
    candidate: &Candidate,
    network: Network,
    ours: &Ours,
    compared: Option<BlockId>,
) -> Result<ProbeResult, node::Error> {
    let node = &candidate.probe;
    let state = node.chain_state()?;
    let foreign = state.chain != network.node_chain()
        || node.genesis_hash()?.to_string() != network.genesis_hash();
    if foreign || is_too_old(candidate)? {
        return Ok(ProbeResult::Unfit);
    }
    if is_catching_up(&state) {
        return Ok(ProbeResult::Syncing);
    }
    if let Some(first) = ours.first {
        let knows_less = state.tip.height <= first.height;
        match node.place_of(first)? {
            OurTip::OnBestChain => {}
            // Where we have followed a few blocks only, any reorganisation may take them all.
            OurTip::OffBestChain if !ours.is_long() => {}
            OurTip::Unknown if knows_less => return Ok(ProbeResult::BehindUs),
            OurTip::Unknown | OurTip::OffBestChain => return Ok(ProbeResult::Unfit),
        }
    }
    if let Some(tip) = ours.tip
        && node.place_of(tip)? == OurTip::Unknown
        && state.tip.height <= tip.height
    {
        return Ok(ProbeResult::BehindUs);
    }
    let same_chain = match compared {
        Some(block) => node.place_of(block)? == OurTip::OnBestChain,
        None => false,
    };
    Ok(ProbeResult::Stands(ChainView { height: state.tip.height, same_chain, refuses: false }))
}

fn is_too_old(candidate: &Candidate) -> Result<bool, node::Error> {
    match candidate.oldest {
        Some(oldest) => Ok(candidate.probe.version()?.number < oldest),
        None => Ok(false),
    }
}

/// Whether the node knows of blocks that it does not have yet. Its flag for the initial download
/// also stands on a regtest chain whose last block is a day old, so heights decide there.
pub(crate) fn is_catching_up(state: &ChainState) -> bool {
    let live = state.chain != Network::Regtest.node_chain();
    state.headers > state.tip.height || (live && state.initial_block_download)
}
