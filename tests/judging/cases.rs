//! What a rule says, as text: `tests/cases/rules`, one file a rule kind.
//!
//! A case is a policy, a push and what is told of it; `UPDATE=1` writes down what is told now. How
//! a case is written stands at the head of `message.txt`.
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::facts::arrival::{Arrival, Arrivals, Claim};
use portcullis::facts::makers::{MakerBy, Makers};
use portcullis::facts::run::{Ended, RunSeen};
use portcullis::facts::{Facts, Motion, Target, UpdateFacts};
use portcullis::judge::{judge, needs};
use portcullis::names::moment::Moment;
use portcullis::names::oid::Oid;
use portcullis::names::refname::Refname;
use portcullis::policy::Policy;
use portcullis::push::Door;
use portcullis::push::pusher::Who;
use portcullis::push::update::RefUpdate;
use portcullis::verdict::finding::{Level, Objection};
use portcullis::verdict::line::{Hint, Line};

use crate::made::{alone, branch, change, name, now, oid, policy_with_emails, push, step, update};
use crate::takes::intake;
use crate::written::bytes;

/// One case, as it is written.
#[derive(Default)]
struct Case {
    head: String,
    policy: String,
    push: String,
    steps: Vec<String>,
    takes: Vec<String>,
    speaks: Vec<String>,
    /// How a command ended, and below it what it wrote.
    ran: Option<(String, String)>,
    /// Each commit: what it says of itself, and its message.
    commits: Vec<(String, String)>,
}

/// The cases of a file; the words before the first stay as they are.
fn read(text: &str) -> (String, Vec<Case>) {
    let mut parts = text.split("\n== ");
    let opening = parts.next().unwrap_or_default().to_owned();
    (opening, parts.map(case).collect())
}

fn case(text: &str) -> Case {
    let mut case = Case::default();
    let mut block = "";
    for line in text.split_inclusive('\n') {
        let words = line.trim_end();
        let key = words.split(':').next().unwrap_or_default();
        if line.starts_with("  ") || words.is_empty() {
            let inner = line.strip_prefix("  ").unwrap_or(line);
            match block {
                "policy" => case.policy.push_str(inner),
                "commit" => case.commits.last_mut().unwrap().1.push_str(inner),
                "ran" => case.ran.as_mut().unwrap().1.push_str(inner),
                _ => {}
            }
        } else {
            block = key;
            let rest = words.split_once(':').map_or("", |(_, rest)| rest.trim()).to_owned();
            match key {
                "push" => case.push = rest,
                "step" => case.steps.push(rest),
                "takes" => case.takes.push(rest),
                "speaks" => case.speaks.push(rest),
                "ran" => case.ran = Some((rest, String::new())),
                "commit" => case.commits.push((rest, String::new())),
                "says" => return case,
                _ => {}
            }
        }
        case.head.push_str(line);
    }
    case
}

/// What follows a word among `word value, word value`.
fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let mut parts = text.split(',').map(str::trim);
    parts.find_map(|part| part.strip_prefix(word)).map(str::trim)
}

fn claim(policy: &Policy, who: &str, when: Moment) -> Claim {
    let (name, email) = who.split_once('<').unwrap();
    let email = bytes(email.trim_end_matches('>'));
    let owner = policy.roster.by_email(&email).cloned();
    Claim { name: bytes(name.trim()), email, owner, when }
}

fn arrival(policy: &Policy, number: u32, about: &str, message: &str) -> Arrival {
    let end = if after(about, "no line feed").is_some() { "" } else { "\n" };
    let message = bytes(&format!("{}{end}", message.trim_end_matches('\n')));
    let when = after(about, "dated").map_or(now(), |at| Moment::parse_seconds(at).unwrap());
    let author = after(about, "by").unwrap_or("Eve <eve@example.org>");
    let committer = after(about, "committed by").unwrap_or(author);
    let mut makers = Makers::default();
    let at = oid(0xc0_0000 + number);
    match after(about, "brought by").unwrap_or("eve") {
        "nobody" => makers.unknown = Some((at, "was brought by nobody on record")),
        "genesis" => {}
        by => makers.add(&name(by), MakerBy::Brought, at),
    }
    let subject = message.split(|&b| b == b'\n').next().unwrap().to_vec();
    Arrival {
        oid: at,
        parents: if after(about, "a merge").is_some() { 2 } else { 1 },
        author: claim(policy, author, when),
        committer: claim(policy, committer, when),
        encoding: after(about, "encoding").map(|text| text.as_bytes().to_vec()),
        trailers: portcullis::store::trailer::all(&message),
        cut: after(about, "cut").is_some(),
        message,
        subject,
        bringers: Some(makers),
    }
}

fn facts(policy: &Policy, case: &Case) -> Facts {
    let steps = case.steps.iter().enumerate().map(|(number, text)| {
        let changes = text.split_whitespace().map(|word| {
            let (sign, path) = word.split_at(1);
            match sign {
                "+" => change(path, 0, 1),
                "-" => change(path, 1, 0),
                _ => change(path, 1, 2),
            }
        });
        alone(step(u32::try_from(number).unwrap() + 1, &changes.collect::<Vec<_>>()))
    });
    let mut update = update(policy, "main", steps.collect(), None);
    if case.steps.is_empty() {
        (update.landings, update.landing_of_rule) = (Vec::new(), Vec::new());
    }
    let commits = case.commits.iter().enumerate().map(|(number, (about, message))| {
        arrival(policy, u32::try_from(number).unwrap(), about, message)
    });
    let commits: Vec<Arrival> = commits.collect();
    let asked = needs(policy, &branch("main"), Some(&branch("main")), now());
    update.arrivals_of_rule = asked.rules.iter().map(|rule| (rule.index, 0)).collect();
    update.arrivals = vec![Arrivals {
        count: commits.len(),
        base: Some(oid(1)),
        last: commits.first().map(|one| one.oid),
        has_merges: commits.iter().any(Arrival::is_merge),
        commits,
    }];
    if !case.takes.is_empty() || !case.speaks.is_empty() {
        update.intake_of_rule = update.arrivals_of_rule.clone();
        update.intakes = vec![intake(&case.takes, &case.speaks)];
    }
    if let Some((ended, output)) = &case.ran {
        let rules = asked.rules.iter().map(|rule| rule.index);
        update.runs = rules.map(|index| (index, ran(ended, output))).collect();
    }
    let about = &case.push;
    moves(&mut update, about);
    let mut facts = push(vec![update]);
    facts.push.push.door = match after(about, "door update") {
        Some(_) => Door::Update,
        None => Door::PreReceive,
    };
    if let Some(at) = after(about, "at") {
        facts.push.push.moment = Moment::parse_seconds(at).unwrap();
    }
    if let Some(who) = after(about, "by") {
        facts.push.push.pusher.who = Who::Listed { name: name(who), machine: false, shared: false };
        facts.push.push.pusher.login = who.to_owned();
    }
    if let Some(login) = after(about, "unlisted") {
        facts.push.push.pusher.who = Who::Unlisted;
        facts.push.push.pusher.login = login.to_owned();
    }
    if let Some(who) = after(about, "shared") {
        facts.push.push.pusher.who = Who::Listed { name: name(who), machine: false, shared: true };
    }
    let others = after(about, "with").map_or(0, |n| n.split(' ').next().unwrap().parse().unwrap());
    let gone = after(about, "and deletes").map_or(0, |n| n.parse::<u32>().unwrap());
    for number in 0..others {
        let new = if number < gone { Oid::zero(oid(1).format()) } else { oid(7) };
        let name = branch(&format!("other-{number}"));
        facts.push.push.updates.push(RefUpdate { name, claimed_old: oid(6), new });
    }
    facts
}

/// What the push does to which ref; without a word it moves `main` forward.
fn moves(update: &mut UpdateFacts, about: &str) {
    let zero = Oid::zero(update.update.new.format());
    if let Some(name) = after(about, "of") {
        update.update.name = Refname::parse(&bytes(name)).unwrap();
    }
    if after(about, "creates it").is_some() {
        (update.real, update.update.claimed_old) = (None, zero);
        update.motion = Some(Motion::Create);
    }
    if after(about, "rewinds it").is_some() {
        let newest = Some((oid(1), b"open port 8443".to_vec()));
        update.motion = Some(Motion::Rewind { lost: 2, newest, known_value: false });
    }
    if after(about, "deletes nothing").is_some() {
        (update.update.claimed_old, update.update.new) = (zero, zero);
        (update.real, update.motion, update.target) = (None, None, Target::Nothing);
        update.landings.clear();
    }
    if after(about, "deletes main").is_some() {
        update.update.new = zero;
        update.motion = Some(Motion::Delete);
        update.target = Target::Nothing;
        update.arrivals.clear();
        update.landings.clear();
    }
    update.change = update.update.change(update.real);
}

/// How a command ended: `exited N`, `signalled N`, `timed out after N`, or why it was not started.
fn ran(ended: &str, output: &str) -> RunSeen {
    let (ended, cut) = match ended.strip_suffix(" and wrote on") {
        Some(ended) => (ended, true),
        None => (ended, false),
    };
    let number = ended.rsplit(' ').next().unwrap();
    let ended = match ended.split(' ').next().unwrap() {
        "exited" => Ended::Exited(number.parse().unwrap()),
        "signalled" => Ended::Signalled(number.parse().unwrap()),
        "timed" => Ended::TimedOut(number.parse().unwrap()),
        _ => Ended::NotStarted(ended.to_owned()),
    };
    RunSeen { ended, output: bytes(output), cut, took_ms: 5 }
}

fn hint(hint: &Hint) -> String {
    let command = hint.command.as_ref().map(|line| format!(": {}", line.show()));
    format!("  hint: {}{}\n", hint.text.show(), command.unwrap_or_default())
}

fn told(level: Level, objection: &Objection) -> String {
    let word = if level == Level::Refuse { "refuse" } else { "warn" };
    let mut text = format!("  {word}: {}\n", objection.what.show());
    let lines = objection.details.iter().map(Line::show);
    lines.for_each(|line| text.push_str(&format!("    {line}\n")));
    objection.hints.iter().for_each(|one| text.push_str(&hint(one)));
    text
}

fn says(case: &Case) -> String {
    let policy = policy_with_emails(&case.policy);
    let judged = judge(&policy, &facts(&policy, case));
    let findings = judged.refs[0].findings.iter().chain(&judged.findings);
    let mut said: String = findings.map(|one| told(one.level, &one.objection)).collect();
    let notes = judged.refs[0].rules.iter().flat_map(|outcome| &outcome.ruling.notes);
    notes.for_each(|note| said.push_str(&format!("  note: {}\n", note.show())));
    if said.is_empty() { "  nothing\n".to_owned() } else { said }
}

#[test]
fn a_question_leaves_out_the_merge_that_nobody_has_made() {
    let policy = policy_with_emails("[rule.a]\nkind = \"merge\"\nrefs = [\"main\"]\n");
    let [merge, change] = [0, 1].map(|number| arrival(&policy, number, "", "words"));
    let commits = vec![merge.clone(), change.clone()];
    let mut found = Arrivals { commits, ..Arrivals::default() };
    found.leave_out(&merge.oid);
    assert_eq!(found.commits, [change]);
}

#[test]
fn rules_say_what_their_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/rules");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut differing = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let (mut now, cases) = read(&text);
        assert!(!cases.is_empty(), "{}: no case", path.display());
        for case in &cases {
            let head = case.head.trim_end();
            now.push_str(&format!("\n== {head}\nsays:\n{}", says(case)));
        }
        if now != text {
            match std::env::var_os("UPDATE") {
                Some(_) => fs::write(path, now).unwrap(),
                None => differing.push(format!("{}\n{now}", path.display())),
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
