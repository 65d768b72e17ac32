//! The known keys, by name and type, taken from the sample including its commented lines.
//! Finds misspelt keys, wrong types, the line of a key and the source of its value.
//!
//! Must not know: what a key means.

use serde::Serialize;
use toml::{Table, Value};

/// The commented sample with the defaults.
pub(super) const SAMPLE: &str = include_str!("../../config/litegate.toml");

/// The section that may occur several times, as `[[node]]`.
pub(super) const NODE: &str = "node";

/// A key with its effective value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    /// For example `payments.expiry`.
    pub(crate) key: String,
    /// As TOML. A password in a URL is masked as `***`.
    pub(crate) value: String,
    pub(crate) source: Source,
}

/// The source of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    Default,
    File,
    Environment,
}

/// All known keys, with example values.
pub(super) fn known() -> Table {
    let uncommented: Vec<&str> = SAMPLE
        .lines()
        .map(|line| {
            let rest = line.strip_prefix("# ");
            rest.filter(|rest| is_key_line(rest) || rest.starts_with("[[")).unwrap_or(line)
        })
        .collect();
    uncommented.join("\n").parse().expect("the sample is tested to be TOML")
}

/// Whether a line of the sample sets a key.
fn is_key_line(line: &str) -> bool {
    let name = line.split(" = ").next().unwrap_or_default();
    name.len() < line.len() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// Removes unknown keys and values of the wrong type from a table. Answers a sentence for
/// each.
pub(super) fn take_wrong(table: &mut Table) -> Vec<String> {
    let known = known();
    let mut mistakes = Vec::new();
    take_wrong_of("", table, &known, &known, &mut mistakes);
    for (name, section) in &known {
        let Some(section) = section.as_table() else { continue };
        match table.get_mut(name) {
            Some(Value::Table(found)) => {
                take_wrong_of(&format!("{name}."), found, section, &known, &mut mistakes);
            }
            Some(Value::Array(list)) => {
                for (number, found) in (1..).zip(list.iter_mut().filter_map(Value::as_table_mut)) {
                    let prefix = format!("{name}[{number}].");
                    take_wrong_of(&prefix, found, section, &known, &mut mistakes);
                }
            }
            _ => {}
        }
    }
    mistakes
}

fn take_wrong_of(
    prefix: &str,
    found: &mut Table,
    keys: &Table,
    known: &Table,
    mistakes: &mut Vec<String>,
) {
    found.retain(|key, value| {
        let Some(example) = keys.get(key) else {
            let hint = nearest(key, keys, known);
            let hint = hint.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            mistakes.push(format!("{prefix}{key} is an unknown key{hint}"));
            return false;
        };
        if let (Some(example), Some(list)) = (table_of_list(example), value.as_array_mut()) {
            for (number, found) in (1..).zip(list.iter_mut().filter_map(Value::as_table_mut)) {
                let prefix = format!("{prefix}{key}[{number}].");
                take_wrong_of(&prefix, found, example, known, mistakes);
            }
        }
        // Several nodes are a list of sections.
        let several = key == NODE && value.is_array();
        let decimal = is_decimal(key) && (value.is_float() || value.is_str());
        let right =
            several || decimal || std::mem::discriminant(example) == std::mem::discriminant(value);
        if !right {
            mistakes.push(format!("{prefix}{key} must be {}", kind(example)));
        }
        right
    });
}

/// The first table of a list of tables, such as `[[payments.confirmation_tiers]]`.
fn table_of_list(example: &Value) -> Option<&Table> {
    example.as_array()?.first()?.as_table()
}

/// Whether a key's number may have decimals, or be text.
pub(super) fn is_decimal(key: &str) -> bool {
    ["max_deviation_percent", "spread_percent"].contains(&key)
}

fn kind(example: &Value) -> &'static str {
    match example {
        Value::String(_) => "text in quotes",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(list) if list.iter().any(Value::is_table) => "a list of sections",
        Value::Array(_) => "a list, such as [\"a\", \"b\"]",
        Value::Table(_) => "a section",
        Value::Float(_) | Value::Datetime(_) => "another kind of value",
    }
}

/// The key that was probably meant: the same name in another section, else the name with the
/// fewest edits, if these are few.
fn nearest(key: &str, keys: &Table, known: &Table) -> Option<String> {
    let elsewhere = known.iter().find_map(|(name, section)| {
        section.as_table().filter(|s| s.contains_key(key)).map(|_| format!("{name}.{key}"))
    });
    elsewhere.or_else(|| {
        let near = keys.keys().min_by_key(|known| letters_changed(key, known))?;
        let few = key.len().max(near.len()).div_ceil(3);
        (letters_changed(key, near) <= few).then(|| near.clone())
    })
}

/// Whether an environment variable (without our prefix) is meant as a configuration key: it
/// names a section, a key, or nearly a key without section. Others belong to other programs,
/// such as `LITEGATE_BIN` of a script.
pub(super) fn may_be_meant(variable: &str) -> bool {
    let (name, known) = (variable.to_ascii_lowercase(), known());
    let is_near = |key: &String| letters_changed(&name, key) <= name.len().div_ceil(4);
    let of_a_section = |value: &Value| value.as_table().is_some_and(|s| s.contains_key(&name));
    name.contains("__") || known.keys().any(is_near) || known.values().any(of_a_section)
}

/// Levenshtein distance.
fn letters_changed(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at.saturating_add(1);
        for (column, other) in b.iter().enumerate() {
            let next = column.saturating_add(1);
            let replaced = diagonal.saturating_add(usize::from(letter != *other));
            diagonal = row[next];
            row[next] = replaced.min(row[next].min(row[column]).saturating_add(1));
        }
    }
    row[b.len()]
}

/// The line (from 1) of a key such as `payments.expiry`, or of a section.
pub(super) fn line_of(text: &str, key: &str) -> Option<usize> {
    let (wanted_section, wanted) = key.rsplit_once('.').unwrap_or(("", key));
    let mut section = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.trim().clone_into(&mut section);
            if section == key {
                return Some(number);
            }
        } else if section == wanted_section
            && line.split_once('=').is_some_and(|(name, _)| name.trim() == wanted)
        {
            return Some(number);
        }
    }
    None
}

/// All keys with a value, in the sample's order. The source is a key of `file`, the name of a
/// variable such as `PAYMENTS__EXPIRY`, or the default.
pub(super) fn settings(effective: &Table, file: &Table, variables: &[String]) -> Vec<Setting> {
    let mut settings = Vec::new();
    let source = |section: Option<&str>, key: &str| {
        let variable = section.map(|s| format!("{s}__{key}")).unwrap_or(key.to_owned());
        let in_file = match section {
            Some(section) => match file.get(section) {
                // A list of one, as `[[node]]`.
                Some(Value::Array(list)) => list.iter().any(|one| one.get(key).is_some()),
                found => found.and_then(|found| found.get(key)).is_some(),
            },
            None => file.contains_key(key),
        };
        if variables.iter().any(|name| name.eq_ignore_ascii_case(&variable)) {
            Source::Environment
        } else if in_file {
            Source::File
        } else {
            Source::Default
        }
    };
    for (name, value) in effective {
        if let Value::Array(list) = value
            && list.iter().all(Value::is_table)
        {
            // Several sections of one name, as `[[node]]`: keys are numbered.
            for (number, section) in (1..).zip(list.iter().filter_map(Value::as_table)) {
                let of_section = |(key, value): (&String, &Value)| Setting {
                    key: format!("{name}[{number}].{key}"),
                    value: shown(value),
                    source: Source::File,
                };
                settings.extend(section.iter().map(of_section));
            }
            continue;
        }
        let Value::Table(section) = value else {
            let source = source(None, name);
            settings.push(Setting { key: name.clone(), value: shown(value), source });
            continue;
        };
        for (key, value) in section {
            let source = source(Some(name), key);
            settings.push(Setting { key: format!("{name}.{key}"), value: shown(value), source });
        }
    }
    settings
}

/// A value as TOML, with the password of a URL masked.
fn shown(value: &Value) -> String {
    let password = value.as_str().and_then(|text| url::Url::parse(text).ok());
    match password {
        Some(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("***")); // It cannot fail: a URL with a password has a host.
            Value::String(url.to_string()).to_string()
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_each_node_are_hidden() {
        let text =
            "[[node]]\nrpc_url = \"http://u:hush@127.0.0.1:1\"\n[[node]]\nrpc_url = \"http://a\"";
        let table: Table = text.parse().expect("TOML");
        let shown: Vec<String> = settings(&table, &table, &[])
            .iter()
            .map(|s| format!("{} {}", s.key, s.value))
            .collect();
        assert_eq!(
            shown,
            ["node[1].rpc_url \"http://u:***@127.0.0.1:1/\"", "node[2].rpc_url \"http://a\""]
        );
    }

    #[test]
    fn a_misspelt_key_gets_a_suggestion() {
        let known = known();
        #[track_caller]
        fn check(known: &Table, section: &str, key: &str, guess: Option<&str>) {
            let keys = known.get(section).and_then(Value::as_table).unwrap_or(known);
            assert_eq!(nearest(key, keys, known).as_deref(), guess, "{key}");
        }
        check(&known, "payments", "confirmation", Some("confirmations"));
        check(&known, "payments", "large_amnt", Some("large_amount"));
        check(&known, "", "netwrok", Some("network"));
        check(&known, "", "expiry", Some("payments.expiry"));
        check(&known, "payments", "something_else_altogether", None);
    }

    #[test]
    fn foreign_variables_are_distinguished_from_misspelt_ones() {
        for meant in ["NETWORK", "NETWROK", "DATABSE", "XPUB", "NODE", "PAYMENTS__CONFIRMATION"] {
            assert!(may_be_meant(meant), "{meant}");
        }
        for other in ["BIN", "HOME", "VERSION", "API_KEY", "TEST_DIR"] {
            assert!(!may_be_meant(other), "{other}");
        }
    }

    #[test]
    fn the_line_of_a_key_is_found_in_its_section() {
        let text =
            "network = \"main\"\n\n[payments]\n# expiry\nexpiry = \"1\"\n\n[sweeper]\nexpiry=2\n";
        assert_eq!(line_of(text, "network"), Some(1));
        assert_eq!(line_of(text, "payments.expiry"), Some(5));
        assert_eq!(line_of(text, "sweeper.expiry"), Some(8));
        assert_eq!(line_of(text, "sweeper"), Some(7));
        assert_eq!(line_of(text, "sweeper.interval"), None);
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        let value = Value::String("http://me:hunter2@127.0.0.1:9332/".to_owned());
        assert_eq!(shown(&value), "\"http://me:***@127.0.0.1:9332/\"");
    }
}
