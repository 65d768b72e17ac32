//! Removes old data by the retention rules of the configuration.

use crate::domain::keys::DerivationIndex;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::batches::{Batches, Ended};
use crate::store::retention::{self as rows, Aged};
use crate::store::{Error, WriteTx};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Texts of a payment that expired without a coin.
    pub(crate) unpaid_payments_ms: i64,
    pub(crate) webhook_attempts_ms: i64,
    pub(crate) idempotency_keys_ms: i64,
    /// Exchange rates: as long as a payment can wait for a late coin.
    pub(crate) rates_ms: i64,
}

/// Longer than event streams replay.
const UNSENT_EVENTS_MS: i64 = 3 * DAY_MS;

const NOTIFICATIONS_MS: i64 = 90 * DAY_MS;

/// Expired confirmations of the bot.
const CONFIRMATIONS_MS: i64 = DAY_MS;

/// Removes old rows and texts in bounded writes. Returns how many payments lost their texts,
/// or `None` if it was stopped.
///
/// # Errors
/// Those of the database. Earlier removals stay.
pub(crate) fn remove_old(
    batches: &Batches,
    rules: &Rules,
    now: Timestamp,
) -> Result<Option<usize>, Error> {
    // A repeated request gets the first response with its texts, so a key must not outlive
    // them.
    let keys_ms = rules.idempotency_keys_ms.min(rules.unpaid_payments_ms);
    for (table, kept_ms) in [
        (Aged::IdempotencyKeys, keys_ms),
        (Aged::Attempts, rules.webhook_attempts_ms),
        (Aged::Notifications, NOTIFICATIONS_MS),
        (Aged::Confirmations, CONFIRMATIONS_MS),
        (Aged::UnsentEvents, UNSENT_EVENTS_MS),
        (Aged::Rates, rules.rates_ms),
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

/// Removes the texts of payments that expired without a coin before a time.
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
        let each =
            move |tx: &WriteTx, (_, index): &(Timestamp, DerivationIndex), count: &mut usize| {
                match rows::remove_texts(tx, *index) {
                    Ok(removed) => *count += usize::from(removed),
                    Err(error) if error.is_of_a_row() => {} // `audit` reports it.
                    Err(error) => return Err(error),
                }
                Ok::<_, Error>(())
            };
        if batches.write(due, each, |count| removed += count)? == Ended::Stopped {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::merchant::{Merchant, MerchantId};
    use crate::domain::payment::{Payment, Status, Transition};
    use crate::store::{Store, merchants, payments};

    #[test]
    fn a_payment_without_texts_is_authenticated_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let (index, forged) = (DerivationIndex::new(0), DerivationIndex::new(1));
        let (index, forged) = (index.expect("small"), forged.expect("small"));
        let at = Timestamp::from_ms(1_000);
        let make = move |tx: &WriteTx| {
            let merchant = Merchant::new_shop(MerchantId::from_random(1));
            merchants::insert(tx, &merchant)?;
            for n in [index, forged] {
                let reference = Some("order 7".to_owned());
                let payment = Payment { reference, ..Payment::smallest(merchant.id, n, at) };
                payments::insert(tx, &payment)?;
                payments::decide(tx, n, Status::Pending, Transition::Expire, at)?;
            }
            tx.spoil_mac("payments", "derivation_index = 1")
        };
        store.write_blocking(make).expect("two payments");
        let rules = Rules {
            unpaid_payments_ms: 1,
            webhook_attempts_ms: 1,
            idempotency_keys_ms: 1,
            rates_ms: 1,
        };
        let batches = Batches { store: &store, go_on: &|| true };
        let removed = remove_old(&batches, &rules, at.plus_ms(DAY_MS));
        assert_eq!(removed.expect("removed"), Some(1));
        let of = |n| store.read_blocking(|tx| payments::by_index(tx, n));
        assert_eq!(of(index).expect("it verifies").payment.reference, None);
        assert!(matches!(of(forged), Err(Error::Unverified { .. })), "an unverified row stays");
    }
}
