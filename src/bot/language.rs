//! The languages of the bot: one file each. A user is answered in the language that Discord
//! reports with the command; direct messages are in the language that their reader used last.
//!
//! A language that lacks a sentence does not compile. Refusals and notifications are values whose
//! types have the English text; `typed.rs` has the other languages.
//!
//! In a sentence `{name}` is a value, `{n|one|many}` the word that fits the number `n`,
//! `{/set_address}` a command, and `{/payment id}` a command with a value. Values are inserted
//! as they are, so their writer escapes markup. Amounts and times look alike in all languages.
//! Names of commands and options are English.

mod de;
mod descriptions;
mod en;
mod es;
mod fr;
mod pt_br;
mod typed;

use std::fmt::Display;

use crate::domain::payment::Detail;

use super::{Data, Failure};
use typed::Said;

/// A language that the bot speaks.
#[derive(Clone, Copy)]
pub(super) struct Language {
    pub(super) words: &'static Words,
    /// What acts refuse and tell; absent in English, where it is said by the types themselves.
    said: Option<&'static Said>,
    /// Its place in the tables of names and descriptions; English stands at the commands.
    column: Option<usize>,
    /// Up to which number there is one of a thing and not many.
    one: fn(u64) -> bool,
}

/// What is spoken to those whose language we do not speak, or do not know.
pub(super) const ENGLISH: Language =
    Language { words: &en::WORDS, said: None, column: None, one: |n| n == 1 };

const GERMAN: Language =
    Language { words: &de::WORDS, said: Some(&de::SAID), column: Some(0), one: |n| n == 1 };
const SPANISH: Language =
    Language { words: &es::WORDS, said: Some(&es::SAID), column: Some(1), one: |n| n == 1 };
const FRENCH: Language =
    Language { words: &fr::WORDS, said: Some(&fr::SAID), column: Some(2), one: |n| n <= 1 };
const PORTUGUESE: Language =
    Language { words: &pt_br::WORDS, said: Some(&pt_br::SAID), column: Some(3), one: |n| n <= 1 };

/// Something that is put into a sentence.
pub(super) type Value<'v> = dyn Display + Sync + 'v;

/// The locales of Discord in which we speak another language than English.
const LOCALES: [(&str, Language); 5] = [
    ("de", GERMAN),
    ("es-ES", SPANISH),
    ("es-419", SPANISH),
    ("fr", FRENCH),
    ("pt-BR", PORTUGUESE),
];

/// A line of a table: what it is about, and how that is in German, Spanish, French, Portuguese.
type Line = (&'static str, [&'static str; 4]);

macro_rules! sentences {
    ($(#[$doc:meta])* $kind:ident { $($name:ident,)* }) => {
        $(#[$doc])*
        pub(super) struct $kind {
            $(pub(super) $name: &'static str,)*
        }

        #[cfg(test)]
        impl $kind {
            /// Each sentence under its name.
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}
use sentences;

sentences! {
    /// What the bot says of its own. The beginning of a name says where it stands: a `title_` over
    /// a page, a `field_` over a value, a `button_` on a button.
    Words {
        no_address,
        no_subscription,
        before_after,
        n_of_m,
        n_confirmations,
        until_date,
        nothing_changed,
        button_leave,
        kept_notifications,
        ours,
        changed,
        has_parts,
        not_understood,
        bot_lacks,
        permissions_unknown,
        not_usable,
        title_help,
        help,
        address_set,
        address_warning,
        title_change_address,
        change_address,
        button_change_address,
        button_cancel_change,
        change_cancelled,
        address_will_be,
        address_is,
        address_none,
        address_to_come,
        name_set,
        confirmations_set,
        confirmations_risk,
        subscription_suspended,
        subscription_until,
        subscription_ended,
        subscription_none,
        title_notification_settings,
        off_for_all,
        in_the_channel,
        docs,
        title_rotate_key,
        key_number,
        old_key_dies,
        old_key_lives,
        open_go_on,
        button_rotate_key,
        your_key,
        key_warning,
        title_rotate_secret,
        secret_number,
        two_signatures,
        button_rotate_secret,
        your_secret,
        secret_warning,
        goes_away,
        title_factor_enable,
        factor_setup,
        button_enter_code,
        title_form,
        field_code,
        factor_asks,
        factor_enabled,
        title_factor_disable,
        factor_disable,
        factor_disabled,
        field_merchant,
        field_payout_address,
        field_subscription,
        field_confirmations,
        field_webhooks_to,
        field_money,
        field_next_sweep,
        subscription_runs,
        subscription_missing,
        next_sweep,
        next_sweep_unknown,
        as_payments_say,
        payouts_list,
        sum_received,
        sum_unconfirmed,
        sum_unswept,
        sum_in_flight,
        sum_paid,
        sum_fees,
        sum_elsewhere,
        title_payment,
        field_payment,
        field_status,
        field_amount,
        field_received,
        field_created,
        field_time_up,
        field_address,
        field_checkout,
        field_order,
        field_transactions,
        field_webhook,
        field_paid_out_with,
        received,
        webhook_delivered,
        webhook_due,
        webhook_given_up,
        status_pending,
        status_completed,
        status_expired,
        detail_waiting,
        detail_partly_paid,
        detail_seen,
        detail_confirming,
        detail_replaced,
        detail_paid,
        detail_overpaid,
        detail_paid_short,
        detail_accepted,
        detail_cancelled,
        detail_expired,
        detail_late,
        detail_delayed,
        month_empty,
        month_payouts,
        month_cut,
        title_invoice,
        field_send_link,
        button_checkout,
        title_page,
        button_previous,
        button_next,
        title_payments,
        title_payments_of,
        title_payouts,
        title_notifications,
        title_merchants,
        title_audit_log,
        title_failed,
        empty_payments,
        empty_payouts,
        empty_notifications,
        empty_merchants,
        empty_audit_log,
        empty_failed,
        payout_line,
        failed_line,
        state_suspended,
        state_ends,
        state_ended,
        state_none,
        audit_log_nothing,
        audit_log_by_message,
        webhooks_go_to,
        webhooks_go_as_said,
        webhooks_will_go_to,
        webhooks_will_go_as_said,
        resent,
        title_test,
        field_outcome,
        field_event,
        field_answer,
        field_advice,
        title_resend_all,
        resend_all,
        button_resend_all,
        resent_all,
        granted,
        title_revoke,
        revoke,
        button_revoke,
        revoked,
        title_suspend,
        can_make_payments,
        no_new_payments,
        suspend,
        button_suspend,
        suspended,
        unsuspended,
        field_owner,
        not_on_discord,
        field_since,
        field_suspended,
        title_stats,
        field_day,
        field_week,
        field_month,
        field_merchants,
        field_webhooks_waiting,
        field_lost,
        stats,
        stats_rate,
        stats_median,
        merchants_count,
        title_node,
        field_node,
        field_gateway,
        field_height,
        field_stand,
        field_peers,
        field_mempool,
        field_zmq,
        field_watcher,
        field_chain_guard,
        node_on,
        height,
        stand_none,
        watcher_at,
        watcher_never,
        suspect,
        zmq_heard,
        zmq_never,
        nothing_ready,
        title_sweep,
        sweep,
        button_sweep,
        title_swept,
        swept_line,
        swept_nothing,
        sweeper_cannot,
        sweeper_slow,
        title_announce,
        button_announce,
        announced,
        title_setup,
        setup_server,
        setup_everywhere,
        setup_here,
        setup_role,
        setup_role_unset,
        setup_role_unknown,
        channel_unset,
        channel_elsewhere,
        channel_fine,
        channel_lacks,
        permission_view,
        permission_send,
        permission_embed,
        title_config,
        config_grant,
        title_shop_news,
        title_gateway_notifications,
        notifications_wait,
    }
}

impl Language {
    /// The language of one of Discord's locales.
    pub(super) fn of_locale(locale: &str) -> Language {
        let found = LOCALES.into_iter().find(|(known, _)| *known == locale);
        found.map_or(ENGLISH, |(_, language)| language)
    }

    /// A sentence with its values.
    pub(super) fn say(self, sentence: &str, values: &[(&str, &Value)]) -> String {
        let mut said = String::with_capacity(sentence.len() + 64);
        let mut rest = sentence;
        // One pass from left to right: a value that looks like a name is left alone.
        while let Some((before, after)) = rest.split_once('{') {
            said.push_str(before);
            let (part, after) = after.split_once('}').unwrap_or((after, ""));
            said.push_str(&self.part(part, values));
            rest = after;
        }
        said.push_str(rest);
        said
    }

    /// What stands for a part in braces.
    fn part(self, part: &str, values: &[(&str, &Value)]) -> String {
        let value = |name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            debug_assert!(found.is_some(), "no value for {name}");
            found.map(|(_, value)| value.to_string()).unwrap_or_default()
        };
        if let Some(command) = part.strip_prefix('/') {
            return match command.split_once(' ') {
                Some((command, argument)) => {
                    format!("`/{command} {}`", value(argument))
                }
                None => format!("`/{command}`"),
            };
        }
        let Some((name, forms)) = part.split_once('|') else { return value(part) };
        let (one, many) = forms.split_once('|').unwrap_or((forms, forms));
        match value(name).parse() {
            Ok(number) if (self.one)(number) => one.to_owned(),
            Ok(_) | Err(_) => many.to_owned(),
        }
    }
}

impl Language {
    /// A status, by the word that the API has for it.
    pub(super) fn status(self, word: &'static str) -> &'static str {
        match word {
            "pending" => self.words.status_pending,
            "completed" => self.words.status_completed,
            "expired" => self.words.status_expired,
            other => other,
        }
    }

    /// What is behind a status, by the word that the API has for it.
    pub(super) fn detail(self, word: &'static str) -> &'static str {
        let words = self.words;
        // Above a payment's own state stands that we may not see its coins.
        let Some(detail) = Detail::ALL.into_iter().find(|detail| detail.as_str() == word) else {
            return words.detail_delayed;
        };
        match detail {
            Detail::Waiting => words.detail_waiting,
            Detail::PartlyPaid => words.detail_partly_paid,
            Detail::Seen => words.detail_seen,
            Detail::Confirming => words.detail_confirming,
            Detail::Replaced => words.detail_replaced,
            Detail::Paid => words.detail_paid,
            Detail::PaidShort => words.detail_paid_short,
            Detail::Accepted => words.detail_accepted,
            Detail::Cancelled => words.detail_cancelled,
            Detail::Overpaid => words.detail_overpaid,
            Detail::Expired => words.detail_expired,
            Detail::Late => words.detail_late,
        }
    }
}

/// How many characters a notice has in the language in which it is longest.
pub(super) fn longest_notification(stored: Option<&str>, text: &str) -> usize {
    let all = LOCALES.into_iter().map(|(_, language)| language).chain([ENGLISH]);
    let chars = all.map(|language| language.notification(stored, text).chars().count());
    chars.max().unwrap_or(0)
}

/// Gives commands and options their descriptions, and choices their names, in all languages.
pub(super) fn translate(commands: &mut [poise::Command<Data, Failure>]) {
    translate_below("", commands);
}

fn translate_below(above: &str, commands: &mut [poise::Command<Data, Failure>]) {
    for command in commands {
        let path = format!("{above}{}", command.name);
        command.description_localizations = in_locales(&path, descriptions::of).into();
        for option in &mut command.parameters {
            let path = format!("{path} {}", option.name);
            option.description_localizations = in_locales(&path, descriptions::of).into();
            for choice in option.choices.to_mut() {
                choice.localizations = in_locales(&choice.name, descriptions::of_choice).into();
            }
        }
        translate_below(&format!("{path} "), &mut command.subcommands);
    }
}

type Localized = Vec<(std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>)>;

/// What a table says of something, for each locale.
fn in_locales(of: &str, table: fn(&str, usize) -> Option<&'static str>) -> Localized {
    let line = LOCALES.into_iter().filter_map(|(locale, language)| {
        Some((locale.into(), table(of, language.column?)?.into()))
    });
    line.collect()
}

#[cfg(test)]
mod tests;
