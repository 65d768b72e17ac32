//! Stray rows that this gateway never wrote: reported, and without effect on anything else.

use crate::harness::gateway::Gateway;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Writes rows into the database, behind the gateway's back.
fn write(gateway: &Gateway, sql: &str) {
    let connection = rusqlite::Connection::open(gateway.setting("database")).unwrap();
    connection.busy_timeout(SOON).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// A row like the newest payment, with this index and these confirmations, overdue.
fn like_the_newest(index: u32, confirmations: &str) -> String {
    format!(
        "INSERT INTO payments (derivation_index, id, merchant_id, script, amount, created_at,
            expires_at, late_until, confirmations, confirmations_pegout)
         SELECT {index}, randomblob(16), merchant_id, CAST(x'0014' || randomblob(20) AS BLOB), amount, created_at, 1, 1,
            {confirmations}, {confirmations}
         FROM payments WHERE derivation_index < 1000 ORDER BY derivation_index DESC LIMIT 1;"
    )
}

/// 1. Create a payment and add two rows by SQL: at the last possible index, and far above the
///    others.
/// 2. Start: the rows are named, and the next free index is issued; the next start does the
///    same.
/// 3. Add an unreadable row next to the last one while the gateway runs.
/// 4. Blocks are connected, and payments complete, expire and are paid out.
/// 5. `doctor` and `audit` name the rows.
#[test]
#[ignore = "long"]
fn rows_at_absurd_indexes_are_reported_and_ignored() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.min_payout", "0.05"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let before = shop.create("0.05");
    gateway.kill();
    let last = like_the_newest(2_147_483_647, "confirmations");
    write(&gateway, &(last + &like_the_newest(500_000, "confirmations")));
    gateway.start();
    gateway.await_log(&["error", "never issued", "index=2147483647"]);
    gateway.await_log(&["error", "never issued", "index=500000"]);
    let after = shop.create("0.05");
    let expected = node.derive_addresses(&gateway.setting("wallet.xpub"), 1, 1);
    assert_eq!(after.address, expected[0]);
    gateway.restart();
    write(&gateway, &like_the_newest(2, "5000000000"));
    let expected = node.derive_addresses(&gateway.setting("wallet.xpub"), 3, 3);
    assert_eq!(shop.create("0.05").address, expected[0]);
    node.send(&before.address, "0.05");
    node.send(&after.address, "0.05");
    node.mine(2);
    shop.await_status(&before.id, "completed", SOON);
    shop.await_status(&after.id, "completed", SOON);
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].raw("coins"), "2", "{}", sent[0].whole());
    wait_for("the sweep", SOON, || node.mempool().len() == 1);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    gateway.doctor_fails(&["FAILURE  indexes", "500000", "2147483647"]);
    let words = ["index 500000 cannot be read", "index 2 cannot be read"];
    gateway.cli_fails(&["audit"], 1, &words);
    gateway.restart();
    shop.create("0.05");
}
