//! Refusals in the reader's language. The match is exhaustive: a refusal without a message id
//! does not compile, and a test finds an id without a message.

use crate::domain::address::AddressError;
use crate::domain::amount::AmountError;
use crate::domain::confirmations::{BadTiers, CONFIRMATIONS_MAX, TIERS_MAX};
use crate::domain::fiat::FiatError;
use crate::domain::merchant::{BadName, GRANT_DAYS_MAX};
use crate::domain::webhook_url::BadUrl;
use crate::i18n::Value;
use crate::operations::Refusal;
use crate::operations::announce::ANNOUNCEMENT_CHARS_MAX;
use crate::operations::confirmations::Void;
use crate::operations::create_payment::REFERENCE_CHARS_MAX;
use crate::operations::merchants::ADDRESS_CHANGES_MAX;
use crate::operations::reason::Reason;
use crate::operations::second_factor::FactorRefusal;

use super::super::Failure;
use super::Language;

impl Language {
    /// A refusal as whole sentences.
    pub(in super::super) fn failure(self, failure: &Failure) -> String {
        let one = |id: &str| self.text(id).to_owned();
        match failure {
            Failure::Refused(refusal) => self.refusal(refusal),
            Failure::Void(Void::NotYours) => one("failure-not-yours"),
            Failure::Void(Void::Used) => one("failure-used"),
            Failure::Void(Void::TooOld) => one("failure-too-old"),
            Failure::NoAccount => one("failure-no-account"),
            Failure::NoAccountOf => one("failure-no-account-of"),
            Failure::NotAdmin => one("failure-not-admin"),
            Failure::OtherPlace => one("failure-other-place"),
            Failure::TooFast(seconds) => self.say("failure-too-fast", &[("n", seconds)]),
            Failure::ShownTooOften => one("failure-shown-too-often"),
            Failure::UnknownKind => one("failure-unknown-kind"),
            Failure::KindAndHow => one("failure-kind-and-how"),
            Failure::NoWebhook => one("failure-no-webhook"),
            Failure::ChoosePart => one("failure-choose-part"),
            Failure::BotIsNoMerchant => one("failure-bot-is-no-merchant"),
            Failure::BadMerchantId(_) => one("failure-bad-merchant-id"),
            Failure::NodeSilent(seconds) => self.say("failure-node-silent", &[("n", seconds)]),
            Failure::NoNotificationsChannel => one("failure-no-notifications-channel"),
            Failure::NoTest => one("failure-no-test"),
            Failure::SetChannelFirst => one("failure-set-channel-first"),
            // `error.rs` reports these as internal errors; they have no message.
            Failure::Unreadable | Failure::Panicked | Failure::Discord(_) => failure.to_string(),
        }
    }

    fn refusal(self, refusal: &Refusal) -> String {
        let one = |id: &str| self.errors().text(id).to_owned();
        match refusal {
            Refusal::UnknownMerchant(id) => {
                self.errors().say("unknown-merchant", &[("id", &id.to_string())])
            }
            Refusal::UnknownPayment => one("unknown-payment"),
            Refusal::UnknownEvent => one("unknown-event"),
            Refusal::NothingConfirmed => one("nothing-confirmed"),
            Refusal::PaymentHasCoins => one("payment-has-coins"),
            Refusal::RateUnavailable(currency) => {
                self.errors().say("rate-unavailable", &[("currency", &currency.code())])
            }
            Refusal::DiscordUserTaken(id) => {
                self.errors().say("discord-user-taken", &[("id", &id.to_string())])
            }
            Refusal::SubscriptionInactive => one("subscription-inactive"),
            Refusal::Suspended => one("account-suspended"),
            Refusal::SuspendedAlready => one("account-suspended-already"),
            Refusal::NotSuspended => one("account-not-suspended"),
            Refusal::PayoutAddressMissing => one("payout-address-missing"),
            Refusal::Starting => one("starting"),
            Refusal::TooManyOpen(count) => self.errors().say("too-many-open", &[("n", count)]),
            Refusal::DailyLimit { most, .. } => self.errors().say("daily-limit", &[("n", most)]),
            Refusal::Invalid { field: _, reason } => self.reason(reason),
            Refusal::IdempotencyKeyReused => one("idempotency-key-reused"),
            Refusal::ChainSuspect => one("chain-suspect"),
            Refusal::NoAddressChange => one("no-address-change"),
            Refusal::TooManyAddressChanges => {
                self.errors().say("too-many-address-changes", &[("n", &ADDRESS_CHANGES_MAX)])
            }
            Refusal::SecondFactor(refusal) => self.factor_refusal(*refusal),
            // `error.rs` reports it as an internal error.
            Refusal::Store(error) => error.to_string(),
        }
    }

    fn factor_refusal(self, refusal: FactorRefusal) -> String {
        let one = |id: &str| self.errors().text(id).to_owned();
        match refusal {
            FactorRefusal::CodeNeeded => one("factor-code-needed"),
            FactorRefusal::WrongCode { left } => {
                self.errors().say("factor-wrong-code", &[("n", &left)])
            }
            FactorRefusal::WrongFirstCode => one("factor-wrong-first-code"),
            FactorRefusal::UsedCode => one("factor-used-code"),
            FactorRefusal::Locked { minutes } => {
                self.errors().say("factor-locked", &[("n", &minutes)])
            }
            FactorRefusal::Unusable => one("factor-unusable"),
            FactorRefusal::EnabledAlready => one("factor-enabled-already"),
            FactorRefusal::NotEnabled => one("factor-not-enabled"),
            FactorRefusal::NotBegun => one("factor-not-begun"),
        }
    }

    fn reason(self, reason: &Reason) -> String {
        let one = |id: &str| self.errors().text(id).to_owned();
        let up_to = |id: &str, max: &dyn Value| self.errors().say(id, &[("max", max)]);
        match reason {
            Reason::Address(error) => self.address(error),
            Reason::OwnAddress => one("address-own"),
            Reason::Name(BadName::Empty) => one("name-empty"),
            Reason::Name(BadName::TooLong) => one("name-too-long"),
            Reason::Name(BadName::Unprintable) => one("name-unprintable"),
            Reason::Amount(AmountError::NotANumber) => one("amount-not-a-number"),
            Reason::Amount(AmountError::Negative) => one("amount-negative"),
            Reason::Amount(AmountError::TooLarge) => one("amount-too-large"),
            Reason::Amount(AmountError::TooPrecise) => one("amount-too-precise"),
            Reason::TooSmall(least) => {
                self.errors().say("amount-too-small", &[("least", &least.to_string())])
            }
            Reason::Reference => up_to("reference-bad", &REFERENCE_CHARS_MAX),
            Reason::Url(BadUrl::TooLong) => one("url-too-long"),
            Reason::Url(BadUrl::NotAUrl) => one("url-not-a-url"),
            Reason::Url(BadUrl::Scheme) => one("url-scheme"),
            Reason::Url(BadUrl::Credentials) => one("url-credentials"),
            Reason::Url(BadUrl::NotPublic) => one("url-not-public"),
            Reason::Url(BadUrl::Port) => one("url-port"),
            Reason::Confirmations(BadTiers::Confirmations) => {
                up_to("confirmations-range", &CONFIRMATIONS_MAX)
            }
            Reason::Confirmations(BadTiers::TooMany) => up_to("tiers-too-many", &TIERS_MAX),
            Reason::Confirmations(BadTiers::Order) => one("tiers-order"),
            Reason::Confirmations(BadTiers::Syntax) => one("tiers-syntax"),
            Reason::Tolerance(_) => one("tolerance-bad"),
            Reason::Events(_) => one("events-bad"),
            // Only the API takes metadata.
            Reason::Metadata(error) => error.to_string(),
            Reason::Currency(_) => one("currency-bad"),
            Reason::CurrencyNotOffered(currency) => {
                self.errors().say("currency-not-offered", &[("currency", &currency.code())])
            }
            Reason::Fiat(FiatError::NotANumber) => one("amount-not-a-number"),
            Reason::Fiat(FiatError::Negative | FiatError::Zero(_)) => one("amount-negative"),
            Reason::Fiat(FiatError::TooLarge(currency)) => {
                self.errors().say("price-too-large", &[("currency", &currency.code())])
            }
            Reason::Fiat(FiatError::TooPrecise(currency)) => {
                let (code, decimals) = (currency.code(), currency.decimals());
                self.errors().say("price-too-precise", &[("currency", &code), ("n", &decimals)])
            }
            Reason::Days => up_to("days-range", &GRANT_DAYS_MAX),
            Reason::Announcement => up_to("announcement-length", &ANNOUNCEMENT_CHARS_MAX),
            Reason::NotForMerchants => one("not-for-merchants"),
            Reason::Month => one("month-bad"),
            Reason::Cursor | Reason::EventCursor => one("bad-cursor"),
            Reason::EventState => one("bad-state"),
        }
    }

    fn address(self, error: &AddressError) -> String {
        let one = |id: &str| self.errors().text(id).to_owned();
        match error {
            AddressError::Empty => one("address-empty"),
            AddressError::TooLong => one("address-too-long"),
            AddressError::Whitespace => one("address-whitespace"),
            AddressError::MixedCase => one("address-mixed-case"),
            AddressError::OtherNetwork(network) => {
                self.errors().say("address-other-network", &[("network", &network.as_str())])
            }
            AddressError::Bitcoin => one("address-bitcoin"),
            AddressError::Mweb => one("address-mweb"),
            AddressError::Checksum => one("address-checksum"),
            AddressError::WitnessVersion => one("address-witness-version"),
            AddressError::Unknown => one("address-unknown"),
        }
    }
}
