//! Every language is complete, uses the variables of the English messages, and parses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement};

use super::*;

const FILES: [(&str, Sources); 3] =
    [("checkout", CHECKOUT_SOURCES), ("bot", BOT_SOURCES), ("errors", ERRORS_SOURCES)];

/// The variables of a pattern, those of its selectors and variants included.
fn variables<'p>(pattern: &Pattern<&'p str>, found: &mut BTreeSet<&'p str>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let (inline, variants) = match expression {
            Expression::Inline(inline) => (inline, [].as_slice()),
            Expression::Select { selector, variants } => (selector, variants.as_slice()),
        };
        match inline {
            InlineExpression::VariableReference { id } => drop(found.insert(id.name)),
            InlineExpression::StringLiteral { .. } => {}
            other => panic!("only variables and literals are used: {other:?}"),
        }
        for variant in variants {
            variables(&variant.value, found);
        }
    }
}

/// The messages and attributes of a file, each with its variables.
fn messages(resource: &FluentResource) -> BTreeMap<String, BTreeSet<&str>> {
    let mut all = BTreeMap::new();
    for entry in resource.entries() {
        let Entry::Message(message) = entry else {
            assert!(!matches!(entry, Entry::Junk { .. } | Entry::Term(_)), "{entry:?}");
            continue;
        };
        let id = message.id.name;
        let own = message.value.iter().map(|value| (id.to_owned(), value));
        let attributes =
            message.attributes.iter().map(|own| (format!("{id}.{}", own.id.name), &own.value));
        for (id, pattern) in own.chain(attributes) {
            let mut found = BTreeSet::new();
            variables(pattern, &mut found);
            assert!(all.insert(id.clone(), found).is_none(), "{id} occurs twice");
        }
    }
    all
}

#[test]
fn every_language_has_the_messages_and_variables_of_the_english() {
    for (file, sources) in FILES {
        let english = parse(sources[0].1);
        assert_eq!(sources[0].0, SOURCE);
        for (tag, text) in sources {
            let resource = FluentResource::try_new((*text).to_owned());
            let resource =
                resource.unwrap_or_else(|(_, errors)| panic!("{tag} {file}: {errors:?}"));
            let (own, expected) = (messages(&resource), messages(&english));
            for (id, variables) in &expected {
                assert_eq!(own.get(id), Some(variables), "{tag} {file}: {id}");
            }
            for id in own.keys() {
                assert!(expected.contains_key(id), "{tag} {file}: {id} is not in English");
            }
        }
    }
}

#[test]
fn every_file_of_the_locales_is_compiled_in() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/locales");
    let mut found = BTreeSet::new();
    for language in std::fs::read_dir(root).expect("the folder is there") {
        let language = language.expect("it can be read").path();
        for file in std::fs::read_dir(&language).expect("a folder") {
            let path = file.expect("it can be read").path();
            let name =
                |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned());
            found.insert((name(&language), name(&path)));
        }
    }
    let compiled = FILES.iter().flat_map(|(file, sources)| {
        sources.iter().map(|(tag, _)| (Some((*tag).to_owned()), Some((*file).to_owned())))
    });
    assert_eq!(found, compiled.collect());
}

/// A catalog of one message, `m`.
fn catalog(tag: &'static str, pattern: &str) -> Catalog {
    Catalog::new(tag, &None, &format!("m = {pattern}\n"))
}

#[test]
fn plural_forms_follow_the_rules_of_the_language() {
    #[track_caller]
    fn check(tag: &'static str, n: u64, expected: &str) {
        let days = "{ $n } { $n ->\n    [one] day\n    [few] days (few)\n   *[other] days\n}";
        assert_eq!(catalog(tag, days).say("m", &[("n", &n)]), expected, "{tag} {n}");
    }
    check("en", 0, "0 days");
    check("en", 1, "1 day");
    check("de", 0, "0 days");
    check("fr", 0, "0 day");
    check("fr", 2, "2 days");
    check("pt-BR", 0, "0 day");
    check("pt-BR", 1_000_000, "1000000 days");
    check("pl", 3, "3 days (few)");
    check("ru", 22, "22 days (few)");
    check("zh-Hans", 1, "1 days");
}

#[test]
fn values_are_neither_markup_nor_variables() {
    let both = |catalog: &Catalog, a: &str| {
        let values: &Values = &[("a", &a), ("b", &"x")];
        (catalog.say("m", values), catalog.html("m", values))
    };
    let pattern = "<{ $a }|{ $b }>";
    let (text, html) = both(&catalog("en", pattern), "{ $b } <b>&\"'");
    assert_eq!(text, "<{ $b } <b>&\"'|x>");
    assert_eq!(html, "<<bdi>{ $b } &lt;b&gt;&amp;&quot;&#39;</bdi>|<bdi>x</bdi>>");
    let (text, _) = both(&catalog("ar", pattern), "0.05 LTC");
    assert_eq!(text, "<\u{2068}0.05 LTC\u{2069}|\u{2068}x\u{2069}>");
    // Text that looks like a number stays as it is.
    assert_eq!(both(&catalog("en", "{ $a }"), "007.10").0, "007.10");
}

#[test]
fn a_missing_message_is_shown_in_english() {
    let english = parse("kept = { $n } kept\nfixed = Fixed\n");
    let german = Catalog::new("de", &Some(english), "other = Anderes\n");
    assert_eq!(german.say("kept", &[("n", &2_u64)]), "2 kept");
    assert_eq!(german.fixed["fixed"], "Fixed");
    assert_eq!(german.fixed["other"], "Anderes");
}
