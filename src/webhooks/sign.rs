//! Signatures by the Standard Webhooks specification (symmetric, version 1).

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over
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
    fn signs_as_the_specification_publishes() {
        // The example of the specification's reference libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let signed =
            sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
