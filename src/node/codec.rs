//! Litecoin transactions and blocks from bytes, MWEB included. Pure; every input is hostile.
//!
//! rust-bitcoin refuses bit 3 of the segwit flag, with which Litecoin marks an MWEB part. All
//! that we need stands in front of that part: version, inputs and outputs, of which the txid is
//! made. What we do not need (signatures of MWEB, the extension block) is not looked into.

use bitcoin::consensus::encode::{self, Decodable, Encodable};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{BlockHash, OutPoint, TxIn, TxMerkleNode, TxOut, Txid, Witness, block, merkle_tree};

/// A transaction as far as a payment gateway looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tx {
    /// `None` for a transaction within MWEB, whose id only the node can tell.
    pub(crate) txid: Option<Txid>,
    pub(crate) kind: TxKind,
    /// The outputs that it spends; none for a coinbase.
    pub(crate) inputs: Vec<OutPoint>,
    pub(crate) outputs: Vec<TxOut>,
}

/// What kind of transaction it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxKind {
    Plain,
    /// The first of a block: its outputs rest for 100 blocks.
    Coinbase,
    /// The last of a block since MWEB: output 0 holds the balance of MWEB, the others leave it.
    Hogex,
    /// Within MWEB: it has no ordinary inputs and outputs.
    MwebOnly,
}

/// A block as far as a payment gateway looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) hash: BlockHash,
    pub(crate) header: block::Header,
    pub(crate) txs: Vec<Tx>,
}

/// Why bytes are no transaction or block.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodecError {
    #[error("{0} bytes are too many")]
    TooLarge(usize),
    #[error("{0}")]
    Encoding(#[from] encode::Error),
    #[error("{0} bytes follow after the end")]
    Trailing(usize),
    #[error("there is no transaction")]
    Empty,
    #[error("the transactions are not the ones that the header commits to")]
    MerkleRoot,
}

/// Larger than any block that the consensus allows.
const BYTES_MAX: usize = 8 * 1024 * 1024;

const FLAG_WITNESS: u8 = 0x01;
const FLAG_MWEB: u8 = 0x08;

/// Reads a lone transaction, as ZMQ `rawtx` and RPC have it, with or without its MWEB part.
///
/// # Errors
/// For everything that is not exactly one transaction.
pub(crate) fn decode_tx(raw: &[u8]) -> Result<Tx, CodecError> {
    if raw.len() > BYTES_MAX {
        return Err(CodecError::TooLarge(raw.len()));
    }
    let mut rest = raw;
    let tx = read_tx(&mut rest, Where::Alone)?;
    if !rest.is_empty() {
        return Err(CodecError::Trailing(rest.len()));
    }
    Ok(tx)
}

/// Reads a block and checks that its transactions are those of its header. The extension block
/// of MWEB, which may follow, is not looked into.
///
/// # Errors
/// For everything that does not begin with exactly the block of its header.
pub(crate) fn decode_block(raw: &[u8]) -> Result<Block, CodecError> {
    if raw.len() > BYTES_MAX {
        return Err(CodecError::TooLarge(raw.len()));
    }
    let mut rest = raw;
    let header = block::Header::consensus_decode(&mut rest)?;
    let count = encode::VarInt::consensus_decode(&mut rest)?.0;
    let mut txs = Vec::new();
    for _ in 0..count {
        txs.push(read_tx(&mut rest, Where::InBlock)?); // Ends with the bytes, whatever `count` is.
    }
    match txs.split_first_mut() {
        None => return Err(CodecError::Empty),
        Some((first, others)) => {
            first.kind = TxKind::Coinbase;
            first.inputs.clear();
            // A node may strip the mark of the HogEx; its place and first output tell as well.
            if let Some(last) = others.last_mut().filter(|tx| has_hogaddr(tx)) {
                last.kind = TxKind::Hogex;
            }
        }
    }
    let txids: Option<Vec<_>> = txs.iter().map(|tx| tx.txid.map(Txid::to_raw_hash)).collect();
    let root = txids.and_then(|ids| merkle_tree::calculate_root(ids.into_iter()));
    if root.map(TxMerkleNode::from_raw_hash) != Some(header.merkle_root) {
        return Err(CodecError::MerkleRoot);
    }
    Ok(Block { hash: header.block_hash(), header, txs })
}

/// Where a transaction stands decides how its MWEB part ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// The MWEB part is everything up to the lock time, the last four bytes.
    Alone,
    /// Only a HogEx has one, of a single zero byte.
    InBlock,
}

fn read_tx(rest: &mut &[u8], place: Where) -> Result<Tx, CodecError> {
    let version = i32::consensus_decode(rest)?;
    let mut inputs = Vec::<TxIn>::consensus_decode(rest)?;
    let mut flag = 0;
    if inputs.is_empty() {
        // No inputs is how the marker of BIP144 reads; the flag follows.
        flag = u8::consensus_decode(rest)?;
        if flag == 0 {
            // Neither inputs nor outputs: a transaction within MWEB, stripped of its MWEB part.
            u32::consensus_decode(rest)?;
            return Ok(mweb_only());
        }
        if flag & !(FLAG_WITNESS | FLAG_MWEB) != 0 {
            return Err(encode::Error::UnsupportedSegwitFlag(flag).into());
        }
        inputs = Vec::<TxIn>::consensus_decode(rest)?;
    }
    let outputs = Vec::<TxOut>::consensus_decode(rest)?;
    if flag & FLAG_WITNESS != 0 {
        for _ in &inputs {
            Witness::consensus_decode(rest)?;
        }
    }
    if flag & FLAG_MWEB != 0 {
        let bytes = match place {
            Where::Alone => rest.len().saturating_sub(4),
            Where::InBlock => 1,
        };
        *rest = rest.get(bytes..).unwrap_or_default();
    }
    let lock_time = u32::consensus_decode(rest)?;
    if inputs.is_empty() {
        return Ok(mweb_only());
    }
    let txid = txid(version, &inputs, &outputs, lock_time);
    let coinbase = inputs.len() == 1 && inputs.iter().all(|i| i.previous_output.is_null());
    Ok(Tx {
        txid: Some(txid),
        kind: if coinbase { TxKind::Coinbase } else { TxKind::Plain },
        inputs: if coinbase {
            Vec::new()
        } else {
            inputs.into_iter().map(|input| input.previous_output).collect()
        },
        outputs,
    })
}

fn mweb_only() -> Tx {
    Tx { txid: None, kind: TxKind::MwebOnly, inputs: Vec::new(), outputs: Vec::new() }
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
