//! `GET /api/export`: a merchant's payments and payouts of a period, as CSV.
//!
//! `format=csv` follows RFC 4180 and uses the API's field names. `format=datev` is a plain
//! posting list as German accounting software imports it: semicolons, decimal commas, and the
//! value in the currency of the price.

use std::sync::Arc;

use rust_decimal::Decimal;
use warp::Filter;
use warp::http::{HeaderValue, header};
use warp::reply::Response;

use crate::domain::amount::Amount;
use crate::domain::api_key::Permission;
use crate::domain::time::Timestamp;
use crate::operations::export::{self as operations, PaidRow, PayoutRow, Period};
use crate::view::Time;

use super::api::Api;
use super::auth::KeyHolder;
use super::error::ApiError;
use super::filters::{Route, get, query, query_parts, with_api};
use super::keyed::{Keyed, keyed};

/// The most rows of one response.
const ROWS_MAX: usize = 50_000;

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("api" / "export")
        .and(get())
        .and(keyed(api))
        .and(with_api(api))
        .and(query())
        .then(|key: Keyed, api, query: String| {
            key.respond(Permission::Read, |holder| async move { export(api, holder, &query).await })
        })
        .boxed()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Datev,
}

async fn export(api: Arc<Api>, holder: KeyHolder, query: &str) -> Result<Response, ApiError> {
    let (period, format) = read_query(query)?;
    let merchant = holder.merchant();
    let (mut payments, mut payouts) = (Vec::new(), Vec::new());
    let mut next = Some(api.store.read(move |tx| operations::start(tx, period)).await?);
    while let Some(from) = next {
        let page =
            move |tx: &crate::store::ReadTx| operations::payments(tx, merchant, period, from);
        let (rows, more) = api.store.read(page).await?;
        payments.extend(rows);
        next = more.filter(|_| payments.len() <= ROWS_MAX);
    }
    let mut before = None;
    loop {
        let page =
            move |tx: &crate::store::ReadTx| operations::payouts(tx, merchant, period, before);
        let (rows, more) = api.store.read(page).await?;
        payouts.extend(rows);
        before = more.filter(|_| payments.len() + payouts.len() <= ROWS_MAX);
        if before.is_none() {
            break;
        }
    }
    if payments.len() + payouts.len() > ROWS_MAX {
        let reason = format!("must be a shorter period: it has more than {ROWS_MAX} rows");
        return Err(ApiError::invalid("from", reason));
    }
    payouts.reverse();
    let (text, kind) = match format {
        Format::Csv => (csv(&payments, &payouts), "text/csv; charset=utf-8; header=present"),
        Format::Datev => (datev(&payments, &payouts), "text/csv; charset=utf-8; header=present"),
    };
    let mut response = Response::new(text.map_err(ApiError::internal)?.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = HeaderValue::from_static("attachment; filename=\"litegate-export.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

fn read_query(query: &str) -> Result<(Period, Format), ApiError> {
    let (mut from, mut until, mut format) = (None, None, Format::Csv);
    for (name, value) in query_parts(query, ["from", "to", "format"])? {
        let time = |field| {
            let reason = "must be a time of RFC 3339, such as 2026-11-01T00:00:00Z";
            Time::parse(&value).ok_or_else(|| ApiError::invalid(field, reason))
        };
        match name {
            "from" => from = Some(time("from")?),
            "to" => until = Some(time("to")?),
            _ => {
                format = match value.as_str() {
                    "csv" => Format::Csv,
                    "datev" => Format::Datev,
                    _ => return Err(ApiError::invalid("format", "must be csv or datev")),
                };
            }
        }
    }
    let missing = |field| move || ApiError::invalid(field, "is missing");
    let (from, until) = (from.ok_or_else(missing("from"))?, until.ok_or_else(missing("to"))?);
    if until <= from {
        return Err(ApiError::invalid("to", "must be after from"));
    }
    Ok((Period { from, until }, format))
}

/// Text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

const COLUMNS: [&str; 16] = [
    "type",
    "createdAt",
    "paymentId",
    "reference",
    "status",
    "amountLtc",
    "amountReceivedLtc",
    "amount",
    "currency",
    "rate",
    "rateSources",
    "grossLtc",
    "feeShareLtc",
    "operatorFeeLtc",
    "payoutLtc",
    "txid",
];

fn csv(payments: &[PaidRow], payouts: &[PayoutRow]) -> Result<String, csv::Error> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    writer.write_record(COLUMNS)?;
    for row in payments {
        let price = row.price.as_ref();
        let sources = price.map(|price| price.sources.iter().map(|source| source.name()));
        let sources = sources.map(|names| names.collect::<Vec<_>>().join(" "));
        let txids: Vec<String> = row.txids.iter().map(ToString::to_string).collect();
        writer.write_record([
            "payment",
            &row.at.to_string(),
            &row.payment_id,
            &harmless(row.reference.as_deref().unwrap_or_default()),
            row.status,
            &row.amount.to_string(),
            &row.received.to_string(),
            &price.map(|price| price.amount.to_string()).unwrap_or_default(),
            price.map(|price| price.amount.currency().code()).unwrap_or_default(),
            &price.map(|price| price.rate.to_string()).unwrap_or_default(),
            &sources.unwrap_or_default(),
            "",
            "",
            "",
            "",
            &txids.join(" "),
        ])?;
    }
    for row in payouts {
        let at = row.at.to_string();
        let sums = [row.gross, row.fee_share, row.operator_fee, row.amount].map(|a| a.to_string());
        let [gross, fee_share, operator_fee, amount] = &sums;
        let txid = row.txid.to_string();
        let empty = [""; 9];
        let before = ["payout", &at].into_iter().chain(empty);
        writer.write_record(before.chain([
            gross.as_str(),
            fee_share,
            operator_fee,
            amount,
            &txid,
        ]))?;
    }
    finished(writer)
}

const DATEV_COLUMNS: [&str; 6] =
    ["Umsatz", "Soll/Haben", "Waehrung", "Belegdatum", "Belegfeld 1", "Buchungstext"];

fn datev(payments: &[PaidRow], payouts: &[PayoutRow]) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .delimiter(b';')
        .from_writer(vec![]);
    writer.write_record(DATEV_COLUMNS)?;
    for row in payments {
        let (sum, currency) = worth(row);
        let number = harmless(row.reference.as_deref().unwrap_or(&row.payment_id));
        let text = format!("Zahlung {} {} LTC", row.payment_id, decimal(row.received));
        writer.write_record([&sum, "H", currency, &day(row.at), &number, &text])?;
    }
    for row in payouts {
        let fees = Amount::total([row.fee_share, row.operator_fee]);
        let (txid, at) = (row.txid.to_string(), day(row.at));
        let text = format!("Auszahlung, Gebuehren {} LTC", decimal(fees));
        writer.write_record([&decimal(row.amount), "S", "LTC", &at, &txid, &text])?;
    }
    finished(writer)
}

/// The value of what a payment received: at the frozen rate, rounded half up to the currency's
/// decimals; in LTC without a price.
fn worth(row: &PaidRow) -> (String, &'static str) {
    let Some(price) = &row.price else { return (decimal(row.received), "LTC") };
    let currency = price.amount.currency();
    let value = price.rate.value_of(row.received);
    let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    let mut value: Decimal = value.round_dp_with_strategy(currency.decimals(), strategy);
    value.rescale(currency.decimals());
    (value.to_string().replace('.', ","), currency.code())
}

fn decimal(amount: Amount) -> String {
    amount.to_string().replace('.', ",")
}

/// `TTMMJJJJ`
fn day(at: Timestamp) -> String {
    let text = at.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    format!("{}{}{}", part(8..10), part(5..7), part(0..4))
}

fn finished(writer: csv::Writer<Vec<u8>>) -> Result<String, csv::Error> {
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use bitcoin::Txid;
    use bitcoin::hashes::Hash;

    use super::*;
    use crate::domain::fiat::{Currency, FiatAmount};
    use crate::domain::payment::Price;
    use crate::domain::rate::{Rate, Source};

    fn amount(text: &str) -> Amount {
        Amount::parse(text).expect("an amount")
    }

    fn paid(reference: &str) -> PaidRow {
        let at = Timestamp::from_ms(1_796_000_000_000);
        let rate = Rate::parse("80").expect("a rate");
        let price = FiatAmount::parse("4.99", Currency::EUR).expect("a price");
        let sources = vec![Source::Kraken, Source::Bitstamp];
        PaidRow {
            at,
            payment_id: "id".to_owned(),
            reference: Some(reference.to_owned()),
            status: "completed",
            amount: amount("0.062375"),
            price: Some(Price { amount: price, rate, rate_at: at, sources }),
            received: amount("0.0624"),
            txids: vec![Txid::all_zeros()],
        }
    }

    #[test]
    fn fields_are_quoted_and_hold_no_formula() {
        let text = csv(&[paid("a \"b\", c"), paid("=1+1")], &[]).expect("text");
        assert!(text.contains(
            ",\"a \"\"b\"\", c\",completed,0.062375,0.0624,4.99,EUR,80,kraken bitstamp,"
        ));
        assert!(text.contains(",'=1+1,"), "{text}");
        assert!(text.ends_with("\r\n"));
        assert!(text.lines().all(|line| line.matches(',').count() >= COLUMNS.len() - 1));
    }

    #[test]
    fn postings_have_the_value_of_what_was_received() {
        let text = datev(&[paid("order;7")], &[]).expect("text");
        let line = text.lines().nth(1).expect("a posting");
        assert_eq!(line, "4,99;H;EUR;30112026;\"order;7\";Zahlung id 0,0624 LTC");
    }

    #[test]
    fn a_period_is_required_and_not_empty() {
        #[track_caller]
        fn check(query: &str, expected: Result<(), &str>) {
            let read = read_query(query).map(drop).map_err(|error| error.message().to_owned());
            match expected {
                Ok(()) => assert_eq!(read, Ok(()), "{query}"),
                Err(start) => assert!(read.is_err_and(|said| said.starts_with(start)), "{query}"),
            }
        }
        check("from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00.000Z", Ok(()));
        check("from=2026-11-01T00:00:00%2B01:00&to=2026-12-01T00:00:00Z&format=datev", Ok(()));
        check("to=2026-12-01T00:00:00Z", Err("from is missing"));
        check("from=2026-11-01T00:00:00Z", Err("to is missing"));
        check("from=2026-11-01&to=2026-12-01T00:00:00Z", Err("from must be a time"));
        check("from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00Z", Err("to must be after"));
        check(
            "from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z&format=xls",
            Err("format must be"),
        );
    }
}
