//! The time of very many payments is up at once, while payments are made at a steady rate and blocks
//! come: how long a caller waits, how long it takes, and whether anybody stands still.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::Size;
use super::calls;
use super::harness::gateway::Gateway;
use super::harness::node::Node;
use super::harness::shop::Shop;
use super::history::{self, Kind};
use super::load;
use super::report::{Goal, Report, Row, Unit, micros};
use super::serving::Serving;

/// Payments made each second, on so many connections.
const RATE: u32 = 50;
const CONNECTIONS: u32 = 8;

/// How often a block comes.
const BLOCK_EVERY: Duration = Duration::from_secs(5);

/// How long the roles may stand still before the watchdog (sd_watchdog_enabled(3)) is not fed any
/// more; signs of life come three times as often.
const WATCHDOG: Duration = Duration::from_secs(3);

/// All of them expire within this time, or never.
const PATIENCE: Duration = Duration::from_secs(1_800);

pub(crate) fn measure(report: &mut Report, size: &Size, node: &Node) {
    let gateway = Gateway::init(node);
    gateway.set("payments.max_open_payments", 10_000_000);
    gateway.unset("clock.offset_file"); // Only tests move the clock.
    let shop = Shop::open(&gateway, node, "Shop");
    drop(Serving::start(&gateway)); // It stands on the node's tip from now on.
    let database = gateway.setting("database");
    history::write(&gateway, Kind::Overdue, size.overdue);
    let socket = gateway.folder().join("notify");
    let signs = Signs::listen(&socket);
    let usec = WATCHDOG.as_micros().to_string();
    let (socket, began) = (socket.display().to_string(), Instant::now());
    let environment = [("NOTIFY_SOCKET", socket.as_str()), ("WATCHDOG_USEC", usec.as_str())];
    let serving = Serving::start_with(&gateway, &environment);
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, port, keys) = (Arc::clone(&stop), gateway.port(), vec![shop.api_key]);
    let make = move |n| calls::creation(&keys, n);
    let posts = std::thread::spawn(move || load::paced(port, CONNECTIONS, RATE, &stopped, make));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let reader = Connection::open_with_flags(&database, flags).unwrap();
    let ask = |sql: &str| reader.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let expired = "SELECT count FROM payment_counts WHERE status = 'expired'";
    let goal = i64::try_from(size.overdue).unwrap();
    let first = ask("SELECT max(height) FROM blocks");
    let mut last_block = Instant::now();
    while ask(expired) < goal {
        assert!(began.elapsed() < PATIENCE, "{} of {goal} expired", ask(expired));
        if last_block.elapsed() >= BLOCK_EVERY {
            node.mine(1);
            last_block = Instant::now();
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let took = began.elapsed();
    let connected = ask("SELECT max(height) FROM blocks") - first;
    stop.store(true, Ordering::Relaxed);
    let answers = posts.join().unwrap();
    let silence = signs.stalest();
    drop(serving);
    println!("  {} payments made meanwhile, {} refused", answers.times_us.len(), answers.refused);
    assert_eq!(answers.refused, 0, "every request is answered with 200");
    let of = format!("{} payments expire, {RATE} made/s", size.overdue);
    for (name, percent, goal) in [
        ("median", 50, Goal::None),
        ("p99", 99, Goal::AtMost(250_000)),
        ("slowest", 100, Goal::AtMost(2_000_000)),
    ] {
        report.add(Row {
            name: format!("{of}: creation, {name}"),
            unit: Unit::Microseconds,
            figure: answers.percentile_us(percent),
            floor: None,
            goal,
        });
    }
    report.add(Row {
        name: format!("{of}: all are expired after ({connected} blocks connected meanwhile)"),
        unit: Unit::Microseconds,
        figure: micros(took),
        floor: None,
        goal: Goal::None,
    });
    report.add(Row {
        name: format!("{of}: longest pause between signs of life"),
        unit: Unit::Microseconds,
        figure: micros(silence),
        floor: None,
        goal: Goal::AtMost(micros(WATCHDOG)),
    });
}

/// Stands in for systemd, and hears the signs of life (sd_notify(3)).
struct Signs {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Signs {
    fn listen(path: &Path) -> Signs {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut last, mut longest) = (None::<Instant>, Duration::ZERO);
            let mut message = [0; 4096];
            while !stopped.load(Ordering::Relaxed) {
                let count = socket.recv(&mut message).unwrap_or(0);
                if message[..count].starts_with(b"WATCHDOG=1") {
                    longest = longest.max(last.map_or(Duration::ZERO, |at| at.elapsed()));
                    last = Some(Instant::now());
                }
            }
            longest.max(last.map_or(Duration::MAX, |at| at.elapsed()))
        });
        Signs { stop, thread }
    }

    /// The longest pause between two signs, or after the last one.
    fn stalest(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
