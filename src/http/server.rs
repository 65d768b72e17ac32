//! The accept loop: limits on connections, headers and time, a request id for each answer, and an
//! end that lets running requests finish.
//!
//! Whatever strangers do with their connections, places and descriptors are left for others: an
//! address gets a share of the places, a client that sends no request or does not read its answer
//! is cut off, and all places together leave descriptors for database, node and webhooks.

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
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::Instrument;
use warp::http::{HeaderValue, Request, Uri, header};
use warp::reply::Response;

use crate::metrics;
use crate::operations::untrusted_proxy;

use super::client_stream::{self, ClientStream};
use super::error::{self, ApiError, Code, Shape};
use super::proxies::{self, Untrusted};
use super::unread::{self, RequestBody};
use super::{Api, ClientAddress, Settings, headers, resource, routes};

/// Connections at a time beside those of event streams, if there are descriptors for them; further
/// ones wait in the system's queue.
const CONNECTIONS_USUAL: usize = 4_096;

/// Descriptors for database, node and webhooks, where there are twice as many.
const DESCRIPTORS_LEFT: usize = 512;

/// How many files a process may open where nobody says.
const DESCRIPTORS_USUAL: usize = 1_024;

/// By when a new connection must have sent the headers of its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// How long request headers may take, and how long an idle connection is kept. Longer than the
/// 60 s for which common proxies keep theirs, so that they never send into a closed one.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a request may take, its body included; event streams are answered at once.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The longest id of a request by its client that is logged.
const THEIR_ID_BYTES_MAX: usize = 64;

/// Refused connections that are closed gently at a time; further ones are dropped.
const REFUSED_LINGERING_MAX: usize = 64;

/// How long running requests may take to finish once we stop.
const GRACE: Duration = Duration::from_secs(10);

/// A listener that is bound; requests wait in it until [`serve`] runs.
pub(crate) async fn bind(settings: &Settings) -> anyhow::Result<TcpListener> {
    let listen = settings.listen;
    TcpListener::bind(listen).await.with_context(|| format!("http.listen: bind {listen}"))
}

/// How many connections there may be at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionSlots {
    pub(crate) all: usize,
    /// Of which event streams take so many at most.
    pub(crate) streams: usize,
}

impl ConnectionSlots {
    /// For so many event streams, as far as this process may open files.
    pub(crate) fn here(max_event_streams: usize) -> ConnectionSlots {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        ConnectionSlots::of(
            descriptors_max(&limits).unwrap_or(DESCRIPTORS_USUAL),
            max_event_streams,
        )
    }

    /// A quarter of the descriptors is left for others, and a quarter of the places for those who
    /// are no streams.
    fn of(descriptors: usize, max_event_streams: usize) -> ConnectionSlots {
        let left = (descriptors / 4).max(DESCRIPTORS_LEFT).min(descriptors / 2);
        let most = CONNECTIONS_USUAL.saturating_add(max_event_streams);
        let all = (descriptors - left).clamp(1, most);
        ConnectionSlots { all, streams: max_event_streams.min(all - all / 4) }
    }
}

/// The soft limit of open files in what Linux shows of a process's limits (proc(5)).
fn descriptors_max(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

/// Serves until the shutdown signal, then lets running requests finish.
pub(crate) async fn serve(api: Arc<Api>, settings: Settings, listener: TcpListener) {
    let shutdown = api.shutdown.clone();
    if let Err(error) = untrusted_proxy::forget(&api.store, api.clock.now()).await {
        tracing::debug!(%error, "cannot forget the proxies of earlier starts");
    }
    let answering = Arc::new(Answering {
        routes: TowerToHyperService::new(warp::service(routes(api.clone()))),
        settings,
        public_url: api.site.public_url.clone(),
        prefix: api.site.path_prefix().to_owned(),
        untrusted: Untrusted::default(),
        api: api.clone(),
    });
    let permits = Arc::new(Semaphore::new(api.limits.slots));
    let refused = Arc::new(Semaphore::new(REFUSED_LINGERING_MAX));
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
        // Behind a proxy of ours are many clients.
        let is_proxy = proxies::is_proxy(peer.ip(), &answering.settings.trusted_proxies);
        let share = api.limits.connections_each.take(peer.ip());
        if share.is_none() && !is_proxy {
            let (_, refusal) = answering.refusal(ApiError::too_many_connections());
            let _ = stream.try_write(&refusal); // If there is no room for it, so be it.
            if let Ok(place) = refused.clone().try_acquire_owned() {
                connections.spawn(async move {
                    client_stream::close_lingering(stream).await;
                    drop((place, permit));
                });
            }
            continue;
        }
        let asked = Arc::new(AtomicBool::new(false));
        let left_unread = Arc::new(AtomicBool::new(false));
        let service = {
            let (answering, asked) = (answering.clone(), asked.clone());
            let left_unread = left_unread.clone();
            service_fn(move |request| {
                asked.store(true, Ordering::Relaxed);
                let (answering, left_unread) = (answering.clone(), left_unread.clone());
                async move { Ok::<_, Infallible>(answering.answer(request, peer, &left_unread).await) }
            })
        };
        let refuse = {
            let answering = answering.clone();
            move |status| answering.refuse_unread(status)
        };
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_TIMEOUT)
            .max_buf_size(headers::HEAD_BYTES_MAX)
            .max_headers(headers::FIELDS_MAX)
            .serve_connection(
                TokioIo::new(ClientStream::new(stream, left_unread, Box::new(refuse))),
                service,
            );
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            let mut connection = pin!(connection);
            // A client that broke off is no news.
            let first = tokio::time::timeout(FIRST_REQUEST, &mut connection).await;
            if first.is_err() && asked.load(Ordering::Relaxed) {
                let _ = connection.await;
            }
            drop((permit, share));
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
    /// The path of the public URL: a proxy may pass it on or remove it.
    prefix: String,
    untrusted: Untrusted,
    api: Arc<Api>,
}

impl<S> Answering<S>
where
    S: Service<Request<RequestBody>, Response = Response, Error = Infallible>,
{
    /// Answers one request, whatever happens in its handler. If its body could not be read to the
    /// end, the answer closes the connection, and `left_unread` is set.
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        left_unread: &AtomicBool,
    ) -> Response {
        let request_id = request_id();
        // What the client calls it, if it can be shown.
        let theirs = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        let theirs = theirs.filter(|id| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !id.is_empty() && id.len() <= THEIR_ID_BYTES_MAX && id.bytes().all(plain)
        });
        // Of the highest level, so that every line of the request has the id.
        let span = tracing::error_span!("request", id = %request_id, client_id = theirs);
        let expects_continue = unread::expects_continue(request.headers());
        let (request, rest) = unread::watch(request);
        let answering = async {
            let mut response = self.answer_within(request, peer, &request_id).await;
            if !rest.drain(expects_continue).await {
                left_unread.store(true, Ordering::Relaxed);
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            response
        };
        answering.instrument(span).await
    }

    async fn answer_within(
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
        let refused = headers::check(&method, request.uri(), request.headers());
        let address = refused
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
        response = error::write_body(response, shape, &self.public_url, request_id);
        let address = resource.map_or("unknown", |resource| resource.path);
        metrics::answered(address, response.status().as_u16(), began.elapsed());
        tracing::debug!(%method, path, status = response.status().as_u16(), "answered");
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert("x-request-id", value);
        }
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        response
    }

    /// Warns of a proxy that is not trusted, in the log and for `doctor`, which is another process.
    async fn report_untrusted(&self, proxy: IpAddr) {
        tracing::warn!(
            %proxy,
            "a proxy is not in http.trusted_proxies: all its clients share one rate limit"
        );
        let now = self.api.clock.now();
        let recorded = self.api.store.write(move |tx| untrusted_proxy::record(tx, proxy, now));
        if let Err(error) = recorded.await {
            tracing::debug!(%error, "cannot record the proxy for doctor");
        }
    }

    /// A whole answer for a connection that gets no other, and its request id.
    fn refusal(&self, error: ApiError) -> (String, Vec<u8>) {
        let request_id = request_id();
        let body = error.text(Shape::Usual, &self.public_url, &request_id);
        let (status, length) = (error.status(), body.len());
        let retry = error.retry_after_seconds().map(|s| format!("retry-after: {s}\r\n"));
        let retry = retry.unwrap_or_default();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             x-request-id: {request_id}\r\nx-content-type-options: nosniff\r\n{retry}\
             connection: close\r\n\r\n{body}"
        );
        (request_id, answer.into_bytes())
    }

    /// The answer to what is no request to us, in place of hyper's, which has no body.
    fn refuse_unread(&self, status: u16) -> Vec<u8> {
        let error = if status == 400 {
            ApiError::new(Code::InvalidRequest, "this is no request of HTTP/1.1")
        } else {
            headers::too_large()
        };
        let (request_id, answer) = self.refusal(error);
        tracing::debug!(request.id = %request_id, status, "refused what cannot be read");
        answer
    }
}

/// Gives a URI another path, and keeps its query.
fn set_path(uri: &mut Uri, path: &str) {
    if uri.path() == path {
        return;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // The parts of one URI make another.
    if let Ok(changed) = format!("{path}{query}").parse() {
        *uri = changed;
    }
}

fn request_id() -> String {
    // A name, no secret: the generator of this thread will do, without asking the system each time.
    format!("req_{:016x}", bitcoin::secp256k1::rand::random::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_is_parsed() {
        let shown = "Limit                     Soft Limit           Hard Limit           Units\n\
                     Max processes             63432                63432                processes\n\
                     Max open files            1024                 524288               files\n";
        assert_eq!(descriptors_max(shown), Some(1024));
        let unlimited = shown.replace("1024  ", "unlimited");
        assert_eq!(descriptors_max(&unlimited), Some(usize::MAX));
        assert_eq!(descriptors_max(""), None);
    }

    #[test]
    fn connection_slots_reserve_descriptors_and_limit_streams() {
        #[track_caller]
        fn check(descriptors: usize, asked: usize, all: usize, streams: usize) {
            assert_eq!(ConnectionSlots::of(descriptors, asked), ConnectionSlots { all, streams });
        }
        check(16_384, 2_000, 6_096, 2_000);
        check(20_000, 10_000, 14_096, 10_000);
        check(20_000, 50_000, 15_000, 11_250);
        check(1_024, 2_000, 512, 384);
        check(256, 2_000, 128, 96);
        check(3, 2_000, 2, 2);
        check(0, 2_000, 1, 1);
        check(usize::MAX, 2_000, 6_096, 2_000);
    }
}
