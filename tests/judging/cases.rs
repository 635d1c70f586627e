//! What a rule says, as text: `tests/cases/rules`, one file a rule kind.
//!
//! A case is a policy, a push and what is told of it; `UPDATE=1` writes down what is told now. How
//! a case is written stands at the head of `message.txt`.
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::fs;
use std::path::{Path, PathBuf};

use portcullis::facts::arrival::{Arrival, Arrivals, Claim};
use portcullis::facts::makers::{MakerBy, Makers};
use portcullis::facts::{Facts, Motion};
use portcullis::judge::{judge, needs};
use portcullis::names::moment::Moment;
use portcullis::names::oid::Oid;
use portcullis::policy::Policy;
use portcullis::push::pusher::Who;
use portcullis::push::update::RefUpdate;
use portcullis::verdict::finding::{Level, Objection};
use portcullis::verdict::line::{Hint, Line};

use crate::made::{alone, branch, change, name, now, oid, policy_with_emails, push, step, update};

/// One case, as it is written.
#[derive(Default)]
struct Case {
    head: String,
    policy: String,
    push: String,
    steps: Vec<String>,
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
                _ => {}
            }
        } else {
            block = key;
            let rest = words.split_once(':').map_or("", |(_, rest)| rest.trim()).to_owned();
            match key {
                "push" => case.push = rest,
                "step" => case.steps.push(rest),
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

/// `\xNN` and `\u{NNNN}` taken as what they stand for.
fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let taken = if let Some(hex) = rest.strip_prefix("\\x") {
            out.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            4
        } else if let Some(hex) = rest.strip_prefix("\\u{") {
            let end = hex.find('}').unwrap();
            let c = char::from_u32(u32::from_str_radix(&hex[..end], 16).unwrap()).unwrap();
            out.extend_from_slice(c.to_string().as_bytes());
            end + 4
        } else {
            panic!("what is {rest}?")
        };
        rest = &rest[taken..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn claim(policy: &Policy, who: &str, when: Moment) -> Claim {
    let (name, email) = who.split_once('<').unwrap();
    let email = bytes(email.trim_end_matches('>'));
    let owner = policy.roster.by_email(&email).cloned();
    Claim { name: bytes(name.trim()), email, owner, when }
}

fn arrival(policy: &Policy, number: u32, about: &str, message: &str) -> Arrival {
    let message = bytes(&format!("{}\n", message.trim_end_matches('\n')));
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
        cut: message.len() > portcullis::facts::arrival::MESSAGE_BYTES_MAX,
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
    let about = &case.push;
    if after(about, "deletes main").is_some() {
        let zero = Oid::zero(update.update.new.format());
        update.update.new = zero;
        update.change = update.update.change(update.real);
        update.motion = Some(Motion::Delete);
        update.arrivals.clear();
        update.landings.clear();
    }
    let mut facts = push(vec![update]);
    if let Some(at) = after(about, "at") {
        facts.push.push.moment = Moment::parse_seconds(at).unwrap();
    }
    if let Some(who) = after(about, "by") {
        facts.push.push.pusher.who = Who::Listed { name: name(who), machine: false, shared: false };
        facts.push.push.pusher.login = who.to_owned();
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
    let said: String = findings.map(|one| told(one.level, &one.objection)).collect();
    if said.is_empty() { "  nothing\n".to_owned() } else { said }
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
