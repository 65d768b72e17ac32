//! A merchant's accounts in double-entry bookkeeping: every fact moves an amount from one
//! account to another. Derived from facts and never stored.
//!
//! Pure: coins and payouts in, balances out.

use std::collections::BTreeMap;

use super::amount::Amount;

/// An account. `Chain` is the outside world, with a negative balance: all that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Account {
    Chain,
    /// Unspent and claimed by no sweep.
    Unswept,
    /// Claimed by a sweep that is not in a block.
    InFlight,
    /// Spent by a sweep in a block, and not yet attributed. Ends at zero.
    Spent,
    /// Paid to the merchant's payout addresses.
    Paid,
    NetworkFees,
    OperatorFees,
    /// Spent by a transaction that is not our sweep.
    Elsewhere,
}

impl Account {
    pub(crate) const ALL: [Account; 8] = [
        Account::Chain,
        Account::Unswept,
        Account::InFlight,
        Account::Spent,
        Account::Paid,
        Account::NetworkFees,
        Account::OperatorFees,
        Account::Elsewhere,
    ];
}

/// The state of a coin on the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CoinState {
    Unclaimed,
    Claimed,
    SpentBySweep,
    SpentElsewhere,
}

/// One fact, or the sum of many of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    Coin {
        amount: Amount,
        state: CoinState,
    },
    /// The merchant's payout in a sweep that is in a block.
    Payout {
        amount: Amount,
        fee_share: Amount,
        operator_fee: Amount,
    },
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// In litoshis. They sum to zero.
    balances: BTreeMap<Account, i128>,
}

impl Ledger {
    pub(crate) fn book(&mut self, fact: Fact) {
        match fact {
            Fact::Coin { amount, state } => {
                let to = match state {
                    CoinState::Unclaimed => Account::Unswept,
                    CoinState::Claimed => Account::InFlight,
                    CoinState::SpentBySweep => Account::Spent,
                    CoinState::SpentElsewhere => Account::Elsewhere,
                };
                self.shift(Account::Chain, to, amount);
            }
            Fact::Payout { amount, fee_share, operator_fee } => {
                self.shift(Account::Spent, Account::Paid, amount);
                self.shift(Account::Spent, Account::NetworkFees, fee_share);
                self.shift(Account::Spent, Account::OperatorFees, operator_fee);
            }
        }
    }

    fn shift(&mut self, from: Account, to: Account, amount: Amount) {
        let litoshis = i128::from(amount.litoshis());
        for (account, change) in [(from, litoshis.saturating_neg()), (to, litoshis)] {
            let balance = self.balances.entry(account).or_default();
            *balance = balance.saturating_add(change);
        }
    }

    /// The balance of an account; for `Chain`, the amount received from it.
    pub(crate) fn balance(&self, account: Account) -> Amount {
        let balance = self.balances.get(&account).copied().unwrap_or_default();
        let litoshis = u64::try_from(balance.unsigned_abs()).unwrap_or(u64::MAX);
        Amount::from_litoshis(litoshis).unwrap_or(Amount::MAX)
    }

    /// Whether all coins that sweeps spent were attributed, to the litoshi.
    pub(crate) fn is_balanced(&self) -> bool {
        let sum = self.balances.values().fold(0i128, |sum, balance| sum.saturating_add(*balance));
        sum == 0 && self.balances.get(&Account::Spent).is_none_or(|left| *left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(litoshis: u64) -> Amount {
        Amount::from_litoshis(litoshis).expect("small")
    }

    const ALL: [Account; 6] = [
        Account::Unswept,
        Account::InFlight,
        Account::Paid,
        Account::NetworkFees,
        Account::OperatorFees,
        Account::Elsewhere,
    ];

    #[test]
    fn a_coin_moves_from_account_to_account() {
        let mut ledger = Ledger::default();
        ledger.book(Fact::Coin { amount: sum(1_000), state: CoinState::SpentBySweep });
        assert!(!ledger.is_balanced(), "the spent coin is not attributed yet");
        let (amount, fee_share, operator_fee) = (sum(900), sum(70), sum(30));
        ledger.book(Fact::Payout { amount, fee_share, operator_fee });
        assert!(ledger.is_balanced());
        ledger.book(Fact::Coin { amount: sum(5), state: CoinState::Claimed });
        ledger.book(Fact::Coin { amount: sum(7), state: CoinState::Unclaimed });
        ledger.book(Fact::Coin { amount: sum(9), state: CoinState::SpentElsewhere });
        let balances = ALL.map(|account| ledger.balance(account).litoshis());
        assert_eq!(balances, [7, 5, 900, 70, 30, 9]);
        assert_eq!(ledger.balance(Account::Chain).litoshis(), 1_021);
    }

    proptest! {
        #[test]
        fn account_balances_sum_to_the_received_amount(
            coins in prop::collection::vec((0u64..1_000_000, 0..4usize), 0..40),
            fees in prop::collection::vec((0u64..100, 0u64..100), 40),
        ) {
            let states = [
                CoinState::Unclaimed,
                CoinState::Claimed,
                CoinState::SpentBySweep,
                CoinState::SpentElsewhere,
            ];
            let mut ledger = Ledger::default();
            for ((amount, state), (share, taken)) in coins.iter().zip(fees) {
                let state = states[*state];
                ledger.book(Fact::Coin { amount: sum(*amount), state });
                if state == CoinState::SpentBySweep {
                    let share = share.min(*amount);
                    let taken = taken.min(amount - share);
                    ledger.book(Fact::Payout {
                        amount: sum(amount - share - taken),
                        fee_share: sum(share),
                        operator_fee: sum(taken),
                    });
                }
            }
            prop_assert!(ledger.is_balanced());
            let received: u64 = coins.iter().map(|(amount, _)| amount).sum();
            prop_assert_eq!(ledger.balance(Account::Chain).litoshis(), received);
            let held: u64 = ALL.iter().map(|account| ledger.balance(*account).litoshis()).sum();
            prop_assert_eq!(held, received);
        }
    }
}
