//! One line of `litegate doctor`: the check, its verdict, the state and the fix.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    Warning,
    Failure,
}

#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    pub(super) what: String,
    /// The fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

impl Finding {
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Finding {
        self.fix = Some(fix.into());
        self
    }
}

/// Receives findings.
pub(super) type Report<'s> = &'s mut dyn FnMut(Finding);

pub(super) fn finding(check: &'static str, verdict: Verdict, what: impl Into<String>) -> Finding {
    Finding { check, verdict, what: what.into(), fix: None }
}

pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Finding {
    finding(check, Verdict::Ok, what)
}

pub(super) fn warning(check: &'static str, what: impl Into<String>) -> Finding {
    finding(check, Verdict::Warning, what)
}

pub(super) fn failure(check: &'static str, what: impl Into<String>) -> Finding {
    finding(check, Verdict::Failure, what)
}
