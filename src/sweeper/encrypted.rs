//! Encrypted key file: scrypt (RFC 7914) derives a key from the passphrase, ChaCha20-Poly1305
//! (RFC 8439) encrypts the text.
//!
//! One line: `litegate-encrypted-1 LOG_N SALT TEXT`, the last two in hexadecimal. Each file
//! has its own salt, so each key encrypts once, and the nonce may be zero.

use anyhow::{Context, ensure};
use bitcoin::hex::{DisplayHex, FromHex};
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use zeroize::Zeroizing;

use crate::secret;

const HEAD: &str = "litegate-encrypted-1";

/// The cost of scrypt as a power of two: 128 MB of memory and a third of a second.
pub(crate) const LOG_N: u8 = 17;

/// The highest accepted cost: 1 GB.
const LOG_N_MAX: u8 = 20;

const SALT_BYTES: usize = 32;

pub(super) fn is_encrypted(text: &str) -> bool {
    text.starts_with(HEAD)
}

fn cipher(passphrase: &str, salt: &[u8], log_n: u8) -> anyhow::Result<ChaCha20Poly1305> {
    let params = scrypt::Params::new(log_n, 8, 1).context("parameters of scrypt")?;
    let mut key = Zeroizing::new([0u8; 32]);
    scrypt::scrypt(passphrase.trim_end_matches(['\r', '\n']).as_bytes(), salt, &params, &mut *key)
        .context("derive a key")?;
    Ok(ChaCha20Poly1305::new(&Key::from(*key)))
}

/// Encrypts the text of a key file. A line end after the passphrase is ignored.
///
/// # Errors
/// If there is not enough memory for scrypt.
pub(crate) fn encrypt(text: &str, passphrase: &str, log_n: u8) -> anyhow::Result<String> {
    let salt = secret::random_bytes::<SALT_BYTES>();
    let cipher = cipher(passphrase, &salt, log_n)?;
    let sealed = cipher.encrypt(&Nonce::default(), text.as_bytes());
    let sealed = sealed.map_err(|_| anyhow::anyhow!("cannot encrypt"))?;
    let (salt, sealed) = (salt.to_lower_hex_string(), sealed.to_lower_hex_string());
    Ok(format!("{HEAD} {log_n} {salt} {sealed}\n"))
}

/// Decrypts the text of a key file.
///
/// # Errors
/// If the passphrase is wrong or the file was changed, which cannot be distinguished.
pub(super) fn decrypt(text: &str, passphrase: &str) -> anyhow::Result<Zeroizing<String>> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [HEAD, log_n, salt, sealed] = parts[..] else {
        anyhow::bail!("is not as it was written");
    };
    let log_n: u8 = log_n.parse().context("is not as it was written")?;
    ensure!(log_n <= LOG_N_MAX, "asks for too much work");
    let salt = <[u8; SALT_BYTES]>::from_hex(salt).context("is not as it was written")?;
    let sealed = Vec::<u8>::from_hex(sealed).context("is not as it was written")?;
    let plain = cipher(passphrase, &salt, log_n)?.decrypt(&Nonce::default(), sealed.as_slice());
    let plain = plain.map_err(|_| anyhow::anyhow!("does not open with this passphrase"))?;
    let plain = String::from_utf8(plain).map_err(|error| {
        let _erased = Zeroizing::new(error.into_bytes());
        anyhow::anyhow!("holds no text")
    })?;
    Ok(Zeroizing::new(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_passphrase_decrypts_the_key() {
        let text = encrypt("tprv8…\n", "correct horse", 4).expect("encrypted");
        assert!(is_encrypted(&text) && !text.contains("tprv"));
        let open = |text: &str, passphrase: &str| decrypt(text, passphrase);
        assert_eq!(*open(&text, "correct horse\n").expect("opened"), "tprv8…\n");
        for wrong in ["", "correct horse battery", "Correct horse", " correct horse"] {
            let error = open(&text, wrong).expect_err("another one");
            assert_eq!(error.to_string(), "does not open with this passphrase", "{wrong}");
        }
        let twice = encrypt("tprv8…\n", "correct horse", 4).expect("encrypted");
        assert_ne!(text, twice, "each has its own salt");
    }

    #[test]
    fn a_changed_ciphertext_does_not_decrypt() {
        let text = encrypt("x", "pass", 4).expect("encrypted");
        let (start, last) = text.trim_end().split_at(text.trim_end().len() - 1);
        let flipped = format!("{start}{}\n", if last == "0" { "1" } else { "0" });
        for bad in [flipped.as_str(), "litegate-encrypted-1", "litegate-encrypted-1 30 00 00", ""] {
            assert!(decrypt(bad, "pass").is_err(), "{bad}");
        }
    }
}
