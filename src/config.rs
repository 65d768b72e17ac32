//! The configuration: the defaults of `config/litegate.toml`, the operator's file, the
//! environment.
//!
//! Reports all mistakes at once, each named by its key. The only module that reads environment
//! variables.

mod credentials;
mod effective;
mod keys;
mod layers;
mod money;
mod new_file;
mod nodes;
mod rates;
mod raw;
mod read;
mod urls;
mod validate;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::safe_file;
use crate::secret::wipe_stack;

use keys::{NODE, SAMPLE};
use layers::{ENVIRONMENT, overlay, set_from_environment, unlist_one_node};

pub(crate) use effective::{Config, Mistakes, Process};
pub(crate) use keys::{Setting, Source};
pub(crate) use new_file::{Layout, NewFile, new_file};
pub(crate) use read::{row_keys_at, secret_at};
pub(crate) use urls::read_site;
pub(crate) use validate::parse_duration;

/// Default places of the configuration file.
const PLACES: [&str; 2] = ["litegate.toml", "/etc/litegate/litegate.toml"];

/// The first mistake if there are others and no file.
const NO_FILE: &str = "neither ./litegate.toml nor /etc/litegate/litegate.toml exists: name the \
                       configuration file by --config, or run litegate init";

/// Largest configuration file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The path of the configuration file, if there is one.
fn file_of(named: Option<&Path>) -> Option<PathBuf> {
    let usual =
        || PLACES.iter().map(PathBuf::from).find(|place| place.try_exists().unwrap_or(true)); // Reading it reports the reason.
    named.map(Path::to_owned).or_else(usual)
}

/// Refuses a configuration file that other users can change: it decides where money goes and
/// which files root's commands write.
///
/// # Errors
/// The user or group that can change it. A file that cannot be read is not reported here, but
/// when it is read.
pub(crate) fn check_file(named: Option<&Path>) -> Result<(), String> {
    let Some(file) = file_of(named) else { return Ok(()) };
    match safe_file::others_who_can_change(&file) {
        Ok(Some(who)) => Err(format!("{}: {who}", file.display())),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// The sources of the configuration.
struct Parts {
    /// Whether there is a file.
    found: bool,
    /// Text of the file; empty without one.
    text: String,
    table: Table,
    /// Environment variables: names without the prefix, and values.
    variables: Vec<(String, String)>,
}

fn parts(file: Option<&Path>) -> Result<Parts, Mistakes> {
    check_file(file).map_err(|who| Mistakes(vec![who]))?;
    let file = file_of(file);
    let text = match &file {
        Some(file) => read_text(file)
            .map_err(|error| Mistakes(vec![format!("{}: {error}", file.display())]))?,
        None => String::new(), // The environment may set every key.
    };
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let name = file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        Mistakes(vec![format!("{name}: {}", in_one_line(&error.to_string()))])
    })?;
    let variables = std::env::vars().filter_map(|(name, value)| {
        let name = name.strip_prefix(ENVIRONMENT)?;
        (!NO_KEYS.contains(&name) && keys::may_be_meant(name)).then(|| (name.to_owned(), value))
    });
    Ok(Parts { found: file.is_some(), text, table, variables: variables.collect() })
}

fn read_text(file: &Path) -> std::io::Result<String> {
    let bytes = safe_file::read(file, FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("must be UTF-8 text"))
}

/// Loads the configuration from the named file, or from the first default place that exists.
///
/// # Errors
/// All mistakes at once, with line numbers for keys that the file sets.
pub(crate) fn load(file: Option<&Path>) -> Result<Config, Mistakes> {
    load_for(Process::Gateway, file)
}

/// As [`load`], reading only the secrets that this process needs.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_for(process: Process, file: Option<&Path>) -> Result<Config, Mistakes> {
    let Parts { found, text, table, variables } = parts(file)?;
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let config = read(process, table, variables.into_iter(), credentials);
    wipe_stack(); // Reading secrets leaves copies on the stack.
    config.map_err(|Mistakes(sentences)| {
        let place = |sentence: String| {
            let key = sentence.split([' ', ':']).next().unwrap_or_default();
            let line = keys::line_of(&text, key);
            line.map(|line| format!("{sentence} (line {line})")).unwrap_or(sentence)
        };
        let no_file = (!found).then(|| NO_FILE.to_owned());
        Mistakes(no_file.into_iter().chain(sentences.into_iter().map(place)).collect())
    })
}

/// All keys with their effective values and sources, not validated.
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

/// The name of a crash point that a test armed (debug builds only).
pub(crate) fn crash_point() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    std::env::var("LITEGATE_CRASH_AT").ok()
}

/// The log filter, in the syntax of `tracing_subscriber::EnvFilter`.
pub(crate) fn log_filter() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    std::env::var("LITEGATE_LOG").ok()
}

/// Whether standard error is connected to systemd's journal: `JOURNAL_STREAM` names device and
/// inode of the stream (systemd.exec(5)).
pub(crate) fn journal_reads_log() -> bool {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    let named = std::env::var("JOURNAL_STREAM").ok();
    let found = std::fs::metadata("/proc/self/fd/2");
    named.zip(found.ok()).is_some_and(|(named, found)| {
        use std::os::unix::fs::MetadataExt;
        named == format!("{}:{}", found.dev(), found.ino())
    })
}

/// The litecoind named by the environment.
pub(crate) fn litecoind() -> Option<PathBuf> {
    std::env::var_os("LITECOIND").map(PathBuf::from)
}

/// The directories of `PATH`.
pub(crate) fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Environment variables with our prefix that are not configuration keys.
const NO_KEYS: [&str; 3] = ["CRASH_AT", "LOG", "LOG_FORM"];

/// Reads a configuration from text, without files or environment (`init`, demo).
pub(crate) fn from_text(text: &str) -> Result<Config, Mistakes> {
    let table = text.parse().map_err(|error: toml::de::Error| Mistakes(vec![error.to_string()]))?;
    read(Process::Gateway, table, std::iter::empty(), None)
}

/// Reads a file's table with the environment over it. Secret files in `credentials` take
/// precedence.
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
    // A single node becomes a list of one.
    if let Some(node) = table.get_mut(NODE).filter(|node| node.is_table()) {
        *node = Value::Array(vec![node.clone()]);
    }
    let raw: Result<raw::Raw, toml::de::Error> = Value::Table(table).try_into();
    let validated = match raw {
        Ok(raw) => raw.validate(process, credentials.as_deref()),
        Err(error) => Err(Mistakes(vec![in_one_line(&error.to_string())])),
    };
    match validated {
        Ok(config) if mistakes.is_empty() => Ok(config),
        Ok(_) => Err(Mistakes(mistakes)),
        Err(more) => Err(Mistakes([mistakes, more.0].concat())),
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
