use super::*;

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("a test writes amounts well")
}

fn checkout(detail: Detail) -> Checkout {
    let address = "rltc1qp5wfcq48h6d63wyy9qz0awtpfqwwv4smt9zvvx".to_owned();
    Checkout {
        language: language::ENGLISH,
        txids: Vec::new(),
        payment_id: "550e8400-e29b-41d4-a716-446655440000".to_owned(),
        business_name: "Fish & <b>Chips</b>".to_owned(),
        reference: Some("\"><script>alert(1)</script>".to_owned()),
        amount: amount("0.05"),
        due: amount("0.03"),
        received: amount("0.02"),
        payment_uri: format!("litecoin:{address}?amount=0.03"),
        address,
        detail,
        delayed: false,
        confirmations: 2,
        confirmations_required: 6,
        expires_at: Timestamp::from_seconds(1_800),
        now: Timestamp::from_seconds(0),
        redirect_url: Some("https://shop.example/thanks?a=1&b=2".to_owned()),
        play_money_url: None,
    }
}

fn html(detail: Detail) -> String {
    render(&checkout(detail)).expect("it renders").html
}

#[test]
fn each_state_says_what_to_do() {
    #[track_caller]
    fn check(detail: Detail, sentence: &str, asks: bool) {
        let html = html(detail);
        assert!(html.contains(sentence), "{sentence:?} in {html}");
        assert_eq!(html.contains("rltc1qp5wfcq48h6d63wyy9qz0awtpfqwwv4smt9zvvx"), asks);
        assert_eq!(html.contains("<span>wfcq</span>"), asks, "{html}");
        assert_eq!(html.contains("<svg class"), asks);
    }
    check(Detail::Waiting, "Pay <bdi>0.05\u{a0}LTC</bdi>", true);
    check(Detail::PartlyPaid, "Please send <bdi>0.03\u{a0}LTC</bdi> more", true);
    check(Detail::Replaced, "was withdrawn", true);
    check(Detail::Seen, "You can close this page", false);
    check(Detail::Confirming, "about <bdi>10</bdi> min to go", false);
    check(Detail::Paid, "Thank you", false);
    check(Detail::Overpaid, "more than asked", false);
    check(Detail::Expired, "arrived in time", false);
    check(Detail::Late, "The money is not lost", false);
}

#[test]
fn the_groups_of_an_address_are_the_address() {
    #[track_caller]
    fn check(address: &str, expected: &[&str]) {
        assert_eq!(groups(address), expected);
        let html = render(&Checkout { address: address.to_owned(), ..checkout(Detail::Waiting) });
        let html = html.expect("it renders").html;
        let shown = html.split("<code id=\"address\" dir=\"ltr\">").nth(1).expect("an address");
        let shown = shown.split("</code>").next().expect("its end");
        let text = shown.replace("<span>", "").replace("</span><wbr>", "");
        assert_eq!(text, address, "nothing stands between the groups: it is copied as it is");
    }
    check("ltc1qp5w", &["ltc1", "qp5w"]);
    check("ltc1qp5wf", &["ltc1", "qp5w", "f"]);
}

#[test]
fn the_time_left_is_counted_by_our_clock() {
    #[track_caller]
    fn check(seconds: i64, expected: &str) {
        let now = Timestamp::from_seconds(1_704_067_140 - seconds);
        let expires_at = Timestamp::from_seconds(1_704_067_140);
        let html = render(&Checkout { now, expires_at, ..checkout(Detail::Waiting) });
        let html = html.expect("it renders").html;
        let left = format!("data-left=\"{}\">{expected}</bdi>", seconds.max(0));
        assert!(html.contains(&left), "{left} in {html}");
        assert!(
            html.contains("\"2023-12-31T23:59:00.000Z\" dir=\"ltr\">23:59 UTC</time>"),
            "{html}"
        );
    }
    check(-5, "<bdi>&lt;\u{a0}1</bdi> min");
    check(59, "<bdi>&lt;\u{a0}1</bdi> min");
    check(60, "<bdi>1</bdi> min");
    check(1_800, "<bdi>30</bdi> min");
    check(7_199, "<bdi>119</bdi> min");
    check(7_200, "<bdi>2</bdi> h");
    check(86_400, "<bdi>24</bdi> h");
}

#[test]
fn what_a_merchant_sets_cannot_become_markup() {
    let html = html(Detail::Paid);
    assert!(!html.contains("<b>Chips"), "{html}");
    assert!(!html.contains("<script>alert"), "{html}");
    assert!(html.contains("shop.example/thanks?a=1&#38;b=2"), "{html}");
}

const DETAILS: [Detail; 9] = [
    Detail::Waiting,
    Detail::PartlyPaid,
    Detail::Seen,
    Detail::Confirming,
    Detail::Replaced,
    Detail::Paid,
    Detail::Overpaid,
    Detail::Expired,
    Detail::Late,
];

#[test]
fn who_sent_nothing_in_time_is_told_to_send_nothing() {
    let received = Amount::ZERO;
    let page = render(&Checkout { received, ..checkout(Detail::Expired) }).expect("it renders");
    assert!(page.html.contains("Do not send anything"), "{}", page.html);
    assert!(!page.html.contains("arrived"), "{}", page.html);
}

#[test]
fn a_page_is_small_in_every_state_and_language() {
    for language in language::ALL {
        for detail in DETAILS {
            let txids = vec!["f".repeat(64); 3];
            let page = Checkout { language, delayed: true, txids, ..checkout(detail) };
            let bytes = render(&page).expect("it renders").html.len();
            assert!(bytes <= 20_000, "{bytes} bytes: {} {detail:?}", language.tag);
        }
    }
}

#[test]
fn each_language_names_itself_and_offers_the_others() {
    for language in language::ALL {
        let page = render(&Checkout { language, ..checkout(Detail::Waiting) }).expect("it renders");
        let (tag, direction) = (language.tag, language.direction);
        let start = format!("<html lang=\"{tag}\" dir=\"{direction}\">");
        assert!(page.html.contains(&start), "{tag}");
        for other in language::ALL {
            let link = format!("href=\"?lang={}\"", other.tag);
            assert_eq!(page.html.contains(&link), other != language, "{tag}: {link}");
        }
        // What wallets read is the same in all of them.
        assert!(page.html.contains("<code id=\"amount\">0.03</code>"), "{tag}");
        assert!(!page.html.contains('{') || !page.html.contains("{n}</"), "{tag}");
    }
}

/// The relative luminance of a colour such as `1f4fa3` (WCAG 2.2), times 10^9. Whole numbers: the
/// channel's power of 2.4 is looked up by halving.
fn luminance(color: &str) -> u64 {
    let digits: String = match color.len() {
        3 => color.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => color.to_owned(),
    };
    let channel = |at: usize| {
        let value = u64::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
        if value <= 10 {
            return value * 1_000_000_000 / 255 * 100 / 1292;
        }
        // y = x^(12/5), so the largest y with y^5 <= x^12, both below 1 and in millionths.
        let x = (value * 1_000_000 / 255 + 55_000) * 1_000 / 1_055;
        let power = |base: u64, exponent: u32| {
            (0..exponent).fold(10_u128.pow(15), |product, _| product * u128::from(base) / 1_000_000)
        };
        let (mut low, mut high) = (0, 1_000_000);
        while low < high {
            let middle = u64::div_ceil(low + high, 2);
            if power(middle, 5) <= power(x, 12) { low = middle } else { high = middle - 1 }
        }
        low * 1_000
    };
    (channel(0) * 2_126 + channel(2) * 7_152 + channel(4) * 722) / 10_000
}

/// The contrast of two colours, times 100.
fn contrast(one: &str, other: &str) -> u64 {
    let (one, other) = (luminance(one) + 50_000_000, luminance(other) + 50_000_000);
    one.max(other) * 100 / one.min(other)
}

#[test]
fn contrast_is_counted_as_wcag_counts_it() {
    assert!((2_099..=2_100).contains(&contrast("fff", "000")), "{}", contrast("fff", "000"));
    assert!((452..=456).contains(&contrast("767676", "fff")), "{}", contrast("767676", "fff"));
}

#[test]
fn all_text_can_be_read_in_light_and_dark() {
    for (theme, palette) in STYLE.split(":root{").skip(1).enumerate() {
        let palette = palette.split('}').next().expect("its end");
        let color = |name: &str| {
            let entry = palette.split(';').find_map(|entry| entry.strip_prefix(name));
            entry.and_then(|entry| entry.strip_prefix(":#")).expect("a colour of this name")
        };
        for text in ["--text", "--soft", "--main", "--good", "--warn"] {
            let reached = contrast(color(text), color("--card"));
            assert!(reached >= 450, "{text} in theme {theme}: {reached}");
        }
        let reached = contrast(color("--on-main"), color("--main"));
        assert!(reached >= 450, "button in theme {theme}: {reached}");
    }
    assert_eq!(STYLE.split(":root{").count(), 3, "light and dark");
}

#[test]
fn a_page_runs_only_its_own_script() {
    for detail in DETAILS {
        let rendered = render(&checkout(detail)).expect("it renders");
        let policy = &rendered.content_security_policy;
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!rendered.html.contains("style=") && !rendered.html.contains("onclick="));
        // The hashes in the policy are those of what stands in the page.
        for (start, end) in [("<script>", "</script>"), ("<style>", "</style>")] {
            let inside = rendered.html.split(start).nth(1).expect("one");
            let inside = inside.split(end).next().expect("its end");
            assert!(policy.contains(&hash(inside)), "{policy}");
        }
    }
}

#[test]
fn who_asks_too_often_is_told_when_to_look_again() {
    let page = render_limited(language::ENGLISH, 7).expect("it renders").html;
    assert!(page.contains("in <bdi>7</bdi> s") && page.contains("Check again"), "{page}");
    assert!(!page.contains("litecoin:"));
}

#[test]
fn play_money_may_be_paid_and_leads_back() {
    let play_money_url = Some("http://127.0.0.1:8081/pay".to_owned());
    let rendered = render(&Checkout { play_money_url, ..checkout(Detail::Waiting) });
    let rendered = rendered.expect("it renders");
    let action = "action=\"http://127.0.0.1:8081/pay/550e8400-e29b-41d4-a716-446655440000\"";
    assert!(rendered.html.contains(action), "{}", rendered.html);
    let allowed = "form-action http://127.0.0.1:8081 'self';";
    assert!(rendered.content_security_policy.contains(allowed));
    assert!(render(&checkout(Detail::Waiting)).is_ok_and(|r| !r.html.contains("<form")));
}

#[test]
fn the_page_without_a_payment_asks_for_nothing() {
    let page = render_not_found(language::ENGLISH).expect("it renders");
    assert!(page.html.contains("No such payment"));
    assert!(!page.html.contains("litecoin:"));
}
