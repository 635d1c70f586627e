//! Rule kind `approval`, in the words a pusher reads: every way to lack an approval, and to have one.
//!
//! `UPDATE=1 cargo test --test judging approvals::` rewrites what is expected; the diff is the review.

use portcullis::facts::change::PathChange;
use portcullis::facts::evidence::{Candidate, NearMiss, Reject, Standing};
use portcullis::facts::landing::{Segment, Step, StepKind};
use portcullis::facts::makers::MakerBy;
use portcullis::judge::{judge, needs};
use portcullis::message::closing::{Closing, Reach, Room};
use portcullis::message::pusher;
use portcullis::names::path::RepoPath;
use portcullis::statement::fields::{ApprovalVerdict, Saying};
use portcullis::verdict::line::Line;

use crate::made::{branch, change, name, now, oid, policy, push, statement, step, update};
use crate::written::as_written;

const RULE: &str = "[rule.review]\nkind = \"approval\"\nrefs = [\"main\"]\npaths = [\"infra/**\"]\n\
    from = [\"ada\", \"ben\", \"cora\"]\n";

/// A case: its name, what the rule has besides, and what is so about the step.
type Case = (&'static str, &'static str, fn(&mut Segment));

fn network() -> Vec<PathChange> {
    vec![change("app/x", 1, 2), change("infra/dns.tf", 3, 4), change("infra/network.tf", 1, 2)]
}

/// An approval of these of the step's entries.
fn approves(by: &str, step: &Step, entries: &[PathChange]) -> Candidate {
    statement(by, Saying::Approval { verdict: ApprovalVerdict::Approve }, step, entries)
}

fn gives(step: &mut Step, by: &str) {
    let whole = approves(by, step, &network());
    step.candidates.push(whole);
}

/// Makes an entry a symbolic link to there; to somewhere too far to be read, without.
fn leads(step: &mut Step, path: &str, to: Option<&str>) {
    step.links.push((RepoPath::new(path), to.map(|target| target.as_bytes().to_vec())));
}

fn rejects(step: &mut Step, days_ago: i64) {
    let date = now().plus_seconds(-86_400 * days_ago);
    let expires = now().plus_seconds(86_400);
    step.rejects.push(Reject {
        person: name("ben"),
        commit: oid(9),
        date,
        expires,
        entries: vec![2],
    });
}

fn near(step: &Step) -> NearMiss {
    NearMiss {
        person: name("ada"),
        commit: oid(7),
        other_ref: None,
        entries: 1,
        step_entries: step.delta.changes().len(),
        first_new: Some(RepoPath::new("infra/dns.tf")),
        moved: false,
    }
}

const CASES: &[Case] = &[
    ("none", "", |_| {}),
    ("nothing that the rule is about", "", |it| {
        it.whole.delta = crate::made::delta(&[change("app/x", 1, 2)]);
    }),
    ("one is enough", "", |it| gives(&mut it.whole, "ada")),
    ("one of two", "approvals = 2\n", |it| gives(&mut it.whole, "ada")),
    ("two of two", "approvals = 2\n", |it| {
        gives(&mut it.whole, "ada");
        gives(&mut it.whole, "ben");
    }),
    ("the same person twice", "approvals = 2\n", |it| {
        gives(&mut it.whole, "ada");
        gives(&mut it.whole, "ada");
    }),
    (
        "two of three in two seats",
        "approvals = 2\nand = [{ from = [\"dov\"], approvals = 1 }]\n",
        |it| {
            gives(&mut it.whole, "ada");
            gives(&mut it.whole, "ben");
        },
    ),
    ("somebody else", "", |it| gives(&mut it.whole, "dov")),
    ("a maker", "", |it| {
        it.whole.makers.add(&name("ada"), MakerBy::Brought, oid(5));
        gives(&mut it.whole, "ada");
    }),
    ("everybody is a maker", "", |it| {
        for who in ["ada", "ben", "cora"] {
            it.whole.makers.add(&name(who), MakerBy::Brought, oid(5));
        }
    }),
    ("an unknown maker asks for one more", "", |it| {
        it.whole.makers.unknown = Some((oid(6), "was brought by nobody on record"));
        gives(&mut it.whole, "ada");
    }),
    ("an unknown maker, two seats", "and = [{ from = [\"dov\"], approvals = 1 }]\n", |it| {
        it.whole.makers.unknown = Some((oid(6), "was brought by nobody on record"));
    }),
    ("one is left to ask", "", |it| {
        it.whole.makers.add(&name("ada"), MakerBy::Brought, oid(5));
        it.whole.makers.add(&name("ben"), MakerBy::Brought, oid(5));
    }),
    ("a link to what is reviewed", "", |it| {
        leads(&mut it.whole, "infra/dns.tf", Some("network.tf"));
        gives(&mut it.whole, "ada");
    }),
    ("a link out of what is reviewed", "", |it| {
        leads(&mut it.whole, "infra/dns.tf", Some("../app/x"));
        gives(&mut it.whole, "ada");
    }),
    ("a link to something of the name of the folder", "", |it| {
        leads(&mut it.whole, "infra/dns.tf", Some("../infra"));
        gives(&mut it.whole, "ada");
    }),
    ("a link that is too long to be read", "", |it| {
        leads(&mut it.whole, "infra/dns.tf", None);
        gives(&mut it.whole, "ada");
    }),
    ("a link that the rule is not about", "", |it| {
        leads(&mut it.whole, "app/x", Some("/etc/passwd"));
        gives(&mut it.whole, "ada");
    }),
    ("as old as may be", "max-age = \"1d\"\n", |it| gives(&mut it.whole, "ada")),
    ("a second older", "max-age = \"86399s\"\n", |it| gives(&mut it.whole, "ada")),
    ("part of it", "", |it| {
        let part = approves("ada", &it.whole, &network()[2..]);
        it.whole.candidates.push(part);
    }),
    ("all that the rule is about", "", |it| {
        let part = approves("ada", &it.whole, &network()[1..]);
        it.whole.candidates.push(part);
    }),
    ("each a part, together the whole", "approvals = 1\n", |it| {
        let parts = [
            approves("ada", &it.whole, &network()[1..2]),
            approves("ben", &it.whole, &network()[2..]),
        ];
        it.whole.candidates.extend(parts);
    }),
    ("what they approved is other now", "", |it| {
        let other = [change("infra/dns.tf", 3, 4), change("infra/network.tf", 1, 9)];
        let other = approves("ada", &it.whole, &other);
        it.whole.candidates.push(other);
    }),
    ("what no longer stands", "", |it| {
        let mut old = approves("ada", &it.whole, &network());
        old.standing = Standing::Not(Line::new("approved it until 2026-11-20"));
        it.whole.candidates.push(old);
    }),
    ("too old", "max-age = \"1h\"\n", |it| gives(&mut it.whole, "ada")),
    ("old, not too old", "max-age = \"2d\"\n", |it| gives(&mut it.whole, "ada")),
    ("not fresh", "fresh = true\n", |it| {
        let mut stale = approves("ada", &it.whole, &network());
        stale.says.base = oid(3);
        it.whole.candidates.push(stale);
    }),
    ("fresh", "fresh = true\n", |it| gives(&mut it.whole, "ada")),
    ("rejected", "", |it| {
        gives(&mut it.whole, "ada");
        rejects(&mut it.whole, 0);
    }),
    ("rejected, and no veto", "veto = false\n", |it| {
        gives(&mut it.whole, "ada");
        rejects(&mut it.whole, 0);
    }),
    ("rejected, approved since by the same", "", |it| {
        gives(&mut it.whole, "ben");
        rejects(&mut it.whole, 2);
    }),
    ("rejected, approved since by another", "", |it| {
        gives(&mut it.whole, "ada");
        rejects(&mut it.whole, 2);
    }),
    ("rejected, approved in the same second by the same", "", |it| {
        gives(&mut it.whole, "ben");
        rejects(&mut it.whole, 1);
    }),
    ("rejected what the rule is not about", "", |it| {
        gives(&mut it.whole, "ada");
        rejects(&mut it.whole, 0);
        it.whole.rejects[0].entries = vec![0];
    }),
    ("an earlier form", "", |it| {
        let miss = near(&it.whole);
        it.whole.near.push(miss);
    }),
    ("an earlier form, and main has moved", "", |it| {
        let miss = NearMiss { moved: true, ..near(&it.whole) };
        it.whole.near.push(miss);
    }),
    ("more than this brings", "", |it| {
        let miss = NearMiss { first_new: None, entries: 5, ..near(&it.whole) };
        it.whole.near.push(miss);
    }),
    ("for another ref", "", |it| {
        let miss = NearMiss { other_ref: Some(branch("stable")), ..near(&it.whole) };
        it.whole.near.push(miss);
    }),
    ("not pushed before", "", |it| it.whole.not_before = it.whole.source.clone()),
    ("overtaken", "", |it| it.whole.overtaken = Some(RepoPath::new("infra/dns.tf"))),
    ("overtaken, one can help", "", |it| {
        it.whole.overtaken = Some(RepoPath::new("infra/dns.tf"));
        it.whole.makers.add(&name("ada"), MakerBy::Brought, oid(5));
        it.whole.makers.add(&name("ben"), MakerBy::Brought, oid(5));
    }),
    ("overtaken, nobody can help", "", |it| {
        it.whole.overtaken = Some(RepoPath::new("infra/dns.tf"));
        for who in ["ada", "ben", "cora"] {
            it.whole.makers.add(&name(who), MakerBy::Brought, oid(5));
        }
    }),
    ("hidden in between", "", |it| {
        gives(&mut it.whole, "ada");
        it.whole.hidden = vec![RepoPath::new("app/y"), RepoPath::new("infra/z.tf")];
    }),
    ("hidden, and not the rule's", "", |it| {
        gives(&mut it.whole, "ada");
        it.whole.hidden = vec![RepoPath::new("app/y")];
    }),
    ("only deletions are asked for", "operations = [\"delete\"]\n", |_| {}),
    ("a commit by itself", "", |it| it.whole.kind = StepKind::Run),
    ("commit by commit", "", |it| {
        let mut one = step(2, &[change("infra/dns.tf", 3, 4)]);
        let word = approves("ada", &one, &[change("infra/dns.tf", 3, 4)]);
        one.candidates.push(word);
        it.each = vec![one, step(3, &[change("app/x", 1, 2)])];
    }),
    ("commit by commit, one lacks it", "", |it| {
        let mut one = step(2, &[change("infra/dns.tf", 3, 4)]);
        let word = approves("ada", &one, &[change("infra/dns.tf", 3, 4)]);
        one.candidates.push(word);
        it.each = vec![one, step(3, &[change("infra/network.tf", 1, 2)])];
    }),
];

fn said(rules: &str, segment: Segment) -> String {
    let policy = policy(&format!("{RULE}{rules}"));
    let judgement = judge(&policy, &push(vec![update(&policy, "main", vec![segment], None)]));
    let closing = Closing {
        entry: Some(412),
        head: Some("8c1f2ad0e5b7"),
        you: None,
        reach: Reach::WholePush,
        room: Room::default(),
    };
    pusher::judged(&judgement, &closing)
}

#[test]
fn every_case_reads_as_written() {
    let mut told = String::new();
    for (case, rules, given) in CASES {
        let mut segment = Segment { whole: step(1, &network()), each: Vec::new() };
        given(&mut segment);
        told.push_str(&format!("== {case}\n{}", said(rules, segment)));
    }
    as_written("message/approvals.txt", &told);
}

#[test]
fn what_the_whole_push_has_is_enough() {
    let policy = policy(RULE);
    let lacking = || vec![crate::made::alone(step(1, &network()))];
    let mut whole = step(4, &network());
    gives(&mut whole, "cora");
    for (whole, verdict) in [(None, "refused"), (Some(whole), "success")] {
        let judgement = judge(&policy, &push(vec![update(&policy, "main", lacking(), whole)]));
        let closing = Closing {
            entry: None,
            head: None,
            you: None,
            reach: Reach::WholePush,
            room: Room::default(),
        };
        let told = pusher::judged(&judgement, &closing);
        assert!(told.contains(verdict), "{told}");
    }
}

#[test]
fn what_is_asked_is_gathered() {
    let asked = |rules: &str| {
        let policy = policy(&format!("{RULE}{rules}"));
        let main = branch("main");
        needs(&policy, &main, Some(&main), now()).rules.remove(0).needs
    };
    let plain = asked("");
    assert_eq!(
        plain.reviewers.iter().map(|one| one.as_str()).collect::<Vec<_>>(),
        ["ada", "ben", "cora"]
    );
    assert!(plain.landing && plain.veto && plain.content.is_empty());
    assert!(!asked("veto = false\n").veto);
    assert!(!asked("infra = [\"kubernetes\"]\n").content.is_empty());
}
