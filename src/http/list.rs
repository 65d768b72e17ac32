//! `GET /api/payments`: the payments of the key's merchant, newest first, in pages.

use std::sync::Arc;

use serde::Serialize;
use warp::Filter;
use warp::reply::Response;

use crate::domain::api_key::Permission;
use crate::operations::create_payment::REFERENCE_CHARS_MAX;
use crate::operations::payments::{ListQuery, Page, page};
use crate::operations::reason::Reason;
use crate::view::PaymentView;

use super::api::Api;
use super::auth::KeyHolder;
use super::error::ApiError;
use super::filters::{Route, get, json, query, query_parts, with_api};
use super::keyed::{Keyed, keyed};

const LIMIT_USUAL: u32 = 20;

const LIMIT_MAX: u32 = 100;

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("api" / "payments")
        .and(get())
        .and(keyed(api))
        .and(with_api(api))
        .and(query())
        .then(|key: Keyed, api, query: String| {
            key.respond(Permission::ReadPayments, |holder| async move {
                list(api, holder, &query).await
            })
        })
        .boxed()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageView {
    data: Vec<PaymentView>,
    /// The `cursor` of the next page; null on the last one. It is the id of this page's last
    /// payment, so new payments do not shift the pages, and the cursor reveals no counts.
    next_cursor: Option<String>,
}

/// Lists payments. Parameters: `status`, `reference`, `limit`, `cursor`.
pub(crate) async fn list(
    api: Arc<Api>,
    holder: KeyHolder,
    query: &str,
) -> Result<Response, ApiError> {
    let list_query = ListQuery { api_key: holder.sees_only(), ..read_query(query)? };
    let now = api.clock.now();
    let Page { payments, more } =
        api.store.read(move |tx| page(tx, holder.merchant(), &list_query, now)).await?;
    let next_cursor = payments.last().filter(|_| more).map(|facts| facts.payment.id.to_string());
    let view = |facts| PaymentView::for_merchant(facts, &api.site, now);
    json(&PageView { data: payments.iter().map(view).collect(), next_cursor })
}

fn read_query(query: &str) -> Result<ListQuery, ApiError> {
    let mut list_query =
        ListQuery { status: None, reference: None, api_key: None, after: None, limit: LIMIT_USUAL };
    for (name, value) in query_parts(query, ["status", "reference", "limit", "cursor"])? {
        match name {
            "status" => list_query.status = Some(status_word(&value)?),
            "reference" if value.chars().count() > REFERENCE_CHARS_MAX => {
                let reason = format!("must have at most {REFERENCE_CHARS_MAX} characters");
                return Err(ApiError::invalid("reference", reason));
            }
            "reference" => list_query.reference = Some(value),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                let reason = format!("must be a whole number from 1 to {LIMIT_MAX}");
                let limit = limit.filter(|_| digits);
                list_query.limit = limit.ok_or_else(|| ApiError::invalid("limit", reason))?;
            }
            _ => {
                let last = value.parse().map_err(|_| ApiError::invalid("cursor", Reason::Cursor));
                list_query.after = Some(last?);
            }
        }
    }
    Ok(list_query)
}

fn status_word(text: &str) -> Result<&'static str, ApiError> {
    let known = ["pending", "completed", "expired"].into_iter().find(|word| *word == text);
    known.ok_or_else(|| ApiError::invalid("status", "must be pending, completed or expired"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Status, reference, limit, and whether there is a cursor.
    type Parts<'p> = (Option<&'p str>, Option<&'p str>, u32, bool);

    #[test]
    fn each_query_parameter_is_validated_separately() {
        #[track_caller]
        fn check(query: &str, expected: Result<Parts, &str>) {
            let read = read_query(query);
            let read = read
                .as_ref()
                .map(|q| (q.status, q.reference.as_deref(), q.limit, q.after.is_some()))
                .map_err(|error| format!("{error:?}"));
            match (read, expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{query}"),
                (Err(read), Err(param)) => {
                    assert!(read.contains(&format!("Some(\"{param}\")")), "{query}: {read}");
                }
                (read, _) => panic!("{query}: {read:?}"),
            }
        }
        check("", Ok((None, None, 20, false)));
        check("status=expired&limit=100&x=y&x=z", Ok((Some("expired"), None, 100, false)));
        check("reference=order+7%2F8", Ok((None, Some("order 7/8"), 20, false)));
        check("cursor=550e8400-e29b-41d4-a716-446655440000", Ok((None, None, 20, true)));
        for query in ["limit=0", "limit=101", "limit=+5", "limit=-1", "limit=", "limit=1.0"] {
            check(query, Err("limit"));
        }
        for query in ["status=", "status=Pending", "status=gone", "status=pending%00"] {
            check(query, Err("status"));
        }
        for query in ["cursor=", "cursor=1", "cursor=550e8400e29b41d4a716446655440000"] {
            check(query, Err("cursor"));
        }
        check("limit=5&limit=5", Err("limit"));
        check("reference=a&reference=b", Err("reference"));
        let longest = "%C3%B6".repeat(128);
        check(&format!("reference={longest}"), Ok((None, Some(&"ö".repeat(128)), 20, false)));
        check(&format!("reference={longest}x"), Err("reference"));
    }
}
