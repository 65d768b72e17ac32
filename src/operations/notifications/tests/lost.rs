//! A completed payment whose coins left the best chain is reported to administrators and
//! merchant.

use bitcoin::OutPoint;

use super::*;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::Merchant;
use crate::domain::payment::{Coin, Origin, Payment, Place, Status, Transition};
use crate::store::{coins, payments};

/// A completed payment of a merchant on Discord, whose only coin was removed.
fn lose_a_payment(tx: &WriteTx) -> Result<(), store::Error> {
    let (id, at) = (MerchantId::from_random(1), Timestamp::from_ms(0));
    let index = DerivationIndex::new(1).expect("small");
    let discord_id = Some(1);
    merchants::insert(tx, &Merchant { discord_id, ..Merchant::new_shop(id) })?;
    let payment =
        Payment { reference: Some("order 7".to_owned()), ..Payment::smallest(id, index, at) };
    payments::insert(tx, &payment)?;
    payments::decide(tx, index, Status::Pending, Transition::Complete { late: false }, at)?;
    let (amount, outpoint) = (payment.amount, OutPoint::null());
    let (origin, place) = (Origin::Plain, Place::Removed);
    coins::insert(tx, &Coin { outpoint, index, amount, origin, seen_at: at, place, rate: None })
}

#[test]
fn a_payment_that_lost_its_coins_is_reported_to_its_merchant() {
    let scene = Scene::new();
    scene.write(lose_a_payment);
    let notified = scene.run_pass(&quiet(), 0);
    let [admins, merchant] = &notified[..] else { panic!("{notified:?}") };
    assert!(admins.contains("`litegate audit`"), "{admins}");
    assert!(merchant.contains("order 7") && merchant.contains("`/payment "), "{merchant}");
    assert!(scene.run_pass(&quiet(), 2 * REPEAT_MS_MIN).is_empty(), "each is reported once");
    let keys = scene.store.read_blocking(|tx| {
        let to = |merchant| {
            rows::due(tx, Timestamp::from_ms(0), 10).map(|all| {
                all.into_iter().filter(|notification| notification.merchant == merchant).count()
            })
        };
        Ok::<_, store::Error>((to(None)?, to(Some(MerchantId::from_random(1)))?))
    });
    assert_eq!(keys.expect("read"), (1, 1));
}
