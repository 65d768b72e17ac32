//! Replays the corpora of `tests/fuzz`, so that fixed crashes stay fixed.

use std::path::Path;

use super::*;

#[track_caller]
fn replay(target: &str, entry: fn(&[u8]), files_min: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files = 0;
    for file in std::fs::read_dir(&folder).expect(target) {
        let path = file.expect("a file").path();
        println!("{}", path.display()); // shown if the test fails
        entry(&std::fs::read(&path).expect("readable"));
        files += 1;
    }
    assert!(files >= files_min, "{target} has {files} files");
}

#[test]
fn corpus_transactions_pass_their_fuzz_target() {
    replay("transaction", fuzz_transaction, 8);
}

#[test]
fn corpus_blocks_pass_their_fuzz_target() {
    replay("block", fuzz_block, 3);
}

#[test]
fn corpus_addresses_pass_their_fuzz_target() {
    replay("address", fuzz_address, 20);
}

#[test]
fn corpus_extended_keys_pass_their_fuzz_target() {
    replay("extended_key", fuzz_extended_key, 10);
}

#[test]
fn corpus_zmq_frames_pass_their_fuzz_target() {
    replay("zmq_frame", fuzz_zmq_frame, 10);
}

#[test]
fn corpus_amounts_pass_their_fuzz_target() {
    replay("amount", fuzz_amount, 20);
}

#[test]
fn corpus_request_bodies_pass_their_fuzz_target() {
    replay("request_body", fuzz_request_body, 15);
}

#[test]
fn corpus_prices_pass_their_fuzz_target() {
    replay("price", fuzz_price, 8);
}

#[test]
fn corpus_rate_sources_pass_their_fuzz_target() {
    replay("rate_source", fuzz_rate_source, 10);
}

#[test]
fn a_changed_block_decodes_once_its_merkle_root_is_fixed() {
    // Otherwise the block target would test nothing behind the Merkle root.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/block");
    let mut bytes = std::fs::read(folder.join("mweb-pegout")).expect("a seed");
    let at = bytes.len() - 20;
    let changed = bytes.iter().position(|byte| *byte == 0x14).expect("a script").min(at) + 1;
    bytes[changed] ^= 1;
    assert!(codec::decode_block(&bytes).is_err());
    assert!(codec::decode_block(&with_merkle_root(&bytes)).is_ok());
}
