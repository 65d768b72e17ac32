//! The usual scene: a node, a gateway beside it, a shop that uses it.

use std::sync::Arc;

use super::gate::Gate;
use super::node::Node;
use super::shop::Shop;

/// All that most tests need. The gateway goes before the node.
pub(crate) struct Stage {
    pub(crate) gate: Gate,
    pub(crate) shop: Shop,
    pub(crate) node: Arc<Node>,
}

impl Stage {
    /// With the node that tests share. `None` if tests without a node are wanted.
    pub(crate) fn shared() -> Option<Stage> {
        Some(Stage::beside(Node::shared()?, |_| ()))
    }

    /// With a node of its own, for a test that counts blocks, reorganises or stops the node.
    pub(crate) fn alone() -> Option<Stage> {
        Stage::alone_with(|_| ())
    }

    /// With a node of its own and a changed configuration.
    pub(crate) fn alone_with(configure: impl FnOnce(&Gate)) -> Option<Stage> {
        Some(Stage::beside(Arc::new(Node::start()?), configure))
    }

    /// With the shared node and a changed configuration.
    pub(crate) fn shared_with(configure: impl FnOnce(&Gate)) -> Option<Stage> {
        Some(Stage::beside(Node::shared()?, configure))
    }

    /// Beside this node.
    pub(crate) fn beside(node: Arc<Node>, configure: impl FnOnce(&Gate)) -> Stage {
        let gate = Gate::init(&node);
        configure(&gate);
        gate.start();
        gate.await_log(&["following the chain from here"]); // From then on addresses are issued.
        let shop = Shop::open(&gate, &node, "Corner Shop");
        Stage { gate, shop, node }
    }
}
