//! Messages as text under `tests/cases/message`, and what holds for every message.

use proptest::prelude::*;

use crate::message::closing::{Closing, Logged, Reach, Room};
use crate::message::json;
use crate::message::layout::WIDTH;
use crate::message::pusher::{self, Again};
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::push::pusher::{Pusher, Who};
use crate::push::update::{Change, RefUpdate};
use crate::verdict::finding::{Finding, Level, Missing, Objection, RuleOutcome, RuleRef, Ruling};
use crate::verdict::glass::Glass;
use crate::verdict::line::{Hint, Line};
use crate::verdict::{Judgement, RefJudgement};

const CASES: &str = include_str!("../../tests/cases/message/pusher.txt");

/// Compares with the case of this name, and shows the whole message when it differs.
fn check(name: &str, message: &str) {
    let case = CASES.split("\n== ").find_map(|case| case.split_once('\n').filter(|c| c.0 == name));
    let expected = case.map_or("", |case| case.1.trim_end_matches('\n'));
    assert_eq!(message, format!("{expected}\n"), "{name}:\n{message}");
}

fn oid(hex: &str) -> Oid {
    Oid::from_hex(format!("{hex:0<40}").as_bytes()).unwrap()
}

fn branch(name: &str) -> Refname {
    Refname::parse(format!("refs/heads/{name}").as_bytes()).unwrap()
}

fn rule(name: &str, line: u32) -> RuleRef {
    RuleRef::Policy {
        name: name.to_owned(),
        kind: "approval",
        file: "policy.toml".to_owned(),
        line,
        why: None,
        until: None,
    }
}

fn finding(rule: RuleRef, objection: Objection) -> Finding {
    Finding { rule, level: Level::Refuse, objection }
}

fn no(what: &'static str) -> Objection {
    Objection::new(Line::new(what))
}

fn on(name: &str, findings: Vec<Finding>) -> RefJudgement {
    let (old, new) = (oid("9d0c2e1"), oid("3f2a9c1"));
    RefJudgement {
        update: RefUpdate { name: branch(name), claimed_old: old, new },
        change: Change::Move { old, new },
        findings,
        rules: Vec::new(),
        exempted: Vec::new(),
        protected: true,
        rolled_back: Vec::new(),
        merged: Vec::new(),
    }
}

fn judgement(refs: Vec<RefJudgement>) -> Judgement {
    Judgement {
        refs,
        findings: Vec::new(),
        moment: Moment::from_seconds(0),
        help: None,
        glass: Glass::default(),
    }
}

fn pusher(who: Who, login: &str) -> Pusher {
    let (login, source) = (login.to_owned(), "os-user".to_owned());
    Pusher { who, login, source, door: "local", key: None }
}

fn alice() -> Pusher {
    let name = PrincipalName::parse("alice").unwrap();
    pusher(Who::Listed { name, machine: false, shared: false }, "alice")
}

fn refused(refs: Vec<RefJudgement>) -> String {
    pusher::judged(&judgement(refs), &closing(Reach::WholePush))
}

fn closing(reach: Reach) -> Closing<'static> {
    Closing {
        entry: Some(412),
        head: Some("8c1f2ad0e5b7"),
        you: None,
        reach,
        room: Room::default(),
    }
}

fn taken(you: &Pusher) -> Closing<'_> {
    Closing { entry: Some(419), you: Some(you), ..closing(Reach::WholePush) }
}

#[test]
fn a_refusal_says_what_why_and_what_now() {
    let objection = Objection::new(
        Line::default()
            .count(4, "commit", "commits")
            .text(" came by direct push, this branch takes merges only"),
    )
    .detail(
        Line::new("the first is ")
            .oid(oid("3f2a9c1"))
            .text(" ")
            .quoted(b"open port 8443 on the edge"),
    )
    .hint(Hint::run(
        Line::new("push to a branch"),
        Line::new("git push origin ").word(b"HEAD:refs/heads/open-port"),
    ))
    .hint(Hint::new(Line::new("then open a merge request into main")));
    check(
        "direct",
        &refused(vec![on("main", vec![finding(rule("main-by-merge-only", 9), objection)])]),
    );
}

#[test]
fn the_policy_says_why_and_whom_to_ask() {
    let objection = Objection::new(
        Line::default()
            .path(&RepoPath::new(&b"infra/prod/network.tf"[..]))
            .text(" and 2 more changed, 0 of 2 approvals"),
    )
    .detail(Line::new("approvals count from @platform"))
    .hint(Hint::run(
        Line::new("ask two of @platform to run"),
        Line::new("portcullis approve ").oid(oid("3f2a9c1")),
    ))
    .hint(Hint::new(Line::new("then push again, the commits need no change")));
    let rule = RuleRef::Policy {
        name: "infra-review".to_owned(),
        kind: "approval",
        file: "policy.toml".to_owned(),
        line: 14,
        why: Some("production is built from here".to_owned()),
        until: None,
    };
    let mut judgement = judgement(vec![on("main", vec![finding(rule, objection)])]);
    judgement.help = Some("#platform, ext. 1234".to_owned());
    check("why and help", &pusher::judged(&judgement, &closing(Reach::WholePush)));
}

#[test]
fn a_long_command_stands_on_a_line_of_its_own() {
    let objection = no("2 of 5 commits carry no signature that the roster knows").hint(Hint::run(
        Line::new("sign all five and push again"),
        Line::new("git rebase --exec 'git commit --amend --no-edit -S' ").oid(oid("9d0c2e1")),
    ));
    let finding = finding(rule("signed-commits", 31), objection);
    check("command of its own", &refused(vec![on("main", vec![finding])]));
}

#[test]
fn what_no_rule_of_the_policy_asks_says_so() {
    let objection = Objection::new(
        Line::default()
            .refname(&branch("alias"))
            .text(" is another name for ")
            .refname(&branch("main")),
    )
    .hint(Hint::run(
        Line::new("push to the ref itself"),
        Line::new("git push origin HEAD:").word(b"refs/heads/main"),
    ));
    let finding = finding(RuleRef::Always { name: "symbolic-ref" }, objection);
    check("always on", &refused(vec![on("alias", vec![finding])]));
}

#[test]
fn an_objection_to_the_whole_push_refuses_it_whole() {
    let mut judgement = judgement(vec![on("main", vec![])]);
    judgement.findings = vec![finding(
        RuleRef::Always { name: "identity" },
        no("the server does not say who pushes: SSH_USER_AUTH is not set"),
    )];
    check("whole push", &pusher::judged(&judgement, &closing(Reach::WholePush)));
}

#[test]
fn an_accepted_push_has_one_line_after_its_warnings() {
    let small = RuleRef::Policy {
        name: "small-changes".to_owned(),
        kind: "size",
        file: "policy.toml".to_owned(),
        line: 36,
        why: None,
        until: Moment::parse_day("2027-01-01"),
    };
    let objection = no("41 files changed, the rule asks for at most 30");
    let warning = Finding { rule: small, level: Level::Warn, objection };
    let alice = alice();
    check("warning", &pusher::judged(&judgement(vec![on("main", vec![warning])]), &taken(&alice)));
    let three = ["a", "b", "c"].map(|name| on(name, vec![])).into();
    check("accepted", &pusher::judged(&judgement(three), &taken(&alice)));
    let mallory = pusher(Who::Unlisted, "m\x1b[2Jallory");
    let one = judgement(vec![on("a", vec![])]);
    check("accepted from nobody listed", &pusher::judged(&one, &taken(&mallory)));
}

#[test]
fn refs_refused_for_their_company_are_named() {
    let b = || on("b", vec![finding(rule("r", 1), no("no"))]);
    let warning = Finding { level: Level::Warn, ..finding(rule("r", 1), no("so so")) };
    let others = ["c", "d", "e", "f"].map(|name| on(name, vec![]));
    let refs = [on("a", vec![warning]), b()].into_iter().chain(others).collect();
    check("several refs", &refused(refs));

    let three = judgement(vec![on("a", vec![]), b(), on("c", vec![])]);
    check("several refs, each on its own", &pusher::judged(&three, &closing(Reach::RefusedRefs)));
    check("update hook", &pusher::judged(&judgement(vec![b()]), &closing(Reach::ThisRef)));
}

#[test]
fn a_rule_objects_once_to_a_ref_and_at_a_bounded_length() {
    let again = || Hint::new(Line::new("do it again"));
    let steps = (0..7).map(|i| {
        finding(rule("r", 1), Objection::new(Line::new(format!("step {i} is wrong"))).hint(again()))
    });
    check("same rule many times", &refused(vec![on("main", steps.collect())]));
    let long = (0..9).fold(no("what"), |o, i| o.detail(Line::new(format!("detail {i}"))));
    check("long details", &refused(vec![on("main", vec![finding(rule("r", 1), long)])]));
}

#[test]
fn names_from_outside_cannot_act_on_the_terminal() {
    let objection = Objection::new(
        Line::default()
            .path(&RepoPath::new(&b"a\x1b[2J\nb/\xff"[..]))
            .text(" changed by ")
            .quoted(b"Mallory\x1b]0;pwned\x07 aaaaaaaaaaaaaaaaaaaaaaaaa"),
    )
    .detail(Line::default().path(&RepoPath::new(vec![b'x'; 4000])));
    let finding = finding(rule("r", 1), objection);
    check("hostile names", &refused(vec![on("\u{202e}evil", vec![finding])]));
}

#[test]
fn a_fault_is_not_the_pushers_fault() {
    let details = [
        Line::new("the policy on this server has 2 problems"),
        Line::new("your commits were not looked at"),
    ];
    let logged = Logged { entry: 418, head: "8c1f2ad0e5b7" };
    check("fault", &pusher::fault(&details, Again::DoesNotHelp, Some("#platform"), Some(logged)));
    let busy = [Line::new("another push to ").refname(&branch("main")).text(" was in the way")];
    check("busy", &pusher::fault(&busy, Again::Helps, None, Some(logged)));
    let full = [Line::new("the log cannot be written")];
    check("no log", &pusher::fault(&full, Again::DoesNotHelp, None, None));
}

#[test]
fn a_message_past_its_bounds_counts_what_it_leaves_out() {
    let refs: Vec<_> =
        (0..1000).map(|i| on(&format!("b{i}"), vec![finding(rule("r", 1), no("no"))])).collect();
    let message = refused(refs);
    assert!(message.lines().count() <= Room::default().lines);
    assert!(message.contains("\nerror: and 951 findings more, see entry 412\n"), "{message}");
    assert!(
        message
            .ends_with("\nerror: 1000 of 1000 refs refused, nothing was updated, see entry 412\n  the log's head after it: 8c1f2ad0e5b7\n")
    );
}

#[test]
fn machines_get_the_same_as_data() {
    let missing = Missing { approvals: 1, from: vec![PrincipalName::parse("bob").unwrap()] };
    let objection = Objection { missing: Some(missing), ..no("0 of 1 approvals") }
        .detail(Line::new("approvals count from @platform"))
        .hint(Hint::run(Line::new("ask bob to run"), Line::new("portcullis approve 3f2a9c1")));
    let mut one = on("main", vec![finding(rule("infra-review", 14), objection)]);
    let ruling = Ruling { objections: vec![], notes: vec![Line::new("a merge")] };
    one.rules = vec![RuleOutcome { rule: rule("merges", 9), level: Level::Refuse, ruling }];
    let text = json::judged(&judgement(vec![one]), &closing(Reach::WholePush)).unwrap();
    assert!(!text.contains('\n'));
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!({
        "v": 1,
        "verdict": "refuse",
        "moment": "1970-01-01T00:00:00.000Z",
        "entry": 412,
        "head": "8c1f2ad0e5b7",
        "findings": [],
        "refs": [{
            "ref": "refs/heads/main",
            "verdict": "refuse",
            "change": "move",
            "old": oid("9d0c2e1").hex(),
            "new": oid("3f2a9c1").hex(),
            "protected": true,
            "findings": [{
                "rule": {"name": "infra-review", "kind": "approval", "file": "policy.toml", "line": 14},
                "level": "refuse",
                "what": "0 of 1 approvals",
                "details": ["approvals count from @platform"],
                "hints": [{"text": "ask bob to run", "command": "portcullis approve 3f2a9c1"}],
                "missing": {"approvals": 1, "from": ["bob"]},
            }],
            "rules": [{"rule": "merges", "level": "refuse", "satisfied": true, "notes": ["a merge"]}],
        }],
    });
    assert_eq!(found, expected);
}

/// Any finding, with text of ours that a bug might have let outside bytes into.
fn any_finding() -> impl Strategy<Value = Finding> {
    let line = || "\\PC{0,100}|[ -~\n\x1b\u{202e}]{0,300}".prop_map(Line::new);
    let quoted = prop::collection::vec(any::<u8>(), 0..80).prop_map(|b| Line::default().quoted(&b));
    let hint =
        (line(), prop::option::of(line())).prop_map(|(text, command)| Hint { text, command });
    let hints = prop::collection::vec(hint, 0..9);
    let details = prop::collection::vec(prop_oneof![line(), quoted], 0..9);
    let refuse = any::<bool>();
    (line(), details, hints, "[a-c]{1,60}", refuse).prop_map(
        |(what, details, hints, name, refuse)| {
            let objection = Objection { what, details, hints, missing: None };
            let level = if refuse { Level::Refuse } else { Level::Warn };
            Finding { rule: rule(&name, 1), level, objection }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_message_keeps_its_bounds(
        findings in prop::collection::vec(prop::collection::vec(any_finding(), 0..12), 1..12),
        entry in prop::option::of(any::<u64>()),
        reach in prop::sample::select(vec![Reach::WholePush, Reach::RefusedRefs, Reach::ThisRef]),
    ) {
        let refs = findings.into_iter().enumerate().map(|(i, f)| on(&format!("b{i}"), f)).collect();
        let message = pusher::judged(&judgement(refs), &Closing { entry, ..closing(reach) });
        prop_assert!(message.len() <= Room::default().bytes);
        prop_assert!(message.lines().count() <= Room::default().lines);
        prop_assert!(message.ends_with('\n'));
        let mut after_hint = false;
        for line in message.lines() {
            let begins = ["error:", "warning:", "hint:", "success:", "  "];
            prop_assert!(line.is_empty() || begins.iter().any(|b| line.starts_with(b)), "{line:?}");
            prop_assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
            // Only the command of a hint may be wider.
            prop_assert!(line.chars().count() <= WIDTH || after_hint, "{line:?}");
            after_hint = line.starts_with("hint:") || after_hint && line.starts_with("  ");
        }
    }
}
