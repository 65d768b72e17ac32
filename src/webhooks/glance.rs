//! A look at an address of our own, as a shopper or a shop would: for `doctor`.

use std::time::Duration;

use reqwest::{Client, redirect};

/// What is read of an answer at most, in bytes.
const ANSWER_BYTES_MAX: usize = 4096;

/// What an address answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glance {
    pub(crate) status: u16,
    /// The beginning of the body.
    pub(crate) body: String,
}

fn client(patience: Duration) -> Result<Client, String> {
    let builder = Client::builder().no_proxy().redirect(redirect::Policy::none());
    builder.timeout(patience).build().map_err(|error| error.to_string())
}

/// Asks once.
///
/// # Errors
/// If nobody answers within `patience`, in words for the operator.
pub(crate) async fn look(url: &str, patience: Duration) -> Result<Glance, String> {
    let mut answer = client(patience)?.get(url).send().await.map_err(|error| words(&error))?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() >= ANSWER_BYTES_MAX {
            break;
        }
    }
    body.truncate(ANSWER_BYTES_MAX);
    Ok(Glance { status, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Whether the first piece of an answer comes before `patience` is over. Of a stream that a proxy
/// holds back it does not.
pub(crate) async fn first_piece(url: &str, patience: Duration) -> bool {
    let Ok(client) = client(patience) else { return false };
    match client.get(url).send().await {
        Ok(mut answer) => matches!(answer.chunk().await, Ok(Some(_))),
        Err(_) => false,
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
