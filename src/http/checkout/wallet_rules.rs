//! Test of payment URIs against the parsers of common wallets, each rule taken from the
//! wallet's source. A URI that breaks a rule would open without its amount, or with an error.

use super::tests::payment_uri_of;

/// A wallet, and why it refuses a link; `None` if it accepts it.
type Rule = (&'static str, fn(&str) -> Option<&'static str>);

const RULES: [Rule; 6] = [
    ("Litecoin Core", |link| {
        let digits = amount(link).split_once('.').map_or(0, |(_, after)| after.len());
        match () {
            () if keys(link).iter().any(|key| key.starts_with("req-")) => {
                Some("an unknown required key")
            }
            () if digits > 8 => Some("more than 8 decimals"),
            () => None,
        }
    }),
    ("Electrum-LTC", |link| {
        let mut keys = keys(link);
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        match () {
            () if keys.len() < count => Some("a key appears twice"),
            () if !keys.contains(&"amount") => Some("the key of the amount must be lowercase"),
            () => None,
        }
    }),
    ("Litewallet for Android", |link| match () {
        () if !link.starts_with("litecoin:") => Some("the scheme must be lowercase"),
        () if keys(link).iter().any(|key| key.starts_with('r')) => Some("read as BIP 70"),
        () => None,
    }),
    ("Litewallet for iOS", |link| match () {
        () if link.contains('+') => Some("a plus becomes a space"),
        () if address(link).contains(['/', '@', ':']) => {
            Some("the address is not a valid host name")
        }
        () => None,
    }),
    ("Cake", |link| {
        let mixed = address(link).chars().any(|letter| letter.is_ascii_uppercase());
        mixed.then_some("a bech32 address must be lowercase")
    }),
    ("Stack", |link| match () {
        () if link.contains("//") => Some("the address must be the path"),
        () if keys(link) != ["amount"] => Some("other keys are dropped"),
        () => None,
    }),
];

fn address(link: &str) -> &str {
    let after = link.split_once(':').map_or("", |(_, after)| after);
    after.split('?').next().unwrap_or_default()
}

fn pairs(link: &str) -> Vec<(&str, &str)> {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect()
}

fn keys(link: &str) -> Vec<&str> {
    pairs(link).into_iter().map(|(key, _)| key).collect()
}

fn amount(link: &str) -> &str {
    pairs(link).into_iter().find(|(key, _)| *key == "amount").map_or("", |(_, value)| value)
}

#[test]
fn every_wallet_accepts_our_payment_links() {
    for text in ["0.00000001", "0.05", "1", "10", "12.34567890", "83999999.99999999"] {
        let link = payment_uri_of(text);
        for (wallet, why_not) in RULES {
            assert_eq!(why_not(&link), None, "{wallet}: {link}");
        }
        // Plain digits: no exponent, sign, comma or trailing zeros.
        let amount = amount(&link);
        assert!(amount.chars().all(|c| c.is_ascii_digit() || c == '.'), "{link}");
        assert!(!amount.contains('.') || !amount.ends_with(['0', '.']), "{link}");
    }
}

#[test]
fn the_wallet_rules_refuse_links_that_wallets_refuse() {
    #[track_caller]
    fn check(wallet: &str, link: &str) {
        let rule = RULES.iter().find(|(name, _)| *name == wallet).expect("a wallet").1;
        assert!(rule(link).is_some(), "{wallet} accepts {link}");
    }
    check("Litecoin Core", "litecoin:ltc1qx?amount=0.000000001");
    check("Litecoin Core", "litecoin:ltc1qx?amount=1&req-time=1");
    check("Electrum-LTC", "litecoin:ltc1qx?amount=1&amount=2");
    check("Electrum-LTC", "litecoin:ltc1qx?AMOUNT=1");
    check("Litewallet for Android", "LITECOIN:LTC1QX?amount=1");
    check("Litewallet for Android", "litecoin:ltc1qx?amount=1&ref=7");
    check("Litewallet for iOS", "litecoin:ltc1qx?amount=1&label=a+b");
    check("Litewallet for iOS", "litecoin://ltc1qx?amount=1");
    check("Cake", "litecoin:LTC1QX?amount=1");
    check("Stack", "litecoin://ltc1qx?amount=1");
    check("Stack", "litecoin:ltc1qx?amount=1&expires=7");
}
