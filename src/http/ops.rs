//! The operator's interface on a separate listener: `/metrics`, `/healthz`, `/readyz`. These
//! paths are never served on the public listener.

use std::net::SocketAddr;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};

use crate::operations::account_scan;
use crate::operations::payments::is_delayed;
use crate::store::role_status;
use crate::view::role_status::Role;

use super::accept::accept;
pub(crate) use super::metrics::Ops;

/// Connections at a time; a few clients read metrics.
const CONNECTIONS_MAX: usize = 64;

/// How long request headers may take, and how long an idle connection is kept.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(75);

/// The longest life of a connection.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Binds the listener. A failure is logged only: payments do not depend on metrics.
pub(crate) async fn bind(listen: SocketAddr) -> Option<TcpListener> {
    TcpListener::bind(listen)
        .await
        .inspect_err(|error| {
            tracing::error!(%listen, %error, "metrics.listen: cannot bind; no metrics");
        })
        .ok()
}

pub(crate) async fn serve(ops: Ops, listener: TcpListener, shutdown: CancellationToken) {
    let with_ops = warp::any().map(move || ops.clone());
    let healthz = warp::path!("healthz").map(|| text(StatusCode::OK, "ok\n".to_owned()));
    let readyz = warp::path!("readyz").and(with_ops.clone()).then(ready);
    let metrics = warp::path!("metrics").and(with_ops).then(metrics);
    let routes = healthz.or(readyz).unify().or(metrics).unify();
    let service = TowerToHyperService::new(warp::service(routes));
    accept(listener, CONNECTIONS_MAX, shutdown, |stream, _, watcher| {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service.clone());
        let connection = tokio::time::timeout(CONNECTION_LIFETIME, watcher.watch(connection));
        async move { drop(connection.await) } // Errors of a connection are the client's.
    })
    .await;
}

fn text(status: StatusCode, text: String) -> Response {
    warp::reply::with_status(text, status).into_response()
}

/// 200 while the watcher follows the node's tip, else 503. The body says how it follows the
/// node.
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
            let synced = match last.and_then(|last| Some((last.at?, last.report))) {
                Some((at, Some(report))) => format!("last at the tip {at}, {report}"),
                Some((at, None)) => format!("last at the tip {at}"),
                None => "has never reached the node's tip".to_owned(),
            };
            let mut why = trouble.map(|trouble| format!(": {trouble}")).unwrap_or_default();
            if starting {
                why.push_str("; ");
                why.push_str(account_scan::UNANSWERED);
            }
            // A short problem appears in the text and does not change the status.
            let (status, word) = match (starting, delayed) {
                (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
                (false, true) => (StatusCode::SERVICE_UNAVAILABLE, "delayed"),
                (false, false) => (StatusCode::OK, "ready"),
            };
            text(status, format!("{word}: {synced}{why}\n"))
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
