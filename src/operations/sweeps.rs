//! Sweeps: requests to sweep now, their outcome, trust decisions and payout waits.

use bitcoin::Txid;

use crate::domain::amount::Amount;
use crate::domain::chain_guard::Trust;
use crate::domain::keys::AccountXpub;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::domain::payout_address::Wait;
use crate::domain::sweep::SentSweep;
use crate::domain::sweep::transaction::{Unsound, verify_stored};
use crate::domain::time::Timestamp;
use crate::store::{
    self, ReadTx, WriteTx, audit_log, blocks, chain_guard_alerts, payments, payout_waits, requests,
    role_status, sweeps, totals,
};
use crate::view::role_status::Role;

use crate::store::audit_log::Act;

use super::actor::{Actor, entry, gateway_entry};
use super::refusal::Refusal;

/// The outcome of a request so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The sweeper has not run since.
    Waiting,
    /// Sweeps are paused while the chain guard is active.
    ChainSuspect,
    /// The sweeper fails, with its error.
    Trouble(String),
    /// The sweeps made since the request.
    Done(Vec<SentSweep>),
}

/// Asks the running sweeper to sweep now.
///
/// # Errors
/// While the chain guard is active.
pub(crate) fn request(tx: &WriteTx, actor: &Actor, now: Timestamp) -> Result<(), Refusal> {
    if chain_suspect(tx)? {
        return Err(Refusal::ChainSuspect);
    }
    requests::add(tx, &actor.shown(), now)?;
    audit_log::append(tx, &gateway_entry(actor, now, "sweep_now", (None, None)))?;
    Ok(())
}

/// Stored data that an operator trusts although it does not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trusted {
    Payment(PaymentId),
    Merchant(MerchantId),
    AuditLog,
    Everything,
}

/// Records in the audit log that an operator trusts stored data.
pub(crate) fn record_trust(
    tx: &WriteTx,
    actor: &Actor,
    trusted: Trusted,
    now: Timestamp,
) -> Result<(), store::Error> {
    let (name, merchant, payment) = match trusted {
        Trusted::Payment(id) => {
            let merchant = payments::by_id(tx, id)?.map(|evaluated| evaluated.payment.merchant);
            ("trust_payment", merchant, Some(id.to_string()))
        }
        Trusted::Merchant(id) => ("trust_merchant", Some(id), None),
        Trusted::AuditLog => ("trust_audit_log", None, None),
        Trusted::Everything => ("trust_database", None, None),
    };
    audit_log::append(tx, &Act { merchant, ..gateway_entry(actor, now, name, (None, payment)) })
}

/// Stores why a merchant's payouts wait, or that they no longer wait, for notifications. The
/// audit log gets each reason once.
pub(crate) fn record_wait(
    tx: &WriteTx,
    merchant: MerchantId,
    before: Option<Wait>,
    wait: Option<Wait>,
    now: Timestamp,
) -> Result<(), store::Error> {
    match &wait {
        Some(wait) => payout_waits::record(tx, merchant, wait, now)?,
        None => payout_waits::end(tx, merchant)?,
    }
    let of = |wait: Option<Wait>| wait.map(|wait| (wait.version, wait.reason));
    if of(before) == of(wait) {
        return Ok(());
    }
    let name = if wait.is_some() { "payouts_wait" } else { "payouts_continue" };
    let change = (before.map(|wait| wait.to_string()), wait.map(|wait| wait.to_string()));
    audit_log::append(tx, &entry(&Actor::System, now, name, merchant, change))
}

/// The outcome of a request made at this time.
pub(crate) fn outcome(tx: &ReadTx, asked_at: Timestamp) -> Result<Outcome, Refusal> {
    if chain_suspect(tx)? {
        return Ok(Outcome::ChainSuspect);
    }
    let Some(last) = role_status::of_role(tx, Role::Sweeper)? else { return Ok(Outcome::Waiting) };
    if let Some(trouble) = last.trouble {
        return Ok(Outcome::Trouble(trouble));
    }
    match last.at {
        Some(at) if at >= asked_at => Ok(Outcome::Done(sweeps::made_since(tx, asked_at)?)),
        Some(_) | None => Ok(Outcome::Waiting),
    }
}

/// Whether sweeps are paused by the chain guard.
pub(crate) fn chain_suspect(tx: &ReadTx) -> Result<bool, Refusal> {
    let Some(tip) = blocks::tip(tx)? else { return Ok(false) };
    Ok(chain_guard_alerts::trust_at(tx, tip)? != Trust::Full)
}

/// Sweeps in flight whose stored bytes are not what our key signed, by txid. They are not
/// sent.
pub(crate) fn damaged(
    tx: &ReadTx,
    xpub: &AccountXpub,
) -> Result<Vec<(Txid, Unsound)>, store::Error> {
    let mut found = Vec::new();
    for sweep in sweeps::unconfirmed(tx)? {
        let coins = sweeps::coins_of(tx, sweep.id, 0)?;
        for version in &sweep.versions {
            let sound = verify_stored(version.raw(), version.txid(), &coins, xpub);
            found.extend(sound.err().map(|what| (version.txid(), what)));
        }
    }
    Ok(found)
}

/// The hot balance: coins that wait for payout under a signing key on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hot {
    pub(crate) waiting: Amount,
    pub(crate) limit: Amount,
}

impl Hot {
    pub(crate) fn is_too_much(self) -> bool {
        self.waiting > self.limit
    }
}

/// The hot balance, from the stored sums: it is read every two seconds and moves no money.
pub(crate) fn hot(tx: &ReadTx, limit: Amount) -> Result<Hot, store::Error> {
    Ok(Hot { waiting: totals::unswept_kept(tx)?, limit })
}
