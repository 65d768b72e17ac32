//! The result of an audit: sums and differences.

use bitcoin::Txid;

use crate::domain::amount::Amount;
use crate::domain::ledger::{Account, Ledger};
use crate::domain::merchant::MerchantId;

use super::difference::Difference;

/// The result of an audit. `received` is the sum of all coins that the best chain holds or
/// held for our addresses; it equals the sum of the other amounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) received: Amount,
    /// Paid to merchants by mined sweeps.
    pub(crate) paid: Amount,
    /// Fees of mined sweeps: network and operator.
    pub(crate) fees: Amount,
    /// The operator's part of `fees`.
    pub(crate) operator_fees: Amount,
    /// Claimed by sweeps that are not mined yet.
    pub(crate) in_flight: Amount,
    pub(crate) unswept: Amount,
    /// Spent by transactions that are not our sweeps.
    pub(crate) elsewhere: Amount,
    /// Mined sweeps that this database did not create and that follow our rules. Not a
    /// difference, but shown to the operator.
    pub(crate) recognised: Vec<Txid>,
    pub(crate) differences: Vec<Difference>,
}

impl Report {
    /// Compares the sums with the merchants' accounts.
    pub(crate) fn compare_accounts(&mut self, ledgers: &[(MerchantId, Ledger)]) {
        for (merchant, ledger) in ledgers {
            if !ledger.is_balanced() {
                self.differences.push(Difference::Unbalanced(*merchant));
            }
        }
        let total =
            |account| Amount::total(ledgers.iter().map(|(_, ledger)| ledger.balance(account)));
        let fees = Amount::total([total(Account::NetworkFees), total(Account::OperatorFees)]);
        let compared = [
            ("received", total(Account::Chain), self.received),
            ("paid out", total(Account::Paid), self.paid),
            ("fees", fees, self.fees),
            ("in flight", total(Account::InFlight), self.in_flight),
            ("unswept", total(Account::Unswept), self.unswept),
            ("spent elsewhere", total(Account::Elsewhere), self.elsewhere),
        ];
        for (name, accounts, ledger_report) in compared {
            if accounts != ledger_report {
                self.differences.push(Difference::AccountsDisagree(name));
            }
        }
    }

    /// Whether the audit found no difference.
    pub(crate) fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}
