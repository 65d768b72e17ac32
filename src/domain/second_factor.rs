//! A merchant's second factor: one-time codes of an authenticator app (TOTP, RFC 6238) and
//! recovery codes.
//!
//! A code is accepted once. Too many wrong codes lock the factor for a while.
//!
//! Must not know: keys, SQL, who submits a code.

use std::fmt;

use bitcoin::hashes::{Hash, sha256};

use super::merchant::MerchantId;
use super::time::{MINUTE_MS, Timestamp};

pub(crate) const RECOVERY_CODES: usize = 8;

/// From this many wrong codes in a row, each further one locks the factor.
pub(crate) const WRONG_MAX: u32 = 5;

/// How long the factor is locked, in milliseconds.
pub(crate) const LOCK_MS: i64 = 15 * MINUTE_MS;

/// How long a new factor waits for its first code, in milliseconds.
pub(crate) const SETUP_MS: i64 = 30 * MINUTE_MS;

/// Random bytes of a recovery code: too many to guess, so its hash needs no salt.
pub(crate) const RECOVERY_BYTES: usize = 10;

/// Bytes of a recovery code's hash.
pub(crate) const HASH_BYTES: usize = 32;

/// Characters of a recovery code without hyphens, and of each group.
const RECOVERY_CHARS: usize = 16;
const GROUP_CHARS: usize = 4;

/// Digits of a one-time code.
const DIGITS: usize = 6;

/// The base32 alphabet of RFC 4648, in lowercase.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A recovery code, shown once.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RecoveryCode(zeroize::Zeroizing<String>);

impl RecoveryCode {
    /// Makes a code from random bytes: four groups of four characters.
    pub(crate) fn from_random(bytes: [u8; RECOVERY_BYTES]) -> RecoveryCode {
        let bits = bytes.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
        let mut text = String::with_capacity(RECOVERY_CHARS + RECOVERY_CHARS / GROUP_CHARS);
        for at in 0..RECOVERY_CHARS {
            if at > 0 && at % GROUP_CHARS == 0 {
                text.push('-');
            }
            let letter = (bits >> (5 * (RECOVERY_CHARS - 1 - at))) & 31;
            let letter = usize::try_from(letter).ok().and_then(|letter| ALPHABET.get(letter));
            text.extend(letter.map(|letter| char::from(*letter)));
        }
        RecoveryCode(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> RecoveryHash {
        RecoveryHash::of(&normalized(&self.0))
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(recovery code)")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecoveryHash(pub(crate) [u8; HASH_BYTES]);

impl RecoveryHash {
    fn of(normalized: &str) -> RecoveryHash {
        RecoveryHash(sha256::Hash::hash(normalized.as_bytes()).to_byte_array())
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Code {
    /// Six digits from the app.
    OneTime(String),
    Recovery(RecoveryHash),
    /// Neither form.
    Malformed,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(code)")
    }
}

/// Without spaces and hyphens, in lowercase.
fn normalized(text: &str) -> String {
    let chars = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
    chars.take(RECOVERY_CHARS + 1).map(|letter| letter.to_ascii_lowercase()).collect()
}

impl Code {
    /// Parses a code. Ignores spaces, hyphens and case.
    pub(crate) fn parse(text: &str) -> Code {
        let normalized = normalized(text);
        if normalized.len() == DIGITS && normalized.bytes().all(|byte| byte.is_ascii_digit()) {
            return Code::OneTime(normalized);
        }
        let is_recovery = normalized.len() == RECOVERY_CHARS
            && normalized.bytes().all(|byte| ALPHABET.contains(&byte));
        if is_recovery { Code::Recovery(RecoveryHash::of(&normalized)) } else { Code::Malformed }
    }
}

/// A merchant's second factor, in setup or enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecondFactor {
    pub(crate) merchant: MerchantId,
    /// The secret shared with the app, encrypted.
    pub(crate) secret: Vec<u8>,
    pub(crate) begun_at: Timestamp,
    /// The 30-second step since 1970 of the last accepted code; 0 if none.
    pub(crate) last_step: u64,
    /// Wrong codes since the last accepted one.
    pub(crate) wrong: u32,
    pub(crate) locked_until: Option<Timestamp>,
    /// The unused recovery codes.
    pub(crate) recovery: Vec<RecoveryHash>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    OneTime,
    Recovery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// This many more wrong codes lock the factor.
    Wrong { left: u32 },
    /// A one-time code is accepted once.
    Used,
    /// No code is accepted before this time.
    Locked { until: Timestamp },
}

impl SecondFactor {
    /// Whether the time for the first code of a new factor is over.
    pub(crate) fn setup_is_over(&self, now: Timestamp) -> bool {
        now.ms_since(self.begun_at) >= SETUP_MS
    }

    /// Evaluates a code and records the outcome. `step` is the step of a one-time code that is
    /// valid near `now`.
    ///
    /// # Errors
    /// Why the code is rejected. The caller stores the factor in any case.
    pub(crate) fn evaluate(
        &mut self,
        code: &Code,
        step: Option<u64>,
        now: Timestamp,
    ) -> Result<Accepted, Rejected> {
        if let Some(until) = self.locked_until.filter(|until| now < *until) {
            return Err(Rejected::Locked { until });
        }
        let accepted = match (code, step) {
            (Code::OneTime(_), Some(step)) if step <= self.last_step => {
                return Err(Rejected::Used);
            }
            (Code::OneTime(_), Some(step)) => {
                self.last_step = step;
                Some(Accepted::OneTime)
            }
            (Code::Recovery(hash), _) => {
                let at = self.recovery.iter().position(|stored| stored == hash);
                at.map(|at| self.recovery.remove(at)).map(|_| Accepted::Recovery)
            }
            (Code::OneTime(_) | Code::Malformed, _) => None,
        };
        let Some(accepted) = accepted else { return Err(self.note_wrong(now)) };
        (self.wrong, self.locked_until) = (0, None);
        Ok(accepted)
    }

    fn note_wrong(&mut self, now: Timestamp) -> Rejected {
        self.wrong = self.wrong.saturating_add(1);
        match WRONG_MAX.saturating_sub(self.wrong) {
            0 => {
                let until = now.plus_ms(LOCK_MS);
                self.locked_until = Some(until);
                Rejected::Locked { until }
            }
            left => Rejected::Wrong { left },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor() -> SecondFactor {
        SecondFactor {
            merchant: MerchantId::from_random(1),
            secret: Vec::new(),
            begun_at: Timestamp::from_ms(0),
            last_step: 10,
            wrong: 0,
            locked_until: None,
            recovery: vec![RecoveryCode::from_random([7; RECOVERY_BYTES]).hash()],
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn codes_are_parsed_in_every_typed_form() {
        let code = RecoveryCode::from_random([0xff, 0, 0xff, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(code.reveal().len(), 19);
        for typed in [code.reveal().to_owned(), code.reveal().to_uppercase().replace('-', " ")] {
            assert_eq!(Code::parse(&typed), Code::Recovery(code.hash()), "{typed}");
        }
        assert_eq!(Code::parse(" 123 456\n"), Code::OneTime("123456".to_owned()));
        for bad in ["", "12345", "1234567", "12345a", "abcd-efgh-ijkl-mno1", "a-\u{661}"] {
            assert_eq!(Code::parse(bad), Code::Malformed, "{bad}");
        }
    }

    #[test]
    fn a_step_and_a_recovery_code_are_accepted_once() {
        let mut factor = factor();
        let typed = Code::OneTime("123456".to_owned());
        assert_eq!(factor.evaluate(&typed, Some(11), at(0)), Ok(Accepted::OneTime));
        assert_eq!(factor.evaluate(&typed, Some(11), at(0)), Err(Rejected::Used));
        assert_eq!(
            factor.evaluate(&typed, Some(10), at(0)),
            Err(Rejected::Used),
            "an earlier step"
        );
        let recovery = Code::Recovery(RecoveryCode::from_random([7; RECOVERY_BYTES]).hash());
        assert_eq!(factor.evaluate(&recovery, None, at(0)), Ok(Accepted::Recovery));
        assert_eq!(factor.evaluate(&recovery, None, at(0)), Err(Rejected::Wrong { left: 4 }));
    }

    #[test]
    fn wrong_codes_lock_until_a_right_one_is_accepted() {
        let mut factor = factor();
        let typed = Code::OneTime("123456".to_owned());
        for left in (1..WRONG_MAX).rev() {
            assert_eq!(factor.evaluate(&typed, None, at(0)), Err(Rejected::Wrong { left }));
        }
        let locked = Err(Rejected::Locked { until: at(LOCK_MS) });
        assert_eq!(factor.evaluate(&typed, None, at(0)), locked);
        assert_eq!(
            factor.evaluate(&typed, Some(11), at(LOCK_MS - 1)),
            locked,
            "even the right one"
        );
        // After the lock one wrong code locks again.
        let again = Err(Rejected::Locked { until: at(2 * LOCK_MS) });
        assert_eq!(factor.evaluate(&Code::Malformed, None, at(LOCK_MS)), again);
        assert_eq!(factor.evaluate(&typed, Some(11), at(2 * LOCK_MS)), Ok(Accepted::OneTime));
        assert_eq!(
            factor.evaluate(&typed, None, at(2 * LOCK_MS)),
            Err(Rejected::Wrong { left: 4 })
        );
    }
}
