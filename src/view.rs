//! JSON shapes of the API, webhooks and the command line's `--json`.
//!
//! Amounts are written and read digit by digit, never as a float. Fields are only ever added.
//! The shapes import the domain, never the reverse.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod merchant;
pub(crate) mod notification;
pub(crate) mod sweep;

use bitcoin::hashes::Hash;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::address::Address;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::chain::BlockId;
use crate::domain::event::{Attempt, Event, State};
use crate::domain::network::Network;
use crate::domain::payment::{self, Coin, Origin, Payment, Place, Status};
use crate::domain::time::Timestamp;

/// Maximum number of transactions listed in a response or webhook.
pub(crate) const TXIDS_MAX: u32 = 50;

/// An amount in LTC, as a JSON number without trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ltc(pub(crate) Amount);

impl Serialize for Ltc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits =
            RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        digits.serialize(serializer)
    }
}

/// A JSON number is rounded half up to the litoshi; a string must be exact.
impl<'de> Deserialize<'de> for Ltc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ltc, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let amount = if text.starts_with('"') {
            let text: String = serde_json::from_str(text).map_err(D::Error::custom)?;
            Amount::parse(&text)
        } else if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            Amount::parse_json_number(text)
        } else {
            Err(AmountError::NotANumber)
        };
        amount.map(Ltc).map_err(D::Error::custom)
    }
}

/// A time as RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A payment, as returned to anyone who knows its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentView {
    pub(crate) payment_id: String,
    pub(crate) payment_url: String,
    pub(crate) status: &'static str,
    /// The state of the checkout; the integration guide lists the values.
    pub(crate) detail: &'static str,
    pub(crate) livemode: bool,
    pub(crate) business_name: String,
    pub(crate) amount_ltc: Ltc,
    pub(crate) amount_litoshi: u64,
    pub(crate) amount_due_ltc: Ltc,
    pub(crate) amount_received_ltc: Ltc,
    pub(crate) amount_confirmed_ltc: Ltc,
    pub(crate) receiving_address: String,
    pub(crate) payment_uri: String,
    pub(crate) confirmations: u32,
    pub(crate) confirmations_required: u32,
    pub(crate) created_at: Time,
    pub(crate) expires_at: Time,
    pub(crate) expires_in_seconds: u64,
    pub(crate) completed_at: Option<Time>,
    pub(crate) late: bool,
    pub(crate) txids: Vec<String>,
    pub(crate) txids_truncated: bool,
    pub(crate) reference: Option<String>,
    pub(crate) redirect_url: Option<String>,
    pub(crate) display_amount: Option<String>,
}

/// The stored facts of a payment that its view needs.
#[derive(Debug, Clone)]
pub(crate) struct PaymentFacts {
    pub(crate) payment: Payment,
    pub(crate) status: Status,
    pub(crate) coins: Vec<Coin>,
    pub(crate) tip: Option<BlockId>,
    pub(crate) business_name: String,
    /// The watcher is behind, so payments are detected with a delay.
    pub(crate) delayed: bool,
}

impl PaymentView {
    pub(crate) fn new(facts: &PaymentFacts, site: &Site, now: Timestamp) -> PaymentView {
        let payment = &facts.payment;
        let assessment = payment::assess(payment, &facts.coins, facts.tip);
        let detail = payment::detail(payment, facts.status, &assessment);
        let (completed_at, late) = match facts.status {
            Status::Completed { at, late } => (Some(Time(at)), late),
            Status::Pending | Status::Expired { .. } => (None, assessment.late),
        };
        let address = receiving_address(payment, site.network);
        let due = if assessment.due.is_zero() { payment.amount } else { assessment.due };
        let (txids, txids_truncated) = txids(&facts.coins);
        PaymentView {
            payment_id: payment.id.to_string(),
            payment_url: format!("{}/pay/{}", site.public_url, payment.id),
            status: facts.status.as_str(),
            detail: if facts.delayed && facts.status == Status::Pending {
                "delayed"
            } else {
                detail.as_str()
            },
            livemode: site.network.is_live(),
            business_name: facts.business_name.clone(),
            amount_ltc: Ltc(payment.amount),
            amount_litoshi: payment.amount.litoshis(),
            amount_due_ltc: Ltc(assessment.due),
            amount_received_ltc: Ltc(assessment.seen),
            amount_confirmed_ltc: Ltc(assessment.confirmed),
            payment_uri: payment::payment_uri(&address, due),
            receiving_address: address.to_string(),
            confirmations: assessment.confirmations,
            confirmations_required: assessment.confirmations_required,
            created_at: Time(payment.created_at),
            expires_at: Time(payment.expires_at),
            expires_in_seconds: seconds_until(payment.expires_at, now),
            completed_at,
            late,
            txids,
            txids_truncated,
            reference: payment.reference.clone(),
            redirect_url: payment.redirect_url.clone(),
            display_amount: payment.display_amount.clone(),
        }
    }
}

/// Whole seconds until then; 0 if it is past.
pub(crate) fn seconds_until(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(then.ms_since(now) / 1000).unwrap_or(0)
}

/// The gateway's network and its public URL, without a trailing slash.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) network: Network,
    pub(crate) public_url: String,
}

impl Site {
    /// The path of the public URL, such as `/pay-gw`; empty if it has none.
    pub(crate) fn path_prefix(&self) -> &str {
        let rest = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    }
}

/// The receiving address of a payment. Its script is p2wpkh, which has an address on every
/// network.
pub(crate) fn receiving_address(payment: &Payment, network: Network) -> Address {
    Address::from_script(&payment.script, network).expect("we derive only p2wpkh scripts")
}

/// Ids of the paying transactions, each once, in the order in which they were first seen.
fn txids(coins: &[Coin]) -> (Vec<String>, bool) {
    let mut txids: Vec<String> = Vec::new();
    for coin in coins.iter().filter(|c| c.counts()) {
        let txid = coin.outpoint.txid.to_string();
        if !txids.contains(&txid) {
            if txids.len() == TXIDS_MAX as usize {
                return (txids, true);
            }
            txids.push(txid);
        }
    }
    (txids, false)
}

/// The body of the webhook for a completion. Flat, so that `{paymentId, status, amountLtc,
/// receivingAddress}` are top-level fields.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompletedView {
    pub(crate) payment_id: String,
    pub(crate) status: &'static str,
    pub(crate) amount_ltc: Ltc,
    pub(crate) amount_litoshi: u64,
    pub(crate) receiving_address: String,
    pub(crate) amount_received_ltc: Ltc,
    pub(crate) late: bool,
    pub(crate) livemode: bool,
    pub(crate) completed_at: Time,
    pub(crate) reference: Option<String>,
    pub(crate) txids: Vec<String>,
    pub(crate) txids_truncated: bool,
    /// True in a test webhook, which concerns no payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<bool>,
}

impl CompletedView {
    /// The completion in a test webhook. Its payment id is all zeros.
    pub(crate) fn of_test(network: Network, at: Timestamp) -> CompletedView {
        let no_key = bitcoin::WPubkeyHash::from_byte_array([0; 20]);
        let address = Address::from_script(&bitcoin::ScriptBuf::new_p2wpkh(&no_key), network);
        let amount = Amount::from_litoshis(TEST_AMOUNT_LITOSHIS).unwrap_or(Amount::ZERO);
        CompletedView {
            payment_id: "00000000-0000-0000-0000-000000000000".to_owned(),
            status: "completed",
            amount_ltc: Ltc(amount),
            amount_litoshi: amount.litoshis(),
            receiving_address: address.expect("every network spells p2wpkh").to_string(),
            amount_received_ltc: Ltc(amount),
            late: false,
            livemode: network.is_live(),
            completed_at: Time(at),
            reference: None,
            txids: vec!["0".repeat(64)],
            txids_truncated: false,
            test: Some(true),
        }
    }

    /// The completion, as the transaction that stores it knows it.
    pub(crate) fn new(
        payment: &Payment,
        coins: &[Coin],
        network: Network,
        at: Timestamp,
        late: bool,
    ) -> CompletedView {
        let received = coins.iter().filter(|c| c.counts()).map(|c| c.amount);
        let (txids, txids_truncated) = txids(coins);
        CompletedView {
            payment_id: payment.id.to_string(),
            status: "completed",
            amount_ltc: Ltc(payment.amount),
            amount_litoshi: payment.amount.litoshis(),
            receiving_address: receiving_address(payment, network).to_string(),
            amount_received_ltc: Ltc(Amount::total(received)),
            late,
            livemode: network.is_live(),
            completed_at: Time(at),
            reference: payment.reference.clone(),
            txids,
            txids_truncated,
            test: None,
        }
    }
}

/// The amount in a test webhook: 0.05 LTC, as in the guide's examples.
const TEST_AMOUNT_LITOSHIS: u64 = 5_000_000;

/// A coin, for operators.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CoinView {
    pub(crate) txid: String,
    pub(crate) vout: u32,
    pub(crate) amount_ltc: Ltc,
    pub(crate) origin: &'static str,
    pub(crate) place: &'static str,
    pub(crate) block_height: Option<u32>,
    pub(crate) confirmations: u32,
    pub(crate) seen_at: Time,
}

impl CoinView {
    pub(crate) fn new(coin: &Coin, tip: Option<BlockId>) -> CoinView {
        let (place, block_height) = match coin.place {
            Place::Mempool => ("mempool", None),
            Place::Block(block) => ("block", Some(block.height)),
            Place::Removed => ("removed", None),
        };
        CoinView {
            txid: coin.outpoint.txid.to_string(),
            vout: coin.outpoint.vout,
            amount_ltc: Ltc(coin.amount),
            origin: match coin.origin {
                Origin::Plain => "plain",
                Origin::Coinbase => "coinbase",
                Origin::Pegout => "pegout",
            },
            place,
            block_height,
            confirmations: coin.confirmations(tip),
            seen_at: Time(coin.seen_at),
        }
    }
}

/// An event of the outbox with its attempts, for operators.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventView {
    pub(crate) event_id: String,
    pub(crate) payment_id: String,
    pub(crate) merchant_id: String,
    pub(crate) url: String,
    pub(crate) state: &'static str,
    pub(crate) created_at: Time,
    pub(crate) next_attempt_at: Option<Time>,
    /// The number of all attempts; `attempts` has the newest.
    pub(crate) attempt_count: u32,
    pub(crate) attempts: Vec<AttemptView>,
}

/// One delivery attempt of an event.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptView {
    pub(crate) number: u32,
    pub(crate) started_at: Time,
    pub(crate) duration_ms: u32,
    pub(crate) http_status: Option<u16>,
    pub(crate) outcome: String,
    pub(crate) answer: String,
}

impl EventView {
    pub(crate) fn new(event: &Event, attempts: &[Attempt]) -> EventView {
        EventView {
            event_id: event.id.clone(),
            payment_id: event.payment.to_string(),
            merchant_id: event.merchant.to_string(),
            url: without_secrets(&event.url),
            state: event.state.as_str(),
            created_at: Time(event.created_at),
            next_attempt_at: match event.state {
                State::Due { next_at } => Some(Time(next_at)),
                State::Delivered | State::Failed => None,
            },
            attempt_count: event.attempts,
            attempts: attempts.iter().map(AttemptView::new).collect(),
        }
    }
}

impl AttemptView {
    pub(crate) fn new(attempt: &Attempt) -> AttemptView {
        AttemptView {
            number: attempt.number,
            started_at: Time(attempt.started_at),
            duration_ms: attempt.duration_ms,
            http_status: attempt.http_status,
            outcome: attempt.outcome.clone(),
            answer: attempt.answer.clone(),
        }
    }
}

/// The result of a test webhook.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrialView {
    pub(crate) event_id: String,
    pub(crate) delivered: bool,
    pub(crate) http_status: Option<u16>,
    pub(crate) duration_ms: u32,
    pub(crate) outcome: String,
    pub(crate) answer: String,
    /// The usual cause of the outcome, unless it is a success.
    pub(crate) advice: Option<&'static str>,
}

/// The URL without its query, where shops put tokens.
fn without_secrets(url: &str) -> String {
    match url.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Serialize)]
    struct Body {
        #[serde(rename = "amountLtc")]
        amount: Ltc,
    }

    #[test]
    fn amounts_keep_their_digits_through_json() {
        #[track_caller]
        fn check(sent: &str, answered: &str) {
            let body: Body = serde_json::from_str(&format!("{{\"amountLtc\":{sent}}}")).unwrap();
            let text = serde_json::to_string(&body).unwrap();
            assert_eq!(text, format!("{{\"amountLtc\":{answered}}}"));
        }
        check("0.05", "0.05");
        check("1e-8", "0.00000001");
        check("5e-05", "0.00005");
        check("20999999.99999999", "20999999.99999999");
        check("83999999.99999998", "83999999.99999998");
        check("0.30000000000000004", "0.3");
        check("\"0.05\"", "0.05");
        check("1.0", "1");
    }

    #[test]
    fn an_invalid_amount_is_refused() {
        for bad in ["\"0.123456789\"", "true", "null", "[]", "{}", "-1", "1e400", "\"\"", "\"a\""] {
            let text = format!("{{\"amountLtc\":{bad}}}");
            assert!(serde_json::from_str::<Body>(&text).is_err(), "{bad}");
        }
    }
}
