//! First sight: the sweeper seals payments and takes note of payout addresses once they are in the
//! database, about once a second, so that early sights can be told from late ones.
//!
//! Must not know: what is due, or how a sweep is made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context;

use crate::domain::merchant::MerchantId;
use crate::domain::payout_address::Clocks;
use crate::domain::time::Timestamp;
use crate::store::seals::Created;
use crate::store::{ReadTx, merchants};
use crate::watchdog::{self, Loop};

use super::Sweeper;
use super::payees::Rows;
use super::seals::Seals;

/// How often the node is asked for the chain's time: while an address waits for it, and else.
const CHAIN_TIME_AWAITED: Duration = Duration::from_secs(10);
const CHAIN_TIME: Duration = Duration::from_secs(60);

/// Payments that came into sight, in one state of the database.
struct NewPayments {
    payments: Vec<Created>,
    /// The derivation index above them.
    below: u32,
    /// The addresses of the merchants of whom nothing was known, as they are in that state.
    strangers: Vec<Rows>,
    /// When the first payment of each of these was created.
    first_payments: BTreeMap<MerchantId, Timestamp>,
}

impl Sweeper {
    /// Seals new payments, and takes note of new payout addresses.
    pub(super) fn seal_new(&mut self) -> anyhow::Result<()> {
        self.see_payments().context("seal the payments")?;
        self.see_addresses().context("see the payout addresses")
    }

    /// Seals the payments that were not seen before. Cheap if there are none. A merchant's
    /// addresses are read with its first payment, in one state of the database, so that no crash in
    /// between makes an address look later than the payment.
    fn see_payments(&mut self) -> anyhow::Result<()> {
        loop {
            watchdog::heartbeat(Loop::Sweeper);
            let Some(seals) = &self.seals else { return Ok(()) };
            let new = self.store.read_blocking(|tx| self.new_payments(tx, seals))?;
            let Some(new) = new else { return Ok(()) };
            if !new.strangers.is_empty() {
                let clocks = self.clocks();
                self.evaluate(new.strangers, &new.first_payments, clocks)?;
            }
            if let Some(seals) = &mut self.seals {
                seals.seal(&self.store, &new.payments, new.below)?;
            }
        }
    }

    fn new_payments(&self, tx: &ReadTx, seals: &Seals) -> anyhow::Result<Option<NewPayments>> {
        let Some((payments, below)) = seals.new_payments(tx)? else { return Ok(None) };
        let mut first_payments: BTreeMap<MerchantId, Timestamp> = BTreeMap::new();
        for (facts, created_at) in &payments {
            if !seals.knows(facts.merchant) {
                let first = first_payments.entry(facts.merchant).or_insert(*created_at);
                *first = (*first).min(*created_at);
            }
        }
        let rows = |merchant: &MerchantId| Ok((*merchant, self.rows_of(tx, *merchant)?));
        let strangers = first_payments.keys().map(rows).collect::<anyhow::Result<_>>()?;
        Ok(Some(NewPayments { payments, below, strangers, first_payments }))
    }

    /// Takes note of payout addresses that are new and of changes that were cancelled, so that the
    /// delay of a change begins when it was asked for, and not when money is due, and nobody can
    /// undo a cancellation unseen.
    fn see_addresses(&mut self) -> anyhow::Result<()> {
        let Some(seals) = &self.seals else { return Ok(()) };
        let began = self.clock.now();
        let marks: BTreeMap<MerchantId, (u32, u32)> = self
            .store
            .read_blocking(merchants::address_marks)?
            .into_iter()
            .map(|(merchant, newest, cancelled)| (merchant, (newest, cancelled)))
            .collect();
        let changed = |merchant: &MerchantId| {
            marks.get(merchant).is_none_or(|now| self.addresses.marks.get(merchant) != Some(now))
        };
        let all = marks.keys().copied().chain(seals.merchants());
        let mut due: BTreeSet<MerchantId> = all.filter(changed).collect();
        let pause = match self.addresses.unsteady.is_empty() {
            true => CHAIN_TIME,
            false => CHAIN_TIME_AWAITED,
        };
        let stale = self.addresses.asked_at.is_none_or(|at| at.elapsed() >= pause);
        if stale {
            due.extend(self.addresses.unsteady.iter().copied());
        }
        let clocks = match due.is_empty() && !stale {
            true => Clocks { own: began, chain: None },
            false => self.clocks(),
        };
        let mut rows = Vec::with_capacity(due.len());
        for merchant in due {
            watchdog::heartbeat(Loop::Sweeper);
            rows.push((merchant, self.store.read_blocking(|tx| self.rows_of(tx, merchant))?));
        }
        let mut found = self.evaluate(rows, &BTreeMap::new(), clocks)?;
        self.keep_refused(&mut found)?;
        self.publish(&found, clocks)?;
        self.addresses.marks = marks;
        if let Some(chain) = self.addresses.chain
            && let Some(seals) = &mut self.seals
        {
            seals.note_look(began.min(chain));
            seals.save_changes()?;
        }
        Ok(())
    }
}
