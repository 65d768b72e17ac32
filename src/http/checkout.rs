//! The checkout page: rendered here, whole without JavaScript, one request with all that it needs.
//!
//! Style and script stand inside of the page and are allowed by their hashes; nothing else may
//! run or load. Every value of a merchant is escaped, by askama or by [`language::fill_html`]. Must
//! not know: where the facts come from.

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

/// What a checkout page shows.
#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    pub(crate) language: Language,
    pub(crate) payment_id: String,
    pub(crate) business_name: String,
    pub(crate) reference: Option<String>,
    /// The sum in the shop's own words.
    pub(crate) display_amount: Option<String>,
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
    /// When it was completed: a receipt has a date.
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) now: Timestamp,
    pub(crate) redirect_url: Option<String>,
    /// The transactions that pay it, some of them if they are many.
    pub(crate) txids: Vec<String>,
    /// Where the button "Pay with play money" leads; regtest only.
    pub(crate) play_money_url: Option<String>,
}

/// A page and the policy that lets its own style and script run, and nothing else.
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
    /// The other languages, for the switch.
    languages: Vec<Language>,
    checkout: &'p Checkout,
    state: &'static str,
    /// Plain text for the browser's tab.
    tab: String,
    /// Markup, ready to be shown; so is the hint.
    title: String,
    hint: String,
    /// Markup: the sum in the shop's own words, and whose words they are.
    quoted: Option<String>,
    /// The colour of the favicon, as hexadecimal digits.
    color: &'static str,
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
    /// Markup: until when.
    until: String,
    /// When it was completed: as machines and as people read it.
    completed: Option<(String, String)>,
    /// How far, of the confirmations that are needed.
    confirmed: u32,
    redirect: Option<Redirect<'p>>,
    logo: Option<&'p str>,
    transactions: Vec<Transaction<'p>>,
    play_money: Option<String>,
}

struct Transaction<'p> {
    txid: &'p str,
    /// Where an explorer shows it.
    link: Option<String>,
}

struct Redirect<'p> {
    url: &'p str,
    /// Markup: where the button leads.
    label: String,
}

/// What the page says in a state: the word for its style, the colour of its icon, the sentences.
struct Said {
    state: &'static str,
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
    let said = said(checkout);
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
        state: said.state,
        tab: fill_text(language, said.title, &values),
        title: fill_html(said.title, &values),
        hint: fill_html(said.hint, &values),
        quoted: checkout
            .display_amount
            .as_ref()
            .map(|sum| fill_html(words.quoted, &[("sum", sum), ("shop", &checkout.business_name)])),
        color: said.color,
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

const BLUE: &str = "1f4fa3";
const AMBER: &str = "b36b00";
const GREEN: &str = "17693a";
const RED: &str = "b3261e";

/// What depends on the state.
fn said(checkout: &Checkout) -> Said {
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
    Said { state, color, title, hint }
}

/// What a sentence may name.
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

/// The time until the deadline, as it stands without the script.
fn time_left(words: &Words, seconds: i64) -> String {
    let (sentence, number) = match seconds {
        ..60 => (words.minutes, "<\u{a0}1".to_owned()),
        60..7_200 => (words.minutes, (seconds / 60).to_string()),
        _ => (words.hours, (seconds / 3_600).to_string()),
    };
    fill_html(sentence, &[("n", &number)])
}

/// The deadline's hour and minute in UTC; the script makes local time of it.
fn until(words: &Words, deadline: Timestamp) -> String {
    let text = deadline.to_string();
    let clock = text.get(11..16).unwrap_or_default();
    let (before, after) = words.until.split_once("{time}").unwrap_or((words.until, ""));
    format!("{before}<time datetime=\"{text}\" dir=\"ltr\">{clock} UTC</time>{after}")
}

/// A time as RFC 3339 has it, and without what people do not read of it.
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
#[template(path = "notice.html")]
struct Notice<'p> {
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
    let words = language.words;
    let hint = fill_html(words.unknown_hint, &[]);
    notice(
        branding,
        Notice { style: branding.style(), language, title: words.unknown, hint, check_again: None },
    )
}

/// Renders the page for somebody who has asked too often, and may again after so many seconds.
pub(crate) fn render_limited(
    language: Language,
    seconds: u64,
    branding: &Branding,
) -> Result<Rendered, askama::Error> {
    let words = language.words;
    let hint = fill_html(words.limited_hint, &[("n", &seconds.to_string())]);
    let check_again = Some(words.check_again);
    notice(
        branding,
        Notice { style: branding.style(), language, title: words.limited, hint, check_again },
    )
}

fn notice(branding: &Branding, notice: Notice<'_>) -> Result<Rendered, askama::Error> {
    Ok(Rendered { html: notice.render()?, content_security_policy: branding.policy(None) })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wallet_rules;
