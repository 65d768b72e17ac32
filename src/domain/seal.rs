//! The sweeper's record: the payout addresses as it first saw them, and how far it has sealed
//! the payments. Other programs may write the database, but not this record.

pub(crate) mod notification;
mod record;
mod unreported;

pub(crate) use super::payout_address::{Seen, Unreported};
pub(crate) use record::{Record, Refused};
