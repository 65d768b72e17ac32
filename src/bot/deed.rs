//! What is done after a yes, as it is stored until then.

use crate::domain::merchant::{MerchantId, OldKey};

/// What is done after a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
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
}

impl Deed {
    /// The word and the argument in the database. No secret is ever among them.
    pub(super) fn as_row(&self) -> (&'static str, String) {
        match self {
            Deed::SetAddress(address) => ("set_address", address.clone()),
            Deed::RotateKey(OldKey::DiesAtOnce) => ("rotate_key", String::new()),
            Deed::RotateKey(OldKey::LivesOn) => ("rotate_key", LIVES_ON.to_owned()),
            Deed::RotateWebhookSecret => ("rotate_webhook_secret", String::new()),
            Deed::CancelAddressChange => ("cancel_address_change", String::new()),
            Deed::RevokeSub(id) => ("revoke_sub", id.to_string()),
            Deed::Suspend(id) => ("suspend", id.to_string()),
            Deed::SweepNow => ("sweep_now", String::new()),
            Deed::ResendAll(id) => ("resend_all", id.to_string()),
            Deed::Announce(text) => ("announce", text.clone()),
            Deed::EnableSecondFactor => ("enable_second_factor", String::new()),
            Deed::DisableSecondFactor => ("disable_second_factor", String::new()),
        }
    }

    pub(super) fn from_row(act: &str, argument: &str) -> Option<Deed> {
        let id = || argument.parse().ok();
        match act {
            "set_address" => Some(Deed::SetAddress(argument.to_owned())),
            "rotate_key" => Some(Deed::RotateKey(match argument {
                LIVES_ON => OldKey::LivesOn,
                _ => OldKey::DiesAtOnce,
            })),
            "rotate_webhook_secret" => Some(Deed::RotateWebhookSecret),
            "cancel_address_change" => Some(Deed::CancelAddressChange),
            "revoke_sub" => id().map(Deed::RevokeSub),
            "suspend" => id().map(Deed::Suspend),
            "sweep_now" => Some(Deed::SweepNow),
            "resend_all" => id().map(Deed::ResendAll),
            "announce" => Some(Deed::Announce(argument.to_owned())),
            "enable_second_factor" => Some(Deed::EnableSecondFactor),
            "disable_second_factor" => Some(Deed::DisableSecondFactor),
            _ => None,
        }
    }

    pub(super) fn is_for_admins(&self) -> bool {
        match self {
            Deed::SetAddress(_)
            | Deed::RotateKey(_)
            | Deed::RotateWebhookSecret
            | Deed::CancelAddressChange
            | Deed::EnableSecondFactor
            | Deed::DisableSecondFactor => false,
            Deed::RevokeSub(_)
            | Deed::Suspend(_)
            | Deed::SweepNow
            | Deed::ResendAll(_)
            | Deed::Announce(_) => true,
        }
    }

    /// Whether a code of the app must come with the yes.
    pub(super) fn code(&self) -> Needed {
        match self {
            Deed::EnableSecondFactor | Deed::DisableSecondFactor => Needed::Always,
            Deed::SetAddress(_) | Deed::RotateKey(_) => Needed::WithSecondFactor,
            Deed::RotateWebhookSecret
            | Deed::CancelAddressChange
            | Deed::RevokeSub(_)
            | Deed::Suspend(_)
            | Deed::SweepNow
            | Deed::ResendAll(_)
            | Deed::Announce(_) => Needed::Never,
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
    fn deeds_come_back_from_their_rows() {
        let id = MerchantId::from_random(7);
        for deed in [
            Deed::SetAddress("ltc1q".into()),
            Deed::RotateKey(OldKey::DiesAtOnce),
            Deed::RotateKey(OldKey::LivesOn),
            Deed::RotateWebhookSecret,
            Deed::CancelAddressChange,
            Deed::RevokeSub(id),
            Deed::Suspend(id),
            Deed::SweepNow,
            Deed::ResendAll(id),
            Deed::Announce("Hello".into()),
            Deed::EnableSecondFactor,
            Deed::DisableSecondFactor,
        ] {
            let (act, argument) = deed.as_row();
            assert_eq!(Deed::from_row(act, &argument), Some(deed));
        }
        assert_eq!(Deed::from_row("suspend", "nobody"), None);
        assert_eq!(Deed::from_row("", ""), None);
    }
}
