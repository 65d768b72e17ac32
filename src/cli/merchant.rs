//! `litegate merchant …`: the bot's operations, for operators without Discord and scripts.

use std::path::Path;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::merchant_key::Key;
use super::merchant_second_factor::{Code, SecondFactor};
use super::open::open;
use super::output::{Format, print_json, print_note};
use crate::config::Config;
use crate::domain::address::Address;
use crate::domain::merchant::{BusinessName, MerchantId, OldKey};
use crate::domain::notification::{DeliveryMode, Kind};
use crate::domain::time::Timestamp;
use crate::operations::merchants::{self as operations, NewMerchant};
use crate::operations::own_addresses::{ForeignAddress, OwnAddresses};
use crate::operations::{Actor, Refusal, accounts};
use crate::store::{Store, WriteTx, payout_waits};
use crate::view::account::SumsView;

use super::merchant_notifications;
use super::merchant_view::{Reveal, list, print_text, view};

#[derive(Args)]
#[command(
    after_help = "Example: litegate merchant add --name 'Demo Shop' --payout-address ltc1q… --days 30"
)]
pub(super) struct Merchant {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Add a merchant and print its id and API key
    #[command(after_help = "Example: litegate merchant add --name 'Demo Shop' --days 30")]
    Add {
        #[arg(long)]
        name: String,
        /// The Discord user who owns the account
        #[arg(long)]
        discord_id: Option<u64>,
        #[arg(long)]
        payout_address: Option<String>,
        /// Days of the initial subscription
        #[arg(long)]
        days: Option<u32>,
    },
    /// List all merchants
    #[command(after_help = "Example: litegate merchant list")]
    List,
    /// Show one merchant
    #[command(after_help = "Example: litegate merchant show mer_0123456789ab")]
    Show { id: MerchantId },
    /// Register a payout address; a change takes effect after the configured delay
    #[command(after_help = "Example: litegate merchant set-address mer_0123456789ab ltc1q…")]
    SetAddress {
        id: MerchantId,
        address: String,
        #[command(flatten)]
        code: Code,
    },
    /// Cancel a change of the payout address before it takes effect
    #[command(after_help = "Example: litegate merchant cancel-address-change mer_0123456789ab")]
    CancelAddressChange { id: MerchantId },
    /// Change the business name
    #[command(after_help = "Example: litegate merchant set-name mer_0123456789ab 'New name'")]
    SetName { id: MerchantId, name: String },
    /// Set the confirmations that new payments need
    #[command(after_help = "Example: litegate merchant set-confirmations mer_0123456789ab 3")]
    SetConfirmations {
        id: MerchantId,
        /// A number, or tiers by amount in LTC such as '1 below 0.2, 3 below 2, 6'
        confirmations: String,
    },
    /// Set the underpayment that new payments accept, unless a request names another
    #[command(after_help = "Example: litegate merchant set-tolerance mer_0123456789ab 1.5")]
    SetTolerance {
        id: MerchantId,
        /// Percent of the amount, 0 to 10
        percent: String,
    },
    /// Set the events whose webhooks are sent beside completed, unless a request names others
    #[command(after_help = "Example: litegate merchant set-events mer_0123456789ab seen,late")]
    SetEvents {
        id: MerchantId,
        /// seen, partly_paid, expired, late and replaced, separated by commas; or none
        events: String,
    },
    /// Add days of subscription
    #[command(after_help = "Example: litegate merchant grant mer_0123456789ab 30")]
    Grant { id: MerchantId, days: u32 },
    /// End the subscription now
    #[command(after_help = "Example: litegate merchant revoke mer_0123456789ab")]
    Revoke { id: MerchantId },
    /// Refuse new payments of the merchant; open ones continue and are paid out
    #[command(after_help = "Example: litegate merchant suspend mer_0123456789ab")]
    Suspend { id: MerchantId },
    /// Accept new payments of a suspended merchant again
    #[command(after_help = "Example: litegate merchant unsuspend mer_0123456789ab")]
    Unsuspend { id: MerchantId },
    /// Show the API key
    #[command(after_help = "Example: litegate merchant view-key mer_0123456789ab")]
    ViewKey { id: MerchantId },
    /// Create a new API key; the old one ends now, or after 24 hours with --keep-old
    #[command(after_help = "Example: litegate merchant rotate-key mer_0123456789ab")]
    RotateKey {
        id: MerchantId,
        /// Accept the old key for 24 more hours
        #[arg(long)]
        keep_old: bool,
        #[command(flatten)]
        code: Code,
    },
    /// Manage named API keys with a scope
    #[command(after_help = "Example: litegate merchant key list mer_0123456789ab")]
    Key {
        #[command(subcommand)]
        key: Key,
    },
    /// Manage the second factor for changes of payout address and API key
    #[command(after_help = "Example: litegate merchant second-factor enable mer_0123456789ab")]
    SecondFactor {
        #[command(subcommand)]
        step: SecondFactor,
    },
    /// Set the default URL of webhooks, for payments without one
    #[command(after_help = "Example: litegate merchant set-webhook-url mer_0123456789ab \
                            https://shop.example/hook")]
    SetWebhookUrl {
        id: MerchantId,
        /// A URL, or none
        url: String,
    },
    /// Show which notifications the merchant gets and how, or set one kind
    #[command(
        after_help = "Example: litegate merchant notification-settings mer_0123456789ab paid message"
    )]
    NotificationSettings {
        id: MerchantId,
        #[arg(requires = "way")]
        kind: Option<Kind>,
        /// message, channel (announces a waiting notification) or off
        way: Option<DeliveryMode>,
    },
    /// Show the merchant's notifications, newest first
    #[command(after_help = "Example: litegate merchant notifications mer_0123456789ab")]
    Notifications { id: MerchantId },
    /// Show the secret that signs webhooks
    #[command(after_help = "Example: litegate merchant view-webhook-secret mer_0123456789ab")]
    ViewWebhookSecret { id: MerchantId },
    /// Create a new webhook secret; webhooks carry signatures of both for 24 hours
    #[command(
        after_help = "A second rotation within that time revokes the first secret at once.\n\n\
                            Example: litegate merchant rotate-webhook-secret mer_0123456789ab"
    )]
    RotateWebhookSecret { id: MerchantId },
}

impl Merchant {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        let reveal = match self.act {
            Act::List => return list(&config, &store, format),
            Act::Key { key } => return key.run(&config, &store, format),
            Act::SecondFactor { step } => return step.run(&config, &store, format),
            Act::NotificationSettings { id, kind, way } => {
                return merchant_notifications::settings(
                    &config,
                    &store,
                    id,
                    kind.zip(way),
                    format,
                );
            }
            Act::Notifications { id } => return merchant_notifications::list(&store, id, format),
            Act::Add { .. } | Act::ViewKey { .. } | Act::RotateKey { .. } => Reveal::ApiKey,
            Act::ViewWebhookSecret { .. } | Act::RotateWebhookSecret { .. } => {
                Reveal::WebhookSecret
            }
            Act::Show { .. }
            | Act::SetAddress { .. }
            | Act::CancelAddressChange { .. }
            | Act::SetName { .. }
            | Act::SetWebhookUrl { .. }
            | Act::SetConfirmations { .. }
            | Act::SetTolerance { .. }
            | Act::SetEvents { .. }
            | Act::Grant { .. }
            | Act::Suspend { .. }
            | Act::Unsuspend { .. }
            | Act::Revoke { .. } => Reveal::Nothing,
        };
        let show = matches!(self.act, Act::Show { .. });
        let id = self.act.carry_out(&config, &store)?;
        let network = config.network;
        let account = store.read_blocking(|tx| operations::account(tx, id, network))?;
        let mut view = view(&account, &config, reveal)?;
        let waits = store.read_blocking(|tx| payout_waits::of(tx, id))?;
        view.payouts_wait = waits.map(|waits| waits.wait.to_string());
        if show {
            view.sums = Some(SumsView::new(&store.read_blocking(|tx| accounts::sums(tx, id))?));
        }
        match format {
            Format::Json => print_json(&view),
            Format::Text => print_text(&view),
        }
    }
}

impl Act {
    /// Performs the operation in one write. Answers its merchant.
    fn carry_out(self, config: &Config, store: &Store) -> Result<MerchantId, Failure> {
        let (now, rules) = (config.clock.now(), config.merchants.clone());
        let clock = config.clock.clone();
        let cli = Actor::Cli;
        match self {
            Act::Add { name, discord_id, payout_address, days } => {
                let name = BusinessName::parse(&name).map_err(Refusal::from)?;
                let read = |text: String| read_address(&text, config, store);
                let payout_address = payout_address.map(read).transpose()?;
                let new = NewMerchant { name, discord_id, payout_address, days };
                write(store, move |tx| Ok(operations::add(tx, &cli, &rules, &new, &clock)?.id))
            }
            Act::SetAddress { id, address, code } => set_address(config, store, id, &address, code),
            Act::CancelAddressChange { id } => write(store, move |tx| {
                operations::cancel_address_change(tx, &cli, id, &clock).map(|()| id)
            }),
            Act::SetName { id, name } => {
                let name = BusinessName::parse(&name).map_err(Refusal::from)?;
                write(store, move |tx| operations::set_name(tx, &cli, id, &name, now).map(|()| id))
            }
            Act::SetConfirmations { id, confirmations } => {
                let choice = operations::read_confirmations(&confirmations)?;
                write(store, move |tx| {
                    operations::set_confirmations(tx, &cli, id, &choice, now).map(|()| id)
                })
            }
            Act::SetTolerance { id, percent } => {
                let tolerance = operations::read_tolerance(&percent)?;
                write(store, move |tx| {
                    operations::set_tolerance(tx, &cli, id, tolerance, now).map(|()| id)
                })
            }
            Act::SetEvents { id, events } => {
                let events = operations::read_events(&events)?;
                write(store, move |tx| {
                    operations::set_events(tx, &cli, id, events, now).map(|()| id)
                })
            }
            Act::Grant { id, days } => {
                write(store, move |tx| operations::grant(tx, &cli, id, days, now).map(|_| id))
            }
            Act::Revoke { id } => {
                write(store, move |tx| operations::revoke(tx, &cli, id, now).map(|()| id))
            }
            Act::Suspend { id } => {
                write(store, move |tx| operations::suspend(tx, &cli, id, now).map(|()| id))
            }
            Act::Unsuspend { id } => {
                write(store, move |tx| operations::unsuspend(tx, &cli, id, now).map(|()| id))
            }
            Act::RotateKey { id, keep_old, code } => {
                let old = if keep_old { OldKey::GracePeriod } else { OldKey::RevokeNow };
                code.guard(config, store, id, move |tx, passed| {
                    operations::rotate_key(tx, &cli, id, old, passed, now).map(|_| id)
                })
            }
            Act::SetWebhookUrl { id, url } => {
                let url = operations::read_webhook_url(&url, &config.webhooks.egress)?;
                write(store, move |tx| {
                    operations::set_webhook_url(tx, &cli, id, url.as_ref(), now).map(|()| id)
                })
            }
            Act::RotateWebhookSecret { id } => write(store, move |tx| {
                operations::rotate_webhook_secret(tx, &cli, id, now).map(|_| id)
            }),
            Act::ViewKey { id } => record_shown(store, id, "view_key", now),
            Act::ViewWebhookSecret { id } => record_shown(store, id, "view_webhook_secret", now),
            Act::Show { id } => Ok(id),
            Act::List
            | Act::Key { .. }
            | Act::SecondFactor { .. }
            | Act::NotificationSettings { .. }
            | Act::Notifications { .. } => {
                Err(Failure::Usage("this command does not show a merchant".to_owned()))
            }
        }
    }
}

/// Runs an operation in one write.
fn write(
    store: &Store,
    act: impl FnOnce(&WriteTx) -> Result<MerchantId, Refusal> + Send + 'static,
) -> Result<MerchantId, Failure> {
    Ok(store.write_blocking(act)?)
}

fn set_address(
    config: &Config,
    store: &Store,
    id: MerchantId,
    text: &str,
    code: Code,
) -> Result<MerchantId, Failure> {
    let address = read_address(text, config, store)?;
    let (rules, clock) = (config.merchants.clone(), config.clock.clone());
    let registered = code.guard(config, store, id, move |tx, passed| {
        operations::set_address(tx, &Actor::Cli, &rules, id, &address, passed, &clock)
    })?;
    if !registered.is_new {
        let address = registered.registration.address;
        print_note(&format!("litegate: {address} is already registered; nothing was changed"));
    }
    Ok(id)
}

/// Records in the audit log that a secret was shown.
fn record_shown(
    store: &Store,
    id: MerchantId,
    act: &'static str,
    now: Timestamp,
) -> Result<MerchantId, Failure> {
    write(store, move |tx| {
        operations::get(tx, id)?;
        operations::record_shown(tx, &Actor::Cli, id, act, now).map(|()| id)
    })
}

/// Parses an address that is not the account's own. Warns about one that may be meant for
/// Bitcoin.
fn read_address(text: &str, config: &Config, store: &Store) -> Result<ForeignAddress, Refusal> {
    let address = Address::parse(text.trim(), config.network)?;
    if address.is_old_p2sh_spelling() {
        print_note(&format!(
            "litegate: {text} may be meant for Bitcoin; on Litecoin it is {address}"
        ));
    }
    let own = OwnAddresses::new(config.xpub.clone());
    store.read_blocking(|tx| own.vet(tx, address))
}
