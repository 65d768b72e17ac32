//! State machine of payout addresses: where a merchant is paid.
//!
//! Two sources name the address: the database, which other programs may write, and the
//! sweeper's record of what it saw. A merchant is paid only where both agree; on every
//! disagreement payouts wait, until an ordinary command (registering or cancelling) resolves
//! it. The table is in `static/docs/explanation/architecture.md`, "Payout address in force".
//! Pure: rows, record and clocks in, a standing out.

mod clocks;
mod seen;
mod wait;

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;

use super::merchant::{PayoutAddress, Registrations};
use super::time::Timestamp;

use self::clocks::CHAIN_LAG_MS_MAX;

pub(crate) use clocks::Clocks;
pub(crate) use seen::{Seen, Unreported};
pub(crate) use wait::{Reason, Wait};

/// The operator's delay, the sweeper's last pass, and what the sweeper knows of the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) delay_ms: i64,
    /// When everything in the database had been seen, by the slower clock. `None`: the record
    /// is new.
    pub(crate) looked_at: Option<Timestamp>,
    pub(crate) first_sight: FirstSight,
}

/// What was known of a merchant's payments when its first payout address was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstSight {
    BeforePayments,
    /// The first payment together with the address, in one state of the database. Its row says
    /// that it was created at this time.
    WithPayment {
        created_at: Timestamp,
    },
    /// A payment before the address.
    AfterPayment,
    /// Irrelevant: the operator vouches for the rows.
    Trusted,
}

impl FirstSight {
    /// Whether the merchant registered this address before it could have been paid.
    fn is_in_time(self, first: &PayoutAddress) -> bool {
        match self {
            FirstSight::BeforePayments | FirstSight::Trusted => true,
            FirstSight::WithPayment { created_at } => first.registered_at <= created_at,
            FirstSight::AfterPayment => false,
        }
    }
}

/// A row whose registration is older than the last pass by more than this was inserted later,
/// in milliseconds. Rows appear a moment after their time, and the processes' clocks differ.
const LATE_ROW_MS_MAX: i64 = 10 * 60_000;

/// Where a merchant is paid now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No address is in force yet.
    NoAddress,
    Pays {
        version: u32,
        script: ScriptBuf,
    },
    Waits(Wait),
}

/// Whether the row had a delay; a merchant's first address has none.
fn is_delayed(row: &PayoutAddress) -> bool {
    row.effective_at > row.registered_at
}

/// Updates the record from a merchant's rows and returns where the merchant is paid. Ignores
/// damaged rows.
pub(crate) fn observe(
    seen: &mut Vec<Seen>,
    registrations: &Registrations,
    clocks: Clocks,
    rules: Rules,
) -> Standing {
    let rows = &registrations.readable;
    let by_version: BTreeMap<u32, &PayoutAddress> =
        rows.iter().map(|row| (row.version, row)).collect();
    for known in seen.iter_mut() {
        known.correct(clocks);
        let row = by_version.get(&known.version);
        let matches = row.filter(|row| row.address.script() == known.script.as_script());
        let cancelled = matches.is_some_and(|row| row.cancelled_at.is_some());
        // A cancellation of an address that was in force is a contradiction, not a fact.
        if cancelled && !known.was_in_force && !known.cancelled {
            known.cancelled = true;
            known.unreported.cancelled = true;
        }
    }
    match seen.is_empty() {
        true => record_new_merchant(seen, registrations, clocks, rules),
        false => record_new_rows(seen, rows, clocks, rules),
    }
    evaluate(seen, &by_version, registrations.newest_damaged(), clocks, rules)
}

/// Records a merchant whose addresses were never seen. The first address is trusted if it was
/// registered before the first payment, else it waits for the delay. A change always waits,
/// unless the record is new or the operator vouches for the rows.
fn record_new_merchant(
    seen: &mut Vec<Seen>,
    registrations: &Registrations,
    clocks: Clocks,
    rules: Rules,
) {
    let rows = &registrations.readable;
    let Some(first) = rows.first() else { return };
    let is_first = registrations.damaged.iter().all(|version| *version > first.version);
    let vouched_for = rules.looked_at.is_none() || rules.first_sight == FirstSight::Trusted;
    match rules.first_sight.is_in_time(first) {
        true if vouched_for => trust_rows(seen, rows, clocks),
        true if is_first => trust_rows(seen, std::slice::from_ref(first), clocks),
        true | false => seen.push(Seen::new(first, clocks)),
    }
    record_new_rows(seen, rows, clocks, rules);
}

/// Trusts rows that there is no record to compare with: an address is in force if the row and
/// both clocks say so. (A lost record must not restore an address that the merchant replaced.)
fn trust_rows(seen: &mut Vec<Seen>, rows: &[PayoutAddress], clocks: Clocks) {
    let counts = |row: &&PayoutAddress| {
        let reached = match is_delayed(row) {
            true => clocks.both_reached(row.effective_at),
            false => row.effective_at <= clocks.own,
        };
        row.cancelled_at.is_none() && reached
    };
    let in_force = rows.iter().rfind(counts).map(|row| row.version);
    for row in rows {
        let mut new = Seen::new(row, clocks);
        if row.effective_at <= clocks.latest() {
            // By the rows, its delay passed before the sweeper saw it.
            new.first_seen_at = row.registered_at.min(clocks.own);
            let registered = row.registered_at.plus_ms(-CHAIN_LAG_MS_MAX);
            new.first_seen_chain = clocks.chain.map(|chain| chain.min(registered));
        }
        new.was_in_force = in_force == Some(row.version);
        seen.push(new);
    }
}

/// Records rows that are newer than all recorded ones.
fn record_new_rows(seen: &mut Vec<Seen>, rows: &[PayoutAddress], clocks: Clocks, rules: Rules) {
    let newest_known = seen.last().map_or(0, |known| known.version);
    for row in rows.iter().filter(|row| row.version > newest_known) {
        let too_soon = row.effective_at < row.registered_at.plus_ms(rules.delay_ms);
        let inserted_later = rules
            .looked_at
            .is_some_and(|looked| row.registered_at.plus_ms(LATE_ROW_MS_MAX) < looked);
        let backdated = too_soon || inserted_later;
        seen.push(Seen { backdated, ..Seen::new(row, clocks) });
    }
}

fn evaluate(
    seen: &mut [Seen],
    rows: &BTreeMap<u32, &PayoutAddress>,
    newest_damaged: u32,
    clocks: Clocks,
    rules: Rules,
) -> Standing {
    let newest_known = seen.last().map_or(0, |known| known.version).max(newest_damaged);
    let wait = |reason, version| {
        let until = None;
        Standing::Waits(Wait { reason, version, newest_known, until })
    };
    // The last address that was paid, or could have been.
    let paid = seen.iter().rfind(|known| known.was_in_force).cloned();
    let is_paid = |row: &PayoutAddress| {
        paid.as_ref().is_some_and(|paid| paid.version == row.version && paid.matches(row))
    };
    // The address in force by the database, by the later clock. An address that was paid stays
    // in force even if its row's time is changed.
    let in_force = rows.values().rev().find(|row| {
        let effective = row.effective_at <= clocks.latest() || is_paid(row);
        row.cancelled_at.is_none() && effective
    });
    let version = in_force.map_or(0, |row| row.version);
    // The content of a damaged row is unknown until a newer one is in force.
    if newest_damaged > version {
        return wait(Reason::Damaged, newest_damaged);
    }
    // A newer recorded row is missing: the database is an older copy, or was changed.
    let newer = seen.iter().rev().filter(|known| known.version > version);
    if let Some((reason, of)) = newer.filter_map(|known| known.contradicted_by(rows)).next() {
        return wait(reason, of);
    }
    let Some(row) = in_force.copied() else { return Standing::NoAddress };
    let known = seen.iter_mut().find(|known| known.version == version);
    let Some(known) = known else { return wait(Reason::Inserted, version) };
    if !known.matches(row) {
        return wait(Reason::Changed, version);
    }
    if known.cancelled {
        return wait(Reason::CancelUndone, version);
    }
    // Registering the same address again changes nothing.
    let same = paid.as_ref().is_some_and(|paid| paid.matches(row));
    if known.was_in_force || same {
        return pay_to(known);
    }
    if known.backdated {
        let before = paid.as_ref().and_then(|paid| paid.contradicted_by(rows));
        let (reason, of) = before.unwrap_or((Reason::Backdated, version));
        return wait(reason, of);
    }
    let newer = rows.values().any(|row| row.version > version && row.cancelled_at.is_none());
    let own_from = known.first_seen_at.plus_ms(rules.delay_ms).max(row.effective_at);
    let reason = if newer {
        Reason::Overtaken
    } else if own_from > clocks.own {
        Reason::Unconfirmed
    } else if !known.delay_passed_by_chain(clocks, rules.delay_ms) {
        Reason::Clock
    } else {
        return pay_to(known);
    };
    let until = (reason == Reason::Unconfirmed).then_some(own_from);
    Standing::Waits(Wait { reason, version, newest_known, until })
}

/// Marks it as the address in force. Every other one now needs its own delay.
fn pay_to(known: &mut Seen) -> Standing {
    known.was_in_force = true;
    Standing::Pays { version: known.version, script: known.script.clone() }
}

#[cfg(test)]
mod tests;
