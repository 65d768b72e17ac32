//! The row-key file, which the sweeper's process has instead of the master secret.
//!
//! Lines of text: the format and its version; for each key the tag of its master secret and
//! the key, in hexadecimal digits; a MAC over these lines under the first key. The first key
//! authenticates new rows, each key verifies rows. During a rotation of the master secret the
//! file holds two keys. A user who has the file can forge rows, but no API key, webhook secret
//! or backup.
//!
//! Must not know: which process reads the file.

use std::io;
use std::path::Path;

use bitcoin::hex::{DisplayHex, FromHex};
use zeroize::Zeroizing;

use crate::safe_file::Place;

use super::mac::Mac;
use super::row_key::{KeyPair, RowKey};
use super::value::wipe_stack;

/// Format and version.
const HEAD: &str = "litegate-row-keys 1";

/// Maximum size of the file, in bytes.
const FILE_BYTES_MAX: usize = 512;

/// Why a text is not a row-key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("holds no row keys (it must begin with \"{HEAD}\")")]
    OtherForm,
    #[error("was changed or cut short")]
    Damaged,
}

/// The content of a file with these keys.
pub(crate) fn print(keys: &KeyPair) -> Zeroizing<String> {
    // The buffer never grows, so no copy stays in memory.
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX));
    text.push_str(HEAD);
    for key in keys.all() {
        let bytes = Zeroizing::new(key.reveal().to_lower_hex_string());
        for part in ["\nkey ", key.tag(), " ", &bytes] {
            text.push_str(part);
        }
    }
    text.push('\n');
    let mac = mac_of(&text, &keys.current).finish().to_lower_hex_string();
    for part in ["mac ", &mac, "\n"] {
        text.push_str(part);
    }
    text
}

/// Parses a row-key file.
///
/// # Errors
/// If the text is not an unchanged output of [`print()`].
pub(crate) fn parse(text: &str) -> Result<KeyPair, Unfit> {
    let keys = parse_whole(text);
    wipe_stack(); // Reading left copies of the keys there.
    keys
}

fn parse_whole(text: &str) -> Result<KeyPair, Unfit> {
    if text.lines().next() != Some(HEAD) {
        return Err(Unfit::OtherForm);
    }
    let (body, mac) = text.rsplit_once("mac ").ok_or(Unfit::Damaged)?;
    let mac = mac.strip_suffix('\n').and_then(|mac| Vec::from_hex(mac).ok());
    let mac = mac.ok_or(Unfit::Damaged)?;
    let key_of = |line: &str| {
        let (tag, bytes) = line.strip_prefix("key ")?.split_once(' ')?;
        Some(RowKey::new(FromHex::from_hex(bytes).ok()?, tag))
    };
    let keys: Option<Vec<RowKey>> = body.lines().skip(1).map(key_of).collect();
    let mut keys = keys.unwrap_or_default().into_iter();
    match (keys.next(), keys.next(), keys.next()) {
        (Some(current), previous, None) if mac_of(body, &current).verifies(&mac) => {
            Ok(KeyPair { current, previous })
        }
        _ => Err(Unfit::Damaged),
    }
}

fn mac_of(body: &str, key: &RowKey) -> Mac {
    let mut mac = key.mac_of("the file of row keys");
    mac.field(b'T', body.as_bytes());
    mac
}

/// Replaces the file at `path`, flushed. It gets the owner of its directory, and only that
/// user can read it.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(path: &Path, keys: &KeyPair) -> io::Result<()> {
    Place::of(path)?.replace(print(keys).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::MasterSecret;

    fn keys(bytes: &[u8]) -> KeyPair {
        let mut keys = bytes.iter().map(|byte| MasterSecret::new([*byte; 32]).row_key());
        KeyPair { current: keys.next().expect("one"), previous: keys.next() }
    }

    #[test]
    fn row_keys_round_trip_through_their_file() {
        for bytes in [&[7][..], &[8, 7]] {
            let written = keys(bytes);
            let text = print(&written);
            assert!(text.len() <= FILE_BYTES_MAX, "{}", text.len());
            let read = parse(&text).expect("our own");
            assert!(read.is_same_as(&written));
            let verifies = |(ours, theirs): (&RowKey, &RowKey)| {
                theirs.mac_of("t").verifies(&ours.mac_of("t").finish())
            };
            assert!(read.all().zip(written.all()).all(verifies));
        }
    }

    #[test]
    fn a_file_holds_no_master_secret() {
        assert!(!print(&keys(&[7])).contains(&"07".repeat(32)));
    }

    #[test]
    fn a_file_that_was_changed_is_refused() {
        let text = print(&keys(&[8, 7])).to_string();
        let check = |text: &str, why| assert_eq!(parse(text).err(), Some(why), "{text}");
        check("", Unfit::OtherForm);
        check(&"07".repeat(32), Unfit::OtherForm);
        check(&text.replace("keys 1", "keys 2"), Unfit::OtherForm);
        check(&text[..text.len() - 1], Unfit::Damaged);
        let lines: Vec<&str> = text.lines().collect();
        check(&[lines[0], lines[1], lines[3], ""].join("\n"), Unfit::Damaged);
        check(&[lines[0], lines[2], lines[1], lines[3], ""].join("\n"), Unfit::Damaged);
        check(&[lines[0], lines[1], lines[2], ""].join("\n"), Unfit::Damaged);
        check(&[lines[0], lines[3], ""].join("\n"), Unfit::Damaged);
    }
}
