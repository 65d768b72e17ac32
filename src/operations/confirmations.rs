//! Asking twice: what cannot be undone is stored as a question, and done when its one reader says
//! yes in time. The question is a row, so a restart loses none and no text of a button is believed.

use crate::domain::time::Timestamp;
use crate::secret;
use crate::store::confirmations::{self as rows, Confirmation};
use crate::store::{self, WriteTx};

/// How long a question stands.
pub(crate) const STANDS_MS: i64 = 5 * 60_000;

/// Why a yes does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Void {
    #[error("this button is not yours")]
    NotYours,
    #[error("this button was used already")]
    Used,
    #[error("this button is too old; send the command again")]
    TooOld,
}

/// Stores a question to a Discord user. Answers the id that its button carries.
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

/// Takes a yes: uses the question up, in the write that goes on to do what was asked.
///
/// # Errors
/// The outer error is the database's, the inner one says why the yes does not count. Somebody
/// else's question and one that never was are the same to whoever asks.
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
