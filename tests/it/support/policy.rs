//! Policies that the tests share, as an operator would write them.

use crate::support::person::{WHO, public_key};

/// The people of these tests, the groups they are in, and how the server knows them.
pub(crate) fn people() -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "version = 1\nhelp = \"#platform, ext. 1234\"\n\n[identity]\nssh = \"ssh-auth-info\"\n\
         http = \"REMOTE_USER\"\nlocal = \"{WHO}\"\n"
    );
    for (name, keys) in [
        ("alice", &["alice", "alice-second"][..]),
        ("bob", &["bob"]),
        ("carol", &["carol"]),
        ("dave", &["dave"]),
        ("erin", &["erin"]),
    ] {
        let keys: Vec<String> = keys.iter().map(|key| format!("\"{}\"", public_key(key))).collect();
        let _ = write!(
            text,
            "\n[people.{name}]\nemails = [\"{name}@example.org\", \"{name}@home.example\"]\nkeys = [{}]\n",
            keys.join(", ")
        );
    }
    let _ = write!(
        text,
        "\n[people.plan-bot]\nmachine = true\nkeys = [\"{}\"]\n\n[groups]\n\
         sre = [\"alice\", \"bob\"]\nplatform = [\"@sre\", \"carol\", \"erin\"]\n",
        public_key("plan-bot")
    );
    text
}

/// `main` takes merges, infrastructure needs this many approvals.
pub(crate) fn gated(approvals: u32) -> String {
    format!("{}{}{}", people(), MERGES, infra_review(approvals))
}

/// The default branch takes merges only.
pub(crate) const MERGES: &str = "\n[rule.main-takes-merges]\nkind = \"merge\"\nrefs = [\"@default\"]\n\
     methods = [\"merge\"]\n";

/// Release branches and tags, and who may do what to them.
pub(crate) const RELEASES: &str = "\n[rule.releases-come-from-main]\nkind = \"landed\"\n\
     refs = [\"refs/tags/v*\", \"production\"]\nin = [\"main\"]\n\
     \n[rule.tags-stay]\nkind = \"immutable\"\nrefs = [\"refs/tags/**\"]\n";

/// Infrastructure on the default branch needs approvals by the platform people.
pub(crate) fn infra_review(approvals: u32) -> String {
    format!(
        "\n[rule.infra-review]\nkind = \"approval\"\nrefs = [\"@default\"]\n\
         infra = [\"terraform\", \"kubernetes\"]\npaths = [\"infra/**\"]\napprovals = {approvals}\n\
         from = [\"@platform\"]\nwhy = \"production is built from here\"\n"
    )
}

/// The shared policy with a case's lines laid over it: a key takes the place of the same key in
/// the table of the same name, a new table stands at the end.
pub(crate) fn laid_over(shared: &str, over: &[String]) -> Result<String, String> {
    let mut lines: Vec<String> = shared.lines().map(with_keys).collect();
    let mut at: Option<usize> = None;
    for line in over {
        if line.starts_with('[') {
            at = Some(lines.iter().position(|l| l == line).unwrap_or_else(|| {
                lines.extend([String::new(), line.clone()]);
                lines.len() - 1
            }));
            continue;
        }
        let header = at.ok_or("a policy begins with the [table] it changes")?;
        let (key, _) = line.split_once('=').ok_or_else(|| format!("`{line}` is no KEY = VALUE"))?;
        let end = lines[header + 1..].iter().position(|l| l.starts_with('['));
        let end = end.map_or(lines.len(), |n| header + 1 + n);
        let same = |l: &String| l.split_once('=').is_some_and(|(k, _)| k.trim() == key.trim());
        match lines[header + 1..end].iter().position(same) {
            Some(n) => lines[header + 1 + n] = with_keys(line),
            None => lines.insert(header + 1, with_keys(line)),
        }
    }
    Ok(lines.join("\n") + "\n")
}

/// Puts the public half of test keys in place of `{name}`.
fn with_keys(line: &str) -> String {
    let mut line = line.to_owned();
    while let Some((before, rest)) = line.split_once('{').filter(|_| line.starts_with("keys"))
        && let Some((name, after)) = rest.split_once('}')
    {
        line = format!("{before}{}{after}", public_key(name));
    }
    line
}
