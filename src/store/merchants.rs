//! Merchants and the registrations of their payout addresses.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use rusqlite::{OptionalExtension, Row, params};

use crate::domain::address::Address;
use crate::domain::merchant::{
    BusinessName, Merchant, MerchantId, PayoutAddress, Registrations, Subscription, WebhookSecret,
};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;

use super::columns::{impossible, script};
use super::{Error, ReadTx, WriteTx};

const COLUMNS: &str = "id, name, discord_id, created_at, key_version, previous_key_until,
    confirmations, subscription_until, webhook_version, webhook_rotated_at, webhook_url";

fn from_row(row: &Row) -> rusqlite::Result<Result<Merchant, Error>> {
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
    Ok(Ok(Merchant {
        id: row.get("id")?,
        name,
        discord_id,
        created_at: row.get("created_at")?,
        key_version: row.get("key_version")?,
        previous_key_until: row.get("previous_key_until")?,
        confirmations: row.get("confirmations")?,
        subscription: until.map_or(Subscription::None, Subscription::Until),
        webhook_secret: WebhookSecret {
            version: row.get("webhook_version")?,
            rotated_at: row.get("webhook_rotated_at")?,
        },
        webhook_url: row.get("webhook_url")?,
    }))
}

/// The merchant of this id.
pub(crate) fn by_id(tx: &ReadTx, id: MerchantId) -> Result<Option<Merchant>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM merchants WHERE id = ?");
    tx.connection.prepare_cached(&sql)?.query_row([id], from_row).optional()?.transpose()
}

/// The merchant whom this Discord user owns.
pub(crate) fn by_discord_id(tx: &ReadTx, discord_id: u64) -> Result<Option<Merchant>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM merchants WHERE discord_id = ?");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    statement.query_row([discord_id.to_string()], from_row).optional()?.transpose()
}

/// All merchants, in the order in which they came.
pub(crate) fn all(tx: &ReadTx) -> Result<Vec<Merchant>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM merchants ORDER BY created_at, id");
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], from_row)?;
    rows.map(|row| row?).collect()
}

/// Adds a merchant with the first version of the API key and of the webhook secret.
pub(crate) fn insert(tx: &WriteTx, merchant: &Merchant) -> Result<(), Error> {
    let sql = "INSERT INTO merchants (id, name, discord_id, created_at, key_version, confirmations)
               VALUES (?, ?, ?, ?, ?, ?)";
    tx.connection.execute(
        sql,
        params![
            merchant.id,
            merchant.name.as_str(),
            merchant.discord_id.map(|id| id.to_string()),
            merchant.created_at,
            merchant.key_version,
            merchant.confirmations,
        ],
    )?;
    set_subscription(tx, merchant.id, merchant.subscription)
}

/// Changes the business name.
pub(crate) fn set_name(tx: &WriteTx, id: MerchantId, name: &BusinessName) -> Result<(), Error> {
    let sql = "UPDATE merchants SET name = ? WHERE id = ?";
    tx.connection.execute(sql, params![name.as_str(), id])?;
    Ok(())
}

/// Changes the confirmations that the merchant asks for.
pub(crate) fn set_confirmations(tx: &WriteTx, id: MerchantId, n: u32) -> Result<(), Error> {
    tx.connection.execute("UPDATE merchants SET confirmations = ? WHERE id = ?", params![n, id])?;
    Ok(())
}

/// Changes the end of the subscription.
pub(crate) fn set_subscription(
    tx: &WriteTx,
    id: MerchantId,
    subscription: Subscription,
) -> Result<(), Error> {
    let until = match subscription {
        Subscription::None => None,
        Subscription::Until(end) => Some(end),
    };
    let sql = "UPDATE merchants SET subscription_until = ? WHERE id = ?";
    tx.connection.execute(sql, params![until, id])?;
    Ok(())
}

/// Makes the API key of the next version the one that counts. The one before is taken until a time,
/// or no more; all older ones are dead.
pub(crate) fn raise_key_version(
    tx: &WriteTx,
    id: MerchantId,
    previous_until: Option<Timestamp>,
) -> Result<(), Error> {
    let sql = "UPDATE merchants SET key_version = key_version + 1, previous_key_until = ?
               WHERE id = ?";
    tx.connection.execute(sql, params![previous_until, id])?;
    Ok(())
}

/// Changes where webhooks go of payments that are made without a URL of their own.
pub(crate) fn set_webhook_url(
    tx: &WriteTx,
    id: MerchantId,
    url: Option<&str>,
) -> Result<(), Error> {
    tx.connection.execute("UPDATE merchants SET webhook_url = ? WHERE id = ?", params![url, id])?;
    Ok(())
}

/// Makes the webhook secret of the next version the one that is shown; the one before signs beside
/// it for a while.
pub(crate) fn raise_webhook_version(
    tx: &WriteTx,
    id: MerchantId,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE merchants SET webhook_version = webhook_version + 1, webhook_rotated_at = ?
               WHERE id = ?";
    tx.connection.execute(sql, params![now, id])?;
    Ok(())
}

/// Since when the merchant may make no new payments, if an administrator has said so.
pub(crate) fn suspended_at(tx: &ReadTx, id: MerchantId) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT suspended_at FROM merchants WHERE id = ?";
    let found = tx.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Suspends a merchant, or lets it go on.
pub(crate) fn set_suspended(
    tx: &WriteTx,
    id: MerchantId,
    since: Option<Timestamp>,
) -> Result<(), Error> {
    let sql = "UPDATE merchants SET suspended_at = ? WHERE id = ?";
    tx.connection.execute(sql, params![since, id])?;
    Ok(())
}

/// All registrations of payout addresses of a merchant, damaged ones told apart.
pub(crate) fn payout_addresses(
    tx: &ReadTx,
    id: MerchantId,
    network: Network,
) -> Result<Registrations, Error> {
    let sql = "SELECT version, script, registered_at, effective_at, cancelled_at
               FROM payout_addresses WHERE merchant_id = ? ORDER BY version";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows =
        statement.query_map([id], |row| Ok((row.get("version")?, registration(row, network)?)))?;
    let mut found = Registrations::default();
    for row in rows {
        match row? {
            (_, Ok(registration)) => found.readable.push(registration),
            (version, Err(Error::Impossible(_))) => found.damaged.push(version),
            (_, Err(error)) => return Err(error),
        }
    }
    Ok(found)
}

/// All registrations that were not cancelled, with their merchants, oldest first. Rows that are no
/// address are left out: they are named where they are used.
pub(crate) fn uncancelled(
    tx: &ReadTx,
    network: Network,
) -> Result<BTreeMap<MerchantId, Vec<PayoutAddress>>, Error> {
    let sql = "SELECT merchant_id, version, script, registered_at, effective_at, cancelled_at
               FROM payout_addresses WHERE cancelled_at IS NULL ORDER BY merchant_id, version";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, MerchantId>("merchant_id")?, registration(row, network)?.ok()))
    })?;
    let mut found: BTreeMap<MerchantId, Vec<PayoutAddress>> = BTreeMap::new();
    for row in rows {
        let (merchant, registration) = row?;
        found.entry(merchant).or_default().extend(registration);
    }
    Ok(found)
}

fn registration(row: &Row, network: Network) -> rusqlite::Result<Result<PayoutAddress, Error>> {
    let script = script(row, "script")?;
    let Some(address) = Address::from_script(&script, network) else {
        return Ok(Err(impossible("payout_addresses.script", script.to_hex_string())));
    };
    Ok(Ok(PayoutAddress {
        version: row.get("version")?,
        address,
        registered_at: row.get("registered_at")?,
        effective_at: row.get("effective_at")?,
        cancelled_at: row.get("cancelled_at")?,
    }))
}

/// Each merchant's newest registration of a payout address, by version, and how many registrations
/// were cancelled: whoever knows both of them has seen all.
pub(crate) fn address_marks(tx: &ReadTx) -> Result<Vec<(MerchantId, u32, u32)>, Error> {
    let sql = "SELECT merchant_id, max(version), count(cancelled_at) FROM payout_addresses
               GROUP BY merchant_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether one of these scripts was ever registered as a payout address, by any merchant.
pub(crate) fn is_registered(tx: &ReadTx, scripts: &[ScriptBuf]) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payout_addresses WHERE script = ?)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    for script in scripts {
        if statement.query_row([script.as_bytes()], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many payout addresses a merchant has registered since a time, cancelled ones included.
pub(crate) fn registered_since(
    tx: &ReadTx,
    id: MerchantId,
    since: Timestamp,
) -> Result<u32, Error> {
    let sql = "SELECT count(*) FROM payout_addresses WHERE merchant_id = ? AND registered_at > ?";
    Ok(tx.connection.prepare_cached(sql)?.query_row(params![id, since], |row| row.get(0))?)
}

/// Whether the merchant has registered any payout address.
pub(crate) fn has_payout_address(tx: &ReadTx, id: MerchantId) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payout_addresses WHERE merchant_id = ?)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// Adds a registration. A change that was still to come is cancelled by it.
pub(crate) fn register_payout_address(
    tx: &WriteTx,
    id: MerchantId,
    registration: &PayoutAddress,
) -> Result<(), Error> {
    cancel_address_change(tx, id, registration.registered_at)?;
    let sql = "INSERT INTO payout_addresses
               (merchant_id, version, script, registered_at, effective_at)
               VALUES (?, ?, ?, ?, ?)";
    tx.connection.execute(
        sql,
        params![
            id,
            registration.version,
            registration.address.script().as_bytes(),
            registration.registered_at,
            registration.effective_at,
        ],
    )?;
    Ok(())
}

/// Cancels the change that has not taken effect yet. Answers whether there was one.
pub(crate) fn cancel_address_change(
    tx: &WriteTx,
    id: MerchantId,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "UPDATE payout_addresses SET cancelled_at = ?2
               WHERE merchant_id = ?1 AND effective_at > ?2 AND cancelled_at IS NULL";
    Ok(tx.connection.execute(sql, params![id, now])? > 0)
}

/// Cancels this registration, whenever it takes effect. Answers whether it was not cancelled yet.
pub(crate) fn cancel_address(
    tx: &WriteTx,
    id: MerchantId,
    version: u32,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "UPDATE payout_addresses SET cancelled_at = ?3
               WHERE merchant_id = ?1 AND version = ?2 AND cancelled_at IS NULL";
    Ok(tx.connection.execute(sql, params![id, version, now])? > 0)
}
