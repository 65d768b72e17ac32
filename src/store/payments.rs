//! Payments: the request, the issued address, and the stored status.

mod changes;
mod price;
mod scripts;

use rusqlite::{OptionalExtension, Row, ToSql, params};

use crate::domain::amount::Amount;
use crate::domain::api_key::ApiKeyId;
use crate::domain::event_kind::EventKinds;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Metadata, Payment, PaymentId, Price, Status, Transition};
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;

use super::authenticated::{self, PAYMENTS, Value};
use super::columns::{
    event_kinds, event_kinds_column, impossible, script, tolerance, tolerance_column,
};
use super::disk_space;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

pub(crate) use changes::{
    changed_after, completed_without_coins, gaining_at, last_change, undecided_with_coins,
};
pub(crate) use scripts::{Ours, index_of_script, of_scripts, scripts_from};

const COLUMNS: &str = "derivation_index, id, merchant_id, script, amount, created_at, expires_at,
    late_until, confirmations, confirmations_pegout, reference, webhook_url, redirect_url,
    display_amount, status, status_at, late, api_key, tolerance, required_amount, price, metadata,
    events, accepted_amount, cancelled, mac";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evaluated {
    pub(crate) payment: Payment,
    pub(crate) status: Status,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) merchant: Option<MerchantId>,
    /// A status in the API's form.
    pub(crate) status: Option<&'static str>,
    pub(crate) reference: Option<String>,
    /// Only payments that this named API key created.
    pub(crate) api_key: Option<ApiKeyId>,
    /// Only payments with a smaller index, that is older ones.
    pub(crate) before: Option<DerivationIndex>,
}

pub(super) fn from_row(tx: &ReadTx, row: &Row) -> rusqlite::Result<Result<Evaluated, Error>> {
    if let Err(error) = tx.verify(&PAYMENTS, row)? {
        return Ok(Err(error));
    }
    let (tolerance, price, metadata, events) = match terms(row)? {
        Ok(terms) => terms,
        Err(error) => return Ok(Err(error)),
    };
    let payment = Payment {
        id: row.get("id")?,
        merchant: row.get("merchant_id")?,
        index: row.get("derivation_index")?,
        script: script(row, "script")?,
        amount: row.get("amount")?,
        price,
        tolerance,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        late_until: row.get("late_until")?,
        confirmations: row.get("confirmations")?,
        confirmations_pegout: row.get("confirmations_pegout")?,
        reference: row.get("reference")?,
        webhook_url: row.get("webhook_url")?,
        redirect_url: row.get("redirect_url")?,
        display_amount: row.get("display_amount")?,
        metadata,
        events,
        api_key: row.get("api_key")?,
    };
    let word: String = row.get("status")?;
    let at: Option<Timestamp> = row.get("status_at")?;
    let late: bool = row.get("late")?;
    let accepted: Option<Amount> = row.get("accepted_amount")?;
    let cancelled = row.get::<_, Option<bool>>("cancelled")?.unwrap_or(false);
    let status = match (word.as_str(), at) {
        ("pending", None) => Status::Pending,
        ("completed", Some(at)) => Status::Completed { at, late, accepted },
        ("expired", Some(at)) => Status::Expired { at, cancelled },
        _ => return Ok(Err(impossible("payments.status", word))),
    };
    Ok(Ok(Evaluated { payment, status }))
}

type Terms = (Tolerance, Option<Price>, Option<Metadata>, EventKinds);

/// The columns that most payments do not use.
fn terms(row: &Row) -> rusqlite::Result<Result<Terms, Error>> {
    let tolerance = match tolerance(row)? {
        Ok(tolerance) => tolerance,
        Err(error) => return Ok(Err(error)),
    };
    let metadata = match row.get::<_, Option<String>>("metadata")? {
        None => None,
        Some(json) => {
            let pairs = serde_json::from_str(&json).ok();
            let Some(metadata) = pairs.and_then(|pairs| Metadata::new(pairs).ok()) else {
                return Ok(Err(impossible("payments.metadata", json)));
            };
            Some(metadata)
        }
    };
    let events = match event_kinds(row, "events")? {
        Ok(events) => events.unwrap_or_default(),
        Err(error) => return Ok(Err(error)),
    };
    let price = match row.get::<_, Option<String>>("price")? {
        None => None,
        Some(json) => match price::read(&json) {
            Some(price) => Some(price),
            None => return Ok(Err(impossible("payments.price", json))),
        },
    };
    Ok(Ok((tolerance, price, metadata, events)))
}

/// Adds a pending payment. Its index and script are then issued for good.
///
/// # Errors
/// [`Error::Full`] if only the reserve of the disk is left, and database errors.
pub(crate) fn insert(tx: &WriteTx, payment: &Payment) -> Result<(), Error> {
    disk_space::require(tx.connection)?;
    tx.high_water.bump_over(payment.index)?;
    let script = payment.script.as_bytes();
    let (pending, no_time, late) = (Status::Pending.as_str(), None::<Timestamp>, false);
    let tolerance = tolerance_column(payment.tolerance);
    let required = tolerance.map(|_| payment.required());
    let metadata = payment.metadata.as_ref().map(Metadata::pairs).map(serde_json::to_string);
    let metadata = metadata.transpose().map_err(|error| impossible("payments.metadata", error))?;
    let events = event_kinds_column(payment.events);
    let price = payment.price.as_ref().map(price::column);
    let values: [Value; 23] = [
        ("derivation_index", &payment.index),
        ("id", &payment.id),
        ("merchant_id", &payment.merchant),
        ("script", &script),
        ("amount", &payment.amount),
        ("created_at", &payment.created_at),
        ("expires_at", &payment.expires_at),
        ("late_until", &payment.late_until),
        ("confirmations", &payment.confirmations),
        ("confirmations_pegout", &payment.confirmations_pegout),
        ("reference", &payment.reference),
        ("webhook_url", &payment.webhook_url),
        ("redirect_url", &payment.redirect_url),
        ("display_amount", &payment.display_amount),
        ("status", &pending),
        ("status_at", &no_time),
        ("late", &late),
        ("api_key", &payment.api_key),
        ("tolerance", &tolerance),
        ("required_amount", &required),
        ("price", &price),
        ("metadata", &metadata),
        ("events", &events),
    ];
    authenticated::insert(tx, &PAYMENTS, &values)
}

pub(crate) fn by_id(tx: &ReadTx, id: PaymentId) -> Result<Option<Evaluated>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE id = ?");
    tx.connection
        .prepare_cached(&sql)?
        .query_row([id], |row| from_row(tx, row))
        .optional()?
        .transpose()
}

/// The payment with this index, which must exist.
pub(crate) fn by_index(tx: &ReadTx, index: DerivationIndex) -> Result<Evaluated, Error> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE derivation_index = ?");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let found = statement.query_row([index], |row| from_row(tx, row)).optional()?;
    found.transpose()?.ok_or_else(|| impossible("derivation_index", index.get()))
}

/// The id in the row of this index, verified or not, for reports.
pub(crate) fn id_of(tx: &ReadTx, index: DerivationIndex) -> Result<Option<PaymentId>, Error> {
    let sql = "SELECT id FROM payments WHERE derivation_index = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let found = statement.query_row([index], |row| Ok(row.get(0).ok())).optional()?;
    Ok(found.flatten())
}

/// Makes the row of a payment trusted as it is: an operator vouches for it. Returns whether it
/// exists.
pub(crate) fn vouch(tx: &WriteTx, id: PaymentId) -> Result<bool, Error> {
    authenticated::vouch(tx, &PAYMENTS, "id = ?", &[&id])?;
    let sql = "SELECT EXISTS (SELECT 1 FROM payments WHERE id = ?)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// As [`vouch`], for at most `limit` payments of a merchant from an index on. Returns the last
/// one.
pub(crate) fn vouch_for_merchant(
    tx: &WriteTx,
    merchant: MerchantId,
    index: u32,
    limit: u32,
) -> Result<Option<u32>, Error> {
    let sql = "SELECT max(derivation_index) FROM (
                   SELECT derivation_index FROM payments
                   WHERE merchant_id = ? AND derivation_index >= ?
                   ORDER BY derivation_index LIMIT ?)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let last = statement.query_row(params![merchant, index, limit], |row| row.get(0))?;
    if let Some(last) = last {
        let these = "merchant_id = ? AND derivation_index BETWEEN ? AND ?";
        authenticated::vouch(tx, &PAYMENTS, these, &[&merchant, &index, &last])?;
    }
    Ok(last)
}

/// As [`by_index`], for callers that process many payments: an unreadable one is logged, as
/// `audit` reports it, and skipped.
pub(crate) fn readable(tx: &ReadTx, index: DerivationIndex) -> Result<Option<Evaluated>, Error> {
    match by_index(tx, index) {
        Err(error) if error.is_of_a_row() => {
            tracing::error!(index = index.get(), %error, "a payment cannot be read, and is skipped");
            Ok(None)
        }
        found => found.map(Some),
    }
}

pub(crate) fn count(tx: &ReadTx) -> Result<u64, Error> {
    let sql = "SELECT count(*) AS all_payments FROM payments";
    let count: i64 = tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

pub(crate) fn first_created_at(tx: &ReadTx) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT created_at FROM payments ORDER BY derivation_index LIMIT 1";
    Ok(tx.connection.query_row(sql, [], |row| row.get(0)).optional()?)
}

/// When the oldest pending payment was created.
pub(crate) fn oldest_pending(tx: &ReadTx) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT min(created_at) FROM payments WHERE status = 'pending'";
    Ok(tx.connection.query_row(sql, [], |row| row.get(0))?)
}

/// Payments newest first, at most `limit`. A merchant's payments are found by an index.
pub(crate) fn list(tx: &ReadTx, filter: &Filter, limit: u32) -> Result<Vec<Evaluated>, Error> {
    let (sql, mut bound) = list_query(filter);
    bound.push(&limit);
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map(&bound[..], |row| from_row(tx, row))?;
    authenticated::trusted(rows)
}

/// The query of [`list`] without its limit. It has only the requested conditions: `? IS NULL
/// OR …` would prevent the use of an index.
fn list_query(filter: &Filter) -> (String, Vec<&dyn ToSql>) {
    let mut conditions = Vec::new();
    let mut bound: Vec<&dyn ToSql> = Vec::new();
    if let Some(merchant) = &filter.merchant {
        conditions.push("merchant_id = ?");
        bound.push(merchant);
    }
    if let Some(status) = &filter.status {
        conditions.push("status = ?");
        bound.push(status);
    }
    if let Some(reference) = &filter.reference {
        conditions.push("reference = ?");
        bound.push(reference);
    }
    if let Some(api_key) = &filter.api_key {
        conditions.push("api_key = ?");
        bound.push(api_key);
    }
    if let Some(before) = &filter.before {
        conditions.push("derivation_index < ?");
        bound.push(before);
    }
    let conditions =
        if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") };
    let sql = format!(
        "SELECT {COLUMNS} FROM payments WHERE {conditions} ORDER BY derivation_index DESC LIMIT ?"
    );
    (sql, bound)
}

/// Whether at least `most` payments of a merchant are pending and not overdue. Counts rows
/// only if that many are pending at all.
pub(crate) fn has_open(
    tx: &ReadTx,
    merchant: MerchantId,
    now: Timestamp,
    most: u32,
) -> Result<bool, Error> {
    let sql = "SELECT pending FROM merchant_payments WHERE merchant_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let pending: Option<i64> = statement.query_row([merchant], |row| row.get(0)).optional()?;
    if pending.unwrap_or(0) < i64::from(most) {
        return Ok(false);
    }
    let sql = "SELECT count(*) FROM (
                   SELECT 1 FROM payments
                   WHERE merchant_id = ? AND status = 'pending' AND expires_at > ? LIMIT ?
               )";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let open: i64 = statement.query_row(params![merchant, now, most], |row| row.get(0))?;
    Ok(open >= i64::from(most))
}

/// Number of payments that a merchant created on a day, counted in days since 1970 UTC.
pub(crate) fn created_on(tx: &ReadTx, merchant: MerchantId, day: i64) -> Result<u32, Error> {
    let sql = "SELECT payments FROM merchant_days WHERE day = ? AND merchant_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let count = statement.query_row(params![day, merchant], |row| row.get(0)).optional()?;
    Ok(count.unwrap_or(0))
}

/// Whether a merchant's payments since a time that need fewer than `usual` confirmations sum to
/// more than a limit. Expired ones do not count. Reads the newest payments only.
pub(crate) fn low_sum_exceeds(
    tx: &ReadTx,
    merchant: MerchantId,
    usual: u32,
    since: Timestamp,
    limit: Amount,
) -> Result<bool, Error> {
    let sql = "SELECT created_at, confirmations, status, amount FROM payments
               WHERE merchant_id = ? ORDER BY derivation_index DESC";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query([merchant])?;
    let mut sum = Amount::ZERO;
    while let Some(row) = rows.next()? {
        if row.get::<_, Timestamp>("created_at")? < since {
            break;
        }
        let expired = row.get::<_, String>("status")? == "expired";
        if !expired && row.get::<_, u32>("confirmations")? < usual {
            sum = Amount::total([sum, row.get("amount")?]);
            if sum > limit {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Stores a status change, and returns the new status. An error means that the status changed
/// within this transaction: a bug.
pub(crate) fn decide(
    tx: &WriteTx,
    index: DerivationIndex,
    from: Status,
    transition: Transition,
    now: Timestamp,
) -> Result<Status, Error> {
    let after = transition.status(now);
    if by_index(tx, index)?.status.as_str() != from.as_str() {
        return Err(impossible("payments.status changed under", index.get()));
    }
    let (late, accepted, cancelled) = match after {
        Status::Completed { late, accepted, .. } => (late, accepted, None),
        Status::Expired { cancelled, .. } => (false, None, cancelled.then_some(true)),
        Status::Pending => (false, None, None),
    };
    let changes: [Value; 5] = [
        ("status", &after.as_str()),
        ("status_at", &now),
        ("late", &late),
        ("accepted_amount", &accepted),
        ("cancelled", &cancelled),
    ];
    authenticated::update(tx, &PAYMENTS, &[&index], &changes)?;
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_merchants_payments_are_found_by_an_index() {
        #[track_caller]
        fn check(store: &Store, filter: Filter, expected: &str) {
            let plan: Vec<String> = store
                .read_blocking(|tx| {
                    let (sql, mut bound) = list_query(&filter);
                    bound.push(&20);
                    let sql = format!("EXPLAIN QUERY PLAN {sql}");
                    let mut statement = tx.connection.prepare(&sql)?;
                    let rows = statement.query_map(&bound[..], |row| row.get("detail"))?;
                    Ok::<_, Error>(rows.collect::<Result<_, _>>()?)
                })
                .expect("a plan");
            assert_eq!(plan, [expected], "one search, no scan, no sorting: {filter:?}");
        }
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let of = |status, reference: Option<&str>, before| Filter {
            merchant: Some(MerchantId::from_random(1)),
            status,
            reference: reference.map(str::to_owned),
            api_key: None,
            before,
        };
        let index = DerivationIndex::new(7);
        let by = |index: &str| format!("SEARCH payments USING INDEX {index}");
        let usual = by("payments_by_merchant (merchant_id=?)");
        check(&store, of(None, None, None), &usual);
        let further = by("payments_by_merchant (merchant_id=? AND derivation_index<?)");
        check(&store, of(None, None, index), &further);
        let status = by("payments_by_status (merchant_id=? AND status=?)");
        check(&store, of(Some("expired"), None, None), &status);
        let further = by("payments_by_status (merchant_id=? AND status=? AND rowid<?)");
        check(&store, of(Some("expired"), None, index), &further);
        let reference = by("payments_by_reference (merchant_id=? AND reference=?)");
        check(&store, of(None, Some("a"), None), &reference);
        check(&store, of(Some("pending"), Some("a"), None), &reference);
        let further = by("payments_by_reference (merchant_id=? AND reference=? AND rowid<?)");
        check(&store, of(None, Some("a"), index), &further);
        let api_key = Some(ApiKeyId::from_random(1));
        let key = by("payments_by_api_key (merchant_id=? AND api_key=?)");
        check(&store, Filter { api_key, ..of(None, None, None) }, &key);
        let further = by("payments_by_api_key (merchant_id=? AND api_key=? AND rowid<?)");
        check(&store, Filter { api_key, ..of(None, None, index) }, &further);
    }
}
