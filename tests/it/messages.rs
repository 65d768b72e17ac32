//! The generated page of all sentences that operators and clients can get. New and changed
//! sentences must be reviewed there.
//!
//! `MESSAGES=write cargo test --test it messages` rewrites the page.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::files;

const PAGE: &str = "static/docs/MESSAGES.md";

/// A chapter: heading, introduction, and paths below `src`.
const CHAPTERS: [(&str, &str, &[&str]); 8] = [
    (
        "Answers of the API",
        "A client gets these as `error.message`, with a code that the guide at `/docs` explains and, where \
         one is to blame, the field in `error.param`.",
        &["http/"],
    ),
    (
        "Refusals",
        "API, bot and commands say these alike: what was asked for cannot be. Names of fields or keys come \
         before those that begin with a verb.",
        &["operations/", "domain/", "view"],
    ),
    (
        "Configuration",
        "`check-config` and every start name all of them at once, each after its key, with the line.",
        &["config"],
    ),
    (
        "Doctor",
        "Each has `ok`, `warning` or `FAILURE` and the name of its check before it; what to do follows after \
         `fix:`.",
        &["cli/doctor/"],
    ),
    ("Commands", "One line on standard error, or what a command prints.", &["cli/"]),
    (
        "Webhooks",
        "The outcome of an attempt, in `GET /api/webhooks` and in `litegate webhook test`, and what it \
         usually means.",
        &["webhooks/"],
    ),
    (
        "Payouts",
        "The sweeper's log, its notifications, `litegate sweep` and `litegate audit`.",
        &["sweeper/"],
    ),
    (
        "Node, database and process",
        "The log of `serve`, and what a command says that cannot go on.",
        &[""],
    ),
];

/// Sources without English sentences for users.
const LEFT_OUT: [&str; 9] = [
    "bot/",
    "http/checkout/language",
    "http/checkout/wallet_rules.rs",
    "http/demo.rs",
    "http/fixture.rs",
    "cli/demo/",
    "cli/manual.rs",
    "bench",
    "fuzzing",
];

/// The literals of a source text, less comments, attributes of tests, and unit tests.
fn literals(text: &str) -> Vec<String> {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let mut found = Vec::new();
    let mut rest = text[..end].char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '/' if text[at..].starts_with("//") => {
                while rest.next().is_some_and(|(_, c)| c != '\n') {}
            }
            // A character, and no lifetime.
            '\'' if text[at..].starts_with("'\"'") => {
                rest.nth(1);
            }
            '"' => found.push(literal(&mut rest)),
            _ => {}
        }
    }
    found
}

/// The rest of a literal after its first quote, as it is written, but in one line.
fn literal(rest: &mut impl Iterator<Item = (usize, char)>) -> String {
    let mut said = String::new();
    while let Some((_, c)) = rest.next() {
        match c {
            '"' => break,
            '\\' => match rest.next() {
                // A continued line: its indentation is not part of the text.
                Some((_, '\n')) => said.push('\n'),
                Some((_, '"')) => said.push('"'),
                Some((_, 'n')) => said.push(' '),
                Some((_, other)) => said.extend(['\\', other]),
                None => break,
            },
            c => said.push(c),
        }
    }
    let lines: Vec<&str> = said.split('\n').collect();
    let (first, others) = lines.split_first().unwrap();
    let others = others.iter().map(|line| line.trim_start());
    std::iter::once(*first).chain(others).collect()
}

/// Whether a text is a sentence for users: several words, and no SQL, HTML or format.
fn is_sentence(text: &str) -> bool {
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic));
    let of_machines = [
        "SELECT ",
        "INSERT ",
        "UPDATE ",
        "DELETE ",
        "CREATE ",
        "PRAGMA ",
        "WHERE ",
        " IN (",
        "ON CONFLICT",
        "</",
        "default-src",
        "\\r\\n",
        "charset=",
        "ORDER BY",
        "GET, HEAD",
        "VACUUM",
        " FROM ",
    ];
    words.count() >= 3 && !of_machines.iter().any(|word| text.contains(word))
}

fn chapter_of(path: &str) -> Option<usize> {
    if LEFT_OUT.iter().any(|part| path.starts_with(part)) || path.contains("tests") {
        return None;
    }
    CHAPTERS.iter().position(|(_, _, parts)| parts.iter().any(|part| path.starts_with(part)))
}

fn page() -> String {
    let root = files::project().join("src");
    let mut chapters: Vec<BTreeSet<(String, String)>> = vec![BTreeSet::new(); CHAPTERS.len()];
    for file in files::files_below(&root, ".rs") {
        let path = file.strip_prefix(&root).unwrap().display().to_string();
        let Some(chapter) = chapter_of(&path) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        for sentence in literals(&text).into_iter().filter(|text| is_sentence(text)) {
            chapters[chapter].insert((path.clone(), sentence));
        }
    }
    let mut page = "# Every sentence\n\nThe sentences that an operator or a client can get, as they are in the source; \
                    `{…}` is filled in. This page is\nmade by `MESSAGES=write cargo test --test it messages`.\n"
        .to_owned();
    for ((heading, when, _), rows) in CHAPTERS.iter().zip(chapters) {
        page.push_str(&format!(
            "\n## {heading}\n\n{when}\n\n| sentence | source |\n| --- | --- |\n"
        ));
        for (path, sentence) in rows {
            let sentence = sentence.trim().replace('|', "\\|").replace('<', "&lt;");
            page.push_str(&format!("| {sentence} | `{path}` |\n"));
        }
    }
    page
}

/// 1. Generate the page from the source; `MESSAGES=write` stores it.
/// 2. It equals the stored page.
#[test]
fn every_user_visible_message_is_listed() {
    let file = files::project().join(PAGE);
    let made = page();
    #[expect(clippy::disallowed_methods, reason = "a variable of the tests' own")]
    if std::env::var("MESSAGES").is_ok_and(|wanted| wanted == "write") {
        fs::write(&file, made).unwrap();
        return;
    }
    let listed = fs::read_to_string(&file).unwrap();
    let [listed, made] = [&listed, &made].map(|page| page.lines().collect::<BTreeSet<_>>());
    let new: Vec<_> = made.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&made).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "read what is new, then run MESSAGES=write cargo test --test it messages\nnew: {new:#?}\ngone: {gone:#?}"
    );
}

#[test]
fn messages_are_extracted_from_source_code() {
    let source = "// \"no comment at all\"\nlet a = \"one two \\\n    three\"; let q = '\"'; f(\"a \\\"b\\\" c d\")\n\
                  #[cfg(test)]\nmod tests { \"not of tests\" }";
    assert_eq!(literals(source), ["one two three", "a \"b\" c d"]);
    assert!(is_sentence("must not be empty") && !is_sentence("SELECT a FROM b"));
    assert!(!is_sentence("litegate_http_request_duration_seconds"));
}
