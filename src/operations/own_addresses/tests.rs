//! Unit tests of own addresses, issuing and registration.

use super::*;
use crate::clock::Clock;
use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::amount::Amount;
use crate::domain::confirmations::ConfirmationTiers;
use crate::domain::merchant::{BusinessName, Merchant, MerchantId};
use crate::domain::network::Network;
use crate::domain::own_addresses::spellings;
use crate::domain::payment::{Payment, PaymentId};
use crate::domain::time::Timestamp;
use crate::operations::addresses::Addresses;
use crate::operations::create_payment::{self, Created, NewPayment, Request, create_payment};
use crate::operations::merchants::{self, NewMerchant, Registered};
use crate::operations::rates::Rates;
use crate::operations::second_factor::Passed;
use crate::operations::{Actor, Refusal, account_scan};
use crate::store::{Store, WriteTx, merchants as rows};

const NETWORK: Network = Network::Regtest;

const RULES: merchants::Rules =
    merchants::Rules { network: NETWORK, payout_address_delay_ms: 60_000 };

fn account(seed: u8) -> AccountXpub {
    AccountXpriv::from_mnemonic_seed(&[seed; 64], NETWORK).0.to_xpub()
}

fn at(branch: Branch, n: u32) -> ScriptBuf {
    account(7).branch_script_at(branch, DerivationIndex::new(n).expect("small"))
}

/// An address of another wallet.
fn foreign(n: u32) -> ForeignAddress {
    let script = account(8).script_at(DerivationIndex::new(n).expect("small"));
    ForeignAddress::assumed(Address::from_script(&script, NETWORK).expect("a p2wpkh"))
}

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
    (dir, store)
}

fn rules() -> create_payment::Rules {
    create_payment::Rules {
        confirmations: 1,
        confirmation_tiers: ConfirmationTiers::default(),
        low_confirmation_limit: None,
        rates: Rates::off(),
        large_amount: Amount::MAX,
        confirmations_large: 1,
        confirmations_pegout: 1,
        expiry_ms: 1_000,
        late_grace_ms: 1_000,
        min_amount: Amount::ZERO,
        max_open_payments: u32::MAX,
        max_daily_payments: 0,
    }
}

fn shop(tx: &WriteTx, address: Option<ForeignAddress>) -> Result<Merchant, Refusal> {
    let name = BusinessName::parse("Shop")?;
    let new = NewMerchant { name, discord_id: None, payout_address: address, days: Some(1) };
    merchants::add(tx, &Actor::Cli, &RULES, &new, &Clock::system())
}

/// Inserts payments with these indexes.
fn issue(store: &Store, indexes: Range<u32>) {
    let insert = move |tx: &WriteTx| {
        let merchant = Merchant::new_shop(MerchantId::from_random(u64::from(indexes.start)));
        rows::insert(tx, &merchant)?;
        for n in indexes {
            let index = DerivationIndex::new(n).expect("small");
            let payment = Payment::smallest(merchant.id, index, Timestamp::from_ms(1));
            let payment = Payment { script: at(Branch::Receiving, n), ..payment };
            payments::insert(tx, &payment)?;
        }
        Ok::<_, store::Error>(())
    };
    store.write_blocking(insert).expect("write");
}

#[test]
fn own_addresses_are_refused_in_every_script_type() {
    let (_dir, store) = open();
    issue(&store, 0..3);
    issue(&store, 5..6); // 3 and 4 were issued by a lost database.
    let own = OwnAddresses::new(account(7));
    let vet = |script: &Script| {
        let address = Address::from_script(script, NETWORK).expect("an address");
        store.read_blocking(|tx| own.vet(tx, address))
    };
    let cases = [
        ("issued", Branch::Receiving, 1),
        ("skipped", Branch::Receiving, 4),
        ("next", Branch::Receiving, 6),
        ("last of the lookahead", Branch::Receiving, 10_005),
        ("first change", Branch::Change, 0),
        ("last change", Branch::Change, 10_005),
    ];
    for (case, branch, n) in cases {
        for script in spellings(&at(branch, n)) {
            let refused = vet(&script);
            let is_own = matches!(
                refused,
                Err(Refusal::Invalid { field: "payoutAddress", reason: Reason::OwnAddress })
            );
            assert!(is_own, "{case} as {script}: {refused:?}");
        }
    }
    for script in spellings(foreign(1).get().script()) {
        vet(&script).expect("another wallet's");
    }
    let far = at(Branch::Receiving, 10_006);
    vet(&far).expect("beyond the lookahead");
}

#[test]
fn an_index_used_as_a_payout_address_is_never_issued() {
    let (_dir, store) = open();
    let spelled = |n| spellings(&at(Branch::Receiving, n));
    let address = |script: &Script| {
        ForeignAddress::assumed(Address::from_script(script, NETWORK).expect("an address"))
    };
    let addresses = Addresses::new(account(7), Some(spelled(4)[2].clone()));
    // Registered by an older version, in each script type.
    let registered = [address(&spelled(1)[0]), address(&spelled(2)[1]), address(&spelled(3)[2])];
    let create = move |tx: &WriteTx| {
        account_scan::record_answer(tx)?;
        let mut merchant = None;
        for address in registered {
            merchant = Some(shop(tx, Some(address))?.id);
        }
        let merchant = merchant.expect("three of them");
        // Superseded or cancelled, it is avoided all the same.
        let clock = Clock::system();
        let (cli, nothing) = (Actor::Cli, Passed::nothing());
        merchants::set_address(tx, &cli, &RULES, merchant, &foreign(1), &nothing, &clock)?;
        let mut issued = Vec::new();
        for n in 0..3 {
            let new = NewPayment::by_hand("0.1", None, None)?;
            let id = PaymentId::from_random([n; 16]);
            let request = Request { merchant, api_key: None, new, idempotency_key: None, id };
            let made = create_payment(tx, &rules(), &addresses, &request, clock.now())?;
            let Created::New(made) = made else { panic!("made before") };
            issued.push((made.payment.index.get(), made.payment.script));
        }
        Ok::<_, Refusal>(issued)
    };
    let issued = store.write_blocking(create).expect("three payments");
    let expected = [0, 5, 6].map(|n| (n, at(Branch::Receiving, n)));
    assert_eq!(issued, expected);
}

#[test]
fn an_unchanged_address_adds_no_row_and_changes_are_limited() {
    let (_dir, store) = open();
    let merchant = store.write_blocking(|tx| shop(tx, Some(foreign(0)))).expect("a shop").id;
    let count = || {
        let read = |tx: &ReadTx| rows::payout_addresses(tx, merchant, NETWORK);
        store.read_blocking(read).expect("rows").readable.len()
    };
    let audit_log = || {
        let read =
            |tx: &ReadTx| crate::store::audit_log::was_done(tx, merchant, "cancel_address_change");
        store.read_blocking(read).expect("the audit log")
    };
    let set = |n: u32| {
        store.write_blocking(move |tx| {
            let clock = Clock::system();
            let (cli, nothing) = (Actor::Cli, Passed::nothing());
            merchants::set_address(tx, &cli, &RULES, merchant, &foreign(n), &nothing, &clock)
        })
    };
    let is_new = |set: Result<Registered, Refusal>| set.expect("accepted").is_new;
    for _ in 0..20 {
        assert!(!is_new(set(0)), "in force already");
    }
    assert_eq!(count(), 1);
    assert!(is_new(set(1)));
    for _ in 0..20 {
        assert!(!is_new(set(1)), "waiting already");
    }
    assert_eq!((count(), audit_log()), (2, false));
    assert!(!is_new(set(0)), "back to the one in force: the change is cancelled");
    assert_eq!((count(), audit_log()), (2, true));
    for n in 2..merchants::ADDRESS_CHANGES_MAX {
        assert!(is_new(set(n)), "{n}");
    }
    assert!(matches!(set(99), Err(Refusal::TooManyAddressChanges)));
    assert!(!is_new(set(0)), "what changes nothing is not limited");
    assert_eq!(count(), merchants::ADDRESS_CHANGES_MAX as usize);
}

#[test]
fn an_address_change_already_in_effect_is_not_cancelled() {
    let (dir, store) = open();
    let file = dir.path().join("clock");
    let clock = Clock::moved_by(file.clone());
    let merchant = store.write_blocking(|tx| shop(tx, Some(foreign(0)))).expect("a shop").id;
    let of_set = clock.clone();
    let set = move |tx: &WriteTx| {
        let (cli, nothing) = (Actor::Cli, Passed::nothing());
        merchants::set_address(tx, &cli, &RULES, merchant, &foreign(1), &nothing, &of_set)
    };
    store.write_blocking(set).expect("a change");
    // Another write holds the database while the change takes effect.
    let (held, wait_held) = std::sync::mpsc::channel();
    let (release, wait_release) = std::sync::mpsc::channel::<()>();
    let holder = store.clone();
    let holding = std::thread::spawn(move || {
        holder.write_blocking(move |_| {
            held.send(()).expect("the test waits");
            let _ = wait_release.recv();
            Ok::<_, store::Error>(())
        })
    });
    wait_held.recv().expect("it is held");
    let (asked, wait_asked) = std::sync::mpsc::channel();
    let canceller = store.clone();
    let cancelling = std::thread::spawn(move || {
        asked.send(()).expect("the test waits");
        canceller.write_blocking(move |tx| {
            merchants::cancel_address_change(tx, &Actor::Cli, merchant, &clock)
        })
    });
    wait_asked.recv().expect("it is asked");
    std::fs::write(&file, "120000").expect("a file for the test");
    release.send(()).expect("it is held still");
    holding.join().expect("no panic").expect("written");
    let cancelled = cancelling.join().expect("no panic");
    assert!(matches!(cancelled, Err(Refusal::NoAddressChange)), "{cancelled:?}");
}
