//! Notifications to systemd: ready, status, watchdog, stopping.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::harness::files;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// 1. Start with a notification socket: READY, WATCHDOG and STATUS arrive.
/// 2. Stop the node: the status names it, and the watchdog is still fed.
/// 3. Stop the gateway: STOPPING arrives.
#[test]
#[ignore = "long"]
fn systemd_is_notified_of_ready_status_watchdog_and_stop() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    gateway.term();
    let path = gateway.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    gateway.set_environment("NOTIFY_SOCKET", &path.display().to_string());
    gateway.set_environment("WATCHDOG_USEC", "1500000");
    let await_message = |words: &str| {
        wait_until(words, SOON, || {
            let mut buffer = [0; 4096];
            let length = socket.recv(&mut buffer).unwrap();
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            message.contains(words).then_some(message)
        })
    };
    gateway.start();
    await_message("READY=1");
    await_message("WATCHDOG=1");
    shop.create("0.05");
    await_message(&format!("STATUS=height {}, 1 open, 0 failed webhooks", node.height()));
    // Without the node the watcher is alive, and the status names what it waits for.
    node.stop();
    await_message("waits: ");
    await_message("WATCHDOG=1");
    gateway.term();
    await_message("STOPPING=1");
}

fn analyze(arguments: &[&str]) -> String {
    let output = Command::new("systemd-analyze").args(arguments).output().expect("systemd-analyze");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// 1. Each unit has its limits and passes `systemd-analyze verify`.
/// 2. Its exposure score stays within the limit.
#[test]
fn the_units_are_valid_and_have_a_low_exposure_score() {
    for (unit, most) in [("litegate.service", "1.2"), ("litegate-sweeper.service", "0.9")] {
        let text = fs::read_to_string(files::project().join("systemd").join(unit)).unwrap();
        // It checks that the program exists.
        let text = text.replace("/usr/bin/litegate", env!("CARGO_BIN_EXE_litegate"));
        for key in ["LimitCORE=0", "MemoryMax=", "TasksMax=", "NoExecPaths=/", "IPAddressDeny="] {
            assert!(text.lines().any(|line| line.starts_with(key)), "{unit} has no {key}");
        }
        let folder = files::folder();
        let file = folder.path().join(unit);
        fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        assert_eq!(analyze(&["verify", "--man=no", file]), "", "{unit}");
        let evaluated = analyze(&["security", "--offline=yes", file]);
        let level = evaluated.lines().last().unwrap().split("service: ").nth(1);
        let level = level.and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(level.len() == most.len() && level <= most, "{unit}: {level}, at most {most}");
    }
}
