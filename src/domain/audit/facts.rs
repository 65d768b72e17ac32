//! The facts that an audit reconciles.

use bitcoin::{OutPoint, ScriptBuf, Txid};

use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Coin, Payment, Status};

/// A coin with its claim and its spending transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerCoin {
    pub(crate) coin: Coin,
    pub(crate) claim: Option<i64>,
    /// The transaction on the best chain that spent it.
    pub(crate) spent_by: Option<Txid>,
    /// The height of the spending block.
    pub(crate) spent_height: Option<u32>,
}

/// One signed version of a sweep, with its transaction decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerVersion {
    pub(crate) sweep: i64,
    pub(crate) abandoned: bool,
    /// It was recognised in a block, not created by this database.
    pub(crate) recognised: bool,
    pub(crate) txid: Txid,
    /// Whether its bytes are the transaction of its id. Otherwise inputs and outputs are
    /// empty.
    pub(crate) readable: bool,
    pub(crate) inputs: Vec<OutPoint>,
    pub(crate) outputs: Vec<(ScriptBuf, Amount)>,
    pub(crate) fee: Amount,
    pub(crate) payouts: Vec<LedgerPayout>,
    pub(crate) block: Option<BlockId>,
}

/// One merchant's payout in a version of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerPayout {
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
    pub(crate) gross: Amount,
    pub(crate) operator_fee: Amount,
    pub(crate) amount: Amount,
}

impl LedgerVersion {
    pub(super) fn operator_fee(&self) -> Amount {
        Amount::total(self.payouts.iter().map(|payout| payout.operator_fee))
    }
}

/// A payment with its status, and whether its completion event exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerPayment {
    pub(crate) payment: Payment,
    pub(crate) status: Status,
    pub(crate) has_event: bool,
}

/// An unspent output of the node's UTXO set (`scantxoutset`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unspent {
    pub(crate) outpoint: OutPoint,
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
    pub(crate) height: u32,
}
