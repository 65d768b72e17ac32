//! What the keys mean: from the values as typed to a [`Config`], with every mistake named by its
//! key. Reads the secret files that keys name; must not know where the values came from.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::acts::{create_payment, merchants};
use crate::clock::Clock;
use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::notice;
use crate::domain::payment::CONFIRMATIONS_MAX;
use crate::domain::sweep;
use crate::domain::webhook_url::PrivateNetworks;
use crate::http::checkout::looks::{Looks, Theme};
use crate::node::nodes;
use crate::node::rpc::{self, Auth};
use crate::node::zmq;
use crate::secret::{MasterSecret, Secret};
use crate::store::high_water;
use crate::sweeper::private_file::is_private;
use crate::view::Site;
use crate::{bot, http, sweeper, watcher, webhooks};
use bitcoin::bip32::{DerivationPath, Fingerprint, KeySource};

use super::{Config, Mistakes};

/// How many nodes there may be: each is looked at every few seconds.
const NODES_MAX: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    network: Option<String>,
    public_url: Option<String>,
    database: PathBuf,
    high_water_file: Option<PathBuf>,
    secret_file: PathBuf,
    http: RawHttp,
    checkout: RawCheckout,
    node: Vec<RawNode>,
    failover: RawFailover,
    wallet: RawWallet,
    payments: RawPayments,
    sweeper: RawSweeper,
    webhooks: RawWebhooks,
    discord: RawDiscord,
    metrics: RawMetrics,
    clock: RawClock,
    doubt: RawDoubt,
    audit: RawAudit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    listen: String,
    trusted_proxies: Vec<String>,
    rate_per_key: u32,
    rate_per_address: u32,
    streams_max: u32,
    play_money_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheckout {
    logo_file: Option<PathBuf>,
    color: Option<String>,
    color_dark: Option<String>,
    explorer_url: Option<String>,
    frame_ancestors: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    rpc_url: String,
    cookie_file: Option<PathBuf>,
    rpc_user: Option<String>,
    rpc_password_file: Option<PathBuf>,
    zmq_rawtx: Option<String>,
    zmq_hashblock: Option<String>,
    allow_old_node: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFailover {
    patience: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAudit {
    interval: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWallet {
    xpub: Option<String>,
    signing_key_file: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    key_origin: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPayments {
    confirmations: u32,
    large_amount: String,
    confirmations_large: u32,
    confirmations_pegout: u32,
    expiry: String,
    late_grace: String,
    min_amount: String,
    open_max: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSweeper {
    interval: String,
    min_payout: String,
    max_fee_percent: u8,
    payout_address_delay: String,
    seal_key_file: Option<PathBuf>,
    record_file: Option<PathBuf>,
    raise_after: String,
    max_hot: Option<String>,
    operator_fee_basis_points: u16,
    operator_address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWebhooks {
    allow_private_networks: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDiscord {
    token_file: Option<PathBuf>,
    guild_id: u64,
    admin_role_id: u64,
    global_commands: bool,
    notices_channel_id: u64,
    admin_channel_id: u64,
    audit_channel_id: u64,
    notices_off: Vec<String>,
    low_disk_mb: u64,
    rate_per_user: u32,
    secrets_shown: String,
    api_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMetrics {
    listen: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClock {
    offset_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDoubt {
    watch: String,
    second_rpc_url: Option<String>,
    second_cookie_file: Option<PathBuf>,
    second_rpc_user: Option<String>,
    second_rpc_password_file: Option<PathBuf>,
}

/// Collects mistakes; each reading answers `None` if it made one.
#[derive(Default)]
struct Judge {
    mistakes: Vec<String>,
}

impl Judge {
    fn say(&mut self, key: &str, reason: impl std::fmt::Display) {
        self.mistakes.push(format!("{key} {reason}"));
    }

    fn take<T, E: std::fmt::Display>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.say(key, error)).ok()
    }

    fn need<T>(&mut self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.say(key, "is missing");
        }
        value
    }

    fn parse<T: FromStr>(&mut self, key: &str, text: &str, wanted: &str) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.say(key, format!("must be {wanted}"));
        }
        parsed
    }

    fn amount(&mut self, key: &str, text: &str) -> Option<Amount> {
        self.take(key, Amount::parse(text))
    }

    fn duration(&mut self, key: &str, text: &str) -> Option<Duration> {
        self.take(key, parse_duration(text))
    }

    fn duration_ms(&mut self, key: &str, text: &str) -> Option<i64> {
        self.duration(key, text).map(|d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }

    fn confirmations(&mut self, key: &str, n: u32) -> Option<u32> {
        let allowed = (1..=CONFIRMATIONS_MAX).contains(&n);
        if !allowed {
            self.say(key, format!("must be between 1 and {CONFIRMATIONS_MAX}"));
        }
        allowed.then_some(n)
    }

    fn file(&mut self, key: &str, path: &Path) -> Option<Zeroizing<String>> {
        match std::fs::read_to_string(path) {
            Ok(text) => Some(Zeroizing::new(text)),
            Err(error) => {
                self.say(key, format!("{}: {error}", path.display()));
                None
            }
        }
    }

    /// A file whose content must not be seen by others.
    fn secret_file(&mut self, key: &str, path: &Path) -> Option<Zeroizing<String>> {
        let text = self.file(key, path)?;
        let found = std::fs::metadata(path);
        if found.is_ok_and(|found| !is_private(found.mode(), found.uid(), found.gid())) {
            self.say(key, format!("{}: others may read it; chmod 600 it", path.display()));
            return None;
        }
        Some(text)
    }
}

/// A number and a unit.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a number and a unit (ms, s, m, h, d), such as \"30m\"".to_owned();
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let ms_each: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let year_ms = 366 * 86_400_000u64;
    match number.checked_mul(ms_each) {
        Some(ms) if ms <= year_ms => Ok(Duration::from_millis(ms)),
        _ => Err("must be at most a year".to_owned()),
    }
}

impl Raw {
    /// All the values, or all the mistakes. systemd hands a unit its secrets in a folder of
    /// credentials (systemd.exec(5)): a file of the same name there goes before the one that is
    /// configured, which is root's.
    pub(super) fn judge(mut self, credentials: Option<&Path>) -> Result<Config, Mistakes> {
        let mut judge = Judge::default();
        self.refuse_equal_names(&mut judge);
        if let Some(folder) = credentials {
            self.take_credentials(folder);
        }
        let config = self.read(&mut judge);
        match config {
            Some(config) if judge.mistakes.is_empty() => Ok(config),
            _ => Err(Mistakes(judge.mistakes)),
        }
    }

    /// A unit's credentials are told apart by their files' names alone.
    fn refuse_equal_names(&self, judge: &mut Judge) {
        let several = self.node.len() > 1;
        let of_node = |(number, node): (usize, &'_ RawNode)| {
            let section = if several { format!("node[{number}]") } else { "node".to_owned() };
            Some((format!("{section}.rpc_password_file"), node.rpc_password_file.clone()?))
        };
        let named = |key: &str, file: &Option<PathBuf>| Some((key.to_owned(), file.clone()?));
        let mut secrets = vec![("secret_file".to_owned(), self.secret_file.clone())];
        secrets.extend((1..).zip(&self.node).filter_map(of_node));
        secrets.extend(
            [
                named("doubt.second_rpc_password_file", &self.doubt.second_rpc_password_file),
                named("wallet.signing_key_file", &self.wallet.signing_key_file),
                named("wallet.passphrase_file", &self.wallet.passphrase_file),
                named("sweeper.seal_key_file", &self.sweeper.seal_key_file),
                named("discord.token_file", &self.discord.token_file),
            ]
            .into_iter()
            .flatten(),
        );
        for (at, (key, file)) in secrets.iter().enumerate() {
            let same_name = |other: &&(String, PathBuf)| {
                other.1 != *file && other.1.file_name() == file.file_name()
            };
            if let Some((other, _)) = secrets[..at].iter().find(same_name) {
                let file = file.display();
                judge.say(key, format!("{file}: has the name of {other}'s file in another folder, and systemd tells credentials apart by their names; rename it"));
            }
        }
    }

    fn take_credentials(&mut self, folder: &Path) {
        // What lies beside the key does not move with it.
        if let (None, Some(key_file)) = (&self.sweeper.record_file, &self.sweeper.seal_key_file) {
            self.sweeper.record_file = Some(beside(key_file));
        }
        let optional = [
            &mut self.doubt.second_rpc_password_file,
            &mut self.wallet.signing_key_file,
            &mut self.wallet.passphrase_file,
            &mut self.sweeper.seal_key_file,
            &mut self.discord.token_file,
        ];
        let of_nodes = self.node.iter_mut().filter_map(|node| node.rpc_password_file.as_mut());
        let all = optional.into_iter().flatten().chain(of_nodes).chain([&mut self.secret_file]);
        for file in all {
            let Some(name) = file.file_name() else { continue };
            let credential = folder.join(name);
            // A line end alone is what a unit gives where this machine has no such secret.
            if std::fs::metadata(&credential).is_ok_and(|found| found.len() > 1) {
                *file = credential;
            }
        }
    }

    /// Reads all that can be read, so that all mistakes are found, and only then puts it together.
    fn read(self, judge: &mut Judge) -> Option<Config> {
        let network = judge.need("network", self.network.as_deref());
        let network = network.and_then(|text| judge.take("network", text.parse::<Network>()));
        let public_url = judge.need("public_url", self.public_url.as_deref());
        let public_url = public_url.and_then(|text| read_public_url(judge, text));
        let secret = read_secret(judge, &self.secret_file);
        let http = read_http(judge, &self.http, &self.checkout, network);
        let doubt = read_doubt(judge, &self.doubt, network);
        let nodes = read_nodes(judge, &self.node, network);
        let failover_patience = read_patience(judge, "failover.patience", &self.failover.patience);
        let audit_interval = read_patience(judge, "audit.interval", &self.audit.interval);
        let xpub = read_xpub(judge, &self.wallet, network);
        let payments = read_payments(judge, &self.payments);
        let key_origin = read_key_origin(judge, &self.wallet);
        let sweeper = read_sweeper(judge, &self.sweeper, network);
        let delay_key = "sweeper.payout_address_delay";
        let delay = judge.duration_ms(delay_key, &self.sweeper.payout_address_delay);
        let bot = read_bot(judge, &self.discord);
        let metrics_listen = self.metrics.listen.as_deref().map(|text| {
            judge.parse("metrics.listen", text, "an address and a port, such as 127.0.0.1:9180")
        });
        for (key, file) in [
            ("wallet.signing_key_file", &self.wallet.signing_key_file),
            ("wallet.passphrase_file", &self.wallet.passphrase_file),
            ("sweeper.seal_key_file", &self.sweeper.seal_key_file),
        ] {
            if let Some(file) = file.as_ref().filter(|file| !file.exists()) {
                judge.say(key, format!("{}: there is no such file", file.display()));
            }
        }
        let clock = read_clock(judge, &self.clock, network);
        let private_networks = if self.webhooks.allow_private_networks {
            PrivateNetworks::Allowed
        } else {
            PrivateNetworks::Refused
        };
        let network = network?;
        Some(Config {
            network,
            site: Site { network, public_url: public_url? },
            high_water_file: self
                .high_water_file
                .unwrap_or_else(|| high_water::beside(&self.database)),
            database: self.database,
            secret: secret?,
            secret_file: self.secret_file,
            http: http?,
            nodes: nodes?,
            failover_patience: failover_patience?,
            doubt: doubt?,
            audit_interval: audit_interval?,
            xpub: xpub?,
            signing_key_file: self.wallet.signing_key_file,
            passphrase_file: self.wallet.passphrase_file,
            payments: payments?,
            merchants: merchants::Rules { network, payout_address_delay_ms: delay? },
            seals: self.sweeper.seal_key_file.map(|key_file| sweeper::seals::Settings {
                record_file: self.sweeper.record_file.unwrap_or_else(|| beside(&key_file)),
                key_file,
                payout_address_delay_ms: delay.unwrap_or_default(),
            }),
            sweeper: sweeper::Settings { key_origin: key_origin?, ..sweeper? },
            webhooks: webhooks::Settings { private_networks },
            bot: bot?,
            metrics_listen: metrics_listen.flatten(),
            clock: clock?,
        })
    }
}

fn read_public_url(judge: &mut Judge, text: &str) -> Option<String> {
    let parsed = url::Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    });
    if parsed.is_none() {
        judge.say("public_url", "must be a URL such as https://pay.example.com");
    }
    parsed.map(|url| url.as_str().trim_end_matches('/').to_owned())
}

fn read_secret(judge: &mut Judge, file: &Path) -> Option<MasterSecret> {
    use bitcoin::hex::FromHex;
    let text = judge.secret_file("secret_file", file)?;
    match <[u8; 32]>::from_hex(text.trim()) {
        Ok(bytes) => Some(MasterSecret::new(bytes)),
        Err(_) => {
            judge.say("secret_file", "must hold 32 bytes as 64 hexadecimal digits");
            None
        }
    }
}

fn read_http(
    judge: &mut Judge,
    raw: &RawHttp,
    checkout: &RawCheckout,
    network: Option<Network>,
) -> Option<http::Settings> {
    let wanted = "an address and a port, such as 127.0.0.1:8080";
    let listen = judge.parse("http.listen", &raw.listen, wanted);
    let proxies: Vec<Option<IpAddr>> = raw
        .trusted_proxies
        .iter()
        .map(|text| judge.parse("http.trusted_proxies", text, "a list of IP addresses"))
        .collect();
    if raw.play_money_url.is_some() && network.is_some_and(|n| n != Network::Regtest) {
        judge.say("http.play_money_url", "is for regtest only");
    }
    let streams_max = usize::try_from(raw.streams_max).ok().filter(|n| (1..=50_000).contains(n));
    if streams_max.is_none() {
        judge.say("http.streams_max", "must be between 1 and 50000");
    }
    let looks = read_looks(judge, checkout);
    Some(http::Settings {
        listen: listen?,
        trusted_proxies: proxies.into_iter().collect::<Option<_>>()?,
        rate_per_key: raw.rate_per_key,
        rate_per_address: raw.rate_per_address,
        streams_max: streams_max?,
        play_money_url: raw.play_money_url.clone(),
        looks,
    })
}

/// Each part that is right; of the others the judge is told.
fn read_looks(judge: &mut Judge, raw: &RawCheckout) -> Looks {
    let mut looks = Looks::default();
    let mut hear = |key, result: Result<(), String>| {
        if let Err(wrong) = result {
            judge.say(key, wrong);
        }
    };
    if let Some(color) = &raw.color {
        hear("checkout.color", looks.paint(Theme::Light, color));
    }
    if let Some(color) = &raw.color_dark {
        hear("checkout.color_dark", looks.paint(Theme::Dark, color));
    }
    if let Some(file) = &raw.logo_file {
        let said = match std::fs::read(file) {
            Ok(picture) => looks.sign(&picture),
            Err(error) => Err(error.to_string()),
        };
        hear("checkout.logo_file", said.map_err(|wrong| format!("{}: {wrong}", file.display())));
    }
    if let Some(url) = &raw.explorer_url {
        hear("checkout.explorer_url", looks.explore(url));
    }
    hear("checkout.frame_ancestors", looks.frame(&raw.frame_ancestors));
    looks
}

/// Each node, with its place in the list where there are several.
fn read_nodes(
    judge: &mut Judge,
    list: &[RawNode],
    network: Option<Network>,
) -> Option<Vec<nodes::Settings>> {
    if list.is_empty() || list.len() > NODES_MAX {
        judge.say("node", format!("must be there, and at most {NODES_MAX} times"));
        return None;
    }
    let mut names = BTreeSet::new();
    let mut read = Vec::with_capacity(list.len());
    for (number, raw) in (1..).zip(list) {
        let section = if list.len() == 1 { "node".to_owned() } else { format!("node[{number}]") };
        let one = read_node(judge, raw, &section, network);
        if one.as_ref().is_some_and(|one| !names.insert(one.rpc.host_and_port().to_owned())) {
            judge.say(&format!("{section}.rpc_url"), "is the same node as another");
        }
        read.push(one);
    }
    read.into_iter().collect() // All were judged; now all have to be right.
}

fn read_node(
    judge: &mut Judge,
    raw: &RawNode,
    section: &str,
    network: Option<Network>,
) -> Option<nodes::Settings> {
    let key = |name: &str| format!("{section}.{name}");
    let keys = ["rpc_url", "cookie_file", "rpc_user", "rpc_password_file"].map(key);
    let login = (&raw.cookie_file, &raw.rpc_user, &raw.rpc_password_file);
    let auth = read_login(judge, keys.each_ref().map(String::as_str), &raw.rpc_url, login);
    let zmq = read_zmq(judge, raw, section);
    let oldest = network.and_then(Network::oldest_node).filter(|_| !raw.allow_old_node);
    let rpc = rpc::Settings { rpc_url: raw.rpc_url.clone(), auth: auth? };
    Some(nodes::Settings { rpc, zmq: zmq?, oldest })
}

/// A time that must not be short, lest we are busy with nothing else.
fn read_patience(judge: &mut Judge, key: &str, text: &str) -> Option<Duration> {
    let patience = judge.duration(key, text)?;
    if patience < Duration::from_secs(1) {
        judge.say(key, "must be at least 1s");
        return None;
    }
    Some(patience)
}

/// How to reach a node, by these keys: URL, cookie, user, password.
fn read_login(
    judge: &mut Judge,
    [url_key, cookie_key, user_key, password_key]: [&str; 4],
    rpc_url: &str,
    login: (&Option<PathBuf>, &Option<String>, &Option<PathBuf>),
) -> Option<Auth> {
    let rpc_url = url::Url::parse(rpc_url).ok().filter(|url| url.scheme() == "http");
    match rpc_url {
        None => judge.say(url_key, "must be a URL such as http://127.0.0.1:9332"),
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            judge.say(url_key, format!("must not hold a password; use {password_key}"));
        }
        Some(_) => {}
    }
    match login {
        (Some(cookie), None, None) => Some(Auth::CookieFile(cookie.clone())),
        (None, Some(user), Some(file)) => {
            let text = judge.secret_file(password_key, file)?;
            let password = Secret::new(text.trim().to_owned());
            Some(Auth::Password { user: user.clone(), password })
        }
        (Some(_), _, _) => {
            judge.say(cookie_key, format!("and {user_key} exclude each other; give one"));
            None
        }
        (None, Some(_), None) => {
            judge.say(password_key, "is missing");
            None
        }
        (None, None, _) => {
            judge.say(cookie_key, "is missing (or give rpc_user and rpc_password_file)");
            None
        }
    }
}

fn read_doubt(
    judge: &mut Judge,
    raw: &RawDoubt,
    network: Option<Network>,
) -> Option<watcher::doubt::Settings> {
    let enabled = match raw.watch.as_str() {
        "on" => Some(true),
        "off" => Some(false),
        "auto" => network.map(|network| network != Network::Regtest),
        _ => {
            judge.say("doubt.watch", "must be \"auto\", \"on\" or \"off\"");
            None
        }
    };
    let second_node = match &raw.second_rpc_url {
        None => {
            if raw.second_cookie_file.is_some() || raw.second_rpc_user.is_some() {
                judge.say("doubt.second_rpc_url", "is missing beside the second node's login");
            }
            None
        }
        Some(url) => {
            let keys = [
                "doubt.second_rpc_url",
                "doubt.second_cookie_file",
                "doubt.second_rpc_user",
                "doubt.second_rpc_password_file",
            ];
            let login =
                (&raw.second_cookie_file, &raw.second_rpc_user, &raw.second_rpc_password_file);
            let auth = read_login(judge, keys, url, login)?;
            Some(rpc::Settings { rpc_url: url.clone(), auth })
        }
    };
    Some(watcher::doubt::Settings { enabled: enabled?, second_node })
}

/// The outer `None` is a mistake, the inner one means that ZMQ is not used.
fn read_zmq(judge: &mut Judge, raw: &RawNode, section: &str) -> Option<Option<zmq::Settings>> {
    let (rawtx_key, hashblock_key) =
        (format!("{section}.zmq_rawtx"), format!("{section}.zmq_hashblock"));
    let mut endpoint = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let known = ["tcp://", "ipc://"].iter().any(|scheme| text.starts_with(scheme));
        if !known {
            judge.say(key, "must be an endpoint such as tcp://127.0.0.1:28332");
        }
        known.then(|| text.to_owned())
    };
    let rawtx = endpoint(&rawtx_key, &raw.zmq_rawtx);
    let hashblock = endpoint(&hashblock_key, &raw.zmq_hashblock);
    match (rawtx, hashblock) {
        (Some(rawtx), Some(hashblock)) => Some(Some(zmq::Settings { rawtx, hashblock })),
        (None, None) => Some(None),
        (Some(_), None) => {
            judge.say(&hashblock_key, format!("is missing beside {rawtx_key}"));
            None
        }
        (None, Some(_)) => {
            judge.say(&rawtx_key, format!("is missing beside {hashblock_key}"));
            None
        }
    }
}

fn read_xpub(judge: &mut Judge, raw: &RawWallet, network: Option<Network>) -> Option<AccountXpub> {
    let text = judge.need("wallet.xpub", raw.xpub.as_deref())?;
    judge.take("wallet.xpub", AccountXpub::parse(text, network?))
}

fn read_payments(judge: &mut Judge, raw: &RawPayments) -> Option<create_payment::Rules> {
    let confirmations = judge.confirmations("payments.confirmations", raw.confirmations);
    let large = judge.amount("payments.large_amount", &raw.large_amount);
    let confirmations_large =
        judge.confirmations("payments.confirmations_large", raw.confirmations_large);
    let confirmations_pegout =
        judge.confirmations("payments.confirmations_pegout", raw.confirmations_pegout);
    let expiry = judge.duration_ms("payments.expiry", &raw.expiry);
    let late_grace = judge.duration_ms("payments.late_grace", &raw.late_grace);
    let min_amount = judge.amount("payments.min_amount", &raw.min_amount);
    if expiry == Some(0) {
        judge.say("payments.expiry", "must not be zero");
    }
    Some(create_payment::Rules {
        confirmations: confirmations?,
        large_amount: large?,
        confirmations_large: confirmations_large?,
        confirmations_pegout: confirmations_pegout?,
        expiry_ms: expiry?,
        late_grace_ms: late_grace?,
        min_amount: min_amount?,
        open_max: raw.open_max,
    })
}

/// Where the sweeper keeps its record if the configuration does not say.
fn beside(key_file: &Path) -> PathBuf {
    let mut path = key_file.as_os_str().to_owned();
    path.push(".record");
    path.into()
}

/// The outer `None` is a mistake, the inner one means that it is not known.
fn read_key_origin(judge: &mut Judge, raw: &RawWallet) -> Option<Option<KeySource>> {
    let Some(text) = &raw.key_origin else { return Some(None) };
    let read = || {
        let (fingerprint, path) = text.split_once('/')?;
        let path: DerivationPath = path.parse().ok()?;
        Some((fingerprint.parse::<Fingerprint>().ok()?, path))
    };
    let found = read();
    if found.is_none() {
        judge.say("wallet.key_origin", "must be a fingerprint and a path, as d34db33f/84'/2'/0'");
    }
    found.map(Some)
}

fn read_sweeper(
    judge: &mut Judge,
    raw: &RawSweeper,
    network: Option<Network>,
) -> Option<sweeper::Settings> {
    let interval = judge.duration("sweeper.interval", &raw.interval);
    let raise_after = judge.duration("sweeper.raise_after", &raw.raise_after);
    let operator = read_operator_fee(judge, raw, network);
    let min_payout = judge.amount("sweeper.min_payout", &raw.min_payout);
    let max_hot = raw.max_hot.as_deref().map(|text| judge.amount("sweeper.max_hot", text));
    if raw.max_fee_percent == 0 || raw.max_fee_percent > 100 {
        judge.say("sweeper.max_fee_percent", "must be between 1 and 100");
    }
    if interval.is_some_and(|interval| interval.is_zero()) {
        judge.say("sweeper.interval", "must not be zero");
    }
    Some(sweeper::Settings {
        interval: interval?,
        raise_after: raise_after?,
        max_hot: max_hot.flatten(),
        key_origin: None,
        rules: sweep::Rules {
            min_payout: min_payout?,
            max_fee_percent: raw.max_fee_percent,
            operator: operator?,
        },
    })
}

/// The outer `None` is a mistake, the inner one means that the operator takes nothing.
fn read_operator_fee(
    judge: &mut Judge,
    raw: &RawSweeper,
    network: Option<Network>,
) -> Option<Option<sweep::OperatorFee>> {
    let basis_points = raw.operator_fee_basis_points;
    if basis_points > sweep::BASIS_POINTS_MAX {
        let reason = format!("must be at most {}", sweep::BASIS_POINTS_MAX);
        judge.say("sweeper.operator_fee_basis_points", reason);
        return None;
    }
    match &raw.operator_address {
        None if basis_points == 0 => Some(None),
        None => {
            let reason = "is missing beside sweeper.operator_fee_basis_points";
            judge.say("sweeper.operator_address", reason);
            None
        }
        Some(text) => {
            let address = Address::parse(text, network?);
            let script = judge.take("sweeper.operator_address", address)?.script().to_owned();
            Some((basis_points > 0).then_some(sweep::OperatorFee { basis_points, script }))
        }
    }
}

/// The outer `None` is a mistake, the inner one means that there is no bot.
fn read_bot(judge: &mut Judge, raw: &RawDiscord) -> Option<Option<bot::Settings>> {
    let Some(file) = &raw.token_file else { return Some(None) };
    let token = judge.secret_file("discord.token_file", file);
    if raw.guild_id == 0 {
        judge.say("discord.guild_id", "is missing beside discord.token_file");
        return None;
    }
    let secrets_shown = judge.duration("discord.secrets_shown", &raw.secrets_shown);
    let kinds = raw.notices_off.iter().map(|word| {
        let wanted = "a kind of notice, such as \"subscription\" (see DISCORD.md)";
        judge.parse("discord.notices_off", word, wanted)
    });
    // All of them are judged, then all have to be right.
    let kinds: Vec<Option<notice::Kind>> = kinds.collect();
    let notices_off: Option<Vec<notice::Kind>> = kinds.into_iter().collect();
    let id = |id: u64| (id != 0).then_some(id);
    Some(Some(bot::Settings {
        token: Secret::new(token?.trim().to_owned()),
        guild_id: raw.guild_id,
        admin_role_id: id(raw.admin_role_id),
        global_commands: raw.global_commands,
        notices_channel_id: id(raw.notices_channel_id),
        admin_channel_id: id(raw.admin_channel_id),
        audit_channel_id: id(raw.audit_channel_id),
        notices_off: notices_off?,
        low_disk_bytes: raw.low_disk_mb.saturating_mul(1_000_000),
        rate_per_user: raw.rate_per_user,
        secrets_shown: secrets_shown?,
        api_url: raw.api_url.clone(),
    }))
}

fn read_clock(judge: &mut Judge, raw: &RawClock, network: Option<Network>) -> Option<Clock> {
    match &raw.offset_file {
        None => Some(Clock::system()),
        Some(file) if network == Some(Network::Regtest) => Some(Clock::moved_by(file.clone())),
        Some(_) => {
            judge.say("clock.offset_file", "is for regtest only");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let ms = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("30m"), Ok(1_800_000));
        assert_eq!(ms("2 h"), Ok(7_200_000));
        assert_eq!(ms("366d"), Ok(366 * 86_400_000));
        for text in ["", "30", "m", "-1m", "1.5h", "1y", "367d", "99999999999999999999s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
