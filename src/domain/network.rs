//! Litecoin networks and their constants. Every prefix and magic number of a network is here.

use std::fmt;
use std::str::FromStr;

/// A Litecoin network. There is no default: a wrong network loses money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    Main,
    Test,
    Regtest,
}

/// Confirmations before a coinbase output can be spent (consensus).
pub(crate) const COINBASE_MATURITY: u32 = 100;

/// Confirmations before a peg-out (an output of a HogEx) can be spent (LIP-3; measured on real
/// nodes: refused at 5, accepted at 6).
pub(crate) const PEGOUT_MATURITY: u32 = 6;

/// The target interval between blocks, in seconds.
pub(crate) const BLOCK_INTERVAL_SECONDS: u32 = 150;

impl Network {
    pub(crate) const ALL: [Network; 3] = [Network::Main, Network::Test, Network::Regtest];

    /// The name in the configuration, the CLI and the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Network::Main => "main",
            Network::Test => "test",
            Network::Regtest => "regtest",
        }
    }

    /// The network in `getblockchaininfo.chain`.
    pub(crate) fn node_chain(self) -> &'static str {
        self.as_str()
    }

    /// The human-readable part of segwit addresses (BIP173, SLIP-173).
    pub(crate) fn hrp(self) -> &'static str {
        match self {
            Network::Main => "ltc",
            Network::Test => "tltc",
            Network::Regtest => "rltc",
        }
    }

    /// The version byte of p2pkh addresses.
    pub(crate) fn p2pkh_version(self) -> u8 {
        match self {
            Network::Main => 48,
            Network::Test | Network::Regtest => 111,
        }
    }

    /// The version byte of p2sh addresses in the current form (`M…`, `Q…`).
    pub(crate) fn p2sh_version(self) -> u8 {
        match self {
            Network::Main => 50,
            Network::Test | Network::Regtest => 58,
        }
    }

    /// The version byte of p2sh addresses in the old form that Bitcoin shares (`3…`, `2…`);
    /// valid, but never produced by us.
    pub(crate) fn old_p2sh_version(self) -> u8 {
        match self {
            Network::Main => 5,
            Network::Test | Network::Regtest => 196,
        }
    }

    /// The coin type of BIP44 paths (SLIP-44): 2 on mainnet, 1 elsewhere.
    pub(crate) fn coin_type(self) -> u32 {
        match self {
            Network::Main => 2,
            Network::Test | Network::Regtest => 1,
        }
    }

    pub(crate) fn api_key_prefix(self) -> &'static str {
        match self {
            Network::Main => "lg_live_",
            Network::Test => "lg_test_",
            Network::Regtest => "lg_regtest_",
        }
    }

    /// Whether coins on this network have value.
    pub(crate) fn is_live(self) -> bool {
        match self {
            Network::Main => true,
            Network::Test | Network::Regtest => false,
        }
    }

    /// The network kind of extended keys in rust-bitcoin (BIP32 version bytes).
    pub(crate) fn key_kind(self) -> bitcoin::NetworkKind {
        match self {
            Network::Main => bitcoin::NetworkKind::Main,
            Network::Test | Network::Regtest => bitcoin::NetworkKind::Test,
        }
    }

    /// The oldest supported node (`getnetworkinfo.version`): 0.21.5.4 fixed the consensus of
    /// MWEB, and older nodes may accept an invalid chain. No limit where coins have no value.
    pub(crate) fn oldest_node(self) -> Option<u64> {
        self.is_live().then_some(210_504)
    }

    /// The hash of the genesis block, as the node prints it.
    pub(crate) fn genesis_hash(self) -> &'static str {
        match self {
            Network::Main => "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2",
            Network::Test => "4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0",
            Network::Regtest => "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9",
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be \"main\", \"test\" or \"regtest\"")]
pub(crate) struct UnknownNetwork;

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Network, UnknownNetwork> {
        Network::ALL.into_iter().find(|n| n.as_str() == text).ok_or(UnknownNetwork)
    }
}
