//! Direct access to the database file, as no program of ours has.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::gateway::Gateway;
use super::rows::RowKey;

/// The database of a gateway, which may be serving.
pub(crate) struct Database {
    file: PathBuf,
    /// The key of MACs; absent for other files.
    key: Option<RowKey>,
}

impl Database {
    pub(crate) fn of(gateway: &Gateway) -> Database {
        let key = Some(RowKey::of(gateway));
        Database { key, ..Database::at(gateway.setting("database").as_ref()) }
    }

    /// A file that is not a gateway's database.
    pub(crate) fn at(file: &Path) -> Database {
        Database { file: file.to_owned(), key: None }
    }

    /// Changes rows in spite of protecting triggers. In a gateway's database their MACs
    /// verify, as if a bug had changed them.
    #[track_caller]
    pub(crate) fn damage(&self, sql: &str) {
        let mut connection = self.open();
        let triggers: Vec<(String, String)> = {
            let names = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'";
            let mut statement = connection.prepare(names).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let tx = connection.transaction().unwrap();
        for (name, _) in &triggers {
            tx.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        tx.execute_batch(sql).unwrap();
        self.seal(&tx);
        for (_, again) in &triggers {
            tx.execute_batch(again).unwrap();
        }
        tx.commit().unwrap();
    }

    /// Changes rows as a process with write access could: without reference checks and
    /// protecting triggers. The schema stays, because its change would be detected.
    #[track_caller]
    pub(crate) fn tamper(&self, sql: &str) {
        let connection = self.open();
        let fixed = "SELECT sql FROM sqlite_schema WHERE name = 'payments_are_fixed'";
        let again: String = connection.query_row(fixed, [], |row| row.get(0)).unwrap();
        let freely = "PRAGMA foreign_keys = OFF; DROP TRIGGER payments_are_fixed;";
        connection.execute_batch(&format!("{freely} {sql}")).unwrap();
        assert!(connection.changes() >= 1, "a row changes: {sql}");
        connection.execute_batch(&again).unwrap();
    }

    /// Writes rows as the gateway could, with all triggers in place.
    #[track_caller]
    pub(crate) fn write(&self, sql: &str) {
        let connection = self.open();
        connection.execute_batch(sql).unwrap();
        self.seal(&connection);
    }

    fn seal(&self, connection: &Connection) {
        if let Some(key) = &self.key {
            key.seal(connection);
        }
    }

    /// Removes one row, such as `payments WHERE id = 7`, as a process with write access could.
    #[track_caller]
    pub(crate) fn take(&self, from: &str) -> Vec<Value> {
        let mut rows = self.rows(&format!("SELECT * FROM {from}"));
        assert_eq!(rows.len(), 1, "{from}");
        self.write(&format!("DELETE FROM {from}"));
        rows.remove(0)
    }

    /// Puts a removed row back.
    #[track_caller]
    pub(crate) fn put(&self, table: &str, row: Vec<Value>) {
        let places = vec!["?"; row.len()].join(", ");
        let sql = format!("INSERT INTO {table} VALUES ({places})");
        assert_eq!(self.open().execute(&sql, rusqlite::params_from_iter(row)).unwrap(), 1);
    }

    /// All rows of these tables, by key.
    pub(crate) fn dump(&self, tables: &[&str]) -> Vec<Vec<Value>> {
        tables.iter().flat_map(|table| self.rows(&format!("SELECT * FROM {table}"))).collect()
    }

    /// The result of a query.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        let connection = self.open();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| (0..columns).map(|at| row.get::<_, Value>(at)).collect())
            .unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn open(&self) -> Connection {
        let connection = Connection::open(&self.file).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }
}
