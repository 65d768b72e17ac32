//! What the sweeper keeps of its own: the payout addresses as it saw them first, and how far it has
//! sealed the payments. The database may be written by others; this record is not.
//!
//! Pure: the rows of the database go in, what may be relied on comes out. The delay of a changed
//! address counts from the sweeper's own first sight, so a backdated row gains nothing.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;

use super::merchant::{MerchantId, PayoutAddress, address_in_force};
use super::time::Timestamp;

/// A registration as the sweeper saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) version: u32,
    pub(crate) script: ScriptBuf,
    pub(crate) first_seen_at: Timestamp,
    /// It was in force at one of our looks: from then on nobody can cancel it.
    pub(crate) was_in_force: bool,
    pub(crate) cancelled: bool,
}

/// All that the sweeper keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// In the order of their versions.
    pub(crate) addresses: BTreeMap<MerchantId, Vec<Seen>>,
    /// Every payment below this derivation index was sealed, and none is ever sealed again.
    pub(crate) payments_below: u32,
}

/// How the rows of a merchant's addresses contradict what was seen of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Contradiction {
    #[error("payout address {version} was changed")]
    Changed { version: u32 },
    #[error("payout address {version} is missing")]
    Missing { version: u32 },
    #[error("payout address {version} was put in behind a later one")]
    Inserted { version: u32 },
    #[error("payout address {version} was cancelled, and now is not")]
    CancelUndone { version: u32 },
    #[error("payout address {version} was cancelled after it was in force")]
    CancelledInForce { version: u32 },
}

impl Record {
    /// Takes the rows of a merchant's addresses, oldest first. Answers where the merchant is paid
    /// now, if anywhere.
    ///
    /// # Errors
    /// If the rows contradict what was seen before; then nothing is taken over from them.
    pub(crate) fn observe(
        &mut self,
        merchant: MerchantId,
        rows: &[PayoutAddress],
        now: Timestamp,
        delay_ms: i64,
    ) -> Result<Option<ScriptBuf>, Contradiction> {
        let mut seen = self.addresses.get(&merchant).cloned().unwrap_or_default();
        for known in &mut seen {
            let version = known.version;
            let row = rows.iter().find(|row| row.version == version);
            let row = row.ok_or(Contradiction::Missing { version })?;
            if row.address.script() != known.script.as_script() {
                return Err(Contradiction::Changed { version });
            }
            match (known.cancelled, row.cancelled_at.is_some()) {
                (true, false) => return Err(Contradiction::CancelUndone { version }),
                (false, true) if known.was_in_force => {
                    return Err(Contradiction::CancelledInForce { version });
                }
                (false, true) => known.cancelled = true,
                (true, true) | (false, false) => {}
            }
        }
        // Of a merchant whom we see for the first time there is nothing to hold the rows against:
        // what is in force by them is in force. (A record that was lost must not bring back an
        // address that the merchant left.)
        let believed = match seen.is_empty() {
            true => address_in_force(rows, now).map(|row| row.version),
            false => None,
        };
        let newest_known = seen.last().map_or(0, |known| known.version);
        for row in rows {
            let version = row.version;
            if seen.iter().any(|known| known.version == version) {
                continue;
            }
            if version <= newest_known {
                return Err(Contradiction::Inserted { version });
            }
            seen.push(Seen {
                version,
                script: row.address.script().to_owned(),
                first_seen_at: now,
                was_in_force: believed == Some(version),
                cancelled: row.cancelled_at.is_some(),
            });
        }
        let in_force = in_force(&seen, rows, now, delay_ms);
        let script = in_force.and_then(|place| seen.get_mut(place)).map(|known| {
            known.was_in_force = true;
            known.script.clone()
        });
        if !seen.is_empty() {
            self.addresses.insert(merchant, seen);
        }
        Ok(script)
    }
}

/// The place of the address that counts: the latest that was in force before, or whose time has
/// come. A change counts after the delay.
fn in_force(seen: &[Seen], rows: &[PayoutAddress], now: Timestamp, delay_ms: i64) -> Option<usize> {
    seen.iter().enumerate().rev().find_map(|(place, known)| {
        let row = rows.iter().find(|row| row.version == known.version)?;
        let from = row.effective_at.max(known.first_seen_at.plus_ms(delay_ms));
        let counts = known.was_in_force || from <= now;
        (!known.cancelled && counts).then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Address;
    use crate::domain::network::Network;
    use bitcoin::WPubkeyHash;
    use bitcoin::hashes::Hash;

    const DELAY_MS: i64 = 1_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn script(n: u8) -> ScriptBuf {
        ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([n; 20]))
    }

    /// A registration to address `n`, as the acts write it.
    fn row(version: u32, n: u8, registered: i64) -> PayoutAddress {
        PayoutAddress {
            version,
            address: Address::from_script(&script(n), Network::Regtest).expect("a p2wpkh"),
            registered_at: at(registered),
            effective_at: at(if version == 1 { registered } else { registered + DELAY_MS }),
            cancelled_at: None,
        }
    }

    fn cancelled(row: PayoutAddress, ms: i64) -> PayoutAddress {
        PayoutAddress { cancelled_at: Some(at(ms)), ..row }
    }

    /// Looks at the rows one after the other, at these times. Answers what the last look says.
    fn look(looks: &[(i64, Vec<PayoutAddress>)]) -> Result<Option<ScriptBuf>, Contradiction> {
        let merchant = MerchantId::from_random(1);
        let mut record = Record::default();
        let mut last = Ok(None);
        for (ms, rows) in looks {
            let before = record.clone();
            last = record.observe(merchant, rows, at(*ms), DELAY_MS);
            if last.is_err() {
                assert_eq!(record, before, "nothing is taken over");
            }
        }
        last
    }

    #[test]
    fn the_first_counts_at_once_and_a_change_after_the_delay_from_our_first_sight() {
        let (first, second) = (row(1, 1, 0), row(2, 2, 500));
        assert_eq!(look(&[(0, vec![])]), Ok(None));
        assert_eq!(look(&[(0, vec![first.clone()])]), Ok(Some(script(1))));
        let both = || vec![first.clone(), second.clone()];
        assert_eq!(look(&[(500, both()), (1_499, both())]), Ok(Some(script(1))));
        assert_eq!(look(&[(500, both()), (1_500, both())]), Ok(Some(script(2))));
        // We were away when it was registered: the delay begins when we see it.
        let away = |back, then| look(&[(0, vec![first.clone()]), (back, both()), (then, both())]);
        assert_eq!(away(9_000, 9_999), Ok(Some(script(1))));
        assert_eq!(away(9_000, 10_000), Ok(Some(script(2))));
    }

    #[test]
    fn of_a_merchant_seen_for_the_first_time_the_rows_are_believed() {
        let rows = || vec![row(1, 1, 0), row(2, 2, 500), row(3, 3, 9_000)];
        // The second had been in force for long; the third still waits for its whole delay.
        assert_eq!(look(&[(9_100, rows())]), Ok(Some(script(2))));
        assert_eq!(look(&[(9_100, rows()), (10_099, rows())]), Ok(Some(script(2))));
        assert_eq!(look(&[(9_100, rows()), (10_100, rows())]), Ok(Some(script(3))));
    }

    #[test]
    fn a_backdated_change_gains_nothing() {
        let first = row(1, 1, 0);
        let backdated = PayoutAddress { effective_at: at(1), ..row(2, 2, 0) };
        let rows = vec![first.clone(), backdated];
        assert_eq!(look(&[(5_000, vec![first]), (6_000, rows)]), Ok(Some(script(1))));
    }

    #[test]
    fn a_change_can_be_cancelled_until_it_counts() {
        let (first, second) = (row(1, 1, 0), row(2, 2, 500));
        let both = vec![first.clone(), second.clone()];
        let undone = vec![first.clone(), cancelled(second.clone(), 900)];
        let looks = [(500, both.clone()), (900, undone.clone()), (5_000, undone.clone())];
        assert_eq!(look(&looks), Ok(Some(script(1))));
        let looks = [(500, both.clone()), (1_500, both.clone()), (1_600, undone.clone())];
        assert_eq!(look(&looks), Err(Contradiction::CancelledInForce { version: 2 }));
        let looks = [(500, both.clone()), (900, undone), (5_000, both)];
        assert_eq!(look(&looks), Err(Contradiction::CancelUndone { version: 2 }));
    }

    #[test]
    fn rows_that_do_not_fit_are_named() {
        let (first, second) = (row(1, 1, 0), row(3, 2, 500));
        let seen = vec![first.clone(), second.clone()];
        let after = |rows: Vec<PayoutAddress>| look(&[(500, seen.clone()), (600, rows)]);
        let changed = after(vec![row(1, 9, 0), second.clone()]);
        assert_eq!(changed, Err(Contradiction::Changed { version: 1 }));
        let swapped = after(vec![row(1, 2, 0), row(3, 1, 500)]);
        assert_eq!(swapped, Err(Contradiction::Changed { version: 1 }));
        assert_eq!(after(vec![first.clone()]), Err(Contradiction::Missing { version: 3 }));
        let inserted = after(vec![first, row(2, 9, 0), second]);
        assert_eq!(inserted, Err(Contradiction::Inserted { version: 2 }));
    }
}
