//! Telling Discord which commands there are, once for each change; and what an operator needs to
//! know of the application.

use std::convert::Infallible;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use poise::serenity_prelude as serenity;

use crate::store::role_status;
use crate::view::role_status::{Role, RoleReport};

use super::authorization::ADMIN;
use super::{Bot, Failure, Settings, all_commands, calls, http_of};

/// The first and the longest pause before the next try.
const PAUSE_MIN: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Registers the commands if they have changed, and tries until Discord has them. Never ends.
pub(super) async fn keep_registered(bot: &Bot, http: &serenity::Http) -> Infallible {
    let mut pause = PAUSE_MIN;
    while let Err(failure) = register(bot, http).await {
        tracing::warn!(%failure, "the commands are not registered; is the bot on the server?");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    std::future::pending().await
}

/// The commands as Discord gets them, for those who want to read them before.
///
/// # Errors
/// Only if they cannot be written as JSON.
pub(crate) fn commands_json() -> Result<serde_json::Value, serde_json::Error> {
    serde_json::to_value(definitions())
}

/// The commands as Discord gets them. Those of administrators are hidden from everybody else, until
/// the owners of the server show them to a role.
fn definitions() -> Vec<serenity::CreateCommand> {
    let all = all_commands().into_iter().filter_map(|command| {
        let created = command.create_as_slash_command()?;
        Some(match command.category.as_deref() {
            Some(ADMIN) => created.default_member_permissions(serenity::Permissions::empty()),
            _ => created,
        })
    });
    all.collect()
}

async fn register(bot: &Bot, http: &serenity::Http) -> Result<(), Failure> {
    let commands = definitions();
    // As a value its keys have an order: the languages come in none of their own.
    let json = serde_json::to_value(&commands).map_err(|_| Failure::Unreadable)?;
    let guild = bot.settings.guild_id;
    let scope = if bot.settings.global_commands { "global".to_owned() } else { guild.to_string() };
    let application = http.application_id().map(serenity::ApplicationId::get).unwrap_or_default();
    let hash = sha256::Hash::hash(format!("{application} {scope} {json}").as_bytes()).to_string();
    let known = bot.read(|tx| Ok(role_status::of_role(tx, Role::Commands)?)).await?;
    let report = RoleReport::Registered { hash };
    if known.and_then(|known| known.report).as_ref() == Some(&report) {
        return Ok(());
    }
    if bot.settings.global_commands {
        calls::in_time(http.create_global_commands(&commands)).await?;
    } else {
        let guild = serenity::GuildId::new(guild);
        calls::in_time(http.create_guild_commands(guild, &commands)).await?;
    }
    tracing::info!(count = commands.len(), scope, "commands registered");
    let now = bot.clock.now();
    bot.write(move |tx| Ok(role_status::record(tx, Role::Commands, now, &report)?)).await
}

/// What the bot has to be allowed on its server: to see and write in channels (for notices), with
/// embeds. Answers to commands need no permission at all.
pub(super) const PERMISSIONS: serenity::Permissions = serenity::Permissions::VIEW_CHANNEL
    .union(serenity::Permissions::SEND_MESSAGES)
    .union(serenity::Permissions::EMBED_LINKS);

/// Who the bot is at Discord.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) name: String,
    /// The link by which an owner of the server lets the bot in.
    pub(crate) invite_url: String,
    /// The name of the configured server, if the bot is on it.
    pub(crate) guild: Option<String>,
    /// Whether the configured role exists there.
    pub(crate) has_admin_role: bool,
}

/// Asks Discord whom the token belongs to, and looks at the configured server.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn check_token(settings: &Settings) -> Result<Identity, String> {
    let http = http_of(settings);
    let application = match http.get_current_application_info().await {
        Ok(application) => application,
        Err(error) if calls::is_unauthorized(&error) => {
            return Err("Discord refuses the token: make a new one in the developer portal and \
                        write it into discord.token_file"
                .to_owned());
        }
        Err(error) => return Err(format!("Discord: {}", calls::in_words(&error))),
    };
    let guild = http.get_guild(serenity::GuildId::new(settings.guild_id)).await.ok();
    let role = settings.admin_role_id.map(serenity::RoleId::new);
    let has_role =
        |guild: &serenity::PartialGuild| role.is_some_and(|role| guild.roles.contains_key(&role));
    Ok(Identity {
        invite_url: format!(
            "https://discord.com/oauth2/authorize?client_id={}&scope=bot+applications.commands\
             &permissions={}&guild_id={}&disable_guild_select=true",
            application.id,
            PERMISSIONS.bits(),
            settings.guild_id
        ),
        name: application.name,
        has_admin_role: guild.as_ref().is_some_and(has_role),
        guild: guild.map(|guild| guild.name),
    })
}
