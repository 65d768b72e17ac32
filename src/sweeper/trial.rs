//! Finding out which part of a sweep the node refuses: by trying parts, never by its error texts.

use std::collections::BTreeSet;

use anyhow::Context;
use bitcoin::OutPoint;

use crate::domain::amount::Amount;
use crate::domain::sweep::{self, SweepCoin};
use crate::node::transactions::Acceptance;
use crate::store::sweeps::SignedPlan;

use super::signing_key::SigningKey;
use super::{Due, Sweeper, build};

/// Parts of one merchant's coins that are tried at most in a pass, to find those that the node
/// refuses. After that the rest of them waits; other merchants' coins do not.
pub(super) const COIN_TRIALS_MAX: u32 = 64;

/// The rules for such a part: it is only tried, never sent.
const TRIAL: sweep::Rules =
    sweep::Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: None };

impl Sweeper {
    /// Of coins that the node refuses together, those that it refuses by themselves. Whole
    /// merchants are tried first, then a merchant's coins. What is too small to be tried alone, or
    /// was not tried for want of trials, counts as refused for this time.
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
                self.go_on()?;
                let signed = build::sign(planned, &self.xpub, key)?;
                if let Some(reason) = self.refusal(&signed)? {
                    let coins = &signed.plan.coins;
                    tracing::debug!(coins = coins.len(), reason, "the node refuses a part");
                    refused.extend(self.refused_among(coins, key, due, trials)?);
                }
            }
        }
        Ok(refused)
    }

    /// The node's reason for not taking the transaction, if it would not.
    pub(super) fn refusal(&self, signed: &SignedPlan) -> anyhow::Result<Option<String>> {
        match self.node.test_accept(&signed.raw).context("test the sweep")? {
            Acceptance::Accepted => Ok(None),
            Acceptance::Refused(reason) => Ok(Some(reason)),
        }
    }
}
