//! JSON shapes of payments and coins.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::address::Address;
use crate::domain::chain::BlockId;
use crate::domain::network::Network;
use crate::domain::payment::{self, Coin, Detail, Metadata, Origin, Payment, Place, Price, Status};
use crate::domain::time::Timestamp;

use super::site::Site;
use super::values::{Ltc, Time, seconds_until};

/// Maximum number of transactions listed in a response or webhook.
const TXIDS_MAX: u32 = 50;

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
    /// The part of the amount that a completed payment lacks.
    pub(crate) amount_short_ltc: Ltc,
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
    #[serde(flatten)]
    pub(crate) price: Option<PriceView>,
    /// Only for the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<BTreeMap<String, String>>,
}

/// A price in another currency, with the rate at the payment's creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PriceView {
    amount: String,
    currency: &'static str,
    rate: String,
    rate_at: Time,
    rate_sources: Vec<&'static str>,
}

impl PriceView {
    pub(crate) fn new(price: &Price) -> PriceView {
        PriceView {
            amount: price.amount.to_string(),
            currency: price.amount.currency().code(),
            rate: price.rate.to_string(),
            rate_at: Time(price.rate_at),
            rate_sources: price.sources.iter().map(|source| source.name()).collect(),
        }
    }
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
            Status::Completed { at, late, .. } => (Some(Time(at)), late),
            Status::Pending | Status::Expired { .. } => {
                (None, detail == Detail::Late || assessment.late)
            }
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
            amount_short_ltc: Ltc(payment::short(payment, facts.status, &assessment)),
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
            price: payment.price.as_ref().map(PriceView::new),
            metadata: None,
        }
    }

    /// The payment as its merchant sees it.
    pub(crate) fn for_merchant(facts: &PaymentFacts, site: &Site, now: Timestamp) -> PaymentView {
        let metadata = facts.payment.metadata.as_ref().map(Metadata::pairs).cloned();
        PaymentView { metadata, ..PaymentView::new(facts, site, now) }
    }
}

/// The receiving address of a payment. Its script is p2wpkh, which has an address on every
/// network.
pub(crate) fn receiving_address(payment: &Payment, network: Network) -> Address {
    Address::from_script(&payment.script, network).expect("we derive only p2wpkh scripts")
}

/// Ids of the paying transactions, each once, in the order in which they were first seen.
pub(super) fn txids(coins: &[Coin]) -> (Vec<String>, bool) {
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
