//! JSON shapes of sweeps, payouts and waiting coins.

use bitcoin::{OutPoint, Txid};
use serde::Serialize;

use crate::domain::address::Address;
use crate::domain::chain::BlockId;
use crate::domain::network::Network;
use crate::domain::sweep::{Payout, SentPayout, SentSweep, SweepPlan, Waits};

use super::values::{Ltc, Time};

/// One merchant's payout in a sweep.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PayoutView {
    pub(crate) txid: String,
    pub(crate) gross_ltc: Ltc,
    pub(crate) fee_share_ltc: Ltc,
    pub(crate) amount_ltc: Ltc,
    pub(crate) confirmations: u32,
    pub(crate) created_at: Time,
}

impl PayoutView {
    pub(crate) fn new(payout: &SentPayout, tip: Option<BlockId>) -> PayoutView {
        let depth = |height: u32, tip: BlockId| tip.height.saturating_add(1).saturating_sub(height);
        PayoutView {
            txid: payout.txid.to_string(),
            gross_ltc: Ltc(payout.gross),
            fee_share_ltc: Ltc(payout.fee_share),
            amount_ltc: Ltc(payout.amount),
            confirmations: payout.block_height.zip(tip).map_or(0, |(h, tip)| depth(h, tip)),
            created_at: Time(payout.created_at),
        }
    }
}

/// A sent or planned sweep, for operators.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SweepView {
    /// Absent until the sweep is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) txid: Option<String>,
    pub(crate) coins: usize,
    /// Virtual size (BIP141); the maximum until the sweep is signed.
    pub(crate) vsize: u64,
    pub(crate) fee_ltc: Ltc,
    pub(crate) payouts: Vec<SweepPayoutView>,
}

/// One merchant's payout in a sweep, with its address.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SweepPayoutView {
    pub(crate) merchant_id: String,
    pub(crate) payout_address: String,
    pub(crate) gross_ltc: Ltc,
    pub(crate) fee_share_ltc: Ltc,
    pub(crate) operator_fee_ltc: Ltc,
    pub(crate) amount_ltc: Ltc,
}

/// A coin that is not swept yet.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WaitingView {
    pub(crate) outpoint: String,
    pub(crate) reason: String,
}

impl SweepView {
    pub(crate) fn planned(plan: &SweepPlan, txid: Option<Txid>, network: Network) -> SweepView {
        SweepView {
            txid: txid.map(|txid| txid.to_string()),
            coins: plan.coins.len(),
            vsize: plan.weight.div_ceil(4),
            fee_ltc: Ltc(plan.fee),
            payouts: plan.payouts.iter().map(|p| SweepPayoutView::new(p, network)).collect(),
        }
    }

    pub(crate) fn sent(sweep: &SentSweep, network: Network) -> SweepView {
        SweepView {
            txid: Some(sweep.txid.to_string()),
            coins: sweep.coins,
            vsize: sweep.vsize,
            fee_ltc: Ltc(sweep.fee),
            payouts: sweep.payouts.iter().map(|p| SweepPayoutView::new(p, network)).collect(),
        }
    }
}

impl SweepPayoutView {
    fn new(payout: &Payout, network: Network) -> SweepPayoutView {
        let address = Address::from_script(&payout.script, network);
        SweepPayoutView {
            merchant_id: payout.merchant.to_string(),
            payout_address: match address {
                Some(address) => address.to_string(),
                None => payout.script.to_hex_string(),
            },
            gross_ltc: Ltc(payout.gross),
            fee_share_ltc: Ltc(payout.fee_share),
            operator_fee_ltc: Ltc(payout.operator_fee),
            amount_ltc: Ltc(payout.amount),
        }
    }
}

impl WaitingView {
    pub(crate) fn new((outpoint, why): &(OutPoint, Waits)) -> WaitingView {
        WaitingView { outpoint: outpoint.to_string(), reason: why.to_string() }
    }
}
