//! The checkout page: rendered here, whole without JavaScript, one request with all that it needs.
//!
//! Style and script stand inside of the page and are allowed by their hashes; nothing else may
//! run or load. Every value of a merchant goes through askama's escaping. Must not know: where
//! the facts come from.

use std::sync::LazyLock;

use askama::Template;
use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, sha256};

use crate::domain::amount::Amount;
use crate::domain::network::BLOCK_INTERVAL_SECONDS;
use crate::domain::payment::Detail;
use crate::domain::time::Timestamp;
use crate::domain::webhook_url::RedirectUrl;

use super::qr;

/// What a checkout page shows.
#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    pub(crate) payment_id: String,
    pub(crate) business_name: String,
    pub(crate) reference: Option<String>,
    pub(crate) amount: Amount,
    pub(crate) due: Amount,
    pub(crate) received: Amount,
    pub(crate) address: String,
    /// Asks for what is due.
    pub(crate) payment_uri: String,
    pub(crate) detail: Detail,
    /// Payments are seen with a delay at the moment.
    pub(crate) delayed: bool,
    pub(crate) confirmations: u32,
    pub(crate) confirmations_required: u32,
    pub(crate) expires_at: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) redirect_url: Option<String>,
    /// Where the button "Pay with play money" leads; regtest only.
    pub(crate) play_money_url: Option<String>,
}

/// A page and the policy that lets its own style and script run, and nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) html: String,
    pub(crate) content_security_policy: String,
}

const STYLE: &str = include_str!("../../static/checkout.css");
const SCRIPT: &str = include_str!("../../static/checkout.js");

/// The hashes by which style and script are allowed (CSP level 2).
static HASHES: LazyLock<(String, String)> = LazyLock::new(|| (hash(STYLE), hash(SCRIPT)));

fn hash(text: &str) -> String {
    let digest = sha256::Hash::hash(text.as_bytes()).to_byte_array();
    format!("'sha256-{}'", STANDARD.encode(digest))
}

#[derive(Template)]
#[template(path = "checkout.html")]
struct Page<'p> {
    style: &'static str,
    script: &'static str,
    checkout: &'p Checkout,
    words: Words,
    /// Whether to ask for money: address, QR code and buttons are shown.
    asks: bool,
    /// Whether something may still change.
    live: bool,
    /// What the script compares with an event, to see whether the page shows it already.
    shown: String,
    qr: Option<String>,
    /// The address in groups of four, for the eye; side by side they are the address.
    address_groups: Vec<&'p str>,
    /// By our clock, for the shopper's may be wrong.
    seconds_left: i64,
    time_left: String,
    deadline: String,
    /// The deadline's hour and minute in UTC.
    deadline_clock: String,
    redirect: Option<Redirect<'p>>,
    play_money: Option<String>,
}

struct Redirect<'p> {
    url: &'p str,
    host: String,
}

/// What the page says in a state: the word for its style, the title, and the sentences.
struct Words {
    state: &'static str,
    title: String,
    hint: String,
}

/// Renders the page of a payment.
pub(crate) fn render(checkout: &Checkout) -> Result<Rendered, askama::Error> {
    let asks = matches!(checkout.detail, Detail::Waiting | Detail::PartlyPaid | Detail::Replaced);
    let live = !matches!(checkout.detail, Detail::Paid | Detail::Overpaid);
    let seconds_left = checkout.expires_at.ms_since(checkout.now).max(0) / 1000;
    let deadline = checkout.expires_at.to_string();
    let redirect = checkout.redirect_url.as_deref().and_then(|url| {
        let host = RedirectUrl::parse(url).ok()?.host().to_owned();
        Some(Redirect { url, host })
    });
    let play_money = checkout.play_money_url.as_ref().filter(|_| asks);
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        words: words(checkout),
        asks,
        live,
        shown: shown(checkout),
        qr: if asks { qr::svg(&checkout.payment_uri) } else { None },
        address_groups: groups(&checkout.address),
        seconds_left,
        time_left: time_left(seconds_left),
        deadline_clock: deadline.get(11..16).unwrap_or_default().to_owned(),
        deadline,
        redirect,
        play_money: play_money.map(|url| format!("{url}/{}", checkout.payment_id)),
        checkout,
    };
    let html = page.render()?;
    Ok(Rendered { html, content_security_policy: policy(checkout.play_money_url.as_deref()) })
}

/// As the script makes it of an event: `detail/confirmations/amountReceivedLtc`.
fn shown(checkout: &Checkout) -> String {
    let pending = !matches!(
        checkout.detail,
        Detail::Paid | Detail::Overpaid | Detail::Expired | Detail::Late
    );
    let delayed = checkout.delayed && pending;
    let detail = if delayed { "delayed" } else { checkout.detail.as_str() };
    format!("{detail}/{}/{}", checkout.confirmations, checkout.received)
}

fn policy(play_money_url: Option<&str>) -> String {
    let (style, script) = &*HASHES;
    // A browser asks for leave again where the answer to a form leads: back to this page.
    let play_money = play_money_url.and_then(|url| RedirectUrl::parse(url).ok());
    let form = match play_money {
        Some(url) => format!("{} 'self'", url.origin()),
        None => "'none'".to_owned(),
    };
    format!(
        "default-src 'none'; connect-src 'self'; style-src {style}; script-src {script}; \
         base-uri 'none'; form-action {form}; frame-ancestors 'none'"
    )
}

/// All sentences of the page that depend on its state.
fn words(checkout: &Checkout) -> Words {
    let (amount, due, received) = (checkout.amount, checkout.due, checkout.received);
    let (n, m) = (checkout.confirmations, checkout.confirmations_required);
    let (state, title, hint) = match checkout.detail {
        Detail::Waiting => (
            "waiting",
            format!("Pay {amount} LTC"),
            "Scan the code with your Litecoin wallet, or copy amount and address. A payment from \
             an MWEB balance may appear only with the next block."
                .to_owned(),
        ),
        Detail::PartlyPaid => (
            "partly",
            format!("Please send {due} LTC more"),
            format!("{received} of {amount} LTC arrived. Send the rest to the same address."),
        ),
        Detail::Replaced => (
            "replaced",
            format!("Pay {amount} LTC"),
            "The transaction that we saw was withdrawn. Waiting for a payment.".to_owned(),
        ),
        Detail::Seen => (
            "seen",
            "Payment seen".to_owned(),
            "It is waiting for its first confirmation. You can close this page; the shop is told \
             by itself."
                .to_owned(),
        ),
        Detail::Confirming => (
            "confirming",
            format!("Confirmed {} of {m}", n.min(m)),
            format!(
                "About {} minutes to go. You can close this page; the shop is told by itself.",
                minutes(m.saturating_sub(n))
            ),
        ),
        Detail::Paid => ("paid", "Paid".to_owned(), format!("{amount} LTC received. Thank you.")),
        Detail::Overpaid => (
            "paid",
            "Paid".to_owned(),
            format!(
                "{received} LTC received, {} LTC more than asked. Ask the shop about the surplus.",
                received.saturating_sub(amount)
            ),
        ),
        Detail::Expired => (
            "expired",
            "Time is up".to_owned(),
            "Do not send anything to this payment any more. Start a new order at the shop."
                .to_owned(),
        ),
        Detail::Late => (
            "late",
            "Arrived late".to_owned(),
            format!(
                "{received} LTC arrived after the time was up. The money is not lost: it goes to \
                 the shop. Tell the shop the payment number below."
            ),
        ),
    };
    Words { state, title, hint }
}

/// The time until the deadline in words, as it stands without the script.
fn time_left(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60) {
        (_, 0) => "less than a minute".to_owned(),
        (_, 1) => "1 minute".to_owned(),
        (0 | 1, minutes) => format!("{minutes} minutes"),
        (hours, _) => format!("{hours} hours"),
    }
}

/// Splits text of ASCII letters and digits into groups of four.
fn groups(text: &str) -> Vec<&str> {
    let starts = (0..text.len()).step_by(4);
    starts.filter_map(|start| text.get(start..text.len().min(start + 4))).collect()
}

/// The expected time for so many blocks, in minutes, rounded up.
fn minutes(blocks: u32) -> u32 {
    blocks.saturating_mul(BLOCK_INTERVAL_SECONDS).div_ceil(60)
}

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFound {
    style: &'static str,
}

/// Renders the page for a payment that does not exist.
pub(crate) fn render_not_found() -> Result<Rendered, askama::Error> {
    let html = NotFound { style: STYLE }.render()?;
    Ok(Rendered { html, content_security_policy: policy(None) })
}

#[cfg(test)]
mod tests;
