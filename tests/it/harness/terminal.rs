//! A real terminal, provided by script(1).

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::wait::{SOON, wait_for, wait_until};

/// A command on a separate terminal. Killed when dropped.
pub(crate) struct Terminal {
    process: Child,
    screen: Arc<Mutex<String>>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill(); // It may have ended by itself.
        let _ = self.process.wait();
    }
}

impl Terminal {
    pub(crate) fn start(command: &str) -> Terminal {
        let mut process = Command::new("script")
            .args(["--quiet", "--return", "--command", command, "/dev/null"])
            // The tests may run without a terminal.
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script(1) of bsdutils");
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut output, shown) = (process.stdout.take().unwrap(), screen.clone());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        Terminal { process, screen }
    }

    pub(crate) fn screen(&self) -> String {
        self.screen.lock().unwrap().replace('\r', "")
    }

    pub(crate) fn await_words(&self, words: &str) {
        wait_for(&format!("{words:?} on the screen"), SOON, || self.screen().contains(words));
    }

    pub(crate) fn enter(&mut self, text: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{text}").unwrap();
    }

    pub(crate) fn code(&mut self) -> i32 {
        let status = wait_until("the command's end", SOON, || self.process.try_wait().unwrap());
        status.code().unwrap()
    }
}
