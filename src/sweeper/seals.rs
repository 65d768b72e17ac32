//! The sweeper's own memory of what it relies on, so that writing the database alone moves no
//! money: each payment is sealed when it is first seen, and the payout addresses are kept, as they
//! were first seen, in a file that only this role writes.
//!
//! Must not know: how a sweep is made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use bitcoin::ScriptBuf;
use bitcoin::hex::{DisplayHex, FromHex};

use crate::domain::merchant::{MerchantId, PayoutAddress};
use crate::domain::network::Network;
use crate::domain::seal::{Contradiction, Record, Seen};
use crate::domain::sweep::SweepCoin;
use crate::domain::time::Timestamp;
use crate::pulse::{self, Loop};
use crate::secret::SealKey;
use crate::store::batches::Batches;
use crate::store::ownership::folder_of;
use crate::store::seals::{self, SealedFacts};
use crate::store::{self, ReadTx, Store, merchants};

use super::private_file::{self, ROOT};

/// Where key and memory lie, and how long a changed payout address waits.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) key_file: PathBuf,
    pub(crate) record_file: PathBuf,
    pub(crate) payout_address_delay_ms: i64,
}

/// The memory, open.
#[derive(Debug)]
pub(crate) struct Seals {
    key: SealKey,
    file: PathBuf,
    delay_ms: i64,
    record: Record,
    access: Access,
}

/// Whether the memory may be added to. Only one process may at a time: the one that holds the
/// role's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadAndWrite,
    ReadOnly,
}

/// The first line of the file: what it is, and the version of its form.
const HEAD: &str = "litegate-seals 1";

/// Payments that are sealed in one write.
const SEALED_AT_ONCE: u32 = 1_000;

/// The largest file that is read, in bytes: a line of 200 for each of 300,000 registrations.
const FILE_BYTES_MAX: u64 = 64 << 20;

impl Seals {
    /// Reads key and memory. The memory is made if neither it nor any seal is there.
    ///
    /// # Errors
    /// If the key file is not ours alone, if the memory was changed or made with another key, or
    /// if it is gone while the database holds seals.
    pub(crate) fn open(
        settings: &Settings,
        store: &Store,
        access: Access,
    ) -> anyhow::Result<Seals> {
        let shown = settings.record_file.display();
        let key = load_key(&settings.key_file)?;
        let mut found = true;
        let record = match read(&settings.record_file)? {
            Some(text) => {
                parse(&text, &key).with_context(|| format!("the sweeper's record {shown}"))?
            }
            None if store.read_blocking(seals::any)? => bail!(
                "the sweeper's record {shown} is gone, but the database holds its seals: put it \
                 back, or, if nobody can have changed the database, take what it says for true \
                 with `litegate sweep --trust-database`"
            ),
            None => {
                found = false;
                Record::default()
            }
        };
        let delay_ms = settings.payout_address_delay_ms;
        let seals = Seals { key, file: settings.record_file.clone(), delay_ms, record, access };
        if !found {
            seals.save()?; // Before the first seal: seals without a record are refused.
        }
        Ok(seals)
    }

    /// Forgets everything, in the database and beside it, and takes what the database says now for
    /// true. For operators who lost the record.
    pub(crate) fn forget(settings: &Settings, store: &Store) -> anyhow::Result<()> {
        load_key(&settings.key_file)?;
        Batches { store, go_on: &|| true }.until_done(seals::forget)?;
        match fs::remove_file(&settings.record_file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("remove it"),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Seals the payments that were not seen before. Cheap if there are none.
    pub(crate) fn seal_new(&mut self, store: &Store) -> anyhow::Result<()> {
        while self.access == Access::ReadAndWrite {
            pulse::beat(Loop::Sweeper);
            let from = self.record.payments_below;
            let new = store.read_blocking(|tx| seals::facts_from(tx, from, SEALED_AT_ONCE))?;
            let Some(last) = new.last() else { return Ok(()) };
            let below = last.index.get().saturating_add(1);
            let made: Vec<_> = new.iter().map(|facts| (facts.index, self.seal_of(facts))).collect();
            store.write_blocking(move |tx| {
                made.iter().try_for_each(|(index, seal)| seals::insert(tx, *index, seal))
            })?;
            // Only now: a seal that is there twice is compared, one that is missing is missed.
            self.record.payments_below = below;
            self.save()?;
        }
        Ok(())
    }

    /// Takes note of payout addresses that are new and of changes that were cancelled, so that the
    /// delay of a change begins when it was asked for, and not when money is due, and nobody can
    /// undo a cancellation unseen. What contradicts the record is named when money is due.
    pub(crate) fn see_addresses(
        &mut self,
        store: &Store,
        network: Network,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        for (merchant, newest, cancelled) in store.read_blocking(merchants::address_marks)? {
            let known = self.record.addresses.get(&merchant).is_some_and(|seen| {
                let seen_cancelled = seen.iter().filter(|seen| seen.cancelled).count();
                seen.last().is_some_and(|last| last.version == newest)
                    && u32::try_from(seen_cancelled) == Ok(cancelled)
            });
            if known {
                continue;
            }
            pulse::beat(Loop::Sweeper);
            let rows = |tx: &ReadTx| merchants::payout_addresses(tx, merchant, network);
            match store.read_blocking(rows) {
                Ok(rows) => {
                    let _ = self.payout_script(merchant, &rows, now)?;
                }
                Err(store::Error::Impossible(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether the coin's payment is as it was when it was sealed.
    pub(crate) fn fits(&self, tx: &ReadTx, coin: &SweepCoin) -> Result<bool, store::Error> {
        let Some(facts) = seals::facts_of(tx, coin.index)? else { return Ok(false) };
        let Some(seal) = seals::of(tx, coin.index)? else {
            // Whoever may only read cannot have sealed what is new.
            let new = coin.index.get() >= self.record.payments_below;
            return Ok(new && self.access == Access::ReadOnly);
        };
        let sealed = self.key.fits(&seal, &self.parts(&facts).each_ref().map(Vec::as_slice));
        Ok(sealed && facts.merchant == coin.merchant && facts.script == coin.script)
    }

    /// Where a merchant is paid, by what was seen of its addresses.
    ///
    /// # Errors
    /// The inner one if the rows contradict that; the outer one if it cannot be written down.
    pub(crate) fn payout_script(
        &mut self,
        merchant: MerchantId,
        rows: &[PayoutAddress],
        now: Timestamp,
    ) -> anyhow::Result<Result<Option<ScriptBuf>, Contradiction>> {
        let before = self.record.addresses.get(&merchant).cloned();
        let found = self.record.observe(merchant, rows, now, self.delay_ms);
        if self.record.addresses.get(&merchant) != before.as_ref() {
            self.save()?; // Before anything is paid by it.
        }
        Ok(found)
    }

    /// The merchants whose addresses the database has otherwise than they were seen: after an older
    /// copy of it was put back, or after somebody wrote into it.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn contradictions(
        &self,
        store: &Store,
        network: Network,
        now: Timestamp,
    ) -> Result<Vec<(MerchantId, Contradiction)>, store::Error> {
        let mut found = Vec::new();
        for merchant in self.record.addresses.keys() {
            let rows =
                store.read_blocking(|tx| merchants::payout_addresses(tx, *merchant, network));
            let Ok(rows) = rows else { continue }; // Damaged rows are named where they are used.
            // On a copy: whoever only looks takes over nothing.
            let mut record = self.record.clone();
            let observed = record.observe(*merchant, &rows, now, self.delay_ms);
            found.extend(observed.err().map(|contradiction| (*merchant, contradiction)));
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

    /// Replaces the file by what we know now, so that it is always whole.
    fn save(&self) -> anyhow::Result<()> {
        if self.access == Access::ReadOnly {
            return Ok(());
        }
        let write = || {
            let mut new = self.file.clone().into_os_string();
            new.push(".new");
            let new = PathBuf::from(new);
            let mut options = File::options();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(print(&self.record, &self.key).as_bytes())?;
            let folder = folder_of(&self.file);
            let owner = fs::metadata(&self.file).or_else(|_| fs::metadata(folder))?;
            // An operator's command may run as root: the file is the role's own all the same. The
            // role itself may not even ask for it: its sandbox would end it.
            if file.metadata()?.uid() == ROOT && owner.uid() != ROOT {
                std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
            }
            file.sync_all()?;
            fs::rename(&new, &self.file)?;
            File::open(folder)?.sync_all()
        };
        write().with_context(|| format!("write the sweeper's record {}", self.file.display()))
    }
}

fn load_key(path: &Path) -> anyhow::Result<SealKey> {
    let text = private_file::read(path)?;
    let bytes = <[u8; 32]>::from_hex(text.trim());
    let bytes = bytes.map_err(|_| {
        anyhow::anyhow!("{} must hold 32 bytes as 64 hexadecimal digits", path.display())
    })?;
    Ok(SealKey::new(bytes))
}

fn read(path: &Path) -> anyhow::Result<Option<String>> {
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("look at {shown}")),
        Ok(found) if found.len() > FILE_BYTES_MAX => bail!("{shown} is too large"),
        Ok(_) => fs::read_to_string(path).map(Some).with_context(|| format!("read {shown}")),
    }
}

fn print(record: &Record, key: &SealKey) -> String {
    let mut lines = vec![HEAD.to_owned(), format!("payments {}", record.payments_below)];
    for (merchant, addresses) in &record.addresses {
        for seen in addresses {
            lines.push(format!(
                "address {merchant} {} {} {} {} {}",
                seen.version,
                seen.script.as_bytes().to_lower_hex_string(),
                seen.first_seen_at.ms(),
                u8::from(seen.was_in_force),
                u8::from(seen.cancelled),
            ));
        }
    }
    let body = lines.join("\n") + "\n";
    let seal = key.seal(&[b"record", body.as_bytes()]).to_lower_hex_string();
    format!("{body}seal {seal}\n")
}

fn parse(text: &str, key: &SealKey) -> anyhow::Result<Record> {
    let text = text.strip_suffix('\n').context("is cut short")?;
    let (body, last) = text.rsplit_once('\n').context("is cut short")?;
    let body = format!("{body}\n");
    let seal = last.strip_prefix("seal ").context("is cut short")?;
    let seal = Vec::<u8>::from_hex(seal).ok().context("is cut short")?;
    ensure!(
        key.fits(&seal, &[b"record", body.as_bytes()]),
        "was changed, or made with another seal key"
    );
    let mut lines = body.lines();
    ensure!(lines.next() == Some(HEAD), "is of another version");
    let payments = lines.next().and_then(|line| line.strip_prefix("payments "));
    let payments_below = payments.and_then(|n| n.parse().ok()).context("names no payments")?;
    let mut addresses: BTreeMap<MerchantId, Vec<Seen>> = BTreeMap::new();
    for line in lines {
        let (merchant, seen) = parse_address(line).context("holds a line that is no address")?;
        addresses.entry(merchant).or_default().push(seen);
    }
    Ok(Record { addresses, payments_below })
}

fn parse_address(line: &str) -> Option<(MerchantId, Seen)> {
    let parts: Vec<&str> = line.split(' ').collect();
    let ["address", merchant, version, script, first_seen, was_in_force, cancelled] = parts[..]
    else {
        return None;
    };
    let seen = Seen {
        version: version.parse().ok()?,
        script: ScriptBuf::from_hex(script).ok()?,
        first_seen_at: Timestamp::from_ms(first_seen.parse().ok()?),
        was_in_force: was_in_force == "1",
        cancelled: cancelled == "1",
    };
    Some((merchant.parse().ok()?, seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let seen = |version, cancelled| Seen {
            version,
            script: ScriptBuf::from_bytes(vec![0, 20, 7]),
            first_seen_at: Timestamp::from_ms(1_700_000_000_123),
            was_in_force: version == 1,
            cancelled,
        };
        let addresses = BTreeMap::from([
            (MerchantId::from_random(1), vec![seen(1, false), seen(2, true)]),
            (MerchantId::from_random(2), vec![seen(1, false)]),
        ]);
        Record { addresses, payments_below: 42 }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let key = SealKey::new([7; 32]);
        let read = parse(&print(&record(), &key), &key).expect("our own");
        assert_eq!(read, record());
        let empty = parse(&print(&Record::default(), &key), &key).expect("our own");
        assert_eq!(empty, Record::default());
    }

    #[test]
    fn a_record_that_was_touched_is_refused() {
        let key = SealKey::new([7; 32]);
        let text = print(&record(), &key);
        let check = |text: &str| assert!(parse(text, &key).is_err(), "{text}");
        check("");
        check(&text[..text.len() - 1]);
        check(&text.replace("payments 42", "payments 41"));
        check(&text.replace(" 1 0\n", " 0 0\n"));
        let mut lines: Vec<&str> = text.lines().collect();
        lines.remove(2);
        check(&(lines.join("\n") + "\n"));
        assert!(parse(&text, &SealKey::new([8; 32])).is_err(), "another key");
    }
}
