//! Text that could act as markup, command, formula or further line: as a reference, an amount
//! text or a shop's name it is refused with the field's name, or stays text.

use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::test_env::TestEnv;

/// Taken as they are, and shown as they are.
const TAKEN: [&str; 51] = [
    // Markup, and ways out of attributes, comments and scripts.
    "<script>alert(1)</script>",
    "<script>alert(1)</script> & \"Sons\"",
    "<img src=x>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "\"><b onmouseover=alert(1)>",
    "' onfocus='alert(1)' autofocus='",
    "<!-- --!> <b>",
    "a -->",
    "]]>",
    "<![CDATA[<b>]]>",
    "<iframe srcdoc='<b>'>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<a href=javascript:alert(1)>here</a>",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "&amp;amp;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cb\\u003e",
    // Templates.
    "{{ 7 * 7 }}",
    "{% include \"/etc/passwd\" %}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{0}{name}%s%n%x",
    // Databases, shells, files.
    "'; DROP TABLE payments; --",
    "\" OR 1=1 --",
    "Robert'); DELETE FROM merchants;",
    "$(touch /tmp/x)",
    "`touch /tmp/x`",
    "; shutdown now #",
    "../../../etc/passwd",
    "x -rf /",
    // Tables.
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1+1)*cmd",
    "a,\"b\";c",
    // JSON, links and mentions.
    "\"}, {\"status\": \"completed\", \"x\": \"",
    "javascript:alert(1)",
    "@everyone <@1> [link](https://evil.example)",
    "**bold** ~~gone~~ ||spoiler||",
    // Letters of the world, and many marks on one.
    "Ƥαуmеnt",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "日本語 🙂 طلب",
    "Bestellung Nr. 7 – Grüße",
    "注文 7",
    "order 🙂",
    "طلب ٧",
];

/// Characters that hide, reorder, break lines or control terminals.
const REFUSED: [&str; 21] = [
    "a\nERROR forged line",
    "a\r\nx-injected: 1",
    "a\rb",
    "a\tb",
    "\u{0}",
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]0;title\u{7}",
    "\u{8}\u{8}\u{8}",
    "\u{7f}",
    "\u{85}",
    "\u{9b}31m",
    "\u{202e}gnp.exe",
    "\u{2066}a\u{2069}",
    "a\u{200b}b",
    "a\u{200d}b",
    "\u{feff}a",
    "a\u{2028}b",
    "a\u{2029}b",
    "\u{3164}",
    "\u{e0041}",
    "\u{ad}",
];

/// That the page holds the text as characters, and nowhere as markup.
fn check_page(page: &str, text: &str) {
    let mut escaped = text.replace('&', "&#38;");
    for special in ['<', '>', '"', '\''] {
        escaped = escaped.replace(special, &format!("&#{};", u32::from(special)));
    }
    assert!(page.contains(&escaped), "{text:?} is shown");
    assert!(escaped == text || !page.contains(text), "{text:?} is escaped");
}

/// The same where a sentence is filled, which escapes in its own way.
#[track_caller]
fn check_quoted(page: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let escaped = escaped.replace('"', "&quot;").replace('\'', "&#39;");
    let quoted = page.split("quoted\">").nth(1).expect("a sum");
    assert!(quoted.starts_with(&format!("<bdi>{escaped}</bdi>, quoted by ")), "{text:?}");
}

/// Expects a refusal that names the field and does not repeat its value.
#[track_caller]
fn check_refused(answer: &Answer, field: &str, text: &str) {
    assert_eq!(answer.status, 400, "{text:?}: {}", answer.body);
    let error = Fields::of(&answer.body).object("error");
    assert_eq!(error.text("param"), field, "{text:?}");
    assert!(!answer.body.contains(text), "{text:?} is not repeated");
}

/// The text in JSON, its letters as they are.
fn plain(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The text in JSON, each letter by its number.
fn by_numbers(text: &str) -> String {
    let numbers: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{numbers}\"")
}

/// 1. Use hostile texts as reference, amount text and name: stored unchanged and shown as
///    text.
/// 2. Use texts with control or bidirectional characters: refused with the field's name,
///    without repeating them.
/// 3. No hostile text is in the log.
#[test]
#[ignore = "long"]
fn hostile_text_is_refused_or_remains_plain_text() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let request = |reference: &str| format!(r#"{{"amountLtc": 0.05, "reference": {reference}}}"#);
    let page = |payment: &str| gateway.get(&format!("/pay/{payment}")).body;
    let unnamed = shop.create("0.05").id;
    for text in TAKEN {
        let payment = shop.create_with(&request(&plain(text))).id;
        assert_eq!(shop.status(&payment).text("reference"), text);
        check_page(&page(&payment), text);
        let listed = gateway.cli_json(&["payment", "show", &payment]);
        assert_eq!(listed.text("reference"), text);

        let sum = format!(r#"{{"amountLtc": 0.05, "displayAmount": {}}}"#, plain(text));
        if text.chars().count() <= 24 {
            let payment = shop.create_with(&sum).id;
            assert_eq!(shop.status(&payment).text("displayAmount"), text);
            check_quoted(&page(&payment), text);
        } else {
            check_refused(&shop.post(&sum, &[]), "displayAmount", text);
        }

        gateway.cli_ok(&["merchant", "set-name", &shop.merchant_id, text]);
        let account = gateway.cli_json(&["merchant", "show", &shop.merchant_id]);
        assert_eq!(account.text("name"), text);
        check_page(&page(&unnamed), text);
    }
    for text in REFUSED {
        for spelled in [plain(text), by_numbers(text)] {
            check_refused(&shop.post(&request(&spelled), &[]), "reference", text);
            let sum = format!(r#"{{"amountLtc": 0.05, "displayAmount": {spelled}}}"#);
            check_refused(&shop.post(&sum, &[]), "displayAmount", text);
        }

        // No process can be given a zero byte as an argument.
        if !text.contains('\u{0}') {
            let name = ["merchant", "set-name", &shop.merchant_id, text];
            let refused = gateway.cli_fails(&name, 2, &["name"]);
            assert!(!refused.stderr.contains(text), "{text:?}: {}", refused.stderr);
        }
    }
    let log = gateway.log();
    for text in TAKEN.iter().chain(&REFUSED).filter(|text| text.chars().count() > 4) {
        assert!(!log.contains(text), "{text:?} is not logged");
    }
}

#[test]
fn the_redirect_url_cannot_become_markup() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let payment =
        shop.create_with(r#"{"amountLtc": 0.05, "redirectUrl": "https://shop.example/?a=\"><b>"}"#);
    let page = gateway.get(&format!("/pay/{}", payment.id)).body;
    assert!(!page.contains("\"><b>"), "{page}");
}
