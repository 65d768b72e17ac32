//! A merchant's second factor (TOTP): enabling, disabling and checking it.
//!
//! Guarded operations take a [`Passed`], which only [`check`] returns. A refused code is
//! counted: the write must be committed, so the refusal is an inner error.

use crate::domain::merchant::MerchantId;
use crate::domain::second_factor::{
    Accepted, Code, RECOVERY_CODES, RecoveryCode, Rejected, SecondFactor,
};
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::secret::{self, AppSecret, Secret, Secrets};
use crate::store::merchants::{self as rows, FactorState};
use crate::store::{ReadTx, WriteTx, audit_log};

use super::accounts;
use super::actor::{Actor, entry};
use super::refusal::Refusal;

pub(crate) use super::refusal::FactorRefusal;

/// Names in the audit log: accepted and refused codes, and the two ways to disable a factor.
const PASS_ACT: &str = "pass_second_factor";
const FAIL_ACT: &str = "fail_second_factor";
const DISABLE_ACT: &str = "disable_second_factor";
const RESET_ACT: &str = "reset_second_factor";

/// Proof that a merchant's second factor was checked, or `None`: not checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed(Option<MerchantId>);

impl Passed {
    /// Not checked: suffices if no second factor is enabled.
    pub(crate) fn nothing() -> Passed {
        Passed(None)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) actor: Actor,
    pub(crate) merchant: MerchantId,
    pub(crate) code: Option<String>,
    pub(crate) now: Timestamp,
}

/// The secret for an authenticator app.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) secret: Secret<String>,
    /// The secret as an otpauth URL.
    pub(crate) url: Secret<String>,
}

/// Whether the merchant's second factor is enabled, usable or not.
pub(crate) fn is_enabled(tx: &ReadTx, merchant: MerchantId) -> Result<bool, Refusal> {
    Ok(match rows::second_factor(tx, merchant)? {
        FactorState::Off | FactorState::Begun(_) => false,
        FactorState::Enabled(_) | FactorState::Unusable => true,
    })
}

/// Creates the secret of a new factor. [`confirm`] enables it by its first code.
///
/// # Errors
/// If one is enabled, or there is no such merchant.
pub(crate) fn begin(
    tx: &WriteTx,
    actor: &Actor,
    secrets: &Secrets,
    merchant: MerchantId,
    now: Timestamp,
) -> Result<Setup, Refusal> {
    accounts::get(tx, merchant)?;
    if is_enabled(tx, merchant)? {
        return Err(FactorRefusal::EnabledAlready.into());
    }
    let secret = AppSecret::generate();
    let factor = SecondFactor {
        merchant,
        secret: secrets.seal_app_secret(merchant, &secret),
        begun_at: now,
        last_step: 0,
        wrong: 0,
        locked_until: None,
        recovery: Vec::new(),
    };
    rows::begin_second_factor(tx, &factor)?;
    audit_log::append(tx, &entry(actor, now, "begin_second_factor", merchant, (None, None)))?;
    Ok(Setup { secret: secret.text(), url: secret.url(merchant) })
}

/// Enables the new factor by its first code, and returns the recovery codes, which are shown
/// once.
///
/// # Errors
/// If none was begun, its setup has expired, or the code is wrong.
pub(crate) fn confirm(
    tx: &WriteTx,
    actor: &Actor,
    secrets: &Secrets,
    merchant: MerchantId,
    code: &str,
    now: Timestamp,
) -> Result<Vec<RecoveryCode>, Refusal> {
    accounts::get(tx, merchant)?;
    let mut factor = match rows::second_factor(tx, merchant)? {
        FactorState::Begun(factor) if !factor.setup_is_over(now) => factor,
        FactorState::Off | FactorState::Begun(_) => return Err(FactorRefusal::NotBegun.into()),
        FactorState::Enabled(_) | FactorState::Unusable => {
            return Err(FactorRefusal::EnabledAlready.into());
        }
    };
    let (secret, _) =
        secrets.open_app_secret(merchant, &factor.secret).ok_or(FactorRefusal::NotBegun)?;
    let step = secret.step_of(&Code::parse(code), now).ok_or(FactorRefusal::WrongFirstCode)?;
    let codes: Vec<RecoveryCode> =
        (0..RECOVERY_CODES).map(|_| RecoveryCode::from_random(secret::random_bytes())).collect();
    factor.last_step = step;
    factor.recovery = codes.iter().map(RecoveryCode::hash).collect();
    rows::enable_second_factor(tx, &factor)?;
    audit_log::append(tx, &entry(actor, now, "enable_second_factor", merchant, (None, None)))?;
    Ok(codes)
}

/// Checks the code of an attempt, if the merchant's second factor is enabled, and records it.
///
/// # Errors
/// The outer error is the database's. With the inner one the write must be committed, so that
/// wrong codes are counted.
pub(crate) fn check(
    tx: &WriteTx,
    secrets: &Secrets,
    attempt: &Attempt,
) -> Result<Result<Passed, FactorRefusal>, Refusal> {
    let Attempt { merchant, now, .. } = *attempt;
    let mut factor = match rows::second_factor(tx, merchant)? {
        FactorState::Off | FactorState::Begun(_) => return Ok(Ok(Passed::nothing())),
        FactorState::Unusable => return Ok(Err(FactorRefusal::Unusable)),
        FactorState::Enabled(factor) => factor,
    };
    let Some(code) = &attempt.code else { return Ok(Err(FactorRefusal::CodeNeeded)) };
    let Some((secret, _)) = secrets.open_app_secret(merchant, &factor.secret) else {
        return Ok(Err(FactorRefusal::Unusable));
    };
    let code = Code::parse(code);
    let evaluated = factor.evaluate(&code, secret.step_of(&code, now), now);
    let (act_name, outcome) = match evaluated {
        Ok(Accepted::OneTime) => (PASS_ACT, "code of the app".to_owned()),
        Ok(Accepted::Recovery) => {
            (PASS_ACT, format!("recovery code; {} left", factor.recovery.len()))
        }
        Err(Rejected::Wrong { left }) => (FAIL_ACT, format!("wrong code; {left} more lock it")),
        Err(Rejected::Used) => (FAIL_ACT, "used code".to_owned()),
        Err(Rejected::Locked { until }) => (FAIL_ACT, format!("locked until {until}")),
    };
    rows::save_second_factor(tx, &factor)?;
    let entry = entry(&attempt.actor, now, act_name, merchant, (None, Some(outcome)));
    audit_log::append(tx, &entry)?;
    Ok(evaluated.map(|_| Passed(Some(merchant))).map_err(|rejected| match rejected {
        Rejected::Wrong { left } => FactorRefusal::WrongCode { left },
        Rejected::Used => FactorRefusal::UsedCode,
        Rejected::Locked { until } => {
            let minutes =
                until.ms_since(now).max(0).unsigned_abs().div_ceil(MINUTE_MS.unsigned_abs());
            FactorRefusal::Locked { minutes: u32::try_from(minutes).unwrap_or(u32::MAX) }
        }
    }))
}

/// Checks the code of an attempt, if there is one, and runs the guarded operation, in one
/// write.
///
/// # Errors
/// As [`check`], and those of `guarded`, which leave the code unused.
pub(crate) fn with_code<T, E: From<Refusal>>(
    tx: &WriteTx,
    secrets: &Secrets,
    attempt: &Attempt,
    guarded: impl FnOnce(&Passed) -> Result<T, E>,
) -> Result<Result<T, FactorRefusal>, E> {
    // Without a code, the operation itself checks whether one is required.
    let checked = match attempt.code {
        Some(_) => check(tx, secrets, attempt)?,
        None => Ok(Passed::nothing()),
    };
    match checked {
        Ok(passed) => guarded(&passed).map(Ok),
        Err(refused) => Ok(Err(refused)),
    }
}

/// Requires that the merchant's second factor was checked, if one is enabled.
///
/// # Errors
/// If a code is required, or the factor is unusable.
pub(super) fn require(tx: &ReadTx, merchant: MerchantId, passed: &Passed) -> Result<(), Refusal> {
    match rows::second_factor(tx, merchant)? {
        FactorState::Off | FactorState::Begun(_) => Ok(()),
        FactorState::Unusable => Err(FactorRefusal::Unusable.into()),
        FactorState::Enabled(_) if *passed == Passed(Some(merchant)) => Ok(()),
        FactorState::Enabled(_) => Err(FactorRefusal::CodeNeeded.into()),
    }
}

/// Disables the factor, with an accepted code.
///
/// # Errors
/// If none is enabled, or no code was accepted.
pub(crate) fn disable(
    tx: &WriteTx,
    actor: &Actor,
    merchant: MerchantId,
    passed: &Passed,
    now: Timestamp,
) -> Result<(), Refusal> {
    require(tx, merchant, passed)?;
    end(tx, (actor, DISABLE_ACT), merchant, now)
}

/// Disables the factor without a code, by the operator.
///
/// # Errors
/// If none is enabled.
pub(crate) fn reset(
    tx: &WriteTx,
    actor: &Actor,
    merchant: MerchantId,
    now: Timestamp,
) -> Result<(), Refusal> {
    end(tx, (actor, RESET_ACT), merchant, now)
}

fn end(
    tx: &WriteTx,
    (actor, act_name): (&Actor, &'static str),
    merchant: MerchantId,
    now: Timestamp,
) -> Result<(), Refusal> {
    accounts::get(tx, merchant)?;
    if !is_enabled(tx, merchant)? {
        return Err(FactorRefusal::NotEnabled.into());
    }
    rows::disable_second_factor(tx, merchant)?;
    audit_log::append(tx, &entry(actor, now, act_name, merchant, (None, None)))?;
    Ok(())
}
