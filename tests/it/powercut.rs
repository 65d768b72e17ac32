//! Power cuts: every answered request survives, and no transaction is torn.
//!
//! `IMAGES=10000 SEED=7 cargo test --test it powercut -- --include-ignored` checks more
//! images.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use crate::harness::files;
use crate::harness::powercut::{Disk, Recorder, Request};
use crate::harness::random::{Random, setting};
use crate::harness::receiver::Receiver;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// Images that are looked at in the usual run.
const IMAGES: u64 = 200;

/// Enough payments that the log of writes is copied into the database several times meanwhile.
const PAYMENTS: usize = 150;

/// An answered payment, and the disk's position at that time.
struct Promise {
    address: String,
    position: u64,
}

/// The recording of a busy gateway.
struct Recording {
    recorder: Recorder,
    promises: BTreeMap<String, Promise>,
    requests: Vec<(Request, u64)>,
    /// Keeps the database's directory.
    test_env: TestEnv,
}

/// Creates and completes payments on a recording disk, and kills the gateway.
fn record(disk: Disk) -> Option<Recording> {
    let test_env = TestEnv::alone()?;
    let TestEnv { gateway, shop, node } = &test_env;
    let receiver = Receiver::start();
    gateway.term();
    let recorder = Recorder::preload(gateway, disk);
    gateway.start();
    let mut promises = BTreeMap::new();
    for number in 0..PAYMENTS {
        let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
        let promise = Promise { address: payment.address.clone(), position: recorder.position() };
        promises.insert(payment.id.clone(), promise);
        if number % 15 == 0 {
            node.send(&payment.address, "0.05");
            node.mine(2);
            shop.await_status(&payment.id, "completed", SOON);
            receiver.await_hit_for(&payment.id, SOON);
        }
    }
    gateway.kill();
    gateway.clear_environment();
    let requests = recorder.requests();
    Some(Recording { recorder, promises, requests, test_env })
}

/// What is wrong with the database after a cut.
fn look(database: &Path, promises: &BTreeMap<String, Promise>, cut: u64) -> Result<(), String> {
    let connection = Connection::open(database).map_err(|error| error.to_string())?;
    let one = |sql: &str| {
        connection.query_row(sql, [], |row| row.get::<_, String>(0)).map_err(|e| e.to_string())
    };
    let checked = one("PRAGMA integrity_check")?;
    if checked != "ok" {
        return Err(checked);
    }
    for (id, promise) in promises.iter().filter(|(_, promise)| promise.position <= cut) {
        let sql = format!(
            "SELECT lower(hex(script)) FROM payments WHERE id = x'{}'",
            id.replace('-', "")
        );
        let script =
            one(&sql).map_err(|error| format!("{id} was answered and is lost: {error}"))?;
        if script != script_of(&promise.address) {
            return Err(format!("{id} has another address now"));
        }
    }
    // A completion, its event and its coins are written in one transaction.
    let torn = one("SELECT count(*) || '' FROM payments WHERE (status = 'completed') <> EXISTS
             (SELECT 1 FROM events
              WHERE events.derivation_index = payments.derivation_index AND kind = 'completed')
         OR status = 'completed' AND NOT EXISTS
             (SELECT 1 FROM coins WHERE coins.derivation_index = payments.derivation_index)")?;
    if torn == "0" { Ok(()) } else { Err(format!("{torn} completions are torn")) }
}

/// The script of a p2wpkh address, as hexadecimal text.
fn script_of(address: &str) -> String {
    use bitcoin::bech32::segwit::decode;
    let (_, _, program) = decode(address).unwrap();
    let digits: String = program.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0014{digits}")
}

/// Checks images of cuts at random instants. Answers the faults.
fn look_at_images(recording: &Recording, images: u64, seed: u64) -> Vec<String> {
    let folder = files::folder();
    let mut random = Random::of(seed);
    let mut wrong = Vec::new();
    for number in 0..images {
        let end = random.below(recording.requests.len() as u64 + 1) as usize;
        let requests = &recording.requests[..end];
        let cut = requests.last().map_or(0, |(_, position)| *position);
        let database = recording.recorder.image(requests, &mut random, folder.path());
        if let Err(what) = look(&database, &recording.promises, cut) {
            wrong.push(format!("image {number} of seed {seed}, after request {end}: {what}"));
        }
    }
    wrong
}

/// 1. Record the disk operations of a busy gateway.
/// 2. Build `IMAGES` images of cuts at random instants: each is intact and has every answered
///    payment.
/// 3. Start the gateway from some of them: the audit is clean.
#[test]
#[ignore = "long"]
fn answered_requests_survive_a_power_cut() {
    let Some(recording) = record(Disk::Honest) else { return };
    let (images, seed) = (setting("IMAGES", IMAGES), setting("SEED", 1));
    println!("{images} images of {} requests, seed {seed}", recording.requests.len());
    let wrong = look_at_images(&recording, images, seed);
    assert!(wrong.is_empty(), "{} of {images}:\n{}", wrong.len(), wrong.join("\n"));
    let TestEnv { gateway, shop, node } = &recording.test_env;
    for seed in 0..3 {
        let mut random = Random::of(seed);
        let end = recording.requests.len() - random.below(200) as usize;
        let requests = &recording.requests[..end];
        recording.recorder.image(requests, &mut random, gateway.folder());
        gateway.start();
        gateway.await_tip(&node.height().to_string());
        let cut = requests.last().map_or(0, |(_, position)| *position);
        for (id, _) in recording.promises.iter().filter(|(_, p)| p.position <= cut) {
            shop.status(id);
        }
        gateway.cli_ok(&["audit"]);
        gateway.kill();
    }
}

#[test]
#[ignore = "long"]
fn a_disk_that_drops_flushes_is_detected() {
    // Without flushes the same check must find losses.
    let Some(recording) = record(Disk::Liar) else { return };
    let wrong = look_at_images(&recording, 50, 1);
    assert!(wrong.len() > 25, "of 50 images only {} show it: {wrong:?}", wrong.len());
}
