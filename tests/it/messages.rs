//! The generated page of all sentences that operators and clients can get. New and changed
//! sentences must be reviewed there.
//!
//! `MESSAGES=write cargo test --test it messages` rewrites the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::harness::files;

const PAGE: &str = "static/docs/MESSAGES.md";

/// A chapter: its heading, when its sentences appear, code and action of those that belong to no
/// class, and the paths below `src` that hold them.
const CHAPTERS: [(&str, &str, [&str; 2], &[&str]); 9] = [
    (
        "Metrics",
        "The `# HELP` lines of `/metrics`.",
        ["metric", "nothing"],
        &["http/metrics.rs", "metrics.rs"],
    ),
    (
        "Answers of the API",
        "A client gets these as `error.message`, with a code that the guide at `/docs` explains and, where \
         one is to blame, the field in `error.param`.",
        [
            "HTTP 4xx or 5xx, `error.code`",
            "correct the request (4xx), or send it again later (429 and 5xx)",
        ],
        &["http/"],
    ),
    (
        "Refusals",
        "API, bot and commands say these alike: what was asked for cannot be. Names of fields or keys come \
         before those that begin with a verb.",
        ["400, 402, 404, 409 or 422; exit 1, 2 or 4", "do what the sentence names"],
        &["operations/", "domain/", "view"],
    ),
    (
        "Configuration",
        "`check-config` and every start name all of them at once, each after its key, with the line.",
        ["exit 2", "correct the key, then run `check-config`"],
        &["config"],
    ),
    (
        "Doctor",
        "Each has `ok`, `warning` or `FAILURE` and the name of its check before it; what to do follows after \
         `fix:`.",
        ["doctor", "follow `fix:`"],
        &["cli/doctor/"],
    ),
    (
        "Commands",
        "One line on standard error, or what a command prints.",
        ["exit 1 to 4", "do what the sentence names"],
        &["cli/"],
    ),
    (
        "Webhooks",
        "The outcome of an attempt, in `GET /api/webhooks` and in `litegate webhook test`, and what it \
         usually means.",
        ["outcome of an attempt", "correct the receiver, then resend"],
        &["webhooks/"],
    ),
    (
        "Payouts",
        "The sweeper's log, its notifications, `litegate sweep` and `litegate audit`.",
        [
            "log, notification or `Waits`",
            "nothing, if it ends without help; else what the sentence names",
        ],
        &["sweeper/"],
    ),
    (
        "Node, database and process",
        "The log of `serve`, and what a command says that cannot go on.",
        ["log or exit 1, 3 or 4", "remove the cause that is named"],
        &[""],
    ),
];

/// Sources without English sentences for users.
const LEFT_OUT: [&str; 10] = [
    "bot/",
    "http/checkout/language",
    "http/checkout/wallet_rules.rs",
    "http/demo.rs",
    "http/fixture.rs",
    "cli/demo/",
    "cli/manual.rs",
    "bench",
    "fuzzing",
    "webhooks/receiver.rs",
];

/// How a sentence reaches its reader, by the last of these words before it in its statement: code,
/// when it is met, and what to do. An empty code or action means that the chapter's applies.
const CLASSES: [(&str, &str, &str, &str); 22] = [
    ("tracing::error!(", "log `ERROR`", "something failed", "act now: the fields name the object"),
    ("tracing::warn!(", "log `WARN`", "the role continues", "check it today"),
    ("tracing::info!(", "log `INFO`", "normal work", "nothing"),
    ("tracing::debug!(", "log `DEBUG`", "only with `LITEGATE_LOG`", "nothing"),
    ("tracing::trace!(", "log `TRACE`", "only with `LITEGATE_LOG`", "nothing"),
    (".fix(", "doctor `fix:`", "after a warning or failure", "do this"),
    ("failure(", "doctor `FAILURE`", "a check failed", "follow `fix:`, then run doctor again"),
    ("warning(", "doctor `warning`", "a check found a risk", "follow `fix:`"),
    (
        "Verdict::Failure",
        "doctor `FAILURE`",
        "a check failed",
        "follow `fix:`, then run doctor again",
    ),
    ("Verdict::Warning", "doctor `warning`", "a check found a risk", "follow `fix:`"),
    ("ok(", "doctor `ok`", "a check passed", "nothing"),
    ("Failure::Usage(", "exit 2", "a command was called the wrong way", "correct the command"),
    ("Failure::Refused(", "exit 4", "refused for safety", "do what the sentence names"),
    ("Failure::Failed(", "exit 1", "a check or the command failed", "do what the sentence names"),
    ("Refusal::invalid(", "400 `invalid_request`", "a field is wrong", "correct the field"),
    ("context(", "", "a step failed; the cause follows the colon", "remove the cause, then repeat"),
    ("ensure!(", "", "a condition does not hold", "do what the sentence names"),
    ("bail!(", "", "a condition does not hold", "do what the sentence names"),
    ("print_line(", "exit 0", "output of a command", "nothing"),
    ("Opts::new(", "metric", "", "nothing"),
    ("Gauge::new(", "metric", "", "nothing"),
    ("Desc::new(", "metric", "", "nothing"),
];

/// The class of a sentence, by the text before it.
fn class_of(
    before: &str,
) -> Option<&'static (&'static str, &'static str, &'static str, &'static str)> {
    let statement = before.rfind([';', '}']).map_or(before, |end| &before[end..]);
    let place = |class: &&(&str, &str, &str, &str)| statement.rfind(class.0);
    CLASSES.iter().filter(|class| place(class).is_some()).max_by_key(place)
}

/// Whether no reader gets the text: it is in a panic, a reason for a lint, a comparison or bytes.
fn is_unseen(before: &str) -> bool {
    let statement = before.rfind([';', '}']).map_or(before, |end| &before[end + 1..]).trim_start();
    let ends = [
        ".expect(",
        "reason =",
        "unreachable!(",
        "assert!(",
        "strip_prefix(",
        "strip_suffix(",
        ".contains(",
        "starts_with(",
        "[b",
        "(b",
        " b",
    ];
    ["assert", "debug_assert"].iter().any(|word| statement.starts_with(word))
        || ends.iter().any(|word| before.trim_end().ends_with(word))
}

/// The literals of a source text with their classes, less comments, attributes and unit tests.
fn literals(text: &str) -> Vec<(String, Option<usize>)> {
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
            '"' => {
                let said = literal(&mut rest);
                if !is_unseen(&text[..at]) {
                    let class = class_of(&text[..at]);
                    let index = class.and_then(|class| CLASSES.iter().position(|c| c == class));
                    found.push((said, index));
                }
            }
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

/// Parts of SQL, markup, HTTP messages and configuration files.
const OF_MACHINES: [&str; 31] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE ",
    "CREATE ",
    "DROP ",
    "PRAGMA ",
    "WHERE ",
    " IN (",
    "ON CONFLICT",
    "ORDER BY",
    "ROLLBACK",
    "VACUUM",
    " FROM ",
    " AS ",
    "= ?",
    "BETWEEN ?",
    "</",
    "/>",
    "<time ",
    "xmlns=",
    "class=",
    "default-src",
    "\\r",
    "\\0",
    "charset=",
    "GET, HEAD",
    "_file = ",
    "network = ",
    "rpc_user = ",
    "rpcauth=",
];

/// Whether a text is a sentence for users: several words, and no SQL, markup, format or list of
/// names.
fn is_sentence(text: &str) -> bool {
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic));
    let is_list = text.split(',').all(|part| !part.trim().contains(char::is_whitespace));
    let is_format = text
        .split('{')
        .all(|part| part.rsplit('}').next().is_some_and(|rest| rest.trim().is_empty()));
    words.count() >= 3
        && !is_list
        && !is_format
        && !OF_MACHINES.iter().any(|word| text.contains(word))
}

fn chapter_of(path: &str) -> Option<usize> {
    if LEFT_OUT.iter().any(|part| path.starts_with(part)) || path.contains("tests") {
        return None;
    }
    CHAPTERS.iter().position(|(_, _, _, parts)| parts.iter().any(|part| path.starts_with(part)))
}

/// Sentences of one chapter, each with the files that hold it, by code, time and action.
type Rows = BTreeMap<[&'static str; 3], BTreeMap<String, BTreeSet<String>>>;

fn page() -> String {
    let root = files::project().join("src");
    let mut chapters: Vec<Rows> = vec![Rows::new(); CHAPTERS.len()];
    for file in files::files_below(&root, ".rs") {
        let path = file.strip_prefix(&root).unwrap().display().to_string();
        let Some(chapter) = chapter_of(&path) else { continue };
        let [code, act] = CHAPTERS[chapter].2;
        let text = fs::read_to_string(&file).unwrap();
        for (sentence, class) in literals(&text).into_iter().filter(|(text, _)| is_sentence(text)) {
            let (_, of_class, when, what) = class.map_or(("", "", "", ""), |class| CLASSES[class]);
            let code = if of_class.is_empty() { code } else { of_class };
            let what = if what.is_empty() { act } else { what };
            let rows = chapters[chapter].entry([code, when, what]).or_default();
            rows.entry(sentence).or_default().insert(path.clone());
        }
    }
    let mut page = "# Messages\n\nEvery sentence that an operator or a client can get, as it is in the source. The program \
                    replaces `{…}`.\nThis page is made by `MESSAGES=write cargo test --test it messages`.\n"
        .to_owned();
    for ((heading, when, _, _), groups) in CHAPTERS.iter().zip(chapters) {
        page.push_str(&format!("\n## {heading}\n\n{when}\n"));
        for ([code, when, what], rows) in groups {
            let when = if when.is_empty() { String::new() } else { format!(": {when}") };
            page.push_str(&format!(
                "\n### {code}{when}\n\nAction: {what}.\n\n| sentence | source |\n| --- | --- |\n"
            ));
            for (sentence, paths) in rows {
                let sentence = sentence.trim().replace('|', "\\|").replace('<', "&lt;");
                let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
                page.push_str(&format!("| {sentence} | {} |\n", paths.join(", ")));
            }
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
    let texts: Vec<String> = literals(source).into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, ["one two three", "a \"b\" c d"]);
    let class = |source: &str| literals(source)[0].1.map(|class| CLASSES[class].1);
    assert_eq!(class("tracing::warn!(%error, \"a b c\")"), Some("log `WARN`"));
    assert_eq!(class("tracing::warn!(); f(\"a b c\")"), None);
    for unseen in [
        "x.expect(\"a b c\")",
        "f(b\"a b c\")",
        "line.strip_prefix(\"a b c\")",
        "f(); assert_eq!(a, b, \"a b c\")",
    ] {
        assert!(literals(unseen).is_empty(), "{unseen}");
    }
}

#[test]
fn only_sentences_are_listed() {
    for text in ["must not be empty", "{count} events will be sent", "must be create, read or full"]
    {
        assert!(is_sentence(text), "{text}");
    }
    for text in [
        "SELECT a FROM b",
        "merchant_id = ? AND derivation_index BETWEEN ? AND ?",
        "events.id, payments.id AS payment_id, kind",
        "accept, cache-control, if-none-match",
        "<time datetime=\"{text}\" dir=\"ltr\">",
        "class=\"qr\" role=\"img\" aria-label=\"{label}\"",
        "HTTP/1.1 {status}\\r content-length: 0\\r ",
        "[sweeper] seal_key_file = \"{dir}/seal.key\"",
        "{HEAD} {log_n} {salt} {sealed}",
        "litegate_http_request_duration_seconds",
    ] {
        assert!(!is_sentence(text), "{text}");
    }
}
