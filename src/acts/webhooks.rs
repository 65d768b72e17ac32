//! The outbox, for those who look at it: what was told, what was not, and sending it again.

use crate::domain::event::{Attempt, Event, State};
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;
use crate::store::events::{self, Wanted};
use crate::store::{ReadTx, WriteTx, trail};

use super::reason::Reason;
use super::{Actor, Refusal, act};

/// An event and the tries at it.
pub(crate) type Told = (Event, Vec<Attempt>);

/// What of the outbox is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    /// Only this merchant's events.
    pub(crate) merchant: Option<MerchantId>,
    /// Only those in this state, one of [`State::WORDS`].
    pub(crate) state: Option<&'static str>,
    /// The id of the last event of the page before.
    pub(crate) cursor: Option<String>,
    pub(crate) limit: u32,
}

/// Events newest first with their tries, and whether there are more.
///
/// # Errors
/// If the cursor names no event of this merchant.
pub(crate) fn list(tx: &ReadTx, question: &Question) -> Result<(Vec<Told>, bool), Refusal> {
    let after = question
        .cursor
        .as_deref()
        .map(|id| of_merchant(tx, question.merchant, id))
        .transpose()
        .map_err(|refusal| match refusal {
            Refusal::UnknownEvent => Refusal::invalid("cursor", Reason::EventCursor),
            other => other,
        })?;
    let Question { merchant, state, .. } = *question;
    let wanted = Wanted { merchant, state, after: after.as_ref() };
    let mut found = events::list(tx, &wanted, question.limit.saturating_add(1))?;
    let more = found.len() > usize::try_from(question.limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(question.limit).unwrap_or(usize::MAX));
    let told = found.into_iter().map(|event| {
        let attempts = events::attempts(tx, &event.id)?;
        Ok((event, attempts))
    });
    Ok((told.collect::<Result<_, Refusal>>()?, more))
}

/// Makes an event due now, whatever became of it. With a merchant, only if it is theirs.
///
/// # Errors
/// If there is no such event.
pub(crate) fn resend(
    tx: &WriteTx,
    actor: &Actor,
    merchant: Option<MerchantId>,
    id: &str,
    now: Timestamp,
) -> Result<Told, Refusal> {
    let before = of_merchant(tx, merchant, id)?;
    if !events::resend(tx, id, now)? {
        return Err(Refusal::UnknownEvent);
    }
    let change = (Some(before.state.as_str().to_owned()), Some(format!("{id} due")));
    trail::append(tx, &act(actor, now, "resend_webhook", before.merchant, change))?;
    Ok((of_merchant(tx, merchant, id)?, events::attempts(tx, id)?))
}

/// The word for a state as it stands in a question.
pub(crate) fn state_word(text: &str) -> Result<&'static str, Refusal> {
    let word = State::WORDS.into_iter().find(|word| *word == text);
    word.ok_or_else(|| Refusal::invalid("status", Reason::EventState))
}

fn of_merchant(tx: &ReadTx, merchant: Option<MerchantId>, id: &str) -> Result<Event, Refusal> {
    let event = events::by_id(tx, id)?;
    let theirs = |event: &Event| merchant.is_none_or(|merchant| event.merchant == merchant);
    event.filter(theirs).ok_or(Refusal::UnknownEvent)
}
