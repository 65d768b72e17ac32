//! Named API keys: scopes, revocation, and the time of the last use.

use crate::harness::gateway::Gateway;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;

/// Adds a key, and answers its id and the shop that uses it.
#[track_caller]
fn add(gateway: &Gateway, shop: &Shop, name: &str, scope: &str) -> (String, Shop) {
    let arguments = ["merchant", "key", "add", &shop.merchant_id, "--name", name, "--scope", scope];
    let added = gateway.cli_json(&arguments);
    assert_eq!((added.text("name"), added.text("scope")), (name.to_owned(), scope.to_owned()));
    assert_eq!(added.raw("lastUsedAt"), "null");
    let key = added.text("apiKey");
    assert!(key.starts_with("lg_regtest_"), "{key}");
    (added.text("id"), shop.with_key(&key))
}

fn ask(gateway: &Gateway, shop: &Shop, method: &str, path: &str) -> Answer {
    gateway.request(method, path, &[("x-api-key", &shop.api_key)], "")
}

#[track_caller]
fn listed(gateway: &Gateway, shop: &Shop) -> Vec<String> {
    let answer = ask(gateway, shop, "GET", "/api/payments");
    assert_eq!(answer.status, 200, "{}", answer.body);
    Fields::of(&answer.body).objects("data").iter().map(|one| one.text("paymentId")).collect()
}

/// 1. Give a merchant a key of each scope.
/// 2. Each keyed request answers as the scope allows; 403 names the required scope.
#[test]
fn each_scope_allows_its_requests_only() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let keys =
        ["create", "read", "full"].map(|scope| (scope, add(&gateway, &shop, scope, scope).1));
    for (scope, holder) in &keys {
        let created = holder.post(r#"{"amountLtc": 0.05}"#, &[]);
        let expected = if *scope == "read" { 403 } else { 200 };
        assert_eq!(created.status, expected, "{scope}: {}", created.body);
        for (method, path, allowed) in [
            ("GET", "/api/payments", "create read full"),
            ("GET", "/api/account", "read full"),
            ("GET", "/api/payouts", "read full"),
            ("GET", "/api/webhooks", "read full"),
            ("GET", "/api/webhooks/evt_0/attempts", "read full"),
            ("POST", "/api/webhooks/evt_0/resend", "full"),
        ] {
            let answer = ask(&gateway, holder, method, path);
            let is_allowed = allowed.split(' ').any(|word| word == *scope);
            assert_eq!(answer.status != 403, is_allowed, "{scope} {path}: {}", answer.body);
            if !is_allowed {
                let error = Fields::of(&answer.body).object("error");
                assert_eq!(error.text("code"), "insufficient_scope");
                let last = allowed.split(' ').next_back().unwrap();
                assert!(error.text("message").contains(last), "{}", answer.body);
            }
        }
    }
}

/// 1. Create payments with two `create` keys and with the merchant's own key.
/// 2. Each `create` key lists its own payment, the merchant's key all of them.
#[test]
fn a_create_key_lists_only_its_own_payments() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let (_, first) = add(&gateway, &shop, "First", "create");
    let (_, second) = add(&gateway, &shop, "Second", "create");
    let created = [&first, &second, &shop].map(|holder| holder.create("0.05").id);
    assert_eq!(listed(&gateway, &first), [created[0].clone()]);
    assert_eq!(listed(&gateway, &second), [created[1].clone()]);
    let mut all = listed(&gateway, &shop);
    all.reverse();
    assert_eq!(all, created);
    let beyond = format!("/api/payments?cursor={}", created[1]);
    assert_eq!(ask(&gateway, &first, "GET", &beyond).status, 400, "another key's payment");
}

/// 1. Use a key: the list shows when.
/// 2. Revoke it: the next request is refused, and another key still works.
/// 3. Restore a database from before: no named key works, and a new one can be added.
#[test]
fn a_revoked_key_stays_revoked() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    let (leaked_id, leaked) = add(&gateway, &shop, "Old plugin", "full");
    let (kept_id, kept) = add(&gateway, &shop, "New plugin", "full");
    leaked.create("0.05");
    let id = shop.merchant_id.as_str();
    let keys = gateway.cli_list(&["merchant", "key", "list", id]);
    let used: Vec<bool> = keys.iter().map(|key| key.raw("lastUsedAt") != "null").collect();
    assert_eq!(used, [true, false]);
    assert!(keys.iter().all(|key| !key.whole().contains("lg_regtest_")), "a list shows no keys");
    let shown = gateway.cli_json(&["merchant", "key", "show", id, &kept_id]);
    assert_eq!(shown.text("apiKey"), kept.api_key);
    let copy = gateway.folder().join("copy.db");
    gateway.cli_ok(&["backup", copy.to_str().unwrap()]);

    gateway.cli_ok(&["merchant", "key", "revoke", id, &leaked_id]);
    assert_eq!(leaked.post(r#"{"amountLtc": 0.05}"#, &[]).status, 401);
    kept.create("0.05");
    let operations = gateway.cli_ok(&["audit-log"]).stdout;
    for words in ["add_api_key", "view_api_key", "revoke_api_key"] {
        assert!(operations.contains(words), "{words}: {operations}");
    }

    gateway.term();
    gateway.cli_ok(&["restore", copy.to_str().unwrap()]);
    gateway.start();
    for holder in [&leaked, &kept] {
        assert_eq!(holder.post(r#"{"amountLtc": 0.05}"#, &[]).status, 401);
    }
    shop.create("0.05");
    add(&gateway, &shop, "New plugin", "full").1.create("0.05");
    gateway.doctor_ok();
}

/// 1. Run `merchant key` with duplicate names, wrong scopes and unknown ids: refused with the
///    reason.
/// 2. Add keys up to the limit of 20: the next is refused.
#[test]
fn invalid_key_commands_are_refused_with_a_clear_error() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let id = shop.merchant_id.as_str();
    add(&gateway, &shop, "Plugin", "read");
    let key = |arguments: &[&'static str]| [&["merchant", "key"], arguments].concat();
    let with_id = |arguments: &[&'static str]| -> Vec<String> {
        key(arguments).iter().map(|word| word.replace("ID", id)).collect()
    };
    for (arguments, code, words) in [
        (&["add", "ID", "--name", "Plugin"][..], 2, "name must be unique"),
        (&["add", "ID", "--name", ""], 2, "name must not be empty"),
        (&["add", "ID", "--name", "x", "--scope", "write"], 2, "create, read or full"),
        (&["revoke", "ID", "key_000000000000"], 1, "no API key key_000000000000"),
        (&["revoke", "ID", "Plugin"], 2, "key_0123456789ab"),
        (&["list", "mer_000000000000"], 1, "no merchant"),
    ] {
        let arguments = with_id(arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        gateway.cli_fails(&arguments, code, &[words]);
    }
    for n in 1..20 {
        add(&gateway, &shop, &format!("Plugin {n}"), "read");
    }
    let more = ["merchant", "key", "add", id, "--name", "One more"];
    gateway.cli_fails(&more, 1, &["20 named API keys"]);
}
