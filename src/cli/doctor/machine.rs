//! Checks of this machine: database, keys, disk space, clock and open files.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::finding::{Finding, Report, Verdict, failure, finding, ok, warning};
use super::subject::Subject;
use crate::cli::audit_log::KnownHeads;
use crate::cli::chain_guard::describe;
use crate::operations::sweeps;
use crate::secret::row_key_file;
use crate::store::audit_log::chain::{self, Checked, Extent};
use crate::store::disk_space::free_bytes;
use crate::store::{blocks, chain_guard_alerts, indexes, payments, retention};
use crate::sweeper::seals::{Access, Seals};
use crate::sweeper::signing_key::SigningKey;

/// Bytes free beside the database below which the operator is warned.
const DISK_SPACE_MIN: u64 = 5_000_000_000;

/// Number of tables whose size is shown, largest first.
const TABLES_SHOWN: usize = 5;

/// Files that the gateway should be able to open: two per connection on a busy day.
const OPEN_FILES_MIN: u64 = 4096;

/// Largest number of payments at indexes never issued that are named.
const STRAYS_NAMED: u32 = 10;

/// Milliseconds after which an undelivered notification is overdue.
const UNDELIVERED_MS_MAX: i64 = 10 * 60_000;

/// Newest rows of the audit log that are verified. All checks share a deadline.
const AUDIT_LOG_ROWS: u32 = 10_000;

/// Deadline for `timedatectl`.
const TIME_PATIENCE: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: u64 = 64;

pub(super) fn check(subject: &Subject, report: Report) {
    report(check_database(subject));
    report(check_disk_space(subject));
    report(check_chain_guard(subject));
    report(check_completed(subject));
    report(check_sweeps(subject));
    report(check_indexes(subject));
    report(check_audit_log(subject));
    report(check_signing_key(subject));
    check_xpub(subject).into_iter().for_each(&mut *report);
    let others = [
        check_seal_key(subject),
        check_row_key(subject),
        check_notifications(subject),
        check_hot(subject),
        check_open_files(),
    ];
    others.into_iter().flatten().for_each(&mut *report);
    // Without timedatectl the second check cannot run.
    if let Some(time_server) = check_time_server() {
        report(time_server);
        check_hardware_clock().into_iter().for_each(report);
    }
}

/// Whether the wallet of the account key derives the same addresses.
fn check_xpub(subject: &Subject) -> Vec<Finding> {
    let warnings = subject.xpub.warnings();
    if warnings.is_empty() {
        return vec![ok("xpub", "the key of an account, of depth 3")];
    }
    let fix = "compare the addresses of litegate init with those of your wallet, or set the \
               zpub of m/84'/2'/0'";
    let name = |what: String| warning("xpub", format!("wallet.xpub {what}")).fix(fix);
    warnings.into_iter().map(name).collect()
}

/// Whether the clock is synchronised. Unknown without systemd.
fn check_time_server() -> Option<Finding> {
    match ask_timedatectl(&["--property", "NTPSynchronized", "--value"])?.as_str() {
        "yes" => Some(ok("time server", "the clock is synchronised")),
        "no" => {
            let what = "the clock is not synchronised with a time server";
            Some(warning("time server", what).fix("apt-get install systemd-timesyncd, or chrony"))
        }
        _ => None,
    }
}

/// Whether the hardware clock is in UTC. One in local time makes the system clock jump at a
/// restart.
fn check_hardware_clock() -> Option<Finding> {
    let on_progress = ask_timedatectl(&["--property", "LocalRTC", "--property", "Timezone"])?;
    let value = |name: &str| on_progress.lines().find_map(|line| line.strip_prefix(name));
    if value("LocalRTC=")? != "yes" {
        return None;
    }
    let zone = value("Timezone=").unwrap_or("unknown zone");
    let what = format!("the hardware clock is in local time ({zone}) and may be an hour off");
    Some(warning("time zone", what).fix("timedatectl set-local-rtc 0"))
}

/// Properties of systemd-timedated.
fn ask_timedatectl(options: &[&str]) -> Option<String> {
    let mut asked = Command::new("timedatectl")
        .arg("show")
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + TIME_PATIENCE;
    while asked.try_wait().ok()?.is_none() {
        if Instant::now() >= deadline {
            let _ = asked.kill(); // It has ended already.
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut output = String::new();
    asked.stdout.take()?.take(ANSWER_BYTES_MAX).read_to_string(&mut output).ok()?;
    Some(output.trim().to_owned())
}

fn check_database(subject: &Subject) -> Finding {
    match subject.store() {
        Ok(store) => {
            let sizes = store.read_blocking(retention::sizes).unwrap_or_default();
            let largest: Vec<String> = sizes
                .iter()
                .take(TABLES_SHOWN)
                .map(|(name, bytes)| format!("{name} {} kB", bytes / 1_000))
                .collect();
            let mut what = format!("{} belongs here", subject.database.display());
            if !largest.is_empty() {
                what.push_str(&format!("; largest tables: {}", largest.join(", ")));
            }
            ok("database", what)
        }
        Err(error) => finding("database", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_disk_space(subject: &Subject) -> Finding {
    match free_bytes(&subject.database) {
        Some(free) if free < DISK_SPACE_MIN => {
            let what = format!("only {} MB are free beside the database", free / 1_000_000);
            warning("disk", what).fix("free disk space; a full disk stops new payments")
        }
        Some(free) => ok("disk", format!("{} MB are free beside the database", free / 1_000_000)),
        None => warning("disk", "cannot determine the free space beside the database"),
    }
}

fn check_chain_guard(subject: &Subject) -> Finding {
    let found = subject.store().and_then(|store| {
        store.read_blocking(|tx| {
            let height = blocks::tip(tx)?.map_or(0, |tip| tip.height);
            Ok::<_, anyhow::Error>((chain_guard_alerts::open(tx)?, height))
        })
    });
    match found {
        Ok((Some(active), height)) => {
            finding("chain guard", Verdict::Warning, describe(&active, height))
        }
        Ok((None, _)) if subject.chain_guard.enabled => {
            finding("chain guard", Verdict::Ok, "not active")
        }
        Ok((None, _)) => finding("chain guard", Verdict::Ok, "switched off (chain_guard.mode)"),
        Err(error) => finding("chain guard", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_completed(subject: &Subject) -> Finding {
    let lost = subject
        .store()
        .and_then(|store| Ok(store.read_blocking(payments::completed_without_coins)?));
    match lost.as_deref() {
        Ok([]) => finding("completed payments", Verdict::Ok, "none has lost its coins"),
        Ok(lost) => {
            let ids: Vec<String> = lost.iter().map(ToString::to_string).collect();
            let what = format!("the best chain does not hold the coins of {}", ids.join(", "));
            finding("completed payments", Verdict::Warning, what)
        }
        Err(error) => finding("completed payments", Verdict::Failure, format!("{error:#}")),
    }
}

/// Whether the bytes of unconfirmed sweeps match their signatures.
fn check_sweeps(subject: &Subject) -> Finding {
    let damaged = subject
        .store()
        .and_then(|store| Ok(store.read_blocking(|tx| sweeps::damaged(tx, &subject.xpub))?));
    match damaged.as_deref() {
        Ok([]) => ok("sweeps", "unconfirmed sweeps are as they were signed"),
        Ok([(txid, what), others @ ..]) => {
            let what = format!(
                "the stored bytes of {} sweep transactions are damaged and not sent: \
                 {txid}: {what}",
                others.len().saturating_add(1)
            );
            let fix = match subject.signing_key_file {
                Some(_) => "start the sweeper, which signs them again; then check disk and memory",
                None => "litegate sweep --import with the signed PSBT; then check disk and memory",
            };
            failure("sweeps", what).fix(fix)
        }
        Err(error) => failure("sweeps", format!("{error:#}")),
    }
}

fn check_indexes(subject: &Subject) -> Finding {
    let strays = subject
        .store()
        .and_then(|store| Ok(store.read_blocking(|tx| indexes::strays(tx, STRAYS_NAMED))?));
    match strays.as_deref() {
        Ok([]) => ok("indexes", "every payment has an issued index"),
        Ok(strays) => {
            let named = strays.iter().map(|(index, payment)| {
                let payment = payment.map_or("no id".to_owned(), |id| id.to_string());
                format!("{index} ({payment})")
            });
            let named: Vec<String> = named.collect();
            let what = format!("payments at indexes that were never issued: {}", named.join(", "));
            failure("indexes", what).fix(
                "another program wrote to the database: find out which can, run litegate audit, and \
                 compare with a backup; these payments are ignored",
            )
        }
        Err(error) => failure("indexes", format!("{error:#}")),
    }
}

/// Whether the newest rows of the audit log match its hash chain.
fn check_audit_log(subject: &Subject) -> Finding {
    const CHECK: &str = "audit log";
    let extent = Extent::Newest(AUDIT_LOG_ROWS);
    let checked = subject
        .store()
        .and_then(|store| Ok(chain::check(store, extent, &KnownHeads::of(subject, store)?.heads)?));
    match checked {
        Ok(Checked { found: None, partly: false, rows, .. }) => {
            ok(CHECK, format!("all {rows} rows match the hash chain"))
        }
        Ok(Checked { found: None, rows, .. }) => ok(
            CHECK,
            format!(
                "the newest {rows} rows match the hash chain; litegate audit-log --verify checks all"
            ),
        ),
        Ok(Checked { found: Some(found), .. }) => failure(CHECK, found.to_string()).fix(
            "find out who can write to the database, run litegate audit, and compare with a backup",
        ),
        Err(error) => failure(CHECK, format!("{error:#}")),
    }
}

fn check_signing_key(subject: &Subject) -> Finding {
    let Some(file) = &subject.signing_key_file else {
        let what = "none on this machine: the gateway only watches and never sweeps automatically";
        return finding("signing key", Verdict::Ok, what);
    };
    let passphrase = subject.passphrase_file.as_deref();
    match SigningKey::load(&subject.held, file, passphrase, subject.network, &subject.xpub) {
        Ok(_) => {
            finding("signing key", Verdict::Ok, "matches wallet.xpub; only its owner can read it")
        }
        Err(error) => finding("signing key", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_seal_key(subject: &Subject) -> Option<Finding> {
    let Some(seals) = &subject.seals else {
        subject.signing_key_file.as_ref()?;
        let what = "not set, although a signing key is: a program that can write the database decides where money goes";
        return Some(warning("seal key", what).fix("set sweeper.seal_key_file"));
    };
    if let Err(error) = seals.held.key(&seals.key_file) {
        let fix = "restore it from your copy, or correct its owner and mode";
        return Some(failure("seal key", format!("{error:#}")).fix(fix));
    }
    let well = ok("seal key", "present; only its owner can read it");
    // The check "database" reports it.
    let store = seals.has_record().then(|| subject.store().ok()).flatten();
    let Some(store) = store else { return Some(well) };
    let contradictions = Seals::open(seals, store, Access::ReadOnly).and_then(|opened| {
        Ok(opened.contradictions(store, subject.network, subject.clock.now())?)
    });
    Some(match contradictions.as_deref() {
        Ok([]) => well,
        Ok([(merchant, what), others @ ..]) => {
            let others = match others.len() {
                0 => String::new(),
                count => format!(" (and {count} more)"),
            };
            let what = format!("payouts of {merchant} wait: {what}{others}");
            failure("seal key", what).fix(
                "register the correct address again with litegate merchant set-address; only if \
                 that does not help and you are sure that the database was not changed: litegate \
                 sweep --trust-merchant ID (or --trust-database) with the gateway stopped",
            )
        }
        Err(error) => failure("seal key", format!("{error:#}")),
    })
}

/// Whether a process that runs the sweeper alone finds its keys.
fn check_row_key(subject: &Subject) -> Option<Finding> {
    const CHECK: &str = "row key";
    const FIX: &str = "litegate secret row-key, then systemctl restart litegate-sweeper";
    let file = subject.row_key_file.as_ref()?;
    let keys = subject.held.key(file).and_then(|text| {
        let keys = row_key_file::parse(&text);
        keys.with_context(|| file.display().to_string())
    });
    Some(match keys {
        Ok(keys) if keys.is_same_as(&subject.row_keys.now()) => {
            ok(CHECK, "derives from secret_file; only its owner can read it")
        }
        Ok(_) => {
            let what = format!("{} does not contain the keys of secret_file", file.display());
            failure(CHECK, what).fix(FIX)
        }
        Err(error) => failure(CHECK, format!("{error:#}")).fix(FIX),
    })
}

/// Whether the sweeper's notifications reach the operator.
fn check_notifications(subject: &Subject) -> Option<Finding> {
    let seals = subject.seals.as_ref()?;
    let check = "sweeper notifications";
    if seals.notify_url.is_none() {
        let what = "sweeper.notify_url is not set: the sweeper reports new payout addresses in its log only";
        return Some(ok(check, what));
    }
    // Other checks report damage of database and record.
    let store = seals.has_record().then(|| subject.store().ok()).flatten()?;
    let opened = Seals::open(seals, store, Access::ReadOnly).ok()?;
    Some(match opened.undelivered(subject.clock.now().plus_ms(-UNDELIVERED_MS_MAX)) {
        0 => ok(check, "none is overdue"),
        count => {
            let what = format!(
                "{count} notifications to sweeper.notify_url are undelivered for more than 10 minutes"
            );
            warning(check, what).fix("search the sweeper's log for: notification not delivered")
        }
    })
}

/// Whether more than `max_hot_balance` waits for payout with a signing key on this machine.
fn check_hot(subject: &Subject) -> Option<Finding> {
    let limit = subject.hot_limit()?;
    let hot =
        subject.store().and_then(|store| Ok(store.read_blocking(|tx| sweeps::hot(tx, limit))?));
    Some(match hot {
        Ok(hot) if hot.is_too_much() => {
            let what =
                format!("{} LTC wait for payout, more than sweeper.max_hot_balance", hot.waiting);
            warning("hot money", what).fix("litegate sweep --dry-run shows the reason")
        }
        Ok(hot) => ok("hot money", format!("{} LTC wait for payout", hot.waiting)),
        Err(error) => failure("hot money", format!("{error:#}")),
    })
}

/// The hard limit of this shell. Under systemd, the unit sets the limit of `serve`.
fn check_open_files() -> Option<Finding> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let hard = line.split_whitespace().nth(1)?;
    let few = hard.parse::<u64>().is_ok_and(|hard| hard < OPEN_FILES_MIN);
    Some(if few {
        let what = format!("the limit is {hard}, too low for many shoppers");
        warning("open files", what).fix(format!("ulimit -n {OPEN_FILES_MIN}, or LimitNOFILE="))
    } else {
        ok("open files", format!("the limit is {hard}"))
    })
}
