//! Selects a litecoind node, and probes the state of each.

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

pub(crate) fn in_use<'n>(store: &Store, nodes: &'n Nodes) -> Result<&'n Candidate, store::Error> {
    let name = match nodes.all() {
        [_] => None, // There is no choice.
        _ => store.read_blocking(node_in_use::get)?,
    };
    Ok(&nodes.all()[nodes.place_of(name.as_deref())])
}

/// The node for a command: the one in use, or, if it is unhealthy, the next healthy one.
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
    let is_usable = |one: &&Candidate| match probe(one, network, &ours, None) {
        ProbeResult::Stands(_) | ProbeResult::Syncing => true,
        ProbeResult::Silent | ProbeResult::Unfit | ProbeResult::BehindUs => false,
    };
    let others = nodes.all().iter().filter(|other| other.name != followed.name);
    let mut all = std::iter::once(followed).chain(others);
    Ok(all.find(is_usable).unwrap_or(followed).node.clone())
}

/// The time of the last ZMQ message, recorded at each tip and every ten seconds.
pub(crate) fn zmq_heard_at(tx: &store::ReadTx) -> Result<Option<Timestamp>, store::Error> {
    Ok(role_status::of_role(tx, Role::Zmq)?.and_then(|heard| heard.at))
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Ours {
    first: Option<BlockId>,
    tip: Option<BlockId>,
}

impl Ours {
    /// Whether the stored chain is longer than any plausible reorganisation.
    fn is_long(&self) -> bool {
        let (Some(first), Some(tip)) = (self.first, self.tip) else { return false };
        tip.height.saturating_sub(first.height) >= QUIET_BLOCKS
    }

    pub(crate) fn read(tx: &store::ReadTx) -> Result<Ours, store::Error> {
        Ok(Ours { first: blocks::first(tx)?, tip: blocks::tip(tx)? })
    }
}

/// The node in use, as the reference for other nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// A block that another node should have.
    Block(BlockId),
    /// The node does not answer.
    Silent,
    /// The node answers, but not with a block.
    Unknown,
}

/// A block of the node in use that another node should have.
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

/// Probes a node: network, genesis, version, and its view of the stored blocks. `compared` is
/// a block of the node in use. Invalid blocks are not queried here, because that reads the
/// whole block index.
pub(crate) fn probe(
    candidate: &Candidate,
    network: Network,
    ours: &Ours,
    compared: Option<BlockId>,
) -> ProbeResult {
    match try_probe(candidate, network, ours, compared) {
        Ok(probe) => probe,
        Err(error) => {
            tracing::debug!(node = candidate.name, %error, "cannot probe the node");
            ProbeResult::Silent
        }
    }
}

fn try_probe(
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
            // A reorganisation may replace a short stored chain.
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

/// Whether the node lacks blocks that it knows of. On regtest only heights count, because a
/// chain whose last block is a day old is in initial block download there.
pub(crate) fn is_catching_up(state: &ChainState) -> bool {
    let live = state.chain != Network::Regtest.node_chain();
    state.headers > state.tip.height || (live && state.initial_block_download)
}
