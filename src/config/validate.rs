//! Collects mistakes of the configuration, each named by its key.
//!
//! Must not know: the keys and their meaning.

use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::amount::Amount;
use crate::domain::confirmations::CONFIRMATIONS_MAX;
use crate::safe_file;

/// Upper bound of a secret file, in bytes. The buffer never reallocates, so that no copy of a
/// secret is left in memory.
const SECRET_BYTES_MAX: usize = 4096;

/// Collected mistakes. Each method answers `None` after a mistake.
#[derive(Default)]
pub(super) struct Diagnostics {
    pub(super) mistakes: Vec<String>,
    /// Further groups that may read secrets.
    pub(super) more_groups: Vec<u32>,
}

impl Diagnostics {
    pub(super) fn report(&mut self, key: &str, reason: impl std::fmt::Display) {
        self.mistakes.push(format!("{key} {reason}"));
    }

    pub(super) fn take<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.report(key, error)).ok()
    }

    pub(super) fn need<T>(&mut self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.report(key, "is missing");
        }
        value
    }

    pub(super) fn parse<T: FromStr>(&mut self, key: &str, text: &str, wanted: &str) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.report(key, format!("must be {wanted}"));
        }
        parsed
    }

    /// Parses each item of a list with `read`.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        texts: &[String],
        wanted: &str,
        read: fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list: Option<Vec<T>> = texts.iter().map(|text| read(text)).collect();
        if list.is_none() {
            self.report(key, format!("must be {wanted}"));
        }
        list
    }

    pub(super) fn amount(&mut self, key: &str, text: &str) -> Option<Amount> {
        self.take(key, Amount::parse(text))
    }

    pub(super) fn duration(&mut self, key: &str, text: &str) -> Option<Duration> {
        self.take(key, parse_duration(text))
    }

    pub(super) fn duration_ms(&mut self, key: &str, text: &str) -> Option<i64> {
        self.duration(key, text).map(|d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }

    pub(super) fn confirmations(&mut self, key: &str, n: u32) -> Option<u32> {
        let allowed = (1..=CONFIRMATIONS_MAX).contains(&n);
        if !allowed {
            self.report(key, format!("must be between 1 and {CONFIRMATIONS_MAX}"));
        }
        allowed.then_some(n)
    }

    /// Reads a file that other users must not be able to read.
    pub(super) fn secret_file(&mut self, key: &str, path: &Path) -> Option<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::with_capacity(SECRET_BYTES_MAX));
        let read = safe_file::open_to_read(path).and_then(|file| {
            safe_file::check_secret(&file, &self.more_groups)?;
            file.take(u64::try_from(SECRET_BYTES_MAX).unwrap_or(0)).read_to_string(&mut text)
        });
        match read {
            Ok(_) if text.trim().is_empty() => {
                self.report(key, format!("{}: is empty", path.display()));
            }
            Ok(length) if length < SECRET_BYTES_MAX => return Some(text),
            Ok(_) => self.report(key, format!("{}: is too large for a secret", path.display())),
            Err(error) => self.report(key, format!("{}: {error}", path.display())),
        }
        None
    }
}

/// Parses a number and a unit, at most a year.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a number and a unit (ms, s, m, h, d), such as \"30m\"".to_owned();
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let ms_each: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let year_ms = 366 * 86_400_000u64;
    match number.checked_mul(ms_each) {
        Some(ms) if ms <= year_ms => Ok(Duration::from_millis(ms)),
        _ => Err("must be at most a year".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let ms = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("30m"), Ok(1_800_000));
        assert_eq!(ms("2 h"), Ok(7_200_000));
        assert_eq!(ms("366d"), Ok(366 * 86_400_000));
        for text in ["", "30", "m", "-1m", "1.5h", "1y", "367d", "99999999999999999999s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
