//! Creates a payment: checks subscription and payout address, takes the next index, derives
//! its address, and stores all of it in one write.

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};

use crate::domain::amount::Amount;
use crate::domain::api_key::ApiKeyId;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::own_addresses;
use crate::domain::payment::{Payment, PaymentId, Status};
use crate::domain::printable::is_printable;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::payments::Evaluated;
use crate::store::{self, WriteTx, idempotency, indexes, merchants, payments};

use super::addresses::Addresses;
pub(crate) use super::reason::REFERENCE_CHARS_MAX;
use super::reason::Reason;
use super::refusal::Refusal;
use super::{account_scan, merchants as merchant_operations};

/// The operator's configuration of payments.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) confirmations: u32,
    /// From this amount on, at least `confirmations_large` are required.
    pub(crate) large_amount: Amount,
    pub(crate) confirmations_large: u32,
    pub(crate) confirmations_pegout: u32,
    pub(crate) expiry_ms: i64,
    pub(crate) late_grace_ms: i64,
    pub(crate) min_amount: Amount,
    /// The most open payments of one merchant, so that unpaid orders cannot fill the database.
    pub(crate) max_open_payments: u32,
    /// The most payments that one merchant may create on a UTC day; 0: no limit.
    pub(crate) max_daily_payments: u32,
}

impl Rules {
    /// The confirmations that a payment of this amount requires, and those for coins out of
    /// MWEB. The merchant's number replaces the default; large amounts and MWEB can only
    /// increase it.
    fn confirmations_for(&self, own: Option<u32>, amount: Amount) -> (u32, u32) {
        let asked = own.unwrap_or(self.confirmations);
        let large = if amount >= self.large_amount { self.confirmations_large } else { 1 };
        let confirmations = asked.max(large);
        (confirmations, confirmations.max(self.confirmations_pegout))
    }
}

/// The allowed time until expiry, in seconds.
pub(crate) const EXPIRES_IN_SECONDS: std::ops::RangeInclusive<u32> = 60..=86_400;

/// The longest price in a shop's wording, in characters.
pub(crate) const DISPLAY_AMOUNT_CHARS_MAX: usize = 24;

/// A requested payment, with parsed fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPayment {
    pub(crate) amount: Amount,
    pub(crate) webhook_url: Option<String>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) reference: Option<String>,
    /// The price in the shop's wording.
    pub(crate) display_amount: Option<String>,
    pub(crate) expires_in_seconds: Option<u32>,
}

impl NewPayment {
    /// A payment created by hand: an amount in LTC as text, and an optional reference.
    ///
    /// # Errors
    /// If the amount or the reference is invalid.
    pub(crate) fn by_hand(amount: &str, reference: Option<String>) -> Result<NewPayment, Refusal> {
        let amount = Amount::parse(amount.trim()).map_err(|e| Refusal::invalid("amount", e))?;
        if let Some(text) = &reference
            && (text.chars().count() > REFERENCE_CHARS_MAX || !is_printable(text))
        {
            return Err(Refusal::invalid("reference", Reason::Reference));
        }
        Ok(NewPayment {
            amount,
            webhook_url: None,
            redirect_url: None,
            reference: reference.filter(|text| !text.is_empty()),
            display_amount: None,
            expires_in_seconds: None,
        })
    }

    /// A hash that detects another request under the same idempotency key.
    fn fingerprint(&self) -> [u8; 32] {
        // No field can contain a line break.
        let mut text = format!(
            "{}\n{:?}\n{:?}\n{:?}\n{:?}",
            self.amount.litoshis(),
            self.webhook_url,
            self.redirect_url,
            self.reference,
            self.expires_in_seconds
        );
        // Only if present, so that hashes from before this field still match.
        if let Some(display_amount) = &self.display_amount {
            text.push_str(&format!("\n{display_amount:?}"));
        }
        sha256::Hash::hash(text.as_bytes()).to_byte_array()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) merchant: MerchantId,
    /// The named API key of the request.
    pub(crate) api_key: Option<ApiKeyId>,
    pub(crate) new: NewPayment,
    /// Makes repeated requests one payment.
    pub(crate) idempotency_key: Option<String>,
    /// The id of the payment, if this request creates it.
    pub(crate) id: PaymentId,
}

/// The payment of a request, and whether the request created it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Created {
    New(Evaluated),
    /// An earlier request with the same idempotency key created it.
    Replayed(Evaluated),
}

/// Creates a payment for a merchant.
///
/// # Errors
/// Without an active subscription or a payout address, while suspended, below the minimum
/// amount, with too many open payments or too many on one day, before it is known whether the
/// account was used before, or if the idempotency key was used with another request.
pub(crate) fn create_payment(
    tx: &WriteTx,
    rules: &Rules,
    addresses: &Addresses,
    request: &Request,
    now: Timestamp,
) -> Result<Created, Refusal> {
    let Request { merchant, new, idempotency_key, .. } = request;
    let merchant = *merchant;
    if let Some(repeated) = idempotency_key
        && let Some(used) = idempotency::find(tx, merchant, repeated)?
    {
        if used.request_hash != new.fingerprint() {
            return Err(Refusal::IdempotencyKeyReused);
        }
        return Ok(Created::Replayed(payments::by_index(tx, used.index)?));
    }
    let payment = new_payment(tx, rules, addresses, request, now)?;
    payments::insert(tx, &payment)?;
    if let Some(repeated) = idempotency_key {
        let request_hash = new.fingerprint();
        let used = idempotency::Used { request_hash, index: payment.index };
        idempotency::insert(tx, merchant, repeated, &used, now)?;
    }
    Ok(Created::New(Evaluated { payment, status: Status::Pending }))
}

fn new_payment(
    tx: &WriteTx,
    rules: &Rules,
    addresses: &Addresses,
    request: &Request,
    now: Timestamp,
) -> Result<Payment, Refusal> {
    let (merchant, new, id) = (request.merchant, &request.new, request.id);
    let account = merchant_operations::get(tx, merchant)?;
    merchant_operations::require_active(tx, &account, now)?;
    if !merchants::has_payout_address(tx, merchant)? {
        return Err(Refusal::PayoutAddressMissing);
    }
    if new.amount < rules.min_amount {
        return Err(Refusal::invalid("amountLtc", Reason::TooSmall(rules.min_amount)));
    }
    // Overdue payments do not count: without the node none expires, and shops must continue.
    if payments::has_open(tx, merchant, now, rules.max_open_payments)? {
        return Err(Refusal::TooManyOpen(rules.max_open_payments));
    }
    let day = now.ms().div_euclid(DAY_MS);
    if rules.max_daily_payments > 0
        && payments::created_on(tx, merchant, day)? >= rules.max_daily_payments
    {
        let tomorrow = Timestamp::from_ms(day.saturating_add(1).saturating_mul(DAY_MS));
        return Err(Refusal::daily(rules.max_daily_payments, tomorrow, now));
    }
    let (confirmations, confirmations_pegout) =
        rules.confirmations_for(account.confirmations, new.amount);
    let life_ms =
        new.expires_in_seconds.map_or(rules.expiry_ms, |s| i64::from(s).saturating_mul(1000));
    if !account_scan::is_answered(tx)? {
        return Err(Refusal::Starting);
    }
    let (index, script) = next_address(tx, addresses)?;
    let expires_at = now.plus_ms(life_ms);
    Ok(Payment {
        id,
        merchant,
        index,
        script,
        amount: new.amount,
        created_at: now,
        expires_at,
        late_until: expires_at.plus_ms(rules.late_grace_ms),
        confirmations,
        confirmations_pegout,
        reference: new.reference.clone(),
        webhook_url: new.webhook_url.clone().or(account.webhook_url),
        redirect_url: new.redirect_url.clone(),
        display_amount: new.display_amount.clone(),
        api_key: request.api_key,
    })
}

/// The most consecutive indexes whose addresses are registered for payouts. More than anyone
/// could register unnoticed.
const REGISTERED_IN_A_ROW_MAX: u32 = 1_000;

/// The next index, and the script of its address. An address that is registered for payouts is
/// skipped: a payout to it would pay the payment.
fn next_address(
    tx: &WriteTx,
    addresses: &Addresses,
) -> Result<(DerivationIndex, ScriptBuf), Refusal> {
    let first = indexes::next_index(tx)?.get();
    for index in (first..).take(usize::try_from(REGISTERED_IN_A_ROW_MAX).unwrap_or(1)) {
        let Some(index) = DerivationIndex::new(index) else { break };
        let script = addresses.take(index);
        let spellings = own_addresses::spellings(&script);
        if addresses.is_operators(&spellings) || merchants::is_registered(tx, &spellings)? {
            tracing::warn!(
                index = index.get(),
                "index skipped: its address is registered for payouts"
            );
            continue;
        }
        if payments::index_of_script(tx, &script)?.is_some() {
            tracing::error!(
                index = index.get(),
                "index skipped: a payment with another index has its address"
            );
            continue;
        }
        return Ok((index, script));
    }
    let problem =
        format!("the addresses of all indexes from {first} on are registered for payouts");
    Err(store::Error::Impossible(problem).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confirmations_rise_with_the_amount_and_never_fall() {
        #[track_caller]
        fn check(own: Option<u32>, amount: &str, expected: (u32, u32)) {
            let parse = |text| Amount::parse(text).expect("a test writes amounts well");
            let rules = Rules {
                confirmations: 6,
                large_amount: parse("10"),
                confirmations_large: 12,
                confirmations_pegout: 24,
                expiry_ms: 1,
                late_grace_ms: 1,
                min_amount: parse("0.001"),
                max_open_payments: 100,
                max_daily_payments: 0,
            };
            assert_eq!(rules.confirmations_for(own, parse(amount)), expected, "{own:?} {amount}");
        }
        check(None, "0.05", (6, 24));
        check(None, "9.99999999", (6, 24));
        check(None, "10", (12, 24));
        check(None, "84000000", (12, 24));
        check(Some(1), "0.05", (1, 24));
        check(Some(1), "10", (12, 24));
        check(Some(20), "0.05", (20, 24));
        // A merchant's larger number is used.
        check(Some(20), "10", (20, 24));
        check(Some(30), "0.05", (30, 30));
        check(Some(250), "10", (250, 250));
    }
}
