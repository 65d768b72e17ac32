//! The webhook outbox: lists events and attempts, and resends events.

use crate::domain::event::{Attempt, Event, State};
use crate::domain::merchant::MerchantId;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::events::{self, Wanted};
use crate::store::{ReadTx, WriteTx, audit_log};

use super::actor::{Actor, entry};
use super::reason::Reason;
use super::refusal::Refusal;

/// An event and its newest attempts.
pub(crate) type EventWithAttempts = (Event, Vec<Attempt>);

/// Attempts that are listed with their event: all of one that was not resent.
pub(crate) const ATTEMPTS_SHOWN: u32 = 10;

/// The most resends of a merchant within 24 hours: of one event, and of all events together.
const RESENDS_OF_EVENT_MAX: u32 = 10;
const RESENDS_MAX: u32 = 100;

/// The operation's name in the audit log.
const RESEND_ACT: &str = "resend_webhook";

#[derive(Debug, Clone, Default)]
pub(crate) struct ListQuery {
    pub(crate) merchant: Option<MerchantId>,
    /// Only those in this state, one of [`State::WORDS`].
    pub(crate) state: Option<&'static str>,
    /// The id of the last event of the page before.
    pub(crate) cursor: Option<String>,
    pub(crate) limit: u32,
}

/// Events with their attempts, newest first, and whether there are more.
///
/// # Errors
/// If the cursor names no event of this merchant.
pub(crate) fn list(
    tx: &ReadTx,
    list_query: &ListQuery,
) -> Result<(Vec<EventWithAttempts>, bool), Refusal> {
    let after = list_query
        .cursor
        .as_deref()
        .map(|id| of_merchant(tx, list_query.merchant, id))
        .transpose()
        .map_err(|refusal| match refusal {
            Refusal::UnknownEvent => Refusal::invalid("cursor", Reason::EventCursor),
            other => other,
        })?;
    let ListQuery { merchant, state, .. } = *list_query;
    let wanted = Wanted { merchant, state, after: after.as_ref() };
    let mut found = events::list(tx, &wanted, list_query.limit.saturating_add(1))?;
    let more = found.len() > usize::try_from(list_query.limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(list_query.limit).unwrap_or(usize::MAX));
    let events = found.into_iter().map(|event| {
        let attempts = shown_attempts(tx, &event.id)?;
        Ok((event, attempts))
    });
    Ok((events.collect::<Result<_, Refusal>>()?, more))
}

/// The newest attempts of an event, oldest first.
pub(crate) fn shown_attempts(tx: &ReadTx, id: &str) -> Result<Vec<Attempt>, Refusal> {
    let mut attempts = events::attempts(tx, id, None, ATTEMPTS_SHOWN)?;
    attempts.reverse();
    Ok(attempts)
}

/// A page of the attempts of a merchant's event, newest first, and whether there are more.
/// `before` is the number of the previous page's last attempt.
///
/// # Errors
/// If the merchant has no such event.
pub(crate) fn attempts(
    tx: &ReadTx,
    merchant: MerchantId,
    id: &str,
    before: Option<u32>,
    limit: u32,
) -> Result<(Vec<Attempt>, bool), Refusal> {
    of_merchant(tx, Some(merchant), id)?;
    let mut found = events::attempts(tx, id, before, limit.saturating_add(1))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}

/// Makes an event due now, in any state. With a merchant, only for its own events and within
/// its limits.
///
/// # Errors
/// If there is no such event, or the merchant has reached its limit.
pub(crate) fn resend(
    tx: &WriteTx,
    actor: &Actor,
    merchant: Option<MerchantId>,
    id: &str,
    now: Timestamp,
) -> Result<EventWithAttempts, Refusal> {
    let before = of_merchant(tx, merchant, id)?;
    let after = format!("{id} due");
    if let Some(merchant) = merchant {
        limit_resends(tx, merchant, Some(&after), RESENDS_OF_EVENT_MAX, now)?;
        limit_resends(tx, merchant, None, RESENDS_MAX, now)?;
    }
    if !events::resend(tx, id, now)? {
        return Err(Refusal::UnknownEvent);
    }
    let change = (Some(before.state.as_str().to_owned()), Some(after));
    audit_log::append(tx, &entry(actor, now, RESEND_ACT, before.merchant, change))?;
    Ok((of_merchant(tx, merchant, id)?, shown_attempts(tx, id)?))
}

/// Refuses the request if the merchant has resent `most` times within 24 hours; with `after`,
/// one event.
fn limit_resends(
    tx: &ReadTx,
    merchant: MerchantId,
    after: Option<&str>,
    most: u32,
    now: Timestamp,
) -> Result<(), Refusal> {
    let since = now.plus_ms(-DAY_MS);
    match audit_log::nth_newest_of_merchant(tx, merchant, RESEND_ACT, after, since, most)? {
        Some(at) => Err(Refusal::daily(most, at.plus_ms(DAY_MS), now)),
        None => Ok(()),
    }
}

/// Parses the state in a query.
pub(crate) fn state_word(text: &str) -> Result<&'static str, Refusal> {
    let word = State::WORDS.into_iter().find(|word| *word == text);
    word.ok_or_else(|| Refusal::invalid("status", Reason::EventState))
}

fn of_merchant(tx: &ReadTx, merchant: Option<MerchantId>, id: &str) -> Result<Event, Refusal> {
    let event = events::by_id(tx, id)?;
    let theirs = |event: &Event| merchant.is_none_or(|merchant| event.merchant == merchant);
    event.filter(theirs).ok_or(Refusal::UnknownEvent)
}
