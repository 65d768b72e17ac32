//! The log of a long-running process: lines to standard error that never make their writer wait.
//!
//! A reader of the log may stall (a pipe that nobody reads, a full disk below it). A thread writes;
//! lines that find no room in its queue are dropped and counted. Must not know: who logs what.

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

/// Lines that wait to be written at most; a line is seldom longer than 300 bytes.
const LINES_MAX: usize = 10_000;

/// Counts the lines that were dropped since the process began.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// A JSON object a line, with its fields, and those of the request that it belongs to.
    Json,
}

/// Who reads standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Anyone,
    /// systemd's journal, which takes a line's priority from a prefix such as `<3>`
    /// (sd-daemon(3)) and removes it.
    Journal,
}

/// By which the level of the log is changed.
pub(crate) type Levels = reload::Handle<EnvFilter, Registry>;

/// The thread that writes the lines of the queue.
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// The log. Dropping it writes the lines that wait, for a second at most.
pub(crate) struct Log {
    pub(crate) levels: Levels,
    lines: Lines,
}

impl Drop for Log {
    fn drop(&mut self) {
        write_out();
    }
}

/// Writes the lines that wait, for a second at most: before the process ends at once. Later lines
/// are lost.
pub(crate) fn write_out() {
    drop(WRITER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Where lines go: to the queue once there is one, before that to standard error.
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
    /// Starts the log of this process, without a thread: lines are written as they come. A second
    /// start changes nothing.
    pub(crate) fn start(filter: EnvFilter, form: Form, reader: Reader) -> Log {
        let lines = Lines::default();
        let (filter, levels) = reload::Layer::new(filter);
        let layer = layer_of(form, reader, lines.clone());
        if tracing_subscriber::registry().with(filter).with(layer).try_init().is_ok() {
            std::panic::set_hook(Box::new(log_panic));
        }
        Log { levels, lines }
    }

    /// Lets a thread write from now on, so that no line waits for a reader. Root's rights must have
    /// been given up, which takes a process with one thread.
    pub(crate) fn start_queue(&self) {
        let (queue, writer) = queue(std::io::stderr(), LINES_MAX);
        let _ = DROPPED.set(queue.error_counter());
        if self.lines.0.set(queue).is_ok() {
            *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
        }
    }

    /// Writes a line as it is, after those that wait.
    pub(crate) fn print(&self, line: &str) {
        // A line that finds no room is counted.
        let _ = self.lines.make_writer().write_all(format!("{line}\n").as_bytes());
    }
}

/// How many lines were dropped since the process began, because the log was not read.
pub(crate) fn dropped_lines() -> u64 {
    let dropped = DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
    u64::try_from(dropped).unwrap_or(u64::MAX)
}

/// A writer that never waits, and the thread that does.
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

/// What the layer is put on.
type Filtered = tracing_subscriber::layer::Layered<reload::Layer<EnvFilter, Registry>, Registry>;

/// A panic becomes a line of the log like any other; its thread must not wait for a reader either.
fn log_panic(panic: &PanicHookInfo) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let reason = text.unwrap_or("unknown reason");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or_default().to_owned();
    tracing::error!(place, thread, "panicked: {reason}");
}

/// A line with the priority that a journal wants before it.
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
        // Nobody reads: the pipe takes 64 kB and the queue a hundred lines.
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

    /// A writer whose text can be read.
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
