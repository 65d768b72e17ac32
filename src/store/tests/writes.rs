//! Every statement that changes rows which it finds itself states here what bounds their
//! number. Larger changes run in batches (`store/batches.rs`).

use super::*;

/// Why a statement changes few rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// One row, found by a unique key.
    Key,
    /// It has a `LIMIT`.
    Limit,
    /// Its table has few rows.
    Small,
    /// The coins of one block or one sweep: one fact, committed atomically in a large write.
    /// Block size and transaction size bound it.
    Fact,
    /// A few rows, summed up from many: repairs stored sums that another program made wrong.
    Repair,
}

/// All statements except `INSERT … VALUES`, by their beginnings. Those of `authenticated.rs`
/// change one row, by its primary key.
const WRITES: [(&str, Bound); 51] = [
    ("UPDATE coins SET spent_txid = ?", Bound::Key),
    ("UPDATE coins SET spent_txid = NULL, spent_height = NULL WHERE spent_height", Bound::Fact),
    ("UPDATE coins SET spent_txid = NULL, spent_height = NULL WHERE txid", Bound::Key),
    ("UPDATE pegouts SET kernel_id", Bound::Key),
    ("UPDATE pegouts SET announced_txid", Bound::Key),
    ("DELETE FROM identity WHERE name", Bound::Key),
    ("UPDATE node_in_use SET", Bound::Small),
    ("DELETE FROM payout_waits", Bound::Small),
    ("DELETE FROM api_keys WHERE merchant_id", Bound::Small),
    ("DELETE FROM second_factors WHERE merchant_id", Bound::Key),
    ("UPDATE coins SET sweep_id = ?", Bound::Key),
    ("UPDATE coins SET sweep_id = NULL WHERE sweep_id", Bound::Fact),
    ("UPDATE sweeps SET abandoned_at", Bound::Key),
    ("UPDATE sweep_txs SET sent_at", Bound::Key),
    ("UPDATE sweep_txs SET damaged_at", Bound::Key),
    ("UPDATE sweep_txs SET txid", Bound::Key),
    ("UPDATE sweep_txs SET block_height = ?", Bound::Key),
    ("UPDATE sweep_txs SET block_height = NULL", Bound::Fact),
    ("DELETE FROM payouts WHERE (sweep_id, version) IN", Bound::Fact),
    ("DELETE FROM blocks WHERE height", Bound::Key),
    ("DELETE FROM payment_seals", Bound::Limit),
    ("DELETE FROM confirmations", Bound::Limit),
    ("UPDATE confirmations SET used_at", Bound::Key),
    ("DELETE FROM events WHERE id IN", Bound::Limit),
    ("UPDATE events SET attempts", Bound::Key),
    ("UPDATE events SET state = 'due'", Bound::Key),
    ("UPDATE events SET state = 'failed'", Bound::Key),
    ("UPDATE notifications SET batch", Bound::Key),
    ("UPDATE notifications SET state = ?", Bound::Key),
    ("UPDATE notifications SET attempts", Bound::Key),
    ("UPDATE notifications SET state = 'read'", Bound::Limit),
    ("DELETE FROM discord_admins", Bound::Key),
    ("UPDATE chain_guard_alerts SET last_finding_height", Bound::Small),
    ("UPDATE chain_guard_alerts SET ended_at", Bound::Small),
    ("DELETE FROM chain_guard_findings", Bound::Small),
    ("UPDATE chain_guard SET", Bound::Key),
    ("DELETE FROM in_flight_sweeps", Bound::Repair),
    ("INSERT INTO in_flight_sweeps SELECT", Bound::Repair),
    ("DELETE FROM payment_counts", Bound::Repair),
    ("INSERT INTO payment_counts SELECT", Bound::Repair),
    ("DELETE FROM merchant_coins", Bound::Repair),
    ("DELETE FROM merchant_payouts", Bound::Repair),
    ("DELETE FROM merchant_payments", Bound::Repair),
    ("DELETE FROM merchant_days", Bound::Limit),
    ("DELETE FROM idempotency_keys", Bound::Limit),
    ("DELETE FROM attempts", Bound::Limit),
    ("DELETE FROM notifications", Bound::Limit),
    ("DELETE FROM sweep_requests", Bound::Limit),
    ("DELETE FROM rate_refreshes", Bound::Limit),
    ("DELETE FROM table_sizes", Bound::Small),
    ("DELETE FROM payouts WHERE sweep_id", Bound::Fact),
];

/// As [`WRITES`], for statements that sum up a merchant.
const SUMS: [&str; 3] = [
    "INSERT INTO merchant_coins SELECT",
    "INSERT INTO merchant_payouts SELECT",
    "INSERT INTO merchant_payments SELECT",
];

/// The bound of a statement; `None` if none is stated.
fn bound_of(sql: &str) -> Option<Bound> {
    let named = WRITES.iter().find(|(start, _)| sql.starts_with(start)).map(|(_, bound)| *bound);
    let is_sum = SUMS.iter().any(|start| sql.starts_with(start));
    named.or(is_sum.then_some(Bound::Repair))
}

/// Whether it changes rows that it finds itself.
fn is_write(sql: &str) -> bool {
    let inserts = sql.starts_with("INSERT ") || sql.starts_with("REPLACE ");
    let changes = sql.starts_with("UPDATE ") || sql.starts_with("DELETE ");
    let within = ["UPDATE ", "DELETE FROM ", "INSERT INTO "];
    let behind_with = sql.starts_with("WITH ") && within.iter().any(|word| sql.contains(word));
    (inserts && !sql.contains(" VALUES (")) || changes || behind_with
}

/// How the plan of a statement contradicts its stated bound.
fn contradiction(tx: &ReadTx, sql: &str, bound: Bound) -> Option<String> {
    let prepared = tx.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"));
    let mut statement = prepared.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let count = statement.parameter_count();
    let values = rusqlite::params_from_iter(std::iter::repeat_n(1, count));
    let steps = statement.query_map(values, |row| row.get::<_, String>("detail")).expect("a plan");
    let steps: Vec<String> = steps.map(|step| step.expect("a step")).collect();
    let first = steps.first().map(String::as_str).unwrap_or_default();
    let by_key = ["PRIMARY KEY", "sqlite_autoindex_"].iter().any(|key| first.contains(key));
    let holds = match bound {
        Bound::Key => first.starts_with("SEARCH ") && by_key,
        Bound::Limit => sql.contains(" LIMIT ?"),
        Bound::Fact => first.starts_with("SEARCH "),
        Bound::Small | Bound::Repair => true,
    };
    (!holds).then(|| format!("{sql}\n    {bound:?}: {}", steps.join("; ")))
}

#[test]
fn every_write_declares_a_bound_for_its_rows() {
    let (_dir, store) = open();
    let writes: Vec<String> = all_statements().into_iter().filter(|sql| is_write(sql)).collect();
    assert!(writes.len() >= WRITES.len(), "the store's statements are found: {}", writes.len());
    let mut wrong = Vec::new();
    for sql in &writes {
        let Some(bound) = bound_of(sql) else {
            wrong.push(format!("{sql}\n    nothing bounds it: use a key, a LIMIT or `batches`"));
            continue;
        };
        let found = store.read_blocking(|tx| Ok::<_, Error>(contradiction(tx, sql, bound)));
        wrong.extend(found.expect("read"));
    }
    let stale = WRITES.iter().map(|(start, _)| *start).chain(SUMS);
    let stale = stale.filter(|start| !writes.iter().any(|sql| sql.starts_with(start)));
    wrong.extend(stale.map(|start| format!("{start}\n    is no statement any more")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unbounded_write_is_detected() {
    let (_dir, store) = open();
    let unbounded = "UPDATE payments SET redirect_url = NULL WHERE status = 'expired'";
    assert!(is_write(unbounded) && bound_of(unbounded).is_none());
    assert!(is_write("INSERT INTO audit_log SELECT * FROM audit_log"));
    assert!(is_write("WITH old AS (SELECT 1) DELETE FROM audit_log WHERE id IN old"));
    assert!(!is_write("INSERT INTO audit_log VALUES (1)"));
    let message = "UPDATE payments SET status = 'expired' WHERE expires_at < 5";
    let wrong = store.read_blocking(|tx| Ok::<_, Error>(contradiction(tx, message, Bound::Key)));
    assert!(wrong.expect("read").is_some(), "it is message to be found by a key, and is not");
}
