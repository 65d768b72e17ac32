//! A shop's receiver of webhooks: records what comes, and misbehaves when told to.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::http::{Request, find_header};
use super::json::Fields;
use super::wait::wait_until;

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Hit {
    /// The value of the first header of this name.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        match find_header(&self.headers, name) {
            Some(value) => value,
            None => panic!("no header {name} in {:?}", self.headers),
        }
    }

    /// The body as a JSON object.
    #[track_caller]
    pub(crate) fn fields(&self) -> Fields {
        Fields::of(&self.body)
    }
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// With this status and a short text.
    Status(u16),
    /// With a redirect to this URL.
    Redirect(String),
    /// Not at all: the connection is closed.
    HangUp,
    /// With 200, after this time.
    Slow(Duration),
}

/// A server on a free port of this machine. Answers 200 unless told otherwise.
pub(crate) struct Receiver {
    port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

/// What a receiver does with a request before it answers.
type Work = Box<dyn Fn(&Hit) + Send + Sync>;

#[derive(Default)]
struct State {
    hits: Mutex<Vec<Hit>>,
    replies: Mutex<VecDeque<Reply>>,
    work: Option<Work>,
    stop: AtomicBool,
}

impl Receiver {
    pub(crate) fn start() -> Receiver {
        Receiver::start_as(State::default())
    }

    /// One that does this with each request before it answers.
    pub(crate) fn start_with(work: impl Fn(&Hit) + Send + Sync + 'static) -> Receiver {
        Receiver::start_as(State { work: Some(Box::new(work)), ..State::default() })
    }

    fn start_as(state: State) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), state) = (stream, Arc::clone(&shared)) else { continue };
                // A client that breaks off is its own affair.
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Receiver { port, state, thread: Some(thread) }
    }

    /// The URL of a path here.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next requests are answered so, one after the other.
    pub(crate) fn reply_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.replies.lock().unwrap().extend(replies);
    }

    /// Requests are answered as usual again.
    pub(crate) fn forget_replies(&self) {
        self.state.replies.lock().unwrap().clear();
    }

    /// The next requests are answered with 500.
    pub(crate) fn fail_next(&self, count: usize) {
        self.reply_next(std::iter::repeat_n(Reply::Status(500), count));
    }

    /// All requests so far.
    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.state.hits.lock().unwrap().clone()
    }

    /// Waits until so many requests came, and returns them all.
    #[track_caller]
    pub(crate) fn await_hits(&self, count: usize, deadline: Duration) -> Vec<Hit> {
        wait_until(&format!("{count} webhooks at the receiver"), deadline, || {
            let hits = self.hits();
            (hits.len() >= count).then_some(hits)
        })
    }

    /// Waits for the webhook of one payment.
    #[track_caller]
    pub(crate) fn await_hit_for(&self, payment_id: &str, deadline: Duration) -> Hit {
        wait_until(&format!("the webhook of {payment_id}"), deadline, || {
            self.hits().into_iter().find(|hit| hit.body.contains(payment_id))
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        // A connection wakes the thread, which then sees that it is over.
        let woken = TcpStream::connect(("127.0.0.1", self.port));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn serve(stream: TcpStream, state: &State) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let hit = read(&stream)?;
    if let Some(work) = &state.work {
        work(&hit);
    }
    // What is recorded first can be awaited before the answer is on its way.
    state.hits.lock().unwrap().push(hit);
    let reply = state.replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(200));
    let (status, extra) = match reply {
        Reply::Status(status) => (status, String::new()),
        Reply::Redirect(url) => (302, format!("location: {url}\r\n")),
        Reply::HangUp => return None,
        Reply::Slow(pause) => {
            std::thread::sleep(pause);
            (200, String::new())
        }
    };
    let answer = format!(
        "HTTP/1.1 {status} Said\r\n{extra}content-length: 5\r\nconnection: close\r\n\r\nheard"
    );
    (&stream).write_all(answer.as_bytes()).ok()
}

fn read(stream: &TcpStream) -> Option<Hit> {
    let Request { method, path, headers, body } = Request::read(stream)?;
    let body = String::from_utf8(body).ok()?;
    Some(Hit { at: Instant::now(), method, path, headers, body })
}
