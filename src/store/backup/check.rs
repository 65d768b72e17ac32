//! Check that a file is a complete database of litegate.

use std::io::Read;
use std::path::Path;

use crate::safe_file;

use super::super::connect::{READ_ONLY, connect};
use super::super::error::Error;
use super::super::schema::Schema;
use super::super::schema_version;
use super::super::scratch::Failed;
use super::seal;

/// Checks that a file is a complete database of litegate. Errors call it `named`.
pub(super) fn evaluate(file: &Path, named: &Path) -> Result<(), Failed> {
    let unfit = |what: String| Failed::Unfit { path: named.to_owned(), what };
    let mut head = [0; 20];
    let read = safe_file::open_to_read(file).and_then(|mut file| file.read_exact(&mut head));
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Err(unfit("is not a database".to_owned()));
    }
    // Bytes 18 and 19 of the file format: 2 means a write-ahead log.
    if head[18] != 1 || head[19] != 1 {
        return Err(unfit(
            "is in WAL mode, so it may be a plain copy of a database in use that lacks the newest \
             rows; sqlite3's .backup makes such files too: make copies with litegate backup"
                .to_owned(),
        ));
    }
    let connection = connect(file, READ_ONLY)?;
    let damaged = |error: rusqlite::Error| unfit(format!("is damaged ({error})"));
    let result: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(damaged)?;
    if result != "ok" {
        return Err(unfit(format!("is damaged ({result})")));
    }
    let dangling: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .map_err(damaged)?;
    if dangling > 0 {
        return Err(unfit(format!("is damaged ({dangling} rows refer to missing rows)")));
    }
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = schema_version::known_version();
    if found > known {
        return Err(Error::Newer { found, known }.into());
    }
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name IN ('payments', 'identity')";
    if found == 0 || connection.query_row(ours, [], |row| row.get::<_, i64>(0))? != 2 {
        return Err(unfit("is not a database of litegate".to_owned()));
    }
    let schema = match seal::is_sealed(&connection)? {
        true => Schema::of_copy(found, seal::SCHEMA)?,
        false => Schema::of_version(found)?,
    };
    match schema.check(&connection) {
        Err(Error::Damaged(what)) => Err(unfit(format!("is damaged ({what})"))),
        other => Ok(other?),
    }
}
