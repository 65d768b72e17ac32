//! The Discord bot: merchants and admins run accounts by slash commands. Each command parses its
//! options, calls an act, and answers only to the one who asked.
//!
//! Discord being down touches nothing else: the role waits and connects again. Must not know: SQL,
//! the node, keys that sign.

mod admin;
mod merchant;

use std::time::Duration;

use poise::serenity_prelude as serenity;
use tokio_util::sync::CancellationToken;

use crate::acts::merchants::Rules;
use crate::acts::{Actor, Refusal};
use crate::clock::Clock;
use crate::domain::merchant::Merchant;
use crate::secret::{MasterSecret, Secret};
use crate::store::{ReadTx, Store, WriteTx, merchants};

/// How the bot is set up.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) token: Secret<String>,
    /// The Discord server on which the commands appear.
    pub(crate) guild_id: u64,
    /// The role whose members administrate; absent: nobody does.
    pub(crate) admin_role_id: Option<u64>,
}

/// All that the commands work with.
pub(crate) struct Bot {
    pub(crate) store: Store,
    pub(crate) secret: MasterSecret,
    pub(crate) rules: Rules,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
}

type Context<'c> = poise::Context<'c, Bot, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("you have no merchant account yet; begin with /set_address")]
    NoAccount,
    #[error("this command is for administrators")]
    NotAdmin,
    #[error(transparent)]
    Discord(Box<serenity::Error>),
}

impl From<serenity::Error> for Failure {
    fn from(error: serenity::Error) -> Failure {
        Failure::Discord(Box::new(error)) // It is large.
    }
}

impl From<crate::store::Error> for Failure {
    fn from(error: crate::store::Error) -> Failure {
        Failure::Refused(Refusal::Store(error))
    }
}

/// The longest pause before the next try to connect.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// Connects, and connects again, until told to stop.
pub(crate) async fn run(make: impl Fn() -> Bot, shutdown: CancellationToken) {
    let mut pause = Duration::from_secs(5);
    while !shutdown.is_cancelled() {
        let ended = connect(make(), &shutdown).await;
        if shutdown.is_cancelled() {
            return;
        }
        match ended {
            Ok(()) => tracing::warn!("the connection to Discord ended"),
            // serenity's errors do not hold the token.
            Err(error) => tracing::warn!(%error, "no connection to Discord"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn connect(bot: Bot, shutdown: &CancellationToken) -> Result<(), serenity::Error> {
    let token = bot.settings.token.reveal().clone();
    let guild = serenity::GuildId::new(bot.settings.guild_id);
    let framework = poise::Framework::builder()
        .options(poise::FrameworkOptions {
            commands: merchant::commands().into_iter().chain(admin::commands()).collect(),
            on_error: |error| Box::pin(answer_error(error)),
            initialize_owners: false,
            allowed_mentions: Some(serenity::CreateAllowedMentions::new()),
            ..Default::default()
        })
        .setup(move |context, _ready, framework| {
            Box::pin(async move {
                let commands = &framework.options().commands;
                poise::builtins::register_in_guild(context, commands, guild).await?;
                tracing::info!("connected to Discord");
                Ok(bot)
            })
        })
        .build();
    // Slash commands need no intents.
    let mut client = serenity::ClientBuilder::new(token, serenity::GatewayIntents::empty())
        .framework(framework)
        .await?;
    let shards = client.shard_manager.clone();
    tokio::select! {
        ended = client.start() => ended,
        () = shutdown.cancelled() => {
            shards.shutdown_all().await;
            Ok(())
        }
    }
}

/// One sentence to the one who asked, never a debug output.
async fn answer_error(error: poise::FrameworkError<'_, Bot, Failure>) {
    let context = error.ctx();
    let sentence = match &error {
        poise::FrameworkError::Command { error, .. } => match error {
            Failure::Refused(Refusal::Store(error)) => {
                tracing::error!(%error, "a command failed");
                "something went wrong on our side; try again later".to_owned()
            }
            refused => refused.to_string(),
        },
        poise::FrameworkError::ArgumentParse { error, .. } => format!("not understood: {error}"),
        _ => {
            tracing::warn!(%error, "a command failed");
            "something went wrong on our side; try again later".to_owned()
        }
    };
    if let Some(context) = context
        && let Err(error) = say(context, sentence).await
    {
        tracing::warn!(%error, "an answer did not reach Discord");
    }
}

/// Answers only to the one who asked, and mentions nobody.
async fn say(context: Context<'_>, text: impl Into<String>) -> Result<(), serenity::Error> {
    let mentions = serenity::CreateAllowedMentions::new();
    let reply =
        poise::CreateReply::default().content(text).ephemeral(true).allowed_mentions(mentions);
    context.send(reply).await.map(|_| ())
}

/// The Discord user behind a command, for the trail.
fn actor(context: Context<'_>) -> Actor {
    Actor::Discord(context.author().id.get())
}

/// Reads on behalf of a command.
async fn read<T: Send + 'static>(
    context: Context<'_>,
    job: impl FnOnce(&ReadTx) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    context.data().store.read(job).await
}

/// Writes on behalf of a command.
async fn write<T: Send + 'static>(
    context: Context<'_>,
    job: impl FnOnce(&WriteTx) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    context.data().store.write(job).await
}

/// The account of a Discord user.
fn account_of(tx: &ReadTx, user: u64) -> Result<Merchant, Failure> {
    merchants::by_discord_id(tx, user)?.ok_or(Failure::NoAccount)
}
