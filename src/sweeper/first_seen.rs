//! Records what the sweeper sees first: seals new payments and stores new payout addresses in
//! its record, about once a second, so that a later change of the database is detected.
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

use super::payees::Rows;
use super::role::Sweeper;
use super::seals::Seals;

/// How often the chain's time is read while an address waits for it.
const CHAIN_TIME_AWAITED_INTERVAL: Duration = Duration::from_secs(10);

/// How often the chain's time is read otherwise.
const CHAIN_TIME_INTERVAL: Duration = Duration::from_secs(60);

/// New payments, read in one database snapshot.
struct NewPayments {
    payments: Vec<Created>,
    /// The derivation index above them.
    below: u32,
    /// The addresses of merchants that are not in the record, in the same snapshot.
    unknown_merchants: Vec<Rows>,
    /// When the first payment of each of these merchants was created.
    first_payments: BTreeMap<MerchantId, Timestamp>,
}

impl Sweeper {
    /// Seals new payments, and records new payout addresses.
    pub(super) fn record_first_seen(&mut self) -> anyhow::Result<()> {
        self.seal_payments().context("seal the payments")?;
        self.record_addresses().context("record the payout addresses")
    }

    /// Seals new payments. Cheap if there are none. A merchant's addresses are read in the
    /// snapshot of its first payment, so that a crash between the two cannot make an address
    /// appear later than the payment.
    fn seal_payments(&mut self) -> anyhow::Result<()> {
        loop {
            watchdog::heartbeat(Loop::Sweeper);
            let Some(seals) = &self.seals else { return Ok(()) };
            let new = self.store.read_blocking(|tx| self.new_payments(tx, seals))?;
            let Some(new) = new else { return Ok(()) };
            if !new.unknown_merchants.is_empty() {
                let clocks = self.clocks();
                self.evaluate(new.unknown_merchants, &new.first_payments, clocks)?;
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
        let unknown_merchants = first_payments.keys().map(rows).collect::<anyhow::Result<_>>()?;
        Ok(Some(NewPayments { payments, below, unknown_merchants, first_payments }))
    }

    /// Records new payout addresses and cancelled changes, so that the delay of a change
    /// begins when it was requested, not when money is due, and a cancellation cannot be
    /// undone unnoticed.
    fn record_addresses(&mut self) -> anyhow::Result<()> {
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
        let pause = match self.addresses.time_dependent.is_empty() {
            true => CHAIN_TIME_INTERVAL,
            false => CHAIN_TIME_AWAITED_INTERVAL,
        };
        let stale = self.addresses.asked_at.is_none_or(|at| at.elapsed() >= pause);
        if stale {
            due.extend(self.addresses.time_dependent.iter().copied());
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
            seals.record_check(began.min(chain));
            seals.save_changes()?;
        }
        Ok(())
    }
}
