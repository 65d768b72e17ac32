//! A merchant's payments with money, and its payouts, in the order of their creation.

use rusqlite::params;

use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::time::{DAY_MS, Timestamp};

use super::error::Error;
use super::indexes;
use super::tx::ReadTx;

/// How far the order of creation times may differ from the order of indexes: the clock may have
/// been set back.
const CLOCK_STEP_MS: i64 = DAY_MS;

/// The first index whose payment may have been created at or after a time. Searches by halves,
/// so that the cost does not grow with the history before.
pub(crate) fn first_index(tx: &ReadTx, from: Timestamp) -> Result<u32, Error> {
    let sql = "SELECT created_at FROM payments WHERE derivation_index >= ?
               ORDER BY derivation_index LIMIT 1";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let from = from.plus_ms(CLOCK_STEP_MS.saturating_neg());
    let (mut low, mut high) = (0u32, indexes::next_index(tx)?.get());
    while low < high {
        let middle = low + (high - low) / 2;
        let mut rows = statement.query([middle])?;
        let created_at: Option<Timestamp> =
            rows.next()?.map(|row| row.get("created_at")).transpose()?;
        match created_at {
            Some(at) if at < from => low = middle.saturating_add(1),
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}

/// Payments of a merchant from an index on that were created before a time and have a coin in a
/// block: at most `limit`, and whether the clock says that later ones are not wanted.
pub(crate) fn paid_from(
    tx: &ReadTx,
    merchant: MerchantId,
    index: u32,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<DerivationIndex>, Error> {
    let sql = "SELECT derivation_index FROM payments
               WHERE merchant_id = ?1 AND derivation_index >= ?2 AND created_at < ?3
                 AND EXISTS (SELECT 1 FROM coins
                             WHERE coins.derivation_index = payments.derivation_index
                               AND place = 'block')
               ORDER BY derivation_index LIMIT ?4";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![merchant, index, until, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
