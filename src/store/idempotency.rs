//! Idempotency keys: which payment a merchant's key stands for, and what was asked with it.

use rusqlite::{OptionalExtension, params};

use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;

use super::authenticated::{self, IDEMPOTENCY_KEYS, Value};
use super::{Error, ReadTx, WriteTx};

/// What was once asked with a key, and the payment that came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    /// SHA-256 of the request as it was understood.
    pub(crate) request_hash: [u8; 32],
    pub(crate) index: DerivationIndex,
}

/// How the merchant used this key before.
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

/// Remembers the key, in the write that creates its payment.
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
