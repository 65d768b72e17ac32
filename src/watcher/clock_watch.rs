//! Checks the machine's clock against the chain: payments expire only by a clock that can be
//! trusted.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::clock::Clock;
use crate::domain::chain::BlockId;
use crate::domain::network::Network;
use crate::domain::time::{Timestamp, chain_confirms, chain_contradicts};
use crate::node::rpc::Node;

/// How long a clock that jumped must agree with the chain before it is trusted again.
const ADOPT_AFTER: Duration = Duration::from_secs(3600);

pub(super) struct ClockWatch {
    /// Regtest blocks are mined on demand, so their times prove nothing.
    chain_tells_time: bool,
    /// The median time past (BIP113) of this tip.
    median_time: Option<(BlockId, Timestamp)>,
    jumped_since: Option<Instant>,
    is_logged: bool,
}

impl ClockWatch {
    pub(super) fn new(network: Network) -> ClockWatch {
        let chain_tells_time = match network {
            Network::Main | Network::Test => true,
            Network::Regtest => false,
        };
        ClockWatch { chain_tells_time, median_time: None, jumped_since: None, is_logged: false }
    }

    /// Whether payments may expire by this clock. Logs each change.
    pub(super) fn is_sound(
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
        if sound == self.is_logged {
            self.is_logged = !sound;
            if sound {
                tracing::warn!(now = %clock.now(), "the clock is right again; payments expire");
            } else {
                tracing::error!(
                    machine = %wall,
                    jumped_seconds = jumped.map(|ms| ms / 1000),
                    median_time = median_time.map(|time| time.to_string()),
                    "the clock of this machine is wrong: no payment expires until it is right"
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
        let median = node.header(tip.hash).context("read the time of the tip")?.median_time;
        self.median_time = Some((tip, median));
        Ok(median)
    }
}
