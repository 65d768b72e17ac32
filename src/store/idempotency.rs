//! Idempotency keys: the payment and the request of each.

use rusqlite::{OptionalExtension, params};

use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;

use super::authenticated::{self, IDEMPOTENCY_KEYS, Value};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// The request of a key, and the payment that it created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    /// SHA-256 of the parsed request.
    pub(crate) request_hash: [u8; 32],
    pub(crate) index: DerivationIndex,
}

/// The previous use of a merchant's key.
pub(crate) fn find(tx: &ReadTx, merchant: MerchantId, key: &str) -> Result<Option<Used>, Error> {
    let sql = "SELECT * FROM idempotency_keys
               WHERE merchant_id = ? AND key = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let row = statement.query_row(params![merchant, key], |row| {
        let used =
            Used { request_hash: row.get("request_hash")?, index: row.get("derivation_index")? };
        Ok(tx.verify(&IDEMPOTENCY_KEYS, row)?.map(|()| used))
    });
    row.optional()?.transpose()
}

/// Stores a key, in the transaction that creates its payment.
pub(crate) fn insert(
    tx: &WriteTx,
    merchant: MerchantId,
    key: &str,
    used: &Used,
    now: Timestamp,
) -> Result<(), Error> {
    let values: [Value; 5] = [
        ("merchant_id", &merchant),
        ("key", &key),
        ("request_hash", &used.request_hash),
        ("derivation_index", &used.index),
        ("created_at", &now),
    ];
    authenticated::insert(tx, &IDEMPOTENCY_KEYS, &values)
}
