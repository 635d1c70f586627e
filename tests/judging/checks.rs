//! Rule kind `check`, in the words a pusher reads.

use portcullis::facts::change::PathChange;
use portcullis::facts::evidence::{Candidate, NearCheck, NearMiss, Standing};
use portcullis::facts::landing::{Segment, Step, StepKind};
use portcullis::judge::judge;
use portcullis::message::closing::{Closing, Reach, Room};
use portcullis::message::pusher;
use portcullis::statement::fields::CheckVerdict::{Fail, Pass};
use portcullis::verdict::line::Line;
use portcullis::verdict::{Judgement, Verdict};

use crate::made::{
    alone, change, checked, judged, name, now, oid, policy, push, statement, step, update, with_url,
};

const CASES: &str = include_str!("../cases/message/checks.txt");

const RULE: &str = "[rule.plans]\nkind = \"check\"\nrefs = [\"main\"]\nchecks = [\"plan\"]\n\
    from = [\"plan-bot\", \"scan-bot\"]\npaths = [\"infra/**\"]\n";

fn network() -> Vec<PathChange> {
    vec![change("infra/network.tf", 1, 2)]
}

fn said(judgement: &Judgement) -> String {
    let reach = Reach::WholePush;
    pusher::judged(
        judgement,
        &Closing {
            entry: Some(412),
            head: Some("8c1f2ad0e5b7"),
            you: None,
            reach,
            room: Room::default(),
        },
    )
}

/// What a pusher reads whose step has these checks.
fn told(rules: &str, given: impl FnOnce(&mut Step)) -> String {
    let mut step = step(1, &network());
    given(&mut step);
    said(&judged(&policy(rules), step))
}

/// Compares with the case of this name, and shows the whole message when it differs.
#[track_caller]
fn reads(case: &str, message: &str) {
    let found = CASES.split("\n== ").find_map(|it| it.split_once('\n').filter(|c| c.0 == case));
    let expected = found.map_or("", |it| it.1.trim_end_matches('\n'));
    assert_eq!(message, format!("{expected}\n"), "{case}:\n{message}");
}

#[track_caller]
fn accepts(message: &str) {
    assert!(message.starts_with("success:"), "{message}");
}

#[test]
fn a_missing_check_says_who_can_give_it() {
    reads("missing", &told(RULE, |_| {}));
    let many = RULE.replace("[\"plan\"]", "[\"build\", \"plan\", \"test\"]");
    reads(
        "two of three missing",
        &told(&many, |step| {
            step.checks = vec![checked("plan-bot", "build", Pass, step)];
        }),
    );
    let everything = RULE.replace("paths = [\"infra/**\"]\n", "");
    reads(
        "not on the server yet",
        &told(&everything, |step| {
            step.not_before = step.source.clone();
        }),
    );
}

#[test]
fn a_failed_check_says_where_to_look() {
    reads(
        "failed",
        &told(RULE, |step| {
            let pass = checked("plan-bot", "plan", Pass, step);
            let fail = checked("scan-bot", "plan", Fail, step);
            let url = "https://ci.example.org/\u{e9}/77?a=b&c='d'";
            step.checks = vec![pass, with_url(fail, url)];
        }),
    );
}

#[test]
fn a_check_that_does_not_count_says_why() {
    let old = RULE.replace("paths", "max-age = \"12h\"\npaths");
    reads(
        "too old",
        &told(&old, |step| {
            step.checks = vec![checked("plan-bot", "plan", Pass, step)];
        }),
    );
    reads(
        "expired",
        &told(RULE, |step| {
            let mut pass = checked("plan-bot", "plan", Pass, step);
            let why = Line::new("passed it until 2026-11-22T20:00:00Z, which is over");
            pass.standing = Standing::Not(why);
            step.checks = vec![pass, checked("test-bot", "plan", Pass, step)];
        }),
    );
    let near = |moved| {
        let miss = NearMiss {
            person: name("plan-bot"),
            commit: oid(0xfeed),
            other_ref: None,
            entries: 1,
            step_entries: 1,
            first_new: Some(network()[0].path.clone()),
            moved,
        };
        vec![NearCheck { check: name("plan"), miss }]
    };
    reads("of an earlier form", &told(RULE, |step| step.near_checks = near(false)));
    reads("the branch has moved", &told(RULE, |step| step.near_checks = near(true)));
}

#[test]
fn a_fail_is_never_too_old() {
    let fresh = RULE.replace("paths", "max-age = \"1h\"\npaths");
    let both = |step: &mut Step| {
        let mut pass = checked("plan-bot", "plan", Pass, step);
        pass.says.date = now();
        step.checks = vec![pass, checked("scan-bot", "plan", Fail, step)];
    };
    assert!(told(&fresh, both).contains("check plan failed"));
    accepts(&told(&fresh, |step| {
        both(step);
        step.checks.pop();
    }));
}

#[test]
fn a_word_that_does_not_count_neither_passes_nor_fails() {
    let over = || Standing::Not(Line::new("failed it until 2026-11-22T20:00:00Z, which is over"));
    accepts(&told(RULE, |step| {
        let mut fail = checked("scan-bot", "plan", Fail, step);
        fail.standing = over();
        step.checks = vec![checked("plan-bot", "plan", Pass, step), fail];
    }));
    let message = told(RULE, |step| {
        let mut fail = checked("scan-bot", "plan", Fail, step);
        fail.standing = over();
        step.checks = vec![fail];
    });
    assert!(message.contains("check plan has not passed"), "{message}");
    // Nor does the word of a machine that another rule names.
    accepts(&told(RULE, |step| {
        let other = checked("test-bot", "plan", Fail, step);
        step.checks = vec![checked("plan-bot", "plan", Pass, step), other];
    }));
    // Nor another check.
    let message = told(RULE, |step| step.checks = vec![checked("plan-bot", "lint", Pass, step)]);
    assert!(message.contains("check plan has not passed"), "{message}");
}

#[test]
fn every_entry_has_to_be_in_what_passed() {
    let (a, b) = (change("infra/a.tf", 1, 2), change("infra/b.tf", 1, 2));
    let both = [a.clone(), b.clone()];
    let of = |step: &Step, changes: &[PathChange]| {
        let saying = checked("plan-bot", "plan", Pass, step).says.saying;
        statement("plan-bot", saying, step, changes)
    };
    let verdict = |parts: &[&[PathChange]]| {
        let mut step = step(1, &both);
        step.checks = parts.iter().map(|part| of(&step, part)).collect();
        judged(&policy(RULE), step).verdict()
    };
    let (a, b) = (std::slice::from_ref(&a), std::slice::from_ref(&b));
    assert_eq!(verdict(&[&both]), Verdict::Accept);
    assert_eq!(verdict(&[a]), Verdict::Refuse);
    assert_eq!(verdict(&[a, b]), Verdict::Accept);
    assert_eq!(verdict(&[a, &[change("infra/b.tf", 1, 3)]]), Verdict::Refuse);
    assert_eq!(verdict(&[a, &[change("infra/b.tf", 3, 2)]]), Verdict::Refuse);
}

/// A run of two commits, with what was said of the whole and of each of them.
fn run(whole: Option<Candidate>, each: [Option<Candidate>; 2]) -> Segment {
    let parts = each.into_iter().zip(1..).map(|(said, number)| Step {
        kind: StepKind::Run,
        checks: said.into_iter().collect(),
        ..step(number, &[change("infra/network.tf", number, number + 1)])
    });
    let whole = Step {
        kind: StepKind::Run,
        checks: whole.into_iter().collect(),
        ..step(3, &[change("infra/network.tf", 1, 3)])
    };
    Segment { whole, each: parts.collect() }
}

#[test]
fn the_whole_outranks_its_parts() {
    let policy = policy(RULE);
    let pass = |step: &Step| Some(checked("plan-bot", "plan", Pass, step));
    let fail = |step: &Step| Some(checked("plan-bot", "plan", Fail, step));
    let bare = run(None, [None, None]);
    let (whole, [one, two]) = (&bare.whole, [&bare.each[0], &bare.each[1]]);
    let verdict = |segment: Segment| {
        judge(&policy, &push(vec![update(&policy, "main", vec![segment], None)])).verdict()
    };
    assert_eq!(verdict(bare.clone()), Verdict::Refuse);
    assert_eq!(verdict(run(pass(whole), [None, None])), Verdict::Accept);
    assert_eq!(verdict(run(None, [pass(one), pass(two)])), Verdict::Accept);
    assert_eq!(verdict(run(None, [pass(one), None])), Verdict::Refuse);
    // Mended by a second commit, and checked again: the first fail is history.
    assert_eq!(verdict(run(pass(whole), [fail(one), None])), Verdict::Accept);
    // The parts pass, and what they come to does not.
    assert_eq!(verdict(run(fail(whole), [pass(one), pass(two)])), Verdict::Refuse);

    // The same of a whole move against its steps.
    let whole = step(4, &[change("infra/network.tf", 1, 3)]);
    let jump = |said: Option<Candidate>, parts: Segment| {
        let kind = StepKind::Jump;
        let whole = Step { kind, checks: said.into_iter().collect(), ..whole.clone() };
        judge(&policy, &push(vec![update(&policy, "main", vec![parts], Some(whole))])).verdict()
    };
    let passed = || run(None, [pass(one), pass(two)]);
    assert_eq!(jump(None, bare.clone()), Verdict::Refuse);
    assert_eq!(jump(None, passed()), Verdict::Accept);
    assert_eq!(jump(pass(&whole), bare.clone()), Verdict::Accept);
    assert_eq!(jump(fail(&whole), passed()), Verdict::Refuse);
}

#[test]
fn what_changes_and_changes_back_was_checked_by_nothing() {
    reads(
        "hidden",
        &told(RULE, |step| {
            step.kind = StepKind::Run;
            step.hidden = vec![change("infra/gone.tf", 1, 2).path];
            step.checks = vec![checked("plan-bot", "plan", Pass, step)];
        }),
    );
    let two = vec![alone(step(1, &network())), alone(step(2, &network()))];
    let policy = policy(RULE);
    let judgement = judge(&policy, &push(vec![update(&policy, "main", two, None)]));
    reads("two steps", &said(&judgement));
}

#[test]
fn a_failure_counts_for_what_the_rule_is_about() {
    let fails = |changes: &[PathChange]| {
        let mut whole = step(1, &[change("app/x", 1, 2), network()[0].clone()]);
        let saying = checked("plan-bot", "plan", Fail, &whole).says.saying;
        let failed = statement("plan-bot", saying, &whole, changes);
        whole.checks = vec![checked("scan-bot", "plan", Pass, &whole), failed];
        judged(&policy(RULE), whole).verdict() == Verdict::Refuse
    };
    assert!(fails(&network()));
    assert!(fails(&[change("app/x", 1, 2), network()[0].clone()]));
    assert!(!fails(&[change("app/x", 1, 2)]));
}

#[test]
fn who_has_passed_is_noted_and_who_is_asked_is_asked_about_what_lacks_it() {
    let passed = |step: &mut Step| step.checks = vec![checked("plan-bot", "plan", Pass, step)];
    let mut whole = step(1, &network());
    passed(&mut whole);
    let notes = judged(&policy(RULE), whole).refs[0].rules[0].ruling.notes.clone();
    assert_eq!(
        notes.iter().map(Line::show).collect::<Vec<_>>(),
        ["plan-bot passed plan of 0000012"]
    );
    // Of two that were merged, the one without a pass.
    let two = told(RULE, |step| {
        passed(step);
        step.checks[0].delta = crate::made::delta(&[change("infra/other.tf", 1, 2)]);
        step.source.push(oid(0x77));
    });
    assert!(two.contains("portcullis attest plan pass 0000077 --for main"), "{two}");
    let one = RULE.replace("\"plan-bot\", \"scan-bot\"", "\"plan-bot\"");
    let told_one = told(&one, |_| {});
    assert!(told_one.contains("have plan-bot run"), "{told_one}");
    assert!(told(RULE, |_| {}).contains("have one of plan-bot, scan-bot run"));
}

#[test]
fn a_rule_asks_for_no_more_checks_than_the_bound() {
    let usable = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("\"c{number}\"")).collect();
        let rule = RULE.replace("\"plan\"", &names.join(", "));
        std::panic::catch_unwind(|| policy(&rule)).is_ok()
    };
    assert!(usable(50) && !usable(51));
}
