//! The usual test environment: a node, a gateway and a shop.

use std::sync::Arc;

use super::gateway::Gateway;
use super::node::Node;
use super::shop::Shop;

/// The objects of most tests. The gateway is dropped before the node.
pub(crate) struct TestEnv {
    pub(crate) gateway: Gateway,
    pub(crate) shop: Shop,
    pub(crate) node: Arc<Node>,
}

impl TestEnv {
    /// With the shared node. `None` if tests without a node are requested.
    pub(crate) fn shared() -> Option<TestEnv> {
        Some(TestEnv::beside(Node::shared()?, |_| ()))
    }

    /// With a separate node, for tests that count blocks, reorganise or stop it.
    pub(crate) fn alone() -> Option<TestEnv> {
        TestEnv::alone_with(|_| ())
    }

    /// With a separate node and a changed configuration.
    pub(crate) fn alone_with(configure: impl FnOnce(&Gateway)) -> Option<TestEnv> {
        Some(TestEnv::beside(Arc::new(Node::start()?), configure))
    }

    /// With the shared node and a changed configuration.
    pub(crate) fn shared_with(configure: impl FnOnce(&Gateway)) -> Option<TestEnv> {
        Some(TestEnv::beside(Node::shared()?, configure))
    }

    /// Beside this node.
    pub(crate) fn beside(node: Arc<Node>, configure: impl FnOnce(&Gateway)) -> TestEnv {
        let gateway = Gateway::init(&node);
        configure(&gateway);
        gateway.start();
        gateway.await_log(&["following the chain from here"]); // From then on addresses are issued.
        let shop = Shop::open(&gateway, &node, "Corner Shop");
        TestEnv { gateway, shop, node }
    }
}
