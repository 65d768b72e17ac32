//! Probe of a ZMQ publisher, for `doctor`: whether it answers, and whether a message comes.

use std::time::{Duration, Instant};

use super::{EVENT_HANDSHAKE_SUCCEEDED, Settings, event_number, subscribed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeOutcome {
    Message,
    /// A publisher answered without a message, as is usual on a quiet chain.
    Silent,
    /// Nothing answered by ZMQ.
    NoPublisher,
}

/// Subscribes to an endpoint until a message comes, at most for `patience`.
///
/// # Errors
/// If the endpoint is invalid, or the system gives no socket.
pub(crate) fn probe(endpoint: &str, patience: Duration) -> Result<ProbeOutcome, zmq::Error> {
    let settings = Settings { rawtx: endpoint.to_owned(), hashblock: endpoint.to_owned() };
    let context = zmq::Context::new();
    let (socket, monitor) = subscribed(&context, &settings)?;
    let (deadline, mut outcome) = (Instant::now() + patience, ProbeOutcome::NoPublisher);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(outcome);
        }
        let mut items = [socket.as_poll_item(zmq::POLLIN), monitor.as_poll_item(zmq::POLLIN)];
        zmq::poll(&mut items, i64::try_from(left.as_millis()).unwrap_or(0).max(1))?;
        if items[0].is_readable() {
            return Ok(ProbeOutcome::Message);
        }
        if items[1].is_readable()
            && event_number(&monitor.recv_multipart(0)?) == Some(EVENT_HANDSHAKE_SUCCEEDED)
        {
            outcome = ProbeOutcome::Silent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);
    const SHORT: Duration = Duration::from_millis(300);

    #[test]
    fn the_probe_distinguishes_a_publisher_from_other_ports() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = closed.local_addr().expect("bound").port();
        // It accepts connections, but does not speak ZMQ.
        assert_eq!(probe(&format!("tcp://127.0.0.1:{port}"), SHORT), Ok(ProbeOutcome::NoPublisher));
        drop(closed);
        assert_eq!(probe(&format!("tcp://127.0.0.1:{port}"), SHORT), Ok(ProbeOutcome::NoPublisher));
        let context = zmq::Context::new();
        let publisher = context.socket(zmq::PUB).expect("a socket");
        publisher.bind("tcp://127.0.0.1:*").expect("bound");
        let endpoint = publisher.get_last_endpoint().expect("bound").expect("text");
        assert_eq!(probe(&endpoint, Duration::from_secs(1)), Ok(ProbeOutcome::Silent));
        let probe_thread = std::thread::spawn(move || probe(&endpoint, PATIENCE));
        // A message before the subscription is lost, so messages are sent until one arrives.
        while !probe_thread.is_finished() {
            publisher.send_multipart(["rawtx", "bytes", "\0\0\0\0"], 0).expect("sent");
            std::thread::yield_now();
        }
        assert_eq!(probe_thread.join().expect("no panic"), Ok(ProbeOutcome::Message));
    }

    /// Ends of sockets and contexts while messages arrive.
    #[test]
    fn a_probe_of_a_busy_publisher_always_ends() {
        let context = zmq::Context::new();
        let publisher = context.socket(zmq::PUB).expect("a socket");
        publisher.bind("tcp://127.0.0.1:*").expect("bound");
        let endpoint = publisher.get_last_endpoint().expect("bound").expect("text");
        let probes = std::thread::spawn(move || {
            (0..30).all(|_| probe(&endpoint, PATIENCE) == Ok(ProbeOutcome::Message))
        });
        while !probes.is_finished() {
            publisher.send_multipart(["rawtx", "bytes", "\0\0\0\0"], 0).expect("sent");
            std::thread::yield_now();
        }
        assert!(probes.join().expect("no panic"));
    }
}
