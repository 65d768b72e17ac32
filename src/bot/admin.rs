//! The commands of administrators. Discord hides them from others; that is a convenience, so the
//! role is checked here again, at each use.

use poise::serenity_prelude as serenity;

use crate::acts::merchants as acts;
use crate::domain::merchant::{BusinessName, Subscription};
use crate::store::merchants as rows;

use super::{Bot, Context, Failure, account_of, actor, read, say, write};

pub(super) fn commands() -> Vec<poise::Command<Bot, Failure>> {
    vec![grant_sub(), revoke_sub(), merchants()]
}

/// Proof that the one who asks has the configured role on the configured server.
struct Admin;

impl Admin {
    async fn check(context: Context<'_>) -> Result<Admin, Failure> {
        let settings = &context.data().settings;
        let here = context.guild_id().map(serenity::GuildId::get) == Some(settings.guild_id);
        let member = context.author_member().await;
        let has_role = settings.admin_role_id.is_some_and(|role| {
            member.is_some_and(|member| member.roles.iter().any(|r| r.get() == role))
        });
        if here && has_role {
            return Ok(Admin);
        }
        let user = context.author().id.get();
        let command = context.command().name.as_ref();
        tracing::warn!(discord.user = user, command, "refused: no admin");
        Err(Failure::NotAdmin)
    }
}

/// Grant a merchant days of subscription
#[poise::command(
    slash_command,
    guild_only,
    ephemeral,
    default_member_permissions = "ADMINISTRATOR"
)]
async fn grant_sub(
    context: Context<'_>,
    #[description = "The merchant"] user: serenity::User,
    #[description = "Days to add"]
    #[min = 1]
    #[max = 3660]
    days: u32,
) -> Result<(), Failure> {
    let Admin = Admin::check(context).await?;
    let bot = context.data();
    let (rules, now, actor) = (bot.rules.clone(), bot.clock.now(), actor(context));
    let (discord_id, name) = (user.id.get(), user.name.clone());
    let subscription = write(context, move |tx| {
        // A grant opens the account, if it comes first.
        let merchant = match rows::by_discord_id(tx, discord_id)? {
            Some(merchant) => merchant,
            None => {
                let name = BusinessName::parse(&name)
                    .or_else(|_| BusinessName::parse("My shop"))
                    .map_err(crate::acts::Refusal::from)?;
                let discord_id = Some(discord_id);
                let new = acts::NewMerchant { name, discord_id, payout_address: None, days: None };
                acts::add(tx, &actor, &rules, &new, now)?
            }
        };
        Ok(acts::grant(tx, &actor, merchant.id, days, now)?)
    });
    let end = match subscription.await? {
        Subscription::Until(end) => end.seconds(),
        Subscription::None => now.seconds(),
    };
    Ok(say(context, format!("The subscription of <@{discord_id}> runs until <t:{end}:f>.")).await?)
}

/// End a merchant's subscription now; open payments go on
#[poise::command(
    slash_command,
    guild_only,
    ephemeral,
    default_member_permissions = "ADMINISTRATOR"
)]
async fn revoke_sub(
    context: Context<'_>,
    #[description = "The merchant"] user: serenity::User,
) -> Result<(), Failure> {
    let Admin = Admin::check(context).await?;
    let (now, actor) = (context.data().clock.now(), actor(context));
    let discord_id = user.id.get();
    write(context, move |tx| {
        let merchant = account_of(tx, discord_id)?;
        Ok(acts::revoke(tx, &actor, merchant.id, now)?)
    })
    .await?;
    Ok(say(context, format!("The subscription of <@{discord_id}> has ended.")).await?)
}

/// Merchants that are listed at most; Discord's messages are short.
const LISTED_MAX: usize = 20;

/// List the merchants
#[poise::command(
    slash_command,
    guild_only,
    ephemeral,
    default_member_permissions = "ADMINISTRATOR"
)]
async fn merchants(context: Context<'_>) -> Result<(), Failure> {
    let Admin = Admin::check(context).await?;
    let now = context.data().clock.now();
    let all = read(context, |tx| Ok(rows::all(tx)?)).await?;
    let lines = all.iter().rev().take(LISTED_MAX).map(|merchant| {
        let mark = if merchant.subscription.is_active(now) { "✔" } else { "✘" };
        format!("{mark} `{}` {}", merchant.id, merchant.name.as_str().replace('@', "(at)"))
    });
    let list: Vec<String> = lines.collect();
    let text = format!("{} merchants, newest first:\n{}", all.len(), list.join("\n"));
    Ok(say(context, text).await?)
}
