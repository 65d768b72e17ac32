//! Architecture rules, read from the source as text: layers, homes of crates, places of SQL,
//! forbidden words.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::harness::files;

/// The rows of the house. A file may import files of a smaller number only; those of row 6 and
/// the folders of row 5 also those that stand before them.
const ROWS: [(&str, u32); 31] = [
    ("domain", 10),
    ("view", 20),
    ("safe_file", 19),
    ("privileges", 20),
    ("i18n", 20),
    ("secret", 20),
    ("progress", 20),
    ("rate_limit", 20),
    ("logging", 20),
    ("metrics", 20),
    ("watchdog", 20),
    ("notifier", 20),
    ("clock", 20),
    ("crash", 18),
    ("store", 30),
    ("node", 30),
    ("outbound", 25),
    ("rates", 31),
    ("operations", 40),
    ("watcher", 50),
    ("webhooks", 51),
    ("sweeper", 52),
    ("http", 53),
    ("bot", 54),
    ("config", 60),
    ("serve", 61),
    ("cli", 62),
    ("bench", 80),
    ("fuzzing", 81),
    ("lib", 90),
    ("main", 91),
];

/// Crates that may be imported in one place only.
const HOMES: [(&str, &[&str]); 30] = [
    ("warp", &["http/"]),
    ("hyper", &["http/"]),
    ("hyper_util", &["http/"]),
    ("tower", &["http/"]),
    ("tower_http", &["http/"]),
    ("http_body_util", &["http/"]),
    ("fluent_bundle", &["i18n.rs"]),
    ("fluent_syntax", &["i18n.rs", "i18n/"]),
    ("askama", &["http/checkout.rs"]),
    ("csv", &["http/"]),
    ("qrcode", &["http/"]),
    ("prometheus", &["http/", "metrics.rs"]),
    ("poise", &["bot/"]),
    ("serenity", &["bot/"]),
    ("rusqlite", &["store/"]),
    ("r2d2", &["store/"]),
    ("scheduled_thread_pool", &["store/"]),
    ("bitcoincore_rpc", &["node/"]),
    ("zmq", &["node/"]),
    ("reqwest", &["outbound.rs", "webhooks/"]),
    ("toml", &["config.rs", "config/", "cli/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("bip39", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("totp_rs", &["secret/"]),
    ("iso_currency", &["domain/fiat.rs"]),
    ("quick_xml", &["rates/"]),
    ("time", &["view/"]),
];

/// Words that say nothing about a thing.
const EMPTY_WORDS: [&str; 7] = ["manager", "handler", "helper", "util", "utils", "service", "info"];

/// A source file of ours: its path below `src`, and its lines without comments and unit tests.
struct Source {
    path: String,
    lines: Vec<(usize, String)>,
}

fn sources() -> Vec<Source> {
    let root = files::project().join("src");
    let found = files::files_below(&root, ".rs");
    assert!(found.len() > 10, "the source is there");
    found
        .iter()
        .map(|file| {
            let path = file.strip_prefix(&root).unwrap().display().to_string();
            let text = fs::read_to_string(file).unwrap();
            let is_test = path.ends_with("tests.rs") || path.contains("/tests/");
            let lines = if is_test { Vec::new() } else { code_lines(&text) };
            Source { path, lines }
        })
        .collect()
}

/// The numbered lines up to an inline module of unit tests, less comments.
fn code_lines(text: &str) -> Vec<(usize, String)> {
    let inline_tests = text.find("#[cfg(test)]\nmod tests {");
    text[..inline_tests.unwrap_or(text.len())]
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let code = match line.find("//") {
                // An address in a string is no comment.
                Some(at) if !line[..at].ends_with(':') => &line[..at],
                _ => line,
            };
            (index + 1, code.to_owned())
        })
        .collect()
}

impl Source {
    /// The part of the house to which the file belongs: `store`, `config`.
    fn part(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// All lines as one.
    fn code(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|(_, line)| line.trim()).collect();
        lines.join(" ")
    }

    /// The `use` declarations, each as one line.
    fn imports(&self) -> Vec<String> {
        let text = self.code();
        let declarations = text.split("use ").skip(1);
        declarations.map(|rest| format!("use {}", rest.split(';').next().unwrap())).collect()
    }

    fn row(&self) -> u32 {
        row(self.part()).unwrap_or_else(|| panic!("src/{} is in no row of the house", self.path))
    }
}

fn row(part: &str) -> Option<u32> {
    ROWS.iter().find(|(name, _)| *name == part).map(|(_, row)| *row)
}

/// The names that follow `prefix` as a whole path: `crate::store::x` gives `store`.
fn names_after<'l>(line: &'l str, prefix: &str) -> Vec<&'l str> {
    let mut names = Vec::new();
    let mut from = 0;
    while let Some(at) = line[from..].find(prefix) {
        let start = from + at;
        let end = start + prefix.len();
        from = end;
        if line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &line[end..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(items_of_group(group).into_iter().map(first_name)),
            None => names.push(first_name(rest)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The name with which a path begins.
fn first_name(path: &str) -> &str {
    let path = path.trim_start();
    let length = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    &path[..length.unwrap_or(path.len())]
}

/// The items of a braced group, after its opening brace. Nested groups belong to an item.
fn items_of_group(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut items) = (1, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (c == ',' && depth == 1) {
            items.push(&group[from..at]);
            from = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    items
}

/// Whether the line uses this crate by its name.
fn uses_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let by_path = line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    });
    by_path || line.trim() == format!("use {name};")
}

#[track_caller]
fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// Each layer imports lower layers only.
#[test]
fn a_layer_imports_only_lower_layers() {
    let mut found = Vec::new();
    for source in sources() {
        // As one line: a `use` may take several.
        for name in names_after(&source.code(), "crate::") {
            let Some(row) = row(name) else { continue };
            if name != source.part() && row >= source.row() {
                found.push(format!("src/{}: {name}", source.path));
            }
        }
    }
    none("imports against the rows of the house", found);
}

/// The modules of each folder, and for each the modules beside it that it imports: `store` has
/// `sweeps`, which imports `coins`. A file in a folder of its own counts as its folder.
fn imports_within_folders() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let mut folders: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for source in sources() {
        let parts: Vec<&str> = source.path.trim_end_matches(".rs").split('/').collect();
        let code = source.code();
        for depth in 1..parts.len() {
            let (folder, module) = (parts[..depth].join("/"), parts[depth]);
            if module == "mod" {
                continue;
            }
            let outside = "super::".repeat(parts.len() - depth);
            let from_root = format!("crate::{}::", parts[..depth].join("::"));
            let imported = [outside, from_root];
            let imported = imported.iter().flat_map(|prefix| names_after(&code, prefix));
            let imports = folders.entry(folder).or_default().entry(module.to_owned()).or_default();
            imports.extend(imported.filter(|name| *name != module).map(str::to_owned));
        }
    }
    folders
}

/// A module that imports itself through others, with its way back.
fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        imports: &BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        let here = way.last()?.clone();
        for next in imports.get(&here).into_iter().flatten() {
            if let Some(at) = way.iter().position(|name| name == next) {
                return Some([&way[at..], std::slice::from_ref(next)].concat());
            }
            if !done.contains(next) && imports.contains_key(next) {
                way.push(next.clone());
                if let Some(found) = walk(imports, way, done) {
                    return Some(found);
                }
                way.pop();
            }
        }
        done.insert(here);
        None
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|name| walk(imports, &mut vec![name.clone()], &mut done))
}

#[test]
fn no_modules_of_a_folder_import_each_other_in_a_circle() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let round = BTreeMap::from([("a".to_owned(), set(&["b"])), ("b".to_owned(), set(&["a"]))]);
    assert_eq!(circle(&round), Some(vec!["a".to_owned(), "b".to_owned(), "a".to_owned()]));
    let found = imports_within_folders().into_iter();
    let found = found.filter_map(|(folder, imports)| Some((folder, circle(&imports)?)));
    let found = found.map(|(folder, circle)| format!("src/{folder}: {}", circle.join(" -> ")));
    none("circles", found.collect());
}

/// The domain has no I/O, clock, environment or async code.
#[test]
fn the_domain_imports_only_std_and_bitcoin() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| source.part() == "domain") {
        for (number, line) in &source.lines {
            let Some(path) = line.trim().strip_prefix("use ") else { continue };
            let root = path.split([':', ';', ' ']).next().unwrap();
            let allowed = [
                "std",
                "bitcoin",
                "crate",
                "super",
                "self",
                "uuid",
                "url",
                "thiserror",
                "zeroize",
                "rust_decimal",
            ];
            if !allowed.contains(&root) {
                found.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
            for forbidden in ["std::fs", "std::net::Tcp", "std::env", "Instant", "async ", ".await"]
            {
                if line.contains(forbidden) {
                    found.push(format!("src/{}:{number}: {}", source.path, line.trim()));
                }
            }
        }
    }
    none("the domain is pure", found);
}

/// Crates of `HOMES` are used in their folders only.
#[test]
fn each_crate_is_used_in_one_place() {
    let mut found = Vec::new();
    for source in sources() {
        for (name, homes) in HOMES {
            if homes.iter().any(|home| source.path.starts_with(home)) {
                continue;
            }
            // A module of ours may have a crate's name: `use crate::node::zmq;`.
            let shadowed = source.imports().iter().any(|import| {
                let ours = import.starts_with("use crate::") || import.starts_with("use super::");
                let words = |c: char| !c.is_alphanumeric() && c != '_';
                ours && import.split(words).any(|word| word == name)
            });
            for (number, line) in source.lines.iter().filter(|_| !shadowed) {
                if uses_crate(line, name) {
                    found.push(format!("src/{}:{number}: {name} lives in {homes:?}", source.path));
                }
            }
        }
    }
    none("crates away from home", found);
}

/// SQL is in the store only.
#[test]
fn sql_appears_only_in_the_store() {
    let mut found = Vec::new();
    let words = [
        "\"SELECT ",
        "\"INSERT ",
        "\"UPDATE ",
        "\"DELETE FROM",
        "CREATE TABLE",
        "\"PRAGMA ",
        "ON CONFLICT",
    ];
    for source in sources().iter().filter(|source| source.part() != "store") {
        for (number, line) in &source.lines {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none("SQL outside of the store", found);
}

/// Clock, environment and tasks have one home each; floats are forbidden.
#[test]
fn clock_environment_and_tasks_are_each_used_in_one_place() {
    let mut found = Vec::new();
    for (words, home) in [
        (&["SystemTime::now"][..], &["clock.rs"][..]),
        (&["UNIX_EPOCH"], &["clock.rs", "domain/retry.rs"]),
        (&["env::var"], &["config.rs"]),
        (&["tokio::spawn"], &["serve.rs"]),
        // A contrast of colours; no money is near.
        (&["f64", "f32"], &["http/checkout/branding.rs"]),
    ] {
        for source in sources().iter().filter(|source| !home.contains(&source.path.as_str())) {
            for (number, line) in &source.lines {
                let whole = |word: &&&str| {
                    line.match_indices(**word).any(|(at, _)| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                    })
                };
                if let Some(word) = words.iter().find(whole) {
                    found.push(format!("src/{}:{number}: {word} only in {home:?}", source.path));
                }
            }
        }
    }
    none("in the wrong place", found);
}

/// Names have no word of `EMPTY_WORDS`, and there are no glob imports.
#[test]
fn names_contain_no_empty_words() {
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in &source.lines {
            for kind in ["struct ", "enum ", "trait ", "fn ", "mod ", "type "] {
                for name in names_after(line, kind) {
                    let words = words_of(name);
                    if let Some(empty) =
                        EMPTY_WORDS.iter().find(|w| words.contains(&(**w).to_owned()))
                    {
                        found.push(format!("src/{}:{number}: {name}: {empty}", source.path));
                    }
                }
            }
            if line.contains("use ") && line.trim().ends_with("::*;") {
                found.push(format!("src/{}:{number}: a glob", source.path));
            }
        }
    }
    none("empty words and globs", found);
}

/// The words of a name in either spelling: `http_handler`, `HttpHandler`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
    }
    words
}

/// Each file begins with a module comment, and comments are short enough.
#[test]
fn every_file_begins_with_a_module_comment() {
    let mut found = Vec::new();
    for folder in ["src", "tests/it"] {
        for file in files::files_below(&files::project().join(folder), ".rs") {
            let text = fs::read_to_string(&file).unwrap();
            let tests = file.ends_with("tests.rs");
            if !text.starts_with("//! ") && !tests {
                found.push(format!("{}: no comment at the head", file.display()));
            }
            for (index, line) in text.lines().enumerate() {
                // The formatter keeps code narrow, but leaves comments and texts alone.
                if line.trim_start().starts_with("//") && line.chars().count() > 100 {
                    found.push(format!("{}:{}: too long", file.display(), index + 1));
                }
            }
        }
    }
    none("files", found);
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let folder = files::project().join("src/store/migrations");
    let names: Vec<String> = files::files_below(&folder, ".sql")
        .iter()
        .map(|file| Path::new(file).file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert!(!names.is_empty());
    for (index, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
    }
}

/// Released migrations never change, because databases have run them. A release records its
/// migrations: `sha256sum src/store/migrations/*.sql > tests/fixtures/migrations.sha256`.
#[test]
fn released_migrations_match_their_recorded_hashes() {
    let recorded = files::project().join("tests/fixtures/migrations.sha256");
    let recorded = fs::read_to_string(recorded).unwrap();
    assert!(!recorded.is_empty(), "no migration is recorded");
    for (index, line) in recorded.lines().enumerate() {
        let (hash, file) = line.split_once("  ").unwrap();
        assert!(file.contains(&format!("/{:04}_", index + 1)), "{file} is out of order");
        let text = fs::read(files::project().join(file)).expect(file);
        let found = openssl::sha::sha256(&text).map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(found, hash, "{file} has changed: write a new migration instead");
    }
}

#[test]
fn the_source_rules_detect_their_patterns() {
    assert_eq!(names_after("use crate::store::payments;", "crate::"), ["store"]);
    assert_eq!(names_after("use crate::{bot, http};", "crate::"), ["bot", "http"]);
    let nested = "use crate::{ store::{self, payments}, bot, http::{a::{b, c}}, };";
    assert_eq!(names_after(nested, "crate::"), ["store", "bot", "http"]);
    assert_eq!(names_after("let x = crate::clock::now();", "crate::"), ["clock"]);
    assert!(uses_crate("let s = zmq::Context::new();", "zmq"));
    assert!(!uses_crate("use crate::node::zmq::Settings;", "zmq"));
    assert_eq!(words_of("HttpHandler"), ["", "http", "handler"]);
    assert_eq!(code_lines("a // b\nlet u = \"http://x\";").len(), 2);
}
