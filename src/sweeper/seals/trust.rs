//! Seals made by commands: after a restore for payments that verify, and for payments that the
//! operator trusts.

use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::store::payments::{self, Evaluated};
use crate::store::seals::{self, SealedFacts};
use crate::store::{Error, ReadTx, Store, WriteTx};

use super::{SEALED_AT_ONCE, Seals};

const NAMED_MAX: usize = 10_000;

/// A seal that is valid for no payment.
const NO_SEAL: [u8; 32] = [0; 32];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resealed {
    pub(crate) sealed: u32,
    /// Payments that do not verify: their coins wait.
    pub(crate) unproven: Vec<PaymentId>,
    /// Further ones, beyond the limit or unreadable. `audit` lists the unreadable ones.
    pub(crate) unnamed: u32,
}

enum Found {
    Proven(SealedFacts),
    Unproven(PaymentId),
    Unreadable,
}

impl Seals {
    /// Seals the unsealed payments of a restored database that this gateway created: their MAC
    /// is valid, and the account key derives their script. Any other gets a seal that is never
    /// valid, so that the sweeper does not trust it as new.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn seal_proven(
        &self,
        store: &Store,
        xpub: &AccountXpub,
    ) -> anyhow::Result<Resealed> {
        let (mut resealed, mut from) = (Resealed::default(), 0);
        loop {
            let found = store.read_blocking(|tx| {
                let unsealed = seals::unsealed_from(tx, from, SEALED_AT_ONCE)?;
                let found = unsealed.iter().map(|index| examine(tx, *index, xpub));
                found.collect::<Result<Vec<_>, _>>()
            })?;
            let Some((last, _)) = found.last() else { return Ok(resealed) };
            from = last.get().saturating_add(1);
            let mut made = Vec::new();
            for (index, found) in found {
                made.push((index, self.count(found, &mut resealed)));
            }
            store.write_blocking(move |tx| {
                made.iter().try_for_each(|(index, seal)| seals::insert(tx, *index, seal))
            })?;
        }
    }

    /// Counts an examined payment, and returns its seal.
    fn count(&self, found: Found, resealed: &mut Resealed) -> [u8; 32] {
        match found {
            Found::Proven(facts) => {
                resealed.sealed = resealed.sealed.saturating_add(1);
                return self.seal_of(&facts);
            }
            Found::Unproven(id) if resealed.unproven.len() < NAMED_MAX => {
                resealed.unproven.push(id);
            }
            Found::Unproven(_) | Found::Unreadable => {
                resealed.unnamed = resealed.unnamed.saturating_add(1);
            }
        }
        NO_SEAL
    }

    /// Seals a payment as it is in the database, because the operator trusts it. Returns
    /// whether it exists.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn trust_payment(&self, store: &Store, id: PaymentId) -> anyhow::Result<bool> {
        if !store.write_blocking(move |tx| payments::vouch(tx, id))? {
            return Ok(false);
        }
        let Some(Evaluated { payment, .. }) = store.read_blocking(|tx| payments::by_id(tx, id))?
        else {
            return Ok(false);
        };
        let seal = self.seal_of(&SealedFacts::of(&payment));
        store.write_blocking(move |tx| seals::replace(tx, payment.index, &seal))?;
        Ok(true)
    }

    /// Seals all payments of a merchant as they are in the database, and drops its recorded
    /// payout addresses, because the operator trusts the database. Returns the number of
    /// payments.
    ///
    /// # Errors
    /// Those of the database and of the record's file.
    pub(crate) fn trust_merchant(
        &mut self,
        store: &Store,
        merchant: MerchantId,
    ) -> anyhow::Result<u32> {
        let (mut from, mut count) = (0, 0u32);
        loop {
            let vouch = move |tx: &WriteTx| {
                payments::vouch_for_merchant(tx, merchant, from, SEALED_AT_ONCE)
            };
            store.write_blocking(vouch)?;
            let facts = store
                .read_blocking(|tx| seals::facts_of_merchant(tx, merchant, from, SEALED_AT_ONCE))?;
            let Some(last) = facts.last() else { break };
            from = last.index.get().saturating_add(1);
            count = count.saturating_add(u32::try_from(facts.len()).unwrap_or(u32::MAX));
            let made: Vec<_> =
                facts.iter().map(|facts| (facts.index, self.seal_of(facts))).collect();
            store.write_blocking(move |tx| {
                made.iter().try_for_each(|(index, seal)| seals::replace(tx, *index, seal))
            })?;
        }
        self.record.trust(merchant);
        self.save()?;
        Ok(count)
    }
}

fn examine(
    tx: &ReadTx,
    index: DerivationIndex,
    xpub: &AccountXpub,
) -> Result<(DerivationIndex, Found), Error> {
    let found = match payments::by_index(tx, index) {
        Ok(Evaluated { payment, .. }) => match xpub.script_at(payment.index) == payment.script {
            true => Found::Proven(SealedFacts::of(&payment)),
            false => Found::Unproven(payment.id),
        },
        Err(error) if error.is_of_a_row() => {
            payments::id_of(tx, index)?.map_or(Found::Unreadable, Found::Unproven)
        }
        Err(error) => return Err(error),
    };
    Ok((index, found))
}
