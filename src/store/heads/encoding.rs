//! The heads as authenticated text, in their file and in backups.

use std::collections::BTreeMap;

use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Serialize};

use crate::domain::audit_log::Head as AuditHead;
use crate::domain::merchant::MerchantId;
use crate::secret::{Mac, RowKey, RowKeys};

use super::state::{Head, State};

/// Version of the file's format.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    merchants: BTreeMap<u64, Head>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_log: Option<AuditLog>,
    /// HMAC-SHA256 over the other fields, in hexadecimal digits.
    mac: String,
}

/// The newest row of the audit log, with its hash in hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditLog {
    id: i64,
    hash: String,
}

/// The heads as text, for the file and for backups.
pub(crate) fn encode(heads: &State, key: &RowKey) -> String {
    let merchants = heads.merchants.iter().map(|(id, head)| (id.get(), *head)).collect();
    let mac = mac(&merchants, heads.audit_log, key).finish().to_lower_hex_string();
    let audit_log = heads.audit_log.map(|head| AuditLog { id: head.id, hash: head.hash_hex() });
    let content = Content { version: VERSION, merchants, audit_log, mac };
    serde_json::to_string(&content).unwrap_or_default()
}

/// Parses the output of [`encode`] if it verifies under one of these keys.
pub(crate) fn decode(text: &str, keys: &RowKeys) -> Option<State> {
    let content: Content = serde_json::from_str(text).ok()?;
    let stored = Vec::from_hex(&content.mac).ok()?;
    let audit_log = match content.audit_log {
        Some(AuditLog { id, hash }) => Some(AuditHead { id, hash: FromHex::from_hex(&hash).ok()? }),
        None => None,
    };
    let keys = keys.now();
    let verifies = |key| mac(&content.merchants, audit_log, key).verifies(&stored);
    if content.version != VERSION || !keys.all().any(verifies) {
        return None;
    }
    let merchants = content.merchants.iter();
    let merchants = merchants.map(|(id, head)| (MerchantId::from_random(*id), *head)).collect();
    Some(State { merchants, audit_log })
}

fn mac(merchants: &BTreeMap<u64, Head>, audit_log: Option<AuditHead>, key: &RowKey) -> Mac {
    let mut mac = key.mac_of("heads");
    for (id, head) in merchants {
        mac.field(b'M', &id.to_be_bytes());
        for part in [head.revision, head.key, head.secret, head.addresses, head.cancelled] {
            mac.field(b'I', &part.to_be_bytes());
        }
        if !head.second_factor.is_none() {
            mac.field(b'F', &head.second_factor.0.to_be_bytes());
        }
    }
    if let Some(head) = audit_log {
        mac.field(b'A', &head.id.to_be_bytes());
        mac.field(b'B', &head.hash);
    }
    mac
}
