//! The public HTTP interface: one file a resource, errors as one table, limits on everything.
//!
//! Handlers parse text into types, call an act or a look-up, and shape the answer by `view`. They
//! hold no rules of their own. Must not know: SQL, the node, keys that sign.

pub(crate) mod account;
mod auth;
pub(crate) mod checkout;
mod client_stream;
pub(crate) mod create;
pub(crate) mod demo;
pub(crate) mod docs;
pub(crate) mod error;
mod events;
#[cfg(test)]
mod fixture;
mod headers;
mod limit;
mod list;
mod metrics;
pub(crate) mod openapi;
pub(crate) mod ops;
pub(crate) mod pages;
mod pay;
pub(crate) mod proxies;
pub(crate) mod qr;
mod qr_image;
mod resource;
pub(crate) mod server;
mod show;
pub(crate) mod status_cache;
mod unread;
mod webhooks;
mod weights;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::TryStreamExt;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, header};
use warp::reply::Response;
use warp::{Buf, Filter, Rejection};

use crate::clock::Clock;
use crate::domain::api_key::Permission;
use crate::domain::egress::Egress;
use crate::domain::ip_network::IpNetwork;
use crate::domain::merchant::MerchantId;
use crate::notifier::Notifier;
use crate::operations::addresses::Addresses;
use crate::operations::create_payment;
use crate::secret::Secrets;
use crate::store::Store;
use crate::view::Site;

use auth::KeyHolder;
use checkout::branding::Branding;
use error::{ApiError, Code};
use limit::{AddressLimit, Allowance, Limit, Shares, Streams};
use pages::Pages;
use qr::Codes;
use server::ConnectionSlots;
use status_cache::StatusCache;

/// How the public interface is set up.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    /// Networks of proxies whose `x-forwarded-for` is believed.
    pub(crate) trusted_proxies: Vec<IpNetwork>,
    /// Requests a minute for each API key; 0: no limit.
    pub(crate) rate_per_key: u32,
    /// Requests a minute for each client address on public calls; 0: no limit.
    pub(crate) rate_per_address: u32,
    /// Event streams that may be open at a time, if the process may open enough files.
    pub(crate) max_event_streams: usize,
    /// Where the checkout's button "Pay with play money" leads; regtest only.
    pub(crate) play_money_url: Option<String>,
    /// How the checkout looks.
    pub(crate) branding: Branding,
}

/// The largest request body, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Event streams for one client address: shoppers behind one router are many.
const STREAMS_EACH_MAX: usize = 64;

/// Event streams for one payment: a shopper has a few devices.
const STREAMS_OF_PAYMENT_MAX: usize = 32;

/// Connections from one peer that is none of our proxies.
const CONNECTIONS_EACH_MAX: usize = 128;

/// Headers that an answer gets at most on its usual way out.
const HEADERS_USUAL: usize = 8;

/// All that the handlers work with.
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) secret: Secrets,
    pub(crate) addresses: Addresses,
    pub(crate) site: Site,
    pub(crate) payment_rules: create_payment::Rules,
    pub(crate) egress: Egress,
    pub(crate) play_money_url: Option<String>,
    pub(crate) branding: Branding,
    pub(crate) notifier: Notifier,
    pub(crate) pages: Arc<Pages>,
    pub(crate) status_cache: StatusCache,
    pub(crate) codes: Codes,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
    pub(crate) limits: Limits,
}

/// What callers may take at a time.
pub(crate) struct Limits {
    per_key: Limit<MerchantId>,
    per_address: AddressLimit,
    /// Connections, event streams among them.
    slots: usize,
    streams: Streams,
    streams_each: Shares,
    connections_each: Shares,
}

impl Limits {
    pub(crate) fn new(settings: &Settings) -> Limits {
        let slots = ConnectionSlots::here(settings.max_event_streams);
        Limits {
            per_key: Limit::per_minute(settings.rate_per_key),
            per_address: AddressLimit::per_minute(settings.rate_per_address),
            slots: slots.all,
            streams: Streams::of(slots.streams),
            streams_each: Shares::of(STREAMS_EACH_MAX, slots.streams),
            connections_each: Shares::of(CONNECTIONS_EACH_MAX, slots.all),
        }
    }
}

/// The address of the client, put into each request by the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// All routes. Nothing is rejected: what no route takes becomes a JSON error.
pub(crate) fn routes(api: Arc<Api>) -> BoxedFilter<(Response,)> {
    let with_api = {
        let api = api.clone();
        warp::any().map(move || api.clone())
    };
    let get = || warp::get().or(warp::head()).unify();
    let address = warp::ext::get::<ClientAddress>();
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let public = {
        let api = api.clone();
        address.map(move |ClientAddress(address)| api.limits.per_address.count(address))
    };
    let key = with_api.clone().and(address).and(warp::header::headers_cloned()).then(evaluate_key);

    let create = warp::path!("api" / "payments")
        .and(warp::post())
        .and(key.clone())
        .and(with_api.clone())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|key: Keyed, api, headers, body| {
            key.answer(Permission::CreatePayment, |holder| async move {
                let asked = create::read_headers(&headers)?;
                create::create(api, holder, asked, read_limited(body).await?).await
            })
        })
        .boxed();

    let list = warp::path!("api" / "payments")
        .and(get())
        .and(key.clone())
        .and(with_api.clone())
        .and(query)
        .then(|key: Keyed, api, query: String| {
            key.answer(Permission::ReadPayments, |holder| async move {
                list::list(api, holder, &query).await
            })
        })
        .boxed();

    let show = warp::path!("api" / "payments" / String)
        .and(get())
        .and(public.clone())
        .and(with_api.clone())
        .and(warp::header::headers_cloned())
        .then(|id, allowed: Result<(), ApiError>, api, headers: HeaderMap| async move {
            match allowed {
                Ok(()) => respond(show::show(api, id, headers).await),
                Err(error) => error.into_response(),
            }
        })
        .boxed();

    let events = warp::path!("api" / "payments" / String / "events")
        .and(get())
        .and(public.clone())
        .and(with_api.clone())
        .and(address)
        .and(query)
        .and(warp::header::headers_cloned())
        .then(
            |id, allowed: Result<(), ApiError>, api, address, query: String, headers| async move {
                match allowed {
                    Ok(()) => respond(events::events(api, id, address, &query, headers).await),
                    Err(error) => error.into_response(),
                }
            },
        )
        .boxed();

    let openapi = warp::path!("openapi.json")
        .and(get())
        .and(public.clone())
        .and(with_api.clone())
        .map(|allowed: Result<(), ApiError>, api: Arc<Api>| match allowed {
            Ok(()) => openapi::answer(&api.site.public_url),
            Err(error) => error.into_response(),
        })
        .boxed();

    let code = warp::path!("pay" / String / "qr.svg")
        .and(get())
        .and(public.clone())
        .and(with_api.clone())
        .and(warp::header::headers_cloned())
        .then(|id, allowed: Result<(), ApiError>, api, headers: HeaderMap| async move {
            match allowed {
                Ok(()) => respond(qr_image::qr_image(api, id, headers).await),
                Err(error) => error.into_response(),
            }
        })
        .boxed();

    let pay = warp::path!("pay" / String)
        .and(get())
        .and(public.clone())
        .and(with_api.clone())
        .and(query)
        .and(warp::header::headers_cloned())
        .then(|id, allowed, api, query, headers| pay::pay(api, id, allowed, query, headers))
        .boxed();

    let account = warp::path!("api" / "account")
        .and(get())
        .and(key.clone())
        .and(with_api.clone())
        .then(|key: Keyed, api| {
            key.answer(
                Permission::Read,
                |holder| async move { account::account(api, holder).await },
            )
        })
        .boxed();

    let payouts = warp::path!("api" / "payouts")
        .and(get())
        .and(key.clone())
        .and(with_api.clone())
        .and(query)
        .then(|key: Keyed, api, query: String| {
            key.answer(Permission::Read, |holder| async move {
                account::payouts(api, holder, &query).await
            })
        })
        .boxed();

    let webhooks = warp::path!("api" / "webhooks")
        .and(get())
        .and(key.clone())
        .and(with_api.clone())
        .and(query)
        .then(|key: Keyed, api, query: String| {
            key.answer(Permission::Read, |holder| async move {
                webhooks::list(api, holder, &query).await
            })
        })
        .boxed();

    let attempts = warp::path!("api" / "webhooks" / String / "attempts")
        .and(get())
        .and(key.clone())
        .and(with_api.clone())
        .and(query)
        .then(|id, key: Keyed, api, query: String| {
            key.answer(Permission::Read, |holder| async move {
                webhooks::attempts(api, holder, id, &query).await
            })
        })
        .boxed();

    let resend = warp::path!("api" / "webhooks" / String / "resend")
        .and(warp::post())
        .and(key)
        .and(with_api.clone())
        .then(|id, key: Keyed, api| {
            key.answer(Permission::Change, |holder| async move {
                webhooks::resend(api, holder, id).await
            })
        })
        .boxed();

    let home = warp::path::end()
        .and(get())
        .and(public.clone())
        .and(with_api.clone())
        .map(|allowed: Result<(), ApiError>, api: Arc<Api>| match allowed {
            Ok(()) => docs::home(&api.site),
            Err(error) => error.into_response(),
        })
        .boxed();

    let docs = warp::path!("docs")
        .and(get())
        .and(public)
        .and(with_api)
        .map(|allowed: Result<(), ApiError>, api: Arc<Api>| match allowed {
            Ok(()) => docs::guide(&api.site),
            Err(error) => error.into_response(),
        })
        .boxed();

    let others = list
        .or(events)
        .unify()
        .or(account)
        .unify()
        .or(payouts)
        .unify()
        .or(webhooks)
        .unify()
        .or(attempts)
        .unify()
        .or(resend)
        .unify()
        .or(openapi)
        .unify()
        .or(code)
        .unify()
        .or(pay)
        .unify()
        .or(docs)
        .unify()
        .or(home)
        .unify()
        .boxed();
    // What is asked for most comes first, and past no other.
    show.or(create.or(others).unify())
        .unify()
        .recover(|rejection: Rejection| async move {
            Ok::<_, std::convert::Infallible>(refuse(&rejection).into_response())
        })
        .unify()
        .boxed()
}

/// A request with an API key, judged before its body is read.
struct Keyed {
    holder: Result<KeyHolder, ApiError>,
    /// What the key's merchant has left; nothing for a key that is not valid, or without a limit.
    allowance: Option<Allowance>,
}

/// Judges the key of a request and counts it: against the merchant if it is valid, else against
/// the client's address, which is told to wait when it tries too often.
async fn evaluate_key(
    api: Arc<Api>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
) -> Keyed {
    let (store, network) = (&api.store, api.site.network);
    let holder = match auth::key_holder(&headers, store, &api.secret, network, &api.clock).await {
        Ok(holder) => holder,
        Err(refused) => {
            let tries = api.limits.per_address.count(address);
            let holder = Err(tries.err().unwrap_or(refused));
            return Keyed { holder, allowance: None };
        }
    };
    match api.limits.per_key.count(&holder.merchant()) {
        Ok(allowance) => Keyed { holder: Ok(holder), allowance },
        Err(refused) => {
            let allowance = api.limits.per_key.exhausted(&refused);
            Keyed { holder: Err(refused), allowance }
        }
    }
}

impl Keyed {
    /// Answers as `act` says if the key is valid and its scope allows it, and reports to the
    /// merchant what is left of its allowance.
    async fn answer<F>(self, needs: Permission, act: impl FnOnce(KeyHolder) -> F) -> Response
    where
        F: Future<Output = Result<Response, ApiError>>,
    {
        let result = match self.holder.and_then(|holder| holder.require(needs)) {
            Ok(holder) => act(holder).await,
            Err(refused) => Err(refused),
        };
        let mut response = respond(result);
        if let Some(allowance) = self.allowance {
            allowance.tell(&mut response);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn respond(result: Result<Response, ApiError>) -> Response {
    result.unwrap_or_else(ApiError::into_response)
}

/// What no route took, though there is a resource.
fn refuse(rejection: &Rejection) -> ApiError {
    if rejection.is_not_found() || rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        return ApiError::not_found();
    }
    ApiError::internal(format!("unexpected rejection: {rejection:?}"))
}

/// The parts of a query that are known, decoded. Unknown ones are ignored, as unknown fields of a
/// body are.
///
/// # Errors
/// 400 for a part that is sent twice: nobody could say which one counts.
fn query_parts<const N: usize>(
    query: &str,
    known: [&'static str; N],
) -> Result<Vec<(&'static str, String)>, ApiError> {
    let mut parts: Vec<(&'static str, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let Some(name) = known.into_iter().find(|known| *known == name) else { continue };
        if parts.iter().any(|(met, _)| *met == name) {
            return Err(ApiError::invalid(name, "must not be sent twice"));
        }
        parts.push((name, value.into_owned()));
    }
    Ok(parts)
}

/// Reads a body of limited size.
async fn read_limited<B: Buf>(
    body: impl futures_util::Stream<Item = Result<B, warp::Error>>,
) -> Result<Vec<u8>, ApiError> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    let broken = |_| ApiError::new(Code::InvalidRequest, "the body did not arrive whole");
    while let Some(mut chunk) = body.try_next().await.map_err(broken)? {
        if bytes.len() + chunk.remaining() > BODY_BYTES_MAX {
            let message = format!("the body must be at most {BODY_BYTES_MAX} bytes");
            return Err(ApiError::new(Code::PayloadTooLarge, message));
        }
        while chunk.has_remaining() {
            let part = chunk.chunk().len();
            bytes.extend_from_slice(chunk.chunk());
            chunk.advance(part);
        }
    }
    Ok(bytes)
}

/// A JSON answer. It goes through text, never through a value that would make floats of numbers.
fn json(value: &impl Serialize) -> Result<Response, ApiError> {
    serde_json::to_string(value).map(json_text).map_err(ApiError::internal)
}

/// An answer of a text that is JSON.
fn json_text(text: String) -> Response {
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.reserve(HEADERS_USUAL); // One that grows is copied.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
