//! Expiry of payments that were not paid in time.
//!
//! A payment that was paid in time stays pending until its coins are confirmed or removed,
//! perhaps for hours. So each overdue payment is examined once, and again only after one of
//! its coins changed, which the database numbers. Examining only reads; expired payments are
//! written in batches. One pass takes a bounded time, so that blocks and ZMQ messages are not
//! delayed.
//!
//! After a restart all overdue payments are examined again.

use std::time::{Duration, Instant};

use crate::domain::chain::AtTip;
use crate::domain::keys::DerivationIndex;
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::store::batches::{Batches, Ended};
use crate::store::overdue::{self, Overdue};
use crate::store::{Error, ReadTx, WriteTx, payments};

use super::apply::{self, Changes};

const PASS_TIME_MAX: Duration = Duration::from_millis(500);

/// How often all overdue payments are examined again, in milliseconds.
const RESTART_MS: i64 = 3_600_000;

#[derive(Debug, Default)]
pub(super) struct Expiry {
    round: Option<Round>,
}

/// One examination of all overdue payments.
#[derive(Debug, Clone, Copy)]
struct Round {
    began_at: Timestamp,
    last_at: Timestamp,
    /// The overdue payments up to this one were examined.
    examined: Option<Overdue>,
    /// Those of them that changed after this number have to be examined again.
    change: i64,
}

impl Expiry {
    /// Examines overdue payments, and expires those that are due. Calls `expired` after each
    /// write. `Stopped`: some are left for the next pass.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn pass(
        &mut self,
        batches: &Batches,
        network: Network,
        now: Timestamp,
        at_tip: AtTip,
        mut expired: impl FnMut(Changes),
    ) -> Result<Ended, Error> {
        let until = Instant::now() + PASS_TIME_MAX;
        let store = batches.store;
        let mut round = match self.round.filter(|round| round.continues_at(now)) {
            Some(round) => Round { last_at: now, ..round },
            None => {
                let change = store.read_blocking(payments::last_change)?;
                Round { began_at: now, last_at: now, examined: None, change }
            }
        };
        self.round = Some(round);
        let mut examined_all = false;
        while !examined_all && Instant::now() < until {
            let (next, due) = store.read_blocking(|tx| round.examine(tx, now, at_tip))?;
            examined_all = next.is_none();
            let each = move |tx: &WriteTx, index: &DerivationIndex, changes: &mut Changes| {
                apply::expire(tx, *index, network, now, at_tip, changes)
            };
            if batches.write(due, each, &mut expired)? == Ended::Stopped {
                return Ok(Ended::Stopped); // The next pass examines these again.
            }
            round = next.unwrap_or(round);
            self.round = Some(round);
        }
        Ok(if examined_all { Ended::Done } else { Ended::Stopped })
    }
}

impl Round {
    /// After the clock was set back, new payments may be overdue earlier than examined ones.
    fn continues_at(&self, now: Timestamp) -> bool {
        now >= self.last_at && now.ms_since(self.began_at) < RESTART_MS
    }

    /// Examines the next payments, changed ones first. Returns the progress, `None` if no
    /// payment was left, and the payments that are due.
    fn examine(
        self,
        tx: &ReadTx,
        now: Timestamp,
        at_tip: AtTip,
    ) -> Result<(Option<Round>, Vec<DerivationIndex>), Error> {
        let changed = overdue::changed_after(tx, self.change, now)?;
        let (next, indexes) = match changed {
            Some((change, indexes)) => (Round { change, ..self }, indexes),
            None => {
                let overdue = overdue::after(tx, self.examined, now)?;
                let Some(last) = overdue.last().copied() else { return Ok((None, Vec::new())) };
                let indexes = overdue.iter().map(|overdue| overdue.index).collect();
                (Round { examined: Some(last), ..self }, indexes)
            }
        };
        let mut due = Vec::new();
        for index in indexes {
            if apply::is_expired(tx, index, now, at_tip)? {
                due.push(index);
            }
        }
        Ok((Some(next), due))
    }
}

#[cfg(test)]
mod tests;
