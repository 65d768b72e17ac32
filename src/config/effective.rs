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
use crate::{bot, http, sweeper, watcher, webhooks};

/// Everything that the roles need to know, proven to make sense.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) network: Network,
    pub(crate) site: Site,
    pub(crate) database: PathBuf,
    /// The mark that says which addresses were given out.
    pub(crate) high_water_file: PathBuf,
    /// Where the heads of merchants' rows are kept; absent for a copy that is only examined.
    pub(crate) heads_file: Option<PathBuf>,
    /// The master secret; absent in a process of the sweeper alone ([`Config::secret`]).
    pub(crate) master_secret: Option<Secrets>,
    pub(crate) secret_file: PathBuf,
    /// The keys that the database's rows verify under.
    pub(crate) row_keys: RowKeys,
    /// Where a process of the sweeper alone finds them.
    pub(crate) row_key_file: Option<PathBuf>,
    pub(crate) http: http::Settings,
    /// The nodes that can be followed, at least one, in the operator's order.
    pub(crate) nodes: Vec<node::nodes::Settings>,
    /// How long the node that is followed may be unwell before another is.
    pub(crate) failover_timeout: Duration,
    pub(crate) chain_guard: watcher::chain_guard::Settings,
    /// How often the accounts are audited without being asked for.
    pub(crate) audit_interval: Duration,
    /// What is removed after which time.
    pub(crate) retention: retention::Rules,
    pub(crate) xpub: AccountXpub,
    pub(crate) signing_key_file: Option<PathBuf>,
    /// What opens the signing key's file if that is encrypted.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// What was read of the key files before root's rights were given up.
    pub(crate) held: Held,
    pub(crate) payments: create_payment::Rules,
    pub(crate) merchants: merchants::Rules,
    pub(crate) sweeper: sweeper::Settings,
    /// Absent: there is no seal key.
    pub(crate) seals: Option<sweeper::seals::Settings>,
    pub(crate) webhooks: webhooks::Settings,
    pub(crate) bot: Option<bot::Settings>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) clock: Clock,
}

/// Which process a configuration is read for: it reads no key that it does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Whatever needs the master secret.
    Gateway,
    /// The sweeper alone: the row keys in place of the master secret, and no token of Discord.
    SweeperAlone,
}

impl Config {
    /// The master secret in force and the one before it.
    ///
    /// # Errors
    /// In a process of the sweeper alone, which has none.
    pub(crate) fn secret(&self) -> Result<&Secrets, Mistakes> {
        let missing = || Mistakes(vec!["secret_file was not read by this process".to_owned()]);
        self.master_secret.as_ref().ok_or_else(missing)
    }

    /// The key that names the file from which the row keys come.
    pub(crate) fn row_keys_come_from(&self) -> &'static str {
        match self.master_secret {
            Some(_) => "secret_file",
            None => "sweeper.row_key_file",
        }
    }

    /// The addresses that payments get: the operator's own is never given out.
    pub(crate) fn addresses(&self) -> Addresses {
        let operator = self.sweeper.rules.operator.as_ref().map(|fee| fee.script.clone());
        Addresses::new(self.xpub.clone(), operator)
    }

    /// Checks that the operator's fee does not go to an address of the account. `is_own` says
    /// whether a script is one.
    ///
    /// # Errors
    /// If it is, or what `is_own` fails with.
    pub(crate) fn check_operator_address<E>(
        &self,
        is_own: impl FnOnce(&Script) -> Result<bool, E>,
    ) -> Result<Result<(), Mistakes>, E> {
        let Some(operator) = &self.sweeper.rules.operator else { return Ok(Ok(())) };
        let mistake = format!("sweeper.operator_address {}", Reason::OwnAddress);
        Ok(if is_own(&operator.script)? { Err(Mistakes(vec![mistake])) } else { Ok(()) })
    }

    /// What may wait for payout at most before the operator is warned: of no interest where the key
    /// lies elsewhere.
    pub(crate) fn hot_limit(&self) -> Option<Amount> {
        self.sweeper.max_hot_balance.filter(|_| self.signing_key_file.is_some())
    }

    /// Reads the key files now: the user that this process is about to become may not.
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

    /// Forgets the key files' texts: who needs a key has it by now.
    pub(crate) fn release_keys(&mut self) {
        self.hold(Held::default());
    }

    fn hold(&mut self, held: Held) {
        if let Some(seals) = &mut self.seals {
            seals.held = held.clone();
        }
        self.held = held;
    }

    /// As [`Config::hold_keys`], the cookies of the nodes.
    pub(crate) fn hold_cookies(&mut self) {
        let nodes = self.nodes.iter_mut().map(|node| &mut node.rpc);
        nodes.chain(&mut self.chain_guard.second_node).for_each(|node| node.auth.hold_cookie());
    }
}

/// All mistakes of a configuration, each a sentence that begins with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Mistakes {}
