//! Entry points for the fuzz targets in `tests/fuzz`, which cannot see private modules.
//!
//! Not a public interface. Each function takes any bytes, must not panic, and asserts
//! properties of every input. Inputs that crashed become files of the corpora, which `cargo
//! test` replays.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hashes::Hash;

use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::fiat::{Currency, FiatAmount};
use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::network::Network;
use crate::domain::rate::{Rate, Source};
use crate::domain::time::Timestamp;
use crate::domain::webhook_url::PrivateNetworks;
use crate::http::create;
use crate::node::codec::{self, PegoutProof, Tx, TxKind};
use crate::node::zmq::{self, Topic};
use crate::operations::create_payment::{Asked, EXPIRES_IN_SECONDS, REFERENCE_CHARS_MAX};
use crate::rates;

/// A transaction, as ZMQ delivers it.
pub fn fuzz_transaction(bytes: &[u8]) {
    let Ok(tx) = codec::decode_tx(bytes) else { return };
    check_tx(&tx);
    let has_mweb_part = bytes.get(4) == Some(&0) && bytes.get(5).is_some_and(|flag| flag & 8 != 0);
    // The MWEB part does not state its length, so only transactions without it detect a cut.
    if let (Some((_, cut)), false) = (bytes.split_last(), has_mweb_part) {
        assert!(codec::decode_tx(cut).is_err(), "a byte at the end does not count");
    }
    // Compares with rust-bitcoin, which reads transactions without an MWEB part.
    let second = bitcoin::consensus::deserialize::<bitcoin::Transaction>(bytes);
    if let (Some(txid), Ok(second)) = (tx.txid, second) {
        assert_eq!(txid, second.compute_txid());
        assert_eq!(tx.outputs, second.output);
    }
}

/// A block, as the node returns it. The Merkle root is corrected first, since no mutation
/// finds it.
pub fn fuzz_block(bytes: &[u8]) {
    let _ = codec::decode_block(bytes);
    let bytes = with_merkle_root(bytes);
    let Ok(block) = codec::decode_block(&bytes) else { return };
    assert!(!block.txs.is_empty());
    for tx in &block.txs {
        check_tx(tx);
        assert!(tx.txid.is_some(), "in a block each transaction has an id");
    }
    if let PegoutProof::Listed(pegouts) = &block.pegouts {
        let ids: BTreeSet<_> = pegouts.iter().map(|pegout| pegout.id).collect();
        // Equal kernels collapse into one id; a valid block has no two.
        assert!(ids.len() <= pegouts.len() && pegouts.len() <= bytes.len());
    }
}

pub fn fuzz_address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for network in Network::ALL {
        let Ok(address) = Address::parse(text, network) else { continue };
        let canonical = address.to_string();
        assert_eq!(Address::parse(&canonical, network).as_ref(), Ok(&address));
        assert_eq!(Address::from_script(address.script(), network), Some(address));
    }
}

/// An extended key as text, or as the bytes under the checksum, which no mutation finds.
pub fn fuzz_extended_key(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check_key(text);
    }
    check_key(&bitcoin::base58::encode_check(bytes.get(..78).unwrap_or(bytes)));
}

/// A ZMQ message. The input is its parts, each after its length in two bytes.
pub fn fuzz_zmq_frame(bytes: &[u8]) {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (part, after) = after.split_at(after.len().min(u16::from_le_bytes(*length).into()));
        parts.push(part.to_vec());
        rest = after;
    }
    let Some(frame) = zmq::parse_frame(&parts) else { return };
    let topic = match frame.topic {
        Topic::RawTx => "rawtx",
        Topic::HashBlock => "hashblock",
    };
    let written =
        [topic.as_bytes().to_vec(), frame.body.to_vec(), frame.sequence.to_le_bytes().to_vec()];
    assert_eq!(parts, written, "nothing but the documented form is taken");
    if frame.topic == Topic::RawTx {
        fuzz_transaction(frame.body);
    }
}

/// An amount as a string, and as a JSON number.
pub fn fuzz_amount(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (strict, rounded) = (Amount::parse(text), Amount::parse_json_number(text));
    for amount in [&strict, &rounded].into_iter().flatten() {
        assert!(*amount <= Amount::MAX);
        assert_eq!(Amount::parse(&amount.to_string()), Ok(*amount), "its own digits");
        assert!(!amount.to_string().contains(['e', 'E', '+', '-']));
    }
    let is_json = serde_json::from_str::<serde_json::Number>(text).is_ok();
    if let (Ok(strict), true) = (strict, is_json) {
        assert_eq!(rounded, Ok(strict), "what is exact is not rounded");
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // Compares with rust-bitcoin on plain decimals.
    let second = bitcoin::Amount::from_str_in(text, bitcoin::Denomination::Bitcoin);
    if let (Ok(strict), Ok(second), true) = (strict, second, is_plain) {
        assert_eq!(strict.litoshis(), second.to_sat());
    }
}

/// A price in a currency, as a string and as a JSON number. The first byte is the number of its
/// decimals.
pub fn fuzz_price(bytes: &[u8]) {
    let Some((decimals, text)) = bytes.split_first() else { return };
    let code = match decimals {
        b'0' => "JPY",
        b'3' => "KWD",
        _ => "EUR",
    };
    let currency = Currency::parse(code).expect("a currency of the list");
    let Ok(text) = std::str::from_utf8(text) else { return };
    let strict = FiatAmount::parse(text, currency);
    let rounded = FiatAmount::parse_json_number(text, currency);
    for price in [&strict, &rounded].into_iter().flatten() {
        assert!((1..=FiatAmount::MINOR_MAX).contains(&price.minor()));
        assert_eq!(FiatAmount::from_minor(price.minor(), price.currency()), Some(*price));
        assert_eq!(FiatAmount::parse(&price.to_string(), currency), Ok(*price), "its own digits");
        // One LTC is 80 units: the shop gets at least the price, and one litoshi less is less.
        let rate = Rate::parse("80").expect("in range");
        let Some(ltc) = rate.ltc_for(*price) else { continue };
        let one = Amount::from_litoshis(1).expect("in range");
        assert!(rate.value_of(ltc) > rate.value_of(ltc.saturating_sub(one)));
        assert_eq!(rate.ltc_for(*price), Some(ltc));
    }
    if let Ok(strict) = strict {
        assert_eq!(rounded, Ok(strict), "what is exact is not rounded");
    }
}

/// The body of `POST /api/payments`.
pub fn fuzz_request_body(bytes: &[u8]) {
    let Ok(asked) = create::read_body(bytes, &PrivateNetworks::Refused.into()) else { return };
    match asked.amount {
        Asked::Ltc(amount) => assert!(!amount.is_zero() && amount <= Amount::MAX),
        Asked::Price(price) => assert!((1..=FiatAmount::MINOR_MAX).contains(&price.minor())),
    }
    assert!(asked.reference.is_none_or(|text| text.chars().count() <= REFERENCE_CHARS_MAX));
    assert!(asked.expires_in_seconds.is_none_or(|s| EXPIRES_IN_SECONDS.contains(&s)));
    for url in [asked.webhook_url, asked.redirect_url].into_iter().flatten() {
        assert!(url.starts_with("http://") || url.starts_with("https://"), "{url:?}");
        assert!(url.is_ascii() && !url.bytes().any(|byte| byte.is_ascii_control()), "{url:?}");
    }
    assert!(std::str::from_utf8(bytes).is_ok());
    // Unknown fields are ignored with any value; a number there may exceed every type.
    let bytes = create::without_byte_order_mark(bytes);
    type AnyObject = BTreeMap<String, serde::de::IgnoredAny>;
    assert!(serde_json::from_slice::<AnyObject>(bytes).is_ok(), "nothing but an object is taken");
}

/// The response of a source of exchange rates. The first byte is the source's letter.
pub fn fuzz_rate_source(bytes: &[u8]) {
    let Some((letter, body)) = bytes.split_first() else { return };
    let Ok(body) = std::str::from_utf8(body) else { return };
    let source = match letter {
        b'k' => Source::Kraken,
        b'c' => Source::Coinbase,
        b's' => Source::Bitstamp,
        b'f' => Source::Bitfinex,
        b'e' => {
            let Ok(reference) = rates::read_reference(body, Timestamp::from_ms(0)) else { return };
            let currencies: BTreeSet<_> = reference.per_euro.iter().map(|(c, _)| *c).collect();
            assert!(!currencies.is_empty() && currencies.len() == reference.per_euro.len());
            reference.per_euro.iter().for_each(|(_, rate)| check_rate(*rate));
            return;
        }
        _ => return,
    };
    let Ok(ticker) = rates::read_ticker(source, Currency::EUR, body) else { return };
    assert!(ticker.bid <= ticker.ask);
    let middle = ticker.bid.mean(ticker.ask);
    assert!((ticker.bid..=ticker.ask).contains(&middle));
    check_rate(middle);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
    assert!(is_json, "nothing but JSON is a ticker");
}

fn check_rate(rate: Rate) {
    assert_eq!(Rate::parse(&rate.to_string()), Ok(rate), "its own digits");
    assert!(!rate.to_string().contains(['e', 'E', '+', '-']));
}

fn check_key(text: &str) {
    let first = DerivationIndex::new(0).expect("zero is small");
    for network in Network::ALL {
        let public = AccountXpub::parse(text, network);
        let private = AccountXpriv::parse(text, network);
        assert!(public.is_err() || private.is_err(), "a key is public or private");
        if let Ok(key) = &public {
            let again = AccountXpub::parse(&key.to_string(), network);
            assert!(again.is_ok_and(|again| again.script_at(first) == key.script_at(first)));
        }
        if let Ok(key) = private {
            let again = AccountXpriv::parse(&key.to_text(), network).expect("its own text");
            assert!(again.to_xpub().is_same_key(&key.to_xpub()));
            let _ = key.secret_key_at(first);
        }
    }
}

fn check_tx(tx: &Tx) {
    assert!(tx.outputs.iter().all(|o| Amount::from_litoshis(o.value.to_sat()).is_some()));
    match tx.kind {
        TxKind::MwebOnly => {
            assert!(tx.txid.is_none() && tx.inputs.is_empty() && tx.outputs.is_empty());
        }
        TxKind::Hogex => assert!(tx.txid.is_some() && !tx.outputs.is_empty()),
        TxKind::Coinbase => assert!(tx.txid.is_some() && tx.inputs.is_empty()),
        TxKind::Plain => assert!(tx.txid.is_some()),
    }
}

/// The block with the right Merkle root, if its transactions are complete.
fn with_merkle_root(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(root) = codec::expected_merkle_root(&bytes)
        && let Some(place) = bytes.get_mut(36..68)
    {
        place.copy_from_slice(&root.to_byte_array());
    }
    bytes
}

#[cfg(test)]
mod tests;
