//! `GET /pay/:paymentId`: the checkout page of a payment.

use std::sync::Arc;

use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use crate::domain::payment;
use crate::view::{PaymentFacts, receiving_address};

use super::checkout::{Checkout, Rendered, render, render_not_found};
use super::error::ApiError;
use super::{Api, show};

/// Shows the checkout, or a page that says that there is no such payment.
pub(crate) async fn pay(api: Arc<Api>, id: String) -> Response {
    let (status, rendered) = match show::look_up(&api, &id).await {
        Ok(facts) => (StatusCode::OK, render(&checkout(&api, &facts))),
        Err(error) if error == show::unknown() => (StatusCode::NOT_FOUND, render_not_found()),
        Err(error) => return error.into_response(),
    };
    match rendered {
        Ok(rendered) => page(status, rendered),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

fn checkout(api: &Api, facts: &PaymentFacts) -> Checkout {
    let payment = &facts.payment;
    let assessment = payment::assess(payment, &facts.coins, facts.tip);
    let address = receiving_address(payment, api.site.network);
    Checkout {
        payment_id: payment.id.to_string(),
        business_name: facts.business_name.clone(),
        reference: payment.reference.clone(),
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
        now: api.clock.now(),
        redirect_url: payment.redirect_url.clone(),
        play_money_url: api.play_money_url.clone(),
    }
}

fn page(status: StatusCode, rendered: Rendered) -> Response {
    let mut response = Response::new(rendered.html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    if let Ok(policy) = HeaderValue::from_str(&rendered.content_security_policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
