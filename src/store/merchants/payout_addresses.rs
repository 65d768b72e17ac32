//! Registrations of merchants' payout addresses.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use rusqlite::{Row, params};

use crate::domain::address::Address;
use crate::domain::merchant::{MerchantId, PayoutAddress, Registrations};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::store::authenticated::{self, PAYOUT_ADDRESSES, Value};
use crate::store::columns::{impossible, script};
use crate::store::error::Error;
use crate::store::heads::Head;
use crate::store::tx::{ReadTx, WriteTx};

/// All registrations of a merchant, with damaged ones listed separately.
pub(crate) fn payout_addresses(
    tx: &ReadTx,
    id: MerchantId,
    network: Network,
) -> Result<Registrations, Error> {
    let sql = "SELECT * FROM payout_addresses WHERE merchant_id = ? ORDER BY version";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement
        .query_map([id], |row| Ok((row.get("version")?, registration(tx, row, network)?)))?;
    let mut found = Registrations::default();
    for row in rows {
        match row? {
            (_, Ok(registration)) => found.readable.push(registration),
            (version, Err(error)) if error.is_of_a_row() => found.damaged.push(version),
            (_, Err(error)) => return Err(error),
        }
    }
    let head = tx.head_of(id);
    let known = |version: &u32| {
        found.damaged.contains(version) || found.readable.iter().any(|one| one.version == *version)
    };
    let missing: Vec<u32> = (1..=head.addresses).filter(|version| !known(version)).collect();
    found.damaged.extend(missing);
    let cancelled = found.readable.iter().filter(|one| one.cancelled_at.is_some()).count();
    if cancelled < head.cancelled as usize
        && let Some(at) = found.readable.iter().rposition(|one| one.cancelled_at.is_none())
    {
        // An earlier one may be the cancelled one; that makes no difference.
        found.damaged.push(found.readable.remove(at).version);
    }
    found.damaged.sort_unstable();
    Ok(found)
}

/// All uncancelled registrations by merchant, oldest first. Rows without a valid address are
/// skipped; their users report them.
pub(crate) fn uncancelled(
    tx: &ReadTx,
    network: Network,
) -> Result<BTreeMap<MerchantId, Vec<PayoutAddress>>, Error> {
    let sql = "SELECT * FROM payout_addresses WHERE cancelled_at IS NULL
               ORDER BY merchant_id, version";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, MerchantId>("merchant_id")?, registration(tx, row, network)?.ok()))
    })?;
    let mut found: BTreeMap<MerchantId, Vec<PayoutAddress>> = BTreeMap::new();
    for row in rows {
        let (merchant, registration) = row?;
        found.entry(merchant).or_default().extend(registration);
    }
    Ok(found)
}

fn registration(
    tx: &ReadTx,
    row: &Row,
    network: Network,
) -> rusqlite::Result<Result<PayoutAddress, Error>> {
    if let Err(error) = tx.verify(&PAYOUT_ADDRESSES, row)? {
        return Ok(Err(error));
    }
    let script = script(row, "script")?;
    let Some(address) = Address::from_script(&script, network) else {
        return Ok(Err(impossible("payout_addresses.script", script.to_hex_string())));
    };
    Ok(Ok(PayoutAddress {
        version: row.get("version")?,
        address,
        registered_at: row.get("registered_at")?,
        effective_at: row.get("effective_at")?,
        cancelled_at: row.get("cancelled_at")?,
    }))
}

/// Each merchant's newest version of a registration, and the number of cancelled ones:
/// together they show whether anything is new.
pub(crate) fn address_marks(tx: &ReadTx) -> Result<Vec<(MerchantId, u32, u32)>, Error> {
    let sql = "SELECT merchant_id, max(version), count(cancelled_at) FROM payout_addresses
               GROUP BY merchant_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether one of these scripts was ever registered as a payout address, by any merchant.
pub(crate) fn is_registered(tx: &ReadTx, scripts: &[ScriptBuf]) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payout_addresses WHERE script = ?)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    for script in scripts {
        if statement.query_row([script.as_bytes()], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Number of a merchant's registrations since a time, including cancelled ones.
pub(crate) fn registered_since(
    tx: &ReadTx,
    id: MerchantId,
    since: Timestamp,
) -> Result<u32, Error> {
    let sql = "SELECT count(*) FROM payout_addresses WHERE merchant_id = ? AND registered_at > ?";
    Ok(tx.connection.prepare_cached(sql)?.query_row(params![id, since], |row| row.get(0))?)
}

/// Whether the merchant has registered any payout address.
pub(crate) fn has_payout_address(tx: &ReadTx, id: MerchantId) -> Result<bool, Error> {
    let sql = "SELECT * FROM payout_addresses WHERE merchant_id = ? ORDER BY version";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([id], |row| tx.verify(&PAYOUT_ADDRESSES, row))?;
    let mut unverified = None;
    for row in rows {
        match row? {
            Ok(()) => return Ok(true),
            Err(error) => unverified = Some(error),
        }
    }
    unverified.map_or(Ok(false), Err)
}

/// Adds a registration and cancels a pending change.
pub(crate) fn register_payout_address(
    tx: &WriteTx,
    id: MerchantId,
    registration: &PayoutAddress,
) -> Result<(), Error> {
    cancel_address_change(tx, id, registration.registered_at)?;
    cancel_undone(tx, id, registration.registered_at)?;
    let (script, none) = (registration.address.script(), None::<Timestamp>);
    let script = script.as_bytes();
    let values: [Value; 6] = [
        ("merchant_id", &id),
        ("version", &registration.version),
        ("script", &script),
        ("registered_at", &registration.registered_at),
        ("effective_at", &registration.effective_at),
        ("cancelled_at", &none),
    ];
    authenticated::insert(tx, &PAYOUT_ADDRESSES, &values)?;
    tx.raise_head(id, Head { addresses: registration.version, ..Head::default() });
    Ok(())
}

/// Repeats cancellations that were undone: of the newest registrations, since it is unknown
/// which ones were cancelled.
fn cancel_undone(tx: &WriteTx, id: MerchantId, now: Timestamp) -> Result<(), Error> {
    let sql = "SELECT * FROM payout_addresses WHERE merchant_id = ? ORDER BY version DESC";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([id], |row| {
        let is_ours = tx.verify(&PAYOUT_ADDRESSES, row)?.is_ok();
        Ok((is_ours, row.get("version")?, row.get("cancelled_at")?))
    })?;
    let rows: Vec<(bool, u32, Option<Timestamp>)> = rows.collect::<Result<_, _>>()?;
    let ours = || rows.iter().filter(|(is_ours, ..)| *is_ours);
    let cancelled = ours().filter(|(_, _, cancelled_at)| cancelled_at.is_some()).count();
    let undone = (tx.head_of(id).cancelled as usize).saturating_sub(cancelled);
    for (_, version, _) in ours().filter(|(_, _, at)| at.is_none()).take(undone) {
        cancel_address(tx, id, *version, now)?;
    }
    Ok(())
}

/// Cancels the change that has not taken effect yet. Returns whether there was one.
pub(crate) fn cancel_address_change(
    tx: &WriteTx,
    id: MerchantId,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "SELECT version FROM payout_addresses
               WHERE merchant_id = ? AND effective_at > ? AND cancelled_at IS NULL";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![id, now], |row| row.get(0))?;
    let mut cancelled = false;
    for version in rows.collect::<Result<Vec<u32>, _>>()? {
        match cancel_address(tx, id, version, now) {
            Ok(found) => cancelled |= found,
            // An untrusted row needs no cancellation.
            Err(error) if error.is_of_a_row() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(cancelled)
}

/// Cancels this registration, whenever it takes effect. Returns whether it was uncancelled.
pub(crate) fn cancel_address(
    tx: &WriteTx,
    id: MerchantId,
    version: u32,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payout_addresses
               WHERE merchant_id = ? AND version = ? AND cancelled_at IS NULL)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    if !statement.query_row(params![id, version], |row| row.get::<_, bool>(0))? {
        return Ok(false);
    }
    let changes: [Value; 1] = [("cancelled_at", &now)];
    authenticated::update(tx, &PAYOUT_ADDRESSES, &[&id, &version], &changes)?;
    let sql = "SELECT * FROM payout_addresses WHERE merchant_id = ? AND cancelled_at IS NOT NULL";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([id], |row| Ok(tx.verify(&PAYOUT_ADDRESSES, row)?.is_ok()))?;
    let mut cancelled = 0u32;
    for is_ours in rows {
        cancelled = cancelled.saturating_add(u32::from(is_ours?));
    }
    tx.raise_head(id, Head { cancelled, ..Head::default() });
    Ok(true)
}
