//! Sums of one merchant's accounts, and the sweeps that paid it.

use rusqlite::{OptionalExtension, params};

use crate::domain::amount::Amount;
use crate::domain::ledger::{Account, CoinState, Fact, Ledger};
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::domain::sweep::SentPayout;

use super::columns::{impossible, txid};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// The sums of a merchant's coins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Balances on the best chain: coins by state, and payouts.
    pub(crate) ledger: Vec<Fact>,
    /// In the mempool.
    pub(crate) unconfirmed: Amount,
    /// On the best chain, with the confirmations that the payments require.
    pub(crate) confirmed: Amount,
}

/// A merchant's sums, from the stored ones. The cost does not grow with the history: only
/// coins of the last blocks are read, which may lack confirmations.
pub(crate) fn facts(tx: &ReadTx, merchant: MerchantId, tip_height: u32) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    let sql = "SELECT state, amount FROM merchant_coins WHERE merchant_id = ? AND amount <> 0
               ORDER BY state";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows =
        statement.query_map([merchant], |row| Ok((row.get("state")?, row.get("amount")?)))?;
    let mut in_blocks = Amount::ZERO;
    for row in rows {
        let (state, amount): (String, Amount) = row?;
        match state_of(&state)? {
            None => facts.unconfirmed = amount,
            Some(state) => {
                in_blocks = Amount::total([in_blocks, amount]);
                facts.ledger.push(Fact::Coin { amount, state });
            }
        }
    }
    let shallow = shallow(tx, merchant, tip_height)?;
    facts.confirmed = in_blocks
        .checked_sub(shallow)
        .ok_or_else(|| impossible("merchant_coins.amount", in_blocks))?;
    let sql = "SELECT amount, fee_share, operator_fee FROM merchant_payouts WHERE merchant_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let payout = statement.query_row([merchant], |row| {
        Ok(Fact::Payout { amount: row.get(0)?, fee_share: row.get(1)?, operator_fee: row.get(2)? })
    });
    let nothing = || Fact::Payout {
        amount: Amount::ZERO,
        fee_share: Amount::ZERO,
        operator_fee: Amount::ZERO,
    };
    facts.ledger.push(payout.optional()?.unwrap_or_else(nothing));
    Ok(facts)
}

/// The amount of a merchant's coins in blocks that lack required confirmations.
fn shallow(tx: &ReadTx, merchant: MerchantId, tip_height: u32) -> Result<Amount, Error> {
    let sql = "SELECT coalesce(sum(coins.amount), 0)
               FROM coins INDEXED BY coins_by_height CROSS JOIN payments USING (derivation_index)
               WHERE block_height > ?2 -
                       (SELECT confirmations_max FROM merchant_payments WHERE merchant_id = ?1)
                 AND merchant_id = ?1 AND place = 'block' AND ?2 - block_height + 1 <
                     iif(origin = 'pegout', confirmations_pegout, confirmations)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![merchant, tip_height], |row| row.get(0))?)
}

/// The state of a sum's coins; `None` for the mempool.
fn state_of(word: &str) -> Result<Option<CoinState>, Error> {
    match word {
        "mempool" => Ok(None),
        "spent" => Ok(Some(CoinState::SpentBySweep)),
        "elsewhere" => Ok(Some(CoinState::SpentElsewhere)),
        "claimed" => Ok(Some(CoinState::Claimed)),
        "unclaimed" => Ok(Some(CoinState::Unclaimed)),
        other => Err(impossible("state of a coin", other)),
    }
}

/// The same sums, computed from every coin and payout. The cost grows with the history: for
/// audits, which compare them with the stored ones.
pub(crate) fn facts_anew(
    tx: &ReadTx,
    merchant: MerchantId,
    tip_height: u32,
) -> Result<Facts, Error> {
    let sql = "SELECT CASE
                   WHEN place = 'mempool' THEN 'mempool'
                   WHEN spent_txid IN (SELECT txid FROM sweep_txs) THEN 'spent'
                   WHEN spent_txid IS NOT NULL THEN 'elsewhere'
                   WHEN sweep_id IS NOT NULL THEN 'claimed'
                   ELSE 'unclaimed' END AS state,
                 sum(coins.amount) AS amount,
                 sum(iif(place = 'block' AND ?2 - block_height + 1 >=
                         iif(origin = 'pegout', confirmations_pegout, confirmations),
                     coins.amount, 0)) AS confirmed
               FROM payments CROSS JOIN coins USING (derivation_index)
               WHERE merchant_id = ?1 AND place <> 'removed' GROUP BY 1";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![merchant, tip_height], |row| {
        let amounts: (Amount, Amount) = (row.get("amount")?, row.get("confirmed")?);
        Ok((row.get::<_, String>("state")?, amounts))
    })?;
    let mut facts = Facts::default();
    for row in rows {
        let (state, (amount, confirmed)) = row?;
        facts.confirmed = Amount::total([facts.confirmed, confirmed]);
        match state_of(&state)? {
            None => facts.unconfirmed = amount,
            Some(state) => facts.ledger.push(Fact::Coin { amount, state }),
        }
    }
    let sql = "SELECT coalesce(sum(amount), 0), coalesce(sum(fee_share), 0),
                      coalesce(sum(operator_fee), 0)
               FROM payouts JOIN sweep_txs USING (sweep_id, version)
               WHERE merchant_id = ? AND block_height IS NOT NULL";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let payout = statement.query_row([merchant], |row| {
        Ok(Fact::Payout { amount: row.get(0)?, fee_share: row.get(1)?, operator_fee: row.get(2)? })
    })?;
    facts.ledger.push(payout);
    Ok(facts)
}

/// Whether a merchant's stored sums match its coins, payouts and payments.
pub(crate) fn are_kept(tx: &ReadTx, merchant: MerchantId, tip_height: u32) -> Result<bool, Error> {
    let anew = facts_anew(tx, merchant, tip_height)?;
    let kept = match facts(tx, merchant, tip_height) {
        // A sum below zero or above the supply.
        Err(Error::Impossible(_) | Error::Sqlite(_)) => return Ok(false),
        kept => kept?,
    };
    let sums = |facts: &Facts| {
        let mut ledger = Ledger::default();
        facts.ledger.iter().for_each(|fact| ledger.book(*fact));
        let balances = Account::ALL.map(|account| ledger.balance(account));
        (balances, facts.unconfirmed, facts.confirmed)
    };
    Ok(sums(&kept) == sums(&anew) && payments_are_kept(tx, merchant)?)
}

/// Whether a merchant's stored numbers of payments are right.
fn payments_are_kept(tx: &ReadTx, merchant: MerchantId) -> Result<bool, Error> {
    let two = |sql: &str| {
        let mut statement = tx.connection.prepare_cached(sql)?;
        let found = statement
            .query_row([merchant], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        found.optional()
    };
    let kept = "SELECT pending, confirmations_max FROM merchant_payments WHERE merchant_id = ?";
    let anew = "SELECT count(*) FILTER (WHERE status = 'pending'), max(confirmations_pegout)
                FROM payments WHERE merchant_id = ? GROUP BY merchant_id";
    Ok(two(kept)? == two(anew)?)
}

/// Recomputes a merchant's stored sums, after another program wrote to the database without
/// the triggers.
pub(crate) fn keep_anew(tx: &WriteTx, merchant: MerchantId) -> Result<(), Error> {
    for sql in [
        "DELETE FROM merchant_coins WHERE merchant_id = ?",
        "INSERT INTO merchant_coins
         SELECT merchant_id,
             CASE WHEN place = 'mempool' THEN 'mempool'
                  WHEN spent_txid IN (SELECT txid FROM sweep_txs) THEN 'spent'
                  WHEN spent_txid IS NOT NULL THEN 'elsewhere'
                  WHEN sweep_id IS NOT NULL THEN 'claimed'
                  ELSE 'unclaimed' END AS state,
             sum(coins.amount)
         FROM payments CROSS JOIN coins USING (derivation_index)
         WHERE merchant_id = ? AND place <> 'removed' GROUP BY 1, 2",
        "DELETE FROM merchant_payouts WHERE merchant_id = ?",
        "INSERT INTO merchant_payouts
         SELECT merchant_id, sum(amount), sum(fee_share), sum(operator_fee)
         FROM payouts CROSS JOIN sweep_txs USING (sweep_id, version)
         WHERE merchant_id = ? AND block_height IS NOT NULL GROUP BY merchant_id",
        "DELETE FROM merchant_payments WHERE merchant_id = ?",
        "INSERT INTO merchant_payments
         SELECT merchant_id, count(*) FILTER (WHERE status = 'pending'), max(confirmations_pegout)
         FROM payments WHERE merchant_id = ? GROUP BY merchant_id",
    ] {
        tx.connection.execute(sql, [merchant])?;
    }
    Ok(())
}

/// A sweep that pays a merchant: its id, the merchant's payout, and the payments in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaidSweep {
    pub(crate) sweep: i64,
    pub(crate) payout: SentPayout,
    /// The payments whose coins it spends, with the amount of each.
    pub(crate) payments: Vec<(PaymentId, Amount)>,
}

/// The sweeps that pay a merchant, newest first. A sweep counts with its mined version, else
/// with its newest; an abandoned one pays nothing.
pub(crate) fn sweeps(
    tx: &ReadTx,
    merchant: MerchantId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<PaidSweep>, Error> {
    let sql = "SELECT sweep_id, sweep_txs.txid, gross, fee_share, operator_fee, amount,
                      sweep_txs.created_at, sweep_txs.block_height
               FROM payouts JOIN sweep_txs USING (sweep_id, version)
                            JOIN sweeps ON sweeps.id = sweep_id
               WHERE merchant_id = ?1 AND sweep_id < coalesce(?2, sweep_id + 1)
                 AND (abandoned_at IS NULL OR block_height IS NOT NULL)
                 AND version = coalesce(
                     (SELECT version FROM sweep_txs AS mined WHERE block_height IS NOT NULL
                       AND mined.sweep_id = payouts.sweep_id),
                     (SELECT max(version) FROM sweep_txs AS newest
                       WHERE newest.sweep_id = payouts.sweep_id))
               ORDER BY sweep_id DESC LIMIT ?3";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![merchant, before, limit], |row| {
        let payout = SentPayout {
            txid: txid(row, "txid")?,
            merchant,
            gross: row.get("gross")?,
            fee_share: row.get("fee_share")?,
            operator_fee: row.get("operator_fee")?,
            amount: row.get("amount")?,
            created_at: row.get("created_at")?,
            block_height: row.get("block_height")?,
        };
        Ok(PaidSweep { sweep: row.get("sweep_id")?, payout, payments: Vec::new() })
    })?;
    let mut found: Vec<PaidSweep> = rows.collect::<Result<_, _>>()?;
    for paid in &mut found {
        paid.payments = payments_in(tx, merchant, paid)?;
    }
    Ok(found)
}

/// A merchant's payments in a sweep: by the coins that it claims or, if it was mined, that it
/// spent.
fn payments_in(
    tx: &ReadTx,
    merchant: MerchantId,
    paid: &PaidSweep,
) -> Result<Vec<(PaymentId, Amount)>, Error> {
    let sql = "SELECT payments.id, sum(coins.amount) AS amount
               FROM coins CROSS JOIN payments USING (derivation_index)
               WHERE (sweep_id = ?2 OR (spent_height = ?3 AND spent_txid = ?4))
                 AND merchant_id = ?1
               GROUP BY derivation_index ORDER BY derivation_index";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let id = super::columns::txid_bytes(&paid.payout.txid);
    let values = params![merchant, paid.sweep, paid.payout.block_height, id];
    let rows = statement.query_map(values, |row| Ok((row.get("id")?, row.get("amount")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The id of a sweep that pays this merchant, by the txid of one of its versions.
pub(crate) fn sweep_of_txid(
    tx: &ReadTx,
    merchant: MerchantId,
    id: bitcoin::Txid,
) -> Result<Option<i64>, Error> {
    let sql = "SELECT sweep_id FROM sweep_txs JOIN payouts USING (sweep_id, version)
               WHERE txid = ? AND merchant_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let id = super::columns::txid_bytes(&id);
    Ok(statement.query_row(params![id, merchant], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn no_call_reads_a_whole_table() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a database");
        let merchant = MerchantId::from_random(1);
        let plan_of = |sql: &str| {
            store
                .read_blocking(|tx| {
                    let mut plan = tx.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                    let rows = plan.query_map([], |row| row.get::<_, String>("detail"))?;
                    Ok::<_, Error>(rows.collect::<Result<Vec<_>, _>>()?)
                })
                .expect("a plan")
        };
        for sql in [
            "SELECT sum(coins.amount) FROM payments CROSS JOIN coins USING (derivation_index)
             WHERE merchant_id = 1 AND place <> 'removed'",
            "SELECT * FROM payouts JOIN sweep_txs USING (sweep_id, version)
             JOIN sweeps ON sweeps.id = sweep_id
             WHERE merchant_id = 1 ORDER BY sweep_id DESC LIMIT 5",
            "SELECT * FROM coins CROSS JOIN payments USING (derivation_index)
             WHERE (sweep_id = 1 OR (spent_height = 2 AND spent_txid = x'00')) AND merchant_id = 1",
        ] {
            let steps = plan_of(sql);
            assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{sql}: {steps:?}");
        }
        let empty = store.read_blocking(|tx| facts(tx, merchant, 7)).expect("facts");
        assert_eq!(empty.ledger.len(), 1, "no coins, and a payout of nothing");
    }
}
