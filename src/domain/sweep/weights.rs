//! Weight of a sweep, and the fee for a weight (BIP141, and the nodes' policy).
//!
//! Must not know: merchants and their shares.

use bitcoin::ScriptBuf;

use crate::domain::amount::Amount;

/// Weight of a p2wpkh input (BIP141: 4 per byte outside of the witness, 1 inside). A signature
/// has at most 72 bytes with its sighash byte; ours are ground to 71, so a signed transaction
/// is at most one weight unit per input lighter than planned.
pub(super) const INPUT_WEIGHT: u64 = 4 * 41 + 1 + 1 + 72 + 1 + 33;
/// Version, lock time, marker and flag, and the counts of inputs and outputs at their longest
/// (three bytes each suffice for 65,535).
pub(super) const OVERHEAD_WEIGHT_MAX: u64 = 4 * (4 + 4 + 3 + 3) + 2;
/// The heaviest transaction that nodes relay (policy), with a margin.
pub(super) const WEIGHT_MAX: u64 = 399_000;

/// Weight beside inputs and outputs.
pub(super) fn overhead_weight(inputs: usize, outputs: usize) -> u64 {
    let count_bytes = |n: usize| if n < 253 { 1 } else { 3 };
    let spared_bytes: u64 = 6u64.saturating_sub(count_bytes(inputs) + count_bytes(outputs));
    OVERHEAD_WEIGHT_MAX.saturating_sub(spared_bytes.saturating_mul(4))
}

pub(super) fn output_weight(script: &ScriptBuf) -> u64 {
    let script_bytes = u64::try_from(script.len()).unwrap_or(u64::MAX);
    // Amount, length, script; standard scripts are shorter than 253 bytes.
    script_bytes.saturating_add(9).saturating_mul(4)
}

pub(super) fn fee_for(weight: u64, rate_litoshis_per_kvb: u64) -> Amount {
    let vbytes = weight.div_ceil(4);
    let litoshis = vbytes.saturating_mul(rate_litoshis_per_kvb).div_ceil(1000);
    Amount::from_litoshis(litoshis).unwrap_or(Amount::MAX)
}
