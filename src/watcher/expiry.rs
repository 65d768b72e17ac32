//! Letting payments expire whose time is up and that were not paid in time.
//!
//! A payment that was paid in time stays pending until its coins are confirmed or gone, for hours
//! perhaps. So each overdue payment is examined once, and again only after something of it changed:
//! the database numbers changes of coins. Examining only reads; what is due is written in batches.
//! A pass does a bounded part of it, so that blocks and hints get their turn.
//!
//! Nothing of this outlives the process: after a start everything overdue is examined once more.

use std::time::{Duration, Instant};

use crate::domain::chain::AtTip;
use crate::domain::keys::DerivationIndex;
use crate::domain::time::Timestamp;
use crate::store::batches::{Batches, Ended};
use crate::store::overdue::{self, Overdue};
use crate::store::{Error, ReadTx, WriteTx, payments};

use super::apply::{self, Changes};

/// How long one pass examines and writes.
const PASS_TIME_MAX: Duration = Duration::from_millis(500);

/// How often everything overdue is examined anew, in milliseconds, whatever was found before.
const ANEW_MS: i64 = 3_600_000;

/// What was examined.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    began: Option<Began>,
}

/// An examination of everything overdue, and how far it is.
#[derive(Debug, Clone, Copy)]
struct Began {
    at: Timestamp,
    /// The time of the last pass.
    last: Timestamp,
    /// All that are overdue up to this one were examined.
    examined: Option<Overdue>,
    /// Of these, those that changed after this number have to be examined again.
    change: i64,
}

impl Expiry {
    /// Examines what is overdue and was not examined, and lets expire what is due. `go_on` is asked
    /// before each write; `expired` hears what each write changed. Answers whether anything is left
    /// for the next pass.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn pass(
        &mut self,
        batches: &Batches,
        now: Timestamp,
        at_tip: AtTip,
        mut expired: impl FnMut(Changes),
    ) -> Result<Ended, Error> {
        let until = Instant::now() + PASS_TIME_MAX;
        let store = batches.store;
        let mut began = match self.began.filter(|began| began.holds_at(now)) {
            Some(began) => Began { last: now, ..began },
            None => {
                let change = store.read_blocking(payments::last_change)?;
                Began { at: now, last: now, examined: None, change }
            }
        };
        self.began = Some(began);
        let mut examined_all = false;
        while !examined_all && Instant::now() < until {
            let (next, due) = store.read_blocking(|tx| began.examine(tx, now, at_tip))?;
            examined_all = next.is_none();
            let each = move |tx: &WriteTx, index: &DerivationIndex, changes: &mut Changes| {
                apply::expire(tx, *index, now, at_tip, changes)
            };
            if batches.write(due, each, &mut expired)? == Ended::Stopped {
                return Ok(Ended::Stopped); // What was examined is examined again.
            }
            began = next.unwrap_or(began);
            self.began = Some(began);
        }
        Ok(if examined_all { Ended::Done } else { Ended::Stopped })
    }
}

impl Began {
    /// A clock that was set back lets payments be made that are overdue earlier than others were.
    fn holds_at(&self, now: Timestamp) -> bool {
        now >= self.last && now.ms_since(self.at) < ANEW_MS
    }

    /// Examines the next payments: those that changed first. Answers how far that is, `None` if
    /// none was left, and those that are due.
    fn examine(
        self,
        tx: &ReadTx,
        now: Timestamp,
        at_tip: AtTip,
    ) -> Result<(Option<Began>, Vec<DerivationIndex>), Error> {
        let changed = overdue::changed_after(tx, self.change, now)?;
        let (next, indexes) = match changed {
            Some((change, indexes)) => (Began { change, ..self }, indexes),
            None => {
                let overdue = overdue::after(tx, self.examined, now)?;
                let Some(last) = overdue.last().copied() else { return Ok((None, Vec::new())) };
                let indexes = overdue.iter().map(|overdue| overdue.index).collect();
                (Began { examined: Some(last), ..self }, indexes)
            }
        };
        let mut due = Vec::new();
        for index in indexes {
            if apply::is_over(tx, index, now, at_tip)? {
                due.push(index);
            }
        }
        Ok((Some(next), due))
    }
}

#[cfg(test)]
mod tests;
