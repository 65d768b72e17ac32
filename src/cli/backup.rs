//! `litegate backup`: copies the database while it is in use, and verifies a copy.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::{Format, print_json, print_line};
use super::progress;
use crate::config::{self, Config};
use crate::domain::audit::Difference;
use crate::domain::time::Timestamp;
use crate::operations;
use crate::privileges::would_become_another;
use crate::progress::OnProgress;
use crate::safe_file::Output;
use crate::secret::rotation::Previous;
use crate::serve::database::open_examined;
use crate::serve::node_of;
use crate::serve::rights::{Work, give_up_root, may_become_another};
use crate::store::backup::seal::Facts;
use crate::store::backup::{self, Contents, Sealing, Source};
use crate::store::{self, Store, high_water};
use crate::view::Time;
use crate::view::audit::DifferenceView;
use crate::watcher::sync;

#[derive(Args)]
#[command(
    after_help = "Examples: litegate backup /mnt/copies/monday.db\n          litegate backup \
                  --verify /mnt/copies/monday.db"
)]
pub(super) struct Backup {
    /// The copy. A new copy needs a file that does not exist
    file: PathBuf,
    /// Verify a copy: complete, ours, and without differences from the node
    #[arg(long)]
    verify: bool,
    /// The file comes from Litestream, or was set aside by an upgrade or a restore: it has no
    /// seal
    #[arg(long, requires = "verify")]
    replica: bool,
    /// The master secret of an older backup
    #[arg(long, requires = "verify", value_name = "FILE")]
    old_secret: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContentsView {
    bytes: u64,
    merchants: u64,
    payments: u64,
    newest_payment_at: Option<Time>,
    next_index: u32,
    height: Option<u32>,
}

impl ContentsView {
    pub(super) fn new(contents: &Contents) -> ContentsView {
        ContentsView {
            bytes: contents.bytes,
            merchants: contents.merchants,
            payments: contents.payments,
            newest_payment_at: contents.newest_at.map(Time),
            next_index: contents.next_index.get(),
            height: contents.tip.map(|tip| tip.height),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    #[serde(flatten)]
    contents: ContentsView,
    /// When the backup was made; absent for a replica, which has no seal.
    made_at: Option<Time>,
    clean: bool,
    differences: Vec<DifferenceView>,
    since_then: Vec<DifferenceView>,
}

impl Backup {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        if self.verify {
            let old_secret = self.old_secret.as_deref();
            verify(config, &self.file, source_of(self.replica), old_secret, format)
        } else {
            copy(config, &self.file, format)
        }
    }
}

fn copy(config: Option<&Path>, file: &Path, format: Format) -> Result<(), Failure> {
    let mut config = config::load(config)?;
    // A copy in a directory that the gateway's user cannot write is opened with root's rights.
    let output = match may_become_another(&config) || would_become_another(file) {
        true => Some(Output::create(file).map_err(backup::not_made(file))?),
        false => None,
    };
    give_up_root(&mut config, Work::Database)?;
    let store = open_examined(&config)?;
    let sealing = Sealing {
        key: config.secret()?.current().backup_key(),
        now: config.clock.now(),
        heads: Some(store.heads_text()?),
    };
    let bytes = progress::shown(|on_progress| match output {
        Some(output) => {
            backup::copy_out(&store, &config.database, output, file, &sealing, on_progress)
        }
        None => backup::copy(&store, file, &sealing, on_progress),
    })?;
    let contents = contents(&store, bytes)?;
    if format == Format::Json {
        return print_json(&ContentsView::new(&contents));
    }
    print_contents(&contents)?;
    for (what, file) in elsewhere(&config) {
        print_line(&format!("not included, keep a separate copy: {what} {}", file.display()))?;
    }
    Ok(())
}

pub(super) fn source_of(replica: bool) -> Source {
    if replica { Source::Replica } else { Source::Backup }
}

/// Accepts seals of the secret in this file, too, but not its API keys. Reads it with the
/// caller's rights.
pub(super) fn believe_old_secret(config: &Config, file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    let secret = config::secret_at("--old-secret", file)?;
    let keys_until = Timestamp::from_ms(0);
    let secrets = config.secret()?;
    secrets.replace(secrets.current(), Some(Previous { secret, keys_until }));
    Ok(())
}

fn verify(
    config: Option<&Path>,
    file: &Path,
    source: Source,
    old_secret: Option<&Path>,
    format: Format,
) -> Result<(), Failure> {
    let copy = backup::open(file, source)?;
    let bytes = copy.bytes();
    let mut config = config::load(config)?;
    believe_old_secret(&config, old_secret)?;
    let keys = config.secret()?.backup_keys();
    give_up_root(&mut config, Work::Database)?;
    let unpack = |on_progress: OnProgress| {
        backup::unpack(copy, &config.database, "verify", &keys, on_progress)
    };
    let (scratch, facts) = progress::shown(unpack)?;
    let database = scratch.path().to_owned();
    let high_water_file = high_water::beside(&database);
    let config = Config { high_water_file, heads_file: None, database, ..config };
    let store = open_examined(&config)?;
    let contents = contents(&store, bytes)?;
    if format == Format::Text {
        print_line("complete: every page and every row was read")?;
        print_sealed(facts.as_ref())?;
        print_contents(&contents)?;
    }
    let (since, differences): (Vec<_>, Vec<_>) =
        catch_up_and_audit(&config, &store)?.into_iter().partition(|difference| {
            // The gateway kept serving, so later payments and payouts are no difference.
            matches!(
                difference,
                Difference::Unattributed { .. } | Difference::SpentElsewhere { .. }
            )
        });
    let views = |differences: &[Difference]| differences.iter().map(DifferenceView::new).collect();
    match format {
        Format::Json => print_json(&Verified {
            contents: ContentsView::new(&contents),
            made_at: facts.map(|facts| Time(facts.made_at)),
            clean: differences.is_empty(),
            differences: views(&differences),
            since_then: views(&since),
        })?,
        Format::Text => {
            for difference in &since {
                print_line(&format!("since then: {difference}"))?;
            }
            for difference in &differences {
                print_line(&format!("difference: {difference}"))?;
            }
            if differences.is_empty() {
                print_line("clean: it can be restored")?;
            }
        }
    }
    evaluate(&differences, "the copy differs from the chain")
}

/// Reads the chain since the copy and audits, including blocks that arrive meanwhile.
pub(super) fn catch_up_and_audit(
    config: &Config,
    store: &Store,
) -> anyhow::Result<Vec<Difference>> {
    let node = node_of(config, store)?;
    progress::shown(|on_progress| {
        let (terms, xpub) = (config.terms(), &config.xpub);
        let follow = || sync::catch_up(store, &node, &terms, xpub, on_progress).map(drop);
        follow()?;
        let known = store.known_audit_log()?;
        Ok(operations::audit::audit_following(store, &node, xpub, &known, on_progress, follow)?
            .differences)
    })
}

/// The failure for these differences, if any.
pub(super) fn evaluate(differences: &[Difference], differs: &str) -> Result<(), Failure> {
    match differences {
        [] => Ok(()),
        [Difference::Behind { .. }] => Err(Failure::Failed(
            "not compared with the chain, because new blocks arrived; run litegate audit later"
                .to_owned(),
        )),
        _ => Err(Failure::Failed(differs.to_owned())),
    }
}

pub(super) fn contents(store: &Store, bytes: u64) -> Result<Contents, Failure> {
    let contents = store.read_blocking(|tx| backup::contents(tx, bytes));
    contents.map_err(|error: store::Error| error.into())
}

/// Prints what a copy's seal covers.
pub(super) fn print_sealed(facts: Option<&Facts>) -> Result<(), Failure> {
    match facts {
        Some(Facts { made_at, audit_log, .. }) => print_line(&format!(
            "sealed: made at {made_at} by this gateway and not changed since; the audit log ended \
             with row {}",
            audit_log.id
        )),
        None => print_line("not sealed: a replica"),
    }
}

pub(super) fn print_contents(contents: &Contents) -> Result<(), Failure> {
    let Contents { bytes, payments, merchants, newest_at, next_index, tip } = contents;
    let newest = newest_at.map_or_else(String::new, |at| format!(", the newest of {at}"));
    let height = tip.map_or("no block".to_owned(), |tip| format!("block {}", tip.height));
    print_line(&format!("merchants: {merchants}, payments: {payments}{newest}"))?;
    print_line(&format!("up to {height}; the next index is {}; {bytes} bytes", next_index.get()))
}

/// Files that a restored gateway needs besides the database.
fn elsewhere(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let seals = config.seals.as_ref();
    [
        Some(("secret_file", config.secret_file.clone())),
        config.signing_key_file.clone().map(|file| ("wallet.signing_key_file", file)),
        seals.map(|seals| ("sweeper.seal_key_file", seals.key_file.clone())),
        seals.map(|seals| ("sweeper.seal_state_file", seals.seal_state_file.clone())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl From<backup::Failed> for Failure {
    fn from(failed: backup::Failed) -> Failure {
        match failed {
            backup::Failed::Exists(_) => Failure::Usage(failed.to_string()),
            backup::Failed::Unfit { .. } => Failure::Refused(failed.to_string()),
            backup::Failed::File { .. } | backup::Failed::Store(_) => {
                Failure::Failed(failed.to_string())
            }
        }
    }
}
