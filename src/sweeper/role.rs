//! The sweeper's configuration and connections, and what all its steps share.

use std::time::Duration;

use anyhow::ensure;
use bitcoin::bip32::KeySource;
use bitcoin::{OutPoint, Txid};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::chain_guard::Trust;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::sweep::{self, Waits};
use crate::node::nodes::Nodes;
use crate::node::rpc::Node;
use crate::notifier::Notifier;
use crate::operations::own_addresses::OwnAddresses;
use crate::store::audit_log::chain::Break;
use crate::store::{self, ReadTx, Store, WriteTx, blocks, chain_guard_alerts, role_status};
use crate::view::role_status::Role;
use crate::watchdog::{self, Loop};

use super::operator_notifier::OperatorNotifier;
use super::payout_addresses::AddressMemory;
use super::seals::Seals;
use super::signing_key::SigningKey;

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

pub(crate) struct Sweeper {
    pub(crate) store: Store,
    pub(crate) nodes: Nodes,
    /// The node that the watcher follows.
    pub(crate) node: Node,
    pub(crate) network: Network,
    pub(crate) xpub: AccountXpub,
    /// Absent: watch-only, an external signer signs.
    pub(crate) key: Option<SigningKey>,
    pub(crate) own: OwnAddresses,
    pub(crate) addresses: AddressMemory,
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

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// Sweeps that this pass made and sent.
    pub(crate) sent: Vec<Txid>,
    /// Coins that were not swept, and why.
    pub(crate) waiting: Vec<(OutPoint, Waits)>,
}

/// The longest error text that is recorded, in characters.
const FAILURE_CHARS_MAX: usize = 500;

/// Whether the chain guard trusts the gateway's tip.
pub(super) fn trusts_the_chain(tx: &ReadTx) -> Result<bool, store::Error> {
    let Some(tip) = blocks::tip(tx)? else { return Ok(true) }; // There are no coins yet.
    Ok(chain_guard_alerts::trust_at(tx, tip)? == Trust::Full)
}

impl Sweeper {
    /// Sends a heartbeat during long work.
    ///
    /// # Errors
    /// After the shutdown signal: work that has not begun is left for the next start.
    pub(super) fn keep_going(&self) -> anyhow::Result<()> {
        watchdog::heartbeat(Loop::Sweeper);
        ensure!(!self.shutdown.is_cancelled(), "the gateway is stopping");
        Ok(())
    }

    /// Records for the user who requested a sweep why there is none.
    pub(super) fn record_trouble(&self, trouble: &str) {
        let trouble: String = trouble.chars().take(FAILURE_CHARS_MAX).collect();
        let write = move |tx: &WriteTx| role_status::record_trouble(tx, Role::Sweeper, &trouble);
        if let Err(error) = self.store.write_blocking(write) {
            tracing::debug!(%error, "sweeper status not recorded");
        }
    }
}
