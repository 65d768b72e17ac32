//! Administrators' operations: announcements, and resending a merchant's failed webhooks.

use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;
use crate::store::WriteTx;
use crate::store::audit_log;
use crate::store::events::{self, Wanted};

use super::actor::{Actor, entry, gateway_entry};
use super::merchants;
pub(crate) use super::reason::ANNOUNCEMENT_CHARS_MAX;
use super::reason::Reason;
use super::refusal::Refusal;

/// The most webhooks of one resend.
const RESENT_MAX: u32 = 500;

/// Records an announcement, before it is posted.
///
/// # Errors
/// If it is empty or too long.
pub(crate) fn record(
    tx: &WriteTx,
    actor: &Actor,
    text: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    validate(text)?;
    audit_log::append(tx, &gateway_entry(actor, now, "announce", (None, Some(text.to_owned()))))?;
    Ok(())
}

/// Refuses an announcement that is empty or too long for a message.
pub(crate) fn validate(text: &str) -> Result<(), Refusal> {
    let chars = text.trim().chars().count();
    if chars == 0 || chars > ANNOUNCEMENT_CHARS_MAX {
        return Err(Refusal::invalid("text", Reason::Announcement));
    }
    Ok(())
}

/// Makes the failed webhooks of a merchant due again, and returns how many.
pub(crate) fn resend_failed(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    now: Timestamp,
) -> Result<u32, Refusal> {
    merchants::get(tx, id)?;
    let mut count = 0u32;
    let wanted = Wanted { merchant: Some(id), state: Some("failed"), after: None };
    for event in events::list(tx, &wanted, RESENT_MAX)? {
        if events::resend(tx, &event.id, now)? {
            count = count.saturating_add(1);
        }
    }
    let change = (None, Some(format!("{count} webhooks")));
    audit_log::append(tx, &entry(actor, now, "resend_all", id, change))?;
    Ok(count)
}
