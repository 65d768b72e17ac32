//! What the roles say of themselves, as administrators hear of it.

use super::*;
use crate::store::Store;

mod hot;
mod lost;
mod waits;

/// Half a minute, in which nothing is repeated.
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

    /// Lets a role say something, looks, and gives what is told.
    fn told(&self, role: &'static str, note: &'static str, at_ms: i64) -> Vec<String> {
        let now = Timestamp::from_ms(at_ms);
        let found = self.store.write_blocking(move |tx| {
            progress::record(tx, role, now, note)?;
            let drafts = of_notes(tx, now)?;
            for draft in &drafts {
                rows::insert(tx, draft, now)?;
            }
            Ok::<_, store::Error>(drafts)
        });
        found.expect("looked").into_iter().map(|draft| draft.text).collect()
    }
}

#[test]
fn a_silent_zmq_is_told_once_and_so_is_its_return() {
    let scene = Scene::new();
    let told = |note, at_ms| scene.told(WATCHER, note, at_ms);
    assert!(told("height 5 (zmq)", 0).is_empty());
    let cut = told("height 5 (polling: ZMQ is silent)", SOON_MS);
    assert!(cut.len() == 1 && cut[0].contains("ZMQ says nothing"), "{cut:?}");
    assert!(told("height 6 (polling: no connection to the node's ZMQ)", 2 * SOON_MS).is_empty());
    let back = told("height 7 (zmq)", 3 * SOON_MS);
    assert!(back.len() == 1 && back[0].contains("as configured again"), "{back:?}");
    assert!(told("height 8 (zmq)", 4 * SOON_MS).is_empty());
    // What comes and goes is not told at each time.
    assert!(told("height 9 (polling: ZMQ is silent)", 5 * SOON_MS).is_empty());
    let again = told("height 9 (polling: ZMQ is silent)", 5 * SOON_MS + REPEAT_MS_MIN);
    assert_eq!(again.len(), 1);
}

#[test]
fn polling_that_was_chosen_is_no_news() {
    let scene = Scene::new();
    assert!(scene.told(WATCHER, "height 5 (polling: no ZMQ configured)", 0).is_empty());
    assert!(
        scene.told(WATCHER, "height 5 (polling: the node was built without ZMQ)", 1).is_empty()
    );
}

#[test]
fn coins_that_wait_for_a_lower_fee_are_told_every_six_hours_at_most() {
    let scene = Scene::new();
    let told = |note, at_ms| scene.told(SWEEPER, note, at_ms);
    assert!(told("1 sent, 2 coins wait", 0).is_empty());
    let dear = "0 sent, 2 coins wait, 2 of them for a lower fee";
    assert!(told(dear, SOON_MS)[0].contains("sweeper.max_fee_percent"));
    assert!(told(dear, SOON_MS + REPEAT_MS_MIN - 1).is_empty());
    assert_eq!(told(dear, SOON_MS + REPEAT_MS_MIN).len(), 1);
}

/// The surroundings of a look at a quiet time.
fn quiet() -> Surroundings {
    Surroundings {
        network: Network::Regtest,
        off: Vec::new(),
        node: None,
        low_disk: None,
        hot_limit: None,
        started_at: Timestamp::from_ms(0),
    }
}

impl Scene {
    /// Looks at the whole, and gives what is told of it.
    fn looked(&self, around: &Surroundings, at_ms: i64) -> Vec<String> {
        let (now, around) = (Timestamp::from_ms(at_ms), around.clone());
        let found = self.store.write_blocking(move |tx| {
            let drafts = of_the_whole(tx, &around, now)?;
            let mut wanted = Vec::new();
            for draft in drafts {
                if is_wanted(tx, &draft, &around)? && !rows::is_known(tx, &draft.key)? {
                    rows::insert(tx, &draft, now)?;
                    wanted.push(draft.text);
                }
            }
            Ok::<_, store::Error>(wanted)
        });
        found.expect("looked")
    }

    fn write(&self, job: impl FnOnce(&WriteTx) -> Result<(), store::Error> + Send + 'static) {
        self.store.write_blocking(job).expect("written");
    }
}

#[test]
fn a_doubt_is_told_and_one_that_comes_again_soon_is_not() {
    use bitcoin::BlockHash;
    use bitcoin::hashes::Hash;

    let scene = Scene::new();
    let looks = |height: u32, slow: bool| {
        scene.write(move |tx| {
            let tip = crate::domain::chain::BlockId { height, hash: BlockHash::all_zeros() };
            let slow = slow.then_some(crate::domain::doubt::Trouble::SlowBlocks);
            let troubles = slow.into_iter().collect();
            let look = doubts::Look { tip, troubles, second_node_silent: false };
            doubts::record(tx, &look, Timestamp::from_ms(i64::from(height))).map(|_| ())
        });
    };
    assert!(scene.looked(&quiet(), 0).is_empty());
    looks(100, true);
    let told = scene.looked(&quiet(), 100);
    assert!(told.len() == 1 && told[0].contains("`litegate doubt`"), "{told:?}");
    assert!(scene.looked(&quiet(), 200).is_empty());
    scene.write(|tx| doubts::end(tx, "cli", Timestamp::from_ms(300)).map(|_| ()));
    looks(350, false);
    looks(400, true);
    let again = scene.looked(&quiet(), 500);
    assert!(again.is_empty(), "{again:?}");
    let off = Surroundings { off: vec![Kind::Doubt], ..quiet() };
    assert!(scene.looked(&off, 100 + REPEAT_MS_MIN).is_empty());
    assert_eq!(scene.looked(&quiet(), 100 + REPEAT_MS_MIN).len(), 1);
}

#[test]
fn a_sweeper_that_cannot_work_now_and_then_is_told_every_six_hours_at_most() {
    let scene = Scene::new();
    let minute = 60_000;
    let fails_after = |at_ms: i64| {
        scene.write(move |tx| {
            progress::record(tx, SWEEPER, Timestamp::from_ms(at_ms), "nothing to send")?;
            progress::record_trouble(tx, SWEEPER, "the node says no")
        });
    };
    fails_after(0);
    assert!(scene.looked(&quiet(), 20 * minute).is_empty(), "it may pass");
    let told = scene.looked(&quiet(), 31 * minute);
    assert!(told.len() == 1 && told[0].contains("the node says no"), "{told:?}");
    fails_after(60 * minute);
    assert!(scene.looked(&quiet(), 120 * minute).is_empty());
    assert_eq!(scene.looked(&quiet(), 31 * minute + REPEAT_MS_MIN).len(), 1);
}

#[test]
fn what_an_audit_found_is_told_and_so_is_that_it_finds_nothing_more() {
    use crate::acts::audit;

    let scene = Scene::new();
    let audited = |differences: usize, at_ms: i64| {
        let now = Timestamp::from_ms(at_ms);
        scene.write(move |tx| audit::record(tx, differences, now));
        scene.looked(&quiet(), at_ms)
    };
    assert!(audited(0, 0).is_empty());
    let found = audited(3, SOON_MS);
    assert!(found.len() == 1 && found[0].contains("3 differences"), "{found:?}");
    assert!(audited(3, 2 * SOON_MS).is_empty());
    assert!(audited(0, 3 * SOON_MS)[0].contains("clean again"));
    assert!(audited(1, 4 * SOON_MS).is_empty(), "told a moment ago");
    assert_eq!(audited(1, 3 * SOON_MS + REPEAT_MS_MIN).len(), 1);
}
