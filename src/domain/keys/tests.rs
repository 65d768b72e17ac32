//! Checks keys against `tests/fixtures/addresses.tsv`, which a real node derived.

use proptest::prelude::*;

use super::*;
use crate::domain::address::Address;

const MAIN: &str = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8\
                    YtGqsefD265TMg7usUDFdp6W1EGMcet8";
const TEST: &str = "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGj\
                    xbaTLV3X4FyWuejifB9jusQ46QzG87VKp";

/// The same key with other version bytes.
fn respell(text: &str, version: [u8; 4]) -> String {
    let mut payload = base58::decode_check(text).expect("a key");
    payload[..4].copy_from_slice(&version);
    base58::encode_check(&payload)
}

#[test]
fn derived_scripts_equal_those_of_the_node() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/addresses.tsv");
    let table = std::fs::read_to_string(path).expect("the table");
    let mut seen = 0;
    for line in table.lines() {
        let row: Vec<&str> = line.split('\t').collect();
        let [net, "p2wpkh", index, text, _] = row[..] else { continue };
        let network: Network = net.parse().expect("a network");
        let key = if network == Network::Main { MAIN } else { TEST };
        let key = AccountXpub::parse(key, network).expect("a key");
        let index = DerivationIndex::new(index.parse().expect("a number")).expect("small");
        let address = Address::from_script(&key.script_at(index), network).expect("p2wpkh");
        assert_eq!(address.to_string(), text);
        seen += 1;
    }
    assert_eq!(seen, 9);
}

#[test]
fn all_key_encodings_parse_to_the_same_key() {
    let plain = AccountXpub::parse(MAIN, Network::Main).expect("a key");
    for (version, kind, half, script_kind) in PREFIXES {
        let text = respell(if kind == NetworkKind::Main { MAIN } else { TEST }, version);
        let network = if kind == NetworkKind::Main { Network::Main } else { Network::Regtest };
        let parsed = AccountXpub::parse(&text, network);
        if half == Half::Private {
            assert_eq!(parsed, Err(KeyError::Private), "{text}");
            continue;
        }
        let parsed = parsed.expect("a public key");
        assert_eq!(
            parsed.contradiction().is_some(),
            matches!(script_kind, ScriptKind::P2pkh | ScriptKind::P2shP2wpkh)
        );
        if kind == NetworkKind::Main {
            assert!(parsed.is_same_key(&plain));
            assert_eq!(parsed.core_spelling(), MAIN);
            assert!(parsed.to_string().starts_with("zpub"));
        } else {
            assert_eq!(parsed.core_spelling(), TEST);
            assert!(parsed.to_string().starts_with("vpub"));
        }
    }
}

#[test]
fn anything_but_a_key_of_this_network_is_refused() {
    assert_eq!(AccountXpub::parse(TEST, Network::Main), Err(KeyError::OtherNetwork(Network::Main)));
    assert_eq!(AccountXpub::parse(MAIN, Network::Test), Err(KeyError::OtherNetwork(Network::Test)));
    let mistyped = MAIN.replace("661My", "661Mz");
    assert_eq!(AccountXpub::parse(&mistyped, Network::Main), Err(KeyError::Checksum));
    for text in ["", "zpub", "hello world", &"z".repeat(500)] {
        assert!(AccountXpub::parse(text, Network::Main).is_err(), "{text}");
    }
}

#[test]
fn an_account_too_deep_to_derive_from_is_refused() {
    // Depth is the fifth byte. At 253 the last possible address has depth 255.
    let at_depth = |depth: u8| {
        let mut payload = base58::decode_check(MAIN).expect("a key");
        payload[4] = depth;
        AccountXpub::parse(&base58::encode_check(&payload), Network::Main)
    };
    let deepest = at_depth(253).expect("room for two steps");
    assert_eq!(deepest.depth(), 253);
    let last = DerivationIndex::new((1 << 31) - 1).expect("the last");
    assert_eq!(deepest.script_at(last), at_depth(3).expect("a key").script_at(last));
    assert_eq!(at_depth(254), Err(KeyError::TooDeep));
    assert_eq!(at_depth(255), Err(KeyError::TooDeep));
    assert_eq!(DerivationIndex::new(1 << 31), None);
}

#[test]
fn a_key_with_an_unusual_prefix_or_depth_causes_a_warning() {
    let warned = |depth: u8, version: [u8; 4]| {
        let mut payload = base58::decode_check(&respell(MAIN, version)).expect("a key");
        payload[4] = depth;
        let key = AccountXpub::parse(&base58::encode_check(&payload), Network::Main);
        key.expect("a key").warnings()
    };
    let (zpub, ltub) = ([0x04, 0xb2, 0x47, 0x46], [0x01, 0x9d, 0xa4, 0x62]);
    assert!(warned(3, zpub).is_empty());
    assert!(warned(3, ltub)[0].contains("BIP44"));
    for depth in [0, 1, 2, 4] {
        assert!(warned(depth, zpub)[0].contains(&format!("has depth {depth}")));
        assert_eq!(warned(depth, ltub).len(), 2);
    }
}

#[test]
fn damaged_private_keys_are_still_reported_as_private() {
    let wif = base58::encode_check(&[&[176][..], &[7; 32], &[1]].concat());
    let private = respell(MAIN, [0x04, 0x88, 0xad, 0xe4]);
    let phrase = "abandon ".repeat(11) + "about";
    for text in [&wif, &private[..60], &phrase, &"ab".repeat(32), "zprvAWgYBBk7JR8Gj"] {
        assert_eq!(AccountXpub::parse(text, Network::Main), Err(KeyError::Private), "{text}");
    }
}

#[test]
fn keys_of_multisignature_wallets_are_refused() {
    for version in MULTISIG_PREFIXES {
        let text = respell(MAIN, version);
        for network in Network::ALL {
            assert_eq!(AccountXpub::parse(&text, network), Err(KeyError::Multisig), "{text}");
        }
    }
}

#[test]
fn debug_output_hides_the_key() {
    let key = AccountXpub::parse(MAIN, Network::Main).expect("a key");
    assert_eq!(format!("{key:?}"), "AccountXpub(3442193e of main)");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,140}") {
        let _ = AccountXpub::parse(&text, Network::Main);
    }

    #[test]
    fn no_payload_makes_the_parser_panic(
        prefix in 0..PREFIXES.len(),
        body in prop::collection::vec(any::<u8>(), 74),
    ) {
        let payload = [&PREFIXES[prefix].0[..], &body].concat();
        let text = base58::encode_check(&payload);
        for network in Network::ALL {
            if let Ok(key) = AccountXpub::parse(&text, network) {
                let _ = key.script_at(DerivationIndex::new(0).expect("small"));
                prop_assert!(AccountXpub::parse(&key.to_string(), network)
                    .is_ok_and(|again| again.is_same_key(&key)));
            }
        }
    }
}

#[test]
fn an_error_never_repeats_a_private_key() {
    // The seed of BIP32's first test vector, from which the table's public key derives.
    let seed: Vec<u8> = (0..16).collect();
    let key = bitcoin::bip32::Xpriv::new_master(NetworkKind::Main, &seed).expect("a good seed");
    let private = &key.to_string();
    for network in Network::ALL {
        let error = AccountXpub::parse(private, network).expect_err("private");
        assert_eq!(error, KeyError::Private);
        assert!(!error.to_string().contains(&private[4..12]));
    }
    let key = parse_private(private, Network::Main).expect("a private key");
    let half = public_half(Network::Main, &key, &Secp256k1::new()).expect("derivable");
    assert!(half.is_same_key(&AccountXpub::parse(MAIN, Network::Main).expect("a key")));
    assert_eq!(parse_private(MAIN, Network::Main), Err(KeyError::NotPrivate));
}
