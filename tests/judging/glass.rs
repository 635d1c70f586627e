//! Breaking the glass, in the words a pusher reads: who may, for what, how far, and what is owed.
//!
//! `UPDATE=1 cargo test --test judging glass::` rewrites what is expected; the diff is the review.

use portcullis::facts::change::PathChange;
use portcullis::facts::landing::{Landing, Step, StepKind};
use portcullis::facts::makers::MakerBy;
use portcullis::facts::{Facts, Motion};
use portcullis::judge::{judge, needs};
use portcullis::message::closing::{Closing, Reach, Room};
use portcullis::message::pusher;
use portcullis::names::path::RepoPath;
use portcullis::policy::Policy;
use portcullis::push::Seen;
use portcullis::push::pusher::Who;
use portcullis::verdict::Judgement;
use portcullis::verdict::finding::Level;

use crate::made::{alone, branch, change, name, now, oid, policy, push, step, update};
use crate::written::as_written;

const RULES: &str = "[rule.review]\nkind = \"approval\"\nrefs = [\"main\", \"release\"]\n\
    paths = [\"infra/**\"]\nfrom = [\"ada\", \"ben\", \"eve\"]\n\
    [rule.vault]\nkind = \"restrict-paths\"\nrefs = [\"**\"]\npaths = [\"vault/**\"]\nby = [\"ada\"]\n";

/// What would only warn.
const WARNS: &str = "[rule.review-more]\nkind = \"approval\"\nrefs = [\"main\"]\n\
    paths = [\"infra/**\"]\nfrom = [\"ada\"]\nlevel = \"warn\"\n";

const GLASS: &str = "[break-glass]\nby = [\"eve\", \"dov\"]\n";

/// A case: its name, what `[break-glass]` has besides, and what is so about the push.
type Case = (&'static str, &'static str, fn(&mut Facts));

fn network() -> [PathChange; 1] {
    [change("infra/network.tf", 1, 2)]
}

fn says(facts: &mut Facts, option: &[u8]) {
    let Seen::All(options) = &mut facts.push.push.options else { panic!("it is shown") };
    options.push(option.to_vec());
}

const WHY: &[u8] = b"break-glass=INC-42: the edge is down";

fn pushes(facts: &mut Facts, who: Who) {
    facts.push.push.pusher.who = who;
}

fn listed(text: &str) -> Who {
    Who::Listed { name: name(text), machine: false, shared: false }
}

fn first(facts: &mut Facts) -> &mut Step {
    &mut facts.updates[0].landings[0].segments[0].whole
}

/// Another branch, that takes this.
fn more(facts: &mut Facts, short: &str, whole: Step) {
    let policy = policy(&format!("{RULES}{GLASS}"));
    facts.updates.push(update(&policy, short, vec![alone(whole)], None));
}

const CASES: &[Case] = &[
    ("offered to somebody who may", "", |_| {}),
    ("with what a reason has to be like", "reason-match = '^INC-[0-9]+: '\n", |_| {}),
    ("not offered to others", "", |it| pushes(it, listed("ada"))),
    ("not shown here", "", |it| it.push.push.options = Seen::NotHere),
    ("not shown here, and not for others", "", |it| {
        it.push.push.options = Seen::NotHere;
        pushes(it, listed("ada"));
    }),
    ("not offered where it does not reach", "paths = [\"app/**\"]\n", |_| {}),
    ("offered for two", "", |it| more(it, "release", step(2, &network()))),
    ("offered for all, since it is one push", "", |it| more(it, "topic", step(2, &network()))),
    ("not offered where one of two is out of reach", "refs = [\"main\"]\n", |it| {
        more(it, "release", step(2, &network()));
    }),
    ("broken", "", |it| says(it, WHY)),
    ("by another who may", "", |it| {
        says(it, WHY);
        pushes(it, listed("dov"));
    }),
    ("by somebody who may not", "", |it| {
        says(it, WHY);
        pushes(it, listed("ada"));
    }),
    ("by a machine that has the name", "", |it| {
        says(it, WHY);
        pushes(it, Who::Listed { name: name("eve"), machine: true, shared: false });
    }),
    ("by a login that several share", "", |it| {
        says(it, WHY);
        pushes(it, Who::Listed { name: name("eve"), machine: false, shared: true });
    }),
    ("by nobody in the policy", "", |it| {
        says(it, WHY);
        pushes(it, Who::Unlisted);
    }),
    ("without a reason", "", |it| says(it, b"break-glass")),
    ("with an empty reason", "", |it| says(it, b"break-glass=")),
    ("with blanks for a reason", "", |it| says(it, b"break-glass= \t ")),
    ("with blanks around the reason", "", |it| says(it, b"break-glass=  INC-42  ")),
    ("with a reason that is no text", "", |it| says(it, b"break-glass=\xff")),
    ("with a reason of two lines", "", |it| says(it, b"break-glass=a\nb")),
    ("with a reason that is not as asked", "reason-match = '^INC-[0-9]+: '\n", |it| {
        says(it, b"break-glass=please");
    }),
    ("with a reason as asked", "reason-match = '^INC-[0-9]+: '\n", |it| says(it, WHY)),
    ("with two reasons", "", |it| {
        says(it, WHY);
        says(it, b"break-glass=INC-43");
    }),
    ("with the same reason twice", "", |it| {
        says(it, WHY);
        says(it, WHY);
    }),
    ("other options", "", |it| {
        says(it, b"break-glassy=INC-42");
        says(it, b"ci.skip");
        says(it, b"x-break-glass=INC-42");
    }),
    ("among other options", "", |it| {
        says(it, b"break-glassy=INC-42");
        says(it, WHY);
    }),
    ("not needed", "", |it| {
        says(it, WHY);
        first(it).delta = crate::made::delta(&[change("app/x", 1, 2)]);
    }),
    ("not needed, twice", "", |it| {
        says(it, WHY);
        says(it, WHY);
        first(it).delta = crate::made::delta(&[change("app/x", 1, 2)]);
    }),
    ("not needed and not asked for", "", |it| {
        first(it).delta = crate::made::delta(&[change("app/x", 1, 2)]);
    }),
    ("for two refs", "", |it| {
        says(it, WHY);
        more(it, "release", step(2, &network()));
    }),
    ("for two refs of which one needs it", "", |it| {
        says(it, WHY);
        more(it, "release", step(2, &[change("app/x", 1, 2)]));
    }),
    ("for two refs of which it reaches one", "refs = [\"main\"]\n", |it| {
        says(it, WHY);
        more(it, "release", step(2, &network()));
    }),
    ("within its paths", "paths = [\"infra/**\"]\n", |it| says(it, WHY)),
    ("outside its paths", "paths = [\"infra/**\"]\n", |it| {
        says(it, WHY);
        first(it).delta = crate::made::delta(&[change("app/x", 1, 2), network()[0].clone()]);
    }),
    ("outside its paths on the way", "paths = [\"infra/**\"]\n", |it| {
        says(it, WHY);
        first(it).hidden = vec![RepoPath::new("app/y")];
    }),
    ("outside its paths in another reading", "paths = [\"infra/**\"]\n", |it| {
        says(it, WHY);
        let step = step(3, &[change("app/z", 1, 2)]);
        let landing = Landing { segments: vec![alone(step)], ..it.updates[0].landings[0].clone() };
        it.updates[0].landings.push(landing);
    }),
    ("where another rule refuses that it does not lift", "", |it| {
        says(it, WHY);
        let changes = [network()[0].clone(), change("vault/key", 1, 2)];
        first(it).delta = crate::made::delta(&changes);
    }),
    ("where the push is refused as a whole", "", |it| {
        says(it, WHY);
        it.push.push.namespace = Some(b"mine".to_vec());
    }),
    ("not offered where the push is refused as a whole", "", |it| {
        it.push.push.namespace = Some(b"mine".to_vec());
    }),
    ("where the ref is another name for one", "", |it| {
        says(it, WHY);
        it.updates[0].alias_of = Some(b"refs/heads/release".to_vec());
    }),
    ("for a branch that is made", "", |it| {
        says(it, WHY);
        it.updates[0].motion = Some(Motion::Create);
    }),
    ("for a rewind", "", |it| {
        says(it, WHY);
        it.updates[0].motion = Some(Motion::Rewind { lost: 1, newest: None, known_value: true });
    }),
    ("for a branch that goes", "", |it| {
        says(it, WHY);
        it.updates[0].motion = Some(Motion::Delete);
    }),
    ("with makers", "", |it| {
        says(it, WHY);
        first(it).makers.add(&name("ada"), MakerBy::Brought, oid(5));
    }),
    ("with an unknown maker", "", |it| {
        says(it, WHY);
        first(it).makers.unknown = Some((oid(6), "was brought by nobody on record"));
    }),
    ("with nobody left to approve", "", |it| {
        says(it, WHY);
        first(it).makers.add(&name("ada"), MakerBy::Brought, oid(5));
        first(it).makers.add(&name("ben"), MakerBy::Brought, oid(5));
    }),
    ("due when the policy says", "settle-within = \"2h\"\n", |it| says(it, WHY)),
    ("for a commit that is no merge", "", |it| {
        says(it, WHY);
        first(it).kind = StepKind::Run;
    }),
];

fn told(judgement: &Judgement) -> String {
    let closing = Closing {
        entry: Some(412),
        head: None,
        you: None,
        reach: Reach::WholePush,
        room: Room::default(),
    };
    pusher::judged(judgement, &closing)
}

fn with_glass(keys: &str) -> Policy {
    policy(&format!("{RULES}{GLASS}{keys}"))
}

fn given(policy: &Policy, case: fn(&mut Facts)) -> Judgement {
    let mut facts = push(vec![update(policy, "main", vec![alone(step(1, &network()))], None)]);
    case(&mut facts);
    judge(policy, &facts)
}

#[test]
fn every_case_reads_as_written() {
    let mut all = String::new();
    for (case, keys, so) in CASES {
        all.push_str(&format!("== {case}\n{}", told(&given(&with_glass(keys), *so))));
    }
    as_written("message/glass.txt", &all);
}

#[test]
fn where_a_policy_has_no_glass_none_is_broken() {
    let said = told(&given(&policy(RULES), |it| says(it, WHY)));
    assert!(said.contains("there is no glass to break"), "{said}");
    assert!(!told(&given(&policy(RULES), |_| {})).contains("glass"));
}

#[test]
fn a_reason_has_a_bound_and_may_be_as_long() {
    let broken = |length: usize| {
        let policy = with_glass("");
        let landing = vec![alone(step(1, &network()))];
        let mut facts = push(vec![update(&policy, "main", landing, None)]);
        says(&mut facts, format!("break-glass={}", "x".repeat(length)).as_bytes());
        judge(&policy, &facts).glass.broken.len()
    };
    assert_eq!((broken(1000), broken(1001)), (1, 0));
}

#[test]
fn a_broken_glass_says_what_it_lifted_and_what_was_asked() {
    let judgement = given(&with_glass(WARNS), |it| {
        says(it, b"break-glass= INC-42 ");
        first(it).makers.add(&name("dov"), MakerBy::Brought, oid(5));
    });
    let [broken] = judgement.glass.broken.as_slice() else { panic!("one is broken") };
    assert_eq!((broken.refname.clone(), broken.reason.as_str()), (branch("main"), "INC-42"));
    assert_eq!((broken.base, broken.commit), (Some(oid(1)), oid(2)));
    // Only what refused; a warning stands without it.
    let lifted: Vec<&str> = broken.overridden.iter().map(|it| it.rule.name()).collect();
    assert_eq!(lifted, ["review"]);
    assert!(broken.overridden.iter().all(|it| it.level == Level::Refuse));
    let from = ["ada", "ben", "eve"].map(name).into_iter().collect();
    assert_eq!(broken.asks, [("review".to_owned(), 1, from)]);
    assert_eq!(broken.makers.iter().cloned().collect::<Vec<_>>(), [name("dov")]);
    assert!(!broken.unknown_maker);
    assert_eq!(broken.settle_by, now().plus_seconds(3 * 24 * 60 * 60));
    assert!(judgement.refs[0].findings.iter().all(|it| it.level == Level::Warn));
    let unknown = given(&with_glass(""), |it| {
        says(it, WHY);
        first(it).makers.unknown = Some((oid(6), "was brought by nobody on record"));
    });
    assert!(unknown.glass.broken[0].unknown_maker);
}

#[test]
fn what_a_broken_glass_has_to_record_is_gathered() {
    let asked = |text: &str| {
        let policy = policy(text);
        needs(&policy, &branch("main"), None, now()).rules.remove(0).needs.landing
    };
    let (lifted, not) = ("message", "names");
    let rule = |kind: &str| match kind {
        "message" => {
            "[rule.a]\nkind = \"message\"\nrefs = [\"main\"]\nsubject-max = 50\n".to_owned()
        }
        _ => format!("[rule.a]\nkind = \"{kind}\"\nrefs = [\"main\"]\nforbid = [\"x\"]\n"),
    };
    assert!(asked(&format!("{}{GLASS}", rule(lifted))));
    assert!(!asked(&rule(lifted)));
    assert!(!asked(&format!("{}{GLASS}", rule(not))));
}

#[test]
fn nothing_lands_where_there_is_no_landing() {
    let judgement = given(&with_glass(""), |it| {
        says(it, WHY);
        // A refusal that stands without one: the rule cannot judge what was not gathered.
        it.updates[0].landings.clear();
    });
    assert!(judgement.glass.broken.is_empty());
}
