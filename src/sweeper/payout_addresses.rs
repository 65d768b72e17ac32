//! In-memory state about payout addresses, and the log lines about waiting payouts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bitcoin::ScriptBuf;

use crate::domain::merchant::MerchantId;
use crate::domain::payout_address::{Reason, Wait};
use crate::domain::time::Timestamp;
use crate::store::{self, Store, payout_waits};

/// What is remembered of payout addresses from check to check.
#[derive(Debug, Default)]
pub(crate) struct AddressMemory {
    /// Scripts that do not belong to the account. New payments do not get them.
    pub(super) vetted: BTreeSet<ScriptBuf>,
    /// For each merchant the newest registration and the number of cancelled ones at the last
    /// check.
    pub(super) marks: BTreeMap<MerchantId, (u32, u32)>,
    /// Merchants whose standing can change without a change of their rows.
    pub(super) time_dependent: BTreeSet<MerchantId>,
    /// The stored waits, once read.
    stored: Option<BTreeMap<MerchantId, Wait>>,
    /// The waits that are logged already.
    logged: BTreeMap<MerchantId, Wait>,
    /// The chain's time as last read.
    pub(super) chain: Option<Timestamp>,
    /// When reading the chain's time was last tried.
    pub(super) asked_at: Option<Instant>,
}

impl AddressMemory {
    pub(super) fn stored(
        &mut self,
        store: &Store,
    ) -> Result<&mut BTreeMap<MerchantId, Wait>, store::Error> {
        match &mut self.stored {
            Some(stored) => Ok(stored),
            none => {
                let all = store.read_blocking(payout_waits::all)?;
                Ok(none.insert(all.into_iter().map(|one| (one.merchant, one.wait)).collect()))
            }
        }
    }

    /// Logs why a merchant's payouts wait, once for each reason, and when they continue.
    pub(super) fn log_wait(&mut self, merchant: MerchantId, wait: Option<Wait>) {
        match wait {
            Some(wait) if self.logged.insert(merchant, wait) != Some(wait) => log(merchant, &wait),
            None if self.logged.remove(&merchant).is_some() => {
                tracing::info!(merchant_id = %merchant, "payouts resumed");
            }
            Some(_) | None => {}
        }
    }
}

fn log(merchant: MerchantId, wait: &Wait) {
    match wait.reason {
        Reason::Unconfirmed | Reason::Clock | Reason::Overtaken => {
            tracing::warn!(merchant_id = %merchant, why = %wait, "payouts wait");
        }
        Reason::OwnAddress | Reason::Damaged => {
            tracing::error!(merchant_id = %merchant, what = %wait, "payout address refused");
        }
        Reason::Changed
        | Reason::Missing
        | Reason::Inserted
        | Reason::CancelUndone
        | Reason::CancelledInForce
        | Reason::Backdated => {
            let what = format!("the database was changed outside the gateway: {wait}");
            tracing::error!(merchant_id = %merchant, what, "payout address refused");
        }
    }
}
