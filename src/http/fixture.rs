//! A payment for unit tests.

use bitcoin::{OutPoint, ScriptBuf};

use crate::domain::amount::Amount;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Coin, Origin, Payment, PaymentId, Place, Status};
use crate::domain::time::Timestamp;
use crate::view::PaymentFacts;

/// A pending payment of nothing, with one coin that is there.
pub(super) fn facts(place: Place) -> PaymentFacts {
    let (index, now) = (DerivationIndex::new(0).expect("small"), Timestamp::from_ms(0));
    let payment = Payment {
        id: PaymentId::from_random([1; 16]),
        merchant: MerchantId::from_random(1),
        index,
        script: ScriptBuf::new(),
        amount: Amount::ZERO,
        created_at: now,
        expires_at: now,
        late_until: now,
        confirmations: 6,
        confirmations_pegout: 6,
        reference: None,
        webhook_url: None,
        redirect_url: None,
        display_amount: None,
    };
    let coin = Coin {
        outpoint: OutPoint::null(),
        index,
        amount: Amount::ZERO,
        origin: Origin::Plain,
        seen_at: now,
        place,
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
