//! The other side of the demo, on loopback: a shop with one article, its webhook receiver, and the
//! play money with which a newcomer pays from the browser. Never part of a gateway that serves.
//!
//! The shop does what a shop does: creates a payment for an order, sends the shopper to the
//! checkout, and believes a webhook once its signature fits. Must not know: keys.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

use super::checkout::branding::{STYLE, hash};

/// The largest webhook that is taken in, in bytes.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// Orders that the shop takes before it asks to be started again.
const ORDERS_MAX: usize = 1_000;

const PAGE: &str = include_str!("../../templates/shop.html");

/// The article, drawn.
const MUG: &str = "<svg width=\"160\" height=\"140\" viewBox=\"0 0 16 14\" role=\"img\" \
    aria-label=\"A mug\" fill=\"none\" stroke=\"currentColor\" stroke-width=\".7\" \
    stroke-linecap=\"round\"><path d=\"M2.5 4.5h8v6a2 2 0 0 1-2 2h-4a2 2 0 0 1-2-2zM10.5 6h1.5a2 2 0 \
    0 1 0 4h-1.5M5 2.7q-.6-.8 0-1.7M8 2.7q-.6-.8 0-1.7\"/></svg>";

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

/// A payment that the shop made for an order.
#[derive(Debug, Clone)]
pub(crate) struct Bought {
    pub(crate) payment_id: String,
    pub(crate) payment_url: String,
}

/// Creates the payment of the order with this number, or says why not.
type Buy = Box<dyn Fn(u32) -> BoxFuture<'static, Result<Bought, String>> + Send + Sync>;

/// The payment that a webhook says is completed, if its signature fits.
type Verify = Box<dyn Fn(&Webhook) -> Option<String> + Send + Sync>;

/// What the shop does with its key.
pub(crate) struct Till {
    pub(crate) buy: Buy,
    pub(crate) verify: Verify,
}

struct Order {
    bought: Bought,
    paid: bool,
}

struct Shop {
    till: Till,
    /// Where the checkout is.
    gateway: SocketAddr,
    heard: Sender<Heard>,
    orders: Mutex<Orders>,
}

#[derive(Default)]
struct Orders {
    last: u32,
    by_number: BTreeMap<u32, Order>,
}

/// Serves until the shutdown signal; what comes is passed on.
pub(crate) async fn serve(
    listener: TcpListener,
    gateway: SocketAddr,
    till: Till,
    heard: Sender<Heard>,
    shutdown: CancellationToken,
) {
    let shop = Arc::new(Shop { till, gateway, heard, orders: Mutex::default() });
    let with_shop = warp::any().map(move || shop.clone());
    let webhook = warp::path!("webhook")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::content_length_limit(BODY_BYTES_MAX))
        .and(warp::body::bytes())
        .and(with_shop.clone())
        .then(|headers: HeaderMap, body: warp::hyper::body::Bytes, shop: Arc<Shop>| async move {
            shop.hear(&headers, &body).await
        });
    let play = warp::path!("pay" / String).and(warp::post()).and(with_shop.clone()).then(
        |payment_id: String, shop: Arc<Shop>| async move {
            let back = format!("http://{}/pay/{payment_id}", shop.gateway);
            let _ = shop.heard.send(Heard::PlayMoney { payment_id }).await; // The demo may be ending.
            see_other(&back)
        },
    );
    let front = warp::path::end()
        .and(warp::get())
        .and(with_shop.clone())
        .map(|shop: Arc<Shop>| shop.front());
    let buy = warp::path!("buy")
        .and(warp::post())
        .and(with_shop.clone())
        .then(|shop: Arc<Shop>| async move { shop.buy().await });
    let order = warp::path!("orders" / u32)
        .and(warp::get())
        .and(with_shop)
        .map(|number, shop: Arc<Shop>| shop.order(number));
    let routes = webhook.or(play).unify().or(front).unify().or(buy).unify().or(order).unify();
    warp::serve(routes).incoming(listener).graceful(shutdown.cancelled_owned()).run().await;
}

impl Shop {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a webhook in, and believes it if its signature fits.
    async fn hear(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let text = |name: &str| {
            headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
        };
        let webhook = Webhook {
            id: text("webhook-id"),
            timestamp: text("webhook-timestamp").parse().unwrap_or(0),
            signature: text("webhook-signature"),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        if let Some(payment_id) = (self.till.verify)(&webhook) {
            for order in self.orders().by_number.values_mut() {
                order.paid |= order.bought.payment_id == payment_id;
            }
        }
        let _ = self.heard.send(Heard::Webhook(webhook)).await; // The demo may be ending.
        warp::reply::with_status("Webhook received", StatusCode::OK).into_response()
    }

    fn front(&self) -> Response {
        let content = format!(
            "{MUG}\n<p class=\"hint\">0.05 LTC, that is 4.17 EUR today</p>\n\
             <form method=\"post\" action=\"/buy\"><button class=\"button\">Buy</button></form>"
        );
        self.page(StatusCode::OK, "A mug for play money", "store", &content)
    }

    /// Makes a payment for a new order and sends the shopper there.
    async fn buy(&self) -> Response {
        let number = {
            let mut orders = self.orders();
            if orders.by_number.len() >= ORDERS_MAX {
                return self.sorry("So many orders: start the demo again.");
            }
            orders.last = orders.last.saturating_add(1);
            orders.last
        };
        match (self.till.buy)(number).await {
            Ok(bought) => {
                let url = bought.payment_url.clone();
                self.orders().by_number.insert(number, Order { bought, paid: false });
                see_other(&url)
            }
            Err(error) => {
                tracing::warn!(error, "the demo's shop has made no payment");
                self.sorry("The gateway has made no payment. The demo says why where it runs.")
            }
        }
    }

    /// The page that the checkout leads back to.
    fn order(&self, number: u32) -> Response {
        let orders = self.orders();
        let Some(order) = orders.by_number.get(&number) else {
            return self.page(StatusCode::NOT_FOUND, "No such order", "expired", BACK);
        };
        let title = format!("Order {number}");
        if order.paid {
            let content = format!(
                "<p class=\"hint\">Paid. The gateway's webhook said so, and its signature fits. \
                 Your mug is on its way.</p>\n{BACK}"
            );
            return self.page(StatusCode::OK, &title, "paid", &content);
        }
        let content = format!(
            "<p class=\"hint\">Not paid yet: no webhook has come for it.</p>\n\
             <a class=\"button\" href=\"{}\">To the checkout</a>\n\
             <footer><p><a href=\"\">Look again</a></p></footer>",
            order.bought.payment_url
        );
        self.page(StatusCode::OK, &title, "store", &content)
    }

    fn sorry(&self, hint: &str) -> Response {
        let content = format!("<p class=\"hint\">{hint}</p>\n{BACK}");
        self.page(StatusCode::SERVICE_UNAVAILABLE, "Sorry", "expired", &content)
    }

    /// All words on it are ours.
    fn page(&self, status: StatusCode, title: &str, state: &str, content: &str) -> Response {
        let html = PAGE
            .replace("{{title}}", title)
            .replace("{{style}}", STYLE)
            .replace("{{state}}", state)
            .replace("{{content}}", content);
        let mut response = Response::new(html.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, html);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        // A browser asks for leave again where the answer to a form leads: to the checkout.
        let policy = format!(
            "default-src 'none'; style-src {}; img-src data:; base-uri 'none'; \
             form-action 'self' http://{}; frame-ancestors 'none'",
            hash(STYLE),
            self.gateway
        );
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

const BACK: &str = "<footer><p><a href=\"/\">To the shop</a></p></footer>";

/// Sends the browser on.
fn see_other(url: &str) -> Response {
    let mut response = warp::reply().into_response();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(value) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
