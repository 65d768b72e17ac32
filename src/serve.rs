//! Starting and stopping the roles. The only place that starts tasks.
//!
//! Roles know each other by the database alone, so any of them may run in a process of its own.
//! A role that ends or panics ends the process: the service manager starts it again, and starting
//! is recovering.

pub(crate) mod database;
pub(crate) mod first_start;
mod retention;
pub(crate) mod rights;
mod rotation;
mod schema_watch;
mod systemd;

use std::collections::BTreeSet;
use std::fs::File;
use std::str::FromStr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bitcoin::Script;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::domain::time::Timestamp;
use crate::http::qr::Codes;
use crate::http::status_cache::StatusCache;
use crate::http::{self, Api, Limits, ops};
use crate::node::nodes::{Candidate, Nodes};
use crate::node::rpc::Node;
use crate::node::transport::Cancelled;
use crate::node::zmq;
use crate::notifier::Notifier;
use crate::operations::own_addresses::OwnAddresses;
use crate::store::{self, Store, blocks, indexes, node_in_use};
use crate::sweeper::Sweeper;
use crate::sweeper::operator_notifier::OperatorNotifier;
use crate::sweeper::seals::{Access, Seals};
use crate::sweeper::signing_key::SigningKey;
use crate::watcher::Watcher;
use crate::webhooks::Webhooks;
use crate::{bot, clock, operations};

use database::{lock, open_store_with, prepare_to_issue};
use first_start::{Account, Unexamined};
use retention::Retention;
use rights::{Work, give_up_root};
use rotation::{FollowedKeys, Part, Rotation};

/// A part of the gateway that can run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Api,
    Watcher,
    Webhooks,
    Sweeper,
    Bot,
}

impl Role {
    pub(crate) const ALL: [Role; 5] =
        [Role::Api, Role::Watcher, Role::Webhooks, Role::Sweeper, Role::Bot];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Role::Api => "api",
            Role::Watcher => "watcher",
            Role::Webhooks => "webhooks",
            Role::Sweeper => "sweeper",
            Role::Bot => "bot",
        }
    }
}

/// Whether these arguments leave the sweeper's role alone, whatever is configured.
pub(crate) fn is_sweeper_alone(only: &[Role], without: &[Role]) -> bool {
    let chosen = |role: &Role| only.is_empty() || only.contains(role);
    let mut left = Role::ALL.into_iter().filter(|role| chosen(role) && !without.contains(role));
    left.next() == Some(Role::Sweeper) && left.next().is_none()
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| "must be api, watcher, webhooks, sweeper or bot".to_owned())
    }
}

/// Why the gateway refuses to start, by what it protects.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "the database belongs to another {what}: it says {stored}, the configuration {configured}"
    )]
    OtherIdentity { what: &'static str, stored: String, configured: String },
    #[error("another process runs the role {0} on this database")]
    AlreadyRunning(&'static str),
    #[error(transparent)]
    Damaged(store::Error),
    #[error(
        "the database is empty, but {next} addresses were given out by the one that was there: restore a backup, or remove the file that ends in .high-water to begin anew"
    )]
    Emptied { next: u32 },
    #[error(transparent)]
    HighWater(store::Error),
    #[error("{0}")]
    Rights(String),
    #[error("wallet.signing_key_file: {0}")]
    SigningKey(String),
    #[error("sweeper.seal_key_file: {0}")]
    Seals(String),
    #[error(
        "the node is {0}, older than 0.21.5.4, and may follow an invalid chain; update it, or set node.allow_old_node"
    )]
    OldNode(String),
    #[error(
        "this is the first start on main: run litegate doctor first, it must find no FAILURE ({0}); --force starts all the same"
    )]
    Unexamined(String),
}

/// How long a start waits for the nodes' versions, all asked at once. The watcher asks again.
const VERSIONS_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a first start waits for the watcher's first look at the node before it says `status_cache`.
/// The API answers meanwhile (503 `starting`); later starts do not wait for the node.
const FIRST_LOOK: Duration = Duration::from_secs(4);

/// How long the operator's interface may take to end.
const METRICS_GRACE: Duration = Duration::from_secs(2);

/// The node that a command asks.
pub(crate) fn node_of(config: &Config, store: &Store) -> Result<Node, store::Error> {
    operations::nodes::for_command(store, &Nodes::new(&config.nodes), config.network)
}

/// Leaves nodes that are too old out: where there are others, one of those is in use. A node that
/// does not answer within [`VERSIONS_TIMEOUT`] is asked again by the watcher.
///
/// # Errors
/// [`Refused::OldNode`] if there is no other.
fn leave_out_old_nodes(nodes: &Nodes, store: &Store, now: Timestamp) -> anyhow::Result<()> {
    let deadline = Instant::now() + VERSIONS_TIMEOUT;
    let asked = nodes.cancelled_by(&(Arc::new(move || Instant::now() >= deadline) as Cancelled));
    let too_old = |one: &Candidate| {
        let oldest = one.oldest?;
        let version = one.probe.version().ok()?;
        (version.number < oldest).then_some(version.name)
    };
    let versions: Vec<Option<String>> = std::thread::scope(|scope| {
        let asking: Vec<_> = asked.all().iter().map(|one| scope.spawn(|| too_old(one))).collect();
        asking.into_iter().map(|version| version.join().unwrap_or(None)).collect()
    });
    let (mut old, mut fit) = (Vec::new(), Vec::new());
    for (one, version) in nodes.all().iter().zip(versions) {
        match version {
            Some(version) => old.push((&one.name, version)),
            None => fit.push(&one.name),
        }
    }
    let Some((_, version)) = old.first() else { return Ok(()) };
    let Some(next) = fit.first() else { return Err(Refused::OldNode(version.clone()).into()) };
    for (node, version) in &old {
        tracing::warn!(node, version, "a node is too old, and is left out until it is updated");
    }
    let in_use = &operations::nodes::in_use(store, nodes)?.name;
    if old.iter().any(|(name, _)| *name == in_use) {
        let next = (*next).clone();
        store.write_blocking(move |tx| node_in_use::follow(tx, &next, now))?;
    }
    Ok(())
}

/// A gateway that is about to run: everything that can be refused was checked.
pub(crate) struct Gateway {
    config: Config,
    store: Store,
    nodes: Nodes,
    roles: BTreeSet<Role>,
    sweeper: Option<Sweeper>,
    /// Held for as long as the roles run.
    locks: Vec<File>,
    shutdown: CancellationToken,
}

impl Gateway {
    /// Checks all that must hold before money is touched, as the user who works in the data
    /// directory: there must be no other thread yet. The node may be down.
    ///
    /// # Errors
    /// [`Refused`], or the reason why database or key file cannot be used.
    pub(crate) fn prepare(
        mut config: Config,
        only: &[Role],
        without: &[Role],
        unexamined: Unexamined,
        account: Account,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Gateway> {
        let mut roles: BTreeSet<Role> = Role::ALL.into_iter().collect();
        if config.bot.is_none() {
            roles.remove(&Role::Bot);
        }
        if !only.is_empty() {
            roles.retain(|role| only.contains(role));
            if let Some(missing) = only.iter().find(|role| !roles.contains(role)) {
                bail!("the role {} is not configured", missing.as_str());
            }
        }
        roles.retain(|role| !without.contains(role));
        let work = if roles.contains(&Role::Sweeper) { Work::Sweep } else { Work::Database };
        give_up_root(&mut config, work)?;
        // First, for another process may stand still in the middle of a write. Any other error is
        // that of the database's directory, which opening the database names better.
        let locks: Result<Vec<File>, _> = roles.iter().map(|role| lock(&config, *role)).collect();
        if let Err(error) = &locks
            && let Some(Refused::AlreadyRunning(role)) = error.downcast_ref()
        {
            return Err(Refused::AlreadyRunning(role).into());
        }
        let store = open_store_with(&config, store::PATIENCE_SERVING)?;
        let locks = locks?;
        // The roles that give addresses out.
        if roles.contains(&Role::Api) || roles.contains(&Role::Bot) {
            prepare_to_issue(&config, &store)?;
        }
        let stops: Cancelled = {
            let shutdown = shutdown.clone();
            Arc::new(move || shutdown.is_cancelled())
        };
        let nodes = Nodes::new(&config.nodes).cancelled_by(&stops);
        let sweeper = match roles.contains(&Role::Sweeper) {
            true => {
                let node = &operations::nodes::in_use(&store, &nodes)?.node;
                Some(sweeper_of(&config, &store, node, Access::ReadAndWrite, &shutdown)?)
            }
            false => None,
        };
        config.release_keys();
        let now = config.clock.now();
        leave_out_old_nodes(&nodes, &store, now)?;
        first_start::require_doctor(&store, config.network, now, unexamined)?;
        first_start::apply_account(&store, account, now)?;
        for warning in config.xpub.warnings() {
            tracing::warn!("wallet.xpub {warning}");
        }
        Ok(Gateway { config, store, nodes, roles, sweeper, locks, shutdown })
    }

    /// Runs the roles until the shutdown signal, or until one of them ends. `status_cache` is called once
    /// the API and the metrics answer, with the address that the API listens on.
    pub(crate) async fn run(
        self,
        status_cache: impl FnOnce(Option<std::net::SocketAddr>),
    ) -> anyhow::Result<()> {
        let Gateway { config, store, nodes, roles, sweeper, locks, shutdown } = self;
        let (notifier, clock) = (Notifier::new(), config.clock.clone());
        let mut tasks: JoinSet<(Role, anyhow::Result<()>)> = JoinSet::new();
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        let (mut listening, mut first_start) = (None, None);
        let counters = Arc::new(zmq::Counters::default());
        let ended = Ended(shutdown.clone());

        if roles.contains(&Role::Watcher) {
            let (looked, first_look) = tokio::sync::oneshot::channel();
            let watcher = Watcher {
                store: store.clone(),
                followed: operations::nodes::in_use(&store, &nodes)?.clone(),
                nodes: nodes.clone(),
                failover_timeout: config.failover_timeout,
                network: config.network,
                xpub: config.xpub.clone(),
                counters: Arc::clone(&counters),
                chain_guard: config.chain_guard.clone(),
                audit_interval: config.audit_interval,
                notifier: notifier.clone(),
                clock: clock.clone(),
                shutdown: shutdown.clone(),
                first_pass: Some(looked),
                last_in_use: store.read_blocking(indexes::last_in_use)?,
            };
            threads.push(thread(Role::Watcher, ended.clone(), move || watcher.run())?);
            first_start = store.read_blocking(blocks::tip)?.is_none().then_some(first_look);
            let retention = Retention {
                store: store.clone(),
                rules: config.retention,
                clock: clock.clone(),
                shutdown: shutdown.clone(),
            };
            tasks.spawn(async move {
                retention.run().await;
                (Role::Watcher, Ok(()))
            });
        }
        let rotation = Rotation {
            store: store.clone(),
            keys: FollowedKeys::of(&config)?,
            part: if roles.contains(&Role::Watcher) { Part::Reseal } else { Part::FollowOnly },
            clock: clock.clone(),
            shutdown: shutdown.clone(),
        };
        let of_all = roles.first().copied().unwrap_or(Role::Watcher);
        tasks.spawn(async move {
            rotation.run().await;
            (of_all, Ok(()))
        });
        let schema_watch = schema_watch::watch(store.clone(), shutdown.clone());
        tasks.spawn(async move {
            schema_watch.await;
            (of_all, Ok(()))
        });
        if roles.contains(&Role::Api) {
            let api = Arc::new(api_of(&config, &store, &notifier, &clock, &shutdown)?);
            let listener = http::server::bind(&config.http).await?;
            listening = listener.local_addr().ok();
            let settings = config.http.clone();
            tasks.spawn(async move {
                let following = http::pages::follow(api.clone());
                tokio::join!(http::server::serve(api, settings, listener), following);
                (Role::Api, Ok(()))
            });
        }
        if roles.contains(&Role::Webhooks) {
            let webhooks = Webhooks {
                store: store.clone(),
                secret: config.secret()?.clone(),
                settings: config.webhooks.clone(),
                notifier: notifier.clone(),
                clock: clock.clone(),
                shutdown: shutdown.clone(),
            };
            tasks.spawn(async move { (Role::Webhooks, webhooks.run().await) });
        }
        if let Some(sweeper) = sweeper {
            let sweeper = Sweeper { nodes: nodes.clone(), notifier: notifier.clone(), ..sweeper };
            let runtime = tokio::runtime::Handle::current();
            threads.push(thread(Role::Sweeper, ended, move || sweeper.run(&runtime))?);
        }
        if let Some(settings) = config.bot.clone().filter(|_| roles.contains(&Role::Bot)) {
            let bot = bot_of(settings, &config, &store, &nodes, &notifier, &shutdown)?;
            tasks.spawn(async move {
                bot::run(bot).await;
                (Role::Bot, Ok(()))
            });
        }
        let measured = match config.metrics_listen {
            Some(listen) => ops::bind(listen).await,
            None => None,
        };
        let metrics = measured.map(|listener| {
            let zmq = roles.contains(&Role::Watcher).then(|| Arc::clone(&counters));
            let ops = ops::Ops {
                store: store.clone(),
                clock: clock.clone(),
                database: config.database.clone(),
                hot_limit: config.hot_limit(),
                zmq,
            };
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that starts tasks"
            )]
            tokio::spawn(ops::serve(ops, listener, shutdown.clone()))
        });

        // Whoever waits for `status_cache` need not be told once more that this is a first start.
        if let Some(first_look) = first_start {
            let _ = tokio::time::timeout(FIRST_LOOK, first_look).await;
        }
        status_cache(listening);
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        let on_progress = tokio::spawn(systemd::tell(store.clone(), shutdown.clone()));
        let outcome = tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            Some(ended) = tasks.join_next() => Err(ended),
        };
        let stopping = shutdown.is_cancelled();
        shutdown.cancel();
        while tasks.join_next().await.is_some() {}
        let _ = on_progress.await; // It ends with the signal; a panic there was reported.
        if let Some(mut metrics) = metrics {
            // It ends with the signal (a panic there was reported), unless somebody holds a
            // connection with half a request.
            if tokio::time::timeout(METRICS_GRACE, &mut metrics).await.is_err() {
                metrics.abort();
            }
        }
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count()
        });
        let panicked = joined.await.context("wait for the roles")?;
        drop(locks);
        match outcome {
            _ if panicked > 0 => bail!("a role panicked"),
            Ok(()) => Ok(()),
            Err(_) if stopping => Ok(()),
            Err(Ok((role, Ok(())))) => bail!("the role {} ended by itself", role.as_str()),
            Err(Ok((role, Err(error)))) => Err(error.context(role.as_str())),
            Err(Err(error)) => Err(anyhow::Error::new(error).context("a role panicked")),
        }
    }
}

/// Ends the process's other roles when it is dropped, so also when its thread panics.
#[derive(Clone)]
struct Ended(CancellationToken);

impl Drop for Ended {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}

fn thread(
    role: Role,
    ended: Ended,
    run: impl FnOnce() + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(role.as_str().to_owned())
        .spawn(move || {
            let _ended = ended;
            run();
        })
        .with_context(|| format!("start the thread of the role {}", role.as_str()))
}

fn api_of(
    config: &Config,
    store: &Store,
    notifier: &Notifier,
    clock: &clock::Clock,
    shutdown: &CancellationToken,
) -> anyhow::Result<Api> {
    Ok(Api {
        store: store.clone(),
        secret: config.secret()?.clone(),
        addresses: config.addresses(),
        site: config.site.clone(),
        payment_rules: config.payments.clone(),
        egress: config.webhooks.egress.clone(),
        notifier: notifier.clone(),
        pages: Arc::default(),
        status_cache: StatusCache::new(store.change_detector()?),
        codes: Codes::default(),
        clock: clock.clone(),
        shutdown: shutdown.clone(),
        play_money_url: config.http.play_money_url.clone(),
        branding: config.http.branding.clone(),
        limits: Limits::new(&config.http),
    })
}

/// The sweeper with its keys.
///
/// # Errors
/// [`Refused`] if the keys are not the account's, not ours alone, or do not fit their record; a
/// mistake in the configuration if the operator's address is the account's own.
pub(crate) fn sweeper_of(
    config: &Config,
    store: &Store,
    node: &Node,
    access: Access,
    shutdown: &CancellationToken,
) -> anyhow::Result<Sweeper> {
    let key = config.signing_key_file.as_ref().map(|file| {
        let passphrase = config.passphrase_file.as_deref();
        SigningKey::load(&config.held, file, passphrase, config.network, &config.xpub)
            .map_err(|error| Refused::SigningKey(format!("{error:#}")))
    });
    crate::secret::wipe_stack(); // Also what lies too near to the frame that wiped it first.
    let seals = config.seals.as_ref().map(|settings| {
        Seals::open(settings, store, access).map_err(|error| Refused::Seals(format!("{error:#}")))
    });
    let seals = seals.transpose()?;
    let webhook = seals.as_ref().map(Seals::operator_webhook).transpose()?.flatten();
    let own = OwnAddresses::new(config.xpub.clone());
    store.read_blocking(|tx| {
        let is_own = |script: &Script| Ok(!own.among(tx, [script])?.is_empty());
        config.check_operator_address::<store::Error>(is_own)
    })??;
    Ok(Sweeper {
        own,
        addresses: crate::sweeper::payout_addresses::AddressMemory::default(),
        store: store.clone(),
        node: node.clone(),
        nodes: Nodes::new(&config.nodes),
        network: config.network,
        xpub: config.xpub.clone(),
        key: key.transpose()?,
        seals,
        audit_log_break: None,
        operator_notifier: webhook.map(OperatorNotifier::new),
        settings: config.sweeper.clone(),
        notifier: Notifier::new(),
        clock: config.clock.clone(),
        shutdown: shutdown.clone(),
    })
}

fn bot_of(
    settings: bot::Settings,
    config: &Config,
    store: &Store,
    nodes: &Nodes,
    notifier: &Notifier,
    shutdown: &CancellationToken,
) -> anyhow::Result<bot::Bot> {
    Ok(bot::Bot {
        store: store.clone(),
        secret: config.secret()?.clone(),
        rules: config.merchants.clone(),
        payment_rules: config.payments.clone(),
        sweep_interval: config.sweeper.interval,
        min_payout: config.sweeper.rules.min_payout,
        hot_limit: config.hot_limit(),
        own: Arc::new(OwnAddresses::new(config.xpub.clone())),
        addresses: Arc::new(config.addresses()),
        site: config.site.clone(),
        nodes: nodes.clone(),
        egress: config.webhooks.egress.clone(),
        database: config.database.clone(),
        limit: bot::Limit::per_minute(settings.rate_per_user),
        settings,
        notifier: notifier.clone(),
        clock: config.clock.clone(),
        shutdown: shutdown.clone(),
    })
}
