//! Canonical bytes of SQLite values, for hashes and MACs.

use bitcoin::hashes::HashEngine;
use rusqlite::types::ValueRef;

use crate::secret::input_field;

/// Adds a value: its type as a letter, its length and its bytes.
pub(super) fn input_value(engine: &mut impl HashEngine, value: ValueRef) {
    match value {
        ValueRef::Null => input_field(engine, b'N', &[]),
        ValueRef::Integer(number) => input_field(engine, b'I', &number.to_be_bytes()),
        ValueRef::Real(number) => input_field(engine, b'F', &number.to_be_bytes()),
        ValueRef::Text(text) => input_field(engine, b'T', text),
        ValueRef::Blob(blob) => input_field(engine, b'B', blob),
    }
}
