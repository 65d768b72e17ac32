//! Which derivation index is issued next: above all that were issued, and all that may have been.
//!
//! Nothing here believes a single row. Indexes are issued one after the other, so a row far above
//! the others was not written by us: it is a stray, which is named and ignored. The same holds for
//! a stored skip and for a high-water mark that no history of this database can have reached.

use rusqlite::{OptionalExtension, params};

use crate::domain::keys::DerivationIndex;
use crate::domain::payment::PaymentId;
use crate::domain::time::Timestamp;

use super::columns::impossible;
use super::high_water::{Found, UNMARKED_GAP};
use super::progress::{self, WATCHER};
use super::{Error, ReadTx, WriteTx};

/// How far a payment's index may lie above the payment before it. Indexes in between were skipped
/// one by one, because their scripts were in use.
const HOLE_MAX: i64 = 1_000;

/// Payments that must follow each other in this way below the newest one.
const CHAIN: u32 = 64;

/// The largest step that a skip or a high-water mark may make, in indexes: of 2^31 there are 214
/// such steps.
const SKIP_MAX: u32 = 10_000_000;

/// Addresses that a gateway issues in a second at most.
const ISSUED_PER_SECOND_MAX: i64 = 1_000;

/// How long the gateway may be away before addresses are skipped that may have been issued
/// meanwhile, in milliseconds: longer than a restart, an upgrade or a reboot takes.
pub(crate) const ABSENCE_MS_MAX: i64 = 120_000;

/// Addresses that are skipped after an absence at least, and at most.
const ABSENCE_GAP: std::ops::RangeInclusive<u32> = 1_000..=UNMARKED_GAP;

/// How much faster addresses may have been issued in an absence than before it.
const ABSENCE_FACTOR: u32 = 10;

/// The index that the next payment takes. Read and used in one write, so no two take the same.
///
/// # Errors
/// If no index is left, and those of the database.
pub(crate) fn next_index(tx: &ReadTx) -> Result<DerivationIndex, Error> {
    let skipped = skipped_below(tx)?;
    let next = newest_of_chain(tx, skipped)?.map_or(skipped, |newest| newest.saturating_add(1));
    u32::try_from(next)
        .ok()
        .and_then(DerivationIndex::new)
        .ok_or_else(|| impossible("the next derivation index", next))
}

/// Below which index everything is skipped: the highest stored skip that lies at most [`SKIP_MAX`]
/// above the one before it, or above the payments that followed that one.
fn skipped_below(tx: &ReadTx) -> Result<i64, Error> {
    let sql = "SELECT below FROM skipped_indexes WHERE below > 0 AND below < ?
               ORDER BY below DESC LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut end = i64::MAX;
    'candidates: loop {
        let rows = statement.query_map(params![end, CHAIN], |row| row.get(0))?;
        let mut skips: Vec<i64> = rows.collect::<Result<_, _>>()?;
        let Some(highest) = skips.first().copied() else { return Ok(0) };
        if skips.len() < CHAIN as usize {
            skips.push(0);
        }
        for (skip, lower) in skips.iter().zip(skips.iter().skip(1)) {
            let far = |from: i64| skip.saturating_sub(from) > i64::from(SKIP_MAX);
            if far(*lower)
                && newest_of_chain(tx, *lower)?.is_none_or(|newest| far(newest.saturating_add(1)))
            {
                end = *skip;
                continue 'candidates;
            }
        }
        return Ok(highest);
    }
}

/// The highest index, from `base` on, of a payment below which payments follow each other down to
/// `base`, or [`CHAIN`] of them do.
fn newest_of_chain(tx: &ReadTx, base: i64) -> Result<Option<i64>, Error> {
    let sql = "SELECT derivation_index FROM payments
               WHERE derivation_index >= ? AND derivation_index < ?
               ORDER BY derivation_index DESC LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut end = i64::MAX;
    loop {
        let rows = statement.query_map(params![base, end, CHAIN], |row| row.get(0))?;
        let indexes: Vec<i64> = rows.collect::<Result<_, _>>()?;
        // What lies below the last of them is as good as the base, if there are that many.
        let floor = if indexes.len() < CHAIN as usize { base } else { i64::MIN };
        let Some(newest) = indexes.first().copied() else { return Ok(None) };
        let below = indexes.iter().skip(1).copied().chain([floor]);
        let broken = indexes
            .iter()
            .zip(below)
            .find(|(index, below)| *below != i64::MIN && index.saturating_sub(*below) > HOLE_MAX);
        match broken {
            None => return Ok(Some(newest)),
            Some((index, _)) => end = *index,
        }
    }
}

/// Payments whose index was not issued by this gateway: they lie at or above the next index.
///
/// # Errors
/// Those of the database.
pub(crate) fn strays(tx: &ReadTx, most: u32) -> Result<Vec<(u32, Option<PaymentId>)>, Error> {
    let sql = "SELECT derivation_index, id FROM payments
               WHERE derivation_index >= ? ORDER BY derivation_index LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![next_index(tx)?, most], |row| {
        Ok((row.get(0)?, row.get(1).ok())) // Of a stray, the id may be nonsense, too.
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Never issues an index below `below`: it may have been issued by a database that is lost.
/// Answers whether that changes anything.
///
/// # Errors
/// Those of the database.
pub(crate) fn skip_indexes(
    tx: &WriteTx,
    below: DerivationIndex,
    reason: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    if below <= next_index(tx)? {
        return Ok(false);
    }
    let sql = "INSERT OR IGNORE INTO skipped_indexes (below, at, reason) VALUES (?, ?, ?)";
    tx.connection.execute(sql, params![below, now, reason])?;
    raise_mark(tx, below)?;
    Ok(true)
}

/// The mark itself may have been lost.
fn raise_mark(tx: &WriteTx, below: DerivationIndex) -> Result<(), Error> {
    match below.get().checked_sub(1).and_then(DerivationIndex::new) {
        Some(last) => tx.high_water.raise_over(last),
        None => Ok(()),
    }
}

/// Opens the high-water mark, and skips the indexes that it says may have been issued by a later
/// state of this database. To be called before the first index is issued; `owner` names the
/// account key. Answers the next index if some were skipped.
///
/// # Errors
/// If the mark cannot be read, or lies higher than this database can have come.
pub(crate) fn heed_high_water(
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

/// When the database was last in use, as far as it says: the watcher's last sign of life, the
/// newest payment, the last skip. Commands that an operator runs on a stopped gateway do not count.
///
/// # Errors
/// Those of the database.
pub(crate) fn last_in_use(tx: &ReadTx) -> Result<Option<Timestamp>, Error> {
    let newest = i64::from(next_index(tx)?.get()).saturating_sub(1);
    let sql = "SELECT created_at FROM payments WHERE derivation_index <= ?
               ORDER BY derivation_index DESC LIMIT 1";
    let created: Option<Timestamp> =
        tx.connection.query_row(sql, [newest], |row| row.get(0)).optional()?;
    let sql = "SELECT max(at) FROM skipped_indexes";
    let skipped: Option<Timestamp> = tx.connection.query_row(sql, [], |row| row.get(0))?;
    let watched = progress::of_role(tx, WATCHER)?.and_then(|progress| progress.at);
    Ok([created, skipped, watched].into_iter().flatten().max())
}

/// An absence of the gateway, and how many addresses were skipped because of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absence {
    pub(crate) last_in_use: Timestamp,
    pub(crate) skipped: u32,
    pub(crate) next: DerivationIndex,
}

impl Absence {
    /// Says in the log that addresses were skipped, and why.
    pub(crate) fn warn(&self) {
        tracing::warn!(
            last_in_use = %self.last_in_use,
            skipped = self.skipped,
            next = self.next.get(),
            "this database was not in use for a while: in case an old snapshot of the machine was put back, addresses that may have been issued since are skipped"
        );
    }
}

/// Skips addresses if the database was last in use longer than [`ABSENCE_MS_MAX`] before
/// `present`. A machine whose snapshot was put back, database and high-water mark alike, cannot be
/// told from one that was switched off: addresses issued after the snapshot are known to nobody.
///
/// # Errors
/// Those of the database.
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

/// How many of the newest payments were created since then; of more than matter, not all.
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
            for below in skips {
                let sql = "INSERT INTO skipped_indexes VALUES (?, 0, 'test')";
                tx.connection.execute(sql, [below])?;
            }
            let sql = "INSERT INTO merchants (id, name, created_at) VALUES (1, 'Shop', 0)";
            tx.connection.execute(sql, [])?;
            for index in payments {
                insert(tx, index)?;
            }
            Ok::<_, Error>(())
        };
        store.write_blocking(write).expect("written");
        store
    }

    fn insert(tx: &WriteTx, index: u32) -> Result<(), Error> {
        let sql = "INSERT INTO payments (derivation_index, id, merchant_id, script, amount,
                       created_at, expires_at, late_until, confirmations, confirmations_pegout)
                   VALUES (?1, randomblob(16), 1, randomblob(22), 1, 1000, 1, 1, 1, 1)";
        tx.connection.execute(sql, [index])?;
        Ok(())
    }

    #[test]
    fn a_single_row_does_not_raise_the_next_index_far() {
        #[track_caller]
        fn check(payments: &[u32], skips: &[u32], next: u32, strays_found: usize) {
            let dir = tempfile::tempdir().expect("a folder");
            let store = store(&dir, payments, skips);
            let found = store.read_blocking(next_index).expect("an index").get();
            assert_eq!(found, next, "{payments:?} {skips:?}");
            let found = store.read_blocking(|tx| strays(tx, 100)).expect("read").len();
            assert_eq!(found, strays_found, "{payments:?} {skips:?}");
        }
        let last = 2_147_483_647;
        check(&[], &[], 0, 0);
        check(&[0, 1, 2], &[], 3, 0);
        check(&[0, 1, 2, last], &[], 3, 1);
        check(&[last], &[], 0, 1);
        check(&[0, 1, last - 1, last], &[], 2, 2);
        check(&[0, 1, 3, 700], &[], 701, 0);
        check(&[0, 1, 1_002], &[], 2, 1);
        // Skips: far from a payment, but not too far from what was known.
        check(&[0, 1], &[10_000], 10_000, 0);
        check(&[0, 1, 10_000], &[10_000], 10_001, 0);
        check(&[0, 1, 10_000, last], &[10_000], 10_001, 1);
        check(&[0, 1], &[10_000, last], 10_000, 0);
        check(&[0, 1], &[10_000_000, 20_000_000], 20_000_000, 0);
        check(&[0, 1, last], &[last], 2, 1);
        // More payments than are looked at together.
        let many: Vec<u32> = (0..200).collect();
        check(&many, &[], 200, 0);
        check(&[&many[..], &[5_000, last]].concat(), &[], 200, 2);
    }

    #[test]
    fn an_absence_skips_ten_times_what_was_issued_before() {
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
    fn a_mark_that_no_history_can_have_reached_is_refused() {
        #[track_caller]
        fn check(mark: u32, away_ms: i64, taken: bool) {
            let dir = tempfile::tempdir().expect("a folder");
            let store = store(&dir, &[0, 1, 2], &[]);
            let file = dir.path().join("litegate.db.high-water");
            std::fs::write(&file, format!("{mark:010} 00aa\n")).expect("written");
            let now = Timestamp::from_ms(1_000 + away_ms);
            let heeded = store.write_blocking(move |tx| heed_high_water(tx, "00aa", now));
            assert_eq!(heeded.is_ok(), taken, "{mark} {away_ms}: {heeded:?}");
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
