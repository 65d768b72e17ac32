//! Secrets of authenticator apps: TOTP (RFC 6238: SHA-1, 6 digits, 30 seconds), and their
//! encryption at rest (XChaCha20-Poly1305).
//!
//! The encryption key derives from the master secret for this purpose alone, so the sweeper's
//! row key decrypts none. The merchant's id is associated data: a secret does not decrypt for
//! another merchant.
//!
//! Must not know: which codes were used.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::domain::merchant::MerchantId;
use crate::domain::second_factor::Code;
use crate::domain::time::Timestamp;

use super::master_secret::MasterSecret;
use super::secrets::Secrets;
use super::value::{Secret, random_bytes};

/// Bytes of an app's secret (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;

const NONCE_BYTES: usize = 24;

/// Version of this derivation and of the encryption.
const PURPOSE: &[u8] = b"second factor 1";

/// The name that an app shows above its codes.
const ISSUER: &str = "litegate";

/// The secret that an app shares with the gateway.
#[derive(Debug, Clone)]
pub(crate) struct AppSecret(Secret<[u8; SECRET_BYTES]>);

impl AppSecret {
    /// Generates a secret.
    pub(crate) fn generate() -> AppSecret {
        AppSecret(Secret::new(random_bytes()))
    }

    fn totp(&self, merchant: MerchantId) -> Totp {
        // These are the crate's defaults, fixed here because they must never change.
        Builder::new()
            .with_algorithm(totp_rs::Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(30)
            .with_skew(1)
            .with_secret(*self.0.reveal())
            .with_issuer(Some(ISSUER))
            .with_account_name(merchant.to_string())
            .build_noncompliant()
    }

    /// The 30-second step since 1970 of this code: the one at `now` or a neighbour.
    pub(crate) fn step_of(&self, code: &Code, now: Timestamp) -> Option<u64> {
        let Code::OneTime(digits) = code else { return None };
        let seconds = u64::try_from(now.ms().div_euclid(1_000)).ok()?;
        self.totp(MerchantId::from_random(0)).check(digits, seconds)
    }

    /// The secret in base32, to be typed into an app.
    pub(crate) fn text(&self) -> Secret<String> {
        Secret::new(totp_rs::Secret::from(*self.0.reveal()).to_base32())
    }

    /// The secret as a URL that apps open (`otpauth://totp/…`).
    pub(crate) fn url(&self, merchant: MerchantId) -> Secret<String> {
        Secret::new(self.totp(merchant).to_url().unwrap_or_default())
    }
}

/// The encryption key of one master secret.
struct FactorKey(Secret<[u8; 32]>);

impl FactorKey {
    fn of(secret: &MasterSecret) -> FactorKey {
        FactorKey(Secret::new(secret.derive(&[PURPOSE])))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0.reveal()))
    }

    fn seal(&self, merchant: MerchantId, secret: &AppSecret) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let bound = merchant.get().to_be_bytes();
        let payload = Payload { msg: secret.0.reveal(), aad: &bound };
        // Encryption fails only for more bytes than memory can hold.
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        [nonce.as_slice(), &sealed].concat()
    }

    fn open(&self, merchant: MerchantId, sealed: &[u8]) -> Option<AppSecret> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let bound = merchant.get().to_be_bytes();
        let payload = Payload { msg: sealed, aad: &bound };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        let plain = Zeroizing::new(plain);
        plain.as_slice().try_into().ok().map(|bytes| AppSecret(Secret::new(bytes)))
    }
}

/// The master secret under which a stored secret was encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Under {
    Current,
    Previous,
}

impl Secrets {
    /// Encrypts an app's secret under the current master secret.
    pub(crate) fn seal_app_secret(&self, merchant: MerchantId, secret: &AppSecret) -> Vec<u8> {
        FactorKey::of(&self.current()).seal(merchant, secret)
    }

    /// Decrypts an app's secret. `None` if it was changed, belongs to another merchant, or was
    /// encrypted under a master secret that is no longer stored.
    pub(crate) fn open_app_secret(
        &self,
        merchant: MerchantId,
        sealed: &[u8],
    ) -> Option<(AppSecret, Under)> {
        let current = FactorKey::of(&self.current()).open(merchant, sealed);
        current.map(|secret| (secret, Under::Current)).or_else(|| {
            let previous = FactorKey::of(&self.previous()?.secret).open(merchant, sealed)?;
            Some((previous, Under::Previous))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::rotation::Previous;

    fn master(byte: u8) -> MasterSecret {
        MasterSecret::new([byte; 32])
    }

    fn merchant(n: u64) -> MerchantId {
        MerchantId::from_random(n)
    }

    /// RFC 6238, appendix B, for SHA-1: the last six of the eight digits.
    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        let secret = AppSecret(Secret::new(*b"12345678901234567890"));
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let code = Code::parse(digits);
            let step = |at: i64| secret.step_of(&code, Timestamp::from_ms(at * 1_000));
            let expected = u64::try_from(seconds / 30).expect("positive");
            for skew in [-30, 0, 30] {
                assert_eq!(step(seconds + skew), Some(expected), "{seconds} {skew}");
            }
            assert_eq!((step(seconds - 60), step(seconds + 60)), (None, None), "{seconds}");
        }
    }

    #[test]
    fn the_secret_prints_as_base32_text_and_otpauth_url() {
        let secret = AppSecret(Secret::new(*b"12345678901234567890"));
        let text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(secret.text().reveal(), text);
        let url = secret.url(merchant(7));
        let start = format!("otpauth://totp/litegate:{}?", merchant(7));
        assert!(url.reveal().starts_with(&start), "{}", url.reveal());
        assert!(url.reveal().contains(text), "{}", url.reveal());
    }

    #[test]
    fn a_stored_secret_opens_only_for_its_merchant_and_master() {
        let secrets = Secrets::new(master(7), None);
        let secret = AppSecret::generate();
        let sealed = secrets.seal_app_secret(merchant(1), &secret);
        let open = |secrets: &Secrets, of, sealed: &[u8]| {
            let (opened, under) = secrets.open_app_secret(merchant(of), sealed)?;
            assert_eq!(opened.0.reveal(), secret.0.reveal());
            Some(under)
        };
        assert_eq!(open(&secrets, 1, &sealed), Some(Under::Current));
        assert_ne!(sealed, secrets.seal_app_secret(merchant(1), &secret), "a nonce each");
        assert_eq!(open(&secrets, 2, &sealed), None, "another merchant");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&secrets, 1, &changed), None, "byte {at}");
        }
        assert_eq!(open(&secrets, 1, &sealed[..NONCE_BYTES - 1]), None);
        let keys_until = Timestamp::from_ms(0);
        let previous = Previous { secret: master(7), keys_until };
        assert_eq!(
            open(&Secrets::new(master(8), Some(previous)), 1, &sealed),
            Some(Under::Previous)
        );
        assert_eq!(open(&Secrets::new(master(8), None), 1, &sealed), None);
    }
}
