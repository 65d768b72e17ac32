//! `GET /api/payments/:paymentId/events`: the payment as server-sent events, at once and on
//! each change, until its status is final, the stream's lifetime ends, or the client
//! disconnects. Changes come from [`super::pages`]; an open stream does not read the database.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use tokio::sync::OwnedSemaphorePermit;
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};
use warp::sse::Event;

use crate::domain::payment::{self, PaymentId, Status};
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::view::{PaymentFacts, PaymentView};

use super::api::{Api, ClientAddress, STREAMS_OF_PAYMENT_MAX};
use super::error::ApiError;
use super::filters::{
    Route, client_address, get, public, query, query_parts, respond_if, with_api,
};
use super::limit::Share;
use super::pages::Page;
use super::show;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The query of a client that wants keep-alive events instead of comments, which browsers hide
/// from scripts.
const ALIVE_QUERY: (&str, &str) = ("alive", "event");

/// The event name of a keep-alive event. Handlers of plain messages do not get it.
const ALIVE: &str = "alive";

/// The interval of keep-alive events. The page reconnects after 15 seconds without one.
const ALIVE_EVERY: Duration = Duration::from_secs(10);

/// How often an expired payment is checked for the end of its late grace.
const AGE_CHECK: Duration = Duration::from_secs(5);

/// The longest life of a stream. Browsers reconnect automatically.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The id of a payment's last event. A browser that reconnects sends it, and gets a 204.
const LAST: &str = "last";

/// `retry-after` for an address or a payment with too many streams.
const RETRY_SECONDS: u64 = 30;

/// How long a browser waits before it connects again, in milliseconds.
const RETRY_MS: u64 = 3_000;

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("api" / "payments" / String / "events")
        .and(get())
        .and(public(api))
        .and(with_api(api))
        .and(client_address())
        .and(query())
        .and(warp::header::headers_cloned())
        .then(|id, allowed, api, address, query, headers| {
            respond_if(allowed, events(api, id, address, query, headers))
        })
        .boxed()
}

struct Watching {
    api: Arc<Api>,
    page: Page,
    facts: Arc<PaymentFacts>,
    sent: Option<PaymentView>,
    ended: bool,
    keep_alive: KeepAlive,
    _held: (OwnedSemaphorePermit, Share, metrics::Stream),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeepAlive {
    Events,
    Comments,
}

impl KeepAlive {
    fn wanted(query: &str) -> Result<KeepAlive, ApiError> {
        let (name, value) = ALIVE_QUERY;
        let wanted = query_parts(query, [name])?.into_iter().any(|(_, found)| found == value);
        Ok(if wanted { KeepAlive::Events } else { KeepAlive::Comments })
    }
}

/// Opens the stream.
///
/// # Errors
/// 404 for an unknown payment, 429 when the client's address or the payment has too many
/// streams, 503 when the gateway has.
pub(crate) async fn events(
    api: Arc<Api>,
    id: String,
    ClientAddress(address): ClientAddress,
    query: String,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let keep_alive = KeepAlive::wanted(&query)?;
    let known: PaymentId = id.parse().map_err(|_| show::unknown())?;
    let share = api.limits.streams_each.take(address);
    let share = share.ok_or_else(|| ApiError::rate_limited(RETRY_SECONDS))?;
    // Opened before the payment is read, so that no change is lost.
    let page = api.pages.open(known);
    let count = page.open_count();
    if count > STREAMS_OF_PAYMENT_MAX {
        return Err(ApiError::rate_limited(RETRY_SECONDS));
    }
    let permit = api.limits.streams.take(count == 1).ok_or_else(|| {
        ApiError::overloaded("too many open streams; poll GET /api/payments/:id instead")
    })?;
    let facts = show::look_up(&api, &id).await?;
    page.show(&facts);
    if headers.get("last-event-id").is_some_and(|id| id == LAST) {
        let mut response = warp::reply().into_response();
        *response.status_mut() = StatusCode::NO_CONTENT; // Stops a browser from reconnecting.
        return Ok(response);
    }
    let watching = Watching {
        page,
        facts: Arc::new(facts),
        sent: None,
        ended: false,
        keep_alive,
        _held: (permit, share, metrics::Stream::open()),
        api: api.clone(),
    };
    let shutdown = api.shutdown.clone();
    let until = Box::pin(tokio::time::timeout(LIFETIME, shutdown.cancelled_owned()));
    let stream = futures_util::StreamExt::take_until(messages(watching), until);
    let stream = warp::sse::keep_alive().interval(KEEP_ALIVE).stream(stream);
    let mut response = warp::sse::reply(stream).into_response();
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn messages(
    watching: Watching,
) -> impl Stream<Item = Result<Event, serde_json::Error>> + Send + Sync + 'static {
    stream::unfold(watching, |mut watching| async move {
        if watching.ended {
            return None;
        }
        loop {
            if watching.sent.is_some() && watching.await_change_or_alive().await == Next::Alive {
                return Some((Ok(Event::default().event(ALIVE).data("{}")), watching));
            }
            let facts = watching.facts.as_ref();
            let now = watching.api.clock.now();
            let ended = is_final(facts, now);
            let view = PaymentView::new(facts, &watching.api.site, now);
            let same = watching.sent.as_ref().is_some_and(|sent| {
                let expires_in_seconds = view.expires_in_seconds;
                PaymentView { expires_in_seconds, ..sent.clone() } == view
            });
            if same && ended == watching.ended {
                continue;
            }
            watching.ended = ended;
            let message = serde_json::to_string(&view).map(|text| {
                let event = Event::default().retry(Duration::from_millis(RETRY_MS)).data(text);
                if ended { event.id(LAST) } else { event }
            });
            watching.sent = Some(view);
            return Some((message, watching));
        }
    })
}

/// Whether the status cannot change: completed, or expired without enough coins after the late
/// grace.
fn is_final(facts: &PaymentFacts, now: Timestamp) -> bool {
    let payment = &facts.payment;
    match facts.status {
        Status::Completed { .. } => true,
        Status::Expired { .. } => {
            let seen = payment::assess(payment, &facts.coins, facts.tip).seen;
            now > payment.late_until && seen < payment.amount
        }
        Status::Pending => false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Change,
    Alive,
}

impl Watching {
    /// As [`Watching::await_change`], but at most until the next keep-alive event.
    async fn await_change_or_alive(&mut self) -> Next {
        match self.keep_alive {
            KeepAlive::Comments => self.await_change().await,
            KeepAlive::Events => {
                if tokio::time::timeout(ALIVE_EVERY, self.await_change()).await.is_err() {
                    return Next::Alive;
                }
            }
        }
        Next::Change
    }

    /// Waits until the payment has changed, or time alone may have made its status final.
    async fn await_change(&mut self) {
        let check = match self.facts.status {
            Status::Expired { .. } => AGE_CHECK,
            Status::Pending | Status::Completed { .. } => LIFETIME,
        };
        if let Ok(facts) = tokio::time::timeout(check, self.page.changed()).await {
            self.facts = facts;
        }
    }
}
