//! The litecoinds that the operator has named, in their order. Which of them is followed is decided
//! elsewhere, and stored, for the roles may run in several processes.

use std::sync::Arc;
use std::time::Duration;

use super::rpc::{self, Node};
use super::transport::Cancelled;
use super::zmq;

/// How long a node may take to answer while we only look how it is.
const HTTP_PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How to reach one of the nodes, and what it must be.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) rpc: rpc::Settings,
    /// Where it publishes; absent: it is polled.
    pub(crate) zmq: Option<zmq::Settings>,
    /// The version below which it is not followed (`getnetworkinfo.version`).
    pub(crate) oldest: Option<u64>,
}

/// One of the nodes.
#[derive(Clone)]
pub(crate) struct Candidate {
    /// Its host and port, which tell it from the others in log, metrics and database.
    pub(crate) name: String,
    pub(crate) node: Node,
    /// The same node, asked with less patience.
    pub(crate) probe: Node,
    pub(crate) zmq: Option<zmq::Settings>,
    pub(crate) oldest: Option<u64>,
}

/// All nodes; there is at least one. Clones share their connections.
#[derive(Clone)]
pub(crate) struct Nodes(Arc<[Candidate]>);

impl Nodes {
    /// The configuration makes sure that there is one.
    pub(crate) fn new(settings: &[Settings]) -> Nodes {
        assert!(!settings.is_empty(), "the configuration names a node");
        let candidate = |one: &Settings| Candidate {
            name: one.rpc.host_and_port().to_owned(),
            node: Node::new(one.rpc.clone()),
            probe: Node::with_timeout(one.rpc.clone(), HTTP_PROBE_TIMEOUT),
            zmq: one.zmq.clone(),
            oldest: one.oldest,
        };
        Nodes(settings.iter().map(candidate).collect())
    }

    /// The same nodes, whose calls fail soon after `cancelled` says so.
    pub(crate) fn cancelled_by(&self, cancelled: &Cancelled) -> Nodes {
        let candidate = |one: &Candidate| Candidate {
            node: one.node.cancelled_by(Arc::clone(cancelled)),
            probe: one.probe.cancelled_by(Arc::clone(cancelled)),
            ..one.clone()
        };
        Nodes(self.0.iter().map(candidate).collect())
    }

    pub(crate) fn all(&self) -> &[Candidate] {
        &self.0
    }

    /// The place in the list of the node of this name; the first if there is none of that name.
    pub(crate) fn place_of(&self, name: Option<&str>) -> usize {
        let named = |candidate: &Candidate| Some(candidate.name.as_str()) == name;
        self.0.iter().position(named).unwrap_or(0)
    }
}
