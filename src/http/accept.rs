//! The accept loop of both HTTP listeners, public and operator's.
//!
//! It accepts only while a slot is free, so that further connections wait in the listen queue,
//! and lets running requests finish at shutdown.
//!
//! Must not know: HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The pause after a failed accept. Too many open files is the usual reason: only the end of
/// other connections helps.
const PAUSE: Duration = Duration::from_millis(100);

/// How long running requests may take after the shutdown signal.
const GRACE: Duration = Duration::from_secs(10);

/// Accepts connections until the shutdown signal, at most `slots` at a time. `serve` answers
/// one; its watcher ends it gracefully at shutdown.
pub(super) async fn accept<F>(
    listener: TcpListener,
    slots: usize,
    shutdown: CancellationToken,
    serve: impl Fn(TcpStream, SocketAddr, Watcher) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(slots));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = permits.clone().acquire_owned() => permit,
            () = shutdown.cancelled() => break, // Also while every slot is taken.
        };
        let permit = permit.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving = serve(stream, peer, graceful.watcher());
                connections.spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish before the shutdown");
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[tokio::test]
    async fn a_connection_without_a_slot_waits_until_one_is_free() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (accepted, mut served) = mpsc::unbounded_channel();
        let serve = |stream, _, watcher| {
            let (end, ended) = oneshot::channel::<()>();
            accepted.send(end).expect("the test waits");
            async move {
                let _ = ended.await;
                drop((stream, watcher));
            }
        };
        let shutdown = CancellationToken::new();
        let checks = async {
            let clients = [TcpStream::connect(address).await, TcpStream::connect(address).await];
            assert!(clients.iter().all(Result::is_ok), "both are in the listen queue");
            let first = served.recv().await.expect("a connection");
            tokio::task::yield_now().await;
            assert!(served.try_recv().is_err(), "the only slot is taken");
            first.send(()).expect("it is served");
            let second = served.recv().await.expect("a connection");
            shutdown.cancel();
            second.send(()).expect("it is served until it ends");
        };
        tokio::join!(accept(listener, 1, shutdown.clone(), serve), checks);
    }
}
