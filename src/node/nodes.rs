//! The configured nodes, in their order. The watcher chooses the followed one and stores the
//! choice, because roles may run in several processes.

use std::sync::Arc;
use std::time::Duration;

use super::rpc::{self, Node};
use super::transport::Cancelled;
use super::zmq;

const HTTP_PROBE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) rpc: rpc::Settings,
    /// Its ZMQ publisher. Absent: the node is polled.
    pub(crate) zmq: Option<zmq::Settings>,
    /// The oldest version that is followed (`getnetworkinfo.version`).
    pub(crate) oldest: Option<u64>,
}

#[derive(Clone)]
pub(crate) struct Candidate {
    /// Host and port, which identify the node in log, metrics and database.
    pub(crate) name: String,
    pub(crate) node: Node,
    /// The same node with a shorter timeout.
    pub(crate) probe: Node,
    pub(crate) zmq: Option<zmq::Settings>,
    pub(crate) oldest: Option<u64>,
}

/// All nodes, at least one. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Nodes(Arc<[Candidate]>);

impl Nodes {
    /// The configuration ensures that there is one.
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

    /// The same nodes with calls that fail soon after `cancelled` returns true.
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

    /// The index of the node of this name, or 0 if no node has it.
    pub(crate) fn place_of(&self, name: Option<&str>) -> usize {
        let named = |candidate: &Candidate| Some(candidate.name.as_str()) == name;
        self.0.iter().position(named).unwrap_or(0)
    }
}
