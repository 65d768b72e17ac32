//! The commands that look at the bot's own surroundings: server, role, channels and the permissions
//! in them, and the values in effect.

use poise::serenity_prelude as serenity;

use crate::domain::merchant::GRANT_DAYS_MAX;
use crate::domain::time::Timestamp;
use crate::operations::notifications::plain;

use super::answer::{Answer, logged, reply};
use super::authorization::Admin;
use super::calls::{in_time, in_words};
use super::error::permissions;
use super::language::{Language, Value};
use super::register::PERMISSIONS;
use super::{Asker, Context, Data, Failure, Settings, begin, http_of};

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
    let Asker { language, .. } = begin(context).await?;
    Admin::of(context).await?;
    let settings = &context.data().settings;
    let http = http_of(settings);
    let mut lines = Vec::new();
    let guild = match in_time(http.get_guild(serenity::GuildId::new(settings.guild_id))).await {
        Ok(found) => {
            let name = plain(&found.name);
            lines.push(format!("✔ {}", language.say("setup-server", &[("name", &name)])));
            Some(found)
        }
        Err(error) => {
            let error = logged(&in_words(&error));
            lines.push(format!("✘ {}", language.say("setup-server", &[("name", &error)])));
            None
        }
    };
    lines.push(role_line(language, settings, guild.as_ref()));
    let own = match &guild {
        Some(guild) => own_member(&http, guild).await.ok(),
        None => None,
    };
    let place = guild.as_ref().zip(own.as_ref());
    for (name, channel) in [
        ("discord.notifications_channel_id", settings.notifications_channel_id),
        ("discord.admin_channel_id", settings.admin_channel_id),
        ("discord.audit_log_channel_id", settings.audit_log_channel_id),
    ] {
        lines.push(channel_line(&http, language, name, channel, place).await);
    }
    let scope = match settings.global_commands {
        true => language.text("setup-everywhere"),
        false => language.text("setup-here"),
    };
    lines.push(format!("✔ {scope}"));
    reply(context, Answer::page(language.text("title-setup"), &lines.join("\n"))).await
}

fn role_line(
    language: Language,
    settings: &Settings,
    guild: Option<&serenity::PartialGuild>,
) -> String {
    let Some(role) = settings.admin_role_id else {
        return format!("✘ {}", language.text("setup-role-unset"));
    };
    let exists =
        |guild: &serenity::PartialGuild| guild.roles.contains_key(&serenity::RoleId::new(role));
    match guild.is_none_or(exists) {
        true => {
            let role = format!("<@&{role}>");
            format!("✔ {}", language.say("setup-role", &[("role", &role)]))
        }
        false => format!("✘ {}", language.say("setup-role-unknown", &[("role", &role)])),
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
    language: Language,
    name: &str,
    channel: Option<u64>,
    place: Option<(&serenity::PartialGuild, &serenity::Member)>,
) -> String {
    let Some(id) = channel else {
        return format!("– {}", language.say("channel-unset", &[("key", &name)]));
    };
    let found = match in_time(http.get_channel(serenity::ChannelId::new(id))).await {
        Ok(found) => found.guild(),
        Err(error) => return format!("✘ {name}: {}", logged(&in_words(&error))),
    };
    let channel_name = format!("<#{id}>");
    let here: [(&str, &Value); 2] = [("key", &name), ("channel", &channel_name)];
    let Some(((guild, own), channel)) = place.zip(found) else {
        return format!("✘ {}", language.say("channel-elsewhere", &here));
    };
    let missing = PERMISSIONS.difference(guild.user_permissions_in(&channel, own));
    if missing.is_empty() {
        return format!("✔ {}", language.say("channel-fine", &here));
    }
    let missing = permissions(language, missing);
    let lacks: [(&str, &Value); 3] =
        [("key", &name), ("channel", &channel_name), ("permissions", &missing)];
    format!("✘ {}", language.say("channel-lacks", &lacks))
}

/// Show the values in effect; they are changed in the configuration file
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn config(context: Context<'_>) -> Result<(), Failure> {
    let Asker { language, .. } = begin(context).await?;
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
        format!("discord.secret_display_ttl = {} s", bot.settings.secret_display_ttl.as_secs()),
        format!(
            "discord.notifications_off = {:?}",
            bot.settings.notifications_off.iter().map(|k| k.as_str()).collect::<Vec<_>>()
        ),
        language.say("config-grant", &[("n", &GRANT_DAYS_MAX)]),
    ];
    let text = format!("```\n{}\n```", lines.join("\n"));
    reply(context, Answer::page(language.text("title-config"), &text)).await
}
