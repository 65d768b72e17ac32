//! The shop of `litegate demo`, on loopback: one article, a webhook receiver, and a button
//! that pays with play money. `litegate serve` does not use it.
//!
//! The shop creates a payment per order, redirects the shopper to the checkout, and trusts
//! webhooks with a valid signature.
//!
//! Must not know: keys.

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

const BODY_BYTES_MAX: u64 = 64 * 1024;

/// The most orders until the demo must be restarted.
const ORDERS_MAX: usize = 1_000;

const PAGE: &str = include_str!("../../templates/shop.html");

const MUG: &str = "<svg width=\"160\" height=\"140\" viewBox=\"0 0 16 14\" role=\"img\" \
    aria-label=\"A mug\" fill=\"none\" stroke=\"currentColor\" stroke-width=\".7\" \
    stroke-linecap=\"round\"><path d=\"M2.5 4.5h8v6a2 2 0 0 1-2 2h-4a2 2 0 0 1-2-2zM10.5 6h1.5a2 2 0 \
    0 1 0 4h-1.5M5 2.7q-.6-.8 0-1.7M8 2.7q-.6-.8 0-1.7\"/></svg>";

#[derive(Debug, Clone)]
pub(crate) enum DemoEvent {
    Webhook(Webhook),
    PlayMoney { payment_id: String },
}

#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) timestamp: i64,
    pub(crate) signature: String,
    pub(crate) body: String,
}

#[derive(Debug, Clone)]
pub(crate) struct CreatedPayment {
    pub(crate) payment_id: String,
    pub(crate) payment_url: String,
}

/// Creates the payment of an order by its number, or returns the reason why not.
type Buy = Box<dyn Fn(u32) -> BoxFuture<'static, Result<CreatedPayment, String>> + Send + Sync>;

/// The payment that a webhook reports as completed, if its signature is valid.
type Verify = Box<dyn Fn(&Webhook) -> Option<String> + Send + Sync>;

/// The shop's operations that need its API key.
pub(crate) struct ShopActions {
    pub(crate) buy: Buy,
    pub(crate) verify: Verify,
}

struct Order {
    created: CreatedPayment,
    paid: bool,
}

struct Shop {
    actions: ShopActions,
    gateway: SocketAddr,
    events: Sender<DemoEvent>,
    orders: Mutex<Orders>,
}

#[derive(Default)]
struct Orders {
    last: u32,
    by_number: BTreeMap<u32, Order>,
}

/// Serves until the shutdown signal, and sends events to `events`.
pub(crate) async fn serve(
    listener: TcpListener,
    gateway: SocketAddr,
    actions: ShopActions,
    events: Sender<DemoEvent>,
    shutdown: CancellationToken,
) {
    let shop = Arc::new(Shop { actions, gateway, events, orders: Mutex::default() });
    let with_shop = warp::any().map(move || shop.clone());
    let webhook = warp::path!("webhook")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::content_length_limit(BODY_BYTES_MAX))
        .and(warp::body::bytes())
        .and(with_shop.clone())
        .then(|headers: HeaderMap, body: warp::hyper::body::Bytes, shop: Arc<Shop>| async move {
            shop.receive_webhook(&headers, &body).await
        });
    let play = warp::path!("pay" / String).and(warp::post()).and(with_shop.clone()).then(
        |payment_id: String, shop: Arc<Shop>| async move {
            let back = format!("http://{}/pay/{payment_id}", shop.gateway);
            let _ = shop.events.send(DemoEvent::PlayMoney { payment_id }).await; // The demo may be shutting down.
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

    /// Receives a webhook. With a valid signature, its order is paid.
    async fn receive_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let text = |name: &str| {
            headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
        };
        let webhook = Webhook {
            id: text("webhook-id"),
            timestamp: text("webhook-timestamp").parse().unwrap_or(0),
            signature: text("webhook-signature"),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        if let Some(payment_id) = (self.actions.verify)(&webhook) {
            for order in self.orders().by_number.values_mut() {
                order.paid |= order.created.payment_id == payment_id;
            }
        }
        let _ = self.events.send(DemoEvent::Webhook(webhook)).await; // The demo may be shutting down.
        warp::reply::with_status("Webhook received", StatusCode::OK).into_response()
    }

    fn front(&self) -> Response {
        let content = format!(
            "{MUG}\n<p class=\"hint\">0.05 LTC, that is 4.17 EUR today</p>\n\
             <form method=\"post\" action=\"/buy\"><button class=\"button\">Buy</button></form>"
        );
        self.page(StatusCode::OK, "A mug for play money", "store", &content)
    }

    /// Creates the payment of a new order, and redirects the shopper to its checkout.
    async fn buy(&self) -> Response {
        let number = {
            let mut orders = self.orders();
            if orders.by_number.len() >= ORDERS_MAX {
                return self.sorry("Too many orders. Restart the demo.");
            }
            orders.last = orders.last.saturating_add(1);
            orders.last
        };
        match (self.actions.buy)(number).await {
            Ok(created) => {
                let url = created.payment_url.clone();
                self.orders().by_number.insert(number, Order { created, paid: false });
                see_other(&url)
            }
            Err(error) => {
                tracing::warn!(error, "the demo shop cannot create a payment");
                self.sorry("The gateway could not create a payment. The terminal of the demo shows the reason.")
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
                "<p class=\"hint\">Paid. The gateway sent a webhook with a valid signature. \
                 Your mug is on its way.</p>\n{BACK}"
            );
            return self.page(StatusCode::OK, &title, "paid", &content);
        }
        let content = format!(
            "<p class=\"hint\">Not paid yet: no webhook has arrived.</p>\n\
             <a class=\"button\" href=\"{}\">To the checkout</a>\n\
             <footer><p><a href=\"\">Check again</a></p></footer>",
            order.created.payment_url
        );
        self.page(StatusCode::OK, &title, "store", &content)
    }

    fn sorry(&self, hint: &str) -> Response {
        let content = format!("<p class=\"hint\">{hint}</p>\n{BACK}");
        self.page(StatusCode::SERVICE_UNAVAILABLE, "Sorry", "expired", &content)
    }

    /// Nothing is escaped: all text on the page is ours.
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
        // form-action also covers the redirect after the form, to the checkout.
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

fn see_other(url: &str) -> Response {
    let mut response = warp::reply().into_response();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(value) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
