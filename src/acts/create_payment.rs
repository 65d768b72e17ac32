//! Creating a payment: subscription and payout address are checked, the next index is taken and
//! its address derived, and all of it is stored in one write.

use bitcoin::hashes::{Hash, sha256};

use crate::domain::amount::Amount;
use crate::domain::keys::AccountXpub;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Payment, PaymentId};
use crate::domain::time::Timestamp;
use crate::store::payments::Judged;
use crate::store::{WriteTx, idempotency, merchants, payments};

use super::{Refusal, merchants as merchant_acts};

/// What the operator has configured for payments.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) confirmations: u32,
    /// From this amount on, at least `confirmations_large` are needed.
    pub(crate) large_amount: Amount,
    pub(crate) confirmations_large: u32,
    pub(crate) confirmations_pegout: u32,
    pub(crate) expiry_ms: i64,
    pub(crate) late_grace_ms: i64,
    pub(crate) min_amount: Amount,
}

/// The shortest and the longest life that a shop may ask for, in seconds.
pub(crate) const EXPIRES_IN_SECONDS: std::ops::RangeInclusive<u32> = 60..=86_400;

/// The longest order id of a shop, in characters.
pub(crate) const REFERENCE_CHARS_MAX: usize = 128;

/// A payment as asked for, every field already a value of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPayment {
    pub(crate) amount: Amount,
    pub(crate) webhook_url: Option<String>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) expires_in_seconds: Option<u32>,
}

impl NewPayment {
    /// What stands for this request when an idempotency key is used again.
    fn fingerprint(&self) -> [u8; 32] {
        // The fields are separated by a character that none of them can hold.
        let text = format!(
            "{}\n{:?}\n{:?}\n{:?}\n{:?}",
            self.amount.litoshis(),
            self.webhook_url,
            self.redirect_url,
            self.reference,
            self.expires_in_seconds
        );
        sha256::Hash::hash(text.as_bytes()).to_byte_array()
    }
}

/// Who asks for a payment, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) merchant: MerchantId,
    pub(crate) new: NewPayment,
    /// Makes repeated requests one payment.
    pub(crate) idempotency_key: Option<String>,
    /// The id that the payment gets, if this request makes it.
    pub(crate) id: PaymentId,
}

/// A payment that exists now, and whether this request made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Created {
    New(Judged),
    /// An earlier request with the same idempotency key made it.
    Replayed(Judged),
}

/// Creates a payment for a merchant.
///
/// # Errors
/// Without an active subscription, without a payout address, below the minimum amount, or when
/// the idempotency key stands for another request.
pub(crate) fn create_payment(
    tx: &WriteTx,
    rules: &Rules,
    xpub: &AccountXpub,
    request: &Request,
    now: Timestamp,
) -> Result<Created, Refusal> {
    let Request { merchant, new, idempotency_key, .. } = request;
    let merchant = *merchant;
    if let Some(key) = idempotency_key
        && let Some(used) = idempotency::find(tx, merchant, key)?
    {
        if used.request_hash != new.fingerprint() {
            return Err(Refusal::IdempotencyKeyReused);
        }
        return Ok(Created::Replayed(payments::by_index(tx, used.index)?));
    }
    let payment = judge(tx, rules, xpub, request, now)?;
    payments::insert(tx, &payment)?;
    if let Some(key) = idempotency_key {
        let request_hash = new.fingerprint();
        let used = idempotency::Used { request_hash, index: payment.index };
        idempotency::insert(tx, merchant, key, &used, now)?;
    }
    Ok(Created::New(payments::by_index(tx, payment.index)?))
}

fn judge(
    tx: &WriteTx,
    rules: &Rules,
    xpub: &AccountXpub,
    request: &Request,
    now: Timestamp,
) -> Result<Payment, Refusal> {
    let (merchant, new, id) = (request.merchant, &request.new, request.id);
    let account = merchant_acts::get(tx, merchant)?;
    if !account.subscription.is_active(now) {
        return Err(Refusal::SubscriptionInactive);
    }
    if !merchants::has_payout_address(tx, merchant)? {
        return Err(Refusal::PayoutAddressMissing);
    }
    if new.amount < rules.min_amount {
        let reason = format!("must be at least {} LTC", rules.min_amount);
        return Err(Refusal::invalid("amountLtc", reason));
    }
    let asked = account.confirmations.unwrap_or(rules.confirmations);
    let large = if new.amount >= rules.large_amount { rules.confirmations_large } else { 1 };
    let confirmations = asked.max(large);
    let life_ms =
        new.expires_in_seconds.map_or(rules.expiry_ms, |s| i64::from(s).saturating_mul(1000));
    let index = payments::next_index(tx)?;
    let expires_at = now.plus_ms(life_ms);
    Ok(Payment {
        id,
        merchant,
        index,
        script: xpub.script_at(index),
        amount: new.amount,
        created_at: now,
        expires_at,
        late_until: expires_at.plus_ms(rules.late_grace_ms),
        confirmations,
        confirmations_pegout: confirmations.max(rules.confirmations_pegout),
        reference: new.reference.clone(),
        webhook_url: new.webhook_url.clone(),
        redirect_url: new.redirect_url.clone(),
    })
}
