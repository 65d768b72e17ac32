//! Decoder of the MWEB extension block (LIP-3): the peg-outs of a block, from its kernels.
//!
//! The serialization is libmw's: `mw::Block` is a header and the lists of inputs, outputs and
//! kernels. A kernel's id is the BLAKE3 hash of its bytes. The node has verified the
//! block; nothing is verified here.

use bitcoin::consensus::encode::{Decodable, VarInt};
use bitcoin::{Amount, ScriptBuf, TxOut};

use crate::domain::pegout::{KernelId, PegoutId};

/// A peg-out of a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pegout {
    pub(crate) id: PegoutId,
    /// Equal to an output of the block's HogEx, which are in no fixed order.
    pub(crate) output: TxOut,
}

const HASH: usize = 32;
/// A Pedersen commitment, and a compressed public key.
const POINT: usize = 33;
const SIGNATURE: usize = 64;
const RANGE_PROOF: usize = 675;

/// The peg-outs of an extension block, in the order of its kernels. `None` unless the bytes
/// are exactly one extension block of the known form.
pub(super) fn pegouts(raw: &[u8]) -> Option<Vec<Pegout>> {
    let mut rest = raw;
    let present = take(&mut rest, 1)?;
    if present != [1] {
        return None;
    }
    header(&mut rest)?;
    for _ in 0..count(&mut rest)? {
        input(&mut rest)?;
    }
    for _ in 0..count(&mut rest)? {
        output(&mut rest)?;
    }
    let mut found = Vec::new();
    for _ in 0..count(&mut rest)? {
        kernel(&mut rest, &mut found)?;
    }
    rest.is_empty().then_some(found)
}

fn header(rest: &mut &[u8]) -> Option<()> {
    var_int(rest)?; // The height.
    take(rest, 3 * HASH)?; // The roots of outputs, kernels and leaves.
    take(rest, 2 * HASH)?; // The offsets.
    var_int(rest)?; // How many outputs there are in all, and kernels.
    var_int(rest).map(drop)
}

fn input(rest: &mut &[u8]) -> Option<()> {
    const STEALTH_KEY: u8 = 0x01;
    const EXTRA_DATA: u8 = 0x02;
    let features = byte(rest)?;
    take(rest, HASH + POINT + POINT)?; // The output that is spent, its commitment and key.
    if features & STEALTH_KEY != 0 {
        take(rest, POINT)?;
    }
    if features & EXTRA_DATA != 0 {
        bytes(rest)?;
    }
    take(rest, SIGNATURE).map(drop)
}

fn output(rest: &mut &[u8]) -> Option<()> {
    const STANDARD_FIELDS: u8 = 0x01;
    const EXTRA_DATA: u8 = 0x02;
    take(rest, 3 * POINT)?; // Commitment, sender and receiver.
    let features = byte(rest)?;
    if features & STANDARD_FIELDS != 0 {
        take(rest, POINT + 1 + 8 + 16)?; // Key exchange, view tag, masked value and nonce.
    }
    if features & EXTRA_DATA != 0 {
        bytes(rest)?;
    }
    take(rest, RANGE_PROOF + SIGNATURE).map(drop)
}

fn kernel(rest: &mut &[u8], found: &mut Vec<Pegout>) -> Option<()> {
    const FEE: u8 = 0x01;
    const PEGIN: u8 = 0x02;
    const PEGOUT: u8 = 0x04;
    const HEIGHT_LOCK: u8 = 0x08;
    const STEALTH_EXCESS: u8 = 0x10;
    const EXTRA_DATA: u8 = 0x20;
    let start = *rest;
    let features = byte(rest)?;
    for present in [FEE, PEGIN] {
        if features & present != 0 {
            var_int(rest)?;
        }
    }
    let mut outputs = Vec::new();
    if features & PEGOUT != 0 {
        for _ in 0..count(rest)? {
            let value = Amount::from_sat(var_int(rest)?);
            let script_pubkey = ScriptBuf::from_bytes(bytes(rest)?.to_vec());
            outputs.push(TxOut { value, script_pubkey });
        }
    }
    if features & HEIGHT_LOCK != 0 {
        var_int(rest)?;
    }
    if features & STEALTH_EXCESS != 0 {
        take(rest, POINT)?;
    }
    let fields = start.get(..start.len().checked_sub(rest.len())?)?;
    // The node hashes its own serialization, which omits empty extra data.
    let with_extra = *rest;
    let is_empty = features & EXTRA_DATA == 0 || bytes(rest)?.is_empty();
    let extra = if is_empty {
        &[][..]
    } else {
        with_extra.get(..with_extra.len().checked_sub(rest.len())?)?
    };
    let proof = take(rest, POINT + SIGNATURE)?;
    if outputs.is_empty() {
        return Some(()); // The id is not needed.
    }
    let hash = blake3::Hasher::new().update(fields).update(extra).update(proof).finalize();
    let kernel = KernelId::from_bytes(*hash.as_bytes());
    for (position, output) in (0u32..).zip(outputs) {
        found.push(Pegout { id: PegoutId { kernel, position }, output });
    }
    Some(())
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    take(rest, 1)?.first().copied()
}

/// A count of items: Bitcoin's compact size. Each item has at least one byte, so a loop over
/// them ends with the bytes.
fn count(rest: &mut &[u8]) -> Option<u64> {
    VarInt::consensus_decode(rest).ok().map(|count| count.0)
}

/// Bytes with a length prefix.
fn bytes<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(count(rest)?).ok()?;
    take(rest, length)
}

/// litecoind's `VARINT`: seven bits a byte, the highest first, each byte but the last one more
/// than it says.
fn var_int(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    loop {
        let next = byte(rest)?;
        number = number.checked_mul(128)?.checked_add((next & 0x7f).into())?;
        if next & 0x80 == 0 {
            return Some(number);
        }
        number = number.checked_add(1)?;
    }
}

#[cfg(test)]
mod tests;
