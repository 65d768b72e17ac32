//! The payout address of each merchant. A fault of one merchant's addresses affects only that
//! merchant; the reason is stored for notifications.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Context;
use bitcoin::Script;

use crate::domain::merchant::{MerchantId, Registrations};
use crate::domain::payout_address::{Clocks, Reason, Standing, Wait};
use crate::domain::seal::Record;
use crate::domain::seal::notification::Notification;
use crate::domain::sweep::{Payee, SweepCoin, Waits, merchants_of};
use crate::domain::time::Timestamp;
use crate::operations::sweeps::record_wait;
use crate::store::batches::Batches;
use crate::store::{self, ReadTx, WriteTx, merchants};
use crate::watchdog::{self, Loop};

use super::role::Sweeper;

/// The rows of a merchant's payout addresses, or why they cannot be read.
pub(super) type Rows = (MerchantId, Result<Registrations, String>);

/// The previous and the present wait of a merchant's payouts.
type Change = (MerchantId, Option<Wait>, Option<Wait>);

impl Sweeper {
    /// The merchants that can be paid, and why others cannot.
    pub(super) fn payees(
        &mut self,
        rows: Vec<Rows>,
    ) -> anyhow::Result<(Vec<Payee>, BTreeMap<MerchantId, Waits>)> {
        if rows.is_empty() {
            return Ok((Vec::new(), BTreeMap::new()));
        }
        let clocks = self.clocks();
        let (mut payees, mut waiting) = (Vec::with_capacity(rows.len()), BTreeMap::new());
        let mut found = self.evaluate(rows, &BTreeMap::new(), clocks)?;
        self.refuse_own(&mut found)?;
        self.publish(&found, clocks)?;
        for (merchant, standing) in found {
            match standing {
                Standing::Pays { script, .. } => payees.push(Payee { merchant, script }),
                Standing::NoAddress => {}
                Standing::Waits(wait) if wait.reason.heals_alone() => {
                    waiting.insert(merchant, Waits::AddressUnconfirmed);
                }
                Standing::Waits(_) => {
                    waiting.insert(merchant, Waits::AddressRefused);
                }
            }
        }
        Ok((payees, waiting))
    }

    /// The standing of these merchants. The record is saved before anything is paid by it.
    /// `first_payments`: when the first payments were created that were read with the rows.
    pub(super) fn evaluate(
        &mut self,
        rows: Vec<Rows>,
        first_payments: &BTreeMap<MerchantId, Timestamp>,
        clocks: Clocks,
    ) -> anyhow::Result<Vec<(MerchantId, Standing)>> {
        let (mut found, mut news) = (Vec::with_capacity(rows.len()), Vec::new());
        for (merchant, rows) in rows {
            let first_payment = first_payments.get(&merchant).copied();
            let rows_read = rows.as_ref().ok();
            let (standing, new) = self.standing(merchant, rows_read, clocks, first_payment);
            news.extend(new);
            let pays = match &standing {
                Standing::Pays { version, .. } => Some(*version),
                Standing::NoAddress | Standing::Waits(_) => None,
            };
            let newest =
                rows.iter().flat_map(|rows| &rows.readable).rfind(|row| row.cancelled_at.is_none());
            // A damaged row may be repaired without another change.
            let is_damaged =
                matches!(&standing, Standing::Waits(wait) if wait.reason == Reason::Damaged);
            match is_damaged || newest.is_some_and(|newest| Some(newest.version) != pays) {
                true => self.addresses.time_dependent.insert(merchant),
                false => self.addresses.time_dependent.remove(&merchant),
            };
            found.push((merchant, standing));
        }
        if let Some(seals) = &mut self.seals {
            seals.log(&news, self.network); // Before it is saved: logged twice rather than never.
            seals.save_changes()?;
        }
        Ok(found)
    }

    /// The standing of a merchant, by the sweeper's record if there is a seal key, and new
    /// notifications.
    fn standing(
        &mut self,
        merchant: MerchantId,
        rows: Option<&Registrations>,
        clocks: Clocks,
        first_payment: Option<Timestamp>,
    ) -> (Standing, Vec<Notification>) {
        let Some(rows) = rows else {
            if let (Some(seals), Some(_)) = (&mut self.seals, first_payment) {
                seals.note_payment_first(merchant);
            }
            let (version, newest_known) = (0, 0);
            let wait = Wait { reason: Reason::Damaged, version, newest_known, until: None };
            return (Standing::Waits(wait), Vec::new());
        };
        match &mut self.seals {
            Some(seals) => seals.observe(merchant, rows, clocks, first_payment),
            None => {
                let observed = Record::default().observe(merchant, rows, clocks, 0, None);
                (observed.standing, Vec::new())
            }
        }
    }

    /// Both clocks: the gateway's own, and the chain's median time past (BIP113).
    pub(super) fn clocks(&mut self) -> Clocks {
        let asked = self.node.best_block_hash().and_then(|tip| self.node.header(tip));
        let chain = match asked {
            Ok(header) => Some(self.clock.chain_time(header.median_time)),
            Err(error) => {
                tracing::debug!(%error, "chain time not read");
                None
            }
        };
        self.addresses.asked_at = Some(Instant::now());
        self.addresses.chain = chain.or(self.addresses.chain);
        Clocks { own: self.clock.now(), chain }
    }

    /// Keeps refusing an address that belongs to the gateway's own account.
    pub(super) fn keep_refused(
        &mut self,
        found: &mut [(MerchantId, Standing)],
    ) -> anyhow::Result<()> {
        let stored = self.addresses.stored(&self.store)?;
        for (merchant, standing) in found {
            if let Standing::Pays { version, .. } = standing
                && let Some(wait) = stored.get(merchant)
                && (wait.reason, wait.version) == (Reason::OwnAddress, *version)
            {
                *standing = Standing::Waits(*wait);
            }
        }
        Ok(())
    }

    /// Refuses addresses of the gateway's own account, because the money would return to it or
    /// pay a payment. Checked only when money is due, because the check is slow.
    fn refuse_own(&mut self, found: &mut [(MerchantId, Standing)]) -> anyhow::Result<()> {
        let new = found.iter().filter_map(|(_, standing)| match standing {
            Standing::Pays { script, .. } => Some(script.as_script()),
            Standing::NoAddress | Standing::Waits(_) => None,
        });
        let vetted = &mut self.addresses.vetted;
        let new: Vec<&Script> = new.filter(|script| !vetted.contains(*script)).collect();
        let own = self.store.read_blocking(|tx| self.own.among(tx, new.iter().copied()))?;
        let sound = new.into_iter().filter(|script| !own.contains(*script)).map(Script::to_owned);
        vetted.extend(sound.collect::<Vec<_>>());
        for (_, standing) in found {
            if let Standing::Pays { version, script } = standing
                && own.contains(script)
            {
                let (reason, version) = (Reason::OwnAddress, *version);
                let wait = Wait { reason, version, newest_known: version, until: None };
                *standing = Standing::Waits(wait);
            }
        }
        Ok(())
    }

    /// Stores and logs whose payouts wait. Notifications follow from the stored rows.
    pub(super) fn publish(
        &mut self,
        found: &[(MerchantId, Standing)],
        clocks: Clocks,
    ) -> anyhow::Result<()> {
        let Some(seals) = self.seals.as_mut().filter(|seals| seals.is_kept_here()) else {
            return Ok(());
        };
        let delay_ms = seals.delay_ms();
        let stored = self.addresses.stored(&self.store)?.clone();
        let mut changes: Vec<Change> = Vec::new();
        for (merchant, standing) in found {
            let known = stored.get(merchant).copied();
            let wait = match standing {
                Standing::Waits(wait) => Some(*wait),
                Standing::NoAddress | Standing::Pays { .. } => None,
            };
            seals.note_refusal(*merchant, wait, clocks.own);
            let wait =
                wait.filter(|wait| known.is_some() || wait.is_notification(clocks, delay_ms));
            self.addresses.log_wait(*merchant, wait);
            if wait != known {
                changes.push((*merchant, known, wait));
            }
        }
        seals.save_changes()?;
        let now = clocks.own;
        let each = move |tx: &WriteTx, (merchant, before, wait): &Change, (): &mut ()| {
            record_wait(tx, *merchant, *before, *wait, now)
        };
        let go_on = || {
            watchdog::heartbeat(Loop::Sweeper);
            true
        };
        Batches { store: &self.store, go_on: &go_on }
            .write(changes.clone(), each, |()| ())
            .context("store whose payouts wait")?;
        let stored = self.addresses.stored(&self.store)?;
        for (merchant, _, wait) in changes {
            match wait {
                Some(wait) => stored.insert(merchant, wait),
                None => stored.remove(&merchant),
            };
        }
        Ok(())
    }

    pub(super) fn rows_of_all(
        &self,
        tx: &ReadTx,
        coins: &[SweepCoin],
    ) -> anyhow::Result<Vec<Rows>> {
        let rows =
            |merchant| Ok((merchant, self.rows_of(tx, merchant).context("read an address")?));
        merchants_of(coins).into_iter().map(rows).collect()
    }

    pub(super) fn rows_of(
        &self,
        tx: &ReadTx,
        merchant: MerchantId,
    ) -> Result<Result<Registrations, String>, store::Error> {
        match merchants::payout_addresses(tx, merchant, self.network) {
            Ok(rows) => Ok(Ok(rows)),
            Err(error) if error.is_of_a_row() => Ok(Err(error.to_string())),
            Err(error) => Err(error),
        }
    }
}
