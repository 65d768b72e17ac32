//! Payouts that wait because database and sweeper disagree about an address are reported.

use super::*;
use crate::domain::merchant::Merchant;
use crate::domain::payout_address::{Reason as WaitReason, Wait};
use crate::store::payout_waits;

#[test]
fn each_payout_wait_reason_notifies_merchant_and_admins_once() {
    let scene = Scene::new();
    let merchant = MerchantId::from_random(7);
    let notified = |reason: Option<WaitReason>, at_ms| {
        let now = Timestamp::from_ms(at_ms);
        let found = scene.store.write_blocking(move |tx| {
            match reason {
                Some(reason) => {
                    let wait = Wait { reason, version: 2, newest_known: 2, until: None };
                    payout_waits::record(tx, merchant, &wait, now)?;
                }
                None => payout_waits::end(tx, merchant)?,
            }
            let mut new = Vec::new();
            let drafts = [merchant::of_payout_waits(tx)?, operator::of_payout_waits(tx)?].concat();
            for draft in drafts {
                if !rows::is_known(tx, &draft.key)? {
                    rows::insert(tx, &draft, now)?;
                    new.push((draft.merchant, draft.text));
                }
            }
            Ok::<_, store::Error>(new)
        });
        found.expect("a pass")
    };
    let add = move |tx: &WriteTx| {
        let shop = Merchant { discord_id: Some(1), ..Merchant::new_shop(merchant) };
        merchants::insert(tx, &shop)
    };
    scene.store.write_blocking(add).expect("a merchant");
    assert_eq!(notified(None, 0), []);
    let both = notified(Some(WaitReason::Unconfirmed), 1);
    let [(to, notification), (None, whole)] = &both[..] else { panic!("{both:?}") };
    assert_eq!(*to, Some(merchant));
    assert!(notification.contains("did not see your new payout address in time"), "{notification}");
    assert!(whole.contains("saw it too late") && whole.contains("litegate doctor"), "{whole}");
    assert_eq!(notified(Some(WaitReason::Unconfirmed), 2), [], "once");
    assert_eq!(notified(None, 3), []);
    assert_eq!(notified(Some(WaitReason::Unconfirmed), 4), [], "nor when it comes back");
    let both = notified(Some(WaitReason::Backdated), 5);
    let [(Some(_), notification), (None, _)] = &both[..] else { panic!("{both:?}") };
    assert!(notification.contains("register the right one again"), "{notification}");
}
