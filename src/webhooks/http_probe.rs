//! A look at an address of our own, as a shopper or a shop would: for `doctor`.

use std::time::Duration;

use reqwest::{Client, redirect};

/// What is read of an answer at most, in bytes.
const ANSWER_BYTES_MAX: usize = 4096;

/// What an address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpProbe {
    pub(crate) status: u16,
    /// The beginning of the body.
    pub(crate) body: String,
    /// What calls itself the server, or stands in between.
    pub(crate) server: Option<String>,
}

/// What came of an event stream, asked for as browsers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstEvent {
    Came,
    /// The answer began, and no event came.
    HeldBack,
    /// Not even the answer's head came.
    Muted,
    /// Another answer came, such as an error.
    Refused(u16),
}

fn client(patience: Duration) -> Result<Client, String> {
    let builder = Client::builder().no_proxy().redirect(redirect::Policy::none());
    builder.timeout(patience).build().map_err(|error| error.to_string())
}

/// Asks once.
///
/// # Errors
/// If nobody answers within `patience`, in words for the operator.
pub(crate) async fn look(url: &str, patience: Duration) -> Result<HttpProbe, String> {
    let mut answer = client(patience)?.get(url).send().await.map_err(|error| words(&error))?;
    let status = answer.status().as_u16();
    let server = answer.headers().get("via").or_else(|| answer.headers().get("server"));
    let server = server.and_then(|name| name.to_str().ok()).map(str::to_owned);
    let mut body = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() >= ANSWER_BYTES_MAX {
            break;
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    Ok(HttpProbe { status, body: String::from_utf8_lossy(&body).into_owned(), server })
}

/// Follows an event stream until its first event, which is sent at once, for `patience` at most.
/// The stream must be one that stays open: at its end, what a proxy held back comes through.
pub(crate) async fn first_event(url: &str, patience: Duration) -> FirstEvent {
    let Ok(client) = client(patience) else { return FirstEvent::Muted };
    // Compression is a usual reason for a proxy to hold a stream back.
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

/// The innermost cause: the others repeat the URL.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
