//! How fast the gateway is, each figure beside its floor in the same run, and how little that
//! changes as the history grows. BENCHMARKS.md explains each line.
//!
//! `make bench` is the full run; `make bench-quick` the short one. It drives the real program over
//! HTTP; where the node's part matters, a real litecoind beside it. No test judges a time.
//!
//! Words after `--` choose less: the size (`full`, `quick`, `smoke`), parts (`calls`, `watching`,
//! `growth`, `blocks`, `sweeps`, `overdue`; all, if none is named), and histories (`pasts=10000,1000000`):
//! `cargo bench --locked --bench speed -- blocks pasts=10000,1000000`.

#![expect(clippy::unwrap_used, reason = "a benchmark that lacks something cannot go on")]

#[path = "../../it/harness/mod.rs"]
#[allow(dead_code, reason = "the verbs of the tests, of which a benchmark needs few")]
mod harness;

mod bare;
mod blocks;
mod calls;
mod growth;
mod history;
mod load;
mod overdue;
mod report;
mod serving;
mod watching;

use std::path::Path;
use std::time::{Duration, Instant};

use harness::files;
use harness::node::Node;
use report::Report;

/// How much is measured.
pub(crate) struct Size {
    /// How long a load lasts, and how often it is repeated.
    pub(crate) lasting: Duration,
    pub(crate) rounds: usize,
    /// Payments of the histories, shortest first.
    pub(crate) pasts: Vec<u64>,
    /// Full blocks to catch up, and to connect one by one.
    pub(crate) chain_blocks: u64,
    pub(crate) blocks: usize,
    /// Addresses that were given out before, transactions that are noticed among them, and event
    /// streams that are open at a time.
    pub(crate) issued: u64,
    pub(crate) detected: usize,
    pub(crate) streams: usize,
    /// Coins to plan and to sign.
    pub(crate) unswept: u64,
    pub(crate) signed: u64,
    /// Payments whose time is up all at once.
    pub(crate) overdue: u64,
}

impl Size {
    fn full() -> Size {
        Size {
            lasting: Duration::from_secs(4),
            rounds: 3,
            pasts: vec![10_000, 1_000_000, 10_000_000],
            chain_blocks: 2_000,
            blocks: 15,
            issued: 1_000_000,
            detected: 500,
            streams: 10_000,
            unswept: 100_000,
            signed: 10_000,
            overdue: 1_000_000,
        }
    }

    fn quick() -> Size {
        Size {
            lasting: Duration::from_secs(1),
            rounds: 3,
            pasts: vec![10_000, 100_000],
            chain_blocks: 12,
            blocks: 5,
            issued: 50_000,
            detected: 150,
            streams: 2_000,
            unswept: 20_000,
            signed: 2_000,
            overdue: 50_000,
        }
    }

    /// Shows that everything works, and nothing else.
    fn smoke() -> Size {
        Size {
            lasting: Duration::from_millis(200),
            rounds: 1,
            pasts: vec![1_000, 2_000],
            chain_blocks: 4,
            blocks: 1,
            issued: 500,
            detected: 20,
            streams: 60,
            unswept: 500,
            signed: 50,
            overdue: 500,
        }
    }
}

/// What can be measured alone.
const PARTS: [&str; 6] = ["calls", "watching", "growth", "blocks", "sweeps", "overdue"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match named[..] {
        ["--bare-warp", answer] => return bare::warp(Path::new(answer)),
        ["--bare-node", folder] => return bare::node(Path::new(folder)),
        _ => {}
    }
    // `cargo test --benches` runs this, too, and wants no measuring.
    if !named.contains(&"--bench") {
        return;
    }
    let (mut size, form) = match () {
        () if named.contains(&"quick") => (Size::quick(), "quick"),
        () if named.contains(&"smoke") => (Size::smoke(), "smoke"),
        () => (Size::full(), "full"),
    };
    if let Some(pasts) = named.iter().find_map(|word| word.strip_prefix("pasts=")) {
        size.pasts = pasts.split(',').map(|count| count.parse().unwrap()).collect();
    }
    let only = |part: &str| !PARTS.iter().any(|part| named.contains(part)) || named.contains(&part);
    let (mut report, began) = (Report::default(), Instant::now());
    Report::begin();
    if only("calls")
        && let Some(node) = Node::start()
    {
        calls::measure(&mut report, &size, &node);
    }
    if only("watching")
        && let Some(node) = Node::start()
    {
        watching::measure(&mut report, &size, &node);
    }
    if only("overdue")
        && let Some(node) = Node::start()
    {
        overdue::measure(&mut report, &size, &node);
    }
    let (growth, blocks, sweeps) = (only("growth"), only("blocks"), only("sweeps"));
    if growth || blocks || sweeps {
        let parts = growth::Parts { growth, blocks, sweeps };
        growth::measure(&mut report, &size, parts);
    }
    finish(&report, form, began.elapsed(), named.contains(&"--write"));
}

/// Writes what was measured: always below `target`, and into the documents if asked.
fn finish(report: &Report, form: &str, took: Duration, write: bool) {
    let minutes = took.as_secs().div_ceil(60);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let about = serde_json::json!({ "form": form, "cores": cores, "minutes": minutes });
    report.write(&files::project().join("target/bench"), &about);
    if write {
        let documents = files::project().join("static/docs");
        report.write(&documents, &about);
        let head =
            format!("The {form} run on a machine with {cores} cores took {minutes} minutes.");
        report.write_into(&documents.join("BENCHMARKS.md"), &head);
    }
}
