//! Starts and stops the roles. The only place that starts tasks.
//!
//! Roles communicate through the database alone, so each can run in a separate process. A role
//! that ends or panics ends the process; the service manager restarts it, and starting is
//! recovering.

mod compose;
pub(crate) mod database;
pub(crate) mod first_start;
mod node_versions;
mod refused;
mod retention;
pub(crate) mod rights;
mod role;
mod rotation;
mod schema_watch;
mod systemd;

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::http::{self, ops};
use crate::node::nodes::Nodes;
use crate::node::transport::Cancelled;
use crate::node::zmq::Counters;
use crate::notifier::Notifier;
use crate::operations::rates::Rates;
use crate::rates::Refresher;
use crate::store::{self, Store, indexes};
use crate::sweeper::Sweeper;
use crate::sweeper::seals::Access;
use crate::watcher::Watcher;
use crate::webhooks::Webhooks;
use crate::{bot, operations};

use compose::{api_of, bot_of};
use database::{lock, open_store_with, prepare_to_issue};
use first_start::{Account, Unexamined};
use node_versions::leave_out_old_nodes;
use retention::Retention;
use rights::{Work, give_up_root};
use rotation::{FollowedKeys, Part, Rotation};

pub(crate) use compose::{node_of, sweeper_of};
pub(crate) use refused::Refused;
pub(crate) use role::{Role, is_sweeper_alone};

/// How long a first start waits for the watcher's first pass before it reports `ready`. Until
/// then the API answers 503 `starting`. Later starts do not wait for the node.
const FIRST_PASS_WAIT: Duration = Duration::from_secs(4);

/// How long the metrics server may take to stop.
const METRICS_GRACE: Duration = Duration::from_secs(2);

/// A gateway that is about to run. Everything that can be refused has been checked.
pub(crate) struct Gateway {
    config: Config,
    store: Store,
    nodes: Nodes,
    roles: BTreeSet<Role>,
    sweeper: Option<Sweeper>,
    /// Held while the roles run.
    locks: Vec<File>,
    shutdown: CancellationToken,
    notifier: Notifier,
    zmq_counters: Arc<Counters>,
}

/// The roles of a configuration that these arguments leave.
///
/// # Errors
/// If a role in `only` is not configured.
fn roles_of(config: &Config, only: &[Role], without: &[Role]) -> anyhow::Result<BTreeSet<Role>> {
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
    Ok(roles)
}

impl Gateway {
    /// Checks everything that must hold before money is touched, as the user that works in the
    /// data directory. No other thread may exist yet. The node may be down.
    ///
    /// # Errors
    /// [`Refused`], or why the database or a key file cannot be used.
    pub(crate) fn prepare(
        mut config: Config,
        only: &[Role],
        without: &[Role],
        unexamined: Unexamined,
        account: Account,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Gateway> {
        let roles = roles_of(&config, only, without)?;
        let work = if roles.contains(&Role::Sweeper) { Work::Sweep } else { Work::Database };
        give_up_root(&mut config, work)?;
        // Locks come first: another process may hang in the middle of a write. Any other error
        // here concerns the database's directory, and opening the database reports it better.
        let locks: Result<Vec<File>, _> = roles.iter().map(|role| lock(&config, *role)).collect();
        if let Err(error) = &locks
            && let Some(Refused::AlreadyRunning(role)) = error.downcast_ref()
        {
            return Err(Refused::AlreadyRunning(role).into());
        }
        let store = open_store_with(&config, store::PATIENCE_SERVING)?;
        let locks = locks?;
        // These roles issue addresses.
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
        let (notifier, zmq_counters) = (Notifier::new(), Arc::default());
        Ok(Gateway {
            config,
            store,
            nodes,
            roles,
            sweeper,
            locks,
            shutdown,
            notifier,
            zmq_counters,
        })
    }

    /// Runs the roles until the shutdown signal, or until one of them ends. Calls `ready` once
    /// the API and the metrics answer, with the address on which the API listens.
    pub(crate) async fn run(
        mut self,
        ready: impl FnOnce(Option<SocketAddr>),
    ) -> anyhow::Result<()> {
        let mut running = Running::new(&self.shutdown);
        let first_pass = self.start_watcher(&mut running)?;
        self.start_upkeep(&mut running)?;
        let listening = self.start_api(&mut running).await?;
        self.start_webhooks(&mut running)?;
        self.start_sweeper(&mut running)?;
        self.start_bot(&mut running)?;
        let metrics = self.start_metrics().await;
        // A client that waits for `ready` need not handle the first start.
        if let Some(first_pass) = first_pass {
            let _ = tokio::time::timeout(FIRST_PASS_WAIT, first_pass).await;
        }
        ready(listening);
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        let systemd = tokio::spawn(systemd::notify(self.store.clone(), self.shutdown.clone()));
        let outcome = running.end(metrics, systemd).await;
        drop(self.locks);
        outcome
    }

    /// Starts the watcher, with retention. On a first start, answers a receiver that resolves
    /// after its first pass.
    fn start_watcher(
        &self,
        running: &mut Running,
    ) -> anyhow::Result<Option<oneshot::Receiver<()>>> {
        if !self.roles.contains(&Role::Watcher) {
            return Ok(None);
        }
        let (config, store) = (&self.config, &self.store);
        let (reported, first_pass) = first_start::first_pass(store)?.unzip();
        let watcher = Watcher {
            rates: config.payments.rates.clone(),
            store: store.clone(),
            followed: operations::nodes::in_use(store, &self.nodes)?.clone(),
            nodes: self.nodes.clone(),
            failover_timeout: config.failover_timeout,
            network: config.network,
            xpub: config.xpub.clone(),
            counters: Arc::clone(&self.zmq_counters),
            chain_guard: config.chain_guard.clone(),
            audit_interval: config.audit_interval,
            notifier: self.notifier.clone(),
            clock: config.clock.clone(),
            shutdown: self.shutdown.clone(),
            first_pass: reported,
            last_in_use: store.read_blocking(indexes::last_in_use)?,
        };
        running.start_thread(Role::Watcher, move || watcher.run())?;
        let retention = Retention {
            store: store.clone(),
            rules: config.retention,
            clock: config.clock.clone(),
            shutdown: self.shutdown.clone(),
        };
        running.start(Role::Watcher, async move {
            retention.run().await;
            Ok(())
        });
        Ok(first_pass)
    }

    /// Starts the tasks of every process: following a rotation of the master secret, and
    /// comparing the schema.
    fn start_upkeep(&self, running: &mut Running) -> anyhow::Result<()> {
        let watches = self.roles.contains(&Role::Watcher);
        let rotation = Rotation {
            store: self.store.clone(),
            keys: FollowedKeys::of(&self.config)?,
            part: if watches { Part::Reseal } else { Part::FollowOnly },
            clock: self.config.clock.clone(),
            shutdown: self.shutdown.clone(),
        };
        let role = self.roles.first().copied().unwrap_or(Role::Watcher);
        running.start(role, async move {
            rotation.run().await;
            Ok(())
        });
        let schema_watch = schema_watch::watch(self.store.clone(), self.shutdown.clone());
        running.start(role, async move {
            schema_watch.await;
            Ok(())
        });
        Ok(())
    }

    /// Starts the API. Answers the address on which it listens.
    async fn start_api(&self, running: &mut Running) -> anyhow::Result<Option<SocketAddr>> {
        if !self.roles.contains(&Role::Api) {
            return Ok(None);
        }
        let api = Arc::new(api_of(&self.config, &self.store, &self.notifier, &self.shutdown)?);
        let listener = http::server::bind(&self.config.http).await?;
        let listening = listener.local_addr().ok();
        let settings = self.config.http.clone();
        running.start(Role::Api, async move {
            let following = http::page_updates::follow(api.clone());
            tokio::join!(http::server::serve(api, settings, listener), following);
            Ok(())
        });
        self.start_rates(running);
        Ok(listening)
    }

    /// Starts the refresh of exchange rates, if there are sources to ask.
    fn start_rates(&self, running: &mut Running) {
        if self.config.rate_sources.asks_sources() {
            let refresher = Refresher {
                store: self.store.clone(),
                settings: self.config.rate_sources.clone(),
                clock: self.config.clock.clone(),
                shutdown: self.shutdown.clone(),
            };
            running.start(Role::Api, refresher.run());
        }
    }

    fn start_webhooks(&self, running: &mut Running) -> anyhow::Result<()> {
        if self.roles.contains(&Role::Webhooks) {
            let webhooks = Webhooks {
                store: self.store.clone(),
                secret: self.config.secret()?.clone(),
                settings: self.config.webhooks.clone(),
                notifier: self.notifier.clone(),
                clock: self.config.clock.clone(),
                shutdown: self.shutdown.clone(),
            };
            running.start(Role::Webhooks, async move { webhooks.run().await });
        }
        Ok(())
    }

    fn start_sweeper(&mut self, running: &mut Running) -> anyhow::Result<()> {
        let Some(sweeper) = self.sweeper.take() else { return Ok(()) };
        let (nodes, notifier) = (self.nodes.clone(), self.notifier.clone());
        let sweeper = Sweeper { nodes, notifier, ..sweeper };
        let runtime = tokio::runtime::Handle::current();
        running.start_thread(Role::Sweeper, move || sweeper.run(&runtime))
    }

    fn start_bot(&self, running: &mut Running) -> anyhow::Result<()> {
        let settings = self.config.bot.clone().filter(|_| self.roles.contains(&Role::Bot));
        let Some(settings) = settings else { return Ok(()) };
        let (config, store) = (&self.config, &self.store);
        let bot = bot_of(settings, config, store, &self.nodes, &self.notifier, &self.shutdown)?;
        running.start(Role::Bot, async move {
            bot::run(bot).await;
            Ok(())
        });
        Ok(())
    }

    /// Starts the metrics server, if one is configured and its port is free.
    async fn start_metrics(&self) -> Option<tokio::task::JoinHandle<()>> {
        let listener = ops::bind(self.config.metrics_listen?).await?;
        let counts_zmq = self.roles.contains(&Role::Watcher);
        let ops = ops::Ops {
            store: self.store.clone(),
            clock: self.config.clock.clone(),
            database: self.config.database.clone(),
            hot_limit: self.config.hot_limit(),
            rates: Rates::new(self.config.rates.clone()),
            zmq: counts_zmq.then(|| Arc::clone(&self.zmq_counters)),
        };
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
        Some(tokio::spawn(ops::serve(ops, listener, self.shutdown.clone())))
    }
}

/// The tasks and threads of the roles.
struct Running {
    tasks: JoinSet<(Role, anyhow::Result<()>)>,
    threads: Vec<JoinHandle<()>>,
    shutdown: CancellationToken,
}

impl Running {
    fn new(shutdown: &CancellationToken) -> Running {
        Running { tasks: JoinSet::new(), threads: Vec::new(), shutdown: shutdown.clone() }
    }

    fn start(
        &mut self,
        role: Role,
        run: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.tasks.spawn(async move { (role, run.await) });
    }

    fn start_thread(
        &mut self,
        role: Role,
        run: impl FnOnce() + Send + 'static,
    ) -> anyhow::Result<()> {
        let shutdown_on_panic = ShutdownOnPanic(self.shutdown.clone());
        let thread = std::thread::Builder::new().name(role.as_str().to_owned()).spawn(move || {
            let _shutdown_on_panic = shutdown_on_panic;
            run();
        });
        let context = || format!("start the thread of the role {}", role.as_str());
        self.threads.push(thread.with_context(context)?);
        Ok(())
    }

    /// Waits for the shutdown signal or the first task that ends, then stops all others.
    ///
    /// # Errors
    /// Those of the role that ended first, or a panic.
    async fn end(
        mut self,
        metrics: Option<tokio::task::JoinHandle<()>>,
        systemd: tokio::task::JoinHandle<()>,
    ) -> anyhow::Result<()> {
        let outcome = tokio::select! {
            () = self.shutdown.cancelled() => Ok(()),
            Some(ended) = self.tasks.join_next() => Err(ended),
        };
        let stopping = self.shutdown.is_cancelled();
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
        let _ = systemd.await; // It ends with the signal; a panic there was reported.
        if let Some(mut metrics) = metrics {
            // It ends with the signal (a panic there was reported), unless a client holds a
            // connection with half a request.
            if tokio::time::timeout(METRICS_GRACE, &mut metrics).await.is_err() {
                metrics.abort();
            }
        }
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count()
        });
        let panicked = joined.await.context("wait for the roles")?;
        match outcome {
            _ if panicked > 0 => bail!("a role panicked"),
            Ok(()) => Ok(()),
            Err(_) if stopping => Ok(()),
            Err(Ok((role, Ok(())))) => bail!("the role {} ended unexpectedly", role.as_str()),
            Err(Ok((role, Err(error)))) => Err(error.context(role.as_str())),
            Err(Err(error)) => Err(anyhow::Error::new(error).context("a role panicked")),
        }
    }
}

/// Ends the process's other roles when the thread that owns it panics.
struct ShutdownOnPanic(CancellationToken);

impl Drop for ShutdownOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.cancel();
        }
    }
}
