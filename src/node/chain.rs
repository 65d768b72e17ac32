//! RPC calls about the chain: its state, its branches, headers and blocks.

use bitcoin::consensus::deserialize;
use bitcoin::{BlockHash, block};
use serde::Deserialize;

use super::error::Error;
use super::rpc::{Node, json};
use super::{codec, hex};
use crate::domain::chain::{BlockId, OurTip};
use crate::domain::chain_guard::{Branch, BranchState};
use crate::domain::time::Timestamp;

/// The state of the node's chain (`getblockchaininfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChainState {
    /// `main`, `test` or `regtest`.
    pub(crate) chain: String,
    pub(crate) tip: BlockId,
    /// The height of the best header. It is above the tip while the node fetches blocks.
    pub(crate) headers: u32,
    pub(crate) initial_block_download: bool,
    /// The height of the lowest block that a pruned node still has.
    pub(crate) prune_height: Option<u32>,
}

/// The height and times of a block (`getblockheader`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) height: u32,
    /// The time that the miner chose.
    pub(crate) time: Timestamp,
    /// The median of the eleven blocks up to this one (BIP113).
    pub(crate) median_time: Timestamp,
    pub(crate) previous: Option<BlockHash>,
}

impl Node {
    /// `getblockchaininfo`
    pub(crate) fn chain_state(&self) -> Result<ChainState, Error> {
        #[derive(Deserialize)]
        struct Answer {
            chain: String,
            blocks: u32,
            headers: u32,
            bestblockhash: BlockHash,
            initialblockdownload: bool,
            pruneheight: Option<u32>,
        }
        let answer: Answer = self.call("getblockchaininfo", &[])?;
        Ok(ChainState {
            chain: answer.chain,
            tip: BlockId { height: answer.blocks, hash: answer.bestblockhash },
            headers: answer.headers,
            initial_block_download: answer.initialblockdownload,
            prune_height: answer.pruneheight,
        })
    }

    /// `getchaintips`: all branches that the node knows, the best chain included.
    pub(crate) fn chain_tips(&self) -> Result<Vec<Branch>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            height: u32,
            hash: BlockHash,
            branchlen: u32,
            status: String,
        }
        let answer: Vec<Answer> = self.call("getchaintips", &[])?;
        let branch = |tip: Answer| Branch {
            height: tip.height,
            hash: tip.hash,
            blocks: tip.branchlen,
            state: match tip.status.as_str() {
                "active" => BranchState::Active,
                "invalid" => BranchState::Invalid,
                // valid-fork, valid-headers, headers-only, and states of later versions.
                _ => BranchState::Competing,
            },
        };
        Ok(answer.into_iter().map(branch).collect())
    }

    /// Whether the node found a block above this height invalid (`getchaintips`).
    pub(crate) fn refuses_blocks_above(&self, height: u32) -> Result<bool, Error> {
        let refused =
            |branch: &Branch| branch.state == BranchState::Invalid && branch.height > height;
        Ok(self.chain_tips()?.iter().any(refused))
    }

    /// `getbestblockhash`
    pub(crate) fn best_block_hash(&self) -> Result<BlockHash, Error> {
        self.call("getbestblockhash", &[])
    }

    /// `getblockhash`; [`Error::NotFound`] above the node's tip.
    pub(crate) fn block_hash(&self, height: u32) -> Result<BlockHash, Error> {
        match self.call("getblockhash", &[height.into()]) {
            Err(Error::Rejected { code: -8, .. }) => Err(Error::NotFound),
            answer => answer,
        }
    }

    /// `getblockheader`
    pub(crate) fn header(&self, hash: BlockHash) -> Result<Header, Error> {
        let answer: HeaderAnswer = self.call("getblockheader", &[json(&hash)])?;
        Ok(Header {
            height: answer.height,
            time: Timestamp::from_seconds(answer.time),
            median_time: Timestamp::from_seconds(answer.mediantime),
            previous: answer.previousblockhash,
        })
    }

    /// `getblockheader` as bytes, decoded, with the hash checked.
    pub(crate) fn raw_header(&self, hash: BlockHash) -> Result<block::Header, Error> {
        let text: String = self.call("getblockheader", &[json(&hash), false.into()])?;
        let garbled =
            |reason: &str| Error::Garbled { call: "getblockheader", reason: reason.to_owned() };
        let raw = hex::decode(&text).ok_or_else(|| garbled("not hexadecimal"))?;
        let header: block::Header = deserialize(&raw).map_err(|_| garbled("not a block header"))?;
        if header.block_hash() != hash {
            return Err(garbled("another block's header"));
        }
        Ok(header)
    }

    /// Whether the gateway's tip is on the node's best chain (`getblockheader`: a block off
    /// the best chain has -1 confirmations).
    pub(crate) fn place_of(&self, ours: BlockId) -> Result<OurTip, Error> {
        match self.call::<HeaderAnswer>("getblockheader", &[json(&ours.hash)]) {
            Ok(answer) if answer.confirmations < 0 => Ok(OurTip::OffBestChain),
            Ok(_) => Ok(OurTip::OnBestChain),
            Err(Error::NotFound) => Ok(OurTip::Unknown),
            Err(error) => Err(error),
        }
    }

    /// `getblock`: a block in hexadecimal.
    pub(crate) fn block_text(&self, hash: BlockHash) -> Result<String, Error> {
        self.call("getblock", &[json(&hash), 0.into()])
    }

    /// `getblock`, decoded, with the hash checked.
    pub(crate) fn block(&self, hash: BlockHash) -> Result<codec::Block, Error> {
        Node::block_of(hash, &self.block_text(hash)?)
    }

    /// Decodes the text of [`Self::block_text`] and checks the hash.
    pub(crate) fn block_of(hash: BlockHash, text: &str) -> Result<codec::Block, Error> {
        let garbled = |reason: String| Error::Garbled { call: "getblock", reason };
        let raw = hex::decode(text).ok_or_else(|| garbled("not hexadecimal".to_owned()))?;
        let block = codec::decode_block(&raw).map_err(|error| garbled(error.to_string()))?;
        if block.hash != hash {
            return Err(garbled(format!("asked for {hash}, got {}", block.hash)));
        }
        Ok(block)
    }

    /// `getblockhash 0`: the genesis block, which identifies the network.
    pub(crate) fn genesis_hash(&self) -> Result<BlockHash, Error> {
        self.block_hash(0)
    }
}

#[derive(Deserialize)]
struct HeaderAnswer {
    height: u32,
    time: i64,
    mediantime: i64,
    confirmations: i64,
    previousblockhash: Option<BlockHash>,
}
