//! Decoder of Litecoin transactions and blocks, with MWEB. Pure; every input is hostile.
//!
//! rust-bitcoin refuses bit 3 of the segwit flag, which marks an MWEB part. Version, inputs
//! and outputs, which make the txid, come before that part. Of the extension block only the
//! kernels are read (`mweb`).

mod mweb;

use std::collections::HashSet;

use bitcoin::consensus::encode::{self, Decodable, Encodable};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{BlockHash, OutPoint, TxIn, TxMerkleNode, TxOut, Txid, Witness, block};

use crate::domain::amount::Amount;
use crate::domain::pegout::KernelId;

pub(crate) use mweb::Pegout;

/// The parts of a transaction that a payment gateway needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tx {
    /// `None` for a transaction within MWEB, whose id only the node knows.
    pub(crate) txid: Option<Txid>,
    pub(crate) kind: TxKind,
    /// It has an MWEB part, whose peg-outs only the node knows.
    pub(crate) carries_mweb: bool,
    /// The outputs that it spends; none for a coinbase.
    pub(crate) inputs: Vec<OutPoint>,
    pub(crate) outputs: Vec<TxOut>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxKind {
    Plain,
    /// The first of a block. Its outputs mature after 100 blocks.
    Coinbase,
    /// The last of a block since MWEB: output 0 holds the balance of MWEB, the others are
    /// peg-outs. A lone HogEx (ZMQ repeats those of blocks) is recognised unless the node
    /// stripped its mark.
    Hogex,
    /// Within MWEB, without ordinary inputs and outputs.
    MwebOnly,
}

/// The parts of a block that a payment gateway needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) hash: BlockHash,
    pub(crate) header: block::Header,
    pub(crate) txs: Vec<Tx>,
    pub(crate) pegouts: PegoutProof,
}

/// The proof of which peg-outs the outputs of a block's HogEx are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PegoutProof {
    /// All peg-outs of the block, in the order of its kernels.
    Listed(Vec<Pegout>),
    /// The kernels of the block, without what they pay: the node strips the extension block
    /// from the bytes (`rpcserialversion` below 2).
    Kernels(Vec<KernelId>),
    /// No proof. `unmined` are the transactions in the node's mempool after the block.
    Absent { unmined: HashSet<Txid> },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CodecError {
    #[error("{0} bytes are too many")]
    TooLarge(usize),
    #[error("{0}")]
    Encoding(#[from] encode::Error),
    #[error("{0} bytes follow after the end")]
    Trailing(usize),
    #[error("the MWEB part is not one")]
    Mweb,
    #[error("an output is worth more than there are litecoins")]
    Money,
    #[error("there is no transaction")]
    Empty,
    #[error("the first transaction is not a coinbase")]
    NoCoinbase,
    #[error("a transaction spends nothing")]
    NoInputs,
    #[error("the transactions are not the ones that the header commits to")]
    MerkleRoot,
}

/// The largest block that the consensus allows, in bytes: 4 MB of ordinary transactions, and
/// an extension block of at most 50,000 inputs of 196 bytes and 200,000 weight units of 60
/// bytes. A smaller limit would stop the gateway at a block that the whole network accepts.
pub(crate) const BLOCK_BYTES_MAX: usize = 4_000_000 + 195 + 50_000 * 196 + 200_000 * 60;

/// The largest lone transaction, in bytes. A larger one cannot be relayed.
pub(crate) const TX_BYTES_MAX: usize = 4_000_000;

const FLAG_WITNESS: u8 = 0x01;
const FLAG_MWEB: u8 = 0x08;

/// Decodes a lone transaction of ZMQ `rawtx` or RPC, with or without its MWEB part.
///
/// # Errors
/// For everything that is not exactly one transaction.
pub(crate) fn decode_tx(raw: &[u8]) -> Result<Tx, CodecError> {
    if raw.len() > TX_BYTES_MAX {
        return Err(CodecError::TooLarge(raw.len()));
    }
    let mut rest = raw;
    let tx = read_tx(&mut rest, Where::Alone)?;
    if !rest.is_empty() {
        return Err(CodecError::Trailing(rest.len()));
    }
    Ok(tx)
}

/// Decodes a block and checks its transactions against the header. An MWEB extension block is
/// read if there are peg-outs; one that cannot be read counts as absent.
///
/// # Errors
/// For everything that does not begin with exactly the block of its header.
pub(crate) fn decode_block(raw: &[u8]) -> Result<Block, CodecError> {
    let (header, mut txs, extension) = read_block(raw)?;
    let (first, others) = txs.split_first_mut().ok_or(CodecError::Empty)?;
    if first.kind != TxKind::Coinbase {
        return Err(CodecError::NoCoinbase);
    }
    // If the node stripped the mark of the HogEx, place and first output identify it.
    if let Some(last) = others.last_mut().filter(|tx| has_hogaddr(tx)) {
        last.kind = TxKind::Hogex;
    }
    if root_of(&txs) != Some(header.merkle_root) {
        return Err(CodecError::MerkleRoot);
    }
    let has_pegouts = |tx: &Tx| tx.kind == TxKind::Hogex && tx.outputs.len() > 1;
    let pegouts = match txs.last().is_some_and(has_pegouts) {
        true => mweb::pegouts(extension),
        false => Some(Vec::new()),
    };
    let absent = || PegoutProof::Absent { unmined: HashSet::new() };
    let pegouts = pegouts.map_or_else(absent, PegoutProof::Listed);
    Ok(Block { hash: header.block_hash(), header, txs, pegouts })
}

/// The merkle root that makes [`decode_block`] accept a block. Only fuzzing needs it, to reach
/// the code behind that check.
pub(crate) fn expected_merkle_root(raw: &[u8]) -> Option<TxMerkleNode> {
    read_block(raw).ok().and_then(|(_, txs, _)| root_of(&txs))
}

/// A block's header and transactions, and the bytes that follow them.
fn read_block(raw: &[u8]) -> Result<(block::Header, Vec<Tx>, &[u8]), CodecError> {
    if raw.len() > BLOCK_BYTES_MAX {
        return Err(CodecError::TooLarge(raw.len()));
    }
    let mut rest = raw;
    let header = block::Header::consensus_decode(&mut rest)?;
    let count = encode::VarInt::consensus_decode(&mut rest)?.0;
    let mut txs = Vec::new();
    for _ in 0..count {
        txs.push(read_tx(&mut rest, Where::InBlock)?); // Ends with the bytes, for any `count`.
    }
    // The extension block follows a marked HogEx only (the node's own rule of serialization).
    let is_extended = txs.len() >= 2 && txs.last().is_some_and(|tx| tx.kind == TxKind::Hogex);
    if !is_extended && !rest.is_empty() {
        return Err(CodecError::Trailing(rest.len()));
    }
    Ok((header, txs, rest))
}

fn root_of(txs: &[Tx]) -> Option<TxMerkleNode> {
    let txids: Option<Vec<_>> = txs.iter().map(|tx| tx.txid.map(Txid::to_raw_hash)).collect();
    txids.and_then(merkle_root).map(TxMerkleNode::from_raw_hash)
}

/// The merkle root of a block's txids. `None` if there are none, or if two neighbours are
/// equal: such a list has the same root as a shorter one without the repetition
/// (CVE-2012-2459).
fn merkle_root(mut hashes: Vec<sha256d::Hash>) -> Option<sha256d::Hash> {
    while hashes.len() > 1 {
        let mut parents = Vec::with_capacity(hashes.len().div_ceil(2));
        for pair in hashes.chunks(2) {
            let both = match pair {
                [left, right] if left == right => return None,
                [left, right] => [left.to_byte_array(), right.to_byte_array()],
                [odd, ..] => [odd.to_byte_array(); 2],
                [] => return None,
            };
            parents.push(sha256d::Hash::hash(&both.concat()));
        }
        hashes = parents;
    }
    hashes.first().copied()
}

/// The place of a transaction decides where its MWEB part ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// The MWEB part is everything up to the lock time, the last four bytes.
    Alone,
    /// Only a HogEx has one, of a single zero byte.
    InBlock,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mweb {
    Absent,
    /// A zero byte: the mark of a HogEx.
    HogexMark,
    /// A transaction within MWEB, which a lone transaction may carry.
    Carried,
}

fn read_tx(rest: &mut &[u8], place: Where) -> Result<Tx, CodecError> {
    let version = i32::consensus_decode(rest)?;
    let mut inputs = Vec::<TxIn>::consensus_decode(rest)?;
    let mut flag = 0;
    if inputs.is_empty() {
        // The marker of BIP144 reads as no inputs. The flag follows.
        flag = u8::consensus_decode(rest)?;
        if flag == 0 {
            // Neither inputs nor outputs: a transaction within MWEB, stripped of its MWEB
            // part.
            u32::consensus_decode(rest)?;
            return match place {
                Where::Alone => Ok(mweb_only()),
                Where::InBlock => Err(CodecError::NoInputs),
            };
        }
        if flag & !(FLAG_WITNESS | FLAG_MWEB) != 0 {
            return Err(encode::Error::UnsupportedSegwitFlag(flag).into());
        }
        inputs = Vec::<TxIn>::consensus_decode(rest)?;
    }
    let outputs = Vec::<TxOut>::consensus_decode(rest)?;
    if outputs.iter().any(|output| Amount::from_litoshis(output.value.to_sat()).is_none()) {
        return Err(CodecError::Money);
    }
    if flag & FLAG_WITNESS != 0 {
        for _ in &inputs {
            Witness::consensus_decode(rest)?;
        }
    }
    let mweb = if flag & FLAG_MWEB == 0 { Mweb::Absent } else { read_mweb(rest, place)? };
    let lock_time = u32::consensus_decode(rest)?;
    if inputs.is_empty() && outputs.is_empty() && mweb == Mweb::Carried {
        return Ok(mweb_only());
    }
    if inputs.is_empty() && mweb == Mweb::Absent {
        return Err(CodecError::NoInputs);
    }
    let txid = txid(version, &inputs, &outputs, lock_time);
    let coinbase = inputs.len() == 1 && inputs.iter().all(|i| i.previous_output.is_null());
    let kind = match mweb {
        Mweb::HogexMark if outputs.is_empty() => return Err(CodecError::Mweb),
        Mweb::HogexMark => TxKind::Hogex,
        Mweb::Absent | Mweb::Carried if coinbase => TxKind::Coinbase,
        Mweb::Absent | Mweb::Carried => TxKind::Plain,
    };
    Ok(Tx {
        txid: Some(txid),
        kind,
        carries_mweb: mweb == Mweb::Carried,
        inputs: if coinbase {
            Vec::new()
        } else {
            inputs.into_iter().map(|input| input.previous_output).collect()
        },
        outputs,
    })
}

/// Skips the MWEB part, which has no length field.
fn read_mweb(rest: &mut &[u8], place: Where) -> Result<Mweb, CodecError> {
    let length = match place {
        Where::Alone => rest.len().saturating_sub(4),
        Where::InBlock => 1,
    };
    let (part, after) = rest.split_at_checked(length).ok_or(CodecError::Mweb)?;
    *rest = after;
    match (part, place) {
        ([0], Where::Alone | Where::InBlock) => Ok(Mweb::HogexMark),
        ([1, _, ..], Where::Alone) => Ok(Mweb::Carried),
        (_, Where::Alone | Where::InBlock) => Err(CodecError::Mweb),
    }
}

fn mweb_only() -> Tx {
    Tx {
        txid: None,
        kind: TxKind::MwebOnly,
        carries_mweb: true,
        inputs: Vec::new(),
        outputs: Vec::new(),
    }
}

/// The double SHA-256 of the transaction without witnesses and MWEB part.
fn txid(version: i32, inputs: &Vec<TxIn>, outputs: &Vec<TxOut>, lock_time: u32) -> Txid {
    let mut engine = sha256d::Hash::engine();
    let written = version
        .consensus_encode(&mut engine)
        .and_then(|_| inputs.consensus_encode(&mut engine))
        .and_then(|_| outputs.consensus_encode(&mut engine))
        .and_then(|_| lock_time.consensus_encode(&mut engine));
    written.expect("a hash takes all that is written to it");
    Txid::from_raw_hash(sha256d::Hash::from_engine(engine))
}

/// Whether the first output holds the balance of MWEB: witness version 8, 32 bytes (LIP-3).
fn has_hogaddr(tx: &Tx) -> bool {
    let script = tx.outputs.first().map(|output| output.script_pubkey.as_bytes());
    matches!(script, Some([0x58, 0x20, program @ ..]) if program.len() == 32)
}

#[cfg(test)]
mod tests;
