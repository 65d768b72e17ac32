//! Response cache for `GET /api/payments/:paymentId`.
//!
//! Pages and shops ask again and again for payments that have not changed. Before each response a
//! [`ChangeDetector`] says whether any process has committed. If so, the changes since (numbered by
//! triggers) are read once, and the cached responses that they concern are dropped. A cached response
//! is therefore never older than our last commit, nor than another process's of a millisecond ago.
//! Time alone changes the seconds that are left, which are written anew into each response.
//!

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

/// Answers that are kept at most, of one to two kilobytes each. One more, and all are forgotten.
const ENTRIES_MAX: usize = 8_192;

/// Changes that are looked through one by one; after more of them all answers are forgotten.
const CHANGES_MAX: u32 = 250;

/// How far the database was read, in numbers that only rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    /// The last change to a payment's coins or verdict.
    change: i64,
    /// The last act of a person, such as another business name.
    act: i64,
}

impl Mark {
    pub(super) fn of(tx: &ReadTx) -> Result<Mark, Refusal> {
        Ok(Mark { change: payments::last_change(tx)?, act: audit_log::newest(tx)? })
    }

    fn is_before(self, other: Mark) -> bool {
        self.change < other.change || self.act < other.act
    }
}

/// What all answers depend on beside their own payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Common {
    tip: Option<BlockId>,
    watcher_at: Option<Timestamp>,
    chain_suspect: bool,
}

/// An answer but for the seconds that are left.
#[derive(Debug)]
pub(super) struct Answer {
    /// The JSON before and after those seconds.
    pub(super) parts: [String; 2],
    pub(super) etag: HeaderValue,
    pub(super) expires_at: Timestamp,
}

#[derive(Debug)]
struct Entry {
    answer: Arc<Answer>,
    /// The tip that it was said at, if a coin in a block counts its confirmations from there.
    tip: Option<Option<BlockId>>,
    /// Whether it speaks of a delay, if it can.
    delayed: Option<bool>,
}

/// The answers that lie ready.
pub(crate) struct StatusCache {
    state: Mutex<State>,
}

struct State {
    change_detector: ChangeDetector,
    mark: Mark,
    common: Common,
    answers: HashMap<PaymentId, Entry>,
}

impl StatusCache {
    pub(crate) fn new(change_detector: ChangeDetector) -> StatusCache {
        let state = State {
            change_detector,
            mark: Mark::default(),
            common: Common::default(),
            answers: HashMap::new(),
        };
        StatusCache { state: Mutex::new(state) }
    }

    /// The answer for a payment, if it lies ready and nothing has changed since.
    pub(super) fn answer(&self, id: PaymentId, now: Timestamp) -> Option<Arc<Answer>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = state.catch_up() {
            tracing::debug!(%error, "cannot see whether answers that lie ready are still right");
            return None;
        }
        let kept = state.answers.get(&id).filter(|kept| state.common.allows(kept, now))?;
        Some(kept.answer.clone())
    }

    /// Keeps an answer, made of facts that were read in the same state as `mark`.
    pub(super) fn keep(&self, facts: &PaymentFacts, mark: Mark, answer: Arc<Answer>) {
        let in_block = facts.coins.iter().any(|coin| matches!(coin.place, Place::Block(_)));
        let kept = Entry {
            answer,
            tip: in_block.then_some(facts.tip),
            delayed: (facts.status == Status::Pending).then_some(facts.delayed),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What came between was looked through already and would not be met again.
        if mark.is_before(state.mark) {
            return;
        }
        if state.answers.len() >= ENTRIES_MAX {
            state.answers.clear();
        }
        state.answers.insert(facts.payment.id, kept);
    }
}

impl State {
    /// Forgets what is no longer right.
    fn catch_up(&mut self) -> Result<(), Refusal> {
        let before = self.mark;
        let news = self.change_detector.if_new(|tx| Changes::since(before, tx))?;
        let Some(Changes { mark, common, changed }) = news else { return Ok(()) };
        match changed {
            Some(changed) => changed.iter().for_each(|id| drop(self.answers.remove(id))),
            None => self.answers.clear(),
        }
        (self.mark, self.common) = (mark, common);
        Ok(())
    }
}

impl Common {
    fn allows(&self, kept: &Entry, now: Timestamp) -> bool {
        let delayed = self.chain_suspect || is_silent(self.watcher_at, now);
        kept.tip.is_none_or(|tip| tip == self.tip) && kept.delayed.is_none_or(|was| was == delayed)
    }
}

/// What came since a mark.
struct Changes {
    mark: Mark,
    common: Common,
    /// The payments that changed; `None` if they are many, or it may be any.
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
        let changed = match mark.act == before.act {
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
        let ready = StatusCache::new(store.change_detector().expect("a connection"));
        let (now, facts) = (Timestamp::from_ms(0), facts(Place::Mempool));
        let id = facts.payment.id;
        let answer = || {
            let (parts, etag) = ([String::new(), String::new()], HeaderValue::from_static("a"));
            Arc::new(Answer { parts, etag, expires_at: now })
        };
        let read = || store.read_blocking(Mark::of).expect("readable");
        let old = read();
        assert!(ready.answer(id, now).is_none(), "nothing lies ready yet");
        let facts = PaymentFacts { delayed: true, ..facts }; // There is no watcher.
        ready.keep(&facts, old, answer());
        assert!(ready.answer(id, now).is_some());
        // Somebody reads the payment, and before they keep it, it changes and a look sees that.
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
        assert!(ready.answer(id, now).is_none(), "forgotten");
        ready.keep(&facts, old, answer());
        assert!(ready.answer(id, now).is_none(), "what may be old is not kept");
        ready.keep(&facts, read(), answer());
        assert!(ready.answer(id, now).is_some());
    }
}
