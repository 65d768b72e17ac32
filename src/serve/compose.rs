//! Builds the roles from the configuration, and for commands the sweeper and their node.

use std::sync::Arc;

use bitcoin::Script;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::http::qr::Codes;
use crate::http::status_cache::StatusCache;
use crate::http::{Api, Limits};
use crate::node::nodes::Nodes;
use crate::node::rpc::Node;
use crate::notifier::Notifier;
use crate::operations::own_addresses::OwnAddresses;
use crate::store::{self, Store};
use crate::sweeper::Sweeper;
use crate::sweeper::operator_notifier::OperatorNotifier;
use crate::sweeper::seals::{Access, Seals};
use crate::sweeper::signing_key::SigningKey;
use crate::{bot, operations};

use super::refused::Refused;

/// The node that a command uses.
pub(crate) fn node_of(config: &Config, store: &Store) -> Result<Node, store::Error> {
    operations::nodes::for_command(store, &Nodes::new(&config.nodes), config.network)
}

/// The sweeper with its keys.
///
/// # Errors
/// [`Refused`] if the keys are not the account's, are readable by others, or do not fit the
/// record. A configuration mistake if the operator's address belongs to the account.
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
    crate::secret::wipe_stack(); // Also what is too near to the frame that wiped it first.
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

pub(super) fn api_of(
    config: &Config,
    store: &Store,
    notifier: &Notifier,
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
        clock: config.clock.clone(),
        shutdown: shutdown.clone(),
        play_money_url: config.http.play_money_url.clone(),
        branding: config.http.branding.clone(),
        limits: Limits::new(&config.http),
    })
}

pub(super) fn bot_of(
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
