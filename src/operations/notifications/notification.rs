//! What a notice says: a kind of sentence with its values. Here it is said in English, as the
//! command line shows it; the bot says it in its reader's language.
//!
//! It is stored with its notice, so whoever reads it later reads it in the language of that day.
//! Values are kept as they came; whoever says the sentence takes the markup out of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::payment::PaymentId;
use crate::domain::printable::printable;

/// Escapes the markup of Discord in foreign text.
pub(crate) fn plain(text: &str) -> String {
    let special = |c: char| {
        matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '#' | '[' | ']' | '@' | '<' | ':')
    };
    printable(text).flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// A payment as a sentence names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    /// The shop's own name for it.
    pub(crate) order: Option<String>,
}

impl Named {
    pub(crate) fn new(id: PaymentId, order: Option<String>) -> Named {
        Named { id: id.to_string(), order }
    }
}

/// Why we do not stand at the node's tip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Away {
    /// The node answers, and lacks blocks itself.
    Behind { height: u32, behind: u32 },
    /// It did not answer for so many seconds.
    Silent { seconds: u64 },
    /// The words of an error.
    Trouble(String),
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Away::Behind { height, behind } => {
                write!(f, "the node is at block {height}, {behind} behind its headers")
            }
            Away::Silent { seconds } => write!(
                f,
                "the node did not answer within {seconds} seconds; `litegate doctor` says why"
            ),
            Away::Trouble(words) => f.write_str(&plain(words)),
        }
    }
}

/// Something that somebody is told. Amounts are in LTC, times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notification {
    Payment {
        payment: Named,
        notification: PaymentNotification,
    },
    Account(AccountNotification),
    /// For the administrators.
    Whole(OperatorNotification),
}

/// What a merchant is told of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentNotification {
    /// The merchant's first one is complete.
    First {
        amount: String,
    },
    Complete {
        amount: String,
    },
    /// It was paid late, and is complete now.
    CompleteLate,
    PartPaid {
        received: String,
        amount: String,
    },
    /// A coin came after the time was up, and may still complete it.
    Late {
        amount: String,
    },
    /// One came too late for that.
    TooLate {
        amount: String,
    },
    /// It was complete, and its coins left the best chain.
    Lost,
    WebhookFailing {
        attempts: u32,
        outcome: String,
    },
    WebhookGivenUp {
        attempts: u32,
        outcome: String,
    },
}

/// What a merchant is told of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountNotification {
    PayoutSent {
        amount: String,
        txid: String,
    },
    PayoutStuck {
        amount: String,
        txid: String,
    },
    AddressAsked {
        before: Option<String>,
        address: String,
        at: i64,
    },
    AddressEffective {
        address: String,
    },
    AddressCancelled {
        address: String,
    },
    /// Payouts wait until the sweeper has known the address for long enough.
    PayoutsWait,
    /// Payouts wait until an address is registered once more.
    PayoutsWaitForAddress,
    KeyReplaced,
    /// The old key is taken for a day more.
    KeyReplacedGently,
    WebhookSecretReplaced,
    SubscriptionEnds {
        at: i64,
    },
    SubscriptionEnded,
}

/// What administrators are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OperatorNotification {
    NodeAway { minutes: i64, why: Away },
    NodeBack,
    SweepStuck { sweep: i64, txid: String },
    SweeperStuck { trouble: String },
    SweepDamaged { txid: String },
    PayoutsWait { merchant: String, why: String },
    PaymentLost { payment: String },
    Suspected { reason: String },
    LowDisk { megabytes: u64 },
    ZmqSilent,
    ZmqBack,
    FeeTooHigh,
    TooMuchHot { waiting: String, limit: String },
    AuditFound { differences: u64 },
    AuditClean,
}

impl Notification {
    /// As it is stored.
    pub(crate) fn stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What was stored; `None` for what an older program told, which stored its sentence only, and
    /// for what a newer one has learnt to tell.
    pub(crate) fn from_stored(stored: Option<&str>) -> Option<Notification> {
        serde_json::from_str(stored?).ok()
    }
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Notification::Payment { payment, notification } => notification.say(payment, f),
            Notification::Account(notification) => notification.fmt(f),
            Notification::Whole(notification) => notification.fmt(f),
        }
    }
}

impl PaymentNotification {
    fn say(&self, payment: &Named, f: &mut fmt::Formatter) -> fmt::Result {
        let id = &payment.id;
        let order = payment.order.as_ref().map(|text| format!(" (order {})", plain(text)));
        let order = order.unwrap_or_default();
        match self {
            PaymentNotification::First { amount } => write!(
                f,
                "Your first payment is complete: {amount} LTC{order}. It is paid out with the \
                 next sweep; `/payouts` shows when. `/payment {id}`"
            ),
            PaymentNotification::Complete { amount } => {
                write!(f, "Payment `{id}`{order} over {amount} LTC is complete. `/payment {id}`")
            }
            PaymentNotification::CompleteLate => write!(
                f,
                "Payment `{id}`{order} was paid late and is complete now. Decide whether you \
                 still deliver. `/payment {id}`"
            ),
            PaymentNotification::PartPaid { received, amount } => write!(
                f,
                "Payment `{id}`{order} ran out with {received} of {amount} LTC paid. What came is \
                 paid out to you; ask the shopper, or send it back. `/payment {id}`"
            ),
            PaymentNotification::Late { amount } => write!(
                f,
                "{amount} LTC came for payment `{id}`{order} after its time was up. If the sum is \
                 reached and confirmed, the payment is completed as late. `/payment {id}`"
            ),
            PaymentNotification::TooLate { amount } => write!(
                f,
                "{amount} LTC came for payment `{id}`{order} after its time was up. It is too \
                 late to complete the payment; the money is paid out to you all the same. \
                 `/payment {id}`"
            ),
            PaymentNotification::Lost => write!(
                f,
                "Payment `{id}`{order} was completed, but the chain does not hold its coins any \
                 more: a deep reorganisation. It does not count until they are back. `/payment {id}`"
            ),
            PaymentNotification::WebhookFailing { attempts, outcome } => write!(
                f,
                "The webhook of payment `{id}`{order} has failed {attempts} times: {}. It is tried \
                 for three days. Mend the receiver, then `/resend_webhook {id}`.",
                plain(outcome)
            ),
            PaymentNotification::WebhookGivenUp { attempts, outcome } => write!(
                f,
                "The webhook of payment `{id}`{order} was given up after {attempts} attempts: {}. \
                 Mend the receiver, then `/resend_webhook {id}`.",
                plain(outcome)
            ),
        }
    }
}

impl fmt::Display for AccountNotification {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            AccountNotification::PayoutSent { amount, txid } => write!(
                f,
                "A payout of {amount} LTC is on its way: transaction `{txid}`. `/payouts`"
            ),
            AccountNotification::PayoutStuck { amount, txid } => write!(
                f,
                "Your payout of {amount} LTC has waited for more than two hours for a block: \
                 transaction `{txid}`. It is sent again until it confirms. `/payouts`"
            ),
            AccountNotification::AddressAsked { before, address, at } => {
                let from = before.as_ref().map(|text| format!("from `{text}` "));
                let from = from.unwrap_or_default();
                write!(
                    f,
                    "Your payout address changes {from}to `{address}` <t:{at}:R>. If this was not \
                     you, cancel it now: the button below, or `/cancel_address_change`; then \
                     secure your Discord account."
                )
            }
            AccountNotification::AddressEffective { address } => {
                write!(f, "Your payouts go to `{address}` from now on. `/account`")
            }
            AccountNotification::AddressCancelled { address } => write!(
                f,
                "The change of your payout address to `{address}` is cancelled. `/account`"
            ),
            AccountNotification::PayoutsWait => f.write_str(
                "Your payouts wait: the sweeper did not see your new payout address in time. They \
                 start again automatically once the waiting time is over. If you did not change \
                 the address, use `/cancel_address_change` and secure your Discord account.",
            ),
            AccountNotification::PayoutsWaitForAddress => f.write_str(
                "Your payouts wait: your payout address is not the one that the sweeper knows. \
                 Compare it with `/account`, and register the right one once more with \
                 `/set_address`.",
            ),
            AccountNotification::KeyReplaced => f.write_str(
                "Your API key was replaced; the old one is dead. If this was not you, secure your \
                 Discord account and use `/rotate_key` again.",
            ),
            AccountNotification::KeyReplacedGently => f.write_str(
                "Your API key was replaced; the old one is taken for 24 more hours. If this was \
                 not you, secure your Discord account and use `/rotate_key` again.",
            ),
            AccountNotification::WebhookSecretReplaced => f.write_str(
                "Your webhook secret was replaced; for 24 hours both sign. If this was not you, \
                 secure your Discord account and use `/rotate_webhook_secret` twice.",
            ),
            AccountNotification::SubscriptionEnds { at } => write!(
                f,
                "Your subscription ends <t:{at}:R> (<t:{at}:f>). Ask an administrator for a grant \
                 before then, so that your shop goes on. `/subscription`"
            ),
            AccountNotification::SubscriptionEnded => f.write_str(
                "Your subscription has ended: new payments are refused. Open ones go on, and \
                 everything is paid out. Ask an administrator for a grant (`/grant_sub`); \
                 `/subscription` shows when you have it.",
            ),
        }
    }
}

impl fmt::Display for OperatorNotification {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            OperatorNotification::NodeAway { minutes, why } => write!(
                f,
                "For more than {minutes} minutes we have not stood at the node's tip: {why}. \
                 Payments are taken, but not seen. `/node`"
            ),
            OperatorNotification::NodeBack => {
                f.write_str("We stand at the node's tip again. `/node`")
            }
            OperatorNotification::SweepStuck { sweep, txid } => write!(
                f,
                "Sweep {sweep} has waited for more than two hours for a block: transaction \
                 `{txid}`. `/node` shows the node; `litegate sweep` sends it again."
            ),
            OperatorNotification::SweeperStuck { trouble } => write!(
                f,
                "The sweeper has not done its work for half an hour: {}. Payments are taken and \
                 wait. `litegate doctor` looks for the reason.",
                plain(trouble)
            ),
            OperatorNotification::SweepDamaged { txid } => write!(
                f,
                "The stored bytes of sweep transaction `{txid}` are damaged, by the disk or by a \
                 hand in the database. It is not sent like that; with the signing key on this \
                 machine it is signed again. `litegate doctor` shows what is left."
            ),
            OperatorNotification::PayoutsWait { merchant, why } => write!(
                f,
                "Payouts of `{merchant}` wait: {}. `litegate doctor` says what to do.",
                plain(why)
            ),
            OperatorNotification::PaymentLost { payment } => write!(
                f,
                "Payment `{payment}` was completed, but the best chain does not hold its coins any \
                 more: a deep reorganisation. The merchant was told that it is paid. `litegate \
                 payment show {payment}` and `litegate audit` show what is missing."
            ),
            OperatorNotification::Suspected { reason } => write!(
                f,
                "The chain guard is active: {}. Payments out of MWEB and sweeps wait. `litegate chain-guard` \
                 shows it and can end it.",
                plain(reason)
            ),
            OperatorNotification::LowDisk { megabytes } => write!(
                f,
                "The disk of the database has {megabytes} MB left. When it is full, new payments \
                 are refused. Make room; `litegate doctor` looks at it again."
            ),
            OperatorNotification::ZmqSilent => f.write_str(
                "The node's ZMQ says nothing. Payments are detected by polling the node every \
                 again, a little later than usual. `/node` shows it; `litegate doctor` looks for \
                 the reason.",
            ),
            OperatorNotification::ZmqBack => f.write_str("ZMQ messages arrive again. `/node`"),
            OperatorNotification::FeeTooHigh => f.write_str(
                "Coins are not paid out, because the fee would be more than \
                 `sweeper.max_fee_percent` of them. They go out once fees fall or more comes \
                 together. `/sweep_now` shows what is ready.",
            ),
            OperatorNotification::TooMuchHot { waiting, limit } => write!(
                f,
                "{waiting} LTC wait for payout under the key on this machine, more than the {limit} \
                 LTC of `sweeper.max_hot_balance`. `/sweep_now` pays out what is ready; `litegate sweep \
                 --dry-run` says what the rest waits for."
            ),
            OperatorNotification::AuditFound { differences } => {
                let plural = if *differences == 1 { "" } else { "s" };
                write!(
                    f,
                    "The audit found {differences} difference{plural}: litoshis are not where they \
                     should be. `litegate audit` names each of them."
                )
            }
            OperatorNotification::AuditClean => f.write_str(
                "The audit is clean again: every litoshi is accounted for. `litegate audit`",
            ),
        }
    }
}
