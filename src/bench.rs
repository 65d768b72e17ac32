//! Entry points for the benchmarks in `tests/bench`, which cannot see private modules.
//!
//! Not a public interface; it may change at any time. No function here compares a duration
//! with a limit.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Txid};

use crate::config::{self, Config};
use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::{MerchantId, address_in_force};
use crate::domain::payment::Origin;
use crate::domain::sweep::{self, Payee, Rules, SweepCoin};
use crate::node::codec;
use crate::node::rpc::Node;
use crate::operations::payment_events::EventContext;
use crate::progress::NO_REPORT;
use crate::serve::database::open_store;
use crate::store::{self, Store, blocks, merchants, sweeps};
use crate::sweeper::build;
use crate::sweeper::signing_key::SigningKey;
use crate::watcher::filter_builder::FilterBuilder;
use crate::watcher::lookahead::Lookahead;
use crate::watcher::sync::{self, End, connect_block};

/// A fee rate, in litoshis per 1,000 vbytes, at which every plan is affordable.
const RATE: u64 = 2_000;

/// Decodes a block and returns its number of transactions.
///
/// # Errors
/// If the bytes are not a block.
pub fn decode_block(raw: &[u8]) -> anyhow::Result<usize> {
    Ok(codec::decode_block(raw)?.txs.len())
}

/// The database of a gateway that is not running, with the roles' in-memory state.
pub struct Ledger {
    config: Config,
    store: Store,
    lookahead: Lookahead,
    filter_builder: FilterBuilder,
}

impl Ledger {
    /// Opens the database with the gateway's configuration.
    ///
    /// # Errors
    /// If configuration or database cannot be used.
    pub fn open(config_file: &Path) -> anyhow::Result<Ledger> {
        let config = config::load(Some(config_file))?;
        let store = open_store(&config)?;
        let mut lookahead = Lookahead::new(config.xpub.clone());
        // As in the watcher, the lookahead is derived once per process.
        let next = store.read_blocking(store::indexes::next_index)?;
        let _ = lookahead.highest(next, std::iter::empty());
        Ok(Ledger { config, store, lookahead, filter_builder: FilterBuilder::default() })
    }

    /// Builds the Bloom filter that a running watcher keeps in memory.
    pub fn warm_up(&mut self) {
        self.filter_builder.begin(&self.store);
        self.filter_builder.await_built();
    }

    /// Decodes a block and connects it to the stored tip, as the watcher does. Returns how
    /// many payments changed.
    ///
    /// # Errors
    /// If the bytes are not a block, or the block cannot be stored.
    pub fn connect(&mut self, raw: &[u8]) -> anyhow::Result<usize> {
        let block = codec::decode_block(raw)?;
        let tip = self.store.read_blocking(blocks::tip)?.context("there is no tip")?;
        let id = BlockId { height: tip.height.saturating_add(1), hash: block.hash };
        let network = self.config.network;
        let context = EventContext { network, now: self.config.clock.now(), mempool: None };
        let rates = self.config.payments.rates.clone();
        let (lookahead, filter_builder) = (&mut self.lookahead, &mut self.filter_builder);
        let changes =
            connect_block(&self.store, lookahead, filter_builder, block, id, context, rates)?;
        Ok(changes.payments.len())
    }

    fn node(&self) -> anyhow::Result<Node> {
        let first = self.config.nodes.first().context("there is no node")?;
        Ok(Node::new(first.rpc.clone()))
    }

    /// Fetches the blocks above the stored tip without using them. Returns their size in
    /// bytes.
    ///
    /// # Errors
    /// If the node does not answer.
    pub fn fetch(&self) -> anyhow::Result<usize> {
        let node = self.node()?;
        let tip = self.store.read_blocking(blocks::tip)?.context("there is no tip")?;
        let last = node.chain_state()?.tip.height;
        let mut bytes = 0usize;
        for height in tip.height.saturating_add(1)..=last {
            bytes = bytes.saturating_add(node.block_text(node.block_hash(height)?)?.len());
        }
        Ok(bytes)
    }

    /// Syncs to the node's tip, as the watcher does at start. Returns the tip's height.
    ///
    /// # Errors
    /// If the node does not answer, or follows another chain.
    pub fn catch_up(&self) -> anyhow::Result<u32> {
        let node = self.node()?;
        let (terms, xpub) = (self.config.terms(), &self.config.xpub);
        match sync::catch_up(&self.store, &node, &terms, xpub, NO_REPORT)? {
            End::AtTip(at_tip) => Ok(at_tip.tip().height),
            End::NodeBehind | End::Stopped => anyhow::bail!("not at the tip"),
        }
    }

    /// Reads what the sweeper reads on each pass and plans all payouts that are due. Returns
    /// the number of coins and of transactions.
    pub fn plan(&self) -> anyhow::Result<(usize, usize)> {
        let (network, now) = (self.config.network, self.config.clock.now());
        let (coins, payees) = self.store.read_blocking(|tx| {
            let tip = blocks::tip(tx)?.context("there is no tip")?;
            let _ = (sweeps::abandoned::with_vanished_coin(tx)?, sweeps::unconfirmed(tx)?);
            let coins = sweeps::sweepable(tx, tip.height)?;
            let mut payees = Vec::new();
            for merchant in sweep::merchants_of(&coins) {
                let addresses = merchants::payout_addresses(tx, merchant, network)?;
                let address = address_in_force(addresses.current(), now).context("no address")?;
                payees.push(Payee { merchant, script: address.address.script().to_owned() });
            }
            Ok::<_, anyhow::Error>((coins, payees))
        })?;
        let planned = sweep::plan(&coins, &payees, RATE, &rules());
        Ok((planned.plans.iter().map(|plan| plan.coins.len()).sum(), planned.plans.len()))
    }

    /// Signs sweeps of this many coins. Returns the duration of the signing alone, and the
    /// number of transactions.
    ///
    /// # Errors
    /// If there is no signing key, or signing fails.
    pub fn sign(&self, coins: u32) -> anyhow::Result<(Duration, usize)> {
        let Config { network, xpub, signing_key_file, passphrase_file, held, .. } = &self.config;
        let file = signing_key_file.as_deref().context("there is no signing key")?;
        let key = SigningKey::load(held, file, passphrase_file.as_deref(), *network, xpub)?;
        let merchant = MerchantId::from_random(1);
        let amount = Amount::from_litoshis(1_000_000).context("a small amount")?;
        let coin = |n: u32| {
            let index = DerivationIndex::new(n)?;
            let mut txid = [0; 32];
            txid[..4].copy_from_slice(&n.to_be_bytes());
            Some(SweepCoin {
                outpoint: OutPoint { txid: Txid::from_byte_array(txid), vout: 0 },
                merchant,
                index,
                script: xpub.script_at(index),
                amount,
                origin: Origin::Plain,
                confirmations: 100,
            })
        };
        let coins: Option<Vec<SweepCoin>> = (0..coins).map(coin).collect();
        let coins = coins.context("an index")?;
        let script = coins.first().context("a coin")?.script.clone();
        let planned = sweep::plan(&coins, &[Payee { merchant, script }], RATE, &rules());
        let plans = planned.plans.len();
        let began = Instant::now();
        for plan in planned.plans {
            build::sign(plan, xpub, &key)?;
        }
        Ok((began.elapsed(), plans))
    }

    /// Derives this many addresses, as for new payments. Returns the duration.
    #[must_use]
    pub fn derive(&self, count: u32) -> Duration {
        let began = Instant::now();
        for index in (0..count).filter_map(DerivationIndex::new) {
            std::hint::black_box(self.config.xpub.script_at(index));
        }
        began.elapsed()
    }
}

fn rules() -> Rules {
    Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: None }
}
