//! `GET /api/payments/:paymentId/events`: the payment as server-sent events, at once and at each
//! change, until it is completed or the client goes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use warp::http::HeaderValue;
use warp::reply::{Reply, Response};
use warp::sse::Event;

use crate::domain::payment::{PaymentId, Status};
use crate::view::{PaymentFacts, PaymentView};

use super::error::{ApiError, Code};
use super::{Api, show};

/// A comment is sent so often, so that proxies keep the stream open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A look by ourselves, for changes made by another process.
const POLL: Duration = Duration::from_secs(5);

/// How long a browser waits before it connects again, in milliseconds.
const RETRY_MS: u64 = 3_000;

struct Watching {
    api: Arc<Api>,
    id: PaymentId,
    changes: Receiver<PaymentId>,
    sent: Option<PaymentView>,
    next: Option<PaymentFacts>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

/// Opens the stream.
///
/// # Errors
/// 404 for an unknown payment, 503 when too many streams are open.
pub(crate) async fn events(api: Arc<Api>, id: String) -> Result<Response, ApiError> {
    // Subscribed before the first look, so that no change falls between.
    let changes = api.wake.changes();
    let facts = show::look_up(&api, &id).await?;
    let permit = api.limits.streams.clone().try_acquire_owned().map_err(|_| {
        ApiError::new(Code::Overloaded, "too many open streams; ask GET /api/payments/:id instead")
    })?;
    let watching = Watching {
        id: facts.payment.id,
        changes,
        sent: None,
        next: Some(facts),
        ended: false,
        _permit: permit,
        api: api.clone(),
    };
    let until = api.shutdown.clone().cancelled_owned();
    let stream = futures_util::StreamExt::take_until(messages(watching), until);
    let stream = warp::sse::keep_alive().interval(KEEP_ALIVE).stream(stream);
    let mut response = warp::sse::reply(stream).into_response();
    let no = HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", no);
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
            let facts = match watching.next.take() {
                Some(facts) => facts,
                None => watching.await_change().await?,
            };
            watching.ended = matches!(facts.status, Status::Completed { .. });
            let view = PaymentView::new(&facts, &watching.api.site, watching.api.clock.now());
            let same = watching.sent.as_ref().is_some_and(|sent| {
                let expires_in_seconds = view.expires_in_seconds;
                PaymentView { expires_in_seconds, ..sent.clone() } == view
            });
            if same {
                continue;
            }
            let message = serde_json::to_string(&view)
                .map(|text| Event::default().retry(Duration::from_millis(RETRY_MS)).data(text));
            watching.sent = Some(view);
            return Some((message, watching));
        }
    })
}

impl Watching {
    /// Reads the payment again once it may have changed. `None` ends the stream.
    async fn await_change(&mut self) -> Option<PaymentFacts> {
        loop {
            match tokio::time::timeout(POLL, self.changes.recv()).await {
                Ok(Ok(changed)) if changed != self.id => continue,
                // Ours changed, we lagged behind and do not know, or it is time to look.
                Ok(Ok(_) | Err(RecvError::Lagged(_))) | Err(_) => break,
                Ok(Err(RecvError::Closed)) => return None,
            }
        }
        show::look_up(&self.api, &self.id.to_string()).await.ok()
    }
}
