//! Rule kind `code-owners`, in the words a pusher reads: who owns what changes, and what nobody owns.
//!
//! `UPDATE=1 cargo test --test judging owners::` rewrites what is expected; the diff is the review.

use std::sync::Arc;

use portcullis::codeowners::read;
use portcullis::facts::UpdateFacts;
use portcullis::facts::landing::Step;
use portcullis::facts::makers::MakerBy;
use portcullis::facts::owners::{FoundOwners, Owners, OwnersFile, Unread, places};
use portcullis::judge::asks::asked_of;
use portcullis::judge::{judge, needs};
use portcullis::message::closing::{Closing, Reach, Room};
use portcullis::message::pusher;
use portcullis::names::path::RepoPath;
use portcullis::policy::Policy;
use portcullis::rules::seats::Seat;
use portcullis::statement::fields::{ApprovalVerdict, Saying};
use portcullis::verdict::Verdict;

use crate::made::{
    alone, branch, change, name, now, oid, policy_with_emails, push, statement, step, update,
};
use crate::written::as_written;

/// Ada and Ben can approve; `@org/pair` is both, `@org/bots` a machine.
const RULE: &str = "[groups]\npair = [\"ada\", \"ben\"]\nbots = [\"plan-bot\"]\n\
    [rule.owned]\nkind = \"code-owners\"\nrefs = [\"main\"]\n";

const GITHUB: &str = "dialect = \"github\"\n";

const FROM: &str = "dialect = \"github\"\nunowned = \"from\"\nfrom = [\"cora\", \"dov\"]\n";

const ACCEPT: &str = "dialect = \"github\"\nunowned = \"accept\"\n";

const GITLAB: &str = "dialect = \"gitlab\"\n";

/// What lies where the file is looked for.
#[derive(Clone, Copy)]
enum There {
    Nothing,
    Link,
    File(&'static str),
}

use There::{File, Link, Nothing};

/// A case: its name, the rule, the file, what changes, and who approved it; `!` before who has made
/// it, and `?` alone for a maker whom nobody knows.
type Case = (&'static str, &'static str, There, &'static [&'static str], &'static [&'static str]);

const PLAIN: There = File("/infra/ @ada\n/docs/ @org/pair\n/free/\n/dead/ @nobody\n");
const STAR: There = File("* @cora\n/infra/ @ada\nCODEOWNERS @ben\n");
const ODD: There = File("* @cora\n!/x @ben\n");
const LAST: There = File("* @cora\nCODEOWNERS @org/bots\n");

const CASES: &[Case] = &[
    ("no owner has approved", GITHUB, PLAIN, &["infra/a.tf"], &[]),
    ("an owner has", GITHUB, PLAIN, &["infra/a.tf"], &["ada"]),
    ("somebody else has", GITHUB, PLAIN, &["infra/a.tf"], &["ben"]),
    ("one of a team has", GITHUB, PLAIN, &["docs/x"], &["ben"]),
    ("each file has its own owner", GITHUB, PLAIN, &["docs/x", "infra/a.tf"], &["ben"]),
    ("one owns both", GITHUB, PLAIN, &["docs/x", "infra/a.tf"], &["ada"]),
    ("owned by nobody on purpose", GITHUB, PLAIN, &["free/x"], &[]),
    ("owned by nobody on purpose, where `from` decides", FROM, PLAIN, &["free/x"], &[]),
    ("owned by nobody on purpose, and accepted", ACCEPT, PLAIN, &["free/x"], &[]),
    ("owned by whom nobody knows", GITHUB, PLAIN, &["dead/x"], &["ada"]),
    ("owned by whom nobody knows, where `from` decides", FROM, PLAIN, &["dead/x"], &["cora"]),
    ("owned by whom nobody knows, and accepted", ACCEPT, PLAIN, &["dead/x"], &["ada"]),
    ("not owned", GITHUB, PLAIN, &["app/x"], &["ada"]),
    ("not owned, where `from` decides", FROM, PLAIN, &["app/x"], &[]),
    ("not owned, and `from` has decided", FROM, PLAIN, &["app/x"], &["dov"]),
    ("owned, and only `from` has approved", FROM, PLAIN, &["infra/a.tf"], &["dov"]),
    ("not owned, and accepted", ACCEPT, PLAIN, &["app/x"], &[]),
    ("owned, and what nobody owns is accepted", ACCEPT, PLAIN, &["infra/a.tf"], &[]),
    ("no file", GITHUB, Nothing, &["app/x"], &["ada"]),
    ("no file, where `from` decides", FROM, Nothing, &["app/x"], &["cora"]),
    ("no file, and `from` has not", FROM, Nothing, &["app/x"], &["ada"]),
    ("no file, and accepted", ACCEPT, Nothing, &["app/x"], &[]),
    ("a link for a file", GITHUB, Link, &["app/x"], &["ada"]),
    ("a link for a file, where `from` decides", FROM, Link, &["app/x"], &["cora"]),
    ("a link for a file, and accepted", ACCEPT, Link, &["app/x"], &[]),
    ("the file itself, which nobody owns", GITHUB, PLAIN, &["CODEOWNERS"], &["ada"]),
    ("the file itself, where `from` decides", FROM, PLAIN, &["CODEOWNERS"], &["cora"]),
    ("the file itself, and accepted", ACCEPT, PLAIN, &["CODEOWNERS"], &[]),
    ("the file itself, by the owner of `*` alone", GITHUB, STAR, &["CODEOWNERS"], &["cora"]),
    ("the file itself, by its own owner alone", GITHUB, STAR, &["CODEOWNERS"], &["ben"]),
    ("the file itself, by both", GITHUB, STAR, &["CODEOWNERS"], &["ben", "cora"]),
    ("the file itself, whose line names nobody", GITHUB, LAST, &["CODEOWNERS"], &["cora"]),
    ("the file itself, beside a line that cannot be read", GITHUB, ODD, &["CODEOWNERS"], &["cora"]),
    ("another place of the file", GITHUB, STAR, &["docs/CODEOWNERS"], &["cora"]),
    ("the file itself, where there is none yet", FROM, Nothing, &["CODEOWNERS"], &["dov"]),
    ("the file itself, where there is a link", FROM, Link, &["CODEOWNERS"], &["dov"]),
    ("an optional section", GITLAB, File("^[Maybe]\n/infra/ @ada\n"), &["infra/a.tf"], &[]),
    (
        "the file itself, in an optional section",
        GITLAB,
        File("* @cora\n^[Maybe]\nCODEOWNERS @ada\n"),
        &["CODEOWNERS"],
        &["cora"],
    ),
    (
        "two sections",
        GITLAB,
        File("/infra/ @ada\n[Two][2]\n/infra/ @ben @cora @dov\n"),
        &["infra/a.tf"],
        &["ada", "ben"],
    ),
    (
        "two sections, all of whom have",
        GITLAB,
        File("/infra/ @ada\n[Two][2]\n/infra/ @ben @cora @dov\n"),
        &["infra/a.tf"],
        &["ada", "ben", "dov"],
    ),
    ("a maker whom nobody knows, and one owner has", GITHUB, PLAIN, &["docs/x"], &["?", "ada"]),
    ("a maker whom nobody knows, and both have", GITHUB, PLAIN, &["docs/x"], &["?", "ada", "ben"]),
    ("one of two owners is a maker", GITHUB, PLAIN, &["docs/x"], &["!ada"]),
    ("the maker has approved", GITHUB, PLAIN, &["docs/x"], &["!ada", "ada"]),
    ("every owner is a maker", GITHUB, PLAIN, &["infra/a.tf"], &["!ada"]),
    ("two are asked for, and one is left", GITLAB, TWO, &["infra/a.tf"], &["!ben"]),
    ("a maker whom nobody knows, and nobody has", GITHUB, PLAIN, &["docs/x"], &["?"]),
    (
        "a maker whom nobody knows, and two lines",
        GITHUB,
        PLAIN,
        &["docs/x", "infra/a.tf"],
        &["?", "ada"],
    ),
    ("two that nobody owns", GITHUB, PLAIN, &["app/x", "app/y", "dead/x"], &[]),
    ("two lines of one owner", GITHUB, SAME, &["docs/x", "infra/a.tf"], &[]),
    ("several of one owner", GITHUB, PLAIN, &["docs/x", "infra/a.tf", "infra/b.tf"], &[]),
    ("who serves one line serves the other", GITHUB, PLAIN, &["docs/x", "infra/a.tf"], &[]),
];

const SAME: There = File("/infra/ @ada\n/docs/ @ada\n");

const TWO: There = File("[Two][2]\n/infra/ @ada @ben\n");

fn approves(by: &str, step: &mut Step) {
    let changes = step.delta.changes().to_vec();
    let saying = Saying::Approval { verdict: ApprovalVerdict::Approve };
    let word = statement(by, saying, step, &changes);
    step.candidates.push(word);
}

/// The policy, and an update of `main` as a case has it.
fn so(rule: &str, there: There, paths: &[&str], by: &[&str]) -> (Policy, UpdateFacts) {
    let policy = policy_with_emails(&format!("{RULE}{rule}"));
    let asked = needs(&policy, &branch("main"), None, now()).rules.remove(0).needs.owners.unwrap();
    let places = places(asked.dialect, None);
    let path = places[0].clone();
    let found = match there {
        Nothing => FoundOwners::Nothing,
        Link => FoundOwners::Unread { path, why: Unread::NoFile },
        File(text) => {
            let book = read(asked.dialect, text.as_bytes()).unwrap();
            FoundOwners::Read { path, owners: Box::new(Owners::new(book, &asked.directory)) }
        }
    };
    let changes: Vec<_> = paths.iter().map(|path| change(path, 1, 2)).collect();
    let mut step = step(1, &changes);
    for who in by {
        match who.strip_prefix('!') {
            Some(maker) => step.makers.add(&name(maker), MakerBy::Brought, oid(5)),
            None if *who == "?" => {
                step.makers.unknown = Some((oid(6), "was brought by nobody on record"));
            }
            None => approves(who, &mut step),
        }
    }
    let mut update = update(&policy, "main", vec![alone(step)], None);
    let file = OwnersFile { commit: Some(oid(1)), places, only_first: false, found };
    update.owners_of_rule = vec![(0, Arc::new(file))];
    (policy, update)
}

fn told(rule: &str, there: There, paths: &[&str], by: &[&str]) -> String {
    let (policy, update) = so(rule, there, paths, by);
    let closing = Closing {
        entry: None,
        head: None,
        you: None,
        reach: Reach::WholePush,
        room: Room::default(),
    };
    pusher::judged(&judge(&policy, &push(vec![update])), &closing)
}

#[test]
fn every_case_reads_as_written() {
    let mut all = String::new();
    for (case, rule, there, paths, by) in CASES {
        all.push_str(&format!("== {case}\n{}", told(rule, *there, paths, by)));
    }
    as_written("message/owners.txt", &all);
}

#[test]
fn what_lacks_is_counted_once_for_whoever_owns_it_twice() {
    let missing = |there: There, paths: &[&str]| {
        let (policy, update) = so(GITHUB, there, paths, &[]);
        let judgement = judge(&policy, &push(vec![update]));
        judgement.refs[0].findings[0].objection.missing.clone().unwrap().approvals
    };
    assert_eq!(missing(SAME, &["docs/x", "infra/a.tf"]), 1);
    assert_eq!(missing(File("/infra/ @ada\n/docs/ @ben\n"), &["docs/x", "infra/a.tf"]), 2);
}

#[test]
fn what_came_and_went_again_is_owned_like_the_rest() {
    let passes = |hidden: &str| {
        let (policy, mut update) = so(ACCEPT, PLAIN, &["free/x"], &[]);
        update.landings[0].segments[0].whole.hidden.push(RepoPath::new(hidden));
        judge(&policy, &push(vec![update])).verdict() == Verdict::Accept
    };
    assert!(passes("free/y") && passes("app/x"));
    assert!(!passes("infra/a.tf") && !passes("dead/x"));
}

/// What a broken glass would owe for this: how many approvals of whom.
fn owed(rule: &str, text: &'static str, paths: &[&str]) -> Vec<String> {
    let (policy, update) = so(rule, File(text), paths, &[]);
    let facts = push(vec![update]);
    let (_, seats) = asked_of(&policy, &facts, &facts.updates[0]).remove(0);
    let told = |seat: &Seat| {
        let names: Vec<&str> = seat.from.names.iter().map(|name| name.as_str()).collect();
        format!("{} of {}", seat.approvals, names.join(", "))
    };
    seats.iter().map(told).collect()
}

#[test]
fn a_broken_glass_owes_each_demand_that_no_other_includes() {
    let sections = "/infra/ @ada\n[Two][2]\n/infra/ @ben @cora @dov\n";
    assert_eq!(owed(GITLAB, sections, &["infra/a.tf"]), ["1 of ada", "2 of ben, cora, dov"]);
    // Whoever Ada's approval serves is served.
    let lines = "/docs/ @org/pair\n/infra/ @ada\n";
    assert_eq!(owed(GITHUB, lines, &["docs/x", "infra/a.tf"]), ["1 of ada"]);
    assert_eq!(owed(GITHUB, lines, &["docs/x", "docs/y"]), ["1 of ada, ben"]);
    // One of some and two of more are two demands; of the same people the larger is one.
    let more = "/infra/ @ada\n[Two][2]\n/infra/ @ada @ben\n[Three]\n/infra/ @ada @ben\n";
    assert_eq!(owed(GITLAB, more, &["infra/a.tf"]), ["1 of ada", "2 of ada, ben"]);
    assert!(owed(GITHUB, "/free/\n", &["free/x"]).is_empty());
}
