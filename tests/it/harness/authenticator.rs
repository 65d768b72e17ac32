//! An authenticator app with a merchant's secret. Its clock is the gateway's.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use totp_rs::{Secret, Totp};

use super::clock;
use super::gateway::Gateway;

/// Time to pass before each code, so that the code of the previous step is used then.
const NEXT_CODE: Duration = Duration::from_secs(60);

pub(crate) struct Authenticator {
    totp: Totp,
    passed: Cell<Duration>,
    last: RefCell<String>,
}

impl Authenticator {
    /// An app with this secret.
    pub(crate) fn of(secret: &str) -> Authenticator {
        let secret = Secret::try_from_base32(secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        Authenticator { totp, passed: Cell::default(), last: RefCell::default() }
    }

    /// Lets time pass at the gateway.
    pub(crate) fn let_pass(&self, gateway: &Gateway, time: Duration) {
        self.passed.set(self.passed.get() + time);
        gateway.let_pass(self.passed.get());
    }

    /// A code that was not shown before.
    pub(crate) fn next_code(&self, gateway: &Gateway) -> String {
        self.let_pass(gateway, NEXT_CODE);
        let code = self.totp.generate((clock::now() + self.passed.get()).as_secs()).to_string();
        self.last.replace(code.clone());
        code
    }

    /// The code that was shown last.
    pub(crate) fn last_code(&self) -> String {
        self.last.borrow().clone()
    }

    /// A code that is invalid around the present time.
    pub(crate) fn wrong_code(&self) -> String {
        let now = (clock::now() + self.passed.get()).as_secs();
        let near: Vec<String> = (0..=6)
            .map(|step| self.totp.generate((now + step * 30).saturating_sub(90)).to_string())
            .collect();
        let mut codes = (0..10).map(|n| format!("{n}{n}{n}{n}{n}{n}"));
        codes.find(|code| !near.contains(code)).unwrap()
    }
}
