//! `[log] on-drift`, in the words a pusher reads.

use portcullis::facts::past::DriftSeen;
use portcullis::judge::{judge, needs};
use portcullis::message::closing::{Closing, Reach, Room};
use portcullis::message::pusher;
use portcullis::names::oid::{ObjectFormat, Oid};
use portcullis::verdict::Verdict;

use crate::made::{alone, branch, change, now, oid, policy, push, step, update};

const CASES: &str = include_str!("../cases/message/drift.txt");

const RULE: &str = "[rule.plans]\nkind = \"check\"\nrefs = [\"main\"]\nchecks = [\"plan\"]\n\
    from = [\"plan-bot\"]\npaths = [\"infra/**\"]\n";
const REFUSE: &str = "[log]\non-drift = \"refuse\"\n";

/// What is said to a push to this branch, which was moved past the gate.
fn told(text: &str, short: &str, found: Oid) -> (Verdict, String) {
    let policy = policy(text);
    let step = step(1, &[change("app/x", 1, 2)]);
    let mut update = update(&policy, short, vec![alone(step)], None);
    update.drift = Some(DriftSeen { entry: 412, logged: oid(1), found });
    let judgement = judge(&policy, &push(vec![update]));
    let reach = Reach::WholePush;
    let closing = Closing {
        entry: Some(414),
        head: Some("8c1f2ad0e5b7"),
        you: None,
        reach,
        room: Room::default(),
    };
    (judgement.verdict(), pusher::judged(&judgement, &closing))
}

#[track_caller]
fn reads(case: &str, message: &str) {
    let found = CASES.split("\n== ").find_map(|it| it.split_once('\n').filter(|c| c.0 == case));
    let expected = found.map_or("", |it| it.1.trim_end_matches('\n'));
    assert_eq!(message, format!("{expected}\n"), "{case}:\n{message}");
}

#[test]
fn a_protected_ref_that_was_moved_says_what_the_operators_have_to_do() {
    let warned = RULE.replace("refs", "level = \"warn\"\nrefs");
    let text = format!("{RULE}{REFUSE}");
    reads("moved", &told(&text, "main", oid(3)).1);
    reads("deleted", &told(&text, "main", Oid::zero(ObjectFormat::Sha1)).1);
    // Nobody asked, or nothing is protected.
    for (text, short) in [
        (RULE.to_owned(), "main"),
        (format!("{RULE}[log]\non-drift = \"record\"\n"), "main"),
        (text, "topic"),
        (format!("{warned}{REFUSE}"), "main"),
    ] {
        let (verdict, said) = told(&text, short, oid(3));
        assert_eq!(verdict, Verdict::Accept, "{said}");
    }
}

#[test]
fn the_log_is_asked_only_where_the_answer_counts() {
    let asks = |text: &str, short: &str| {
        needs(&policy(text), &branch(short), Some(&branch("main")), now()).drift
    };
    assert!(asks(&format!("{RULE}{REFUSE}"), "main"));
    assert!(!asks(&format!("{RULE}{REFUSE}"), "topic"));
    assert!(!asks(RULE, "main"));
}
