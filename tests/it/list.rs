//! `GET /api/payments`: a merchant's payments, newest first, in stable pages.

use crate::harness::gateway::Gateway;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// Requests the list with the shop's key.
fn get(gateway: &Gateway, shop: &Shop, query: &str) -> Answer {
    let key = ("x-api-key", shop.api_key.as_str());
    gateway.request("GET", &format!("/api/payments{query}"), &[key], "")
}

/// The ids of a page, and its cursor.
#[track_caller]
fn page(gateway: &Gateway, shop: &Shop, query: &str) -> (Vec<String>, Option<String>) {
    let answer = get(gateway, shop, query);
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    let fields = Fields::of(&answer.body);
    let ids = fields.objects("data").iter().map(|payment| payment.text("paymentId")).collect();
    let next = (fields.raw("nextCursor") != "null").then(|| fields.text("nextCursor"));
    (ids, next)
}

/// 1. Create payments of two shops: a list has only the own ones, newest first.
/// 2. Read pages of three while new payments are created: each earlier payment once.
/// 3. Foreign and malformed cursors are refused.
#[test]
fn pages_list_each_payment_once_during_concurrent_inserts() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let mut created: Vec<String> = (0..7).map(|_| shop.create("0.05").id).collect();
    neighbour.create("0.05");
    created.reverse();
    let (all, next) = page(&gateway, &shop, "");
    assert_eq!((&all, &next), (&created, &None), "newest first, and nobody else's");

    let mut met = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let (ids, next) = page(&gateway, &shop, &query);
        assert!(ids.len() <= 3);
        met.extend(ids);
        neighbour.create("0.05");
        shop.create("0.05");
        match next {
            Some(cursor) => query = format!("?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(met, created, "no payment is missed or met twice");

    let theirs = neighbour.create("0.05").id;
    for cursor in [&theirs, "x", "", "550e8400-e29b-41d4-a716-446655440000"] {
        let answer = get(&gateway, &shop, &format!("?cursor={cursor}"));
        assert_eq!(answer.status, 400, "{cursor}: {}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("param"), "cursor");
    }
}

/// 1. Create payments with references and complete one.
/// 2. Filter by status, reference and both; a listed payment equals its status.
/// 3. Invalid parameters and requests without a key are refused.
#[test]
fn payments_are_found_by_status_and_reference() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let order =
        |name: &str| shop.create_with(&format!(r#"{{"amountLtc": 0.05, "reference": "{name}"}}"#));
    let (first, second, paid) = (order("order 7"), order("order 7"), order("order 8"));
    shop.create("0.05");
    node.send(&paid.address, "0.05");
    node.mine(2);
    shop.await_status(&paid.id, "completed", SOON);
    #[track_caller]
    fn check(gateway: &Gateway, shop: &Shop, query: &str, expected: &[&str]) {
        assert_eq!(page(gateway, shop, query).0, expected, "{query}");
    }
    check(&gateway, &shop, "?reference=order+7", &[&second.id, &first.id]);
    check(&gateway, &shop, "?reference=order%207&limit=1", &[&second.id]);
    check(&gateway, &shop, "?reference=order", &[]);
    check(&gateway, &shop, "?status=completed", &[&paid.id]);
    check(&gateway, &shop, "?status=expired", &[]);
    check(&gateway, &shop, "?status=pending&reference=order+8", &[]);
    check(&gateway, &shop, "?status=completed&reference=order+8&unknown=1", &[&paid.id]);
    assert_eq!(page(&gateway, &shop, "?status=pending").0.len(), 3);
    let whole = Fields::of(&get(&gateway, &shop, "?status=completed").body);
    let listed = whole.objects("data");
    let without_countdown = |payment: &Fields| {
        let left = format!("\"expiresInSeconds\":{}", payment.raw("expiresInSeconds"));
        assert!(payment.whole().contains(&left), "{}", payment.whole());
        payment.whole().replace(&left, "")
    };
    let shown = shop.status(&paid.id);
    let (listed, shown) = (without_countdown(&listed[0]), without_countdown(&shown));
    assert_eq!(listed, shown, "as the status call shows it");

    for query in ["?limit=0", "?limit=101", "?limit=x", "?status=paid", "?limit=1&limit=2"] {
        let answer = get(&gateway, &shop, query);
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
    let without = gateway.get("/api/payments");
    assert_eq!(without.status, 401, "{}", without.body);
    assert_eq!(without.header("access-control-allow-origin"), None, "keys stay out of browsers");
}
