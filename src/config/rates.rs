//! Reads `[rates]`: currencies with prices, the rate rule, and the sources.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use toml::Value;

use crate::domain::fiat::Currency;
use crate::domain::network::Network;
use crate::domain::rate::{Percent, Rate, Rules, Source};
use crate::operations::rates::Settings;
use crate::outbound::has_certificates;
use crate::{rates, safe_file};

use super::raw::RawRates;
use super::urls::{PlainHttp, read_rate_source};
use super::validate::Diagnostics;

/// The most currencies. Exchanges are asked for each at every refresh.
const CURRENCIES_MAX: usize = 30;

/// The largest deviation and spread.
const PERCENT_MAX: Percent = Percent::from_hundredths(5_000);

/// The largest file of certificates, in bytes.
const CA_BYTES_MAX: u64 = 1 << 20;

/// The rules of operations, and the sources. Reads every key before any is required.
pub(super) fn read_rates(
    diagnostics: &mut Diagnostics,
    raw: &RawRates,
    network: Option<Network>,
) -> Option<(Settings, rates::Settings)> {
    let currencies = read_currencies(diagnostics, &raw.currencies);
    let sources = read_sources(diagnostics, &raw.sources);
    let rules = read_rules(diagnostics, raw, sources.as_deref());
    let refresh = read_refresh(diagnostics, &raw.refresh);
    let reference = read_reference(diagnostics, raw.reference.as_deref());
    let reference_max_age =
        diagnostics.duration_ms("rates.reference_max_age", &raw.reference_max_age);
    let fixed = read_fixed(diagnostics, &raw.fixed, currencies.as_deref(), network);
    let base_urls = read_base_urls(diagnostics, &raw.base_urls, network);
    let further_roots = read_ca_file(diagnostics, raw.ca_file.as_deref());
    let (rules, refresh) = (rules?, refresh?);
    if rules.max_age_ms < i64::try_from(refresh.as_millis()).unwrap_or(i64::MAX) {
        diagnostics.report("rates.max_age", "must be at least rates.refresh");
    }
    let (currencies, fixed, base_urls) = (currencies?, fixed?, base_urls?);
    let base_url = |source: Source| -> Option<String> {
        let own = rates::base_url_of(source).map(str::to_owned);
        base_urls.get(source.name()).cloned().or(own)
    };
    let exchanges = sources?.into_iter().filter_map(|source| Some((source, base_url(source)?)));
    let asked = if fixed.is_empty() { currencies.clone() } else { Vec::new() };
    let reference = reference?;
    let sources = rates::Settings {
        exchanges: exchanges.collect(),
        reference: reference.and_then(base_url),
        currencies: asked,
        refresh,
        max_age_ms: rules.max_age_ms,
        further_roots: further_roots?,
    };
    let reference_max_age_ms = reference.and(reference_max_age);
    Some((Settings { currencies, rules, reference_max_age_ms, fixed }, sources))
}

fn read_currencies(diagnostics: &mut Diagnostics, texts: &[String]) -> Option<Vec<Currency>> {
    let key = "rates.currencies";
    let mut currencies = Vec::new();
    for text in texts {
        match Currency::parse(text) {
            Ok(currency) if currencies.contains(&currency) => {
                diagnostics.report(key, format!("has {currency} twice"));
            }
            Ok(currency) => currencies.push(currency),
            Err(error) => diagnostics.report(key, format!("has \"{text}\", which {error}")),
        }
    }
    if texts.len() > CURRENCIES_MAX {
        diagnostics.report(key, format!("must have at most {CURRENCIES_MAX} currencies"));
    }
    (currencies.len() == texts.len()).then_some(currencies)
}

fn read_sources(diagnostics: &mut Diagnostics, texts: &[String]) -> Option<Vec<Source>> {
    let key = "rates.sources";
    let mut sources = Vec::new();
    for text in texts {
        let known = Source::EXCHANGES.into_iter().find(|source| source.name() == text);
        match known {
            Some(source) if sources.contains(&source) => {
                diagnostics.report(key, format!("has {source} twice"));
            }
            Some(source) => sources.push(source),
            None => {
                let known = Source::EXCHANGES.map(Source::name).join(", ");
                let reason = format!("has \"{text}\", which is unknown; the sources are {known}");
                diagnostics.report(key, reason);
            }
        }
    }
    (sources.len() == texts.len()).then_some(sources)
}

fn read_rules(
    diagnostics: &mut Diagnostics,
    raw: &RawRates,
    sources: Option<&[Source]>,
) -> Option<Rules> {
    let max_age = diagnostics.duration_ms("rates.max_age", &raw.max_age);
    let max_deviation =
        read_percent(diagnostics, "rates.max_deviation_percent", &raw.max_deviation_percent);
    let spread = read_percent(diagnostics, "rates.spread_percent", &raw.spread_percent);
    let min_sources = usize::try_from(raw.min_sources).unwrap_or(usize::MAX);
    if min_sources == 0 {
        diagnostics.report("rates.min_sources", "must be at least 1");
    }
    if let Some(count) = sources.map(<[Source]>::len)
        && min_sources > count
    {
        let reason = format!("is above the number of rates.sources, which is {count}");
        diagnostics.report("rates.min_sources", reason);
    }
    Some(Rules {
        max_age_ms: max_age?,
        max_deviation: max_deviation?,
        min_sources,
        spread: spread?,
    })
}

/// A percentage, as a number or as text. TOML's numbers with decimals are taken from their
/// shortest text.
fn read_percent(diagnostics: &mut Diagnostics, key: &str, value: &Value) -> Option<Percent> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = text.strip_suffix(".0").unwrap_or(&text);
    let percent = Percent::parse(text).filter(|percent| *percent <= PERCENT_MAX);
    if percent.is_none() {
        diagnostics.report(key, "must be a number from 0 to 50 with at most two decimals");
    }
    percent
}

fn read_refresh(diagnostics: &mut Diagnostics, text: &str) -> Option<Duration> {
    let refresh = diagnostics.duration("rates.refresh", text)?;
    if refresh < Duration::from_secs(1) {
        diagnostics.report("rates.refresh", "must be at least 1s");
        return None;
    }
    Some(refresh)
}

/// The outer `None` is a mistake, the inner one no reference.
fn read_reference(diagnostics: &mut Diagnostics, text: Option<&str>) -> Option<Option<Source>> {
    match text {
        None => Some(None),
        Some(name) if name == Source::Ecb.name() => Some(Some(Source::Ecb)),
        Some(_) => {
            diagnostics.report("rates.reference", "must be \"ecb\"");
            None
        }
    }
}

fn read_fixed(
    diagnostics: &mut Diagnostics,
    raw: &BTreeMap<String, Value>,
    currencies: Option<&[Currency]>,
    network: Option<Network>,
) -> Option<Vec<(Currency, Rate)>> {
    let key = "rates.fixed";
    if !raw.is_empty() && network.is_some_and(|network| network != Network::Regtest) {
        diagnostics.report(key, "is for regtest only");
    }
    let mut fixed = Vec::new();
    for (code, value) in raw {
        let key = format!("{key}.{code}");
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let rate = diagnostics.take(&key, Rate::parse(&text));
        let currency = diagnostics.take(&key, Currency::parse(code));
        let is_listed = |currency| currencies.is_none_or(|listed| listed.contains(currency));
        if currency.as_ref().is_some_and(|currency| !is_listed(currency)) {
            diagnostics.report(&key, "is a currency that rates.currencies does not list");
        }
        fixed.extend(currency.zip(rate));
    }
    (fixed.len() == raw.len()).then_some(fixed)
}

fn read_base_urls(
    diagnostics: &mut Diagnostics,
    raw: &BTreeMap<String, String>,
    network: Option<Network>,
) -> Option<BTreeMap<String, String>> {
    let plain_http = match network {
        Some(Network::Regtest) | None => PlainHttp::Loopback,
        Some(Network::Main | Network::Test) => PlainHttp::Refused,
    };
    let mut base_urls = BTreeMap::new();
    for (name, text) in raw {
        let key = format!("rates.base_urls.{name}");
        if Source::from_name(name).and_then(rates::base_url_of).is_none() {
            diagnostics.report(&key, "is an unknown source");
            continue;
        }
        let url = diagnostics.take(&key, read_rate_source(text, plain_http));
        base_urls.extend(url.map(|url| (name.clone(), url)));
    }
    (base_urls.len() == raw.len()).then_some(base_urls)
}

/// The outer `None` is a mistake, the inner one no further certificates.
fn read_ca_file(diagnostics: &mut Diagnostics, file: Option<&Path>) -> Option<Option<Vec<u8>>> {
    let Some(file) = file else { return Some(None) };
    let read = safe_file::read(file, CA_BYTES_MAX).map_err(|error| error.to_string());
    let read = read.and_then(|pem| match has_certificates(&pem) {
        true => Ok(pem),
        false => Err("has no certificate in PEM".to_owned()),
    });
    let read = read.map_err(|reason| format!("{}: {reason}", file.display()));
    diagnostics.take("rates.ca_file", read).map(Some)
}
