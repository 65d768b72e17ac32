//! The questions of `litegate init` on a terminal: that whoever makes a key of money knows what it
//! means, has the words on paper, and looks at the right account. Scripts are asked nothing.

use std::io::{BufRead, Write};

use super::failure::Failure;
use crate::secret;

/// How often a wrong answer is forgiven.
const TRIES: usize = 3;

/// How many words are typed back.
const WORDS_ASKED: usize = 2;

/// Takes the words off the screen, and out of what can be scrolled back to (xterm's 3J).
const CLEAR: &str = "\x1b[2J\x1b[3J\x1b[H";

/// A person at a terminal.
pub(super) struct Person<R, W> {
    pub(super) answers: R,
    pub(super) screen: W,
}

impl<R: BufRead, W: Write> Person<R, W> {
    /// Says what a key on this machine means.
    ///
    /// # Errors
    /// Unless it is answered with yes.
    pub(super) fn wants_key_on_this_machine(&mut self) -> Result<(), Failure> {
        self.say(
            "This makes the key of real money on this machine: whoever breaks into it can take\n\
             what waits for payout. The safer way is to make the account in a wallet or on a\n\
             machine that is never online, and to give only its public key here (--xpub).",
        )?;
        self.agree("Make the key here all the same?")
    }

    /// Shows the words, takes them off the screen, and has some of them typed back.
    ///
    /// # Errors
    /// If they are not known after some tries.
    pub(super) fn keeps_words(&mut self, mnemonic: &str) -> Result<(), Failure> {
        let words: Vec<&str> = mnemonic.split(' ').collect();
        for _ in 0..TRIES {
            self.say("These words are the money. Write them on paper, in this order:\n")?;
            for (at, word) in words.iter().enumerate() {
                self.say(&format!("{:>3}  {word}", at.saturating_add(1)))?;
            }
            self.ask("\nPress Enter once they are on paper; they go from the screen then. ")?;
            self.say(CLEAR)?;
            if self.types_back(&words)? {
                return Ok(());
            }
            self.say("That is not the word. Once more.\n")?;
        }
        Err(refused("the words were not typed back"))
    }

    /// Shows an account's first addresses.
    ///
    /// # Errors
    /// Unless it is answered with yes.
    pub(super) fn knows_addresses(&mut self, addresses: &[String]) -> Result<(), Failure> {
        self.say("The first addresses of this account are:")?;
        for address in addresses {
            self.say(&format!("  {address}"))?;
        }
        self.agree("Does your wallet show the same as its first receiving addresses?")
    }

    fn types_back(&mut self, words: &[&str]) -> Result<bool, Failure> {
        for at in some_places(words.len()) {
            let answer = self.ask(&format!("Word {}: ", at.saturating_add(1)))?;
            if !answer.eq_ignore_ascii_case(words[at]) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn agree(&mut self, question: &str) -> Result<(), Failure> {
        match self.ask(&format!("{question} Type yes: "))?.as_str() {
            "yes" => Ok(()),
            _ => Err(refused("not confirmed")),
        }
    }

    fn say(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.screen, "{text}").map_err(|error| broken(&error))
    }

    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        let screen = &mut self.screen;
        write!(screen, "{question}").and_then(|()| screen.flush()).map_err(|e| broken(&e))?;
        let mut answer = String::new();
        match self.answers.read_line(&mut answer).map_err(|error| broken(&error))? {
            0 => Err(refused("the terminal was closed")),
            _ => Ok(answer.trim().to_owned()),
        }
    }
}

/// Different places in a list of so many, in order, chosen by chance.
fn some_places(length: usize) -> Vec<usize> {
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

fn broken(error: &std::io::Error) -> Failure {
    Failure::Failed(format!("the terminal: {error}"))
}
