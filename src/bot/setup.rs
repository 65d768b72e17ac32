//! The commands that look at the bot's own surroundings: server, role, channels and the permissions
//! in them, and the values in effect.

use poise::serenity_prelude as serenity;

use crate::acts::notices::plain;
use crate::domain::merchant::GRANT_DAYS_MAX;
use crate::domain::time::Timestamp;

use super::answer::{Answer, in_time, in_words, reply};
use super::permit::Admin;
use super::register::PERMISSIONS;
use super::{Context, Data, Failure, Settings, begin, http_of};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![setup(), config()]
}

/// Check the server, the role, the channels and the bot's permissions in them
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn setup(context: Context<'_>) -> Result<(), Failure> {
    begin(context).await?;
    Admin::of(context).await?;
    let settings = &context.data().settings;
    let http = http_of(settings);
    let mut lines = Vec::new();
    let guild = match in_time(http.get_guild(serenity::GuildId::new(settings.guild_id))).await {
        Ok(found) => {
            lines.push(format!("✔ server: {}", plain(&found.name)));
            Some(found)
        }
        Err(error) => {
            lines.push(format!("✘ server: {}", in_words(&error)));
            None
        }
    };
    lines.push(role_line(settings, guild.as_ref()));
    let own = match &guild {
        Some(guild) => own_member(&http, guild).await.ok(),
        None => None,
    };
    let place = guild.as_ref().zip(own.as_ref());
    for (name, channel) in [
        ("discord.notices_channel_id", settings.notices_channel_id),
        ("discord.admin_channel_id", settings.admin_channel_id),
        ("discord.audit_channel_id", settings.audit_channel_id),
    ] {
        lines.push(channel_line(&http, name, channel, place).await);
    }
    let scope = if settings.global_commands { "everywhere" } else { "on this server" };
    lines.push(format!("✔ commands are registered {scope}"));
    reply(context, Answer::page("The bot's own setup", &lines.join("\n"))).await
}

fn role_line(settings: &Settings, guild: Option<&serenity::PartialGuild>) -> String {
    let Some(role) = settings.admin_role_id else {
        return "✘ discord.admin_role_id is not set: nobody administrates".to_owned();
    };
    let exists =
        |guild: &serenity::PartialGuild| guild.roles.contains_key(&serenity::RoleId::new(role));
    match guild.is_none_or(exists) {
        true => format!("✔ administrators have the role <@&{role}>"),
        false => format!("✘ discord.admin_role_id: the server has no role {role}"),
    }
}

/// The bot as a member of the server.
async fn own_member(
    http: &serenity::Http,
    guild: &serenity::PartialGuild,
) -> Result<serenity::Member, serenity::Error> {
    let user = in_time(http.get_current_user()).await?.id;
    in_time(http.get_member(guild.id, user)).await
}

/// Whether the bot can write into a channel.
async fn channel_line(
    http: &serenity::Http,
    name: &str,
    channel: Option<u64>,
    place: Option<(&serenity::PartialGuild, &serenity::Member)>,
) -> String {
    let Some(id) = channel else { return format!("– {name} is not set") };
    let found = match in_time(http.get_channel(serenity::ChannelId::new(id))).await {
        Ok(found) => found.guild(),
        Err(error) => return format!("✘ {name}: {}", in_words(&error)),
    };
    let Some(((guild, own), channel)) = place.zip(found) else {
        return format!("✘ {name}: <#{id}> can be seen, but it is no channel of this server");
    };
    let missing = PERMISSIONS.difference(guild.user_permissions_in(&channel, own));
    match missing.is_empty() {
        true => format!("✔ {name}: <#{id}> can be seen and written to"),
        false => format!(
            "✘ {name}: in <#{id}> the bot lacks {}. Give it in the settings of the channel",
            missing.get_permission_names().join(", ")
        ),
    }
}

/// Show the values in effect; they are changed in the configuration file
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn config(context: Context<'_>) -> Result<(), Failure> {
    begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let payments = &bot.payment_rules;
    let span = |ms: i64| {
        let end = Timestamp::from_ms(0).plus_ms(ms);
        format!("{} min", end.seconds() / 60)
    };
    let lines = [
        format!("network = {}", bot.site.network),
        format!("public_url = {}", bot.site.public_url),
        format!("payments.confirmations = {}", payments.confirmations),
        format!("payments.large_amount = {}", payments.large_amount),
        format!("payments.confirmations_large = {}", payments.confirmations_large),
        format!("payments.confirmations_pegout = {}", payments.confirmations_pegout),
        format!("payments.expiry = {}", span(payments.expiry_ms)),
        format!("payments.late_grace = {}", span(payments.late_grace_ms)),
        format!("payments.min_amount = {}", payments.min_amount),
        format!("sweeper.payout_address_delay = {}", span(bot.rules.payout_address_delay_ms)),
        format!("sweeper.interval = {} min", bot.sweep_interval.as_secs() / 60),
        format!("sweeper.min_payout = {}", bot.min_payout),
        format!("discord.global_commands = {}", bot.settings.global_commands),
        format!("discord.rate_per_user = {}", bot.settings.rate_per_user),
        format!("discord.secrets_shown = {} s", bot.settings.secrets_shown.as_secs()),
        format!(
            "discord.notices_off = {:?}",
            bot.settings.notices_off.iter().map(|k| k.as_str()).collect::<Vec<_>>()
        ),
        format!("longest grant = {GRANT_DAYS_MAX} days"),
    ];
    let text = format!("```\n{}\n```", lines.join("\n"));
    reply(context, Answer::page("Values in effect", &text)).await
}
