//! `litegate doctor`: one line for each thing that must be right, with what to do if it is not.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::{Failure, Format, doubt, print_json, print_line};
use crate::bot;
use crate::config::{self, Config};
use crate::domain::chain::OurTip;
use crate::domain::network::Network;
use crate::node::nodes;
use crate::node::rpc::{ChainState, Node, Notifications};
use crate::serve::open_store;
use crate::store::{blocks, doubts, payments};
use crate::sweeper::signing_key::SigningKey;

#[derive(Args)]
#[command(after_help = "Example: litegate doctor --config /etc/litegate/litegate.toml")]
pub(super) struct Doctor {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failure,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    what: String,
}

impl Doctor {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let config = config::load(config)?;
        let mut findings = vec![finding("config", Verdict::Ok, "complete and without mistakes")];
        findings.push(check_database(&config));
        findings.push(check_doubt(&config));
        findings.push(check_completed(&config));
        findings.push(check_signing_key(&config));
        for settings in &config.nodes {
            findings.extend(check_node(&config, settings));
        }
        findings.push(check_public_url(&config));
        findings.extend(check_discord(&config));
        match format {
            Format::Json => print_json(&findings)?,
            Format::Text => {
                for finding in &findings {
                    let word = match finding.verdict {
                        Verdict::Ok => "ok     ",
                        Verdict::Warning => "warning",
                        Verdict::Failure => "FAILURE",
                    };
                    print_line(&format!("{word}  {}: {}", finding.check, finding.what))?;
                }
            }
        }
        match findings.iter().filter(|f| f.verdict == Verdict::Failure).count() {
            0 => Ok(()),
            n => Err(Failure::Failed(format!("{n} checks failed"))),
        }
    }
}

fn finding(check: &'static str, verdict: Verdict, what: impl Into<String>) -> Finding {
    Finding { check, verdict, what: what.into() }
}

fn check_database(config: &Config) -> Finding {
    match open_store(config) {
        Ok(_) => {
            finding("database", Verdict::Ok, format!("{} belongs here", config.database.display()))
        }
        Err(error) => finding("database", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_doubt(config: &Config) -> Finding {
    let doubt = open_store(config).and_then(|store| {
        store.read_blocking(|tx| {
            let height = blocks::tip(tx)?.map_or(0, |tip| tip.height);
            Ok::<_, anyhow::Error>((doubts::open(tx)?, height))
        })
    });
    match doubt {
        Ok((Some(doubt), height)) => {
            finding("doubt", Verdict::Warning, doubt::describe(&doubt, height))
        }
        Ok((None, _)) if config.doubt.enabled => {
            finding("doubt", Verdict::Ok, "none about the chain")
        }
        Ok((None, _)) => finding("doubt", Verdict::Ok, "not looked for (doubt.watch)"),
        Err(error) => finding("doubt", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_completed(config: &Config) -> Finding {
    let lost = open_store(config)
        .and_then(|store| Ok(store.read_blocking(payments::completed_without_coins)?));
    match lost.as_deref() {
        Ok([]) => finding("completed payments", Verdict::Ok, "none has lost its coins"),
        Ok(lost) => {
            let ids: Vec<String> = lost.iter().map(ToString::to_string).collect();
            let what = format!("the best chain does not hold the coins of {}", ids.join(", "));
            finding("completed payments", Verdict::Warning, what)
        }
        Err(error) => finding("completed payments", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_signing_key(config: &Config) -> Finding {
    let Some(file) = &config.signing_key_file else {
        let what = "none here: the gateway only watches, and sweeps nothing by itself";
        return finding("signing key", Verdict::Ok, what);
    };
    match SigningKey::load(file, config.passphrase_file.as_deref(), config.network, &config.xpub) {
        Ok(_) => {
            finding("signing key", Verdict::Ok, "fits wallet.xpub; only its owner can read it")
        }
        Err(error) => finding("signing key", Verdict::Failure, format!("{error:#}")),
    }
}

/// Of several nodes each says which one it is about.
fn check_node(config: &Config, settings: &nodes::Settings) -> Vec<Finding> {
    let mut findings = check_one_node(config, settings);
    if config.nodes.len() > 1 {
        let name = settings.rpc.host_and_port();
        findings.iter_mut().for_each(|finding| finding.what = format!("{name}: {}", finding.what));
    }
    findings
}

fn check_one_node(config: &Config, settings: &nodes::Settings) -> Vec<Finding> {
    let node = Node::new(settings.rpc.clone());
    let state = match node.chain_state() {
        Ok(state) => state,
        Err(error) => {
            let what = format!("{error}; start litecoind, or mend [node]");
            return vec![finding("node", Verdict::Failure, what)];
        }
    };
    let mut findings = Vec::new();
    if state.chain == config.network.node_chain() {
        let what = format!("on {}, height {}", state.chain, state.tip.height);
        findings.push(finding("node", Verdict::Ok, what));
    } else {
        let what = format!("on {}, but network is {}", state.chain, config.network);
        findings.push(finding("node", Verdict::Failure, what));
    }
    let behind = state.headers.saturating_sub(state.tip.height);
    let downloading = state.initial_block_download && config.network != Network::Regtest;
    findings.push(if behind > 0 {
        finding("sync", Verdict::Warning, format!("the node is {behind} blocks behind"))
    } else if downloading {
        finding("sync", Verdict::Warning, "the node is still in its initial download")
    } else {
        finding("sync", Verdict::Ok, "the node has all the blocks that it knows of")
    });
    findings.push(check_chain(config, &node, &state));
    findings.push(check_version(settings, &node));
    findings.push(check_zmq(settings, &node));
    findings
}

/// Whether the node's chain is the one that the database follows, and goes back far enough.
fn check_chain(config: &Config, node: &Node, state: &ChainState) -> Finding {
    let judged = || -> anyhow::Result<(Verdict, String)> {
        let genesis = node.genesis_hash()?.to_string();
        if genesis != config.network.genesis_hash() {
            let what = format!("the node's chain begins with {genesis}: another network's");
            return Ok((Verdict::Failure, what));
        }
        let store = open_store(config)?;
        let (first, tip) = store
            .read_blocking(|tx| Ok::<_, anyhow::Error>((blocks::first(tx)?, blocks::tip(tx)?)))?;
        let (Some(first), Some(tip)) = (first, tip) else {
            return Ok((Verdict::Ok, "no block was followed yet".to_owned()));
        };
        if node.place_of(first)? == OurTip::Unknown {
            let what = format!(
                "the node does not know block {} {}, which was followed before: point \
                 node.rpc_url at the node that was used then",
                first.height, first.hash
            );
            return Ok((Verdict::Failure, what));
        }
        let next = tip.height.saturating_add(1);
        if state.prune_height.is_some_and(|lowest| next < lowest) {
            let what = format!("the node has pruned block {next}, which is still to be read");
            return Ok((Verdict::Failure, what));
        }
        Ok((Verdict::Ok, format!("the one that we follow, up to height {}", tip.height)))
    };
    match judged() {
        Ok((verdict, what)) => finding("chain", verdict, what),
        Err(error) => finding("chain", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_version(settings: &nodes::Settings, node: &Node) -> Finding {
    match node.version() {
        Ok(version) if Network::Main.oldest_node().is_none_or(|n| version.number >= n) => {
            finding("version", Verdict::Ok, version.name)
        }
        Ok(version) => {
            let refused = settings.oldest.is_some();
            let verdict = if refused { Verdict::Failure } else { Verdict::Warning };
            let what = format!("{}: mainnet needs 0.21.5.4 or later", version.name);
            finding("version", verdict, what)
        }
        Err(error) => finding("version", Verdict::Failure, error.to_string()),
    }
}

fn check_zmq(settings: &nodes::Settings, node: &Node) -> Finding {
    let polling = "payments are noticed by polling, every second";
    if settings.zmq.is_none() {
        return finding("zmq", Verdict::Warning, format!("not configured: {polling}"));
    }
    match node.notifications() {
        Ok(Notifications::NotBuiltIn) => {
            let what = format!("this litecoind was built without ZMQ: {polling}");
            finding("zmq", Verdict::Warning, what)
        }
        Ok(Notifications::Topics(topics)) => {
            let missing: Vec<&str> = ["pubrawtx", "pubhashblock"]
                .into_iter()
                .filter(|kind| topics.iter().all(|topic| topic.kind != *kind))
                .collect();
            if missing.is_empty() {
                let at = topics.first().map(|topic| topic.address.clone()).unwrap_or_default();
                finding("zmq", Verdict::Ok, format!("the node publishes at {at}"))
            } else {
                let what = format!(
                    "the node does not publish {}: {polling}; add zmq{}=… to litecoin.conf",
                    missing.join(" and "),
                    missing.join("=… and zmq")
                );
                finding("zmq", Verdict::Warning, what)
            }
        }
        Err(error) => finding("zmq", Verdict::Failure, error.to_string()),
    }
}

fn check_public_url(config: &Config) -> Finding {
    let url = &config.site.public_url;
    if config.network == Network::Main && !url.starts_with("https://") {
        let what = format!("{url} is not https: shoppers' wallets can be led astray");
        return finding("public URL", Verdict::Warning, what);
    }
    if let Some(status) = redirect_of_plain_http(url) {
        let what = format!(
            "plain http answers {status}: HTTP clients turn a redirected POST into a GET; let the \
             proxy answer 308"
        );
        return finding("public URL", Verdict::Warning, what);
    }
    finding("public URL", Verdict::Ok, url.clone())
}

/// The token, the server and the role, and the link by which the bot is invited.
fn check_discord(config: &Config) -> Vec<Finding> {
    let Some(settings) = &config.bot else { return Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let checked = match runtime {
        Ok(runtime) => runtime.block_on(async {
            let checking = bot::check_token(settings);
            let patience = std::time::Duration::from_secs(DISCORD_SECONDS);
            let late = || Err(format!("no answer within {DISCORD_SECONDS} seconds"));
            tokio::time::timeout(patience, checking).await.unwrap_or_else(|_| late())
        }),
        Err(error) => Err(error.to_string()),
    };
    // Payments do not depend on it, but whoever configured it wants it to work.
    let found = match checked {
        Ok(found) => found,
        Err(why) => return vec![finding("discord", Verdict::Failure, why)],
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
    vec![finding("discord", verdict, what)]
}

/// How long a look at Discord may take, in seconds.
const DISCORD_SECONDS: u64 = 10;

/// How long a look at the public URL may take, in seconds.
const LOOK_SECONDS: u64 = 3;

/// The status with which the public name redirects plain HTTP, if it is one that loses a POST.
/// Nobody answering there is fine.
fn redirect_of_plain_http(public_url: &str) -> Option<i32> {
    let plain = public_url.replacen("https://", "http://", 1);
    let request = minreq::get(format!("{plain}/api/payments/doctor"));
    let response = request.with_timeout(LOOK_SECONDS).with_follow_redirects(false).send().ok()?;
    matches!(response.status_code, 301 | 302).then_some(response.status_code)
}
