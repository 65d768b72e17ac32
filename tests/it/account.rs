//! A merchant's balances and payouts, compared with the audit and the node's UTXO set.

use serde_json::Value;

use crate::harness::gateway::Gateway;
use crate::harness::json::{Fields, litoshis};
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

fn ask(gateway: &Gateway, shop: &Shop, path: &str) -> Fields {
    let answer = gateway.request("GET", path, &[("x-api-key", &shop.api_key)], "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    Fields::of(&answer.body)
}

fn sum(fields: &Fields, name: &str) -> u64 {
    let exact: u64 = fields.raw(&format!("{name}Litoshi")).parse().unwrap();
    assert_eq!(litoshis(fields.raw(&format!("{name}Ltc"))), exact, "{name} both ways");
    exact
}

const ACCOUNTS: [&str; 5] = ["unswept", "inFlight", "paid", "fees", "elsewhere"];

/// 1. Complete payments of two merchants, with an operator fee; one payment stays below
///    `min_payout`, one unconfirmed.
/// 2. `/api/account` shows the balances before, during and after a sweep; `/api/payouts` lists
///    its payments.
/// 3. The sums of both merchants equal the audit, the node's UTXO set and `merchant show`.
#[test]
fn account_payouts_audit_and_node_agree_to_the_litoshi() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.min_payout", "0.02"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let operator = node.fresh_address();
    gateway.set("sweeper.operator_address", operator.clone());
    gateway.set("sweeper.operator_fee_basis_points", 100);
    gateway.restart();
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let mut ids = Vec::new();
    for amount in ["0.05", "0.07"] {
        let payment = shop.create(amount);
        node.send(&payment.address, amount);
        ids.push(payment.id);
    }
    let small = neighbour.create("0.01");
    node.send(&small.address, "0.01");
    let seen = shop.create("0.03");
    node.mine(2);
    for id in &ids {
        shop.await_status(id, "completed", SOON);
    }
    neighbour.await_status(&small.id, "completed", SOON);
    node.send(&seen.address, "0.03");
    shop.await_field(&seen.id, "amountReceivedLtc", "0.03", SOON);
    let before = ask(&gateway, &shop, "/api/account");
    assert_eq!((sum(&before, "unswept"), sum(&before, "paid")), (12_000_000, 0));
    assert_eq!((sum(&before, "confirmed"), sum(&before, "unconfirmed")), (12_000_000, 3_000_000));
    assert_eq!(before.text("businessName"), "Corner Shop");
    assert_eq!(before.text("payoutAddress"), shop.payout_address);
    let txid = gateway.cli_json(&["sweep"]).objects("sweeps")[0].text("txid");
    let in_flight = ask(&gateway, &shop, "/api/account");
    assert_eq!((sum(&in_flight, "unswept"), sum(&in_flight, "inFlight")), (0, 12_000_000));
    node.mine(3);
    gateway.await_tip(&node.height().to_string());
    let payouts = ask(&gateway, &shop, "/api/payouts").objects("data");
    let [payout] = &payouts[..] else { panic!("one: {payouts:?}") };
    assert_eq!((payout.text("txid"), payout.raw("confirmations")), (txid.clone(), "3"));
    assert_eq!(sum(payout, "amount"), node.balance_of(&shop.payout_address));
    assert_eq!(payout.raw("operatorFeeLtc"), "0.0012");
    let mut parts: Vec<(String, String)> = payout
        .objects("payments")
        .iter()
        .map(|part| (part.text("paymentId"), part.raw("amountLtc").to_owned()))
        .collect();
    let mut expected =
        vec![(ids[0].clone(), "0.05".to_owned()), (ids[1].clone(), "0.07".to_owned())];
    parts.sort();
    expected.sort();
    assert_eq!(parts, expected);
    let (ours, theirs) =
        (ask(&gateway, &shop, "/api/account"), ask(&gateway, &neighbour, "/api/account"));
    assert_eq!(sum(&ours, "paid"), node.balance_of(&shop.payout_address));
    assert_eq!(sum(&theirs, "unswept"), 1_000_000);
    let audit = gateway.cli_json(&["audit"]);
    assert_eq!(audit.raw("clean"), "true", "{}", audit.whole());
    for name in ACCOUNTS.iter().chain(&["received"]) {
        let together = sum(&ours, name) + sum(&theirs, name);
        assert_eq!(together, litoshis(audit.raw(&format!("{name}Ltc"))), "{name}");
    }
    for fields in [&ours, &theirs] {
        let held: u64 = ACCOUNTS.iter().map(|name| sum(fields, name)).sum();
        assert_eq!(held, sum(fields, "received"));
    }
    assert_eq!(litoshis("0.0012"), node.balance_of(&operator));
    let shown = gateway.cli_json(&["merchant", "show", &shop.merchant_id]);
    assert_eq!(sum(&shown, "paid"), sum(&ours, "paid"));
    assert!(gateway.cli_ok(&["merchant", "show", &shop.merchant_id]).stdout.contains("paid out"));
}

/// 1. Sweep three payments separately and read the payouts in pages of one: newest first, each
///    once.
/// 2. Another merchant sees none, and cannot use the cursor.
/// 3. Invalid parameters and requests without a key are refused.
#[test]
#[ignore = "long"]
fn payouts_are_paginated_and_only_the_merchants_own() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let mut txids = Vec::new();
    for _ in 0..3 {
        let payment = shop.create("0.05");
        node.send(&payment.address, "0.05");
        node.mine(2);
        shop.await_status(&payment.id, "completed", SOON);
        txids.insert(0, gateway.cli_json(&["sweep"]).objects("sweeps")[0].text("txid"));
    }
    let mut found = Vec::new();
    let mut path = "/api/payouts?limit=1".to_owned();
    loop {
        let page = ask(&gateway, &shop, &path);
        found.extend(page.objects("data").iter().map(|payout| payout.text("txid")));
        let Value::String(cursor) = serde_json::from_str(page.raw("nextCursor")).unwrap() else {
            break;
        };
        path = format!("/api/payouts?limit=1&cursor={cursor}");
    }
    assert_eq!(found, txids, "newest first");
    assert_eq!(ask(&gateway, &neighbour, "/api/payouts").objects("data").len(), 0);
    let foreign = format!("/api/payouts?cursor={}", txids[0]);
    for (path, param) in [
        (foreign.as_str(), "cursor"),
        ("/api/payouts?cursor=x", "cursor"),
        ("/api/payouts?limit=0", "limit"),
        ("/api/payouts?limit=101", "limit"),
    ] {
        let answer = gateway.request("GET", path, &[("x-api-key", &neighbour.api_key)], "");
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("param"), param);
    }
    for path in ["/api/payouts", "/api/account"] {
        assert_eq!(gateway.get(path).status, 401);
    }
}
