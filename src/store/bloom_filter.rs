//! The sieve: what of a block is surely nobody's of ours, without asking the database.
//!
//! It holds every script that was given out and the transaction of every coin of ours, as bits in
//! memory. "No" is certain, "maybe" is for the database to decide. A "no" to something of ours
//! would be a payment that is never seen, so it is asked only as [`Complete`]: in the write that
//! needs it, after it was brought up to what that very write sees. What that is follows from two
//! numbers that only rise, whoever writes: the indexes of payments, and the numbers of changes,
//! which every coin that is added raises.
//!
//! Invariant: all payments below `payments_below` and all coins of changes up to `changes_to` are
//! in, of the state that is committed, or of the write that it is in. A write that does not come to
//! its end must take the sieve with it, for the numbers that it saw may be given out again. A key
//! too many does no harm.

mod bits;

use std::marker::PhantomData;

use bitcoin::{OutPoint, Script};
use rusqlite::{Row, params};

use super::columns::txid_bytes;
use super::{Error, ReadTx, WriteTx, indexes, payments};
use bits::Bits;

/// Rows that are read at a time at most, outside of a write: some milliseconds. Few in tests, so
/// that it takes several.
const SLICE: i64 = if cfg!(test) { 3 } else { 10_000 };

/// Keys that are expected of a payment: its script, and one coin.
const KEYS_PER_PAYMENT: usize = 2;

/// The bits, and how far they are complete. Says nothing until it is made [`Complete`].
#[derive(Debug)]
pub(crate) struct BloomFilter {
    bits: Bits,
    payments_below: i64,
    changes_to: i64,
}

/// Proves that the sieve holds all that the write sees in which it was made, as of that instant.
#[derive(Debug)]
pub(crate) struct Complete<'t> {
    bloom_filter: &'t BloomFilter,
    of_write: PhantomData<&'t WriteTx<'t>>,
}

impl Complete<'_> {
    /// Whether an output with this script may pay us.
    pub(crate) fn may_pay_us(&self, script: &Script) -> bool {
        self.bloom_filter.bits.may_hold(script.as_bytes())
    }

    /// Whether this output may be a coin of ours.
    pub(crate) fn may_be_ours(&self, at: &OutPoint) -> bool {
        self.bloom_filter.bits.may_hold(&txid_bytes(&at.txid))
    }
}

/// How far a sieve came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// It holds all that there is.
    ToTheEnd,
    /// There is more.
    PartOfTheWay,
    /// There is less than it has seen: it is of another state of the database, and of no use.
    NotOfThis,
}

impl BloomFilter {
    /// Brings the one that is held up to all that this write sees. `None` if none is held; one that
    /// is of no use is let go.
    ///
    /// # Errors
    /// Those of the database; the write must fail then.
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

    /// Puts in what came since, a slice of it at most.
    ///
    /// # Errors
    /// Those of the database.
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
        // A number stands at the last payment that it was given to: those of coins that are new
        // are all above what was seen.
        let sql = "SELECT txid FROM payment_changes
                   CROSS JOIN coins INDEXED BY coins_by_payment USING (derivation_index)
                   WHERE number > ? AND number <= ?";
        self.put(tx, sql, self.changes_to, to)?;
        self.changes_to = to;
        let at_end = self.payments_below == below && self.changes_to == last;
        Ok(if at_end { Followed::ToTheEnd } else { Followed::PartOfTheWay })
    }

    /// How many keys it holds, about.
    pub(crate) fn keys(&self) -> usize {
        self.bits.keys()
    }

    /// Whether it has become too small: a larger one would spare more questions.
    pub(crate) fn is_crowded(&self) -> bool {
        self.bits.is_crowded()
    }

    /// Puts in the keys that a statement answers for a range.
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

/// Above all indexes that were issued, and the number of the last change. A stray payment far above
/// them is not counted: those that come next would seem to be in.
fn ends(tx: &ReadTx) -> Result<(i64, i64), Error> {
    Ok((i64::from(indexes::next_index(tx)?.get()), payments::last_change(tx)?))
}

/// A sieve that is being filled from what there is, slice by slice, each over a newer state of the
/// database. What comes behind it meanwhile is above the ends that were noted before it began.
#[derive(Debug)]
pub(crate) struct Building {
    bloom_filter: BloomFilter,
    next: Next,
}

/// What is read next: scripts in their order, then coins in the order of their payments, each from
/// an index that holds little else.
#[derive(Debug)]
enum Next {
    ScriptsAfter(Vec<u8>),
    CoinsOfPaymentsFrom(i64),
}

impl Building {
    /// Notes how far it has to come by itself. `keys` is how many are expected at least.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn begin(tx: &ReadTx, keys: usize) -> Result<Building, Error> {
        let (payments_below, changes_to) = ends(tx)?;
        let payments = usize::try_from(payments_below).unwrap_or(0);
        // Room for a quarter more of them until it is crowded at all.
        let expected = payments.saturating_mul(KEYS_PER_PAYMENT).max(keys);
        let bits = Bits::for_keys(expected.saturating_add(expected / 4));
        let bloom_filter = BloomFilter { bits, payments_below, changes_to };
        Ok(Building { bloom_filter, next: Next::ScriptsAfter(Vec::new()) })
    }

    /// Reads a slice. Whether that was the last one.
    ///
    /// # Errors
    /// Those of the database.
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

    /// What was built; only after the last slice.
    pub(crate) fn end(self) -> BloomFilter {
        self.bloom_filter
    }
}
