//! The checkout page, rendered on the server as one self-contained document that works without
//! JavaScript.
//!
//! The content security policy allows the inline style and script by their hashes, and nothing
//! else. Every value of a merchant is escaped, by askama or by [`language::fill_html`].
//!
//! Must not know: the source of the facts.

pub(crate) mod branding;
pub(crate) mod language;

use askama::Template;

use crate::domain::amount::Amount;
use crate::domain::network::BLOCK_INTERVAL_SECONDS;
use crate::domain::payment::Detail;
use crate::domain::time::Timestamp;
use crate::domain::webhook_url::RedirectUrl;

use super::qr::Codes;

use branding::{Branding, SCRIPT};
use language::{Language, Words, fill_html, fill_text};

#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    pub(crate) language: Language,
    pub(crate) payment_id: String,
    pub(crate) business_name: String,
    pub(crate) reference: Option<String>,
    /// The price in the shop's wording.
    pub(crate) display_amount: Option<String>,
    pub(crate) amount: Amount,
    pub(crate) due: Amount,
    pub(crate) received: Amount,
    pub(crate) address: String,
    /// Requests the amount due.
    pub(crate) payment_uri: String,
    pub(crate) detail: Detail,
    /// The detection of payments is delayed.
    pub(crate) delayed: bool,
    pub(crate) confirmations: u32,
    pub(crate) confirmations_required: u32,
    pub(crate) expires_at: Timestamp,
    /// The date of the receipt.
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) now: Timestamp,
    pub(crate) redirect_url: Option<String>,
    /// Some of the transactions that pay it.
    pub(crate) txids: Vec<String>,
    /// Target of the button "Pay with play money"; regtest only.
    pub(crate) play_money_url: Option<String>,
}

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
    words: &'static Words,
    /// The other languages, for the menu.
    languages: Vec<Language>,
    checkout: &'p Checkout,
    state: &'static str,
    /// Plain text of the browser's tab.
    tab: String,
    /// HTML, like the hint.
    title: String,
    hint: String,
    /// HTML: the price in the shop's wording, attributed to the shop.
    quoted: Option<String>,
    /// The colour of the favicon as hexadecimal digits.
    color: &'static str,
    /// Whether the page requests a payment, with address, QR code and buttons.
    asks: bool,
    /// Whether the status may still change.
    live: bool,
    /// The state that the page shows, which the script compares with events.
    shown: String,
    qr: Option<String>,
    /// The address in groups of four; joined, they are the address.
    address_groups: Vec<&'p str>,
    /// By the server's clock, because the shopper's may be wrong.
    seconds_left: i64,
    time_left: String,
    /// HTML.
    until: String,
    /// When it was completed, as RFC 3339 and as text.
    completed: Option<(String, String)>,
    /// Confirmations so far, up to the required number.
    confirmed: u32,
    redirect: Option<Redirect<'p>>,
    logo: Option<&'p str>,
    transactions: Vec<Transaction<'p>>,
    play_money: Option<String>,
}

struct Transaction<'p> {
    txid: &'p str,
    link: Option<String>,
}

struct Redirect<'p> {
    url: &'p str,
    /// HTML of the button.
    label: String,
}

/// The parts of the page that depend on the state.
struct StateText {
    state: &'static str,
    color: &'static str,
    title: &'static str,
    hint: &'static str,
}

pub(crate) fn render(
    checkout: &Checkout,
    branding: &Branding,
    codes: &Codes,
) -> Result<Rendered, askama::Error> {
    let language = checkout.language;
    let words = language.words;
    let asks = checkout.detail.asks_for_money();
    let live = !matches!(checkout.detail, Detail::Paid | Detail::Overpaid);
    let seconds_left = checkout.expires_at.ms_since(checkout.now).max(0) / 1000;
    let redirect = checkout.redirect_url.as_deref().and_then(|url| {
        let host = RedirectUrl::parse(url).ok()?.host().to_owned();
        Some(Redirect { url, label: fill_html(words.back, &[("host", &host)]) })
    });
    let play_money = checkout.play_money_url.as_ref().filter(|_| asks);
    let text = state_text(checkout);
    let values = values(checkout);
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let qr = if asks { codes.svg(&checkout.payment_uri, words.qr) } else { None };
    let transactions = checkout.txids.iter();
    let transactions =
        transactions.map(|txid| Transaction { txid, link: branding.explorer_link(txid) }).collect();
    let page = Page {
        style: branding.style(),
        script: &SCRIPT,
        language,
        words,
        languages: language::ALL.into_iter().filter(|other| *other != language).collect(),
        state: text.state,
        tab: fill_text(language, text.title, &values),
        title: fill_html(text.title, &values),
        hint: fill_html(text.hint, &values),
        quoted: checkout
            .display_amount
            .as_ref()
            .map(|sum| fill_html(words.quoted, &[("sum", sum), ("shop", &checkout.business_name)])),
        color: text.color,
        asks,
        live,
        shown: shown(checkout),
        qr,
        address_groups: groups(&checkout.address),
        seconds_left,
        time_left: time_left(words, seconds_left),
        until: until(words, checkout.expires_at),
        completed: checkout.completed_at.map(date),
        confirmed: checkout.confirmations.min(checkout.confirmations_required),
        redirect,
        logo: branding.logo(),
        transactions,
        play_money: play_money.map(|url| format!("{url}/{}", checkout.payment_id)),
        checkout,
    };
    let html = page.render()?;
    Ok(Rendered {
        html,
        content_security_policy: branding.policy(checkout.play_money_url.as_deref()),
    })
}

/// As the script derives it from an event: `detail/confirmations/amountReceivedLtc`.
fn shown(checkout: &Checkout) -> String {
    let pending = !matches!(
        checkout.detail,
        Detail::Paid | Detail::Overpaid | Detail::Expired | Detail::Late
    );
    let delayed = checkout.delayed && pending;
    let detail = if delayed { "delayed" } else { checkout.detail.as_str() };
    format!("{detail}/{}/{}", checkout.confirmations, checkout.received)
}

const BLUE: &str = "1f4fa3";
const AMBER: &str = "b36b00";
const GREEN: &str = "17693a";
const RED: &str = "b3261e";

fn state_text(checkout: &Checkout) -> StateText {
    let words = checkout.language.words;
    let (state, color, title, hint) = match checkout.detail {
        Detail::Waiting => ("waiting", BLUE, words.pay, words.waiting_hint),
        Detail::PartlyPaid => ("partly", AMBER, words.more, words.partly_hint),
        Detail::Replaced => ("replaced", AMBER, words.pay, words.replaced_hint),
        Detail::Seen => ("seen", AMBER, words.seen, words.seen_hint),
        Detail::Confirming => ("confirming", AMBER, words.confirmed, words.confirming_hint),
        Detail::Paid => ("paid", GREEN, words.paid, words.paid_hint),
        Detail::Overpaid => ("overpaid", GREEN, words.paid, words.overpaid_hint),
        Detail::Expired if checkout.received.is_zero() => {
            ("expired", RED, words.expired, words.expired_hint)
        }
        Detail::Expired => ("expired", RED, words.expired, words.expired_partly_hint),
        Detail::Late => ("late", RED, words.late, words.late_hint),
    };
    StateText { state, color, title, hint }
}

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

/// The remaining time, as shown without JavaScript.
fn time_left(words: &Words, seconds: i64) -> String {
    let (sentence, number) = match seconds {
        ..60 => (words.minutes, "<\u{a0}1".to_owned()),
        60..7_200 => (words.minutes, (seconds / 60).to_string()),
        _ => (words.hours, (seconds / 3_600).to_string()),
    };
    fill_html(sentence, &[("n", &number)])
}

/// The deadline's hour and minute in UTC; the script converts it to local time.
fn until(words: &Words, deadline: Timestamp) -> String {
    let text = deadline.to_string();
    let clock = text.get(11..16).unwrap_or_default();
    let (before, after) = words.until.split_once("{time}").unwrap_or((words.until, ""));
    format!("{before}<time datetime=\"{text}\" dir=\"ltr\">{clock} UTC</time>{after}")
}

/// A time as RFC 3339, and as a date with minutes.
fn date(at: Timestamp) -> (String, String) {
    let text = at.to_string();
    let minutes = text.get(..16).unwrap_or_default().replace('T', " ");
    (text, format!("{minutes} UTC"))
}

fn groups(text: &str) -> Vec<&str> {
    let starts = (0..text.len()).step_by(4);
    starts.filter_map(|start| text.get(start..text.len().min(start + 4))).collect()
}

/// The expected time of so many blocks in minutes, rounded up.
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

pub(crate) fn render_not_found(
    language: Language,
    branding: &Branding,
) -> Result<Rendered, askama::Error> {
    let words = language.words;
    let hint = fill_html(words.unknown_hint, &[]);
    message(
        branding,
        Message {
            style: branding.style(),
            language,
            title: words.unknown,
            hint,
            check_again: None,
        },
    )
}

/// Renders the page for a rate-limited client, which may retry after `seconds`.
pub(crate) fn render_limited(
    language: Language,
    seconds: u64,
    branding: &Branding,
) -> Result<Rendered, askama::Error> {
    let words = language.words;
    let hint = fill_html(words.limited_hint, &[("n", &seconds.to_string())]);
    let check_again = Some(words.check_again);
    message(
        branding,
        Message { style: branding.style(), language, title: words.limited, hint, check_again },
    )
}

fn message(branding: &Branding, message: Message<'_>) -> Result<Rendered, askama::Error> {
    Ok(Rendered { html: message.render()?, content_security_policy: branding.policy(None) })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wallet_rules;
