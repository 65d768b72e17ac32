//! The choice of a language, and the rules for the checkout's messages.

use std::path::Path;

use super::*;

/// The lines of a language's file that hold text of messages.
fn lines(language: Language) -> Vec<String> {
    let path = format!("static/locales/{}/checkout.ftl", language.tag);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).expect("each language has a file");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    // Literals of Fluent are written with straight quotes.
    lines.map(|line| line.replace("{\" \"}", "").replace("{\"\"}", "").replace("->", "")).collect()
}

#[test]
fn no_translation_contains_markup_or_quotes() {
    for language in ALL {
        for line in lines(language) {
            let bad = line.contains(['<', '>', '&', '"', '\'']);
            assert!(!bad, "{}: {line}", language.tag);
        }
    }
}

#[test]
fn no_translation_is_too_long_or_english() {
    let english = lines(ENGLISH);
    let english: Vec<_> = english.iter().filter_map(|line| line.split_once(" = ")).collect();
    for language in ALL.into_iter().filter(|other| *other != ENGLISH) {
        for line in lines(language) {
            let Some((id, text)) = line.split_once(" = ") else { continue };
            let (_, model) = english.iter().find(|(known, _)| *known == id).expect("it is known");
            let long = text.chars().count() > model.chars().count() * 2 + 12;
            assert!(!long, "{}: {id} is too long for its place", language.tag);
            let untranslated = id.ends_with("-hint") && text == *model;
            assert!(!untranslated, "{}: {id}", language.tag);
        }
    }
}

#[test]
fn the_language_switch_overrides_the_browser_preference() {
    #[track_caller]
    fn check(query: &str, accept_language: &str, expected: &str) {
        assert_eq!(choose(query, accept_language).tag, expected, "{query} {accept_language}");
    }
    check("", "", "en");
    check("", "de", "de");
    check("", "de-AT,en;q=0.5", "de");
    check("", "en;q=0.5, fr;q=0.9", "fr");
    check("", "sv, tr;q=0.3", "tr");
    check("", "pt", "pt-BR");
    check("", "PT-br", "pt-BR");
    check("", "zh-CN,zh;q=0.9", "zh-Hans");
    check("", "zh-TW", "en");
    check("", "zh-Hant-HK, ja;q=0.1", "ja");
    check("", "ar-EG", "ar");
    check("", "de;q=0, it;q=0.1", "it");
    check("", "de;q=nonsense, it;q=0.1", "it");
    check("", "*", "en");
    check("lang=ja", "de", "ja");
    check("a=b&lang=pl", "de", "pl");
    check("lang=xx", "de", "de");
    check("lang=", "nl", "nl");
    check("lang=%3Cscript%3E", "", "en");
}
