//! The body of webhooks and of the merchant's event stream.

use std::collections::BTreeMap;

use bitcoin::Txid;
use bitcoin::hashes::Hash;
use serde::Serialize;

use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::event_kind::EventKind;
use crate::domain::network::Network;
use crate::domain::payment::{self, Coin, FeeRate, MempoolFacts, Metadata, Payment, Status};
use crate::domain::time::Timestamp;

use super::payment::{PriceView, receiving_address, txids};
use super::values::{Decimal, Ltc, Time};

/// An event of a payment. Flat, so that `{paymentId, status, amountLtc, receivingAddress}` are
/// top-level fields of every kind.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBody {
    pub(crate) event: &'static str,
    /// Its number among the payment's events, from 1.
    pub(crate) sequence: u32,
    pub(crate) payment_id: String,
    pub(crate) status: &'static str,
    pub(crate) detail: &'static str,
    pub(crate) amount_ltc: Ltc,
    pub(crate) amount_litoshi: u64,
    pub(crate) receiving_address: String,
    pub(crate) amount_received_ltc: Ltc,
    pub(crate) amount_due_ltc: Ltc,
    pub(crate) amount_short_ltc: Ltc,
    pub(crate) late: bool,
    pub(crate) livemode: bool,
    pub(crate) occurred_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completed_at: Option<Time>,
    pub(crate) reference: Option<String>,
    #[serde(flatten)]
    pub(crate) price: Option<PriceView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<BTreeMap<String, String>>,
    /// The transaction that caused the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) txid: Option<String>,
    pub(crate) txids: Vec<String>,
    pub(crate) txids_truncated: bool,
    #[serde(flatten)]
    pub(crate) mempool: Option<MempoolView>,
    /// True in a test event, which concerns no payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<bool>,
}

/// Facts about an unconfirmed transaction, for shops that act before it is confirmed. They
/// promise nothing: until then the payment can be replaced.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MempoolView {
    /// In litoshis for a vbyte.
    pub(crate) fee_rate: Decimal,
    /// It signals that it may be replaced (BIP125).
    pub(crate) signals_replacement: bool,
    pub(crate) unconfirmed_parents: u32,
    /// It pays from MWEB.
    pub(crate) mweb: bool,
}

impl MempoolView {
    fn new(facts: &MempoolFacts) -> MempoolView {
        MempoolView {
            fee_rate: Decimal(facts.fee_rate.to_string()),
            signals_replacement: facts.signals_replacement,
            unconfirmed_parents: facts.unconfirmed_parents,
            mweb: facts.mweb,
        }
    }
}

/// What an event tells beside the payment and its coins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occurrence<'o> {
    pub(crate) kind: EventKind,
    pub(crate) sequence: u32,
    pub(crate) at: Timestamp,
    /// The transaction that caused it.
    pub(crate) txid: Option<Txid>,
    pub(crate) mempool: Option<&'o MempoolFacts>,
}

impl EventBody {
    /// The event, as the transaction that stores it knows it.
    pub(crate) fn new(
        payment: &Payment,
        status: Status,
        coins: &[Coin],
        network: Network,
        occurrence: &Occurrence,
    ) -> EventBody {
        let assessment = payment::assess(payment, coins, None);
        let detail = payment::detail(payment, status, &assessment);
        let (completed_at, late) = match status {
            Status::Completed { at, late, .. } => (Some(Time(at)), late),
            Status::Pending | Status::Expired { .. } => {
                (None, assessment.late || detail == payment::Detail::Late)
            }
        };
        let (txids, txids_truncated) = txids(coins);
        EventBody {
            event: occurrence.kind.as_str(),
            sequence: occurrence.sequence,
            payment_id: payment.id.to_string(),
            status: status.as_str(),
            detail: detail.as_str(),
            amount_ltc: Ltc(payment.amount),
            amount_litoshi: payment.amount.litoshis(),
            receiving_address: receiving_address(payment, network).to_string(),
            amount_received_ltc: Ltc(assessment.seen),
            amount_due_ltc: Ltc(assessment.due),
            amount_short_ltc: Ltc(payment::short(payment, status, &assessment)),
            late,
            livemode: network.is_live(),
            occurred_at: Time(occurrence.at),
            completed_at,
            reference: payment.reference.clone(),
            price: payment.price.as_ref().map(PriceView::new),
            metadata: payment.metadata.as_ref().map(Metadata::pairs).cloned(),
            txid: occurrence.txid.map(|txid| txid.to_string()),
            txids,
            txids_truncated,
            mempool: occurrence.mempool.map(MempoolView::new),
            test: None,
        }
    }

    /// An event for tests of a receiver. Its payment id is all zeros.
    pub(crate) fn of_test(kind: EventKind, network: Network, at: Timestamp) -> EventBody {
        let no_key = bitcoin::WPubkeyHash::from_byte_array([0; 20]);
        let address = Address::from_script(&bitcoin::ScriptBuf::new_p2wpkh(&no_key), network);
        let amount = Amount::from_litoshis(TEST_AMOUNT_LITOSHIS).unwrap_or(Amount::ZERO);
        let half = Amount::from_litoshis(TEST_AMOUNT_LITOSHIS / 2).unwrap_or(Amount::ZERO);
        let (status, detail, received) = match kind {
            EventKind::Seen => ("pending", "seen", amount),
            EventKind::PartlyPaid => ("pending", "partly_paid", half),
            EventKind::Completed => ("completed", "paid", amount),
            EventKind::Expired => ("expired", "expired", Amount::ZERO),
            EventKind::Late => ("expired", "late", amount),
            EventKind::Replaced => ("pending", "replaced", Amount::ZERO),
        };
        let txid = "0".repeat(64);
        let is_of_coin = !matches!(kind, EventKind::Completed | EventKind::Expired);
        let mempool = (kind == EventKind::Seen).then(|| MempoolView {
            fee_rate: Decimal(FeeRate::of(Amount::ZERO, 1).to_string()),
            signals_replacement: false,
            unconfirmed_parents: 0,
            mweb: false,
        });
        EventBody {
            event: kind.as_str(),
            sequence: 1,
            payment_id: "00000000-0000-0000-0000-000000000000".to_owned(),
            status,
            detail,
            amount_ltc: Ltc(amount),
            amount_litoshi: amount.litoshis(),
            receiving_address: address.expect("every network spells p2wpkh").to_string(),
            amount_received_ltc: Ltc(received),
            amount_due_ltc: Ltc(amount.saturating_sub(received)),
            amount_short_ltc: Ltc(Amount::ZERO),
            late: kind == EventKind::Late,
            livemode: network.is_live(),
            occurred_at: Time(at),
            completed_at: (kind == EventKind::Completed).then_some(Time(at)),
            reference: None,
            price: None,
            metadata: None,
            txid: is_of_coin.then(|| txid.clone()),
            txids: if received.is_zero() { Vec::new() } else { vec![txid] },
            txids_truncated: false,
            mempool,
            test: Some(true),
        }
    }
}

/// The amount in a test event: 0.05 LTC, as in the guide's examples.
const TEST_AMOUNT_LITOSHIS: u64 = 5_000_000;
