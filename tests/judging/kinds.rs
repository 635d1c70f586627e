//! What each kind of rule has gathered, and what it is about: a rule that is not handed what it judges
//! by would say nothing.
//!
//! `UPDATE=1 cargo test --test judging kinds::` rewrites what is expected; the diff is the review.

use portcullis::facts::needs::Needs;
use portcullis::judge::needs;
use portcullis::names::path::RepoPath;
use portcullis::rules::KINDS;
use portcullis::rules::remark::Seen;

use crate::made::{branch, now, policy_with_emails};
use crate::written::as_written;

/// One rule of each kind, plain and with what makes it ask for more.
const RULES: &[&str] = &[
    "kind = \"access\"\nmove = [\"ada\"]\n",
    "kind = \"approval\"\npaths = [\"infra/**\", \"gone/**\"]\nfrom = [\"ada\", \"ben\"]\n",
    "kind = \"approval\"\npaths = [\"infra/**\"]\ninfra = [\"kubernetes\"]\nveto = false\n\
     moved = \"clean-merge\"\nfrom = [\"ada\", \"ben\"]\n",
    "kind = \"author\"\nauthor = \"people\"\n",
    "kind = \"author\"\ncommitter = \"pusher\"\nsince = 2026-11-01\n",
    "kind = \"check\"\nchecks = [\"plan\"]\nfrom = [\"plan-bot\"]\npaths = [\"infra/**\", \"gone/**\"]\n\
     infra = [\"terraform\"]\n",
    "kind = \"code-owners\"\ndialect = \"github\"\nunowned = \"from\"\nfrom = [\"ada\", \"ben\"]\n",
    "kind = \"code-owners\"\ndialect = \"gitlab\"\nveto = false\nunowned = \"from\"\n\
     from = [\"ada\", \"ben\"]\n",
    "kind = \"files\"\npaths = [\"infra/**\", \"gone/**\"]\nmax-size = \"5MiB\"\n",
    "kind = \"files\"\nforbid = [\"binary\", \"collision\"]\nsince = 2026-11-01\n",
    "kind = \"files\"\nforbid = [\"empty\"]\n",
    "kind = \"files\"\nmax-binary-size = \"1MiB\"\n",
    "kind = \"freeze\"\nclosed = [{ days = [\"sun\"] }]\n",
    "kind = \"freeze\"\ninfra = [\"helm\"]\npaths = [\"infra/**\"]\nclosed = [{ days = [\"sun\"] }]\n",
    "kind = \"immutable\"\n",
    "kind = \"immutable\"\nannotated = true\nsigned = true\n",
    "kind = \"landed\"\nin = [\"release\"]\n",
    "kind = \"merge\"\n",
    "kind = \"merge\"\nresolved-by = [\"ben\"]\n",
    "kind = \"message\"\nsubject-max = 50\nsince = 2026-11-01\n",
    "kind = \"names\"\nforbid = [\"x\"]\n",
    "kind = \"restrict-paths\"\npaths = [\"infra/**\", \"gone/**\"]\ninfra = [\"ansible\"]\nby = [\"ada\"]\n",
    "kind = \"run\"\ncommand = [\"/bin/lint\"]\npaths = [\"infra/**\", \"gone/**\"]\n\
     infra = [\"terraform\"]\n",
    "kind = \"secrets\"\nalso = [\"**/*.secret\"]\nsince = 2026-11-01\n",
    "kind = \"signature\"\nsince = 2026-11-01\n",
    "kind = \"signed-push\"\n",
    "kind = \"size\"\ncommits-max = 5\n",
    "kind = \"size\"\nfiles-max = 5\n",
    "kind = \"size\"\nnew-files-max = 5\n",
    "kind = \"size\"\ndeletions-max = 5\n",
    "kind = \"size\"\nrefs-max = 5\n",
];

/// The lines of what is asked that no rule asks by itself.
fn beyond(asked: &Needs) -> String {
    let (asked, plain) = (format!("{asked:#?}"), format!("{:#?}", Needs::default()));
    let plain: Vec<&str> = plain.lines().collect();
    let own = asked.lines().filter(|line| !plain.contains(line));
    // How patterns are matched, and whom a file of owners may name, is for others to say.
    own.take_while(|line| !line.contains("negative:") && !line.contains("directory:"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn since_passes_over_what_a_day_or_a_commit_stands_for() {
    let always = |since: &str| {
        let rule = "[rule.it]\nrefs = [\"main\"]\nkind = \"message\"\nsubject-max = 50\n";
        let policy = policy_with_emails(&format!("{rule}{since}"));
        let asked = needs(&policy, &branch("main"), None, now());
        asked.rules[0].needs.since.is_always()
    };
    assert!(always(""));
    assert!(!always("since = 2026-11-01\n"));
    assert!(!always("since = [\"0123456789012345678901234567890123456789\"]\n"));
}

#[test]
fn each_kind_is_handed_what_it_judges_by() {
    let paths = [RepoPath::new("app/x"), RepoPath::new("infra/a.tf")];
    let mut all = String::new();
    for rule in RULES {
        let policy = policy_with_emails(&format!("[rule.it]\nrefs = [\"main\"]\n{rule}"));
        let asked = needs(&policy, &branch("main"), None, now());
        let body = &policy.rules[0].body;
        all.push_str(&format!("== {}\n{}", rule.trim_end(), beyond(&asked.rules[0].needs)));
        let about = paths.iter().map(|path| format!("{path:?} {:?}", body.about(path)));
        all.push_str(&format!("about: {}\n", about.collect::<Vec<_>>().join(", ")));
        let main = branch("main");
        let seen = Seen { refname: &main, paths: &paths, owners: None };
        let against = body.against(&seen);
        all.extend(against.iter().map(|it| format!("remark, {}: {}\n", it.serious, it.what)));
    }
    for kind in KINDS {
        assert!(all.contains(&format!("kind = \"{}\"", kind.name)), "{}", kind.name);
    }
    as_written("kinds.txt", &all);
}
