//! Whether the time can be trusted enough to let payments expire. Holds the clock against the
//! chain, says once when it is wrong and once when it is right again.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::clock::Clock;
use crate::domain::chain::BlockId;
use crate::domain::network::Network;
use crate::domain::time::{Timestamp, chain_confirms, chain_contradicts};
use crate::node::rpc::Node;

/// How long a time that has jumped must agree with the chain before it is taken for right.
const ADOPT_AFTER: Duration = Duration::from_secs(3600);

/// What is remembered from look to look.
pub(crate) struct ClockWatch {
    /// On regtest blocks come when somebody wants them: they say nothing of the time.
    chain_tells_time: bool,
    /// The median time past of this tip.
    median_time: Option<(BlockId, Timestamp)>,
    jumped_since: Option<Instant>,
    on_progress: bool,
}

impl ClockWatch {
    pub(crate) fn new(network: Network) -> ClockWatch {
        let chain_tells_time = match network {
            Network::Main | Network::Test => true,
            Network::Regtest => false,
        };
        ClockWatch { chain_tells_time, median_time: None, jumped_since: None, on_progress: false }
    }

    /// Whether payments may expire by this clock.
    pub(crate) fn is_sound(
        &mut self,
        clock: &Clock,
        node: &Node,
        tip: BlockId,
    ) -> anyhow::Result<bool> {
        let median_time = if self.chain_tells_time { Some(self.median(node, tip)?) } else { None };
        let wall = clock.wall();
        let contradicted = median_time.is_some_and(|median| chain_contradicts(wall, median));
        let mut jumped = clock.jumped_ms();
        if jumped.is_some() {
            let since = *self.jumped_since.get_or_insert_with(Instant::now);
            let confirmed = median_time.is_some_and(|median| chain_confirms(wall, median));
            if confirmed && since.elapsed() >= ADOPT_AFTER {
                clock.adopt();
                jumped = None;
            }
        }
        if jumped.is_none() {
            self.jumped_since = None;
        }
        let sound = jumped.is_none() && !contradicted;
        if sound == self.on_progress {
            self.on_progress = !sound;
            if sound {
                tracing::warn!(now = %clock.now(), "the clock is right again; payments expire");
            } else {
                tracing::error!(
                    machine = %wall,
                    jumped_seconds = jumped.map(|ms| ms / 1000),
                    median_time = median_time.map(|time| time.to_string()),
                    "the clock of this machine is wrong: nothing expires until it is right"
                );
            }
        }
        Ok(sound)
    }

    fn median(&mut self, node: &Node, tip: BlockId) -> anyhow::Result<Timestamp> {
        if let Some((of, median)) = self.median_time
            && of == tip
        {
            return Ok(median);
        }
        let median = node.header(tip.hash).context("read the tip's time")?.median_time;
        self.median_time = Some((tip, median));
        Ok(median)
    }
}
