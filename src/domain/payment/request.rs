//! The request of a payment: what a merchant asked for.

use bitcoin::ScriptBuf;

use crate::domain::amount::Amount;
use crate::domain::api_key::ApiKeyId;
use crate::domain::chain::BlockId;
use crate::domain::event_kind::EventKinds;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;

use super::coin::{Coin, Origin};
use super::id::PaymentId;
use super::metadata::Metadata;
use super::price::Price;

/// A payment request. It never changes after its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) index: DerivationIndex,
    /// The script of the receiving address; only this exact script counts as paying.
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
    /// The price in another currency, from which the amount was calculated.
    pub(crate) price: Option<Price>,
    /// The share of the amount that may be missing.
    pub(crate) tolerance: Tolerance,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Coins first seen after `expires_at` and until this time may complete the payment late.
    pub(crate) late_until: Timestamp,
    /// Confirmations that each coin needs, by merchant and amount.
    pub(crate) confirmations: u32,
    /// Confirmations that a peg-out needs; at least `confirmations`.
    pub(crate) confirmations_pegout: u32,
    /// The merchant's order id.
    pub(crate) reference: Option<String>,
    pub(crate) webhook_url: Option<String>,
    /// Where the checkout sends the shopper afterwards.
    pub(crate) redirect_url: Option<String>,
    /// The price in the shop's own words ("4.17 EUR"): shown, never used in calculations.
    pub(crate) display_amount: Option<String>,
    pub(crate) metadata: Option<Metadata>,
    /// The events whose webhooks are sent, beside `completed`.
    pub(crate) events: EventKinds,
    /// The named API key that created the payment; `None` for the merchant's main key, the bot
    /// and the CLI.
    pub(crate) api_key: Option<ApiKeyId>,
}

#[cfg(test)]
impl Payment {
    /// A payment of one litoshi for tests; id and script derive from its index.
    pub(crate) fn smallest(merchant: MerchantId, index: DerivationIndex, at: Timestamp) -> Payment {
        use bitcoin::WPubkeyHash;
        use bitcoin::hashes::Hash;
        let mut id = [0; 16];
        id[..4].copy_from_slice(&index.get().to_be_bytes());
        Payment {
            id: PaymentId::from_random(id),
            merchant,
            index,
            script: ScriptBuf::new_p2wpkh(&WPubkeyHash::hash(&index.get().to_be_bytes())),
            amount: Amount::from_litoshis(1).expect("a litoshi"),
            price: None,
            tolerance: Tolerance::NONE,
            created_at: at,
            expires_at: at,
            late_until: at,
            confirmations: 1,
            confirmations_pegout: 1,
            reference: None,
            webhook_url: None,
            redirect_url: None,
            display_amount: None,
            metadata: None,
            events: EventKinds::NONE,
            api_key: None,
        }
    }
}

impl Payment {
    /// The amount that completes the payment: all of it, less the tolerated part.
    pub(crate) fn required(&self) -> Amount {
        self.tolerance.required_of(self.amount)
    }

    pub(super) fn confirmations_for(&self, origin: Origin) -> u32 {
        match origin {
            Origin::Plain | Origin::Coinbase => self.confirmations,
            Origin::Pegout => self.confirmations_pegout,
        }
    }

    pub(super) fn is_confirmed(&self, coin: &Coin, tip: Option<BlockId>) -> bool {
        coin.counts() && coin.confirmations(tip) >= self.confirmations_for(coin.origin).max(1)
    }
}
