//! Logging of a long-running process to standard error, without blocking the caller.
//!
//! The reader of the log may stall (a full pipe or disk). A thread writes the lines; when its
//! queue is full, lines are dropped and counted.

use std::fmt;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// Capacity of the queue in lines; most have less than 300 bytes.
const LINES_MAX: usize = 10_000;

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// Format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// One JSON object per line, with the fields of the event and of its request.
    Json,
}

/// The reader of standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Anyone,
    /// systemd's journal, which takes the priority from a prefix such as `<3>` (sd-daemon(3))
    /// and removes it.
    Journal,
}

/// Handle that changes the log level.
pub(crate) type Levels = reload::Handle<EnvFilter, Registry>;

/// The thread that writes the queued lines.
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// The log. Dropping it writes the queued lines, for a second at most.
pub(crate) struct Log {
    pub(crate) levels: Levels,
    lines: Lines,
}

impl Drop for Log {
    fn drop(&mut self) {
        write_out();
    }
}

/// Writes the queued lines, for a second at most, before the process exits. Later lines are
/// lost.
pub(crate) fn write_out() {
    drop(WRITER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Writes to the queue once it exists, before that to standard error.
#[derive(Clone, Default)]
struct Lines(Arc<OnceLock<NonBlocking>>);

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Box<dyn Write + Send>;

    fn make_writer(&'w self) -> Self::Writer {
        match self.0.get() {
            Some(queue) => Box::new(queue.clone()),
            None => Box::new(std::io::stderr()),
        }
    }
}

impl Log {
    /// Starts the log without a thread: each line is written at once. A second call changes
    /// nothing.
    pub(crate) fn start(filter: EnvFilter, form: Form, reader: Reader) -> Log {
        let lines = Lines::default();
        let (filter, levels) = reload::Layer::new(filter);
        let layer = layer_of(form, reader, lines.clone());
        if tracing_subscriber::registry().with(filter).with(layer).try_init().is_ok() {
            std::panic::set_hook(Box::new(log_panic));
        }
        Log { levels, lines }
    }

    /// Starts the writing thread, so that callers no longer wait for a reader. Call it after
    /// root privileges were dropped, which needs a process with one thread.
    pub(crate) fn start_queue(&self) {
        let (queue, writer) = queue(std::io::stderr(), LINES_MAX);
        let _ = DROPPED.set(queue.error_counter());
        if self.lines.0.set(queue).is_ok() {
            *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
        }
    }

    /// Writes a line unchanged, after the queued ones.
    pub(crate) fn print(&self, line: &str) {
        // The queue counts a line that does not fit.
        let _ = self.lines.make_writer().write_all(format!("{line}\n").as_bytes());
    }
}

/// Number of lines dropped since the process started.
pub(crate) fn dropped_lines() -> u64 {
    let dropped = DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
    u64::try_from(dropped).unwrap_or(u64::MAX)
}

/// A writer that never blocks, and the guard of the thread that may.
fn queue(to: impl Write + Send + 'static, lines_max: usize) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(lines_max)
        .thread_name("log")
        .finish(to)
}

fn layer_of<W>(form: Form, reader: Reader, lines: W) -> Box<dyn Layer<Filtered> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer =
        tracing_subscriber::fmt::layer().with_writer(lines).with_ansi(false).with_target(false);
    match form {
        Form::Text => layer.map_event_format(|inner| Prefixed { reader, inner }).boxed(),
        Form::Json => {
            let layer = layer.json().flatten_event(true);
            layer.map_event_format(|inner| Prefixed { reader, inner }).boxed()
        }
    }
}

/// The subscriber below the layer.
type Filtered = tracing_subscriber::layer::Layered<reload::Layer<EnvFilter, Registry>, Registry>;

/// Logs a panic as an ordinary line, so that the panicking thread does not block on standard
/// error.
fn log_panic(panic: &PanicHookInfo) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let reason = text.unwrap_or("unknown reason");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or_default().to_owned();
    tracing::error!(place, thread, "panicked: {reason}");
}

/// Puts the priority for the journal before a line.
struct Prefixed<F> {
    reader: Reader,
    inner: F,
}

impl<S, N, F> FormatEvent<S, N> for Prefixed<F>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if self.reader == Reader::Journal {
            write!(writer, "<{}>", priority(*event.metadata().level()))?;
        }
        self.inner.format_event(context, writer, event)
    }
}

/// The priority of syslog(3).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};

    #[test]
    fn a_stalled_log_reader_drops_lines_without_blocking() {
        const LINES: u64 = 5_000;
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let (mut lines, guard) = queue(writer, 100);
        let counter = lines.error_counter();
        let line = format!("{}\n", "x".repeat(99));
        // Without a reader the pipe takes 64 kB and the queue a hundred lines.
        for _ in 0..LINES {
            lines.write_all(line.as_bytes()).expect("it never fails");
        }
        let dropped = u64::try_from(counter.dropped_lines()).expect("few");
        assert!(dropped > LINES / 2, "{dropped}");
        let reading = std::thread::spawn(move || {
            let mut all = String::new();
            reader.read_to_string(&mut all).map(|_| all)
        });
        drop((lines, guard));
        let all = reading.join().expect("it read").expect("text");
        let read = u64::try_from(all.lines().count()).expect("few");
        assert_eq!(read + dropped, LINES, "each line was written or counted");
        assert!(all.lines().all(|line| line.len() == 99), "no line is torn");
    }

    /// A writer whose output the test reads.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(form: Form, reader: Reader) -> Vec<String> {
        let shared = Shared::default();
        let to = shared.clone();
        let (filter, _levels) = reload::Layer::new(EnvFilter::new("trace"));
        let layer = layer_of(form, reader, move || to.clone());
        let subscriber = tracing_subscriber::registry().with(filter).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(error = "two\nlines", "failed");
            tracing::warn!("doubtful");
            tracing::info!("usual");
            tracing::debug!("detail");
        });
        let bytes = shared.0.lock().expect("no panic").clone();
        BufReader::new(&bytes[..]).lines().collect::<Result<_, _>>().expect("text")
    }

    #[test]
    fn only_the_journal_gets_log_priorities() {
        let lines = logged(Form::Json, Reader::Journal);
        let prefixes: Vec<&str> = lines.iter().map(|line| &line[..3]).collect();
        assert_eq!(prefixes, ["<3>", "<4>", "<6>", "<7>"]);
        for line in lines {
            serde_json::from_str::<serde_json::Value>(&line[3..]).expect("one object a line");
        }
        for line in logged(Form::Json, Reader::Anyone) {
            serde_json::from_str::<serde_json::Value>(&line).expect("one object a line");
        }
        let lines = logged(Form::Text, Reader::Journal);
        assert!(lines.first().is_some_and(|line| line.starts_with("<3>")), "{lines:?}");
        assert!(!logged(Form::Text, Reader::Anyone).concat().contains('<'));
    }
}
