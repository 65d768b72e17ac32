//! Coins: outputs that pay issued scripts, with their place and spender.

use std::collections::{BTreeSet, HashMap, HashSet};

use bitcoin::{OutPoint, Txid};
use rusqlite::{OptionalExtension, Row, params};

use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::payment::{Coin, Origin, Place};
use crate::domain::pegout::Sequence;
use crate::domain::rate::Rate;

use super::authenticated::{self, COINS, Value};
use super::columns::{blobs, block_hash, block_hash_bytes, impossible, outpoint, txid, txid_bytes};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

pub(super) const COLUMNS: &str =
    "txid, vout, derivation_index, amount, origin, seen_at, place, block_height, block_hash,
    pegout, rate, mac";

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Plain => "plain",
        Origin::Coinbase => "coinbase",
        Origin::Pegout => "pegout",
    }
}

/// Parses an origin; also used by the sweeps' queries.
pub(super) fn origin_of(word: &str) -> Result<Origin, Error> {
    match word {
        "plain" => Ok(Origin::Plain),
        "coinbase" => Ok(Origin::Coinbase),
        "pegout" => Ok(Origin::Pegout),
        _ => Err(impossible("coins.origin", word)),
    }
}

fn place_columns(place: Place) -> (&'static str, Option<u32>, Option<[u8; 32]>) {
    match place {
        Place::Mempool => ("mempool", None, None),
        Place::Block(block) => ("block", Some(block.height), Some(block_hash_bytes(&block.hash))),
        Place::Removed => ("removed", None, None),
    }
}

pub(super) fn from_row(tx: &ReadTx, row: &Row) -> rusqlite::Result<Result<Coin, Error>> {
    match tx.verify(&COINS, row)? {
        Ok(()) => read(row),
        Err(error) => Ok(Err(error)),
    }
}

/// Reads a coin's row without verifying it: for the audit, which compares it with the chain.
pub(super) fn read(row: &Row) -> rusqlite::Result<Result<Coin, Error>> {
    let word: String = row.get("place")?;
    let place = match word.as_str() {
        "mempool" => Place::Mempool,
        "block" => Place::Block(BlockId {
            height: row.get("block_height")?,
            hash: block_hash(row, "block_hash")?,
        }),
        "removed" => Place::Removed,
        _ => return Ok(Err(impossible("coins.place", word))),
    };
    let origin = match origin_of(&row.get::<_, String>("origin")?) {
        Ok(origin) => origin,
        Err(error) => return Ok(Err(error)),
    };
    let rate = match row.get::<_, Option<String>>("rate")? {
        None => None,
        Some(text) => match Rate::parse(&text) {
            Ok(rate) => Some(rate),
            Err(_) => return Ok(Err(impossible("coins.rate", text))),
        },
    };
    Ok(Ok(Coin {
        outpoint: outpoint(row)?,
        index: row.get("derivation_index")?,
        amount: row.get("amount")?,
        origin,
        seen_at: row.get("seen_at")?,
        place,
        rate,
    }))
}

/// All coins of a payment, in the order in which they were first seen.
pub(crate) fn of_payment(tx: &ReadTx, index: DerivationIndex) -> Result<Vec<Coin>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM coins WHERE derivation_index = ? ORDER BY seen_at, txid, vout"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([index], |row| from_row(tx, row))?;
    authenticated::trusted(rows)
}

pub(crate) fn by_outpoint(tx: &ReadTx, at: OutPoint) -> Result<Option<Coin>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM coins WHERE txid = ? AND vout = ?");
    let key = params![txid_bytes(&at.txid), at.vout];
    tx.connection
        .prepare_cached(&sql)?
        .query_row(key, |row| from_row(tx, row))
        .optional()?
        .transpose()
}

/// Whether the coin counts; `None` if it is not stored.
pub(crate) fn counts(tx: &ReadTx, at: OutPoint) -> Result<Option<bool>, Error> {
    let sql = "SELECT place <> 'removed' FROM coins WHERE txid = ? AND vout = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let found = statement.query_row(params![txid_bytes(&at.txid), at.vout], |row| row.get(0));
    Ok(found.optional()?)
}

/// The inputs among these, of a whole block, that are our coins. Queried at once and in order.
pub(crate) fn known(
    tx: &ReadTx,
    inputs: impl Iterator<Item = OutPoint>,
) -> Result<HashSet<OutPoint>, Error> {
    let inputs: HashSet<OutPoint> = inputs.collect();
    let txids: BTreeSet<[u8; 32]> = inputs.iter().map(|at| txid_bytes(&at.txid)).collect();
    let sql = "SELECT txid, vout FROM rarray(?) CROSS JOIN coins ON txid = value";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([blobs(txids)], outpoint)?;
    let of_ours = rows.filter(|row| row.as_ref().map_or(true, |at| inputs.contains(at)));
    Ok(of_ours.collect::<Result<_, _>>()?)
}

/// The coins of these transactions, with their peg-outs.
pub(crate) fn of_txids(
    tx: &ReadTx,
    txids: impl Iterator<Item = Txid>,
) -> Result<HashMap<OutPoint, (Coin, Option<Sequence>)>, Error> {
    let txids: BTreeSet<[u8; 32]> = txids.map(|txid| txid_bytes(&txid)).collect();
    let sql = format!("SELECT {COLUMNS} FROM rarray(?) CROSS JOIN coins ON txid = value");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows =
        statement.query_map([blobs(txids)], |row| Ok((from_row(tx, row)?, row.get("pegout")?)))?;
    let coins = rows.map(|row| row.map(|(coin, pegout)| coin.map(|coin| (coin, pegout))));
    let coins = authenticated::trusted(coins)?;
    Ok(coins.into_iter().map(|(coin, pegout)| (coin.outpoint, (coin, pegout))).collect())
}

/// Whether a coin of this transaction counts.
pub(crate) fn counts_of(tx: &ReadTx, txid: Txid) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM coins WHERE txid = ? AND place <> 'removed')";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row([txid_bytes(&txid)], |row| row.get(0))?)
}

pub(crate) fn insert(tx: &WriteTx, coin: &Coin) -> Result<(), Error> {
    insert_as(tx, coin, None)
}

/// Adds a new coin that is a peg-out.
pub(crate) fn insert_pegout(tx: &WriteTx, coin: &Coin, pegout: Sequence) -> Result<(), Error> {
    insert_as(tx, coin, Some(pegout))
}

fn insert_as(tx: &WriteTx, coin: &Coin, pegout: Option<Sequence>) -> Result<(), Error> {
    let (txid, origin) = (txid_bytes(&coin.outpoint.txid), origin_word(coin.origin));
    let (place, height, hash) = place_columns(coin.place);
    let values: [Value; 10] = [
        ("txid", &txid),
        ("vout", &coin.outpoint.vout),
        ("derivation_index", &coin.index),
        ("amount", &coin.amount),
        ("origin", &origin),
        ("seen_at", &coin.seen_at),
        ("place", &place),
        ("block_height", &height),
        ("block_hash", &hash),
        ("pegout", &pegout),
    ];
    authenticated::insert(tx, &COINS, &values)
}

/// Changes columns of the coin at this outpoint. Returns whether it exists.
fn change(tx: &WriteTx, at: OutPoint, changes: &[Value]) -> Result<bool, Error> {
    authenticated::update(tx, &COINS, &[&txid_bytes(&at.txid), &at.vout], changes)
}

/// Stores the exchange rate at a coin's first sight.
pub(crate) fn set_rate(tx: &WriteTx, at: OutPoint, rate: Rate) -> Result<(), Error> {
    change(tx, at, &[("rate", &rate.to_string())]).map(drop)
}

/// Changes a coin's place.
pub(crate) fn move_to(tx: &WriteTx, at: OutPoint, place: Place) -> Result<(), Error> {
    let (place, height, hash) = place_columns(place);
    let changes: [Value; 3] = [("place", &place), ("block_height", &height), ("block_hash", &hash)];
    match change(tx, at, &changes)? {
        true => Ok(()),
        false => Err(impossible("no coin at", at)),
    }
}

/// Records the peg-out of a coin.
pub(super) fn set_pegout(tx: &WriteTx, at: OutPoint, pegout: Sequence) -> Result<(), Error> {
    change(tx, at, &[("pegout", &pegout)]).map(|_| ())
}

/// The coins that the database has in the mempool.
pub(crate) fn in_mempool(tx: &ReadTx) -> Result<Vec<Coin>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM coins WHERE place = 'mempool'");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], |row| from_row(tx, row))?;
    authenticated::trusted(rows)
}

pub(crate) fn at_height(tx: &ReadTx, height: u32) -> Result<Vec<Coin>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM coins WHERE block_height = ?");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([height], |row| from_row(tx, row))?;
    authenticated::trusted(rows)
}

/// Records that a transaction in the block at `height` spent the output at `at`, if it is our
/// coin. Returns whether it is.
pub(crate) fn spend(tx: &WriteTx, at: OutPoint, by: Txid, height: u32) -> Result<bool, Error> {
    let sql = "UPDATE coins SET spent_txid = ?, spent_height = ? WHERE txid = ? AND vout = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let values = params![txid_bytes(&by), height, txid_bytes(&at.txid), at.vout];
    Ok(statement.execute(values)? > 0)
}

/// Undoes the spends of the block at this height.
pub(crate) fn unspend_at_height(tx: &WriteTx, height: u32) -> Result<(), Error> {
    let sql = "UPDATE coins SET spent_txid = NULL, spent_height = NULL WHERE spent_height = ?";
    tx.connection.prepare_cached(sql)?.execute([height])?;
    Ok(())
}

/// The coins recorded as spent in the block at this height, with the spending transaction.
pub(crate) fn spent_at_height(tx: &ReadTx, height: u32) -> Result<Vec<(OutPoint, Txid)>, Error> {
    let sql = "SELECT txid, vout, spent_txid FROM coins WHERE spent_height = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows =
        statement.query_map([height], |row| Ok((outpoint(row)?, txid(row, "spent_txid")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Undoes the spend of a coin.
pub(crate) fn unspend(tx: &WriteTx, at: OutPoint) -> Result<(), Error> {
    let sql = "UPDATE coins SET spent_txid = NULL, spent_height = NULL
               WHERE txid = ? AND vout = ?";
    tx.connection.prepare_cached(sql)?.execute(params![txid_bytes(&at.txid), at.vout])?;
    Ok(())
}

/// Corrects a coin's payment, amount and origin from its block.
pub(crate) fn correct(tx: &WriteTx, coin: &Coin) -> Result<(), Error> {
    let origin = origin_word(coin.origin);
    let changes: [Value; 3] =
        [("derivation_index", &coin.index), ("amount", &coin.amount), ("origin", &origin)];
    change(tx, coin.outpoint, &changes).map(|_| ())
}
