//! JSON forms of amounts and times.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::amount::{Amount, AmountError};
use crate::domain::time::Timestamp;

/// An amount in LTC, as a JSON number without trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ltc(pub(crate) Amount);

impl Serialize for Ltc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits =
            RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        digits.serialize(serializer)
    }
}

/// A JSON number is rounded half up to the litoshi; a string must be exact.
impl<'de> Deserialize<'de> for Ltc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ltc, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let amount = if text.starts_with('"') {
            let text: String = serde_json::from_str(text).map_err(D::Error::custom)?;
            Amount::parse(&text)
        } else if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            Amount::parse_json_number(text)
        } else {
            Err(AmountError::NotANumber)
        };
        amount.map(Ltc).map_err(D::Error::custom)
    }
}

/// A decimal number that is written as a JSON number, digit by digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal(pub(crate) String);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = RawValue::from_string(self.0.clone()).map_err(serde::ser::Error::custom)?;
        digits.serialize(serializer)
    }
}

/// A time as RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Time {
    /// Parses a time of RFC 3339, with any offset.
    pub(crate) fn parse(text: &str) -> Option<Timestamp> {
        let format = &time::format_description::well_known::Rfc3339;
        let parsed = time::OffsetDateTime::parse(text, format).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok().map(Timestamp::from_ms)
    }
}

/// Whole seconds until then; 0 if it is past.
pub(crate) fn seconds_until(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(then.ms_since(now) / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Serialize)]
    struct Body {
        #[serde(rename = "amountLtc")]
        amount: Ltc,
    }

    #[test]
    fn amounts_keep_their_digits_through_json() {
        #[track_caller]
        fn check(sent: &str, answered: &str) {
            let body: Body = serde_json::from_str(&format!("{{\"amountLtc\":{sent}}}")).unwrap();
            let text = serde_json::to_string(&body).unwrap();
            assert_eq!(text, format!("{{\"amountLtc\":{answered}}}"));
        }
        check("0.05", "0.05");
        check("1e-8", "0.00000001");
        check("5e-05", "0.00005");
        check("20999999.99999999", "20999999.99999999");
        check("83999999.99999998", "83999999.99999998");
        check("0.30000000000000004", "0.3");
        check("\"0.05\"", "0.05");
        check("1.0", "1");
    }

    #[test]
    fn an_invalid_amount_is_refused() {
        for bad in ["\"0.123456789\"", "true", "null", "[]", "{}", "-1", "1e400", "\"\"", "\"a\""] {
            let text = format!("{{\"amountLtc\":{bad}}}");
            assert!(serde_json::from_str::<Body>(&text).is_err(), "{bad}");
        }
    }
}
