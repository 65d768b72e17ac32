//! Drafts of notifications: recipient, kind and key.

use crate::domain::merchant::MerchantId;
use crate::domain::notification::Kind;
use crate::store::notifications::Draft;

use super::notification::{Notification, OperatorNotification};

pub(super) fn to(
    merchant: MerchantId,
    kind: Kind,
    key: String,
    notification: &Notification,
) -> Draft {
    Draft { merchant: Some(merchant), ..to_admins(kind, key, notification) }
}

/// A notification to the administrators. Each kind has separate keys.
fn to_admins(kind: Kind, key: String, notification: &Notification) -> Draft {
    let key = format!("{}:{key}", kind.as_str());
    Draft {
        key,
        kind,
        merchant: None,
        text: notification.to_string(),
        notification: notification.stored(),
    }
}

/// A notification about the gateway to the administrators.
pub(super) fn whole(kind: Kind, key: String, notification: OperatorNotification) -> Draft {
    to_admins(kind, key, &Notification::Whole(notification))
}
