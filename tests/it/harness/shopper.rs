//! A shopper with Debian's Chromium or Firefox: opens pages, takes screenshots, scans QR
//! codes, and runs axe and Lighthouse. Results are in `target/checkout`, in a directory per
//! test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::files;
use super::packages::prepare;

/// Largest size of a page with everything that it loads, in bytes: raw, and compressed.
const RAW_BYTES_MAX: u64 = 20_000;
const COMPRESSED_BYTES_MAX: u64 = 8_000;

/// Languages of each script width and both directions.
const LANGUAGES: [&str; 13] =
    ["en", "de", "es", "fr", "it", "nl", "pl", "pt-BR", "ru", "tr", "ja", "zh-Hans", "ar"];

/// A browser session. Ends when dropped.
pub(crate) struct Shopper {
    process: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Shopper {
    #[track_caller]
    pub(crate) fn arrive() -> Shopper {
        Shopper::by("shopper.mjs", "/usr/bin/chromium")
    }

    /// Firefox, with `open`, `await` and `shot` only.
    #[track_caller]
    pub(crate) fn arrive_with_firefox() -> Shopper {
        Shopper::by("firefox.mjs", "/usr/bin/firefox-esr")
    }

    #[track_caller]
    fn by(driver: &str, browser: &str) -> Shopper {
        prepare();
        let program = files::project().join("tests/browser").join(driver);
        let test = std::thread::current().name().expect("a test's name").replace("::", "-");
        let mut process = Command::new("node")
            .arg(program)
            .arg(files::project().join("target/checkout").join(test))
            .arg(browser)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Shopper { process, answers }
    }

    #[track_caller]
    pub(crate) fn does(&mut self, command: Value) -> Value {
        let stdin = self.process.stdin.as_mut().unwrap();
        writeln!(stdin, "{command}").unwrap();
        let answer = self.answers.next().expect("the browser has not ended").unwrap();
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].is_null(), "{command}: {answer}");
        answer["ok"].take()
    }

    #[track_caller]
    pub(crate) fn opens(&mut self, url: &str) {
        self.does(json!({"act": "open", "url": url}));
    }

    /// Waits for a state, which the page must reach without a reload.
    #[track_caller]
    pub(crate) fn sees(&mut self, state: &str, words: &str) {
        let seen = self.does(json!({"act": "await", "state": state}));
        assert_eq!(seen["loads"], 1, "the page was loaded again before {state}");
        let text = seen["text"].as_str().unwrap().replace('\u{a0}', " ");
        assert!(text.contains(words), "{state} says {words:?}, not: {text}");
        self.evaluates(&state.replace(" .", "-"));
    }

    /// Takes screenshots and checks accessibility with axe.
    #[track_caller]
    pub(crate) fn evaluates(&mut self, name: &str) -> Value {
        let found = self.does(json!({"act": "judge"}));
        assert_eq!(found["violations"], json!([]), "{name}");
        self.does(json!({"act": "shots", "name": name}))
    }

    /// Scans the QR code of each screenshot, also at half its size.
    #[track_caller]
    pub(crate) fn scans(&mut self, name: &str, uri: &str) {
        let codes = self.does(json!({"act": "shots", "name": name}))["codes"].take();
        for (picture, code) in codes.as_object().unwrap() {
            assert_eq!(code, uri, "{picture}");
        }
        let half = self.does(json!({"act": "half", "name": name}));
        assert_eq!(half["code"], uri, "at half its size");
    }

    /// Checks the page's size in each language.
    #[track_caller]
    pub(crate) fn weighs(&mut self, name: &str, url: &str) {
        let weighed = self.does(json!({"act": "weigh", "url": url, "languages": LANGUAGES}));
        for size in weighed["sizes"].as_array().unwrap() {
            let (raw, gzip) = (size["raw"].as_u64().unwrap(), size["gzip"].as_u64().unwrap());
            println!("weight: {name} {}: {raw} bytes, {gzip} compressed", size["language"]);
            assert!(raw <= RAW_BYTES_MAX && gzip <= COMPRESSED_BYTES_MAX, "{name}: {size}");
        }
    }

    /// Checks that the page loads itself and one event stream: no third party, no cookie,
    /// nothing refused.
    #[track_caller]
    pub(crate) fn asked_for_little(&mut self, origin: &str) {
        let seen = self.does(json!({"act": "seen"}));
        assert_eq!(seen["cookies"], 0);
        assert_eq!(seen["complaints"], json!([]));
        for request in seen["requests"].as_array().unwrap() {
            let url = request.as_str().unwrap();
            assert!(url.starts_with(origin) || url.starts_with("data:"), "{url}");
        }
    }
}

impl Drop for Shopper {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
