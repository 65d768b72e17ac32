//! `litegate doctor`: one line for each thing that must be right, with what to do if it is not.

mod machine;
mod node;
mod outside;

use std::path::Path;
use std::thread;

use clap::Args;
use serde::Serialize;

use super::{Failure, Format, print_json, print_line};
use crate::config::{self, Config};

#[derive(Args)]
#[command(after_help = "Example: litegate doctor --config /etc/litegate/litegate.toml")]
pub(super) struct Doctor {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failure,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    what: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn fix(mut self, fix: impl Into<String>) -> Finding {
        self.fix = Some(fix.into());
        self
    }
}

impl Doctor {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let config = config::load(config)?;
        let findings = examine(&config);
        match format {
            Format::Json => print_json(&findings)?,
            Format::Text => {
                for finding in &findings {
                    let word = match finding.verdict {
                        Verdict::Ok => "ok     ",
                        Verdict::Warning => "warning",
                        Verdict::Failure => "FAILURE",
                    };
                    let fix = finding.fix.as_ref().map(|fix| format!("; fix: {fix}"));
                    let fix = fix.unwrap_or_default();
                    print_line(&format!("{word}  {}: {}{fix}", finding.check, finding.what))?;
                }
            }
        }
        match findings.iter().filter(|f| f.verdict == Verdict::Failure).count() {
            0 => Ok(()),
            n => Err(Failure::Failed(format!("{n} checks failed"))),
        }
    }
}

/// All findings. What has to be waited for is looked at at the same time.
fn examine(config: &Config) -> Vec<Finding> {
    thread::scope(|scope| {
        let node = scope.spawn(|| node::check(config));
        let outside = scope.spawn(|| outside::check(config));
        let mut findings = vec![ok("config", "complete and without mistakes")];
        findings.extend(machine::check(config));
        for others in [node, outside] {
            findings.extend(others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        findings
    })
}

fn finding(check: &'static str, verdict: Verdict, what: impl Into<String>) -> Finding {
    Finding { check, verdict, what: what.into(), fix: None }
}

fn ok(check: &'static str, what: impl Into<String>) -> Finding {
    finding(check, Verdict::Ok, what)
}

fn warning(check: &'static str, what: impl Into<String>) -> Finding {
    finding(check, Verdict::Warning, what)
}

fn failure(check: &'static str, what: impl Into<String>) -> Finding {
    finding(check, Verdict::Failure, what)
}
