//! Retention: what the configuration says is removed after a time.

use crate::domain::keys::DerivationIndex;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::batches::{Batches, Ended};
use crate::store::retention::{self as rows, Aged};
use crate::store::{Error, WriteTx};

/// How long things are kept, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The shop's texts of a payment that expired without a coin.
    pub(crate) unpaid_payments_ms: i64,
    pub(crate) webhook_attempts_ms: i64,
    pub(crate) idempotency_keys_ms: i64,
}

/// Notices to merchants that were sent, or kept for them.
const NOTICES_MS: i64 = 90 * DAY_MS;

/// Questions of the bot after their time.
const CONFIRMATIONS_MS: i64 = DAY_MS;

/// Removes all that is too old, in bounded writes. Answers of how many payments, or `None` if it was
/// told to stop.
///
/// # Errors
/// Those of the database. What was removed before stays removed.
pub(crate) fn remove_old(
    batches: &Batches,
    rules: &Rules,
    now: Timestamp,
) -> Result<Option<usize>, Error> {
    // A repeated request gets the answer of the first one, texts and all: no key may outlive them.
    let keys_ms = rules.idempotency_keys_ms.min(rules.unpaid_payments_ms);
    for (table, kept_ms) in [
        (Aged::IdempotencyKeys, keys_ms),
        (Aged::Attempts, rules.webhook_attempts_ms),
        (Aged::Notices, NOTICES_MS),
        (Aged::Confirmations, CONFIRMATIONS_MS),
    ] {
        let before = now.plus_ms(kept_ms.saturating_neg());
        let some = move |tx: &WriteTx, limit| rows::delete_aged(tx, table, before, limit);
        if batches.until_done(some)? == Ended::Stopped {
            return Ok(None);
        }
    }
    let some = move |tx: &WriteTx, limit| rows::delete_superseded(tx, now, limit);
    if batches.until_done(some)? == Ended::Stopped {
        return Ok(None);
    }
    remove_texts(batches, now.plus_ms(rules.unpaid_payments_ms.saturating_neg()), now)
}

/// Removes the shop's texts of payments that expired without a coin before a time.
fn remove_texts(
    batches: &Batches,
    expired_before: Timestamp,
    now: Timestamp,
) -> Result<Option<usize>, Error> {
    let (mut from, mut removed) = ((Timestamp::from_ms(0), None), 0usize);
    loop {
        let due = batches
            .store
            .read_blocking(|tx| rows::unpaid_with_texts(tx, from, expired_before, now))?;
        let Some((at, last)) = due.last() else { return Ok(Some(removed)) };
        from = (*at, Some(*last));
        let each = |tx: &WriteTx, (_, index): &(Timestamp, DerivationIndex), count: &mut usize| {
            *count += usize::from(rows::remove_texts(tx, *index)?);
            Ok::<_, Error>(())
        };
        if batches.write(due, each, |count| removed += count)? == Ended::Stopped {
            return Ok(None);
        }
    }
}
