//! The policy that `install` writes where there is none yet.
//!
//! Pure: people in, TOML text out. What stands in it is the smallest policy that protects something:
//! the default branch takes reviewed merges only, and every built-in kind of infrastructure file is
//! reviewed. `install` compiles it before it is written, like any other.

use crate::cli::install::people::Person;
use crate::cli::platform::Platform;

/// How many possible reviewers there must be, so that anybody's change can be approved by somebody
/// else.
pub const REVIEWERS_MIN: usize = 2;

/// How the approval rule starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approvals {
    /// It refuses.
    Refuse,
    /// It only warns: with so few reviewers, nobody could land anything.
    Warn,
    /// It stands there as a comment: a rule that nobody can satisfy is a problem.
    Absent,
}

impl Approvals {
    /// How the rule starts with so many possible reviewers. `enforced`: the operator wants it to
    /// refuse even with a single one.
    pub fn with(reviewers: usize, enforced: bool) -> Self {
        match reviewers {
            0 => Self::Absent,
            1 if enforced => Self::Refuse,
            1 => Self::Warn,
            _ => Self::Refuse,
        }
    }
}

const HEAD: &str = r##"# What may be pushed to this repository, and who has to agree.
# Written by `portcullis install`; yours to change. After a change:
#   portcullis lint THIS-FILE
# The rule kinds and their keys:
#   portcullis explain
version = 1
# help = "#platform, ext. 1234"   # shown in every refusal: whom to ask
"##;

const DOORS: &str = r#"
# Who pushes, by the way they come. Nothing that the client says counts.
[identity]
ssh   = "ssh-auth-info"   # the key they came with; sshd_config: ExposeAuthInfo yes
http  = "REMOTE_USER"     # the login that the web server checked
local = "os-user"         # the account of the process
"#;

const RULES: &str = r#"
# The default branch takes merges of branches that were pushed before: no direct commits.
[rule.default-takes-merges]
kind = "merge"
refs = ["@default"]
why  = "every change is on the server, to be looked at, before it lands"

# Nobody rewinds or deletes it. To let somebody: rewind = ["NAME"].
[rule.default-stays]
kind   = "access"
refs   = ["@default"]
rewind = []
delete = []
"#;

const APPROVAL: &str = r#"
# Infrastructure files land when somebody approved them who did not write them.
[rule.infra-review]
kind      = "approval"
refs      = ["@default"]
infra     = ["all"]
approvals = 1
from      = ["@reviewers"]
why       = "production is built from these files"
"#;

/// The text of the starter policy.
pub fn policy(people: &[Person], platform: &Platform, approvals: Approvals) -> String {
    let mut text = String::from(HEAD);
    match platform.identity {
        None => text.push_str(DOORS),
        Some(name) => text.push_str(&format!(
            "\n# Who pushes, as the platform tells it.\n[identity]\nplatform = {}\n",
            quoted(name)
        )),
    }
    for person in people {
        text.push_str(&table(person));
    }
    if !people.is_empty() {
        let names: Vec<String> = people.iter().map(|p| quoted(p.name.as_str())).collect();
        text.push_str(&format!("\n[groups]\nreviewers = [{}]\n", names.join(", ")));
    }
    text.push_str(RULES);
    match approvals {
        Approvals::Refuse => text.push_str(APPROVAL),
        Approvals::Warn => {
            text.push_str(APPROVAL);
            text.push_str(
                "level     = \"warn\"   # take this line away once there are two reviewers\n",
            );
        }
        Approvals::Absent => text.push_str(&commented_out(APPROVAL)),
    }
    text
}

fn table(person: &Person) -> String {
    let mut text = format!("\n[people.{}]\n", bare_or_quoted(person.name.as_str()));
    if !person.emails.is_empty() {
        let emails: Vec<String> = person.emails.iter().map(|email| quoted(email)).collect();
        text.push_str(&format!("emails = [{}]\n", emails.join(", ")));
    }
    text.push_str("keys   = [\n");
    for key in &person.keys {
        text.push_str(&format!("  {},\n", quoted(key)));
    }
    text.push_str("]\n");
    text
}

fn commented_out(rule: &str) -> String {
    let mut text = String::from(
        "\n# The roster is empty, so nobody could approve anything yet. Once there are people:\n\
         # [people.alice]\n# keys = [\"ssh-ed25519 AAAA... alice\"]\n\
         # [groups]\n# reviewers = [\"alice\", \"bob\"]\n",
    );
    for line in rule.trim_start().lines() {
        text.push_str(&format!("# {line}\n").replace("# # ", "# "));
    }
    text
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A TOML key: a dot in a bare key would make it two.
fn bare_or_quoted(name: &str) -> String {
    let is_bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_bare { name.into() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;
    use crate::cli::platform::PLATFORMS;
    use crate::names::principal::PrincipalName;

    fn person(name: &str) -> Person {
        Person {
            name: PrincipalName::parse(name).unwrap(),
            emails: vec![format!("{name}@example.com")],
            keys: vec![format!("ssh-ed25519 AAAA{name} \"{name}\"")],
        }
    }

    #[test]
    fn every_starter_is_toml_with_the_people_in_it() {
        for platform in PLATFORMS {
            for names in [&[][..], &["alice"], &["alice", "b.smith", "carol"]] {
                let people: Vec<Person> = names.iter().map(|name| person(name)).collect();
                let approvals = Approvals::with(people.len(), false);
                let text = policy(&people, platform, approvals);
                let table: toml::Table = text.parse().unwrap();
                let roster = table.get("people").and_then(toml::Value::as_table);
                assert_eq!(roster.map_or(0, toml::Table::len), names.len(), "{text}");
                let rule = table["rule"].get("infra-review");
                assert_eq!(rule.is_some(), !names.is_empty(), "{text}");
            }
        }
    }

    #[test]
    fn one_reviewer_is_too_few_to_refuse_unless_enforced() {
        assert_eq!(Approvals::with(1, false), Approvals::Warn);
        assert_eq!(Approvals::with(1, true), Approvals::Refuse);
        assert_eq!(Approvals::with(0, true), Approvals::Absent);
        assert_eq!(Approvals::with(2, false), Approvals::Refuse);
    }
}
