//! The trail of administrative acts: who changed what, and when. Append only, and free of secrets.

use rusqlite::params;

use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;

use super::{Error, WriteTx};

/// One act, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) at: Timestamp,
    /// Who did it: `cli`, `discord:<user id>`, `api key` or `system`.
    pub(crate) actor: String,
    /// The act's name, such as `set_address`.
    pub(crate) act: &'static str,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// Adds an act, in the write that does it.
pub(crate) fn append(tx: &WriteTx, act: &Act) -> Result<(), Error> {
    let sql = "INSERT INTO trail (at, actor, act, merchant_id, before, after)
               VALUES (?, ?, ?, ?, ?, ?)";
    tx.connection.prepare_cached(sql)?.execute(params![
        act.at,
        act.actor,
        act.act,
        act.merchant,
        act.before,
        act.after
    ])?;
    Ok(())
}
