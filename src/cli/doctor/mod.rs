//! `litegate doctor`: one line per check, with the fix of a problem.

mod addresses;
mod finding;
mod machine;
mod node;
mod outside;
mod rates;
mod rows;
mod subject;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use clap::Args;

use super::failure::Failure;
use super::open::load;
use super::output::{Format, print_json, print_line};
use crate::config::{self, Config};
use crate::serve::first_start;
use crate::serve::rights::Work;

use finding::{Finding, Report, Verdict, failure, finding, ok};
use subject::Subject;

#[derive(Args)]
#[command(after_help = "Example: litegate doctor --config /etc/litegate/litegate.toml")]
pub(super) struct Doctor {}

impl Doctor {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        if let Err(who) = config::check_file(config) {
            let unsafe_file = failure("config", who);
            return print_findings(&[unsafe_file.fix("check that its content is yours")], format);
        }
        let config = load(config, Work::ReadSweeper)?;
        let subject = Arc::new(Subject { config, store: OnceLock::new() });
        let findings = examine(&subject);
        record(&subject, &findings);
        print_findings(&findings, format)
    }
}

/// Prints the findings.
///
/// # Errors
/// If one of them is a failure.
fn print_findings(findings: &[Finding], format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(&findings)?,
        Format::Text => {
            for finding in findings {
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
        1 => Err(Failure::Failed("1 check failed".to_owned())),
        n => Err(Failure::Failed(format!("{n} checks failed"))),
    }
}

/// Deadline of all checks. A check that exceeds it is reported.
const DEADLINE: Duration = Duration::from_secs(4);

/// A check that reports its findings.
type Check = dyn FnOnce(&Subject, Report) + Send;

/// A group of checks that runs on a separate thread.
struct Part {
    /// The check that is reported if the part does not finish.
    check: &'static str,
    of: String,
    /// The verdict of a part that does not finish.
    late: Verdict,
    run: Box<Check>,
}

impl Part {
    fn new(check: &'static str, run: impl FnOnce(&Subject, Report) + Send + 'static) -> Part {
        Part { check, of: String::new(), late: Verdict::Failure, run: Box::new(run) }
    }
}

fn parts(config: &Config) -> Vec<Part> {
    let mut parts = vec![Part::new("machine", machine::check)];
    for settings in config.nodes.clone() {
        // With several nodes, each finding names its node.
        let of = match config.nodes.len() {
            1 => String::new(),
            _ => format!("{}: ", settings.rpc.host_and_port()),
        };
        if let Some(zmq) = settings.zmq.clone() {
            let run = move |_: &Subject, report: Report| node::check_zmq_endpoints(&zmq, report);
            parts.push(Part { of: of.clone(), ..Part::new("zmq endpoint", run) });
        }
        let run = move |subject: &Subject, report: Report| node::check(subject, &settings, report);
        parts.push(Part { of, ..Part::new("node", run) });
    }
    parts.push(Part::new("zmq heard", node::check_zmq_heard));
    parts.push(Part::new("rows", rows::check));
    let payout_addresses = Part::new("payout addresses", addresses::check);
    parts.push(Part { late: Verdict::Warning, ..payout_addresses });
    let public_url = Part::new("public URL", outside::check_public_url);
    parts.push(Part { late: Verdict::Warning, ..public_url });
    parts.push(Part { late: Verdict::Warning, ..Part::new("rates", rates::check) });
    parts.push(Part::new("discord", outside::check_discord));
    parts
}

/// All findings, in the order of the parts. Each part runs on a separate thread; one that
/// hangs ends with the process.
fn examine(subject: &Arc<Subject>) -> Vec<Finding> {
    let (sender, findings) = mpsc::channel();
    let mut reported: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    let mut open = BTreeMap::new();
    for (number, Part { check, of, late, run }) in parts(subject).into_iter().enumerate() {
        open.insert(number, (check, of.clone(), late));
        let (subject, sender) = (Arc::clone(subject), sender.clone());
        let examine = move || {
            run(&subject, &mut |found| {
                let found = Finding { what: format!("{of}{}", found.what), ..found };
                let _ = sender.send((number, Some(found))); // The deadline has passed.
            });
            let _ = sender.send((number, None));
        };
        // A thread that cannot be started is reported below as not finished.
        let _ = std::thread::Builder::new().name(check.to_owned()).spawn(examine);
    }
    drop(sender);
    let deadline = Instant::now() + DEADLINE;
    while !open.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok((number, found)) = findings.recv_timeout(left) else { break };
        match found {
            Some(found) => reported.entry(number).or_default().push(found),
            None => drop(open.remove(&number)),
        }
    }
    for (number, (check, of, late)) in open {
        let what = format!("{of}not finished within {} seconds", DEADLINE.as_secs());
        reported.entry(number).or_default().push(finding(check, late, what));
    }
    let mut findings = vec![ok("config", "valid")];
    findings.extend(reported.into_values().flatten());
    downgrade_spare_nodes(&mut findings);
    findings
}

/// A node that is too old is left out, so it is only a warning if another node is healthy.
fn downgrade_spare_nodes(findings: &mut [Finding]) {
    let is = |found: &Finding, verdict| found.check == "version" && found.verdict == verdict;
    if findings.iter().any(|found| is(found, Verdict::Ok)) {
        let old = findings.iter_mut().filter(|found| is(found, Verdict::Failure));
        old.for_each(|found| {
            found.verdict = Verdict::Warning;
            found.what.push_str("; it is left out");
        });
    }
}

/// Records the outcome for the first start on main. A database that could not be opened is
/// among the findings and is not opened again.
fn record(subject: &Subject, findings: &[Finding]) {
    let failures = findings.iter().filter(|found| found.verdict == Verdict::Failure).count();
    let sound = |found: &Finding| found.check == "database" && found.verdict == Verdict::Ok;
    if findings.iter().any(sound)
        && let Ok(store) = subject.store()
    {
        let now = subject.clock.now();
        let _ = store.write_blocking(move |tx| first_start::record_doctor(tx, failures, now));
    }
}
