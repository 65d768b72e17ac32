//! The hot balance is reported when it exceeds its limit.

use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint, Txid};

use super::*;
use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::Merchant;
use crate::domain::payment::{Coin, Origin, Payment, Place};
use crate::store::{coins, payments};

fn outpoint() -> OutPoint {
    OutPoint::null()
}

fn ltc(text: &str) -> Amount {
    Amount::parse(text).expect("an amount")
}

/// A payment of five litecoins, and an unconfirmed coin that pays it.
fn add_payment(tx: &WriteTx) -> Result<(), store::Error> {
    let (id, at) = (MerchantId::from_random(1), Timestamp::from_ms(0));
    let (index, amount) = (DerivationIndex::new(1).expect("small"), ltc("5"));
    merchants::insert(tx, &Merchant::new_shop(id))?;
    let payment = Payment { amount, ..Payment::smallest(id, index, at) };
    payments::insert(tx, &payment)?;
    let place = Place::Mempool;
    let coin = Coin {
        outpoint: outpoint(),
        index,
        amount,
        origin: Origin::Plain,
        seen_at: at,
        place,
        rate: None,
    };
    coins::insert(tx, &coin)
}

#[test]
fn excess_hot_balance_is_reported_at_most_every_six_hours() {
    let scene = Scene::new();
    let limit = |text: &str| PassContext { hot_limit: Some(ltc(text)), ..quiet() };
    scene.write(add_payment);
    assert!(scene.run_pass(&limit("4.9"), 0).is_empty(), "the coin is unconfirmed");
    scene.write(|tx| {
        let block = BlockId { height: 1, hash: BlockHash::all_zeros() };
        coins::move_to(tx, outpoint(), Place::Block(block))
    });
    assert!(scene.run_pass(&quiet(), SOON_MS).is_empty(), "no limit, or no key on this machine");
    assert!(scene.run_pass(&limit("5"), SOON_MS).is_empty(), "exactly the limit");
    let off = PassContext { off: vec![Kind::HotMoney], ..limit("4.9") };
    assert!(scene.run_pass(&off, SOON_MS).is_empty());
    let notified = scene.run_pass(&limit("4.9"), SOON_MS);
    assert_eq!(notified.len(), 1, "{notified:?}");
    for words in
        ["5 LTC wait", "4.9 LTC", "`sweeper.max_hot_balance`", "`/sweep_now`", "`litegate sweep"]
    {
        assert!(notified[0].contains(words), "{words}: {notified:?}");
    }
    assert!(scene.run_pass(&limit("4.9"), SOON_MS + REPEAT_MS_MIN - 1).is_empty());
    assert_eq!(scene.run_pass(&limit("4.9"), SOON_MS + REPEAT_MS_MIN).len(), 1);
    scene.write(|tx| {
        assert!(coins::spend(tx, outpoint(), Txid::all_zeros(), 2)?);
        Ok(())
    });
    assert!(scene.run_pass(&limit("4.9"), SOON_MS + 2 * REPEAT_MS_MIN).is_empty());
}
