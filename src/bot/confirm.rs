//! Confirmations: pages that ask before an action runs.
//!
//! The database stores what a button does; its id is only a random name for that. A forged or an
//! old button does nothing, and a restart in between changes nothing.

use poise::serenity_prelude as serenity;

use crate::domain::merchant::PayoutAddress;
use crate::domain::time::Timestamp;
use crate::operations::confirmations;
use crate::store::WriteTx;

use super::answer::{Answer, date, grouped, relative};
use super::language::{Language, Value};
use super::pending_action::PendingAction;
use super::{Bot, Failure};

/// The prefixes of button ids.
pub(super) const YES: &str = "yes:";
pub(super) const NO: &str = "no:";

/// The button that cancels an address change. It is valid as long as the change can be cancelled.
pub(super) async fn cancel_button(
    bot: &Bot,
    user: u64,
    language: Language,
    until: Timestamp,
) -> Result<serenity::CreateButton, Failure> {
    let now = bot.clock.now();
    let valid_ms = until.ms_since(now);
    let (act, argument) = PendingAction::CancelAddressChange.as_row();
    let ask = move |tx: &WriteTx| Ok(confirmations::ask(tx, user, act, &argument, valid_ms, now)?);
    let id = bot.write(ask).await?;
    let button = serenity::CreateButton::new(format!("{YES}{id}"));
    Ok(button.label(language.text("button-cancel-change")).style(serenity::ButtonStyle::Danger))
}

/// A page that asks for a confirmation, with its buttons.
pub(super) async fn confirm(
    bot: &Bot,
    user: u64,
    language: Language,
    pending_action: &PendingAction,
    page: Answer,
    yes: &str,
) -> Result<Answer, Failure> {
    let now = bot.clock.now();
    let (act, argument) = pending_action.as_row();
    let ask = move |tx: &WriteTx| {
        Ok(confirmations::ask(tx, user, act, &argument, confirmations::STANDS_MS, now)?)
    };
    let id = bot.write(ask).await?;
    Ok(page.with_buttons(vec![
        serenity::CreateButton::new(format!("{YES}{id}"))
            .label(yes)
            .style(serenity::ButtonStyle::Danger),
        serenity::CreateButton::new(format!("{NO}{id}"))
            .label(language.text("button-leave"))
            .style(serenity::ButtonStyle::Secondary),
    ]))
}

/// Where payouts go after a registration, and from when.
pub(super) fn address_set(language: Language, set: &PayoutAddress) -> String {
    let address = grouped(&set.address.to_string());
    if set.effective_at <= set.registered_at {
        return language.say("address-is", &[("address", &address)]);
    }
    let values: [(&str, &Value); 3] = [
        ("address", &address),
        ("date", &date(set.effective_at)),
        ("when", &relative(set.effective_at)),
    ];
    language.say("address-will-be", &values)
}
