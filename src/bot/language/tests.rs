//! Messages name commands that exist, keep Discord's limits, and are all used. `i18n/tests.rs`
//! compares the messages and variables of the languages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;
use crate::bot::all_commands;
use crate::domain::address::AddressError;
use crate::domain::amount::{Amount, AmountError};
use crate::domain::confirmations::BadTiers;
use crate::domain::event_kind::BadEventKinds;
use crate::domain::fiat::{Currency, CurrencyError, FiatError};
use crate::domain::merchant::{BadMerchantId, BadName, MerchantId};
use crate::domain::network::Network;
use crate::domain::notification::{Audience, Kind};
use crate::domain::tolerance::BadTolerance;
use crate::domain::webhook_url::BadUrl;
use crate::operations::Refusal;
use crate::operations::confirmations::Void;
use crate::operations::notifications::notification::{
    AccountNotification, Away, Named, Notification, OperatorNotification, PaymentNotification,
};
use crate::operations::reason::Reason;
use crate::operations::second_factor::FactorRefusal;

const OTHERS: [(&str, Language); 4] = [
    ("de", Language("de")),
    ("es", Language("es")),
    ("fr", Language("fr")),
    ("pt-BR", Language("pt-BR")),
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The messages of a language by id, as they are written in the files.
fn sources(tag: &str) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut id = String::new();
    for file in ["bot", "errors"] {
        for line in read(&format!("static/locales/{tag}/{file}.ftl")).lines() {
            match line.split_once(" =") {
                Some((name, text)) if !line.starts_with([' ', '#']) => {
                    name.clone_into(&mut id);
                    let earlier = all.insert(id.clone(), text.trim().to_owned());
                    assert!(earlier.is_none(), "{tag}: {id} is in both files");
                }
                _ if line.starts_with(' ') => {
                    let text = all.get_mut(&id).expect("a message has begun");
                    text.push('\n');
                    text.push_str(line.trim());
                }
                _ => {}
            }
        }
    }
    assert!(all.len() > 400, "{tag}: {} messages", all.len());
    all
}

/// The commands that a message names in backticks.
fn commands(message: &str) -> BTreeSet<&str> {
    let named = message.split("`/").skip(1);
    named.map(|rest| rest.split([' ', '`']).next().unwrap_or(rest)).collect()
}

#[test]
fn each_translation_names_the_commands_of_the_english() {
    let english = sources("en");
    for (tag, _) in OTHERS {
        for (id, message) in sources(tag) {
            let expected = &english[&id];
            // Merchants cannot use it: a language may say whom to ask instead.
            let without =
                |message| commands(message).into_iter().filter(|name| *name != "grant_sub");
            let (own, model) = (without(&message), without(expected));
            assert_eq!(own.collect::<BTreeSet<_>>(), model.collect(), "{tag}: {id}");
            let is_long = expected.split(['{', '}']).step_by(2).map(str::len).sum::<usize>() > 20;
            assert!(!is_long || message != *expected, "{tag}: {id} is English");
        }
    }
}

#[test]
fn titles_fields_and_buttons_respect_discords_limits() {
    for tag in OTHERS.map(|(tag, _)| tag).into_iter().chain(["en"]) {
        for (id, message) in sources(tag) {
            let max = match id.split('-').next() {
                Some("button") => 80,
                // A title may contain a status, a field's name nothing else.
                Some("title") => 200,
                Some("field") => 256,
                Some("permission" | "status" | "detail" | "sum" | "state") => 60,
                Some("kind" | "command" | "choice") => 100,
                // All others are part of the text of a message, at most 2,000 characters.
                _ => 1_200,
            };
            assert!((1..=max).contains(&message.chars().count()), "{tag}: {id}");
        }
    }
}

#[test]
fn every_message_refers_only_to_existing_commands() {
    let known: BTreeSet<String> =
        all_commands().into_iter().map(|command| command.name.into_owned()).collect();
    for tag in OTHERS.map(|(tag, _)| tag).into_iter().chain(["en"]) {
        for (id, message) in sources(tag) {
            for command in commands(&message) {
                assert!(known.contains(command), "{tag}: {id}: /{command}");
            }
        }
    }
}

/// The Rust files below a folder, without tests.
fn rust_files(folder: &Path, all: &mut Vec<String>) {
    for file in std::fs::read_dir(folder).expect("the folder is there") {
        let path = file.expect("it can be read").path();
        if path.is_dir() {
            rust_files(&path, all);
        } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("tests.rs") {
            all.push(std::fs::read_to_string(&path).expect("it can be read"));
        }
    }
}

#[test]
fn the_code_and_the_files_have_the_same_messages() {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bot"), &mut files);
    let code = files.concat();
    let english = sources("en");
    for id in english.keys().filter(|id| !id.starts_with("command-")) {
        assert!(code.contains(&format!("\"{id}\"")), "no code uses {id}");
    }
    let mut found = 0;
    for call in [".text(", ".say("] {
        for after in code.split(call).skip(1) {
            let Some(rest) = after.trim_start().strip_prefix('"') else { continue };
            let id = rest.split('"').next().unwrap_or(rest);
            assert!(english.contains_key(id), "no file has {id}");
            found += 1;
        }
    }
    assert!(found > 150, "{found} calls");
}

#[test]
fn the_locale_selects_the_language_with_english_as_default() {
    #[track_caller]
    fn check(locale: &str, expected: &str) {
        assert_eq!(Language::of_locale(locale).text("empty-failed"), expected, "{locale}");
    }
    check("de", "Keine. Alles in Ordnung.");
    check("es-ES", "Ninguno. Todo va bien.");
    check("es-419", "Ninguno. Todo va bien.");
    check("fr", "Aucun. Tout va bien.");
    check("pt-BR", "Nenhum. Tudo em ordem.");
    for other in ["en-US", "en-GB", "nl", "ja", "pt", "", "DE", "de-AT", "xx-unknown"] {
        check(other, "None. All is well.");
    }
}

#[test]
fn values_are_inserted_once_with_plural_forms() {
    let say = |language: Language, n: u64| language.say("n-confirmations", &[("n", &n)]);
    assert_eq!(say(ENGLISH, 1), "1 confirmation");
    assert_eq!(say(ENGLISH, 0), "0 confirmations");
    assert_eq!(say(OTHERS[0].1, 0), "0 Bestätigungen");
    assert_eq!(say(OTHERS[2].1, 0), "0 confirmation");
    assert_eq!(say(OTHERS[3].1, 1), "1 confirmação");
    assert_eq!(say(OTHERS[3].1, 2), "2 confirmações");
    let evil = "{ $after } `/help` {";
    let said = ENGLISH.say("before-after", &[("before", &evil), ("after", &"x")]);
    assert_eq!(said, "**Before** { $after } `/help` {\n**After** x");
}

#[test]
fn every_payment_status_and_detail_is_translated() {
    use crate::domain::payment::{Detail, Status};
    use crate::domain::time::Timestamp;
    let at = Timestamp::from_ms(0);
    for (tag, language) in OTHERS {
        for status in [
            Status::Pending,
            Status::Completed { at, late: false, accepted: None },
            Status::Expired { at, cancelled: false },
        ] {
            let word = status.as_str();
            assert!(
                !language.status(word).is_empty() && language.status(word) != word,
                "{tag} {word}"
            );
        }
        let said: BTreeSet<&str> =
            Detail::ALL.into_iter().map(|detail| language.detail(detail.as_str())).collect();
        assert_eq!(said.len(), Detail::ALL.len(), "{tag}: each its own word: {said:?}");
        assert_eq!(language.detail("delayed"), language.text("detail-delayed"));
    }
}

/// Every way in which something cannot be, but those that are said as mistakes of ours.
fn failures() -> Vec<Failure> {
    let id = MerchantId::from_random(7);
    let refusals = [
        Refusal::UnknownMerchant(id),
        Refusal::UnknownPayment,
        Refusal::UnknownEvent,
        Refusal::NothingConfirmed,
        Refusal::PaymentHasCoins,
        Refusal::RateUnavailable(Currency::EUR),
        Refusal::DiscordUserTaken(id),
        Refusal::SubscriptionInactive,
        Refusal::Suspended,
        Refusal::SuspendedAlready,
        Refusal::NotSuspended,
        Refusal::PayoutAddressMissing,
        Refusal::Starting,
        Refusal::TooManyOpen(1),
        Refusal::TooManyOpen(20),
        Refusal::DailyLimit { most: 10, retry_after_seconds: 60 },
        Refusal::IdempotencyKeyReused,
        Refusal::ChainSuspect,
        Refusal::NoAddressChange,
        Refusal::TooManyAddressChanges,
        FactorRefusal::CodeNeeded.into(),
        FactorRefusal::WrongCode { left: 1 }.into(),
        FactorRefusal::WrongFirstCode.into(),
        FactorRefusal::UsedCode.into(),
        FactorRefusal::Locked { minutes: 15 }.into(),
        FactorRefusal::Unusable.into(),
        FactorRefusal::EnabledAlready.into(),
        FactorRefusal::NotEnabled.into(),
        FactorRefusal::NotBegun.into(),
    ];
    let reasons = [
        Reason::Address(AddressError::Empty),
        Reason::Address(AddressError::TooLong),
        Reason::Address(AddressError::Whitespace),
        Reason::Address(AddressError::MixedCase),
        Reason::Address(AddressError::OtherNetwork(Network::Main)),
        Reason::Address(AddressError::Bitcoin),
        Reason::Address(AddressError::Mweb),
        Reason::Address(AddressError::Checksum),
        Reason::Address(AddressError::WitnessVersion),
        Reason::Address(AddressError::Unknown),
        Reason::OwnAddress,
        Reason::Name(BadName::Empty),
        Reason::Name(BadName::TooLong),
        Reason::Name(BadName::Unprintable),
        Reason::Amount(AmountError::NotANumber),
        Reason::Amount(AmountError::Negative),
        Reason::Amount(AmountError::TooLarge),
        Reason::Amount(AmountError::TooPrecise),
        Reason::TooSmall(Amount::ZERO),
        Reason::Reference,
        Reason::Url(BadUrl::TooLong),
        Reason::Url(BadUrl::NotAUrl),
        Reason::Url(BadUrl::Scheme),
        Reason::Url(BadUrl::Credentials),
        Reason::Url(BadUrl::NotPublic),
        Reason::Url(BadUrl::Port),
        Reason::Confirmations(BadTiers::Confirmations),
        Reason::Confirmations(BadTiers::TooMany),
        Reason::Confirmations(BadTiers::Order),
        Reason::Confirmations(BadTiers::Syntax),
        Reason::Tolerance(BadTolerance),
        Reason::Events(BadEventKinds),
        Reason::Currency(CurrencyError),
        Reason::CurrencyNotOffered(Currency::EUR),
        Reason::Fiat(FiatError::NotANumber),
        Reason::Fiat(FiatError::Zero(Currency::EUR)),
        Reason::Fiat(FiatError::TooLarge(Currency::EUR)),
        Reason::Fiat(FiatError::TooPrecise(Currency::EUR)),
        Reason::Days,
        Reason::Announcement,
        Reason::NotForMerchants,
        Reason::Month,
        Reason::Cursor,
        Reason::EventCursor,
        Reason::EventState,
    ];
    let own = [
        Failure::Void(Void::NotYours),
        Failure::Void(Void::Used),
        Failure::Void(Void::TooOld),
        Failure::NoAccount,
        Failure::NoAccountOf,
        Failure::NotAdmin,
        Failure::OtherPlace,
        Failure::TooFast(1),
        Failure::TooFast(9),
        Failure::ShownTooOften,
        Failure::UnknownKind,
        Failure::KindAndHow,
        Failure::NoWebhook,
        Failure::ChoosePart,
        Failure::BotIsNoMerchant,
        Failure::BadMerchantId(BadMerchantId),
        Failure::NodeSilent(10),
        Failure::NoNotificationsChannel,
        Failure::NoTest,
        Failure::SetChannelFirst,
    ];
    let invalid = reasons.map(|reason| Refusal::Invalid { field: "field", reason });
    refusals.into_iter().chain(invalid).map(Failure::Refused).chain(own).collect()
}

/// A text that would be markup, a mention and a value of a sentence.
const EVIL: &str = "**b** @everyone <@1> {id} `x`";

/// Everything that people are told.
fn notification() -> Vec<Notification> {
    let payment = Named { id: "550e8400".to_owned(), order: Some(EVIL.to_owned()) };
    let text = |text: &str| text.to_owned();
    let of_payment = [
        PaymentNotification::First { amount: text("0.05") },
        PaymentNotification::Complete { amount: text("0.05") },
        PaymentNotification::CompleteLate,
        PaymentNotification::PartPaid { received: text("0.01"), amount: text("0.05") },
        PaymentNotification::Late { amount: text("0.05") },
        PaymentNotification::TooLate { amount: text("0.05") },
        PaymentNotification::Lost,
        PaymentNotification::WebhookFailing {
            attempts: 5,
            outcome: text("the receiver took too long"),
        },
        PaymentNotification::WebhookGivenUp { attempts: 30, outcome: text("HTTP 500") },
    ];
    let of_account = [
        AccountNotification::PayoutSent { amount: text("0.05"), txid: text("ab") },
        AccountNotification::PayoutStuck { amount: text("0.05"), txid: text("ab") },
        AccountNotification::AddressAsked {
            before: Some(text("ltc1a")),
            address: text("ltc1b"),
            at: 1,
        },
        AccountNotification::AddressAsked { before: None, address: text("ltc1b"), at: 1 },
        AccountNotification::AddressEffective { address: text("ltc1b") },
        AccountNotification::AddressCancelled { address: text("ltc1b") },
        AccountNotification::PayoutsWait,
        AccountNotification::PayoutsWaitForAddress,
        AccountNotification::KeyReplaced,
        AccountNotification::KeyReplacedGently,
        AccountNotification::WebhookSecretReplaced,
        AccountNotification::SubscriptionEnds { at: 1 },
        AccountNotification::SubscriptionEnded,
    ];
    let of_whole = [
        OperatorNotification::NodeAway { minutes: 2, why: Away::Behind { height: 5, behind: 3 } },
        OperatorNotification::NodeAway { minutes: 2, why: Away::Silent { seconds: 10 } },
        OperatorNotification::NodeAway { minutes: 2, why: Away::Trouble(text(EVIL)) },
        OperatorNotification::NodeBack,
        OperatorNotification::SweepStuck { sweep: 3, txid: text("ab") },
        OperatorNotification::SweeperStuck { trouble: text(EVIL) },
        OperatorNotification::SweepDamaged { txid: text("ab") },
        OperatorNotification::PayoutsWait { merchant: text("mer_1"), why: text(EVIL) },
        OperatorNotification::PaymentLost { payment: text("550e8400") },
        OperatorNotification::Suspected { reason: text(EVIL) },
        OperatorNotification::LowDisk { megabytes: 400 },
        OperatorNotification::ZmqSilent,
        OperatorNotification::ZmqBack,
        OperatorNotification::FeeTooHigh,
        OperatorNotification::TooMuchHot { waiting: text("0.05"), limit: text("0.04") },
        OperatorNotification::AuditFound { differences: 1 },
        OperatorNotification::AuditClean,
    ];
    let of_payment = of_payment
        .map(|notification| Notification::Payment { payment: payment.clone(), notification });
    of_payment
        .into_iter()
        .chain(of_account.map(Notification::Account))
        .chain(of_whole.map(Notification::Whole))
        .collect()
}

/// Words that are in many English sentences, and in none of the others.
const ENGLISH_WORDS: [&str; 8] =
    [" the ", " is ", " and ", " your ", " must ", " of ", "receiver", "node "];

#[test]
fn every_refusal_is_a_full_sentence_in_each_language() {
    for (tag, language) in OTHERS {
        for failure in failures() {
            let said = language.failure(&failure);
            let beginning = said.chars().next().expect("it says something");
            assert!(!beginning.is_lowercase() && said.ends_with(['.', '…']), "{tag}: {said}");
            assert!(!said.contains(['{', '}']), "{tag}: {said}");
            let english = ENGLISH_WORDS.iter().find(|word| said.contains(**word));
            assert!(english.is_none(), "{tag}: {english:?} in {said}");
            assert!(said.chars().count() <= 300, "{tag}: {said}");
        }
    }
    let refused = ENGLISH.failure(&Failure::NotAdmin);
    assert_eq!(refused, "This command is for administrators.");
}

#[test]
fn notifications_are_stored_and_translated_without_markup() {
    for notification in notification() {
        let (stored, english) = (notification.stored(), notification.to_string());
        assert_eq!(Notification::from_stored(Some(&stored)), Some(notification), "{stored}");
        assert_eq!(ENGLISH.notification(Some(&stored), &english), english);
        for (tag, language) in OTHERS {
            let said = language.notification(Some(&stored), &english);
            assert_ne!(said, english, "{tag}");
            let own = said.replace("\\`", "");
            let own: String = own.split('`').step_by(2).collect();
            let word = ENGLISH_WORDS.iter().find(|word| own.contains(**word));
            assert!(word.is_none(), "{tag}: {word:?} in {said}");
            for live in ["**b**", " @everyone", " <@1>"] {
                assert!(!said.contains(live), "{tag}: {live} in {said}");
            }
            assert_eq!(said.contains("everyone"), english.contains("everyone"), "{tag}: {said}");
            let unfilled = said.replace("{id}", "");
            assert!(!unfilled.contains('{'), "{tag}: {said}");
            assert!(said.chars().count() <= 600, "{tag}: {said}");
        }
    }
    // Rows of an older program have a text only, and this one cannot read those of a newer one.
    let german = OTHERS[0].1;
    assert_eq!(german.notification(None, "An old notification."), "An old notification.");
    assert_eq!(german.notification(Some("{\"whole\":\"new\"}"), "A new one."), "A new one.");
}

#[test]
fn every_outcome_advice_and_kind_is_translated() {
    use crate::webhooks::client::NoAnswer;
    for (tag, language) in OTHERS {
        for why in NoAnswer::ALL {
            assert_ne!(language.outcome(&why.to_string()), why.to_string(), "{tag}");
        }
        assert_eq!(language.outcome("HTTP 500"), "HTTP 500");
        for kind in Kind::ALL.into_iter().filter(|kind| kind.audience() == Audience::Merchant) {
            assert_ne!(language.kind(kind), kind.describe(), "{tag}");
            assert!(language.kind(kind).chars().count() <= 100, "{tag}: the name of a choice");
        }
    }
    // The command line prints the texts of the types; both are the same English.
    for why in NoAnswer::ALL {
        assert_eq!(ENGLISH.outcome(&why.to_string()), why.to_string());
    }
    for kind in Kind::ALL {
        assert_eq!(ENGLISH.kind(kind), kind.describe());
    }
}

/// A command, an option or a part of a command: its path, its name, and its descriptions.
struct Localizable {
    path: String,
    name: String,
    descriptions: Localized,
}

/// A command, its options and its parts.
fn gather(above: &str, command: &poise::Command<Data, Failure>, all: &mut Vec<Localizable>) {
    let path = format!("{above}{}", command.name);
    all.push(Localizable {
        path: path.clone(),
        name: command.name.to_string(),
        descriptions: command.description_localizations.to_vec(),
    });
    for option in &command.parameters {
        all.push(Localizable {
            path: format!("{path} {}", option.name),
            name: option.name.to_string(),
            descriptions: option.description_localizations.to_vec(),
        });
    }
    for part in &command.subcommands {
        gather(&format!("{path} "), part, all);
    }
}

/// Discord's rule for names of commands and options: `^[-_'\p{L}\p{N}]{1,32}$`, in small letters.
fn is_name(text: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '\'');
    (1..=32).contains(&text.chars().count())
        && text.chars().all(fine)
        && text.to_lowercase() == text
}

#[test]
fn each_command_and_option_is_localized_in_every_language() {
    let mut paths = Vec::new();
    for command in all_commands() {
        let mut all = Vec::new();
        gather("", &command, &mut all);
        let mut chars = 0;
        for Localizable { path, name, descriptions } in all {
            assert!(is_name(&name), "{path}: {name}");
            assert_eq!(descriptions.len(), LOCALES.len(), "{path} is not described somewhere");
            for (locale, text) in &descriptions {
                let length = text.chars().count();
                assert!((1..=100).contains(&length), "{path} in {locale}: {length} characters");
            }
            chars += descriptions.iter().map(|(_, text)| text.chars().count()).sum::<usize>();
            paths.push(path);
        }
        assert!(chars < 8_000, "{} says {chars} characters", command.name);
    }
    let described = sources("en").into_keys().filter(|id| id.starts_with("command-"));
    let paths = paths.iter().map(|path| format!("command-{}", path.replace(' ', "-")));
    assert_eq!(paths.collect::<BTreeSet<_>>(), described.collect(), "one message for each");
}

#[test]
fn every_choice_has_a_name_in_every_language() {
    let mut found = BTreeSet::new();
    for command in all_commands() {
        for choice in command.parameters.iter().flat_map(|option| option.choices.iter()) {
            assert_eq!(choice.localizations.len(), LOCALES.len(), "{}", choice.name);
            for (locale, name) in choice.localizations.iter() {
                assert!((1..=100).contains(&name.chars().count()), "{locale}: {name}");
            }
            found.insert(choice.name.to_string());
        }
    }
    let named = sources("en").into_keys().filter(|id| id.starts_with("choice-")).count();
    assert_eq!(found.len(), named, "one message for each: {found:?}");
}
