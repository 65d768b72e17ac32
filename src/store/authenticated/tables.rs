//! The tables whose rows carry a MAC, and the columns that it covers.
//!
//! `tests/it/authenticated.rs` compares this list with the schema and has the reason for every
//! column that is not covered.

/// A table whose rows carry a MAC in the column `mac`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The number of columns of its primary key, which come first in `columns`.
    pub(in crate::store) key: usize,
    /// The columns that the MAC covers, in its order.
    pub(in crate::store) columns: &'static [&'static str],
}

pub(crate) static PAYMENTS: Table = Table {
    name: "payments",
    key: 1,
    columns: &[
        "derivation_index",
        "id",
        "merchant_id",
        "script",
        "amount",
        "created_at",
        "expires_at",
        "late_until",
        "confirmations",
        "confirmations_pegout",
        "reference",
        "webhook_url",
        "redirect_url",
        "display_amount",
        "status",
        "status_at",
        "late",
        "api_key",
        "tolerance",
        "required_amount",
        "price",
        "metadata",
        "events",
        "accepted_amount",
        "cancelled",
    ],
};

pub(in crate::store) static MERCHANTS: Table = Table {
    name: "merchants",
    key: 1,
    columns: &[
        "id",
        "revision",
        "name",
        "discord_id",
        "created_at",
        "key_version",
        "previous_key_until",
        "confirmations",
        "subscription_until",
        "webhook_version",
        "webhook_rotated_at",
        "webhook_url",
        "suspended_at",
        "api_keys_revision",
        "api_keys",
        "second_factor_revision",
        "tolerance",
        "events",
        "confirmation_tiers",
    ],
};

pub(in crate::store) static API_KEYS: Table = Table {
    name: "api_keys",
    key: 2,
    columns: &["merchant_id", "id", "revision", "name", "scope", "created_at", "last_used_at"],
};

pub(in crate::store) static SECOND_FACTORS: Table = Table {
    name: "second_factors",
    key: 1,
    columns: &[
        "merchant_id",
        "revision",
        "secret",
        "begun_at",
        "enabled_revision",
        "last_step",
        "wrong",
        "locked_until",
        "recovery",
    ],
};

pub(in crate::store) static PAYOUT_ADDRESSES: Table = Table {
    name: "payout_addresses",
    key: 2,
    columns: &["merchant_id", "version", "script", "registered_at", "effective_at", "cancelled_at"],
};

pub(in crate::store) static COINS: Table = Table {
    name: "coins",
    key: 2,
    columns: &[
        "txid",
        "vout",
        "derivation_index",
        "amount",
        "origin",
        "seen_at",
        "place",
        "block_height",
        "block_hash",
        "pegout",
        "rate",
    ],
    // Not covered: a sweep's claim and the spend. A coin is spent once, whatever they say, and
    // `audit` compares them with the node's UTXO set.
};

pub(in crate::store) static EVENTS: Table = Table {
    name: "events",
    key: 1,
    columns: &["id", "derivation_index", "kind", "merchant_id", "url", "body", "created_at"],
    // Not covered: the delivery state, and the sequence, which only orders first attempts. The
    // sent content is covered.
};

pub(in crate::store) static IDEMPOTENCY_KEYS: Table = Table {
    name: "idempotency_keys",
    key: 2,
    columns: &["merchant_id", "key", "request_hash", "derivation_index", "created_at"],
};

pub(in crate::store) static CONFIRMATIONS: Table = Table {
    name: "confirmations",
    key: 1,
    columns: &["id", "discord_id", "act", "argument", "expires_at"],
    // Not covered: `used_at`. A repeated question is answered by the same user.
};

pub(in crate::store) static IDENTITY: Table =
    Table { name: "identity", key: 1, columns: &["name", "value"] };

pub(in crate::store) static RATE_REFRESHES: Table =
    Table { name: "rate_refreshes", key: 1, columns: &["at", "quotes"] };

pub(in crate::store) static SKIPPED_INDEXES: Table =
    Table { name: "skipped_indexes", key: 1, columns: &["below", "at", "reason"] };

/// Every table whose rows carry a MAC.
pub(crate) static TABLES: [&Table; 12] = [
    &IDENTITY,
    &MERCHANTS,
    &API_KEYS,
    &SECOND_FACTORS,
    &PAYOUT_ADDRESSES,
    &PAYMENTS,
    &COINS,
    &EVENTS,
    &IDEMPOTENCY_KEYS,
    &CONFIRMATIONS,
    &SKIPPED_INDEXES,
    &RATE_REFRESHES,
];
