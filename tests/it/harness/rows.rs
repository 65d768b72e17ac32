//! MACs of the database's rows, computed independently from the documented form: HMAC-SHA256
//! over the table's name and, for each covered column that is not NULL, name and value, each
//! with a type letter and a length.

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use bitcoin::hex::FromHex;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::gateway::Gateway;

/// Tables with the number of key columns and the covered columns.
pub(crate) const TABLES: [(&str, usize, &str); 12] = [
    ("identity", 1, "name, value"),
    (
        "merchants",
        1,
        "id, revision, name, discord_id, created_at, key_version, previous_key_until, \
         confirmations, subscription_until, webhook_version, webhook_rotated_at, webhook_url, \
         suspended_at, api_keys_revision, api_keys, second_factor_revision, tolerance, events, \
         confirmation_tiers",
    ),
    ("api_keys", 2, "merchant_id, id, revision, name, scope, created_at, last_used_at"),
    (
        "second_factors",
        1,
        "merchant_id, revision, secret, begun_at, enabled_revision, last_step, wrong, \
         locked_until, recovery",
    ),
    (
        "payout_addresses",
        2,
        "merchant_id, version, script, registered_at, effective_at, cancelled_at",
    ),
    (
        "payments",
        1,
        "derivation_index, id, merchant_id, script, amount, created_at, expires_at, late_until, \
         confirmations, confirmations_pegout, reference, webhook_url, redirect_url, \
         display_amount, status, status_at, late, api_key, tolerance, required_amount, price, \
         metadata, events, accepted_amount, cancelled",
    ),
    (
        "coins",
        2,
        "txid, vout, derivation_index, amount, origin, seen_at, place, block_height, block_hash, \
         pegout, rate",
    ),
    ("events", 1, "id, derivation_index, kind, merchant_id, url, body, created_at"),
    ("idempotency_keys", 2, "merchant_id, key, request_hash, derivation_index, created_at"),
    ("confirmations", 1, "id, discord_id, act, argument, expires_at"),
    ("skipped_indexes", 1, "below, at, reason"),
    ("rate_refreshes", 1, "at, quotes"),
];

/// The row key, which only the gateway has.
pub(crate) struct RowKey([u8; 32]);

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    parts.iter().for_each(|part| engine.input(part));
    Hmac::from_engine(engine).to_byte_array()
}

impl RowKey {
    pub(crate) fn of(gateway: &Gateway) -> RowKey {
        let text = std::fs::read_to_string(gateway.setting("secret_file")).unwrap();
        let secret = Vec::from_hex(text.trim()).unwrap();
        let purpose: &[u8] = b"database rows";
        let length = (purpose.len() as u64).to_be_bytes();
        RowKey(hmac(&secret, &[&length, purpose]))
    }

    /// The MAC of a row.
    fn mac(&self, table: &str, columns: &[&str], values: &[Value]) -> [u8; 32] {
        let mut bytes = Vec::new();
        let mut add = |kind: u8, value: &[u8]| {
            bytes.push(kind);
            bytes.extend((value.len() as u64).to_be_bytes());
            bytes.extend(value);
        };
        add(b'R', table.as_bytes());
        for (column, value) in columns.iter().zip(values) {
            if *value != Value::Null {
                add(b'C', column.as_bytes());
            }
            match value {
                Value::Null => {}
                Value::Integer(number) => add(b'I', &number.to_be_bytes()),
                Value::Real(number) => add(b'F', &number.to_be_bytes()),
                Value::Text(text) => add(b'T', text.as_bytes()),
                Value::Blob(blob) => add(b'B', blob),
            }
        }
        hmac(&self.0, &[&bytes])
    }

    /// Adds the missing MACs of new rows, which may exceed memory.
    pub(crate) fn seal_new(&self, connection: &Connection) {
        for (table, keys, columns) in TABLES {
            let names: Vec<&str> = columns.split(", ").collect();
            let sql = format!("SELECT {columns} FROM {table} WHERE mac IS NULL");
            let mut select = connection.prepare(&sql).unwrap();
            let by_key: Vec<String> =
                names[..keys].iter().map(|name| format!("{name} = ?")).collect();
            let sql = format!("UPDATE {table} SET mac = ? WHERE {}", by_key.join(" AND "));
            let mut update = connection.prepare(&sql).unwrap();
            let mut rows = select.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<Value> = (0..names.len()).map(|at| row.get(at).unwrap()).collect();
                let mac = Value::Blob(self.mac(table, &names, &values).to_vec());
                let bound = std::iter::once(&mac).chain(&values[..keys]);
                update.execute(rusqlite::params_from_iter(bound)).unwrap();
            }
        }
    }

    /// Recomputes the MACs of all rows.
    #[track_caller]
    pub(crate) fn seal(&self, connection: &Connection) {
        for (table, keys, columns) in TABLES {
            let names: Vec<&str> = columns.split(", ").collect();
            let sql = format!("SELECT {columns}, mac FROM {table}");
            let Ok(mut select) = connection.prepare(&sql) else { continue }; // A test renamed it.
            let count = names.len();
            let rows = select
                .query_map([], |row| (0..=count).map(|at| row.get::<_, Value>(at)).collect())
                .unwrap();
            let rows: Vec<Vec<Value>> = rows.map(Result::unwrap).collect();
            let by_key: Vec<String> =
                names[..keys].iter().map(|name| format!("{name} = ?")).collect();
            let sql = format!("UPDATE {table} SET mac = ? WHERE {}", by_key.join(" AND "));
            let mut update = connection.prepare(&sql).unwrap();
            for row in rows {
                let mac = Value::Blob(self.mac(table, &names, &row[..count]).to_vec());
                if row[count] != mac {
                    let bound = std::iter::once(&mac).chain(&row[..keys]);
                    update.execute(rusqlite::params_from_iter(bound)).unwrap();
                }
            }
        }
    }
}

/// Writes the file of heads for the current rows, as if they were the newest.
pub(crate) fn forge_heads(gateway: &Gateway, connection: &Connection) {
    let sql = "SELECT id, revision, key_version, webhook_version,
                   coalesce((SELECT max(version) FROM payout_addresses WHERE merchant_id = id), 0),
                   (SELECT count(cancelled_at) FROM payout_addresses WHERE merchant_id = id)
               FROM merchants ORDER BY id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |row| {
            (0..6).map(|at| row.get::<_, i64>(at).map(i64::unsigned_abs)).collect()
        })
        .unwrap();
    let rows: Vec<Vec<u64>> = rows.map(Result::unwrap).collect();
    let mut signed = Vec::new();
    let mut add = |kind: u8, value: &[u8]| {
        signed.push(kind);
        signed.extend((value.len() as u64).to_be_bytes());
        signed.extend(value);
    };
    add(b'R', b"heads");
    let mut merchants = serde_json::Map::new();
    for row in rows {
        add(b'M', &row[0].to_be_bytes());
        row[1..].iter().for_each(|part| add(b'I', &u32::try_from(*part).unwrap().to_be_bytes()));
        let head = serde_json::json!({
            "revision": row[1], "key": row[2], "secret": row[3],
            "addresses": row[4], "cancelled": row[5],
        });
        merchants.insert(row[0].to_string(), head);
    }
    let mac = bitcoin::hex::DisplayHex::to_lower_hex_string(
        &hmac(&RowKey::of(gateway).0, &[&signed])[..],
    );
    let content = serde_json::json!({ "version": 1, "merchants": merchants, "mac": mac });
    let path = format!("{}.heads", gateway.setting("database"));
    std::fs::write(path, content.to_string()).unwrap();
}
