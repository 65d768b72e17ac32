//! The file of the sweeper's record: a text of lines, sealed as a whole.
//!
//! Must not know: what the record is for.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};
use bitcoin::ScriptBuf;
use bitcoin::hex::{DisplayHex, FromHex};

use crate::domain::merchant::MerchantId;
use crate::domain::seal::{Record, Seen};
use crate::domain::time::Timestamp;
use crate::safe_file::{self, Place};
use crate::secret::SealKey;

/// The first line of the file: what it is, and the version of its form.
const HEAD: &str = "litegate-seals 2";

/// What the first line was before the chain's time was kept: such a file is read as well, and its
/// addresses that wait, wait for the whole delay by the chain's time.
const HEAD_BEFORE: &str = "litegate-seals 1";

/// The largest file that is read, in bytes: a line of 200 for each of 300,000 registrations.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Replaces the file, so that it is always whole.
///
/// # Errors
/// If it cannot be written.
pub(super) fn replace(file: &Path, record: &Record, key: &SealKey) -> anyhow::Result<()> {
    let place = Place::of(file);
    place
        .and_then(|place| place.replace(print(record, key).as_bytes()))
        .with_context(|| format!("write the sweeper's record {}", file.display()))
}

/// The file's text; `None` if there is no file.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<String>> {
    let shown = path.display();
    let opened = safe_file::open_own_to_read(path);
    let Some(file) = opened.with_context(|| format!("open {shown}"))? else { return Ok(None) };
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_string(&mut text);
    let length = read.with_context(|| format!("read {shown}"))?;
    ensure!(
        u64::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX),
        "{shown} is too large"
    );
    Ok(Some(text))
}

fn print(record: &Record, key: &SealKey) -> String {
    let looked_at = record.looked_at.map_or(0, Timestamp::ms);
    let mut lines = vec![
        HEAD.to_owned(),
        format!("payments {}", record.payments_below),
        format!("looked {looked_at}"),
    ];
    for (merchant, addresses) in &record.addresses {
        for seen in addresses {
            lines.push(format!(
                "address {merchant} {} {} {} {} {} {} {}",
                seen.version,
                seen.script.as_bytes().to_lower_hex_string(),
                seen.first_seen_at.ms(),
                seen.first_seen_chain.map_or(0, Timestamp::ms),
                u8::from(seen.backdated),
                u8::from(seen.was_in_force),
                u8::from(seen.cancelled),
            ));
        }
    }
    let body = lines.join("\n") + "\n";
    let seal = key.seal(&[b"record", body.as_bytes()]).to_lower_hex_string();
    format!("{body}seal {seal}\n")
}

/// # Errors
/// If the text was changed, or made with another key.
pub(super) fn parse(text: &str, key: &SealKey) -> anyhow::Result<Record> {
    let text = text.strip_suffix('\n').context("is cut short")?;
    let (body, last) = text.rsplit_once('\n').context("is cut short")?;
    let body = format!("{body}\n");
    let seal = last.strip_prefix("seal ").context("is cut short")?;
    let seal = Vec::<u8>::from_hex(seal).ok().context("is cut short")?;
    ensure!(
        key.fits(&seal, &[b"record", body.as_bytes()]),
        "was changed, or made with another seal key"
    );
    let mut lines = body.lines();
    let head = lines.next();
    ensure!(matches!(head, Some(HEAD | HEAD_BEFORE)), "is of another version");
    let payments = lines.next().and_then(|line| line.strip_prefix("payments "));
    let payments_below = payments.and_then(|n| n.parse().ok()).context("names no payments")?;
    let mut looked_at = None;
    if head == Some(HEAD) {
        let looked = lines.next().and_then(|line| line.strip_prefix("looked "));
        let looked = looked.and_then(parse_time).context("names no look")?;
        looked_at = Some(looked).filter(|at| at.ms() != 0);
    }
    let mut addresses: BTreeMap<MerchantId, Vec<Seen>> = BTreeMap::new();
    for line in lines {
        let (merchant, seen) = parse_address(line).context("holds a line that is no address")?;
        addresses.entry(merchant).or_default().push(seen);
    }
    Ok(Record { addresses, payments_below, looked_at })
}

fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_ms)
}

fn parse_address(line: &str) -> Option<(MerchantId, Seen)> {
    let parts: Vec<&str> = line.split(' ').collect();
    let (what, chain, backdated) = match parts[..] {
        ["address", merchant, version, script, at, in_force, cancelled] => {
            ([merchant, version, script, at, in_force, cancelled], "0", "0")
        }
        ["address", merchant, version, script, at, chain, backdated, in_force, cancelled] => {
            ([merchant, version, script, at, in_force, cancelled], chain, backdated)
        }
        _ => return None,
    };
    let [merchant, version, script, at, in_force, cancelled] = what;
    let seen = Seen {
        version: version.parse().ok()?,
        script: ScriptBuf::from_hex(script).ok()?,
        first_seen_at: parse_time(at)?,
        first_seen_chain: Some(parse_time(chain)?).filter(|at| at.ms() != 0),
        backdated: backdated == "1",
        was_in_force: in_force == "1",
        cancelled: cancelled == "1",
    };
    Some((merchant.parse().ok()?, seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let seen = |version, cancelled| Seen {
            version,
            script: ScriptBuf::from_bytes(vec![0, 20, 7]),
            first_seen_at: Timestamp::from_ms(1_700_000_000_123),
            first_seen_chain: (version == 1).then_some(Timestamp::from_ms(1_699_999_999_000)),
            backdated: version == 2,
            was_in_force: version == 1,
            cancelled,
        };
        let addresses = BTreeMap::from([
            (MerchantId::from_random(1), vec![seen(1, false), seen(2, true)]),
            (MerchantId::from_random(2), vec![seen(1, false)]),
        ]);
        let looked_at = Some(Timestamp::from_ms(1_700_000_000_000));
        Record { addresses, payments_below: 42, looked_at }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let key = SealKey::new([7; 32]);
        let read = parse(&print(&record(), &key), &key).expect("our own");
        assert_eq!(read, record());
        let empty = parse(&print(&Record::default(), &key), &key).expect("our own");
        assert_eq!(empty, Record::default());
    }

    #[test]
    fn a_record_of_the_version_before_is_read() {
        let key = SealKey::new([7; 32]);
        let merchant = MerchantId::from_random(1);
        let body = format!(
            "litegate-seals 1\npayments 42\naddress {merchant} 1 001407 1700000000123 1 0\n"
        );
        let seal = key.seal(&[b"record", body.as_bytes()]).to_lower_hex_string();
        let read = parse(&format!("{body}seal {seal}\n"), &key).expect("our own");
        assert_eq!((read.payments_below, read.looked_at), (42, None));
        let seen = &read.addresses[&merchant][0];
        assert_eq!((seen.was_in_force, seen.first_seen_chain), (true, None));
    }

    #[test]
    fn a_record_that_was_touched_is_refused() {
        let key = SealKey::new([7; 32]);
        let text = print(&record(), &key);
        let check = |text: &str| assert!(parse(text, &key).is_err(), "{text}");
        check("");
        check(&text[..text.len() - 1]);
        check(&text.replace("payments 42", "payments 41"));
        check(&text.replace(" 1 0\n", " 0 0\n"));
        let mut lines: Vec<&str> = text.lines().collect();
        lines.remove(2);
        check(&(lines.join("\n") + "\n"));
        assert!(parse(&text, &SealKey::new([8; 32])).is_err(), "another key");
    }
}
