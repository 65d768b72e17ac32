//! The commands of merchants. Whoever sends one acts on the account of their own Discord user.

use crate::acts::merchants::{self as acts, NewMerchant};
use crate::domain::address::Address;
use crate::domain::merchant::{BusinessName, Subscription, address_in_force, address_to_come};
use crate::store::merchants as rows;

use super::{Bot, Context, Failure, account_of, actor, read, say, write};

pub(super) fn commands() -> Vec<poise::Command<Bot, Failure>> {
    vec![
        help(),
        set_address(),
        cancel_address_change(),
        view_key(),
        rotate_key(),
        view_webhook_secret(),
        set_business_name(),
        set_confirmations(),
        account(),
    ]
}

/// How to begin, step by step
#[poise::command(slash_command, guild_only, ephemeral)]
async fn help(context: Context<'_>) -> Result<(), Failure> {
    let text = "1. `/set_address` registers where your money goes.\n\
                2. An administrator grants a subscription with `/grant_sub`.\n\
                3. `/view_key` shows your API key, `/view_webhook_secret` the key that signs \
                webhooks.\n`/account` shows where you stand.";
    Ok(say(context, text).await?)
}

/// Register the Litecoin address that your money is paid out to
#[poise::command(slash_command, guild_only, ephemeral)]
async fn set_address(
    context: Context<'_>,
    #[description = "An ordinary Litecoin address of your own wallet"]
    #[max_length = 128]
    ltc_address: String,
) -> Result<(), Failure> {
    let bot = context.data();
    let (rules, now, actor) = (bot.rules.clone(), bot.clock.now(), actor(context));
    let user = context.author().id.get();
    let name = BusinessName::parse(&context.author().name)
        .or_else(|_| BusinessName::parse("My shop"))
        .map_err(crate::acts::Refusal::from)?;
    let address =
        Address::parse(ltc_address.trim(), rules.network).map_err(crate::acts::Refusal::from)?;
    let registered = write(context, move |tx| {
        // The first registration of a Discord user opens the account.
        let merchant = match rows::by_discord_id(tx, user)? {
            Some(merchant) => merchant,
            None => {
                let discord_id = Some(user);
                let new = NewMerchant { name, discord_id, payout_address: None, days: None };
                acts::add(tx, &actor, &rules, &new, now)?
            }
        };
        Ok(acts::set_address(tx, &actor, &rules, merchant.id, &address, now)?)
    });
    let registered = registered.await?;
    let when = if registered.effective_at <= now {
        "It counts from now on.".to_owned()
    } else {
        let seconds = registered.effective_at.seconds();
        format!("It takes effect <t:{seconds}:R>; `/cancel_address_change` cancels it until then.")
    };
    Ok(say(context, format!("Payouts go to `{}`. {when}", registered.address)).await?)
}

/// Cancel a change of the payout address that has not taken effect
#[poise::command(slash_command, guild_only, ephemeral)]
async fn cancel_address_change(context: Context<'_>) -> Result<(), Failure> {
    let (now, actor) = (context.data().clock.now(), actor(context));
    let user = context.author().id.get();
    write(context, move |tx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::cancel_address_change(tx, &actor, merchant.id, now)?)
    })
    .await?;
    Ok(say(context, "The change is cancelled; payouts go where they went before.").await?)
}

/// Show your API key
#[poise::command(slash_command, guild_only, ephemeral)]
async fn view_key(context: Context<'_>) -> Result<(), Failure> {
    let user = context.author().id.get();
    let merchant = read(context, move |tx| account_of(tx, user)).await?;
    show_key(context, &merchant).await
}

/// Make a new API key; the old one is dead at once
#[poise::command(slash_command, guild_only, ephemeral)]
async fn rotate_key(context: Context<'_>) -> Result<(), Failure> {
    let (now, actor) = (context.data().clock.now(), actor(context));
    let user = context.author().id.get();
    let merchant = write(context, move |tx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::rotate_key(tx, &actor, merchant.id, now)?)
    });
    show_key(context, &merchant.await?).await
}

async fn show_key(
    context: Context<'_>,
    merchant: &crate::domain::merchant::Merchant,
) -> Result<(), Failure> {
    let bot = context.data();
    let key = bot.secret.api_key(bot.rules.network, merchant.id, merchant.key_version);
    let text = format!(
        "Your API key: ||`{}`||\nKeep it on your server. Whoever has it can create payments in \
         your name.",
        key.reveal()
    );
    Ok(say(context, text).await?)
}

/// Show the secret with which webhooks to you are signed
#[poise::command(slash_command, guild_only, ephemeral)]
async fn view_webhook_secret(context: Context<'_>) -> Result<(), Failure> {
    let user = context.author().id.get();
    let merchant = read(context, move |tx| account_of(tx, user)).await?;
    let secret = context.data().secret.webhook_secret(merchant.id, merchant.webhook_secret.version);
    let text = format!(
        "Your webhook secret: ||`{}`||\nKeep it on your server, and verify every webhook with it.",
        secret.reveal()
    );
    Ok(say(context, text).await?)
}

/// Change the name that shoppers see on the checkout
#[poise::command(slash_command, guild_only, ephemeral)]
async fn set_business_name(
    context: Context<'_>,
    #[description = "1 to 64 characters"]
    #[max_length = 64]
    name: String,
) -> Result<(), Failure> {
    let (now, actor) = (context.data().clock.now(), actor(context));
    let user = context.author().id.get();
    let name = BusinessName::parse(&name).map_err(crate::acts::Refusal::from)?;
    write(context, move |tx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::set_name(tx, &actor, merchant.id, &name, now)?)
    })
    .await?;
    Ok(say(context, "Changed. The checkout shows it from now on.").await?)
}

/// Change how many confirmations your payments need
#[poise::command(slash_command, guild_only, ephemeral)]
async fn set_confirmations(
    context: Context<'_>,
    #[description = "1 to 250; new payments only"]
    #[min = 1]
    #[max = 250]
    confirmations: u32,
) -> Result<(), Failure> {
    let (now, actor) = (context.data().clock.now(), actor(context));
    let user = context.author().id.get();
    write(context, move |tx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::set_confirmations(tx, &actor, merchant.id, confirmations, now)?)
    })
    .await?;
    Ok(say(context, format!("New payments need {confirmations} confirmations.")).await?)
}

/// Show where your account stands
#[poise::command(slash_command, guild_only, ephemeral)]
async fn account(context: Context<'_>) -> Result<(), Failure> {
    let bot = context.data();
    let (network, now) = (bot.rules.network, bot.clock.now());
    let user = context.author().id.get();
    let account = read(context, move |tx| {
        let merchant = account_of(tx, user)?;
        Ok(acts::account(tx, merchant.id, network)?)
    });
    let account = account.await?;
    let address = match address_in_force(&account.addresses, now) {
        Some(registered) => format!("✔ payout address `{}`", registered.address),
        None => "✘ no payout address: `/set_address`".to_owned(),
    };
    let change = match address_to_come(&account.addresses, now) {
        Some(to_come) => {
            let seconds = to_come.effective_at.seconds();
            format!("\n⏳ changes to `{}` <t:{seconds}:R>", to_come.address)
        }
        None => String::new(),
    };
    let subscription = match account.merchant.subscription {
        Subscription::Until(end) if end > now => {
            format!("✔ subscription until <t:{}:D>", end.seconds())
        }
        Subscription::None | Subscription::Until(_) => {
            "✘ no active subscription: ask an administrator".to_owned()
        }
    };
    let name = account.merchant.name.as_str();
    let text = format!("**{}**\n{address}{change}\n{subscription}", escape(name));
    Ok(say(context, text).await?)
}

/// A name without the meaning that Discord's markup would give it.
fn escape(text: &str) -> String {
    let special =
        |c: char| matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '#' | '[' | '@' | '<');
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
