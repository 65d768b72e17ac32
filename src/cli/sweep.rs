//! `litegate sweep`: pays out now, through the running sweeper, this process or an external
//! signer.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::open::load;
use super::output::{Format, print_json, print_line};
use crate::config::Config;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::domain::sweep::Waits;
use crate::node::nodes::Nodes;
use crate::operations::sweeps::Trusted;
use crate::operations::{self, Actor, Refusal, sweeps};
use crate::safe_file::{self, Output};
use crate::serve::database::{lock, open_store};
use crate::serve::rights::Work;
use crate::serve::{Refused, Role, node_of, sweeper_of};
use crate::store::{Store, merchants};
use crate::sweeper::Sweeper;
use crate::sweeper::external::PSBT_BYTES_MAX;
use crate::sweeper::seals::{Access, Seals};
use crate::view::sweep::{SweepView, WaitingView};

#[derive(Args)]
#[command(
    after_help = "Examples:\n  litegate sweep --dry-run\n  litegate sweep --psbt sweep.psbt\n  \
                        litegate sweep --import signed.psbt"
)]
pub(super) struct Sweep {
    /// Print what would be sent and what waits; send nothing
    #[arg(long, group = "way")]
    dry_run: bool,
    /// Write an unsigned PSBT for an external signer to a new file
    #[arg(long, value_name = "FILE", group = "way")]
    psbt: Option<PathBuf>,
    /// Check a PSBT that an external signer signed, and broadcast it
    #[arg(long, value_name = "FILE", group = "way")]
    import: Option<PathBuf>,
    /// Accept the database's current state of this payment, after you have checked it
    #[arg(long, value_name = "ID", group = "way")]
    trust_payment: Option<PaymentId>,
    /// Accept the database's current state of this merchant's payments and addresses
    #[arg(long, value_name = "ID", group = "way")]
    trust_merchant: Option<MerchantId>,
    /// Accept the current audit log after a restore, although the sweeper's record or the file
    /// of heads names another row
    #[arg(long, group = "way")]
    trust_audit_log: bool,
    /// Accept the whole current database, after the sweeper's record was lost
    #[arg(long, group = "way")]
    trust_database: bool,
}

#[derive(Serialize)]
struct View {
    sweeps: Vec<SweepView>,
    waiting: Vec<WaitingView>,
}

/// Deadline for the running sweeper's answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Interval at which the answer is polled.
const POLL_EVERY: Duration = Duration::from_millis(100);

impl Sweep {
    /// What the operator vouches for.
    fn trusted(&self) -> Option<Trusted> {
        let payment = self.trust_payment.map(Trusted::Payment);
        let merchant = self.trust_merchant.map(Trusted::Merchant);
        let audit_log = self.trust_audit_log.then_some(Trusted::AuditLog);
        payment.or(merchant).or(audit_log).or(self.trust_database.then_some(Trusted::Everything))
    }

    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        // Opened with the caller's rights, before root's are dropped.
        let output = self.psbt.as_deref().map(create).transpose()?;
        let signed = self.import.as_deref().map(read).transpose()?;
        let config = load(config, Work::Sweep)?;
        let store = open_store(&config)?;
        // Held while this process sweeps; a running sweeper holds it already.
        let lock = match lock(&config, Role::Sweeper) {
            Ok(lock) => Some(lock),
            Err(error) if matches!(error.downcast_ref(), Some(Refused::AlreadyRunning(_))) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(trusted) = self.trusted() {
            return trust(&config, &store, trusted, lock.is_some());
        }
        let access = if lock.is_some() { Access::ReadAndWrite } else { Access::ReadOnly };
        let sweeper = || {
            let node = node_of(&config, &store)?;
            sweeper_of(&config, &store, &node, access, &CancellationToken::new())
        };
        if self.dry_run {
            let planned = sweeper()?.plan_now()?;
            let sweeps = planned.plans.iter();
            let sweeps = sweeps.map(|plan| SweepView::planned(plan, None, config.network));
            return print_sweeps(sweeps.collect(), &planned.waiting, "would be sent", format);
        }
        if let Some(output) = output {
            return export(&mut sweeper()?, output, &config, format);
        }
        if store.read_blocking(sweeps::chain_suspect)? {
            return Err(Failure::Refused(Refusal::ChainSuspect.to_string()));
        }
        if let Some(signed) = signed {
            let (txid, plan) = sweeper()?.import(&signed)?;
            let view = SweepView::planned(&plan, Some(txid), config.network);
            return print_sweeps(vec![view], &[], "sent", format);
        }
        if config.signing_key_file.is_none() {
            let what = "no signing key on this machine: use --psbt and --import";
            return Err(Failure::Usage(what.to_owned()));
        }
        match lock {
            Some(_lock) => sweep_here(&mut sweeper()?, &config, &store, format),
            None => request_sweep(&config, &store, format),
        }
    }
}

/// Seals what the operator vouches for. The next sweep relies on it.
fn trust(config: &Config, store: &Store, trusted: Trusted, have_lock: bool) -> Result<(), Failure> {
    let Some(settings) = &config.seals else {
        let what = "sweeper.seal_key_file is not set: nothing is sealed";
        return Err(Failure::Usage(what.to_owned()));
    };
    if !have_lock {
        return Err(Failure::Refused("stop the sweeper first".to_owned()));
    }
    let outcome = match trusted {
        Trusted::Payment(id) => {
            if !Seals::open(settings, store, Access::ReadAndWrite)?.trust_payment(store, id)? {
                return Err(Refusal::UnknownPayment.into());
            }
            format!("payment {id} is accepted as the database has it")
        }
        Trusted::Merchant(id) => {
            store.write_blocking(move |tx| merchants::vouch(tx, id))?;
            if store.read_blocking(|tx| merchants::by_id(tx, id))?.is_none() {
                return Err(Refusal::UnknownMerchant(id).into());
            }
            let mut seals = Seals::open(settings, store, Access::ReadAndWrite)?;
            let count = seals.trust_merchant(store, id)?;
            format!("{count} payments and the addresses of {id} are accepted as they are")
        }
        Trusted::AuditLog => {
            let mut seals = Seals::open(settings, store, Access::ReadAndWrite)?;
            let (head, _) = store.adopt_audit_log()?;
            seals.adopt_audit_log(head)?;
            format!("the audit log is accepted as it is; it ends with row {}", head.id)
        }
        Trusted::Everything => {
            Seals::forget(settings, store)?;
            "the next start of the sweeper accepts the database as it is".to_owned()
        }
    };
    let now = config.clock.now();
    store.write_blocking(move |tx| sweeps::record_trust(tx, &Actor::Cli, trusted, now))?;
    print_line(&outcome)
}

fn sweep_here(
    sweeper: &mut Sweeper,
    config: &Config,
    store: &Store,
    format: Format,
) -> Result<(), Failure> {
    let began = config.clock.now();
    let Some(report) = sweeper.sweep_once()? else {
        return Err(Failure::Refused(Refusal::ChainSuspect.to_string()));
    };
    let sent = store.read_blocking(|tx| crate::store::sweeps::made_since(tx, began))?;
    let views = sent.iter().map(|sweep| SweepView::sent(sweep, config.network)).collect();
    print_sweeps(views, &report.waiting, "sent", format)
}

/// Asks the running sweeper and waits for the outcome.
fn request_sweep(config: &Config, store: &Store, format: Format) -> Result<(), Failure> {
    let asked_at = config.clock.now();
    store.write_blocking(move |tx| sweeps::request(tx, &Actor::Cli, asked_at))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match store.read_blocking(move |tx| sweeps::outcome(tx, asked_at))? {
            sweeps::Outcome::Done(sent) => {
                let views = sent.iter().map(|sweep| SweepView::sent(sweep, config.network));
                return print_sweeps(views.collect(), &[], "sent", format);
            }
            sweeps::Outcome::ChainSuspect => {
                let why = Refusal::ChainSuspect;
                return Err(Failure::Refused(format!("the sweeper waits: {why}")));
            }
            sweeps::Outcome::Trouble(why) => {
                let what = format!("the sweeper waits: {why}");
                // The reason is text for people; ask the node whether it is the cause.
                let nodes = Nodes::new(&config.nodes);
                let node = operations::nodes::for_command(store, &nodes, config.network)?;
                let unheard = node.best_block_hash().err().map(anyhow::Error::from);
                return Err(match unheard.map(Failure::from) {
                    Some(Failure::NodeOutOfReach(_)) => Failure::NodeOutOfReach(what),
                    _ => Failure::Failed(what),
                });
            }
            sweeps::Outcome::Waiting if Instant::now() > deadline => {
                let what = "the sweeper did not answer; see its log";
                return Err(Failure::Failed(what.to_owned()));
            }
            sweeps::Outcome::Waiting => std::thread::sleep(POLL_EVERY),
        }
    }
}

fn export(
    sweeper: &mut Sweeper,
    output: Output,
    config: &Config,
    format: Format,
) -> Result<(), Failure> {
    let Some(unsigned) = sweeper.unsigned()? else {
        return Err(Failure::Failed("nothing is due: no PSBT was written".to_owned()));
    };
    let written = output.file().write_all(unsigned.psbt.as_bytes());
    written
        .and_then(|()| output.finish())
        .map_err(|error| Failure::Failed(format!("write the PSBT: {error}")))?;
    let view = SweepView::planned(&unsigned.plan, None, config.network);
    print_sweeps(vec![view], &[], "to be signed", format)?;
    if format == Format::Text && unsigned.more > 0 {
        let more = unsigned.more;
        print_line(&format!("{more} more will be due after this one is imported"))?;
    }
    Ok(())
}

fn create(file: &Path) -> Result<Output, Failure> {
    Output::create(file).map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    safe_file::read(file, PSBT_BYTES_MAX)
        .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))
}

fn print_sweeps(
    sweeps: Vec<SweepView>,
    waiting: &[(bitcoin::OutPoint, Waits)],
    word: &str,
    format: Format,
) -> Result<(), Failure> {
    let waiting: Vec<WaitingView> = waiting.iter().map(WaitingView::new).collect();
    if format == Format::Json {
        return print_json(&View { sweeps, waiting });
    }
    if sweeps.is_empty() {
        print_line("nothing is due")?;
    }
    for sweep in &sweeps {
        let name = sweep.txid.as_deref().unwrap_or("a transaction");
        print_line(&format!(
            "{word}: {name}, {} coins, {} vbytes, fee {} LTC",
            sweep.coins, sweep.vsize, sweep.fee_ltc.0
        ))?;
        for payout in &sweep.payouts {
            print_line(&format!(
                "  {} LTC to {} ({}; {} LTC less {} LTC of the fee)",
                payout.amount_ltc.0,
                payout.payout_address,
                payout.merchant_id,
                payout.gross_ltc.0,
                payout.fee_share_ltc.0
            ))?;
        }
    }
    for coin in &waiting {
        print_line(&format!("waits: {}: {}", coin.outpoint, coin.reason))?;
    }
    Ok(())
}
