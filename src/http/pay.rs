//! `GET /pay/:paymentId`: the checkout page of a payment.

use std::sync::Arc;

use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;

use crate::domain::payment::{self, Place, Status};
use crate::view::{PaymentFacts, receiving_address};

use super::api::Api;
use super::checkout::language::{self, Language};
use super::checkout::{Checkout, Rendered, render, render_limited, render_not_found};
use super::error::ApiError;
use super::filters::{Route, get, public, query, with_api};
use super::show;

/// `retry-after` of the rate-limited page, if the limit does not say.
const RETRY_SECONDS: u64 = 10;

/// The most transactions on the page.
const TXIDS_SHOWN_MAX: usize = 3;

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("pay" / String)
        .and(get())
        .and(public(api))
        .and(with_api(api))
        .and(query())
        .and(warp::header::headers_cloned())
        .then(|id, allowed, api, query, headers| pay(api, id, allowed, query, headers))
        .boxed()
}

/// Shows the checkout, or a page for an unknown payment or a rate-limited client.
pub(crate) async fn pay(
    api: Arc<Api>,
    id: String,
    allowed: Result<(), ApiError>,
    query: String,
    headers: HeaderMap,
) -> Response {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let language = language::choose(&query, accepted.unwrap_or_default());
    if let Err(error) = allowed {
        let refusal = error.into_response();
        let after = refusal.headers().get(header::RETRY_AFTER).cloned();
        let seconds = after.as_ref().and_then(|text| text.to_str().ok()?.parse().ok());
        let mut response = answer(
            language,
            refusal.status(),
            render_limited(language, seconds.unwrap_or(RETRY_SECONDS), &api.branding),
        );
        if let Some(after) = after {
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        return response;
    }
    let (status, rendered) = match show::look_up(&api, &id).await {
        Ok(facts) => {
            let page = checkout(&api, &facts, language);
            (StatusCode::OK, render(&page, &api.branding, &api.codes))
        }
        Err(error) if error == show::unknown() => {
            (StatusCode::NOT_FOUND, render_not_found(language, &api.branding))
        }
        Err(error) => return error.into_response(),
    };
    answer(language, status, rendered)
}

fn answer(
    language: Language,
    status: StatusCode,
    rendered: Result<Rendered, impl std::fmt::Display>,
) -> Response {
    match rendered {
        Ok(rendered) => page(language, status, rendered),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

fn checkout(api: &Api, facts: &PaymentFacts, language: Language) -> Checkout {
    let payment = &facts.payment;
    let assessment = payment::assess(payment, &facts.coins, facts.tip);
    let address = receiving_address(payment, api.site.network);
    let mut txids: Vec<String> = Vec::new();
    for coin in facts.coins.iter().filter(|coin| coin.place != Place::Removed) {
        let txid = coin.outpoint.txid.to_string();
        if txids.len() < TXIDS_SHOWN_MAX && !txids.contains(&txid) {
            txids.push(txid);
        }
    }
    Checkout {
        language,
        txids,
        payment_id: payment.id.to_string(),
        business_name: facts.business_name.clone(),
        reference: payment.reference.clone(),
        display_amount: payment.display_amount.clone(),
        price: payment.price.as_ref().map(|price| price.amount),
        amount: payment.amount,
        due: assessment.due,
        received: assessment.seen,
        payment_uri: payment::payment_uri(&address, assessment.due),
        address: address.to_string(),
        detail: payment::detail(payment, facts.status, &assessment),
        delayed: facts.delayed,
        confirmations: assessment.confirmations,
        confirmations_required: assessment.confirmations_required,
        expires_at: payment.expires_at,
        completed_at: match facts.status {
            Status::Completed { at, .. } => Some(at),
            Status::Pending | Status::Expired { .. } => None,
        },
        now: api.clock.now(),
        redirect_url: payment.redirect_url.clone(),
        shop_is_notified: payment.webhook_url.is_some(),
        play_money_url: api.play_money_url.clone(),
    }
}

fn page(language: Language, status: StatusCode, rendered: Rendered) -> Response {
    let mut response = Response::new(rendered.html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    if let Ok(policy) = HeaderValue::from_str(&rendered.content_security_policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
