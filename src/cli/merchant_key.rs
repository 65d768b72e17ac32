//! `litegate merchant key …`: named API keys with a scope.

use clap::Subcommand;
use serde::Serialize;

use super::failure::Failure;
use super::output::{Format, print_json, print_line};
use crate::config::Config;
use crate::domain::api_key::{ApiKeyId, NamedApiKey, Scope};
use crate::domain::merchant::{BusinessName, MerchantId};
use crate::operations::api_keys::{self as operations, KeyRefusal};
use crate::operations::{Actor, Refusal};
use crate::store::Store;
use crate::view::Time;
use crate::view::merchant::Shown;

#[derive(Subcommand)]
pub(super) enum Key {
    /// Add an API key and print it
    #[command(
        after_help = "Example: litegate merchant key add mer_0123456789ab --scope create --name 'Shop plugin'"
    )]
    Add {
        merchant: MerchantId,
        /// create: create payments and read those; read: read everything; full: everything
        #[arg(long, default_value = "full", value_name = "create|read|full")]
        scope: Scope,
        /// The purpose of the key; unique per merchant
        #[arg(long)]
        name: String,
    },
    /// List the named API keys and when each was last used
    #[command(after_help = "Example: litegate merchant key list mer_0123456789ab")]
    List { merchant: MerchantId },
    /// Show an API key again
    #[command(after_help = "Example: litegate merchant key show mer_0123456789ab key_0123456789ab")]
    Show { merchant: MerchantId, key: ApiKeyId },
    /// Revoke an API key; the next request with it is refused
    #[command(
        after_help = "Example: litegate merchant key revoke mer_0123456789ab key_0123456789ab"
    )]
    Revoke { merchant: MerchantId, key: ApiKeyId },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyView {
    id: String,
    merchant_id: String,
    name: String,
    scope: &'static str,
    created_at: Time,
    last_used_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<Shown>,
}

impl From<KeyRefusal> for Failure {
    fn from(refusal: KeyRefusal) -> Failure {
        match refusal {
            KeyRefusal::Refused(refusal) => refusal.into(),
            KeyRefusal::NameTaken(_) => Failure::Usage(refusal.to_string()),
            other => Failure::Failed(other.to_string()),
        }
    }
}

impl KeyView {
    fn new(key: &NamedApiKey) -> KeyView {
        KeyView {
            id: key.id.to_string(),
            merchant_id: key.merchant.to_string(),
            name: key.name.as_str().to_owned(),
            scope: key.scope.as_str(),
            created_at: Time(key.created_at),
            last_used_at: key.last_used_at.map(Time),
            api_key: None,
        }
    }

    fn with_text(key: &NamedApiKey, config: &Config) -> Result<KeyView, Failure> {
        let secret = config.secret()?.current();
        let text = secret.named_api_key(config.network, key.merchant, key.id);
        Ok(KeyView { api_key: Some(Shown(text.reveal().clone())), ..KeyView::new(key) })
    }

    fn print(&self) -> Result<(), Failure> {
        let used = self.last_used_at.map_or("never used".to_owned(), |at| format!("used {}", at.0));
        let KeyView { id, name, scope, created_at, .. } = self;
        print_line(&format!("{id}  {scope:6}  {name}  created {}  {used}", created_at.0))?;
        self.api_key.as_ref().map_or(Ok(()), |key| print_line(&format!("API key  {}", key.0)))
    }
}

impl Key {
    pub(super) fn run(self, config: &Config, store: &Store, format: Format) -> Result<(), Failure> {
        let now = config.clock.now();
        let cli = Actor::Cli;
        let view = match self {
            Key::Add { merchant, scope, name } => {
                let name = BusinessName::parse(&name).map_err(Refusal::from)?;
                let key = store.write_blocking(move |tx| {
                    operations::add(tx, &cli, merchant, &name, scope, now)
                })?;
                KeyView::with_text(&key, config)?
            }
            Key::List { merchant } => return list(store, merchant, format),
            Key::Show { merchant, key } => {
                let key = store
                    .write_blocking(move |tx| operations::show(tx, &cli, merchant, key, now))?;
                KeyView::with_text(&key, config)?
            }
            Key::Revoke { merchant, key } => {
                let key = store
                    .write_blocking(move |tx| operations::revoke(tx, &cli, merchant, key, now))?;
                KeyView::new(&key)
            }
        };
        match format {
            Format::Json => print_json(&view),
            Format::Text => view.print(),
        }
    }
}

fn list(store: &Store, merchant: MerchantId, format: Format) -> Result<(), Failure> {
    let keys = store.read_blocking(|tx| operations::list(tx, merchant))?;
    let views: Vec<KeyView> = keys.iter().map(KeyView::new).collect();
    match format {
        Format::Json => print_json(&views),
        Format::Text => views.iter().try_for_each(KeyView::print),
    }
}
