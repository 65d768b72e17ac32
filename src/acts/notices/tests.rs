//! What the roles say of themselves, as administrators hear of it.

use super::*;
use crate::store::Store;

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
