//! Bloom filter that rules out block outputs that are not ours, without asking the database.
//!
//! It contains every issued script and the txid of every coin. "No" is certain, "maybe" needs
//! the database. A false "no" would hide a payment, so it is queried only as [`Complete`]:
//! within the write that needs it, after it was updated to what that write sees. Two numbers
//! that only increase tell what that is: the indexes of payments, and the numbers of changes,
//! which every added coin increases.
//!
//! Invariant: all payments below `payments_below` and all coins of changes up to `changes_to`
//! are in the filter, for the committed state or the current write. A write that fails must
//! discard the filter, because the numbers that it saw may be assigned again. An extra key
//! does no harm.

mod bits;

use std::marker::PhantomData;

use bitcoin::{OutPoint, Script};
use rusqlite::{Row, params};

use super::columns::txid_bytes;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};
use super::{indexes, payments};
use bits::Bits;

/// Maximum number of rows read at once outside of a write: some milliseconds. Few in tests, so
/// that they need several.
const SLICE: i64 = if cfg!(test) { 3 } else { 10_000 };

/// Keys expected per payment: its script, and one coin.
const KEYS_PER_PAYMENT: usize = 2;

/// The bits, and how far they are complete. Cannot be queried until it is [`Complete`].
#[derive(Debug)]
pub(crate) struct BloomFilter {
    bits: Bits,
    payments_below: i64,
    changes_to: i64,
}

/// Proof that the filter contains everything that the write sees in which it was made.
#[derive(Debug)]
pub(crate) struct Complete<'t> {
    bloom_filter: &'t BloomFilter,
    of_write: PhantomData<&'t WriteTx<'t>>,
}

impl Complete<'_> {
    /// Whether an output with this script may pay us.
    pub(crate) fn may_pay_us(&self, script: &Script) -> bool {
        self.bloom_filter.bits.may_contain(script.as_bytes())
    }

    /// Whether this output may be one of our coins.
    pub(crate) fn may_be_ours(&self, at: &OutPoint) -> bool {
        self.bloom_filter.bits.may_contain(&txid_bytes(&at.txid))
    }
}

/// How far an update came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// The filter is complete.
    ToTheEnd,
    /// More remains.
    PartOfTheWay,
    /// The database has less than the filter: it is another state, and the filter is useless.
    NotOfThis,
}

impl BloomFilter {
    /// Updates the filter to everything that this write sees. `None` if there is no filter; a
    /// useless one is dropped.
    ///
    /// # Errors
    /// Database errors; the write must then fail.
    pub(crate) fn complete<'t>(
        held: &'t mut Option<BloomFilter>,
        tx: &'t WriteTx,
    ) -> Result<Option<Complete<'t>>, Error> {
        let Some(bloom_filter) = held else { return Ok(None) };
        loop {
            match bloom_filter.follow(tx)? {
                Followed::ToTheEnd => break,
                Followed::PartOfTheWay => {}
                Followed::NotOfThis => {
                    *held = None;
                    return Ok(None);
                }
            }
        }
        Ok(held.as_ref().map(|bloom_filter| Complete { bloom_filter, of_write: PhantomData }))
    }

    /// Adds the next slice of new rows.
    pub(crate) fn follow(&mut self, tx: &ReadTx) -> Result<Followed, Error> {
        let (below, last) = ends(tx)?;
        if below < self.payments_below || last < self.changes_to {
            return Ok(Followed::NotOfThis);
        }
        let to = below.min(self.payments_below.saturating_add(SLICE));
        let sql =
            "SELECT script FROM payments WHERE derivation_index >= ? AND derivation_index < ?";
        self.put(tx, sql, self.payments_below, to)?;
        self.payments_below = to;
        let to = last.min(self.changes_to.saturating_add(SLICE));
        // A change's number moves to the last payment that it was assigned to, so new coins
        // always have numbers above those that were seen.
        let sql = "SELECT txid FROM payment_changes
                   CROSS JOIN coins INDEXED BY coins_by_payment USING (derivation_index)
                   WHERE number > ? AND number <= ?";
        self.put(tx, sql, self.changes_to, to)?;
        self.changes_to = to;
        let at_end = self.payments_below == below && self.changes_to == last;
        Ok(if at_end { Followed::ToTheEnd } else { Followed::PartOfTheWay })
    }

    /// The approximate number of keys.
    pub(crate) fn keys(&self) -> usize {
        self.bits.keys()
    }

    /// Whether the filter is too small: a larger one would save queries.
    pub(crate) fn is_crowded(&self) -> bool {
        self.bits.is_crowded()
    }

    /// Adds the keys that a statement returns for a range.
    fn put(&mut self, tx: &ReadTx, sql: &str, from: i64, to: i64) -> Result<(), Error> {
        if from == to {
            return Ok(());
        }
        let mut statement = tx.connection.prepare_cached(sql)?;
        let mut rows = statement.query([from, to])?;
        while let Some(row) = rows.next()? {
            self.bits.insert(key(row)?);
        }
        Ok(())
    }
}

fn key<'r>(row: &'r Row) -> Result<&'r [u8], Error> {
    let value = row.get_ref(0)?;
    value.as_blob().map_err(|_| super::columns::impossible("a key of the filter", "no bytes"))
}

/// The next index, and the number of the last change. A stray payment far above does not
/// count, or later payments would seem to be in the filter.
fn ends(tx: &ReadTx) -> Result<(i64, i64), Error> {
    Ok((i64::from(indexes::next_index(tx)?.get()), payments::last_change(tx)?))
}

/// A filter that is built in slices, each from a newer state of the database. Rows added
/// behind the build are above the ends that were recorded before it.
#[derive(Debug)]
pub(crate) struct Building {
    bloom_filter: BloomFilter,
    next: Next,
}

/// What to read next: scripts in order, then coins in the order of their payments, each from a
/// small index.
#[derive(Debug)]
enum Next {
    ScriptsAfter(Vec<u8>),
    CoinsOfPaymentsFrom(i64),
}

impl Building {
    /// Records how far the build must come. `keys` is the minimum number of expected keys.
    pub(crate) fn begin(tx: &ReadTx, keys: usize) -> Result<Building, Error> {
        let (payments_below, changes_to) = ends(tx)?;
        let payments = usize::try_from(payments_below).unwrap_or(0);
        // Capacity for a quarter more than that.
        let expected = payments.saturating_mul(KEYS_PER_PAYMENT).max(keys);
        let bits = Bits::for_keys(expected.saturating_add(expected / 4));
        let bloom_filter = BloomFilter { bits, payments_below, changes_to };
        Ok(Building { bloom_filter, next: Next::ScriptsAfter(Vec::new()) })
    }

    /// Reads a slice. Returns whether it was the last.
    pub(crate) fn step(&mut self, tx: &ReadTx) -> Result<bool, Error> {
        match &mut self.next {
            Next::ScriptsAfter(after) => {
                let sql = "SELECT script FROM payments WHERE script > ? ORDER BY script LIMIT ?";
                let mut statement = tx.connection.prepare_cached(sql)?;
                let mut rows = statement.query(params![&after[..], SLICE])?;
                let (mut count, mut last) = (0, Vec::new());
                while let Some(row) = rows.next()? {
                    let script = key(row)?;
                    self.bloom_filter.bits.insert(script);
                    count += 1;
                    if count == SLICE {
                        last = script.to_vec();
                    }
                }
                self.next = match count < SLICE {
                    true => Next::CoinsOfPaymentsFrom(0),
                    false => Next::ScriptsAfter(last),
                };
                Ok(false)
            }
            Next::CoinsOfPaymentsFrom(from) => {
                let (from, below) = (*from, self.bloom_filter.payments_below);
                let to = below.min(from.saturating_add(SLICE));
                let sql = "SELECT txid FROM coins INDEXED BY coins_by_payment
                           WHERE derivation_index >= ? AND derivation_index < ?";
                self.bloom_filter.put(tx, sql, from, to)?;
                self.next = Next::CoinsOfPaymentsFrom(to);
                Ok(to >= below)
            }
        }
    }

    /// The filter; call it only after the last slice.
    pub(crate) fn end(self) -> BloomFilter {
        self.bloom_filter
    }
}
