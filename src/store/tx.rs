//! Read and write transactions.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::audit_log;
use crate::domain::merchant::MerchantId;
use crate::secret::RowKeys;

#[cfg(test)]
use super::error::Error;
use super::heads::{self, Head};
use super::high_water::HighWater;

/// A read transaction: one state of the database.
pub(crate) struct ReadTx<'c> {
    pub(super) connection: &'c Connection,
    /// The keys that verify rows; `None` for a file that is not the gateway's own database, of
    /// which no row is trusted.
    pub(super) keys: Option<&'c RowKeys>,
    /// The heads from before this state: no row of it may be below them.
    pub(super) heads: Arc<heads::State>,
}

/// A write transaction. It can do everything that a [`ReadTx`] can.
pub(crate) struct WriteTx<'c> {
    pub(super) read: ReadTx<'c>,
    pub(super) high_water: &'c HighWater,
    /// The heads to raise after the commit.
    pub(super) raised: RefCell<heads::State>,
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &ReadTx<'c> {
        &self.read
    }
}

impl<'c> ReadTx<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        keys: &'c RowKeys,
        heads: Arc<heads::State>,
    ) -> ReadTx<'c> {
        ReadTx { connection, keys: Some(keys), heads }
    }

    /// A transaction on a file that is not trusted.
    pub(super) fn of_foreign(connection: &'c Connection) -> ReadTx<'c> {
        ReadTx { connection, keys: None, heads: Arc::default() }
    }

    /// The head of a merchant's rows.
    pub(super) fn head_of(&self, merchant: MerchantId) -> Head {
        self.heads.merchants.get(&merchant).copied().unwrap_or_default()
    }
}

impl<'c> WriteTx<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        keys: &'c RowKeys,
        heads: Arc<heads::State>,
        high_water: &'c HighWater,
    ) -> WriteTx<'c> {
        let read = ReadTx::new(connection, keys, heads);
        WriteTx { read, high_water, raised: RefCell::default() }
    }

    /// Records the newest row of the audit log, stored after the commit.
    pub(super) fn raise_audit_log(&self, head: audit_log::Head) {
        self.raised.borrow_mut().audit_log = Some(head);
    }

    /// Raises the head of a merchant's rows to at least this, after the commit.
    pub(super) fn raise_head(&self, merchant: MerchantId, to: Head) {
        let mut raised = self.raised.borrow_mut();
        let head = raised.merchants.entry(merchant).or_default();
        *head = head.or_higher(to);
    }
}

#[cfg(test)]
impl WriteTx<'_> {
    /// Makes the commit of this write fail.
    pub(crate) fn spoil_commit(&self) -> Result<(), Error> {
        let sql = "PRAGMA defer_foreign_keys = ON;
                   INSERT INTO payment_seals VALUES (2147483647, zeroblob(32))";
        Ok(self.connection.execute_batch(sql)?)
    }
}
