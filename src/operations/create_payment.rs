//! Creates a payment: checks subscription and payout address, takes the next index, derives
//! its address, and stores all of it in one write.

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};

use crate::domain::amount::{Amount, AmountError};
use crate::domain::api_key::ApiKeyId;
use crate::domain::confirmations::{ConfirmationChoice, ConfirmationTiers};
use crate::domain::event_kind::EventKinds;
use crate::domain::fiat::{Currency, FiatAmount};
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::own_addresses;
use crate::domain::payment::{Metadata, Payment, PaymentId, Price, Status};
use crate::domain::printable::is_printable;
use crate::domain::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::domain::tolerance::Tolerance;
use crate::store::payments::Evaluated;
use crate::store::{self, ReadTx, WriteTx, idempotency, indexes, merchants, payments};

use super::addresses::Addresses;
use super::rates::{self, Rates};
pub(crate) use super::reason::REFERENCE_CHARS_MAX;
use super::reason::Reason;
use super::refusal::Refusal;
use super::{account_scan, merchants as merchant_operations};

/// The operator's configuration of payments.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) confirmations: u32,
    /// The lowest confirmations by amount. Without tiers a merchant may ask for any.
    pub(crate) confirmation_tiers: ConfirmationTiers,
    /// The largest sum of one merchant's payments within an hour that need fewer confirmations
    /// than `confirmations`; `None`: no limit.
    pub(crate) low_confirmation_limit: Option<Amount>,
    /// From this amount on, at least `confirmations_large` are required.
    pub(crate) large_amount: Amount,
    pub(crate) confirmations_large: u32,
    pub(crate) confirmations_pegout: u32,
    pub(crate) expiry_ms: i64,
    pub(crate) late_grace_ms: i64,
    pub(crate) min_amount: Amount,
    /// Prices in other currencies.
    pub(crate) rates: Rates,
    /// The most open payments of one merchant, so that unpaid orders cannot fill the database.
    pub(crate) max_open_payments: u32,
    /// The most payments that one merchant may create on a UTC day; 0: no limit.
    pub(crate) max_daily_payments: u32,
}

impl Rules {
    /// The confirmations that a payment of this amount requires. The merchant's number replaces
    /// the default; the operator's tiers and large amounts can only increase it.
    fn confirmations_for(&self, own: &ConfirmationChoice, amount: Amount) -> u32 {
        let lowest = match self.confirmation_tiers.is_empty() {
            true => None,
            false => Some(self.confirmation_tiers.for_amount(amount).unwrap_or(self.confirmations)),
        };
        let usual = lowest.unwrap_or(self.confirmations);
        let asked = own.tiers.for_amount(amount).or(own.others).unwrap_or(usual);
        let large = if amount >= self.large_amount { self.confirmations_large } else { 1 };
        asked.max(lowest.unwrap_or(1)).max(large)
    }

    /// As [`Rules::confirmations_for`], and at least the default once the merchant's limit of
    /// payments with fewer is reached.
    fn limited_confirmations(
        &self,
        tx: &ReadTx,
        merchant: &Merchant,
        amount: Amount,
        now: Timestamp,
    ) -> Result<u32, store::Error> {
        let confirmations = self.confirmations_for(&merchant.confirmations, amount);
        let Some(limit) = self.low_confirmation_limit else { return Ok(confirmations) };
        if confirmations >= self.confirmations {
            return Ok(confirmations);
        }
        let left = limit.checked_sub(amount);
        let since = now.plus_ms(-HOUR_MS);
        let exceeded = match left {
            None => true,
            Some(left) => {
                payments::low_sum_exceeds(tx, merchant.id, self.confirmations, since, left)?
            }
        };
        Ok(if exceeded { self.confirmations } else { confirmations })
    }
}

/// The allowed time until expiry, in seconds.
pub(crate) const EXPIRES_IN_SECONDS: std::ops::RangeInclusive<u32> = 60..=86_400;

/// The longest price in a shop's wording, in characters.
pub(crate) const DISPLAY_AMOUNT_CHARS_MAX: usize = 24;

/// The amount of a requested payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Ltc(Amount),
    /// A price in another currency.
    Price(FiatAmount),
}

/// A requested payment, with parsed fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPayment {
    pub(crate) amount: Asked,
    pub(crate) webhook_url: Option<String>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) reference: Option<String>,
    /// The price in the shop's wording.
    pub(crate) display_amount: Option<String>,
    pub(crate) expires_in_seconds: Option<u32>,
    pub(crate) metadata: Option<Metadata>,
    /// The events whose webhooks are sent; `None`: the merchant's setting.
    pub(crate) events: Option<EventKinds>,
    /// `None`: the merchant's setting.
    pub(crate) tolerance: Option<Tolerance>,
}

impl NewPayment {
    /// A payment that a person creates: an amount in a currency, LTC without one, and an
    /// optional reference.
    ///
    /// # Errors
    /// If the amount or the reference is invalid.
    pub(crate) fn by_hand(
        amount: &str,
        currency: Option<&str>,
        reference: Option<String>,
    ) -> Result<NewPayment, Refusal> {
        let amount = read_amount(amount.trim(), currency)?;
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
            metadata: None,
            events: None,
            tolerance: None,
        })
    }

    /// A hash that detects another request under the same idempotency key.
    fn fingerprint(&self) -> [u8; 32] {
        // No field can contain a line break.
        let amount = match self.amount {
            Asked::Ltc(amount) => amount.litoshis().to_string(),
            Asked::Price(price) => format!("{price} {}", price.currency()),
        };
        let mut text = format!(
            "{amount}\n{:?}\n{:?}\n{:?}\n{:?}",
            self.webhook_url, self.redirect_url, self.reference, self.expires_in_seconds
        );
        // Only if present, so that hashes from before these fields still match.
        if let Some(display_amount) = &self.display_amount {
            text.push_str(&format!("\n{display_amount:?}"));
        }
        if let Some(metadata) = &self.metadata {
            text.push_str(&format!("\nmetadata {:?}", metadata.pairs()));
        }
        if let Some(events) = self.events {
            text.push_str(&format!("\nevents {events}"));
        }
        if let Some(tolerance) = self.tolerance {
            text.push_str(&format!("\ntolerance {tolerance}"));
        }
        sha256::Hash::hash(text.as_bytes()).to_byte_array()
    }
}

/// The currency of amounts that name none.
const LTC: &str = "LTC";

/// An amount as a person writes it, with its currency.
fn read_amount(amount: &str, currency: Option<&str>) -> Result<Asked, Refusal> {
    match currency.map(str::trim).filter(|code| !code.eq_ignore_ascii_case(LTC)) {
        None => {
            Amount::parse(amount).map(Asked::Ltc).map_err(|error| Refusal::invalid("amount", error))
        }
        Some(code) => {
            let currency =
                Currency::parse(code).map_err(|error| Refusal::invalid("currency", error))?;
            let price = FiatAmount::parse(amount, currency);
            price.map(Asked::Price).map_err(|error| Refusal::invalid("amount", error))
        }
    }
}

/// The amount in LTC, and the price at the current rate if another currency was asked for.
///
/// # Errors
/// If the currency has no usable rate now, or the amount is too small or too large.
fn amount_of(
    tx: &ReadTx,
    rules: &Rules,
    asked: Asked,
    now: Timestamp,
) -> Result<(Amount, Option<Price>), Refusal> {
    let (amount, price, field) = match asked {
        Asked::Ltc(amount) => (amount, None, "amountLtc"),
        Asked::Price(price) => {
            let price = rates::price(tx, &rules.rates, price, now)?;
            let too_large = || Refusal::invalid("amount", AmountError::TooLarge);
            (price.in_ltc().ok_or_else(too_large)?, Some(price), "amount")
        }
    };
    if amount < rules.min_amount {
        return Err(Refusal::invalid(field, Reason::TooSmall(rules.min_amount)));
    }
    Ok((amount, price))
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
    let (amount, price) = amount_of(tx, rules, new.amount, now)?;
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
    let confirmations = rules.limited_confirmations(tx, &account, amount, now)?;
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
        amount,
        price,
        tolerance: new.tolerance.unwrap_or(account.tolerance),
        created_at: now,
        expires_at,
        late_until: expires_at.plus_ms(rules.late_grace_ms),
        confirmations,
        confirmations_pegout: confirmations.max(rules.confirmations_pegout),
        reference: new.reference.clone(),
        webhook_url: new.webhook_url.clone().or(account.webhook_url),
        redirect_url: new.redirect_url.clone(),
        display_amount: new.display_amount.clone(),
        metadata: new.metadata.clone(),
        events: new.events.unwrap_or(account.events),
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

    #[track_caller]
    fn check(tiers: &str, own: &str, amount: &str, expected: u32) {
        let parse = |text| Amount::parse(text).expect("a test writes amounts well");
        let choice = |text: &str| match text {
            "" => ConfirmationChoice::default(),
            text => ConfirmationChoice::parse(text).expect("a test writes tiers well"),
        };
        let rules = Rules {
            confirmations: 6,
            confirmation_tiers: choice(tiers).tiers,
            low_confirmation_limit: None,
            large_amount: parse("10"),
            confirmations_large: 12,
            confirmations_pegout: 24,
            expiry_ms: 1,
            late_grace_ms: 1,
            min_amount: parse("0.001"),
            rates: Rates::off(),
            max_open_payments: 100,
            max_daily_payments: 0,
        };
        let found = rules.confirmations_for(&choice(own), parse(amount));
        assert_eq!(found, expected, "{tiers:?} {own:?} {amount}");
    }

    #[test]
    fn confirmations_rise_with_the_amount_and_never_fall() {
        check("", "", "0.05", 6);
        check("", "", "9.99999999", 6);
        check("", "", "10", 12);
        check("", "", "84000000", 12);
        check("", "1", "0.05", 1);
        check("", "1", "10", 12);
        check("", "20", "0.05", 20);
        // A merchant's larger number is used.
        check("", "20", "10", 20);
        check("", "250", "10", 250);
    }

    #[test]
    fn the_operators_tiers_are_the_lowest_confirmations() {
        let tiers = "1 below 0.2, 3 below 2";
        check(tiers, "", "0.19999999", 1);
        check(tiers, "", "0.2", 3);
        check(tiers, "", "2", 6);
        check(tiers, "", "10", 12);
        // A merchant may ask for more, and not for less.
        check(tiers, "2", "0.1", 2);
        check(tiers, "2", "1", 3);
        check(tiers, "2", "2", 6);
        check(tiers, "2 below 1, 4 below 5", "0.1", 2);
        check(tiers, "2 below 1, 4 below 5", "1.5", 4);
        check(tiers, "2 below 1, 4 below 5", "3", 6);
        check(tiers, "2 below 1, 4 below 5", "5", 6);
        check("", "2 below 1, 4 below 5", "5", 6);
        check("", "2 below 1, 4 below 5", "0.5", 2);
        check("", "2 below 1, 4 below 5, 8", "5", 8);
    }
}
