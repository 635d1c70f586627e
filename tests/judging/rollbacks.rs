//! A rollback with all that is asked for, where a rule lets it pass: as a whole, or step by step.

use portcullis::facts::landing::{Segment, Step};
use portcullis::facts::rollback::{BackTo, Rollback};
use portcullis::judge::{judge, needs};
use portcullis::names::moment::Moment;
use portcullis::verdict::Verdict;
use portcullis::verdict::line::Line;

use crate::made::{alone, branch, change, oid, policy, push, step, update};

/// Closed on Sundays, when everything here is judged; Eve, who pushes, may roll back.
const RULES: &str = "[rollback]\nby = [\"eve\"]\napprovals = 0\n\
    [rule.sundays]\nkind = \"freeze\"\nrefs = [\"main\"]\nclosed = [{ days = [\"sun\"] }]\n";

fn back(number: u32) -> Step {
    let rollback = Rollback::To(BackTo {
        commit: oid(number),
        state: oid(1),
        entry: 12,
        left: oid(2),
        paths: Vec::new(),
    });
    Step { rollback: Some(rollback), ..forward(number) }
}

fn forward(number: u32) -> Step {
    step(number, &[change("infra/a", 1, 2)])
}

fn no_way_back(number: u32) -> Step {
    let why = Line::new("infra/a is not as it was");
    Step { rollback: Some(Rollback::Not(why)), ..forward(number) }
}

fn lands(segments: Vec<Segment>, whole: Option<Step>) -> bool {
    let policy = policy(RULES);
    let judgement = judge(&policy, &push(vec![update(&policy, "main", segments, whole)]));
    judgement.verdict() == Verdict::Accept
}

#[test]
fn a_rollback_lands_while_it_is_closed_and_nothing_else_does() {
    assert!(lands(vec![alone(back(1))], None));
    assert!(!lands(vec![alone(forward(1))], None));
    assert!(!lands(vec![alone(no_way_back(1))], None));
    assert!(!lands(vec![], None));
}

#[test]
fn every_segment_has_to_be_one_in_some_reading() {
    let each = |each: Vec<Step>| Segment { whole: forward(1), each };
    assert!(lands(vec![alone(back(1)), alone(back(2))], None));
    assert!(!lands(vec![alone(back(1)), alone(forward(2))], None));
    assert!(!lands(vec![alone(forward(1)), alone(back(2))], None));
    assert!(lands(vec![each(vec![back(2), back(3)])], None));
    assert!(!lands(vec![each(vec![back(2), forward(3)])], None));
    assert!(!lands(vec![each(vec![forward(2), back(3)])], None));
    assert!(!lands(vec![each(vec![])], None));
    // All of it, taken as one step.
    assert!(lands(vec![alone(forward(1)), alone(forward(2))], Some(back(3))));
    assert!(!lands(vec![alone(forward(1)), alone(forward(2))], Some(forward(3))));
}

#[test]
fn nothing_is_gathered_for_a_freeze_while_it_is_open() {
    let policy = policy(RULES);
    let asked = |at: &str| {
        let at = Moment::parse_seconds(at).unwrap();
        needs(&policy, &branch("main"), None, at).rules.remove(0).needs
    };
    assert!(!asked("2026-11-21T12:00:00Z").landing);
    assert!(asked("2026-11-22T12:00:00Z").landing);
}
