//! Heads and audit log across a backup and a restore.

use crate::domain::audit_log::Head;
use crate::domain::time::Timestamp;

use super::audit_log::chain::{self, KnownHead};
use super::database::Store;
use super::error::Error;
use super::{audit_log, heads};

impl Store {
    /// The heads as text with its own MAC, for a backup.
    ///
    /// # Errors
    /// If their file cannot be read.
    pub(crate) fn heads_text(&self) -> Result<String, Error> {
        Ok(heads::encode(&*self.heads.now()?, &self.keys.now().current))
    }

    /// Raises the heads to those of a backup.
    ///
    /// # Errors
    /// If this gateway did not make them, or the file cannot be written.
    pub(crate) fn raise_heads(&self, text: &str) -> Result<(), Error> {
        let heads = heads::decode(text, &self.keys);
        let foreign =
            || Error::Impossible("the heads in the backup belong to another gateway".to_owned());
        self.heads.raise(&heads.ok_or_else(foreign)?)
    }

    /// Accepts the end of the audit log as the newest row. Returns it, and the different one
    /// that the file of heads had, if any.
    ///
    /// # Errors
    /// If the file of heads cannot be written, or the database cannot be read.
    pub(crate) fn adopt_audit_log(&self) -> Result<(Head, Option<Head>), Error> {
        let newest = self.read_blocking(chain::head)?;
        Ok((newest, self.heads.adopt_audit_log(newest)?))
    }

    /// Accepts the audit log of a restored copy, and records in it where the previous one
    /// ended.
    ///
    /// # Errors
    /// If the heads or the database cannot be written.
    pub(crate) fn adopt_restored_audit_log(&self, now: Timestamp) -> Result<(), Error> {
        let (newest, before) = self.adopt_audit_log()?;
        let before = before.map(|before| format!("row {} {}", before.id, before.hash_hex()));
        let entry = audit_log::Act {
            at: now,
            actor: "cli".to_owned(),
            place: None,
            act: "restore",
            merchant: None,
            before,
            after: Some(format!("row {} {}", newest.id, newest.hash_hex())),
        };
        self.write_blocking(move |tx| audit_log::append(tx, &entry))
    }

    /// The newest row of the audit log, as stored outside the database.
    ///
    /// # Errors
    /// If the file of heads cannot be read.
    pub(crate) fn known_audit_log(&self) -> Result<Vec<KnownHead>, Error> {
        let head = self.heads.now()?.audit_log;
        let known = |head| KnownHead { source: "the file of heads", head };
        Ok(head.map(known).into_iter().collect())
    }
}
