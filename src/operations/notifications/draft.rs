//! Drafts of notifications: recipient, kind and key. The key of each kind is separate.

use crate::domain::merchant::MerchantId;
use crate::domain::notification::Kind;
use crate::store::notifications::Draft;

use super::notification::{
    AccountNotification, Named, Notification, OperatorNotification, PaymentNotification,
};

/// To a merchant, about a payment.
pub(super) fn about_payment(
    merchant: MerchantId,
    kind: Kind,
    key: String,
    payment: Named,
    notification: PaymentNotification,
) -> Draft {
    draft(Some(merchant), kind, key, &Notification::Payment { payment, notification })
}

/// To a merchant, about the account.
pub(super) fn about_account(
    merchant: MerchantId,
    kind: Kind,
    key: String,
    notification: AccountNotification,
) -> Draft {
    draft(Some(merchant), kind, key, &Notification::Account(notification))
}

/// To the administrators, about the gateway.
pub(super) fn about_gateway(kind: Kind, key: String, notification: OperatorNotification) -> Draft {
    draft(None, kind, key, &Notification::Whole(notification))
}

fn draft(
    merchant: Option<MerchantId>,
    kind: Kind,
    key: String,
    notification: &Notification,
) -> Draft {
    Draft {
        key: format!("{}:{key}", kind.as_str()),
        kind,
        merchant,
        text: notification.to_string(),
        notification: notification.stored(),
    }
}
