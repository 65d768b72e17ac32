//! Registry of open event streams: each change of a payment is read once and sent to all
//! streams that show it.
//!
//! `page_updates.rs` polls the database. A poll reads only the changed payments that have an
//! open stream, so streams without changes cost nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::domain::chain::BlockId;
use crate::domain::payment::{PaymentId, Place, Status};
use crate::domain::time::Timestamp;
use crate::operations::Refusal;
use crate::operations::payments::{chain_suspect, facts, is_delayed};
use crate::store::{ReadTx, blocks, payments};
use crate::view::PaymentFacts;

/// Changes that a poll evaluates one by one; after more of them it reads every open page.
const CHANGES_MAX: u32 = 1_000;

type Latest = Option<Arc<PaymentFacts>>;

/// The open pages, at most one per event stream.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    latest: HashMap<PaymentId, watch::Sender<Latest>>,
    /// Payments whose pages change with each block.
    confirming: HashSet<PaymentId>,
}

/// An open page of one payment, which receives its changes. Closed when dropped.
#[derive(Debug)]
pub(super) struct Page {
    id: PaymentId,
    pages: Arc<Pages>,
    latest: watch::Receiver<Latest>,
}

/// How far the database was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// The number of the last change.
    number: i64,
    tip: Option<BlockId>,
    /// Whether pages of pending payments announce a delay.
    delayed: bool,
}

impl Pages {
    /// Opens a page. Read the payment after this call, so that no change is lost between.
    pub(super) fn open(self: &Arc<Pages>, id: PaymentId) -> Page {
        let mut open = self.lock();
        let sender = open.latest.entry(id).or_insert_with(|| watch::Sender::new(None));
        Page { id, latest: sender.subscribe(), pages: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().latest.is_empty()
    }

    fn all(&self) -> Vec<PaymentId> {
        self.lock().latest.keys().copied().collect()
    }

    fn confirming(&self) -> Vec<PaymentId> {
        self.lock().confirming.iter().copied().collect()
    }

    fn shows(&self, id: &PaymentId) -> bool {
        self.lock().latest.contains_key(id)
    }

    /// Updates which pages change with each block.
    fn note(&self, facts: &PaymentFacts) {
        let mut open = self.lock();
        if counts_confirmations(facts) && open.latest.contains_key(&facts.payment.id) {
            open.confirming.insert(facts.payment.id);
        } else {
            open.confirming.remove(&facts.payment.id);
        }
    }

    /// Sends a payment to its open pages.
    pub(super) fn publish(&self, facts: PaymentFacts) {
        self.note(&facts);
        if let Some(sender) = self.lock().latest.get(&facts.payment.id) {
            sender.send_replace(Some(Arc::new(facts)));
        }
    }

    /// Reads the payments with open pages that changed after `seen`.
    pub(super) fn changed(
        &self,
        tx: &ReadTx,
        seen: Option<&Seen>,
        now: Timestamp,
    ) -> Result<(Seen, Vec<PaymentFacts>), Refusal> {
        let next = Seen {
            number: payments::last_change(tx)?,
            tip: blocks::tip(tx)?,
            delayed: is_delayed(tx, now)? || chain_suspect(tx)?,
        };
        let ids = match seen.filter(|seen| seen.delayed == next.delayed) {
            None => self.all(),
            Some(seen) => match payments::changed_after(tx, seen.number, CHANGES_MAX)? {
                None => self.all(),
                Some(mut ids) => {
                    if seen.tip != next.tip {
                        ids.extend(self.confirming());
                    }
                    ids
                }
            },
        };
        let shown: HashSet<PaymentId> = ids.into_iter().filter(|id| self.shows(id)).collect();
        let facts = shown.into_iter().map(|id| facts(tx, id, now));
        Ok((next, facts.collect::<Result<_, _>>()?))
    }
}

impl Page {
    /// How many pages of the payment are open, including this one.
    pub(super) fn open_count(&self) -> usize {
        let open = self.pages.lock();
        open.latest.get(&self.id).map_or(1, watch::Sender::receiver_count)
    }

    /// Records what the page shows first. A poll may have read something newer meanwhile, so
    /// this only adds: reading one page too many at a new tip is harmless, missing one is not.
    pub(super) fn show(&self, facts: &PaymentFacts) {
        if counts_confirmations(facts) {
            self.pages.note(facts);
        }
    }

    /// Waits for the next change of the payment.
    pub(super) async fn changed(&mut self) -> Arc<PaymentFacts> {
        loop {
            if self.latest.changed().await.is_err() {
                std::future::pending::<()>().await; // Unreachable: the sender lives as long as the page.
            }
            if let Some(facts) = self.latest.borrow_and_update().clone() {
                return facts;
            }
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let mut open = self.pages.lock();
        // 1: the receiver of this page itself.
        if open.latest.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            open.latest.remove(&self.id);
            open.confirming.remove(&self.id);
        }
    }
}

/// Whether the payment's page changes with each block.
fn counts_confirmations(facts: &PaymentFacts) -> bool {
    let in_block = facts.coins.iter().any(|coin| matches!(coin.place, Place::Block(_)));
    in_block && !matches!(facts.status, Status::Completed { .. })
}

#[cfg(test)]
mod tests {
    use bitcoin::BlockHash;
    use bitcoin::hashes::Hash;

    use super::super::fixture::facts;
    use super::*;

    #[test]
    fn a_page_opened_with_stale_data_is_still_updated() {
        let pages = Arc::new(Pages::default());
        let mined = facts(Place::Block(BlockId { height: 1, hash: BlockHash::all_zeros() }));
        let id = mined.payment.id;
        let page = pages.open(id);
        pages.publish(mined);
        // Another page read the payment while it was unconfirmed.
        let other = pages.open(id);
        other.show(&facts(Place::Mempool));
        assert_eq!(pages.confirming(), [id], "it is read again with each block");
        drop(page);
        assert_eq!(pages.confirming(), [id], "the other page is open");
        drop(other);
        assert!(pages.confirming().is_empty() && pages.is_empty());
    }
}
