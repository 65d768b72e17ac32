//! Write access to the database authorises nothing: for every changed column of every table,
//! shoppers, merchants and sweeps see no false value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::receiver::Receiver;
use crate::harness::rows::TABLES;
use crate::harness::shop::{Created, Shop};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Columns without a MAC (`*`: a whole table), and why a false value moves no money, is not
/// signed and lets nobody act.
const FREE: [(&str, &str, &str); 33] = [
    ("attempts", "*", "shown to the merchant and the operator"),
    ("blocks", "*", "compared with the node at every pass of the watcher"),
    ("coins", "sweep_id spent_txid spent_height", "a coin is spent once; the audit compares"),
    ("confirmations", "used_at", "the same user confirms the same act again"),
    ("discord_admins", "*", "shown; Discord is asked who is an administrator"),
    ("discord_locales", "*", "the language of a message"),
    ("chain_guard_findings", "*", "found again by the next look at the nodes"),
    ("chain_guard", "*", "found again by the next look at the nodes"),
    ("chain_guard_alerts", "*", "found again by the next look at the nodes"),
    ("events", "sequence state attempts attempts_before next_at", "when it is sent, not what"),
    ("merchant_coins", "*", "sums that are shown; the audit compares them"),
    ("merchant_days", "*", "a limit"),
    ("merchant_payments", "*", "a limit, counted anew where it is reached"),
    ("merchant_payouts", "*", "sums that are shown; the audit compares them"),
    ("node_in_use", "*", "which node is asked, of those that are configured"),
    ("notification_settings", "*", "which notifications a merchant gets"),
    ("notifications", "*", "messages of the bot"),
    ("operator_addresses", "*", "recognises sweeps of ours; pays nothing"),
    ("payment_changes", "*", "which pages read a payment again"),
    ("payment_counts", "*", "metrics; the audit compares them"),
    ("payment_seals", "*", "the sweeper's own MACs"),
    ("payout_waits", "*", "shown; written by the sweeper"),
    ("payouts", "*", "shown; the audit compares them with the signed transactions"),
    ("pegouts", "*", "the order of first sights; the coins themselves are covered"),
    ("role_status", "*", "signs of life that are shown"),
    ("sweep_requests", "*", "a sweep that is made earlier"),
    ("sweep_txs", "*", "only transactions that our key signed are sent"),
    ("sweeps", "*", "which coins are claimed; a coin is spent once"),
    ("in_flight_sweeps", "*", "found again by the sweeper; the audit compares"),
    ("table_sizes", "*", "metrics"),
    ("audit_log", "*", "a chain of hashes covers it"),
    ("sqlite_sequence", "*", "SQLite's own"),
    ("sqlite_stat1", "*", "SQLite's own"),
];

/// The columns of all tables.
fn schema(database: &Database) -> BTreeMap<String, BTreeSet<String>> {
    let sql = "SELECT tables.name, columns.name FROM sqlite_schema AS tables
               JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'";
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in database.rows(sql) {
        let [Value::Text(table), Value::Text(column)] = &row[..] else { panic!("{row:?}") };
        found.entry(table.clone()).or_default().insert(column.clone());
    }
    found
}

/// 1. Let a new gateway create its database.
/// 2. Each column is covered by a MAC, or listed with a reason.
#[test]
fn every_column_has_a_mac_or_a_reason_for_having_none() {
    let gateway = Gateway::offline();
    gateway.cli_ok(&["merchant", "list"]);
    let mut undecided = schema(&Database::of(&gateway));
    for (table, _, columns) in TABLES {
        let left = undecided.get_mut(table).expect("the table is there");
        for column in columns.split(", ").chain(["mac"]) {
            assert!(left.remove(column), "{table} has no column {column}");
        }
    }
    for (table, columns, _) in FREE {
        let Some(left) = undecided.get_mut(table) else { continue };
        match columns {
            "*" => left.clear(),
            some => some.split(' ').for_each(|column| {
                assert!(left.remove(column), "{table} has no column {column}");
            }),
        }
    }
    undecided.retain(|_, columns| !columns.is_empty());
    assert!(undecided.is_empty(), "decide whether a MAC must cover {undecided:?}");
}

/// Values that an attacker wants, and that must not appear.
struct Scene {
    gateway: Gateway,
    shop: Shop,
    node: Arc<Node>,
    receiver: Receiver,
    /// A key that was replaced, twice, and a named one that was revoked.
    revoked: [Shop; 2],
    /// Unpaid payments, the second one with the idempotency key `again`.
    unpaid: [Created; 2],
    completed: Created,
    thief: String,
    thief_script: String,
    /// Rows of earlier times, which carry MACs of ours.
    older: BTreeMap<&'static str, Vec<Vec<Value>>>,
}

/// Rows that are replayed, from before they were changed.
const REPLAYED: [&str; 3] = ["merchants", "payout_addresses", "api_keys"];

impl Scene {
    fn new() -> Option<Scene> {
        let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.min_payout", "1"))?;
        let TestEnv { gateway, shop, node } = test_env;
        let receiver = Receiver::start();
        let hook = receiver.url("/hook");
        let revoked = shop.with_key(
            &gateway.cli_json(&["merchant", "view-key", &shop.merchant_id]).text("apiKey"),
        );
        let merchant = shop.merchant_id.clone();
        let add_key =
            |name: &str| gateway.cli_json(&["merchant", "key", "add", &merchant, "--name", name]);
        let (named, _kept) = (add_key("Old plugin"), add_key("New plugin"));
        let revoked = [revoked, shop.with_key(&named.text("apiKey"))];
        let change = node.fresh_address();
        gateway.cli_ok(&["merchant", "set-address", &merchant, &change]);
        let database = Database::of(&gateway);
        let all = |table| database.rows(&format!("SELECT * FROM {table}"));
        let older = REPLAYED.map(|table| (table, all(table))).into();
        gateway.cli_ok(&["merchant", "cancel-address-change", &merchant]);
        gateway.cli_ok(&["merchant", "key", "revoke", &merchant, &named.text("id")]);
        gateway.cli_ok(&["merchant", "rotate-key", &merchant]);
        gateway.cli_ok(&["merchant", "rotate-key", &merchant]);
        let key = gateway.cli_json(&["merchant", "view-key", &merchant]).text("apiKey");
        let shop = shop.with_key(&key);
        let completed = shop.create_with_webhook("0.05", &hook);
        node.send(&completed.address, "0.05");
        node.mine(2);
        shop.await_status(&completed.id, "completed", SOON);
        receiver.await_hit_for(&completed.id, SOON);
        let body = format!(r#"{{"amountLtc": 0.05, "webhookUrl": "{hook}"}}"#);
        let fields = Fields::of(&shop.post(&body, &[("idempotency-key", "again")]).body);
        let (id, address) = (fields.text("paymentId"), fields.text("receivingAddress"));
        let again = Created { id, address, fields };
        let unpaid = [shop.create_with_webhook("0.05", &hook), again];
        gateway.cli_ok(&["merchant", "second-factor", "enable", &merchant]);
        let thief = node.fresh_address();
        let info: serde_json::Value =
            node.call("getaddressinfo", serde_json::json!([thief.clone()]));
        let thief_script = info["scriptPubKey"].as_str().unwrap().to_owned();
        Some(Scene {
            gateway,
            shop,
            node,
            receiver,
            revoked,
            unpaid,
            completed,
            thief,
            thief_script,
            older,
        })
    }

    /// Writes into the file as an attacker does: no MAC is made, and neither triggers nor
    /// references nor conditions hold it up.
    fn try_write(&self, sql: &str) -> rusqlite::Result<()> {
        let mut connection = Connection::open(self.gateway.setting("database"))?;
        connection.busy_timeout(SOON)?;
        let freely = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON";
        connection.execute_batch(freely)?;
        let triggers: Vec<(String, String)> = {
            let names = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'";
            let mut statement = connection.prepare(names)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        let tx = connection.transaction()?;
        for (name, _) in &triggers {
            tx.execute_batch(&format!("DROP TRIGGER {name}"))?;
        }
        tx.execute_batch(sql)?;
        for (_, again) in &triggers {
            tx.execute_batch(again)?;
        }
        tx.commit()
    }

    #[track_caller]
    fn write(&self, sql: &str) {
        self.try_write(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// Nothing that users rely on follows from the written values.
    #[track_caller]
    fn check(&self, what: &str) {
        for unpaid in &self.unpaid {
            let answer = self.gateway.get(&format!("/api/payments/{}", unpaid.id));
            if answer.status == 200 {
                let shown = Fields::of(&answer.body);
                assert_eq!(shown.text("receivingAddress"), unpaid.address, "{what}");
                assert_ne!(shown.text("status"), "completed", "{what}");
                assert_eq!(shown.raw("amountLtc"), "0.05", "{what}");
            }
            let page = self.gateway.get(&format!("/pay/{}", unpaid.id));
            assert!(!page.body.contains(&self.thief), "{what}");
            assert!(page.status != 200 || page.body.contains(&unpaid.address), "{what}");
        }
        let body =
            format!(r#"{{"amountLtc": 0.05, "webhookUrl": "{}"}}"#, self.receiver.url("/hook"));
        let answer = self.shop.post(&body, &[("idempotency-key", "again")]);
        if answer.status == 200 {
            let repeated = Fields::of(&answer.body);
            let address = repeated.text("receivingAddress");
            let is_own = address == self.unpaid[1].address
                || repeated.text("paymentId") != self.unpaid[1].id;
            assert!(is_own && address != self.thief, "{what}: {}", repeated.whole());
        }
        for revoked in &self.revoked {
            let refused = revoked.post(r#"{"amountLtc": 0.05}"#, &[]);
            assert_ne!(refused.status, 200, "{what}: a revoked key works");
        }
        for hit in self.receiver.hits() {
            assert_eq!(hit.fields().text("paymentId"), self.completed.id, "{what}: unpaid");
        }
    }

    /// The row is named by `doctor`.
    #[track_caller]
    fn named(&self, table: &str, what: &str) {
        let said = self.gateway.doctor();
        let named = said.stdout.lines().any(|line| {
            let words = [
                format!("of the table {table} "),
                format!("a missing row of {table}"),
                format!("constraint failed in {table}"),
                format!(" of {table} refers to"),
                "the database belongs to another".to_owned(),
            ];
            line.starts_with("FAILURE") && words.iter().any(|words| line.contains(words))
        });
        assert!(named, "{what} is not named: {said:?}");
    }

    /// Other values of the same type as a cell's.
    fn others(&self, table: &str, column: &str, held: &Value) -> Vec<String> {
        let elsewhere = format!(
            "(SELECT {column} FROM {table} WHERE {column} IS NOT {} LIMIT 1)",
            literal(held)
        );
        let made = match (held, column) {
            (_, "script") => format!("x'{}'", self.thief_script),
            (Value::Integer(number), _) => (number + 1).to_string(),
            (Value::Text(text), _) => format!("'{text}x'"),
            (Value::Blob(_), _) => format!("randomblob(length({column}))"),
            (_, "discord_id") => "'4711'".to_owned(),
            (_, name)
                if ["reference", "webhook_url", "redirect_url", "display_amount"]
                    .contains(&name) =>
            {
                "'https://thief.example/'".to_owned()
            }
            (_, "block_hash") => "zeroblob(32)".to_owned(),
            _ => "1".to_owned(),
        };
        vec![made, elsewhere]
    }

    /// Changes each covered column of one row per table in turn, and restores it.
    /// `values` is how many other values each gets at most.
    fn walk(&self, values: usize, mut each: impl FnMut(&str, &str)) {
        let file = self.gateway.setting("database");
        for (table, keys, columns) in TABLES {
            let names: Vec<&str> = columns.split(", ").collect();
            let connection = Connection::open(&file).unwrap();
            let sql = format!("SELECT {columns} FROM {table} ORDER BY {} DESC LIMIT 1", names[0]);
            let row: Option<Vec<Value>> = connection
                .query_row(&sql, [], |row| (0..names.len()).map(|at| row.get(at)).collect())
                .ok();
            drop(connection);
            let Some(row) = row else { continue };
            for (at, column) in names.iter().enumerate() {
                let by_key: Vec<String> = (0..keys)
                    .map(|key| format!("{} IS {}", names[key], literal(&row[key])))
                    .collect();
                let by_key = by_key.join(" AND ");
                for other in self.others(table, column, &row[at]).iter().take(values) {
                    let what = format!("{table}.{column} = {other}");
                    let is_value = Database::at(file.as_ref())
                        .rows(&format!("SELECT {other} IS NOT NULL FROM {table} WHERE {by_key}"));
                    if is_value != [[Value::Integer(1)]] {
                        continue; // No other row has another value.
                    }
                    let whole = Database::at(file.as_ref())
                        .rows(&format!("SELECT * FROM {table} WHERE {by_key}"));
                    let whole: Vec<String> = whole[0].iter().map(literal).collect();
                    let mac = Database::at(file.as_ref())
                        .rows(&format!("SELECT mac FROM {table} WHERE {by_key}"));
                    let mac = literal(&mac[0][0]);
                    let change = format!("UPDATE {table} SET {column} = {other} WHERE {by_key}");
                    if self.try_write(&change).is_err() {
                        continue; // SQLite itself refuses a second row of a unique value.
                    }
                    each(table, &what);
                    // Found again by its MAC, whatever its key is now.
                    self.write(&format!(
                        "DELETE FROM {table} WHERE mac = {mac} OR {by_key};
                         INSERT INTO {table} VALUES ({})",
                        whole.join(", ")
                    ));
                }
            }
        }
    }

    /// Everything is restored: the sweeper checks damaged addresses again after a while.
    fn await_sound(&self) {
        let deadline = Duration::from_secs(60);
        wait_for("a doctor without a failure", deadline, || {
            let said = self.gateway.doctor();
            let failures = said.stdout.lines().filter(|line| line.starts_with("FAILURE"));
            failures.for_each(|line| println!("{line}"));
            said.code == 0
        });
    }

    /// The thief has nothing, and the shop is paid.
    fn pay_out(&self) {
        self.gateway.set("sweeper.min_payout", "0.01");
        self.gateway.restart();
        wait_for("the sweep", SOON, || {
            let _ = self.gateway.cli(&["sweep"]);
            !self.node.mempool().is_empty()
        });
        self.node.mine(1);
        assert_eq!(self.node.balance_of(&self.thief), 0);
        assert!(self.node.balance_of(&self.shop.payout_address) > 0);
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            format!("x'{}'", bitcoin::hex::DisplayHex::to_lower_hex_string(&bytes[..]))
        }
    }
}

/// 1. Run a gateway with a completed payment, two unpaid ones, a revoked key and a cancelled
///    address.
/// 2. Change each covered column, to another value and to another row's.
/// 3. No page, response, key or webhook follows it, and `doctor` names the row; restore it.
/// 4. At the end the shop is paid out.
#[test]
#[ignore = "long"]
fn no_changed_column_is_trusted_while_serving() {
    let Some(scene) = Scene::new() else { return };
    scene.check("before");
    let mut seen = 0;
    scene.walk(2, |table, what| {
        seen += 1;
        scene.check(what);
        scene.named(table, what);
    });
    assert!(seen > 60, "{seen} changes");
    scene.await_sound();
    scene.pay_out();
}

/// 1. As above, with the gateway stopped during each change.
#[test]
#[ignore = "long"]
fn no_changed_column_is_trusted_at_startup() {
    let Some(scene) = Scene::new() else { return };
    scene.gateway.kill();
    scene.walk(1, |table, what| {
        let before = scene.gateway.spawn();
        // Some changes let it refuse to start, which is as good.
        wait_for("ready, or ended", SOON, || {
            scene.gateway.ended().is_some() || scene.gateway.log()[before..].contains("ready")
        });
        if scene.gateway.ended().is_none() {
            scene.check(what);
            scene.named(table, what);
        }
        scene.gateway.kill();
    });
    scene.gateway.start();
    scene.await_sound();
    scene.pay_out();
}

/// 1. Run the same gateway.
/// 2. Swap, delete, invent and roll back rows.
/// 3. Nothing follows any of it, and `doctor` or `audit` names it; restore the database.
/// 4. Accept the audit log as it is: the shop is paid out.
#[test]
#[ignore = "long"]
fn no_forged_or_rolled_back_row_is_trusted() {
    let Some(scene) = Scene::new() else { return };
    let file = scene.gateway.setting("database");
    let index_of = |created: &Created| {
        let id = created.id.replace('-', "");
        match &Database::at(file.as_ref())
            .rows(&format!("SELECT derivation_index FROM payments WHERE id = x'{id}'"))[0][0]
        {
            Value::Integer(index) => *index,
            other => panic!("{other:?}"),
        }
    };
    let (first, second) = (index_of(&scene.unpaid[0]), index_of(&scene.unpaid[1]));
    let thief = &scene.thief_script;
    let kept = format!("{file}.kept");
    for (table, what) in [
        ("payments", format!(
            "UPDATE payments SET derivation_index = -1 WHERE derivation_index = {first};
             UPDATE payments SET derivation_index = {first} WHERE derivation_index = {second};
             UPDATE payments SET derivation_index = {second} WHERE derivation_index = -1"
        )),
        ("payments", format!(
            "UPDATE payments SET status = 'completed', status_at = 1 WHERE derivation_index = {first}"
        )),
        ("coins", format!(
            "INSERT INTO coins (txid, vout, derivation_index, amount, origin, seen_at, place, block_height, block_hash, mac)
             SELECT randomblob(32), 0, {first}, amount, origin, seen_at, place, block_height, block_hash, mac
             FROM coins LIMIT 1"
        )),
        ("coins", format!("UPDATE coins SET derivation_index = {first}")),
        ("events", format!(
            "INSERT INTO events (id, derivation_index, kind, merchant_id, sequence, url, body, created_at, next_at, mac)
             SELECT 'evt_forged', {first}, kind, merchant_id, 9, url,
                 replace(body, '{}', '{}'), created_at, 1, mac FROM events WHERE kind = 'completed' LIMIT 1",
            scene.completed.id, scene.unpaid[0].id
        )),
        ("payout_addresses", format!(
            "INSERT INTO payout_addresses (merchant_id, version, script, registered_at, effective_at, mac)
             SELECT merchant_id, 3, x'{thief}', 1, 1, mac FROM payout_addresses LIMIT 1"
        )),
        ("payout_addresses", "DELETE FROM payout_addresses WHERE version = 2".to_owned()),
        ("payout_addresses", "DELETE FROM payout_addresses".to_owned()),
        ("merchants", "DELETE FROM merchants".to_owned()),
        ("merchants", "UPDATE merchants SET subscription_until = 9999999999999".to_owned()),
        ("idempotency_keys", format!("UPDATE idempotency_keys SET derivation_index = {first}")),
        ("api_keys", "DELETE FROM api_keys".to_owned()),
        ("api_keys", format!("DELETE FROM api_keys; {}", put_back(&scene, "api_keys"))),
        ("merchants", put_back(&scene, "merchants")),
        ("payout_addresses", put_back(&scene, "payout_addresses")),
    ] {
        Connection::open(&file).unwrap().execute_batch(&format!("VACUUM INTO '{kept}'")).unwrap();
        scene.write(&what);
        scene.node.mine(1);
        scene.check(&what);
        scene.named(table, &what);
        scene.gateway.kill();
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{file}{suffix}"));
        }
        std::fs::rename(&kept, &file).unwrap();
        scene.gateway.start();
    }
    // With the database, an older audit log was put back: the operator takes it as it is.
    scene.gateway.term();
    scene.gateway.cli_ok(&["sweep", "--trust-audit-log"]);
    scene.gateway.start();
    scene.await_sound();
    scene.pay_out();
}

/// The rows of a table as they were before they were changed.
fn put_back(scene: &Scene, table: &'static str) -> String {
    let rows = scene.older[table].iter().map(|row| {
        let values: Vec<String> = row.iter().map(literal).collect();
        format!("REPLACE INTO {table} VALUES ({});", values.join(", "))
    });
    rows.collect::<Vec<_>>().join("\n")
}
