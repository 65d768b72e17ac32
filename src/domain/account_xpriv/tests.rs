//! Checks keys against BIP84's test vector and addresses that real nodes derived.

use bitcoin::hex::FromHex;
use bitcoin::secp256k1::PublicKey;

use super::*;
use crate::domain::address::Address;

/// BIP39's seed of "abandon" eleven times and "about", without passphrase.
const SEED: &str = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1\
                    9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4";

fn seed() -> Vec<u8> {
    Vec::from_hex(SEED).expect("hex")
}

#[test]
fn a_seed_derives_the_same_account_as_other_wallets() {
    // The first addresses that wallets show for this mnemonic.
    #[track_caller]
    fn check(network: Network, script: &str) {
        let account = AccountXpriv::from_mnemonic_seed(&seed(), network).0.to_xpub();
        let first = account.script_at(DerivationIndex::new(0).expect("small"));
        assert_eq!(first.to_hex_string(), script, "{network}");
        assert_eq!(account.depth(), 3);
    }
    let main = Address::parse("ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh", Network::Main);
    check(Network::Main, &main.expect("an address").script().to_hex_string());
    // tb1q6rz28mcfaxtmd6v789l9rrlrusdprr9pz3cppk: Bitcoin's test network has our coin type.
    check(Network::Test, "0014d0c4a3ef09e997b6e99e397e518fe3e41a118ca1");
    check(Network::Regtest, "0014d0c4a3ef09e997b6e99e397e518fe3e41a118ca1");
}

#[test]
fn the_bip84_test_vector_yields_its_published_keys() {
    // BIP84's test vector, in its own serialization.
    let private = "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42n\
                   vgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE";
    let account = AccountXpriv::parse(private, Network::Main).expect("a private key");
    let public = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG86\
                  8RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";
    assert_eq!(account.to_xpub().to_string(), public);
    let first = account.to_xpub().public_key_at(DerivationIndex::new(0).expect("small"));
    assert_eq!(
        first.to_string(),
        "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c"
    );
}

#[test]
fn each_secret_key_matches_the_public_key_at_its_index() {
    for network in Network::ALL {
        let private = AccountXpriv::from_mnemonic_seed(&seed(), network).0;
        let public = private.to_xpub();
        for index in [0, 1, 7, (1 << 31) - 1] {
            let index = DerivationIndex::new(index).expect("below the end");
            let key = PublicKey::from_secret_key(&Secp256k1::new(), &private.secret_key_at(index));
            assert_eq!(key, public.public_key_at(index).0, "{network} {index:?}");
        }
    }
}

#[test]
fn the_key_round_trips_as_text_and_is_never_printed_otherwise() {
    for network in Network::ALL {
        let key = AccountXpriv::from_mnemonic_seed(&seed(), network).0;
        let text = key.to_text();
        let again = AccountXpriv::parse(&text, network).expect("its own text");
        assert!(again.to_xpub().is_same_key(&key.to_xpub()));
        assert_eq!(format!("{key:?}"), format!("AccountXpriv(secret, {network})"));
    }
}

#[test]
fn anything_but_a_private_key_of_this_network_is_refused() {
    let key = AccountXpriv::from_mnemonic_seed(&seed(), Network::Main).0;
    let refused = |text: &str, network| AccountXpriv::parse(text, network).map(|_| ()).unwrap_err();
    assert_eq!(refused(&key.to_xpub().to_string(), Network::Main), KeyError::NotPrivate);
    assert_eq!(refused("hello world", Network::Main), KeyError::Unknown);
    let text = key.to_text();
    for network in [Network::Test, Network::Regtest] {
        let error = refused(&text, network);
        assert_eq!(error, KeyError::OtherNetwork(network));
        assert!(!error.to_string().contains(&text[4..12]), "{error}");
    }
    assert_eq!(refused(&text[..text.len() - 1], Network::Main), KeyError::Checksum);
}
