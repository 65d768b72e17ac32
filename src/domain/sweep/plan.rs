//! Plans of sweeps, and what they are made of.

use bitcoin::{OutPoint, ScriptBuf, Txid};

use crate::domain::amount::Amount;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::Origin;
use crate::domain::time::Timestamp;

use super::waits::Waits;
use super::weights::fee_for;

/// A coin that may be swept: confirmed as its payment requires, unspent, and in no other
/// sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SweepCoin {
    pub(crate) outpoint: OutPoint,
    pub(crate) merchant: MerchantId,
    pub(crate) index: DerivationIndex,
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
    pub(crate) origin: Origin,
    pub(crate) confirmations: u32,
}

/// Where a merchant is paid. A merchant without an address in force is not a payee; its coins
/// wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payee {
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
}

/// The operator's settings for sweeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// A merchant's coins wait until they sum to this.
    pub(crate) min_payout: Amount,
    /// A payout waits if network fees would take a larger part of it.
    pub(crate) max_fee_percent: u8,
    pub(crate) operator: Option<OperatorFee>,
}

/// The operator's fee on each payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperatorFee {
    /// Basis points of the gross amount, rounded down to the litoshi.
    pub(crate) basis_points: u16,
    pub(crate) script: ScriptBuf,
}

/// Limits of a sweep's fee rate, in litoshis per 1,000 vbytes: twice the minimum relay fee,
/// and more than any honest estimate.
pub(crate) const RATE_MIN: u64 = 2_000;

pub(crate) const RATE_MAX: u64 = 1_000_000;

/// Maximum fee of the operator: a tenth.
pub(crate) const BASIS_POINTS_MAX: u16 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SweepPlan {
    /// In the order of the transaction's inputs.
    pub(crate) coins: Vec<SweepCoin>,
    /// In the order of the transaction's outputs.
    pub(crate) payouts: Vec<Payout>,
    /// The last output: the operator's fees of all payouts.
    pub(crate) operator: Option<OperatorOutput>,
    pub(crate) fee: Amount,
    /// Maximum weight of the signed transaction (BIP141).
    pub(crate) weight: u64,
}

impl SweepPlan {
    /// The outputs of the transaction, in order.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&ScriptBuf, Amount)> {
        let payouts = self.payouts.iter().map(|payout| (&payout.script, payout.amount));
        payouts.chain(self.operator.iter().map(|operator| (&operator.script, operator.amount)))
    }

    /// The fee rate in litoshis per 1,000 vbytes, rounded down.
    pub(crate) fn rate_litoshis_per_kvb(&self) -> u64 {
        let vbytes = self.weight.div_ceil(4).max(1);
        self.fee.litoshis().saturating_mul(1000) / vbytes
    }

    pub(crate) fn fee_at(&self, rate_litoshis_per_kvb: u64) -> Amount {
        fee_for(self.weight, rate_litoshis_per_kvb)
    }

    /// Checks the invariants of a plan, when it is made and when it is signed.
    ///
    /// # Panics
    /// If an invariant is violated, which only a bug can cause.
    pub(crate) fn assert_balanced(&self) {
        let inputs = Amount::total(self.coins.iter().map(|coin| coin.amount));
        let outputs = Amount::total(self.outputs().map(|(_, amount)| amount));
        let shares = Amount::total(self.payouts.iter().map(|payout| payout.fee_share));
        assert_eq!(outputs.checked_add(self.fee), Some(inputs), "outputs and fee are the inputs");
        assert_eq!(shares, self.fee, "the shares are the fee");
        for payout in &self.payouts {
            let own = self.coins.iter().filter(|coin| coin.merchant == payout.merchant);
            let own = Amount::total(own.map(|coin| coin.amount));
            assert_eq!(own, payout.gross, "a merchant gets its own coins");
            let costs = payout.fee_share.checked_add(payout.operator_fee);
            let gross = costs.and_then(|costs| costs.checked_add(payout.amount));
            assert_eq!(gross, Some(payout.gross), "what is not paid out are the fees");
        }
        let operator_fees = Amount::total(self.payouts.iter().map(|payout| payout.operator_fee));
        let operator = self.operator.as_ref().map_or(Amount::ZERO, |operator| operator.amount);
        assert_eq!(operator_fees, operator, "the operator gets what was taken for it");
    }
}

/// A merchant's payout in a sweep: gross = fee share + operator's fee + amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payout {
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
    pub(crate) gross: Amount,
    pub(crate) fee_share: Amount,
    pub(crate) operator_fee: Amount,
    pub(crate) amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperatorOutput {
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
}

/// A merchant's payout in a signed sweep, from the version that counts: the confirmed one,
/// else the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentPayout {
    pub(crate) txid: Txid,
    pub(crate) merchant: MerchantId,
    pub(crate) gross: Amount,
    pub(crate) fee_share: Amount,
    pub(crate) operator_fee: Amount,
    pub(crate) amount: Amount,
    pub(crate) created_at: Timestamp,
    pub(crate) block_height: Option<u32>,
}

/// A sent version of a sweep, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentSweep {
    pub(crate) txid: Txid,
    pub(crate) fee: Amount,
    /// Virtual size (BIP141).
    pub(crate) vsize: u64,
    pub(crate) coins: usize,
    pub(crate) payouts: Vec<Payout>,
}

/// Plans, and the coins that wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) plans: Vec<SweepPlan>,
    pub(crate) waiting: Vec<(OutPoint, Waits)>,
}

/// The merchants of these coins, each once, in order.
pub(crate) fn merchants_of(coins: &[SweepCoin]) -> Vec<MerchantId> {
    let mut merchants: Vec<MerchantId> = coins.iter().map(|coin| coin.merchant).collect();
    merchants.sort_unstable();
    merchants.dedup();
    merchants
}
