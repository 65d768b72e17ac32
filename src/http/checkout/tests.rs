//! Unit tests of the checkout page.

use super::branding::{Theme, contrast, hash};
use super::*;
use crate::domain::fiat::Currency;

/// With the default branding.
fn render(checkout: &Checkout) -> Result<Rendered, askama::Error> {
    super::render(checkout, &Branding::default(), &Codes::default())
}

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
        display_amount: Some("4.17 EUR<i>".to_owned()),
        price: None,
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
        completed_at: None,
        now: Timestamp::from_seconds(0),
        redirect_url: Some("https://shop.example/thanks?a=1&b=2".to_owned()),
        shop_is_notified: true,
        play_money_url: None,
    }
}

fn html(detail: Detail) -> String {
    render(&checkout(detail)).expect("it renders").html
}

#[test]
fn each_payment_state_shows_its_instructions() {
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
    check(Detail::Confirming, "About <bdi>10</bdi> min left", false);
    check(Detail::Paid, "Thank you", false);
    check(Detail::Overpaid, "more than asked", false);
    check(Detail::Expired, "arrived in time", false);
    check(Detail::Late, "The money is not lost", false);
}

#[test]
fn the_address_groups_join_to_the_address() {
    #[track_caller]
    fn check(address: &str, expected: &[&str]) {
        assert_eq!(groups(address), expected);
        let html = render(&Checkout { address: address.to_owned(), ..checkout(Detail::Waiting) });
        let html = html.expect("it renders").html;
        let shown = html.split("<code id=\"address\" dir=\"ltr\">").nth(1).expect("an address");
        let shown = shown.split("</code>").next().expect("its end");
        let text = shown.replace("<span>", "").replace("</span><wbr>", "");
        assert_eq!(text, address, "copied without separators");
    }
    check("ltc1qp5w", &["ltc1", "qp5w"]);
    check("ltc1qp5wf", &["ltc1", "qp5w", "f"]);
}

#[test]
fn the_time_left_is_computed_from_the_server_clock() {
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
fn merchant_text_cannot_become_markup() {
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
fn a_price_is_shown_as_the_language_writes_it() {
    #[track_caller]
    fn check(tag: &str, detail: Detail, expected: &str) {
        let language = language::choose(&format!("lang={tag}"), "");
        let price = FiatAmount::parse("4.99", Currency::EUR).ok();
        let page =
            render(&Checkout { language, price, ..checkout(detail) }).expect("it renders").html;
        assert!(page.contains(expected), "{tag}: {expected} in {page}");
    }
    check("en", Detail::Waiting, "<bdi>€4.99</bdi> = <bdi>0.05\u{a0}LTC</bdi>. The rate is held");
    check("de", Detail::Waiting, "<bdi>4,99\u{a0}€</bdi> = <bdi>0.05\u{a0}LTC</bdi>. Der Kurs");
    check("de", Detail::Paid, ">4,99\u{a0}€</p>");
}

#[test]
fn the_display_amount_is_attributed_to_the_shop() {
    let quoted = "<bdi>4.17 EUR&lt;i&gt;</bdi>, quoted by <bdi>Fish &amp; &lt;b&gt;Chips";
    for detail in DETAILS {
        let html = html(detail);
        assert!(html.contains(quoted), "{detail:?}: {html}");
    }
    let page = Checkout { display_amount: None, ..checkout(Detail::Waiting) };
    assert!(!render(&page).expect("it renders").html.contains("quoted"));
}

#[test]
fn a_receipt_has_a_date() {
    let completed_at = Some(Timestamp::from_seconds(1_704_067_140));
    let html = render(&Checkout { completed_at, ..checkout(Detail::Paid) }).expect("it renders");
    let date =
        "<time datetime=\"2023-12-31T23:59:00.000Z\" dir=\"ltr\">2023-12-31 23:59 UTC</time>";
    assert!(html.html.contains(date), "{}", html.html);
}

#[test]
fn a_page_announces_a_notification_only_if_there_is_a_webhook() {
    for detail in [Detail::Seen, Detail::Confirming] {
        for shop_is_notified in [true, false] {
            let page = render(&Checkout { shop_is_notified, ..checkout(detail) });
            let html = page.expect("it renders").html;
            assert!(html.contains("You can close this page."), "{html}");
            let claim = html.contains("page. The shop is notified automatically.</p>");
            assert_eq!(claim, shop_is_notified, "{detail:?}: {html}");
        }
    }
}

#[test]
fn a_late_page_does_not_claim_that_the_shop_was_notified() {
    let page = html(Detail::Late);
    assert!(page.contains("The money is not lost. Contact the shop"), "{page}");
    // A shop without webhook and bot receives nothing.
    for claim in ["told", "notified", "informed"] {
        assert!(!page.contains(claim), "{claim}: {page}");
    }
}

#[test]
fn an_expired_unpaid_page_warns_against_sending_money() {
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
        let (tag, direction) = (language.tag, language.direction());
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

#[test]
fn contrast_is_computed_as_wcag_defines_it() {
    assert!((20.9..=21.1).contains(&contrast("fff", "000")), "{}", contrast("fff", "000"));
    assert!((4.53..=4.55).contains(&contrast("767676", "fff")), "{}", contrast("767676", "fff"));
}

#[test]
fn all_text_is_readable_in_light_and_dark_themes() {
    let branding = Branding::default();
    for (theme, palette) in branding.style().split(":root{").skip(1).enumerate() {
        let palette = palette.split('}').next().expect("its end");
        let color = |name: &str| {
            let entry = palette.split(';').find_map(|entry| entry.strip_prefix(name));
            entry.and_then(|entry| entry.strip_prefix(":#")).expect("a colour of this name")
        };
        for text in ["--text", "--soft", "--main", "--good", "--warn"] {
            let reached = contrast(color(text), color("--card"));
            assert!(reached >= 4.5, "{text} in theme {theme}: {reached}");
        }
        let reached = contrast(color("--on-main"), color("--main"));
        assert!(reached >= 4.5, "button in theme {theme}: {reached}");
    }
    assert_eq!(branding.style().split(":root{").count(), 3, "light and dark");
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
fn a_rate_limited_page_shows_when_to_check_again() {
    let page = render_limited(language::ENGLISH, 7, &Branding::default()).expect("it renders").html;
    assert!(page.contains("in 7 s") && page.contains("Check again"), "{page}");
    assert!(!page.contains("litecoin:"));
}

#[test]
fn only_the_demo_page_has_a_play_money_form() {
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
fn the_not_found_page_requests_no_payment() {
    let page = render_not_found(language::ENGLISH, &Branding::default()).expect("it renders");
    assert!(page.html.contains("No such payment"));
    assert!(!page.html.contains("litecoin:"));
}

#[test]
fn the_operator_branding_appears_on_the_page() {
    let mut branding = Branding::default();
    branding.set_color(Theme::Light, "#7a1f5c").expect("it can be read");
    branding.set_color(Theme::Dark, "#ffb3e6").expect("it can be read");
    branding.set_logo(b"<svg xmlns='http://www.w3.org/2000/svg'/>").expect("a picture");
    branding.set_explorer("https://explorer.example/tx/{txid}?from=pay").expect("an address");
    branding.set_frame_ancestors(&["https://shop.example".to_owned()]).expect("a site");
    let page = Checkout { txids: vec!["ab".repeat(32)], ..checkout(Detail::Seen) };
    let Rendered { html, content_security_policy: policy } =
        super::render(&page, &branding, &Codes::default()).expect("it renders");
    assert!(html.contains("--main:#7a1f5c") && html.contains("--main:#ffb3e6"), "{html}");
    assert!(html.contains("src=\"data:image/svg+xml;base64,PHN2Zy"), "{html}");
    let link = format!("href=\"https://explorer.example/tx/{}?from=pay\"", "ab".repeat(32));
    assert!(html.contains(&link), "{html}");
    assert!(policy.ends_with("frame-ancestors https://shop.example"), "{policy}");
    assert!(policy.contains(&hash(branding.style())), "{policy}");
}

#[test]
fn invalid_branding_is_refused() {
    let branding = Branding::default;
    for (theme, color) in [
        (Theme::Light, "#ffd700"),
        (Theme::Dark, "#1f4fa3"),
        (Theme::Light, "blue"),
        (Theme::Light, "#12345"),
        (Theme::Light, "#000;}"),
    ] {
        assert!(branding().set_color(theme, color).is_err(), "{color}");
    }
    for url in ["https://explorer.example/", "javascript:{txid}", "{txid}", ""] {
        assert!(branding().set_explorer(url).is_err(), "{url}");
    }
    for site in ["*", "shop.example", "https://shop.example/path", "https://a; script-src *"] {
        assert!(branding().set_frame_ancestors(&[site.to_owned()]).is_err(), "{site}");
    }
    for picture in [b"<html>".as_slice(), b"", &[0x89, b'P', b'N', b'G'].repeat(513)] {
        assert!(branding().set_logo(picture).is_err());
    }
}

/// The link as the page has it, for an amount.
pub(super) fn payment_uri_of(text: &str) -> String {
    let network = crate::domain::network::Network::Regtest;
    let address = "rltc1qp5wfcq48h6d63wyy9qz0awtpfqwwv4smt9zvvx";
    let address = crate::domain::address::Address::parse(address, network).expect("an address");
    crate::domain::payment::payment_uri(&address, amount(text))
}
