//! Style of texts: comments, documents, sentences, names of tests, subjects of commits.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::harness::files;

/// Private words that the glossary replaced, and phrases that hide their subject. They are
/// matched as whole words, in small letters.
const BANNED: [(&str, &str); 22] = [
    ("sieve", "Bloom filter"),
    ("glance", "change detector, or probe"),
    ("headway", "progress"),
    ("mishap", "error"),
    ("villain", "hostile receiver"),
    ("dissolve", "abandon"),
    ("dissolved", "abandoned"),
    ("heed", "apply, or require"),
    ("heeds", "applies, or requires"),
    ("scout", "node monitor"),
    ("in doubt", "the chain guard is active"),
    ("under way", "in flight, or running"),
    ("lies ready", "is cached"),
    ("lie ready", "are cached"),
    ("such a one", "one"),
    ("somebody", "name the subject"),
    ("whoever", "name the subject"),
    ("nobody's", "name the owner"),
    ("there stands", "it says"),
    ("goes on", "continues"),
    ("amid", "during"),
    ("likewise", "also"),
];

/// The longest name of a test, in characters.
const TEST_NAME_CHARS_MAX: usize = 60;

/// The longest subject of a commit, in characters.
const SUBJECT_CHARS_MAX: usize = 72;

/// Which of the banned words a text has, each with its replacement.
fn banned_in(text: &str) -> Vec<(&'static str, &'static str)> {
    let text = text.to_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let has = |word: &str| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back().is_some_and(is_word);
            let after = text[at + word.len()..].chars().next().is_some_and(is_word);
            !before && !after
        })
    };
    BANNED.into_iter().filter(|(word, _)| has(word)).collect()
}

/// Sources, documents and scripts that people read. The glossary names the old words on purpose.
fn texts() -> Vec<PathBuf> {
    let root = files::project();
    let mut found = Vec::new();
    for folder in ["src", "tests/it", "tests/bench"] {
        found.extend(files::files_below(&root.join(folder), ".rs"));
    }
    for folder in ["static/docs", "litecoind"] {
        found.extend(files::files_below(&root.join(folder), ".md"));
    }
    found.extend(files::files_below(&root.join("config"), ""));
    found.extend(["README.md", "SECURITY.md"].map(|name| root.join(name)));
    found.retain(|file| !file.ends_with("tests/it/style.rs"));
    found
}

#[test]
fn texts_use_the_standard_words() {
    let mut found = Vec::new();
    for file in texts() {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (index, line) in text.lines().enumerate() {
            for (word, instead) in banned_in(line) {
                found.push(format!("{}:{}: `{word}`: {instead}", file.display(), index + 1));
            }
        }
    }
    assert!(found.is_empty(), "{} words:\n{}", found.len(), found.join("\n"));
}

#[test]
fn banned_words_are_found_as_whole_words() {
    assert_eq!(banned_in("The Sieve is built"), [("sieve", "Bloom filter")]);
    assert_eq!(banned_in("a payment in doubt."), [("in doubt", "the chain guard is active")]);
    assert!(banned_in("sieves, amidst, heedless").is_empty());
}

#[test]
fn names_of_tests_fit_in_sixty_characters() {
    let root = files::project();
    let mut long = Vec::new();
    for folder in ["src", "tests/it"] {
        for file in files::files_below(&root.join(folder), ".rs") {
            let text = fs::read_to_string(&file).unwrap();
            let mut lines = text.lines().map(str::trim);
            while lines.by_ref().any(|line| line == "#[test]") {
                let head = lines.by_ref().find_map(|line| line.strip_prefix("fn "));
                let name = head.and_then(|head| head.split('(').next()).unwrap_or_default();
                if name.chars().count() > TEST_NAME_CHARS_MAX {
                    long.push(name.to_owned());
                }
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// Whether a subject is `area: do something`, in at most 72 characters.
fn is_subject(subject: &str) -> bool {
    let Some((area, what)) = subject.split_once(": ") else { return false };
    let is_area = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-/, .".contains(c);
    let first = what.chars().next();
    subject.chars().count() <= SUBJECT_CHARS_MAX
        && area.chars().all(is_area)
        && first.is_some_and(|c| c.is_lowercase() || c.is_ascii_uppercase())
        && !what.ends_with('.')
}

#[test]
fn the_last_commit_has_an_imperative_subject_with_its_area() {
    assert!(is_subject("watcher: retry block fetch after a reorg"));
    assert!(!is_subject("A sweeper amid a look at many coins ends when it is told to"));
    assert!(!is_subject(&format!("watcher: {}", "a".repeat(SUBJECT_CHARS_MAX))));
    let git = Command::new("git")
        .args(["log", "-1", "--no-merges", "--format=%s"])
        .current_dir(files::project())
        .output();
    // A source archive has no history.
    let Ok(git) = git else { return };
    if git.status.success() {
        let subject = String::from_utf8(git.stdout).unwrap();
        assert!(subject.is_empty() || is_subject(subject.trim()), "{subject}");
    }
}
