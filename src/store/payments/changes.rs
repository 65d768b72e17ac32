//! Payments that changed, or that a new block may change.

use rusqlite::params;

use crate::domain::keys::DerivationIndex;
use crate::domain::payment::PaymentId;
use crate::store::error::Error;
use crate::store::tx::ReadTx;

/// The number of the last change to any payment's coins or status; 0 before the first.
pub(crate) fn last_change(tx: &ReadTx) -> Result<i64, Error> {
    let sql = "SELECT coalesce(max(number), 0) FROM payment_changes";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// The payments that changed after this number, oldest change first; `None` if there are more
/// than `most`.
pub(crate) fn changed_after(
    tx: &ReadTx,
    number: i64,
    most: u32,
) -> Result<Option<Vec<PaymentId>>, Error> {
    let sql = "SELECT id FROM payment_changes JOIN payments USING (derivation_index)
               WHERE number > ? ORDER BY number LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let one_more = most.saturating_add(1);
    let rows = statement.query_map(params![number, one_more], |row| row.get(0))?;
    let changed: Vec<PaymentId> = rows.collect::<Result<_, _>>()?;
    Ok(Some(changed).filter(|changed| changed.len() <= most as usize))
}

/// An incomplete payment with a coin that gains a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gaining {
    pub(crate) index: DerivationIndex,
    pub(crate) id: PaymentId,
    /// A coin has at least the payment's minimum of confirmations. Otherwise the payment
    /// cannot be complete.
    pub(crate) may_be_due: bool,
}

/// Incomplete payments with a coin that, at this height, has no more confirmations than the
/// payment may require. If all coins have more, an earlier block was decisive.
///
/// Uses two indexes only, whatever the history: `needed` are the few numbers of confirmations
/// that undecided payments require; for each, the coins of that many blocks are scanned. Only
/// the payments found are read.
pub(crate) fn gaining_at(tx: &ReadTx, height: u32) -> Result<Vec<Gaining>, Error> {
    let sql = "WITH RECURSIVE needed (most) AS (
                   SELECT max(confirmations_pegout) FROM payments INDEXED BY payments_undecided
                   WHERE status <> 'completed'
                   UNION ALL
                   SELECT (SELECT max(confirmations_pegout)
                           FROM payments INDEXED BY payments_undecided
                           WHERE status <> 'completed' AND confirmations_pegout < most)
                   FROM needed WHERE most IS NOT NULL
               )
               SELECT coins.derivation_index, id, block_height <= ?1 + 1 - confirmations
               FROM needed
               CROSS JOIN coins INDEXED BY coins_by_height ON block_height > ?1 - most
               CROSS JOIN payments INDEXED BY payments_undecided
                   ON confirmations_pegout = most
                   AND payments.derivation_index = coins.derivation_index
               WHERE status <> 'completed'";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([height], |row| {
        Ok(Gaining { index: row.get(0)?, id: row.get(1)?, may_be_due: row.get(2)? })
    })?;
    let mut gaining: Vec<Gaining> = rows.collect::<Result<_, _>>()?;
    // One line per coin: the one that may make its payment due comes first.
    gaining.sort_unstable_by_key(|one| (one.index, !one.may_be_due));
    gaining.dedup_by_key(|one| one.index);
    Ok(gaining)
}

/// Incomplete payments with a coin in a block, at any depth.
pub(crate) fn undecided_with_coins(tx: &ReadTx) -> Result<Vec<DerivationIndex>, Error> {
    let sql = "SELECT DISTINCT derivation_index FROM coins INDEXED BY coins_by_height
               CROSS JOIN payments USING (derivation_index)
               WHERE block_height > -1 AND status <> 'completed'";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Completed payments whose coins on the best chain do not reach the amount that completed
/// them.
pub(crate) fn completed_without_coins(tx: &ReadTx) -> Result<Vec<PaymentId>, Error> {
    let sql = "SELECT id FROM payments
               WHERE status = 'completed'
                 AND derivation_index IN
                     (SELECT derivation_index FROM coins WHERE place IN ('mempool', 'removed'))
                 AND coalesce(accepted_amount, required_amount, amount) > (SELECT coalesce(sum(coins.amount), 0) FROM coins
                               WHERE coins.derivation_index = payments.derivation_index
                                 AND place = 'block')
               ORDER BY derivation_index";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
