//! The public HTTP server: connections, request ids, time limits, and errors as JSON.
//!
//! No client can take the slots and descriptors of others: each address has a share of the
//! slots, a client that sends no request or does not read its response is disconnected, and
//! all slots together leave descriptors for database, node and webhooks.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::Instrument;
use warp::http::{HeaderValue, Request, Uri, header};
use warp::reply::Response;

use crate::metrics;
use crate::operations::untrusted_proxy;

use super::accept::accept;
use super::api::{Api, ClientAddress, Settings};
use super::client_stream::{self, ClientStream};
use super::error::{ApiError, Code};
use super::error_body::{self, Shape};
use super::limit::Share;
use super::proxies::{self, Untrusted};
use super::routes::routes;
use super::unread::{self, RequestBody};
use super::{headers, resource};

/// By when a new connection must have sent the headers of its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// How long request headers may take, and how long an idle connection is kept. Common proxies
/// keep theirs for 60 s; ours last longer, so that a proxy never writes to a closed
/// connection.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a request may take, including its body. Event streams respond at once.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest request id of a client that is logged, in bytes.
const CLIENT_ID_BYTES_MAX: usize = 64;

/// Refused connections that linger at a time; further ones are closed at once.
const REFUSED_LINGERING_MAX: usize = 64;

/// Binds the public listener. Requests wait in its queue until [`serve`] runs.
pub(crate) async fn bind(settings: &Settings) -> anyhow::Result<TcpListener> {
    let listen = settings.listen;
    TcpListener::bind(listen).await.with_context(|| format!("http.listen: bind {listen}"))
}

/// Serves until the shutdown signal, then lets running requests finish.
pub(crate) async fn serve(api: Arc<Api>, settings: Settings, listener: TcpListener) {
    if let Err(error) = untrusted_proxy::forget(&api.store, api.clock.now()).await {
        tracing::debug!(%error, "cannot clear the untrusted proxy of an earlier start");
    }
    let (slots, shutdown) = (api.limits.slots, api.shutdown.clone());
    let server = Arc::new(Server {
        routes: TowerToHyperService::new(warp::service(routes(&api))),
        settings,
        public_url: api.site.public_url.clone(),
        prefix: api.site.path_prefix().to_owned(),
        untrusted: Untrusted::default(),
        lingering: Semaphore::new(REFUSED_LINGERING_MAX),
        api,
    });
    accept(listener, slots, shutdown, |stream, peer, watcher| {
        let server = server.clone();
        // Taken before the task runs, so that a burst of connections cannot exceed the share.
        let share = server.api.limits.connections_each.take(peer.ip());
        async move {
            // Many clients share the address of a trusted proxy.
            let is_proxy = proxies::is_proxy(peer.ip(), &server.settings.trusted_proxies);
            if share.is_none() && !is_proxy {
                drop(watcher);
                server.refuse_connection(stream).await;
            } else {
                server.serve_connection(stream, peer, share, watcher).await;
            }
        }
    })
    .await;
}

/// The server's state. Generic only because warp does not name the type of its service.
struct Server<S> {
    routes: S,
    settings: Settings,
    public_url: String,
    /// The path of the public URL. A proxy may pass it on or remove it.
    prefix: String,
    untrusted: Untrusted,
    lingering: Semaphore,
    api: Arc<Api>,
}

impl<S> Server<S>
where
    S: Service<Request<RequestBody>, Response = Response, Error = Infallible>
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    /// Answers the requests of one connection.
    async fn serve_connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        share: Option<Share>,
        watcher: Watcher,
    ) {
        let requested = Arc::new(AtomicBool::new(false));
        let left_unread = Arc::new(AtomicBool::new(false));
        let service = {
            let (server, requested) = (self.clone(), requested.clone());
            let left_unread = left_unread.clone();
            service_fn(move |request| {
                requested.store(true, Ordering::Relaxed);
                let (server, left_unread) = (server.clone(), left_unread.clone());
                async move { Ok::<_, Infallible>(server.respond(request, peer, &left_unread).await) }
            })
        };
        let refuse = move |status| self.refuse_unparsable(status);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_TIMEOUT)
            .max_buf_size(headers::HEAD_BYTES_MAX)
            .max_headers(headers::FIELDS_MAX)
            .serve_connection(
                TokioIo::new(ClientStream::new(stream, left_unread, Box::new(refuse))),
                service,
            );
        let mut connection = pin!(watcher.watch(connection));
        // Errors of a connection are the client's, and not logged.
        let first = tokio::time::timeout(FIRST_REQUEST, &mut connection).await;
        if first.is_err() && requested.load(Ordering::Relaxed) {
            let _ = connection.await;
        }
        drop(share);
    }

    /// Refuses a connection whose peer has too many.
    async fn refuse_connection(&self, stream: TcpStream) {
        let (_, refusal) = self.raw_response(&ApiError::too_many_connections());
        let _ = stream.try_write(&refusal); // It fits into an empty socket buffer, or is lost.
        if let Ok(_place) = self.lingering.try_acquire() {
            client_stream::close_lingering(stream).await;
        }
    }

    /// Answers one request, also if its handler panics. If the rest of its body cannot be
    /// read, the response closes the connection, and `left_unread` is set.
    async fn respond(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        left_unread: &AtomicBool,
    ) -> Response {
        let request_id = request_id();
        let client_id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        let client_id = client_id.filter(|id| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !id.is_empty() && id.len() <= CLIENT_ID_BYTES_MAX && id.bytes().all(plain)
        });
        // The span has the highest level, so that every line of the request carries its id.
        let span = tracing::error_span!("request", %request_id, client_id);
        let expects_continue = unread::expects_continue(request.headers());
        let (request, rest) = unread::watch(request);
        let responding = async {
            let mut response = self.respond_in_time(request, peer, &request_id).await;
            if !rest.drain(expects_continue).await {
                left_unread.store(true, Ordering::Relaxed);
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            response
        };
        responding.instrument(span).await
    }

    async fn respond_in_time(
        &self,
        mut request: Request<RequestBody>,
        peer: SocketAddr,
        request_id: &str,
    ) -> Response {
        let proxies = &self.settings.trusted_proxies;
        let method = request.method().clone();
        let path = resource::normal_path(request.uri().path(), &self.prefix).into_owned();
        set_path(request.uri_mut(), &path);
        if let Some(proxy) = self.untrusted.found(peer.ip(), request.headers(), proxies) {
            self.report_untrusted(proxy).await;
        }
        let address = headers::check(&method, request.uri(), request.headers())
            .and_then(|()| proxies::client_address(peer.ip(), request.headers(), proxies))
            .map(|address| {
                request.extensions_mut().insert(ClientAddress(address));
            });
        let shape = Shape::wanted(request.headers());
        let resource = resource::at(&path);
        let began = Instant::now();
        let early = address.err().map(ApiError::into_response);
        let mut response = match early.or_else(|| resource::answer(resource, &method)) {
            Some(response) => response,
            None => {
                let handled = AssertUnwindSafe(self.routes.call(request)).catch_unwind();
                match tokio::time::timeout(REQUEST_TIMEOUT, handled).await {
                    Ok(Ok(Ok(response))) => response,
                    Ok(Ok(Err(never))) => match never {},
                    Ok(Err(_panic)) => ApiError::internal("a handler panicked").into_response(),
                    Err(_elapsed) => ApiError::timeout().into_response(),
                }
            }
        };
        resource::share(resource, &mut response);
        response = error_body::write(response, shape, &self.public_url, request_id);
        let route = resource.map_or("unknown", |resource| resource.path);
        metrics::answered(route, response.status().as_u16(), began.elapsed());
        tracing::debug!(%method, path, status = response.status().as_u16(), "request answered");
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert("x-request-id", value);
        }
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        response
    }

    /// Reports a proxy that is not trusted in the log, and in the database for `doctor`.
    async fn report_untrusted(&self, proxy: IpAddr) {
        tracing::warn!(
            %proxy,
            "a proxy is not in http.trusted_proxies: all its clients share one rate limit"
        );
        let now = self.api.clock.now();
        let recorded = self.api.store.write(move |tx| untrusted_proxy::record(tx, proxy, now));
        if let Err(error) = recorded.await {
            tracing::debug!(%error, "cannot record the untrusted proxy for doctor");
        }
    }

    /// A whole HTTP response with an error, for a connection that hyper does not serve, and
    /// its request id.
    fn raw_response(&self, error: &ApiError) -> (String, Vec<u8>) {
        let request_id = request_id();
        let body = error_body::text(error, Shape::Usual, &self.public_url, &request_id);
        let (status, length) = (error.status(), body.len());
        let retry = error.retry_after_seconds().map(|s| format!("retry-after: {s}\r\n"));
        let retry = retry.unwrap_or_default();
        let response = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             x-request-id: {request_id}\r\nx-content-type-options: nosniff\r\n{retry}\
             connection: close\r\n\r\n{body}"
        );
        (request_id, response.into_bytes())
    }

    /// The response to bytes that hyper cannot parse, from the status that hyper chose.
    fn refuse_unparsable(&self, status: u16) -> Vec<u8> {
        let error = if status == 400 {
            ApiError::new(Code::InvalidRequest, "not a valid HTTP/1.1 request")
        } else {
            headers::too_large()
        };
        let (request_id, response) = self.raw_response(&error);
        tracing::debug!(request_id, status, "refused an unparsable request");
        response
    }
}

/// Replaces the path of a URI and keeps its query.
fn set_path(uri: &mut Uri, path: &str) {
    if uri.path() == path {
        return;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(changed) = format!("{path}{query}").parse() {
        *uri = changed;
    }
}

fn request_id() -> String {
    // Not a secret, so the thread's generator suffices and saves a system call.
    format!("req_{:016x}", bitcoin::secp256k1::rand::random::<u64>())
}
