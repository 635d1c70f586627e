//! What people read when they ask: each text whole, so that it can be looked at here.

use super::*;
use crate::answer::{MakerAnswer, Missing, VERSION, You};
use crate::message::reader::OwnBranch;

fn answer() -> Answer {
    Answer {
        v: VERSION,
        you: You {
            name: Some("bob".into()),
            kind: "person".into(),
            login: "b".into(),
            keys: vec![],
        },
        repository: "infra-5f0c91ab".into(),
        refname: "refs/heads/main".into(),
        value: Some("9".repeat(40)),
        base: "9".repeat(40),
        commit: "3".repeat(40),
        delta: format!("sha256:{}", "2".repeat(64)),
        key: "4".repeat(40),
        now: "2026-11-22T21:00:00Z".into(),
        delta_lines: 3,
        landing_lines: Some(3),
        on_server: Some(true),
        methods: vec!["merge".into()],
        makers: vec![MakerAnswer { person: "alice".into(), why: "pushed 3333333".into() }],
        rules: vec![merges(), review()],
        approvals: vec![ApprovalAnswer {
            person: "carol".into(),
            verdict: "approve".into(),
            date: "2026-11-22T20:00:00Z".into(),
            counts: true,
            expires: Some("2026-12-06T20:00:00Z".into()),
            ..ApprovalAnswer::default()
        }],
        landings: vec![LandingAnswer {
            entry: 412,
            commit: "9".repeat(40),
            by: "dave".into(),
            at: "2026-11-21T08:00:00Z".into(),
            ..LandingAnswer::default()
        }],
        entry: Some(413),
        ..Answer::default()
    }
}

fn merges() -> RuleAnswer {
    RuleAnswer {
        rule: "main-takes-merges".into(),
        kind: "merge".into(),
        level: "refuse".into(),
        place: "policy.toml:4".into(),
        satisfied: true,
        lines: vec!["the merge adds nothing of its own".into()],
        ..RuleAnswer::default()
    }
}

fn review() -> RuleAnswer {
    RuleAnswer {
        rule: "infra-review".into(),
        kind: "approval".into(),
        level: "refuse".into(),
        place: "policy.toml:9".into(),
        what: "infra/network.tf and 2 more changed, 1 of 2 approvals".into(),
        lines: vec!["carol approved\u{1b}[2J".into()],
        hints: vec![
            "merge main into the topic, push it, and have that approved".into(),
            "ask one of bob, erin to run: portcullis approve 3333333 --for main".into(),
        ],
        missing: Some(Missing { approvals: 1, from: vec!["bob".into(), "erin".into()] }),
        why: Some("production is built from here".into()),
        ..RuleAnswer::default()
    }
}

fn reader() -> Reader<'static> {
    Reader { asked: "open port 8443", ..Reader::of_remote("origin") }
}

fn satisfied() -> Answer {
    let mut answer = answer();
    answer.rules[1].satisfied = true;
    answer
}

fn summed(answer: &Answer, reader: &Reader<'_>) -> String {
    summary(answer, reader).join("\n")
}

#[test]
fn a_review_says_what_is_missing_who_can_give_it_and_how() {
    let expected = "\
3333333 \"open port 8443\"
  for refs/heads/main of infra-5f0c91ab
  3 entries differ from 9999999
  made by alice (pushed 3333333)
  you are bob

error: rule `infra-review` is not satisfied
  infra/network.tf and 2 more changed, 1 of 2 approvals
  carol approved\\x1b[2J
  policy: policy.toml:9
  why: production is built from here
hint: merge main into the topic, push it, and have that approved
hint: 1 approval is missing, you can give one, and so can erin:
  portcullis approve 3333333 --for main

rule `main-takes-merges` is satisfied: the merge adds nothing of its own

said about this delta so far:
  2026-11-22T20:00:00Z carol approve, counts until 2026-12-06T20:00:00Z

latest landings on refs/heads/main:
  2026-11-21T08:00:00Z 9999999 by dave, see entry 412

error: 3333333 cannot land on refs/heads/main yet, 1 rule is not
  satisfied";
    assert_eq!(whole(&answer(), &reader()).join("\n"), expected);
}

#[test]
fn who_reads_sees_their_own_part() {
    let told = |name: &'static str| {
        missing(&answer(), &Reader { name: Some(name), ..reader() }).join("\n")
    };
    assert!(told("carol").contains("hint: 1 approval is missing, bob or erin can give it:"));
    assert!(told("erin").contains("you can give one, and so can bob:"));
    let mut only = answer();
    only.rules[1].missing = Some(Missing { approvals: 1, from: vec!["bob".into()] });
    assert!(
        missing(&only, &reader()).join("\n").contains("1 approval is missing, you can give it")
    );
    only.rules[1].missing = Some(Missing { approvals: 2, from: vec!["x".into(), "y".into()] });
    let text = missing(&only, &reader()).join("\n");
    assert!(text.contains("2 approvals are missing, 2 of x, y can give them:"), "{text}");
}

#[test]
fn when_nothing_is_missing_the_commands_land_it() {
    let expected = "\
success: nothing is missing, 3333333 can land on refs/heads/main:
  git switch main && git pull --ff-only origin main
  git merge --no-ff 3333333
  git push origin main";
    assert_eq!(summed(&satisfied(), &reader()), expected);
    let own = Reader { topic: Some("o p"), own_branch: OwnBranch::Differs, ..reader() };
    let expected = "\
success: nothing is missing, 3333333 can land on refs/heads/main:
  git fetch origin main && git switch --detach FETCH_HEAD
  git merge --no-ff 'o p'
  git push origin HEAD:refs/heads/main";
    assert_eq!(summed(&satisfied(), &own), expected);
}

#[test]
fn the_commands_are_those_of_the_methods_that_are_allowed() {
    let mut answer = satisfied();
    let mut by = |methods: &[&str], base: &str| {
        answer.methods = methods.iter().map(|&method| method.to_owned()).collect();
        answer.base = base.repeat(40);
        summary(&answer, &reader()).split_off(1).join("\n")
    };
    let forward = "  git push origin 3333333:refs/heads/main";
    assert_eq!(by(&["fast-forward"], "9"), forward);
    assert!(by(&["fast-forward"], "8").contains("git rebase FETCH_HEAD"));
    assert!(by(&["merge", "fast-forward", "squash"], "9").contains("git merge --no-ff 3333333"));
    let squash = by(&["squash", "rebase"], "8");
    assert!(squash.contains("git merge --squash 3333333"), "{squash}");
    let source = format!("git commit --trailer Source:{}", "3".repeat(40));
    assert!(squash.contains(&source), "{squash}");
    assert!(by(&["rebase"], "8").contains("git rebase FETCH_HEAD && git commit --amend"));
    answer.value = None;
    assert_eq!(summary(&answer, &reader())[1], forward);
    answer.refname = "refs/tags/v1".into();
    assert_eq!(summary(&answer, &reader())[1], "  git push origin 3333333:refs/tags/v1");
}

#[test]
fn what_nobody_pushed_is_pushed_first() {
    let mut answer = answer();
    answer.on_server = Some(false);
    answer.nobody_brought = vec!["3".repeat(40)];
    answer.rules[1].hints.insert(
        0,
        "push the work to a branch first: git push origin 3333333:refs/heads/TOPIC".into(),
    );
    let text = missing(&answer, &reader()).join("\n");
    let expected = "
error: nobody has pushed 1 commit of it yet: 3333333
hint: push it to a branch first:
  git push origin 3333333:refs/heads/TOPIC

error: rule `infra-review` is not satisfied";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(text.matches("git push").count(), 1, "{text}");
    assert!(text.contains("and so can erin when it\n  is pushed:\n"), "{text}");
    let text = missing(&answer, &Reader { topic: Some("open-port"), ..reader() }).join("\n");
    assert!(text.contains("hint: push it to a branch first: git push origin open-port"), "{text}");
}

#[test]
fn a_conflict_names_the_remedy_and_asks_no_other_rule() {
    let mut answer = answer();
    answer.conflicts = vec!["infra/network.tf".into()];
    answer.rules = vec![RuleAnswer {
        rule: "clean-merge".into(),
        kind: "always".into(),
        level: "refuse".into(),
        what: "3333333 does not merge into it by itself, both changed infra/network.tf".into(),
        ..RuleAnswer::default()
    }];
    let text = missing(&answer, &Reader { topic: Some("open-port"), ..reader() }).join("\n");
    let expected = "
error: rule `clean-merge` is not satisfied
  3333333 does not merge into it by itself, both changed
    infra/network.tf
hint: in the clone that has the topic:
  git switch open-port && git pull --no-rebase origin refs/heads/main
hint: when it is resolved and committed: git push origin open-port";
    assert_eq!(text, expected);
}

#[test]
fn what_has_landed_needs_nothing_more() {
    let mut answer = answer();
    answer.base.clone_from(&answer.commit);
    answer.rules.clear();
    let text = whole(&answer, &reader()).join("\n");
    let end = "success: refs/heads/main has 3333333 already, nothing is left to land";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(refused(&answer), 0);
    answer.value = Some(answer.commit.clone());
    assert!(summed(&answer, &reader()).contains("is at 3333333 already"));
}

#[test]
fn what_is_there_by_another_way_is_said() {
    let mut answer = satisfied();
    answer.landing_lines = Some(0);
    let text = whole(&answer, &reader()).join("\n");
    assert!(text.contains("all of that is there already: landing it would change nothing"));
}

#[test]
fn a_ref_that_does_not_exist_an_unknown_maker_and_a_stranger_are_named() {
    let mut answer = answer();
    (answer.value, answer.base) = (None, "0".repeat(40));
    answer.unknown_maker = Some("3333333 was brought by nobody on record".into());
    answer.you = You { login: "git\u{1b}".into(), ..You::default() };
    let text = whole(&answer, &reader()).join("\n");
    for line in [
        "\n  which does not exist yet: it would be created\n",
        "\n  3 entries differ from nothing\n",
        "\n  3333333 was brought by nobody on record: one approval more is asked\n",
        "\n  you are \"git\\x1b\", who is in no policy\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_machines_word_stands_with_its_check_and_address() {
    let mut answer = answer();
    answer.approvals[0] = ApprovalAnswer {
        person: "plan-bot".into(),
        verdict: "fail".into(),
        date: "2026-11-22T20:00:00Z".into(),
        counts: true,
        check: Some("terraform-plan".into()),
        url: Some("https://ci.example.org/1".into()),
        ..ApprovalAnswer::default()
    };
    let text = whole(&answer, &reader()).join("\n");
    let expected = "\
  2026-11-22T20:00:00Z plan-bot terraform-plan fail, counts
    https://ci.example.org/1";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_rule_at_level_warn_does_not_stop_a_landing() {
    let mut answer = answer();
    answer.rules[1].level = "warn".into();
    assert_eq!(refused(&answer), 0);
    assert_eq!(missing(&answer, &reader())[1], "warning: rule `infra-review` is not satisfied");
    assert!(summed(&answer, &reader()).starts_with("success: nothing is missing"));
}
