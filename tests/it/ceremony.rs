//! `litegate init` on a terminal: the words are shown once, and asked for. The terminal is a real
//! one, made by script(1).

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::harness::gate::Gate;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// A command on a terminal of its own. Killed when it is dropped.
struct Terminal {
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
    fn start(command: &str) -> Terminal {
        let mut process = Command::new("script")
            .args(["--quiet", "--return", "--command", command, "/dev/null"])
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

    fn screen(&self) -> String {
        self.screen.lock().unwrap().replace('\r', "")
    }

    fn await_words(&self, words: &str) {
        wait_for(&format!("{words:?} on the screen"), SOON, || self.screen().contains(words));
    }

    fn enter(&mut self, text: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{text}").unwrap();
    }

    fn code(&mut self) -> i32 {
        let status = wait_until("the command's end", SOON, || self.process.try_wait().unwrap());
        status.code().unwrap()
    }

    /// The words of the last list on the screen, in order.
    fn mnemonic(&self) -> Vec<String> {
        let screen = self.screen();
        let list = screen.rsplit("in this order:").next().unwrap();
        let lines = list.lines().filter_map(|line| line.trim().split_once("  "));
        let words = lines.filter(|(number, _)| number.parse::<usize>().is_ok());
        words.map(|(_, word)| word.trim().to_owned()).collect()
    }

    /// The places of the words that were asked for so far.
    fn asked(&self) -> Vec<usize> {
        let screen = self.screen();
        let questions = screen.match_indices("Word ");
        questions.filter_map(|(at, _)| screen[at + 5..].split_once(": ")?.0.parse().ok()).collect()
    }

    /// Waits for one more question, and answers it with what `answer` makes of its number.
    fn answer(&mut self, before: usize, answer: impl Fn(usize) -> String) {
        let asked = wait_until("a question for a word", SOON, || {
            let asked = self.asked();
            (asked.len() > before).then(|| asked[before])
        });
        self.enter(&answer(asked));
    }
}

fn init(gate: &Gate, network: &str, more: &str) -> Terminal {
    let folder = gate.folder().display();
    let program = env!("CARGO_BIN_EXE_litegate");
    Terminal::start(&format!("{program} init --network {network} --dir {folder} {more}"))
}

fn is_empty(gate: &Gate) -> bool {
    fs::read_dir(gate.folder()).unwrap().next().is_none()
}

#[test]
fn the_words_are_shown_once_and_typed_back() {
    let gate = Gate::bare();
    let mut terminal = init(&gate, "main", "");
    terminal.await_words("Type yes:");
    terminal.enter("yes");
    terminal.await_words("Press Enter");
    let words = terminal.mnemonic();
    assert_eq!(words.len(), 24, "{}", terminal.screen());
    assert!(is_empty(&gate), "nothing is written before the words are known");
    terminal.enter("");
    for answered in 0..2 {
        terminal.answer(answered, |place| words[place - 1].clone());
    }
    assert_eq!(terminal.code(), 0, "{}", terminal.screen());
    let screen = terminal.screen();
    let (_, after) = screen.split_once("\x1b[2J").expect("the words go from the screen");
    assert!(!after.contains(&words[..3].join(" ")), "{after}");
    assert_eq!(after.matches("address  ltc1q").count(), 3, "{after}");
    assert!(gate.folder().join("signing.key").exists());
}

#[test]
fn who_has_not_the_words_gets_no_key() {
    let gate = Gate::bare();
    let mut terminal = init(&gate, "regtest", "");
    for tried in 0..3 {
        wait_for("the words", SOON, || terminal.screen().matches("Press Enter").count() > tried);
        terminal.enter("");
        terminal.answer(tried, |_| "forgotten".to_owned());
    }
    assert_eq!(terminal.code(), 4, "{}", terminal.screen());
    assert!(is_empty(&gate));
}

#[test]
fn a_key_of_real_money_is_asked_for_even_with_yes() {
    let gate = Gate::bare();
    let mut terminal = init(&gate, "main", "--yes");
    terminal.await_words("Type yes:");
    terminal.enter("no");
    assert_eq!(terminal.code(), 4, "{}", terminal.screen());
    assert!(is_empty(&gate));
    let mut terminal = init(&gate, "regtest", "--yes");
    assert_eq!(terminal.code(), 0, "off main nothing is asked: {}", terminal.screen());
}
