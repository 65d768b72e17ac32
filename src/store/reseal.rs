//! Resealing after a rotation of the master secret: rows that verify under the previous key
//! get a MAC under the current one, in bounded writes while the gateway serves. A row that
//! verifies under neither is reported and not changed.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::domain::merchant::MerchantId;
use crate::secret::{Secrets, Under};

use super::authenticated::{self, SECOND_FACTORS, Sealed, TABLES, Table, Value as Column};
use super::batches::{Batches, Ended, ROWS_MAX};
use super::error::Error;
use super::merchants;
use super::tx::WriteTx;

/// Maximum number of reported rows.
const NAMED_MAX: usize = 20;

/// The result of a pass over all rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resealed {
    /// Rows with a new MAC.
    pub(crate) count: u64,
    /// Rows that verify under neither key.
    pub(crate) unverified: u64,
    /// The first of them, as table and key.
    pub(crate) named: Vec<String>,
}

/// A part of a table.
#[derive(Default)]
struct Page {
    resealed: Resealed,
    read: u32,
    last: Vec<Value>,
}

/// Reseals all rows and the file of heads, and encrypts the secrets of second factors again.
/// Rows that are already resealed cost one read.
///
/// # Errors
/// Database errors; rows resealed before stay resealed.
pub(crate) fn all(batches: &Batches, secrets: &Secrets) -> Result<(Ended, Resealed), Error> {
    let mut resealed = Resealed::default();
    for table in TABLES {
        let mut after = Vec::new();
        loop {
            if !(batches.go_on)() {
                return Ok((Ended::Stopped, resealed));
            }
            let from = std::mem::take(&mut after);
            let page = batches.store.write_blocking(move |tx| page(tx, table, &from))?;
            resealed.count += page.resealed.count;
            resealed.unverified += page.resealed.unverified;
            resealed.named.extend(page.resealed.named);
            resealed.named.truncate(NAMED_MAX);
            if page.read < ROWS_MAX {
                break;
            }
            after = page.last;
        }
    }
    let (ended, unreadable) = encrypt_again(batches, secrets)?;
    resealed.unverified += unreadable.len() as u64;
    let names = unreadable.iter().map(|merchant| format!("{} {merchant}", SECOND_FACTORS.name));
    resealed.named.extend(names);
    resealed.named.truncate(NAMED_MAX);
    batches.store.heads.reseal()?;
    Ok((ended, resealed))
}

/// Reseals the next rows of a table, after the one with this key.
fn page(tx: &WriteTx, table: &Table, after: &[Value]) -> Result<Page, Error> {
    let Some(keys) = tx.keys.map(|keys| keys.now()) else { return Ok(Page::default()) };
    let key = table.key().join(", ");
    let marks = vec!["?"; table.key].join(", ");
    let from = if after.is_empty() { String::new() } else { format!("WHERE ({key}) > ({marks})") };
    let columns = table.columns.join(", ");
    let sql =
        format!("SELECT {columns}, mac FROM {} {from} ORDER BY {key} LIMIT {ROWS_MAX}", table.name);
    let mut select = tx.connection.prepare_cached(&sql)?;
    let mut page = Page::default();
    let mut rows = select.query(params_from_iter(after))?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        page.read += 1;
        page.last = table.key().iter().map(|column| row.get(*column)).collect::<Result<_, _>>()?;
        let stored: Option<Vec<u8>> = row.get("mac")?;
        let stored = stored.unwrap_or_default();
        let verifies =
            |key| Ok::<_, Error>(table.mac(key, |column| row.get_ref(column))?.verifies(&stored));
        if verifies(&keys.current)? {
            continue;
        }
        match &keys.previous {
            Some(previous) if verifies(previous)? => {
                changes.push(Sealed::of(table, row, &keys.current)?);
            }
            _ => {
                page.resealed.unverified += 1;
                if page.resealed.named.len() < NAMED_MAX {
                    page.resealed.named.push(format!("{} {}", table.name, table.name_of(row)));
                }
            }
        }
    }
    drop(rows);
    for sealed in changes {
        sealed.store(tx.connection, table)?;
        page.resealed.count += 1;
    }
    Ok(page)
}

/// Encrypts secrets under the previous master secret again, under the current one. Returns the
/// merchants whose secrets decrypt under neither.
///
/// # Errors
/// Database errors; secrets encrypted again before stay so.
fn encrypt_again(batches: &Batches, secrets: &Secrets) -> Result<(Ended, Vec<MerchantId>), Error> {
    let merchants = batches.store.read_blocking(|tx| {
        let mut statement = tx.connection.prepare("SELECT merchant_id FROM second_factors")?;
        let rows = statement.query_map([], |row| row.get("merchant_id"))?;
        Ok::<Vec<MerchantId>, Error>(rows.collect::<Result<_, _>>()?)
    })?;
    let (secrets, mut unreadable) = (secrets.clone(), Vec::new());
    let each = move |tx: &WriteTx, merchant: &MerchantId, unreadable: &mut Vec<MerchantId>| {
        let Some(factor) = merchants::stored_second_factor(tx, *merchant)? else { return Ok(()) };
        match secrets.open_app_secret(*merchant, &factor.secret) {
            Some((_, Under::Current)) => {}
            Some((secret, Under::Previous)) => {
                let sealed = secrets.seal_app_secret(*merchant, &secret);
                let changes: [Column; 1] = [("secret", &sealed)];
                authenticated::update(tx, &SECOND_FACTORS, &[merchant], &changes)?;
            }
            None => unreadable.push(*merchant),
        }
        Ok::<_, Error>(())
    };
    let ended = batches.write(merchants, each, |more: Vec<_>| unreadable.extend(more))?;
    Ok((ended, unreadable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::merchant::Merchant;
    use crate::domain::time::Timestamp;
    use crate::secret::{MasterSecret, rotation::Previous};
    use crate::store::{Beside, PATIENCE, Store, heads, high_water};

    fn open(dir: &tempfile::TempDir, secrets: &Secrets) -> Store {
        let path = dir.path().join("litegate.db");
        let (high_water, heads) = (high_water::beside(&path), heads::beside(&path));
        let beside = Beside { high_water: &high_water, heads: Some(&heads), examine: false };
        Store::open_with(&path, beside, secrets.row_keys(), PATIENCE).expect("opened")
    }

    fn master(byte: u8) -> MasterSecret {
        MasterSecret::new([byte; 32])
    }

    #[test]
    fn old_rows_are_resealed_and_a_forged_row_is_reported() {
        let dir = tempfile::tempdir().expect("a folder");
        let secrets = Secrets::new(master(7), None);
        let store = open(&dir, &secrets);
        let add = |tx: &WriteTx| {
            (1..=2_500).try_for_each(|n| {
                merchants::insert(tx, &Merchant::new_shop(MerchantId::from_random(n)))
            })?;
            tx.spoil_mac("merchants", "id = 1700")
        };
        store.write_blocking(add).expect("added");
        // The running process switches to the new secret.
        let keys_until = Timestamp::from_ms(5);
        secrets.replace(master(8), Some(Previous { secret: master(7), keys_until }));
        let batches = Batches { store: &store, go_on: &|| true };
        let (ended, resealed) = all(&batches, &secrets).expect("resealed");
        assert_eq!((ended, resealed.count, resealed.unverified), (Ended::Done, 2_499, 1));
        assert_eq!(resealed.named, ["merchants 1700"]);
        let (_, again) = all(&batches, &secrets).expect("resealed");
        assert_eq!((again.count, again.unverified), (0, 1));
        drop(store);
        // Nothing depends on the old secret any more.
        let store = open(&dir, &Secrets::new(master(8), None));
        let read = |n| store.read_blocking(|tx| merchants::by_id(tx, MerchantId::from_random(n)));
        assert!(read(1).expect("it verifies").is_some());
        assert!(read(2_500).expect("it verifies").is_some());
        assert!(matches!(read(1_700), Err(Error::Unverified { .. })));
    }
}
