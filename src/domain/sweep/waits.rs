//! Why a coin is in no plan.

use std::fmt;

/// Why a coin is in no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// The issued script is not the one that the account key derives.
    NotOurs,
    /// The node does not have the coin, or has it with another amount or script.
    UnknownToNode,
    /// The node rejects a transaction with this coin, or to this payout address.
    Refused,
    /// The coin is not mature yet (coinbase or peg-out).
    Immature,
    NoAddress,
    /// The merchant's payout address differs from the one that the sweeper first saw.
    AddressRefused,
    /// The database and the sweeper do not agree yet on the merchant's payout address.
    AddressUnconfirmed,
    /// The merchant's coins do not reach `min_payout`.
    BelowMinimum,
    /// The fee would be more than `max_fee_percent` of the payout.
    TooExpensive,
    /// The payout after fees is dust, which nodes do not relay.
    Dust,
    /// The sweeper's seal does not match the payment: its row was changed outside the gateway.
    BrokenSeal,
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Waits::NotOurs => "its script is not the one that the account key derives",
            Waits::UnknownToNode => "the node does not have it",
            Waits::Refused => "the node refuses it",
            Waits::Immature => "it is not mature yet",
            Waits::NoAddress => "the merchant has no payout address in force",
            Waits::AddressRefused => {
                "its merchant's payout address was changed outside the gateway, or an older copy of \
                 the database was restored: see litegate doctor"
            }
            Waits::AddressUnconfirmed => {
                "its merchant's payout address is in force by the database, but not yet by the \
                 sweeper's record: see litegate doctor"
            }
            Waits::BelowMinimum => "the merchant's coins do not reach sweeper.min_payout",
            Waits::TooExpensive => "the fee would be more than sweeper.max_fee_percent",
            Waits::Dust => "the amount after fees is dust",
            Waits::BrokenSeal => "its payment was changed outside the gateway",
        })
    }
}
