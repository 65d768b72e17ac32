//! JSON shapes of the API, webhooks and the command line's `--json`.
//!
//! Amounts are written and read digit by digit, never as a float. Fields are only ever added.
//! The shapes import the domain, never the reverse.

pub(crate) mod account;
pub(crate) mod audit;
mod event;
mod event_body;
pub(crate) mod merchant;
pub(crate) mod notification;
mod payment;
pub(crate) mod rates;
pub(crate) mod role_status;
mod site;
pub(crate) mod sweep;
mod values;

pub(crate) use event::{AttemptView, EventView, TrialView};
pub(crate) use event_body::{EventBody, Occurrence};
pub(crate) use payment::{CoinView, PaymentFacts, PaymentView, receiving_address};
pub(crate) use site::Site;
pub(crate) use values::{Decimal, Ltc, Time, seconds_until};
