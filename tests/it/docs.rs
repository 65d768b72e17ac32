//! The documents are true: the README's commands exist, and the sample configuration is valid.

use std::fs;

use crate::harness::files;
use crate::harness::gateway::Gateway;

fn read(path: &str) -> String {
    let file = files::project().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of the fenced blocks of a document.
fn code_of(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            lines.push(line.trim().to_owned());
        }
    }
    lines
}

#[test]
fn the_commands_of_the_readme_exist() {
    let readme = code_of(&read("README.md"));
    let makefile = read("Makefile");
    for target in ["demo", "test"] {
        assert!(readme.contains(&format!("make {target}")), "README shows `make {target}`");
        assert!(makefile.contains(&format!("\n{target}:")), "the Makefile has {target}");
    }
    assert!(try_commands(&readme) > 0, "README shows litegate's commands");
}

#[test]
fn the_commands_of_the_guides_exist() {
    let mut lines = code_of(&read("static/docs/tutorial.md"));
    for folder in ["static/docs/how-to", "static/docs/reference"] {
        for page in files::files_below(&files::project().join(folder), ".md") {
            lines.extend(code_of(&fs::read_to_string(page).unwrap()));
        }
    }
    lines.sort();
    lines.dedup();
    assert!(try_commands(&lines) > 20, "the guides show litegate's commands");
}

/// Asks each command of litegate among these lines for its help. Returns how many there are.
fn try_commands(lines: &[String]) -> usize {
    let gateway = Gateway::bare();
    let mut tried = 0;
    for line in lines {
        let Some(rest) = line.strip_prefix("litegate ") else { continue };
        let command: Vec<&str> = rest
            .split_whitespace()
            .take_while(|w| {
                w.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !w.starts_with('-')
            })
            .collect();
        let output = gateway.run(&[&command[..], &["--help"]].concat());
        assert_eq!(output.code, 0, "`{line}`: {output:?}");
        tried += 1;
    }
    tried
}

/// 1. Each key of the sample follows a comment.
/// 2. The sample with its required keys is a valid configuration.
#[test]
fn every_key_of_the_sample_config_is_explained_and_valid() {
    let sample = read("config/litegate.toml");
    let mut explained = false;
    for line in sample.lines() {
        let is_key = |line: &str| {
            let name = line.split('=').next().unwrap_or_default().trim();
            line.contains(" = ") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        let bare = line.strip_prefix("# ").unwrap_or(line);
        if is_key(bare) {
            assert!(explained, "{line}: no comment says what it is for");
        } else {
            // A key right after another one shares its comment.
            explained = line.starts_with('#');
        }
    }
    let gateway = Gateway::bare();
    fs::write(gateway.config_file(), &sample).unwrap();
    let output = gateway.cli(&["check-config"]);
    assert!(!output.stderr.contains("unknown"), "{output:?}");
}

#[test]
fn every_commented_key_of_the_sample_config_is_valid() {
    let sample = read("config/litegate.toml");
    let all: Vec<String> = sample
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.contains(" = ") && !key.contains(" … ") => key.to_owned(),
            Some(section) if section.starts_with("[[") => section.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let gateway = Gateway::bare();
    fs::write(gateway.config_file(), all.join("\n")).unwrap();
    let output = gateway.cli(&["check-config"]);
    // The files that it names are not there; but every key is one.
    assert!(!output.stderr.contains("unknown"), "{output:?}");
    assert!(!output.stderr.to_lowercase().contains("toml"), "{output:?}");
}

/// 1. No document is empty, and each relative link leads to a file.
#[test]
fn the_documents_refer_only_to_existing_things() {
    let mut documents = Vec::new();
    for folder in [
        "",
        "litecoind",
        "static/docs",
        "static/docs/decisions",
        "static/docs/explanation",
        "static/docs/how-to",
        "static/docs/reference",
    ] {
        let entries = fs::read_dir(files::project().join(folder)).unwrap();
        let found = entries.map(|entry| entry.unwrap().path());
        documents.extend(found.filter(|path| path.extension().is_some_and(|e| e == "md")));
    }
    assert!(documents.iter().any(|path| path.ends_with("CHANGELOG.md")), "{documents:?}");
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        assert!(!text.trim().is_empty(), "{}", document.display());
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#']).next().unwrap();
            let outside = target.is_empty() || target.contains("://");
            let file = document.parent().unwrap().join(target);
            assert!(outside || file.exists(), "{} links to {target}", document.display());
        }
    }
}

/// Each decision record follows the template, and the index names it.
#[test]
fn each_decision_follows_the_template() {
    let folder = files::project().join("static/docs/decisions");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let records = files::files_below(&folder, ".md");
    assert!(records.len() > 20, "{records:?}");
    for record in records.iter().filter(|path| !path.ends_with("README.md")) {
        let name = record.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(record).unwrap();
        assert!(text.starts_with(&format!("# {}. ", &name[..4])), "{name}: title");
        let parts = ["Status: ", "Date: 20", "## Context\n", "## Decision\n", "## Consequences\n"];
        let found: Vec<_> = parts.iter().map(|part| text.find(part)).collect();
        assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{name}: {found:?}");
        assert!(index.contains(&format!("]({name})")), "the index lacks {name}");
    }
}

/// Each `module::test` named by the threat model or CONTRIBUTING.md exists in this program or
/// the library, and each `module::*` has tests.
#[test]
fn the_tests_that_documents_name_exist() {
    let text = read("static/docs/explanation/threat-model.md") + &read("CONTRIBUTING.md");
    let words = text.split('`').skip(1).step_by(2);
    let is_name =
        |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || "_*0123456789".contains(c));
    let named = words.filter_map(|word| word.split_once("::"));
    let named: Vec<(&str, &str)> =
        named.filter(|(module, test)| is_name(module) && is_name(test)).collect();
    assert!(named.len() > 20, "{} tests only", named.len());
    let sources = |folder: &str| {
        let files = files::files_below(&files::project().join(folder), ".rs");
        files.into_iter().map(|file| fs::read_to_string(file).unwrap()).collect::<String>()
    };
    let all = sources("tests/it") + &sources("src");
    for (module, test) in named {
        let wanted = match test {
            "*" => format!("mod {module};"),
            test => format!("fn {test}("),
        };
        assert!(all.contains(&wanted), "a document names {module}::{test}");
    }
}
