//! The questions of `litegate init` on a terminal: the operator accepts a key on this machine,
//! has the mnemonic on paper, and recognises the account. Scripts are asked nothing.

use std::io::{BufRead, Write};

use super::failure::Failure;
use crate::secret;

/// Attempts per question.
const TRIES: usize = 3;

/// Number of words to type back.
const WORDS_ASKED: usize = 2;

/// Clears the screen and the scrollback buffer (xterm's 3J).
const CLEAR: &str = "\x1b[2J\x1b[3J\x1b[H";

pub(super) struct Terminal<R, W> {
    pub(super) answers: R,
    pub(super) screen: W,
}

impl<R: BufRead, W: Write> Terminal<R, W> {
    /// Explains the risk of a key on this machine.
    ///
    /// # Errors
    /// Unless the answer is yes.
    pub(super) fn accept_key_on_this_machine(&mut self) -> Result<(), Failure> {
        self.print(
            "This creates the key of real money on this machine. An attacker who controls it can\n\
             steal everything that waits for payout. It is safer to create the account in a wallet\n\
             or on an offline machine, and to use only its public key here (--xpub).",
        )?;
        self.require_yes("Create the key here anyway?")
    }

    /// Shows the words, clears the screen, and asks for some of them.
    ///
    /// # Errors
    /// If the answers are wrong after some attempts.
    pub(super) fn confirm_words(&mut self, mnemonic: &str) -> Result<(), Failure> {
        let words: Vec<&str> = mnemonic.split(' ').collect();
        for _ in 0..TRIES {
            self.print("These words control the money. Write them on paper, in this order:\n")?;
            for (at, word) in words.iter().enumerate() {
                self.print(&format!("{:>3}  {word}", at.saturating_add(1)))?;
            }
            self.ask("\nPress Enter once they are on paper. The screen is then cleared. ")?;
            self.print(CLEAR)?;
            if self.words_match(&words)? {
                return Ok(());
            }
            self.print("That is not the word. Try again.\n")?;
        }
        Err(refused("the words were not confirmed"))
    }

    /// Shows an account's first addresses.
    ///
    /// # Errors
    /// Unless the answer is yes.
    pub(super) fn confirm_addresses(&mut self, addresses: &[String]) -> Result<(), Failure> {
        self.print("The first addresses of this account are:")?;
        for address in addresses {
            self.print(&format!("  {address}"))?;
        }
        self.require_yes("Does your wallet show the same as its first receiving addresses?")
    }

    fn words_match(&mut self, words: &[&str]) -> Result<bool, Failure> {
        for at in random_positions(words.len()) {
            let answer = self.ask(&format!("Word {}: ", at.saturating_add(1)))?;
            if !answer.eq_ignore_ascii_case(words[at]) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn require_yes(&mut self, question: &str) -> Result<(), Failure> {
        match self.ask(&format!("{question} Type yes: "))?.as_str() {
            "yes" => Ok(()),
            _ => Err(refused("not confirmed")),
        }
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.screen, "{text}").map_err(|error| terminal_error(&error))
    }

    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        let screen = &mut self.screen;
        write!(screen, "{question}")
            .and_then(|()| screen.flush())
            .map_err(|e| terminal_error(&e))?;
        let mut answer = String::new();
        match self.answers.read_line(&mut answer).map_err(|error| terminal_error(&error))? {
            0 => Err(refused("the terminal was closed")),
            _ => Ok(answer.trim().to_owned()),
        }
    }
}

/// Random distinct positions in a list, in order.
fn random_positions(length: usize) -> Vec<usize> {
    let mut positions = std::collections::BTreeSet::new();
    while positions.len() < WORDS_ASKED.min(length) {
        positions
            .insert(usize::from(secret::random_bytes::<1>()[0]).checked_rem(length).unwrap_or(0));
    }
    positions.into_iter().collect()
}

fn refused(why: &str) -> Failure {
    Failure::Refused(format!("{why}; nothing was written"))
}

fn terminal_error(error: &std::io::Error) -> Failure {
    Failure::Failed(format!("the terminal: {error}"))
}
