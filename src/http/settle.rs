//! `POST /api/payments/:paymentId/accept` and `POST /api/payments/:paymentId/cancel`.

use std::sync::Arc;

use warp::Filter;
use warp::reply::Response;

use crate::domain::api_key::Permission;
use crate::domain::payment::PaymentId;
use crate::operations::payments::facts_of;
use crate::operations::{Actor, settle_payment};
use crate::view::PaymentView;

use super::api::Api;
use super::auth::KeyHolder;
use super::error::ApiError;
use super::filters::{Route, json, with_api};
use super::keyed::{Keyed, keyed};
use super::show::unknown;

pub(super) fn route(api: &Arc<Api>) -> Route {
    let accept = warp::path!("api" / "payments" / String / "accept")
        .and(warp::post())
        .and(keyed(api))
        .and(with_api(api))
        .then(|id, key: Keyed, api| {
            key.respond(Permission::Change, |holder| {
                settle(api, holder, id, settle_payment::accept)
            })
        });
    let cancel = warp::path!("api" / "payments" / String / "cancel")
        .and(warp::post())
        .and(keyed(api))
        .and(with_api(api))
        .then(|id, key: Keyed, api| {
            key.respond(Permission::Change, |holder| {
                settle(api, holder, id, settle_payment::cancel)
            })
        });
    accept.or(cancel).unify().boxed()
}

/// Carries out an operation on a payment of the key's merchant, and returns the payment.
async fn settle(
    api: Arc<Api>,
    holder: KeyHolder,
    id: String,
    operation: settle_payment::Operation,
) -> Result<Response, ApiError> {
    let id: PaymentId = id.parse().map_err(|_| unknown())?;
    let (network, now) = (api.site.network, api.clock.now());
    let merchant = Some(holder.merchant());
    let facts = api
        .store
        .write(move |tx| {
            let after = operation(tx, &Actor::ApiKey, merchant, id, network, now)?;
            facts_of(tx, after, now)
        })
        .await?;
    api.notifier.notify_webhooks();
    api.notifier.notify_pages();
    json(&PaymentView::for_merchant(&facts, &api.site, now))
}
