//! `litegate init` on a terminal: shows the mnemonic once and asks for some of its words.

use std::fs;

use crate::harness::gateway::Gateway;
use crate::harness::terminal::Terminal;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// The screen of the confirmation.
impl Terminal {
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

    /// Waits for the next question and answers it with the result of `answer` for its number.
    fn answer(&mut self, before: usize, answer: impl Fn(usize) -> String) {
        let asked = wait_until("a question for a word", SOON, || {
            let asked = self.asked();
            (asked.len() > before).then(|| asked[before])
        });
        self.enter(&answer(asked));
    }
}

fn init(gateway: &Gateway, network: &str, more: &str) -> Terminal {
    let folder = gateway.folder().display();
    let program = env!("CARGO_BIN_EXE_litegate");
    Terminal::start(&format!("{program} init --network {network} --dir {folder} {more}"))
}

fn is_empty(gateway: &Gateway) -> bool {
    fs::read_dir(gateway.folder()).unwrap().next().is_none()
}

/// 1. Run `init` for main on a terminal and accept the key: 24 words are shown, and nothing is
///    written yet.
/// 2. Type two of the words: the screen is cleared, addresses are shown, and the files are
///    written.
#[test]
fn the_mnemonic_is_shown_once_and_confirmed_by_typing() {
    let gateway = Gateway::bare();
    let mut terminal = init(&gateway, "main", "");
    terminal.await_words("Type yes:");
    terminal.enter("yes");
    terminal.await_words("Press Enter");
    let words = terminal.mnemonic();
    assert_eq!(words.len(), 24, "{}", terminal.screen());
    assert!(is_empty(&gateway), "nothing is written before the words are known");
    terminal.enter("");
    for answered in 0..2 {
        terminal.answer(answered, |place| words[place - 1].clone());
    }
    assert_eq!(terminal.code(), 0, "{}", terminal.screen());
    let screen = terminal.screen();
    let (_, after) = screen.split_once("\x1b[2J").expect("the words go from the screen");
    assert!(!after.contains(&words[..3].join(" ")), "{after}");
    assert_eq!(after.matches("address  ltc1q").count(), 3, "{after}");
    assert!(gateway.folder().join("signing.key").exists());
}

#[test]
fn init_creates_no_key_without_a_confirmed_mnemonic() {
    let gateway = Gateway::bare();
    let mut terminal = init(&gateway, "regtest", "");
    for tried in 0..3 {
        wait_for("the words", SOON, || terminal.screen().matches("Press Enter").count() > tried);
        terminal.enter("");
        terminal.answer(tried, |_| "forgotten".to_owned());
    }
    assert_eq!(terminal.code(), 4, "{}", terminal.screen());
    assert!(is_empty(&gateway));
}

#[test]
fn a_mainnet_key_requires_confirmation_even_with_yes() {
    let gateway = Gateway::bare();
    let mut terminal = init(&gateway, "main", "--yes");
    terminal.await_words("Type yes:");
    terminal.enter("no");
    assert_eq!(terminal.code(), 4, "{}", terminal.screen());
    assert!(is_empty(&gateway));
    let mut terminal = init(&gateway, "regtest", "--yes");
    assert_eq!(terminal.code(), 0, "off main nothing is asked: {}", terminal.screen());
}
