//! Stand-ins for the sources of exchange rates, over TLS, which misbehave on request.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslStream};

use super::clock;
use super::gateway::Gateway;
use super::tls::{GOOD, Identity};

/// All exchanges, by their names in the configuration.
pub(crate) const EXCHANGES: [&str; 4] = ["kraken", "coinbase", "bitstamp", "bitfinex"];

/// The response of a source.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A good ticker with this price as bid and ask.
    Price(&'static str),
    /// A good ticker whose time is so many seconds away from now, where it has a time.
    PriceAt(&'static str, i64),
    /// A ticker that names another pair, where it names one.
    OtherPair(&'static str),
    /// This body, with 200.
    Body(String),
    /// This status, with an HTML page.
    Status(u16),
    /// Half of the announced body.
    CutOff,
    /// One byte after the other.
    SlowDrip,
}

/// A server for all sources at once, which tells them apart by their paths.
pub(crate) struct Exchanges {
    port: u16,
    authority: Identity,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    replies: Mutex<BTreeMap<String, Reply>>,
    requests: Mutex<Vec<String>>,
    /// Currencies that no exchange has.
    unknown: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Exchanges {
    /// Quotes this price at every exchange.
    pub(crate) fn start(price: &'static str) -> Exchanges {
        let authority = Identity::authority("Exchanges");
        let acceptor = authority.signed_by("localhost", GOOD).acceptor();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &acceptor, &state));
            }
        });
        let exchanges = Exchanges { port, authority, state, thread: Some(thread) };
        EXCHANGES.iter().for_each(|name| exchanges.set(name, Reply::Price(price)));
        exchanges
    }

    /// Changes the response of a source.
    pub(crate) fn set(&self, source: &str, reply: Reply) {
        self.state.replies.lock().unwrap().insert(source.to_owned(), reply);
    }

    /// Answers 404 for a currency at every exchange.
    pub(crate) fn refuse_currency(&self, currency: &str) {
        self.state.unknown.lock().unwrap().push(currency.to_owned());
    }

    /// The paths that were requested.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Lets a gateway ask these stand-ins for the price in EUR.
    pub(crate) fn configure(&self, gateway: &Gateway) {
        let ca_file = gateway.folder().join("rates-ca.pem");
        self.write_authority(&ca_file);
        gateway.set("rates.currencies", vec!["EUR".to_owned()]);
        gateway.set("rates.refresh", "1s");
        gateway.set("rates.ca_file", ca_file.display().to_string());
        for name in EXCHANGES.iter().chain(&["ecb"]) {
            gateway.set(&format!("rates.base_urls.{name}"), self.url());
        }
    }

    pub(crate) fn write_authority(&self, file: &Path) {
        self.authority.write(file);
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        let woken = TcpStream::connect(("127.0.0.1", self.port));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn serve(stream: TcpStream, acceptor: &SslAcceptor, state: &State) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut stream = acceptor.accept(stream).ok()?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 1024];
        let read = stream.read(&mut some).ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&some[..read]);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    state.requests.lock().unwrap().push(path.clone());
    let (source, currency) = asked(&path)?;
    let reply = state.replies.lock().unwrap().get(source).cloned();
    let is_known = !state.unknown.lock().unwrap().contains(&currency);
    let reply = reply.filter(|_| is_known).unwrap_or(Reply::Status(404));
    answer(&mut stream, source, &currency, reply)
}

/// The source and the currency of a path, in capitals.
fn asked(path: &str) -> Option<(&'static str, String)> {
    let patterns = [
        ("kraken", "/0/public/Ticker?pair=LTC", ""),
        ("coinbase", "/products/LTC-", "/ticker"),
        ("bitstamp", "/api/v2/ticker/ltc", "/"),
        ("bitfinex", "/v2/ticker/tLTC", ""),
        ("ecb", "/stats/eurofxref/eurofxref-daily.xml", ""),
    ];
    patterns.iter().find_map(|(source, before, after)| {
        let currency = path.strip_prefix(before)?.strip_suffix(after)?;
        Some((*source, currency.to_ascii_uppercase()))
    })
}

fn answer(
    stream: &mut SslStream<TcpStream>,
    source: &str,
    currency: &str,
    reply: Reply,
) -> Option<()> {
    let page = "<!doctype html><title>Something went wrong</title>".to_owned();
    let (status, body) = match &reply {
        Reply::Price(price) => (200, ticker(source, currency, price, 0)),
        Reply::PriceAt(price, seconds) => (200, ticker(source, currency, price, *seconds)),
        Reply::OtherPair(price) => (200, ticker(source, "BTC", price, 0)),
        Reply::Body(body) => (200, body.clone()),
        Reply::Status(status) => (*status, page),
        Reply::CutOff | Reply::SlowDrip => (200, ticker(source, currency, "80.00", 0)),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}retry-after: 0\r\n\r\n").as_bytes()).ok()?;
    match reply {
        Reply::CutOff => stream.write_all(&body.as_bytes()[..length / 2]).ok()?,
        Reply::SlowDrip => {
            for byte in body.bytes() {
                stream.write_all(&[byte]).ok()?;
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        _ => stream.write_all(body.as_bytes()).ok()?,
    }
    stream.shutdown().ok().map(|_| ())
}

/// The date of today (UTC), as in RFC 3339.
pub(crate) fn today() -> String {
    let unix = i64::try_from(clock::now().as_secs()).unwrap();
    let time = openssl::asn1::Asn1Time::from_unix(unix).unwrap().to_string();
    rfc_3339(&time)[..10].to_owned()
}

/// A ticker in the form of its exchange.
fn ticker(source: &str, currency: &str, price: &str, seconds: i64) -> String {
    let unix = i64::try_from(clock::now().as_secs()).unwrap() + seconds;
    match source {
        "kraken" => format!(
            r#"{{"error":[],"result":{{"XLTCZ{currency}":{{"a":["{price}","1","1.000"],
            "b":["{price}","2","2.000"],"c":["{price}","0.1"]}}}}}}"#
        ),
        "coinbase" => {
            let time = openssl::asn1::Asn1Time::from_unix(unix).unwrap().to_string();
            format!(
                r#"{{"ask":"{price}","bid":"{price}","price":"{price}","time":"{}"}}"#,
                rfc_3339(&time)
            )
        }
        "bitstamp" => format!(
            r#"{{"ask":"{price}","bid":"{price}","timestamp":"{unix}","pair":"LTC/{currency}"}}"#
        ),
        _ => format!("[{price},1.5,{price},2.5,-0.1,-0.001,{price},900.5,82,79]"),
    }
}

/// The time that OpenSSL prints as `Nov 14 22:13:20 2023 GMT`.
fn rfc_3339(printed: &str) -> String {
    let words: Vec<&str> = printed.split_whitespace().collect();
    let [month, day, time, year, _] = words[..] else { panic!("{printed}") };
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month).unwrap() + 1;
    format!("{year}-{month:02}-{day:0>2}T{time}Z")
}
