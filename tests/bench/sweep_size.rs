//! How large sweeps are: of N coins to M merchants, as a real node took them, against the least
//! that a transaction with these inputs and outputs can have.
//!
//! `make bench-sweeps` prints the table. It ends with an error if a sweep is more than 1 % too large.

#![expect(clippy::unwrap_used, reason = "a benchmark without its node cannot go on")]

#[path = "../it/harness/mod.rs"]
#[allow(dead_code, reason = "the verbs of the tests, of which a benchmark needs few")]
mod harness;

use harness::many::Many;

const ROWS: [(usize, usize); 9] =
    [(1, 1), (2, 1), (2, 2), (10, 1), (10, 10), (100, 10), (500, 25), (1_000, 50), (1_500, 50)];

fn main() {
    // `cargo test --benches` runs this, too, and wants no measuring.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let Some(mut many) = Many::of(50) else { return };
    println!("coins  merchants  transactions  vbytes  minimum    over      time");
    let mut within = true;
    for (coins, merchants) in ROWS {
        let swept = many.sweep(coins, merchants);
        let (vbytes, least) = (swept.vbytes(), swept.vbytes_min());
        let over_ppm = vbytes.abs_diff(least) * 1_000_000 / least;
        println!(
            "{coins:5}  {merchants:9}  {:12}  {vbytes:6}  {least:7}  {}{}.{:03} %  {:5} ms",
            swept.sent.len(),
            if vbytes < least { '-' } else { ' ' },
            over_ppm / 10_000,
            over_ppm % 10_000 / 10,
            swept.took.as_millis(),
        );
        within &= swept.is_within(10);
    }
    assert!(within, "a sweep is more than 1 % larger than it must be");
}
