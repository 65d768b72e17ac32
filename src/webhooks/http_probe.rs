//! Probe of the gateway's public URL, for `doctor`.

use std::time::Duration;

use crate::outbound::{probe_client, read_start};

/// The most that is read of a response body, in bytes.
const BODY_BYTES_MAX: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpProbe {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The header `via` or `server`: the proxy or the server.
    pub(crate) server: Option<String>,
}

/// The result of requesting an event stream as browsers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstEvent {
    Came,
    /// The response began, but no event came.
    HeldBack,
    Muted,
    /// The response has another status, such as an error.
    Refused(u16),
}

/// Requests a URL once.
///
/// # Errors
/// If no response comes within `patience`, with a text for the operator.
pub(crate) async fn get(url: &str, patience: Duration) -> Result<HttpProbe, String> {
    let client = probe_client(patience).map_err(|error| error.to_string())?;
    let mut answer = client.get(url).send().await.map_err(|error| innermost(&error))?;
    let status = answer.status().as_u16();
    let server = answer.headers().get("via").or_else(|| answer.headers().get("server"));
    let server = server.and_then(|name| name.to_str().ok()).map(str::to_owned);
    let body = read_start(&mut answer, BODY_BYTES_MAX).await;
    Ok(HttpProbe { status, body: String::from_utf8_lossy(&body).into_owned(), server })
}

/// Reads an event stream until its first event, which the gateway sends at once. The stream
/// must be one that stays open, because a proxy passes on everything at its end.
pub(crate) async fn first_event(url: &str, patience: Duration) -> FirstEvent {
    let Ok(client) = probe_client(patience) else { return FirstEvent::Muted };
    // Proxies that compress often hold back a stream.
    let request = client
        .get(url)
        .header("accept", "text/event-stream")
        .header("accept-encoding", "gzip, deflate, br")
        .header("cache-control", "no-cache");
    match request.send().await {
        Ok(answer) if !answer.status().is_success() => {
            FirstEvent::Refused(answer.status().as_u16())
        }
        Ok(mut answer) => match answer.chunk().await {
            Ok(Some(_)) => FirstEvent::Came,
            Ok(None) | Err(_) => FirstEvent::HeldBack,
        },
        Err(_) => FirstEvent::Muted,
    }
}

/// The innermost cause, because the others repeat the URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
