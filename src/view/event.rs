//! JSON shapes of webhook events and their attempts.

use serde::Serialize;

use crate::domain::event::{Attempt, Event, State};

use super::values::Time;

/// An event of the outbox with its attempts, for operators.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventView {
    pub(crate) event_id: String,
    /// The kind of event.
    pub(crate) event: &'static str,
    pub(crate) payment_id: String,
    pub(crate) merchant_id: String,
    pub(crate) url: String,
    pub(crate) state: &'static str,
    pub(crate) created_at: Time,
    pub(crate) next_attempt_at: Option<Time>,
    /// The number of all attempts; `attempts` has the newest.
    pub(crate) attempt_count: u32,
    pub(crate) attempts: Vec<AttemptView>,
}

/// One delivery attempt of an event.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptView {
    pub(crate) number: u32,
    pub(crate) started_at: Time,
    pub(crate) duration_ms: u32,
    pub(crate) http_status: Option<u16>,
    pub(crate) outcome: String,
    pub(crate) answer: String,
}

impl EventView {
    pub(crate) fn new(event: &Event, attempts: &[Attempt]) -> EventView {
        EventView {
            event_id: event.id.clone(),
            event: event.kind.as_str(),
            payment_id: event.payment.to_string(),
            merchant_id: event.merchant.to_string(),
            url: event.url.as_deref().map(without_secrets).unwrap_or_default(),
            state: event.state.as_str(),
            created_at: Time(event.created_at),
            next_attempt_at: match event.state {
                State::Due { next_at } => Some(Time(next_at)),
                State::Delivered | State::Failed | State::Unsent => None,
            },
            attempt_count: event.attempts,
            attempts: attempts.iter().map(AttemptView::new).collect(),
        }
    }
}

impl AttemptView {
    pub(crate) fn new(attempt: &Attempt) -> AttemptView {
        AttemptView {
            number: attempt.number,
            started_at: Time(attempt.started_at),
            duration_ms: attempt.duration_ms,
            http_status: attempt.http_status,
            outcome: attempt.outcome.clone(),
            answer: attempt.answer.clone(),
        }
    }
}

/// The result of a test webhook.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrialView {
    pub(crate) event_id: String,
    pub(crate) delivered: bool,
    pub(crate) http_status: Option<u16>,
    pub(crate) duration_ms: u32,
    pub(crate) outcome: String,
    pub(crate) answer: String,
    /// The usual cause of the outcome, unless it is a success.
    pub(crate) advice: Option<&'static str>,
}

/// The URL without its query, where shops put tokens.
fn without_secrets(url: &str) -> String {
    match url.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => url.to_owned(),
    }
}
