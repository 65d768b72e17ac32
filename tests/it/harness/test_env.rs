//! The usual scene: a node, a gateway beside it, a shop that uses it.

use std::sync::Arc;

use super::gateway::Gateway;
use super::node::Node;
use super::shop::Shop;

/// All that most tests need. The gateway goes before the node.
pub(crate) struct TestEnv {
    pub(crate) gateway: Gateway,
    pub(crate) shop: Shop,
    pub(crate) node: Arc<Node>,
}

impl TestEnv {
    /// With the node that tests share. `None` if tests without a node are wanted.
    pub(crate) fn shared() -> Option<TestEnv> {
        Some(TestEnv::beside(Node::shared()?, |_| ()))
    }

    /// With a node of its own, for a test that counts blocks, reorganises or stops the node.
    pub(crate) fn alone() -> Option<TestEnv> {
        TestEnv::alone_with(|_| ())
    }

    /// With a node of its own and a changed configuration.
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
