//! A payment for unit tests.

use bitcoin::OutPoint;

use crate::domain::amount::Amount;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Coin, Origin, Payment, Place, Status};
use crate::domain::time::Timestamp;
use crate::view::PaymentFacts;

/// A pending payment with one coin.
pub(super) fn facts(place: Place) -> PaymentFacts {
    let (index, now) = (DerivationIndex::new(0).expect("small"), Timestamp::from_ms(0));
    let payment = Payment::smallest(MerchantId::from_random(1), index, now);
    let coin = Coin {
        outpoint: OutPoint::null(),
        index,
        amount: Amount::ZERO,
        origin: Origin::Plain,
        seen_at: now,
        place,
        rate: None,
    };
    PaymentFacts {
        payment,
        status: Status::Pending,
        coins: vec![coin],
        tip: None,
        business_name: String::new(),
        delayed: false,
    }
}
