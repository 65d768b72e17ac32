//! Keys in memory: only in roles that use them, one copy each, and no core dumps.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use bitcoin::bip32::{ChildNumber, Xpriv};
use bitcoin::hex::FromHex;

use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::roles::Part;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// A secret by its name, and the bytes by which it is found.
type Needle = (&'static str, Vec<u8>);

/// The secrets of an installation, as bytes and as the text of their files.
fn needles(gateway: &Gateway) -> Vec<Needle> {
    let text = |key: &str| fs::read_to_string(gateway.setting(key)).unwrap().trim().to_owned();
    let signing = text("wallet.signing_key_file");
    let account: Xpriv = signing.parse().unwrap();
    let secp = bitcoin::secp256k1::Secp256k1::new();
    let receiving = account.derive_priv(&secp, &[ChildNumber::Normal { index: 0 }]).unwrap();
    let (seal, master) = (text("sweeper.seal_key_file"), text("secret_file"));
    let bytes = |hex: &str| Vec::<u8>::from_hex(hex).unwrap();
    vec![
        ("signing key", account.private_key.secret_bytes().to_vec()),
        ("signing key's receiving chain", receiving.private_key.secret_bytes().to_vec()),
        ("signing key's text", signing.into_bytes()),
        ("seal key", bytes(&seal)),
        ("seal key's text", seal.into_bytes()),
        ("master secret", bytes(&master)),
        ("master secret's text", master.into_bytes()),
    ]
}

/// How often each of these is in the memory of a process.
fn count_in_memory(pid: u32, needles: &[Needle]) -> Vec<(&'static str, usize)> {
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut begins = [false; 256];
    needles.iter().for_each(|(_, needle)| begins[usize::from(needle[0])] = true);
    let mut counts: Vec<_> = needles.iter().map(|(name, _)| (*name, 0)).collect();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // A mapping may have disappeared.
        let Ok(length) = memory.read_at(&mut bytes, from) else { continue };
        for at in (0..length).filter(|at| begins[usize::from(bytes[*at])]) {
            for ((_, needle), (_, count)) in needles.iter().zip(&mut counts) {
                *count += usize::from(bytes[at..length].starts_with(needle));
            }
        }
    }
    counts
}

/// 1. Run gateway and sweeper as two processes and pay out once, so that every key was used.
/// 2. Search their memory for the signing key, the seal key and the master secret.
/// 3. Only the gateway has the master secret, and neither has the text of a key file. The
///    sweeper has each key at most twice: a stack frame may keep a moved copy until it is
///    overwritten.
#[test]
#[ignore = "needs root"]
fn each_role_holds_only_the_keys_that_it_uses() {
    assert_eq!(files::user(), 0, "this test needs root");
    let Some(TestEnv { gateway, shop, node }) =
        TestEnv::alone_with(|gateway| gateway.set("sweeper.min_payout", "0.05"))
    else {
        return;
    };
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.1");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.term();
    let mut parts = [Part::of("api,watcher,webhooks"), Part::of("sweeper")];
    parts.iter_mut().for_each(|part| part.start(&gateway));
    let sent = gateway.cli_json(&["sweep"]);
    assert_eq!(sent.objects("sweeps").len(), 1, "{}", sent.whole());
    let needles = needles(&gateway);
    let [roles, sweeper] = parts.each_ref().map(|part| count_in_memory(part.process(), &needles));
    for (found, allowed) in [
        (roles, &["master secret"][..]),
        (sweeper, &["signing key", "signing key's receiving chain", "seal key"]),
    ] {
        for (name, count) in &found {
            let expected = if allowed.contains(name) { 1..=2 } else { 0..=0 };
            assert!(expected.contains(count), "{name} in {found:?}");
        }
    }
}

/// 1. Run each role with an unlimited core size and send SIGABRT.
/// 2. It leaves no core dump; a shell under the same conditions leaves one.
#[test]
fn no_role_leaves_a_core_dump() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    gateway.term();
    let unlimited = "ulimit -c unlimited && ";
    let dumps = Command::new("sh")
        .args(["-c", &format!("{unlimited} kill -ABRT $$")])
        .current_dir(gateway.folder())
        .status()
        .unwrap();
    // Where the machine makes none, there is nothing to be seen.
    println!("a shell leaves a core dump here: {}", dumps.core_dumped());
    let cores = |gateway: &Gateway| {
        let names = fs::read_dir(gateway.folder()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("core")).count()
    };
    let before = cores(&gateway);
    let from = gateway.spawn_in_shell(unlimited);
    gateway.await_ready(from);
    let limits = fs::read_to_string(format!("/proc/{}/limits", gateway.pid())).unwrap();
    let limit = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(limit.split_whitespace().filter(|word| *word == "0").count(), 2, "{limit}");
    files::signal(gateway.pid(), "ABRT");
    let status = wait_until("the end", SOON, || gateway.ended());
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(!status.core_dumped(), "{status}");
    assert_eq!(cores(&gateway), before);
    gateway.kill();
}
