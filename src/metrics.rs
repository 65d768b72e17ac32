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

/// Outcomes of a pass.
const COMPLETED: &str = "completed";
const FAILED: &str = "failed";

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

struct Metrics {
    registry: Registry,
    passes: Passes,
    http: Http,
    node: Node,
    database: Database,
    payments: Payments,
    webhooks: Webhooks,
    sweeper: Sweeper,
    discord: Discord,
}

/// Completed and failed passes of the loops that run all the time.
struct Passes {
    watcher: IntCounterVec,
    sweeper: IntCounterVec,
    webhooks: IntCounterVec,
    notifications: IntCounterVec,
}

struct Http {
    requests: HistogramVec,
    streams: IntGauge,
}

struct Node {
    calls: HistogramVec,
    errors: IntCounterVec,
    height: IntGauge,
    healthy: IntGaugeVec,
    in_use: IntGaugeVec,
    polling: IntGauge,
}

struct Database {
    commits: Histogram,
    writes: IntCounter,
    reads: IntCounter,
    unverified: IntCounter,
}

struct Payments {
    detected: Histogram,
    completed: Histogram,
}

struct Webhooks {
    attempts: IntCounterVec,
    durations: Histogram,
}

struct Sweeper {
    sweeps: IntCounter,
    fees: IntCounter,
}

struct Discord {
    connected: IntGauge,
    acknowledged: Histogram,
}

impl Metrics {
    fn new() -> Metrics {
        let registry = Registry::new();
        let r = &registry;
        Metrics {
            passes: Passes::new(r),
            http: Http::new(r),
            node: Node::new(r),
            database: Database::new(r),
            payments: Payments::new(r),
            webhooks: Webhooks::new(r),
            sweeper: Sweeper::new(r),
            discord: Discord::new(r),
            registry,
        }
    }
}

impl Passes {
    fn new(r: &Registry) -> Passes {
        let passes = |name, help| {
            let passes = IntCounterVec::new(Opts::new(name, help), &["outcome"]);
            let passes = add(r, passes);
            for outcome in [COMPLETED, FAILED] {
                passes.with_label_values(&[outcome]); // Starts at 0.
            }
            passes
        };
        Passes {
            watcher: passes("litegate_watcher_passes_total", "Passes of the watcher, by outcome"),
            sweeper: passes("litegate_sweeper_passes_total", "Passes of the sweeper, by outcome"),
            webhooks: passes(
                "litegate_webhook_rounds_total",
                "Readings of the webhooks that are due, by outcome",
            ),
            notifications: passes(
                "litegate_notification_rounds_total",
                "Passes of the bot's notifications, by outcome",
            ),
        }
    }
}

impl Http {
    fn new(r: &Registry) -> Http {
        let requests = short(
            "litegate_http_request_duration_seconds",
            "Duration of HTTP requests, by route and status",
        );
        Http {
            requests: add(r, HistogramVec::new(requests, &["route", "status"])),
            streams: gauge(r, "litegate_event_streams", "Open event streams"),
        }
    }
}

impl Node {
    fn new(r: &Registry) -> Node {
        let calls = short("litegate_rpc_seconds", "Duration of calls to the node, by call");
        let errors = Opts::new("litegate_rpc_errors_total", "Failed calls to the node, by call");
        let healthy = Opts::new("litegate_node_healthy", "1 if the node can be followed");
        let in_use = Opts::new("litegate_node_in_use", "1 if the node is followed");
        Node {
            calls: add(r, HistogramVec::new(calls, &["call"])),
            errors: add(r, IntCounterVec::new(errors, &["call"])),
            height: gauge(
                r,
                "litegate_node_height",
                "Height of the node's best block at the last call",
            ),
            healthy: add(r, IntGaugeVec::new(healthy, &["node"])),
            in_use: add(r, IntGaugeVec::new(in_use, &["node"])),
            polling: gauge(
                r,
                "litegate_zmq_fallback",
                "1 while payments are detected by polling instead of ZMQ",
            ),
        }
    }
}

impl Database {
    fn new(r: &Registry) -> Database {
        let commits = short("litegate_database_commit_seconds", "Duration of durable commits");
        Database {
            commits: add(r, Histogram::with_opts(commits)),
            writes: counter(
                r,
                "litegate_database_writes_total",
                "Writes to the database; several can share a commit",
            ),
            reads: counter(r, "litegate_database_reads_total", "Read transactions of the database"),
            unverified: counter(
                r,
                "litegate_unverified_rows_total",
                "Database rows that were read and failed verification",
            ),
        }
    }
}

impl Payments {
    fn new(r: &Registry) -> Payments {
        let detected = short(
            "litegate_detection_seconds",
            "Time from a transaction's announcement to the commit of its payment's new state",
        );
        let completed = HistogramOpts::new(
            "litegate_completion_seconds",
            "Time from a payment's first coin to its completion",
        );
        // Confirmation times, from one block to six hours.
        let seconds = [60.0, 150.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 21600.0];
        let completed = completed.buckets(seconds.into());
        Payments {
            detected: add(r, Histogram::with_opts(detected)),
            completed: add(r, Histogram::with_opts(completed)),
        }
    }
}

impl Webhooks {
    fn new(r: &Registry) -> Webhooks {
        let attempts =
            Opts::new("litegate_webhook_attempts_total", "Webhook delivery attempts, by outcome");
        let durations =
            short("litegate_webhook_attempt_seconds", "Duration of webhook delivery attempts");
        Webhooks {
            attempts: add(r, IntCounterVec::new(attempts, &["state"])),
            durations: add(r, Histogram::with_opts(durations)),
        }
    }
}

impl Sweeper {
    fn new(r: &Registry) -> Sweeper {
        Sweeper {
            sweeps: counter(r, "litegate_sweeps_total", "Sweeps signed and stored"),
            fees: counter(
                r,
                "litegate_sweep_fees_litoshis_total",
                "Fees of these sweeps, in litoshis",
            ),
        }
    }
}

impl Discord {
    fn new(r: &Registry) -> Discord {
        let acknowledged = short(
            "litegate_discord_acknowledgement_seconds",
            "Time until Discord accepted the acknowledgement of a command",
        );
        Discord {
            connected: gauge(
                r,
                "litegate_discord_connected",
                "1 while the bot is connected to Discord",
            ),
            acknowledged: add(r, Histogram::with_opts(acknowledged)),
        }
    }
}

/// A histogram of short durations, in seconds.
fn short(name: &str, help: &str) -> HistogramOpts {
    let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
    HistogramOpts::new(name, help).buckets(seconds.into())
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    add(registry, IntCounter::new(name, help))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    add(registry, IntGauge::new(name, help))
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("the names above are well formed");
    registry.register(Box::new(collector.clone())).expect("the names above differ");
    collector
}

pub(crate) fn gather() -> Vec<MetricFamily> {
    METRICS.registry.gather()
}

pub(crate) fn answered(address: &str, status: u16, took: Duration) {
    let status = status.to_string();
    METRICS.http.requests.with_label_values(&[address, &status]).observe(took.as_secs_f64());
}

fn passed<T, E>(passes: &IntCounterVec, pass: &Result<T, E>) {
    let outcome = match pass {
        Ok(_) => COMPLETED,
        Err(_) => FAILED,
    };
    passes.with_label_values(&[outcome]).inc();
}

/// Counts a pass of the watcher that has ended.
pub(crate) fn watcher_passed<T, E>(pass: &Result<T, E>) {
    passed(&METRICS.passes.watcher, pass);
}

/// Counts a pass of the sweeper that has ended.
pub(crate) fn sweeper_passed<T, E>(pass: &Result<T, E>) {
    passed(&METRICS.passes.sweeper, pass);
}

/// Counts a reading of the outbox that has ended.
pub(crate) fn webhooks_passed<T, E>(round: &Result<T, E>) {
    passed(&METRICS.passes.webhooks, round);
}

/// Counts a pass of the bot's notifications that has ended.
pub(crate) fn notifications_passed<T, E>(round: &Result<T, E>) {
    passed(&METRICS.passes.notifications, round);
}

/// An open event stream; counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Stream(());

impl Stream {
    pub(crate) fn open() -> Stream {
        METRICS.http.streams.inc();
        Stream(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        METRICS.http.streams.dec();
    }
}

pub(crate) fn called(call: &str, took: Duration, answered: bool) {
    METRICS.node.calls.with_label_values(&[call]).observe(took.as_secs_f64());
    if !answered {
        METRICS.node.errors.with_label_values(&[call]).inc();
    }
}

/// Records a commit of this many writes.
pub(crate) fn committed(writes: usize, took: Duration) {
    METRICS.database.commits.observe(took.as_secs_f64());
    METRICS.database.writes.inc_by(u64::try_from(writes).unwrap_or(0));
}

pub(crate) fn read() {
    METRICS.database.reads.inc();
}

/// Records how long after its announcement a transaction's changes were committed.
pub(crate) fn noticed(took: Duration) {
    METRICS.payments.detected.observe(took.as_secs_f64());
}

/// Records how long after its first coin a payment was completed.
pub(crate) fn completed(after: Duration) {
    METRICS.payments.completed.observe(after.as_secs_f64());
}

/// Records a webhook attempt; `state` is the resulting state of the event.
pub(crate) fn attempted(state: &str, took: Duration) {
    METRICS.webhooks.attempts.with_label_values(&[state]).inc();
    METRICS.webhooks.durations.observe(took.as_secs_f64());
}

/// Records the height that the node reported.
pub(crate) fn node_stands_at(height: u32) {
    METRICS.node.height.set(i64::from(height));
}

/// Records the state of one node. The label is its configured address.
pub(crate) fn node_is(name: &str, well: bool, in_use: bool) {
    METRICS.node.healthy.with_label_values(&[name]).set(i64::from(well));
    METRICS.node.in_use.with_label_values(&[name]).set(i64::from(in_use));
}

/// Records whether payments are detected by polling.
pub(crate) fn notifications_by_polling(polling: bool) {
    METRICS.node.polling.set(i64::from(polling));
}

pub(crate) fn swept(fee: Amount) {
    METRICS.sweeper.sweeps.inc();
    METRICS.sweeper.fees.inc_by(fee.litoshis());
}

/// Records whether the bot is connected to Discord.
pub(crate) fn discord_is_connected(connected: bool) {
    METRICS.discord.connected.set(i64::from(connected));
}

/// Records an acknowledgement of a command, which Discord requires within three seconds.
pub(crate) fn acknowledged(took: Duration) {
    METRICS.discord.acknowledged.observe(took.as_secs_f64());
}

/// Records a row that failed verification.
pub(crate) fn unverified() {
    METRICS.database.unverified.inc();
}
