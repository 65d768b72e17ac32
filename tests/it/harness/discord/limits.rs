//! Discord's limits of commands and messages.

use serde_json::{Value, json};

/// The error for commands that exceed Discord's limits.
pub(super) fn refuses_commands(commands: &Value) -> Option<String> {
    let all = commands.as_array()?;
    if all.len() > 100 {
        return Some("more than 100 commands".to_owned());
    }
    for command in all {
        let name = command["name"].as_str().unwrap_or_default();
        // The longest translation counts.
        if longest_texts(command) > 8000 {
            return Some(format!("{name}: too large"));
        }
        for locale in ["de", "es-ES", "es-419", "fr", "pt-BR"] {
            let called =
                |one: &Value| one["name_localizations"][locale].as_str().map(str::to_owned);
            let same = all.iter().filter(|other| called(other) == called(command)).count();
            if called(command).is_some() && same > 1 {
                return Some(format!("{name}: another one is called so in {locale}"));
            }
        }
        if let Some(reason) = refuses_options(command) {
            return Some(reason);
        }
    }
    None
}

/// Characters of a command's names, descriptions and choices, in the longest translations.
fn longest_texts(value: &Value) -> usize {
    let length = |text: &Value| text.as_str().unwrap_or_default().chars().count();
    let longest = |name: &str| {
        let others = value[format!("{name}_localizations")].as_object();
        let others = others.into_iter().flat_map(|all| all.values()).map(length);
        others.chain([length(&value[name])]).max().unwrap_or(0)
    };
    let below = ["options", "choices"].into_iter();
    let below = below.flat_map(|part| value[part].as_array().into_iter().flatten());
    longest("name") + longest("description") + below.map(longest_texts).sum::<usize>()
}

/// The error for a message that exceeds Discord's limits.
pub(super) fn refuses_message(message: &Value) -> Option<String> {
    let chars = |text: &Value| text.as_str().unwrap_or_default().chars().count();
    let mut over = Vec::new();
    let mut limit = |what: &str, length: usize, max: usize| {
        if length > max {
            over.push(format!("{what} has {length}, and {max} are allowed"));
        }
    };
    limit("content", chars(&message["content"]), 2_000);
    for embed in message["embeds"].as_array().into_iter().flatten() {
        limit("embed.title", chars(&embed["title"]), 256);
        limit("embed.description", chars(&embed["description"]), 4_096);
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        limit("embed.fields", fields.len(), 25);
        let mut total = chars(&embed["title"]) + chars(&embed["description"]);
        for field in &fields {
            limit("field.name", chars(&field["name"]), 256);
            limit("field.value", chars(&field["value"]), 1_024);
            // Empty texts are refused, too.
            limit("empty fields", usize::from(chars(&field["value"]) == 0), 0);
            total += chars(&field["name"]) + chars(&field["value"]);
        }
        limit("embed", total, 6_000);
    }
    limit("title of a form", chars(&message["title"]), 45);
    for row in message["components"].as_array().into_iter().flatten() {
        let buttons = row["components"].as_array().cloned().unwrap_or_default();
        limit("row", buttons.len(), 5);
        for button in &buttons {
            let label_max = if button["type"] == json!(4) { 45 } else { 80 };
            limit("label", chars(&button["label"]), label_max);
            limit("custom_id", chars(&button["custom_id"]), 100);
        }
    }
    for choice in message["choices"].as_array().into_iter().flatten() {
        limit("choice", chars(&choice["name"]), 100);
    }
    limit("choices", message["choices"].as_array().map_or(0, Vec::len), 25);
    (!over.is_empty()).then(|| over.join("; "))
}

/// The error for options of a command and its subcommands.
fn refuses_options(command: &Value) -> Option<String> {
    let name_is_fine = |name: &str| {
        (1..=32).contains(&name.chars().count())
            && name.chars().all(|c| c.is_alphanumeric() || "_-'".contains(c))
            && name.to_lowercase() == name
    };
    let names_are_fine = |described: &Value| {
        let others = described["name_localizations"].as_object();
        let mut names = others.into_iter().flat_map(|all| all.values());
        described["name"].as_str().is_some_and(name_is_fine)
            && names.all(|name| name.as_str().is_some_and(name_is_fine))
    };
    let texts = |described: &Value| {
        let others = described["description_localizations"].as_object();
        let others = others.into_iter().flat_map(|all| all.values());
        let all = others.chain([&described["description"]]);
        all.filter_map(|text| text.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let name = command["name"].as_str().unwrap_or_default();
    let options = command["options"].as_array().cloned().unwrap_or_default();
    if options.len() > 25 {
        return Some(format!("{name}: too many options"));
    }
    let parts = options.iter().filter(|option| option["type"] == json!(1));
    if let Some(reason) = parts.filter_map(refuses_options).next() {
        return Some(reason);
    }
    let mut optional_seen = false;
    for described in std::iter::once(command).chain(&options) {
        let described_well =
            texts(described).iter().all(|text| (1..=100).contains(&text.chars().count()));
        if !described_well || !names_are_fine(described) {
            return Some(format!("{name}: {described}"));
        }
        if described["choices"].as_array().is_some_and(|choices| choices.len() > 25) {
            return Some(format!("{name}: too many choices"));
        }
    }
    for option in &options {
        let required = option["required"] == json!(true);
        if required && optional_seen {
            return Some(format!("{name}: required options come first"));
        }
        optional_seen |= !required;
    }
    None
}
