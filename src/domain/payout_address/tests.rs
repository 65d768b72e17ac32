//! Tests each row of the table in `static/docs/explanation/architecture.md`, "Payout address
//! in force", by its number.

use super::wait::BadReason;
use super::*;
use crate::domain::address::Address;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::seal::Record;
use bitcoin::WPubkeyHash;
use bitcoin::hashes::Hash;

const HOUR: i64 = 3_600_000;
const DELAY: i64 = 24 * HOUR;
/// Start of every test; the chain's time lags by a quarter of an hour.
const START: i64 = 1_000 * HOUR;
const LAG: i64 = 15 * 60_000;

fn script(n: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([n; 20]))
}

fn at(hours: i64) -> Timestamp {
    Timestamp::from_ms(START + hours * HOUR)
}

/// A registration of address `n` in this hour, as the gateway writes it.
fn row(version: u32, n: u8, hour: i64) -> PayoutAddress {
    let delay = if version == 1 { 0 } else { DELAY };
    PayoutAddress {
        version,
        address: Address::from_script(&script(n), Network::Regtest).expect("a p2wpkh"),
        registered_at: at(hour),
        effective_at: at(hour).plus_ms(delay),
        cancelled_at: None,
    }
}

fn cancelled(row: PayoutAddress, hour: i64) -> PayoutAddress {
    PayoutAddress { cancelled_at: Some(at(hour)), ..row }
}

/// A sweeper's record that observes rows hour by hour.
struct Sweeper {
    record: Record,
    /// Error of its own clock, in hours.
    wrong: i64,
}

impl Sweeper {
    fn new() -> Sweeper {
        Sweeper { record: Record::default(), wrong: 0 }
    }

    fn merchant() -> MerchantId {
        MerchantId::from_random(1)
    }

    fn observe_rows(&mut self, hour: i64, rows: &[PayoutAddress]) -> Standing {
        let chain = at(hour).plus_ms(-LAG);
        self.look_with(Clocks { own: at(hour + self.wrong), chain: Some(chain) }, rows)
    }

    fn look_with(&mut self, clocks: Clocks, rows: &[PayoutAddress]) -> Standing {
        self.look_paid(clocks, rows, None)
    }

    /// A pass that first sees the merchant's first payment, created at this time.
    fn look_paid(
        &mut self,
        clocks: Clocks,
        rows: &[PayoutAddress],
        created_at: Option<Timestamp>,
    ) -> Standing {
        let merchant = Sweeper::merchant();
        let rows = Registrations { readable: rows.to_vec(), damaged: Vec::new() };
        let standing = self.record.observe(merchant, &rows, clocks, DELAY, created_at).standing;
        self.record.looked_at = clocks.chain.map(|chain| chain.min(clocks.own));
        standing
    }

    /// A pass over rows, some of them damaged.
    fn look_at(&mut self, clocks: Clocks, rows: &Registrations) -> Standing {
        self.record.observe(Sweeper::merchant(), rows, clocks, DELAY, None).standing
    }

    /// A sweeper whose last pass was in this hour, with a complete record.
    fn that_looked(hour: i64) -> Sweeper {
        let mut sweeper = Sweeper::new();
        sweeper.record.looked_at = Some(at(hour).plus_ms(-LAG));
        sweeper
    }

    /// A sweeper that has paid to `rows` for a long time.
    fn that_paid(rows: &[PayoutAddress], hour: i64) -> Sweeper {
        let mut sweeper = Sweeper::new();
        assert!(matches!(sweeper.observe_rows(hour, rows), Standing::Pays { .. }), "hour {hour}");
        sweeper
    }
}

#[track_caller]
fn pays(standing: &Standing, n: u8) {
    let Standing::Pays { script: paid, .. } = standing else { panic!("{n}: {standing:?}") };
    assert_eq!(*paid, script(n));
}

#[track_caller]
fn waits(standing: &Standing, reason: Reason, version: u32) {
    let Standing::Waits(wait) = standing else { panic!("{reason:?}: {standing:?}") };
    assert_eq!((wait.reason, wait.version), (reason, version));
}

#[test]
fn row_1_the_first_address_is_paid_at_once() {
    let mut sweeper = Sweeper::new();
    assert_eq!(sweeper.observe_rows(0, &[]), Standing::NoAddress);
    pays(&sweeper.observe_rows(0, &[row(1, 1, 0)]), 1);
    // Its time may be ahead of the chain's.
    let alone = Clocks { own: at(0), chain: None };
    pays(&Sweeper::new().look_with(alone, &[row(1, 1, 0)]), 1);
}

/// Both clocks in this hour.
fn clocks(hour: i64) -> Clocks {
    Clocks { own: at(hour), chain: Some(at(hour).plus_ms(-LAG)) }
}

#[test]
fn row_1_the_first_address_may_appear_with_the_first_payment() {
    for sweeper in [Sweeper::new(), Sweeper::that_looked(0)] {
        for created_at in [at(1), at(1).plus_ms(1)] {
            pays(&sweeper.copy().look_paid(clocks(1), &[row(1, 1, 1)], Some(created_at)), 1);
        }
        let early = at(1).plus_ms(-1);
        let standing = sweeper.copy().look_paid(clocks(1), &[row(1, 1, 1)], Some(early));
        waits(&standing, Reason::Unconfirmed, 1);
    }
}

#[test]
fn row_15_an_address_seen_after_a_payment_waits_for_the_delay() {
    let mut sweeper = Sweeper::that_looked(0);
    assert_eq!(sweeper.look_paid(clocks(1), &[], Some(at(1))), Standing::NoAddress);
    // The row may claim to be older than the payment.
    let rows = [row(1, 1, 0)];
    let standing = sweeper.observe_rows(1, &rows);
    waits(&standing, Reason::Unconfirmed, 1);
    let Standing::Waits(wait) = standing else { panic!("it waits") };
    assert!(wait.is_notification(clocks(1), DELAY) && wait.reason.may_be_cancelled());
    assert_eq!(wait.until, Some(at(25)));
    let mut other = sweeper.copy();
    waits(&sweeper.observe_rows(24, &rows), Reason::Unconfirmed, 1);
    pays(&sweeper.observe_rows(25, &rows), 1);
    // Cancelled and registered again: it waits like every change.
    let left = [cancelled(row(1, 1, 0), 2), row(2, 2, 2)];
    assert_eq!(other.observe_rows(2, &left), Standing::NoAddress);
    pays(&other.observe_rows(26, &left), 2);
    // Unless the operator vouches for it.
    let mut sweeper = Sweeper::that_looked(0);
    sweeper.look_paid(clocks(1), &[], Some(at(1)));
    sweeper.record.trust(Sweeper::merchant());
    pays(&sweeper.observe_rows(1, &rows), 1);
}

#[test]
fn row_16_a_change_seen_with_the_first_address_is_delayed() {
    // The sweeper was down while both were registered and took effect.
    let both = [row(1, 1, 1), row(2, 2, 2)];
    let mut sweeper = Sweeper::that_looked(0);
    let standing = sweeper.look_paid(clocks(50), &both, Some(at(1)));
    waits(&standing, Reason::Unconfirmed, 2);
    pays(&sweeper.observe_rows(74, &both), 2);
    // Without a delay it was inserted by another program, also at first sight.
    let before = PayoutAddress { effective_at: at(2), ..row(2, 2, 2) };
    let mut sweeper = Sweeper::that_looked(0);
    let rows = [row(1, 1, 1), before];
    waits(&sweeper.look_paid(clocks(3), &rows, Some(at(1))), Reason::Backdated, 2);
    waits(&sweeper.observe_rows(100, &rows), Reason::Backdated, 2);
}

#[test]
fn row_2_a_change_is_paid_once_both_clocks_confirm_the_delay() {
    let both = [row(1, 1, 0), row(2, 2, 10)];
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    pays(&sweeper.observe_rows(10, &both), 1);
    pays(&sweeper.observe_rows(33, &both), 1);
    let by_us_alone = Clocks { own: at(34), chain: Some(at(10).plus_ms(DELAY - LAG - 1)) };
    let standing = sweeper.look_with(by_us_alone, &both);
    waits(&standing, Reason::Clock, 2);
    let Standing::Waits(wait) = standing else { panic!("it waits") };
    assert!(!wait.is_notification(by_us_alone, DELAY), "the chain is a little behind, as always");
    pays(&sweeper.observe_rows(34, &both), 2);
}

#[test]
fn row_3_a_cancelled_change_keeps_the_previous_address() {
    let both = [row(1, 1, 0), row(2, 2, 10)];
    let undone = [row(1, 1, 0), cancelled(row(2, 2, 10), 20)];
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    pays(&sweeper.observe_rows(10, &both), 1);
    pays(&sweeper.observe_rows(20, &undone), 1);
    pays(&sweeper.observe_rows(50, &undone), 1);
    // Undoing the cancellation is refused, until the change is cancelled again or repeated.
    waits(&sweeper.observe_rows(51, &both), Reason::CancelUndone, 2);
    pays(&sweeper.observe_rows(52, &undone), 1);
    let anew = [both[0].clone(), both[1].clone(), row(3, 3, 52)];
    waits(&sweeper.observe_rows(53, &anew), Reason::CancelUndone, 2);
    pays(&sweeper.observe_rows(77, &anew), 3);
}

#[test]
fn row_4_a_change_seen_too_late_is_paid_after_the_whole_delay() {
    let both = [row(1, 1, 0), row(2, 2, 10)];
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    // The sweeper was down until long after it took effect.
    let standing = sweeper.observe_rows(100, &both);
    waits(&standing, Reason::Unconfirmed, 2);
    let Standing::Waits(wait) = standing else { panic!("it waits") };
    let clocks = Clocks { own: at(100), chain: None };
    assert!(wait.is_notification(clocks, DELAY));
    assert_eq!(wait.until, Some(at(124)));
    waits(&sweeper.observe_rows(123, &both), Reason::Unconfirmed, 2);
    pays(&sweeper.observe_rows(124, &both), 2);
    // Cancelled meanwhile, which is allowed: the previous address is in force again.
    assert!(wait.reason.may_be_cancelled());
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    waits(&sweeper.observe_rows(100, &both), Reason::Unconfirmed, 2);
    pays(&sweeper.observe_rows(101, &[row(1, 1, 0), cancelled(row(2, 2, 10), 101)]), 1);
}

#[test]
fn row_5_a_newer_change_supersedes_one_seen_too_late() {
    let rows = [row(1, 1, 0), row(2, 2, 10), row(3, 3, 101)];
    let mut sweeper = Sweeper::that_paid(&rows[..1], 1);
    waits(&sweeper.observe_rows(100, &rows[..2]), Reason::Unconfirmed, 2);
    waits(&sweeper.observe_rows(101, &rows), Reason::Overtaken, 2);
    waits(&sweeper.observe_rows(124, &rows), Reason::Overtaken, 2);
    pays(&sweeper.observe_rows(125, &rows), 3);
}

#[test]
fn row_6_a_wrong_clock_delays_payouts_until_it_is_corrected() {
    let both = [row(1, 1, 0), row(2, 2, 10)];
    // The clock is ahead: the new address is not paid, and the old one is replaced by that
    // clock.
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    pays(&sweeper.observe_rows(10, &both), 1);
    sweeper.wrong = 48;
    let clocks = Clocks { own: at(59), chain: Some(at(11).plus_ms(-LAG)) };
    let standing = sweeper.observe_rows(11, &both);
    waits(&standing, Reason::Clock, 2);
    let Standing::Waits(wait) = standing else { panic!("it waits") };
    assert!(wait.is_notification(clocks, DELAY), "one of the clocks is wrong");
    sweeper.wrong = 0;
    pays(&sweeper.observe_rows(12, &both), 1);
    // Cancelled after the clock is right again: no trace remains.
    pays(&sweeper.observe_rows(13, &[row(1, 1, 0), cancelled(row(2, 2, 10), 13)]), 1);
    // First seen by the wrong clock: the delay counts from its correction at the latest.
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    sweeper.wrong = 48;
    waits(&sweeper.observe_rows(10, &both), Reason::Unconfirmed, 2);
    sweeper.wrong = 0;
    pays(&sweeper.observe_rows(11, &both), 1);
    waits(&sweeper.observe_rows(34, &both), Reason::Unconfirmed, 2);
    pays(&sweeper.observe_rows(35, &both), 2);
    // The clock is behind: by the chain the old address is replaced.
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    pays(&sweeper.observe_rows(10, &both), 1);
    sweeper.wrong = -48;
    waits(&sweeper.observe_rows(60, &both), Reason::Unconfirmed, 2);
    sweeper.wrong = 0;
    pays(&sweeper.observe_rows(61, &both), 2);
    // Also at the first sight of a merchant.
    let mut sweeper = Sweeper { wrong: 48, ..Sweeper::new() };
    waits(&sweeper.observe_rows(11, &both), Reason::Clock, 2);
    sweeper.wrong = 0;
    pays(&sweeper.observe_rows(12, &both), 1);
    pays(&sweeper.observe_rows(36, &both), 2);
}

#[test]
fn row_7_the_rows_of_a_newly_seen_merchant_are_trusted() {
    let rows = [row(1, 1, 0), row(2, 2, 10), row(3, 3, 90)];
    let mut sweeper = Sweeper::that_paid(&rows, 91);
    pays(&sweeper.observe_rows(100, &rows), 2);
    // The third waits for its whole delay from first sight.
    waits(&sweeper.observe_rows(114, &rows), Reason::Unconfirmed, 3);
    pays(&sweeper.observe_rows(115, &rows), 3);
}

#[test]
fn row_8_a_backdated_row_is_never_paid_and_can_be_superseded() {
    let first = row(1, 1, 0);
    let before = PayoutAddress { registered_at: at(-700), effective_at: at(-700), ..row(2, 2, 0) };
    let with_delay = PayoutAddress { effective_at: at(-700).plus_ms(DELAY), ..before.clone() };
    for backdated in [before, with_delay] {
        assert!(Reason::Backdated.may_be_cancelled());
        let mut sweeper = Sweeper::that_paid(std::slice::from_ref(&first), 1);
        let rows = [first.clone(), backdated.clone()];
        waits(&sweeper.observe_rows(20, &rows), Reason::Backdated, 2);
        waits(&sweeper.observe_rows(900, &rows), Reason::Backdated, 2);
        // Resolved by cancelling, and by registering again, the same address or another one.
        let undone = [first.clone(), cancelled(backdated.clone(), 901)];
        pays(&Sweeper { ..sweeper.copy() }.observe_rows(901, &undone), 1);
        for n in [1, 2, 3] {
            let anew = [first.clone(), backdated.clone(), row(3, n, 901)];
            let mut sweeper = sweeper.copy();
            waits(&sweeper.observe_rows(901, &anew), Reason::Backdated, 2);
            pays(&sweeper.observe_rows(925, &anew), n);
        }
    }
}

#[test]
fn row_9_a_changed_row_is_refused_and_can_be_superseded() {
    let first = row(1, 1, 0);
    let mut sweeper = Sweeper::that_paid(&[first], 1);
    waits(&sweeper.observe_rows(2, &[row(1, 9, 0)]), Reason::Changed, 1);
    waits(&sweeper.observe_rows(900, &[row(1, 9, 0)]), Reason::Changed, 1);
    pays(&sweeper.copy().observe_rows(901, &[row(1, 1, 0)]), 1);
    let anew = [row(1, 9, 0), row(2, 1, 901)];
    waits(&sweeper.observe_rows(901, &anew), Reason::Changed, 1);
    pays(&sweeper.observe_rows(925, &anew), 1);
    // Two rows swap their addresses.
    let both = [row(1, 1, 0), row(2, 2, 10)];
    let mut sweeper = Sweeper::that_paid(&both, 100);
    waits(&sweeper.observe_rows(101, &[row(1, 2, 0), row(2, 1, 10)]), Reason::Changed, 2);
}

#[test]
fn row_10_a_missing_row_is_refused_and_can_be_superseded() {
    let both = [row(1, 1, 0), row(2, 2, 10)];
    let mut sweeper = Sweeper::that_paid(&both, 100);
    for rows in [&both[..1], &[]] {
        waits(&sweeper.observe_rows(101, rows), Reason::Missing, 2);
    }
    // An older copy was restored. The next registration is newer than all recorded ones.
    let Standing::Waits(wait) = sweeper.observe_rows(102, &both[..1]) else { panic!("it waits") };
    assert_eq!(wait.newest_known, 2);
    pays(&sweeper.copy().observe_rows(103, &both), 2);
    for n in [1, 2, 3] {
        let anew = [both[0].clone(), row(3, n, 103)];
        let mut sweeper = sweeper.copy();
        waits(&sweeper.observe_rows(103, &anew), Reason::Missing, 2);
        pays(&sweeper.observe_rows(127, &anew), n);
    }
    // A lost pending change does not silently restore the previous address.
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    pays(&sweeper.observe_rows(11, &both), 1);
    waits(&sweeper.observe_rows(12, &both[..1]), Reason::Missing, 2);
    pays(&sweeper.observe_rows(13, &both), 1);
    // With a changed number the first row is missing too, and its successor is not trusted.
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    let moved = PayoutAddress { version: 2, ..row(1, 9, 0) };
    waits(&sweeper.observe_rows(2, &[moved]), Reason::Missing, 1);
}

#[test]
fn row_11_a_row_inserted_behind_a_later_one_is_refused() {
    let seen = [row(1, 1, 0), cancelled(row(3, 3, 10), 11)];
    let mut sweeper = Sweeper::that_paid(&seen[..1], 1);
    pays(&sweeper.observe_rows(12, &seen), 1);
    let inserted = [seen[0].clone(), row(2, 9, 5), seen[1].clone()];
    waits(&sweeper.observe_rows(100, &inserted), Reason::Inserted, 2);
    assert!(Reason::Inserted.may_be_cancelled());
    let undone = [seen[0].clone(), cancelled(row(2, 9, 5), 101), seen[1].clone()];
    pays(&sweeper.copy().observe_rows(101, &undone), 1);
    let anew = [&inserted[..], &[row(4, 4, 101)]].concat();
    waits(&sweeper.observe_rows(101, &anew), Reason::Inserted, 2);
    pays(&sweeper.observe_rows(125, &anew), 4);
}

#[test]
fn row_12_a_change_cancelled_in_force_can_be_superseded() {
    let both = [row(1, 1, 0), row(2, 2, 10)];
    let undone = [row(1, 1, 0), cancelled(row(2, 2, 10), 101)];
    let mut sweeper = Sweeper::that_paid(&both, 100);
    waits(&sweeper.observe_rows(101, &undone), Reason::CancelledInForce, 2);
    pays(&sweeper.copy().observe_rows(102, &both), 2);
    for n in [1, 2, 3] {
        let anew = [&undone[..], &[row(3, n, 102)]].concat();
        let mut sweeper = sweeper.copy();
        waits(&sweeper.observe_rows(102, &anew), Reason::CancelledInForce, 2);
        pays(&sweeper.observe_rows(126, &anew), n);
    }
    // Changing its time does not take an address out of force.
    let mut sweeper = Sweeper::that_paid(&both, 100);
    let moved = [both[0].clone(), PayoutAddress { effective_at: at(900), ..both[1].clone() }];
    pays(&sweeper.observe_rows(101, &moved), 2);
}

#[test]
fn row_14_a_damaged_row_blocks_until_a_newer_one_is_in_force() {
    let clocks = |hour| Clocks { own: at(hour), chain: Some(at(hour).plus_ms(-LAG)) };
    let of = |readable: &[PayoutAddress], damaged: &[u32]| Registrations {
        readable: readable.to_vec(),
        damaged: damaged.to_vec(),
    };
    let first = row(1, 1, 0);
    let mut sweeper = Sweeper::that_paid(std::slice::from_ref(&first), 1);
    waits(&sweeper.look_at(clocks(2), &of(&[], &[1])), Reason::Damaged, 1);
    pays(&sweeper.copy().observe_rows(3, std::slice::from_ref(&first)), 1);
    let anew = of(&[row(2, 2, 10)], &[1]);
    waits(&sweeper.look_at(clocks(10), &anew), Reason::Damaged, 1);
    waits(&sweeper.look_at(clocks(33), &anew), Reason::Damaged, 1);
    pays(&sweeper.look_at(clocks(35), &anew), 2);
    // The address before a damaged one is not paid; the next number is above the damaged one.
    let mut sweeper = Sweeper::that_paid(std::slice::from_ref(&first), 1);
    let standing = sweeper.look_at(clocks(10), &of(std::slice::from_ref(&first), &[2]));
    waits(&standing, Reason::Damaged, 2);
    let Standing::Waits(wait) = standing else { panic!("it waits") };
    assert_eq!(wait.newest_known, 2);
    let anew = of(&[first, row(3, 3, 20)], &[2]);
    waits(&sweeper.look_at(clocks(20), &anew), Reason::Damaged, 2);
    pays(&sweeper.look_at(clocks(45), &anew), 3);
    // A merchant never seen before: the row after a damaged one is not the first address.
    let mut sweeper = Sweeper::that_looked(10);
    waits(&sweeper.look_at(clocks(10), &of(&[], &[1])), Reason::Damaged, 1);
    let (mut sweeper, rest) = (Sweeper::that_looked(10), of(&[row(2, 2, -90)], &[1]));
    waits(&sweeper.look_at(clocks(10), &rest), Reason::Unconfirmed, 2);
    pays(&sweeper.look_at(clocks(35), &rest), 2);
}

#[test]
fn without_the_chain_time_no_new_address_is_paid() {
    let both = [row(1, 1, 0), row(2, 2, 10)];
    let mut sweeper = Sweeper::that_paid(&both[..1], 1);
    let alone = |hour| Clocks { own: at(hour), chain: None };
    pays(&sweeper.look_with(alone(10), &both), 1);
    let standing = sweeper.look_with(alone(90), &both);
    waits(&standing, Reason::Clock, 2);
    let Standing::Waits(wait) = standing else { panic!("it waits") };
    assert!(!wait.is_notification(alone(90), DELAY), "the missing node is reported elsewhere");
    // The chain's delay counts from its first report.
    waits(&sweeper.observe_rows(91, &both), Reason::Clock, 2);
    pays(&sweeper.observe_rows(115, &both), 2);
}

#[test]
fn the_seal_state_of_many_changes_stays_small() {
    let mut sweeper = Sweeper::new();
    let mut rows = Vec::new();
    for n in 0..200u8 {
        let hour = i64::from(n) * 25;
        rows.push(row(u32::from(n) + 1, n, hour));
        sweeper.observe_rows(hour, &rows);
        pays(&sweeper.observe_rows(hour + 24, &rows), n);
    }
    assert!(sweeper.record.addresses[&Sweeper::merchant()].len() <= 21);
    // Rows that were forgotten do not return.
    let mut missing = rows.clone();
    missing.truncate(100);
    waits(&sweeper.observe_rows(200 * 25, &missing), Reason::Missing, 200);
}

#[test]
fn every_wait_reason_parses_from_its_name() {
    for reason in Reason::ALL {
        assert_eq!(reason.as_str().parse(), Ok(reason));
        assert!(!reason.heals_alone() || reason.may_be_cancelled(), "{reason:?} is left by hand");
    }
    assert_eq!("".parse::<Reason>(), Err(BadReason));
}

impl Sweeper {
    fn copy(&self) -> Sweeper {
        Sweeper { record: self.record.clone(), wrong: self.wrong }
    }
}
