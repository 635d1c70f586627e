//! Approvals that hold for Git's own merge of what was approved: only where the rule says so, only
//! of that change, and only for the files that Git merged.

use portcullis::facts::change::PathChange;
use portcullis::facts::evidence::{Candidate, Reject, Standing};
use portcullis::facts::landing::{CleanMerge, Step};
use portcullis::judge::needs;
use portcullis::names::digest::Digest;
use portcullis::names::path::RepoPath;
use portcullis::statement::fields::{ApprovalVerdict, Saying};
use portcullis::verdict::line::Line;
use portcullis::verdict::{Judgement, Verdict};

use crate::made::{branch, change, judged, name, now, oid, policy, statement, step};

const RULE: &str = "[rule.review]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"infra/**\"]\n\
    from = [\"ada\", \"ben\"]\n";

const MERGED: &str = "moved = \"clean-merge\"\n";

fn landed() -> [PathChange; 2] {
    [change("infra/dns.tf", 1, 3), change("infra/network.tf", 1, 3)]
}

/// What was approved, before the branch moved in the same files.
fn approved() -> [PathChange; 2] {
    [change("infra/dns.tf", 1, 2), change("infra/network.tf", 1, 2)]
}

fn before(by: &str, verdict: ApprovalVerdict, step: &Step) -> Candidate {
    let mut word = statement(by, Saying::Approval { verdict }, step, &approved());
    word.standing = Standing::ByMerge(Line::new("approved what was merged, not the merge"));
    word
}

/// A step in which Git merged these files of the change.
fn merge(paths: &[&str]) -> Step {
    let mut step = step(1, &landed());
    let digest = crate::made::delta(&approved()).digest();
    let paths = paths.iter().map(|path| RepoPath::new(*path)).collect();
    step.clean = Some(CleanMerge { of: oid(9), digest, paths, rejects: Vec::new() });
    let word = before("ada", ApprovalVerdict::Approve, &step);
    step.candidates.push(word);
    step
}

const BOTH: [&str; 2] = ["infra/dns.tf", "infra/network.tf"];

fn clean(step: &mut Step) -> &mut CleanMerge {
    step.clean.as_mut().unwrap()
}

fn of(rules: &str, so: impl FnOnce(&mut Step)) -> Judgement {
    let mut step = merge(&BOTH);
    so(&mut step);
    judged(&policy(&format!("{RULE}{rules}")), step)
}

fn passes(rules: &str, so: impl FnOnce(&mut Step)) -> bool {
    of(rules, so).verdict() == Verdict::Accept
}

#[test]
fn it_holds_where_the_rule_says_so() {
    assert!(passes(MERGED, |_| {}));
    assert!(!passes("", |_| {}));
    assert!(!passes("moved = \"approve-anew\"\n", |_| {}));
}

#[test]
fn it_is_of_this_very_change_and_a_yes() {
    assert!(!passes(MERGED, |it| clean(it).digest = Digest::of(b"another change")));
    assert!(!passes(MERGED, |it| it.clean = None));
    assert!(!passes(MERGED, |it| {
        let no = before("ada", ApprovalVerdict::Reject, it);
        it.candidates = vec![no];
    }));
    assert!(!passes(MERGED, |it| {
        it.candidates[0].standing = Standing::Not(Line::new("approved it until yesterday"));
    }));
}

#[test]
fn each_file_was_merged_by_git_or_is_as_it_was_approved() {
    for merged in [&BOTH[..1], &BOTH[1..]] {
        assert!(!passes(MERGED, |it| *it = merge(merged)), "{merged:?}");
    }
    // The other one is what was approved, to the byte.
    let half = [change("infra/dns.tf", 1, 2), change("infra/network.tf", 1, 3)];
    assert!(passes(MERGED, |it| {
        *it = merge(&BOTH[1..]);
        it.delta = crate::made::delta(&half);
    }));
}

#[test]
fn what_was_rejected_before_the_merge_is_rejected() {
    let reject = |days: i64| Reject {
        person: name("ben"),
        commit: oid(9),
        date: now().plus_seconds(-86_400 * days),
        expires: now().plus_seconds(86_400),
        entries: vec![1],
    };
    assert!(!passes(MERGED, |it| clean(it).rejects.push(reject(0))));
    assert!(passes(&format!("{MERGED}veto = false\n"), |it| clean(it).rejects.push(reject(0))));
    // Unless they approved it since; their own word of the change before counts for that too.
    let since = |by: &'static str| {
        passes(MERGED, move |it| {
            clean(it).rejects.push(reject(2));
            let word = before(by, ApprovalVerdict::Approve, it);
            it.candidates.push(word);
        })
    };
    assert!(since("ben"));
    assert!(!since("ada"));
}

#[test]
fn it_is_told_and_recorded_that_git_merged() {
    let notes = |judgement: &Judgement| -> Vec<String> {
        judgement.refs[0].rules[0].ruling.notes.iter().map(|note| note.show()).collect()
    };
    let merged = of(MERGED, |_| {});
    assert_eq!(
        notes(&merged).last().unwrap(),
        "Git merged infra/dns.tf and 1 more with what main has there"
    );
    assert_eq!(notes(&merged).first().unwrap(), "ada approved 0000012");
    let one = of(MERGED, |it| {
        *it = merge(&["app/x", "infra/network.tf"]);
        it.delta = crate::made::delta(&landed()[1..]);
    });
    assert_eq!(notes(&one).last().unwrap(), "Git merged infra/network.tf with what main has there");
    let [record] = merged.refs[0].merged.as_slice() else { panic!("one step") };
    assert_eq!((record.rule.name(), record.of), ("review", oid(9)));
    assert_eq!(record.paths, BOTH.map(RepoPath::new));
    // Nothing rests on it where the merge itself was approved, or the rule is not satisfied.
    let anew = of(MERGED, |it| {
        let word =
            statement("ben", Saying::Approval { verdict: ApprovalVerdict::Approve }, it, &landed());
        it.candidates.push(word);
    });
    assert!(anew.refs[0].merged.is_empty());
    assert!(of("", |_| {}).refs[0].merged.is_empty());
    assert!(of(&format!("{MERGED}approvals = 2\n"), |_| {}).refs[0].merged.is_empty());
    let plain = of(MERGED, |it| it.clean = None);
    assert!(plain.refs[0].merged.is_empty() && plain.verdict() == Verdict::Refuse);
}

#[test]
fn what_it_takes_is_gathered() {
    let asked = |rules: &str| {
        let policy = policy(&format!("{RULE}{rules}"));
        needs(&policy, &branch("main"), None, now()).rules.remove(0).needs
    };
    assert!(asked(MERGED).clean_merge && !asked("").clean_merge);
    assert!(asked("").links);
}

#[test]
fn a_word_about_the_change_before_is_none_about_what_lands_elsewhere() {
    // The entry is what was approved; that alone does not make the statement one that counts.
    let same = |it: &mut Step| it.delta = crate::made::delta(&approved()[..1]);
    assert!(passes(MERGED, same));
    assert!(!passes("", same));
    assert!(!passes(MERGED, |it| {
        same(it);
        clean(it).digest = Digest::of(b"another change");
    }));
}

#[test]
fn who_is_asked_again_is_told_what_to_do() {
    let hints = |rules: &str, so: fn(&mut Step)| {
        let judgement = of(rules, |it| {
            it.candidates.clear();
            it.overtaken = Some(RepoPath::new("infra/dns.tf"));
            so(it);
        });
        let hints = &judgement.refs[0].findings[0].objection.hints;
        hints.iter().map(|hint| hint.text.show()).collect::<Vec<_>>().join("; ")
    };
    // Git's merge can be approved as the topic is; else the topic takes in what has moved.
    assert_eq!(hints(MERGED, |_| {}), "ask one of ada, ben to run");
    assert!(hints("", |_| {}).starts_with("merge main into the topic"), "{}", hints("", |_| {}));
    assert!(hints(MERGED, |it| it.clean = None).starts_with("merge main into"));
}
