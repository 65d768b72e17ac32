//! Where each merchant is paid now. Whatever is wrong with a merchant's addresses is that merchant's
//! trouble alone.

use std::collections::BTreeSet;

use bitcoin::ScriptBuf;

use crate::domain::merchant::{MerchantId, PayoutAddress, address_in_force};
use crate::domain::sweep::Payee;
use crate::domain::time::Timestamp;
use crate::store::{self, ReadTx, merchants, payments};

use super::Sweeper;

/// The rows of a merchant's payout addresses. A damaged one is that merchant's trouble alone.
pub(super) type Rows = (MerchantId, Result<Vec<PayoutAddress>, String>);

impl Sweeper {
    /// The merchants that can be paid now, and those whose addresses are refused.
    pub(super) fn payees(
        &mut self,
        rows: Vec<Rows>,
    ) -> anyhow::Result<(Vec<Payee>, BTreeSet<MerchantId>)> {
        let now = self.clock.now();
        let mut payees = Vec::with_capacity(rows.len());
        let mut refused = BTreeSet::new();
        for (merchant, rows) in rows {
            let found = match rows {
                Ok(rows) => self.payout_script(merchant, &rows, now)?,
                Err(what) => Err(what),
            };
            match found {
                Ok(script) => payees.extend(script.map(|script| Payee { merchant, script })),
                Err(what) => {
                    tracing::error!(merchant.id = %merchant, what, "payout address refused");
                    refused.insert(merchant);
                }
            }
        }
        Ok((payees, refused))
    }

    /// The rows of a merchant's addresses, of which none may be our own: a payout to one of those
    /// would come back for ever.
    pub(super) fn rows_of(
        &self,
        tx: &ReadTx,
        merchant: MerchantId,
    ) -> Result<Result<Vec<PayoutAddress>, String>, store::Error> {
        let rows = match merchants::payout_addresses(tx, merchant, self.network) {
            Ok(rows) => rows,
            Err(store::Error::Impossible(what)) => return Ok(Err(what)),
            Err(error) => return Err(error),
        };
        for row in &rows {
            if payments::index_of_script(tx, row.address.script())?.is_some() {
                return Ok(Err(format!("{} is an address of this gateway", row.address)));
            }
        }
        Ok(Ok(rows))
    }

    /// Where the merchant is paid now: by what the sweeper itself saw, if it has a seal key. The
    /// inner error says how the rows contradict that.
    fn payout_script(
        &mut self,
        merchant: MerchantId,
        rows: &[PayoutAddress],
        now: Timestamp,
    ) -> anyhow::Result<Result<Option<ScriptBuf>, String>> {
        let Some(seals) = &mut self.seals else {
            let in_force = address_in_force(rows, now);
            return Ok(Ok(in_force.map(|found| found.address.script().to_owned())));
        };
        let found = seals.payout_script(merchant, rows, now)?;
        Ok(found.map_err(|contradiction| {
            format!("the database was changed behind the gateway's back: {contradiction}")
        }))
    }
}
