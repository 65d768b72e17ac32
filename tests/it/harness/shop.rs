//! A merchant's shop: creates payments with its key and reads their status.

use std::time::Duration;

use super::gateway::Gateway;
use super::http::Answer;
use super::json::Fields;
use super::node::Node;
use super::wait::{SOON, wait_for, wait_until};

/// A merchant with an active subscription and a payout address.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    port: u16,
    pub(crate) merchant_id: String,
    pub(crate) api_key: String,
    pub(crate) payout_address: String,
}

/// A payment as created.
#[derive(Debug, Clone)]
pub(crate) struct Created {
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) fields: Fields,
}

impl Shop {
    /// Adds a merchant that is paid to a new address of the node's wallet.
    #[track_caller]
    pub(crate) fn open(gateway: &Gateway, node: &Node, name: &str) -> Shop {
        Shop::open_paid_to(gateway, name, &node.fresh_address())
    }

    /// Adds a merchant that is paid to this address.
    #[track_caller]
    pub(crate) fn open_paid_to(gateway: &Gateway, name: &str, payout_address: &str) -> Shop {
        let added = gateway.cli_json(&[
            "merchant",
            "add",
            "--name",
            name,
            "--payout-address",
            payout_address,
            "--days",
            "30",
        ]);
        Shop {
            port: gateway.port(),
            merchant_id: added.text("merchantId"),
            api_key: added.text("apiKey"),
            payout_address: payout_address.to_owned(),
        }
    }

    /// A shop of an existing merchant, by its API key.
    pub(crate) fn with_key_of(gateway: &Gateway, api_key: &str) -> Shop {
        Shop {
            port: gateway.port(),
            merchant_id: String::new(),
            api_key: api_key.to_owned(),
            payout_address: String::new(),
        }
    }

    /// The same shop with another API key.
    pub(crate) fn with_key(&self, api_key: &str) -> Shop {
        Shop { api_key: api_key.to_owned(), ..self.clone() }
    }

    /// `POST /api/payments` with this body and further headers. Repeats the request while a
    /// first start waits for the node.
    #[track_caller]
    pub(crate) fn post(&self, body: &str, headers: &[(&str, &str)]) -> Answer {
        wait_until("an answer other than `starting`", SOON, || {
            let answer = self.try_post(body, headers);
            let answer = answer.unwrap_or_else(|error| panic!("POST {body}: {error}"));
            let starting = answer.status == 503 && answer.body.contains("\"code\":\"starting\"");
            (!starting).then_some(answer)
        })
    }

    /// As [`Shop::post`], for a gateway that may not respond.
    pub(crate) fn try_post(&self, body: &str, headers: &[(&str, &str)]) -> std::io::Result<Answer> {
        let usual = [("content-type", "application/json"), ("x-api-key", self.api_key.as_str())];
        let headers = [&usual, headers].concat();
        super::http::request(self.port, "POST", "/api/payments", &headers, body.as_bytes())
    }

    /// Creates a payment from a JSON object.
    #[track_caller]
    pub(crate) fn create_with(&self, body: &str) -> Created {
        let answer = self.post(body, &[]);
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        let fields = Fields::of(&answer.body);
        let (id, address) = (fields.text("paymentId"), fields.text("receivingAddress"));
        Created { id, address, fields }
    }

    /// Creates a payment of this JSON amount.
    #[track_caller]
    pub(crate) fn create(&self, amount: &str) -> Created {
        self.create_with(&format!("{{\"amountLtc\": {amount}}}"))
    }

    /// Creates a payment with a webhook.
    #[track_caller]
    pub(crate) fn create_with_webhook(&self, amount: &str, webhook_url: &str) -> Created {
        self.create_with(&format!("{{\"amountLtc\": {amount}, \"webhookUrl\": \"{webhook_url}\"}}"))
    }

    /// The public status of a payment.
    #[track_caller]
    pub(crate) fn status(&self, payment_id: &str) -> Fields {
        let path = format!("/api/payments/{payment_id}");
        match super::http::request(self.port, "GET", &path, &[], b"") {
            Ok(answer) if answer.status == 200 => Fields::of(&answer.body),
            other => panic!("GET {path}: {other:?}"),
        }
    }

    /// Waits until a field of the payment has this raw JSON value.
    #[track_caller]
    pub(crate) fn await_field(
        &self,
        payment_id: &str,
        name: &str,
        raw: &str,
        deadline: Duration,
    ) -> Fields {
        let mut last = String::new();
        wait_until(&format!("{name}: {raw} of payment {payment_id}"), deadline, || {
            let fields = self.status(payment_id);
            last = fields.raw(name).to_owned();
            (last == raw).then_some(fields)
        })
    }

    /// Waits until the cached status of each of the newest payments equals the list, which is
    /// always read from the database.
    #[track_caller]
    pub(crate) fn await_same_answers(&self) {
        let key = [("x-api-key", self.api_key.as_str())];
        let path = "/api/payments?limit=100";
        wait_for("the same answers from list and status", SOON, || {
            let list = super::http::request(self.port, "GET", path, &key, b"").unwrap();
            let listed = Fields::of(&list.body).objects("data");
            listed.iter().all(|payment| {
                let asked = self.status(&payment.text("paymentId"));
                but_for_the_seconds(&asked) == but_for_the_seconds(payment)
            })
        });
    }

    /// Waits until the payment has this status.
    #[track_caller]
    pub(crate) fn await_status(&self, payment_id: &str, status: &str, wait: Duration) -> Fields {
        self.await_field(payment_id, "status", &format!("\"{status}\""), wait)
    }
}

/// A payment without the remaining seconds.
fn but_for_the_seconds(payment: &Fields) -> String {
    let left = payment.raw("expiresInSeconds");
    payment.whole().replacen(&format!("\"expiresInSeconds\":{left},"), "", 1)
}
