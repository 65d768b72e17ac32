use super::*;

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("a test writes amounts well")
}

fn checkout(detail: Detail) -> Checkout {
    let address = "rltc1qp5wfcq48h6d63wyy9qz0awtpfqwwv4smt9zvvx".to_owned();
    Checkout {
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
        assert_eq!(html.contains("<svg"), asks);
    }
    check(Detail::Waiting, "Pay 0.05 LTC", true);
    check(Detail::PartlyPaid, "Please send 0.03 LTC more", true);
    check(Detail::Replaced, "was withdrawn", true);
    check(Detail::Seen, "You can close this page", false);
    check(Detail::Confirming, "About 10 minutes to go", false);
    check(Detail::Paid, "Thank you", false);
    check(Detail::Overpaid, "more than asked", false);
    check(Detail::Expired, "Do not send anything", false);
    check(Detail::Late, "The money is not lost", false);
}

#[test]
fn the_groups_of_an_address_are_the_address() {
    #[track_caller]
    fn check(address: &str, expected: &[&str]) {
        assert_eq!(groups(address), expected);
        let html = render(&Checkout { address: address.to_owned(), ..checkout(Detail::Waiting) });
        let html = html.expect("it renders").html;
        let shown = html.split("<code id=\"address\">").nth(1).expect("an address");
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
        let left = format!("data-left=\"{}\">{expected}</span>", seconds.max(0));
        assert!(html.contains(&left), "{left} in {html}");
        assert!(html.contains("\"2023-12-31T23:59:00.000Z\">23:59 UTC</time>"), "{html}");
    }
    check(-5, "less than a minute");
    check(59, "less than a minute");
    check(60, "1 minute");
    check(1_800, "30 minutes");
    check(7_199, "119 minutes");
    check(7_200, "2 hours");
    check(86_400, "24 hours");
}

#[test]
fn what_a_merchant_sets_cannot_become_markup() {
    let html = html(Detail::Paid);
    assert!(!html.contains("<b>Chips"), "{html}");
    assert!(!html.contains("<script>alert"), "{html}");
    assert!(html.contains("shop.example/thanks?a=1&#38;b=2"), "{html}");
}

#[test]
fn a_page_is_small_and_runs_only_its_own_script() {
    for detail in [Detail::Waiting, Detail::Confirming, Detail::Paid, Detail::Late] {
        let rendered = render(&checkout(detail)).expect("it renders");
        assert!(rendered.html.len() < 20_000, "{} bytes", rendered.html.len());
        let policy = &rendered.content_security_policy;
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!rendered.html.contains("style=") && !rendered.html.contains("onclick="));
        // The hash in the policy is that of what stands in the page.
        let script = rendered.html.split("<script>").nth(1).expect("a script");
        let script = script.split("</script>").next().expect("its end");
        assert!(policy.contains(&hash(script)), "{policy}");
    }
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
    let page = render_not_found().expect("it renders");
    assert!(page.html.contains("No such payment"));
    assert!(!page.html.contains("litecoin:"));
}
