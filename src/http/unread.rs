//! Discards request bodies that a handler did not read, as after every early refusal (401,
//! 404, 413, 429).
//!
//! Closing a socket with unread bytes resets the connection, and the reset can destroy the
//! response. The rest of the body is therefore read and discarded before the response, within
//! bounds. Beyond them the response says `connection: close`, and the connection lingers (RFC
//! 9112, 9.6; `client_stream.rs`).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use warp::Buf;
use warp::http::{HeaderMap, Request, header};

/// The most bytes of a body that are discarded before the response.
const DRAINED_BYTES_MAX: u64 = 5 * 1024 * 1024;

/// How long discarding may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The body that a handler gets. If it is dropped before its end, the rest is in [`Unread`].
pub(super) struct RequestBody {
    incoming: Option<Incoming>,
    /// The handler has read from it, so hyper has sent 100 Continue if it was expected.
    begun: bool,
    unread: Unread,
}

/// The rest of a body once its handler has ended.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<Mutex<Option<Rest>>>);

struct Rest {
    incoming: Incoming,
    begun: bool,
}

/// Wraps a request's body, so that its rest can be drained.
pub(super) fn watch(request: Request<Incoming>) -> (Request<RequestBody>, Unread) {
    let unread = Unread::default();
    let of_body = unread.clone();
    let request = request.map(|incoming| RequestBody {
        incoming: Some(incoming),
        begun: false,
        unread: of_body,
    });
    (request, unread)
}

/// Whether the client waits for 100 Continue before it sends its body (RFC 9110, 10.1.1).
pub(super) fn expects_continue(headers: &HeaderMap) -> bool {
    let value = headers.get(header::EXPECT).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.trim().eq_ignore_ascii_case("100-continue"))
}

impl Unread {
    /// Discards the rest, once the handler has ended. `false` if it is too long or too slow,
    /// or if the client still waits for 100 Continue: then the connection must be closed.
    pub(super) async fn drain(&self, expects_continue: bool) -> bool {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Rest { incoming, begun }) = rest else { return true };
        if (expects_continue && !begun) || incoming.size_hint().lower() > DRAINED_BYTES_MAX {
            return false;
        }
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, read_to_end(incoming)).await;
        drained.unwrap_or(false)
    }
}

/// Whether the end came within [`DRAINED_BYTES_MAX`].
async fn read_to_end(mut incoming: Incoming) -> bool {
    let mut left = DRAINED_BYTES_MAX;
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await;
        let frame = match frame {
            None => return true,
            Some(Err(_broken)) => return false,
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
}

impl Body for RequestBody {
    type Data = <Incoming as Body>::Data;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.begun = true;
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(incoming).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.incoming = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take().filter(|rest| !rest.is_end_stream()) else {
            return;
        };
        let rest = Rest { incoming, begun: self.begun };
        *self.unread.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }
}
