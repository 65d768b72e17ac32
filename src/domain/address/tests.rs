//! Checks addresses against `tests/fixtures/addresses.tsv`, which real nodes derived.

use super::*;
use proptest::prelude::*;

fn table() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/addresses.tsv");
    std::fs::read_to_string(path).expect("the table")
}

fn network(name: &str) -> Option<Network> {
    name.parse().ok()
}

/// The file has several tables; the number of columns and the first column select one.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().filter(|l| !l.starts_with('#')).map(|l| l.split('\t').collect())
}

#[test]
fn derived_addresses_round_trip_with_their_scripts() {
    let table = table();
    let mut seen = 0;
    for row in rows(&table) {
        let [net, _kind, index, text, script] = row[..] else { continue };
        let Some(network) = network(net) else { continue };
        if index == "-" {
            continue; // The node has no taproot descriptors; another table has taproot.
        }
        let address = Address::parse(text, network).expect(text);
        assert_eq!(address.script().to_hex_string(), script, "{text}");
        assert_eq!(address.to_string(), text);
        assert_eq!(Address::from_script(address.script(), network), Some(address));
        seen += 1;
    }
    assert_eq!(seen, 36, "four kinds, three networks, three indices");
}

#[test]
fn edge_cases_are_validated_as_the_node_validates_them() {
    let table = table();
    let mut seen = 0;
    for row in rows(&table) {
        let [text, main, test, regtest, script] = row[..] else { continue };
        if !matches!(main, "True" | "False") {
            continue;
        }
        for (net, valid) in
            [(Network::Main, main), (Network::Test, test), (Network::Regtest, regtest)]
        {
            let parsed = Address::parse(text, net);
            assert_eq!(parsed.is_ok(), valid == "True", "{text} on {net}: {parsed:?}");
            if let (Ok(address), Network::Main) = (parsed, net) {
                assert_eq!(address.script().to_hex_string(), script);
            }
            seen += 1;
        }
    }
    assert!(seen >= 36, "{seen}");
}

#[test]
fn taproot_requires_bech32m() {
    let table = table();
    let mut seen = 0;
    for row in rows(&table) {
        let [text, net, valid @ ("True" | "False"), script] = row[..] else { continue };
        let parsed = Address::parse(text, network(net).expect("a network"));
        assert_eq!(parsed.is_ok(), valid == "True", "{text}");
        if let Ok(address) = parsed {
            assert_eq!(
                (address.script().to_hex_string().as_str(), address.to_string().as_str()),
                (script, text)
            );
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn each_address_error_has_its_own_message() {
    #[track_caller]
    fn check(text: &str, expected: AddressError) {
        assert_eq!(Address::parse(text, Network::Main), Err(expected), "{text}");
    }
    check("", AddressError::Empty);
    check(&"l".repeat(300), AddressError::TooLong);
    check("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", AddressError::Bitcoin);
    check("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", AddressError::Bitcoin);
    check(
        "rltc1qp5wfcq48h6d63wyy9qz0awtpfqwwv4smt9zvvx",
        AddressError::OtherNetwork(Network::Regtest),
    );
    check("mgiHMN7dJsANUWwLfgbiw7hc4kR5xMjPhw", AddressError::OtherNetwork(Network::Test));
    check("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4nq", AddressError::Checksum);
    check("LUxXFcwXFPpRZdMv4aYu6bDwPdC2skPfLD", AddressError::Checksum);
    // A 1 typed for an l, a truncated address, and a word with a letter of another case.
    check("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k1mn4n9", AddressError::Checksum);
    check("ltc1q", AddressError::Checksum);
    let other_prefix = Hrp::parse("ltc1x").expect("a prefix");
    let other_prefix = segwit::encode(other_prefix, bech32::Fe32::Q, &[7; 20]).expect("room");
    check(&other_prefix, AddressError::Checksum);
    check("ltc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", AddressError::MixedCase);
    check("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9\n", AddressError::Whitespace);
    check("rltc1qp5wfcq48", AddressError::OtherNetwork(Network::Regtest));
    check("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", AddressError::Bitcoin);
    check("hello", AddressError::Unknown);
    let mweb = format!("ltcmweb1{}", "q".repeat(100));
    check(&mweb, AddressError::Mweb);
    check(&mweb.to_uppercase(), AddressError::Mweb);
}

#[test]
fn the_base58_checksum_is_verified_before_the_prefix() {
    #[track_caller]
    fn check(text: &str, expected: Result<&str, AddressError>) {
        let parsed = Address::parse(text, Network::Main).map(|address| address.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text}");
    }
    for text in ["LTC1q9e4NyPL6ojvpjxhtkBLy1jE5dU6Tt", "LTc1rttenwLJd95gyjJVbMv9K3yoVQ3sPZ"] {
        check(text, Ok(text));
    }
    // One letter is wrong: a base58 address mixes both cases, so the case is not the error.
    check("LTC1q9e4NyPL6ojvpjxhtkBLy1jE5dU6Tu", Err(AddressError::Checksum));
    check("Ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", Err(AddressError::MixedCase));
}

/// A valid p2pkh address of the main network whose text begins with `prefix`: the checksum
/// decides only the last letters.
fn base58_beginning_with(prefix: &str) -> String {
    let filled = format!("{prefix:2<34}");
    let bytes = base58::decode(&filled).expect("letters of base58");
    let text = base58::encode_check(&bytes[..21]);
    assert!(text.starts_with(prefix), "{text}");
    text
}

#[test]
fn base58_addresses_may_begin_with_a_bech32_prefix() {
    for prefix in ["LTC1", "LTc1", "LTCMWEB1", "LTCmweb1"] {
        let text = base58_beginning_with(prefix);
        let parsed = Address::parse(&text, Network::Main).expect(&text);
        assert_eq!(parsed.to_string(), text);
    }
}

#[test]
fn only_known_witness_versions_are_accepted() {
    #[track_caller]
    fn check(version: u8, program: &[u8], expected: AddressError) {
        let hrp = Hrp::parse("ltc").expect("a prefix");
        let version = bech32::Fe32::try_from(version).expect("a version");
        let mut text = String::new();
        // Unchecked, because the test needs invalid program lengths.
        segwit::encode_to_fmt_unchecked(&mut text, hrp, version, program).expect("room");
        assert_eq!(Address::parse(&text, Network::Main), Err(expected), "{text}");
    }
    check(2, &[7; 32], AddressError::WitnessVersion);
    check(16, &[7; 20], AddressError::WitnessVersion);
    check(1, &[0x4e, 0x73], AddressError::WitnessVersion); // pay to anchor
    check(1, &[7; 20], AddressError::WitnessVersion);
    check(8, &[7; 32], AddressError::WitnessVersion); // as a HogAddr
    check(9, &[7; 32], AddressError::WitnessVersion); // as a peg-in
    check(0, &[7; 25], AddressError::Unknown);
    check(17, &[7; 20], AddressError::Checksum);
}

#[test]
fn the_old_p2sh_prefix_is_distinguished_from_the_new_one() {
    let old = Address::parse("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", Network::Main).expect("valid");
    assert!(old.is_old_p2sh_spelling());
    let new = Address::parse(&old.to_string(), Network::Main).expect("valid");
    assert!(!new.is_old_p2sh_spelling());
    assert_eq!(std::collections::HashSet::from([old, new]).len(), 1);
}

#[test]
fn both_p2sh_prefixes_encode_the_same_address() {
    let old = Address::parse("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", Network::Main).expect("valid");
    let new = old.to_string();
    assert!(new.starts_with('M'), "{new}");
    assert_eq!(Address::parse(&new, Network::Main), Ok(old));
}

proptest! {
    #[test]
    fn any_standard_script_round_trips(hash in any::<[u8; 32]>(), kind in 0..5usize, net in 0..3usize) {
        let network = Network::ALL[net];
        let short: [u8; 20] = hash[..20].try_into().expect("20 of 32");
        let program = |version, bytes: &[u8]| {
            ScriptBuf::new_witness_program(&WitnessProgram::new(version, bytes).expect("a length"))
        };
        let script = match kind {
            0 => ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(short)),
            1 => ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(short)),
            2 => program(WitnessVersion::V0, &short),
            3 => program(WitnessVersion::V0, &hash),
            _ => program(WitnessVersion::V1, &hash),
        };
        let address = Address::from_script(&script, network).expect("standard");
        prop_assert_eq!(Address::parse(&address.to_string(), network), Ok(address));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,90}") {
        let _ = Address::parse(&text, Network::Main);
    }
}
