//! Tests that a change to any table of a copy, or to the seal itself, is refused by name.

use super::*;
use crate::progress::NO_REPORT;
use crate::secret::MasterSecret;
use crate::store::schema_version;

fn key(byte: u8) -> BackupKey {
    MasterSecret::new([byte; 32]).backup_key()
}

fn facts() -> Facts {
    let audit_log = Head { id: 7, hash: [3; 32] };
    Facts { made_at: Timestamp::from_ms(5), audit_log, heads: Some("heads".to_owned()) }
}

/// A sealed database with a row of each kind of table.
fn sealed() -> Connection {
    let connection = Connection::open_in_memory().expect("in memory");
    schema_version::apply_scripts(&connection, schema_version::known_version())
        .expect("our own scripts");
    let rows = "INSERT INTO merchants (id, name, created_at) VALUES (1, 'one', 1), (2, 'two', 2);
                INSERT INTO identity (name, value) VALUES ('a', 'b'), ('c', 'd');
                INSERT INTO role_status (role, at) VALUES ('watcher', 5);";
    connection.execute_batch(rows).expect("written");
    write(&connection, &key(7), &facts(), NO_REPORT).expect("sealed");
    connection
}

#[test]
fn an_unmodified_backup_verifies_and_returns_its_facts() {
    let connection = sealed();
    let read = verify(&connection, &[key(7)], NO_REPORT).expect("it verifies");
    assert_eq!(read, facts());
    // An older key is found among several.
    verify(&connection, &[key(8), key(7)], NO_REPORT).expect("it verifies");
    remove(&connection).expect("removed");
    assert!(matches!(verify(&connection, &[key(7)], NO_REPORT), Err(Refusal::Unsealed)));
}

#[test]
fn another_secret_is_not_reported_as_a_modification() {
    let refused = verify(&sealed(), &[key(8)], NO_REPORT);
    assert!(matches!(refused, Err(Refusal::OtherSecret(id)) if id == key(7).id()));
}

#[test]
fn each_change_is_refused_with_the_name_of_its_table() {
    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let connection = sealed();
        let freely = format!("PRAGMA foreign_keys = OFF; {sql}");
        connection.execute_batch(&freely).expect("changed");
        let refused = verify(&connection, &[key(7)], NO_REPORT).expect_err(sql).to_string();
        assert!(refused.contains(expected), "{sql}: {refused}");
    }
    let merchants = "the table merchants does not match";
    check("UPDATE merchants SET name = 'eins' WHERE id = 1", merchants);
    check("UPDATE merchants SET id = 3 WHERE id = 2", merchants);
    check("UPDATE merchants SET name = 'x' || name", merchants);
    check("DELETE FROM merchants WHERE id = 2", merchants);
    check("INSERT INTO merchants (id, name, created_at) VALUES (3, 'three', 3)", merchants);
    check("UPDATE identity SET value = 'x' WHERE name = 'a'", "the table identity does not match");
    check("DELETE FROM role_status", "the table role_status does not match");
    check("UPDATE role_status SET at = NULL", "the table role_status does not match");
    check("INSERT INTO payment_seals VALUES (1, zeroblob(32))", "the table payment_seals does");
    check(
        "ALTER TABLE role_status RENAME COLUMN report TO nota",
        "the table role_status does not match",
    );
    check("DROP TABLE role_status", "the table role_status");
    check("CREATE TABLE mine (x)", "the table mine was added");
    let seal = "its seal is wrong";
    check("UPDATE backup_seal SET value = zeroblob(8) WHERE name = 'made at'", seal);
    check("UPDATE backup_seal SET value = zeroblob(8) WHERE name = 'audit log id'", seal);
    check("UPDATE backup_seal SET value = x'00' WHERE name = 'heads'", seal);
    check("DELETE FROM backup_seal WHERE name = 'heads'", seal);
    check("DELETE FROM backup_seal WHERE name = 'seal'", seal);
    check("DELETE FROM backup_seal WHERE name = 'table merchants'", seal);
    check("PRAGMA user_version = 99", seal);
    // A MAC does not verify for another table or another part.
    check(
        "UPDATE backup_seal SET value =
             (SELECT value FROM backup_seal WHERE name = 'table identity')
         WHERE name = 'table merchants'",
        seal,
    );
    check("DROP TABLE backup_seal", "is not sealed");
}
