//! Where payouts go: no address in force or waiting may be one of the account's own.

use super::{Finding, Say, failure, ok};
use crate::acts::own_addresses::OwnAddresses;
use crate::config::Config;
use crate::domain::merchant::{address_in_force, address_to_come};
use crate::serve::database::open_store;
use crate::store::merchants;

pub(super) fn check(config: &Config, say: Say) {
    // What is wrong with the database is said where that is looked at.
    let Ok(store) = open_store(config) else { return };
    let own = OwnAddresses::new(config.xpub.clone());
    let now = config.clock.now();
    let found = store.read_blocking(|tx| {
        let mut asked = Vec::new();
        for (merchant, rows) in merchants::uncancelled(tx, config.network)? {
            let counts = [address_in_force(&rows, now), address_to_come(&rows, now)];
            let counts = counts.into_iter().flatten().map(|row| row.address.clone());
            asked.extend(counts.map(|address| (merchant.to_string(), address)));
        }
        let operator = config.sweeper.rules.operator.as_ref().map(|fee| fee.script.as_script());
        let scripts = asked.iter().map(|(_, address)| address.script()).chain(operator);
        let ours = own.among(tx, scripts)?;
        let mut findings = Vec::new();
        if operator.is_some_and(|script| ours.contains(script)) {
            let what = "sweeper.operator_address is an address of this gateway".to_owned();
            findings.push(failure(CHECK, what).fix("give one of your own wallet"));
        }
        for (merchant, address) in asked.iter().filter(|(_, one)| ours.contains(one.script())) {
            findings.push(is_own(merchant, &address.to_string()));
        }
        Ok::<_, crate::store::Error>(findings)
    });
    match found {
        Ok(findings) if findings.is_empty() => say(ok(CHECK, "none is one of this gateway's own")),
        Ok(findings) => findings.into_iter().for_each(say),
        Err(error) => say(failure(CHECK, error.to_string())),
    }
}

const CHECK: &str = "payout addresses";

fn is_own(merchant: &str, address: &str) -> Finding {
    let what = format!("{address} of {merchant} is an address of this gateway: its payouts wait");
    let fix = format!("litegate merchant set-address {merchant} with one of the merchant's wallet");
    failure(CHECK, what).fix(fix)
}
