//! The Discord bot: merchants and admins run accounts by slash commands and buttons, and are told
//! what they did not ask for. Each command parses its options, calls an act, and answers only to
//! the one who asked.
//!
//! Discord being down, slow or of another opinion touches nothing else: the role waits and connects
//! again, and even a panic in here ends in a new try. Must not know: SQL, keys that sign.
//!
//! Invariants: every command and every button is judged where it arrives (server, role, user);
//! nothing secret leaves in anything but an ephemeral answer; no answer mentions anybody.

mod admin;
mod answer;
mod audit_log_channel;
mod authorization;
mod autocomplete;
mod buttons;
mod calls;
mod confirm;
mod error;
mod language;
mod lists;
mod merchant;
mod money;
mod notifications;
mod operator;
mod outbox;
mod pending_action;
mod press;
mod register;
mod second_factor;
mod secrets;
mod setup;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use poise::serenity_prelude as serenity;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::egress::Egress;
use crate::domain::merchant::{BadMerchantId, Merchant};
use crate::domain::notification;
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::node::nodes::Nodes;
use crate::node::rpc::Node;
use crate::notifier::Notifier;
use crate::operations::addresses::Addresses;
use crate::operations::merchants::Rules;
use crate::operations::own_addresses::{ForeignAddress, OwnAddresses};
use crate::operations::{self, Actor, Refusal, confirmations, create_payment};
use crate::secret::{Secret, Secrets};
use crate::store::{ReadTx, Store, WriteTx, locales, merchants};
use crate::view::Site;

use language::Language;

pub(crate) use operator::announce_from_shell;
pub(crate) use register::{check_token, commands_json};

/// How the bot is set up.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) token: Secret<String>,
    /// The Discord server on which the commands appear.
    pub(crate) guild_id: u64,
    /// The role whose members administrate; absent: nobody does.
    pub(crate) admin_role_id: Option<u64>,
    /// Whether commands are registered for every place; those of merchants then work in direct
    /// messages too.
    pub(crate) global_commands: bool,
    /// Where merchants who take no direct messages are told that a notice waits.
    pub(crate) notifications_channel_id: Option<u64>,
    /// Where administrators' notices go when no direct message reaches one of them.
    pub(crate) admin_channel_id: Option<u64>,
    /// Where each act of the audit log is written, too.
    pub(crate) audit_log_channel_id: Option<u64>,
    /// Kinds of notices that nobody gets.
    pub(crate) notifications_off: Vec<notification::Kind>,
    /// Below so much room on the disk administrators are told.
    pub(crate) low_disk_bytes: u64,
    /// Commands a minute for each user; 0: no limit.
    pub(crate) rate_per_user: u32,
    /// How long a secret stays on the screen.
    pub(crate) secret_display_ttl: Duration,
    /// The HTTP API to use instead of Discord's own.
    pub(crate) api_url: Option<String>,
}

/// All that the commands work with.
pub(crate) struct Bot {
    pub(crate) store: Store,
    pub(crate) secret: Secrets,
    pub(crate) rules: Rules,
    pub(crate) payment_rules: create_payment::Rules,
    /// The pause between two sweeps, and the sum from which on a merchant is paid out.
    pub(crate) sweep_interval: Duration,
    pub(crate) min_payout: Amount,
    /// How much may wait for payout under a signing key on this machine.
    pub(crate) hot_limit: Option<Amount>,
    pub(crate) own: Arc<OwnAddresses>,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) site: Site,
    pub(crate) nodes: Nodes,
    /// Where webhooks may go.
    pub(crate) egress: Egress,
    pub(crate) database: std::path::PathBuf,
    pub(crate) settings: Settings,
    pub(crate) notifier: Notifier,
    pub(crate) clock: Clock,
    pub(crate) limit: authorization::Limit,
    pub(crate) shutdown: CancellationToken,
}

pub(crate) use authorization::Limit;

type Data = Arc<Bot>;
type Context<'c> = poise::Context<'c, Data, Failure>;

/// Why a command did not do what it was asked, in English: for the log, and for those who read it.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Void(#[from] confirmations::Void),
    #[error("you have no merchant account yet; begin with /set_address")]
    NoAccount,
    #[error("this user has no merchant account; /grant_sub opens one")]
    NoAccountOf,
    #[error("this command is for administrators")]
    NotAdmin,
    #[error("this command works on the gateway's own server; use it there")]
    OtherPlace,
    #[error("too many commands; try again in {0} seconds")]
    TooFast(u64),
    #[error("secrets are shown five times an hour at most; try again later")]
    ShownTooOften,
    #[error("choose one of the kinds offered")]
    UnknownKind,
    #[error("give both, kind and how")]
    KindAndHow,
    #[error("this payment has no webhook: it is not complete, or was made without a webhookUrl")]
    NoWebhook,
    #[error("choose `failed` or `resend`")]
    ChoosePart,
    #[error("a bot is no merchant")]
    BotIsNoMerchant,
    #[error("merchant {0}")]
    BadMerchantId(BadMerchantId),
    #[error("the node did not answer within {0} seconds; `litegate doctor` says why")]
    NodeSilent(u64),
    #[error("no channel is available: notifications_channel_id is not configured")]
    NoNotificationsChannel,
    #[error("the test cannot be sent from here")]
    NoTest,
    #[error("set discord.notifications_channel_id first")]
    SetChannelFirst,
    #[error("the commands cannot be written as JSON")]
    Unreadable,
    #[error("a panic; this is a mistake of the program")]
    Panicked,
    #[error("Discord: {0}")]
    Discord(String),
}

impl From<serenity::Error> for Failure {
    fn from(error: serenity::Error) -> Failure {
        Failure::Discord(calls::in_words(&error))
    }
}

impl From<crate::store::Error> for Failure {
    fn from(error: crate::store::Error) -> Failure {
        Failure::Refused(Refusal::Store(error))
    }
}

/// The first and the longest pause before the next try to connect. An invalid token is tried
/// rarely: Discord bars addresses that try too often.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// A connection that lasted so long was a good one: the pauses begin anew.
const GOOD_CONNECTION: Duration = Duration::from_secs(60);

/// Connects, and connects again, and tells what there is to tell, until told to stop.
pub(crate) async fn run(bot: Bot) {
    let bot = Arc::new(bot);
    let work = async {
        tokio::join!(stay_connected(&bot), notifications::run(&bot), audit_log_channel::run(&bot));
    };
    tokio::select! {
        () = work => {}
        // The shards have had their time to say good-bye.
        () = async {
            bot.shutdown.cancelled().await;
            tokio::time::sleep(FAREWELL).await;
        } => {}
    }
}

/// How long the connection may take to end.
const FAREWELL: Duration = Duration::from_secs(3);

async fn stay_connected(bot: &Arc<Bot>) {
    let mut pause = PAUSE_MIN;
    let mut said = String::new();
    while !bot.shutdown.is_cancelled() {
        let begun = tokio::time::Instant::now();
        let ended = AssertUnwindSafe(connect(bot)).catch_unwind().await;
        if bot.shutdown.is_cancelled() {
            return;
        }
        let why = match ended {
            Ok(Ok(())) => "the connection ended".to_owned(),
            Ok(Err(Lost::Token)) => {
                pause = PAUSE_MAX;
                "Discord refuses the token: check discord.token_file".to_owned()
            }
            Ok(Err(Lost::Other(why))) => why,
            Err(_) => "a panic; this is a mistake of the program".to_owned(),
        };
        // Said once, not at each try.
        if why != said {
            tracing::warn!(why, "no connection to Discord; payments go on without it");
            said = why;
        }
        if begun.elapsed() > GOOD_CONNECTION {
            pause = PAUSE_MIN;
        }
        tokio::select! {
            () = bot.shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Why there is no connection.
enum Lost {
    /// The token is not taken.
    Token,
    Other(String),
}

impl From<serenity::Error> for Lost {
    fn from(error: serenity::Error) -> Lost {
        if calls::is_unauthorized(&error) {
            Lost::Token
        } else {
            Lost::Other(calls::in_words(&error))
        }
    }
}

/// The HTTP side of Discord. With another API the limits are that one's affair.
fn http_of(settings: &Settings) -> serenity::Http {
    let builder = serenity::HttpBuilder::new(settings.token.reveal());
    match &settings.api_url {
        Some(url) => builder.proxy(url).ratelimiter_disabled(true).build(),
        None => builder.build(),
    }
}

fn all_commands() -> Vec<poise::Command<Data, Failure>> {
    let all = [
        merchant::commands(),
        secrets::commands(),
        second_factor::commands(),
        money::commands(),
        outbox::commands(),
        admin::commands(),
        operator::commands(),
        setup::commands(),
    ];
    let mut all: Vec<_> = all.into_iter().flatten().collect();
    language::translate(&mut all);
    all
}

async fn connect(bot: &Arc<Bot>) -> Result<(), Lost> {
    let http = http_of(&bot.settings);
    // serenity would go to Discord's own gateway if it were not told another one here.
    calls::in_time(http.get_bot_gateway()).await?;
    let application = calls::in_time(http.get_current_application_info()).await?.id;
    http.set_application_id(application);
    let data = Arc::clone(bot);
    let framework = poise::Framework::builder()
        .options(poise::FrameworkOptions {
            commands: all_commands(),
            on_error: |error| Box::pin(error::error(error)),
            event_handler: |context, event| Box::pin(buttons::event(context, event)),
            command_check: Some(|context| Box::pin(authorization::check(context))),
            initialize_owners: false,
            allowed_mentions: Some(serenity::CreateAllowedMentions::new()),
            ..Default::default()
        })
        .setup(move |_, _, _| {
            Box::pin(async move {
                tracing::info!("connected to Discord");
                Ok(data)
            })
        })
        .build();
    // Slash commands need no intents.
    let mut client =
        serenity::ClientBuilder::new_with_http(http, serenity::GatewayIntents::empty())
            .framework(framework)
            .await?;
    let (shards, http) = (client.shard_manager.clone(), client.http.clone());
    let ended = tokio::select! {
        ended = client.start() => ended,
        never = register::keep_registered(bot, &http) => match never {},
        never = keep_measured(&shards) => match never {},
        () = bot.shutdown.cancelled() => {
            shards.shutdown_all().await;
            Ok(())
        }
    };
    metrics::discord_is_connected(false);
    Ok(ended?)
}

/// How often is looked whether we are connected, for the metrics.
const MEASURE: Duration = Duration::from_secs(2);

/// Measures whether Discord tells us of commands. Never ends.
async fn keep_measured(shards: &serenity::ShardManager) -> Infallible {
    loop {
        let connected = {
            let runners = shards.runners.lock().await;
            runners.values().any(|runner| runner.stage == serenity::ConnectionStage::Connected)
        };
        metrics::discord_is_connected(connected);
        tokio::time::sleep(MEASURE).await;
    }
}

/// Who sent a command, once it was acknowledged.
struct Asker {
    user: u64,
    name: String,
    actor: Actor,
    now: Timestamp,
    /// What they are answered in.
    language: Language,
}

/// Tells Discord within its three seconds that an answer comes, visible to the asker alone.
async fn begin(context: Context<'_>) -> Result<Asker, Failure> {
    let begun = tokio::time::Instant::now();
    context.defer_ephemeral().await?;
    metrics::acknowledged(begun.elapsed());
    crate::crash::panic_at("command");
    let (author, locale) = (context.author(), context.locale().unwrap_or_default());
    context.data().remember_locale(author.id.get(), locale).await;
    Ok(Asker {
        user: author.id.get(),
        name: author.name.clone(),
        actor: Actor::Discord {
            user: author.id.get(),
            guild: context.guild_id().map(serenity::GuildId::get),
        },
        now: context.data().clock.now(),
        language: Language::of_locale(locale),
    })
}

/// The language of the user who sent a command.
fn language_of(context: Context<'_>) -> Language {
    Language::of_locale(context.locale().unwrap_or_default())
}

/// The longest name of a locale that is remembered, in bytes.
const LOCALE_BYTES_MAX: usize = 16;

impl Bot {
    /// Reads on behalf of a command.
    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&ReadTx) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.store.read(job).await
    }

    /// Reads a payout address, which must not be one of the account's own.
    async fn payout_address(&self, text: &str) -> Result<ForeignAddress, Failure> {
        let address = Address::parse(text.trim(), self.rules.network).map_err(Refusal::from)?;
        let own = Arc::clone(&self.own);
        self.read(move |tx| Ok(own.vet(tx, address)?)).await
    }

    /// Writes on behalf of a command.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&WriteTx) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.store.write(job).await
    }

    /// Remembers the language of a user, for direct messages. A failure is in the log: nobody waits
    /// for it, and the next command remembers it again.
    async fn remember_locale(&self, user: u64, locale: &str) {
        if locale.is_empty() || locale.len() > LOCALE_BYTES_MAX {
            return;
        }
        let (locale, now) = (locale.to_owned(), self.clock.now());
        let job = async {
            let known = self.read(move |tx| Ok(locales::of(tx, user)?)).await?;
            if known.as_ref() != Some(&locale) {
                self.write(move |tx| Ok(locales::remember(tx, user, &locale, now)?)).await?;
            }
            Ok::<_, Failure>(())
        };
        if let Err(failure) = job.await {
            tracing::warn!(%failure, discord.user = user, "a language is not remembered");
        }
    }

    /// Asks the node, which may be slow: after ten seconds the asker is told so.
    async fn ask_node<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (store, nodes) = (self.store.clone(), self.nodes.clone());
        let asked = tokio::task::spawn_blocking(move || {
            let followed = operations::nodes::in_use(&store, &nodes);
            job(&followed.unwrap_or(&nodes.all()[0]).node)
        });
        match tokio::time::timeout(NODE_PATIENCE, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(Failure::NodeSilent(NODE_PATIENCE.as_secs())),
        }
    }
}

/// How long a person waits for the node.
const NODE_PATIENCE: Duration = Duration::from_secs(10);

/// The account of a Discord user.
fn account_of(tx: &ReadTx, user: u64) -> Result<Merchant, Failure> {
    merchants::by_discord_id(tx, user)?.ok_or(Failure::NoAccount)
}
