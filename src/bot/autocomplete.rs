//! Autocompletion: merchants see their own payments, administrators see merchants.
//! Nothing on any error, and nothing of anybody else.

use std::time::Duration;

use poise::serenity_prelude as serenity;

use crate::domain::notification::{Audience, Kind};
use crate::operations::accounts;
use crate::store::{merchants, payments};

use super::{Bot, Context, Failure, account_of, language_of};

/// Discord takes no more.
const OFFERED_MAX: usize = 25;

/// The newest payments among which is looked.
const LOOKED_THROUGH: u32 = 500;

/// The longest wait for suggestions: with the way to Discord it stays below 300 ms.
const PATIENCE: Duration = Duration::from_millis(250);

type Choices = Vec<serenity::AutocompleteChoice>;

async fn in_time(
    found: impl Future<Output = Result<Choices, Failure>>,
) -> serenity::CreateAutocompleteResponse {
    let choices = match tokio::time::timeout(PATIENCE, found).await {
        Ok(Ok(choices)) => choices,
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    serenity::CreateAutocompleteResponse::new().set_choices(choices)
}

/// The asker's payments whose id, order or status begins with or contains what was typed.
pub(super) async fn payment(
    context: Context<'_>,
    typed: &str,
) -> serenity::CreateAutocompleteResponse {
    let (bot, user): (&Bot, u64) = (context.data(), context.author().id.get());
    let language = language_of(context);
    let typed = typed.trim().to_lowercase();
    let found = bot.read(move |tx| {
        let merchant = account_of(tx, user)?;
        let filter =
            payments::Filter { merchant: Some(merchant.id), ..payments::Filter::default() };
        let all = payments::list(tx, &filter, LOOKED_THROUGH)?;
        let choices = all.into_iter().filter_map(|evaluated| {
            let id = evaluated.payment.id.to_string();
            let reference = evaluated.payment.reference.unwrap_or_default();
            let status = language.status(evaluated.status.as_str());
            let fits = id.starts_with(&typed)
                || reference.to_lowercase().contains(&typed)
                || status.starts_with(&typed);
            fits.then(|| {
                let order: String = reference.chars().take(30).collect();
                let order = if order.is_empty() { order } else { format!(" · {order}") };
                let name = format!("{} LTC · {status}{order} · {id}", evaluated.payment.amount);
                serenity::AutocompleteChoice::new(cut(&name), id)
            })
        });
        Ok(choices.take(OFFERED_MAX).collect())
    });
    in_time(found).await
}

/// Merchants by name or id. Only administrators come here: the check stands before it.
pub(super) async fn merchant(
    context: Context<'_>,
    typed: &str,
) -> serenity::CreateAutocompleteResponse {
    let bot: &Bot = context.data();
    let typed = typed.trim().to_lowercase();
    let found = bot.read(move |tx| {
        let all = merchants::all(tx)?;
        let fitting = all.into_iter().rev().filter(|merchant| {
            merchant.name.as_str().to_lowercase().contains(&typed)
                || merchant.id.to_string().starts_with(&typed)
        });
        let choice = |merchant: crate::domain::merchant::Merchant| {
            let name = format!("{} · {}", merchant.name.as_str(), merchant.id);
            serenity::AutocompleteChoice::new(cut(&name), merchant.id.to_string())
        };
        Ok(fitting.take(OFFERED_MAX).map(choice).collect())
    });
    in_time(found).await
}

/// The months in which the asker was paid out, the newest first.
pub(super) async fn month(
    context: Context<'_>,
    typed: &str,
) -> serenity::CreateAutocompleteResponse {
    let (bot, user): (&Bot, u64) = (context.data(), context.author().id.get());
    let typed = typed.trim().to_owned();
    let found = bot.read(move |tx| {
        let merchant = account_of(tx, user)?;
        let (paid, _) = accounts::payouts(tx, merchant.id, None, LOOKED_THROUGH)?;
        let months = paid.iter().map(|paid| paid.payout.created_at.to_string());
        let mut months: Vec<String> = months.map(|at| at.chars().take(7).collect()).collect();
        months.dedup();
        months.retain(|month| month.starts_with(&typed));
        let choice = |month: String| serenity::AutocompleteChoice::new(month.clone(), month);
        Ok(months.into_iter().take(OFFERED_MAX).map(choice).collect())
    });
    in_time(found).await
}

/// Kinds of notices that merchants get.
pub(super) async fn notification_kind(
    context: Context<'_>,
    typed: &str,
) -> serenity::CreateAutocompleteResponse {
    let (language, typed) = (language_of(context), typed.trim().to_lowercase());
    let fits = |kind: &Kind| {
        kind.as_str().contains(&typed) || language.kind(*kind).to_lowercase().contains(&typed)
    };
    let fitting = Kind::ALL
        .into_iter()
        .filter(|kind| kind.audience() == Audience::Merchant && fits(kind))
        .map(|kind| serenity::AutocompleteChoice::new(cut(language.kind(kind)), kind.as_str()));
    serenity::CreateAutocompleteResponse::new().set_choices(fitting.collect())
}

/// Names of choices have at most 100 characters.
fn cut(text: &str) -> String {
    text.chars().take(100).collect()
}
