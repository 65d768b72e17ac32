//! The commands that show a merchant's secrets and replace them. What is shown goes away again, is
//! counted, and stands in the audit log; the secret itself never does.

use crate::domain::merchant::{Merchant, OldKey};
use crate::operations::merchants as operations;
use crate::store::audit_log;

use super::answer::{Answer, reply};
use super::confirm;
use super::language::Language;
use super::merchant::before_after;
use super::pending_action::PendingAction;
use super::{Asker, Bot, Context, Data, Failure, account_of, begin};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![view_key(), rotate_key(), view_webhook_secret(), rotate_webhook_secret()]
}

/// How often an hour secrets are shown at most: a person needs no more.
const SHOWN_PER_HOUR: u32 = 5;

/// Records that the asker is shown a secret, and answers whose it is.
async fn show_secret(bot: &Bot, asker: &Asker, act: &'static str) -> Result<Merchant, Failure> {
    let (user, actor, now) = (asker.user, asker.actor.clone(), asker.now);
    bot.write(move |tx| {
        let merchant = account_of(tx, user)?;
        let since = now.plus_ms(-3_600_000);
        if audit_log::count_since(tx, act, &actor.shown(), since)? >= SHOWN_PER_HOUR {
            return Err(Failure::ShownTooOften);
        }
        operations::record_shown(tx, &actor, merchant.id, act, now)?;
        Ok(merchant)
    })
    .await
}

/// Show your API key; only you see the answer
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn view_key(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let merchant = show_secret(context.data(), &asker, "view_key").await?;
    reply(context, key_answer(context.data(), asker.language, &merchant)).await
}

/// What becomes of the key that is replaced.
#[derive(Debug, Clone, Copy, poise::ChoiceParameter)]
enum OfOldKey {
    #[name = "choice-revoke-now"]
    RevokeNow,
    #[name = "choice-grace-period"]
    GracePeriod,
}

/// Replace your API key
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn rotate_key(context: Context<'_>, old_key: Option<OfOldKey>) -> Result<(), Failure> {
    let Asker { user, language, .. } = begin(context).await?;
    let bot = context.data();
    let merchant = bot.read(move |tx| account_of(tx, user)).await?;
    let (before, after) = (merchant.key_version, merchant.key_version.saturating_add(1));
    let (old, meanwhile) = match old_key.unwrap_or(OfOldKey::RevokeNow) {
        OfOldKey::RevokeNow => (OldKey::RevokeNow, language.text("old-key-dies")),
        OfOldKey::GracePeriod => (OldKey::GracePeriod, language.text("old-key-lives")),
    };
    let numbered = |n: u32| language.say("key-number", &[("n", &n)]);
    let change = before_after(language, &numbered(before), &numbered(after));
    let text = format!("{change}\n\n{meanwhile} {}", language.text("open-go-on"));
    let page = Answer::page(language.text("title-rotate-key"), &text);
    let (pending_action, yes) = (PendingAction::RotateKey(old), language.text("button-rotate-key"));
    let answer = confirm::confirm(bot, user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}

/// An answer with the API key that counts.
pub(super) fn key_answer(bot: &Bot, language: Language, merchant: &Merchant) -> Answer {
    let key = bot.secret.current().api_key(bot.rules.network, merchant.id, merchant.key_version);
    secret_answer(bot, language, ("your-key", key.reveal()), "key-warning")
}

fn secret_answer(
    bot: &Bot,
    language: Language,
    (what, secret): (&str, &str),
    warning: &str,
) -> Answer {
    let seconds = bot.settings.secret_display_ttl.as_secs();
    let what = language.say(what, &[("secret", &secret)]);
    let warning = language.text(warning);
    let goes = language.say("goes-away", &[("n", &seconds)]);
    Answer::text(format!("{what}\n{warning}\n{goes}")).secret()
}

/// Show the secret with which webhooks to you are signed; only you see the answer
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn view_webhook_secret(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let bot = context.data();
    let merchant = show_secret(bot, &asker, "view_webhook_secret").await?;
    reply(context, webhook_secret_answer(bot, asker.language, &merchant)).await
}

/// An answer with the webhook secret that is shown.
pub(super) fn webhook_secret_answer(bot: &Bot, language: Language, merchant: &Merchant) -> Answer {
    let secret = bot.secret.current().webhook_secret(merchant.id, merchant.webhook_secret.version);
    secret_answer(bot, language, ("your-secret", secret.reveal()), "secret-warning")
}

/// Replace the secret that signs webhooks; both sign for a day
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn rotate_webhook_secret(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, language, .. } = begin(context).await?;
    let bot = context.data();
    let merchant = bot.read(move |tx| account_of(tx, user)).await?;
    let before = merchant.webhook_secret.version;
    let numbered = |n: u32| language.say("secret-number", &[("n", &n)]);
    let change = before_after(language, &numbered(before), &numbered(before.saturating_add(1)));
    let text = format!("{change}\n\n{}", language.text("two-signatures"));
    let page = Answer::page(language.text("title-rotate-secret"), &text);
    let (pending_action, yes) =
        (PendingAction::RotateWebhookSecret, language.text("button-rotate-secret"));
    let answer = confirm::confirm(bot, user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}
