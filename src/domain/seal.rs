//! What the sweeper keeps of its own: the payout addresses as it saw them first, and how far it has
//! sealed the payments. The database may be written by others; this record is not.

pub(crate) mod notification;

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::ScriptBuf;

use super::audit_log::Head;
use super::merchant::{MerchantId, Registrations};
use super::payout_address::{self, Clocks, FirstSight, Rules, Standing};
use super::time::Timestamp;

use self::notification::{Notification, Refused, Unreported};

/// A registration as the sweeper saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) version: u32,
    pub(crate) script: ScriptBuf,
    /// By its row, at the first sight.
    pub(crate) registered_at: Timestamp,
    /// By its row, at the first sight.
    pub(crate) effective_at: Timestamp,
    /// By the sweeper's clock.
    pub(crate) first_seen_at: Timestamp,
    /// The chain's median time then; absent until a node has said it.
    pub(crate) first_seen_chain: Option<Timestamp>,
    /// The row said that it was older than it can be.
    pub(crate) backdated: bool,
    /// It was in force at one of our looks: from then on nobody can cancel it.
    pub(crate) was_in_force: bool,
    pub(crate) cancelled: bool,
    /// The notifications about it that were not delivered yet.
    pub(crate) unreported: Unreported,
}

/// All that the sweeper keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// In the order of their versions.
    pub(crate) addresses: BTreeMap<MerchantId, Vec<Seen>>,
    /// Merchants whose payout address needs a person, since the database contradicts this record.
    pub(crate) refused: BTreeMap<MerchantId, Refused>,
    /// Merchants of whom a payment was seen before any payout address.
    pub(crate) payments_first: BTreeSet<MerchantId>,
    /// Merchants for whose addresses the operator vouches, as the next look finds them.
    pub(crate) trusted: BTreeSet<MerchantId>,
    /// Every payment below this derivation index was sealed, and none is ever sealed again.
    pub(crate) payments_below: u32,
    /// The newest row of the audit log that followed from those before; absent until one was seen.
    pub(crate) audit_log: Option<Head>,
    /// When every address in the database had been seen, by the slower clock.
    pub(crate) looked_at: Option<Timestamp>,
}

/// What came of a look at a merchant's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    pub(crate) standing: Standing,
    /// Whether the record says more than before.
    pub(crate) changed: bool,
    /// What the operator is to be notified of.
    pub(crate) news: Vec<Notification>,
}

/// Registrations that are kept of a merchant at least, in the record: older ones than the address
/// in force decide nothing any more.
const KEPT: usize = 20;

impl Record {
    /// Takes the rows of a merchant's addresses, and when the merchant's first
    /// payment was created, if that came into sight with them. Answers where the merchant is paid
    /// now.
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

    /// Notes that a payment of a merchant was seen, and no payout address that can be read. Answers
    /// whether that was not known.
    pub(crate) fn note_payment_first(&mut self, merchant: MerchantId) -> bool {
        !self.addresses.contains_key(&merchant) && self.payments_first.insert(merchant)
    }

    /// Whether it is known what a merchant's first payment and first address were.
    pub(crate) fn knows(&self, merchant: MerchantId) -> bool {
        self.addresses.contains_key(&merchant) || self.payments_first.contains(&merchant)
    }

    /// Forgets what was seen of a merchant's addresses: the operator vouches for what the next look
    /// finds.
    pub(crate) fn trust(&mut self, merchant: MerchantId) {
        self.addresses.remove(&merchant);
        self.refused.remove(&merchant);
        self.payments_first.remove(&merchant);
        self.trusted.insert(merchant);
    }
}

/// Leaves out what is older than the address in force, so that the record stays small. A row that
/// comes back is unknown then, and refused as one put in behind a later one.
fn forget_oldest(seen: &mut Vec<Seen>) {
    let in_force = seen.iter().rposition(|known| known.was_in_force).unwrap_or(0);
    let old = in_force.min(seen.len().saturating_sub(KEPT));
    seen.drain(..old);
}
