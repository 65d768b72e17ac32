//! Response cache for `GET /api/payments/:paymentId`.
//!
//! Pages and shops poll payments that rarely change. Before each response a [`ChangeDetector`]
//! reports whether any process has committed. If so, the changes since then (numbered by
//! triggers) are read once, and the cached responses of those payments are dropped. A cached
//! response is never older than this process's last commit, or another process's commit of a
//! millisecond ago. The remaining seconds are computed for each response.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use warp::http::HeaderValue;

use crate::domain::chain::BlockId;
use crate::domain::payment::{PaymentId, Place, Status};
use crate::domain::time::Timestamp;
use crate::operations::Refusal;
use crate::operations::payments::{chain_suspect, is_silent, watcher_at};
use crate::store::change_detector::ChangeDetector;
use crate::store::{ReadTx, audit_log, blocks, payments};
use crate::view::PaymentFacts;

/// The most cached responses, of one to two kilobytes each. One more clears the cache.
const ENTRIES_MAX: usize = 8_192;

/// Changes that are evaluated one by one; more of them clear the cache.
const CHANGES_MAX: u32 = 250;

/// How far the database was read, as rising numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    /// The last change to a payment's coins or status.
    change: i64,
    /// The newest row of the audit log: an operation may change a business name.
    audit_entry: i64,
}

impl Mark {
    pub(super) fn of(tx: &ReadTx) -> Result<Mark, Refusal> {
        Ok(Mark { change: payments::last_change(tx)?, audit_entry: audit_log::newest(tx)? })
    }

    fn is_before(self, other: Mark) -> bool {
        self.change < other.change || self.audit_entry < other.audit_entry
    }
}

/// The inputs of all responses beside their payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Common {
    tip: Option<BlockId>,
    watcher_at: Option<Timestamp>,
    chain_suspect: bool,
}

/// A response without the remaining seconds.
#[derive(Debug)]
pub(super) struct CachedResponse {
    /// The JSON before and after the remaining seconds.
    pub(super) parts: [String; 2],
    pub(super) etag: HeaderValue,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug)]
struct Entry {
    response: Arc<CachedResponse>,
    /// The tip of the response, if it contains confirmations.
    tip: Option<Option<BlockId>>,
    /// Whether it announces a delay; `None` if its status never does.
    delayed: Option<bool>,
}

pub(crate) struct StatusCache {
    state: Mutex<State>,
}

struct State {
    change_detector: ChangeDetector,
    mark: Mark,
    common: Common,
    responses: HashMap<PaymentId, Entry>,
}

impl StatusCache {
    pub(crate) fn new(change_detector: ChangeDetector) -> StatusCache {
        let state = State {
            change_detector,
            mark: Mark::default(),
            common: Common::default(),
            responses: HashMap::new(),
        };
        StatusCache { state: Mutex::new(state) }
    }

    /// The cached response of a payment, if it is still valid.
    pub(super) fn get(&self, id: PaymentId, now: Timestamp) -> Option<Arc<CachedResponse>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = state.catch_up() {
            tracing::debug!(%error, "cannot check whether cached responses are valid");
            return None;
        }
        let entry = state.responses.get(&id).filter(|entry| state.common.allows(entry, now))?;
        Some(entry.response.clone())
    }

    /// Caches a response. Its facts and `mark` were read in one transaction.
    pub(super) fn insert(&self, facts: &PaymentFacts, mark: Mark, response: Arc<CachedResponse>) {
        let in_block = facts.coins.iter().any(|coin| matches!(coin.place, Place::Block(_)));
        let entry = Entry {
            response,
            tip: in_block.then_some(facts.tip),
            delayed: (facts.status == Status::Pending).then_some(facts.delayed),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Later changes were evaluated already, and would not drop this response again.
        if mark.is_before(state.mark) {
            return;
        }
        if state.responses.len() >= ENTRIES_MAX {
            state.responses.clear();
        }
        state.responses.insert(facts.payment.id, entry);
    }
}

impl State {
    /// Drops responses that are no longer valid.
    fn catch_up(&mut self) -> Result<(), Refusal> {
        let before = self.mark;
        let changes = self.change_detector.if_new(|tx| Changes::since(before, tx))?;
        let Some(Changes { mark, common, changed }) = changes else { return Ok(()) };
        match changed {
            Some(changed) => changed.iter().for_each(|id| drop(self.responses.remove(id))),
            None => self.responses.clear(),
        }
        (self.mark, self.common) = (mark, common);
        Ok(())
    }
}

impl Common {
    fn allows(&self, entry: &Entry, now: Timestamp) -> bool {
        let delayed = self.chain_suspect || is_silent(self.watcher_at, now);
        entry.tip.is_none_or(|tip| tip == self.tip)
            && entry.delayed.is_none_or(|was| was == delayed)
    }
}

/// The changes after a mark.
struct Changes {
    mark: Mark,
    common: Common,
    /// The changed payments; `None` if there are too many, or any may have changed.
    changed: Option<Vec<PaymentId>>,
}

impl Changes {
    fn since(before: Mark, tx: &ReadTx) -> Result<Changes, Refusal> {
        let mark = Mark::of(tx)?;
        let common = Common {
            tip: blocks::tip(tx)?,
            watcher_at: watcher_at(tx)?,
            chain_suspect: chain_suspect(tx)?,
        };
        let changed = match mark.audit_entry == before.audit_entry {
            true => payments::changed_after(tx, before.change, CHANGES_MAX)?,
            false => None,
        };
        Ok(Changes { mark, common, changed })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::facts;
    use super::*;
    use crate::store::audit_log::Act;
    use crate::store::{Error, Store};

    #[test]
    fn data_read_before_the_last_change_check_is_not_cached() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let cache = StatusCache::new(store.change_detector().expect("a connection"));
        let (now, facts) = (Timestamp::from_ms(0), facts(Place::Mempool));
        let id = facts.payment.id;
        let response = || {
            let (parts, etag) = ([String::new(), String::new()], HeaderValue::from_static("a"));
            Arc::new(CachedResponse { parts, etag, expires_at: now })
        };
        let read = || store.read_blocking(Mark::of).expect("readable");
        let old = read();
        assert!(cache.get(id, now).is_none(), "the cache is empty");
        let facts = PaymentFacts { delayed: true, ..facts }; // No watcher runs.
        cache.insert(&facts, old, response());
        assert!(cache.get(id, now).is_some());
        // A request reads the payment. Before it caches the response, another request sees a
        // change.
        store
            .write_blocking(move |tx| {
                let act = Act {
                    at: now,
                    actor: "cli:root".to_owned(),
                    place: None,
                    act: "set_name",
                    merchant: None,
                    before: None,
                    after: None,
                };
                audit_log::append(tx, &act)?;
                Ok::<_, Error>(())
            })
            .expect("written");
        assert!(cache.get(id, now).is_none(), "dropped");
        cache.insert(&facts, old, response());
        assert!(cache.get(id, now).is_none(), "a stale response is not cached");
        cache.insert(&facts, read(), response());
        assert!(cache.get(id, now).is_some());
    }
}
