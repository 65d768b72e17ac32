//! A webhook receiver for tests: a real socket with scripted responses.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long a test waits for what must happen.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// With these bytes, and the connection is closed.
    Text(String),
    /// Not at all, while the connection stays open.
    Hang,
    /// Not at all: the connection is closed.
    HangUp,
    /// With 200 and a body that never ends.
    Endless,
    /// With 200, once the test says so.
    NotifiedBy(Arc<tokio::sync::Notify>),
}

impl Reply {
    pub(super) fn status(line: &str) -> Reply {
        Reply::Text(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n"))
    }
}

/// A request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) head: String,
    pub(super) body: String,
}

impl Hit {
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        found.unwrap_or_else(|| panic!("no header {name} in {}", self.head))
    }
}

#[derive(Default)]
struct Seen {
    hits: Mutex<Vec<Hit>>,
    open: AtomicUsize,
    max_open: AtomicUsize,
}

pub(super) struct Receiver {
    port: u16,
    seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

impl Receiver {
    /// Answers the first requests with `first`, all that follow with `rest`.
    pub(super) async fn start(first: Vec<Reply>, rest: Reply) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let seen = Arc::new(Seen::default());
        let (of_loop, mut first) = (seen.clone(), first.into_iter());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let reply = first.next().unwrap_or_else(|| rest.clone());
                connections.spawn(serve(stream, reply, of_loop.clone()));
            }
        });
        Receiver { port, seen, _tasks: tasks }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub(super) fn hits(&self) -> Vec<Hit> {
        self.seen.hits.lock().expect("no test panics with it").clone()
    }

    /// The most requests that were open at the same time.
    pub(super) fn max_open(&self) -> usize {
        self.seen.max_open.load(Ordering::SeqCst)
    }

    pub(super) async fn await_hits(&self, count: usize) -> Vec<Hit> {
        until("requests", || (self.hits().len() >= count).then(|| self.hits())).await
    }
}

/// Polls until `look` returns a value.
pub(super) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, found).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

struct Open(Arc<Seen>);

impl Open {
    fn count(seen: Arc<Seen>) -> Open {
        let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
        seen.max_open.fetch_max(open, Ordering::SeqCst);
        Open(seen)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Seen>) {
    let open = Open::count(seen.clone());
    if let Some(hit) = read(&mut stream).await {
        seen.hits.lock().expect("no test panics with it").push(hit);
        answer(&mut stream, reply, open).await;
    }
}

async fn answer(stream: &mut TcpStream, reply: Reply, open: Open) {
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    // Whether the client still listens is not the receiver's concern.
    let _ = match reply {
        Reply::Text(text) => stream.write_all(text.as_bytes()).await,
        Reply::HangUp => Ok(()),
        Reply::Hang => wait_for_close(stream).await,
        Reply::NotifiedBy(notified) => {
            notified.notified().await;
            // Before the response, because the client may connect again at once.
            drop(open);
            stream.write_all(ok).await
        }
        Reply::Endless => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                sent = stream.write_all(&[b'x'; 4096]).await;
            }
            sent
        }
    };
}

async fn wait_for_close(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut rest = [0; 64];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

async fn read(stream: &mut TcpStream) -> Option<Hit> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let hit = Hit { head: head.to_owned(), body: body.to_owned() };
        if body.len() >= hit.header("content-length").parse().expect("a length") {
            return Some(hit);
        }
    }
}
