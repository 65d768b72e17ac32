//! The oracle is `tests/fixtures/index.json`: what real nodes decode from the same bytes.

use std::path::{Path, PathBuf};

use bitcoin::hex::FromHex;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::amount::Amount;

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
        if file == "tx-pegin.hex" {
            continue; // Its row shows the MWEB side; the ordinary side is tested below.
        }
        assert_eq!(tx.txid.expect(file).to_string(), row["txid"], "{file}");
        assert_eq!(shown(&tx.outputs), expected(&row["vout"]), "{file}");
        let inputs: Vec<String> = tx.inputs.iter().map(ToString::to_string).collect();
        assert_eq!(Value::from(inputs), row["vin"], "{file}");
    }
    assert!(kinds.contains(&TxKind::MwebOnly) && kinds.contains(&TxKind::Plain));
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
    let extension_begins = 1018;
    for end in 0..extension_begins {
        assert!(decode_block(&good[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn what_follows_a_transaction_is_an_error() {
    let mut bytes = raw("tx-p2wpkh.hex");
    bytes.push(0);
    assert!(matches!(decode_tx(&bytes), Err(CodecError::Trailing(1))));
    assert!(matches!(decode_tx(&vec![0; BYTES_MAX + 1]), Err(CodecError::TooLarge(_))));
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
