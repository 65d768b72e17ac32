//! Notifications, outcomes of webhooks and advice in the reader's language. The matches are
//! exhaustive: a notification without a message id does not compile.

use crate::domain::notification::Kind;
use crate::operations::notifications::notification::{
    AccountNotification, Away, Named, Notification, OperatorNotification, PaymentNotification,
};
use crate::operations::notifications::plain;
use crate::webhooks::client::NoAnswer;
use crate::webhooks::trial::Advice;

use super::{Language, Value};

impl Language {
    /// The outcome of a webhook delivery, by its stored English text.
    pub(in super::super) fn outcome(self, stored: &str) -> String {
        let known = NoAnswer::ALL.into_iter().find(|why| why.to_string() == stored);
        let Some(why) = known else {
            // `HTTP 500` is the same in every language.
            return plain(stored);
        };
        let id = match why {
            NoAnswer::NotPublic => "outcome-not-public",
            NoAnswer::Timeout => "outcome-timeout",
            NoAnswer::NoSuchName => "outcome-no-such-name",
            NoAnswer::Connect => "outcome-connect",
            NoAnswer::Tls => "outcome-tls",
            NoAnswer::Broken => "outcome-broken",
        };
        self.text(id).to_owned()
    }

    /// What to do about the outcome of a test webhook.
    pub(in super::super) fn advice(self, advice: Advice) -> &'static str {
        self.text(match advice {
            Advice::NotPublic => "advice-not-public",
            Advice::NoSuchName => "advice-no-such-name",
            Advice::Connect => "advice-connect",
            Advice::Tls => "advice-tls",
            Advice::Timeout => "advice-timeout",
            Advice::Broken => "advice-broken",
            Advice::Redirect => "advice-redirect",
            Advice::Body => "advice-body",
            Advice::Login => "advice-login",
            Advice::Route => "advice-route",
            Advice::Busy => "advice-busy",
            Advice::Failed => "advice-failed",
        })
    }

    /// A kind of notification, for users who choose which they get.
    pub(in super::super) fn kind(self, kind: Kind) -> &'static str {
        let id = match kind {
            Kind::FirstPayment => "kind-first-payment",
            Kind::Paid => "kind-paid",
            Kind::PartPaid => "kind-part-paid",
            Kind::LatePayment => "kind-late-payment",
            Kind::WebhookFailing => "kind-webhook-failing",
            Kind::WebhookFailed => "kind-webhook-failed",
            Kind::PayoutSent => "kind-payout-sent",
            Kind::PayoutStuck => "kind-payout-stuck",
            Kind::AddressChange => "kind-address-change",
            Kind::KeyRotated => "kind-key-rotated",
            Kind::Subscription => "kind-subscription",
            // Administrators get all of theirs and choose none.
            Kind::Node
            | Kind::SweepStuck
            | Kind::PaymentLost
            | Kind::ChainGuard
            | Kind::Disk
            | Kind::Zmq
            | Kind::Fee
            | Kind::HotMoney
            | Kind::Audit => return kind.describe(),
        };
        self.text(id)
    }

    /// A notification: `stored` is its kind and values; without them it is the English `text`.
    pub(in super::super) fn notification(self, stored: Option<&str>, text: &str) -> String {
        match Notification::from_stored(stored) {
            Some(Notification::Payment { payment, notification }) => {
                self.of_payment(&payment, &notification)
            }
            Some(Notification::Account(notification)) => self.of_account(&notification),
            Some(Notification::Whole(notification)) => self.of_operator(&notification),
            None => text.to_owned(),
        }
    }

    fn of_payment(self, payment: &Named, notification: &PaymentNotification) -> String {
        let order = payment.order.as_ref();
        let order = order.map(|text| self.say("notification-order", &[("order", &plain(text))]));
        let order = order.unwrap_or_default();
        let id = &payment.id;
        let of = |message: &str, amount: &str| {
            self.say(message, &[("id", id), ("order", &order), ("amount", &amount)])
        };
        let tries = |message: &str, attempts: &u32, outcome: &str| {
            let outcome = self.outcome(outcome);
            let values: [(&str, &Value); 4] =
                [("id", id), ("order", &order), ("n", attempts), ("outcome", &outcome)];
            self.say(message, &values)
        };
        match notification {
            PaymentNotification::First { amount } => of("notification-first-payment", amount),
            PaymentNotification::Complete { amount } => of("notification-payment-complete", amount),
            PaymentNotification::CompleteLate => of("notification-payment-complete-late", ""),
            PaymentNotification::PartPaid { received, amount } => {
                let values: [(&str, &Value); 4] =
                    [("id", id), ("order", &order), ("received", received), ("amount", amount)];
                self.say("notification-payment-part-paid", &values)
            }
            PaymentNotification::Late { amount } => of("notification-payment-late", amount),
            PaymentNotification::TooLate { amount } => of("notification-payment-too-late", amount),
            PaymentNotification::Lost => of("notification-payment-lost-to-you", ""),
            PaymentNotification::WebhookFailing { attempts, outcome } => {
                tries("notification-webhook-failing", attempts, outcome)
            }
            PaymentNotification::WebhookGivenUp { attempts, outcome } => {
                tries("notification-webhook-given-up", attempts, outcome)
            }
        }
    }

    fn of_account(self, notification: &AccountNotification) -> String {
        let one = |message: &str| self.text(message).to_owned();
        let payout = |message: &str, amount: &String, txid: &String| {
            self.say(message, &[("amount", amount), ("txid", txid)])
        };
        let address = |message: &str, address: &String| self.say(message, &[("address", address)]);
        let relative = |at: &i64| format!("<t:{at}:R>");
        match notification {
            AccountNotification::PayoutSent { amount, txid } => {
                payout("notification-payout-sent", amount, txid)
            }
            AccountNotification::PayoutStuck { amount, txid } => {
                payout("notification-payout-stuck", amount, txid)
            }
            AccountNotification::AddressAsked { before, address: to, at } => {
                let before =
                    before.as_ref().map(|text| address("notification-address-before", text));
                let (before, when) = (before.unwrap_or_default(), relative(at));
                let values: [(&str, &Value); 3] =
                    [("address", to), ("before", &before), ("when", &when)];
                self.say("notification-address-asked", &values)
            }
            AccountNotification::AddressEffective { address: to } => {
                address("notification-address-effective", to)
            }
            AccountNotification::AddressCancelled { address: to } => {
                address("notification-address-cancelled", to)
            }
            AccountNotification::PayoutsWait => one("notification-payouts-wait"),
            AccountNotification::PayoutsWaitForAddress => {
                one("notification-payouts-wait-for-address")
            }
            AccountNotification::KeyReplaced => one("notification-key-replaced"),
            AccountNotification::KeyReplacedGently => one("notification-key-replaced-gently"),
            AccountNotification::WebhookSecretReplaced => one("notification-secret-replaced"),
            AccountNotification::SubscriptionEnds { at } => {
                let (when, date) = (relative(at), format!("<t:{at}:f>"));
                self.say("notification-subscription-ends", &[("when", &when), ("date", &date)])
            }
            AccountNotification::SubscriptionEnded => one("notification-subscription-ended"),
        }
    }

    fn of_operator(self, notification: &OperatorNotification) -> String {
        let one = |message: &str| self.text(message).to_owned();
        match notification {
            OperatorNotification::NodeAway { minutes, why } => {
                let why = self.away(why);
                self.say("notification-node-away", &[("minutes", minutes), ("why", &why)])
            }
            OperatorNotification::NodeBack => one("notification-node-back"),
            OperatorNotification::SweepStuck { sweep, txid } => {
                self.say("notification-sweep-stuck", &[("sweep", sweep), ("txid", txid)])
            }
            OperatorNotification::SweeperStuck { trouble } => {
                self.say("notification-sweeper-stuck", &[("trouble", &plain(trouble))])
            }
            OperatorNotification::SweepDamaged { txid } => {
                self.say("notification-sweep-damaged", &[("txid", txid)])
            }
            OperatorNotification::PayoutsWait { merchant, why } => {
                let values: [(&str, &Value); 2] = [("merchant", merchant), ("why", &plain(why))];
                self.say("notification-payouts-of-merchant-wait", &values)
            }
            OperatorNotification::PaymentLost { payment } => {
                self.say("notification-payment-lost", &[("id", payment)])
            }
            OperatorNotification::Suspected { reason } => {
                self.say("notification-suspect", &[("reason", &plain(reason))])
            }
            OperatorNotification::LowDisk { megabytes } => {
                self.say("notification-low-disk", &[("n", megabytes)])
            }
            OperatorNotification::ZmqSilent => one("notification-zmq-silent"),
            OperatorNotification::ZmqBack => one("notification-zmq-back"),
            OperatorNotification::FeeTooHigh => one("notification-fee-too-high"),
            OperatorNotification::TooMuchHot { waiting, limit } => {
                self.say("notification-too-much-hot", &[("waiting", waiting), ("limit", limit)])
            }
            OperatorNotification::AuditFound { differences } => {
                self.say("notification-audit-found", &[("n", differences)])
            }
            OperatorNotification::AuditClean => one("notification-audit-clean"),
        }
    }

    fn away(self, why: &Away) -> String {
        match why {
            Away::Behind { height, behind } => {
                self.say("notification-node-behind", &[("height", height), ("behind", behind)])
            }
            Away::Silent { seconds } => {
                self.say("notification-node-did-not-answer", &[("n", seconds)])
            }
            Away::Trouble(words) => plain(words),
        }
    }
}
