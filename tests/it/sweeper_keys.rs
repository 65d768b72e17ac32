//! The sweeper alone: `serve --only sweeper` works without the master secret.

use std::fs;

use crate::harness::files::write_private;
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::roles::Part;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// A path at which there is no secret.
const NO_SECRET: (&str, &str) = ("LITEGATE_SECRET_FILE", "/no/such/secret");

/// Pays a payment, and has it paid out to the merchant.
#[track_caller]
fn pay_and_sweep(gateway: &Gateway, shop: &Shop, node: &Node) {
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.1");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let sent = gateway.cli_json(&["sweep"]);
    assert_eq!(sent.objects("sweeps").len(), 1, "{}", sent.whole());
    node.mine(1);
}

fn keys_in(gateway: &Gateway) -> Vec<String> {
    let text = fs::read_to_string(gateway.setting("sweeper.row_key_file")).unwrap();
    text.lines().filter(|line| line.starts_with("key ")).map(str::to_owned).collect()
}

/// 1. Run the sweeper in a process without the master secret: it pays out.
/// 2. Kill a rotation after it replaced the secret: the sweeper has both keys and pays out
///    rows sealed with the new one.
/// 3. Repeat the command: the new key comes first.
/// 4. After the grace period the file contains only the new key; the sweeper pays out, also
///    after a restart.
#[test]
#[ignore = "long"]
fn the_sweeper_pays_out_without_the_master_secret() {
    let start = |gateway: &Gateway| gateway.set("sweeper.min_payout", "0.05");
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(start) else { return };
    gateway.term();
    let mut roles = Part::of("api,watcher,webhooks");
    let mut sweeper = Part::of("sweeper");
    sweeper.set_environment(NO_SECRET.0, NO_SECRET.1);
    roles.start(&gateway);
    sweeper.start(&gateway);
    pay_and_sweep(&gateway, &shop, &node);
    let old = keys_in(&gateway);
    assert_eq!(old.len(), 1);

    gateway.set_environment("LITEGATE_CRASH_AT", "secret-replaced");
    assert_eq!(gateway.cli(&["secret", "rotate"]).code, -1);
    gateway.clear_environment();
    let await_log = |part: &Part, words: &str, count: usize| {
        wait_for(words, SOON, || part.log().matches(words).count() >= count);
    };
    await_log(&roles, "rows sealed under the new secret", 1);
    await_log(&sweeper, "row keys replaced", 1);
    let both = keys_in(&gateway);
    assert!(both.len() == 2 && both[0] == old[0], "{both:?}");
    pay_and_sweep(&gateway, &shop, &node);

    gateway.cli_fails(&["secret", "rotate"], 4, &["not finished"]);
    await_log(&sweeper, "row keys replaced", 2);
    assert_eq!(keys_in(&gateway), [both[1].clone(), old[0].clone()]);
    pay_and_sweep(&gateway, &shop, &node);

    gateway.let_pass(8 * DAY);
    await_log(&roles, "old master secret removed", 1);
    await_log(&sweeper, "row keys replaced", 3);
    assert_eq!(keys_in(&gateway), [both[1].clone()]);
    sweeper.kill();
    sweeper.start(&gateway);
    let new = gateway.cli_json(&["merchant", "view-key", &shop.merchant_id]).text("apiKey");
    pay_and_sweep(&gateway, &shop.with_key(&new), &node);
    assert_eq!(sweeper.log().matches("does not verify").count(), 0, "{}", sweeper.log());
}

/// 1. Start the sweeper with a file of row keys that is missing, readable by others, changed
///    or malformed: exit code 2, with the file's name.
/// 2. Start it with the keys of another gateway: the database is refused with exit code 4.
/// 3. `doctor` names the file; `secret row-key` writes it again, and `doctor` reports no
///    problem.
#[test]
fn an_invalid_row_key_file_is_refused() {
    let (gateway, other) = (Gateway::offline(), Gateway::offline());
    gateway.cli_ok(&["merchant", "list"]); // Makes the database.
    let file = gateway.setting("sweeper.row_key_file");
    let good = fs::read_to_string(&file).unwrap();
    let refused = |code, words: &[&str]| {
        gateway.set_environment(NO_SECRET.0, NO_SECRET.1);
        gateway.cli_fails(&["serve", "--only", "sweeper"], code, words);
        gateway.clear_environment();
    };
    fs::remove_file(&file).unwrap();
    refused(2, &["sweeper.row_key_file", "no such file"]);
    let secret = fs::read(gateway.setting("secret_file")).unwrap();
    write_private(file.as_ref(), &secret);
    refused(2, &["sweeper.row_key_file", "holds no row keys", "litegate secret row-key"]);
    let last = good.trim_end().chars().last().unwrap();
    let changed =
        format!("{}{}\n", &good.trim_end()[..good.len() - 2], if last == '0' { '1' } else { '0' });
    write_private(file.as_ref(), changed.as_bytes());
    refused(2, &["sweeper.row_key_file", "was changed or cut short"]);
    write_private(file.as_ref(), &fs::read(other.setting("sweeper.row_key_file")).unwrap());
    refused(4, &["another sweeper.row_key_file"]);
    gateway.cli_fails(&["doctor"], 1, &["failure  row key", "fix: litegate secret row-key"]);
    gateway.cli_ok(&["secret", "row-key"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), good);
    let doctor = gateway.cli(&["doctor"]).stdout;
    assert!(doctor.contains("ok       row key"), "{doctor}");
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&file, readable).unwrap();
    refused(2, &["sweeper.row_key_file", "other users may read it"]);
    gateway.unset("sweeper.row_key_file");
    refused(2, &["sweeper.row_key_file is not set"]);
}
