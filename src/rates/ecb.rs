//! The daily reference rates of the European Central Bank, `GET /stats/eurofxref/
//! eurofxref-daily.xml`: `<Cube time='2026-11-30'><Cube currency='USD' rate='1.0832'/>…</Cube>`.
//! They are how many units of a currency one EUR is, published on working days.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::domain::fiat::Currency;
use crate::domain::rate::{Rate, Reference};
use crate::domain::time::Timestamp;

use super::exchange::{Unreadable, time};

pub(super) const BASE_URL: &str = "https://www.ecb.europa.eu";

pub(super) const PATH: &str = "/stats/eurofxref/eurofxref-daily.xml";

/// The most currencies that are read; the ECB publishes about thirty.
const CURRENCIES_MAX: usize = 200;

/// Reads the reference rates. Currencies without minor units are left out.
///
/// # Errors
/// If the document has another form, more than one day, or a currency twice.
pub(crate) fn read(body: &str, received_at: Timestamp) -> Result<Reference, Unreadable> {
    let mut reader = Reader::from_str(body);
    let (mut date, mut per_euro) = (None, Vec::<(Currency, Rate)>::new());
    loop {
        let cube = match reader.read_event().map_err(|_| Unreadable::Form)? {
            Event::Start(cube) | Event::Empty(cube) => cube,
            Event::Eof => break,
            // No entity is expanded, and a document type is not needed.
            Event::DocType(_) => return Err(Unreadable::Form),
            _ => continue,
        };
        if cube.local_name().as_ref() != "Cube" {
            continue;
        }
        if let Some(day) = attribute(&cube, "time")? {
            let midnight = time(&format!("{day}T00:00:00Z"))?;
            if date.replace(midnight).is_some() {
                return Err(Unreadable::Form);
            }
        }
        let Some(code) = attribute(&cube, "currency")? else { continue };
        let rate = attribute(&cube, "rate")?.ok_or(Unreadable::Form)?;
        let Ok(currency) = Currency::parse(&code) else { continue };
        let rate = Rate::parse_rounded(&rate).map_err(|_| Unreadable::Price)?;
        let is_known = per_euro.iter().any(|(known, _)| *known == currency);
        if is_known || date.is_none() || per_euro.len() >= CURRENCIES_MAX {
            return Err(Unreadable::Form);
        }
        per_euro.push((currency, rate));
    }
    match date {
        Some(date) if !per_euro.is_empty() => Ok(Reference { date, received_at, per_euro }),
        _ => Err(Unreadable::Form),
    }
}

/// An attribute of an element, without entities.
fn attribute(element: &BytesStart, name: &str) -> Result<Option<String>, Unreadable> {
    let found = element.try_get_attribute(name).map_err(|_| Unreadable::Form)?;
    Ok(found.map(|found| found.value.into_owned()))
}
