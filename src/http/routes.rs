//! The router: the routes of all resources. `resource.rs` lists paths, methods and access.

use std::convert::Infallible;
use std::sync::Arc;

use warp::{Filter, Rejection};

use super::api::Api;
use super::error::ApiError;
use super::filters::Route;
use super::{
    account, create, docs, events, export, list, openapi, pay, qr_image, settle, show, webhooks,
};

/// All routes. A request that no route accepts becomes a JSON error.
pub(super) fn routes(api: &Arc<Api>) -> Route {
    let others = list::route(api)
        .or(events::route(api))
        .unify()
        .or(settle::route(api))
        .unify()
        .or(account::route(api))
        .unify()
        .or(export::route(api))
        .unify()
        .or(webhooks::route(api))
        .unify()
        .or(openapi::route(api))
        .unify()
        .or(qr_image::route(api))
        .unify()
        .or(pay::route(api))
        .unify()
        .or(docs::route(api))
        .unify()
        .boxed();
    // Routes are tried in order: the most frequent requests come first.
    show::route(api)
        .or(create::route(api).or(others).unify())
        .unify()
        .recover(|rejection: Rejection| async move {
            Ok::<_, Infallible>(refuse(&rejection).into_response())
        })
        .unify()
        .boxed()
}

/// The error for a request that no route accepted, although its resource exists.
fn refuse(rejection: &Rejection) -> ApiError {
    if rejection.is_not_found() || rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        return ApiError::not_found();
    }
    ApiError::internal(format!("unexpected rejection: {rejection:?}"))
}
