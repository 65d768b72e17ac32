//! Full blocks: five thousand ordinary transactions of two inputs and two outputs, 1.8 MB and
//! more, of which one in a hundred pays a given script.

use std::fs;
use std::path::Path;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::hex::DisplayHex;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid, Witness, transaction,
};
use serde_json::json;

use super::harness::random::Random;
use super::history;

/// Transactions of a full block, and of how many one pays us.
const TRANSACTIONS: u64 = 5_000;
const ONE_OF: u64 = 100;

/// What a transaction of them pays us, in litoshis: more than any payment asks for.
const PAID: u64 = 10_000_000;

/// Makes blocks, each on top of the one before.
pub(crate) struct Maker {
    random: Random,
    previous: BlockHash,
    made: u32,
}

impl Maker {
    /// The first block's parent is the block at which histories end.
    pub(crate) fn new() -> Maker {
        let previous = history::tip_hash().parse().unwrap();
        Maker { random: Random::of(11), previous, made: 0 }
    }

    /// The next block, as bytes. `pay` gives the scripts that are paid.
    pub(crate) fn next(&mut self, mut pay: impl FnMut(&mut Random) -> ScriptBuf) -> Vec<u8> {
        self.made += 1;
        let mut txdata = vec![self.coinbase()];
        for n in 0..TRANSACTIONS {
            let ours = n % ONE_OF == 7;
            let first = if ours { pay(&mut self.random) } else { self.stranger() };
            txdata.push(self.payment(first));
        }
        let header = Header {
            version: Version::TWO,
            prev_blockhash: self.previous,
            merkle_root: TxMerkleNode::all_zeros(),
            time: u32::try_from(history::now_ms() / 1000).unwrap(),
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: self.made,
        };
        let mut block = Block { header, txdata };
        block.header.merkle_root = block.compute_merkle_root().unwrap();
        self.previous = block.header.block_hash();
        serialize(&block)
    }

    /// Writes a chain of so many blocks on top of the last one into a folder, for the bare node.
    /// They pay payments of a whole history of this size. Answers the height of the last.
    pub(crate) fn write_chain(&mut self, folder: &Path, blocks: u64, count: u64) -> u64 {
        fs::create_dir_all(folder).unwrap();
        let (seconds, hash) = (history::now_ms() / 1000, self.previous.to_string());
        let first = history::TIP + u64::from(self.made);
        let about = json!({ "height": first, "hash": hash, "time": seconds });
        fs::write(folder.join("chain.json"), about.to_string()).unwrap();
        for height in first + 1..=first + blocks {
            let raw = self.next(|random| any_script(random, count));
            fs::write(folder.join(height.to_string()), raw.to_lower_hex_string()).unwrap();
        }
        first + blocks
    }

    fn coinbase(&mut self) -> Transaction {
        let input = TxIn {
            previous_output: OutPoint::null(),
            script_sig: ScriptBuf::from_bytes(bytes(&mut self.random, 12)),
            ..TxIn::default()
        };
        let output = TxOut { value: Amount::from_sat(625_000_000), script_pubkey: self.stranger() };
        transaction_of(vec![input], vec![output])
    }

    fn payment(&mut self, first: ScriptBuf) -> Transaction {
        let input = |random: &mut Random| {
            let txid: [u8; 32] = bytes(random, 32).try_into().unwrap();
            TxIn {
                previous_output: OutPoint { txid: Txid::from_byte_array(txid), vout: 1 },
                sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
                witness: Witness::from_slice(&[bytes(random, 71), bytes(random, 33)]),
                ..TxIn::default()
            }
        };
        let inputs = vec![input(&mut self.random), input(&mut self.random)];
        let change = self.stranger();
        let output =
            |litoshis, script_pubkey| TxOut { value: Amount::from_sat(litoshis), script_pubkey };
        transaction_of(inputs, vec![output(PAID, first), output(77_000_000, change)])
    }

    fn stranger(&mut self) -> ScriptBuf {
        ScriptBuf::from_bytes([&[0, 20][..], &bytes(&mut self.random, 20)].concat())
    }
}

fn transaction_of(input: Vec<TxIn>, output: Vec<TxOut>) -> Transaction {
    Transaction { version: transaction::Version::TWO, lock_time: LockTime::ZERO, input, output }
}

fn bytes(random: &mut Random, count: usize) -> Vec<u8> {
    let words = count.div_ceil(8);
    let mut all: Vec<u8> = (0..words).flat_map(|_| random.next().to_le_bytes()).collect();
    all.truncate(count);
    all
}

/// The script of some payment of a whole history of this size.
pub(crate) fn any_script(random: &mut Random, count: u64) -> ScriptBuf {
    ScriptBuf::from_bytes(history::script(random.below(count), count).to_vec())
}
