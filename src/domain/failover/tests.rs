//! Tests of failover as scenarios of probes.

use super::*;

const PATIENCE_MS: i64 = 30;

/// A probe result as text: `110` is its height, `110!` rejects the blocks above it, `110?` is
/// on another chain than the current node.
fn probe(word: &str) -> ProbeResult {
    match word {
        "silent" => ProbeResult::Silent,
        "unfit" => ProbeResult::Unfit,
        "syncing" => ProbeResult::Syncing,
        "behind" => ProbeResult::BehindUs,
        other => ProbeResult::Stands(ChainView {
            height: other.trim_end_matches(['!', '?']).parse().expect("a height"),
            same_chain: !other.ends_with('?'),
            refuses: other.ends_with('!'),
        }),
    }
}

/// Runs probes, one per line: the time, the result of each node, and the node followed
/// afterwards.
#[track_caller]
fn check(scenario: &str) {
    let mut pool: Option<NodePool> = None;
    for line in scenario.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (round, expected) = line.split_once("->").expect("what follows");
        let mut words = round.split_whitespace();
        let now: i64 = words.next().and_then(|word| word.parse().ok()).expect("a time");
        let probes: Vec<ProbeResult> = words.map(probe).collect();
        let pool = pool.get_or_insert_with(|| NodePool::new(probes.len(), 0, PATIENCE_MS, now));
        pool.see(&probes, now);
        if let Some(next) = pool.next(now) {
            pool.follow(next);
        }
        assert_eq!(pool.in_use().to_string(), expected.trim(), "{line}");
    }
}

#[test]
fn a_healthy_node_is_never_left() {
    check(
        "0    110 110 -> 0
         500  111 110 -> 0
         900  111 112 -> 0
         1500 112 112 -> 0",
    );
}

#[test]
fn an_unreachable_node_is_left_only_after_the_timeout() {
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
fn a_healthy_probe_restarts_the_failover_timeout() {
    check(
        "0  silent 110 -> 0
         29 110 110    -> 0
         31 silent 110 -> 0
         60 silent 110 -> 0
         61 silent 110 -> 1",
    );
}

#[test]
fn the_comparison_node_is_one_that_answers() {
    let other = |words: &str, in_use, present| {
        let probes: Vec<ProbeResult> = words.split_whitespace().map(probe).collect();
        let mut pool = NodePool::new(probes.len(), in_use, PATIENCE_MS, 0);
        pool.see(&probes, 0);
        pool.other(present)
    };
    assert_eq!(other("110", 0, None), None, "there is no other");
    assert_eq!(other("110 110 110", 0, None), Some(1));
    assert_eq!(other("silent 110 110", 1, None), Some(2), "not the one that was left for dead");
    assert_eq!(other("110 syncing 110", 0, None), Some(2));
    assert_eq!(other("110 silent 110", 0, Some(1)), Some(2), "it died later");
    assert_eq!(other("110 110 110", 0, Some(2)), Some(2), "no change without need");
    assert_eq!(other("110 110 110", 2, Some(2)), Some(0), "never the one in use");
    // They may be unhealthy because they disagree, so they must stay visible.
    assert_eq!(other("110 110 unfit", 0, Some(2)), Some(2));
    assert_eq!(other("110 110 behind", 0, Some(2)), Some(2));
    assert_eq!(other("110 silent silent", 0, Some(2)), Some(2), "nobody is better");
    assert_eq!(other("110 silent silent", 0, None), Some(1));
}

#[test]
fn the_gateway_keeps_its_node_if_no_node_is_healthy() {
    check(
        "0   silent silent  -> 0
         50  silent syncing -> 0
         90  silent behind  -> 0
         130 silent unfit   -> 0
         170 silent 110     -> 1",
    );
}

#[test]
fn each_failure_reason_triggers_failover_and_others_do_not() {
    for reason in ["silent", "unfit", "behind", "syncing", "100"] {
        check(&format!(
            "0  110 110      -> 0
             10 {reason} 110 -> 0
             40 {reason} 110 -> 1"
        ));
    }
    // One block behind is in transit.
    check(
        "0  109 110 -> 0
         99 109 110 -> 0",
    );
}

#[test]
fn failover_takes_the_next_healthy_node_and_wraps_around() {
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
fn a_node_that_refuses_or_lacks_another_branch_is_not_left() {
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
fn nodes_that_lag_alternately_cause_no_flapping() {
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
fn the_previous_node_is_reused_if_the_current_one_fails() {
    check(
        "0  silent 110 -> 0
         30 silent 110 -> 1
         31 110 silent -> 1
         61 110 silent -> 0",
    );
}

#[test]
fn an_unstable_node_replaces_only_an_unreachable_one() {
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

/// Whatever the nodes do, the pool switches at most once per timeout.
#[test]
fn failover_happens_at_most_once_per_timeout() {
    use proptest::prelude::*;
    let words = ["silent", "unfit", "syncing", "behind", "110", "113", "116", "110!", "113?"];
    let round = proptest::collection::vec(proptest::sample::select(words.to_vec()), 3);
    let rounds = proptest::collection::vec((1i64..20, round), 1..200);
    proptest!(|(rounds in rounds)| {
        let (mut now, mut changed_at) = (0, None::<i64>);
        let mut pool = NodePool::new(3, 0, PATIENCE_MS, now);
        for (pause, words) in rounds {
            now += pause;
            let probes: Vec<ProbeResult> = words.iter().map(|word| probe(word)).collect();
            pool.see(&probes, now);
            let Some(next) = pool.next(now) else { continue };
            prop_assert_ne!(next, pool.in_use());
            prop_assert!(pool.health().nth(next) == Some(Health::Well));
            prop_assert!(changed_at.is_none_or(|at| now - at >= PATIENCE_MS));
            pool.follow(next);
            changed_at = Some(now);
        }
    });
}
