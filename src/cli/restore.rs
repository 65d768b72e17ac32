//! `litegate restore`: replaces the database with a copy, then reads the chain since.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::backup::{
    ContentsView, believe_old_secret, catch_up_and_audit, contents, evaluate, print_contents,
    print_sealed, source_of,
};
use super::failure::Failure;
use super::output::{Format, print_json, print_line};
use super::progress;
use crate::config::{self, Config};
use crate::domain::merchant::MerchantId;
use crate::domain::payout_address::Wait;
use crate::serve::Role;
use crate::serve::database::{
    apply_absence, apply_high_water, check_identity, lock, open_restored,
};
use crate::serve::rights::{Work, give_up_root};
use crate::store::audit_log::chain;
use crate::store::batches::Batches;
use crate::store::indexes::Absence;
use crate::store::reseal;
use crate::store::{Store, backup, identity, indexes};
use crate::sweeper::seals::trust::Resealed;
use crate::sweeper::seals::{Access, Seals};
use crate::view::Time;
use crate::view::audit::DifferenceView;

#[derive(Args)]
#[command(
    after_help = "Examples: litegate restore /mnt/copies/monday.db\n          litegate restore \
                  --replica /var/lib/litegate/from-replica.db"
)]
pub(super) struct Restore {
    /// A copy made by litegate backup
    file: PathBuf,
    /// The file comes from Litestream, or was set aside by an upgrade or a restore: it has no
    /// seal
    #[arg(long)]
    replica: bool,
    /// The master secret of an older backup
    #[arg(long, value_name = "FILE")]
    old_secret: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    #[serde(flatten)]
    contents: ContentsView,
    /// When the backup was made; absent for a replica, which has no seal.
    made_at: Option<Time>,
    kept: Option<String>,
    /// Payments that were unsealed in the copy and could be proved.
    resealed_payments: u32,
    /// Payments that could not be proved. Their coins wait.
    unsealed_payments: usize,
    unproven_payments: Vec<String>,
    /// Merchants whose payout addresses differ from the sweeper's record.
    refused_merchants: Vec<String>,
    /// Merchants that changed after the copy was made.
    older_merchants: Vec<String>,
    /// Addresses issued since the copy; absent if unknown.
    addresses_lost: Option<u32>,
    clean: bool,
    differences: Vec<DifferenceView>,
}

impl Restore {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let mut config = config::load(config)?;
        // Files that the gateway's user may not open are opened with root's rights.
        let _sweeper = lock(&config, Role::Sweeper)?;
        let copy = backup::open(&self.file, source_of(self.replica))?;
        believe_old_secret(&config, self.old_secret.as_deref())?;
        let keys = config.secret()?.backup_keys();
        give_up_root(&mut config, Work::ReadSweeper)?;
        let others = Role::ALL.iter().filter(|role| **role != Role::Sweeper);
        let _locks = others.map(|role| lock(&config, *role)).collect::<Result<Vec<_>, _>>()?;
        let (copy, facts) = progress::shown(|on_progress| {
            backup::unpack(copy, &config.database, "restoring", &keys, on_progress)
        })?;
        let bytes = copy.bytes();
        check_identity(&config, |mark| Ok(copy.read(|tx| identity::get(tx, mark))?))?;
        let now = config.clock.now().to_string().replace(['-', ':', '.'], "");
        let suffix = format!(".before-restore-{now}");
        let kept = backup::put_in_place(copy, &config.database, &suffix)?;
        let (store, raised) =
            open_restored(&config, facts.as_ref().and_then(|facts| facts.heads.as_deref()))?;
        if self.old_secret.is_some() {
            // The next start knows only the current secret.
            reseal::all(&Batches { store: &store, go_on: &|| true }, config.secret()?)?;
        }
        let known_from = store.read_blocking(indexes::next_index)?;
        // Indexes that a later state issued are never issued again.
        let had_mark = config.high_water_file.exists();
        let absence = match apply_high_water(&config, &store)? {
            Some(_) => None, // The mark is newer than the copy, so the number is known.
            None => apply_absence(&config, &store)?,
        };
        let contents = contents(&store, bytes)?;
        let skipped = contents.next_index.get().saturating_sub(known_from.get());
        let lost = (had_mark && absence.is_none()).then_some(skipped);
        let sealing = Sealing::of(&config, &store)?;
        if format == Format::Text {
            print_sealed(facts.as_ref())?;
            print_contents(&contents)?;
            print_line(&describe_lost(lost, absence, known_from.get(), skipped))?;
            print_consequences(kept.as_deref(), &sealing, &raised)?;
        }
        let differences = catch_up_and_audit(&config, &store)
            .map_err(|error| error.context("restored, but not yet compared with the chain"))?;
        match format {
            Format::Json => print_json(&View {
                contents: ContentsView::new(&contents),
                made_at: facts.map(|facts| Time(facts.made_at)),
                kept: kept.map(|kept| kept.display().to_string()),
                resealed_payments: sealing.resealed.sealed,
                unsealed_payments: sealing.waiting(),
                unproven_payments: sealing.unproven_ids(),
                refused_merchants: sealing.refused.iter().map(|(id, _)| id.to_string()).collect(),
                older_merchants: raised.iter().map(ToString::to_string).collect(),
                addresses_lost: lost,
                clean: differences.is_empty(),
                differences: differences.iter().map(DifferenceView::new).collect(),
            })?,
            Format::Text => {
                for difference in &differences {
                    print_line(&format!("difference: {difference}"))?;
                }
                print_line("restored: start the gateway")?;
            }
        }
        evaluate(&differences, "restored, but the audit found differences")
    }
}

/// Prints what the operator has to do after the restore.
fn print_consequences(
    kept: Option<&Path>,
    sealing: &Sealing,
    raised: &[MerchantId],
) -> Result<(), Failure> {
    if let Some(kept) = kept {
        print_line(&format!("the previous database is now {}", kept.display()))?;
    }
    sealing.lines().iter().try_for_each(|line| print_line(line))?;
    raised.iter().try_for_each(|merchant| {
        print_line(&format!(
            "merchant {merchant} changed after the copy was made: the newest key and webhook \
             secret stay valid; check name, subscription and suspension with \
             litegate merchant show {merchant}"
        ))
    })
}

/// Largest number of payments that are named.
const NAMED_MAX: usize = 20;

/// What the sweeper relies on in the restored database.
#[derive(Default)]
struct Sealing {
    resealed: Resealed,
    /// Merchants whose addresses changed after the copy. The sweeper relies on its record and
    /// pays them nothing until an operator decides.
    refused: Vec<(MerchantId, Wait)>,
    /// The sweeper's record names a row of the audit log that the copy lacks.
    audit_log_contradicts: bool,
}

/// Lets the sweeper's record follow the copy's audit log. Answers `false` if this user may not
/// write the record.
fn follow_copy(seals: &mut Seals, store: &Store) -> Result<bool, Failure> {
    if chain::follow(store, seals.audit_log().as_ref(), || {})?.is_ok() {
        return Ok(true);
    }
    let head = store.read_blocking(chain::head)?;
    Ok(seals.adopt_audit_log(head).is_ok())
}

impl Sealing {
    /// Seals payments that can be proved. Without a record nothing is sealed: the sweeper
    /// never ran, or the operator must decide about a lost record.
    fn of(config: &Config, store: &Store) -> Result<Sealing, Failure> {
        let Some(settings) = config.seals.as_ref().filter(|seals| seals.has_record()) else {
            return Ok(Sealing::default());
        };
        let mut seals = Seals::open(settings, store, Access::ReadOnly)?;
        let audit_log_contradicts = !follow_copy(&mut seals, store)?;
        let resealed = seals.seal_proven(store, &config.xpub)?;
        let refused = seals.contradictions(store, config.network, config.clock.now())?;
        Ok(Sealing { resealed, refused, audit_log_contradicts })
    }

    fn unproven_ids(&self) -> Vec<String> {
        self.resealed.unproven.iter().map(ToString::to_string).collect()
    }

    /// Number of payments whose coins wait.
    fn waiting(&self) -> usize {
        let unnamed = usize::try_from(self.resealed.unnamed).unwrap_or(usize::MAX);
        self.resealed.unproven.len().saturating_add(unnamed)
    }

    /// Lines for the operator.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.resealed.sealed > 0 {
            lines.push(format!(
                "payments that were not sealed in the copy, but provably created by this gateway: \
                 {}; they are sealed now",
                self.resealed.sealed
            ));
        }
        if self.waiting() > 0 {
            let ids = self.resealed.unproven.iter().take(NAMED_MAX).map(ToString::to_string);
            let ids: Vec<String> = ids.collect();
            lines.push(format!(
                "unproven payments: {}; their coins wait: {}. Check each one, then run \
                 litegate sweep --trust-payment ID, or --trust-merchant ID for all of a merchant's",
                self.waiting(),
                ids.join(", ")
            ));
        }
        if self.audit_log_contradicts {
            lines.push(
                "the sweeper's record names a row of the audit log that the copy does not have: run \
                 litegate sweep --trust-audit-log before the sweeper is started"
                    .to_owned(),
            );
        }
        for (merchant, contradiction) in &self.refused {
            lines.push(format!(
                "payouts of {merchant} wait: {contradiction}; start the gateway and register the \
                 correct address again, or, if you are sure that the database was not changed, \
                 accept it with litegate sweep --trust-merchant {merchant}, or \
                 --trust-database for all merchants"
            ));
        }
        lines
    }
}

/// What was issued after the copy, by the high-water mark.
fn describe_lost(lost: Option<u32>, absence: Option<Absence>, first: u32, skipped: u32) -> String {
    match lost {
        Some(0) => "no address was issued since the copy was made".to_owned(),
        Some(count) => format!(
            "payments lost: those of {count} addresses that were issued since the copy was made \
             (indexes {first} to {})",
            first.saturating_add(count).saturating_sub(1)
        ),
        None => {
            let why = match absence {
                None => "there was no high-water mark".to_owned(),
                Some(absence) => format!(
                    "the copy was last in use at {}, and the high-water mark is equally old",
                    absence.last_in_use
                ),
            };
            format!(
                "{why}: the addresses issued since the copy are unknown; {skipped} addresses are \
                 skipped"
            )
        }
    }
}
