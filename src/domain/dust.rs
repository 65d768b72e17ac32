//! The dust limit: the smallest output that nodes relay (policy, `dustrelayfee`).

use bitcoin::ScriptBuf;

use super::amount::Amount;

/// The dust fee rate, in litoshis per 1,000 vbytes.
const DUST_RATE_LITOSHIS_PER_KVB: u64 = 30_000;

/// Bytes of an output beside its script: the amount, and the length of a standard script.
const OUTPUT_OVERHEAD_BYTES: u64 = 8 + 1;

/// The smallest amount that nodes relay to this script: spending it costs less than its value
/// at the dust rate. As the node computes it: the output, and an input of 67 or 148 vbytes.
pub(crate) fn dust_limit(script: &ScriptBuf) -> Amount {
    let input_vbytes: u64 = if script.is_witness_program() { 67 } else { 148 };
    let script_bytes = u64::try_from(script.len()).unwrap_or(u64::MAX);
    let output_vbytes = script_bytes.saturating_add(OUTPUT_OVERHEAD_BYTES);
    let vbytes = input_vbytes.saturating_add(output_vbytes);
    let litoshis = vbytes.saturating_mul(DUST_RATE_LITOSHIS_PER_KVB) / 1000;
    Amount::from_litoshis(litoshis).unwrap_or(Amount::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dust_limits_are_those_of_the_node() {
        #[track_caller]
        fn check(script_hex: &str, litoshis: u64) {
            let script = ScriptBuf::from_hex(script_hex).expect("hex");
            assert_eq!(dust_limit(&script).litoshis(), litoshis, "{script_hex}");
        }
        let hash = "11".repeat(20);
        check(&format!("0014{hash}"), 2_940); // p2wpkh
        check(&format!("76a914{hash}88ac"), 5_460); // p2pkh
        check(&format!("a914{hash}87"), 5_400); // p2sh
    }
}
