//! Issued scripts and their payments.

use std::collections::{BTreeSet, HashMap};

use bitcoin::{Script, ScriptBuf};
use rusqlite::{OptionalExtension, params};

use crate::domain::keys::DerivationIndex;
use crate::domain::payment::PaymentId;
use crate::domain::time::Timestamp;
use crate::store::columns::{blobs, script};
use crate::store::error::Error;
use crate::store::tx::ReadTx;

/// The index whose address has this script, if it was ever issued.
pub(crate) fn index_of_script(
    tx: &ReadTx,
    script: &Script,
) -> Result<Option<DerivationIndex>, Error> {
    let sql = "SELECT derivation_index FROM payments WHERE script = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row([script.as_bytes()], |row| row.get(0)).optional()?)
}

/// Indexes with a payment, and their scripts, from one on: at most `limit`, in order.
pub(crate) fn scripts_from(
    tx: &ReadTx,
    from: u32,
    limit: u32,
) -> Result<Vec<(DerivationIndex, ScriptBuf)>, Error> {
    let sql = "SELECT derivation_index, script FROM payments WHERE derivation_index >= ?
               ORDER BY derivation_index LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![from, limit], |row| {
        Ok((row.get("derivation_index")?, script(row, "script")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The payment of an issued script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ours {
    pub(crate) index: DerivationIndex,
    pub(crate) id: PaymentId,
    pub(crate) created_at: Timestamp,
}

/// As [`index_of_script`], for the outputs of a whole block. Queried in order, so that each is
/// found near the previous one.
pub(crate) fn of_scripts<'s>(
    tx: &ReadTx,
    scripts: impl Iterator<Item = &'s Script>,
) -> Result<HashMap<ScriptBuf, Ours>, Error> {
    let scripts: BTreeSet<&[u8]> = scripts.map(Script::as_bytes).collect();
    let sql = "SELECT script, derivation_index, id, created_at
               FROM rarray(?) CROSS JOIN payments ON script = value";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([blobs(scripts)], |row| {
        let ours = Ours {
            index: row.get("derivation_index")?,
            id: row.get("id")?,
            created_at: row.get("created_at")?,
        };
        Ok((script(row, "script")?, ours))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
