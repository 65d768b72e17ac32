//! Codec tests against `tests/fixtures/index.json`: what real nodes decode from the same
//! bytes.

use std::path::{Path, PathBuf};

use bitcoin::hex::FromHex;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn raw(name: &str) -> Vec<u8> {
    let hex = std::fs::read_to_string(fixture(name)).expect(name);
    Vec::from_hex(hex.trim()).expect(name)
}

fn index() -> Value {
    let text = std::fs::read_to_string(fixture("index.json")).expect("the index");
    serde_json::from_str(&text).expect("the index is JSON")
}

fn rows<'v>(index: &'v Value, name: &str) -> impl Iterator<Item = (&'v str, &'v Value)> {
    let list = index[name].as_array().expect("a list");
    list.iter().map(|row| (row["file"].as_str().expect("a name"), row))
}

fn shown(outputs: &[TxOut]) -> Vec<(Amount, String)> {
    let amount = |o: &TxOut| Amount::from_litoshis(o.value.to_sat()).expect("in range");
    outputs.iter().map(|o| (amount(o), o.script_pubkey.to_hex_string())).collect()
}

fn expected(outputs: &Value) -> Vec<(Amount, String)> {
    let outputs = outputs.as_array().expect("outputs").iter();
    let amount = |o: &Value| Amount::parse(o["amount"].as_str().expect("text")).expect("amount");
    outputs.map(|o| (amount(o), o["script"].as_str().expect("hex").to_owned())).collect()
}

#[test]
fn transactions_decode_as_the_node_decodes_them() {
    let index = index();
    let mut kinds = Vec::new();
    for (file, row) in rows(&index, "transactions") {
        let tx = decode_tx(&raw(file)).expect(file);
        kinds.push(tx.kind);
        if tx.kind == TxKind::MwebOnly {
            assert_eq!(tx.txid, None, "{file}");
            assert!(row["vin"][0].as_str().expect("an input").starts_with("mweb:"), "{file}");
            assert!(row["vout"].as_array().expect("outputs").is_empty(), "{file}");
            continue;
        }
        let is_hogex = file.contains("hogex");
        assert_eq!(tx.kind, if is_hogex { TxKind::Hogex } else { TxKind::Plain }, "{file}");
        assert_eq!(tx.txid.expect(file).to_string(), row["txid"], "{file}");
        assert_eq!(shown(&tx.outputs), expected(&row["vout"]), "{file}");
        let inputs: Vec<String> = tx.inputs.iter().map(ToString::to_string).collect();
        assert_eq!(Value::from(inputs), row["vin"], "{file}");
    }
    let count = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!(
        [TxKind::Plain, TxKind::Coinbase, TxKind::Hogex, TxKind::MwebOnly].map(count),
        [3, 0, 2, 3]
    );
}

#[test]
fn blocks_decode_as_the_node_decodes_them() {
    let index = index();
    for (file, row) in rows(&index, "blocks") {
        let block = decode_block(&raw(file)).expect(file);
        assert_eq!(block.hash.to_string(), row["hash"], "{file}");
        assert_eq!(block.header.prev_blockhash.to_string(), row["previous"], "{file}");
        let txids: Vec<String> =
            block.txs.iter().map(|tx| tx.txid.expect("in a block").to_string()).collect();
        assert_eq!(Value::from(txids), row["txids"], "{file}");
        for (tx, outputs) in block.txs.iter().zip(row["outputs"].as_array().expect("lists")) {
            assert_eq!(shown(&tx.outputs), expected(outputs), "{file}");
        }
        assert_eq!(block.txs[0].kind, TxKind::Coinbase);
        let has_hogex = block.txs.last().is_some_and(|tx| tx.kind == TxKind::Hogex);
        assert_eq!(Value::from(has_hogex), row["has_mweb_extension"], "{file}");
    }
}

#[test]
fn a_peg_out_is_an_output_of_the_hogex() {
    let block = decode_block(&raw("block-mweb-pegout.hex")).expect("a block");
    let hogex = block.txs.last().expect("transactions");
    let lone = decode_tx(&raw("tx-hogex-pegout.hex")).expect("a transaction");
    assert_eq!(hogex.txid, lone.txid);
    assert_eq!(shown(&hogex.outputs)[1].0.to_string(), "0.5");
}

#[test]
fn a_stripped_mweb_transaction_has_no_inputs_and_outputs() {
    // What `-rpcserialversion=1` leaves of an MWEB-only transaction: version, 0, 0, lock time.
    let tx = decode_tx(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]).expect("a transaction");
    assert_eq!(tx.kind, TxKind::MwebOnly);
}

#[test]
fn a_garbled_block_is_refused() {
    let good = raw("block-mweb-pegin.hex");
    let mut amount_changed = good.clone();
    let amount = 5_000_000u64.to_le_bytes();
    let at = good.windows(8).position(|bytes| bytes == amount).expect("it pays 0.05");
    amount_changed[at] ^= 1;
    assert!(decode_block(&amount_changed).is_err());
    let extension_begins = good.len() - extension_bytes(&good);
    for end in 0..extension_begins {
        assert!(decode_block(&good[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn trailing_bytes_after_a_transaction_are_an_error() {
    let mut bytes = raw("tx-p2wpkh.hex");
    bytes.push(0);
    assert!(matches!(decode_tx(&bytes), Err(CodecError::Trailing(1))));
    assert!(matches!(decode_tx(&vec![0; TX_BYTES_MAX + 1]), Err(CodecError::TooLarge(_))));
    assert!(matches!(decode_block(&vec![0; BLOCK_BYTES_MAX + 1]), Err(CodecError::TooLarge(_))));

    let mut bytes = raw("block-pre-mweb.hex");
    bytes.push(0);
    assert!(matches!(decode_block(&bytes), Err(CodecError::Trailing(1))));
}

/// A peg-in as it is broadcast: flag 9, the witnesses, and an MWEB part before the lock time.
/// Built from an ordinary payment, whose id the added part must not change.
fn pegin(mweb_part: &[u8]) -> Vec<u8> {
    let mut bytes = raw("tx-p2wpkh.hex");
    bytes[5] |= FLAG_MWEB;
    let lock_time = bytes.split_off(bytes.len() - 4);
    [&bytes[..], mweb_part, &lock_time].concat()
}

/// The first block with MWEB of a regtest chain, at height 432, and the peg-in in it as it was
/// in the mempool; from Litecoin Core 0.21.5.5, which named these ids.
const FIRST_MWEB_TXIDS: [&str; 3] = [
    "b82c2b414c05668c83f95030b3e5d3705b812841de621472d28682f52640ec8c",
    "8235349386f2c0fd6bb9ca2dbd255611a531055434bc60aa07646f8fa5bc55f0",
    "df608500aff4f7d3a9115bd6936f5f01edf245670ba4e35c801404c976f5df4f",
];

#[test]
fn a_peg_in_of_a_real_node_decodes() {
    let tx = decode_tx(&raw("tx-pegin-flag9.hex")).expect("a peg-in");
    assert_eq!(tx.kind, TxKind::Plain);
    assert_eq!(tx.txid.expect("an id").to_string(), FIRST_MWEB_TXIDS[1]);
    assert_eq!(
        tx.inputs[0].to_string(),
        "5dbb81751ed7853f2a47d8059828eecf76c4f5fb6b87b9866d6792276d2b0270:0"
    );
    let script = "5920318771c753b1cb040b9d20afe3bd134dd02a3adb1589a8c9998d1cf49f0539a2";
    let amount = Amount::parse("12.499837").expect("an amount");
    assert_eq!(shown(&tx.outputs), [(amount, script.to_owned())]);
}

#[test]
fn every_serialization_version_decodes_to_the_same_block() {
    // Whole; and with `-rpcserialversion=1` and `=0`, which leave MWEB out, and witnesses too.
    let whole = decode_block(&raw("block-first-mweb.hex")).expect("a block");
    let txids: Vec<String> =
        whole.txs.iter().map(|tx| tx.txid.expect("in a block").to_string()).collect();
    assert_eq!(txids, FIRST_MWEB_TXIDS);
    let kinds: Vec<TxKind> = whole.txs.iter().map(|tx| tx.kind).collect();
    assert_eq!(kinds, [TxKind::Coinbase, TxKind::Plain, TxKind::Hogex]);
    for file in ["block-first-mweb-serialversion1.hex", "block-first-mweb-serialversion0.hex"] {
        assert_eq!(decode_block(&raw(file)).expect(file), whole, "{file}");
    }
}

#[test]
fn a_peg_in_decodes_to_its_plain_transaction_part() {
    let plain = decode_tx(&raw("tx-p2wpkh.hex")).expect("a transaction");
    let whole = raw("tx-mweb-only.hex");
    let mweb_part = &whole[8..whole.len() - 4];
    let expected = Tx { carries_mweb: true, ..plain };
    assert_eq!(decode_tx(&pegin(mweb_part)).expect("a peg-in"), expected);
}

#[test]
fn an_unknown_mweb_part_is_refused() {
    for part in [&[][..], &[1], &[2, 0], &[0, 0]] {
        assert!(matches!(decode_tx(&pegin(part)), Err(CodecError::Mweb)), "{part:?}");
    }
    // A HogEx without outputs, which nodes refuse.
    let mut no_outputs = raw("tx-hogex-plain.hex");
    no_outputs.truncate(4 + 2 + 1 + 41);
    no_outputs.extend([0, 0, 0, 0, 0, 0]);
    assert!(matches!(decode_tx(&no_outputs), Err(CodecError::Mweb)));
    // In a block only the HogEx's mark may be there.
    let block = raw("block-mweb-pegout.hex");
    let mark = block.len() - extension_bytes(&block) - 5;
    let mut unmarked = block;
    unmarked[mark] = 1;
    assert!(matches!(decode_block(&unmarked), Err(CodecError::Mweb)));
}

/// How many bytes follow the last transaction of a block that ends in a HogEx from the
/// fixtures.
fn extension_bytes(block: &[u8]) -> usize {
    let hogex = [raw("tx-hogex-pegout.hex"), raw("tx-hogex-plain.hex")];
    let end = hogex.iter().find_map(|tx| {
        block.windows(tx.len()).position(|window| window == tx).map(|at| at + tx.len())
    });
    block.len() - end.expect("it has one of the two")
}

/// What `-rpcserialversion=1` leaves of a block: no mark at the HogEx, no extension block.
fn stripped(file: &str) -> Vec<u8> {
    let mut bytes = raw(file);
    bytes.truncate(bytes.len() - extension_bytes(&bytes));
    let hogex_bytes = if file.contains("pegout") {
        raw("tx-hogex-pegout.hex").len()
    } else {
        raw("tx-hogex-plain.hex").len()
    };
    let hogex = bytes.split_off(bytes.len() - hogex_bytes);
    let (body, lock_time) = (&hogex[6..hogex.len() - 5], &hogex[hogex.len() - 4..]);
    [&bytes[..], &hogex[..4], body, lock_time].concat()
}

#[test]
fn a_stripped_block_decodes_to_the_same_block() {
    for file in ["block-mweb-pegin.hex", "block-mweb-pegout.hex"] {
        let mut stripped = decode_block(&stripped(file)).expect(file);
        let whole = decode_block(&raw(file)).expect(file);
        let proves = matches!(stripped.pegouts, PegoutProof::Listed(_));
        assert_eq!(proves, !file.contains("pegout"), "without its kernels: {file}");
        stripped.pegouts.clone_from(&whole.pegouts);
        assert_eq!(stripped, whole, "{file}");
    }
}

#[test]
fn a_block_without_a_coinbase_is_refused() {
    // The coinbase of a block of one transaction, spending a real output instead of none.
    let mut bytes = raw("block-pre-mweb.hex");
    let null = [[0; 32].as_slice(), &[0xff; 4]].concat();
    let at = bytes.windows(36).position(|b| b == null).expect("a coinbase");
    bytes[at] = 7;
    let root = expected_merkle_root(&bytes).expect("transactions").to_byte_array();
    bytes[36..68].copy_from_slice(&root);
    assert!(matches!(decode_block(&bytes), Err(CodecError::NoCoinbase)));
    bytes.truncate(80);
    bytes.push(0);
    assert!(matches!(decode_block(&bytes), Err(CodecError::Empty)));
}

#[test]
fn a_transaction_that_spends_nothing_is_refused() {
    // Flag 1, no inputs, no outputs; and the rest of an MWEB-only one where only blocks are
    // read.
    let nothing = [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    assert!(matches!(decode_tx(&nothing), Err(CodecError::NoInputs)));
    let mut block = raw("block-pre-mweb.hex");
    block.truncate(80);
    block.extend([1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(decode_block(&block), Err(CodecError::NoInputs)));
}

#[test]
fn an_amount_above_the_money_supply_is_refused() {
    let mut bytes = raw("tx-p2wpkh.hex");
    let amount = 5_000_000u64.to_le_bytes();
    let at = bytes.windows(8).position(|b| b == amount).expect("it pays 0.05");
    bytes[at..at + 8].copy_from_slice(&Amount::MAX.litoshis().to_le_bytes());
    assert!(decode_tx(&bytes).is_ok());
    bytes[at..at + 8].copy_from_slice(&(Amount::MAX.litoshis() + 1).to_le_bytes());
    assert!(matches!(decode_tx(&bytes), Err(CodecError::Money)));
}

#[test]
fn a_block_whose_last_transaction_is_repeated_is_refused() {
    // Three transactions, and the third twice, have the same root.
    let good = raw("block-mweb-pegin.hex");
    let block = decode_block(&good).expect("a block");
    let ids: Vec<_> = block.txs.iter().filter_map(|tx| tx.txid).map(Txid::to_raw_hash).collect();
    let three = ids[..3].to_vec();
    let four = [&ids[..3], &ids[2..3]].concat();
    assert!(merkle_root(three).is_some());
    assert_eq!(merkle_root(four), None);
    assert_eq!(merkle_root(Vec::new()), None);
    assert_eq!(merkle_root(ids[..1].to_vec()), Some(ids[0]));
}

#[test]
fn frames_of_a_real_node_decode() {
    let text = std::fs::read_to_string(fixture("zmq-frames.jsonl")).expect("the frames");
    let mut decoded = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("a line of JSON");
        if row["topic"] == "rawtx" {
            let bytes = Vec::from_hex(row["body"].as_str().expect("hex")).expect("hex");
            decode_tx(&bytes).expect(line);
            decoded += 1;
        }
    }
    assert!(decoded > 10, "{decoded}");
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode_tx(&bytes);
        let _ = decode_block(&bytes);
    }

    #[test]
    fn no_damage_makes_the_decoder_panic(at in 0usize..2000, with in any::<u8>()) {
        for file in ["tx-pegin.hex", "tx-mweb-only.hex", "block-mweb-pegin.hex"] {
            let mut bytes = raw(file);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = with;
            }
            let _ = decode_tx(&bytes);
            let _ = decode_block(&bytes);
        }
    }
}
