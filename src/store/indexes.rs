//! The next derivation index: above all that were issued, or may have been.
//!
//! Only rows that verify count. A payment above the newest of them was not written by this
//! gateway: it is a stray, which is reported and ignored. The high-water mark has no MAC, so a
//! mark that this database cannot have reached is refused.

use rusqlite::{OptionalExtension, params};

use crate::domain::keys::DerivationIndex;
use crate::domain::payment::PaymentId;
use crate::domain::time::Timestamp;

use super::authenticated::{self, PAYMENTS, SKIPPED_INDEXES, Value};
use super::columns::impossible;
use super::error::Error;
use super::high_water::{Found, UNMARKED_GAP};
use super::role_status;
use super::tx::{ReadTx, WriteTx};
use crate::view::role_status::Role;

/// Maximum step of a high-water mark, in indexes: 2^31 allow 214 such steps.
const SKIP_MAX: u32 = 10_000_000;

/// Maximum number of addresses that a gateway issues per second.
const ISSUED_PER_SECOND_MAX: i64 = 1_000;

/// How long the gateway may be down before indexes are skipped, in milliseconds: longer than a
/// restart, an upgrade or a reboot.
pub(crate) const ABSENCE_MS_MAX: i64 = 120_000;

/// Minimum and maximum number of indexes skipped after an absence.
const ABSENCE_GAP: std::ops::RangeInclusive<u32> = 1_000..=UNMARKED_GAP;

/// How much faster than before addresses may have been issued during an absence.
const ABSENCE_FACTOR: u32 = 10;

/// The index of the next payment. Read and used in one transaction, so no two payments get the
/// same.
///
/// # Errors
/// If no index is left, and database errors.
pub(crate) fn next_index(tx: &ReadTx) -> Result<DerivationIndex, Error> {
    let skipped = skipped_below(tx)?;
    let next = newest_from(tx, skipped)?.map_or(skipped, |newest| newest.saturating_add(1));
    let next = free_from(tx, next)?;
    u32::try_from(next)
        .ok()
        .and_then(DerivationIndex::new)
        .ok_or_else(|| impossible("the next derivation index", next))
}

/// The highest stored skip that verifies: smaller indexes are not issued.
fn skipped_below(tx: &ReadTx) -> Result<i64, Error> {
    let sql = "SELECT * FROM skipped_indexes ORDER BY below DESC";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if tx.verify(&SKIPPED_INDEXES, row)?.is_ok() {
            return Ok(row.get("below")?);
        }
    }
    Ok(0)
}

/// The lowest index from this one on without a row. Indexes of unverified rows are not used.
fn free_from(tx: &ReadTx, first: i64) -> Result<i64, Error> {
    let sql = "SELECT derivation_index FROM payments WHERE derivation_index >= ?
               ORDER BY derivation_index";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query([first])?;
    let mut free = first;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(0)? != free {
            break;
        }
        free = free.saturating_add(1);
    }
    Ok(free)
}

/// The highest index, from `base` on, of a payment that verifies.
fn newest_from(tx: &ReadTx, base: i64) -> Result<Option<i64>, Error> {
    let sql = "SELECT * FROM payments WHERE derivation_index >= ? ORDER BY derivation_index DESC";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query([base])?;
    while let Some(row) = rows.next()? {
        if tx.verify(&PAYMENTS, row)?.is_ok() {
            return Ok(Some(row.get("derivation_index")?));
        }
    }
    Ok(None)
}

/// Payments whose index this gateway did not issue: at or above the next index.
pub(crate) fn strays(tx: &ReadTx, most: u32) -> Result<Vec<(u32, Option<PaymentId>)>, Error> {
    let sql = "SELECT derivation_index, id FROM payments
               WHERE derivation_index >= ? ORDER BY derivation_index LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![next_index(tx)?, most], |row| {
        Ok((row.get(0)?, row.get(1).ok())) // a stray's id may be invalid too
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Skips all indexes below `below`, which a lost database may have issued. Returns whether
/// that changes anything.
pub(crate) fn skip_indexes(
    tx: &WriteTx,
    below: DerivationIndex,
    reason: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    if below <= next_index(tx)? {
        return Ok(false);
    }
    // Existing rows with these numbers do not verify, and are not changed.
    let sql = "SELECT EXISTS (SELECT 1 FROM skipped_indexes WHERE below = ?)";
    let mut taken = tx.connection.prepare_cached(sql)?;
    let mut free = below;
    while taken.query_row([free], |row| row.get::<_, bool>(0))? {
        free = DerivationIndex::new(free.get().saturating_add(1))
            .ok_or_else(|| impossible("skipped_indexes.below", free.get()))?;
    }
    let values: [Value; 3] = [("below", &free), ("at", &now), ("reason", &reason)];
    authenticated::insert(tx, &SKIPPED_INDEXES, &values)?;
    raise_mark(tx, free)?;
    Ok(true)
}

/// The mark itself may have been lost.
fn raise_mark(tx: &WriteTx, below: DerivationIndex) -> Result<(), Error> {
    match below.get().checked_sub(1).and_then(DerivationIndex::new) {
        Some(last) => tx.high_water.bump_over(last),
        None => Ok(()),
    }
}

/// Opens the high-water mark and skips the indexes that a later state of this database may
/// have issued. Call it before the first index is issued; `owner` is the fingerprint of the
/// account key. Returns the next index if some were skipped.
///
/// # Errors
/// If the mark cannot be read, or is higher than this database can have reached.
pub(crate) fn apply_high_water(
    tx: &WriteTx,
    owner: &str,
    now: Timestamp,
) -> Result<Option<DerivationIndex>, Error> {
    let next = next_index(tx)?;
    let (below, reason) = match tx.high_water.open(owner)? {
        Found::Next(index) => {
            let most = issued_since(tx, now)?;
            if index.get().saturating_sub(next.get()) > most {
                return Err(tx.high_water.implausible(index, next, most));
            }
            (index, "the high-water mark")
        }
        Found::Nothing if next.get() == 0 => return Ok(None),
        Found::Nothing => {
            let further = DerivationIndex::new(next.get().saturating_add(UNMARKED_GAP));
            (further.unwrap_or(next), "there was no high-water mark")
        }
    };
    let skipped = skip_indexes(tx, below, reason, now)?;
    raise_mark(tx, below)?;
    Ok(skipped.then_some(below))
}

/// How many addresses a later state of this database can have issued by now.
fn issued_since(tx: &ReadTx, now: Timestamp) -> Result<u32, Error> {
    let Some(last) = last_in_use(tx)? else { return Ok(SKIP_MAX) };
    let seconds = now.ms_since(last).max(0) / 1_000;
    let issued = seconds.saturating_mul(ISSUED_PER_SECOND_MAX);
    let issued = u32::try_from(issued).unwrap_or(SKIP_MAX);
    Ok(issued.saturating_add(UNMARKED_GAP).min(SKIP_MAX))
}

/// When the database was last in use: the watcher's last status, the newest payment, the last
/// skip. Commands on a stopped gateway do not count.
pub(crate) fn last_in_use(tx: &ReadTx) -> Result<Option<Timestamp>, Error> {
    let newest = i64::from(next_index(tx)?.get()).saturating_sub(1);
    let sql = "SELECT created_at FROM payments WHERE derivation_index <= ?
               ORDER BY derivation_index DESC LIMIT 1";
    let created: Option<Timestamp> =
        tx.connection.query_row(sql, [newest], |row| row.get(0)).optional()?;
    let sql = "SELECT max(at) FROM skipped_indexes";
    let skipped: Option<Timestamp> = tx.connection.query_row(sql, [], |row| row.get(0))?;
    let watched = role_status::of_role(tx, Role::Watcher)?.and_then(|role_status| role_status.at);
    Ok([created, skipped, watched].into_iter().flatten().max())
}

/// An absence of the gateway, and the number of skipped addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absence {
    pub(crate) last_in_use: Timestamp,
    pub(crate) skipped: u32,
    pub(crate) next: DerivationIndex,
}

impl Absence {
    /// Logs that addresses were skipped, and why.
    pub(crate) fn warn(&self) {
        tracing::warn!(
            last_in_use = %self.last_in_use,
            skipped = self.skipped,
            next = self.next.get(),
            "this database was not in use for a while: addresses are skipped, in case an old snapshot of the machine was restored and they have been issued since"
        );
    }
}

/// Skips addresses if the database was last in use longer than [`ABSENCE_MS_MAX`] before
/// `present`. A machine whose snapshot was restored, with database and high-water mark, looks
/// like one that was switched off: addresses issued after the snapshot are unknown.
pub(crate) fn skip_after_absence(
    tx: &WriteTx,
    last_in_use: Timestamp,
    present: Timestamp,
    now: Timestamp,
) -> Result<Option<Absence>, Error> {
    let absent_ms = present.ms_since(last_in_use);
    if absent_ms <= ABSENCE_MS_MAX {
        return Ok(None);
    }
    let next = next_index(tx)?;
    let before = created_since(tx, last_in_use.plus_ms(absent_ms.saturating_neg()))?;
    let gap = before.saturating_mul(ABSENCE_FACTOR);
    let gap = gap.clamp(*ABSENCE_GAP.start(), *ABSENCE_GAP.end());
    let Some(below) = DerivationIndex::new(next.get().saturating_add(gap)) else {
        return Ok(None);
    };
    skip_indexes(tx, below, "the gateway was away", now)?;
    Ok(Some(Absence { last_in_use, skipped: gap, next: below }))
}

/// How many of the newest payments were created since then, up to the number that matters.
fn created_since(tx: &ReadTx, since: Timestamp) -> Result<u32, Error> {
    let sql = "SELECT count(*) FROM (SELECT created_at FROM payments
                   ORDER BY derivation_index DESC LIMIT ?) WHERE created_at >= ?";
    Ok(tx
        .connection
        .query_row(sql, params![UNMARKED_GAP / ABSENCE_FACTOR, since], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// A database with payments of these indexes and skips below those.
    fn store(dir: &tempfile::TempDir, payments: &[u32], skips: &[u32]) -> Store {
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let (payments, skips) = (payments.to_vec(), skips.to_vec());
        let write = move |tx: &WriteTx| {
            let sql = "INSERT INTO merchants (id, name, created_at) VALUES (1, 'Shop', 0)";
            tx.connection.execute(sql, [])?;
            insert(tx, &payments, &skips)?;
            tx.seal_all()
        };
        store.write_blocking(write).expect("written");
        store
    }

    /// Writes rows without a MAC.
    fn insert(tx: &WriteTx, payments: &[u32], skips: &[u32]) -> Result<(), Error> {
        for below in skips {
            let sql = "INSERT INTO skipped_indexes (below, at, reason) VALUES (?, 0, 'test')";
            tx.connection.execute(sql, [below])?;
        }
        for index in payments {
            let sql = "INSERT INTO payments (derivation_index, id, merchant_id, script, amount,
                           created_at, expires_at, late_until, confirmations, confirmations_pegout)
                       VALUES (?1, randomblob(16), 1, randomblob(22), 1, 1000, 1, 1, 1, 1)";
            tx.connection.execute(sql, [index])?;
        }
        Ok(())
    }

    #[test]
    fn unverified_rows_do_not_advance_the_next_index() {
        #[track_caller]
        fn check(ours: (&[u32], &[u32]), foreign: (&[u32], &[u32]), next: u32) {
            let dir = tempfile::tempdir().expect("a folder");
            let store = store(&dir, ours.0, ours.1);
            let (payments, skips) = (foreign.0.to_vec(), foreign.1.to_vec());
            let write = move |tx: &WriteTx| insert(tx, &payments, &skips);
            store.write_blocking(write).expect("written");
            let found = store.read_blocking(next_index).expect("an index").get();
            assert_eq!(found, next, "{ours:?} {foreign:?}");
            let found = store.read_blocking(|tx| strays(tx, 1_000)).expect("read").len();
            let above = foreign.0.iter().filter(|index| **index >= next).count();
            assert_eq!(found, above, "{ours:?} {foreign:?}");
        }
        let last = 2_147_483_647;
        check((&[], &[]), (&[], &[]), 0);
        check((&[0, 1, 2], &[]), (&[], &[]), 3);
        check((&[0, 1, 2], &[]), (&[last], &[]), 3);
        check((&[], &[]), (&[last], &[]), 0);
        check((&[0, 1], &[]), (&[last - 1, last], &[]), 2);
        // Indexes with a row are passed over.
        let many: Vec<u32> = (2..202).collect();
        check((&[0, 1], &[]), (&many, &[]), 202);
        // Gaps of our own count, however large.
        check((&[0, 1, 700], &[]), (&[3], &[]), 701);
        check((&[0, 1, 100_000], &[]), (&[], &[]), 100_001);
        check((&[0, 1], &[10_000]), (&[], &[]), 10_000);
        check((&[0, 1, 10_000], &[10_000]), (&[last], &[last]), 10_001);
        check((&[0, 1], &[10_000]), (&[], &[10_001, last]), 10_000);
    }

    #[test]
    fn a_skip_passes_over_unverified_rows() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = store(&dir, &[0, 1], &[]);
        let skip = |tx: &WriteTx| {
            insert(tx, &[], &[500, 501])?;
            let below = DerivationIndex::new(500).expect("small");
            skip_indexes(tx, below, "test", Timestamp::from_ms(1))?;
            next_index(tx)
        };
        assert_eq!(store.write_blocking(skip).expect("written").get(), 502);
    }

    #[test]
    fn an_absence_skips_ten_times_the_indexes_issued_before() {
        #[track_caller]
        fn check(payments: u32, absent_ms: i64, skipped: Option<u32>) {
            let dir = tempfile::tempdir().expect("a folder");
            let store = store(&dir, &(0..payments).collect::<Vec<_>>(), &[]);
            let absence = store.write_blocking(move |tx| {
                let last = last_in_use(tx)?.expect("a payment");
                let present = last.plus_ms(absent_ms);
                let absence = skip_after_absence(tx, last, present, present)?;
                // The next start is not one after an absence.
                let again = last_in_use(tx)?.expect("a skip");
                assert_eq!(skip_after_absence(tx, again, present, present)?, None);
                Ok::<_, Error>(absence)
            });
            let absence = absence.expect("written");
            assert_eq!(absence.map(|absence| absence.skipped), skipped, "{payments} {absent_ms}");
        }
        check(3, 120_000, None);
        check(3, 120_001, Some(1_000));
        check(300, 3_600_000, Some(3_000));
        check(1_500, 3_600_000, Some(10_000));
    }

    #[test]
    fn an_implausibly_high_mark_is_refused() {
        #[track_caller]
        fn check(mark: u32, away_ms: i64, taken: bool) {
            let dir = tempfile::tempdir().expect("a folder");
            let store = store(&dir, &[0, 1, 2], &[]);
            let file = dir.path().join("litegate.db.high-water");
            std::fs::write(&file, format!("{mark:010} 00aa\n")).expect("written");
            let now = Timestamp::from_ms(1_000 + away_ms);
            let applied = store.write_blocking(move |tx| apply_high_water(tx, "00aa", now));
            assert_eq!(applied.is_ok(), taken, "{mark} {away_ms}: {applied:?}");
            let next = store.read_blocking(next_index).expect("an index").get();
            assert_eq!(next, if taken { mark.max(3) } else { 3 }, "{mark} {away_ms}");
        }
        check(3, 0, true);
        check(10_003, 0, true);
        check(10_004, 0, false);
        check(10_004, 1_000, true);
        check(10_000_003, 86_400_000, true);
        check(10_000_004, 86_400_000, false);
        check(2_147_483_647, 86_400_000, false);
    }
}
