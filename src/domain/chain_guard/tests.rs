//! Tests each trouble in a table, and random histories of troubles.

use bitcoin::hashes::Hash;
use proptest::prelude::*;

use super::*;

fn hash(n: u8) -> BlockHash {
    BlockHash::from_byte_array([n; 32])
}

#[test]
fn only_long_recent_branches_start_the_chain_guard() {
    #[track_caller]
    fn check(height: u32, blocks: u32, state: BranchState, expected: Option<Trouble>) {
        let branch = Branch { height, hash: hash(1), blocks, state };
        assert_eq!(evaluate_branch(&branch, 100), expected, "{branch:?}");
    }
    let (invalid, competing) = (Trouble::Invalid(hash(1)), Trouble::Competing(hash(1)));
    check(100, 3, BranchState::Invalid, Some(invalid));
    check(100, 3, BranchState::Competing, Some(competing));
    check(100, 2, BranchState::Invalid, None);
    check(100, 2, BranchState::Competing, None);
    check(77, 3, BranchState::Competing, Some(competing));
    check(76, 50, BranchState::Competing, None);
    check(76, 50, BranchState::Invalid, None);
    // Above our tip: headers of a longer branch, or a chain that the operator invalidated.
    check(113, 13, BranchState::Invalid, Some(invalid));
    check(u32::MAX, 13, BranchState::Competing, Some(competing));
    check(100, 0, BranchState::Active, None);
    check(100, 9, BranchState::Active, None);
}

#[test]
fn blocks_are_slow_only_after_a_full_observation_window() {
    #[track_caller]
    fn check(blocks: u32, watched_minutes: i64, slow: bool) {
        let pace = Pace { blocks, watched_ms: watched_minutes * 60_000 };
        assert_eq!(evaluate_pace(pace).is_some(), slow, "{pace:?}");
    }
    check(5, 60, true);
    check(0, 600, true);
    check(6, 60, false);
    check(24, 600, false);
    check(0, 59, false);
    check(0, 0, false);
}

#[test]
fn nodes_disagree_at_once_on_blocks_and_later_on_heights() {
    #[track_caller]
    fn check(apart: u32, same_chain: bool, apart_minutes: i64, disagree: bool) {
        let second = SecondNode { apart, same_chain, apart_ms: apart_minutes * 60_000 };
        assert_eq!(evaluate_second_node(second).is_some(), disagree, "{second:?}");
    }
    check(0, true, 0, false);
    check(0, false, 0, true);
    check(1, true, 600, false);
    check(2, true, 600, false);
    check(3, true, 9, false);
    check(3, true, 10, true);
    check(5_000, true, 0, false);
}

/// Evaluates these troubles at growing heights and returns the verdicts.
fn run(passes: &[(u32, &[Trouble])]) -> Vec<Verdict> {
    let mut model = Model::default();
    passes
        .iter()
        .map(|(height, seen)| model.evaluate(*height, &seen.iter().copied().collect()))
        .collect()
}

#[derive(Default)]
struct Model {
    open: Option<ActiveGuard>,
    known: BTreeSet<Trouble>,
}

impl Model {
    /// As the store does it.
    fn evaluate(&mut self, height: u32, troubles: &BTreeSet<Trouble>) -> Verdict {
        let verdict = evaluate(self.open.as_ref(), &self.known, troubles, height);
        match verdict {
            Verdict::Unchanged => {}
            Verdict::Begin(trouble) => {
                self.open = Some(ActiveGuard {
                    began_at: Timestamp::from_ms(0),
                    began_height: height,
                    reason: trouble.as_str().to_owned(),
                    last_trouble_height: height,
                });
            }
            Verdict::GoesOn => {
                if let Some(open) = &mut self.open {
                    open.last_trouble_height = height;
                }
            }
            Verdict::End => self.open = None,
        }
        self.known.clone_from(troubles);
        verdict
    }
}

#[test]
fn a_branch_is_reported_once_and_again_when_it_grows() {
    let (short, grown) = (Trouble::Competing(hash(1)), Trouble::Competing(hash(2)));
    let verdicts = run(&[
        (100, &[short]),
        (110, &[short]),
        (110, &[grown]),
        (133, &[grown]),
        (134, &[grown]),
        (135, &[grown]),
    ]);
    let (begin, same) = (Verdict::Begin(short), Verdict::Unchanged);
    assert_eq!(verdicts, [begin, same, Verdict::GoesOn, same, Verdict::End, same]);
}

#[test]
fn the_chain_guard_ends_24_blocks_after_the_trouble_ends() {
    let slow = Trouble::SlowBlocks;
    let verdicts =
        run(&[(100, &[slow]), (130, &[slow]), (131, &[]), (153, &[]), (154, &[]), (160, &[slow])]);
    let (begin, same) = (Verdict::Begin(slow), Verdict::Unchanged);
    assert_eq!(verdicts, [begin, Verdict::GoesOn, same, same, Verdict::End, begin]);
}

#[test]
fn a_manually_ended_chain_guard_restarts_only_on_new_trouble() {
    let mut model = Model::default();
    let disagree: BTreeSet<Trouble> = [Trouble::NodesDisagree].into();
    assert_eq!(model.evaluate(100, &disagree), Verdict::Begin(Trouble::NodesDisagree));
    model.open = None; // ended by an operator
    assert_eq!(model.evaluate(101, &disagree), Verdict::Unchanged);
    let branch = Trouble::Invalid(hash(7));
    let both: BTreeSet<Trouble> = [Trouble::NodesDisagree, branch].into();
    assert_eq!(model.evaluate(102, &both), Verdict::Begin(branch));
    model.open = None;
    assert_eq!(model.evaluate(103, &BTreeSet::new()), Verdict::Unchanged);
    assert_eq!(model.evaluate(104, &disagree), Verdict::Begin(Trouble::NodesDisagree));
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::NodesDisagree),
        Just(Trouble::SlowBlocks),
        (0..4u8).prop_map(|n| Trouble::Invalid(hash(n))),
        (0..4u8).prop_map(|n| Trouble::Competing(hash(n))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Blocks come singly and in bursts; most passes find no trouble.
    #[test]
    fn the_chain_guard_always_ends_and_never_early(
        passes in prop::collection::vec(
            (0..12u32, prop_oneof![
                4 => Just(BTreeSet::new()),
                1 => prop::collection::btree_set(trouble(), 0..3),
            ]),
            1..60,
        )
    ) {
        let mut model = Model::default();
        let mut height = 1_000u32;
        let mut before = BTreeSet::new();
        let mut last_new = None;
        for (blocks, troubles) in passes {
            height += blocks;
            let was_open = model.open.is_some();
            let is_new = troubles.iter().any(|t| !before.contains(t));
            let lasting = troubles.iter().any(|t| t.branch().is_none());
            model.evaluate(height, &troubles);
            if is_new || (was_open && lasting) {
                prop_assert!(model.open.is_some(), "trouble is never overlooked");
                last_new = Some(height);
            }
            let quiet = last_new.map(|at| height - at);
            let expected = quiet.is_some_and(|quiet| quiet < QUIET_BLOCKS);
            prop_assert_eq!(model.open.is_some(), expected, "{:?} quiet blocks", quiet);
            before = troubles;
        }
    }
}
