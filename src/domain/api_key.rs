//! Named API keys and their scopes.

use std::fmt;
use std::str::FromStr;

use super::merchant::{BusinessName, ID_BITS, MerchantId, number_of_id};
use super::time::{MINUTE_MS, Timestamp};

/// The id of a named API key: 48 random bits, written `key_` and 12 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ApiKeyId(u64);

impl ApiKeyId {
    /// Uses 48 of the random bits.
    pub(crate) fn from_random(bits: u64) -> ApiKeyId {
        ApiKeyId(bits & ID_BITS)
    }

    /// The stored number; below 2^48.
    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key_{:012x}", self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of an API key such as key_0123456789ab (litegate merchant key list)")]
pub(crate) struct BadApiKeyId;

impl FromStr for ApiKeyId {
    type Err = BadApiKeyId;

    fn from_str(text: &str) -> Result<ApiKeyId, BadApiKeyId> {
        number_of_id(text, "key_").map(ApiKeyId).ok_or(BadApiKeyId)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Create payments, and read the payments that it created.
    Create,
    /// Read all of the merchant's data, and change nothing.
    Read,
    /// Everything that a key may do. A merchant's main key has this scope.
    Full,
}

/// The permission that a request requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    CreatePayment,
    /// Reads payments; a key with scope `create` sees the ones that it created.
    ReadPayments,
    /// Reads other data of the merchant.
    Read,
    /// Makes any other change.
    Change,
}

impl Permission {
    /// The scopes that include this permission, for an error message.
    pub(crate) fn scopes(self) -> &'static str {
        match self {
            Permission::CreatePayment => "create or full",
            Permission::ReadPayments => "create, read or full",
            Permission::Read => "read or full",
            Permission::Change => "full",
        }
    }
}

impl Scope {
    pub(crate) const ALL: [Scope; 3] = [Scope::Create, Scope::Read, Scope::Full];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Scope::Create => "create",
            Scope::Read => "read",
            Scope::Full => "full",
        }
    }

    pub(crate) fn allows(self, access: Permission) -> bool {
        match self {
            Scope::Create => matches!(access, Permission::CreatePayment | Permission::ReadPayments),
            Scope::Read => matches!(access, Permission::ReadPayments | Permission::Read),
            Scope::Full => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be create, read or full")]
pub(crate) struct BadScope;

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Scope, BadScope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(BadScope)
    }
}

/// A named API key. Its text derives from merchant and id and is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedApiKey {
    pub(crate) merchant: MerchantId,
    pub(crate) id: ApiKeyId,
    /// Unique among the merchant's keys; the rules of a business name apply.
    pub(crate) name: BusinessName,
    pub(crate) scope: Scope,
    pub(crate) created_at: Timestamp,
    /// Last use, to the minute; `None` if the key was never used.
    pub(crate) last_used_at: Option<Timestamp>,
}

impl NamedApiKey {
    /// Whether the time of the last use is old enough to be stored again.
    pub(crate) fn is_use_worth_noting(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|last| now.ms_since(last) >= MINUTE_MS)
    }
}

/// Maximum number of named API keys per merchant.
pub(crate) const NAMED_API_KEYS_MAX: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_allows_what_its_description_says() {
        #[track_caller]
        fn check(scope: Scope, expected: [bool; 4]) {
            let all = [
                Permission::CreatePayment,
                Permission::ReadPayments,
                Permission::Read,
                Permission::Change,
            ];
            assert_eq!(all.map(|access| scope.allows(access)), expected, "{scope:?}");
        }
        check(Scope::Create, [true, true, false, false]);
        check(Scope::Read, [false, true, true, false]);
        check(Scope::Full, [true, true, true, true]);
    }

    #[test]
    fn ids_and_scopes_round_trip_as_text() {
        let id = ApiKeyId::from_random(u64::MAX);
        assert_eq!(id.to_string(), "key_ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "key_", "key_ffffffffffff0", "mer_ffffffffffff", "key_fffffffffffg"] {
            assert_eq!(bad.parse::<ApiKeyId>(), Err(BadApiKeyId), "{bad}");
        }
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert_eq!("Full".parse::<Scope>(), Err(BadScope));
    }
}
