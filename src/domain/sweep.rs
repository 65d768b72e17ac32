//! Planning sweeps: which coins are paid out together, to whom, and how the fee is shared.
//!
//! All due merchants share a transaction: one input per coin, one output per payout, no
//! change, and last the operator's fee, if any. The network fee is shared by inputs, so a
//! merchant with many coins pays for them. Pure: coins, payees and a fee rate in, plans out.
//!
//! Invariants, asserted for each plan: outputs + fee = inputs, the shares sum to the fee
//! exactly, and no coin is in two plans.

mod plan;
mod planner;
pub(crate) mod recognise;
mod share;
pub(crate) mod transaction;
pub(crate) mod vanishing;
mod waits;
mod weights;

pub(crate) use plan::{
    BASIS_POINTS_MAX, OperatorFee, Payee, Payout, Planned, RATE_MAX, RATE_MIN, Rules, SentPayout,
    SentSweep, SweepCoin, SweepPlan, merchants_of,
};
pub(crate) use planner::{halves, plan, plan_again, plan_with_fee};
pub(crate) use waits::Waits;

#[cfg(test)]
mod tests;
