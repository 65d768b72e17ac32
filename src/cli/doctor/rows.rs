//! Authenticated rows: none may have been changed, replaced by an older state, or deleted.

use super::{Finding, Say, Subject, failure, ok};
use crate::store::{Error, verification};

/// The newest rows of each table that are examined; `audit` examines all of them.
const EXAMINED: u32 = 10_000;

/// Rows that are named at most.
const NAMED_MAX: usize = 10;

pub(super) fn check(subject: &Subject, say: Say) {
    // What is wrong with the database is said where that is looked at.
    let Ok(store) = subject.store() else { return };
    match store.read_blocking(|tx| verification::unverified(tx, EXAMINED, NAMED_MAX)) {
        Ok(rows) if rows.is_empty() => {
            say(ok("rows", format!("the newest {EXAMINED} of each table verify")));
        }
        Ok(rows) => rows.iter().map(unverified).for_each(say),
        Err(error) => say(failure("rows", error.to_string())),
    }
}

fn unverified(error: &Error) -> Finding {
    failure("rows", format!("{error}; the gateway does not use it"))
        .fix("find out who can write the database; restore a backup, or register the value anew")
}
