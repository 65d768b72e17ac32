//! The commands for a merchant's second factor, and the form that asks for a code of the app.

use poise::serenity_prelude as serenity;

use crate::domain::second_factor::RecoveryCode;
use crate::operations::Refusal;
use crate::operations::second_factor::{self as operations, FactorRefusal};
use crate::store::WriteTx;

use super::answer::{Answer, reply};
use super::confirm;
use super::language::{Language, Value};
use super::pending_action::PendingAction;
use super::press::FORM;
use super::{Asker, Bot, Context, Data, Failure, account_of, begin};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![second_factor()]
}

/// Characters of a code at least and at most, as they may be typed.
const CODE_CHARS_MIN: u16 = 6;
const CODE_CHARS_MAX: u16 = 32;

/// Protect your payout address and API key by an authenticator app
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    subcommands("enable", "disable"),
    interaction_context = "Guild|BotDm"
)]
async fn second_factor(_: Context<'_>) -> Result<(), Failure> {
    // Discord sends one of its parts; a forged request may not.
    Err(Failure::ChoosePart)
}

/// Begin to use an authenticator app
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn enable(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let secrets = bot.secret.clone();
    let begun = move |tx: &WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(operations::begin(tx, &actor, &secrets, merchant.id, now)?)
    };
    let setup = bot.write(begun).await?;
    let values: [(&str, &Value); 2] =
        [("secret", setup.secret.reveal()), ("url", setup.url.reveal())];
    let text = language.say("factor-setup", &values);
    let page = Answer::page(language.text("title-factor-enable"), &text);
    let (pending_action, yes) =
        (PendingAction::EnableSecondFactor, language.text("button-enter-code"));
    let answer = confirm::confirm(bot, user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}

/// Stop using an authenticator app; needs one more code of it
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn disable(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, language, .. } = begin(context).await?;
    let bot = context.data();
    let enabled =
        bot.read(move |tx| Ok(operations::is_enabled(tx, account_of(tx, user)?.id)?)).await?;
    if !enabled {
        return Err(Refusal::from(FactorRefusal::NotEnabled).into());
    }
    let page = Answer::page(language.text("title-factor-disable"), language.text("factor-disable"));
    let (pending_action, yes) =
        (PendingAction::DisableSecondFactor, language.text("button-enter-code"));
    let answer = confirm::confirm(bot, user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}

/// The form that a button opens whose yes needs a code.
pub(super) fn form(language: Language, button: &str) -> serenity::CreateInteractionResponse {
    let field = serenity::CreateInputText::new(
        serenity::InputTextStyle::Short,
        language.text("field-code"),
        "code",
    );
    let field = field.min_length(CODE_CHARS_MIN).max_length(CODE_CHARS_MAX);
    let form = serenity::CreateModal::new(format!("{FORM}{button}"), language.text("title-form"))
        .components(vec![serenity::CreateActionRow::InputText(field)]);
    serenity::CreateInteractionResponse::Modal(form)
}

/// An answer with the recovery codes, which are shown once.
pub(super) fn recovery_answer(bot: &Bot, language: Language, codes: &[RecoveryCode]) -> Answer {
    let codes: Vec<&str> = codes.iter().map(RecoveryCode::reveal).collect();
    let enabled = language.say("factor-enabled", &[("codes", &codes.join("\n"))]);
    let seconds = bot.settings.secret_display_ttl.as_secs();
    let goes = language.say("goes-away", &[("n", &seconds)]);
    Answer::text(format!("{enabled}\n{goes}")).secret()
}
