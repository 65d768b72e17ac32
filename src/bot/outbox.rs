//! The commands about webhooks: where they go, trying a receiver, sending again what was told or
//! given up.

use crate::domain::event::State;
use crate::domain::event_kind::EventKind;
use crate::operations::merchants as operations;
use crate::operations::notifications::plain;
use crate::operations::webhooks as outbox_operations;
use crate::store::events;
use crate::webhooks::trial;

use super::admin::{called, read_id};
use super::answer::{Answer, code, reply};
use super::authorization::Admin;
use super::confirm;
use super::lists::{self, List};
use super::money::own_payment;
use super::pending_action::PendingAction;
use super::{Asker, Context, Data, Failure, account_of, autocomplete, begin};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![set_webhook_url(), resend_webhook(), test_webhook(), webhooks()]
}

/// Say where webhooks go when a payment names no URL of its own
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn set_webhook_url(
    context: Context<'_>,
    #[max_length = 2048] url: Option<String>,
) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let Some(url) = url else {
        let merchant = bot.read(move |tx| account_of(tx, user)).await?;
        let text = match merchant.webhook_url {
            Some(url) => language.say("webhooks-go-to", &[("url", &code(&url))]),
            None => language.text("webhooks-go-as-said").to_owned(),
        };
        return reply(context, Answer::text(text)).await;
    };
    let url = operations::read_webhook_url(&url, &bot.egress)?;
    let text = match &url {
        Some(url) => language.say("webhooks-will-go-to", &[("url", &code(url.as_str()))]),
        None => language.text("webhooks-will-go-as-said").to_owned(),
    };
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(operations::set_webhook_url(tx, &actor, merchant.id, url.as_ref(), now)?)
    };
    bot.write(set).await?;
    reply(context, Answer::text(text)).await
}

/// Send the webhook of a payment again
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn resend_webhook(
    context: Context<'_>,
    #[autocomplete = "autocomplete::payment"]
    #[max_length = 64]
    payment: String,
) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let resent = bot
        .write(move |tx| {
            let evaluated = own_payment(tx, user, &payment)?;
            let mut count = 0u32;
            let sent = events::of_payment(tx, evaluated.payment.index)?;
            for event in sent.into_iter().filter(|event| event.state != State::Unsent) {
                let own = Some(evaluated.payment.merchant);
                outbox_operations::resend(tx, &actor, own, &event.id, now)?;
                count = count.saturating_add(1);
            }
            Ok(count)
        })
        .await?;
    if resent == 0 {
        return Err(Failure::NoWebhook);
    }
    bot.notifier.notify_webhooks();
    reply(context, Answer::text(language.text("resent"))).await
}

/// Send a signed test webhook to a URL, and see what came of it
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn test_webhook(
    context: Context<'_>,
    #[max_length = 2048] url: String,
) -> Result<(), Failure> {
    let Asker { user, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let url = url.trim();
    trial::check_url(url, &bot.egress)?;
    // What a receiver answers is shown to those alone for whom we send anything.
    let active = move |tx: &crate::store::ReadTx| {
        let merchant = account_of(tx, user)?;
        operations::require_active(tx, &merchant, now)?;
        Ok(merchant)
    };
    let merchant = bot.read(active).await?;
    let network = bot.rules.network;
    let tried =
        trial::send(&merchant, &bot.secret, network, &bot.egress, url, EventKind::Completed, now)
            .await
            .map_err(|_| Failure::NoTest)?;
    let (tried, advice) = (tried.view, tried.advice);
    let mark = if tried.delivered { "✔" } else { "✘" };
    let outcome = language.outcome(&tried.outcome);
    let mut fields = vec![
        (language.text("field-outcome"), format!("{mark} {outcome}, {} ms", tried.duration_ms)),
        (language.text("field-event"), format!("`{}`", tried.event_id)),
    ];
    if !tried.answer.is_empty() {
        fields.push((language.text("field-answer"), plain(&tried.answer)));
    }
    if let Some(advice) = advice {
        fields.push((language.text("field-advice"), language.advice(advice).to_owned()));
    }
    reply(context, Answer::table(language.text("title-test"), &fields)).await
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
    // Discord sends one of its parts; a forged request may not.
    Err(Failure::ChoosePart)
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
    let page =
        lists::page(context.data(), asker.user, asker.language, &List::FailedWebhooks, 0).await?;
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
    #[autocomplete = "autocomplete::merchant"]
    #[max_length = 64]
    merchant: String,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let id = read_id(&merchant)?;
    let merchant = bot.read(move |tx| Ok(operations::get(tx, id)?)).await?;
    let language = asker.language;
    let text = language.say("resend-all", &[("name", &called(&merchant))]);
    let page = Answer::page(language.text("title-resend-all"), &text);
    let (pending_action, yes) = (PendingAction::ResendAll(id), language.text("button-resend-all"));
    let answer = confirm::confirm(bot, asker.user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}
