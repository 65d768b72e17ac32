//! A merchant's row: reading it, and changing it as its next revision.

use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use crate::domain::amount::Amount;
use crate::domain::confirmations::{ConfirmationChoice, ConfirmationTiers, Tier};
use crate::domain::merchant::{BusinessName, Merchant, MerchantId, Subscription, WebhookSecret};
use crate::domain::time::Timestamp;
use crate::store::authenticated::{self, MERCHANTS, Value};
use crate::store::columns::{event_kinds, impossible, tolerance};
use crate::store::error::Error;
use crate::store::heads::Head;
use crate::store::tx::{ReadTx, WriteTx};

pub(super) fn from_row(tx: &ReadTx, row: &Row) -> rusqlite::Result<Result<Merchant, Error>> {
    if let Err(error) = tx.verify(&MERCHANTS, row)? {
        return Ok(Err(error));
    }
    let (id, revision): (MerchantId, u32) = (row.get("id")?, row.get("revision")?);
    if revision < tx.head_of(id).revision {
        return Ok(Err(tx.unverified(&MERCHANTS, id.to_string(), OLDER)));
    }
    read(row)
}

/// Why a row with a valid MAC is untrusted.
const OLDER: &str = "a newer state of it was replaced by this one";

/// A merchant's row without verification.
pub(super) fn read(row: &Row) -> rusqlite::Result<Result<Merchant, Error>> {
    let name: String = row.get("name")?;
    let discord_id: Option<String> = row.get("discord_id")?;
    let until: Option<Timestamp> = row.get("subscription_until")?;
    let Ok(name) = BusinessName::parse(&name) else {
        return Ok(Err(impossible("merchants.name", name)));
    };
    let discord_id = match discord_id.map(|id| id.parse::<u64>()) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return Ok(Err(impossible("merchants.discord_id", "not a number"))),
    };
    let tiers = match row.get::<_, Option<String>>("confirmation_tiers")? {
        None => Some(ConfirmationTiers::default()),
        Some(json) => read_tiers(&json),
    };
    let Some(tiers) = tiers else {
        return Ok(Err(impossible("merchants.confirmation_tiers", "not tiers")));
    };
    let confirmations = ConfirmationChoice { tiers, others: row.get("confirmations")? };
    let tolerance = match tolerance(row)? {
        Ok(tolerance) => tolerance,
        Err(error) => return Ok(Err(error)),
    };
    let events = match event_kinds(row, "events")? {
        Ok(events) => events.unwrap_or_default(),
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(Merchant {
        id: row.get("id")?,
        name,
        discord_id,
        created_at: row.get("created_at")?,
        key_version: row.get("key_version")?,
        previous_key_until: row.get("previous_key_until")?,
        confirmations,
        tolerance,
        events,
        subscription: until.map_or(Subscription::None, Subscription::Until),
        webhook_secret: WebhookSecret {
            version: row.get("webhook_version")?,
            rotated_at: row.get("webhook_rotated_at")?,
        },
        webhook_url: row.get("webhook_url")?,
    }))
}

/// A tier in the column `confirmation_tiers`, a JSON array.
#[derive(Serialize, Deserialize)]
struct TierRow {
    /// In litoshis.
    below: u64,
    confirmations: u32,
}

fn read_tiers(json: &str) -> Option<ConfirmationTiers> {
    let rows: Vec<TierRow> = serde_json::from_str(json).ok()?;
    let tier = |row: TierRow| {
        let below = Amount::from_litoshis(row.below)?;
        Some(Tier { below, confirmations: row.confirmations })
    };
    ConfirmationTiers::new(rows.into_iter().map(tier).collect::<Option<_>>()?).ok()
}

/// The column `confirmation_tiers` of a choice.
pub(super) fn tiers_column(choice: &ConfirmationChoice) -> Option<String> {
    if choice.tiers.is_empty() {
        return None;
    }
    let row =
        |tier: &Tier| TierRow { below: tier.below.litoshis(), confirmations: tier.confirmations };
    serde_json::to_string(&choice.tiers.iter().map(row).collect::<Vec<TierRow>>()).ok()
}

/// Changes columns of a merchant's row, as its next revision.
pub(super) fn change(tx: &WriteTx, id: MerchantId, changes: &[Value]) -> Result<(), Error> {
    let revision = next_revision(tx, id)?;
    let all: Vec<Value> = changes.iter().copied().chain([("revision", &revision as _)]).collect();
    authenticated::update(tx, &MERCHANTS, &[&id], &all)?;
    tx.raise_head(id, Head { revision, ..Head::default() });
    Ok(())
}

/// The revision of a merchant's row after the next change.
pub(super) fn next_revision(tx: &WriteTx, id: MerchantId) -> Result<u32, Error> {
    Ok(revision_of(tx, id)?.saturating_add(1))
}

/// The revision of a merchant's row, which must verify.
pub(super) fn revision_of(tx: &ReadTx, id: MerchantId) -> Result<u32, Error> {
    verified(tx, id, |row| row.get("revision"))?.ok_or_else(|| impossible("no merchant", id))
}

/// Reads columns of a merchant's row that [`Merchant`] does not have. The row must verify.
pub(super) fn verified<T>(
    tx: &ReadTx,
    id: MerchantId,
    read: impl FnOnce(&Row) -> rusqlite::Result<T>,
) -> Result<Option<T>, Error> {
    let sql = "SELECT * FROM merchants WHERE id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let found = statement
        .query_row([id], |row| Ok(from_row(tx, row)?.and_then(|_| Ok(read(row)?))))
        .optional()?;
    found.transpose()
}
