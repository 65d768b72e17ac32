//! Named API keys of a merchant: adding, listing and revoking them.

use crate::domain::api_key::{ApiKeyId, NAMED_API_KEYS_MAX, NamedApiKey, Scope};
use crate::domain::merchant::{BusinessName, MerchantId};
use crate::domain::time::Timestamp;
use crate::secret;
use crate::store::{self, ReadTx, WriteTx, audit_log, merchants as rows};

use super::actor::{Actor, entry};
use super::merchants;
use super::refusal::Refusal;

/// Why a request about named keys is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyRefusal {
    #[error("the merchant has no API key {0}; litegate merchant key list shows its keys")]
    UnknownKey(ApiKeyId),
    #[error("name must be unique; the key {0} has it already")]
    NameTaken(ApiKeyId),
    #[error("a merchant may have {NAMED_API_KEYS_MAX} named API keys; revoke one first")]
    TooMany,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<store::Error> for KeyRefusal {
    fn from(error: store::Error) -> KeyRefusal {
        KeyRefusal::Refused(error.into())
    }
}

/// Adds a named key.
///
/// # Errors
/// If there is no such merchant, another key has the name, or the merchant has too many keys.
pub(crate) fn add(
    tx: &WriteTx,
    actor: &Actor,
    merchant: MerchantId,
    name: &BusinessName,
    scope: Scope,
    now: Timestamp,
) -> Result<NamedApiKey, KeyRefusal> {
    let keys = list(tx, merchant)?;
    if let Some(taken) = keys.iter().find(|key| key.name == *name) {
        return Err(KeyRefusal::NameTaken(taken.id));
    }
    if keys.len() >= NAMED_API_KEYS_MAX as usize {
        return Err(KeyRefusal::TooMany);
    }
    let key = NamedApiKey {
        merchant,
        id: ApiKeyId::from_random(u64::from_be_bytes(secret::random_bytes())),
        name: name.clone(),
        scope,
        created_at: now,
        last_used_at: None,
    };
    rows::insert_api_key(tx, &key)?;
    audit_log::append(tx, &entry(actor, now, "add_api_key", merchant, (None, Some(shown(&key)))))?;
    Ok(key)
}

/// The merchant's named keys, the oldest first.
///
/// # Errors
/// If there is no such merchant.
pub(crate) fn list(tx: &ReadTx, merchant: MerchantId) -> Result<Vec<NamedApiKey>, KeyRefusal> {
    merchants::get(tx, merchant)?;
    Ok(rows::api_keys(tx, merchant)?)
}

fn get(tx: &ReadTx, merchant: MerchantId, id: ApiKeyId) -> Result<NamedApiKey, KeyRefusal> {
    merchants::get(tx, merchant)?;
    rows::api_key(tx, merchant, id)?.ok_or(KeyRefusal::UnknownKey(id))
}

/// Finds a named key to show its text, and records it in the audit log.
///
/// # Errors
/// If there is no such merchant or key.
pub(crate) fn show(
    tx: &WriteTx,
    actor: &Actor,
    merchant: MerchantId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<NamedApiKey, KeyRefusal> {
    let key = get(tx, merchant, id)?;
    audit_log::append(tx, &entry(actor, now, "view_api_key", merchant, (None, Some(shown(&key)))))?;
    Ok(key)
}

/// Revokes a named key: the next request with it is refused.
///
/// # Errors
/// If there is no such merchant or key.
pub(crate) fn revoke(
    tx: &WriteTx,
    actor: &Actor,
    merchant: MerchantId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<NamedApiKey, KeyRefusal> {
    let key = get(tx, merchant, id)?;
    rows::revoke_api_key(tx, merchant, id)?;
    audit_log::append(
        tx,
        &entry(actor, now, "revoke_api_key", merchant, (Some(shown(&key)), None)),
    )?;
    Ok(key)
}

/// The key as the audit log names it.
fn shown(key: &NamedApiKey) -> String {
    format!("{} {} ({})", key.id, key.name.as_str(), key.scope.as_str())
}
