//! Prometheus metrics that this process counts itself.
//!
//! Label values come from the code or the operator's configuration, never from a merchant or
//! client, so their number is bounded. Counts live as long as the process; values that the
//! database holds are read from it by `http/metrics.rs`.

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
        let http = "Duration of HTTP requests, by route and status";
        let rpc = "Duration of calls to the node, by call";
        let noticed =
            "Time from a transaction's announcement to the commit of its payment's new state";
        let completed = "Time from a payment's first coin to its completion";
        Metrics {
            http: add(
                &registry,
                HistogramVec::new(
                    quick("litegate_http_request_duration_seconds", http),
                    &["route", "status"],
                ),
            ),
            streams: add(&registry, IntGauge::new("litegate_event_streams", "Open event streams")),
            rpc: add(&registry, HistogramVec::new(quick("litegate_rpc_seconds", rpc), &["call"])),
            rpc_errors: add(
                &registry,
                IntCounterVec::new(
                    Opts::new("litegate_rpc_errors_total", "Failed calls to the node, by call"),
                    &["call"],
                ),
            ),
            commits: add(
                &registry,
                Histogram::with_opts(quick(
                    "litegate_database_commit_seconds",
                    "Duration of durable commits",
                )),
            ),
            writes: add(
                &registry,
                IntCounter::new(
                    "litegate_database_writes_total",
                    "Writes to the database; several can share a commit",
                ),
            ),
            reads: add(
                &registry,
                IntCounter::new(
                    "litegate_database_reads_total",
                    "Read transactions of the database",
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
                    Opts::new(
                        "litegate_webhook_attempts_total",
                        "Webhook delivery attempts, by outcome",
                    ),
                    &["state"],
                ),
            ),
            attempt_times: add(
                &registry,
                Histogram::with_opts(quick(
                    "litegate_webhook_attempt_seconds",
                    "Duration of webhook delivery attempts",
                )),
            ),
            node_height: add(
                &registry,
                IntGauge::new(
                    "litegate_node_height",
                    "Height of the node's best block at the last call",
                ),
            ),
            nodes_well: add(
                &registry,
                IntGaugeVec::new(
                    Opts::new("litegate_node_healthy", "1 if the node can be followed"),
                    &["node"],
                ),
            ),
            nodes_in_use: add(
                &registry,
                IntGaugeVec::new(
                    Opts::new("litegate_node_in_use", "1 if the node is followed"),
                    &["node"],
                ),
            ),
            polling: add(
                &registry,
                IntGauge::new(
                    "litegate_zmq_fallback",
                    "1 while payments are detected by polling instead of ZMQ",
                ),
            ),
            sweeps: add(
                &registry,
                IntCounter::new("litegate_sweeps_total", "Sweeps signed and stored"),
            ),
            sweep_fees: add(
                &registry,
                IntCounter::new(
                    "litegate_sweep_fees_litoshis_total",
                    "Fees of these sweeps, in litoshis",
                ),
            ),
            discord: add(
                &registry,
                IntGauge::new(
                    "litegate_discord_connected",
                    "1 while the bot is connected to Discord",
                ),
            ),
            acknowledged: add(
                &registry,
                Histogram::with_opts(quick(
                    "litegate_discord_acknowledgement_seconds",
                    "Time until Discord accepted the acknowledgement of a command",
                )),
            ),
            unverified: add(
                &registry,
                IntCounter::new(
                    "litegate_unverified_rows_total",
                    "Database rows that were read and failed verification",
                ),
            ),
            registry,
        }
    }
}

/// Registers a collector.
fn add<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("the names above are well formed");
    registry.register(Box::new(collector.clone())).expect("the names above differ");
    collector
}

/// All metrics of this process.
pub(crate) fn gather() -> Vec<MetricFamily> {
    METRICS.registry.gather()
}

/// Records an answered HTTP request.
pub(crate) fn answered(address: &str, status: u16, took: Duration) {
    let status = status.to_string();
    METRICS.http.with_label_values(&[address, &status]).observe(took.as_secs_f64());
}

/// An open event stream; counted until it is dropped.
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

/// Records a call to the node.
pub(crate) fn called(call: &str, took: Duration, answered: bool) {
    METRICS.rpc.with_label_values(&[call]).observe(took.as_secs_f64());
    if !answered {
        METRICS.rpc_errors.with_label_values(&[call]).inc();
    }
}

/// Records a commit of this many writes.
pub(crate) fn committed(writes: usize, took: Duration) {
    METRICS.commits.observe(took.as_secs_f64());
    METRICS.writes.inc_by(u64::try_from(writes).unwrap_or(0));
}

/// Records a read transaction.
pub(crate) fn read() {
    METRICS.reads.inc();
}

/// Records how long after its announcement a transaction's changes were committed.
pub(crate) fn noticed(took: Duration) {
    METRICS.noticed.observe(took.as_secs_f64());
}

/// Records how long after its first coin a payment was completed.
pub(crate) fn completed(after: Duration) {
    METRICS.completed.observe(after.as_secs_f64());
}

/// Records a webhook attempt; `state` is the resulting state of the event.
pub(crate) fn attempted(state: &str, took: Duration) {
    METRICS.attempts.with_label_values(&[state]).inc();
    METRICS.attempt_times.observe(took.as_secs_f64());
}

/// Records the height that the node reported.
pub(crate) fn node_stands_at(height: u32) {
    METRICS.node_height.set(i64::from(height));
}

/// Records the state of one node. The label is its configured address.
pub(crate) fn node_is(name: &str, well: bool, in_use: bool) {
    METRICS.nodes_well.with_label_values(&[name]).set(i64::from(well));
    METRICS.nodes_in_use.with_label_values(&[name]).set(i64::from(in_use));
}

/// Records whether payments are detected by polling.
pub(crate) fn notifications_by_polling(polling: bool) {
    METRICS.polling.set(i64::from(polling));
}

/// Records a sweep that was signed and stored.
pub(crate) fn swept(fee: Amount) {
    METRICS.sweeps.inc();
    METRICS.sweep_fees.inc_by(fee.litoshis());
}

/// Records whether the bot is connected to Discord.
pub(crate) fn discord_is_connected(connected: bool) {
    METRICS.discord.set(i64::from(connected));
}

/// Records an acknowledgement of a command, which Discord requires within three seconds.
pub(crate) fn acknowledged(took: Duration) {
    METRICS.acknowledged.observe(took.as_secs_f64());
}

/// Records a row that failed verification.
pub(crate) fn unverified() {
    METRICS.unverified.inc();
}
