//! Facts that the documents state about the program: commands, options, configuration keys,
//! defaults, environment variables, log lines, error codes and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::files;
use crate::harness::gateway::Gateway;

fn read(path: &str) -> String {
    let file = files::project().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All documents, except the generated list of messages.
fn documents() -> Vec<(PathBuf, String)> {
    let root = files::project();
    let mut pages = files::files_below(&root.join("static/docs"), ".md");
    pages.extend(["README.md", "CONTRIBUTING.md", "litecoind/README.md"].map(|p| root.join(p)));
    pages.retain(|page| !page.ends_with("MESSAGES.md"));
    assert!(pages.len() > 50, "{pages:?}");
    pages.into_iter().map(|page| (page.clone(), fs::read_to_string(page).unwrap())).collect()
}

/// The lines of fenced blocks, and the code spans, each in one line.
fn code_of(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut prose, mut inside) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            lines.push(line.trim().to_owned());
        } else {
            prose.push_str(line.trim());
            prose.push(' ');
        }
    }
    let spans = prose.split('`').skip(1).step_by(2);
    (lines, spans.map(|span| span.replace("\\|", "|")).collect())
}

/// The sources below a folder, in one text.
fn sources(folder: &str) -> String {
    let found = files::files_below(&files::project().join(folder), ".rs");
    found.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// The help text of the command that `line` begins with, or why there is none.
fn help_of(
    line: &str,
    known: &mut BTreeMap<String, Option<String>>,
    gateway: &Gateway,
) -> Result<String, String> {
    let is_name = |word: &str| {
        word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
    };
    let (mut command, mut text) = (Vec::new(), None);
    for word in line.split_whitespace().skip(1).take_while(|word| is_name(word)) {
        command.push(word);
        let key = command.join(" ");
        let found = known.entry(key.clone()).or_insert_with(|| {
            let output = gateway.run(&[&command[..], &["--help"]].concat());
            let usage = format!("Usage: litegate {key}");
            (output.code == 0 && output.stdout.contains(&usage)).then_some(output.stdout)
        });
        match found {
            Some(found) => text = Some(found.clone()),
            // An argument of the command so far, unless that needs a subcommand.
            None if text.as_ref().is_some_and(|text| !text.contains("\nCommands:")) => break,
            None => return Err(format!("`litegate {key}` is no command")),
        }
    }
    text.ok_or_else(|| "names no command".to_owned())
}

/// 1. Collect every `litegate …` of the documents, in blocks and in sentences.
/// 2. The command exists, and its help names each option.
#[test]
fn documented_commands_and_options_exist() {
    let gateway = Gateway::bare();
    let (mut known, mut tried, mut wrong) = (BTreeMap::new(), 0, Vec::new());
    for (page, text) in documents() {
        let (lines, spans) = code_of(&text);
        for line in lines.iter().chain(&spans).filter(|line| line.starts_with("litegate ")) {
            // `litegate merchant …` and `litegate …` stand for several commands.
            let several = line.contains('…') && line.split_whitespace().count() < 4;
            if several || line.as_str() == "litegate --version" {
                continue;
            }
            tried += 1;
            let problems = match help_of(line, &mut known, &gateway) {
                Err(why) => vec![why],
                Ok(help) => {
                    let options = line.split([' ', '(', '|', '[', ']']);
                    let options = options.filter(|word| word.starts_with("--") && word.len() > 2);
                    let options = options.map(|word| word.split('=').next().unwrap());
                    let names: BTreeSet<&str> = help.split([' ', ',', '\n', '=', '[']).collect();
                    let absent = options.filter(|option| !names.contains(option));
                    absent.map(|option| format!("{option} is no option")).collect()
                }
            };
            wrong.extend(problems.iter().map(|why| format!("{}: {line}: {why}", page.display())));
        }
    }
    assert!(tried > 150, "{tried} commands only");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The keys of the sample configuration with their values as text; commented ones included.
fn config_keys() -> BTreeMap<String, String> {
    let (mut section, mut keys) = (String::new(), BTreeMap::new());
    for line in read("config/litegate.toml").lines() {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_matches(['[', ']']);
            section = format!("{name}.");
            if name.contains('.') {
                keys.insert(name.to_owned(), "[section]".to_owned());
            }
        } else if let Some((key, value)) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            keys.insert(format!("{section}{key}"), value.trim_matches('"').to_owned());
        }
    }
    keys
}

/// 1. Each `section.key` and each `LITEGATE_SECTION__KEY` of the documents is a configuration key.
/// 2. A limit written as "`section.key`, 250,000" or "…, 90 days" is the default.
#[test]
fn documented_config_keys_and_defaults_are_true() {
    let keys = config_keys();
    let sections: BTreeSet<&str> =
        keys.keys().filter_map(|key| Some(key.split_once('.')?.0)).collect();
    // Of the log, of tests, and examples.
    let others = ["log", "log_form", "section.key", "bin"];
    let (mut seen, mut wrong) = (0, Vec::new());
    for (page, text) in documents() {
        let (lines, spans) = code_of(&text);
        for span in &spans {
            let Some((section, key)) = span.split_once('.') else { continue };
            let is_key = key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let is_file = ["rs", "token", "toml", "db", "ftl"].contains(&key);
            if sections.contains(section) && is_key && !is_file {
                seen += 1;
                if !keys.contains_key(span) {
                    wrong.push(format!("{}: {span}", page.display()));
                }
            }
        }
        for word in lines.iter().chain(&spans).flat_map(|code| code.split([' ', '=', '"'])) {
            let Some(name) = word.strip_prefix("LITEGATE_") else { continue };
            let key = name.to_lowercase().replace("__", ".");
            if key.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c))
                && !keys.contains_key(&key)
                && !others.contains(&key.as_str())
            {
                wrong.push(format!("{}: {word}", page.display()));
            }
        }
    }
    assert!(seen > 80, "{seen} keys only");
    let limits = read("static/docs/reference/limits.md");
    let mut compared = 0;
    for (key, default) in &keys {
        let found = limits.split_once(&format!("`{key}`, "));
        let Some((_, rest)) = found.filter(|_| !default.starts_with('[')) else { continue };
        let number: String = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == ',')
            .filter(|c| *c != ',')
            .collect();
        compared += 1;
        if number != default.trim_end_matches(char::is_alphabetic) || number.is_empty() {
            wrong.push(format!("limits.md: {key} is {default}, not {number:?}"));
        }
    }
    assert!(compared >= 8, "{compared} defaults only");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// 1. Take the quoted messages of the troubleshooting pages.
/// 2. The source has each of them, in the same words.
#[test]
fn messages_quoted_by_the_guides_exist_in_the_source() {
    let mut source = String::new();
    for line in sources("src").lines() {
        // A literal that continues on the next line.
        match line.trim().strip_suffix('\\') {
            Some(part) => source.push_str(part),
            None => source.extend([line.trim(), "\n"]),
        }
    }
    let source = source.replace("\\\"", "\"");
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in ["troubleshooting", "discord", "audit", "audit-log", "payouts", "several-nodes"] {
        let text = read(&format!("static/docs/how-to/{page}.md"));
        let commands = ["litegate ", "systemctl ", "restore ", "merchant ", "sweep --", "curl "];
        for span in code_of(&text).1 {
            let is_message = span.split_whitespace().count() >= 3
                && !span.contains(['=', '/'])
                && !commands.iter().any(|command| span.starts_with(command));
            if !is_message {
                continue;
            }
            seen += 1;
            // The program fills in numbers and what the page leaves out.
            let parts = span.split(|c: char| "…(){}".contains(c) || c.is_ascii_digit());
            let absent: Vec<_> = parts
                .map(|part| part.trim_matches([' ', ':', ',']))
                .filter(|part| part.contains(' ') && !source.contains(part))
                .collect();
            if !absent.is_empty() {
                wrong.push(format!("{page}: {absent:?}"));
            }
        }
    }
    assert!(seen > 40, "{seen} messages only");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The reference and the guide explain exactly the error codes of the OpenAPI document.
#[test]
fn every_error_code_is_explained() {
    let openapi: Value = serde_json::from_str(&read("static/openapi.json")).unwrap();
    let codes = openapi["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    let codes: BTreeSet<&str> = codes.iter().filter_map(Value::as_str).collect();
    let page = read("static/docs/reference/errors.md");
    let table = page.split("## Error codes of the API").nth(1).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    assert_eq!(documented, codes);
    let guide = read("static/guide.html");
    for code in codes {
        assert!(guide.contains(&format!("id=\"{code}\"")), "the guide lacks the anchor {code}");
    }
}

/// 1. Each `#heading` that a link names exists on its page.
/// 2. Each test filter of a `cargo test` command matches a test or a module.
#[test]
fn documented_anchors_and_test_filters_exist() {
    let all = sources("tests/it") + &sources("src");
    let mut wrong = Vec::new();
    for (page, text) in documents() {
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            let Some((file, anchor)) = target.split_once('#') else { continue };
            let file =
                if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            if target.contains("://") || file.extension().is_none_or(|kind| kind != "md") {
                continue;
            }
            let headings = fs::read_to_string(&file).unwrap_or_default();
            let known = headings.lines().filter(|line| line.starts_with('#')).any(|line| {
                let words = line.trim_start_matches('#').trim().to_lowercase();
                let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
                words.chars().filter(kept).collect::<String>().replace(' ', "-") == anchor
            });
            if !known {
                wrong.push(format!("{}: {target}", page.display()));
            }
        }
        let (lines, spans) = code_of(&text);
        for command in lines.iter().chain(&spans).filter(|code| code.contains("cargo test ")) {
            let words = command.split(" #").next().unwrap().split_whitespace();
            let words = words.skip_while(|word| *word != "cargo").skip(2);
            let words = words.filter(|word| !word.starts_with('-') && *word != "it");
            for name in words.flat_map(|word| word.split("::")) {
                let is_name =
                    name.chars().all(|c| c.is_ascii_lowercase() || "_0123456789".contains(c));
                if is_name && !all.contains(&format!("mod {name}")) && !names_a_test(&all, name) {
                    wrong.push(format!("{}: {command}: no test {name}", page.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether the name of a function contains a filter.
fn names_a_test(sources: &str, filter: &str) -> bool {
    let functions = sources.split("fn ").skip(1);
    functions.filter_map(|rest| rest.split('(').next()).any(|name| name.contains(filter))
}
