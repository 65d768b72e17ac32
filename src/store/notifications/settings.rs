//! Notification settings of merchants, and the known administrators.

use rusqlite::{OptionalExtension, params};

use crate::domain::merchant::MerchantId;
use crate::domain::notification::{DeliveryMode, Kind};
use crate::domain::time::Timestamp;
use crate::store::columns::impossible;
use crate::store::error::Error;
use crate::store::tx::{ReadTx, WriteTx};

/// How a merchant receives notifications of a kind.
pub(crate) fn way(tx: &ReadTx, merchant: MerchantId, kind: Kind) -> Result<DeliveryMode, Error> {
    let sql =
        "SELECT wanted, by_channel FROM notification_settings WHERE merchant_id = ? AND kind = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let chosen = statement.query_row(params![merchant, kind.as_str()], |row| {
        Ok(match (row.get("wanted")?, row.get("by_channel")?) {
            (false, _) => DeliveryMode::Off,
            (true, true) => DeliveryMode::Channel,
            (true, false) => DeliveryMode::Message,
        })
    });
    Ok(chosen.optional()?.unwrap_or(kind.default_way()))
}

/// Sets how a merchant receives notifications of a kind.
pub(crate) fn choose(
    tx: &WriteTx,
    merchant: MerchantId,
    kind: Kind,
    way: DeliveryMode,
) -> Result<(), Error> {
    let sql = "INSERT INTO notification_settings (merchant_id, kind, wanted, by_channel)
               VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (merchant_id, kind) DO UPDATE SET wanted = ?3, by_channel = ?4";
    let (wanted, by_channel) = (way != DeliveryMode::Off, way == DeliveryMode::Channel);
    tx.connection.execute(sql, params![merchant, kind.as_str(), wanted, by_channel])?;
    Ok(())
}

/// Records that a Discord user has proven to be an administrator.
pub(crate) fn remember_admin(tx: &WriteTx, user: u64, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO discord_admins (discord_id, proven_at) VALUES (?1, ?2)
               ON CONFLICT (discord_id) DO UPDATE SET proven_at = ?2";
    tx.connection.execute(sql, params![user.to_string(), now])?;
    Ok(())
}

/// Forgets a user who is no longer an administrator.
pub(crate) fn forget_admin(tx: &WriteTx, user: u64) -> Result<(), Error> {
    let sql = "DELETE FROM discord_admins WHERE discord_id = ?";
    tx.connection.execute(sql, [user.to_string()])?;
    Ok(())
}

/// The users who proved to be administrators.
pub(crate) fn admins(tx: &ReadTx) -> Result<Vec<u64>, Error> {
    let sql = "SELECT discord_id FROM discord_admins ORDER BY proven_at, discord_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let read =
        |text: String| text.parse().map_err(|_| impossible("discord_admins.discord_id", text));
    rows.map(|row| read(row?)).collect()
}
