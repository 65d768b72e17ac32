//! What the gateway tells systemd: ready, how it goes, that it lives, that it stops.

use std::os::unix::net::UnixDatagram;

use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, wait_until};

#[test]
fn it_says_that_it_is_ready_how_it_goes_that_it_lives_and_that_it_stops() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    gate.term();
    let path = gate.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    gate.set_environment("NOTIFY_SOCKET", &path.display().to_string());
    gate.set_environment("WATCHDOG_USEC", "1500000");
    let await_message = |words: &str| {
        wait_until(words, SOON, || {
            let mut buffer = [0; 4096];
            let length = socket.recv(&mut buffer).unwrap();
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            message.contains(words).then_some(message)
        })
    };
    gate.start();
    await_message("READY=1");
    await_message("WATCHDOG=1");
    shop.create("0.05");
    await_message(&format!("STATUS=height {}, 1 open, 0 failed webhooks", node.height()));
    // While the node is away the watcher lives, and says what it waits for.
    node.stop();
    await_message("waits: ");
    await_message("WATCHDOG=1");
    gate.term();
    await_message("STOPPING=1");
}
