//! The configuration: the commented file in `config/` as defaults, the operator's file over it,
//! the environment over both; then one strict reading into values that mean something.
//!
//! All mistakes are found at once, each named by its key. The only place that reads environment
//! variables.

mod credentials;
mod keys;
mod money;
mod nodes;
mod raw;
mod read;
mod urls;
mod validate;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitcoin::Script;
use bitcoin::bip32::KeySource;
use toml::{Table, Value};

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::node;
use crate::operations::addresses::Addresses;
use crate::operations::reason::Reason;
use crate::operations::{create_payment, merchants, retention};
use crate::safe_file;
use crate::secret::{RowKeys, Secrets, wipe_stack};
use crate::sweeper::private_file::Held;
use crate::view::Site;
use crate::{bot, http, sweeper, watcher, webhooks};

pub(crate) use keys::{Setting, Source};
pub(crate) use read::{row_keys_at, secret_at};
pub(crate) use urls::read_site;
pub(crate) use validate::parse_duration;

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
    /// Where the heads of merchants' rows are kept; absent for a copy that is only examined.
    pub(crate) heads_file: Option<PathBuf>,
    /// The master secret; absent in a process of the sweeper alone ([`Config::secret`]).
    pub(crate) master_secret: Option<Secrets>,
    pub(crate) secret_file: PathBuf,
    /// The keys that the database's rows verify under.
    pub(crate) row_keys: RowKeys,
    /// Where a process of the sweeper alone finds them.
    pub(crate) row_key_file: Option<PathBuf>,
    pub(crate) http: http::Settings,
    /// The nodes that can be followed, at least one, in the operator's order.
    pub(crate) nodes: Vec<node::nodes::Settings>,
    /// How long the node that is followed may be unwell before another is.
    pub(crate) failover_timeout: Duration,
    pub(crate) chain_guard: watcher::chain_guard::Settings,
    /// How often the accounts are audited without being asked for.
    pub(crate) audit_interval: Duration,
    /// What is removed after which time.
    pub(crate) retention: retention::Rules,
    pub(crate) xpub: AccountXpub,
    pub(crate) signing_key_file: Option<PathBuf>,
    /// What opens the signing key's file if that is encrypted.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// What was read of the key files before root's rights were given up.
    pub(crate) held: Held,
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

/// Which process a configuration is read for: it reads no key that it does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Whatever needs the master secret.
    Gateway,
    /// The sweeper alone: the row keys in place of the master secret, and no token of Discord.
    SweeperAlone,
}

impl Config {
    /// The master secret in force and the one before it.
    ///
    /// # Errors
    /// In a process of the sweeper alone, which has none.
    pub(crate) fn secret(&self) -> Result<&Secrets, Mistakes> {
        let missing = || Mistakes(vec!["secret_file was not read by this process".to_owned()]);
        self.master_secret.as_ref().ok_or_else(missing)
    }

    /// The key that names the file from which the row keys come.
    pub(crate) fn row_keys_come_from(&self) -> &'static str {
        match self.master_secret {
            Some(_) => "secret_file",
            None => "sweeper.row_key_file",
        }
    }

    /// The addresses that payments get: the operator's own is never given out.
    pub(crate) fn addresses(&self) -> Addresses {
        let operator = self.sweeper.rules.operator.as_ref().map(|fee| fee.script.clone());
        Addresses::new(self.xpub.clone(), operator)
    }

    /// Checks that the operator's fee does not go to an address of the account. `is_own` says
    /// whether a script is one.
    ///
    /// # Errors
    /// If it is, or what `is_own` fails with.
    pub(crate) fn check_operator_address<E>(
        &self,
        is_own: impl FnOnce(&Script) -> Result<bool, E>,
    ) -> Result<Result<(), Mistakes>, E> {
        let Some(operator) = &self.sweeper.rules.operator else { return Ok(Ok(())) };
        let mistake = format!("sweeper.operator_address {}", Reason::OwnAddress);
        Ok(if is_own(&operator.script)? { Err(Mistakes(vec![mistake])) } else { Ok(()) })
    }

    /// What may wait for payout at most before the operator is warned: of no interest where the key
    /// lies elsewhere.
    pub(crate) fn hot_limit(&self) -> Option<Amount> {
        self.sweeper.max_hot_balance.filter(|_| self.signing_key_file.is_some())
    }

    /// Reads the key files now: the user that this process is about to become may not.
    pub(crate) fn hold_keys(&mut self) {
        let seal_key_file = self.seals.as_ref().map(|seals| seals.key_file.clone());
        let files = [
            self.signing_key_file.clone(),
            self.passphrase_file.clone(),
            self.row_key_file.clone(),
            seal_key_file,
        ];
        self.hold(Held::keys(files.into_iter().flatten()));
    }

    /// As [`Config::hold_keys`], with the sweeper's record.
    pub(crate) fn hold_keys_and_record(&mut self) {
        self.hold_keys();
        if let Some(record) = self.seals.as_ref().map(sweeper::seals::Settings::read_record) {
            self.hold(self.held.clone().with_record(record));
        }
    }

    /// Forgets the key files' texts: who needs a key has it by now.
    pub(crate) fn release_keys(&mut self) {
        self.hold(Held::default());
    }

    fn hold(&mut self, held: Held) {
        if let Some(seals) = &mut self.seals {
            seals.held = held.clone();
        }
        self.held = held;
    }

    /// As [`Config::hold_keys`], the cookies of the nodes.
    pub(crate) fn hold_cookies(&mut self) {
        let nodes = self.nodes.iter_mut().map(|node| &mut node.rpc);
        nodes.chain(&mut self.chain_guard.second_node).for_each(|node| node.auth.hold_cookie());
    }
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

/// The largest configuration, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The configuration's file, if there is one.
fn file_of(named: Option<&Path>) -> Option<PathBuf> {
    let usual = || PLACES.iter().map(PathBuf::from).find(|place| place.exists());
    named.map(Path::to_owned).or_else(usual)
}

/// Refuses a configuration that other users can change: it says where money goes, and which files
/// root's commands write.
///
/// # Errors
/// Who can change it. If it cannot be read, whoever reads it says so.
pub(crate) fn check_file(named: Option<&Path>) -> Result<(), String> {
    let Some(file) = file_of(named) else { return Ok(()) };
    match safe_file::others_who_can_change(&file) {
        Ok(Some(who)) => Err(format!("{}: {who}", file.display())),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// What the configuration is made of.
struct Parts {
    /// The file's, if there is one.
    text: String,
    table: Table,
    /// Names without our prefix, and values.
    variables: Vec<(String, String)>,
}

fn parts(file: Option<&Path>) -> Result<Parts, Mistakes> {
    check_file(file).map_err(|who| Mistakes(vec![who]))?;
    let file = file_of(file);
    let text = match &file {
        Some(file) => read_text(file)
            .map_err(|error| Mistakes(vec![format!("{}: {error}", file.display())]))?,
        None => String::new(), // The environment may say it all.
    };
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let name = file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        Mistakes(vec![format!("{name}: {}", in_one_line(&error.to_string()))])
    })?;
    let variables = std::env::vars().filter_map(|(name, value)| {
        let name = name.strip_prefix(ENVIRONMENT)?;
        (!NO_KEYS.contains(&name) && keys::may_be_meant(name)).then(|| (name.to_owned(), value))
    });
    Ok(Parts { text, table, variables: variables.collect() })
}

fn read_text(file: &Path) -> std::io::Result<String> {
    let bytes = safe_file::read(file, FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("is not text in UTF-8"))
}

/// Reads the configuration: the file named, else the first of the usual places.
///
/// # Errors
/// All mistakes at once, with their lines where the file has them.
pub(crate) fn load(file: Option<&Path>) -> Result<Config, Mistakes> {
    load_for(Process::Gateway, file)
}

/// As [`load`], with the keys that this process needs.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_for(process: Process, file: Option<&Path>) -> Result<Config, Mistakes> {
    let Parts { text, table, variables } = parts(file)?;
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let config = read(process, table, variables.into_iter(), credentials);
    wipe_stack(); // Reading secrets left copies of them there.
    config.map_err(|Mistakes(sentences)| {
        let place = |sentence: String| {
            let key = sentence.split([' ', ':']).next().unwrap_or_default();
            let line = keys::line_of(&text, key);
            line.map(|line| format!("{sentence} (line {line})")).unwrap_or(sentence)
        };
        Mistakes(sentences.into_iter().map(place).collect())
    })
}

/// Every key with the value that counts, and where that comes from; whether it makes sense is not
/// asked.
///
/// # Errors
/// If the file cannot be read, or a variable names no key.
pub(crate) fn settings(file: Option<&Path>) -> Result<Vec<Setting>, Mistakes> {
    let Parts { table, variables, .. } = parts(file)?;
    let mut effective: Table = SAMPLE.parse().expect("the sample is tested to be TOML");
    overlay(&mut effective, table.clone());
    unlist_one_node(&mut effective);
    let names: Vec<String> = variables.iter().map(|(name, _)| name.clone()).collect();
    for (name, value) in variables {
        set_from_environment(&mut effective, &name, value).map_err(|one| Mistakes(vec![one]))?;
    }
    Ok(keys::settings(&effective, &table, &names))
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

/// Whether standard error is connected to systemd's journal, which names device and inode of the
/// stream (systemd.exec(5)).
pub(crate) fn journal_reads_log() -> bool {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    let named = std::env::var("JOURNAL_STREAM").ok();
    let found = std::fs::metadata("/proc/self/fd/2");
    named.zip(found.ok()).is_some_and(|(named, found)| {
        use std::os::unix::fs::MetadataExt;
        named == format!("{}:{}", found.dev(), found.ino())
    })
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
const NO_KEYS: [&str; 3] = ["CRASH_AT", "LOG", "LOG_FORM"];

/// Reads a configuration from its text alone, as `init` and the demo make it.
pub(crate) fn from_text(text: &str) -> Result<Config, Mistakes> {
    let table = text.parse().map_err(|error: toml::de::Error| Mistakes(vec![error.to_string()]))?;
    read(Process::Gateway, table, std::iter::empty(), None)
}

/// Reads a file's table under the environment's words. Secret files are looked for in `credentials`
/// first.
fn read(
    process: Process,
    file: Table,
    environment: impl Iterator<Item = (String, String)>,
    credentials: Option<PathBuf>,
) -> Result<Config, Mistakes> {
    let mut mistakes = Vec::new();
    let mut table: Table = SAMPLE.parse().expect("the sample is tested to be TOML");
    let mut file = file;
    mistakes.extend(keys::take_wrong(&mut file));
    overlay(&mut table, file);
    unlist_one_node(&mut table);
    for (name, value) in environment {
        mistakes.extend(set_from_environment(&mut table, &name, value).err());
    }
    // One node is a list of one.
    if let Some(node) = table.get_mut(NODE).filter(|node| node.is_table()) {
        *node = Value::Array(vec![node.clone()]);
    }
    let raw: Result<raw::Raw, toml::de::Error> = Value::Table(table).try_into();
    let evaluated = match raw {
        Ok(raw) => raw.diagnostics(process, credentials.as_deref()),
        Err(error) => Err(Mistakes(vec![in_one_line(&error.to_string())])),
    };
    match evaluated {
        Ok(config) if mistakes.is_empty() => Ok(config),
        Ok(_) => Err(Mistakes(mistakes)),
        Err(more) => Err(Mistakes([mistakes, more.0].concat())),
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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

/// A list of one node is that node, so that variables can set its keys.
fn unlist_one_node(table: &mut Table) {
    if let Some(Value::Array(list)) = table.get(NODE)
        && let [Value::Table(only)] = &list[..]
    {
        let only = only.clone();
        table.insert(NODE.to_owned(), Value::Table(only));
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
    let known = keys::known();
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

/// Where the package, the units and the operator's guide have the configuration.
const SYSTEM_FOLDER: &str = "/etc/litegate";

/// Where an installation keeps its files.
pub(crate) struct Layout {
    folder: PathBuf,
    database: PathBuf,
    /// Absent: beside the key of the seals.
    seal_state_file: Option<PathBuf>,
}

impl Layout {
    /// The layout of an installation whose configuration lies in this folder: everything beside
    /// it, or what changes under `/var/lib`, as the units expect it.
    pub(crate) fn of(folder: &Path) -> Layout {
        let folder = folder.to_owned();
        if folder == Path::new(SYSTEM_FOLDER) {
            return Layout {
                folder,
                database: "/var/lib/litegate/litegate.db".into(),
                seal_state_file: Some("/var/lib/litegate-sweeper/record".into()),
            };
        }
        Layout { database: folder.join("litegate.db"), seal_state_file: None, folder }
    }

    /// Whether it is the one that the package and the units expect.
    pub(crate) fn is_system(&self) -> bool {
        self.folder == Path::new(SYSTEM_FOLDER)
    }
}

/// Values for a new configuration file, as `init` writes it.
pub(crate) struct NewFile<'n> {
    pub(crate) network: Network,
    pub(crate) layout: &'n Layout,
    /// As it was given: its prefix says what the wallet that it came from expects.
    pub(crate) xpub: &'n str,
    pub(crate) has_signing_key: bool,
    pub(crate) passphrase_file: Option<&'n Path>,
    pub(crate) key_origin: Option<&'n KeySource>,
    pub(crate) public_url: Option<&'n str>,
    /// The name under which the node is asked, with the password in `rpc_password`; absent: by
    /// cookie.
    pub(crate) node_user: Option<&'n str>,
}

/// The text of a new configuration file: what has to be set, and a pointer to the rest.
pub(crate) fn new_file(new: &NewFile) -> String {
    let dir = new.layout.folder.display();
    let (port, node_dir) = match new.network {
        Network::Main => (9332, "/var/lib/litecoind"),
        Network::Test => (19332, "/var/lib/litecoind/testnet4"),
        Network::Regtest => (19443, "/var/lib/litecoind/regtest"),
    };
    let public_url = new.public_url.unwrap_or(match new.network {
        Network::Main | Network::Test => "https://pay.example.com",
        Network::Regtest => "http://127.0.0.1:8080",
    });
    let login = match new.node_user {
        Some(user) => {
            format!("rpc_user = \"{user}\"\nrpc_password_file = \"{dir}/rpc_password\"")
        }
        None => format!("cookie_file = \"{node_dir}/.cookie\""),
    };
    let mut text = format!(
        "# litegate on {network}. All keys with their meaning and defaults: config/litegate.toml\n\
         # of the source, or /usr/share/doc/litegate. `litegate check-config` reads this file.\n\n\
         network = \"{network}\"\n\
         public_url = {public_url}\n\
         database = \"{database}\"\n\
         secret_file = \"{dir}/secret\"\n\n\
         [node]\n\
         rpc_url = \"http://127.0.0.1:{port}\"\n\
         {login}\n\
         zmq_rawtx = \"tcp://127.0.0.1:28332\"\n\
         zmq_hashblock = \"tcp://127.0.0.1:28332\"\n\n\
         [wallet]\n\
         xpub = \"{xpub}\"\n",
        network = new.network,
        public_url = Value::String(public_url.to_owned()),
        database = new.layout.database.display(),
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
    let _ = writeln!(text, "\n[sweeper]\nseal_key_file = \"{dir}/seal.key\"");
    let _ = writeln!(text, "row_key_file = \"{dir}/row.key\"");
    if let Some(file) = &new.layout.seal_state_file {
        let _ = writeln!(text, "seal_state_file = \"{}\"", file.display());
    }
    if new.layout.is_system() {
        let _ = write!(text, "\n[metrics]\nlisten = \"127.0.0.1:9180\"\n");
    }
    text
}
