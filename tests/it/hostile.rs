//! Text that would rather be markup, a command, a formula or a line of its own: as an order's
//! reference and as a shop's name it is refused by the name of the field, or it stays text.

use crate::harness::json::Fields;
use crate::harness::stage::Stage;

/// Taken as they are, and shown as they are.
const TAKEN: [&str; 45] = [
    // Markup, and ways out of attributes, comments and scripts.
    "<script>alert(1)</script>",
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
];

/// What would hide, reorder, break a line or steer a terminal.
const REFUSED: [&str; 20] = [
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
    "\u{3164}",
    "\u{e0041}",
    "\u{ad}",
];

/// What a browser shows of a page: references to characters read once.
fn shown(page: &str) -> String {
    [("&lt;", "<"), ("&#60;", "<"), ("&gt;", ">"), ("&#62;", ">"), ("&quot;", "\"")]
        .into_iter()
        .chain([("&#34;", "\""), ("&#x27;", "'"), ("&#39;", "'")])
        .chain([("&amp;", "&"), ("&#38;", "&")])
        .fold(page.to_owned(), |text, (reference, c)| text.replace(reference, c))
}

/// That the page holds the text, and nothing that a browser would take for more than text.
fn check_page(page: &str, text: &str) {
    assert!(shown(page).contains(text), "{text:?} is shown as it is");
    let special = text.contains(['<', '>', '"', '\'', '&']);
    assert!(!special || !page.contains(text), "{text:?} is escaped");
}

#[test]
fn hostile_text_is_refused_or_stays_text() {
    let Some(Stage { gate, shop, node: _node }) = Stage::shared() else { return };
    let request = |text: &str| {
        let reference = serde_json::to_string(text).unwrap();
        format!(r#"{{"amountLtc": 0.05, "reference": {reference}}}"#)
    };
    for text in TAKEN {
        let payment = shop.create_with(&request(text)).id;
        assert_eq!(shop.status(&payment).text("reference"), text);
        check_page(&gate.get(&format!("/pay/{payment}")).body, text);
        let listed = gate.cli_json(&["payment", "show", &payment]);
        assert_eq!(listed.text("reference"), text);

        gate.cli_ok(&["merchant", "set-name", &shop.merchant_id, text]);
        let account = gate.cli_json(&["merchant", "show", &shop.merchant_id]);
        assert_eq!(account.text("name"), text);
        check_page(&gate.get(&format!("/pay/{payment}")).body, text);
    }
    for text in REFUSED {
        let answer = shop.post(&request(text), &[]);
        assert_eq!(answer.status, 400, "{text:?}: {}", answer.body);
        let error = Fields::of(&answer.body).object("error");
        assert_eq!(error.text("param"), "reference", "{text:?}");
        assert!(!answer.body.contains(text), "{text:?} is not repeated");

        // No process can be given a zero byte as an argument.
        if !text.contains('\u{0}') {
            let name = ["merchant", "set-name", &shop.merchant_id, text];
            let refused = gate.cli_fails(&name, 2, &["name"]);
            assert!(!refused.stderr.contains(text), "{text:?}: {}", refused.stderr);
        }
    }
    let log = gate.log();
    for text in TAKEN.iter().chain(&REFUSED).filter(|text| text.chars().count() > 4) {
        assert!(!log.contains(text), "{text:?} is not logged");
    }
}
