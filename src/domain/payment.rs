//! A payment's life: its facts, its derived sums, and its status.
//!
//! Input are the payment, its coins and the tip. Sums, confirmations and lateness are computed
//! on each read; only [`Status`] is stored, because a completion is reported to the merchant
//! and cannot be undone.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use bitcoin::{OutPoint, ScriptBuf};

use super::address::Address;
use super::amount::Amount;
use super::api_key::ApiKeyId;
use super::chain::{AtTip, BlockId};
use super::chain_guard::Trust;
use super::dust::dust_limit;
use super::keys::DerivationIndex;
use super::merchant::MerchantId;
use super::time::Timestamp;

/// The public id of a payment: a random UUID (RFC 9562, version 4) with 122 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PaymentId([u8; 16]);

impl PaymentId {
    /// Makes an id from 16 random bytes; six bits become version and variant.
    pub(crate) fn from_random(mut bytes: [u8; 16]) -> PaymentId {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        PaymentId(bytes)
    }

    /// The stored bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From stored bytes.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> PaymentId {
        PaymentId(bytes)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// The text is not a UUID in the usual form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a payment id such as 550e8400-e29b-41d4-a716-446655440000")]
pub(crate) struct BadPaymentId;

impl FromStr for PaymentId {
    type Err = BadPaymentId;

    fn from_str(text: &str) -> Result<PaymentId, BadPaymentId> {
        let raw = text.as_bytes();
        let hyphens = [8, 13, 18, 23];
        if raw.len() != 36 || hyphens.iter().any(|at| raw.get(*at) != Some(&b'-')) {
            return Err(BadPaymentId);
        }
        let digits: Vec<u8> = raw.iter().copied().filter(|b| *b != b'-').collect();
        let mut bytes = [0u8; 16];
        if digits.len() != 32 {
            return Err(BadPaymentId);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| {
                let value = pair.get(at).and_then(|b| char::from(*b).to_digit(16));
                value.and_then(|v| u8::try_from(v).ok()).ok_or(BadPaymentId)
            };
            *byte = (digit(0)? << 4) | digit(1)?;
        }
        Ok(PaymentId(bytes))
    }
}

/// Maximum number of confirmations that a merchant or the operator may require: over ten hours
/// of blocks.
pub(crate) const CONFIRMATIONS_MAX: u32 = 250;

/// A payment request. It never changes after its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) index: DerivationIndex,
    /// The script of the receiving address; only this exact script counts as paying.
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
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
    /// The named API key that created the payment; `None` for the merchant's main key, the bot
    /// and the CLI.
    pub(crate) api_key: Option<ApiKeyId>,
}

#[cfg(test)]
impl Payment {
    /// A payment of one litoshi for tests; id and script derive from its index.
    pub(crate) fn smallest(merchant: MerchantId, index: DerivationIndex, at: Timestamp) -> Payment {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&index.get().to_be_bytes());
        Payment {
            id: PaymentId::from_random(id),
            merchant,
            index,
            script: ScriptBuf::from_bytes(index.get().to_be_bytes().to_vec()),
            amount: Amount::from_litoshis(1).expect("a litoshi"),
            created_at: at,
            expires_at: at,
            late_until: at,
            confirmations: 1,
            confirmations_pegout: 1,
            reference: None,
            webhook_url: None,
            redirect_url: None,
            display_amount: None,
            api_key: None,
        }
    }
}

/// An output that pays a payment. Its facts never change, except its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) outpoint: OutPoint,
    pub(crate) index: DerivationIndex,
    pub(crate) amount: Amount,
    pub(crate) origin: Origin,
    /// When it was first seen; if first seen in a block, the earlier of that time and the
    /// block time.
    pub(crate) seen_at: Timestamp,
    pub(crate) place: Place,
}

/// When a mempool transaction was first seen: now, or when the followed node accepted it by
/// the node's clock, whichever is earlier. `not_before` limits the error of a wrong clock: the
/// transaction cannot pay an address before its issue, and was not in the mempool at the last
/// full comparison.
pub(crate) fn first_sight(
    now: Timestamp,
    entered_at: Option<Timestamp>,
    not_before: Timestamp,
) -> Timestamp {
    entered_at.map_or(now, |at| at.max(not_before).min(now))
}

/// The kind of transaction that created a coin; it decides the coin's maturity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An ordinary transaction.
    Plain,
    /// A block's reward: spendable 100 blocks later.
    Coinbase,
    /// From MWEB: an output of a HogEx, or its announcement while unmined.
    Pegout,
}

/// Where a coin is, on the chain that we follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Mempool,
    Block(BlockId),
    /// Neither on the best chain nor in the mempool: replaced, double-spent or evicted.
    Removed,
}

/// The stored status of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Completed { at: Timestamp, late: bool },
    Expired { at: Timestamp },
}

impl Status {
    /// The name in the API. There are only these three.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Completed { .. } => "completed",
            Status::Expired { .. } => "expired",
        }
    }
}

/// The change of status that is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    Complete { late: bool },
    Expire,
}

/// The sums of a payment's coins at one tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assessment {
    /// The sum of coins in the mempool or a block.
    pub(crate) seen: Amount,
    /// The sum of coins with the confirmations that they need.
    pub(crate) confirmed: Amount,
    /// What the shopper still has to send: zero if enough was sent, else the amount missing
    /// from `seen`, and at least the dust limit, because nodes relay no less.
    pub(crate) due: Amount,
    /// Confirmations of the deciding coin: of all coins the one with the longest wait, or,
    /// once the amount is reached, of those that reach it the soonest.
    pub(crate) confirmations: u32,
    /// Confirmations that this coin needs.
    pub(crate) confirmations_required: u32,
    /// Coins were seen and removed, and no other coin replaced them.
    pub(crate) replaced: bool,
    /// A counting coin was first seen after the payment expired.
    pub(crate) late: bool,
}

impl Origin {
    /// Whether a coin of this origin may complete a payment. An inflated extension block would
    /// pay through peg-outs, so they wait while the chain is suspect.
    fn is_trusted(self, trust: Trust) -> bool {
        match (trust, self) {
            (Trust::Full, _) | (Trust::Withheld, Origin::Plain | Origin::Coinbase) => true,
            (Trust::Withheld, Origin::Pegout) => false,
        }
    }
}

impl Coin {
    /// Confirmations on the best chain: 1 in the tip, 0 outside of blocks.
    pub(crate) fn confirmations(&self, tip: Option<BlockId>) -> u32 {
        match (self.place, tip) {
            (Place::Block(block), Some(tip)) => {
                tip.height.saturating_add(1).saturating_sub(block.height)
            }
            (Place::Block(_), None) | (Place::Mempool | Place::Removed, _) => 0,
        }
    }

    /// Whether it is in the mempool or on the best chain.
    pub(crate) fn counts(&self) -> bool {
        match self.place {
            Place::Mempool | Place::Block(_) => true,
            Place::Removed => false,
        }
    }
}

impl Payment {
    fn confirmations_for(&self, origin: Origin) -> u32 {
        match origin {
            Origin::Plain | Origin::Coinbase => self.confirmations,
            Origin::Pegout => self.confirmations_pegout,
        }
    }

    fn is_confirmed(&self, coin: &Coin, tip: Option<BlockId>) -> bool {
        coin.counts() && coin.confirmations(tip) >= self.confirmations_for(coin.origin).max(1)
    }
}

/// Computes the sums of a payment's coins at a tip. `tip` is `None` before the first block was
/// read.
pub(crate) fn assess(payment: &Payment, coins: &[Coin], tip: Option<BlockId>) -> Assessment {
    let sum = |keep: &dyn Fn(&Coin) -> bool| {
        Amount::total(coins.iter().filter(|c| keep(c)).map(|c| c.amount))
    };
    let seen = sum(&|c| c.counts());
    let (confirmations, confirmations_required) = confirmations(payment, coins, tip);
    Assessment {
        seen,
        confirmed: sum(&|c| payment.is_confirmed(c, tip)),
        due: due(payment, seen),
        confirmations,
        confirmations_required,
        replaced: seen.is_zero() && !coins.is_empty(),
        late: coins.iter().any(|c| c.counts() && c.seen_at > payment.expires_at),
    }
}

fn due(payment: &Payment, seen: Amount) -> Amount {
    let missing = payment.amount.saturating_sub(seen);
    if missing.is_zero() { missing } else { missing.max(dust_limit(&payment.script)) }
}

/// Confirmations of the deciding coin, and how many it needs. Coins are sorted by their
/// remaining wait; the one that reaches the amount decides, or the last one if the amount is
/// not reached. So the first number reaches the second exactly when the payment completes,
/// whatever the coins' origins.
fn confirmations(payment: &Payment, coins: &[Coin], tip: Option<BlockId>) -> (u32, u32) {
    let mut waits: Vec<(u32, Reverse<u32>, u32, Amount)> = coins
        .iter()
        .filter(|c| c.counts())
        .map(|c| {
            let (depth, needed) = (c.confirmations(tip), payment.confirmations_for(c.origin));
            (needed.saturating_sub(depth), Reverse(depth), needed, c.amount)
        })
        .collect();
    waits.sort_unstable();
    let mut sum = Amount::ZERO;
    let mut deciding = (0, payment.confirmations);
    for (_, Reverse(depth), needed, amount) in waits {
        sum = Amount::total([sum, amount]);
        deciding = (depth, needed);
        if sum >= payment.amount {
            break;
        }
    }
    deciding
}

/// Whether the payment is complete: coins with their required confirmations, first seen before
/// the end of the grace period, reach the amount. While trust is withheld, peg-outs do not
/// count.
pub(crate) fn completes(
    payment: &Payment,
    status: Status,
    coins: &[Coin],
    tip: BlockId,
    trust: Trust,
) -> Option<Transition> {
    match status {
        Status::Completed { .. } => return None,
        Status::Pending | Status::Expired { .. } => {}
    }
    let confirmed_until = |end: Timestamp| {
        let confirmed = coins.iter().filter(|c| payment.is_confirmed(c, Some(tip)));
        let counted = confirmed.filter(|c| c.origin.is_trusted(trust));
        Amount::total(counted.filter(|c| c.seen_at <= end).map(|c| c.amount))
    };
    if confirmed_until(payment.expires_at) >= payment.amount {
        // Money that was seen in time is never late, even if the payment expired in between (a
        // coin that was removed at the deadline and returned).
        Some(Transition::Complete { late: false })
    } else if confirmed_until(payment.late_until) >= payment.amount {
        Some(Transition::Complete { late: true })
    } else {
        None
    }
}

/// Whether the payment expires: the deadline has passed, and the coins seen in time do not
/// reach the amount. Requires proof that we are at the node's tip, including the mempool.
pub(crate) fn expires(
    payment: &Payment,
    status: Status,
    coins: &[Coin],
    now: Timestamp,
    _at_tip: &AtTip,
) -> Option<Transition> {
    match status {
        Status::Completed { .. } | Status::Expired { .. } => return None,
        Status::Pending => {}
    }
    let in_time = coins.iter().filter(|c| c.counts() && c.seen_at <= payment.expires_at);
    let short = Amount::total(in_time.map(|c| c.amount)) < payment.amount;
    (now > payment.expires_at && short).then_some(Transition::Expire)
}

/// The state of the checkout, finer than [`Status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Waiting,
    PartlyPaid,
    Seen,
    Confirming,
    Replaced,
    Paid,
    Overpaid,
    Expired,
    Late,
}

impl Detail {
    pub(crate) const ALL: [Detail; 9] = [
        Detail::Waiting,
        Detail::PartlyPaid,
        Detail::Seen,
        Detail::Confirming,
        Detail::Replaced,
        Detail::Paid,
        Detail::Overpaid,
        Detail::Expired,
        Detail::Late,
    ];

    /// The value of the API's `detail`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Detail::Waiting => "waiting",
            Detail::PartlyPaid => "partly_paid",
            Detail::Seen => "seen",
            Detail::Confirming => "confirming",
            Detail::Replaced => "replaced",
            Detail::Paid => "paid",
            Detail::Overpaid => "overpaid",
            Detail::Expired => "expired",
            Detail::Late => "late",
        }
    }
}

impl Detail {
    /// Whether the shopper has to send money, so that address and QR code are shown.
    pub(crate) fn asks_for_money(self) -> bool {
        match self {
            Detail::Waiting | Detail::PartlyPaid | Detail::Replaced => true,
            Detail::Seen
            | Detail::Confirming
            | Detail::Paid
            | Detail::Overpaid
            | Detail::Expired
            | Detail::Late => false,
        }
    }
}

/// The state of the checkout for these facts.
pub(crate) fn detail(payment: &Payment, status: Status, assessment: &Assessment) -> Detail {
    match status {
        Status::Completed { .. } if assessment.seen > payment.amount => Detail::Overpaid,
        Status::Completed { .. } => Detail::Paid,
        Status::Expired { .. } if assessment.late => Detail::Late,
        Status::Expired { .. } => Detail::Expired,
        Status::Pending if assessment.replaced => Detail::Replaced,
        Status::Pending if assessment.seen.is_zero() => Detail::Waiting,
        Status::Pending if !assessment.due.is_zero() => Detail::PartlyPaid,
        Status::Pending if assessment.confirmations == 0 => Detail::Seen,
        Status::Pending => Detail::Confirming,
    }
}

/// The payment URI (BIP21): lowercase, with the amount as the only parameter. Some Litecoin
/// wallets reject uppercase, or misread further parameters.
pub(crate) fn payment_uri(address: &Address, amount: Amount) -> String {
    format!("litecoin:{address}?amount={amount}")
}

#[cfg(test)]
mod tests;
