//! What acts refuse and tell, said in the other languages. Each value is matched whole, so a new
//! refusal that no language has a sentence for does not compile.

use crate::domain::address::AddressError;
use crate::domain::amount::AmountError;
use crate::domain::confirmations::CONFIRMATIONS_MAX;
use crate::domain::merchant::{BadName, GRANT_DAYS_MAX};
use crate::domain::notification::Kind;
use crate::domain::webhook_url::BadUrl;
use crate::operations::Refusal;
use crate::operations::announce::ANNOUNCEMENT_CHARS_MAX;
use crate::operations::confirmations::Void;
use crate::operations::create_payment::REFERENCE_CHARS_MAX;
use crate::operations::merchants::ADDRESS_CHANGES_MAX;
use crate::operations::notifications::notification::{
    AccountNotification, Away, Named, Notification, OperatorNotification, PaymentNotification,
};
use crate::operations::notifications::plain;
use crate::operations::reason::Reason;
use crate::operations::second_factor::FactorRefusal;
use crate::webhooks::client::NoAnswer;
use crate::webhooks::trial::Advice;

use super::super::Failure;
use super::{Language, Value, sentences};

sentences! {
    /// What acts refuse and tell.
    Said {
        unknown_merchant,
        unknown_payment,
        unknown_event,
        discord_user_taken,
        subscription_inactive,
        suspended,
        suspended_already,
        not_suspended,
        payout_address_missing,
        starting,
        too_many_open,
        daily_limit,
        idempotency_key_reused,
        chain_suspect,
        no_address_change,
        too_many_address_changes,
        factor_code_needed,
        factor_wrong_code,
        factor_wrong_first_code,
        factor_used_code,
        factor_locked,
        factor_unusable,
        factor_enabled_already,
        factor_not_enabled,
        factor_not_begun,
        address_empty,
        address_too_long,
        address_whitespace,
        address_mixed_case,
        address_other_network,
        address_bitcoin,
        address_mweb,
        address_checksum,
        address_witness_version,
        address_unknown,
        address_own,
        name_empty,
        name_too_long,
        name_unprintable,
        amount_not_a_number,
        amount_negative,
        amount_too_large,
        amount_too_precise,
        amount_too_small,
        reference_bad,
        url_too_long,
        url_not_a_url,
        url_scheme,
        url_credentials,
        url_not_public,
        url_port,
        confirmations_range,
        days_range,
        announcement_length,
        not_for_merchants,
        month_bad,
        bad_cursor,
        bad_state,
        not_yours,
        used,
        too_old,
        no_account,
        no_account_of,
        not_admin,
        other_place,
        too_fast,
        shown_too_often,
        unknown_kind,
        kind_and_how,
        no_webhook,
        choose_part,
        bot_is_no_merchant,
        bad_merchant_id,
        node_silent,
        no_notifications_channel,
        no_test,
        set_channel_first,
        answer_not_public,
        answer_timeout,
        answer_no_such_name,
        answer_connect,
        answer_tls,
        answer_broken,
        advice_not_public,
        advice_no_such_name,
        advice_connect,
        advice_tls,
        advice_timeout,
        advice_broken,
        advice_redirect,
        advice_body,
        advice_login,
        advice_route,
        advice_busy,
        advice_failed,
        kind_first_payment,
        kind_paid,
        kind_part_paid,
        kind_late_payment,
        kind_webhook_failing,
        kind_webhook_failed,
        kind_payout_sent,
        kind_payout_stuck,
        kind_address_change,
        kind_key_rotated,
        kind_subscription,
        order,
        first_payment,
        payment_complete,
        payment_complete_late,
        payment_part_paid,
        payment_late,
        payment_too_late,
        payment_lost_to_you,
        webhook_failing,
        webhook_given_up,
        payout_sent,
        payout_stuck,
        address_asked,
        address_before,
        address_effective,
        address_cancelled,
        payouts_wait,
        payouts_wait_for_address,
        key_replaced,
        key_replaced_gently,
        secret_replaced,
        subscription_ends,
        subscription_ended,
        node_away,
        node_behind,
        node_did_not_answer,
        node_back,
        sweep_stuck,
        sweeper_stuck,
        sweep_damaged,
        payouts_of_merchant_wait,
        payment_lost,
        suspect,
        low_disk,
        zmq_silent,
        zmq_back,
        fee_too_high,
        too_much_hot,
        audit_found,
        audit_clean,
    }
}

impl Language {
    /// Why something cannot be, as whole sentences.
    pub(in super::super) fn failure(self, failure: &Failure) -> String {
        let Some(said) = self.said else { return capitalize(&failure.to_string()) };
        let one = |sentence: &str| self.say(sentence, &[]);
        match failure {
            Failure::Refused(refusal) => self.refusal(said, refusal),
            Failure::Void(Void::NotYours) => one(said.not_yours),
            Failure::Void(Void::Used) => one(said.used),
            Failure::Void(Void::TooOld) => one(said.too_old),
            Failure::NoAccount => one(said.no_account),
            Failure::NoAccountOf => one(said.no_account_of),
            Failure::NotAdmin => one(said.not_admin),
            Failure::OtherPlace => one(said.other_place),
            Failure::TooFast(seconds) => self.say(said.too_fast, &[("n", seconds)]),
            Failure::ShownTooOften => one(said.shown_too_often),
            Failure::UnknownKind => one(said.unknown_kind),
            Failure::KindAndHow => one(said.kind_and_how),
            Failure::NoWebhook => one(said.no_webhook),
            Failure::ChoosePart => one(said.choose_part),
            Failure::BotIsNoMerchant => one(said.bot_is_no_merchant),
            Failure::BadMerchantId(_) => one(said.bad_merchant_id),
            Failure::NodeSilent(seconds) => self.say(said.node_silent, &[("n", seconds)]),
            Failure::NoNotificationsChannel => one(said.no_notifications_channel),
            Failure::NoTest => one(said.no_test),
            Failure::SetChannelFirst => one(said.set_channel_first),
            // These are said as mistakes of ours, before anybody asks for a sentence.
            Failure::Unreadable | Failure::Panicked | Failure::Discord(_) => failure.to_string(),
        }
    }

    fn refusal(self, said: &Said, refusal: &Refusal) -> String {
        let one = |sentence: &str| self.say(sentence, &[]);
        match refusal {
            Refusal::UnknownMerchant(id) => self.say(said.unknown_merchant, &[("id", id)]),
            Refusal::UnknownPayment => one(said.unknown_payment),
            Refusal::UnknownEvent => one(said.unknown_event),
            Refusal::RateUnavailable(_) | Refusal::NothingConfirmed | Refusal::PaymentHasCoins => {
                refusal.to_string()
            }
            Refusal::DiscordUserTaken(id) => self.say(said.discord_user_taken, &[("id", id)]),
            Refusal::SubscriptionInactive => one(said.subscription_inactive),
            Refusal::Suspended => one(said.suspended),
            Refusal::SuspendedAlready => one(said.suspended_already),
            Refusal::NotSuspended => one(said.not_suspended),
            Refusal::PayoutAddressMissing => one(said.payout_address_missing),
            Refusal::Starting => one(said.starting),
            Refusal::TooManyOpen(count) => self.say(said.too_many_open, &[("n", count)]),
            Refusal::DailyLimit { most, .. } => self.say(said.daily_limit, &[("n", most)]),
            Refusal::Invalid { field: _, reason } => self.reason(said, reason),
            Refusal::IdempotencyKeyReused => one(said.idempotency_key_reused),
            Refusal::ChainSuspect => one(said.chain_suspect),
            Refusal::NoAddressChange => one(said.no_address_change),
            Refusal::TooManyAddressChanges => {
                self.say(said.too_many_address_changes, &[("n", &ADDRESS_CHANGES_MAX)])
            }
            Refusal::SecondFactor(refusal) => self.factor_refusal(said, *refusal),
            // Said as a mistake of ours.
            Refusal::Store(error) => error.to_string(),
        }
    }

    fn factor_refusal(self, said: &Said, refusal: FactorRefusal) -> String {
        let one = |sentence: &str| self.say(sentence, &[]);
        match refusal {
            FactorRefusal::CodeNeeded => one(said.factor_code_needed),
            FactorRefusal::WrongCode { left } => self.say(said.factor_wrong_code, &[("n", &left)]),
            FactorRefusal::WrongFirstCode => one(said.factor_wrong_first_code),
            FactorRefusal::UsedCode => one(said.factor_used_code),
            FactorRefusal::Locked { minutes } => self.say(said.factor_locked, &[("n", &minutes)]),
            FactorRefusal::Unusable => one(said.factor_unusable),
            FactorRefusal::EnabledAlready => one(said.factor_enabled_already),
            FactorRefusal::NotEnabled => one(said.factor_not_enabled),
            FactorRefusal::NotBegun => one(said.factor_not_begun),
        }
    }

    fn reason(self, said: &Said, reason: &Reason) -> String {
        let one = |sentence: &str| self.say(sentence, &[]);
        let up_to = |sentence: &str, max: &Value| self.say(sentence, &[("max", max)]);
        match reason {
            Reason::Address(error) => self.address(said, error),
            Reason::OwnAddress => one(said.address_own),
            Reason::Name(BadName::Empty) => one(said.name_empty),
            Reason::Name(BadName::TooLong) => one(said.name_too_long),
            Reason::Name(BadName::Unprintable) => one(said.name_unprintable),
            Reason::Amount(AmountError::NotANumber) => one(said.amount_not_a_number),
            Reason::Amount(AmountError::Negative) => one(said.amount_negative),
            Reason::Amount(AmountError::TooLarge) => one(said.amount_too_large),
            Reason::Amount(AmountError::TooPrecise) => one(said.amount_too_precise),
            Reason::TooSmall(least) => self.say(said.amount_too_small, &[("least", least)]),
            Reason::Reference => up_to(said.reference_bad, &REFERENCE_CHARS_MAX),
            Reason::Url(BadUrl::TooLong) => one(said.url_too_long),
            Reason::Url(BadUrl::NotAUrl) => one(said.url_not_a_url),
            Reason::Url(BadUrl::Scheme) => one(said.url_scheme),
            Reason::Url(BadUrl::Credentials) => one(said.url_credentials),
            Reason::Url(BadUrl::NotPublic) => one(said.url_not_public),
            Reason::Url(BadUrl::Port) => one(said.url_port),
            Reason::Confirmations(_) => up_to(said.confirmations_range, &CONFIRMATIONS_MAX),
            Reason::Currency(_) | Reason::CurrencyNotOffered(_) | Reason::Fiat(_) => {
                reason.to_string()
            }
            Reason::Tolerance(_) | Reason::Events(_) | Reason::Metadata(_) => reason.to_string(),
            Reason::Days => up_to(said.days_range, &GRANT_DAYS_MAX),
            Reason::Announcement => up_to(said.announcement_length, &ANNOUNCEMENT_CHARS_MAX),
            Reason::NotForMerchants => one(said.not_for_merchants),
            Reason::Month => one(said.month_bad),
            Reason::Cursor | Reason::EventCursor => one(said.bad_cursor),
            Reason::EventState => one(said.bad_state),
        }
    }

    fn address(self, said: &Said, error: &AddressError) -> String {
        let one = |sentence: &str| self.say(sentence, &[]);
        match error {
            AddressError::Empty => one(said.address_empty),
            AddressError::TooLong => one(said.address_too_long),
            AddressError::Whitespace => one(said.address_whitespace),
            AddressError::MixedCase => one(said.address_mixed_case),
            AddressError::OtherNetwork(network) => {
                self.say(said.address_other_network, &[("network", network)])
            }
            AddressError::Bitcoin => one(said.address_bitcoin),
            AddressError::Mweb => one(said.address_mweb),
            AddressError::Checksum => one(said.address_checksum),
            AddressError::WitnessVersion => one(said.address_witness_version),
            AddressError::Unknown => one(said.address_unknown),
        }
    }

    /// What came of a try at a webhook, by the words that are stored of it.
    pub(in super::super) fn outcome(self, stored: &str) -> String {
        let known = NoAnswer::ALL.into_iter().find(|why| why.to_string() == stored);
        match (self.said, known) {
            (Some(said), Some(why)) => match why {
                NoAnswer::NotPublic => said.answer_not_public,
                NoAnswer::Timeout => said.answer_timeout,
                NoAnswer::NoSuchName => said.answer_no_such_name,
                NoAnswer::Connect => said.answer_connect,
                NoAnswer::Tls => said.answer_tls,
                NoAnswer::Broken => said.answer_broken,
            }
            .to_owned(),
            // `HTTP 500` is the same everywhere.
            (None, _) | (_, None) => plain(stored),
        }
    }

    pub(in super::super) fn advice(self, advice: Advice) -> &'static str {
        let Some(said) = self.said else { return advice.as_str() };
        match advice {
            Advice::NotPublic => said.advice_not_public,
            Advice::NoSuchName => said.advice_no_such_name,
            Advice::Connect => said.advice_connect,
            Advice::Tls => said.advice_tls,
            Advice::Timeout => said.advice_timeout,
            Advice::Broken => said.advice_broken,
            Advice::Redirect => said.advice_redirect,
            Advice::Body => said.advice_body,
            Advice::Login => said.advice_login,
            Advice::Route => said.advice_route,
            Advice::Busy => said.advice_busy,
            Advice::Failed => said.advice_failed,
        }
    }

    /// A kind of notice for people who choose what they are told.
    pub(in super::super) fn kind(self, kind: Kind) -> &'static str {
        let Some(said) = self.said else { return kind.describe() };
        match kind {
            Kind::FirstPayment => said.kind_first_payment,
            Kind::Paid => said.kind_paid,
            Kind::PartPaid => said.kind_part_paid,
            Kind::LatePayment => said.kind_late_payment,
            Kind::WebhookFailing => said.kind_webhook_failing,
            Kind::WebhookFailed => said.kind_webhook_failed,
            Kind::PayoutSent => said.kind_payout_sent,
            Kind::PayoutStuck => said.kind_payout_stuck,
            Kind::AddressChange => said.kind_address_change,
            Kind::KeyRotated => said.kind_key_rotated,
            Kind::Subscription => said.kind_subscription,
            // Nobody chooses among those of administrators.
            Kind::Node
            | Kind::SweepStuck
            | Kind::PaymentLost
            | Kind::ChainGuard
            | Kind::Disk
            | Kind::Zmq
            | Kind::Fee
            | Kind::HotMoney
            | Kind::Audit => kind.describe(),
        }
    }

    /// What a notice says: `stored` as its kind and values, or else its English text.
    pub(in super::super) fn notification(self, stored: Option<&str>, text: &str) -> String {
        match (self.said, Notification::from_stored(stored)) {
            (Some(said), Some(Notification::Payment { payment, notification })) => {
                self.of_payment(said, &payment, &notification)
            }
            (Some(said), Some(Notification::Account(notification))) => {
                self.of_account(said, &notification)
            }
            (Some(said), Some(Notification::Whole(notification))) => {
                self.of_whole(said, &notification)
            }
            (None, _) | (_, None) => text.to_owned(),
        }
    }

    fn of_payment(
        self,
        said: &Said,
        payment: &Named,
        notification: &PaymentNotification,
    ) -> String {
        let order = payment.order.as_ref();
        let order = order.map(|text| self.say(said.order, &[("order", &plain(text))]));
        let order = order.unwrap_or_default();
        let id = &payment.id;
        let of = |sentence: &str, amount: &str| {
            self.say(sentence, &[("id", id), ("order", &order), ("amount", &amount)])
        };
        let tries = |sentence: &str, attempts: &u32, outcome: &str| {
            let outcome = self.outcome(outcome);
            let values: [(&str, &Value); 4] =
                [("id", id), ("order", &order), ("n", attempts), ("outcome", &outcome)];
            self.say(sentence, &values)
        };
        match notification {
            PaymentNotification::First { amount } => of(said.first_payment, amount),
            PaymentNotification::Complete { amount } => of(said.payment_complete, amount),
            PaymentNotification::CompleteLate => of(said.payment_complete_late, ""),
            PaymentNotification::PartPaid { received, amount } => {
                let values: [(&str, &Value); 4] =
                    [("id", id), ("order", &order), ("received", received), ("amount", amount)];
                self.say(said.payment_part_paid, &values)
            }
            PaymentNotification::Late { amount } => of(said.payment_late, amount),
            PaymentNotification::TooLate { amount } => of(said.payment_too_late, amount),
            PaymentNotification::Lost => of(said.payment_lost_to_you, ""),
            PaymentNotification::WebhookFailing { attempts, outcome } => {
                tries(said.webhook_failing, attempts, outcome)
            }
            PaymentNotification::WebhookGivenUp { attempts, outcome } => {
                tries(said.webhook_given_up, attempts, outcome)
            }
        }
    }

    fn of_account(self, said: &Said, notification: &AccountNotification) -> String {
        let one = |sentence: &str| self.say(sentence, &[]);
        let payout = |sentence: &str, amount: &String, txid: &String| {
            self.say(sentence, &[("amount", amount), ("txid", txid)])
        };
        let address =
            |sentence: &str, address: &String| self.say(sentence, &[("address", address)]);
        let relative = |at: &i64| format!("<t:{at}:R>");
        match notification {
            AccountNotification::PayoutSent { amount, txid } => {
                payout(said.payout_sent, amount, txid)
            }
            AccountNotification::PayoutStuck { amount, txid } => {
                payout(said.payout_stuck, amount, txid)
            }
            AccountNotification::AddressAsked { before, address: to, at } => {
                let before = before.as_ref().map(|text| address(said.address_before, text));
                let (before, when) = (before.unwrap_or_default(), relative(at));
                let values: [(&str, &Value); 3] =
                    [("address", to), ("before", &before), ("when", &when)];
                self.say(said.address_asked, &values)
            }
            AccountNotification::AddressEffective { address: to } => {
                address(said.address_effective, to)
            }
            AccountNotification::AddressCancelled { address: to } => {
                address(said.address_cancelled, to)
            }
            AccountNotification::PayoutsWait => one(said.payouts_wait),
            AccountNotification::PayoutsWaitForAddress => one(said.payouts_wait_for_address),
            AccountNotification::KeyReplaced => one(said.key_replaced),
            AccountNotification::KeyReplacedGently => one(said.key_replaced_gently),
            AccountNotification::WebhookSecretReplaced => one(said.secret_replaced),
            AccountNotification::SubscriptionEnds { at } => {
                let (when, date) = (relative(at), format!("<t:{at}:f>"));
                self.say(said.subscription_ends, &[("when", &when), ("date", &date)])
            }
            AccountNotification::SubscriptionEnded => one(said.subscription_ended),
        }
    }

    fn of_whole(self, said: &Said, notification: &OperatorNotification) -> String {
        let one = |sentence: &str| self.say(sentence, &[]);
        match notification {
            OperatorNotification::NodeAway { minutes, why } => {
                let why = self.away(said, why);
                self.say(said.node_away, &[("minutes", minutes), ("why", &why)])
            }
            OperatorNotification::NodeBack => one(said.node_back),
            OperatorNotification::SweepStuck { sweep, txid } => {
                self.say(said.sweep_stuck, &[("sweep", sweep), ("txid", txid)])
            }
            OperatorNotification::SweeperStuck { trouble } => {
                self.say(said.sweeper_stuck, &[("trouble", &plain(trouble))])
            }
            OperatorNotification::SweepDamaged { txid } => {
                self.say(said.sweep_damaged, &[("txid", txid)])
            }
            OperatorNotification::PayoutsWait { merchant, why } => {
                let values: [(&str, &Value); 2] = [("merchant", merchant), ("why", &plain(why))];
                self.say(said.payouts_of_merchant_wait, &values)
            }
            OperatorNotification::PaymentLost { payment } => {
                self.say(said.payment_lost, &[("id", payment)])
            }
            OperatorNotification::Suspected { reason } => {
                self.say(said.suspect, &[("reason", &plain(reason))])
            }
            OperatorNotification::LowDisk { megabytes } => {
                self.say(said.low_disk, &[("n", megabytes)])
            }
            OperatorNotification::ZmqSilent => one(said.zmq_silent),
            OperatorNotification::ZmqBack => one(said.zmq_back),
            OperatorNotification::FeeTooHigh => one(said.fee_too_high),
            OperatorNotification::TooMuchHot { waiting, limit } => {
                self.say(said.too_much_hot, &[("waiting", waiting), ("limit", limit)])
            }
            OperatorNotification::AuditFound { differences } => {
                self.say(said.audit_found, &[("n", differences)])
            }
            OperatorNotification::AuditClean => one(said.audit_clean),
        }
    }

    fn away(self, said: &Said, why: &Away) -> String {
        match why {
            Away::Behind { height, behind } => {
                self.say(said.node_behind, &[("height", height), ("behind", behind)])
            }
            Away::Silent { seconds } => self.say(said.node_did_not_answer, &[("n", seconds)]),
            Away::Trouble(words) => plain(words),
        }
    }
}

/// A sentence that begins with a capital letter, unless it begins with the name of a field.
fn capitalize(text: &str) -> String {
    let is_name = text.split(' ').next().is_some_and(|word| word.contains(char::is_uppercase));
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if !is_name => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        _ => format!("{text}."),
    }
}

#[cfg(test)]
mod tests {
    use super::capitalize;

    #[test]
    fn capitalize_changes_sentences_but_not_field_names() {
        assert_eq!(capitalize("this button is not yours"), "This button is not yours.");
        assert_eq!(capitalize("payoutAddress is mistyped"), "payoutAddress is mistyped.");
    }
}
