//! `litegate rates`: the exchange rate of each currency, with the quotes of all sources.

use std::path::Path;

use anyhow::Context;
use clap::Args;

use super::failure::Failure;
use super::open::open;
use super::output::{Format, print_json, print_line};
use crate::config::Config;
use crate::domain::rate::Refresh;
use crate::domain::time::Timestamp;
use crate::operations::rates::Rates as Rule;
use crate::rates::Sources;
use crate::store::{self, Store};
use crate::view::rates::{CurrencyRateView, QuoteView, RateText};

#[derive(Args)]
#[command(
    after_help = "Example: litegate rates --json\n\nShows the rates that the running gateway \
                        uses. While none runs, the sources are asked, and nothing is stored."
)]
pub(super) struct Rates {}

impl Rates {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        let known = known(&config, &store)?;
        let now = config.clock.now();
        let views = Rule::new(config.rates.clone()).overview(known.as_ref(), now);
        match format {
            Format::Json => print_json(&views)?,
            Format::Text => print_text(&views)?,
        }
        let unusable: Vec<&str> =
            views.iter().filter(|view| !view.usable).map(|view| view.currency).collect();
        match unusable.is_empty() {
            true => Ok(()),
            false => Err(Failure::Failed(format!("no usable rate for {}", unusable.join(", ")))),
        }
    }
}

/// The refresh that a running gateway stored last; without one, a new refresh.
///
/// # Errors
/// If the database cannot be read, or the system has no usable TLS.
pub(super) fn known(config: &Config, store: &Store) -> anyhow::Result<Option<Refresh>> {
    let now = config.clock.now();
    let sources = &config.rate_sources;
    let stored = store.read_blocking(|tx| store::rates::newest(tx, Timestamp::from_ms(0), now))?;
    let two_refreshes_ms = i64::try_from(sources.refresh.as_millis())?.saturating_mul(2);
    let is_recent =
        stored.as_ref().is_some_and(|stored| now.ms_since(stored.at) <= two_refreshes_ms);
    if is_recent || !sources.asks_sources() {
        return Ok(stored);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("start the runtime")?;
    let mut asked = Sources::new(sources.clone(), config.clock.clone())?;
    Ok(Some(runtime.block_on(asked.refresh(stored.as_ref()))))
}

fn print_text(views: &[CurrencyRateView]) -> Result<(), Failure> {
    if views.is_empty() {
        return print_line("no currency is configured (rates.currencies)");
    }
    for view in views {
        let currency = view.currency;
        match (&view.rate, &view.reason) {
            (Some(RateText(rate)), _) => print_line(&format!("{currency}: {rate}"))?,
            (None, reason) => {
                let reason = reason.as_deref().unwrap_or("unknown");
                print_line(&format!("{currency}: no usable rate: {reason}"))?;
            }
        }
        for source in &view.sources {
            print_line(&format!("  {}", line_of(source)))?;
        }
    }
    Ok(())
}

fn line_of(view: &QuoteView) -> String {
    let mut parts = vec![format!("{:<9}", view.source)];
    if let Some(RateText(quote)) = view.quote {
        parts.push(quote.to_string());
    }
    if let Some(age) = view.age_seconds {
        parts.push(format!("{age} s old"));
    }
    if let Some(deviation) = view.deviation_percent {
        parts.push(format!("{} % from the median", deviation.0));
    }
    if view.used {
        parts.push("used".to_owned());
    }
    parts.extend(view.error.clone());
    parts.join("  ")
}
