//! A shop's webhook receiver: records requests, and misbehaves on request.

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

/// A received request.
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

/// The response to a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// With this status and a short text.
    Status(u16),
    /// With a redirect to this URL.
    Redirect(String),
    /// None: closes the connection.
    HangUp,
    /// With 200, after this time.
    Slow(Duration),
}

/// A server on a free port. Responds 200 by default.
pub(crate) struct Receiver {
    port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

/// Work before the response.
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

    /// A receiver that does this with each request before it responds.
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
                // A client may disconnect.
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Receiver { port, state, thread: Some(thread) }
    }

    /// The URL of a path of this receiver.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Responses of the next requests, in order.
    pub(crate) fn reply_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state.replies.lock().unwrap().extend(replies);
    }

    /// Responds 200 again.
    pub(crate) fn forget_replies(&self) {
        self.state.replies.lock().unwrap().clear();
    }

    /// Responds 500 to the next requests.
    pub(crate) fn fail_next(&self, count: usize) {
        self.reply_next(std::iter::repeat_n(Reply::Status(500), count));
    }

    /// All requests.
    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.state.hits.lock().unwrap().clone()
    }

    /// Waits for this many requests. Answers all.
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
        // Connecting wakes the thread, which then ends.
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
    // Recorded before the response, so that tests can wait for it.
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
