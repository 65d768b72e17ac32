//! What is done after a yes, as it is stored until then.

use crate::domain::merchant::{MerchantId, OldKey};
use crate::domain::payment::PaymentId;

/// What is done after a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PendingAction {
    SetAddress(String),
    RotateKey(OldKey),
    RotateWebhookSecret,
    CancelAddressChange,
    RevokeSub(MerchantId),
    Suspend(MerchantId),
    SweepNow,
    ResendAll(MerchantId),
    Announce(String),
    EnableSecondFactor,
    DisableSecondFactor,
    Accept(PaymentId),
    Cancel(PaymentId),
}

impl PendingAction {
    /// The word and the argument in the database. No secret is ever among them.
    pub(super) fn as_row(&self) -> (&'static str, String) {
        match self {
            PendingAction::SetAddress(address) => ("set_address", address.clone()),
            PendingAction::RotateKey(OldKey::RevokeNow) => ("rotate_key", String::new()),
            PendingAction::RotateKey(OldKey::GracePeriod) => ("rotate_key", LIVES_ON.to_owned()),
            PendingAction::RotateWebhookSecret => ("rotate_webhook_secret", String::new()),
            PendingAction::CancelAddressChange => ("cancel_address_change", String::new()),
            PendingAction::RevokeSub(id) => ("revoke_sub", id.to_string()),
            PendingAction::Suspend(id) => ("suspend", id.to_string()),
            PendingAction::SweepNow => ("sweep_now", String::new()),
            PendingAction::ResendAll(id) => ("resend_all", id.to_string()),
            PendingAction::Announce(text) => ("announce", text.clone()),
            PendingAction::EnableSecondFactor => ("enable_second_factor", String::new()),
            PendingAction::DisableSecondFactor => ("disable_second_factor", String::new()),
            PendingAction::Accept(id) => ("accept", id.to_string()),
            PendingAction::Cancel(id) => ("cancel", id.to_string()),
        }
    }

    pub(super) fn from_row(act: &str, argument: &str) -> Option<PendingAction> {
        let id = || argument.parse().ok();
        match act {
            "set_address" => Some(PendingAction::SetAddress(argument.to_owned())),
            "rotate_key" => Some(PendingAction::RotateKey(match argument {
                LIVES_ON => OldKey::GracePeriod,
                _ => OldKey::RevokeNow,
            })),
            "rotate_webhook_secret" => Some(PendingAction::RotateWebhookSecret),
            "cancel_address_change" => Some(PendingAction::CancelAddressChange),
            "revoke_sub" => id().map(PendingAction::RevokeSub),
            "suspend" => id().map(PendingAction::Suspend),
            "sweep_now" => Some(PendingAction::SweepNow),
            "resend_all" => id().map(PendingAction::ResendAll),
            "announce" => Some(PendingAction::Announce(argument.to_owned())),
            "enable_second_factor" => Some(PendingAction::EnableSecondFactor),
            "disable_second_factor" => Some(PendingAction::DisableSecondFactor),
            "accept" => argument.parse().ok().map(PendingAction::Accept),
            "cancel" => argument.parse().ok().map(PendingAction::Cancel),
            _ => None,
        }
    }

    pub(super) fn is_for_admins(&self) -> bool {
        match self {
            PendingAction::SetAddress(_)
            | PendingAction::RotateKey(_)
            | PendingAction::RotateWebhookSecret
            | PendingAction::CancelAddressChange
            | PendingAction::EnableSecondFactor
            | PendingAction::DisableSecondFactor
            | PendingAction::Accept(_)
            | PendingAction::Cancel(_) => false,
            PendingAction::RevokeSub(_)
            | PendingAction::Suspend(_)
            | PendingAction::SweepNow
            | PendingAction::ResendAll(_)
            | PendingAction::Announce(_) => true,
        }
    }

    /// Whether a code of the app must come with the yes.
    pub(super) fn code(&self) -> Needed {
        match self {
            PendingAction::EnableSecondFactor | PendingAction::DisableSecondFactor => {
                Needed::Always
            }
            PendingAction::SetAddress(_) | PendingAction::RotateKey(_) => Needed::WithSecondFactor,
            PendingAction::RotateWebhookSecret
            | PendingAction::CancelAddressChange
            | PendingAction::Accept(_)
            | PendingAction::Cancel(_)
            | PendingAction::RevokeSub(_)
            | PendingAction::Suspend(_)
            | PendingAction::SweepNow
            | PendingAction::ResendAll(_)
            | PendingAction::Announce(_) => Needed::Never,
        }
    }
}

/// When a code of an authenticator app is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    Never,
    /// If the merchant's second factor is enabled.
    WithSecondFactor,
    Always,
}

/// The argument of a rotation after which the old key lives on for a while.
const LIVES_ON: &str = "lives on";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_actions_round_trip_through_their_rows() {
        let id = MerchantId::from_random(7);
        for pending_action in [
            PendingAction::SetAddress("ltc1q".into()),
            PendingAction::RotateKey(OldKey::RevokeNow),
            PendingAction::RotateKey(OldKey::GracePeriod),
            PendingAction::RotateWebhookSecret,
            PendingAction::CancelAddressChange,
            PendingAction::RevokeSub(id),
            PendingAction::Suspend(id),
            PendingAction::SweepNow,
            PendingAction::ResendAll(id),
            PendingAction::Announce("Hello".into()),
            PendingAction::EnableSecondFactor,
            PendingAction::DisableSecondFactor,
            PendingAction::Accept(PaymentId::from_random([7; 16])),
            PendingAction::Cancel(PaymentId::from_random([7; 16])),
        ] {
            let (act, argument) = pending_action.as_row();
            assert_eq!(PendingAction::from_row(act, &argument), Some(pending_action));
        }
        assert_eq!(PendingAction::from_row("suspend", "nobody"), None);
        assert_eq!(PendingAction::from_row("", ""), None);
    }
}
