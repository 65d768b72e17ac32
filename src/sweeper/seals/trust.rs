//! Seals that are made by an operator's command: after a restore, of payments that prove
//! themselves, and of those that the operator has examined.

use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::store::payments::{self, Evaluated};
use crate::store::seals::{self, SealedFacts};
use crate::store::{Error, ReadTx, Store, WriteTx};

use super::{SEALED_AT_ONCE, Seals};

/// Payments that are named at most.
const NAMED_MAX: usize = 10_000;

/// A seal that fits no payment.
const NO_SEAL: [u8; 32] = [0; 32];

/// What became of the payments that had no seal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resealed {
    pub(crate) sealed: u32,
    /// Those that prove nothing: their coins wait.
    pub(crate) unproven: Vec<PaymentId>,
    /// As many more, too many to be named or not to be read; `audit` names the latter.
    pub(crate) unnamed: u32,
}

/// A payment without a seal.
enum Found {
    Proven(SealedFacts),
    Unproven(PaymentId),
    Unreadable,
}

impl Seals {
    /// Seals the payments of a restored database that have no seal and prove that this gateway
    /// created them: they verify, and the account's key derives their script. Any other gets a
    /// seal that fits nothing, so that no sweeper believes it at first sight.
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

    /// The seal of a payment that was examined.
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

    /// Seals a payment as the database has it now, whatever was sealed before: the operator
    /// vouches for it. Answers whether it is there.
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

    /// Seals all payments of a merchant as the database has them now, and forgets what was seen of
    /// its payout addresses: the operator vouches for them. Answers how many payments there are.
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
