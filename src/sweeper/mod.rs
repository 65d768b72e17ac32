//! The sweeper role: pays confirmed coins out to the merchants' addresses.
//!
//! A pass abandons sweeps that the chain has made impossible, sends unconfirmed sweeps again,
//! and makes new sweeps of what is due. A sweep is claimed and stored in one write and only
//! then broadcast, so the next pass continues after a crash. Blocking code on its own thread.
//!
//! A bad coin, key path or payout address is left out and reported; all others are paid. What
//! the node refuses is found by testing parts. No code decides by the node's error texts.
//!
//! How money leaves, in this order:
//! 1. `pass::store_and_send` claims the coins and stores the signed bytes in one write. It
//!    refuses while the chain guard is active.
//! 2. `broadcast::send` takes a `StoredSweepTx`, which only the store can make, asks the node
//!    whether it has the transaction, and records the result.
//! 3. `Node::broadcast` (`node/transactions.rs`) calls `sendrawtransaction`.
//!
//! `in_flight::bump_fee` and `damaged::store_again_and_send` store a further version of a
//! sweep, and continue at step 2. There is no other way.
//!
//! Must not know: HTTP, why a payment is complete.

pub(crate) mod audit_log;
mod broadcast;
pub(crate) mod build;
mod damaged;
mod due;
pub(crate) mod encrypted;
pub(crate) mod external;
mod first_seen;
mod in_flight;
mod memory;
pub(crate) mod operator_notifier;
mod pass;
pub(crate) mod payees;
pub(crate) mod private_file;
mod record;
pub(crate) mod seals;
pub(crate) mod signing_key;
mod trial;

use std::time::{Duration, Instant};

use anyhow::ensure;
use bitcoin::bip32::KeySource;
use bitcoin::{OutPoint, Txid};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::chain_guard::Trust;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::sweep::{self, Planned, Waits};
use crate::node::nodes::Nodes;
use crate::node::rpc::Node;
use crate::notifier::Notifier;
use crate::operations;
use crate::operations::own_addresses::OwnAddresses;
use crate::operations::sweeps::SWEEPER;
use crate::store::audit_log::chain::Break;
use crate::store::{
    self, ReadTx, Store, WriteTx, blocks, chain_guard_alerts, requests, role_status, sweeps,
};
use crate::watchdog::{self, Loop};

use due::Due;
use memory::Memory;
use operator_notifier::OperatorNotifier;
use seals::Seals;
use signing_key::SigningKey;

/// Configuration of sweeps.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) interval: Duration,
    /// The age at which an unconfirmed sweep gets a fee bump.
    pub(crate) fee_bump_after: Duration,
    /// The operator's limit of unswept money under a key on this machine.
    pub(crate) max_hot_balance: Option<Amount>,
    /// The origin of the account's key, for external signers (BIP174).
    pub(crate) key_origin: Option<KeySource>,
    pub(crate) rules: sweep::Rules,
}

/// The sweeper role.
pub(crate) struct Sweeper {
    pub(crate) store: Store,
    /// All configured nodes.
    pub(crate) nodes: Nodes,
    /// The node that the watcher follows.
    pub(crate) node: Node,
    pub(crate) network: Network,
    pub(crate) xpub: AccountXpub,
    /// Absent: watch-only, an external signer signs.
    pub(crate) key: Option<SigningKey>,
    pub(crate) own: OwnAddresses,
    pub(crate) addresses: payees::Memory,
    /// Absent: the database is trusted.
    pub(crate) seals: Option<Seals>,
    /// The break of the audit log that this process has logged.
    pub(crate) audit_log_break: Option<Break>,
    /// Absent: no URL for notifications is configured.
    pub(crate) operator_notifier: Option<OperatorNotifier>,
    pub(crate) settings: Settings,
    pub(crate) notifier: Notifier,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
}

/// The result of a pass.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// Sweeps that this pass made and sent.
    pub(crate) sent: Vec<Txid>,
    /// Coins that were not swept, and why.
    pub(crate) waiting: Vec<(OutPoint, Waits)>,
}

/// Why a pause ended.
enum Paused {
    /// Another role notified the sweeper.
    Notified,
    /// A delivery of a notification ended.
    Delivered(operator_notifier::Delivery),
    Over,
}

/// The pause after a first failure. It doubles with each further failure.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The longest error text that is recorded, in characters.
const TROUBLE_CHARS_MAX: usize = 500;

/// How often new payments are sealed, and requests read.
const TICK: Duration = Duration::from_secs(1);

/// How often unconfirmed sweeps are checked, at least.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// The pause before the next check, after so many failures in a row.
fn pause_after(failures: u32, longest: Duration) -> Duration {
    match failures.checked_sub(1) {
        None => longest,
        Some(repeated) => FAILURE_PAUSE.saturating_mul(2u32.saturating_pow(repeated)).min(longest),
    }
}

/// An error with its causes for the user who requested a sweep. SQLite's texts are for the log
/// only.
fn user_message(error: &anyhow::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in error.chain() {
        if let Some(store::Error::Sqlite(_)) = cause.downcast_ref() {
            words.push("the database refused a write: see the sweeper's log".to_owned());
            break;
        }
        words.push(cause.to_string());
    }
    words.join(": ")
}

/// Whether the chain guard trusts the gateway's tip.
fn trusts_the_chain(tx: &ReadTx) -> Result<bool, store::Error> {
    let Some(tip) = blocks::tip(tx)? else { return Ok(true) }; // There are no coins yet.
    Ok(chain_guard_alerts::trust_at(tx, tip)? == Trust::Full)
}

impl Sweeper {
    /// Sweeps until the shutdown signal. Must be called on a thread outside the runtime.
    pub(crate) fn run(mut self, runtime: &Handle) {
        let mut memory = Memory::default();
        let mut failures: u32 = 0;
        let mut last_sweep: Option<Instant> = None;
        let mut next_check = Instant::now();
        // The first pass answers all earlier requests.
        let mut answered = None;
        let mut found = false;
        while !self.shutdown.is_cancelled() {
            watchdog::heartbeat(Loop::Sweeper);
            // Once at the start, because a sweep that is missing there would never be sent
            // again.
            found = found || self.store.write_blocking(sweeps::find_in_flight).is_ok();
            match operations::nodes::in_use(&self.store, &self.nodes) {
                Ok(followed) => self.node = followed.node.clone(),
                Err(error) => tracing::debug!(%error, "followed node not read"),
            }
            // First, whatever else fails: what is seen late is trusted late.
            let sealed = self.record_first_seen();
            let sealed = sealed.and(self.follow_audit_log()).and(self.notify_next(runtime));
            let asked = self.newest_request(answered);
            let due = last_sweep.is_none_or(|at| at.elapsed() >= self.settings.interval)
                || asked > answered;
            let result = if due {
                self.pass(&mut memory).map(|report| report.is_some())
            } else if Instant::now() >= next_check {
                self.maintain_in_flight(&mut memory).map(|()| false)
            } else {
                Ok(false)
            };
            let result = sealed.and(result);
            match result {
                Ok(swept) => {
                    failures = 0;
                    if swept {
                        last_sweep = Some(Instant::now());
                        answered = asked;
                    }
                }
                Err(error) if self.shutdown.is_cancelled() => {
                    tracing::debug!(error = format!("{error:#}"), "sweeper stopped during a pass");
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "sweeper pass failed; retrying"
                        );
                    }
                    self.record_trouble(&user_message(&error));
                    failures = failures.saturating_add(1);
                }
            }
            if failures > 0 || Instant::now() >= next_check {
                let pause = pause_after(failures, self.settings.interval.min(CHECK_INTERVAL));
                next_check = Instant::now() + pause;
            }
            let pause = match failures {
                0 => next_check.saturating_duration_since(Instant::now()).min(TICK),
                _ => next_check.saturating_duration_since(Instant::now()),
            };
            match runtime.block_on(self.pause(pause)) {
                Paused::Notified => next_check = Instant::now(),
                Paused::Delivered(ended) => {
                    if let Err(error) = self.end_delivery(ended) {
                        let error = format!("{error:#}");
                        tracing::error!(error, "outcome of a notification not recorded");
                    }
                }
                Paused::Over => {}
            }
        }
    }

    /// Waits for `pause`, a notification or a delivery.
    async fn pause(&mut self, pause: Duration) -> Paused {
        let delivery = async {
            match &mut self.operator_notifier {
                Some(operator_notifier) => operator_notifier.finished().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.shutdown.cancelled() => Paused::Over,
            () = self.notifier.sweeper_notified() => Paused::Notified,
            ended = delivery => Paused::Delivered(ended),
            () = tokio::time::sleep(pause) => Paused::Over,
        }
    }

    /// Sends a heartbeat during long work.
    ///
    /// # Errors
    /// After the shutdown signal: work that has not begun is left for the next start.
    fn keep_going(&self) -> anyhow::Result<()> {
        watchdog::heartbeat(Loop::Sweeper);
        ensure!(!self.shutdown.is_cancelled(), "the gateway is stopping");
        Ok(())
    }

    /// The newest request for a sweep, or `known` if the database cannot be read.
    fn newest_request(&self, known: Option<i64>) -> Option<i64> {
        self.store.read_blocking(requests::newest).unwrap_or_else(|error| {
            tracing::debug!(%error, "sweep requests not read");
            known
        })
    }

    /// Records for the user who requested a sweep why there is none.
    fn record_trouble(&self, trouble: &str) {
        let trouble: String = trouble.chars().take(TROUBLE_CHARS_MAX).collect();
        let write = move |tx: &WriteTx| role_status::record_trouble(tx, SWEEPER, &trouble);
        if let Err(error) = self.store.write_blocking(write) {
            tracing::debug!(%error, "sweeper status not recorded");
        }
    }

    /// Sweeps once, for a command. `None` while the chain guard is active.
    pub(crate) fn sweep_once(&mut self) -> anyhow::Result<Option<Report>> {
        self.pass(&mut Memory::default())
    }

    /// The sweeps that would be made now, and the coins that wait.
    pub(crate) fn plan_now(&mut self) -> anyhow::Result<Planned> {
        let due = self.due()?;
        let mut planned = due.plan(&due.coins, &self.settings.rules);
        planned.waiting.extend(due.waiting);
        Ok(planned)
    }
}

#[cfg(test)]
mod tests;
