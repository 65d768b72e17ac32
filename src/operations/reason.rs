//! Reasons why a value is not allowed. Each message follows the name of a field.

use crate::domain::address::AddressError;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::confirmations::BadTiers;
use crate::domain::event_kind::BadEventKinds;
use crate::domain::fiat::{Currency, CurrencyError, FiatError};
use crate::domain::merchant::{BadName, GRANT_DAYS_MAX};
use crate::domain::payment::BadMetadata;
use crate::domain::tolerance::BadTolerance;
use crate::domain::webhook_url::BadUrl;

/// The longest announcement, in characters.
pub(crate) const ANNOUNCEMENT_CHARS_MAX: usize = 1_500;

/// The longest order id of a shop, in characters.
pub(crate) const REFERENCE_CHARS_MAX: usize = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("is an address of this gateway; use one of your own wallet")]
    OwnAddress,
    #[error(transparent)]
    Name(#[from] BadName),
    #[error(transparent)]
    Amount(#[from] AmountError),
    #[error("must be at least {0} LTC")]
    TooSmall(Amount),
    #[error("must have at most {REFERENCE_CHARS_MAX} characters, none of them invisible")]
    Reference,
    #[error(transparent)]
    Url(#[from] BadUrl),
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    #[error("{0} is not offered by this gateway")]
    CurrencyNotOffered(Currency),
    #[error(transparent)]
    Fiat(#[from] FiatError),
    #[error(transparent)]
    Confirmations(#[from] BadTiers),
    #[error(transparent)]
    Tolerance(#[from] BadTolerance),
    #[error(transparent)]
    Events(#[from] BadEventKinds),
    #[error(transparent)]
    Metadata(#[from] BadMetadata),
    #[error("must be between 1 and {GRANT_DAYS_MAX}")]
    Days,
    #[error("must have 1 to {ANNOUNCEMENT_CHARS_MAX} characters")]
    Announcement,
    #[error("must be a notification for merchants")]
    NotForMerchants,
    #[error("must be a year and a month, such as 2026-11")]
    Month,
    #[error("must be a nextCursor of this list")]
    Cursor,
    #[error("must be a nextCursor of this list")]
    EventCursor,
    #[error("must be due, delivered or failed")]
    EventState,
}
