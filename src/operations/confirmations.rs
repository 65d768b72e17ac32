//! Confirmations of bot actions that cannot be undone: the action is stored, and done when the
//! same user confirms it in time. It is a row, so a restart loses none, and a button only
//! carries its id.

use crate::domain::time::Timestamp;
use crate::secret;
use crate::store::confirmations::{self as rows, Confirmation};
use crate::store::{self, WriteTx};

/// How long an action may be confirmed.
pub(crate) const STANDS_MS: i64 = 5 * 60_000;

/// Why a confirmation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Void {
    #[error("this button is not yours")]
    NotYours,
    #[error("this button was used already")]
    Used,
    #[error("this button is too old; send the command again")]
    TooOld,
}

/// Stores an action for a Discord user to confirm, and returns the id for its button.
pub(crate) fn ask(
    tx: &WriteTx,
    discord_id: u64,
    act: &str,
    argument: &str,
    stands_ms: i64,
    now: Timestamp,
) -> Result<String, store::Error> {
    use bitcoin::hex::DisplayHex;
    let id = secret::random_bytes::<16>().to_lower_hex_string();
    let new = Confirmation {
        id: id.clone(),
        discord_id,
        act: act.to_owned(),
        argument: argument.to_owned(),
        expires_at: now.plus_ms(stands_ms),
        used_at: None,
    };
    rows::insert(tx, &new, now)?;
    Ok(id)
}

/// Confirms an action: marks it as used, in the same write that does it.
///
/// # Errors
/// The outer error is the database's, the inner one the reason for a refusal. An unknown id
/// and another user's action are refused alike.
pub(crate) fn take(
    tx: &WriteTx,
    id: &str,
    discord_id: u64,
    now: Timestamp,
) -> Result<Result<Confirmation, Void>, store::Error> {
    let Some(found) = rows::find(tx, id)?.filter(|found| found.discord_id == discord_id) else {
        return Ok(Err(Void::NotYours));
    };
    if found.expires_at <= now {
        return Ok(Err(Void::TooOld));
    }
    Ok(if rows::use_up(tx, id, now)? { Ok(found) } else { Err(Void::Used) })
}
