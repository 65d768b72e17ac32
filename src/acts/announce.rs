//! What administrators do to the whole: say something to all merchants, send a merchant's failed
//! webhooks again. Each leaves a line in the trail.

use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;
use crate::store::WriteTx;
use crate::store::events::{self, Wanted};
use crate::store::trail::{self, Act};

use super::{Actor, Refusal, act, merchants};

/// The longest announcement, in characters.
pub(crate) const ANNOUNCEMENT_CHARS_MAX: usize = 1_500;

/// Failed webhooks that are sent again at once, at most.
const RESENT_MAX: u32 = 500;

fn of_all(actor: &Actor, now: Timestamp, name: &'static str, after: Option<String>) -> Act {
    Act { at: now, actor: actor.shown(), act: name, merchant: None, before: None, after }
}

/// Records an announcement, before it is posted.
pub(crate) fn record(
    tx: &WriteTx,
    actor: &Actor,
    text: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    trail::append(tx, &of_all(actor, now, "announce", Some(text.to_owned())))?;
    Ok(())
}

/// Makes the failed webhooks of a merchant due again. Answers how many.
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
    trail::append(tx, &act(actor, now, "resend_all", id, change))?;
    Ok(count)
}
