//! Conversion between domain values and columns. An impossible value is an error, so that a
//! damaged row is reported instead of trusted.

use std::rc::Rc;

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::vtab::array::Array;

use crate::domain::amount::Amount;
use crate::domain::api_key::ApiKeyId;
use crate::domain::event_kind::EventKinds;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::domain::pegout::Sequence;
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;

use super::error::Error;

/// Converts an integer column to a narrower type.
fn whole<T>(value: ValueRef<'_>, make: impl FnOnce(i64) -> Option<T>) -> FromSqlResult<T> {
    let number = value.as_i64()?;
    make(number).ok_or(FromSqlError::OutOfRange(number))
}

fn integer(number: u64) -> rusqlite::Result<ToSqlOutput<'static>> {
    i64::try_from(number)
        .map(ToSqlOutput::from)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

impl ToSql for Amount {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer(self.litoshis())
    }
}

impl FromSql for Amount {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Amount> {
        whole(value, |n| u64::try_from(n).ok().and_then(Amount::from_litoshis))
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.ms()))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Timestamp> {
        Ok(Timestamp::from_ms(value.as_i64()?))
    }
}

impl ToSql for Sequence {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.get()))
    }
}

impl FromSql for Sequence {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Sequence> {
        Ok(Sequence::from_row(value.as_i64()?))
    }
}

impl ToSql for ApiKeyId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer(self.get())
    }
}

impl FromSql for ApiKeyId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<ApiKeyId> {
        whole(value, |n| u64::try_from(n).ok().map(ApiKeyId::from_random))
    }
}

impl ToSql for MerchantId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer(self.get())
    }
}

impl FromSql for MerchantId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<MerchantId> {
        whole(value, |n| u64::try_from(n).ok().map(MerchantId::from_random))
    }
}

impl ToSql for DerivationIndex {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.get()))
    }
}

impl FromSql for DerivationIndex {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<DerivationIndex> {
        whole(value, |n| u32::try_from(n).ok().and_then(DerivationIndex::new))
    }
}

impl ToSql for PaymentId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_bytes().as_slice()))
    }
}

impl FromSql for PaymentId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<PaymentId> {
        <[u8; 16]>::column_result(value).map(PaymentId::from_bytes)
    }
}

/// The 32 bytes of a transaction id.
pub(super) fn txid_bytes(txid: &Txid) -> [u8; 32] {
    txid.to_byte_array()
}

/// The 32 bytes of a block hash.
pub(super) fn block_hash_bytes(hash: &BlockHash) -> [u8; 32] {
    hash.to_byte_array()
}

pub(super) fn txid(row: &Row, column: &str) -> rusqlite::Result<Txid> {
    row.get::<_, [u8; 32]>(column).map(Txid::from_byte_array)
}

pub(super) fn block_hash(row: &Row, column: &str) -> rusqlite::Result<BlockHash> {
    row.get::<_, [u8; 32]>(column).map(BlockHash::from_byte_array)
}

/// Many byte strings as one parameter: the values of the table `rarray(?)`.
pub(super) fn blobs<B: AsRef<[u8]>>(values: impl IntoIterator<Item = B>) -> Array {
    Rc::new(values.into_iter().map(|value| Value::Blob(value.as_ref().to_vec())).collect())
}

/// Reads an outpoint from the columns `txid` and `vout`.
pub(super) fn outpoint(row: &Row) -> rusqlite::Result<OutPoint> {
    Ok(OutPoint { txid: txid(row, "txid")?, vout: row.get("vout")? })
}

pub(super) fn script(row: &Row, column: &str) -> rusqlite::Result<ScriptBuf> {
    row.get::<_, Vec<u8>>(column).map(ScriptBuf::from_bytes)
}

pub(super) fn impossible(column: &str, value: impl std::fmt::Display) -> Error {
    Error::Impossible(format!("{column} = {value}"))
}
/// The column `tolerance`; NULL is none.
pub(super) fn tolerance(row: &Row) -> rusqlite::Result<Result<Tolerance, Error>> {
    let Some(hundredths) = row.get::<_, Option<u16>>("tolerance")? else {
        return Ok(Ok(Tolerance::NONE));
    };
    let tolerance = Tolerance::from_hundredths(hundredths);
    Ok(tolerance.ok_or_else(|| impossible("tolerance", hundredths)))
}

/// A tolerance as [`tolerance`] reads it.
pub(super) fn tolerance_column(tolerance: Tolerance) -> Option<u16> {
    Some(tolerance.hundredths()).filter(|hundredths| *hundredths > 0)
}

/// A set of event kinds as [`event_kinds`] reads it.
pub(super) fn event_kinds_column(kinds: EventKinds) -> Option<String> {
    Some(kinds).filter(|kinds| !kinds.is_empty()).map(|kinds| kinds.to_string())
}

/// A set of event kinds; `None` if the column is NULL.
pub(super) fn event_kinds(
    row: &Row,
    column: &'static str,
) -> rusqlite::Result<Result<Option<EventKinds>, Error>> {
    let Some(names) = row.get::<_, Option<String>>(column)? else { return Ok(Ok(None)) };
    let kinds = EventKinds::parse(names.split(',').filter(|name| !name.is_empty()));
    Ok(kinds.map(Some).map_err(|_| impossible(column, names)))
}
