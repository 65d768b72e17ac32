//! Checks payout addresses: none, in force or waiting, may belong to the gateway's own
//! account.

use super::finding::{Finding, Report, failure, ok, warning};
use super::subject::Subject;
use crate::domain::merchant::{address_in_force, address_to_come};
use crate::domain::payout_address::Reason;
use crate::operations::own_addresses::OwnAddresses;
use crate::store::payout_waits::PayoutWait;
use crate::store::{self, ReadTx, merchants, payout_waits};

pub(super) fn check(subject: &Subject, report: Report) {
    // The check "database" reports it.
    let Ok(store) = subject.store() else { return };
    let mut sound = true;
    let mut found = |finding| {
        sound = false;
        report(finding);
    };
    // Before the slow part: deriving the keys takes half a second.
    match store.read_blocking(payout_waits::all) {
        Ok(waiting) => waiting.iter().map(waits).for_each(&mut found),
        Err(error) => found(failure(CHECK, error.to_string())),
    }
    match store.read_blocking(|tx| find_own(subject, tx)) {
        Ok(findings) => findings.into_iter().for_each(&mut found),
        Err(error) => found(failure(CHECK, error.to_string())),
    }
    if sound {
        report(ok(CHECK, "none belongs to this gateway, and no payouts wait"));
    }
}

/// Addresses in force or waiting, and the operator's, that belong to the account.
fn find_own(subject: &Subject, tx: &ReadTx) -> Result<Vec<Finding>, store::Error> {
    let own = OwnAddresses::new(subject.xpub.clone());
    let now = subject.clock.now();
    let mut asked = Vec::new();
    for (merchant, rows) in merchants::uncancelled(tx, subject.network)? {
        let counts = [address_in_force(&rows, now), address_to_come(&rows, now)];
        let counts = counts.into_iter().flatten().map(|row| row.address.clone());
        asked.extend(counts.map(|address| (merchant.to_string(), address)));
    }
    let operator = subject.sweeper.rules.operator.as_ref().map(|fee| fee.script.as_script());
    let scripts = asked.iter().map(|(_, address)| address.script()).chain(operator);
    let ours = own.among(tx, scripts)?;
    let mut findings = Vec::new();
    if operator.is_some_and(|script| ours.contains(script)) {
        let what = "sweeper.operator_address is an address of this gateway".to_owned();
        findings.push(failure(CHECK, what).fix("set an address of your own wallet"));
    }
    for (merchant, address) in asked.iter().filter(|(_, one)| ours.contains(one.script())) {
        findings.push(is_own(merchant, &address.to_string()));
    }
    Ok(findings)
}

const CHECK: &str = "payout addresses";

fn is_own(merchant: &str, address: &str) -> Finding {
    let what = format!("{address} of {merchant} is an address of this gateway: its payouts wait");
    let fix = format!(
        "litegate merchant set-address {merchant} with an address of the merchant's wallet"
    );
    failure(CHECK, what).fix(fix)
}

/// A payout that waits, as the sweeper recorded it.
fn waits(one: &PayoutWait) -> Finding {
    let PayoutWait { merchant, wait, since } = one;
    let what = format!("payouts of {merchant} wait since {since}: {wait}");
    match wait.reason {
        Reason::Clock => warning(CHECK, what)
            .fix("synchronise this machine's clock; payouts continue once it is correct"),
        reason if reason.heals_alone() => warning(CHECK, what).fix(format!(
            "if the merchant did not ask for it: litegate merchant cancel-address-change {merchant}"
        )),
        _ => failure(CHECK, what)
            .fix(format!("litegate merchant set-address {merchant} with the correct address")),
    }
}
