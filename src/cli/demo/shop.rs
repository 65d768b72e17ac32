//! The demo's shop: creates payments over HTTP and verifies webhooks, as a merchant does.

use std::time::Duration;

use serde_json::Value;

use crate::http::demo::Webhook;
use crate::webhooks::sign;

use crate::cli::failure::Failure;

/// Amount of the demo's payment, in LTC.
pub(super) const AMOUNT: &str = "0.05";

/// Deadline of each step.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The payment that a webhook reports as completed, if its signature is valid.
pub(super) fn completed_by(key: &[u8; 32], webhook: &Webhook) -> Option<String> {
    let expected = sign::signature(key, &webhook.id, webhook.timestamp, &webhook.body);
    let body: Value = serde_json::from_str(&webhook.body).ok()?;
    let completed = body.get("status").and_then(Value::as_str) == Some("completed");
    let fits = webhook.signature == expected && completed;
    fits.then(|| text(&body, "paymentId").ok()).flatten()
}

/// Creates a payment as a shop does: over HTTP, with the API key.
pub(super) async fn create_payment(
    gateway: &str,
    key: &str,
    body: String,
) -> Result<Value, Failure> {
    let (url, key) = (format!("{gateway}/api/payments"), key.to_owned());
    blocking(move || {
        let request = http_client()
            .post(url)
            .header("x-api-key", key)
            .header("content-type", "application/json");
        json_of(request.send(body))
    })
    .await
}

/// The public status of a payment.
pub(super) async fn status_of(gateway: &str, id: &str) -> Result<Value, Failure> {
    let url = format!("{gateway}/api/payments/{id}");
    blocking(move || json_of(http_client().get(url).call())).await
}

/// Runs blocking code outside of the runtime's threads.
pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(job).await {
        Ok(result) => result,
        Err(error) => Err(Failure::Failed(format!("a step of the demo panicked: {error}"))),
    }
}

/// Client of the gateway's own API on this machine.
fn http_client() -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None);
    config.http_status_as_error(false).build().into()
}

fn json_of(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, Failure> {
    let failed = |error: String| Failure::Failed(format!("the gateway's API: {error}"));
    let mut response = answer.map_err(|error| failed(error.to_string()))?;
    let body = response.body_mut().read_to_string().map_err(|error| failed(error.to_string()))?;
    if response.status() != 200 {
        return Err(failed(format!("{} {body}", response.status().as_u16())));
    }
    serde_json::from_str(&body).map_err(|error| failed(error.to_string()))
}

pub(super) fn text(value: &Value, field: &str) -> Result<String, Failure> {
    let text = value.get(field).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Failure::Failed(format!("the answer has no {field}")))
}
