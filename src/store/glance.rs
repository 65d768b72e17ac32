//! Whether anything was committed since one last looked, at the price of two locks and no row.

use rusqlite::Connection;

use crate::measures;

use super::{Error, ReadTx, Readers, Snapshot, Store};

/// A connection that is kept for looking whether the database is still as it was. Only SQLite
/// knows, for any process may write.
pub(crate) struct Glance {
    connection: Connection,
    /// What SQLite said of the state that was last looked through.
    version: Option<i64>,
}

impl Store {
    /// A glance of one's own. The first look finds that everything is new.
    ///
    /// # Errors
    /// If there is no further connection.
    pub(crate) fn glance(&self) -> Result<Glance, Error> {
        let connection = <Readers as r2d2::ManageConnection>::connect(&self.reader)?;
        Ok(Glance { connection, version: None })
    }
}

impl Glance {
    /// Runs `job` over the state as it is now, unless nothing was committed since the last time
    /// that one succeeded: then `None`.
    ///
    /// # Errors
    /// Those of the job, and of the database; the next look then finds everything new again.
    pub(crate) fn if_new<T, E: From<Error>>(
        &mut self,
        job: impl FnOnce(&ReadTx) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        if self.version.is_some() && self.version == Some(self.version_now()?) {
            return Ok(None);
        }
        self.version = None;
        measures::read();
        let snapshot = Snapshot::begin(&self.connection).map_err(Error::from)?;
        let version = self.version_now()?;
        let outcome = job(&ReadTx::new(snapshot.0))?;
        drop(snapshot);
        self.version = Some(version);
        Ok(Some(outcome))
    }

    /// `PRAGMA data_version`: changes when any other connection, of any process, has committed.
    fn version_now(&self) -> Result<i64, Error> {
        let mut statement = self.connection.prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_commits_is_new_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("litegate.db");
        let store = Store::open(&path).expect("a new database");
        let mut glance = store.glance().expect("a connection");
        let look = |glance: &mut Glance| {
            let sql = "SELECT count(*) FROM sweep_requests";
            let count = |tx: &ReadTx| Ok(tx.connection.query_row(sql, [], |row| row.get(0))?);
            glance.if_new::<i64, Error>(count).expect("readable")
        };
        let ask = "INSERT INTO sweep_requests (at, by) VALUES (1, 'a test')";
        assert_eq!(look(&mut glance), Some(0), "the first look");
        assert_eq!(look(&mut glance), None);
        store
            .write_blocking(|tx| Ok::<_, Error>(tx.connection.execute(ask, [])?))
            .expect("written");
        assert_eq!(look(&mut glance), Some(1), "our own writer");
        assert_eq!(look(&mut glance), None);
        Connection::open(&path).expect("opened").execute(ask, []).expect("written");
        assert_eq!(look(&mut glance), Some(2), "another connection");
        assert_eq!(look(&mut glance), None);
        let failing = |_: &ReadTx| Err::<i64, _>(Error::Busy);
        Connection::open(&path).expect("opened").execute(ask, []).expect("written");
        assert!(glance.if_new(failing).is_err());
        assert_eq!(look(&mut glance), Some(3), "what could not be looked at is still new");
    }
}
