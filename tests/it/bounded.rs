//! Bounded work: operations on many rows delay nothing else, and a full small disk recovers.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};
use rusqlite::types::Value;

const BODY: &str = r#"{"amountLtc": 0.05}"#;

/// Payments whose time is up all at once.
const OVERDUE: i64 = 4_000;

/// How long all of them may take on a slow machine.
const LONG: Duration = Duration::from_secs(120);

fn count(database: &Database, status: &str) -> i64 {
    let sql = format!("SELECT count FROM payment_counts WHERE status = '{status}'");
    match database.rows(&sql)[0][..] {
        [Value::Integer(count)] => count,
        ref other => panic!("{other:?}"),
    }
}

/// 1. Create 4,000 payments with the same expiry.
/// 2. Let them expire and mine a block.
/// 3. They expire in batches; meanwhile new payments are created and the block is connected.
/// 4. At the end all are expired, and the new payments are pending.
#[test]
fn a_mass_expiry_delays_neither_payments_nor_blocks() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    shop.create("0.05");
    let database = Database::of(&gateway);
    database.write(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {OVERDUE})
         INSERT INTO payments (derivation_index, id, merchant_id, script, amount, created_at,
             expires_at, late_until, confirmations, confirmations_pegout)
         SELECT n + 1000, randomblob(16), merchant_id, CAST(x'0014' || randomblob(20) AS BLOB), amount, created_at,
             expires_at, late_until, confirmations, confirmations_pegout
         FROM n JOIN payments ON derivation_index = 0"
    ));
    gateway.let_pass(Duration::from_secs(3_600));
    node.mine(1);
    let mut made = Vec::new();
    let in_part = wait_until("a part of the payments to expire", LONG, || {
        made.push(shop.create("0.05").id);
        let expired = count(&database, "expired");
        (expired > 0).then_some(expired)
    });
    assert!(in_part < OVERDUE, "{in_part} at once");
    wait_for("all of them to expire", LONG, || {
        made.push(shop.create("0.05").id);
        count(&database, "expired") == OVERDUE + 1
    });
    gateway.await_tip(&node.height().to_string());
    for id in [made.first().unwrap(), made.last().unwrap()] {
        assert_eq!(shop.status(id).text("status"), "pending");
    }
}

/// Size of the disk, and of the other file on it, in bytes.
const DISK: usize = 8_000_000;
const OTHER: usize = 5_300_000;

/// Refusals in a row after which there is no space for payments.
const REFUSED: u32 = 20;

/// Starts a gateway whose database is on a separate small disk, beside another file. Answers
/// where that disk is visible from here.
fn start_on_small_disk(gateway: &Gateway) -> PathBuf {
    let small = gateway.folder().join("small");
    let (shown, kept) = (small.display(), gateway.folder().join("kept"));
    let kept = kept.display();
    let before = gateway.spawn_after(&format!(
        "cp -a '{shown}' '{kept}' && mount -t tmpfs -o size={DISK} none '{shown}' && \
         cp -a '{kept}'/. '{shown}' && head -c {OTHER} /dev/zero > '{shown}/other' && "
    ));
    gateway.await_ready(before);
    let root = PathBuf::from(format!("/proc/{}/root", gateway.pid()));
    root.join(small.strip_prefix("/").unwrap())
}

/// 1. Put the database on a disk of 8 MB, of which another file takes 5.3 MB.
/// 2. Create payments until several in a row are refused with 503 and `retry-after`.
/// 3. Pay an earlier payment: it is stored and completes.
/// 4. Delete the other file: payments are created again without a restart.
/// 5. All answered payments exist, and no other.
#[test]
#[ignore = "needs a mount namespace"]
fn a_small_full_disk_refuses_payments_and_recovers() {
    let Some(node) = Node::start().map(Arc::new) else { return };
    let gateway = Gateway::init(&node);
    fs::create_dir(gateway.folder().join("small")).unwrap();
    gateway.set("database", gateway.folder().join("small/litegate.db").display().to_string());
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    let disk = start_on_small_disk(&gateway);
    let mut made = Vec::new();
    let mut refused = 0;
    wait_for("payments to be refused", LONG, || {
        let answer = shop.post(BODY, &[]);
        if answer.status == 200 {
            refused = 0;
            made.push(Fields::of(&answer.body));
            return false;
        }
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("code"), "overloaded");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        refused += 1;
        refused == REFUSED
    });
    assert!(made.len() > 192, "{} payments fit beside it", made.len());
    let paid = made[0].text("paymentId");
    node.send(&made[0].text("receivingAddress"), "0.05");
    node.mine(2);
    shop.await_status(&paid, "completed", SOON);
    fs::remove_file(disk.join("other")).unwrap();
    for _ in 0..300 {
        made.push(shop.create("0.05").fields);
    }
    for fields in &made {
        shop.status(&fields.text("paymentId"));
    }
    let metrics = gateway.metrics();
    let stored = metrics.lines().filter(|line| line.starts_with("litegate_payments{"));
    let stored = stored.map(|line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap());
    assert_eq!(stored.sum::<usize>(), made.len(), "no half payment");
}
