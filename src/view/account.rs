//! JSON shapes of a merchant's account and payouts.

use serde::Serialize;

use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::confirmations::{ConfirmationTiers, Tier};
use crate::domain::ledger::{Account, Ledger};
use crate::domain::payment::PaymentId;
use crate::domain::sweep::SentPayout;

use super::values::{Decimal, Ltc, Time};

/// The sums of a merchant's accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Balances on the best chain.
    pub(crate) ledger: Ledger,
    /// In the mempool.
    pub(crate) unconfirmed: Amount,
    /// Received, with the confirmations that the payments require.
    pub(crate) confirmed: Amount,
}

/// The sums, each in LTC and in litoshis. Received = paid + fees + in flight + unswept +
/// elsewhere.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SumsView {
    unconfirmed_ltc: Ltc,
    unconfirmed_litoshi: u64,
    received_ltc: Ltc,
    received_litoshi: u64,
    confirmed_ltc: Ltc,
    confirmed_litoshi: u64,
    unswept_ltc: Ltc,
    unswept_litoshi: u64,
    in_flight_ltc: Ltc,
    in_flight_litoshi: u64,
    paid_ltc: Ltc,
    paid_litoshi: u64,
    /// Network fees and operator's fees.
    fees_ltc: Ltc,
    fees_litoshi: u64,
    operator_fees_ltc: Ltc,
    operator_fees_litoshi: u64,
    elsewhere_ltc: Ltc,
    elsewhere_litoshi: u64,
}

impl SumsView {
    pub(crate) fn new(sums: &Sums) -> SumsView {
        let balance = |account| sums.ledger.balance(account);
        let operator_fees = balance(Account::OperatorFees);
        let fees = Amount::total([balance(Account::NetworkFees), operator_fees]);
        let received = balance(Account::Chain);
        let unswept = balance(Account::Unswept);
        let in_flight = balance(Account::InFlight);
        let paid = balance(Account::Paid);
        let elsewhere = balance(Account::Elsewhere);
        SumsView {
            unconfirmed_ltc: Ltc(sums.unconfirmed),
            unconfirmed_litoshi: sums.unconfirmed.litoshis(),
            received_ltc: Ltc(received),
            received_litoshi: received.litoshis(),
            confirmed_ltc: Ltc(sums.confirmed),
            confirmed_litoshi: sums.confirmed.litoshis(),
            unswept_ltc: Ltc(unswept),
            unswept_litoshi: unswept.litoshis(),
            in_flight_ltc: Ltc(in_flight),
            in_flight_litoshi: in_flight.litoshis(),
            paid_ltc: Ltc(paid),
            paid_litoshi: paid.litoshis(),
            fees_ltc: Ltc(fees),
            fees_litoshi: fees.litoshis(),
            operator_fees_ltc: Ltc(operator_fees),
            operator_fees_litoshi: operator_fees.litoshis(),
            elsewhere_ltc: Ltc(elsewhere),
            elsewhere_litoshi: elsewhere.litoshis(),
        }
    }
}

/// The sums that are shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    Received,
    Unconfirmed,
    Unswept,
    InFlight,
    Paid,
    Fees,
    Elsewhere,
}

impl Sum {
    /// The name in English.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Sum::Received => "received",
            Sum::Unconfirmed => "unconfirmed",
            Sum::Unswept => "unswept",
            Sum::InFlight => "in flight",
            Sum::Paid => "paid out",
            Sum::Fees => "fees",
            Sum::Elsewhere => "elsewhere",
        }
    }
}

impl SumsView {
    pub(crate) fn named(&self) -> [(Sum, Ltc); 7] {
        [
            (Sum::Received, self.received_ltc),
            (Sum::Unconfirmed, self.unconfirmed_ltc),
            (Sum::Unswept, self.unswept_ltc),
            (Sum::InFlight, self.in_flight_ltc),
            (Sum::Paid, self.paid_ltc),
            (Sum::Fees, self.fees_ltc),
            (Sum::Elsewhere, self.elsewhere_ltc),
        ]
    }
}

/// Confirmations of amounts below a limit.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TierView {
    below_ltc: Ltc,
    confirmations: u32,
}

impl TierView {
    pub(crate) fn all(tiers: &ConfirmationTiers) -> Vec<TierView> {
        let view = |tier: &Tier| TierView {
            below_ltc: Ltc(tier.below),
            confirmations: tier.confirmations,
        };
        tiers.iter().map(view).collect()
    }
}

/// A merchant's account, for the merchant.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountView {
    pub(crate) merchant_id: String,
    pub(crate) business_name: String,
    pub(crate) livemode: bool,
    pub(crate) subscription_ends_at: Option<Time>,
    pub(crate) subscription_active: bool,
    /// For amounts above the tiers; null: the gateway's default.
    pub(crate) confirmations: Option<u32>,
    pub(crate) confirmation_tiers: Vec<TierView>,
    /// The tolerance of payments that name none.
    pub(crate) tolerance_percent: Decimal,
    /// The events, beside `completed`, of payments that name none.
    pub(crate) events: Vec<&'static str>,
    pub(crate) payout_address: Option<String>,
    pub(crate) next_payout_address: Option<String>,
    pub(crate) next_payout_address_at: Option<Time>,
    /// The webhook URL for payments without their own.
    pub(crate) webhook_url: Option<String>,
    #[serde(flatten)]
    pub(crate) sums: SumsView,
}

/// A payout in a sweep, for its merchant.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaidView {
    txid: String,
    amount_ltc: Ltc,
    amount_litoshi: u64,
    gross_ltc: Ltc,
    fee_share_ltc: Ltc,
    operator_fee_ltc: Ltc,
    confirmations: u32,
    created_at: Time,
    payments: Vec<PartView>,
}

/// The part of a payout that belongs to one payment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct PartView {
    payment_id: String,
    amount_ltc: Ltc,
}

impl PaidView {
    pub(crate) fn new(
        payout: &SentPayout,
        payments: &[(PaymentId, Amount)],
        tip: Option<BlockId>,
    ) -> PaidView {
        let part = |(id, amount): &(PaymentId, Amount)| PartView {
            payment_id: id.to_string(),
            amount_ltc: Ltc(*amount),
        };
        let depth = |height: u32, tip: BlockId| tip.height.saturating_add(1).saturating_sub(height);
        PaidView {
            txid: payout.txid.to_string(),
            amount_ltc: Ltc(payout.amount),
            amount_litoshi: payout.amount.litoshis(),
            gross_ltc: Ltc(payout.gross),
            fee_share_ltc: Ltc(payout.fee_share),
            operator_fee_ltc: Ltc(payout.operator_fee),
            confirmations: payout.block_height.zip(tip).map_or(0, |(h, tip)| depth(h, tip)),
            created_at: Time(payout.created_at),
            payments: payments.iter().map(part).collect(),
        }
    }
}
