//! Checks of the public URL, through proxy and TLS, and of Discord.

use std::time::Duration;

use super::finding::{Finding, Report, Verdict, failure, finding, ok, warning};
use super::subject::Subject;
use crate::bot;
use crate::domain::network::Network;
use crate::domain::payment::PaymentId;
use crate::http::proxies::is_proxy;
use crate::operations::untrusted_proxy;
use crate::store::payments;
use crate::webhooks::http_probe::{self, FirstEvent, HttpProbe};

pub(super) fn check_public_url(subject: &Subject, report: Report) {
    let payment = newest_payment(subject, None);
    run(probe_public_url(subject, payment), &mut *report);
    // The gateway recorded the proxy of the requests just made.
    check_proxy(subject).into_iter().for_each(report);
}

/// Whether an untrusted proxy forwards requests.
fn check_proxy(subject: &Subject) -> Option<Finding> {
    let store = subject.store().ok()?;
    let (proxy, at) = store.read_blocking(untrusted_proxy::last).ok()??;
    if is_proxy(proxy, &subject.http.trusted_proxies) {
        return None;
    }
    let what = format!(
        "{proxy} forwards requests (first seen {at}) and is not in http.trusted_proxies: all its \
         clients share one rate limit"
    );
    Some(warning("proxy", what).fix(format!("add \"{proxy}\", or its network, to that list")))
}

/// Checks the token, the server and the role, and prints the bot's invite URL.
pub(super) fn check_discord(subject: &Subject, report: Report) {
    if let Some(settings) = &subject.bot {
        if let Some(suspect) = evaluate_token(settings.token.reveal()) {
            report(suspect);
        }
        run(async { vec![probe_discord(settings).await] }, report);
    }
}

/// Reports a malformed token before Discord is asked.
fn evaluate_token(token: &str) -> Option<Finding> {
    let is_part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !part.is_empty() && part.bytes().all(plain)
    };
    if token.split('.').count() == 3 && token.split('.').all(is_part) {
        return None;
    }
    let what = "discord.token_file is not a bot token, which has three parts with dots \
                between them";
    let fix = "copy the token from the page Bot of the application at discord.com/developers";
    Some(warning("discord token", what).fix(fix))
}

fn run(look: impl Future<Output = Vec<Finding>>, report: Report) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(look).into_iter().for_each(report),
        Err(error) => report(failure("outside", error.to_string())),
    }
}

/// Deadline of the outside checks.
const PATIENCE: Duration = Duration::from_millis(2500);

const PUBLIC_URL: &str = "public URL";

const STREAM_FIX: &str = "disable buffering and compression for /api/payments/…/events (nginx: \
                          proxy_buffering off, gzip off); see nginx.conf";

async fn probe_public_url(subject: &Subject, payment: Option<PaymentId>) -> Vec<Finding> {
    let url = &subject.site.public_url;
    if subject.network == Network::Main && !url.starts_with("https://") {
        let what = format!("{url} is not https: an attacker could change payment addresses");
        return vec![warning(PUBLIC_URL, what).fix("use TLS at the proxy; see nginx.conf")];
    }
    let plain = url.replacen("https://", "http://", 1);
    let id = payment.unwrap_or(PaymentId::from_random([0; 16]));
    let plain = format!("{plain}/api/payments/{id}");
    let status = format!("{url}/api/payments/{id}");
    let open = newest_payment(subject, Some("pending"));
    let events = open.map(|id| format!("{url}/api/payments/{id}/events"));
    let (plain, answer, stream) = tokio::join!(
        http_probe::get(&plain, PATIENCE),
        http_probe::get(&status, PATIENCE),
        async {
            match &events {
                Some(events) => Some(http_probe::first_event(events, PATIENCE).await),
                None => None,
            }
        },
    );
    let mut findings = Vec::new();
    if let Ok(HttpProbe { status: status @ (301 | 302), .. }) = plain {
        let what =
            format!("plain http answers {status}: HTTP clients turn a redirected POST into a GET");
        findings.push(warning(PUBLIC_URL, what).fix("let the proxy redirect with 308"));
    }
    findings.push(evaluate_answer(url, payment, &answer));
    // Streams can be checked only if this gateway answers.
    if let Some(answer) = answer.ok().filter(|answer| payment.is_some() && answer.status == 200) {
        findings.push(evaluate_stream(stream, answer.server.as_deref()));
    }
    findings
}

/// Whether events arrive while the stream is open.
fn evaluate_stream(first: Option<FirstEvent>, server: Option<&str>) -> Finding {
    let check = "event streams";
    let proxy = server.map(|name| format!(" ({name})")).unwrap_or_default();
    match first {
        None => {
            ok(check, "not checked, because no payment is open; create one and run doctor again")
        }
        Some(FirstEvent::Came) => ok(check, "the first event arrives at once"),
        Some(FirstEvent::Refused(status)) => {
            let what = format!("an event stream is answered with {status}");
            warning(check, what).fix("let the proxy forward /api/payments/…/events unchanged")
        }
        Some(FirstEvent::HeldBack) => {
            let what = format!(
                "the response begins, but its first event does not arrive: a proxy{proxy} \
                 buffers event streams; checkout pages poll every five seconds instead"
            );
            warning(check, what).fix(STREAM_FIX)
        }
        Some(FirstEvent::Muted) => {
            let what = format!(
                "nothing of an event stream arrives before its end: a proxy{proxy} buffers whole \
                 responses; checkout pages poll every five seconds instead"
            );
            warning(check, what).fix(STREAM_FIX)
        }
    }
}

/// Whether this gateway answers at the public URL: it knows our newest payment.
fn evaluate_answer(
    url: &str,
    payment: Option<PaymentId>,
    answer: &Result<HttpProbe, String>,
) -> Finding {
    match answer {
        Err(why) => warning(PUBLIC_URL, format!("{url} does not answer: {why}"))
            .fix("start the gateway and its proxy; check DNS and certificate"),
        Ok(answer) if answer.status == 200 && payment.is_some() => {
            ok(PUBLIC_URL, format!("this gateway answers at {url}"))
        }
        Ok(answer) if answer.status == 404 && answer.body.contains("\"not_found\"") => {
            match payment {
                None => ok(PUBLIC_URL, format!("a litegate answers at {url}")),
                Some(_) => warning(PUBLIC_URL, format!("another litegate answers at {url}"))
                    .fix("correct public_url or the proxy's upstream"),
            }
        }
        Ok(answer) => {
            warning(PUBLIC_URL, format!("{url} answers {}, and is not a litegate", answer.status))
                .fix("correct public_url or the proxy's upstream")
        }
    }
}

/// The newest payment, optionally with a status.
fn newest_payment(subject: &Subject, status: Option<&'static str>) -> Option<PaymentId> {
    let store = subject.store().ok()?;
    let filter = payments::Filter { status, ..payments::Filter::default() };
    let newest = store.read_blocking(|tx| payments::list(tx, &filter, 1));
    newest.ok()?.first().map(|evaluated| evaluated.payment.id)
}

async fn probe_discord(settings: &bot::Settings) -> Finding {
    let late = || Err(format!("no answer within {} milliseconds", PATIENCE.as_millis()));
    let checked = tokio::time::timeout(PATIENCE, bot::check_token(settings));
    let checked = checked.await.unwrap_or_else(|_| late());
    // A warning: payments do not depend on Discord.
    let found = match checked {
        Ok(found) => found,
        Err(why) => return failure("discord", why),
    };
    let invite = format!("invite the bot with {}", found.invite_url);
    let (verdict, what) = match &found.guild {
        None => (Verdict::Warning, format!("{} is not on the server; {invite}", found.name)),
        Some(guild) if !found.has_admin_role => {
            let what = format!(
                "the server {guild} has no role discord.admin_role_id, so there is no administrator"
            );
            (Verdict::Warning, what)
        }
        Some(guild) => (Verdict::Ok, format!("{} is on the server {guild}; {invite}", found.name)),
    };
    finding("discord", verdict, what)
}
