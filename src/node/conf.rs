//! litecoin.conf with an RPC user and a call whitelist for the gateway.

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use bitcoin::hex::DisplayHex;

use super::rpc;
use crate::domain::network::Network;
use crate::secret::{self, Secret};

pub(crate) const USER: &str = "litegate";

/// A new password: 32 random bytes in hexadecimal.
pub(crate) fn new_password() -> Secret<String> {
    Secret::new(secret::random_bytes::<32>().to_lower_hex_string())
}

/// litecoin.conf for a network: the file in `litecoind/`, and the gateway's user with the hash
/// of its password.
pub(crate) fn litecoin_conf(network: Network, password: &Secret<String>) -> String {
    let common = match network {
        Network::Main => include_str!("../../litecoind/litecoin.conf"),
        Network::Test => include_str!("../../litecoind/litecoin-test.conf"),
        Network::Regtest => include_str!("../../litecoind/litecoin-regtest.conf"),
    };
    let salt = secret::random_bytes::<16>().to_lower_hex_string();
    format!(
        "{common}\n\
         # The gateway's user: a hash of its password, and the calls that it may make. The user\n\
         # of the cookie, which litecoin-cli is, may make them all.\n\
         rpcauth={USER}:{salt}${hash}\n\
         rpcwhitelist={USER}:{calls}\n\
         rpcwhitelistdefault=0\n",
        hash = password_hash(&salt, password.reveal()),
        calls = rpc::CALLS.join(","),
    )
}

/// HMAC-SHA256 of the password under the salt's text (`rpcauth.py` in
/// the node's `share/rpcauth`).
fn password_hash(salt: &str, password: &str) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(salt.as_bytes());
    engine.input(password.as_bytes());
    Hmac::<sha256::Hash>::from_engine(engine).to_byte_array().to_lower_hex_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_in_the_file() {
        let password = new_password();
        for network in [Network::Main, Network::Test, Network::Regtest] {
            let text = litecoin_conf(network, &password);
            assert!(!text.contains(password.reveal()), "{text}");
            assert!(text.contains("\nrpcwhitelist=litegate:getblockchaininfo,"), "{text}");
        }
    }

    #[test]
    fn every_whitelisted_rpc_is_used() {
        let source = concat!(
            include_str!("chain.rs"),
            include_str!("mempool.rs"),
            include_str!("transactions.rs"),
            include_str!("status.rs"),
            include_str!("scan.rs"),
        );
        for call in rpc::CALLS {
            let named = source.matches(&format!("\"{call}\"")).count();
            assert!(named > 0, "{call} is allowed but never made");
        }
    }
}
