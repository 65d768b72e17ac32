//! `GET /api/webhooks`, `GET /api/webhooks/:eventId/attempts` and
//! `POST /api/webhooks/:eventId/resend`: the merchant's webhook events and their attempts.

use std::sync::Arc;

use serde::Serialize;
use warp::Filter;
use warp::reply::Response;

use crate::domain::api_key::Permission;
use crate::operations::Actor;
use crate::operations::reason::Reason;
use crate::operations::webhooks::{self as operations, EventWithAttempts, ListQuery};
use crate::view::{AttemptView, EventView};

use super::api::Api;
use super::auth::KeyHolder;
use super::error::ApiError;
use super::filters::{Route, get, json, query, query_parts, with_api};
use super::keyed::{Keyed, keyed};

const LIMIT_USUAL: u32 = 20;

const LIMIT_MAX: u32 = 100;

pub(super) fn route(api: &Arc<Api>) -> Route {
    let events = warp::path!("api" / "webhooks")
        .and(get())
        .and(keyed(api))
        .and(with_api(api))
        .and(query())
        .then(|key: Keyed, api, query: String| {
            key.respond(Permission::Read, |holder| async move { list(api, holder, &query).await })
        });
    let attempts = warp::path!("api" / "webhooks" / String / "attempts")
        .and(get())
        .and(keyed(api))
        .and(with_api(api))
        .and(query())
        .then(|id, key: Keyed, api, query: String| {
            key.respond(Permission::Read, |holder| async move {
                attempts(api, holder, id, &query).await
            })
        });
    let resend = warp::path!("api" / "webhooks" / String / "resend")
        .and(warp::post())
        .and(keyed(api))
        .and(with_api(api))
        .then(|id, key: Keyed, api| {
            key.respond(Permission::Change, |holder| resend(api, holder, id))
        });
    events.or(attempts).unify().or(resend).unify().boxed()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<EventView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Lists events of the key's merchant. Parameters: `status`, `limit`, `cursor`.
pub(crate) async fn list(
    api: Arc<Api>,
    holder: KeyHolder,
    query: &str,
) -> Result<Response, ApiError> {
    let list_query = ListQuery { merchant: Some(holder.merchant()), ..read_query(query)? };
    let (events, more) =
        api.store.read(move |tx| operations::list(tx, &list_query).map_err(ApiError::from)).await?;
    let next_cursor = events.last().filter(|_| more).map(|(event, _)| event.id.clone());
    json(&Page { data: events.iter().map(view).collect(), next_cursor })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptPage {
    data: Vec<AttemptView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Lists the attempts of an event. Parameters: `limit`, `cursor`.
pub(crate) async fn attempts(
    api: Arc<Api>,
    holder: KeyHolder,
    id: String,
    query: &str,
) -> Result<Response, ApiError> {
    let (mut before, mut limit) = (None, LIMIT_USUAL);
    for (name, value) in query_parts(query, ["limit", "cursor"])? {
        match name {
            "limit" => limit = read_limit(&value)?,
            _ => {
                let number = value.parse().map_err(|_| ApiError::invalid("cursor", Reason::Cursor));
                before = Some(number?);
            }
        }
    }
    let merchant = holder.merchant();
    let (found, more) =
        api.store.read(move |tx| operations::attempts(tx, merchant, &id, before, limit)).await?;
    let next_cursor = found.last().filter(|_| more).map(|last| last.number.to_string());
    json(&AttemptPage { data: found.iter().map(AttemptView::new).collect(), next_cursor })
}

fn read_limit(value: &str) -> Result<u32, ApiError> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let reason = format!("must be a whole number from 1 to {LIMIT_MAX}");
    limit.ok_or_else(|| ApiError::invalid("limit", reason))
}

/// Makes an event due now, and returns it.
pub(crate) async fn resend(
    api: Arc<Api>,
    holder: KeyHolder,
    id: String,
) -> Result<Response, ApiError> {
    let (merchant, now) = (Some(holder.merchant()), api.clock.now());
    let event = api
        .store
        .write(move |tx| operations::resend(tx, &Actor::ApiKey, merchant, &id, now))
        .await?;
    api.notifier.notify_webhooks();
    json(&view(&event))
}

fn view((event, attempts): &EventWithAttempts) -> EventView {
    EventView::new(event, attempts)
}

fn read_query(query: &str) -> Result<ListQuery, ApiError> {
    let mut list_query = ListQuery { limit: LIMIT_USUAL, ..ListQuery::default() };
    for (name, value) in query_parts(query, ["status", "limit", "cursor"])? {
        match name {
            "status" => list_query.state = Some(operations::state_word(&value)?),
            "limit" => list_query.limit = read_limit(&value)?,
            _ => list_query.cursor = Some(value),
        }
    }
    Ok(list_query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_query_parameter_is_validated_separately() {
        #[track_caller]
        fn check(query: &str, expected: Result<(Option<&str>, u32, Option<&str>), &str>) {
            let read = read_query(query).map_err(|error| error.message().to_owned());
            let read = read.as_ref().map(|q| (q.state, q.limit, q.cursor.as_deref()));
            match expected {
                Ok(parts) => assert_eq!(read, Ok(parts), "{query}"),
                Err(beginning) => {
                    assert!(read.is_err_and(|said| said.starts_with(beginning)), "{query}");
                }
            }
        }
        check("", Ok((None, 20, None)));
        check("status=failed&limit=100&cursor=evt_1&x=y", Ok((Some("failed"), 100, Some("evt_1"))));
        check("limit=5&limit=5", Err("limit must not be sent twice"));
        check("status=fail%65d", Ok((Some("failed"), 20, None)));
        for query in ["status=", "status=Failed", "status=gone", "status=failed%00"] {
            check(query, Err("status must be"));
        }
        for query in ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "limit=1.0"] {
            check(query, Err("limit must be"));
        }
    }
}
