//! The commands about webhooks: where they go, trying a receiver, sending again what was told or
//! given up.

use crate::acts::merchants as acts;
use crate::acts::notices::plain;
use crate::acts::webhooks as outbox_acts;
use crate::store::events;
use crate::webhooks::trial;

use super::admin::{called, read_id};
use super::answer::{Answer, reply};
use super::buttons::{self, Deed};
use super::lists::{self, List};
use super::money::own_payment;
use super::permit::Admin;
use super::{Asker, Context, Data, Failure, account_of, begin, choices};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![set_webhook_url(), resend_webhook(), test_webhook(), webhooks()]
}

/// Say where webhooks go when a payment names no URL of its own
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn set_webhook_url(
    context: Context<'_>,
    #[description = "Such as https://shop.example/hook; none: nowhere. Left out, it shows what is set"]
    #[max_length = 2048]
    url: Option<String>,
) -> Result<(), Failure> {
    let Asker { user, actor, now, .. } = begin(context).await?;
    let bot = context.data();
    let Some(url) = url else {
        let merchant = bot.read(move |tx| account_of(tx, user)).await?;
        let text = match merchant.webhook_url {
            Some(url) => {
                format!("Webhooks go to {}, unless a payment names its own URL.", code(&url))
            }
            None => "Webhooks go where each payment says, and nowhere else.".to_owned(),
        };
        return reply(context, Answer::text(text)).await;
    };
    let url = acts::read_webhook_url(&url, bot.private_networks)?;
    let text = match &url {
        Some(url) => format!(
            "From now on webhooks go to {} for payments that name no URL of their own. \
             `/test_webhook` tries it.",
            code(url.as_str())
        ),
        None => "From now on webhooks go where each payment says, and nowhere else.".to_owned(),
    };
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::set_webhook_url(tx, &actor, merchant.id, url.as_ref(), now)?)
    };
    bot.write(set).await?;
    reply(context, Answer::text(text)).await
}

/// A URL as it is, in which nothing can be markup: one has no backticks, they are percent-encoded.
pub(super) fn code(url: &str) -> String {
    format!("`{}`", super::answer::cut(&url.replace('`', "%60"), 1_000))
}

/// Send the webhook of a payment again
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn resend_webhook(
    context: Context<'_>,
    #[description = "The payment; type its id, order or status"]
    #[autocomplete = "choices::payment"]
    #[max_length = 64]
    payment: String,
) -> Result<(), Failure> {
    let Asker { user, actor, now, .. } = begin(context).await?;
    let bot = context.data();
    let resent = bot
        .write(move |tx| {
            let judged = own_payment(tx, user, &payment)?;
            let mut count = 0u32;
            for event in events::of_payment(tx, judged.payment.index)? {
                let own = Some(judged.payment.merchant);
                outbox_acts::resend(tx, &actor, own, &event.id, now)?;
                count = count.saturating_add(1);
            }
            Ok(count)
        })
        .await?;
    if resent == 0 {
        let none = "this payment has no webhook: it is not complete, or was made without a \
                    webhookUrl";
        return Err(Failure::NotUnderstood(none.to_owned()));
    }
    bot.wake.stir_webhooks();
    reply(context, Answer::text("It is sent again now. `/payment` shows what came of it.")).await
}

/// Send a signed test webhook to a URL, and see what came of it
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn test_webhook(
    context: Context<'_>,
    #[description = "Where your shop takes webhooks, such as https://shop.example/hook"]
    #[max_length = 2048]
    url: String,
) -> Result<(), Failure> {
    let Asker { user, now, .. } = begin(context).await?;
    let bot = context.data();
    let (url, private) = (url.trim(), bot.private_networks);
    trial::check_url(url, private)?;
    let merchant = bot.read(move |tx| account_of(tx, user)).await?;
    let network = bot.rules.network;
    let tried = trial::send(&merchant, &bot.secret, network, private, url, now)
        .await
        .map_err(|_| Failure::Unavailable("the test cannot be sent from here"))?;
    let mark = if tried.delivered { "✔" } else { "✘" };
    let mut fields = vec![
        ("What came of it", format!("{mark} {}, {} ms", plain(&tried.outcome), tried.duration_ms)),
        ("Its id", format!("`{}`", tried.event_id)),
    ];
    if !tried.answer.is_empty() {
        fields.push(("What it answered", plain(&tried.answer)));
    }
    if let Some(advice) = tried.advice {
        fields.push(("Advice", advice.to_owned()));
    }
    reply(context, Answer::table("Test webhook", &fields)).await
}

/// Look after webhooks that were given up
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    subcommands("failed", "resend"),
    interaction_context = "Guild"
)]
async fn webhooks(_: Context<'_>) -> Result<(), Failure> {
    // Discord sends one of its parts; this is for whoever makes up something else.
    Err(Failure::NotUnderstood("choose `failed` or `resend`".to_owned()))
}

/// List webhooks that were given up, newest first
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn failed(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let page = lists::page(context.data(), asker.user, &List::FailedWebhooks, 0).await?;
    reply(context, page).await
}

/// Send all webhooks of a merchant again that were given up
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn resend(
    context: Context<'_>,
    #[description = "Type a name or an id"]
    #[autocomplete = "choices::merchant"]
    #[max_length = 64]
    merchant: String,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let id = read_id(&merchant)?;
    let merchant = bot.read(move |tx| Ok(acts::get(tx, id)?)).await?;
    let text = format!("All webhooks of {} that were given up are sent again.", called(&merchant));
    let page = Answer::page("Send them again?", &text);
    let deed = Deed::ResendAll(id);
    let answer = buttons::question(bot, asker.user, &deed, page, "Send again").await?;
    reply(context, answer).await
}
