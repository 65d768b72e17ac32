//! Merchants: ids, names, keys, subscriptions and payout addresses.

use std::fmt;
use std::str::FromStr;

use super::address::Address;
use super::confirmations::ConfirmationChoice;
use super::event_kind::EventKinds;
use super::printable::is_printable;
use super::time::{DAY_MS, Timestamp};
use super::tolerance::Tolerance;

/// A merchant's id: 48 random bits, written `mer_` and 12 hexadecimal digits.
///
/// Random, because API keys derive from it: after a restored backup a sequential id would be
/// issued again, and the old merchant's key would be valid for the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MerchantId(u64);

/// The bits of merchant ids and API key ids.
pub(super) const ID_BITS: u64 = (1 << 48) - 1;

/// The number in an id of 12 hexadecimal digits after this prefix.
pub(super) fn number_of_id(text: &str, prefix: &str) -> Option<u64> {
    let digits = text.strip_prefix(prefix)?;
    let is_hex = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

impl MerchantId {
    /// Uses 48 of the random bits.
    pub(crate) fn from_random(bits: u64) -> MerchantId {
        MerchantId(bits & ID_BITS)
    }

    /// The stored number; below 2^48.
    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for MerchantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mer_{:012x}", self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a merchant id such as mer_0123456789ab")]
pub(crate) struct BadMerchantId;

impl FromStr for MerchantId {
    type Err = BadMerchantId;

    fn from_str(text: &str) -> Result<MerchantId, BadMerchantId> {
        number_of_id(text, "mer_").map(MerchantId).ok_or(BadMerchantId)
    }
}

/// Maximum length of a business name, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 64;

/// A business name that is safe to show: trimmed, 1 to 64 characters, without control
/// characters and text-direction marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BusinessName(String);

/// Why a business name is refused. Each message follows a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadName {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most 64 characters")]
    TooLong,
    #[error("must not hold control characters or marks that change the direction of text")]
    Unprintable,
}

impl BusinessName {
    pub(crate) fn parse(text: &str) -> Result<BusinessName, BadName> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadName::Empty);
        }
        if text.chars().count() > NAME_CHARS_MAX {
            return Err(BadName::TooLong);
        }
        if !is_printable(text) {
            return Err(BadName::Unprintable);
        }
        Ok(BusinessName(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merchant {
    pub(crate) id: MerchantId,
    pub(crate) name: BusinessName,
    /// The Discord user who owns the account.
    pub(crate) discord_id: Option<u64>,
    pub(crate) created_at: Timestamp,
    /// Incremented to create a new API key.
    pub(crate) key_version: u32,
    /// End of the previous API key's grace period; `None` if it is revoked.
    pub(crate) previous_key_until: Option<Timestamp>,
    /// The confirmations that the merchant asks for.
    pub(crate) confirmations: ConfirmationChoice,
    /// The tolerance of payments that name none.
    pub(crate) tolerance: Tolerance,
    /// The events of payments that name none.
    pub(crate) events: EventKinds,
    pub(crate) subscription: Subscription,
    pub(crate) webhook_secret: WebhookSecret,
    /// The webhook URL for payments without their own.
    pub(crate) webhook_url: Option<String>,
}

impl Merchant {
    /// A new merchant without settings, for tests.
    #[cfg(test)]
    pub(crate) fn new_shop(id: MerchantId) -> Merchant {
        Merchant {
            id,
            name: BusinessName::parse("Shop").expect("a name"),
            discord_id: None,
            created_at: Timestamp::from_ms(0),
            key_version: 1,
            previous_key_until: None,
            confirmations: ConfirmationChoice::default(),
            tolerance: Tolerance::NONE,
            events: EventKinds::NONE,
            subscription: Subscription::None,
            webhook_secret: WebhookSecret::FIRST,
            webhook_url: None,
        }
    }

    /// The version of the previous API key, while it is valid.
    pub(crate) fn previous_key_version(&self, now: Timestamp) -> Option<u32> {
        let is_taken = self.previous_key_until.is_some_and(|end| now < end);
        self.key_version.checked_sub(1).filter(|version| is_taken && *version >= 1)
    }
}

/// How a replaced API key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OldKey {
    /// Refused at once: for a key that may have leaked.
    RevokeNow,
    /// Valid for another [`OLD_KEY_LIFE_MS`], so that a shop can switch without interruption.
    GracePeriod,
}

/// How long a replaced API key stays valid, in milliseconds.
pub(crate) const OLD_KEY_LIFE_MS: i64 = DAY_MS;

/// The webhook secrets that sign. They derive from their version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WebhookSecret {
    /// 1 for the first secret, incremented by each rotation.
    pub(crate) version: u32,
    /// When this version replaced the previous one; `None` for the first.
    pub(crate) rotated_at: Option<Timestamp>,
}

/// How long the previous secret signs beside the new one, in milliseconds.
const ROTATION_GRACE_MS: i64 = DAY_MS;

impl WebhookSecret {
    pub(crate) const FIRST: WebhookSecret = WebhookSecret { version: 1, rotated_at: None };

    /// End of the previous version's grace period. Only the last rotation counts: rotating
    /// twice ends a leaked secret at once.
    pub(crate) fn grace_ends_at(self) -> Option<Timestamp> {
        self.rotated_at.map(|at| at.plus_ms(ROTATION_GRACE_MS))
    }

    /// The previous version, while it still signs.
    pub(crate) fn previous_version(self, now: Timestamp) -> Option<u32> {
        let in_grace = self.grace_ends_at().is_some_and(|end| now < end);
        self.version.checked_sub(1).filter(|version| in_grace && *version >= 1)
    }
}

/// Until when a merchant may create payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscription {
    None,
    Until(Timestamp),
}

/// Maximum length of one grant, in days.
pub(crate) const GRANT_DAYS_MAX: u32 = 3_660;

impl Subscription {
    pub(crate) fn is_active(self, now: Timestamp) -> bool {
        match self {
            Subscription::None => false,
            Subscription::Until(end) => now < end,
        }
    }

    /// Adds days to the end, or to now if the subscription has ended. Never shortens.
    pub(crate) fn extended(self, days: u32, now: Timestamp) -> Subscription {
        let from = match self {
            Subscription::Until(end) if end > now => end,
            Subscription::None | Subscription::Until(_) => now,
        };
        Subscription::Until(from.plus_ms(i64::from(days).saturating_mul(DAY_MS)))
    }
}

/// One registration of a payout address. A row never changes, except that it can be cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PayoutAddress {
    /// 1 for the merchant's first registration, then incremented.
    pub(crate) version: u32,
    pub(crate) address: Address,
    pub(crate) registered_at: Timestamp,
    /// The first registration takes effect at once, a change after the operator's delay.
    pub(crate) effective_at: Timestamp,
    pub(crate) cancelled_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Registrations {
    /// Readable ones, oldest first.
    pub(crate) readable: Vec<PayoutAddress>,
    /// The versions of unreadable ones, oldest first. No column of such a row is trusted.
    pub(crate) damaged: Vec<u32>,
}

impl Registrations {
    /// The readable registrations newer than every damaged one, which may have replaced older
    /// ones.
    pub(crate) fn current(&self) -> &[PayoutAddress] {
        let newest_damaged = self.newest_damaged();
        let first = self.readable.partition_point(|row| row.version <= newest_damaged);
        self.readable.get(first..).unwrap_or_default()
    }

    /// The newest unreadable version; 0 if there is none.
    pub(crate) fn newest_damaged(&self) -> u32 {
        self.damaged.iter().copied().max().unwrap_or(0)
    }

    /// The newest version, readable or not; 0 if there is none.
    pub(crate) fn newest_version(&self) -> u32 {
        self.readable.last().map_or(0, |row| row.version).max(self.newest_damaged())
    }
}

/// The address in force at a time: the latest registration that is effective and not
/// cancelled.
pub(crate) fn address_in_force(
    registrations: &[PayoutAddress],
    now: Timestamp,
) -> Option<&PayoutAddress> {
    registrations
        .iter()
        .filter(|r| r.cancelled_at.is_none() && r.effective_at <= now)
        .max_by_key(|r| r.version)
}

/// The change that waits for its effective time, if any.
pub(crate) fn address_to_come(
    registrations: &[PayoutAddress],
    now: Timestamp,
) -> Option<&PayoutAddress> {
    registrations
        .iter()
        .filter(|r| r.cancelled_at.is_none() && r.effective_at > now)
        .max_by_key(|r| r.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_names_are_trimmed_and_validated() {
        assert_eq!(BusinessName::parse("  Acme & Sons ").map(|n| n.0), Ok("Acme & Sons".into()));
        assert_eq!(BusinessName::parse(" "), Err(BadName::Empty));
        assert_eq!(BusinessName::parse(&"é".repeat(65)), Err(BadName::TooLong));
        assert!(BusinessName::parse(&"é".repeat(64)).is_ok());
        for text in ["a\nb", "a\u{202e}b", "a\u{200b}b", "a\0b", "a\u{2066}b"] {
            assert_eq!(BusinessName::parse(text), Err(BadName::Unprintable), "{text:?}");
        }
    }

    #[test]
    fn a_grant_extends_a_subscription_from_its_end_or_from_now() {
        let now = Timestamp::from_ms(1_000 * DAY_MS);
        let ten = Subscription::None.extended(10, now);
        assert_eq!(ten, Subscription::Until(now.plus_ms(10 * DAY_MS)));
        assert_eq!(ten.extended(5, now), Subscription::Until(now.plus_ms(15 * DAY_MS)));
        let long_over = Subscription::Until(Timestamp::from_ms(0));
        assert_eq!(long_over.extended(1, now), Subscription::Until(now.plus_ms(DAY_MS)));
        assert!(!ten.is_active(now.plus_ms(10 * DAY_MS)), "the end itself is over");
        assert!(ten.is_active(now.plus_ms(10 * DAY_MS - 1)));
    }

    #[test]
    fn two_secrets_sign_for_a_day_after_a_rotation() {
        let at = Timestamp::from_ms(1_000 * DAY_MS);
        let rotated = WebhookSecret { version: 3, rotated_at: Some(at) };
        assert_eq!(rotated.previous_version(at), Some(2));
        assert_eq!(rotated.previous_version(at.plus_ms(DAY_MS - 1)), Some(2));
        assert_eq!(rotated.previous_version(at.plus_ms(DAY_MS)), None);
        assert_eq!(WebhookSecret::FIRST.previous_version(at), None);
    }

    #[test]
    fn ids_round_trip_as_text() {
        let id = MerchantId::from_random(u64::MAX);
        assert_eq!(id.to_string(), "mer_ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "mer_", "mer_fff", "ffffffffffff", "mer_+fffffffffff", "mer_gggggggggggg"]
        {
            assert_eq!(text.parse::<MerchantId>(), Err(BadMerchantId), "{text}");
        }
    }
}
