//! Text that is safe to show: without characters that hide, break or reorder it.

/// Zero-width non-joiner and joiner: required in Persian, Indic scripts and emoji.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Scripts that need joiners, and emoji, have code points above Latin, Greek, Cyrillic and
/// Hebrew, where a joiner would only make equal words differ.
const FIRST_JOINED: char = '\u{600}';

/// Control characters, and invisible characters that hide, break or reorder text: Unicode's
/// format characters and separators, the marks of UAX #9, fillers and tags.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{feff}' | '\u{180b}'..='\u{180f}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
        || matches!(c, '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1345f}')
        || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}')
        || matches!(c, '\u{e0000}'..='\u{e0fff}')
}

/// Whether every character may be shown. A joiner may only stand between two letters that it
/// joins.
pub(crate) fn is_printable(text: &str) -> bool {
    with_verdicts(text).all(|(_, may_be_shown)| may_be_shown)
}

/// The characters that may be shown.
pub(crate) fn printable(text: &str) -> impl Iterator<Item = char> {
    with_verdicts(text).filter_map(|(c, may_be_shown)| may_be_shown.then_some(c))
}

/// Each character, and whether it may be shown in its position.
fn with_verdicts(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let may_be_shown = match JOINERS.contains(&c) {
            true => before.is_some_and(is_joined) && rest.peek().copied().is_some_and(is_joined),
            false => !is_unprintable(c),
        };
        before = Some(c);
        Some((c, may_be_shown))
    })
}

/// Whether a joiner next to this character can change its appearance.
fn is_joined(c: char) -> bool {
    c >= FIRST_JOINED && !is_unprintable(c) && !c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joiners_are_printable_only_between_letters_they_join() {
        #[track_caller]
        fn check(text: &str, expected: bool) {
            assert_eq!(is_printable(text), expected, "{text:?}");
            let shown: String = printable(text).collect();
            assert_eq!(shown == text, expected, "{text:?}");
            assert!(is_printable(&shown), "{shown:?}");
        }
        check("سفارش کتاب\u{200c}ها 12", true);
        check("क्\u{200d}ष", true); // after a virama, which is not a letter
        check("ക്\u{200d}", false);
        check("👩\u{200d}👩\u{200d}👧", true);
        check("🏳\u{fe0f}\u{200d}🌈", true);
        check("pay\u{200d}pal", false);
        check("é\u{200c}é", false);
        check("\u{200c}کتاب", false);
        check("کتاب\u{200c}", false);
        check("کتاب\u{200c} ها", false);
        check("کتاب\u{200c}\u{200c}ها", false);
        check("order\n7", false);
        check("\u{202e}7 redro", false);
        check("", true);
    }
}
