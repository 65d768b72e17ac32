//! The other side of the demo, on loopback: the shop's webhook receiver, and the play money with
//! which a newcomer pays from the browser. Never part of a gateway that serves.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

/// The largest webhook that is taken in, in bytes.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// What reached the demo's server.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    Webhook(Webhook),
    /// The button "Pay with play money" of this payment.
    PlayMoney {
        payment_id: String,
    },
}

/// A webhook as it came.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) timestamp: i64,
    pub(crate) signature: String,
    pub(crate) body: String,
}

/// Serves until the shutdown signal; what comes is passed on.
pub(crate) async fn serve(
    listener: TcpListener,
    checkout: SocketAddr,
    heard: Sender<Heard>,
    shutdown: CancellationToken,
) {
    let heard = Arc::new(heard);
    let with_heard = {
        let heard = heard.clone();
        warp::any().map(move || heard.clone())
    };
    let webhook = warp::path!("webhook")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::content_length_limit(BODY_BYTES_MAX))
        .and(warp::body::bytes())
        .and(with_heard.clone())
        .then(|headers: HeaderMap, body: warp::hyper::body::Bytes, heard: Arc<Sender<Heard>>| async move {
            let text = |name: &str| {
                headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
            };
            let webhook = Webhook {
                id: text("webhook-id"),
                timestamp: text("webhook-timestamp").parse().unwrap_or(0),
                signature: text("webhook-signature"),
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            let _ = heard.send(Heard::Webhook(webhook)).await; // The demo may be ending.
            warp::reply::with_status("Webhook received", StatusCode::OK).into_response()
        });
    let play = warp::path!("pay" / String).and(warp::post()).and(with_heard).then(
        move |payment_id: String, heard: Arc<Sender<Heard>>| async move {
            let back = format!("http://{checkout}/pay/{payment_id}");
            let _ = heard.send(Heard::PlayMoney { payment_id }).await; // As above.
            see_other(&back)
        },
    );
    let routes = webhook.or(play).unify();
    warp::serve(routes).incoming(listener).graceful(shutdown.cancelled_owned()).run().await;
}

/// Back to the page that the button was on.
fn see_other(url: &str) -> Response {
    let mut response = warp::reply().into_response();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(value) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
