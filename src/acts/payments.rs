//! Looking at payments: the facts that every door shows.

use crate::domain::payment::{PaymentId, Status};
use crate::domain::time::Timestamp;
use crate::store::payments::Judged;
use crate::store::{ReadTx, blocks, coins, doubts, merchants, payments, progress};
use crate::view::PaymentFacts;

use super::Refusal;

/// The name under which the watcher records its progress.
pub(crate) const WATCHER: &str = "watcher";

/// How long the watcher may be silent before pages say that updates are delayed, in milliseconds.
pub(crate) const WATCHER_SILENCE_MS_MAX: i64 = 60_000;

/// All that there is to show of a payment.
pub(crate) fn facts(tx: &ReadTx, id: PaymentId, now: Timestamp) -> Result<PaymentFacts, Refusal> {
    let judged = payments::by_id(tx, id)?.ok_or(Refusal::UnknownPayment)?;
    facts_of(tx, judged, now)
}

/// The same for a payment that was read already.
pub(crate) fn facts_of(
    tx: &ReadTx,
    judged: Judged,
    now: Timestamp,
) -> Result<PaymentFacts, Refusal> {
    let Judged { payment, status } = judged;
    let merchant = merchants::by_id(tx, payment.merchant)?
        .ok_or(Refusal::UnknownMerchant(payment.merchant))?;
    Ok(PaymentFacts {
        coins: coins::of_payment(tx, payment.index)?,
        tip: blocks::tip(tx)?,
        business_name: merchant.name.as_str().to_owned(),
        delayed: status == Status::Pending && (is_delayed(tx, now)? || in_doubt(tx)?),
        payment,
        status,
    })
}

/// Whether there is a doubt about the chain, so that some payments wait for longer.
pub(crate) fn in_doubt(tx: &ReadTx) -> Result<bool, Refusal> {
    Ok(doubts::open(tx)?.is_some())
}

/// Whether the watcher has not been up to date for a while.
pub(crate) fn is_delayed(tx: &ReadTx, now: Timestamp) -> Result<bool, Refusal> {
    let last = progress::of_role(tx, WATCHER)?.and_then(|progress| progress.at);
    Ok(last.is_none_or(|at| now.ms_since(at) > WATCHER_SILENCE_MS_MAX))
}
