//! Open pages: what changes of a payment is read once, and handed to every stream that shows it.
//!
//! One task looks at the database: at once when a role of this process says that something
//! changed, and twice a second by itself, for the roles may be other processes. A look reads what
//! changed since the last one, and of that only what some page shows. So pages that do not change
//! cost nothing, however many are open, and without an open page nothing is read at all.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::chain::BlockId;
use crate::domain::payment::{PaymentId, Place, Status};
use crate::domain::time::Timestamp;
use crate::operations::Refusal;
use crate::operations::payments::{chain_suspect, facts, is_delayed};
use crate::store::{ReadTx, blocks, payments};
use crate::view::PaymentFacts;

use super::Api;

/// How often the database is looked at without a signal.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Changes that are looked through one by one; after more of them every open page is read.
const CHANGES_MAX: u32 = 1_000;

type Latest = Option<Arc<PaymentFacts>>;

/// The pages that are open. There are no more than event streams.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    latest: HashMap<PaymentId, watch::Sender<Latest>>,
    /// Those of them that show something else with each block.
    confirming: HashSet<PaymentId>,
}

/// An open page of one payment: what a look finds new comes here. Closed when dropped.
#[derive(Debug)]
pub(super) struct Page {
    id: PaymentId,
    pages: Arc<Pages>,
    latest: watch::Receiver<Latest>,
}

/// How far the database was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// The number of the last change.
    number: i64,
    tip: Option<BlockId>,
    /// Whether pages of pending payments speak of a delay.
    delayed: bool,
}

impl Pages {
    /// Opens a page. What changes from now on reaches it; what it shows at first is to be read
    /// after this, so that no change falls between.
    pub(super) fn open(self: &Arc<Pages>, id: PaymentId) -> Page {
        let mut open = self.lock();
        let sender = open.latest.entry(id).or_insert_with(|| watch::Sender::new(None));
        Page { id, latest: sender.subscribe(), pages: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
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

    /// Takes note of what is shown, if a page of the payment is open.
    fn note(&self, facts: &PaymentFacts) {
        let mut open = self.lock();
        if counts_confirmations(facts) && open.latest.contains_key(&facts.payment.id) {
            open.confirming.insert(facts.payment.id);
        } else {
            open.confirming.remove(&facts.payment.id);
        }
    }

    fn publish(&self, facts: PaymentFacts) {
        self.note(&facts);
        if let Some(sender) = self.lock().latest.get(&facts.payment.id) {
            sender.send_replace(Some(Arc::new(facts)));
        }
    }

    /// What of the open pages changed after `seen`, and how far that was read.
    fn changed(
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
    /// How many pages of the payment are open, this one among them.
    pub(super) fn open_count(&self) -> usize {
        let open = self.pages.lock();
        open.latest.get(&self.id).map_or(1, watch::Sender::receiver_count)
    }

    /// Takes note of what the page shows at first. A look may have read something newer since, so
    /// this only adds: one page too many that is read at a new tip does no harm, one too few would.
    pub(super) fn show(&self, facts: &PaymentFacts) {
        if counts_confirmations(facts) {
            self.pages.note(facts);
        }
    }

    /// Ends with the payment as it is after the next change.
    pub(super) async fn changed(&mut self) -> Arc<PaymentFacts> {
        loop {
            if self.latest.changed().await.is_err() {
                std::future::pending::<()>().await; // The sender is there as long as the page.
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
        // The last one, for its own receiver still counts.
        if open.latest.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            open.latest.remove(&self.id);
            open.confirming.remove(&self.id);
        }
    }
}

/// Whether what is shown of the payment changes with each block.
fn counts_confirmations(facts: &PaymentFacts) -> bool {
    let in_block = facts.coins.iter().any(|coin| matches!(coin.place, Place::Block(_)));
    in_block && !matches!(facts.status, Status::Completed { .. })
}

/// Hands changes to the open pages until told to stop.
pub(crate) async fn follow(api: Arc<Api>) {
    let (mut seen, mut failing) = (None, false);
    while !api.shutdown.is_cancelled() {
        match look(&api, seen.clone()).await {
            Ok(next) => (seen, failing) = (next, false),
            Err(error) if failing => tracing::debug!(%error, "still cannot read what changed"),
            Err(error) => {
                tracing::error!(%error, "cannot read what changed for the open pages");
                failing = true;
            }
        }
        tokio::select! {
            () = api.shutdown.cancelled() => {}
            () = api.notifier.pages_notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// One look, if a page is open.
async fn look(api: &Api, seen: Option<Seen>) -> Result<Option<Seen>, Refusal> {
    if api.pages.is_empty() {
        return Ok(seen);
    }
    let (pages, now) = (api.pages.clone(), api.clock.now());
    let (next, changed) = api.store.read(move |tx| pages.changed(tx, seen.as_ref(), now)).await?;
    for facts in changed {
        api.pages.publish(facts);
    }
    Ok(Some(next))
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
        // Another page was opened before that, and read the payment while it was unconfirmed.
        let other = pages.open(id);
        other.show(&facts(Place::Mempool));
        assert_eq!(pages.confirming(), [id], "it is read again with each block");
        drop(page);
        assert_eq!(pages.confirming(), [id], "the other page is open");
        drop(other);
        assert!(pages.confirming().is_empty() && pages.is_empty());
    }
}
