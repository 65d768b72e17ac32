//! Reads the keys of `[wallet]`, `[payments]` and `[sweeper]`.

use std::path::{Path, PathBuf};

use bitcoin::bip32::{DerivationPath, Fingerprint, KeySource};

use crate::domain::address::Address;
use crate::domain::confirmations::{ConfirmationTiers, Tier};
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::sweep;
use crate::domain::webhook_url::WebhookUrl;
use crate::operations::create_payment;
use crate::operations::rates::Rates;
use crate::safe_file::with_suffix;
use crate::sweeper;

use super::raw::{RawPayments, RawSweeper, RawTier, RawWallet};
use super::validate::Diagnostics;

pub(super) fn read_xpub(
    diagnostics: &mut Diagnostics,
    raw: &RawWallet,
    network: Option<Network>,
) -> Option<AccountXpub> {
    let text = diagnostics.need("wallet.xpub", raw.xpub.as_deref())?;
    diagnostics.take("wallet.xpub", AccountXpub::parse(text, network?))
}

pub(super) fn read_payments(
    diagnostics: &mut Diagnostics,
    raw: &RawPayments,
) -> Option<create_payment::Rules> {
    let confirmations = diagnostics.confirmations("payments.confirmations", raw.confirmations);
    let tiers = read_tiers(diagnostics, &raw.confirmation_tiers);
    let limit = diagnostics.amount("payments.low_confirmation_limit", &raw.low_confirmation_limit);
    let large = diagnostics.amount("payments.large_amount", &raw.large_amount);
    let confirmations_large =
        diagnostics.confirmations("payments.confirmations_large", raw.confirmations_large);
    let confirmations_pegout =
        diagnostics.confirmations("payments.confirmations_pegout", raw.confirmations_pegout);
    let expiry = diagnostics.duration_ms("payments.expiry", &raw.expiry);
    let late_grace = diagnostics.duration_ms("payments.late_grace", &raw.late_grace);
    let min_amount = diagnostics.amount("payments.min_amount", &raw.min_amount);
    if expiry == Some(0) {
        diagnostics.report("payments.expiry", "must not be zero");
    }
    Some(create_payment::Rules {
        confirmations: confirmations?,
        confirmation_tiers: tiers?,
        low_confirmation_limit: Some(limit?).filter(|limit| !limit.is_zero()),
        large_amount: large?,
        confirmations_large: confirmations_large?,
        confirmations_pegout: confirmations_pegout?,
        expiry_ms: expiry?,
        late_grace_ms: late_grace?,
        min_amount: min_amount?,
        rates: Rates::off(),
        max_open_payments: raw.max_open_payments,
        max_daily_payments: raw.max_daily_payments,
    })
}

fn read_tiers(diagnostics: &mut Diagnostics, raw: &[RawTier]) -> Option<ConfirmationTiers> {
    let key = "payments.confirmation_tiers";
    let tiers: Option<Vec<Tier>> = raw
        .iter()
        .map(|tier| {
            let below = diagnostics.amount("payments.confirmation_tiers.below", &tier.below)?;
            Some(Tier { below, confirmations: tier.confirmations })
        })
        .collect();
    diagnostics.take(key, ConfirmationTiers::new(tiers?))
}

/// The default place of the sweeper's record.
pub(super) fn beside(key_file: &Path) -> PathBuf {
    with_suffix(key_file, ".record")
}

/// The outer `None` is a mistake, the inner one an unset key.
pub(super) fn read_key_origin(
    diagnostics: &mut Diagnostics,
    raw: &RawWallet,
) -> Option<Option<KeySource>> {
    let Some(text) = &raw.key_origin else { return Some(None) };
    let read = || {
        let (fingerprint, path) = text.split_once('/')?;
        let path: DerivationPath = path.parse().ok()?;
        Some((fingerprint.parse::<Fingerprint>().ok()?, path))
    };
    let found = read();
    if found.is_none() {
        diagnostics.report(
            "wallet.key_origin",
            "must be a fingerprint and a path, such as d34db33f/84'/2'/0'",
        );
    }
    found.map(Some)
}

pub(super) fn read_sweeper(
    diagnostics: &mut Diagnostics,
    raw: &RawSweeper,
    network: Option<Network>,
) -> Option<sweeper::Settings> {
    let interval = diagnostics.duration("sweeper.interval", &raw.interval);
    let fee_bump_after = diagnostics.duration("sweeper.fee_bump_after", &raw.fee_bump_after);
    let operator = read_operator_fee(diagnostics, raw, network);
    let min_payout = diagnostics.amount("sweeper.min_payout", &raw.min_payout);
    let max_hot_balance = raw
        .max_hot_balance
        .as_deref()
        .map(|text| diagnostics.amount("sweeper.max_hot_balance", text));
    if raw.max_fee_percent == 0 || raw.max_fee_percent > 100 {
        diagnostics.report("sweeper.max_fee_percent", "must be between 1 and 100");
    }
    if interval.is_some_and(|interval| interval.is_zero()) {
        diagnostics.report("sweeper.interval", "must not be zero");
    }
    Some(sweeper::Settings {
        interval: interval?,
        fee_bump_after: fee_bump_after?,
        max_hot_balance: max_hot_balance.flatten(),
        key_origin: None,
        rules: sweep::Rules {
            min_payout: min_payout?,
            max_fee_percent: raw.max_fee_percent,
            operator: operator?,
        },
    })
}

/// `None` if unset or invalid.
pub(super) fn read_notify_url(
    diagnostics: &mut Diagnostics,
    raw: &RawSweeper,
) -> Option<WebhookUrl> {
    let key = "sweeper.notify_url";
    let text = raw.notify_url.as_deref()?;
    if raw.seal_key_file.is_none() {
        diagnostics.report(key, "needs sweeper.seal_key_file, whose key signs notifications");
    }
    diagnostics.take(key, WebhookUrl::of_operator(text))
}

/// The outer `None` is a mistake, the inner one no fee.
fn read_operator_fee(
    diagnostics: &mut Diagnostics,
    raw: &RawSweeper,
    network: Option<Network>,
) -> Option<Option<sweep::OperatorFee>> {
    let basis_points = raw.operator_fee_basis_points;
    if basis_points > sweep::BASIS_POINTS_MAX {
        let reason = format!("must be at most {}", sweep::BASIS_POINTS_MAX);
        diagnostics.report("sweeper.operator_fee_basis_points", reason);
        return None;
    }
    match &raw.operator_address {
        None if basis_points == 0 => Some(None),
        None => {
            let reason = "is missing beside sweeper.operator_fee_basis_points";
            diagnostics.report("sweeper.operator_address", reason);
            None
        }
        Some(text) => {
            let address = Address::parse(text, network?);
            let script = diagnostics.take("sweeper.operator_address", address)?.script().to_owned();
            Some((basis_points > 0).then_some(sweep::OperatorFee { basis_points, script }))
        }
    }
}
