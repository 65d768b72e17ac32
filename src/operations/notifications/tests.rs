//! Unit tests: when notifications are made, and that each is made once.

use super::operator::{REPEAT_MS_MIN, of_notes, of_states};
use super::*;
use crate::domain::network::Network;
use crate::store::Store;
use crate::store::chain_guard_alerts;
use crate::view::role_status::{NotificationMode, PollingReason};

mod hot;
mod lost;
mod waits;

/// Half a minute: too short for a repetition.
const SOON_MS: i64 = 30_000;

struct Scene {
    _dir: tempfile::TempDir,
    store: Store,
}

impl Scene {
    fn new() -> Scene {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        Scene { _dir: dir, store }
    }

    /// Records a role's report, and returns the notifications that follow.
    fn notified(&self, role: Role, report: RoleReport, at_ms: i64) -> Vec<String> {
        let now = Timestamp::from_ms(at_ms);
        let found = self.store.write_blocking(move |tx| {
            role_status::record(tx, role, now, &report)?;
            let drafts = of_notes(tx, now)?;
            for draft in &drafts {
                rows::insert(tx, draft, now)?;
            }
            Ok::<_, store::Error>(drafts)
        });
        found.expect("a pass").into_iter().map(|draft| draft.text).collect()
    }
}

#[test]
fn zmq_silence_and_recovery_are_each_reported_once() {
    let scene = Scene::new();
    let notified = |mode, at_ms| scene.notified(Role::Watcher, at_tip(mode), at_ms);
    let silent = NotificationMode::Polling(PollingReason::Silent);
    assert!(notified(NotificationMode::Zmq, 0).is_empty());
    let cut = notified(silent, SOON_MS);
    assert!(cut.len() == 1 && cut[0].contains("ZMQ is silent"), "{cut:?}");
    let unconnected = NotificationMode::Polling(PollingReason::NotConnected);
    assert!(notified(unconnected, 2 * SOON_MS).is_empty());
    let back = notified(NotificationMode::Zmq, 3 * SOON_MS);
    assert!(back.len() == 1 && back[0].contains("arrive again"), "{back:?}");
    assert!(notified(NotificationMode::Zmq, 4 * SOON_MS).is_empty());
    // An outage that comes and goes is not reported each time.
    assert!(notified(silent, 5 * SOON_MS).is_empty());
    assert_eq!(notified(silent, 5 * SOON_MS + REPEAT_MS_MIN).len(), 1);
}

#[test]
fn configured_polling_is_not_reported() {
    let scene = Scene::new();
    for reason in [PollingReason::NotConfigured, PollingReason::NotBuiltIn] {
        let report = at_tip(NotificationMode::Polling(reason));
        assert!(scene.notified(Role::Watcher, report, 0).is_empty());
    }
}

fn at_tip(mode: NotificationMode) -> RoleReport {
    RoleReport::AtTip { height: 5, mode }
}

#[test]
fn coins_waiting_for_low_fees_are_reported_every_six_hours() {
    let scene = Scene::new();
    let notified = |sent, too_expensive, at_ms| {
        let report = RoleReport::Swept { sent, waiting: 2, too_expensive };
        scene.notified(Role::Sweeper, report, at_ms)
    };
    assert!(notified(1, 0, 0).is_empty());
    assert!(notified(0, 2, SOON_MS)[0].contains("sweeper.max_fee_percent"));
    assert!(notified(0, 2, SOON_MS + REPEAT_MS_MIN - 1).is_empty());
    assert_eq!(notified(0, 2, SOON_MS + REPEAT_MS_MIN).len(), 1);
}

/// Inputs of a pass without problems.
fn quiet() -> PassContext {
    PassContext {
        network: Network::Regtest,
        off: Vec::new(),
        node: None,
        low_disk: None,
        hot_limit: None,
        started_at: Timestamp::from_ms(0),
    }
}

impl Scene {
    /// Runs a pass over all states, and returns its notifications.
    fn run_pass(&self, around: &PassContext, at_ms: i64) -> Vec<String> {
        let (now, around) = (Timestamp::from_ms(at_ms), around.clone());
        let found = self.store.write_blocking(move |tx| {
            let mut drafts = of_states(tx, &around, now)?;
            drafts.extend(merchant::of_lost_payments(tx)?);
            let mut wanted = Vec::new();
            for draft in drafts {
                if is_wanted(tx, &draft, &around)? && !rows::is_known(tx, &draft.key)? {
                    rows::insert(tx, &draft, now)?;
                    wanted.push(draft.text);
                }
            }
            Ok::<_, store::Error>(wanted)
        });
        found.expect("a pass")
    }

    fn write(&self, job: impl FnOnce(&WriteTx) -> Result<(), store::Error> + Send + 'static) {
        self.store.write_blocking(job).expect("written");
    }
}

#[test]
fn the_chain_guard_is_reported_but_not_again_soon() {
    use bitcoin::BlockHash;
    use bitcoin::hashes::Hash;

    let scene = Scene::new();
    let looks = |height: u32, slow: bool| {
        scene.write(move |tx| {
            let tip = crate::domain::chain::BlockId { height, hash: BlockHash::all_zeros() };
            let slow = slow.then_some(crate::domain::chain_guard::Trouble::SlowBlocks);
            let troubles = slow.into_iter().collect();
            let look = chain_guard_alerts::Observation { tip, troubles, second_node_silent: false };
            chain_guard_alerts::record(tx, &look, Timestamp::from_ms(i64::from(height))).map(|_| ())
        });
    };
    assert!(scene.run_pass(&quiet(), 0).is_empty());
    looks(100, true);
    let notified = scene.run_pass(&quiet(), 100);
    assert!(notified.len() == 1 && notified[0].contains("`litegate chain-guard`"), "{notified:?}");
    assert!(scene.run_pass(&quiet(), 200).is_empty());
    scene.write(|tx| chain_guard_alerts::end(tx, "cli", Timestamp::from_ms(300)).map(|_| ()));
    looks(350, false);
    looks(400, true);
    let again = scene.run_pass(&quiet(), 500);
    assert!(again.is_empty(), "{again:?}");
    let off = PassContext { off: vec![Kind::ChainGuard], ..quiet() };
    assert!(scene.run_pass(&off, 100 + REPEAT_MS_MIN).is_empty());
    assert_eq!(scene.run_pass(&quiet(), 100 + REPEAT_MS_MIN).len(), 1);
}

#[test]
fn a_failing_sweeper_is_reported_at_most_every_six_hours() {
    let scene = Scene::new();
    let minute = 60_000;
    let fails_after = |at_ms: i64| {
        scene.write(move |tx| {
            let swept = RoleReport::Swept { sent: 0, waiting: 0, too_expensive: 0 };
            role_status::record(tx, Role::Sweeper, Timestamp::from_ms(at_ms), &swept)?;
            role_status::record_trouble(tx, Role::Sweeper, "the node says no")
        });
    };
    fails_after(0);
    assert!(scene.run_pass(&quiet(), 20 * minute).is_empty(), "it may pass");
    let notified = scene.run_pass(&quiet(), 31 * minute);
    assert!(notified.len() == 1 && notified[0].contains("the node says no"), "{notified:?}");
    fails_after(60 * minute);
    assert!(scene.run_pass(&quiet(), 120 * minute).is_empty());
    assert_eq!(scene.run_pass(&quiet(), 31 * minute + REPEAT_MS_MIN).len(), 1);
}

#[test]
fn audit_differences_and_their_resolution_are_reported() {
    use crate::operations::audit;

    let scene = Scene::new();
    let audited = |differences: usize, at_ms: i64| {
        let now = Timestamp::from_ms(at_ms);
        scene.write(move |tx| audit::record(tx, differences, now));
        scene.run_pass(&quiet(), at_ms)
    };
    assert!(audited(0, 0).is_empty());
    let found = audited(3, SOON_MS);
    assert!(found.len() == 1 && found[0].contains("3 differences"), "{found:?}");
    assert!(audited(3, 2 * SOON_MS).is_empty());
    assert!(audited(0, 3 * SOON_MS)[0].contains("clean again"));
    assert!(audited(1, 4 * SOON_MS).is_empty(), "reported a moment ago");
    assert_eq!(audited(1, 3 * SOON_MS + REPEAT_MS_MIN).len(), 1);
}
