//! Audit check that a sweep's bytes, plan and coins match.

use std::collections::HashMap;

use bitcoin::{OutPoint, ScriptBuf};

use crate::domain::amount::Amount;

use super::facts::{LedgerCoin, LedgerVersion};

/// The first mismatch of a version of a sweep, if any. Its inputs must be coins that it
/// claims, its outputs the payouts, and the amounts must balance.
pub(super) fn of(
    version: &LedgerVersion,
    coins: &HashMap<OutPoint, &LedgerCoin>,
) -> Option<&'static str> {
    if !version.readable {
        return Some("its bytes are not the transaction of its id");
    }
    let spent: Vec<Option<&&LedgerCoin>> =
        version.inputs.iter().map(|input| coins.get(input)).collect();
    if spent.iter().any(Option::is_none) {
        return Some("it spends a coin that is not recorded");
    }
    let is_claimed = |ledger: &&&LedgerCoin| ledger.claim == Some(version.sweep);
    if !version.abandoned && !spent.iter().flatten().all(is_claimed) {
        return Some("it spends a coin that it does not claim");
    }
    let is_spent = |ledger: &&&LedgerCoin| ledger.spent_by == Some(version.txid);
    if version.block.is_some() && !spent.iter().flatten().all(is_spent) {
        return Some("it is mined, but a coin of it is not recorded as spent by it");
    }
    let mut lines: Vec<(ScriptBuf, Amount)> =
        version.payouts.iter().map(|payout| (payout.script.clone(), payout.amount)).collect();
    if let Some((script, _)) = version.outputs.last()
        && !version.operator_fee().is_zero()
    {
        // The operator's output is the last one. Its script is not checked: the configuration
        // may have changed.
        lines.push((script.clone(), version.operator_fee()));
    }
    let sorted = |mut lines: Vec<(ScriptBuf, Amount)>| {
        lines.sort_unstable();
        lines
    };
    if sorted(lines) != sorted(version.outputs.clone()) {
        return Some("its outputs are not the payouts");
    }
    let into = Amount::total(spent.iter().flatten().map(|ledger| ledger.coin.amount));
    let gross = Amount::total(version.payouts.iter().map(|payout| payout.gross));
    let out = Amount::total(version.outputs.iter().map(|(_, amount)| *amount));
    if gross != into {
        return Some("the merchants' gross amounts are not the sum of the inputs");
    }
    if Amount::total([out, version.fee]) != into {
        return Some("the inputs are not the sum of outputs and fee");
    }
    None
}
