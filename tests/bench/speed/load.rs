//! A small HTTP client that keeps its connections and asks as fast as it is answered, for a time
//! that is set beforehand. It reads no more of an answer than status and length.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

/// What came of a load.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answers {
    pub(crate) per_second: u64,
    /// How long each answer took, in microseconds, sorted.
    pub(crate) times_us: Vec<u64>,
    /// Answers with another status than 200.
    pub(crate) refused: u64,
}

impl Answers {
    /// The time that so many hundredths of the answers did not exceed.
    pub(crate) fn percentile_us(&self, percent: usize) -> u64 {
        let last = self.times_us.len().saturating_sub(1);
        let at = (self.times_us.len() * percent / 100).min(last);
        self.times_us.get(at).copied().unwrap_or(0)
    }
}

/// A request without its `content-length`, and its body.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if method != "GET" {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Asks on so many connections at a time until the time is up. `make` writes the n-th request.
pub(crate) fn run(
    port: u16,
    connections: u64,
    lasting: Duration,
    make: impl Fn(u64) -> Vec<u8> + 'static,
) -> Answers {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async move {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let (make, began) = (Rc::new(make), Instant::now());
        let mut tasks = JoinSet::new();
        for connection in 0..connections {
            let make = Rc::clone(&make);
            tasks.spawn_local(async move {
                let mut stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let (mut times, mut refused) = (Vec::new(), 0);
                let (mut n, mut buffer) = (connection, Vec::with_capacity(8192));
                while began.elapsed() < lasting {
                    let asked = Instant::now();
                    stream.write_all(&make(n)).await?;
                    if read_answer(&mut stream, &mut buffer).await? != 200 {
                        refused += 1;
                    }
                    times.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
                    n += connections;
                }
                Ok::<_, io::Error>((times, refused))
            });
        }
        let mut answers = Answers::default();
        while let Some(ended) = tasks.join_next().await {
            let (times, refused) = ended.unwrap().unwrap();
            answers.times_us.extend(times);
            answers.refused += refused;
        }
        answers.times_us.sort_unstable();
        let (count, took) = (answers.times_us.len() as u128, began.elapsed().as_micros());
        answers.per_second = u64::try_from(count * 1_000_000 / took.max(1)).unwrap_or(u64::MAX);
        answers
    })
}

/// One request on a connection of its own: the body of the answer.
pub(crate) fn ask(port: u16, request: &[u8]) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut buffer = Vec::new();
        let status = read_answer(&mut stream, &mut buffer).await.unwrap();
        let text = String::from_utf8(buffer).unwrap();
        assert_eq!(status, 200, "{text}");
        text.split_once("\r\n\r\n").unwrap().1.to_owned()
    })
}

/// Asks at a steady rate on so many connections until `stop`. The time of an answer counts from the
/// instant at which its question was due, so that one that waits is not left out.
pub(crate) fn paced(
    port: u16,
    connections: u32,
    per_second: u32,
    stop: &AtomicBool,
    make: impl Fn(u64) -> Vec<u8>,
) -> Answers {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (make, began) = (&make, Instant::now());
    let mut answers = Answers::default();
    let asked = runtime.block_on(futures_util::future::join_all((0..connections).map(
        |connection| async move {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut times, mut refused, mut buffer) = (Vec::new(), 0, Vec::new());
            let mut n = connection;
            while !stop.load(Ordering::Relaxed) {
                let due = began + Duration::from_secs(1) * n / per_second;
                tokio::time::sleep_until(due.into()).await;
                stream.write_all(&make(n.into())).await.unwrap();
                if read_answer(&mut stream, &mut buffer).await.unwrap() != 200 {
                    refused += 1;
                }
                times.push(u64::try_from(due.elapsed().as_micros()).unwrap());
                n += connections;
            }
            (times, refused)
        },
    )));
    for (times, refused) in asked {
        answers.times_us.extend(times);
        answers.refused += refused;
    }
    answers.times_us.sort_unstable();
    answers
}

/// Reads an answer with a `content-length` whole; its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<u16> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((status, whole)) = head(buffer)
            && buffer.len() >= whole
        {
            return Ok(status);
        }
    }
}

/// The status of an answer and its whole length, once its headers are there.
fn head(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some((status, end + length.unwrap_or(0)))
}
