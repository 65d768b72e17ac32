//! Who may do what, where, and how often. Asked anew at every command and every button: that
//! Discord hides a command is a convenience, and server owners can override it.

use poise::serenity_prelude as serenity;

use crate::rate_limit::RateLimit;
use crate::store::notifications;

use super::{Bot, Context, Failure, Settings};

/// The category of commands that only administrators may use.
pub(super) const ADMIN: &str = "Administrators";

/// Proof that the one who asks has the configured role on the configured server.
pub(super) struct Admin {
    _proven: (),
}

/// Who asks, and from where, as Discord says with each interaction.
pub(super) struct Origin<'o> {
    pub(super) user: u64,
    pub(super) guild: Option<u64>,
    pub(super) roles: &'o [serenity::RoleId],
    /// What they want, for the log.
    pub(super) wants: &'o str,
}

impl Admin {
    /// # Errors
    /// To everybody else; their try is logged.
    pub(super) async fn check(bot: &Bot, origin: &Origin<'_>) -> Result<Admin, Failure> {
        let admin = Admin::evaluate(&bot.settings, origin)?;
        let user = origin.user;
        if !bot.read(move |tx| Ok(notifications::admins(tx)?.contains(&user))).await? {
            let now = bot.clock.now();
            bot.write(move |tx| Ok(notifications::remember_admin(tx, user, now)?)).await?;
        }
        Ok(admin)
    }

    /// The same without a look into the database, which may be busy: Discord waits.
    fn evaluate(settings: &Settings, origin: &Origin<'_>) -> Result<Admin, Failure> {
        let here = origin.guild == Some(settings.guild_id);
        let has_role = settings
            .admin_role_id
            .is_some_and(|role| origin.roles.iter().any(|held| held.get() == role));
        if !(here && has_role) {
            let (user, guild, wants) = (origin.user, origin.guild, origin.wants);
            tracing::warn!(discord.user = user, discord.guild = guild, wants, "refused: no admin");
            return Err(Failure::NotAdmin);
        }
        Ok(Admin { _proven: () })
    }

    /// The proof for the one behind a command, once it was acknowledged.
    pub(super) async fn of(context: Context<'_>) -> Result<Admin, Failure> {
        let member = context.author_member().await;
        let roles = member.as_ref().map(|member| member.roles.as_slice()).unwrap_or_default();
        Admin::check(context.data(), &origin_of(context, roles)).await
    }
}

fn origin_of<'o>(context: Context<'o>, roles: &'o [serenity::RoleId]) -> Origin<'o> {
    Origin {
        user: context.author().id.get(),
        guild: context.guild_id().map(serenity::GuildId::get),
        roles,
        wants: &context.command().qualified_name,
    }
}

/// What every command and autocompletion passes before anything else is looked at.
pub(super) async fn check(context: Context<'_>) -> Result<bool, Failure> {
    let bot = context.data();
    let guild = context.guild_id().map(serenity::GuildId::get);
    if context.command().category.as_deref() == Some(ADMIN) {
        let member = context.author_member().await;
        let roles = member.as_ref().map(|member| member.roles.as_slice()).unwrap_or_default();
        Admin::evaluate(&bot.settings, &origin_of(context, roles))?;
    } else {
        check_place(bot, guild)?;
    }
    let poise::Context::Application(application) = context else {
        return Err(Failure::OtherPlace); // There are no commands by text.
    };
    if application.interaction_type == poise::CommandInteractionType::Command {
        bot.limit.count(context.author().id.get())?;
    }
    Ok(true)
}

/// Merchants act on the configured server, and by direct message where commands are global.
pub(super) fn check_place(bot: &Bot, guild: Option<u64>) -> Result<(), Failure> {
    let allowed = match guild {
        Some(guild) => guild == bot.settings.guild_id,
        None => bot.settings.global_commands,
    };
    if allowed { Ok(()) } else { Err(Failure::OtherPlace) }
}

/// How many commands each user may send.
pub(crate) struct Limit(RateLimit<u64>);

impl Limit {
    /// So many commands a minute, half of them at once; 0: no limit.
    pub(crate) fn per_minute(commands: u32) -> Limit {
        Limit(RateLimit::per_minute(commands, commands / 2))
    }

    /// Counts one command of a user.
    pub(super) fn count(&self, user: u64) -> Result<(), Failure> {
        match self.0.count(&user) {
            Ok(_) => Ok(()),
            Err(refused) => Err(Failure::TooFast(refused.retry_after_seconds)),
        }
    }
}
