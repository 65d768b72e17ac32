//! The operator's interface on its own listener: `/metrics`, `/healthz`, `/readyz`. Never on the
//! public address.

use std::net::SocketAddr;
use std::sync::Arc;

use prometheus::{Encoder, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};

use crate::acts::payments::{WATCHER, in_doubt, is_delayed};
use crate::clock::Clock;
use crate::node::zmq::Counters;
use crate::store::{Store, blocks, events, payments, progress};

/// What the operator's interface looks at.
#[derive(Clone)]
pub(crate) struct Ops {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// Of the watcher in this process, if it runs here.
    pub(crate) zmq: Option<Arc<Counters>>,
}

/// Serves until the shutdown signal. A port that is taken is an error in the log and no more:
/// payments do not depend on being measured.
pub(crate) async fn serve(ops: Ops, listen: SocketAddr, shutdown: CancellationToken) {
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%listen, %error, "metrics.listen: cannot bind; no metrics");
            return shutdown.cancelled().await;
        }
    };
    let with_ops = {
        let ops = ops.clone();
        warp::any().map(move || ops.clone())
    };
    let healthz = warp::path!("healthz").map(|| text(StatusCode::OK, "ok\n".to_owned()));
    let readyz = warp::path!("readyz").and(with_ops.clone()).then(ready);
    let metrics = warp::path!("metrics").and(with_ops).then(metrics);
    let routes = healthz.or(readyz).unify().or(metrics).unify();
    let stop = shutdown.cancelled_owned();
    warp::serve(routes).incoming(listener).graceful(stop).run().await;
}

fn text(status: StatusCode, text: String) -> Response {
    warp::reply::with_status(text, status).into_response()
}

/// Ready means that the watcher stands at the node's tip, and says how it notices payments.
async fn ready(ops: Ops) -> Response {
    let now = ops.clock.now();
    let state = ops
        .store
        .read(move |tx| {
            let last = progress::of_role(tx, WATCHER)?;
            Ok::<_, anyhow::Error>((is_delayed(tx, now)?, last))
        })
        .await;
    match state {
        Ok((delayed, last)) => {
            let trouble = last.as_ref().and_then(|last| last.trouble.clone());
            let since = match last.and_then(|last| Some((last.at?, last.note))) {
                Some((at, note)) => format!("last at the tip {at}, {note}"),
                None => "never stood at the node's tip".to_owned(),
            };
            let why = trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
            // A trouble of some seconds is told, and no reason to call for help.
            let (status, word) = match delayed {
                false => (StatusCode::OK, "ready"),
                true => (StatusCode::SERVICE_UNAVAILABLE, "delayed"),
            };
            text(status, format!("{word}: {since}{why}\n"))
        }
        Err(error) => text(StatusCode::SERVICE_UNAVAILABLE, format!("database: {error:#}\n")),
    }
}

async fn metrics(ops: Ops) -> Response {
    match gather(&ops).await {
        Ok(body) => text(StatusCode::OK, body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")),
    }
}

async fn gather(ops: &Ops) -> anyhow::Result<String> {
    let now = ops.clock.now();
    let (by_status, due, tip, progress, doubt, lost) = ops
        .store
        .read(move |tx| {
            Ok::<_, anyhow::Error>((
                payments::count_by_status(tx)?,
                events::count_due(tx)?,
                blocks::tip(tx)?,
                progress::of_role(tx, WATCHER)?,
                in_doubt(tx)?,
                payments::completed_without_coins(tx)?.len(),
            ))
        })
        .await?;
    let registry = Registry::new();
    let opts = Opts::new("litegate_payments", "Payments by status");
    let payments = IntGaugeVec::new(opts, &["status"])?;
    registry.register(Box::new(payments.clone()))?;
    for (status, count) in by_status {
        payments.with_label_values(&[&status]).set(count);
    }
    let gauge = |name: &str, help: &str, value: i64| -> anyhow::Result<()> {
        let gauge = IntGauge::new(name, help)?;
        gauge.set(value);
        registry.register(Box::new(gauge))?;
        Ok(())
    };
    gauge("litegate_webhooks_due", "Events that wait to be delivered", due)?;
    let help = "1 while in doubt about the chain: payments out of MWEB and sweeps wait";
    gauge("litegate_doubt", help, i64::from(doubt))?;
    let help = "Completed payments whose coins the best chain does not hold any more";
    gauge("litegate_completed_without_coins", help, i64::try_from(lost)?)?;
    for (name, help, count) in ops.zmq.iter().flat_map(|counters| counters.all()) {
        let counter = IntCounter::new(name, help)?;
        counter.inc_by(count);
        registry.register(Box::new(counter))?;
    }
    if let Some(tip) = tip {
        gauge("litegate_chain_height", "The block that we stand on", i64::from(tip.height))?;
    }
    if let Some(at) = progress.and_then(|progress| progress.at) {
        let silence = now.ms_since(at) / 1000;
        let help = "Seconds since the watcher last stood at the node's tip";
        gauge("litegate_watcher_silence_seconds", help, silence)?;
    }
    let mut out = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut out)?;
    Ok(String::from_utf8(out)?)
}
