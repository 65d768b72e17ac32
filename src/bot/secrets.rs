//! The commands that show a merchant's secrets and replace them. What is shown goes away again, is
//! counted, and stands in the trail; the secret itself never does.

use crate::acts::merchants as acts;
use crate::domain::merchant::{Merchant, OldKey};
use crate::store::trail;

use super::answer::{Answer, reply};
use super::buttons::{self, Deed};
use super::{Asker, Bot, Context, Data, Failure, account_of, begin};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![view_key(), rotate_key(), view_webhook_secret(), rotate_webhook_secret()]
}

/// Secrets are shown so often an hour at most: whoever needs one more often is no person.
const SHOWN_PER_HOUR: u32 = 5;

/// Records that the asker is shown a secret, and answers whose it is.
async fn show_secret(bot: &Bot, asker: &Asker, act: &'static str) -> Result<Merchant, Failure> {
    let (user, actor, now) = (asker.user, asker.actor.clone(), asker.now);
    bot.write(move |tx| {
        let merchant = account_of(tx, user)?;
        let since = now.plus_ms(-3_600_000);
        if trail::count_since(tx, act, &actor.shown(), since)? >= SHOWN_PER_HOUR {
            return Err(Failure::ShownTooOften);
        }
        acts::record_shown(tx, &actor, merchant.id, act, now)?;
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
    reply(context, key_answer(context.data(), &merchant)).await
}

/// What becomes of the key that is replaced.
#[derive(Debug, Clone, Copy, poise::ChoiceParameter)]
enum OfOldKey {
    #[name = "it is dead at once (0 hours)"]
    DiesAtOnce,
    #[name = "it is taken for 24 more hours"]
    LivesOn,
}

/// Replace your API key
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn rotate_key(
    context: Context<'_>,
    #[description = "What becomes of the old key; without a choice it is dead at once"]
    old_key: Option<OfOldKey>,
) -> Result<(), Failure> {
    let Asker { user, .. } = begin(context).await?;
    let bot = context.data();
    let merchant = bot.read(move |tx| account_of(tx, user)).await?;
    let (before, after) = (merchant.key_version, merchant.key_version.saturating_add(1));
    let (old, meanwhile) = match old_key.unwrap_or(OfOldKey::DiesAtOnce) {
        OfOldKey::DiesAtOnce => (
            OldKey::DiesAtOnce,
            "Your shop cannot make payments from the moment you confirm until it has the new key.",
        ),
        OfOldKey::LivesOn => (
            OldKey::LivesOn,
            "Both keys are taken for 24 hours, so your shop can change over in peace. Not for a \
             key that somebody else may have.",
        ),
    };
    let text = format!(
        "**Before** key {before}\n**After** key {after}\n\n{meanwhile} Payments that are open go on."
    );
    let page = Answer::page("Replace the API key?", &text);
    let deed = Deed::RotateKey(old);
    let answer = buttons::question(bot, user, &deed, page, "Replace the key").await?;
    reply(context, answer).await
}

/// An answer with the API key that counts.
pub(super) fn key_answer(bot: &Bot, merchant: &Merchant) -> Answer {
    let key = bot.secret.api_key(bot.rules.network, merchant.id, merchant.key_version);
    secret_answer(
        bot,
        "API key",
        key.reveal(),
        "Keep it on your server, never in a page or an app. Whoever has it can create payments in \
         your name; `/rotate_key` replaces it.",
    )
}

fn secret_answer(bot: &Bot, what: &str, secret: &str, warning: &str) -> Answer {
    let seconds = bot.settings.secrets_shown.as_secs();
    Answer::text(format!(
        "Your {what}: ||`{secret}`||\n⚠ {warning}\n-# This message goes away after {seconds} seconds."
    ))
    .secret()
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
    reply(context, webhook_secret_answer(bot, &merchant)).await
}

/// An answer with the webhook secret that is shown.
pub(super) fn webhook_secret_answer(bot: &Bot, merchant: &Merchant) -> Answer {
    let secret = bot.secret.webhook_secret(merchant.id, merchant.webhook_secret.version);
    let warning = "Keep it on your server, and verify every webhook with it. Whoever has it can \
                   make your shop believe that a payment is complete.";
    secret_answer(bot, "webhook secret", secret.reveal(), warning)
}

/// Replace the secret that signs webhooks; both sign for a day
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn rotate_webhook_secret(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, .. } = begin(context).await?;
    let bot = context.data();
    let merchant = bot.read(move |tx| account_of(tx, user)).await?;
    let before = merchant.webhook_secret.version;
    let text = format!(
        "**Before** secret {before}\n**After** secret {}\n\nWebhooks carry two signatures for 24 \
         hours, so your shop can change over in peace. Replacing it twice ends a leaked secret at \
         once.",
        before.saturating_add(1)
    );
    let page = Answer::page("Replace the webhook secret?", &text);
    let deed = Deed::RotateWebhookSecret;
    let answer = buttons::question(bot, user, &deed, page, "Replace the secret").await?;
    reply(context, answer).await
}
