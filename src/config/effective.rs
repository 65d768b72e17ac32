//! The effective configuration: typed values for the roles and commands.
//!
//! Must not know: the keys, and where their values come from.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bitcoin::Script;

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::node;
use crate::operations::addresses::Addresses;
use crate::operations::reason::Reason;
use crate::operations::{create_payment, merchants, retention};
use crate::secret::{RowKeys, Secrets};
use crate::sweeper::private_file::Held;
use crate::view::Site;
use crate::{bot, http, operations, rates, sweeper, watcher, webhooks};

/// The validated configuration of all roles.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) network: Network,
    pub(crate) site: Site,
    pub(crate) database: PathBuf,
    /// File with the next derivation index.
    pub(crate) high_water_file: PathBuf,
    /// File with the heads of merchants' rows; absent for a copy that is only verified.
    pub(crate) heads_file: Option<PathBuf>,
    /// Absent in a process that runs the sweeper alone ([`Config::secret`]).
    pub(crate) master_secret: Option<Secrets>,
    pub(crate) secret_file: PathBuf,
    /// Keys that verify the database's rows.
    pub(crate) row_keys: RowKeys,
    /// Source of the row keys in a process that runs the sweeper alone.
    pub(crate) row_key_file: Option<PathBuf>,
    pub(crate) http: http::Settings,
    /// At least one, in the operator's order of preference.
    pub(crate) nodes: Vec<node::nodes::Settings>,
    /// How long the followed node may be unhealthy before failover.
    pub(crate) failover_timeout: Duration,
    pub(crate) chain_guard: watcher::chain_guard::Settings,
    /// Interval of the automatic audit.
    pub(crate) audit_interval: Duration,
    pub(crate) retention: retention::Rules,
    pub(crate) xpub: AccountXpub,
    pub(crate) signing_key_file: Option<PathBuf>,
    /// Passphrase of an encrypted signing key.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Contents of key files that were read before root's rights were given up.
    pub(crate) held: Held,
    pub(crate) payments: create_payment::Rules,
    /// Prices in currencies: which ones, and by which rules.
    pub(crate) rates: operations::rates::Settings,
    /// The sources of exchange rates.
    pub(crate) rate_sources: rates::Settings,
    pub(crate) merchants: merchants::Rules,
    pub(crate) sweeper: sweeper::Settings,
    /// Absent without a seal key.
    pub(crate) seals: Option<sweeper::seals::Settings>,
    pub(crate) webhooks: webhooks::Settings,
    pub(crate) bot: Option<bot::Settings>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) clock: Clock,
}

/// The process that reads the configuration. It reads no secret that it does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// A process that needs the master secret.
    Gateway,
    /// The sweeper alone: row keys instead of the master secret, no Discord token.
    SweeperAlone,
}

impl Config {
    /// The current master secret and the previous one.
    ///
    /// # Errors
    /// In a process that runs the sweeper alone.
    pub(crate) fn secret(&self) -> Result<&Secrets, Mistakes> {
        let missing = || {
            Mistakes(vec![
                "secret_file is not read by a process that runs the sweeper alone".to_owned(),
            ])
        };
        self.master_secret.as_ref().ok_or_else(missing)
    }

    /// The configuration key that names the source of the row keys.
    pub(crate) fn row_keys_come_from(&self) -> &'static str {
        match self.master_secret {
            Some(_) => "secret_file",
            None => "sweeper.row_key_file",
        }
    }

    /// What commands that follow the chain need.
    pub(crate) fn terms(&self) -> watcher::sync::Terms {
        let (rates, clock) = (self.payments.rates.clone(), self.clock.clone());
        watcher::sync::Terms { network: self.network, rates, clock }
    }

    /// The source of receiving addresses. It never issues the operator's own address.
    pub(crate) fn addresses(&self) -> Addresses {
        let operator = self.sweeper.rules.operator.as_ref().map(|fee| fee.script.clone());
        Addresses::new(self.xpub.clone(), operator)
    }

    /// Checks that the operator's fee does not go to an address of the account, as decided by
    /// `is_own`.
    ///
    /// # Errors
    /// If it does, or those of `is_own`.
    pub(crate) fn check_operator_address<E>(
        &self,
        is_own: impl FnOnce(&Script) -> Result<bool, E>,
    ) -> Result<Result<(), Mistakes>, E> {
        let Some(operator) = &self.sweeper.rules.operator else { return Ok(Ok(())) };
        let mistake = format!("sweeper.operator_address {}", Reason::OwnAddress);
        Ok(if is_own(&operator.script)? { Err(Mistakes(vec![mistake])) } else { Ok(()) })
    }

    /// The unpaid balance above which the operator is warned. `None` without a signing key on
    /// this machine.
    pub(crate) fn hot_limit(&self) -> Option<Amount> {
        self.sweeper.max_hot_balance.filter(|_| self.signing_key_file.is_some())
    }

    /// Reads the key files now, because the user that this process switches to may not read
    /// them.
    pub(crate) fn hold_keys(&mut self) {
        let seal_key_file = self.seals.as_ref().map(|seals| seals.key_file.clone());
        let files = [
            self.signing_key_file.clone(),
            self.passphrase_file.clone(),
            self.row_key_file.clone(),
            seal_key_file,
        ];
        self.hold(Held::keys(files.into_iter().flatten()));
    }

    /// As [`Config::hold_keys`], with the sweeper's record.
    pub(crate) fn hold_keys_and_record(&mut self) {
        self.hold_keys();
        if let Some(record) = self.seals.as_ref().map(sweeper::seals::Settings::read_record) {
            self.hold(self.held.clone().with_record(record));
        }
    }

    /// Drops the contents of the key files once every role has parsed its keys.
    pub(crate) fn release_keys(&mut self) {
        self.hold(Held::default());
    }

    fn hold(&mut self, held: Held) {
        if let Some(seals) = &mut self.seals {
            seals.held = held.clone();
        }
        self.held = held;
    }

    /// Reads the nodes' cookies now, for the same reason as [`Config::hold_keys`].
    pub(crate) fn hold_cookies(&mut self) {
        let nodes = self.nodes.iter_mut().map(|node| &mut node.rpc);
        nodes.chain(&mut self.chain_guard.second_node).for_each(|node| node.auth.hold_cookie());
    }
}

/// All mistakes of a configuration. Each is a sentence that begins with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Mistakes {}
