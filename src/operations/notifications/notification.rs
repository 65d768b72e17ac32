//! Contents of notifications, with their English text. The bot translates them when it sends
//! or lists them.
//!
//! Values are stored unescaped; the text's writer escapes the markup in them.

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) order: Option<String>,
}

impl Named {
    pub(crate) fn new(id: PaymentId, order: Option<String>) -> Named {
        Named { id: id.to_string(), order }
    }
}

/// Why the watcher is behind the node's tip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Away {
    /// The node itself is behind its headers.
    Behind {
        height: u32,
        behind: u32,
    },
    /// The node did not answer in time.
    Silent {
        seconds: u64,
    },
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
                "the node did not answer within {seconds} seconds; `litegate doctor` shows why"
            ),
            Away::Trouble(words) => f.write_str(&plain(words)),
        }
    }
}

/// The content of a notification. Amounts are in LTC, times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notification {
    Payment {
        payment: Named,
        notification: PaymentNotification,
    },
    Account(AccountNotification),
    /// About the gateway, to the administrators.
    Whole(OperatorNotification),
}

/// A notification to a merchant about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentNotification {
    /// The merchant's first payment is complete.
    First {
        amount: String,
    },
    Complete {
        amount: String,
    },
    /// It was paid late, and is complete.
    CompleteLate,
    PartPaid {
        received: String,
        amount: String,
    },
    /// A coin arrived after expiry, and may still complete the payment.
    Late {
        amount: String,
    },
    /// A coin arrived too late to complete the payment.
    TooLate {
        amount: String,
    },
    /// It was complete, but its coins left the best chain.
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

/// A notification to a merchant about the account.
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
    /// Payouts are paused until the sweeper has known the address for the whole delay.
    PayoutsWait,
    /// Payouts are paused until an address is registered again.
    PayoutsWaitForAddress,
    KeyReplaced,
    /// The old key is valid for another day.
    KeyReplacedGently,
    WebhookSecretReplaced,
    SubscriptionEnds {
        at: i64,
    },
    SubscriptionEnded,
}

/// A notification to the administrators.
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
    pub(crate) fn stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Parses the stored JSON. `None` for rows of older versions, which have only a text, and
    /// for kinds of newer versions.
    pub(crate) fn from_stored(stored: Option<&str>) -> Option<Notification> {
        serde_json::from_str(stored?).ok()
    }
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Notification::Payment { payment, notification } => notification.write(payment, f),
            Notification::Account(notification) => notification.fmt(f),
            Notification::Whole(notification) => notification.fmt(f),
        }
    }
}

impl PaymentNotification {
    fn write(&self, payment: &Named, f: &mut fmt::Formatter) -> fmt::Result {
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
                write!(f, "Payment `{id}`{order} of {amount} LTC is complete. `/payment {id}`")
            }
            PaymentNotification::CompleteLate => write!(
                f,
                "Payment `{id}`{order} was paid late and is complete now. Decide whether you \
                 still deliver. `/payment {id}`"
            ),
            PaymentNotification::PartPaid { received, amount } => write!(
                f,
                "Payment `{id}`{order} expired with {received} of {amount} LTC paid. The coins are \
                 paid out to you. Contact the shopper, or send them back. `/payment {id}`"
            ),
            PaymentNotification::Late { amount } => write!(
                f,
                "{amount} LTC arrived for payment `{id}`{order} after it expired. If the amount is \
                 reached and confirmed, the payment is completed as late. `/payment {id}`"
            ),
            PaymentNotification::TooLate { amount } => write!(
                f,
                "{amount} LTC arrived too late to complete payment `{id}`{order}. The coins are \
                 paid out to you. `/payment {id}`"
            ),
            PaymentNotification::Lost => write!(
                f,
                "Payment `{id}`{order} was completed, but a deep reorganisation removed its coins \
                 from the best chain. Treat it as unpaid until they are back. `/payment {id}`"
            ),
            PaymentNotification::WebhookFailing { attempts, outcome } => write!(
                f,
                "The webhook of payment `{id}`{order} has failed {attempts} times: {}. It is \
                 retried for three days. Fix the receiver, then use `/resend_webhook {id}`.",
                plain(outcome)
            ),
            PaymentNotification::WebhookGivenUp { attempts, outcome } => write!(
                f,
                "The webhook of payment `{id}`{order} failed for good after {attempts} attempts: \
                 {}. Fix the receiver, then use `/resend_webhook {id}`.",
                plain(outcome)
            ),
        }
    }
}

impl fmt::Display for AccountNotification {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            AccountNotification::PayoutSent { amount, txid } => {
                write!(f, "A payout of {amount} LTC was sent: transaction `{txid}`. `/payouts`")
            }
            AccountNotification::PayoutStuck { amount, txid } => write!(
                f,
                "Your payout of {amount} LTC has been unconfirmed for more than two hours: \
                 transaction `{txid}`. It is sent again until it confirms. `/payouts`"
            ),
            AccountNotification::AddressAsked { before, address, at } => {
                let from = before.as_ref().map(|text| format!("from `{text}` "));
                let from = from.unwrap_or_default();
                write!(
                    f,
                    "Your payout address changes {from}to `{address}` <t:{at}:R>. If this was not \
                     you, cancel it now with the button below or `/cancel_address_change`, and \
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
                "Your payouts are paused: the sweeper did not see your new payout address in time. \
                 They start again automatically once the waiting time is over. If you did not \
                 change the address, use `/cancel_address_change` and secure your Discord account.",
            ),
            AccountNotification::PayoutsWaitForAddress => f.write_str(
                "Your payouts are paused: your payout address is not the one that the sweeper \
                 knows. Compare it with `/account`, and register the right one again with \
                 `/set_address`.",
            ),
            AccountNotification::KeyReplaced => f.write_str(
                "Your API key was replaced, and the old one is revoked. If this was not you, \
                 secure your Discord account and use `/rotate_key` again.",
            ),
            AccountNotification::KeyReplacedGently => f.write_str(
                "Your API key was replaced. The old one is valid for another 24 hours. If this was \
                 not you, secure your Discord account and use `/rotate_key` again.",
            ),
            AccountNotification::WebhookSecretReplaced => f.write_str(
                "Your webhook secret was replaced. For 24 hours webhooks are signed with both. If \
                 this was not you, secure your Discord account and use `/rotate_webhook_secret` \
                 twice.",
            ),
            AccountNotification::SubscriptionEnds { at } => write!(
                f,
                "Your subscription ends <t:{at}:R> (<t:{at}:f>). Ask an administrator for a grant \
                 before then, so that your shop can create payments. `/subscription`"
            ),
            AccountNotification::SubscriptionEnded => f.write_str(
                "Your subscription has ended: new payments are refused. Open payments continue, \
                 and all coins are paid out. Ask an administrator for a grant (`/grant_sub`); \
                 `/subscription` shows when you have it.",
            ),
        }
    }
}

const ZMQ_SILENT: &str = "The node's ZMQ is silent. Payments are detected by polling the node, a \
    little later than usual. `/node` shows it; `litegate doctor` looks for the reason.";

const FEE_TOO_HIGH: &str = "Coins are not paid out, because the fee would be more than \
    `sweeper.max_fee_percent` of them. They are paid out once fees fall or more coins arrive. \
    `/sweep_now` shows what is ready.";

const AUDIT_CLEAN: &str =
    "The audit is clean again: every litoshi is accounted for. `litegate audit`";

impl fmt::Display for OperatorNotification {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            OperatorNotification::NodeAway { minutes, why } => write!(
                f,
                "The watcher has not reached the node's tip for more than {minutes} minutes: \
                 {why}. Payments can be created, but incoming coins are not detected. `/node`"
            ),
            OperatorNotification::NodeBack => {
                f.write_str("The watcher follows the node's tip again. `/node`")
            }
            OperatorNotification::ZmqSilent => f.write_str(ZMQ_SILENT),
            OperatorNotification::ZmqBack => f.write_str("ZMQ messages arrive again. `/node`"),
            OperatorNotification::PaymentLost { payment } => write!(
                f,
                "Payment `{payment}` was completed, but a deep reorganisation removed its coins \
                 from the best chain. Its merchant may have delivered already. `litegate payment \
                 show {payment}` and `litegate audit` show what is missing."
            ),
            OperatorNotification::Suspected { reason } => write!(
                f,
                "The chain guard is active: {}. Payments out of MWEB and sweeps are paused. \
                 `litegate chain-guard` shows it and can end it.",
                plain(reason)
            ),
            OperatorNotification::LowDisk { megabytes } => write!(
                f,
                "The disk of the database has {megabytes} MB left. When it is full, new payments \
                 are refused. Free some space; `litegate doctor` checks it again."
            ),
            OperatorNotification::AuditFound { differences } => {
                let plural = if *differences == 1 { "" } else { "s" };
                write!(
                    f,
                    "The audit found {differences} difference{plural}. `litegate audit` names each \
                     of them."
                )
            }
            OperatorNotification::AuditClean => f.write_str(AUDIT_CLEAN),
            OperatorNotification::SweepStuck { sweep, txid } => write!(
                f,
                "Sweep {sweep} has been unconfirmed for more than two hours: transaction `{txid}`. \
                 `/node` shows the node; `litegate sweep` sends it again."
            ),
            OperatorNotification::SweeperStuck { trouble } => write!(
                f,
                "The sweeper has failed for half an hour: {}. Payments are accepted, and payouts \
                 wait. `litegate doctor` looks for the reason.",
                plain(trouble)
            ),
            OperatorNotification::SweepDamaged { txid } => write!(
                f,
                "The stored bytes of sweep transaction `{txid}` are damaged, by the disk or by a \
                 change of the database. They are not sent; with the signing key on this machine \
                 the sweep is signed again. `litegate doctor` shows what is left."
            ),
            OperatorNotification::PayoutsWait { merchant, why } => write!(
                f,
                "Payouts of `{merchant}` are paused: {}. `litegate doctor` says what to do.",
                plain(why)
            ),
            OperatorNotification::FeeTooHigh => f.write_str(FEE_TOO_HIGH),
            OperatorNotification::TooMuchHot { waiting, limit } => write!(
                f,
                "{waiting} LTC wait for payout under the key on this machine, more than the \
                 {limit} LTC of `sweeper.max_hot_balance`. `/sweep_now` pays out what is ready; \
                 `litegate sweep --dry-run` shows what the rest waits for."
            ),
        }
    }
}
