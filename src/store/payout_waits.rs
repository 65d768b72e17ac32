//! Merchants whose payouts wait because database and sweeper's record disagree about the
//! payout address. The sweeper writes them for reports; they do not affect payouts.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::merchant::MerchantId;
use crate::domain::payout_address::{Reason, Wait};
use crate::domain::time::Timestamp;

use super::columns::impossible;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// A merchant's wait, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PayoutWait {
    pub(crate) merchant: MerchantId,
    pub(crate) wait: Wait,
    pub(crate) since: Timestamp,
}

fn from_row(row: &Row) -> rusqlite::Result<Result<PayoutWait, Error>> {
    let word: String = row.get("reason")?;
    let Ok(reason) = word.parse::<Reason>() else {
        return Ok(Err(impossible("payout_waits.reason", word)));
    };
    let wait = Wait {
        reason,
        version: row.get("version")?,
        newest_known: row.get("newest_known")?,
        until: row.get("until")?,
    };
    Ok(Ok(PayoutWait { merchant: row.get("merchant_id")?, wait, since: row.get("since")? }))
}

pub(crate) fn all(tx: &ReadTx) -> Result<Vec<PayoutWait>, Error> {
    let sql = "SELECT * FROM payout_waits ORDER BY merchant_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], from_row)?;
    rows.map(|row| row?).collect()
}

/// Why this merchant's payouts wait, if they do.
pub(crate) fn of(tx: &ReadTx, merchant: MerchantId) -> Result<Option<PayoutWait>, Error> {
    let sql = "SELECT * FROM payout_waits WHERE merchant_id = ?";
    tx.connection.prepare_cached(sql)?.query_row([merchant], from_row).optional()?.transpose()
}

/// Records that a merchant's payouts wait, or wait for another reason.
pub(crate) fn record(
    tx: &WriteTx,
    merchant: MerchantId,
    wait: &Wait,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO payout_waits
               (merchant_id, version, newest_known, reason, until, since) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (merchant_id) DO UPDATE SET version = excluded.version,
                   newest_known = excluded.newest_known, reason = excluded.reason,
                   until = excluded.until, since = excluded.since";
    let Wait { reason, version, newest_known, until } = wait;
    let values = params![merchant, version, newest_known, reason.as_str(), until, now];
    tx.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Records that a merchant's payouts no longer wait.
pub(crate) fn end(tx: &WriteTx, merchant: MerchantId) -> Result<(), Error> {
    let sql = "DELETE FROM payout_waits WHERE merchant_id = ?";
    tx.connection.prepare_cached(sql)?.execute([merchant])?;
    Ok(())
}
