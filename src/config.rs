//! The configuration: the commented file in `config/` as defaults, the operator's file over it,
//! the environment over both; then one strict reading into values that mean something.
//!
//! All mistakes are found at once, each named by its key. The only place that reads environment
//! variables.

mod judge;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitcoin::bip32::KeySource;
use toml::{Table, Value};

use crate::acts::{create_payment, merchants};
use crate::clock::Clock;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::node::nodes;
use crate::secret::MasterSecret;
use crate::view::Site;
use crate::{bot, http, sweeper, watcher, webhooks};

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
    /// The mark that says which addresses were given out.
    pub(crate) high_water_file: PathBuf,
    pub(crate) secret: MasterSecret,
    pub(crate) secret_file: PathBuf,
    pub(crate) http: http::Settings,
    /// The nodes that can be followed, at least one, in the operator's order.
    pub(crate) nodes: Vec<nodes::Settings>,
    /// How long the node that is followed may be unwell before another is.
    pub(crate) failover_patience: Duration,
    pub(crate) doubt: watcher::doubt::Settings,
    pub(crate) xpub: AccountXpub,
    pub(crate) signing_key_file: Option<PathBuf>,
    /// What opens the signing key's file if that is encrypted.
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) payments: create_payment::Rules,
    pub(crate) merchants: merchants::Rules,
    pub(crate) sweeper: sweeper::Settings,
    /// Absent: there is no seal key.
    pub(crate) seals: Option<sweeper::seals::Settings>,
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

/// The section that may be there several times, as `[[node]]`.
const NODE: &str = "node";

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
    // One node is a list of one.
    if let Some(node) = table.get_mut(NODE).filter(|node| node.is_table()) {
        *node = Value::Array(vec![node.clone()]);
    }
    let raw: judge::Raw = Value::Table(table)
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
        let Some(known) = section.as_table() else { continue };
        match table.get(name) {
            Some(Value::Table(found)) => check(&format!("{name}."), found, known),
            Some(Value::Array(list)) if name == NODE => {
                for (number, found) in (1..).zip(list.iter().filter_map(Value::as_table)) {
                    check(&format!("{name}[{number}]."), found, known);
                }
            }
            _ => {}
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
            // Several nodes: each over the defaults of one.
            (Some(place @ Value::Table(_)), Value::Array(list)) if key == NODE => {
                let Value::Table(defaults) = &*place else { continue };
                let each = list.into_iter().map(|one| match one {
                    Value::Table(one) => {
                        let mut section = defaults.clone();
                        overlay(&mut section, one);
                        Value::Table(section)
                    }
                    other => other,
                });
                *place = Value::Array(each.collect());
            }
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
            let unknown = || match table.get(section) {
                Some(Value::Array(_)) => format!(
                    "{ENVIRONMENT}{name}: there are several sections [[{section}]], so that is not \
                     clear; set it in the file"
                ),
                _ => format!("{ENVIRONMENT}{name}: there is no section {section}"),
            };
            if !table.get(section).is_some_and(Value::is_table) {
                return Err(unknown());
            }
            (table.get_mut(section).and_then(Value::as_table_mut).expect("it was seen"), key)
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

/// Values for a new configuration file, as `init` writes it.
pub(crate) struct NewFile<'n> {
    pub(crate) network: Network,
    pub(crate) dir: &'n Path,
    pub(crate) xpub: &'n AccountXpub,
    pub(crate) has_signing_key: bool,
    pub(crate) passphrase_file: Option<&'n Path>,
    pub(crate) key_origin: Option<&'n KeySource>,
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
    if let Some(file) = new.passphrase_file {
        let _ = writeln!(text, "passphrase_file = \"{}\"", file.display());
    }
    if let Some((fingerprint, path)) = new.key_origin {
        let _ = writeln!(text, "key_origin = \"{fingerprint}/{path}\"");
    }
    let _ = write!(text, "\n[sweeper]\nseal_key_file = \"{dir}/seal.key\"\n");
    text
}
