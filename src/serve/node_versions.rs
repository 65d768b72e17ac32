//! Leaves out nodes that are too old at start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::time::Timestamp;
use crate::node::nodes::{Candidate, Nodes};
use crate::node::transport::Cancelled;
use crate::operations;
use crate::store::{Store, node_in_use};

use super::refused::Refused;

/// Deadline for the versions of all nodes. The watcher asks again later.
const VERSIONS_TIMEOUT: Duration = Duration::from_secs(1);

/// Leaves out nodes that are too old, and follows another if the node in use is one of them.
/// The watcher asks a node again that does not answer within [`VERSIONS_TIMEOUT`].
///
/// # Errors
/// [`Refused::OldNode`] if every node is too old. One that does not answer does not count as
/// old.
pub(super) fn leave_out_old_nodes(
    nodes: &Nodes,
    store: &Store,
    now: Timestamp,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + VERSIONS_TIMEOUT;
    let asked = nodes.cancelled_by(&(Arc::new(move || Instant::now() >= deadline) as Cancelled));
    let too_old = |one: &Candidate| {
        let oldest = one.oldest?;
        let version = one.probe.version().ok()?;
        (version.number < oldest).then_some(version.name)
    };
    let versions: Vec<Option<String>> = std::thread::scope(|scope| {
        let asking: Vec<_> = asked.all().iter().map(|one| scope.spawn(|| too_old(one))).collect();
        asking.into_iter().map(|version| version.join().unwrap_or(None)).collect()
    });
    let (mut old, mut fit) = (Vec::new(), Vec::new());
    for (one, version) in nodes.all().iter().zip(versions) {
        match version {
            Some(version) => old.push((&one.name, version)),
            None => fit.push(&one.name),
        }
    }
    let Some((_, version)) = old.first() else { return Ok(()) };
    let Some(next) = fit.first() else { return Err(Refused::OldNode(version.clone()).into()) };
    for (node, version) in &old {
        tracing::warn!(node, version, "the node is too old and is left out until it is updated");
    }
    let in_use = &operations::nodes::in_use(store, nodes)?.name;
    if old.iter().any(|(name, _)| *name == in_use) {
        let next = (*next).clone();
        store.write_blocking(move |tx| node_in_use::follow(tx, &next, now))?;
    }
    Ok(())
}
