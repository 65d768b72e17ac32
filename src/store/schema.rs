//! Comparison of the database's schema with the one that the migrations create.
//!
//! SQLite stores the schema as text in a table. Damage there changes the meaning of statements
//! without breaking the file's structure, and a foreign trigger would act within our own
//! writes. So the text is compared object by object, at each start and before each sweep.
//!
//! Must not know: the content of the tables.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;

use super::error::Error;
use super::schema_version;

/// Type and name of each object, with its table and its SQL.
type Objects = BTreeMap<(String, String), (String, Option<String>)>;

/// The schema of one version.
#[derive(Debug)]
pub(super) struct Schema(Objects);

/// The schema of this binary. Cached, because creating it takes as long as opening a database.
static KNOWN: OnceLock<Arc<Schema>> = OnceLock::new();

impl Schema {
    pub(super) fn known() -> Result<Arc<Schema>, Error> {
        if let Some(known) = KNOWN.get() {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(Schema::of_version(schema_version::known_version())?);
        Ok(Arc::clone(KNOWN.get_or_init(|| made)))
    }

    /// The schema that the migrations create, up to this version.
    pub(super) fn of_version(version: u32) -> Result<Schema, Error> {
        let connection = Connection::open_in_memory()?;
        schema_version::apply_scripts(&connection, version)?;
        Ok(Schema(objects(&connection)?))
    }

    /// The schema of a sealed copy of this version; `seal` creates the seal's table.
    pub(super) fn of_copy(version: u32, seal: &str) -> Result<Schema, Error> {
        let connection = Connection::open_in_memory()?;
        schema_version::apply_scripts(&connection, version)?;
        connection.execute_batch(seal)?;
        Ok(Schema(objects(&connection)?))
    }

    /// Compares a database with it.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the first object that differs, is missing, or is foreign.
    pub(super) fn check(&self, connection: &Connection) -> Result<(), Error> {
        let found = objects(connection)?;
        let differs = |((kind, name), expected): (&(String, String), _)| match found
            .get(&(kind.clone(), name.clone()))
        {
            None => Some(format!("its schema lacks the {kind} {name}")),
            Some(found) if found != expected => {
                Some(format!("its schema differs at the {kind} {name}"))
            }
            Some(_) => None,
        };
        let foreign = |(kind, name): &(String, String)| {
            let is_foreign = !self.0.contains_key(&(kind.clone(), name.clone()));
            is_foreign.then(|| format!("its schema has the {kind} {name}, which is not ours"))
        };
        // A foreign object first: it explains more than its consequences.
        match found.keys().find_map(foreign).or_else(|| self.0.iter().find_map(differs)) {
            Some(difference) => Err(Error::Damaged(difference)),
            None => Ok(()),
        }
    }
}

/// All objects except those of SQLite (statistics) and Litestream. A trigger is never
/// excluded.
fn objects(connection: &Connection) -> Result<Objects, Error> {
    let sql = r"SELECT type, name, tbl_name, sql FROM sqlite_schema
                WHERE type = 'trigger' OR NOT (tbl_name LIKE 'sqlite\_stat%' ESCAPE '\'
                                               OR tbl_name LIKE '\_litestream\_%' ESCAPE '\')";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(((row.get("type")?, row.get("name")?), (row.get("tbl_name")?, row.get("sql")?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The first row with a dangling reference, as a sentence.
pub(super) fn dangling_reference(connection: &Connection) -> Result<Option<String>, Error> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (table, of): (String, String) = (row.get(0)?, row.get(2)?);
    let rowid: Option<i64> = row.get(1)?;
    let which = rowid.map(|rowid| format!(" {rowid}")).unwrap_or_default();
    Ok(Some(format!("row{which} of {table} refers to a missing row of {of}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> (Schema, Connection) {
        let known = schema_version::known_version();
        let connection = Connection::open_in_memory().expect("in memory");
        schema_version::apply_scripts(&connection, known).expect("our own scripts");
        (Schema::of_version(known).expect("our own scripts"), connection)
    }

    #[track_caller]
    fn check(change: &str, expected: &str) {
        let (schema, connection) = fresh();
        connection.execute_batch(change).expect("a change");
        let message = schema.check(&connection).err().map(|error| error.to_string());
        match (message, expected) {
            (None, "") => {}
            (Some(message), expected) if !expected.is_empty() && message.contains(expected) => {}
            (message, _) => panic!("{change}: {message:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn each_kind_of_schema_difference_is_reported() {
        check("", "");
        check("CREATE TABLE mine (x)", "the table mine, which is not ours");
        check("CREATE INDEX mine ON payments (amount)", "the index mine, which is not ours");
        check("CREATE VIEW mine AS SELECT 1", "the view mine, which is not ours");
        check(
            "CREATE TRIGGER mine AFTER INSERT ON payments BEGIN SELECT 1; END",
            "the trigger mine, which is not ours",
        );
        check("DROP TABLE role_status", "lacks the table role_status");
        check(
            "ALTER TABLE role_status RENAME COLUMN report TO nota",
            "differs at the table role_status",
        );
        check(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'report', 'nota') WHERE name = 'role_status'",
            "differs at the table role_status",
        );
    }

    #[test]
    fn objects_of_sqlite_and_litestream_are_tolerated() {
        check("ANALYZE", "");
        check("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)", "");
        check("CREATE TABLE _litestream_lock (id INTEGER)", "");
        check("CREATE TABLE xlitestreamx (id INTEGER)", "which is not ours");
        check(
            "CREATE TABLE _litestream_seq (id INTEGER);
             CREATE TRIGGER _litestream_x AFTER INSERT ON _litestream_seq BEGIN SELECT 1; END",
            "the trigger _litestream_x, which is not ours",
        );
    }
}
