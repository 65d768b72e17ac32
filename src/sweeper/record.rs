//! File format of the sweeper's record: lines of text with one seal over all of them.
//!
//! Must not know: how the record is used.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};
use bitcoin::ScriptBuf;
use bitcoin::hex::{DisplayHex, FromHex};

use crate::domain::audit_log::Head;
use crate::domain::seal::{Record, Refused, Seen, Unreported};
use crate::domain::time::Timestamp;
use crate::safe_file::{self, Place};
use crate::secret::SealKey;

/// The first line of the file, with the version of the format.
const HEAD: &str = "litegate-seals 3";

/// Earlier versions, which are also read. Version 2 lacks notifications. Version 1 also lacks
/// the chain's time, so waiting addresses wait for the whole delay by it.
const HEAD_2: &str = "litegate-seals 2";
const HEAD_1: &str = "litegate-seals 1";

/// The largest file that is read, in bytes: a line of 200 for each of 300,000 registrations.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Replaces the file atomically.
///
/// # Errors
/// If it cannot be written.
pub(super) fn replace(file: &Path, record: &Record, key: &SealKey) -> anyhow::Result<()> {
    let place = Place::of(file);
    place
        .and_then(|place| place.replace(print(record, key).as_bytes()))
        .with_context(|| format!("write the sweeper's record {}", file.display()))
}

/// The file's text. `None` if there is no file.
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
                "address {merchant} {} {} {} {} {} {} {} {} {} {} {}",
                seen.version,
                seen.script.as_bytes().to_lower_hex_string(),
                seen.registered_at.ms(),
                seen.effective_at.ms(),
                seen.first_seen_at.ms(),
                seen.first_seen_chain.map_or(0, Timestamp::ms),
                u8::from(seen.unreported.seen),
                u8::from(seen.unreported.cancelled),
                u8::from(seen.backdated),
                u8::from(seen.was_in_force),
                u8::from(seen.cancelled),
            ));
        }
    }
    lines.extend(record.payments_first.iter().map(|merchant| format!("payment-first {merchant}")));
    lines.extend(record.trusted.iter().map(|merchant| format!("trusted {merchant}")));
    for (merchant, refused) in &record.refused {
        lines.push(format!(
            "refused {merchant} {} {} {} {}",
            refused.version,
            refused.reason.as_str(),
            refused.since.ms(),
            u8::from(refused.unreported),
        ));
    }
    if let Some(head) = record.audit_log {
        lines.push(format!("audit-log {} {}", head.id, head.hash_hex()));
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
        key.verifies(&seal, &[b"record", body.as_bytes()]),
        "was changed, or made with another seal key"
    );
    let mut lines = body.lines();
    let head = lines.next();
    ensure!(matches!(head, Some(HEAD | HEAD_2 | HEAD_1)), "has an unknown version");
    let payments = lines.next().and_then(|line| line.strip_prefix("payments "));
    let payments_below = payments.and_then(|n| n.parse().ok()).context("has no line payments")?;
    let mut looked_at = None;
    if head != Some(HEAD_1) {
        let looked = lines.next().and_then(|line| line.strip_prefix("looked "));
        let looked = looked.and_then(parse_time).context("has no line looked")?;
        looked_at = Some(looked).filter(|at| at.ms() != 0);
    }
    let mut record = Record { payments_below, looked_at, ..Record::default() };
    for line in lines {
        let parts: Vec<&str> = line.split(' ').collect();
        parse_line(&parts, &mut record).context("has an invalid line")?;
    }
    Ok(record)
}

fn parse_line(parts: &[&str], record: &mut Record) -> Option<()> {
    match parts {
        ["address", merchant, rest @ ..] => {
            let seen = parse_address(rest)?;
            record.addresses.entry(merchant.parse().ok()?).or_default().push(seen);
        }
        ["payment-first", merchant] => {
            record.payments_first.insert(merchant.parse().ok()?);
        }
        ["audit-log", id, hash] => {
            let hash = FromHex::from_hex(hash).ok()?;
            record.audit_log = Some(Head { id: id.parse().ok()?, hash });
        }
        ["trusted", merchant] => {
            record.trusted.insert(merchant.parse().ok()?);
        }
        ["refused", merchant, version, reason, since, unreported] => {
            let refused = Refused {
                version: version.parse().ok()?,
                reason: reason.parse().ok()?,
                since: parse_time(since)?,
                unreported: *unreported == "1",
            };
            record.refused.insert(merchant.parse().ok()?, refused);
        }
        _ => return None,
    }
    Some(())
}

fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_ms)
}

fn parse_address(parts: &[&str]) -> Option<Seen> {
    // Earlier versions have fewer fields: see `HEAD_2`.
    let [version, script, registered, effective, at, chain, seen, undone, rest @ ..] = match parts {
        [version, script, at, in_force, cancelled] => {
            [version, script, at, at, at, "0", "0", "0", "0", in_force, cancelled]
        }
        [version, script, at, chain, backdated, in_force, cancelled] => {
            [version, script, at, at, at, chain, "0", "0", backdated, in_force, cancelled]
        }
        _ => parts.try_into().ok()?,
    };
    let [backdated, in_force, cancelled] = rest.map(|word| word == "1");
    Some(Seen {
        version: version.parse().ok()?,
        script: ScriptBuf::from_hex(script).ok()?,
        registered_at: parse_time(registered)?,
        effective_at: parse_time(effective)?,
        first_seen_at: parse_time(at)?,
        first_seen_chain: Some(parse_time(chain)?).filter(|at| at.ms() != 0),
        backdated,
        was_in_force: in_force,
        cancelled,
        unreported: Unreported { seen: seen == "1", cancelled: undone == "1" },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::merchant::MerchantId;
    use crate::domain::payout_address::Reason;

    fn record() -> Record {
        let seen = |version, cancelled| Seen {
            version,
            script: ScriptBuf::from_bytes(vec![0, 20, 7]),
            registered_at: Timestamp::from_ms(1_700_000_000_001),
            effective_at: Timestamp::from_ms(1_700_000_000_002),
            first_seen_at: Timestamp::from_ms(1_700_000_000_123),
            first_seen_chain: (version == 1).then_some(Timestamp::from_ms(1_699_999_999_000)),
            backdated: version == 2,
            was_in_force: version == 1,
            cancelled,
            unreported: Unreported { seen: version == 1, cancelled },
        };
        let addresses = BTreeMap::from([
            (MerchantId::from_random(1), vec![seen(1, false), seen(2, true)]),
            (MerchantId::from_random(2), vec![seen(1, false)]),
        ]);
        let since = Timestamp::from_ms(1_700_000_000_003);
        let (version, reason, unreported) = (2, Reason::CancelUndone, true);
        let refused = Refused { version, reason, since, unreported };
        Record {
            addresses,
            refused: BTreeMap::from([(MerchantId::from_random(2), refused)]),
            payments_first: [MerchantId::from_random(3), MerchantId::from_random(4)].into(),
            trusted: [MerchantId::from_random(5)].into(),
            payments_below: 42,
            audit_log: Some(Head { id: 7, hash: [9; 32] }),
            looked_at: Some(Timestamp::from_ms(1_700_000_000_000)),
        }
    }

    #[test]
    fn the_seal_state_round_trips_through_its_file() {
        let key = SealKey::new([7; 32]);
        let read = parse(&print(&record(), &key), &key).expect("our own");
        assert_eq!(read, record());
        let empty = parse(&print(&Record::default(), &key), &key).expect("our own");
        assert_eq!(empty, Record::default());
    }

    #[test]
    fn seal_states_of_earlier_versions_are_parsed() {
        let key = SealKey::new([7; 32]);
        let merchant = MerchantId::from_random(1);
        #[track_caller]
        fn check(body: &str, key: &SealKey, looked_at: Option<i64>, chain: Option<i64>) {
            let seal = key.seal(&[b"record", body.as_bytes()]).to_lower_hex_string();
            let read = parse(&format!("{body}seal {seal}\n"), key).expect("our own");
            assert_eq!(read.payments_below, 42);
            assert_eq!(read.looked_at, looked_at.map(Timestamp::from_ms));
            let seen = &read.addresses[&MerchantId::from_random(1)][0];
            assert!(seen.was_in_force && !seen.cancelled);
            assert_eq!(seen.first_seen_at, Timestamp::from_ms(1_700_000_000_123));
            assert_eq!(seen.first_seen_chain, chain.map(Timestamp::from_ms));
            assert_eq!(read.unreported().count(), 0);
        }
        let line = format!("address {merchant} 1 001407 1700000000123");
        check(&format!("{HEAD_1}\npayments 42\n{line} 1 0\n"), &key, None, None);
        let body = format!("{HEAD_2}\npayments 42\nlooked 5\n{line} 6 0 1 0\n");
        check(&body, &key, Some(5), Some(6));
    }

    #[test]
    fn a_modified_seal_state_is_refused() {
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
