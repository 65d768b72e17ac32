//! Merchants: names, settings, and the versions of their keys and secrets.

mod api_keys;
mod payout_addresses;
mod row;
mod second_factors;

use rusqlite::OptionalExtension;

use crate::domain::confirmations::ConfirmationChoice;
use crate::domain::event_kind::EventKinds;
use crate::domain::merchant::{BusinessName, Merchant, MerchantId, Subscription, WebhookSecret};
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;

use super::authenticated::{self, MERCHANTS, PAYOUT_ADDRESSES, Value};
use super::columns::{event_kinds_column, tolerance_column};
use super::error::Error;
use super::heads::Head;
use super::tx::{ReadTx, WriteTx};
use row::{change, from_row, read, tiers_column, verified};

pub(crate) use api_keys::{
    api_key, api_keys, insert_api_key, missing_api_keys, note_api_key_used, revoke_api_key,
};
pub(crate) use payout_addresses::{
    address_marks, cancel_address, cancel_address_change, has_payout_address, is_registered,
    payout_addresses, register_payout_address, registered_since, uncancelled,
};
pub(crate) use second_factors::{
    State as FactorState, begin_second_factor, disable_second_factor, enable_second_factor,
    enabled_second_factors, missing_second_factors, save_second_factor, second_factor,
    stored_second_factor,
};

pub(crate) fn by_id(tx: &ReadTx, id: MerchantId) -> Result<Option<Merchant>, Error> {
    let sql = "SELECT * FROM merchants WHERE id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    statement.query_row([id], |row| from_row(tx, row)).optional()?.transpose()
}

/// The merchant that this Discord user owns.
pub(crate) fn by_discord_id(tx: &ReadTx, discord_id: u64) -> Result<Option<Merchant>, Error> {
    let sql = "SELECT * FROM merchants WHERE discord_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let found = statement.query_row([discord_id.to_string()], |row| from_row(tx, row));
    found.optional()?.transpose()
}

/// All merchants, in the order of their creation. Untrusted rows are skipped: `audit` reports
/// them.
pub(crate) fn all(tx: &ReadTx) -> Result<Vec<Merchant>, Error> {
    let sql = "SELECT * FROM merchants ORDER BY created_at, id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| from_row(tx, row))?;
    authenticated::trusted(rows)
}

pub(crate) fn any(tx: &ReadTx) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM merchants)";
    Ok(tx.connection.query_row(sql, [], |row| row.get(0))?)
}

/// Adds a merchant with the first version of the API key and of the webhook secret.
pub(crate) fn insert(tx: &WriteTx, merchant: &Merchant) -> Result<(), Error> {
    let (name, discord_id) = (merchant.name.as_str(), merchant.discord_id.map(|id| id.to_string()));
    let until = until_of(merchant.subscription);
    let none = None::<Timestamp>;
    let WebhookSecret { version, rotated_at } = merchant.webhook_secret;
    let tiers = tiers_column(&merchant.confirmations);
    let tolerance = tolerance_column(merchant.tolerance);
    let events = event_kinds_column(merchant.events);
    let values: [Value; 16] = [
        ("id", &merchant.id),
        ("revision", &1),
        ("name", &name),
        ("discord_id", &discord_id),
        ("created_at", &merchant.created_at),
        ("key_version", &merchant.key_version),
        ("previous_key_until", &merchant.previous_key_until),
        ("confirmations", &merchant.confirmations.others),
        ("subscription_until", &until),
        ("webhook_version", &version),
        ("webhook_rotated_at", &rotated_at),
        ("webhook_url", &merchant.webhook_url),
        ("suspended_at", &none),
        ("tolerance", &tolerance),
        ("events", &events),
        ("confirmation_tiers", &tiers),
    ];
    authenticated::insert(tx, &MERCHANTS, &values)?;
    let head = Head { revision: 1, key: merchant.key_version, secret: version, ..Head::default() };
    tx.raise_head(merchant.id, head);
    Ok(())
}

fn until_of(subscription: Subscription) -> Option<Timestamp> {
    match subscription {
        Subscription::None => None,
        Subscription::Until(end) => Some(end),
    }
}

pub(crate) fn set_name(tx: &WriteTx, id: MerchantId, name: &BusinessName) -> Result<(), Error> {
    change(tx, id, &[("name", &name.as_str())])
}

/// Changes the confirmations that the merchant asks for.
pub(crate) fn set_confirmations(
    tx: &WriteTx,
    id: MerchantId,
    choice: &ConfirmationChoice,
) -> Result<(), Error> {
    let tiers = tiers_column(choice);
    change(tx, id, &[("confirmations", &choice.others), ("confirmation_tiers", &tiers)])
}

/// Changes the tolerance of payments that name none.
pub(crate) fn set_tolerance(
    tx: &WriteTx,
    id: MerchantId,
    tolerance: Tolerance,
) -> Result<(), Error> {
    change(tx, id, &[("tolerance", &tolerance_column(tolerance))])
}

/// Changes the events of payments that name none.
pub(crate) fn set_events(tx: &WriteTx, id: MerchantId, events: EventKinds) -> Result<(), Error> {
    change(tx, id, &[("events", &event_kinds_column(events))])
}

pub(crate) fn set_subscription(
    tx: &WriteTx,
    id: MerchantId,
    subscription: Subscription,
) -> Result<(), Error> {
    change(tx, id, &[("subscription_until", &until_of(subscription))])
}

/// Creates the next version of the API key. The previous one is valid until a time, or
/// revoked; all older ones are revoked.
pub(crate) fn raise_key_version(
    tx: &WriteTx,
    id: MerchantId,
    previous_until: Option<Timestamp>,
) -> Result<(), Error> {
    let Some(merchant) = by_id(tx, id)? else { return Ok(()) };
    let key = merchant.key_version.saturating_add(1);
    change(tx, id, &[("key_version", &key), ("previous_key_until", &previous_until)])?;
    tx.raise_head(id, Head { key, ..Head::default() });
    Ok(())
}

/// Changes the webhook URL for payments without their own.
pub(crate) fn set_webhook_url(
    tx: &WriteTx,
    id: MerchantId,
    url: Option<&str>,
) -> Result<(), Error> {
    change(tx, id, &[("webhook_url", &url)])
}

/// Creates the next version of the webhook secret; the previous one signs beside it for the
/// grace period.
pub(crate) fn raise_webhook_version(
    tx: &WriteTx,
    id: MerchantId,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(merchant) = by_id(tx, id)? else { return Ok(()) };
    let secret = merchant.webhook_secret.version.saturating_add(1);
    change(tx, id, &[("webhook_version", &secret), ("webhook_rotated_at", &now)])?;
    tx.raise_head(id, Head { secret, ..Head::default() });
    Ok(())
}

/// Raises the rows of a restored copy that verify and are below their heads. Key and secret
/// get the versions that were last in use, so that nothing revoked becomes valid again.
/// Returns the merchants concerned: their other columns are as old as the copy.
pub(crate) fn raise_to_heads(tx: &WriteTx) -> Result<Vec<MerchantId>, Error> {
    let mut statement = tx.connection.prepare_cached("SELECT * FROM merchants ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        let (id, revision): (MerchantId, u32) = (row.get("id")?, row.get("revision")?);
        let is_below = revision < tx.head_of(id).revision && tx.verify(&MERCHANTS, row)?.is_ok();
        Ok((is_below, read(row)?))
    })?;
    let rows: Vec<(bool, Result<Merchant, Error>)> = rows.collect::<Result<_, _>>()?;
    let mut raised = Vec::new();
    for (_, merchant) in rows.into_iter().filter(|(is_below, _)| *is_below) {
        let Merchant { id, key_version: key, webhook_secret, created_at, .. } = merchant?;
        let head = tx.head_of(id);
        let WebhookSecret { version: secret, rotated_at } = webhook_secret;
        let revision = head.revision.saturating_add(1);
        let (key, secret) = (key.max(head.key), secret.max(head.secret));
        let none = None::<Timestamp>;
        // The time of the rotation is unknown; an old time ends the previous secret.
        let rotated_at = rotated_at.or((secret > 1).then_some(created_at));
        let changes: [Value; 5] = [
            ("webhook_rotated_at", &rotated_at),
            ("revision", &revision),
            ("key_version", &key),
            ("previous_key_until", &none),
            ("webhook_version", &secret),
        ];
        authenticated::update(tx, &MERCHANTS, &[&id], &changes)?;
        tx.raise_head(id, Head { revision, key, secret, ..Head::default() });
        // Which named keys were revoked since the copy is unknown.
        api_keys::end_api_keys(tx, id)?;
        second_factors::follow_head(tx, id)?;
        raised.push(id);
    }
    Ok(raised)
}

/// Makes a merchant's row and registrations trusted as they are: an operator vouches for them.
pub(crate) fn vouch(tx: &WriteTx, id: MerchantId) -> Result<(), Error> {
    if authenticated::vouch(tx, &MERCHANTS, "id = ?", &[&id])? > 0 {
        // The row may name a revision at which a revoked key was valid, or claim that there is
        // no second factor.
        api_keys::end_api_keys(tx, id)?;
        second_factors::follow_head(tx, id)?;
    }
    authenticated::vouch(tx, &PAYOUT_ADDRESSES, "merchant_id = ?", &[&id])?;
    raise_to_heads(tx).map(|_| ())
}

/// Since when an administrator has suspended the merchant.
pub(crate) fn suspended_at(tx: &ReadTx, id: MerchantId) -> Result<Option<Timestamp>, Error> {
    Ok(verified(tx, id, |row| row.get("suspended_at"))?.flatten())
}

/// Suspends a merchant, or ends the suspension.
pub(crate) fn set_suspended(
    tx: &WriteTx,
    id: MerchantId,
    since: Option<Timestamp>,
) -> Result<(), Error> {
    change(tx, id, &[("suspended_at", &since)])
}
