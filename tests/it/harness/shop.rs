//! A merchant's shop: creates payments with its key and asks how they stand.

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

/// A payment as the answer to its creation told it.
#[derive(Debug, Clone)]
pub(crate) struct Created {
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) fields: Fields,
}

impl Shop {
    /// Adds a merchant whose money goes to a fresh address of the node's wallet.
    #[track_caller]
    pub(crate) fn open(gateway: &Gateway, node: &Node, name: &str) -> Shop {
        Shop::open_paid_to(gateway, name, &node.fresh_address())
    }

    /// Adds a merchant whose money goes to this address.
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

    /// A shop whose merchant was made elsewhere, by its API key.
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

    /// `POST /api/payments` with this body, and headers beside the usual ones. While a first start
    /// waits for the node, the request is sent again.
    #[track_caller]
    pub(crate) fn post(&self, body: &str, headers: &[(&str, &str)]) -> Answer {
        wait_until("an answer other than `starting`", SOON, || {
            let answer = self.try_post(body, headers);
            let answer = answer.unwrap_or_else(|error| panic!("POST {body}: {error}"));
            let starting = answer.status == 503 && answer.body.contains("\"code\":\"starting\"");
            (!starting).then_some(answer)
        })
    }

    /// As [`Shop::post`], for a gateway that may not answer.
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

    /// Creates a payment of this amount, written as in JSON.
    #[track_caller]
    pub(crate) fn create(&self, amount: &str) -> Created {
        self.create_with(&format!("{{\"amountLtc\": {amount}}}"))
    }

    /// Creates a payment that is told to a webhook.
    #[track_caller]
    pub(crate) fn create_with_webhook(&self, amount: &str, webhook_url: &str) -> Created {
        self.create_with(&format!("{{\"amountLtc\": {amount}, \"webhookUrl\": \"{webhook_url}\"}}"))
    }

    /// How a payment stands, as everybody may ask.
    #[track_caller]
    pub(crate) fn status(&self, payment_id: &str) -> Fields {
        let path = format!("/api/payments/{payment_id}");
        match super::http::request(self.port, "GET", &path, &[], b"") {
            Ok(answer) if answer.status == 200 => Fields::of(&answer.body),
            other => panic!("GET {path}: {other:?}"),
        }
    }

    /// Waits until a field of the payment reads so, as raw JSON.
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

    /// Waits until each of the newest payments' statuses says what the list says, which is read
    /// from the database each time: something may change between the two calls.
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

    /// Waits until the payment's status is this word.
    #[track_caller]
    pub(crate) fn await_status(&self, payment_id: &str, status: &str, wait: Duration) -> Fields {
        self.await_field(payment_id, "status", &format!("\"{status}\""), wait)
    }
}

/// A payment without what changes by itself.
fn but_for_the_seconds(payment: &Fields) -> String {
    let left = payment.raw("expiresInSeconds");
    payment.whole().replacen(&format!("\"expiresInSeconds\":{left},"), "", 1)
}
