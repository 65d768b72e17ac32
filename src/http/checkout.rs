//! The checkout page: HTML that is complete without JavaScript and needs a single request.
//!
//! Style and script are inline and allowed by their hashes; nothing else may run or load. Every
//! value of a merchant is escaped, by askama or by the catalog. Must not know: where the facts
//! come from.

pub(crate) mod branding;
pub(crate) mod language;

use askama::Template;

use crate::domain::amount::Amount;
use crate::domain::fiat::FiatAmount;
use crate::domain::network::BLOCK_INTERVAL_SECONDS;
use crate::domain::payment::Detail;
use crate::domain::time::Timestamp;
use crate::domain::webhook_url::RedirectUrl;
use crate::i18n::{Catalog, Value, escape};

use super::qr::Codes;

use branding::{Branding, SCRIPT};
use language::Language;

/// What a checkout page shows.
#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    pub(crate) language: Language,
    pub(crate) payment_id: String,
    pub(crate) business_name: String,
    pub(crate) reference: Option<String>,
    /// The price in the shop's own words.
    pub(crate) display_amount: Option<String>,
    /// The price in another currency, from which the amount was calculated.
    pub(crate) price: Option<FiatAmount>,
    pub(crate) amount: Amount,
    pub(crate) due: Amount,
    pub(crate) received: Amount,
    pub(crate) address: String,
    /// Requests the amount due.
    pub(crate) payment_uri: String,
    pub(crate) detail: Detail,
    /// Payments are detected with a delay at the moment.
    pub(crate) delayed: bool,
    pub(crate) confirmations: u32,
    pub(crate) confirmations_required: u32,
    pub(crate) expires_at: Timestamp,
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) now: Timestamp,
    pub(crate) redirect_url: Option<String>,
    /// Whether the payment has a webhook, so that the page may say that the shop is notified.
    pub(crate) shop_is_notified: bool,
    /// The transactions that pay it, at most a few.
    pub(crate) txids: Vec<String>,
    /// The target of the button "Pay with play money"; regtest only.
    pub(crate) play_money_url: Option<String>,
}

/// A page and the policy that allows only its own style and script.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) html: String,
    pub(crate) content_security_policy: String,
}

#[derive(Template)]
#[template(path = "checkout.html")]
struct Page<'p> {
    style: &'p str,
    script: &'static str,
    language: Language,
    catalog: &'static Catalog,
    /// The other languages, for the switch.
    languages: Vec<Language>,
    checkout: &'p Checkout,
    state: &'static str,
    /// Plain text for the browser's tab.
    tab: String,
    /// Markup.
    title: String,
    /// Markup.
    hint: String,
    /// Markup: the price in the shop's own words, attributed to the shop.
    quoted: Option<String>,
    /// Markup: the price in another currency, and until when its rate is held.
    price: Option<String>,
    /// The colour of the favicon, as hexadecimal digits.
    color: &'static str,
    /// Whether address, QR code and buttons are shown.
    asks: bool,
    /// Whether the state may still change.
    live: bool,
    /// The script compares it with an event, to skip an event that the page already shows.
    shown: String,
    /// What the script announces shortly before the deadline; it replaces `{n}` by minutes.
    soon: String,
    qr: Option<String>,
    /// Groups of four characters; joined they are the address.
    address_groups: Vec<&'p str>,
    /// By the server's clock: the shopper's may be wrong.
    seconds_left: i64,
    /// Markup.
    time_left: String,
    /// Markup: the deadline.
    until: String,
    /// The time of completion for machines and for people.
    completed: Option<(String, String)>,
    /// Confirmations, at most as many as required.
    confirmed: u32,
    redirect: Option<Redirect<'p>>,
    logo: Option<&'p str>,
    transactions: Vec<Transaction<'p>>,
    play_money: Option<String>,
}

struct Transaction<'p> {
    txid: &'p str,
    /// Its page at the block explorer.
    link: Option<String>,
}

struct Redirect<'p> {
    url: &'p str,
    /// Markup.
    label: String,
}

/// What depends on the state: the class of the page, the colour of its icon, and two messages.
struct State {
    class: &'static str,
    color: &'static str,
    title: &'static str,
    hint: &'static str,
}

/// Renders the page of a payment.
pub(crate) fn render(
    checkout: &Checkout,
    branding: &Branding,
    codes: &Codes,
) -> Result<Rendered, askama::Error> {
    let html = page(checkout, branding, codes).render()?;
    let content_security_policy = branding.policy(checkout.play_money_url.as_deref());
    Ok(Rendered { html, content_security_policy })
}

fn page<'p>(checkout: &'p Checkout, branding: &'p Branding, codes: &Codes) -> Page<'p> {
    let language = checkout.language;
    let catalog = language.catalog();
    let asks = checkout.detail.asks_for_money();
    let seconds_left = checkout.expires_at.ms_since(checkout.now).max(0) / 1000;
    let state = state(checkout);
    let values = values(checkout);
    let mut values: Vec<(&str, &dyn Value)> =
        values.iter().map(|(name, value)| (*name, value as &dyn Value)).collect();
    values.push(("notified", &checkout.shop_is_notified));
    let quoted = |price: &String| {
        catalog.html("quoted", &[("sum", price), ("shop", &checkout.business_name)])
    };
    let play_money = checkout.play_money_url.as_ref().filter(|_| asks);
    let transactions = checkout.txids.iter();
    Page {
        style: branding.style(),
        script: &SCRIPT,
        language,
        catalog,
        languages: language::ALL.into_iter().filter(|other| *other != language).collect(),
        state: state.class,
        tab: catalog.say(state.title, &values),
        title: catalog.html(state.title, &values),
        hint: catalog.html(state.hint, &values),
        quoted: checkout.display_amount.as_ref().map(quoted),
        price: checkout.price.map(|price| price_line(catalog, price, checkout)),
        color: state.color,
        asks,
        live: !checkout.detail.is_final(),
        shown: shown(checkout),
        soon: soon(catalog),
        qr: if asks { codes.svg(&checkout.payment_uri, catalog.text("qr")) } else { None },
        address_groups: groups(&checkout.address),
        seconds_left,
        time_left: time_left(catalog, seconds_left),
        until: until(catalog, checkout.expires_at),
        completed: checkout.completed_at.map(date),
        confirmed: checkout.confirmations.min(checkout.confirmations_required),
        redirect: checkout.redirect_url.as_deref().and_then(|url| redirect(catalog, url)),
        logo: branding.logo(),
        transactions: transactions
            .map(|txid| Transaction { txid, link: branding.explorer_link(txid) })
            .collect(),
        play_money: play_money.map(|url| format!("{url}/{}", checkout.payment_id)),
        checkout,
    }
}

fn redirect<'p>(catalog: &Catalog, url: &'p str) -> Option<Redirect<'p>> {
    let host = RedirectUrl::parse(url).ok()?.host().to_owned();
    Some(Redirect { url, label: catalog.html("back", &[("host", &host)]) })
}

/// As the script derives it from an event: `detail/confirmations/amountReceivedLtc`.
fn shown(checkout: &Checkout) -> String {
    let ended = matches!(checkout.detail, Detail::Expired | Detail::Cancelled | Detail::Late);
    let pending = !ended && !checkout.detail.is_final();
    let delayed = checkout.delayed && pending;
    let detail = if delayed { "delayed" } else { checkout.detail.as_str() };
    format!("{detail}/{}/{}", checkout.confirmations, checkout.received)
}

const BLUE: &str = "1f4fa3";
const AMBER: &str = "b36b00";
const GREEN: &str = "17693a";
const RED: &str = "b3261e";

fn state(checkout: &Checkout) -> State {
    let (class, color, title, hint) = match checkout.detail {
        Detail::Waiting => ("waiting", BLUE, "pay", "waiting-hint"),
        Detail::PartlyPaid => ("partly", AMBER, "more", "partly-hint"),
        Detail::Replaced => ("replaced", AMBER, "pay", "replaced-hint"),
        Detail::Seen => ("seen", AMBER, "seen", "seen-hint"),
        Detail::Confirming => ("confirming", AMBER, "confirmed", "confirming-hint"),
        Detail::Paid => ("paid", GREEN, "paid", "paid-hint"),
        Detail::Overpaid => ("overpaid", GREEN, "paid", "overpaid-hint"),
        Detail::PaidShort | Detail::Accepted => ("paid", GREEN, "paid", "paid-short-hint"),
        Detail::Cancelled => ("expired", RED, "cancelled", "cancelled-hint"),
        Detail::Expired if checkout.received.is_zero() => {
            ("expired", RED, "expired", "expired-hint")
        }
        Detail::Expired => ("expired", RED, "expired", "expired-partly-hint"),
        Detail::Late => ("late", RED, "late", "late-hint"),
    };
    State { class, color, title, hint }
}

/// The values of the titles and hints.
fn values(checkout: &Checkout) -> [(&'static str, String); 7] {
    let ltc = |amount: Amount| format!("{amount}\u{a0}LTC");
    let (n, m) = (checkout.confirmations, checkout.confirmations_required);
    let n = match checkout.detail {
        Detail::Confirming => n.min(m),
        _ => n,
    };
    [
        ("amount", ltc(checkout.amount)),
        ("due", ltc(checkout.due)),
        ("received", ltc(checkout.received)),
        ("surplus", ltc(checkout.received.saturating_sub(checkout.amount))),
        ("n", n.to_string()),
        ("m", m.to_string()),
        ("left", minutes(m.saturating_sub(n)).to_string()),
    ]
}

/// The time until the deadline, as the page shows it without the script.
fn time_left(catalog: &Catalog, seconds: i64) -> String {
    let (id, number) = match seconds {
        ..60 => ("minutes", "<\u{a0}1".to_owned()),
        60..7_200 => ("minutes", (seconds / 60).to_string()),
        _ => ("hours", (seconds / 3_600).to_string()),
    };
    catalog.html(id, &[("n", &number)])
}

fn soon(catalog: &'static Catalog) -> String {
    format!("{}: {}", catalog.text("time-left"), catalog.say("minutes", &[("n", &"{n}")]))
}

/// The price in another currency. While it can be paid, with the amount in LTC and the time
/// until which its rate is held.
fn price_line(catalog: &'static Catalog, price: FiatAmount, checkout: &Checkout) -> String {
    let sum = price.to_string().replace('.', catalog.text("decimal-sign"));
    let currency = price.currency().symbol();
    let price = catalog.say("price", &[("sum", &sum), ("currency", &currency)]);
    if !checkout.detail.asks_for_money() {
        return escape(&price);
    }
    let amount = format!("{}\u{a0}LTC", checkout.amount);
    let (text, time) = clock(checkout.expires_at);
    let values: [(&str, &dyn Value); 3] = [("price", &price), ("amount", &amount), ("time", &time)];
    let line = catalog.html("rate-held", &values);
    line.replace(&format!("<bdi>{time}</bdi>"), &time_element(&text, &time))
}

/// The deadline's hour and minute in UTC; the script replaces them by local time.
fn until(catalog: &Catalog, deadline: Timestamp) -> String {
    let (text, time) = clock(deadline);
    let until = catalog.html("until", &[("time", &time)]);
    // The catalog has put the value into a `<bdi>`.
    until.replace(&format!("<bdi>{time}</bdi>"), &time_element(&text, &time))
}

/// A time in RFC 3339, and its hour and minute in UTC.
fn clock(at: Timestamp) -> (String, String) {
    let text = at.to_string();
    let time = format!("{} UTC", text.get(11..16).unwrap_or_default());
    (text, time)
}

/// The script shows it in local time.
fn time_element(text: &str, time: &str) -> String {
    format!("<time datetime=\"{text}\" dir=\"ltr\">{time}</time>")
}

/// A time in RFC 3339, and the same shortened for people.
fn date(at: Timestamp) -> (String, String) {
    let text = at.to_string();
    let minutes = text.get(..16).unwrap_or_default().replace('T', " ");
    (text, format!("{minutes} UTC"))
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
#[template(path = "message.html")]
struct Message<'p> {
    style: &'p str,
    language: Language,
    title: &'static str,
    hint: String,
    check_again: Option<&'static str>,
}

/// Renders the page for a payment that does not exist.
pub(crate) fn render_not_found(
    language: Language,
    branding: &Branding,
) -> Result<Rendered, askama::Error> {
    let (style, catalog) = (branding.style(), language.catalog());
    let (title, hint) = (catalog.text("unknown"), catalog.html("unknown-hint", &[]));
    message(branding, Message { style, language, title, hint, check_again: None })
}

/// Renders the page for a client over its limit, which may ask again after so many seconds.
pub(crate) fn render_limited(
    language: Language,
    seconds: u64,
    branding: &Branding,
) -> Result<Rendered, askama::Error> {
    let (style, catalog) = (branding.style(), language.catalog());
    let (title, hint) = (catalog.text("limited"), catalog.html("limited-hint", &[("n", &seconds)]));
    let check_again = Some(catalog.text("check-again"));
    message(branding, Message { style, language, title, hint, check_again })
}

fn message(branding: &Branding, message: Message<'_>) -> Result<Rendered, askama::Error> {
    Ok(Rendered { html: message.render()?, content_security_policy: branding.policy(None) })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wallet_rules;
