//! Secrets: a wrapper that does not print, and keys that are derived instead of stored.
//!
//! API keys and webhook secrets are HMACs under the master secret of a merchant and a version.
//! The database holds no part of them, so a stolen copy grants no access, and they can be
//! shown again.

mod api_key;
mod backup_key;
mod mac;
mod master_secret;
pub(crate) mod rotation;
mod row_key;
pub(crate) mod row_key_file;
mod seal_key;
mod second_factor;
mod secrets;
mod value;

pub(crate) use api_key::{ApiKey, BadApiKey};
pub(crate) use backup_key::BackupKey;
pub(crate) use mac::{MAC_BYTES, Mac, input_field};
pub(crate) use master_secret::{MasterSecret, webhook_secret};
pub(crate) use row_key::{KeyPair, RowKey, RowKeys};
pub(crate) use seal_key::SealKey;
pub(crate) use second_factor::{AppSecret, Under};
pub(crate) use secrets::Secrets;
pub(crate) use value::{Secret, random_bytes, wipe_stack};
