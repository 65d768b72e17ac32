//! Finds the part of a sweep that the node refuses, by testing parts, never by error texts.

use std::collections::BTreeSet;

use anyhow::Context;
use bitcoin::OutPoint;

use crate::domain::amount::Amount;
use crate::domain::sweep::{self, SweepCoin};
use crate::node::transactions::Acceptance;
use crate::store::sweeps::SignedPlan;

use super::build;
use super::due::Due;
use super::role::Sweeper;
use super::signing_key::SigningKey;

/// The most parts of one merchant's coins that a pass tests. The rest of that merchant's coins
/// then waits.
pub(super) const COIN_TRIALS_MAX: u32 = 64;

/// The rules for a part, which is only tested, never sent.
const TRIAL: sweep::Rules =
    sweep::Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: None };

impl Sweeper {
    /// Finds the coins that cause a refusal. Whole merchants are tested first, then a
    /// merchant's coins. A part that is too small to be tested, or exceeds the number of
    /// tests, counts as refused in this pass.
    pub(super) fn refused_among(
        &self,
        coins: &[SweepCoin],
        key: &SigningKey,
        due: &Due,
        trials_left: &mut u32,
    ) -> anyhow::Result<BTreeSet<OutPoint>> {
        let Some(halves) = sweep::halves(coins) else {
            return Ok(coins.iter().map(|coin| coin.outpoint).collect());
        };
        let of_one_merchant = sweep::merchants_of(coins).len() == 1;
        let mut refused = BTreeSet::new();
        for half in halves {
            let mut own_trials = COIN_TRIALS_MAX;
            let trials = if of_one_merchant { &mut *trials_left } else { &mut own_trials };
            if of_one_merchant {
                let Some(left) = trials.checked_sub(1) else {
                    refused.extend(half.iter().map(|coin| coin.outpoint));
                    continue;
                };
                *trials = left;
            }
            let trial = due.plan(&half, &TRIAL);
            refused.extend(trial.waiting.iter().map(|(outpoint, _)| *outpoint));
            for planned in trial.plans {
                self.keep_going()?;
                let signed = build::sign(planned, &self.xpub, key)?;
                if let Some(reason) = self.refusal(&signed)? {
                    let coins = &signed.plan.coins;
                    tracing::debug!(coins = coins.len(), reason, "node refuses a part of a sweep");
                    refused.extend(self.refused_among(coins, key, due, trials)?);
                }
            }
        }
        Ok(refused)
    }

    /// The node's reason to refuse the transaction, if it does.
    pub(super) fn refusal(&self, signed: &SignedPlan) -> anyhow::Result<Option<String>> {
        match self.node.test_accept(&signed.raw).context("test the sweep")? {
            Acceptance::Accepted => Ok(None),
            Acceptance::Refused(reason) => Ok(Some(reason)),
        }
    }
}
