//! A payment's life: what was asked, what was seen, and the one verdict that is due.
//!
//! Facts come in (the payment, its coins, the tip), answers go out. Sums, confirmations and
//! lateness are computed at each read; only [`Status`] is ever stored, because a completion is
//! told to the merchant and cannot be unsaid.

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

/// The public name of a payment: a random UUID (RFC 9562, version 4), so 122 bits to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PaymentId([u8; 16]);

impl PaymentId {
    /// Makes an id of 16 random bytes; six of their bits become version and variant.
    pub(crate) fn from_random(mut bytes: [u8; 16]) -> PaymentId {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        PaymentId(bytes)
    }

    /// The bytes as stored.
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

/// The text is not a UUID in its usual form.
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

/// Confirmations that a merchant or the operator may ask for at most: over ten hours of blocks.
pub(crate) const CONFIRMATIONS_MAX: u32 = 250;

/// What was asked for. It never changes after it was created.
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
    /// Until when coins that are first seen may still complete the payment, late.
    pub(crate) late_until: Timestamp,
    /// Confirmations that each coin needs, by merchant and amount.
    pub(crate) confirmations: u32,
    /// Confirmations that a coin out of MWEB needs; at least as many as `confirmations`.
    pub(crate) confirmations_pegout: u32,
    /// The merchant's own order id.
    pub(crate) reference: Option<String>,
    pub(crate) webhook_url: Option<String>,
    /// Where the checkout sends the shopper afterwards.
    pub(crate) redirect_url: Option<String>,
    /// The sum in the shop's own words ("4.17 EUR"): shown, and never reckoned with.
    pub(crate) display_amount: Option<String>,
    /// The named API key that created the payment; absent for the merchant's own key, the bot and
    /// the command line.
    pub(crate) api_key: Option<ApiKeyId>,
}

#[cfg(test)]
impl Payment {
    /// A payment of a litoshi that asks for as little as it can, for tests: its id and its script
    /// are made of its index.
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

/// An output that pays a payment. What was seen stays true; only its place changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) outpoint: OutPoint,
    pub(crate) index: DerivationIndex,
    pub(crate) amount: Amount,
    pub(crate) origin: Origin,
    /// When it was first seen; for one first met in a block, the earlier of then and block time.
    pub(crate) seen_at: Timestamp,
    pub(crate) place: Place,
}

/// When a transaction in the mempool was first seen: at `now`, or when the followed node took it by
/// its own clock, whichever is earlier. `not_before` bounds what a clock that is wrong can claim:
/// the transaction cannot pay an address that was not issued, and was not in the mempool when that
/// was last compared as a whole.
pub(crate) fn first_sight(
    now: Timestamp,
    entered_at: Option<Timestamp>,
    not_before: Timestamp,
) -> Timestamp {
    entered_at.map_or(now, |at| at.max(not_before).min(now))
}

/// What kind of transaction made a coin; it decides how long the coin must rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An ordinary transaction.
    Plain,
    /// A block's reward: spendable 100 blocks later.
    Coinbase,
    /// Out of MWEB: an output of a HogEx, or its announcement while the transaction is unmined.
    Pegout,
}

/// Where a coin is, by the chain that we follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Mempool,
    Block(BlockId),
    /// Neither in the best chain nor in the mempool: replaced, double-spent or dropped.
    Removed,
}

/// The stored verdict on a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Completed { at: Timestamp, late: bool },
    Expired { at: Timestamp },
}

impl Status {
    /// The word of the API. Outsiders never see a fourth.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Completed { .. } => "completed",
            Status::Expired { .. } => "expired",
        }
    }
}

/// The one change of status that is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    Complete { late: bool },
    Expire,
}

/// What the coins of a payment amount to at one tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assessment {
    /// The sum of coins in the mempool or a block.
    pub(crate) seen: Amount,
    /// The sum of coins with as many confirmations as they need.
    pub(crate) confirmed: Amount,
    /// What the shopper has to send: zero when enough was sent, else what is missing from `seen`,
    /// and at least the dust limit, because no node relays less.
    pub(crate) due: Amount,
    /// Confirmations of the coin that the payment waits for the longest (of all coins, while the
    /// amount is not reached; of those that reach it the soonest, afterwards).
    pub(crate) confirmations: u32,
    /// Confirmations that this coin needs.
    pub(crate) confirmations_required: u32,
    /// Coins were seen and are gone, and nothing has taken their place.
    pub(crate) replaced: bool,
    /// A coin that counts was first seen after the payment's time was up.
    pub(crate) late: bool,
}

impl Origin {
    /// Whether a coin of this origin may complete a payment. Out of MWEB comes what an inflated
    /// extension block would pay with, so that waits for the end of a doubt.
    fn is_trusted(self, trust: Trust) -> bool {
        match (trust, self) {
            (Trust::Full, _) | (Trust::Withheld, Origin::Plain | Origin::Coinbase) => true,
            (Trust::Withheld, Origin::Pegout) => false,
        }
    }
}

impl Coin {
    /// Confirmations on the best chain: 1 in the tip itself, 0 outside of any block.
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

/// Adds up what the coins say about a payment at a tip. `tip` is `None` before the first block
/// was read.
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

/// Confirmations of the payment as a whole, and how many it needs: those of the coin that decides.
/// The coins with the least to wait for are taken first, and the one that reaches the amount
/// decides (the last one, while the amount is not reached). So the first number reaches the second
/// just when the payment completes, whatever its coins' origins.
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

/// Whether the payment is complete now: coins, each with the confirmations that it needs and
/// first seen no later than the end of the grace, add up to the amount. While trust in the chain
/// is withheld, coins out of MWEB do not count.
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
        // Money that was there in time is never late, even if the verdict "expired" came between
        // (a coin that vanished over the deadline and returned).
        Some(Transition::Complete { late: false })
    } else if confirmed_until(payment.late_until) >= payment.amount {
        Some(Transition::Complete { late: true })
    } else {
        None
    }
}

/// Whether the payment's time is up: the deadline has passed, and what was seen in time does not
/// reach the amount. Only with proof that we stand at the node's tip, mempool included.
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

/// The state of the checkout in one word, finer than [`Status`].
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

    /// The word of the API's `detail`.
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
    /// Whether the shopper is to send something: address and QR code are shown.
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

/// Says in a word what a shopper should be told.
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

/// What a wallet opens or scans (BIP21): lowercase, and nothing but the amount as parameter. Some
/// Litecoin wallets refuse uppercase, or take further parameters for something else.
pub(crate) fn payment_uri(address: &Address, amount: Amount) -> String {
    format!("litecoin:{address}?amount={amount}")
}

#[cfg(test)]
mod tests;
