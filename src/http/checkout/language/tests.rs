use super::*;

/// The names in braces, in the order of the alphabet.
fn names(sentence: &str) -> Vec<&str> {
    let parts = sentence.split('{').skip(1);
    let mut names: Vec<_> = parts.filter_map(|part| Some(part.split_once('}')?.0)).collect();
    names.sort_unstable();
    names
}

#[test]
fn each_translation_has_every_message_and_placeholder() {
    for language in ALL {
        for ((name, sentence), (_, english)) in
            language.words.all().into_iter().zip(en::WORDS.all())
        {
            assert!(!sentence.trim().is_empty(), "{}: {name}", language.tag);
            assert_eq!(names(sentence), names(english), "{}: {name}", language.tag);
            assert_eq!(sentence, sentence.trim(), "{}: {name}", language.tag);
            let long = sentence.chars().count() > english.chars().count() * 2 + 12;
            assert!(!long, "{}: {name} is too long for its place", language.tag);
            let untranslated = name.ends_with("_hint") && sentence == english;
            assert!(language == ENGLISH || !untranslated, "{}: {name}", language.tag);
        }
    }
}

#[test]
fn no_translation_contains_markup_or_quotes() {
    for language in ALL {
        for (name, sentence) in language.words.all() {
            let bad = sentence.contains(['<', '>', '&', '"', '\'']);
            assert!(!bad, "{}: {name}: {sentence}", language.tag);
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

#[test]
fn values_are_escaped_and_isolated_from_text_direction() {
    let filled = fill_html("{n} von {m}", &[("n", "<b>"), ("m", "{n}")]);
    assert_eq!(filled, "<bdi>&lt;b&gt;</bdi> von <bdi>{n}</bdi>");
    let arabic = ALL[12];
    assert_eq!(arabic.direction, "rtl");
    let filled = fill_text(arabic, arabic.words.pay, &[("amount", "0.05 LTC")]);
    assert!(filled.contains("\u{2068}0.05 LTC\u{2069}"), "{filled}");
}
