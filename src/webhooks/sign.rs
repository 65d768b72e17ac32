//! Signatures of the Standard Webhooks specification (symmetric, version 1).

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};

use crate::domain::merchant::Merchant;
use crate::domain::time::Timestamp;
use crate::secret::{Secret, Secrets};

/// The keys that sign a merchant's webhooks: the newest first, then the previous ones for a
/// while after a rotation of the merchant's secret or of the master secret.
pub(crate) struct Signer {
    keys: Vec<Secret<[u8; 32]>>,
}

impl Signer {
    pub(crate) fn of(merchant: &Merchant, secret: &Secrets, now: Timestamp) -> Signer {
        let current = merchant.webhook_secret;
        let versions = [Some(current.version), current.previous_version(now)];
        let keys = |version| secret.webhook_keys(merchant.id, version, now);
        Signer { keys: versions.into_iter().flatten().flat_map(keys).collect() }
    }

    /// The value of `webhook-signature`: one signature per key, separated by spaces.
    pub(crate) fn signatures(&self, id: &str, now: Timestamp, body: &str) -> String {
        let signed = self.keys.iter().map(|key| signature(key.reveal(), id, now.seconds(), body));
        signed.collect::<Vec<String>>().join(" ")
    }
}

/// One signature of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over
/// `id.timestamp.body`. `seconds` is the value of `webhook-timestamp`.
pub(crate) fn signature(key: &[u8; 32], id: &str, seconds: i64, body: &str) -> String {
    sign(key, id, seconds, body)
}

fn sign(key: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    engine.input(format!("{id}.{seconds}.{body}").as_bytes());
    let mac = Hmac::<sha256::Hash>::from_engine(engine).to_byte_array();
    format!("v1,{}", STANDARD.encode(mac))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_equals_the_published_example() {
        // The example of the specification's reference libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let signed =
            sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
