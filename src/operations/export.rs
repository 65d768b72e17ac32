//! A merchant's books for a period: a row for each payment that received money, and for each
//! payout.
//!
//! A payment belongs to the time of its creation, a payout to that of its sweep. The amounts of
//! all rows sum to those of the account, to the litoshi.

use bitcoin::Txid;

use crate::domain::amount::Amount;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Place, Price};
use crate::domain::time::Timestamp;
use crate::store::payments::{self, Evaluated};
use crate::store::{ReadTx, accounts, coins, export as rows};

use super::refusal::Refusal;

/// A period: `from` is part of it, `until` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Period {
    fn contains(self, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
    }
}

/// A payment that received money on the best chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaidRow {
    pub(crate) at: Timestamp,
    pub(crate) payment_id: String,
    pub(crate) reference: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) amount: Amount,
    pub(crate) price: Option<Price>,
    /// The sum of its coins in blocks.
    pub(crate) received: Amount,
    pub(crate) txids: Vec<Txid>,
}

/// The merchant's part of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PayoutRow {
    pub(crate) at: Timestamp,
    pub(crate) gross: Amount,
    pub(crate) fee_share: Amount,
    pub(crate) operator_fee: Amount,
    pub(crate) amount: Amount,
    pub(crate) txid: Txid,
}

/// Rows that are read at once.
const STEP: u32 = 500;

/// The first page of payments: pass it to [`payments()`].
pub(crate) fn start(tx: &ReadTx, period: Period) -> Result<u32, Refusal> {
    Ok(rows::first_index(tx, period.from)?)
}

/// A page of payments from an index on, and where the next page starts.
pub(crate) fn payments(
    tx: &ReadTx,
    merchant: MerchantId,
    period: Period,
    from_index: u32,
) -> Result<(Vec<PaidRow>, Option<u32>), Refusal> {
    let found = rows::paid_from(tx, merchant, from_index, period.until, STEP)?;
    let next = found.last().filter(|_| found.len() == STEP as usize);
    let next = next.map(|last| last.get().saturating_add(1));
    let mut page = Vec::new();
    for index in found {
        let Some(found) = payments::readable(tx, index)? else { continue };
        if period.contains(found.payment.created_at) {
            page.push(paid_row(tx, index, found)?);
        }
    }
    Ok((page, next))
}

fn paid_row(tx: &ReadTx, index: DerivationIndex, found: Evaluated) -> Result<PaidRow, Refusal> {
    let Evaluated { payment, status } = found;
    let mut mined = coins::of_payment(tx, index)?;
    mined.retain(|coin| matches!(coin.place, Place::Block(_)));
    let mut txids: Vec<Txid> = mined.iter().map(|coin| coin.outpoint.txid).collect();
    txids.dedup();
    Ok(PaidRow {
        at: payment.created_at,
        payment_id: payment.id.to_string(),
        reference: payment.reference,
        status: status.as_str(),
        amount: payment.amount,
        price: payment.price,
        received: Amount::total(mined.iter().map(|coin| coin.amount)),
        txids,
    })
}

/// A page of payouts, newest first, before the sweep of the previous page, and where the next
/// page starts.
pub(crate) fn payouts(
    tx: &ReadTx,
    merchant: MerchantId,
    period: Period,
    before: Option<i64>,
) -> Result<(Vec<PayoutRow>, Option<i64>), Refusal> {
    let found = accounts::sweeps(tx, merchant, before, STEP)?;
    let next = found.last().filter(|_| found.len() == STEP as usize).map(|last| last.sweep);
    let row = |paid: &accounts::PaidSweep| PayoutRow {
        at: paid.payout.created_at,
        gross: paid.payout.gross,
        fee_share: paid.payout.fee_share,
        operator_fee: paid.payout.operator_fee,
        amount: paid.payout.amount,
        txid: paid.payout.txid,
    };
    let page = found.iter().filter(|paid| period.contains(paid.payout.created_at)).map(row);
    Ok((page.collect(), next))
}
