//! Where each merchant is paid now. Whatever is wrong with a merchant's addresses is that merchant's
//! trouble alone.

use std::collections::BTreeSet;

use anyhow::Context;
use bitcoin::{Script, ScriptBuf};

use crate::domain::merchant::{MerchantId, PayoutAddress, address_in_force};
use crate::domain::sweep::{Payee, SweepCoin, merchants_of};
use crate::domain::time::Timestamp;
use crate::store::{self, ReadTx, merchants};

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
        self.refuse_own(&mut payees, &mut refused)?;
        Ok((payees, refused))
    }

    /// Refuses payees that are paid to an address of our own account: the money would come back for
    /// ever, or pay a payment.
    fn refuse_own(
        &mut self,
        payees: &mut Vec<Payee>,
        refused: &mut BTreeSet<MerchantId>,
    ) -> anyhow::Result<()> {
        let new = payees.iter().map(|payee| payee.script.as_script());
        let new: Vec<&Script> = new.filter(|script| !self.vetted.contains(*script)).collect();
        let own = self.store.read_blocking(|tx| self.own.among(tx, new.iter().copied()))?;
        let sound = new.into_iter().filter(|script| !own.contains(*script)).map(Script::to_owned);
        let sound: Vec<ScriptBuf> = sound.collect();
        self.vetted.extend(sound);
        for payee in payees.iter().filter(|payee| own.contains(&payee.script)) {
            let what = "the payout address is an address of this gateway";
            tracing::error!(merchant.id = %payee.merchant, what, "payout address refused");
            refused.insert(payee.merchant);
        }
        payees.retain(|payee| !own.contains(&payee.script));
        Ok(())
    }

    /// The rows of all merchants of these coins.
    pub(super) fn rows_of_all(
        &self,
        tx: &ReadTx,
        coins: &[SweepCoin],
    ) -> anyhow::Result<Vec<Rows>> {
        let rows =
            |merchant| Ok((merchant, self.rows_of(tx, merchant).context("read an address")?));
        merchants_of(coins).into_iter().map(rows).collect()
    }

    /// The rows of a merchant's addresses.
    fn rows_of(
        &self,
        tx: &ReadTx,
        merchant: MerchantId,
    ) -> Result<Result<Vec<PayoutAddress>, String>, store::Error> {
        match merchants::payout_addresses(tx, merchant, self.network) {
            Ok(rows) => Ok(Ok(rows)),
            Err(store::Error::Impossible(what)) => Ok(Err(what)),
            Err(error) => Err(error),
        }
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
