//! Seals and the sweeper's record, so that writing the database alone moves no money.
//!
//! Each payment is sealed when it is first seen. Payout addresses are kept, as first seen, in
//! a file that only this role writes.
//!
//! Must not know: how a sweep is made.

mod reported;
pub(crate) mod trust;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, bail};
use bitcoin::hex::FromHex;

use crate::domain::audit_log::Head;
use crate::domain::merchant::{MerchantId, Registrations};
use crate::domain::network::Network;
use crate::domain::payout_address::{Clocks, Standing, Wait};
use crate::domain::seal::Record;
use crate::domain::seal::notification::Notification;
use crate::domain::sweep::SweepCoin;
use crate::domain::time::Timestamp;
use crate::domain::webhook_url::WebhookUrl;
use crate::secret::{SealKey, Secret, webhook_secret, wipe_stack};
use crate::store::audit_log::chain::KnownHead;
use crate::store::batches::Batches;
use crate::store::seals::{self, Created, SealedFacts};
use crate::store::{self, ReadTx, Store, merchants};

use super::private_file::Held;
use super::record;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) key_file: PathBuf,
    pub(crate) seal_state_file: PathBuf,
    pub(crate) payout_address_delay_ms: i64,
    /// The operator's URL for notifications. Absent: they are only logged.
    pub(crate) notify_url: Option<WebhookUrl>,
    pub(crate) held: Held,
}

impl Settings {
    /// The secret by which the operator verifies notifications.
    ///
    /// # Errors
    /// If the seal key cannot be read.
    pub(crate) fn notification_secret(&self) -> anyhow::Result<Secret<String>> {
        Ok(webhook_secret(&load_key(self)?.notification_key()))
    }

    pub(crate) fn read_record(&self) -> anyhow::Result<Option<String>> {
        record::read(&self.seal_state_file)
    }

    /// Whether there is a record, or another file in its place.
    pub(crate) fn has_record(&self) -> bool {
        match self.held.record() {
            Some(held) => !matches!(held, Ok(None)),
            None => fs::symlink_metadata(&self.seal_state_file).is_ok(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Seals {
    key: SealKey,
    file: PathBuf,
    delay_ms: i64,
    notify_url: Option<WebhookUrl>,
    record: Record,
    /// This process has checked every payment below this derivation index.
    checked_below: u32,
    /// The record differs from its file.
    changed: bool,
    access: Access,
}

/// Whether the record may be changed. Only the process that holds the role's lock may do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadAndWrite,
    ReadOnly,
}

/// How often the time of the last check is saved, in milliseconds.
const SAVE_INTERVAL_MS: i64 = 3_600_000;

const SEALED_AT_ONCE: u32 = 1_000;

impl Seals {
    /// Reads key and record. Creates the record if there is neither a record nor a seal.
    ///
    /// # Errors
    /// If others can access the key file, if the record was changed or made with another key,
    /// or if it is missing while the database holds seals.
    pub(crate) fn open(
        settings: &Settings,
        store: &Store,
        access: Access,
    ) -> anyhow::Result<Seals> {
        let shown = settings.seal_state_file.display();
        let key = load_key(settings)?;
        wipe_stack();
        let mut found = true;
        let held = settings.held.record();
        let text = held.unwrap_or_else(|| record::read(&settings.seal_state_file))?;
        let record = match text {
            Some(text) => record::parse(&text, &key)
                .with_context(|| format!("the sweeper's record {shown}"))?,
            None if store.read_blocking(seals::any)? => bail!(
                "the sweeper's record {shown} is missing, but the database holds its seals: restore \
                 it, or, if the database cannot have been changed, trust the database with \
                 `litegate sweep --trust-database`"
            ),
            None => {
                found = false;
                Record::default()
            }
        };
        let delay_ms = settings.payout_address_delay_ms;
        let file = settings.seal_state_file.clone();
        let notify_url = settings.notify_url.clone();
        let checked_below = record.payments_below;
        let changed = false;
        let seals =
            Seals { key, file, delay_ms, notify_url, record, checked_below, changed, access };
        if !found {
            seals.save()?; // Before the first seal: seals without a record are refused.
        }
        Ok(seals)
    }

    /// Deletes seals and record, and trusts the database as it is. For operators who lost the
    /// record.
    pub(crate) fn forget(settings: &Settings, store: &Store) -> anyhow::Result<()> {
        load_key(settings)?;
        Batches { store, go_on: &|| true }.until_done(seals::forget)?;
        match fs::remove_file(&settings.seal_state_file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("remove it"),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Unchecked payments, at most [`SEALED_AT_ONCE`], each with its creation time, and the
    /// index above them. `None` if there is none.
    pub(super) fn new_payments(
        &self,
        tx: &ReadTx,
    ) -> Result<Option<(Vec<Created>, u32)>, store::Error> {
        seals::facts_from(tx, self.checked_below, SEALED_AT_ONCE)
    }

    /// Seals payments up to the index `below`. With read-only access they only count as
    /// checked.
    pub(super) fn seal(
        &mut self,
        store: &Store,
        payments: &[Created],
        below: u32,
    ) -> anyhow::Result<()> {
        if self.access == Access::ReadAndWrite {
            let seal = |(facts, _): &Created| (facts.index, self.seal_of(facts));
            let made: Vec<_> = payments.iter().map(seal).collect();
            store.write_blocking(move |tx| {
                made.iter().try_for_each(|(index, seal)| seals::insert(tx, *index, seal))
            })?;
            // After the seals: a repeated seal is harmless, a missing one is not.
            self.record.payments_below = below;
            self.save()?;
        }
        self.checked_below = below;
        Ok(())
    }

    /// Whether the record holds a merchant's first payment or address.
    pub(super) fn knows(&self, merchant: MerchantId) -> bool {
        self.record.knows(merchant)
    }

    /// Records that a merchant's payment was seen before any readable payout address.
    pub(super) fn note_payment_first(&mut self, merchant: MerchantId) {
        let changed = self.record.note_payment_first(merchant);
        self.changed = self.changed || changed;
    }

    /// Whether the coin's payment is unchanged since it was sealed.
    pub(crate) fn verifies(&self, tx: &ReadTx, coin: &SweepCoin) -> Result<bool, store::Error> {
        let Some(facts) = seals::facts_of(tx, coin.index)? else { return Ok(false) };
        let Some(seal) = seals::of(tx, coin.index)? else {
            // With read-only access this process could not seal a new payment.
            let new = coin.index.get() >= self.record.payments_below;
            return Ok(new && self.access == Access::ReadOnly);
        };
        let sealed = self.key.verifies(&seal, &self.parts(&facts).each_ref().map(Vec::as_slice));
        Ok(sealed && facts.merchant == coin.merchant && facts.script == coin.script)
    }

    /// Where a merchant is paid, by its rows and the record, with new notifications for the
    /// operator. The caller must call [`Seals::save_changes`] before it pays by the result.
    pub(super) fn observe(
        &mut self,
        merchant: MerchantId,
        rows: &Registrations,
        clocks: Clocks,
        first_payment: Option<Timestamp>,
    ) -> (Standing, Vec<Notification>) {
        let delay_ms = self.delay_ms;
        let observed = self.record.observe(merchant, rows, clocks, delay_ms, first_payment);
        self.changed = self.changed || observed.changed;
        (observed.standing, observed.news)
    }

    /// Records when all addresses in the database were last checked, by the slower clock.
    pub(super) fn record_check(&mut self, at: Timestamp) {
        let saved = self.record.looked_at;
        if saved.is_none_or(|saved| at.ms_since(saved) >= SAVE_INTERVAL_MS) {
            self.changed = true;
        }
        self.record.looked_at = saved.max(Some(at));
    }

    pub(crate) fn audit_log(&self) -> Option<KnownHead> {
        let known = |head| KnownHead { source: "the sweeper's record", head };
        self.record.audit_log.map(known)
    }

    pub(super) fn record_audit_log(&mut self, head: Head) {
        if self.record.audit_log != Some(head) {
            self.record.audit_log = Some(head);
            self.changed = true;
        }
    }

    /// Accepts the audit log in the record's file: after a restore, or by an operator's
    /// command. The caller holds the sweeper's lock.
    ///
    /// # Errors
    /// If this process may not write the file.
    pub(crate) fn adopt_audit_log(&mut self, head: Head) -> anyhow::Result<()> {
        self.record.audit_log = Some(head);
        record::replace(&self.file, &self.record, &self.key)
    }

    pub(super) fn merchants(&self) -> impl Iterator<Item = MerchantId> + '_ {
        self.record.addresses.keys().copied()
    }

    pub(super) fn delay_ms(&self) -> i64 {
        self.delay_ms
    }

    /// Whether this process may change the record.
    pub(super) fn is_kept_here(&self) -> bool {
        self.access == Access::ReadAndWrite
    }

    pub(super) fn save_changes(&mut self) -> anyhow::Result<()> {
        if self.changed {
            self.save()?;
            self.changed = false;
        }
        Ok(())
    }

    /// The merchants whose addresses in the database contradict the record, so that an
    /// operator must act: an older copy was restored, or the database was changed.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn contradictions(
        &self,
        store: &Store,
        network: Network,
        now: Timestamp,
    ) -> Result<Vec<(MerchantId, Wait)>, store::Error> {
        let mut found = Vec::new();
        // On a copy, because a check must not change the record.
        let mut record = self.record.clone();
        let clocks = Clocks { own: now, chain: None };
        for merchant in self.merchants() {
            let rows = store.read_blocking(|tx| merchants::payout_addresses(tx, merchant, network));
            let Ok(rows) = rows else { continue }; // Damaged rows are reported where they are used.
            let standing = record.observe(merchant, &rows, clocks, self.delay_ms, None).standing;
            if let Standing::Waits(wait) = standing
                && !wait.reason.heals_alone()
            {
                found.push((merchant, wait));
            }
        }
        Ok(found)
    }

    fn seal_of(&self, facts: &SealedFacts) -> [u8; 32] {
        self.key.seal(&self.parts(facts).each_ref().map(Vec::as_slice))
    }

    fn parts(&self, facts: &SealedFacts) -> [Vec<u8>; 5] {
        [
            b"payment".to_vec(),
            facts.index.get().to_be_bytes().to_vec(),
            facts.payment.as_bytes().to_vec(),
            facts.merchant.get().to_be_bytes().to_vec(),
            facts.script.to_bytes(),
        ]
    }

    /// Replaces the file atomically.
    fn save(&self) -> anyhow::Result<()> {
        match self.access {
            Access::ReadOnly => Ok(()),
            Access::ReadAndWrite => record::replace(&self.file, &self.record, &self.key),
        }
    }
}

fn load_key(settings: &Settings) -> anyhow::Result<SealKey> {
    let path = &settings.key_file;
    let text = settings.held.key(path)?;
    let bytes = <[u8; 32]>::from_hex(text.trim());
    let bytes = bytes.map_err(|_| {
        anyhow::anyhow!("{} must hold 32 bytes as 64 hexadecimal digits", path.display())
    })?;
    Ok(SealKey::new(bytes))
}
