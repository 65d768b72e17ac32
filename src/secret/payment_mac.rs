//! The MAC of a payment: proves that this gateway created it with exactly these values.
//!
//! It is made in the process that creates the payment, from the values that it meant, with a key
//! that derives from the installation's secret. Whoever writes the database alone cannot make one.

use subtle::ConstantTimeEq;

use super::{MasterSecret, Secret, hmac};
use crate::domain::payment::Payment;

/// The key of the payments' MACs.
#[derive(Debug, Clone)]
pub(crate) struct PaymentKey(Secret<[u8; 32]>);

impl MasterSecret {
    /// The key with which payments are authenticated.
    pub(crate) fn payment_key(&self) -> PaymentKey {
        PaymentKey(Secret::new(self.derive(&[b"payment row"])))
    }
}

impl PaymentKey {
    /// The MAC over all that is fixed when the payment is created.
    pub(crate) fn mac(&self, payment: &Payment) -> [u8; 32] {
        let fields = encoded(payment);
        hmac(&self.0, &fields.each_ref().map(Vec::as_slice))
    }

    /// Whether this is the payment's MAC, compared in constant time.
    pub(crate) fn fits(&self, payment: &Payment, mac: &[u8]) -> bool {
        self.mac(payment)[..].ct_eq(mac).into()
    }
}

/// Every column that is fixed at creation, in an order of its own, each as bytes that no other
/// value gives. A new field does not compile until it is here.
fn encoded(payment: &Payment) -> [Vec<u8>; 15] {
    let Payment {
        id,
        merchant,
        index,
        script,
        amount,
        created_at,
        expires_at,
        late_until,
        confirmations,
        confirmations_pegout,
        reference,
        webhook_url,
        redirect_url,
        display_amount,
    } = payment;
    [
        b"payment 1".to_vec(), // The version of this list.
        id.as_bytes().to_vec(),
        merchant.get().to_be_bytes().to_vec(),
        index.get().to_be_bytes().to_vec(),
        script.to_bytes(),
        amount.litoshis().to_be_bytes().to_vec(),
        created_at.ms().to_be_bytes().to_vec(),
        expires_at.ms().to_be_bytes().to_vec(),
        late_until.ms().to_be_bytes().to_vec(),
        confirmations.to_be_bytes().to_vec(),
        confirmations_pegout.to_be_bytes().to_vec(),
        optional(reference.as_deref()),
        optional(webhook_url.as_deref()),
        optional(redirect_url.as_deref()),
        optional(display_amount.as_deref()),
    ]
}

/// A text that may be absent: an empty one is another value.
fn optional(text: Option<&str>) -> Vec<u8> {
    match text {
        None => vec![0],
        Some(text) => [&[1], text.as_bytes()].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Amount;
    use crate::domain::keys::DerivationIndex;
    use crate::domain::merchant::MerchantId;
    use crate::domain::payment::PaymentId;
    use crate::domain::time::Timestamp;
    use bitcoin::ScriptBuf;

    #[test]
    fn every_value_that_is_fixed_changes_the_mac() {
        let key = MasterSecret::new([7; 32]).payment_key();
        let at = Timestamp::from_ms(1_700_000_000_000);
        let index = DerivationIndex::new(5).expect("small");
        let payment = Payment::smallest(MerchantId::from_random(1), index, at);
        let mac = key.mac(&payment);
        assert!(key.fits(&payment, &mac));
        assert!(!key.fits(&payment, &mac[..31]), "cut off");
        assert!(!MasterSecret::new([8; 32]).payment_key().fits(&payment, &mac), "another secret");
        let changes: [fn(&mut Payment); 18] = [
            |p| p.id = PaymentId::from_random([9; 16]),
            |p| p.merchant = MerchantId::from_random(2),
            |p| p.index = DerivationIndex::new(6).expect("small"),
            |p| p.script = ScriptBuf::from_bytes(vec![0, 20, 7]),
            |p| p.amount = Amount::from_litoshis(2).expect("small"),
            |p| p.created_at = p.created_at.plus_ms(1),
            |p| p.expires_at = p.expires_at.plus_ms(1),
            |p| p.late_until = p.late_until.plus_ms(1),
            |p| p.confirmations = 2,
            |p| p.confirmations_pegout = 2,
            |p| p.reference = Some("a".to_owned()),
            |p| p.webhook_url = Some("a".to_owned()),
            |p| p.redirect_url = Some("a".to_owned()),
            |p| p.display_amount = Some("a".to_owned()),
            |p| p.reference = Some(String::new()),
            |p| p.webhook_url = Some(String::new()),
            |p| p.redirect_url = Some(String::new()),
            |p| p.display_amount = Some(String::new()),
        ];
        let mut macs = std::collections::BTreeSet::from([mac]);
        for change in changes {
            let mut changed = payment.clone();
            change(&mut changed);
            assert!(!key.fits(&changed, &mac), "{changed:?}");
            assert!(
                macs.insert(key.mac(&changed)),
                "each change has a MAC of its own: {changed:?}"
            );
        }
    }
}
