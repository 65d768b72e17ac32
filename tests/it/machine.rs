//! Faults of the machine: a read-only disk, lost or foreign keys, a second instance, few file
//! descriptors. Each is reported clearly and changes nothing.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::gateway::Gateway;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// A mount namespace in which the gateway's directory is read-only.
fn read_only(gateway: &Gateway) -> String {
    let folder = gateway.folder().display();
    format!("mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && ")
}

/// 1. Run `serve` and `audit` on a read-only disk: each fails with one line.
/// 2. Start normally: the payment exists.
#[test]
#[ignore = "needs a mount namespace"]
fn a_read_only_disk_is_reported_and_nothing_starts() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    gateway.kill();
    for command in ["serve", "audit"] {
        let refused = gateway.cli_after(&read_only(&gateway), &[command]);
        assert_ne!(refused.code, 0, "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        assert!(refused.stderr.contains("the database cannot be written"), "{refused:?}");
    }
    gateway.start();
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
}

/// 1. Replace each key file by another gateway's, then delete it: each start is refused, and
///    no file is created.
/// 2. Configure another xpub: refused.
/// 3. Configure the same xpub in another spelling: the gateway starts with its payments and
///    API keys.
#[test]
fn lost_or_foreign_keys_are_refused_and_never_regenerated() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    gateway.term();
    let other = Gateway::init(&node);
    for (key, code, words) in [
        ("secret_file", 4, "another secret_file"),
        ("wallet.signing_key_file", 4, "signing_key_file"),
        ("sweeper.seal_key_file", 4, "seal_key_file"),
    ] {
        let file = gateway.setting(key);
        let good = fs::read(&file).unwrap();
        fs::write(&file, fs::read(other.setting(key)).unwrap()).unwrap();
        gateway.cli_fails(&["serve"], code, &[words]);
        fs::remove_file(&file).unwrap();
        gateway.cli_fails(&["serve"], 2, &[key, "no such file"]);
        assert!(!fs::exists(&file).unwrap(), "{key} was made anew");
        crate::harness::files::write_private(file.as_ref(), &good);
    }
    let xpub = gateway.setting("wallet.xpub");
    gateway.set("wallet.xpub", other.setting("wallet.xpub"));
    gateway.cli_fails(&["serve"], 4, &["another wallet.xpub"]);
    gateway.set("wallet.xpub", crate::harness::node::core_spelling(&xpub));
    gateway.start();
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
    assert_eq!(shop.create("0.05").fields.text("status"), "pending", "the API key is the same");
}

/// 1. Start a second instance: exit code 4, also while the first is suspended.
/// 2. The first continues and sees a payment.
#[test]
fn a_second_instance_is_refused_even_if_the_first_is_stopped() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    let pid = gateway.pid();
    let second = || {
        gateway.set_environment("LITEGATE_HTTP__LISTEN", "127.0.0.1:0");
        gateway.set_environment("LITEGATE_METRICS__LISTEN", "127.0.0.1:0");
        gateway.cli_fails(&["serve"], 4, &["another process runs the role api"]);
        gateway.clear_environment();
    };
    second();
    crate::harness::files::signal(pid, "STOP");
    second();
    crate::harness::files::signal(pid, "CONT");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    second();
    assert!(gateway.ended().is_none());
}

/// Processor time that a process has used.
fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10) // Linux counts in hundredths of a second.
}

/// 1. Run with 256 file descriptors and open 400 connections.
/// 2. A payment is seen, clients use at most half of the descriptors, and the processor is
///    mostly idle.
/// 3. Close the connections: requests are answered, and the log is short.
#[test]
#[ignore = "long"]
fn with_256_descriptors_clients_wait_without_a_busy_loop() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    gateway.term();
    let before = gateway.spawn_in_shell("ulimit -n 256 && ");
    gateway.await_ready(before);
    let payment = shop.create("0.05");
    let crowd: Vec<TcpStream> =
        (0..400).filter_map(|_| TcpStream::connect(("127.0.0.1", gateway.port())).ok()).collect();
    assert!(crowd.len() > 256, "{}", crowd.len());
    let (began, used) = (Instant::now(), processor_time(gateway.pid()));
    node.send(&payment.address, "0.05");
    gateway.await_log(&["payment seen", &payment.id]);
    wait_for("two seconds of the crowd", SOON, || began.elapsed() > Duration::from_secs(2));
    let open = fs::read_dir(format!("/proc/{}/fd", gateway.pid())).unwrap().count();
    assert!(open < 200, "clients have half of them at most: {open}");
    let used = processor_time(gateway.pid()).saturating_sub(used);
    assert!(used < began.elapsed() / 4, "{used:?} of {:?}", began.elapsed());
    assert!(gateway.ended().is_none());
    drop(crowd);
    wait_for("an answer again", SOON, || {
        shop.try_post(r#"{"amountLtc": 0.05}"#, &[]).is_ok_and(|answer| answer.status == 200)
    });
    assert!(gateway.log().len() < 200_000, "it says so now and then: {}", gateway.log().len());
}
