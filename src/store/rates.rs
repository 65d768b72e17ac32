//! Exchange rates: one authenticated row for each refresh of the quotes.
//!
//! Rows are added and removed by age, never changed. The JSON in them is the stored form of
//! [`Refresh`]; a later version must still read it.

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::domain::fiat::Currency;
use crate::domain::rate::{Failure, Quote, Rate, Reference, Refresh, Source};
use crate::domain::time::Timestamp;

use super::authenticated::{self, RATE_REFRESHES, Value};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// Rows that are examined for one that verifies. More than a few are never written within the
/// maximum age of a quote.
const EXAMINED_MAX: u32 = 100;

#[derive(Serialize, Deserialize)]
struct StoredRefresh {
    quotes: Vec<StoredQuote>,
    reference: Option<StoredReference>,
    failures: Vec<StoredFailure>,
}

#[derive(Serialize, Deserialize)]
struct StoredQuote {
    source: String,
    currency: String,
    rate: String,
    received_at: i64,
    exchange_at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct StoredReference {
    date: i64,
    received_at: i64,
    /// Currency and rate.
    per_euro: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct StoredFailure {
    source: String,
    currency: Option<String>,
    error: String,
}

/// Stores a refresh. Does nothing if there is one of the same millisecond.
pub(crate) fn insert(tx: &WriteTx, refresh: &Refresh) -> Result<(), Error> {
    let quotes = serde_json::to_string(&to_stored(refresh))
        .map_err(|error| Error::Impossible(format!("rate_refreshes.quotes: {error}")))?;
    let values: [Value; 2] = [("at", &refresh.at), ("quotes", &quotes)];
    authenticated::insert_if_absent(tx, &RATE_REFRESHES, &values)
}

/// When the newest refresh of `after..=until` was stored, verified or not.
pub(crate) fn newest_at(
    tx: &ReadTx,
    after: Timestamp,
    until: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT at FROM rate_refreshes WHERE at BETWEEN ?1 AND ?2 ORDER BY at DESC LIMIT 1";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![after, until], |row| row.get(0)).optional()?)
}

/// The newest refresh of `after..=until` whose row verifies. Rows that do not are skipped;
/// `audit` and `doctor` name them.
pub(crate) fn newest(
    tx: &ReadTx,
    after: Timestamp,
    until: Timestamp,
) -> Result<Option<Refresh>, Error> {
    let sql = "SELECT at, quotes, mac FROM rate_refreshes WHERE at BETWEEN ?1 AND ?2
               ORDER BY at DESC LIMIT ?3";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![after, until, EXAMINED_MAX])?;
    while let Some(row) = rows.next()? {
        if let Err(error) = tx.verify(&RATE_REFRESHES, row)? {
            tracing::debug!(%error, "row skipped");
            continue;
        }
        let (at, quotes): (Timestamp, String) = (row.get("at")?, row.get("quotes")?);
        match serde_json::from_str(&quotes).ok().and_then(|stored| from_stored(at, stored)) {
            Some(refresh) => return Ok(Some(refresh)),
            None => tracing::warn!(at = %at, "stored exchange rates have another form; skipped"),
        }
    }
    Ok(None)
}

fn to_stored(refresh: &Refresh) -> StoredRefresh {
    let quotes = refresh.quotes.iter().map(|quote| StoredQuote {
        source: quote.source.name().to_owned(),
        currency: quote.currency.code().to_owned(),
        rate: quote.rate.to_string(),
        received_at: quote.received_at.ms(),
        exchange_at: quote.exchange_at.map(Timestamp::ms),
    });
    let reference = refresh.reference.as_ref().map(|reference| StoredReference {
        date: reference.date.ms(),
        received_at: reference.received_at.ms(),
        per_euro: reference
            .per_euro
            .iter()
            .map(|(currency, rate)| (currency.code().to_owned(), rate.to_string()))
            .collect(),
    });
    let failures = refresh.failures.iter().map(|failure| StoredFailure {
        source: failure.source.name().to_owned(),
        currency: failure.currency.map(|currency| currency.code().to_owned()),
        error: failure.error.clone(),
    });
    StoredRefresh { quotes: quotes.collect(), reference, failures: failures.collect() }
}

/// `None` if a later version wrote a source or currency that this one does not know.
fn from_stored(at: Timestamp, stored: StoredRefresh) -> Option<Refresh> {
    let quotes = stored.quotes.into_iter().map(|quote| {
        Some(Quote {
            source: Source::from_name(&quote.source)?,
            currency: Currency::parse(&quote.currency).ok()?,
            rate: Rate::parse(&quote.rate).ok()?,
            received_at: Timestamp::from_ms(quote.received_at),
            exchange_at: quote.exchange_at.map(Timestamp::from_ms),
        })
    });
    let per_euro = |pairs: Vec<(String, String)>| -> Option<Vec<(Currency, Rate)>> {
        pairs
            .into_iter()
            .map(|(currency, rate)| {
                Some((Currency::parse(&currency).ok()?, Rate::parse(&rate).ok()?))
            })
            .collect()
    };
    let reference = match stored.reference {
        None => None,
        Some(reference) => Some(Reference {
            date: Timestamp::from_ms(reference.date),
            received_at: Timestamp::from_ms(reference.received_at),
            per_euro: per_euro(reference.per_euro)?,
        }),
    };
    let failures = stored.failures.into_iter().map(|failure| {
        Some(Failure {
            source: Source::from_name(&failure.source)?,
            currency: failure.currency.and_then(|code| Currency::parse(&code).ok()),
            error: failure.error,
        })
    });
    Some(Refresh {
        at,
        quotes: quotes.collect::<Option<_>>()?,
        reference,
        failures: failures.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    pub(super) fn refresh(at_ms: i64, rate: &str) -> Refresh {
        let (at, rate) = (Timestamp::from_ms(at_ms), Rate::parse(rate).expect("in range"));
        let quote = Quote {
            source: Source::Kraken,
            currency: Currency::EUR,
            rate,
            received_at: at,
            exchange_at: Some(at.plus_ms(-5)),
        };
        Refresh {
            at,
            quotes: vec![quote, Quote { source: Source::Bitfinex, exchange_at: None, ..quote }],
            reference: Some(Reference {
                date: Timestamp::from_ms(0),
                received_at: at,
                per_euro: vec![(Currency::USD, Rate::parse("1.0832").expect("in range"))],
            }),
            failures: vec![Failure {
                source: Source::Bitstamp,
                currency: Some(Currency::EUR),
                error: "HTTP 429".to_owned(),
            }],
        }
    }

    fn open() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        (dir, store)
    }

    #[test]
    fn the_newest_verified_refresh_of_a_time_is_found() {
        let (_dir, store) = open();
        let fill = |tx: &WriteTx| {
            insert(tx, &refresh(1_000, "80"))?;
            insert(tx, &refresh(2_000, "81"))?;
            insert(tx, &refresh(3_000, "82"))?;
            tx.spoil_mac("rate_refreshes", "at = 3000")
        };
        store.write_blocking(fill).expect("stored");
        let ms = Timestamp::from_ms;
        let found = |after, until| {
            let read = store.read_blocking(|tx| newest(tx, ms(after), ms(until)));
            read.expect("read").map(|refresh| refresh.at.ms())
        };
        assert_eq!(found(0, 999), None);
        assert_eq!(found(0, 1_000), Some(1_000));
        assert_eq!(found(0, 2_500), Some(2_000));
        assert_eq!(found(0, 3_000), Some(2_000), "the newest does not verify");
        assert_eq!(found(2_001, 9_000), None);
        let at = store.read_blocking(|tx| newest_at(tx, ms(0), ms(9_000))).expect("read");
        assert_eq!(at, Some(ms(3_000)));
        let whole = store.read_blocking(|tx| newest(tx, ms(0), ms(2_500))).expect("read");
        assert_eq!(whole, Some(refresh(2_000, "81")));
    }

    /// A row keeps its MAC only with its own time: an old price cannot be made a new one.
    #[test]
    fn a_refresh_moved_to_another_time_is_not_used() {
        let (_dir, store) = open();
        store.write_blocking(|tx| insert(tx, &refresh(1_000, "80"))).expect("stored");
        let change = |tx: &WriteTx| {
            Ok::<_, Error>(tx.connection.execute("UPDATE rate_refreshes SET at = 5000", [])?)
        };
        store.write_blocking(change).expect("moved");
        let (from, until) = (Timestamp::from_ms(0), Timestamp::from_ms(9_000));
        assert_eq!(store.read_blocking(|tx| newest(tx, from, until)).expect("read"), None);
    }

    #[test]
    fn the_stored_form_of_a_refresh_is_stable() {
        let stored = serde_json::to_string(&to_stored(&refresh(9, "80.5"))).expect("plain values");
        let expected = concat!(
            r#"{"quotes":[{"source":"kraken","currency":"EUR","rate":"80.5","received_at":9,"#,
            r#""exchange_at":4},{"source":"bitfinex","currency":"EUR","rate":"80.5","#,
            r#""received_at":9,"exchange_at":null}],"reference":{"date":0,"received_at":9,"#,
            r#""per_euro":[["USD","1.0832"]]},"failures":[{"source":"bitstamp","#,
            r#""currency":"EUR","error":"HTTP 429"}]}"#,
        );
        assert_eq!(stored, expected);
    }
}
