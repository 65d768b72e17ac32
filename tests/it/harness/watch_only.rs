//! A watch-only gateway with an external signer.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use bitcoin::bip32::{DerivationPath, Xpriv};
use bitcoin::psbt::Psbt;
use bitcoin::{NetworkKind, PrivateKey};
use serde_json::{Value, json};

use super::gateway::{Gateway, Output};
use super::test_env::TestEnv;

/// A gateway without signing key; litecoind's wallet signs its sweeps.
pub(crate) struct WatchOnly {
    pub(crate) test_env: TestEnv,
    /// The key, which is kept elsewhere.
    key: Xpriv,
}

impl WatchOnly {
    pub(crate) fn start() -> Option<WatchOnly> {
        let mut key = None;
        let test_env = TestEnv::alone_with(|gateway| {
            let file = gateway.setting("wallet.signing_key_file");
            key = Some(Xpriv::from_str(fs::read_to_string(&file).unwrap().trim()).unwrap());
            gateway.unset("wallet.signing_key_file");
            fs::remove_file(file).unwrap();
            gateway.set("wallet.key_origin", "d34db33f/84'/1'/0'");
        })?;
        Some(WatchOnly { test_env, key: key.unwrap() })
    }

    fn gateway(&self) -> &Gateway {
        &self.test_env.gateway
    }

    fn file(&self, name: &str) -> PathBuf {
        self.gateway().folder().join(name)
    }

    pub(crate) fn export(&self, name: &str) -> Psbt {
        let file = self.file(name);
        self.gateway().cli_ok(&["sweep", "--psbt", &file.display().to_string()]);
        let text = fs::read_to_string(file).unwrap();
        Psbt::from_str(&text).unwrap()
    }

    /// Imports the keys of the first addresses into the node's wallet and signs.
    pub(crate) fn sign(&self, psbt: &Psbt) -> String {
        let secp = bitcoin::secp256k1::Secp256k1::new();
        for index in 0..6u32 {
            let path = DerivationPath::from_str(&format!("m/0/{index}")).unwrap();
            let child = self.key.derive_priv(&secp, &path).unwrap();
            let key = PrivateKey::new(child.private_key, NetworkKind::Test);
            self.test_env.node.call::<Value>("importprivkey", json!([key.to_wif(), "", false]));
        }
        let signed: Value =
            self.test_env.node.call("walletprocesspsbt", json!([psbt.to_string(), true, "ALL"]));
        signed["psbt"].as_str().unwrap().to_owned()
    }

    /// Broadcasts the transaction instead of returning the PSBT. Answers the txid.
    pub(crate) fn broadcast(&self, signed: &str) -> String {
        let done: Value = self.test_env.node.call("finalizepsbt", json!([signed]));
        assert_eq!(done["complete"], true, "{done}");
        self.test_env.node.call("sendrawtransaction", json!([done["hex"]]))
    }

    pub(crate) fn import(&self, psbt: &str) -> Output {
        let file = self.file("signed.psbt");
        fs::write(&file, psbt).unwrap();
        self.gateway().cli(&["sweep", "--import", &file.display().to_string()])
    }

    #[track_caller]
    pub(crate) fn check_refused(&self, psbt: &str, words: &[&str]) {
        let answer = self.import(psbt);
        assert_eq!(answer.code, 1, "{answer:?}");
        for word in words {
            assert!(answer.stderr.contains(word), "{word}: {}", answer.stderr);
        }
        assert_eq!(self.test_env.node.mempool(), [""; 0], "nothing was sent");
    }
}
