use super::*;

const PATIENCE_MS: i64 = 30;

/// A sight by a word: `110` stands there, `110!` refuses what is above, `110?` is on a chain that
/// is not the one in use.
fn sight(word: &str) -> Sight {
    match word {
        "silent" => Sight::Silent,
        "unfit" => Sight::Unfit,
        "syncing" => Sight::Syncing,
        "behind" => Sight::BehindUs,
        other => Sight::Stands(Stand {
            height: other.trim_end_matches(['!', '?']).parse().expect("a height"),
            same_chain: !other.ends_with('?'),
            refuses: other.ends_with('!'),
        }),
    }
}

/// Plays looks, a line each: the time, the sight of each node, and the node in use afterwards.
#[track_caller]
fn check(story: &str) {
    let mut roll: Option<Roll> = None;
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (look, expected) = line.split_once("->").expect("what follows");
        let mut words = look.split_whitespace();
        let now: i64 = words.next().and_then(|word| word.parse().ok()).expect("a time");
        let sights: Vec<Sight> = words.map(sight).collect();
        let roll = roll.get_or_insert_with(|| Roll::new(sights.len(), 0, PATIENCE_MS, now));
        roll.see(&sights, now);
        if let Some(next) = roll.next(now) {
            roll.follow(next);
        }
        assert_eq!(roll.in_use().to_string(), expected.trim(), "{line}");
    }
}

#[test]
fn who_is_well_is_never_left() {
    check(
        "0    110 110 -> 0
         500  111 110 -> 0
         900  111 112 -> 0
         1500 112 112 -> 0",
    );
}

#[test]
fn one_that_is_out_of_reach_is_left_after_the_patience_and_not_before() {
    check(
        "0   110 110    -> 0
         10  silent 110 -> 0
         39  silent 110 -> 0
         40  silent 110 -> 1
         50  110 110    -> 1
         900 110 110    -> 1",
    );
}

#[test]
fn a_moment_of_health_begins_the_patience_anew() {
    check(
        "0  silent 110 -> 0
         29 110 110    -> 0
         31 silent 110 -> 0
         60 silent 110 -> 0
         61 silent 110 -> 1",
    );
}

#[test]
fn the_node_to_compare_with_is_one_that_answers() {
    let other = |words: &str, in_use, present| {
        let sights: Vec<Sight> = words.split_whitespace().map(sight).collect();
        let mut roll = Roll::new(sights.len(), in_use, PATIENCE_MS, 0);
        roll.see(&sights, 0);
        roll.other(present)
    };
    assert_eq!(other("110", 0, None), None, "there is no other");
    assert_eq!(other("110 110 110", 0, None), Some(1));
    assert_eq!(other("silent 110 110", 1, None), Some(2), "not the one that was left for dead");
    assert_eq!(other("110 syncing 110", 0, None), Some(2));
    assert_eq!(other("110 silent 110", 0, Some(1)), Some(2), "it died later");
    assert_eq!(other("110 110 110", 0, Some(2)), Some(2), "no change without need");
    assert_eq!(other("110 110 110", 2, Some(2)), Some(0), "never the one in use");
    // They may be so because they disagree: then it must go on to be seen.
    assert_eq!(other("110 110 unfit", 0, Some(2)), Some(2));
    assert_eq!(other("110 110 behind", 0, Some(2)), Some(2));
    assert_eq!(other("110 silent silent", 0, Some(2)), Some(2), "nobody is better");
    assert_eq!(other("110 silent silent", 0, None), Some(1));
}

#[test]
fn where_nobody_is_well_nothing_changes() {
    check(
        "0   silent silent  -> 0
         50  silent syncing -> 0
         90  silent behind  -> 0
         130 silent unfit   -> 0
         170 silent 110     -> 1",
    );
}

#[test]
fn each_reason_to_leave_and_none_to_stay() {
    for reason in ["silent", "unfit", "behind", "syncing", "100"] {
        check(&format!(
            "0  110 110      -> 0
             10 {reason} 110 -> 0
             40 {reason} 110 -> 1"
        ));
    }
    // One block behind is on its way.
    check(
        "0  109 110 -> 0
         99 109 110 -> 0",
    );
}

#[test]
fn the_next_in_the_list_is_taken_and_the_first_comes_after_the_last() {
    check(
        "0   110 110 110       -> 0
         30  silent 110 110    -> 0
         60  silent 110 110    -> 1
         70  110 silent silent -> 1
         100 110 silent silent -> 0",
    );
    check(
        "0  silent unfit 110 -> 0
         30 silent unfit 110 -> 2",
    );
}

#[test]
fn a_node_that_refuses_the_others_blocks_or_is_on_another_branch_is_not_left_for_them() {
    check(
        "0  110! 113 -> 0
         99 110! 113 -> 0",
    );
    check(
        "0  110 113? -> 0
         99 110 113? -> 0",
    );
}

#[test]
fn two_that_lag_in_turn_do_not_make_us_run_back_and_forth() {
    check(
        "0   110 110 -> 0
         10  110 114 -> 0
         40  110 114 -> 1
         50  118 114 -> 1
         80  118 114 -> 1
         340 118 114 -> 1
         350 118 114 -> 0",
    );
}

#[test]
fn one_that_was_left_is_taken_back_at_once_if_the_other_is_gone() {
    check(
        "0  silent 110 -> 0
         30 silent 110 -> 1
         31 110 silent -> 1
         61 110 silent -> 0",
    );
}

#[test]
fn one_that_comes_and_goes_is_taken_only_where_there_is_nothing_to_lose() {
    check(
        "0  syncing silent -> 0
         40 syncing 110    -> 0
         50 syncing silent -> 0
         60 syncing 110    -> 0
         90 syncing 110    -> 1",
    );
    check(
        "0  silent silent -> 0
         40 silent 110    -> 1
         50 silent silent -> 1
         60 silent 110    -> 1",
    );
}

/// Whatever the nodes do, we change at most once in each span of the patience.
#[test]
fn it_never_changes_more_often_than_the_patience_lets_it() {
    use proptest::prelude::*;
    let words = ["silent", "unfit", "syncing", "behind", "110", "113", "116", "110!", "113?"];
    let look = proptest::collection::vec(proptest::sample::select(words.to_vec()), 3);
    let looks = proptest::collection::vec((1i64..20, look), 1..200);
    proptest!(|(looks in looks)| {
        let (mut now, mut changed_at) = (0, None::<i64>);
        let mut roll = Roll::new(3, 0, PATIENCE_MS, now);
        for (pause, words) in looks {
            now += pause;
            let sights: Vec<Sight> = words.iter().map(|word| sight(word)).collect();
            roll.see(&sights, now);
            let Some(next) = roll.next(now) else { continue };
            prop_assert_ne!(next, roll.in_use());
            prop_assert!(roll.health().nth(next) == Some(Health::Well));
            prop_assert!(changed_at.is_none_or(|at| now - at >= PATIENCE_MS));
            roll.follow(next);
            changed_at = Some(now);
        }
    });
}
