//! Canonical bytes of SQLite values, for hashes and MACs.

use bitcoin::hashes::HashEngine;
use rusqlite::types::ValueRef;

/// Adds the type, the length and the bytes of a value: no two lists of values give the same bytes.
pub(super) fn input_value(engine: &mut impl HashEngine, value: ValueRef) {
    match value {
        ValueRef::Null => input(engine, 0, &[]),
        ValueRef::Integer(number) => input(engine, 1, &number.to_be_bytes()),
        ValueRef::Real(number) => input(engine, 2, &number.to_be_bytes()),
        ValueRef::Text(text) => input(engine, 3, text),
        ValueRef::Blob(blob) => input(engine, 4, blob),
    }
}

fn input(engine: &mut impl HashEngine, kind: u8, bytes: &[u8]) {
    engine.input(&[kind]);
    engine.input(&(bytes.len() as u64).to_be_bytes());
    engine.input(bytes);
}
