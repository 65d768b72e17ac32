//! Reads payments and their facts, for all interfaces.

use crate::domain::api_key::ApiKeyId;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Payment, PaymentId, Status};
use crate::domain::time::Timestamp;
use crate::store::payments::{Evaluated, Filter};
use crate::store::{ReadTx, blocks, chain_guard_alerts, coins, merchants, payments, role_status};
use crate::view::PaymentFacts;

use super::reason::Reason;
use super::refusal::Refusal;

use crate::view::role_status::Role;

/// How old the watcher's last sync may be before pages announce a delay, in milliseconds.
pub(crate) const WATCHER_SILENCE_MS_MAX: i64 = 30_000;

pub(crate) fn facts(tx: &ReadTx, id: PaymentId, now: Timestamp) -> Result<PaymentFacts, Refusal> {
    let evaluated = payments::by_id(tx, id)?.ok_or(Refusal::UnknownPayment)?;
    facts_of(tx, evaluated, now)
}

/// The facts of a payment that was read already.
pub(crate) fn facts_of(
    tx: &ReadTx,
    evaluated: Evaluated,
    now: Timestamp,
) -> Result<PaymentFacts, Refusal> {
    let Evaluated { payment, status } = evaluated;
    let merchant = merchants::by_id(tx, payment.merchant)?
        .ok_or(Refusal::UnknownMerchant(payment.merchant))?;
    Ok(PaymentFacts {
        coins: coins::of_payment(tx, payment.index)?,
        tip: blocks::tip(tx)?,
        business_name: merchant.name.as_str().to_owned(),
        delayed: status == Status::Pending && (is_delayed(tx, now)? || chain_suspect(tx)?),
        payment,
        status,
    })
}

/// The facts of a payment at its creation.
pub(crate) fn facts_at_creation(tx: &ReadTx, payment: Payment) -> Result<PaymentFacts, Refusal> {
    let merchant = merchants::by_id(tx, payment.merchant)?
        .ok_or(Refusal::UnknownMerchant(payment.merchant))?;
    Ok(PaymentFacts {
        coins: Vec::new(),
        tip: None,
        business_name: merchant.name.as_str().to_owned(),
        delayed: false,
        payment,
        status: Status::Pending,
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListQuery {
    /// A status as the API spells it.
    pub(crate) status: Option<&'static str>,
    pub(crate) reference: Option<String>,
    /// Only payments that this named API key created.
    pub(crate) api_key: Option<ApiKeyId>,
    /// The last payment of the page before.
    pub(crate) after: Option<PaymentId>,
    pub(crate) limit: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) payments: Vec<PaymentFacts>,
    pub(crate) more: bool,
}

pub(crate) fn page(
    tx: &ReadTx,
    merchant: MerchantId,
    list_query: &ListQuery,
    now: Timestamp,
) -> Result<Page, Refusal> {
    let before = match list_query.after {
        None => None,
        Some(id) => {
            let is_seen = |last: &Payment| {
                last.merchant == merchant
                    && (list_query.api_key.is_none() || last.api_key == list_query.api_key)
            };
            let last = payments::by_id(tx, id)?.filter(|last| is_seen(&last.payment));
            let last = last.ok_or_else(|| Refusal::invalid("cursor", Reason::Cursor))?;
            Some(last.payment.index)
        }
    };
    let filter = Filter {
        merchant: Some(merchant),
        status: list_query.status,
        reference: list_query.reference.clone(),
        api_key: list_query.api_key,
        before,
    };
    let mut found = payments::list(tx, &filter, list_query.limit.saturating_add(1))?;
    let more = found.len() > list_query.limit as usize;
    found.truncate(list_query.limit as usize);
    let shown = found.into_iter().map(|evaluated| facts_of(tx, evaluated, now));
    Ok(Page { payments: shown.collect::<Result<_, _>>()?, more })
}

/// Whether the chain guard is active, so that some payments take longer.
pub(crate) fn chain_suspect(tx: &ReadTx) -> Result<bool, Refusal> {
    Ok(chain_guard_alerts::open(tx)?.is_some())
}

/// Whether the watcher is behind the node's tip for too long.
pub(crate) fn is_delayed(tx: &ReadTx, now: Timestamp) -> Result<bool, Refusal> {
    Ok(is_silent(watcher_at(tx)?, now))
}

/// When the watcher last reached the node's tip.
pub(crate) fn watcher_at(tx: &ReadTx) -> Result<Option<Timestamp>, Refusal> {
    Ok(role_status::of_role(tx, Role::Watcher)?.and_then(|role_status| role_status.at))
}

/// Whether the watcher's last sync is too old.
pub(crate) fn is_silent(watcher_at: Option<Timestamp>, now: Timestamp) -> bool {
    watcher_at.is_none_or(|at| now.ms_since(at) > WATCHER_SILENCE_MS_MAX)
}
