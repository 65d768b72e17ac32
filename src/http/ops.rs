//! The operator's interface on its own listener: `/metrics`, `/healthz`, `/readyz`. Never on the
//! public address.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::node::zmq::Counters;
use crate::operations::account_scan;
use crate::operations::payments::is_delayed;
use crate::store::{Store, role_status};
use crate::view::role_status::Role;

/// Connections at a time; there are a few readers at most.
const CONNECTIONS_MAX: usize = 64;

/// How long request headers may take, and how long an idle connection is kept.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a connection may live.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What the operator's interface looks at.
#[derive(Clone)]
pub(crate) struct Ops {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) database: PathBuf,
    /// What the operator wants to wait for payout at most under a key on this machine.
    pub(crate) hot_limit: Option<Amount>,
    /// Of the watcher in this process, if it runs here.
    pub(crate) zmq: Option<Arc<Counters>>,
}

/// Binds the address. A port that is taken is an error in the log and no more: payments do not
/// depend on being measured.
pub(crate) async fn bind(listen: SocketAddr) -> Option<TcpListener> {
    TcpListener::bind(listen)
        .await
        .inspect_err(|error| {
            tracing::error!(%listen, %error, "metrics.listen: cannot bind; no metrics");
        })
        .ok()
}

/// Serves until the shutdown signal.
pub(crate) async fn serve(ops: Ops, listener: TcpListener, shutdown: CancellationToken) {
    let with_ops = {
        let ops = ops.clone();
        warp::any().map(move || ops.clone())
    };
    let healthz = warp::path!("healthz").map(|| text(StatusCode::OK, "ok\n".to_owned()));
    let readyz = warp::path!("readyz").and(with_ops.clone()).then(ready);
    let metrics = warp::path!("metrics").and(with_ops).then(metrics);
    let routes = healthz.or(readyz).unify().or(metrics).unify();
    let answering = TowerToHyperService::new(warp::service(routes));
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection for metrics");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = permits.clone().try_acquire_owned() else { continue };
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_TIMEOUT)
            .serve_connection(TokioIo::new(stream), answering.clone());
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            // Not even the operator's own reader may stay for ever.
            let _ = tokio::time::timeout(CONNECTION_LIFETIME, connection).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    graceful.shutdown().await;
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
            let last = role_status::of_role(tx, Role::Watcher)?;
            let starting = !account_scan::is_answered(tx)?;
            Ok::<_, anyhow::Error>((starting, is_delayed(tx, now)?, last))
        })
        .await;
    match state {
        Ok((starting, delayed, last)) => {
            let trouble = last.as_ref().and_then(|last| last.trouble.clone());
            let since = match last.and_then(|last| Some((last.at?, last.report))) {
                Some((at, Some(report))) => format!("last at the tip {at}, {report}"),
                Some((at, None)) => format!("last at the tip {at}"),
                None => "never stood at the node's tip".to_owned(),
            };
            let mut why = trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
            if starting {
                why.push_str("; ");
                why.push_str(account_scan::UNANSWERED);
            }
            // A trouble of some seconds is told, and no reason to call for help.
            let (status, word) = match (starting, delayed) {
                (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
                (false, true) => (StatusCode::SERVICE_UNAVAILABLE, "delayed"),
                (false, false) => (StatusCode::OK, "ready"),
            };
            text(status, format!("{word}: {since}{why}\n"))
        }
        Err(error) => text(StatusCode::SERVICE_UNAVAILABLE, format!("database: {error:#}\n")),
    }
}

async fn metrics(ops: Ops) -> Response {
    match super::metrics::gather(&ops).await {
        Ok(body) => text(StatusCode::OK, body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")),
    }
}
