//! Checks authenticated rows: none may have been changed, rolled back or deleted.

use super::finding::{Finding, Report, failure, ok};
use super::subject::Subject;
use crate::store::{Error, verification};

/// Newest rows of each table that are verified; `audit` verifies all.
const EXAMINED: u32 = 10_000;

/// Largest number of rows that are named.
const NAMED_MAX: usize = 10;

pub(super) fn check(subject: &Subject, report: Report) {
    // The check "database" reports it.
    let Ok(store) = subject.store() else { return };
    match store.read_blocking(|tx| verification::unverified(tx, EXAMINED, NAMED_MAX)) {
        Ok(rows) if rows.is_empty() => {
            report(ok("rows", format!("the newest {EXAMINED} of each table verify")));
        }
        Ok(rows) => rows.iter().map(unverified).for_each(report),
        Err(error) => report(failure("rows", error.to_string())),
    }
}

fn unverified(error: &Error) -> Finding {
    failure("rows", format!("{error}; the gateway does not use it")).fix(
        "find out who can write to the database; restore a backup, or register the value again",
    )
}
