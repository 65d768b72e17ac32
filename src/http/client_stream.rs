//! TCP stream of a client under hyper, which adds three behaviours:
//!
//! - A client that does not read for [`STALL`] is disconnected.
//! - hyper's empty responses to unparsable requests are replaced by JSON errors. hyper 1 has
//!   no hook for them (`on_error` in its `proto/h1/role.rs`), so they are recognised as they
//!   are written: each is a whole head in one write, without a request id.
//! - A connection that is closed while the client still sends lingers, so that a TCP reset
//!   does not destroy the response (RFC 9112, 9.6).
//!
//! Must not know: the meaning of requests.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How long a client may not read its response.
const STALL: Duration = Duration::from_secs(20);

/// How long a client may continue to send after our side is closed.
const LINGER: Duration = Duration::from_secs(5);

/// How much it may send in that time, in bytes.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;

const LINGER_BUFFER_BYTES: usize = 16 * 1024;

/// Makes the response to an unparsable request from hyper's status.
type Refuse = Box<dyn Fn(u16) -> Vec<u8> + Send>;

pub(super) struct ClientStream {
    stream: TcpStream,
    refuse: Refuse,
    /// Whether the client may still be sending: then the connection lingers.
    unread: Arc<AtomicBool>,
    /// Set once our side is closed.
    linger: Option<Linger>,
    /// The response in place of hyper's, and how many bytes are written.
    replacement: Option<(Vec<u8>, usize)>,
    /// Runs while the client does not read.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl ClientStream {
    /// `unread` is set when a request was answered without being read to its end.
    pub(super) fn new(stream: TcpStream, unread: Arc<AtomicBool>, refuse: Refuse) -> ClientStream {
        ClientStream { stream, refuse, unread, linger: None, replacement: None, stalled: None }
    }

    /// Writes, or fails if the client has not read for too long.
    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Closes our side and waits within bounds for the client to close.
pub(super) async fn close_lingering(mut stream: TcpStream) {
    if stream.shutdown().await.is_ok() {
        let mut linger = Linger::new();
        std::future::poll_fn(|cx| linger.poll(&mut stream, cx)).await;
    }
}

/// Discards received bytes until the client closes its side. Closing at once would reset the
/// connection, and the client would lose the response.
struct Linger {
    deadline: Pin<Box<Sleep>>,
    left_bytes: usize,
}

impl Linger {
    fn new() -> Linger {
        let deadline = Box::pin(tokio::time::sleep(LINGER));
        Linger { deadline, left_bytes: LINGER_BYTES_MAX }
    }

    fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        let mut buffer = [0; LINGER_BUFFER_BYTES];
        while self.deadline.as_mut().poll(cx).is_pending() {
            let mut into = ReadBuf::new(&mut buffer);
            if ready!(Pin::new(&mut *stream).poll_read(cx, &mut into)).is_err() {
                break;
            }
            let length = into.filled().len();
            match self.left_bytes.checked_sub(length) {
                Some(left) if length > 0 => self.left_bytes = left,
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

/// The status of a response that hyper made. Our responses always have a request id.
fn own_refusal(bytes: &[u8]) -> Option<u16> {
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "))?;
    let status = status.get(..3)?.parse().ok()?;
    let bare = head.contains("content-length: 0") && !head.contains("x-request-id");
    (bare && matches!(status, 400 | 414 | 431)).then_some(status)
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.replacement.is_none() {
            let Some(status) = own_refusal(bytes) else { return this.write(cx, bytes) };
            this.replacement = Some(((this.refuse)(status), 0));
            this.unread.store(true, Ordering::Relaxed);
        }
        // hyper offers the same bytes again until they are reported as written.
        while let Some((response, from)) = this.replacement.take() {
            let written = match this.write(cx, &response[from..]) {
                Poll::Ready(result) => result?,
                Poll::Pending => {
                    this.replacement = Some((response, from));
                    return Poll::Pending;
                }
            };
            if written == 0 {
                return Poll::Ready(Ok(0));
            }
            if from + written < response.len() {
                this.replacement = Some((response, from + written));
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if !this.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        ready!(this.linger.get_or_insert_with(Linger::new).poll(&mut this.stream, cx));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_library_refusals_are_replaced() {
        #[track_caller]
        fn check(bytes: &str, expected: Option<u16>) {
            assert_eq!(own_refusal(bytes.as_bytes()), expected, "{bytes}");
        }
        let bare = "connection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        check(&format!("HTTP/1.1 400 Bad Request\r\n{bare}"), Some(400));
        check(&format!("HTTP/1.1 431 Too Large\r\n{bare}"), Some(431));
        check(&format!("HTTP/1.1 304 Not Modified\r\n{bare}"), None);
        check(&format!("HTTP/1.1 400 Bad Request\r\nx-request-id: req_1\r\n{bare}"), None);
        check(&format!("HTTP/1.1 400 Bad Request\r\n{bare}{{}}"), None);
        check("HTTP/1.1 \r\n\r\n", None);
    }
}
