//! The sweeper's record of payout addresses and sealed payments.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::audit_log::Head;
use crate::domain::merchant::{MerchantId, Registrations};
use crate::domain::payout_address::{self, Clocks, FirstSight, Reason, Rules, Seen, Standing};
use crate::domain::time::Timestamp;

use super::notification::{self, Notification};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// In the order of their versions.
    pub(crate) addresses: BTreeMap<MerchantId, Vec<Seen>>,
    /// Merchants whose payout address the database contradicts, so that a user must act.
    pub(crate) refused: BTreeMap<MerchantId, Refused>,
    /// Merchants with a payment that was seen before any payout address.
    pub(crate) payments_first: BTreeSet<MerchantId>,
    /// Merchants whose addresses, as the next pass finds them, the operator vouches for.
    pub(crate) trusted: BTreeSet<MerchantId>,
    /// All payments below this derivation index were sealed and are never sealed again.
    pub(crate) payments_below: u32,
    /// The newest verified row of the audit log; `None` until one was seen.
    pub(crate) audit_log: Option<Head>,
    /// When every address in the database had been seen, by the slower clock.
    pub(crate) looked_at: Option<Timestamp>,
}

/// A merchant whose payout address is refused until a user acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) version: u32,
    pub(crate) reason: Reason,
    /// By the sweeper's clock.
    pub(crate) since: Timestamp,
    /// Its notification was not delivered yet.
    pub(crate) unreported: bool,
}

/// The result of a pass over a merchant's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    pub(crate) standing: Standing,
    pub(crate) changed: bool,
    /// New notifications for the operator.
    pub(crate) news: Vec<Notification>,
}

/// Minimum number of registrations kept per merchant. Those older than the address in force
/// decide nothing.
const REGISTRATIONS_MIN: usize = 20;

impl Record {
    /// Observes the rows of a merchant's addresses, and when the merchant's first payment was
    /// created, if it was first seen with them. Returns where the merchant is paid.
    pub(crate) fn observe(
        &mut self,
        merchant: MerchantId,
        rows: &Registrations,
        clocks: Clocks,
        delay_ms: i64,
        first_payment: Option<Timestamp>,
    ) -> Observed {
        let first_sight = match first_payment {
            _ if self.trusted.contains(&merchant) => FirstSight::Trusted,
            _ if self.payments_first.contains(&merchant) => FirstSight::AfterPayment,
            Some(created_at) => FirstSight::WithPayment { created_at },
            None => FirstSight::BeforePayments,
        };
        let before = self.addresses.get(&merchant);
        let known = notification::of_addresses(merchant, before.into_iter().flatten());
        let mut seen = before.cloned().unwrap_or_default();
        let rules = Rules { delay_ms, looked_at: self.looked_at, first_sight };
        let standing = payout_address::observe(&mut seen, rows, clocks, rules);
        forget_oldest(&mut seen);
        let mut changed = before.map_or(!seen.is_empty(), |before| *before != seen);
        let mut news = notification::of_addresses(merchant, &seen);
        news.retain(|one| !known.contains(one));
        if seen.is_empty() {
            changed |= first_payment.is_some() && self.note_payment_first(merchant);
        } else if changed {
            self.payments_first.remove(&merchant);
            self.trusted.remove(&merchant);
            self.addresses.insert(merchant, seen);
        }
        Observed { standing, changed, news }
    }

    /// Records that a merchant's payment was seen without a readable payout address. Returns
    /// whether that is new.
    pub(crate) fn note_payment_first(&mut self, merchant: MerchantId) -> bool {
        !self.addresses.contains_key(&merchant) && self.payments_first.insert(merchant)
    }

    /// Whether it is recorded what came first, a payment or an address.
    pub(crate) fn knows(&self, merchant: MerchantId) -> bool {
        self.addresses.contains_key(&merchant) || self.payments_first.contains(&merchant)
    }

    /// Forgets a merchant's addresses: the operator vouches for those that the next pass
    /// finds.
    pub(crate) fn trust(&mut self, merchant: MerchantId) {
        self.addresses.remove(&merchant);
        self.refused.remove(&merchant);
        self.payments_first.remove(&merchant);
        self.trusted.insert(merchant);
    }
}

/// Drops registrations older than the address in force, to keep the record small. If such a
/// row returns, it is unknown and refused as inserted.
fn forget_oldest(seen: &mut Vec<Seen>) {
    let in_force = seen.iter().rposition(|known| known.was_in_force).unwrap_or(0);
    let old = in_force.min(seen.len().saturating_sub(REGISTRATIONS_MIN));
    seen.drain(..old);
}
