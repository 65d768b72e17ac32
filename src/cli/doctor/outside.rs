//! What answers outside: our own public URL, through proxy and TLS, and Discord.

use std::time::Duration;

use super::{Finding, Say, Subject, Verdict, failure, finding, ok, warning};
use crate::bot;
use crate::domain::network::Network;
use crate::domain::payment::PaymentId;
use crate::store::payments;
use crate::webhooks::glance::{self, Glance};

pub(super) fn check_public_url(subject: &Subject, say: Say) {
    let payment = newest_payment(subject);
    run(look_at_public_url(subject, payment), say);
}

/// The token, the server and the role, and the link by which the bot is invited.
pub(super) fn check_discord(subject: &Subject, say: Say) {
    if let Some(settings) = &subject.bot {
        run(async { vec![look_at_discord(settings).await] }, say);
    }
}

fn run(look: impl Future<Output = Vec<Finding>>, say: Say) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(look).into_iter().for_each(say),
        Err(error) => say(failure("outside", error.to_string())),
    }
}

/// How long a look outside may take.
const PATIENCE: Duration = Duration::from_millis(2500);

const PUBLIC_URL: &str = "public URL";

async fn look_at_public_url(subject: &Subject, payment: Option<PaymentId>) -> Vec<Finding> {
    let url = &subject.site.public_url;
    if subject.network == Network::Main && !url.starts_with("https://") {
        let what = format!("{url} is not https: shoppers' wallets can be led astray");
        return vec![warning(PUBLIC_URL, what).fix("TLS at the proxy; see nginx.conf")];
    }
    let plain = url.replacen("https://", "http://", 1);
    let id = payment.unwrap_or(PaymentId::from_random([0; 16]));
    let plain = format!("{plain}/api/payments/{id}");
    let status = format!("{url}/api/payments/{id}");
    let events = format!("{status}/events");
    let (plain, answer, stream) = tokio::join!(
        glance::look(&plain, PATIENCE),
        glance::look(&status, PATIENCE),
        glance::first_piece(&events, PATIENCE),
    );
    let mut findings = Vec::new();
    if let Ok(Glance { status: status @ (301 | 302), .. }) = plain {
        let what =
            format!("plain http answers {status}: HTTP clients turn a redirected POST into a GET");
        findings.push(warning(PUBLIC_URL, what).fix("let the proxy answer 308"));
    }
    findings.push(judge_answer(url, payment, &answer));
    if payment.is_some() && answer.is_ok_and(|answer| answer.status == 200) && !stream {
        let what = "the first event does not come through: a proxy holds event streams back";
        findings.push(warning("event streams", what).fix("proxy_buffering off; see nginx.conf"));
    }
    findings
}

/// Whether what answers at the public URL is this gateway: it knows our newest payment.
fn judge_answer(url: &str, payment: Option<PaymentId>, answer: &Result<Glance, String>) -> Finding {
    match answer {
        Err(why) => warning(PUBLIC_URL, format!("{url} does not answer: {why}"))
            .fix("start the gateway and its proxy; look at its name and certificate"),
        Ok(answer) if answer.status == 200 && payment.is_some() => {
            ok(PUBLIC_URL, format!("this gateway answers at {url}"))
        }
        Ok(answer) if answer.status == 404 && answer.body.contains("\"not_found\"") => {
            match payment {
                None => ok(PUBLIC_URL, format!("a litegate answers at {url}")),
                Some(_) => warning(PUBLIC_URL, format!("another litegate answers at {url}"))
                    .fix("mend public_url, or where the proxy leads"),
            }
        }
        Ok(answer) => {
            warning(PUBLIC_URL, format!("{url} answers {}, not as a litegate does", answer.status))
                .fix("mend public_url, or where the proxy leads")
        }
    }
}

fn newest_payment(subject: &Subject) -> Option<PaymentId> {
    let store = subject.store().ok()?;
    let newest = store.read_blocking(|tx| payments::list(tx, &payments::Filter::default(), 1));
    newest.ok()?.first().map(|judged| judged.payment.id)
}

async fn look_at_discord(settings: &bot::Settings) -> Finding {
    let late = || Err(format!("no answer within {} milliseconds", PATIENCE.as_millis()));
    let checked = tokio::time::timeout(PATIENCE, bot::check_token(settings));
    let checked = checked.await.unwrap_or_else(|_| late());
    // Payments do not depend on it, but whoever configured it wants it to work.
    let found = match checked {
        Ok(found) => found,
        Err(why) => return failure("discord", why),
    };
    let invite = format!("invite the bot with {}", found.invite_url);
    let (verdict, what) = match &found.guild {
        None => (Verdict::Warning, format!("{} is not on the server; {invite}", found.name)),
        Some(guild) if !found.has_admin_role => {
            let what = format!(
                "the server {guild} has no role discord.admin_role_id: nobody administrates"
            );
            (Verdict::Warning, what)
        }
        Some(guild) => (Verdict::Ok, format!("{} is on the server {guild}; {invite}", found.name)),
    };
    finding("discord", verdict, what)
}
