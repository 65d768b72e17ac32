//! The accept loop: limits on connections, headers and time, a request id for each answer, and an
//! end that lets running requests finish.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bitcoin::hex::DisplayHex;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use warp::http::{HeaderValue, Request};
use warp::reply::Response;

use crate::secret;

use super::error::{self, ApiError, Code};
use super::{Api, ClientAddress, Settings, limit, routes};

/// Connections at a time; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 4_096;

/// How long request headers may take, and how long an idle connection is kept. Longer than the
/// 60 s for which common proxies keep theirs, so that they never send into a closed one.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a request may take, its body included; event streams are answered at once.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The largest headers of a request, in bytes.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// How long running requests may take to finish once we stop.
const GRACE: Duration = Duration::from_secs(10);

/// A listener that is bound; requests wait in it until [`serve`] runs.
pub(crate) async fn bind(settings: &Settings) -> anyhow::Result<TcpListener> {
    let listen = settings.listen;
    TcpListener::bind(listen).await.with_context(|| format!("http.listen: bind {listen}"))
}

/// Serves until the shutdown signal, then lets running requests finish.
pub(crate) async fn serve(api: Arc<Api>, settings: Settings, listener: TcpListener) {
    let shutdown = api.shutdown.clone();
    let answering = Arc::new(Answering {
        routes: TowerToHyperService::new(warp::service(routes(api.clone()))),
        settings,
        public_url: api.site.public_url.clone(),
    });
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = permits.clone().acquire_owned() => permit,
            () = shutdown.cancelled() => break, // Also while every place is taken.
        };
        let permit = permit.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files: closing others helps, spinning does not.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let answering = answering.clone();
        let service = service_fn(move |request| {
            let answering = answering.clone();
            async move { Ok::<_, Infallible>(answering.answer(request, peer).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_TIMEOUT)
            .max_buf_size(HEADER_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            let _ = connection.await; // A client that broke off is no news.
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

/// Generic only because warp does not name the type of its service.
struct Answering<S> {
    routes: S,
    settings: Settings,
    public_url: String,
}

impl<S> Answering<S>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible>,
{
    /// Answers one request, whatever happens in its handler.
    async fn answer(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response {
        let request_id = format!("req_{}", secret::random_bytes::<8>().to_lower_hex_string());
        let proxies = &self.settings.trusted_proxies;
        let address = limit::client_address(peer.ip(), request.headers(), proxies);
        request.extensions_mut().insert(ClientAddress(address));
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let handled = AssertUnwindSafe(self.routes.call(request)).catch_unwind();
        let mut response = match tokio::time::timeout(REQUEST_TIMEOUT, handled).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            Ok(Err(_panic)) => ApiError::internal("a handler panicked").into_response(),
            Err(_elapsed) => {
                ApiError::new(Code::Timeout, "the request took too long").into_response()
            }
        };
        response = error::write_body(response, &self.public_url, &request_id);
        tracing::debug!(request.id = %request_id, %method, path, status = response.status().as_u16(), "answered");
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            headers.insert("x-request-id", value);
        }
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        response
    }
}
