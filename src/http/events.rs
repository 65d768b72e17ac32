//! `GET /api/payments/:paymentId/events`: the payment as server-sent events, at once and at each
//! change, until nothing can change any more, its time is up, or the client goes. What changed
//! comes from [`super::pages`]; a stream never looks at the database again.

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

/// A comment is sent so often, so that proxies keep the stream open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a client asks for in the query that wants a sign of life that scripts can see: browsers
/// hide comments from them.
const SIGNS: (&str, &str) = ("alive", "event");

/// The kind of the event that is the sign of life. Clients that wait for messages alone never see
/// it.
const SIGN: &str = "alive";

/// How often the sign is sent. The page takes a stream for muted after 15 seconds without one.
const SIGN_EVERY: Duration = Duration::from_secs(10);

/// How often a page that can only still become too late is asked whether it has.
const AGE_CHECK: Duration = Duration::from_secs(5);

/// How long a stream lives at most; a browser then connects again by itself.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The id of the last message of a payment whose status is final. A browser that connects again
/// sends it back, and is told that there is nothing more.
const LAST: &str = "last";

/// How long a client whose address has too many streams is asked to wait.
const PATIENCE_SECONDS: u64 = 30;

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
    signs: Signs,
    _held: (OwnedSemaphorePermit, Share, metrics::Stream),
}

/// Whether a quiet stream shows scripts that it is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signs {
    Events,
    Comments,
}

impl Signs {
    fn wanted(query: &str) -> Result<Signs, ApiError> {
        let (name, value) = SIGNS;
        let wanted = query_parts(query, [name])?.into_iter().any(|(_, wanted)| wanted == value);
        Ok(if wanted { Signs::Events } else { Signs::Comments })
    }
}

/// Opens the stream.
///
/// # Errors
/// 404 for an unknown payment, 429 when the client's address or the payment has too many streams,
/// 503 when everybody together has.
pub(crate) async fn events(
    api: Arc<Api>,
    id: String,
    ClientAddress(address): ClientAddress,
    query: String,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let signs = Signs::wanted(&query)?;
    let known: PaymentId = id.parse().map_err(|_| show::unknown())?;
    let share = api.limits.streams_each.take(address);
    let share = share.ok_or_else(|| ApiError::rate_limited(PATIENCE_SECONDS))?;
    // Opened before the first look, so that no change falls between.
    let page = api.pages.open(known);
    let count = page.open_count();
    if count > STREAMS_OF_PAYMENT_MAX {
        return Err(ApiError::rate_limited(PATIENCE_SECONDS));
    }
    let permit = api.limits.streams.take(count == 1).ok_or_else(|| {
        ApiError::overloaded("too many open streams; ask GET /api/payments/:id instead")
    })?;
    let facts = show::look_up(&api, &id).await?;
    page.show(&facts);
    if headers.get("last-event-id").is_some_and(|id| id == LAST) {
        let mut response = warp::reply().into_response();
        *response.status_mut() = StatusCode::NO_CONTENT; // Ends a browser's attempts.
        return Ok(response);
    }
    let watching = Watching {
        page,
        facts: Arc::new(facts),
        sent: None,
        ended: false,
        signs,
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
            if watching.sent.is_some() && watching.await_change_or_sign().await == Next::Sign {
                return Some((Ok(Event::default().event(SIGN).data("{}")), watching));
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

/// Whether the status cannot change any more: completed, or expired with too little money at the
/// end of the grace.
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

/// What a stream sends next, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Change,
    Sign,
}

impl Watching {
    /// As [`Watching::await_change`], but no longer than until the next sign of life is due.
    async fn await_change_or_sign(&mut self) -> Next {
        match self.signs {
            Signs::Comments => self.await_change().await,
            Signs::Events => {
                if tokio::time::timeout(SIGN_EVERY, self.await_change()).await.is_err() {
                    return Next::Sign;
                }
            }
        }
        Next::Change
    }

    /// Ends once the payment has changed, or time alone may have ended it.
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
