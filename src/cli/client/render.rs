//! An answer of the server, in words for a person.
//!
//! Used by `review` (all of it) and by `approve` and its like (what is still missing). Everything
//! in an answer is somebody else's text: it is escaped here, line by line.

use crate::answer::{Answer, ApprovalAnswer, LandingAnswer, Missing, RuleAnswer};
use crate::names::escape::{escape, escape_short};
use crate::names::oid::Oid;

/// How many landings are shown.
const LANDINGS_MAX: usize = 3;

/// How many commits or names stand in one list before the rest is counted.
const LISTED_MAX: usize = 10;

/// Who looks at the answer.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Their name in the policy, if they have one.
    pub name: Option<&'a str>,
    /// What they type after `--for`, quoted.
    pub typed_ref: &'a str,
    /// What stands between quotes behind the commit: its subject.
    pub subject: &'a str,
}

/// The whole answer as lines.
pub fn review(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{} \"{}\" on {} of {}",
            short(&answer.commit),
            reader.subject,
            shown(&answer.refname),
            shown(&answer.repository)
        ),
        format!("  {}", delta(answer)),
        format!("  {}", you(answer, reader)),
    ];
    if !answer.nobody_brought.is_empty() {
        lines.push(format!(
            "  nobody has pushed {} yet: {}",
            plural(answer.nobody_brought.len(), "commit of it", "commits of it"),
            list(&answer.nobody_brought, short)
        ));
    }
    for rule in answer.rules.iter().filter(|rule| !rule.satisfied) {
        lines.push(String::new());
        lines.extend(open_rule(rule, answer, reader));
    }
    let satisfied: Vec<&RuleAnswer> = answer.rules.iter().filter(|rule| rule.satisfied).collect();
    if !satisfied.is_empty() {
        lines.push(String::new());
        lines.extend(satisfied.into_iter().map(satisfied_rule));
    }
    if !answer.approvals.is_empty() {
        lines.push(String::new());
        lines.push("said about this delta so far:".to_owned());
        lines.extend(answer.approvals.iter().map(approval));
    }
    if !answer.landings.is_empty() {
        lines.push(String::new());
        lines.push(format!("latest landings on {}:", shown(&answer.refname)));
        lines.extend(answer.landings.iter().take(LANDINGS_MAX).map(landing));
    }
    lines.push(String::new());
    lines.push(summary(answer));
    lines
}

/// What is still missing, as lines; none when nothing is.
pub fn missing(answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let open = answer.rules.iter().filter(|rule| !rule.satisfied);
    open.flat_map(|rule| open_rule(rule, answer, reader)).collect()
}

/// The last line: whether it can land.
pub fn summary(answer: &Answer) -> String {
    let refused = refused(answer);
    let name = shown(&answer.refname);
    let commit = short(&answer.commit);
    match refused {
        0 => format!("success: nothing is missing, {commit} can land on {name}"),
        1 => format!("error: {commit} cannot land on {name} yet, 1 rule is not satisfied"),
        many => {
            format!("error: {commit} cannot land on {name} yet, {many} rules are not satisfied")
        }
    }
}

/// How many rules would refuse.
pub fn refused(answer: &Answer) -> usize {
    answer.rules.iter().filter(|rule| !rule.satisfied && rule.level != "warn").count()
}

fn delta(answer: &Answer) -> String {
    let count = usize::try_from(answer.delta_lines).unwrap_or(usize::MAX);
    let differ = plural(count, "entry differs", "entries differ");
    if answer.base.bytes().all(|digit| digit == b'0') {
        format!("{differ} from nothing")
    } else {
        format!("{differ} from {}", short(&answer.base))
    }
}

fn you(answer: &Answer, reader: &Reader<'_>) -> String {
    let login = escape_short(answer.you.login.as_bytes());
    match (reader.name, &answer.you.name) {
        (Some(name), Some(own)) if name == own => format!("you are {}", shown(name)),
        (Some(name), _) => format!("seen as {}", shown(name)),
        (None, Some(own)) => format!("you are {}", shown(own)),
        (None, None) => format!("you are \"{login}\", who is in no policy"),
    }
}

fn open_rule(rule: &RuleAnswer, answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let word = if rule.level == "warn" { "warning" } else { "error" };
    let mut lines = vec![
        format!("{word}: rule `{}` is not satisfied", shown(&rule.rule)),
        format!("  {}", shown(&rule.what)),
    ];
    lines.extend(rule.lines.iter().map(|line| format!("  {}", shown(line))));
    lines.push(format!("  policy: {}", shown(&rule.place)));
    if let Some(missing) = &rule.missing {
        lines.extend(who_can(missing, answer, reader));
    }
    lines.extend(rule.hints.iter().map(|hint| format!("hint: {}", shown(hint))));
    lines
}

fn who_can(missing: &Missing, answer: &Answer, reader: &Reader<'_>) -> Vec<String> {
    let count = usize::try_from(missing.approvals).unwrap_or(usize::MAX);
    let wanted = plural(count, "approval", "approvals");
    let mut lines = vec![match missing.from.as_slice() {
        [] => format!("  missing: {wanted}, and nobody can give one"),
        from => format!("  missing: {wanted}, from {}", list(from, shown)),
    }];
    let own = reader.name.or(answer.you.name.as_deref());
    if own.is_some_and(|own| missing.from.iter().any(|name| name == own)) {
        let commit = short(&answer.commit);
        lines.push(format!(
            "hint: that can be you: portcullis approve {commit} --for {}",
            reader.typed_ref
        ));
    }
    lines
}

fn satisfied_rule(rule: &RuleAnswer) -> String {
    let what = if rule.what.is_empty() { "satisfied" } else { rule.what.as_str() };
    format!("rule `{}`: {}", shown(&rule.rule), shown(what))
}

fn approval(approval: &ApprovalAnswer) -> String {
    let ApprovalAnswer { person, verdict, date, counts, why } = approval;
    let counts = if *counts { "counts" } else { "does not count" };
    let why = if why.is_empty() { String::new() } else { format!(": {}", shown(why)) };
    format!("  {} {} {} {counts}{why}", shown(date), shown(person), shown(verdict))
}

fn landing(landing: &LandingAnswer) -> String {
    let LandingAnswer { entry, commit, by, at, .. } = landing;
    format!("  {} {} by {}, see entry {entry}", shown(at), short(commit), shown(by))
}

fn list<'a>(items: &'a [String], show: impl Fn(&'a str) -> String) -> String {
    let shown: Vec<String> = items.iter().take(LISTED_MAX).map(|item| show(item)).collect();
    match items.len().saturating_sub(LISTED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// An oid as people are shown it; whatever else stands there, cut.
fn short(hex: &str) -> String {
    Oid::from_hex(hex.as_bytes()).map_or_else(|| escape_short(hex.as_bytes()), |oid| oid.short())
}

fn shown(text: &str) -> String {
    escape(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{VERSION, You};

    fn answer() -> Answer {
        Answer {
            v: VERSION,
            you: You { name: Some("bob".into()), kind: "person".into(), login: "b".into() },
            repository: "infra-5f0c91ab".into(),
            refname: "refs/heads/main".into(),
            value: Some("9".repeat(40)),
            base: "9".repeat(40),
            commit: "3".repeat(40),
            delta: format!("sha256:{}", "2".repeat(64)),
            key: "4".repeat(40),
            now: "2026-11-22T21:00:00Z".into(),
            delta_lines: 3,
            rules: vec![
                RuleAnswer {
                    rule: "main-takes-merges".into(),
                    kind: "merge".into(),
                    level: "refuse".into(),
                    place: "policy.toml:4".into(),
                    satisfied: true,
                    what: String::new(),
                    lines: vec![],
                    hints: vec![],
                    missing: None,
                },
                RuleAnswer {
                    rule: "infra-review".into(),
                    kind: "approval".into(),
                    level: "refuse".into(),
                    place: "policy.toml:9".into(),
                    satisfied: false,
                    what: "infra/network.tf and 2 more changed, 1 of 2 approvals".into(),
                    lines: vec!["carol approved\u{1b}[2J".into()],
                    hints: vec![],
                    missing: Some(Missing { approvals: 1, from: vec!["bob".into()] }),
                },
            ],
            approvals: vec![ApprovalAnswer {
                person: "carol".into(),
                verdict: "approve".into(),
                date: "2026-11-22T20:00:00Z".into(),
                counts: true,
                why: String::new(),
            }],
            landings: vec![LandingAnswer {
                entry: 412,
                commit: "9".repeat(40),
                by: "dave".into(),
                at: "2026-11-21T08:00:00Z".into(),
                state: None,
                state_why: String::new(),
            }],
            nobody_brought: vec![],
            entry: Some(413),
            head: String::new(),
        }
    }

    fn reader(name: Option<&str>) -> Reader<'_> {
        Reader { name, typed_ref: "main", subject: "open port 8443" }
    }

    #[test]
    fn a_review_says_what_is_missing_who_can_give_it_and_how() {
        let text = review(&answer(), &reader(None)).join("\n");
        let expected = "\
3333333 \"open port 8443\" on refs/heads/main of infra-5f0c91ab
  3 entries differ from 9999999
  you are bob

error: rule `infra-review` is not satisfied
  infra/network.tf and 2 more changed, 1 of 2 approvals
  carol approved\\x1b[2J
  policy: policy.toml:9
  missing: 1 approval, from bob
hint: that can be you: portcullis approve 3333333 --for main

rule `main-takes-merges`: satisfied

said about this delta so far:
  2026-11-22T20:00:00Z carol approve counts

latest landings on refs/heads/main:
  2026-11-21T08:00:00Z 9999999 by dave, see entry 412

error: 3333333 cannot land on refs/heads/main yet, 1 rule is not satisfied";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_rule_at_level_warn_does_not_stop_a_landing() {
        let mut answer = answer();
        answer.rules[1].level = "warn".into();
        assert_eq!(refused(&answer), 0);
        let lines = missing(&answer, &reader(None));
        assert_eq!(lines[0], "warning: rule `infra-review` is not satisfied");
        assert_eq!(
            summary(&answer),
            "success: nothing is missing, 3333333 can land on refs/heads/main"
        );
    }

    #[test]
    fn the_command_is_shown_only_to_those_who_can_use_it() {
        let lines = missing(&answer(), &reader(Some("carol")));
        assert!(lines.iter().all(|line| !line.starts_with("hint: ")), "{lines:?}");
    }
}
