//! What a policy says beside its rules, and what is taken from it: who says who pushes, what the log
//! does, who is told.
//!
//! `UPDATE=1 cargo test --test judging settings::` rewrites what is expected; the diff is the review.

use portcullis::facts::limits::{LIMITS, Limits, row};
use portcullis::policy::{POLICY_FILES_MAX, Policy, PolicyFile, compile, sealing};

use crate::made::policy;
use crate::written::as_written;

/// Each with all that it says; a line `|` stands between two.
const SAID: &str = r#"
[identity]
ssh = "push-certificate"
http = "X_USER_2"
local = "os-user"
unlisted = "refuse"
|
[identity]
ssh = "GL_USER"
http = "push-certificate"
unlisted = "login"
|
[identity]
platform = "gitea"
|
[log]
dir = "/srv/log"
on-drift = "refuse"
when-full = "use-up"
key = "/srv/keys/a.key"
seal-every = "1m"
redact = ["options"]
journal = "journald"
|
[log]
on-drift = "record"
when-full = "refuse"
redact = ["logins"]
journal = "syslog:/run/log"
|
[push]
refuse = "ref"
|
[notify]
command = ["/bin/tell", "me"]
timeout = "600s"
|
[notify]
command = ["tell"]
on = ["drift", "break-glass"]
|
[rollback]
by = ["ada", "ben"]
|
[rollback]
by = ["ada", "ben", "test-bot"]
approvals = 0
within = "2h"
|
[limits]
deadline-seconds = 7
refs = 1
|
help = "ask ada"
level = "warn"
until = 2027-01-31
"#;

fn told(policy: &Policy) -> String {
    let Policy { help, identity, log, refuse, rollback, notify, rules, limits, .. } = policy;
    let mut text = format!("{identity:?}\n{log:?}\nrefuse: {refuse:?}\nhelp: {help:?}\n");
    let terms = rollback.as_ref().map(|it| (&it.by.names, it.approvals, it.within_seconds));
    text.push_str(&format!("rollback: {terms:?}\n{notify:?}\n"));
    let rules =
        rules.iter().map(|rule| format!("{}: {:?}, {:?}\n", rule.name, rule.level, rule.until));
    text.extend(rules);
    text.push_str(&format!("limits: {}, {}\n", limits.deadline_seconds, limits.refs));
    text.push_str(&format!("asks for certificates: {}\n", policy.asks_certificates()));
    text.push_str(&format!("refuses strangers: {}\n", policy.identity.refuses_unlisted()));
    text
}

#[test]
fn what_a_policy_says_is_what_holds() {
    const RULES: &str = "[rule.plain]\nkind = \"merge\"\nrefs = [\"main\"]\n\
        [rule.own]\nkind = \"merge\"\nrefs = [\"main\"]\nlevel = \"warn\"\nuntil = 2027-02-28\n\
        [rule.strict]\nkind = \"merge\"\nrefs = [\"main\"]\nlevel = \"refuse\"\n";
    let plain = told(&policy(RULES));
    let mut all = format!("== nothing\n-- is\n{plain}");
    for said in SAID.split("|\n") {
        let said = said.trim_start();
        // What is no table stands before the tables.
        let policy = match said.starts_with('[') {
            true => policy(&format!("{said}{RULES}")),
            false => alone(&format!("version = 1\n{said}{RULES}")),
        };
        let told = told(&policy);
        let other = told.lines().filter(|line| !plain.lines().any(|known| known == *line));
        let other = other.map(|line| format!("{line}\n")).collect::<String>();
        all.push_str(&format!("== {said}-- is, and else as ever\n{other}"));
    }
    as_written("settings.txt", &all);
}

fn alone(text: &str) -> Policy {
    let file = PolicyFile { label: "policy.toml".to_owned(), bytes: text.as_bytes().to_vec() };
    compile(&[file]).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_limit_is_found_by_its_key() {
    for known in LIMITS {
        assert_eq!(row(known.key).unwrap().doc, known.doc);
    }
    assert!(row("patience").is_none());
}

#[test]
fn a_limit_is_what_the_policy_says_from_one_to_its_most() {
    for row in LIMITS {
        for (value, fits) in [(0, false), (1, true), (row.max, true), (row.max + 1, false)] {
            let rule = "[rule.a]\nkind = \"merge\"\nrefs = [\"main\"]\n";
            let text = format!("version = 1\n[limits]\n{} = {value}\n{rule}", row.key);
            let bytes = text.into_bytes();
            let read = compile(&[PolicyFile { label: "policy.toml".to_owned(), bytes }]);
            assert_eq!(read.is_ok(), fits, "{} = {value}", row.key);
            let mut expected = Limits::default();
            (row.set)(&mut expected, value);
            if let Ok(policy) = read {
                assert_eq!(policy.limits, expected, "{} = {value}", row.key);
            }
        }
    }
}

#[test]
fn how_often_a_log_is_sealed_is_known_without_the_rest() {
    let of = |log: &str| {
        let bytes = format!("version = 1\n[log]\n{log}").into_bytes();
        sealing(&PolicyFile { label: "policy.toml".to_owned(), bytes })
    };
    let hourly = of("key = \"/srv/keys/a.key\"\nseal-every = \"1h\"\n").unwrap();
    assert_eq!(hourly.seal_every, Some(3600));
    assert!(of("key = \"/srv/keys/a.key\"\n").is_none());
}

#[test]
fn a_journal_listens_at_a_full_path_that_a_socket_can_have() {
    let long = |bytes: usize| format!("journald:/{}", "s".repeat(bytes - 1));
    for (written, fits) in [
        ("syslog".to_owned(), true),
        ("syslog:run/log".to_owned(), false),
        ("syslog:".to_owned(), false),
        ("syslog:/run/\\u0000".to_owned(), false),
        (long(107), true),
        (long(108), false),
    ] {
        let rule = "[rule.a]\nkind = \"merge\"\nrefs = [\"main\"]\n";
        let bytes = format!("version = 1\n[log]\njournal = \"{written}\"\n{rule}").into_bytes();
        let read = compile(&[PolicyFile { label: "policy.toml".to_owned(), bytes }]);
        assert_eq!(read.is_ok(), fits, "{written}");
    }
}

#[test]
fn no_file_of_a_policy_is_left_out_for_their_number() {
    let rule =
        |at: usize| format!("version = 1\n[rule.a{at}]\nkind = \"merge\"\nrefs = [\"main\"]\n");
    let file = |at: usize| PolicyFile { label: format!("{at}.toml"), bytes: rule(at).into_bytes() };
    let of = |count: usize| compile(&(0..count).map(file).collect::<Vec<_>>());
    assert_eq!(of(POLICY_FILES_MAX).unwrap().rules.len(), POLICY_FILES_MAX);
    for more in [1, 2] {
        let problems = of(POLICY_FILES_MAX + more).unwrap_err().to_string();
        assert!(problems.contains("a policy of more than"), "{problems}");
    }
}
