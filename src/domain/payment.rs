//! A payment's life: its facts, its derived sums, and its status.
//!
//! Input are the payment, its coins and the tip. Sums, confirmations and lateness are computed
//! on each read; only [`Status`] is stored, because a completion is reported to the merchant
//! and cannot be undone.

mod announcement;
mod assessment;
mod coin;
mod detail;
mod id;
mod mempool_facts;
mod metadata;
mod price;
mod request;
mod status;

use super::address::Address;
use super::amount::Amount;

pub(crate) use announcement::{CausedCoin, announcements};
pub(crate) use assessment::assess;
pub(crate) use coin::{Coin, Origin, Place, first_sight};
pub(crate) use detail::{Detail, detail, short};
pub(crate) use id::PaymentId;
pub(crate) use mempool_facts::{FeeRate, MempoolFacts};
pub(crate) use metadata::{BadMetadata, Metadata};
pub(crate) use price::Price;
pub(crate) use request::Payment;
pub(crate) use status::{Status, Transition, accepts, completes, expires};

/// The payment URI (BIP21): lowercase, with the amount as the only parameter. Some Litecoin
/// wallets reject uppercase, or misread further parameters.
pub(crate) fn payment_uri(address: &Address, amount: Amount) -> String {
    format!("litecoin:{address}?amount={amount}")
}

#[cfg(test)]
mod tests;
