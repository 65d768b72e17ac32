//! What this process counts and times of itself, for the metrics: how often, how long, how it
//! ended. Labels are words of ours, never a merchant's or a client's, so that there are few.
//!
//! The counts live as long as the process. What the database knows is read from there instead.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use crate::domain::amount::Amount;

struct Metrics {
    registry: Registry,
    http: HistogramVec,
    streams: IntGauge,
    rpc: HistogramVec,
    rpc_errors: IntCounterVec,
    commits: Histogram,
    writes: IntCounter,
    reads: IntCounter,
    noticed: Histogram,
    completed: Histogram,
    attempts: IntCounterVec,
    attempt_times: Histogram,
    node_height: IntGauge,
    nodes_well: IntGaugeVec,
    nodes_in_use: IntGaugeVec,
    polling: IntGauge,
    sweeps: IntCounter,
    sweep_fees: IntCounter,
    discord: IntGauge,
    acknowledged: Histogram,
    unverified: IntCounter,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    fn new() -> Metrics {
        let registry = Registry::new();
        let quick = |name: &str, help: &str| {
            let limits = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
            HistogramOpts::new(name, help).buckets(limits.into())
        };
        let slow = |name: &str, help: &str| {
            let limits = [60.0, 150.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 21600.0];
            HistogramOpts::new(name, help).buckets(limits.into())
        };
        let http = "Time to answer a request, by address and status";
        let rpc = "Time that the node took to answer, by call";
        let noticed = "From a transaction's announcement to its payment's new state, committed";
        let completed = "From the first sight of a payment's money to its completion";
        Metrics {
            http: add(
                &registry,
                HistogramVec::new(
                    quick("litegate_http_request_duration_seconds", http),
                    &["route", "status"],
                ),
            ),
            streams: add(
                &registry,
                IntGauge::new("litegate_event_streams", "Event streams that are open"),
            ),
            rpc: add(&registry, HistogramVec::new(quick("litegate_rpc_seconds", rpc), &["call"])),
            rpc_errors: add(
                &registry,
                IntCounterVec::new(
                    Opts::new("litegate_rpc_errors_total", "Calls that the node did not answer"),
                    &["call"],
                ),
            ),
            commits: add(
                &registry,
                Histogram::with_opts(quick(
                    "litegate_database_commit_seconds",
                    "Time of a durable commit, from its beginning",
                )),
            ),
            writes: add(
                &registry,
                IntCounter::new(
                    "litegate_database_writes_total",
                    "Writes; those that waited together share a commit",
                ),
            ),
            reads: add(
                &registry,
                IntCounter::new(
                    "litegate_database_reads_total",
                    "Reads of the database, each of one consistent state",
                ),
            ),
            noticed: add(
                &registry,
                Histogram::with_opts(quick("litegate_detection_seconds", noticed)),
            ),
            completed: add(
                &registry,
                Histogram::with_opts(slow("litegate_completion_seconds", completed)),
            ),
            attempts: add(
                &registry,
                IntCounterVec::new(
                    Opts::new("litegate_webhook_attempts_total", "Webhooks sent, by outcome"),
                    &["state"],
                ),
            ),
            attempt_times: add(
                &registry,
                Histogram::with_opts(quick(
                    "litegate_webhook_attempt_seconds",
                    "Time that receivers took",
                )),
            ),
            node_height: add(
                &registry,
                IntGauge::new("litegate_node_height", "The node's best block, when last asked"),
            ),
            nodes_well: add(
                &registry,
                IntGaugeVec::new(
                    Opts::new("litegate_node_healthy", "1 for each node that can be followed"),
                    &["node"],
                ),
            ),
            nodes_in_use: add(
                &registry,
                IntGaugeVec::new(
                    Opts::new("litegate_node_in_use", "1 for the node that is followed"),
                    &["node"],
                ),
            ),
            polling: add(
                &registry,
                IntGauge::new("litegate_zmq_fallback", "1 while payments are detected without ZMQ"),
            ),
            sweeps: add(
                &registry,
                IntCounter::new("litegate_sweeps_total", "Sweeps that were signed and stored"),
            ),
            sweep_fees: add(
                &registry,
                IntCounter::new("litegate_sweep_fees_litoshis_total", "Fees of these sweeps"),
            ),
            discord: add(
                &registry,
                IntGauge::new("litegate_discord_connected", "1 while the bot hears of commands"),
            ),
            acknowledged: add(
                &registry,
                Histogram::with_opts(quick(
                    "litegate_discord_acknowledgement_seconds",
                    "Time until Discord took the acknowledgement of a command",
                )),
            ),
            unverified: add(
                &registry,
                IntCounter::new(
                    "litegate_unverified_rows_total",
                    "Rows of the database that were read and did not verify",
                ),
            ),
            registry,
        }
    }
}

/// Registers a collector of ours.
fn add<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("the names above are well formed");
    registry.register(Box::new(collector.clone())).expect("the names above differ");
    collector
}

/// All of it, as the metrics print it.
pub(crate) fn gather() -> Vec<MetricFamily> {
    METRICS.registry.gather()
}

/// A request was answered.
pub(crate) fn answered(address: &str, status: u16, took: Duration) {
    let status = status.to_string();
    METRICS.http.with_label_values(&[address, &status]).observe(took.as_secs_f64());
}

/// An event stream, counted for as long as it is held.
#[derive(Debug)]
pub(crate) struct Stream(());

impl Stream {
    pub(crate) fn open() -> Stream {
        METRICS.streams.inc();
        Stream(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        METRICS.streams.dec();
    }
}

/// The node was called.
pub(crate) fn called(call: &str, took: Duration, answered: bool) {
    METRICS.rpc.with_label_values(&[call]).observe(took.as_secs_f64());
    if !answered {
        METRICS.rpc_errors.with_label_values(&[call]).inc();
    }
}

/// So many writes became durable together.
pub(crate) fn committed(writes: usize, took: Duration) {
    METRICS.commits.observe(took.as_secs_f64());
    METRICS.writes.inc_by(u64::try_from(writes).unwrap_or(0));
}

/// One state of the database is looked at.
pub(crate) fn read() {
    METRICS.reads.inc();
}

/// An announced transaction was looked at, and what it changed is committed.
pub(crate) fn noticed(took: Duration) {
    METRICS.noticed.observe(took.as_secs_f64());
}

/// A payment was completed, so long after its money was first seen.
pub(crate) fn completed(after: Duration) {
    METRICS.completed.observe(after.as_secs_f64());
}

/// A webhook was sent; `state` is what that made of its event.
pub(crate) fn attempted(state: &str, took: Duration) {
    METRICS.attempts.with_label_values(&[state]).inc();
    METRICS.attempt_times.observe(took.as_secs_f64());
}

/// The node said where it stands.
pub(crate) fn node_stands_at(height: u32) {
    METRICS.node_height.set(i64::from(height));
}

/// How one of several nodes is. The label is the operator's own address of it.
pub(crate) fn node_is(name: &str, well: bool, in_use: bool) {
    METRICS.nodes_well.with_label_values(&[name]).set(i64::from(well));
    METRICS.nodes_in_use.with_label_values(&[name]).set(i64::from(in_use));
}

/// How payments are noticed from now on.
pub(crate) fn notifications_by_polling(polling: bool) {
    METRICS.polling.set(i64::from(polling));
}

/// A sweep was signed and stored.
pub(crate) fn swept(fee: Amount) {
    METRICS.sweeps.inc();
    METRICS.sweep_fees.inc_by(fee.litoshis());
}

/// Whether the bot hears of commands.
pub(crate) fn discord_is_connected(connected: bool) {
    METRICS.discord.set(i64::from(connected));
}

/// Discord took the acknowledgement of a command, for which it waits three seconds.
pub(crate) fn acknowledged(took: Duration) {
    METRICS.acknowledged.observe(took.as_secs_f64());
}

/// A row was read and did not verify.
pub(crate) fn unverified() {
    METRICS.unverified.inc();
}
