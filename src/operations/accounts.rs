//! A merchant's account: settings, payout addresses, sums and payouts.

use bitcoin::Txid;

use crate::domain::ledger::Ledger;
use crate::domain::merchant::{Merchant, MerchantId, Registrations};
use crate::domain::network::Network;
use crate::store::accounts::{self as rows, PaidSweep};
use crate::store::{ReadTx, blocks, merchants};
use crate::view::account::Sums;

use super::reason::Reason;
use super::refusal::Refusal;

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) merchant: Merchant,
    pub(crate) addresses: Registrations,
}

#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) account: Account,
    pub(crate) sums: Sums,
}

pub(crate) fn get(tx: &ReadTx, id: MerchantId) -> Result<Merchant, Refusal> {
    merchants::by_id(tx, id)?.ok_or(Refusal::UnknownMerchant(id))
}

pub(crate) fn account(tx: &ReadTx, id: MerchantId, network: Network) -> Result<Account, Refusal> {
    let merchant = get(tx, id)?;
    Ok(Account { merchant, addresses: merchants::payout_addresses(tx, id, network)? })
}

/// A merchant with its account sums, at the current tip.
pub(crate) fn statement(
    tx: &ReadTx,
    id: MerchantId,
    network: Network,
) -> Result<Statement, Refusal> {
    Ok(Statement { account: account(tx, id, network)?, sums: sums(tx, id)? })
}

pub(crate) fn sums(tx: &ReadTx, id: MerchantId) -> Result<Sums, Refusal> {
    let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
    let facts = rows::facts(tx, id, tip)?;
    let mut ledger = Ledger::default();
    facts.ledger.iter().for_each(|fact| ledger.book(*fact));
    Ok(Sums { ledger, unconfirmed: facts.unconfirmed, confirmed: facts.confirmed })
}

/// A page of the sweeps that paid a merchant, newest first, and whether there are more.
///
/// # Errors
/// If the cursor is not from this list.
pub(crate) fn payouts(
    tx: &ReadTx,
    id: MerchantId,
    after: Option<Txid>,
    limit: u32,
) -> Result<(Vec<PaidSweep>, bool), Refusal> {
    let before = match after {
        None => None,
        Some(txid) => {
            let last = rows::sweep_of_txid(tx, id, txid)?;
            Some(last.ok_or_else(|| Refusal::invalid("cursor", Reason::Cursor))?)
        }
    };
    let mut found = rows::sweeps(tx, id, before, limit.saturating_add(1))?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    Ok((found, more))
}
