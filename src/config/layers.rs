//! The layers of the configuration: defaults, then the file, then environment variables.
//!
//! Must not know: what a key means.

use toml::{Table, Value};

use super::keys::{self, NODE};

/// Prefix of all environment variables of litegate.
pub(super) const ENVIRONMENT: &str = "LITEGATE_";

/// Merges `over` into `under`, section by section.
pub(super) fn overlay(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(section)), Value::Table(over)) => overlay(section, over),
            // Several nodes: each is merged over the defaults of one.
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

/// Turns a list of one node into a section, so that variables can set its keys.
pub(super) fn unlist_one_node(table: &mut Table) {
    if let Some(Value::Array(list)) = table.get(NODE)
        && let [Value::Table(only)] = &list[..]
    {
        let only = only.clone();
        table.insert(NODE.to_owned(), Value::Table(only));
    }
}

/// Sets a key from a variable such as `HTTP__LISTEN`. The type of the default decides how the
/// value is parsed.
pub(super) fn set_from_environment(
    table: &mut Table,
    name: &str,
    text: String,
) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    let (section, key) = match lower.split_once("__") {
        Some((section, key)) => {
            let unknown = || match table.get(section) {
                Some(Value::Array(_)) => format!(
                    "{ENVIRONMENT}{name} is ambiguous: there are several sections [[{section}]]; set \
                     the key in the file"
                ),
                _ => format!("{ENVIRONMENT}{name} names an unknown section {section}"),
            };
            if !table.get(section).is_some_and(Value::is_table) {
                return Err(unknown());
            }
            (table.get_mut(section).and_then(Value::as_table_mut).expect("checked above"), key)
        }
        None => (table, lower.as_str()),
    };
    let known = keys::known();
    let known = match lower.split_once("__") {
        Some((section, _)) => known.get(section).and_then(Value::as_table).cloned(),
        None => Some(known),
    };
    if !known.as_ref().is_some_and(|known| known.contains_key(key)) {
        return Err(format!("{ENVIRONMENT}{name} names an unknown key"));
    }
    let bad = |kind: &str| format!("{ENVIRONMENT}{name} must be {kind}");
    let value = match section.get(key).or(known.as_ref().and_then(|known| known.get(key))) {
        Some(Value::Integer(_)) if keys::is_decimal(key) => Value::String(text),
        Some(Value::Table(_)) => table_of(&text).ok_or_else(|| bad("a list such as a=b,c=d"))?,
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

/// A table from text such as `EUR=80.00,USD=90`.
fn table_of(text: &str) -> Option<Value> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let pairs = parts.map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_owned(), Value::String(value.trim().to_owned())))
    });
    pairs.collect::<Option<Table>>().map(Value::Table)
}
