//! One refresh: asks all sources at the same time, each for its currencies one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use crate::clock::Clock;
use crate::domain::fiat::Currency;
use crate::domain::rate::{Failure, Quote, Reference, Refresh, Source};
use crate::domain::retry::RetryAfter;
use crate::domain::time::Timestamp;
use crate::outbound::{Document, Fetcher, NoResponse, Timeouts};
use crate::secret;

use super::backoff::Backoff;
use super::bitfinex::Bitfinex;
use super::bitstamp::Bitstamp;
use super::coinbase::Coinbase;
use super::exchange::{Exchange, Ticker, Unreadable};
use super::kraken::Kraken;
use super::{Settings, ecb};

const EXCHANGES: [&dyn Exchange; 4] = [&Kraken, &Coinbase, &Bitstamp, &Bitfinex];

/// The largest response that is read, in bytes. Tickers have less than 1 kB, the ECB's document
/// has 2 kB.
const BYTES_MAX: usize = 64 * 1024;

/// The longest time for connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest time for all requests to one source. A shorter refresh shortens it, so that a
/// slow source does not hold back the others.
const SOURCE_TIME_MAX: Duration = Duration::from_secs(10);

const SOURCE_TIME_MIN: Duration = Duration::from_secs(1);

/// How old the reference may be before it is asked again. It changes once a day.
const REFERENCE_KEPT_MS: i64 = 3_600_000;

/// The base URL of a source on its own host.
pub(crate) fn base_url_of(source: Source) -> Option<&'static str> {
    if source == Source::Ecb {
        return Some(ecb::BASE_URL);
    }
    exchange(source).map(Exchange::base_url)
}

/// Reads the ticker of an exchange.
///
/// # Errors
/// If it has another form, or is about another pair.
pub(crate) fn read_ticker(
    source: Source,
    currency: Currency,
    body: &str,
) -> Result<Ticker, Unreadable> {
    exchange(source).ok_or(Unreadable::Form)?.read(currency, body)
}

fn exchange(source: Source) -> Option<&'static dyn Exchange> {
    EXCHANGES.into_iter().find(|exchange| exchange.source() == source)
}

/// Why a source gave nothing, in the operator's words.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    NoResponse(#[from] NoResponse),
    #[error("HTTP {status}")]
    Status { status: u16, retry_after: Option<RetryAfter> },
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl Fault {
    fn asked_pause(&self) -> Option<RetryAfter> {
        match self {
            Fault::Status { retry_after, .. } => *retry_after,
            Fault::NoResponse(_) | Fault::Unreadable(_) => None,
        }
    }
}

/// The outcome of one request: `None` while a source is left in peace.
type Asked<T> = Option<Result<T, Fault>>;

/// The sources with their pauses.
pub(crate) struct Sources {
    settings: Settings,
    fetcher: Fetcher,
    clock: Clock,
    /// By source and currency; the reference has no currency.
    pauses: BTreeMap<(Source, Option<Currency>), Backoff>,
    /// The failures of the last requests, kept while a source is left in peace.
    failures: BTreeMap<(Source, Option<Currency>), String>,
}

impl Sources {
    /// # Errors
    /// If the system has no usable TLS, or the further certificates cannot be read.
    pub(crate) fn new(settings: Settings, clock: Clock) -> anyhow::Result<Sources> {
        let total = settings.refresh.clamp(SOURCE_TIME_MIN, SOURCE_TIME_MAX);
        let timeouts = Timeouts { connect: CONNECT.min(total), total };
        let fetcher = Fetcher::new(timeouts, BYTES_MAX, settings.further_roots.as_deref())?;
        let (pauses, failures) = (BTreeMap::new(), BTreeMap::new());
        Ok(Sources { settings, fetcher, clock, pauses, failures })
    }

    /// Asks all sources that are due, and adds what `before` knew and they did not give.
    pub(crate) async fn refresh(&mut self, before: Option<&Refresh>) -> Refresh {
        let known = before.and_then(|before| before.reference.as_ref());
        let (quotes, reference) =
            futures_util::future::join(self.ask_exchanges(), self.ask_reference(known)).await;
        let now = self.clock.now();
        let mut refresh =
            Refresh { at: now, quotes: Vec::new(), reference: None, failures: Vec::new() };
        for (source, currency, asked) in quotes {
            refresh.quotes.extend(self.note(source, Some(currency), asked, now));
        }
        refresh.reference = self.note(Source::Ecb, None, reference, now);
        refresh.failures = self.failures();
        if let Some(before) = before {
            refresh.carry_over(before, self.settings.max_age_ms);
        }
        refresh
    }

    async fn ask_exchanges(&self) -> Vec<(Source, Currency, Asked<Quote>)> {
        let each = self.settings.exchanges.iter().filter_map(|(source, base_url)| {
            exchange(*source).map(|exchange| self.ask_exchange(exchange, base_url))
        });
        join_all(each).await.into_iter().flatten().collect()
    }

    /// Asks an exchange for each currency, within the time of a source.
    async fn ask_exchange(
        &self,
        exchange: &'static dyn Exchange,
        base_url: &str,
    ) -> Vec<(Source, Currency, Asked<Quote>)> {
        let total = self.settings.refresh.clamp(SOURCE_TIME_MIN, SOURCE_TIME_MAX);
        let deadline = tokio::time::Instant::now() + total;
        let (source, mut found) = (exchange.source(), Vec::new());
        for currency in self.settings.asked() {
            let asked = match self.is_due(source, Some(currency)) {
                false => None,
                true => {
                    let quote = self.quote(exchange, base_url, currency);
                    let quote = tokio::time::timeout_at(deadline, quote).await;
                    Some(quote.unwrap_or(Err(NoResponse::Timeout.into())))
                }
            };
            found.push((source, currency, asked));
        }
        found
    }

    async fn quote(
        &self,
        exchange: &dyn Exchange,
        base_url: &str,
        currency: Currency,
    ) -> Result<Quote, Fault> {
        let url = format!("{base_url}{}", exchange.path(currency));
        let body = self.get(&url, "application/json").await?;
        let ticker = exchange.read(currency, &body)?;
        Ok(Quote {
            source: exchange.source(),
            currency,
            rate: ticker.bid.mean(ticker.ask),
            received_at: self.clock.now(),
            exchange_at: ticker.at,
        })
    }

    /// Asks the reference, if one is configured and the known one is not of this hour.
    async fn ask_reference(&self, known: Option<&Reference>) -> Asked<Reference> {
        let base_url = self.settings.reference.as_ref()?;
        let now = self.clock.now();
        let is_known =
            |known: &Reference| (0..REFERENCE_KEPT_MS).contains(&now.ms_since(known.received_at));
        if known.is_some_and(is_known) || !self.is_due(Source::Ecb, None) {
            return None;
        }
        let fetched = async {
            let body = self.get(&format!("{base_url}{}", ecb::PATH), "application/xml").await?;
            Ok(ecb::read(&body, self.clock.now())?)
        };
        Some(fetched.await)
    }

    async fn get(&self, url: &str, accept: &str) -> Result<String, Fault> {
        let Document { status, retry_after, body } = self.fetcher.get(url, accept).await?;
        if status != 200 {
            let retry_after = retry_after.and_then(|text| RetryAfter::parse(&text));
            return Err(Fault::Status { status, retry_after });
        }
        String::from_utf8(body).map_err(|_| Unreadable::Form.into())
    }

    fn is_due(&self, source: Source, currency: Option<Currency>) -> bool {
        let pause = self.pauses.get(&(source, currency));
        pause.is_none_or(|pause| pause.is_over(self.clock.now()))
    }

    /// Notes the outcome of a request for the next ones.
    fn note<T>(
        &mut self,
        source: Source,
        currency: Option<Currency>,
        asked: Asked<T>,
        now: Timestamp,
    ) -> Option<T> {
        let key = (source, currency);
        match asked? {
            Ok(value) => {
                self.pauses.entry(key).or_default().succeed();
                self.failures.remove(&key);
                Some(value)
            }
            Err(fault) => {
                let jitter = u32::from_be_bytes(secret::random_bytes());
                let refresh = self.settings.refresh;
                self.pauses.entry(key).or_default().fail(refresh, now, jitter, fault.asked_pause());
                let error = fault.to_string();
                if self.failures.insert(key, error.clone()).as_ref() != Some(&error) {
                    let currency = currency.map(Currency::code);
                    tracing::warn!(%source, currency, error, "exchange rate not received");
                }
                None
            }
        }
    }

    fn failures(&self) -> Vec<Failure> {
        let failures = self.failures.iter().map(|((source, currency), error)| Failure {
            source: *source,
            currency: *currency,
            error: error.clone(),
        });
        failures.collect()
    }
}
