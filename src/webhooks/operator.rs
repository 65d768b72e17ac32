//! Webhooks to the operator's URL (`sweeper.notify_url`), signed by Standard Webhooks with a
//! separate key. The URL comes from a file that only root writes, so it may be on a private
//! network.
//!
//! Must not know: the content of a notification, or its retries.

use anyhow::Context;

use crate::domain::time::Timestamp;
use crate::domain::webhook_url::{PrivateNetworks, WebhookUrl};
use crate::outbound::Timeouts;
use crate::secret::Secret;

use super::client::{self, Answer, Sender};
use super::sign::signature;

/// Sends to one URL. Clones share the client.
#[derive(Clone)]
pub(crate) struct OperatorWebhook {
    sender: Sender,
    url: WebhookUrl,
    key: Secret<[u8; 32]>,
}

impl OperatorWebhook {
    /// # Errors
    /// If the system has no usable TLS.
    pub(crate) fn new(url: WebhookUrl, key: Secret<[u8; 32]>) -> anyhow::Result<OperatorWebhook> {
        let sender = Sender::new(PrivateNetworks::Allowed, Timeouts::default())
            .context("prepare the HTTP client")?;
        Ok(OperatorWebhook { sender, url, key })
    }

    /// Posts a JSON body once.
    ///
    /// # Errors
    /// A text for the operator, unless the receiver answered 2xx.
    pub(crate) async fn post(&self, id: &str, now: Timestamp, body: String) -> Result<(), String> {
        let signature = signature(self.key.reveal(), id, now.seconds(), &body);
        let headers =
            client::headers(id, now, &signature).map_err(|error| format!("a header: {error}"))?;
        let outcome = self.sender.post(self.url.as_str(), headers, body).await;
        match outcome.as_ref().is_ok_and(Answer::is_success) {
            true => Ok(()),
            false => Err(client::shown(&outcome)),
        }
    }
}
