//! The configuration: the commented file in `config/` as defaults, the operator's file over it,
//! the environment over both; then one strict reading into values that mean something.
//!
//! All mistakes are found at once, each named by its key. The only place that reads environment
//! variables.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};
use zeroize::Zeroizing;

use crate::acts::{create_payment, merchants};
use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::payment::CONFIRMATIONS_MAX;
use crate::domain::sweep;
use crate::domain::webhook_url::PrivateNetworks;
use crate::node::rpc::{self, Auth};
use crate::node::zmq;
use crate::secret::{MasterSecret, Secret};
use crate::view::Site;
use crate::{bot, http, sweeper, webhooks};

/// The commented sample, which holds the defaults.
pub(crate) const SAMPLE: &str = include_str!("../config/litegate.toml");

/// What every environment variable of ours begins with.
const ENVIRONMENT: &str = "LITEGATE_";

/// Everything that the roles need to know, proven to make sense.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) network: Network,
    pub(crate) site: Site,
    pub(crate) database: PathBuf,
    pub(crate) secret: MasterSecret,
    pub(crate) http: http::Settings,
    pub(crate) node: rpc::Settings,
    pub(crate) zmq: Option<zmq::Settings>,
    pub(crate) allow_old_node: bool,
    pub(crate) xpub: AccountXpub,
    pub(crate) signing_key_file: Option<PathBuf>,
    pub(crate) payments: create_payment::Rules,
    pub(crate) merchants: merchants::Rules,
    pub(crate) sweeper: sweeper::Settings,
    pub(crate) webhooks: webhooks::Settings,
    pub(crate) bot: Option<bot::Settings>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) clock: Clock,
}

/// All mistakes of a configuration, each a sentence that begins with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for Mistakes {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    network: Option<String>,
    public_url: Option<String>,
    database: PathBuf,
    secret_file: PathBuf,
    http: RawHttp,
    node: RawNode,
    wallet: RawWallet,
    payments: RawPayments,
    sweeper: RawSweeper,
    webhooks: RawWebhooks,
    discord: RawDiscord,
    metrics: RawMetrics,
    clock: RawClock,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    listen: String,
    trusted_proxies: Vec<String>,
    rate_per_key: u32,
    rate_per_address: u32,
    play_money_url: Option<String>,
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
struct RawWallet {
    xpub: Option<String>,
    signing_key_file: Option<PathBuf>,
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSweeper {
    interval: String,
    min_payout: String,
    max_fee_percent: u8,
    payout_address_delay: String,
    seal_key_file: Option<PathBuf>,
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

/// Where a program looks for its configuration if it is not told.
const PLACES: [&str; 2] = ["litegate.toml", "/etc/litegate/litegate.toml"];

/// Reads the configuration: the file named, else the first of the usual places.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn load(file: Option<&Path>) -> Result<Config, Mistakes> {
    let usual = || PLACES.iter().map(PathBuf::from).find(|place| place.exists());
    let file = file.map(Path::to_owned).or_else(usual);
    let text = match &file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Mistakes(vec![format!("{}: {error}", file.display())]))?,
        None => String::new(), // The environment may say it all.
    };
    let environment = std::env::vars().filter_map(|(name, value)| {
        name.strip_prefix(ENVIRONMENT).map(|name| (name.to_owned(), value))
    });
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let name = file.map(|file| file.display().to_string()).unwrap_or_default();
        Mistakes(vec![format!("{name}: {}", in_one_line(&error.to_string()))])
    })?;
    read(table, environment)
}

/// The name of a crash point that a test has armed (debug builds only).
pub(crate) fn crash_point() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    std::env::var("LITEGATE_CRASH_AT").ok()
}

/// What to log, in the syntax of `tracing_subscriber::EnvFilter`.
pub(crate) fn log_filter() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    std::env::var("LITEGATE_LOG").ok()
}

/// The litecoind that the environment names.
pub(crate) fn litecoind() -> Option<PathBuf> {
    std::env::var_os("LITECOIND").map(PathBuf::from)
}

/// The folders in which programs are looked for.
pub(crate) fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Variables of ours that are no configuration.
const NO_KEYS: [&str; 2] = ["CRASH_AT", "LOG"];

/// Reads a configuration from its text alone, as `init` and the demo make it.
pub(crate) fn from_text(text: &str) -> Result<Config, Mistakes> {
    let table = text.parse().map_err(|error: toml::de::Error| Mistakes(vec![error.to_string()]))?;
    read(table, std::iter::empty())
}

fn read(
    file: Table,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, Mistakes> {
    let one = |sentence: String| Mistakes(vec![sentence]);
    let mut table: Table = SAMPLE.parse().expect("the sample is tested to be TOML");
    overlay(&mut table, file);
    for (name, value) in environment.filter(|(name, _)| !NO_KEYS.contains(&name.as_str())) {
        set_from_environment(&mut table, &name, value).map_err(one)?;
    }
    let unknown = unknown_keys(&table);
    if !unknown.is_empty() {
        return Err(Mistakes(unknown));
    }
    let raw: Raw = Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| one(in_one_line(&error.to_string())))?;
    raw.judge()
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every key that there is: those of the sample, the commented ones among them.
fn known_keys() -> Table {
    let uncommented: Vec<&str> = SAMPLE
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_key_line(rest)).unwrap_or(line))
        .collect();
    uncommented.join("\n").parse().expect("the sample is tested to be TOML")
}

/// Whether a line of the sample sets a key.
fn is_key_line(line: &str) -> bool {
    let name = line.split(" = ").next().unwrap_or_default();
    name.len() < line.len() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// A sentence for each key and section that does not exist, with the nearest one that does.
fn unknown_keys(table: &Table) -> Vec<String> {
    let known = known_keys();
    let mut mistakes = Vec::new();
    let mut check = |prefix: &str, found: &Table, known: &Table| {
        for key in found.keys().filter(|key| !known.contains_key(*key)) {
            let near = known.keys().max_by_key(|k| common_prefix(k, key));
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            mistakes.push(format!("{prefix}{key} is an unknown key{hint}"));
        }
    };
    check("", table, &known);
    for (name, section) in &known {
        if let (Some(known), Some(Value::Table(found))) = (section.as_table(), table.get(name)) {
            check(&format!("{name}."), found, known);
        }
    }
    mistakes
}

/// How many letters two names begin with in common.
fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// Puts the keys of `over` into `under`, section by section.
fn overlay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(section)), Value::Table(over)) => overlay(section, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Sets a key from a variable such as `HTTP__LISTEN`. The value is read as what the default is.
fn set_from_environment(table: &mut Table, name: &str, text: String) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    let (section, key) = match lower.split_once("__") {
        Some((section, key)) => {
            let unknown = || format!("{ENVIRONMENT}{name}: there is no section {section}");
            let section = table.get_mut(section).and_then(Value::as_table_mut);
            (section.ok_or_else(unknown)?, key)
        }
        None => (table, lower.as_str()),
    };
    let known = known_keys();
    let known = match lower.split_once("__") {
        Some((section, _)) => known.get(section).and_then(Value::as_table).cloned(),
        None => Some(known),
    };
    if !known.is_some_and(|known| known.contains_key(key)) {
        return Err(format!("{ENVIRONMENT}{name}: there is no such key"));
    }
    let bad = |kind: &str| format!("{ENVIRONMENT}{name} must be {kind}");
    let value = match section.get(key) {
        Some(Value::Boolean(_)) => Value::Boolean(text.parse().map_err(|_| bad("true or false"))?),
        Some(Value::Integer(_)) => Value::Integer(text.parse().map_err(|_| bad("a whole number"))?),
        Some(Value::Array(_)) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
        }
        _ => Value::String(text),
    };
    section.insert(key.to_owned(), value);
    Ok(())
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
        use std::os::unix::fs::PermissionsExt;
        let text = self.file(key, path)?;
        let mode = std::fs::metadata(path).map(|m| m.permissions().mode() & 0o077).unwrap_or(0);
        if mode != 0 {
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
    fn judge(self) -> Result<Config, Mistakes> {
        let mut judge = Judge::default();
        let config = self.read(&mut judge);
        match config {
            Some(config) if judge.mistakes.is_empty() => Ok(config),
            _ => Err(Mistakes(judge.mistakes)),
        }
    }

    /// Reads all that can be read, so that all mistakes are found, and only then puts it together.
    fn read(self, judge: &mut Judge) -> Option<Config> {
        let network = judge.need("network", self.network.as_deref());
        let network = network.and_then(|text| judge.take("network", text.parse::<Network>()));
        let public_url = judge.need("public_url", self.public_url.as_deref());
        let public_url = public_url.and_then(|text| read_public_url(judge, text));
        let secret = read_secret(judge, &self.secret_file);
        let http = read_http(judge, &self.http, network);
        let auth = read_auth(judge, &self.node);
        let zmq = read_zmq(judge, &self.node);
        let xpub = read_xpub(judge, &self.wallet, network);
        let payments = read_payments(judge, &self.payments);
        let sweeper = read_sweeper(judge, &self.sweeper);
        let delay_key = "sweeper.payout_address_delay";
        let delay = judge.duration_ms(delay_key, &self.sweeper.payout_address_delay);
        let bot = read_bot(judge, &self.discord);
        let metrics_listen = self.metrics.listen.as_deref().map(|text| {
            judge.parse("metrics.listen", text, "an address and a port, such as 127.0.0.1:9180")
        });
        for (key, file) in [
            ("wallet.signing_key_file", &self.wallet.signing_key_file),
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
            database: self.database,
            secret: secret?,
            http: http?,
            node: rpc::Settings { rpc_url: self.node.rpc_url, auth: auth? },
            zmq: zmq?,
            allow_old_node: self.node.allow_old_node,
            xpub: xpub?,
            signing_key_file: self.wallet.signing_key_file,
            payments: payments?,
            merchants: merchants::Rules { network, payout_address_delay_ms: delay? },
            sweeper: sweeper?,
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

fn read_http(judge: &mut Judge, raw: &RawHttp, network: Option<Network>) -> Option<http::Settings> {
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
    Some(http::Settings {
        listen: listen?,
        trusted_proxies: proxies.into_iter().collect::<Option<_>>()?,
        rate_per_key: raw.rate_per_key,
        rate_per_address: raw.rate_per_address,
        play_money_url: raw.play_money_url.clone(),
    })
}

fn read_auth(judge: &mut Judge, raw: &RawNode) -> Option<Auth> {
    let rpc_url = url::Url::parse(&raw.rpc_url).ok().filter(|url| url.scheme() == "http");
    match rpc_url {
        None => judge.say("node.rpc_url", "must be a URL such as http://127.0.0.1:9332"),
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            judge.say("node.rpc_url", "must not hold a password; use node.rpc_password_file");
        }
        Some(_) => {}
    }
    match (&raw.cookie_file, &raw.rpc_user, &raw.rpc_password_file) {
        (Some(cookie), None, None) => Some(Auth::CookieFile(cookie.clone())),
        (None, Some(user), Some(file)) => {
            let text = judge.secret_file("node.rpc_password_file", file)?;
            let password = Secret::new(text.trim().to_owned());
            Some(Auth::Password { user: user.clone(), password })
        }
        (Some(_), _, _) => {
            judge.say("node.cookie_file", "and node.rpc_user exclude each other; give one");
            None
        }
        (None, Some(_), None) => {
            judge.say("node.rpc_password_file", "is missing");
            None
        }
        (None, None, _) => {
            judge.say("node.cookie_file", "is missing (or give rpc_user and rpc_password_file)");
            None
        }
    }
}

/// The outer `None` is a mistake, the inner one means that ZMQ is not used.
fn read_zmq(judge: &mut Judge, raw: &RawNode) -> Option<Option<zmq::Settings>> {
    let mut endpoint = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let known = ["tcp://", "ipc://"].iter().any(|scheme| text.starts_with(scheme));
        if !known {
            judge.say(key, "must be an endpoint such as tcp://127.0.0.1:28332");
        }
        known.then(|| text.to_owned())
    };
    let rawtx = endpoint("node.zmq_rawtx", &raw.zmq_rawtx);
    let hashblock = endpoint("node.zmq_hashblock", &raw.zmq_hashblock);
    match (rawtx, hashblock) {
        (Some(rawtx), Some(hashblock)) => Some(Some(zmq::Settings { rawtx, hashblock })),
        (None, None) => Some(None),
        (Some(_), None) => {
            judge.say("node.zmq_hashblock", "is missing beside node.zmq_rawtx");
            None
        }
        (None, Some(_)) => {
            judge.say("node.zmq_rawtx", "is missing beside node.zmq_hashblock");
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
    })
}

fn read_sweeper(judge: &mut Judge, raw: &RawSweeper) -> Option<sweeper::Settings> {
    let interval = judge.duration("sweeper.interval", &raw.interval);
    let min_payout = judge.amount("sweeper.min_payout", &raw.min_payout);
    if raw.max_fee_percent == 0 || raw.max_fee_percent > 100 {
        judge.say("sweeper.max_fee_percent", "must be between 1 and 100");
    }
    if interval.is_some_and(|interval| interval.is_zero()) {
        judge.say("sweeper.interval", "must not be zero");
    }
    Some(sweeper::Settings {
        interval: interval?,
        rules: sweep::Rules { min_payout: min_payout?, max_fee_percent: raw.max_fee_percent },
    })
}

/// The outer `None` is a mistake, the inner one means that there is no bot.
fn read_bot(judge: &mut Judge, raw: &RawDiscord) -> Option<Option<bot::Settings>> {
    let Some(file) = &raw.token_file else { return Some(None) };
    let token = judge.secret_file("discord.token_file", file);
    if raw.guild_id == 0 {
        judge.say("discord.guild_id", "is missing beside discord.token_file");
        return None;
    }
    Some(Some(bot::Settings {
        token: Secret::new(token?.trim().to_owned()),
        guild_id: raw.guild_id,
        admin_role_id: (raw.admin_role_id != 0).then_some(raw.admin_role_id),
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

/// Values for a new configuration file, as `init` writes it.
pub(crate) struct NewFile<'n> {
    pub(crate) network: Network,
    pub(crate) dir: &'n Path,
    pub(crate) xpub: &'n AccountXpub,
    pub(crate) has_signing_key: bool,
}

/// The text of a new configuration file: what has to be set, and a pointer to the rest.
pub(crate) fn new_file(new: &NewFile) -> String {
    let dir = new.dir.display();
    let (port, node_dir) = match new.network {
        Network::Main => (9332, "/var/lib/litecoind"),
        Network::Test => (19332, "/var/lib/litecoind/testnet4"),
        Network::Regtest => (19443, "/var/lib/litecoind/regtest"),
    };
    let public_url = match new.network {
        Network::Main | Network::Test => "https://pay.example.com",
        Network::Regtest => "http://127.0.0.1:8080",
    };
    let mut text = format!(
        "# litegate on {network}. All keys with their meaning and defaults: config/litegate.toml\n\
         # of the source, or /usr/share/doc/litegate. `litegate check-config` reads this file.\n\n\
         network = \"{network}\"\n\
         public_url = \"{public_url}\"\n\
         database = \"{dir}/litegate.db\"\n\
         secret_file = \"{dir}/secret\"\n\n\
         [node]\n\
         rpc_url = \"http://127.0.0.1:{port}\"\n\
         cookie_file = \"{node_dir}/.cookie\"\n\
         zmq_rawtx = \"tcp://127.0.0.1:28332\"\n\
         zmq_hashblock = \"tcp://127.0.0.1:28332\"\n\n\
         [wallet]\n\
         xpub = \"{xpub}\"\n",
        network = new.network,
        xpub = new.xpub,
    );
    if new.has_signing_key {
        let _ = writeln!(text, "signing_key_file = \"{dir}/signing.key\"");
    }
    let _ = write!(text, "\n[sweeper]\nseal_key_file = \"{dir}/seal.key\"\n");
    text
}
