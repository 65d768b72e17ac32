//! `GET /metrics` in the Prometheus text format: counters of this process, and values read
//! from the database and the machine on each request. `static/docs/reference/metrics.md`
//! explains each series.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus::{Encoder, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::payout_address::Reason;
use crate::domain::rate::Refresh;
use crate::domain::time::Timestamp;
use crate::logging;
use crate::metrics;
use crate::node::zmq::Counters;
use crate::operations::payments::chain_suspect;
use crate::operations::rates::Rates;
use crate::safe_file::with_suffix;
use crate::store::role_status::RoleStatus;
use crate::store::totals::{Totals, totals};
use crate::store::{
    ReadTx, Store, blocks, disk_space, payments, payout_waits, rates, retention, role_status,
};
use crate::view::Time;
use crate::view::rates::{CurrencyRateView, PercentNumber};
use crate::view::role_status::Role;

/// The sources of the operator's interface.
#[derive(Clone)]
pub(crate) struct Ops {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) database: PathBuf,
    /// `sweeper.max_hot_balance`, if the signing key is on this machine.
    pub(crate) hot_limit: Option<Amount>,
    pub(crate) rates: Rates,
    /// Counters of the watcher, if it runs in this process.
    pub(crate) zmq: Option<Arc<Counters>>,
}

/// Gathers all series. If the database cannot be read, only its series are missing.
pub(super) async fn gather(ops: &Ops) -> anyhow::Result<String> {
    let registry = Registry::new();
    count_zmq(&registry, ops.zmq.as_deref())?;
    measure_process(&registry)?;
    let help = "Log lines dropped because standard error was not read in time";
    counter(&registry, "litegate_log_lines_dropped_total", help, logging::dropped_lines())?;
    measure_disk(&registry, &ops.database)?;
    let limit = ops.hot_limit.map_or(0, Amount::litoshis);
    let help = "sweeper.max_hot_balance if the signing key is on this machine; 0: no limit";
    gauge(&registry, "litegate_hot_limit_litoshis", help, i64::try_from(limit)?)?;
    let now = ops.clock.now();
    let read = ops.store.read(move |tx| Stored::read(tx, now)).await;
    let help = "1 if the database could be read; otherwise its series are missing";
    gauge(&registry, "litegate_database_readable", help, i64::from(read.is_ok()))?;
    match read {
        Ok(stored) => {
            register_rates(&registry, &ops.rates, stored.rates.as_ref(), now)?;
            stored.register(&registry, now)?;
        }
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot read the database for metrics")
        }
    }
    let mut families = registry.gather();
    families.extend(metrics::gather());
    let mut out = Vec::new();
    TextEncoder::new().encode(&families, &mut out)?;
    Ok(String::from_utf8(out)?)
}

fn gauge(registry: &Registry, name: &str, help: &str, value: i64) -> anyhow::Result<()> {
    let gauge = IntGauge::new(name, help)?;
    gauge.set(value);
    Ok(registry.register(Box::new(gauge))?)
}

fn counter(registry: &Registry, name: &str, help: &str, count: u64) -> anyhow::Result<()> {
    let counter = IntCounter::new(name, help)?;
    counter.inc_by(count);
    Ok(registry.register(Box::new(counter))?)
}

fn labelled(
    registry: &Registry,
    name: &str,
    help: &str,
    label: &str,
    values: &[(String, i64)],
) -> anyhow::Result<()> {
    let gauges = IntGaugeVec::new(Opts::new(name, help), &[label])?;
    registry.register(Box::new(gauges.clone()))?;
    for (word, value) in values {
        gauges.with_label_values(&[word]).set(*value);
    }
    Ok(())
}

fn count_zmq(registry: &Registry, counters: Option<&Counters>) -> anyhow::Result<()> {
    for (name, help, count) in counters.iter().flat_map(|counters| counters.all()) {
        counter(registry, name, help, count)?;
    }
    Ok(())
}

/// Values of this process from proc(5), under Prometheus' usual names.
fn measure_process(registry: &Registry) -> anyhow::Result<()> {
    let version = [(env!("CARGO_PKG_VERSION").to_owned(), 1)];
    labelled(registry, "litegate_build_info", "The running version", "version", &version)?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|rest| rest.split_whitespace().next()?.parse::<i64>().ok());
    if let Some(kilobytes) = kilobytes {
        let bytes = kilobytes.saturating_mul(1024);
        gauge(registry, "process_resident_memory_bytes", "Resident memory", bytes)?;
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
        gauge(registry, "process_open_fds", "Open file descriptors", open)?;
    }
    Ok(())
}

fn measure_disk(registry: &Registry, database: &Path) -> anyhow::Result<()> {
    if let Some(free) = disk_space::free_bytes(database) {
        let help = "Free space on the disk of the database";
        let free = i64::try_from(free).unwrap_or(i64::MAX);
        gauge(registry, "litegate_disk_free_bytes", help, free)?;
    }
    let bytes = std::fs::metadata(with_suffix(database, "-wal")).map_or(0, |found| found.len());
    let help = "Size of the write-ahead log of the database";
    gauge(registry, "litegate_database_wal_bytes", help, i64::try_from(bytes)?)
}

/// Values from the database.
struct Stored {
    totals: Totals,
    tip: Option<BlockId>,
    role_status: Option<RoleStatus>,
    chain_guard: bool,
    lost: usize,
    table_bytes: Vec<(String, i64)>,
    /// Merchants with waiting payouts, by reason.
    payout_waits: Vec<(String, i64)>,
    /// The last refresh of the exchange rates.
    rates: Option<Refresh>,
}

impl Stored {
    fn read(tx: &ReadTx, now: Timestamp) -> anyhow::Result<Stored> {
        Ok(Stored {
            totals: totals(tx)?,
            tip: blocks::tip(tx)?,
            role_status: role_status::of_role(tx, Role::Watcher)?,
            chain_guard: chain_suspect(tx)?,
            lost: payments::completed_without_coins(tx)?.len(),
            table_bytes: retention::sizes(tx)?,
            payout_waits: count_payout_waits(tx)?,
            rates: rates::newest(tx, Timestamp::from_ms(0), now)?,
        })
    }

    fn register(self, registry: &Registry, now: Timestamp) -> anyhow::Result<()> {
        let Stored {
            totals, tip, role_status, chain_guard, lost, table_bytes, payout_waits, ..
        } = self;
        let age = |since: Option<Timestamp>| since.map_or(0, |since| now.ms_since(since) / 1000);
        labelled(registry, "litegate_payments", "Payments by status", "status", &totals.payments)?;
        let help = "Size of each table with its indexes, measured once a day";
        labelled(registry, "litegate_table_bytes", help, "table", &table_bytes)?;
        let help =
            "Merchants whose payouts wait because the sweeper contradicts their payout address";
        labelled(registry, "litegate_payouts_waiting", help, "reason", &payout_waits)?;
        for (name, help, value) in [
            (
                "litegate_webhook_events_pending",
                "Webhook events that wait for delivery",
                totals.events_due,
            ),
            (
                "litegate_webhook_oldest_pending_seconds",
                "Age of the oldest waiting webhook event; 0 if there is none",
                age(totals.oldest_due_at),
            ),
            (
                "litegate_webhooks_failed",
                "Webhook events whose delivery failed for good",
                totals.events_failed,
            ),
            (
                "litegate_unswept_coins",
                "Confirmed coins that are in no sweep",
                totals.unswept.coins,
            ),
            (
                "litegate_unswept_litoshis",
                "Sum of the confirmed coins that are in no sweep",
                i64::try_from(totals.unswept.sum.litoshis())?,
            ),
            ("litegate_sweeps_unconfirmed", "Unconfirmed sweeps", totals.sweeps_waiting),
            (
                "litegate_sweep_oldest_unconfirmed_seconds",
                "Age of the oldest unconfirmed sweep; 0 if there is none",
                age(totals.oldest_sweep_at),
            ),
            (
                "litegate_notifications_pending",
                "Bot notifications that wait to be sent",
                totals.notifications_due,
            ),
            ("litegate_database_bytes", "Size of the database", totals.bytes),
            (
                "litegate_chain_suspect",
                "1 while the chain guard is active: MWEB payments and sweeps are paused",
                i64::from(chain_guard),
            ),
            (
                "litegate_completed_payments_reorged_out",
                "Completed payments whose coins left the best chain",
                i64::try_from(lost)?,
            ),
        ] {
            gauge(registry, name, help, value)?;
        }
        register_sync(registry, tip, role_status, now)
    }
}

/// The watcher's progress; no series before its first sync.
fn register_sync(
    registry: &Registry,
    tip: Option<BlockId>,
    role_status: Option<RoleStatus>,
    now: Timestamp,
) -> anyhow::Result<()> {
    if let Some(tip) = tip {
        let help = "Height of the last processed block";
        gauge(registry, "litegate_chain_height", help, i64::from(tip.height))?;
    }
    if let Some(at) = role_status.and_then(|role_status| role_status.at) {
        let help = "Seconds since the watcher last reached the node's tip";
        gauge(registry, "litegate_watcher_last_sync_age_seconds", help, now.ms_since(at) / 1000)?;
    }
    Ok(())
}

/// The rates of the configured currencies; no series without currencies.
fn register_rates(
    registry: &Registry,
    rates: &Rates,
    known: Option<&Refresh>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let views = rates.overview(known, now);
    if views.is_empty() {
        return Ok(());
    }
    let each = |value: &dyn Fn(&CurrencyRateView) -> Option<i64>| -> Vec<(String, i64)> {
        views.iter().filter_map(|view| Some((view.currency.to_owned(), value(view)?))).collect()
    };
    let ages = each(&|view| view.at.map(|Time(at)| now.ms_since(at) / 1000));
    let help = "Age of the oldest quote that the rate uses; no series without a usable rate";
    labelled(registry, "litegate_rate_age_seconds", help, "currency", &ages)?;
    let used = each(&|view| i64::try_from(view.sources.iter().filter(|s| s.used).count()).ok());
    let help = "Quotes that the rate uses; 0 without a usable rate";
    labelled(registry, "litegate_rate_usable_sources", help, "currency", &used)?;
    let help = "Distance of a quote from the median of the fresh ones, in hundredths of a percent";
    let opts = Opts::new("litegate_rate_deviation_basis_points", help);
    let deviations = IntGaugeVec::new(opts, &["source", "currency"])?;
    registry.register(Box::new(deviations.clone()))?;
    for view in &views {
        for source in &view.sources {
            if let Some(PercentNumber(deviation)) = source.deviation_percent {
                let deviation = i64::try_from(deviation.hundredths())?;
                deviations.with_label_values(&[source.source, view.currency]).set(deviation);
            }
        }
    }
    Ok(())
}

fn count_payout_waits(tx: &ReadTx) -> anyhow::Result<Vec<(String, i64)>> {
    let waits = payout_waits::all(tx)?;
    let of = |reason: &Reason| waits.iter().filter(|one| one.wait.reason == *reason).count();
    let counts = Reason::ALL
        .iter()
        .map(|reason| Ok((reason.as_str().to_owned(), i64::try_from(of(reason))?)));
    counts.collect()
}
