//! What a merge rule says of a step that it does not take: what, why, and how to land it.

use crate::facts::evidence::Candidate;
use crate::facts::landing::{Landing, MergeFact, NotSource, Step, WhyNotSource};
use crate::facts::makers::BY_NOBODY;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::roster::party::Party;
use crate::rules::merge::{Merge, Method};
use crate::rules::words::{by_a_maker, no_approval};
use crate::verdict::finding::{Missing, Objection};
use crate::verdict::line::{Hint, Line, Piece};

/// How many paths a message names.
const PATHS_MAX: usize = 3;

/// How many of the sources that were looked into a message tells of.
const SOURCES_TOLD_MAX: usize = 2;

/// How many people a hint names.
const NAMES_TOLD_MAX: usize = 8;

/// How many statements a message tells of.
const TOLD_MAX: usize = 2;

/// What a branch takes, in the plural.
const fn noun(method: Method) -> &'static str {
    match method {
        Method::Merge => "merges",
        Method::FastForward => "pushed topics",
        Method::Squash => "squashes",
        Method::Rebase => "rebases",
    }
}

/// `this branch takes merges and squashes only`.
fn takes(rule: &Merge) -> String {
    let nouns: Vec<&str> = rule.methods.iter().map(|method| noun(*method)).collect();
    let list = match nouns.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        few => few.concat(),
    };
    format!("this branch takes {list} only")
}

/// `3f2a9c1 is a squash of 8bc1234`.
pub(crate) fn copy_of(step: &Step, of: Oid) -> Line {
    let line = match step.commits {
        1 => Line::new("").oid(step.to).text(" is a squash of "),
        n => Line::new("").count(n, "commit", "commits").text(" are a rebase of "),
    };
    line.oid(of)
}

/// Single-parent commits that no method brings in.
pub(crate) fn direct(rule: &Merge, name: &Refname, step: &Step) -> Box<Objection> {
    let what = Line::new("").count(step.commits, "commit", "commits");
    let what = what.text(" came by direct push, ").text(takes(rule));
    let last = Line::new("the last is ").oid(step.to).text(" ").quoted(&step.subject);
    let mut objection = Objection::new(what).detail(last);
    objection.details.extend(why_not(rule, step));
    objection = first_of_all(objection, rule, step);
    objection.hints.extend(ways(rule, name));
    Box::new(objection)
}

/// What has to be done before any method can bring it in.
fn first_of_all(objection: Objection, rule: &Merge, step: &Step) -> Objection {
    if let Some((commit, BY_NOBODY)) = step.makers.unknown
        && step.not_before.contains(&commit)
    {
        return past_the_gate(objection, commit);
    }
    let push = |what: &'static str, commit: Oid| {
        let command = Line::new("git push origin ").oid(commit).text(":refs/heads/TOPIC");
        Hint::run(Line::new(what), command)
    };
    let first = step.copied.not_of.first().filter(|_| copies(rule));
    match first.map(|source| (&source.why, Oid::from_hex(&source.named))) {
        Some((WhyNotSource::PastTheGate(commit), _)) => objection.hint(anew(*commit)),
        Some((WhyNotSource::NotBefore(_), Some(source))) => {
            objection.hint(push("push its source by itself first", source))
        }
        None if !step.itself_before && step.copied.of.is_empty() => {
            objection.hint(push("push the work to a branch", step.to))
        }
        Some(_) | None => objection,
    }
}

/// Whether commits may come in as copies of others.
fn copies(rule: &Merge) -> bool {
    rule.takes(Method::Squash) || rule.takes(Method::Rebase)
}

/// Why no other method than a merge brings it in.
fn why_not(rule: &Merge, step: &Step) -> Vec<Line> {
    if step.itself_before && step.not_before.is_empty() {
        return vec![Line::new("it was on the server before, so this would be a fast-forward")];
    }
    if let Some(of) = step.copied.of.first() {
        return if *of == step.to { Vec::new() } else { vec![copy_of(step, *of)] };
    }
    if !copies(rule) {
        return Vec::new();
    }
    match step.copied.not_of.as_slice() {
        [] => {
            vec![Line::new("neither a trailer `Source:` nor an approval says what it is made of")]
        }
        some => some.iter().take(SOURCES_TOLD_MAX).map(not_source).collect(),
    }
}

/// Why something that was named is not the source.
fn not_source(source: &NotSource) -> Line {
    let line = Line::new("of its source ");
    let line = match Oid::from_hex(&source.named) {
        Some(oid) => line.oid(oid),
        None => line.quoted(&source.named),
    };
    match &source.why {
        WhyNotSource::NoOid => line.text(": that is not the whole name of a commit"),
        WhyNotSource::NotHere => line.text(": the server has no such commit"),
        WhyNotSource::TooFar => line.text(": that is more than one push may have looked into"),
        WhyNotSource::Holds => line.text(": the branch holds that already"),
        WhyNotSource::NotBefore(commits) => {
            let line = line.text(": ").count(commits.len(), "commit", "commits");
            line.text(" of it no push has brought before")
        }
        WhyNotSource::PastTheGate(commit) => {
            line.text(": no push brought ").oid(*commit).text(" of it")
        }
        WhyNotSource::Differs(paths) => with_paths(line.text(": the content differs in "), paths),
        WhyNotSource::Conflict(paths) => {
            with_paths(line.text(": it does not merge by itself, for "), paths)
        }
    }
}

/// What came past the gate has to be made anew.
fn past_the_gate(objection: Objection, commit: Oid) -> Objection {
    let past = Line::new("").oid(commit).text(" is on the server and came past the gate");
    objection.detail(past).hint(anew(commit))
}

fn anew(commit: Oid) -> Hint {
    let command = Line::new("git rebase --force-rebase ").piece(Piece::Oid(commit)).text("~1");
    Hint::run(Line::new("make the commits anew and push them to a branch"), command)
}

/// How an approved branch lands, by each method that is allowed.
fn ways(rule: &Merge, name: &Refname) -> Vec<Hint> {
    let mut hints = Vec::new();
    for (i, method) in rule.methods.iter().enumerate() {
        let when = if i == 0 { "when it is approved, " } else { "or " };
        hints.push(way(*method, when, name));
    }
    hints
}

/// The words and the command of one method.
fn way(method: Method, when: &'static str, name: &Refname) -> Hint {
    let branch = || Piece::ShortRef(name.clone());
    let switch = || Line::new("git switch ").piece(branch());
    let source = "--trailer \"Source: $(git rev-parse TOPIC)\"";
    let (what, command) = match method {
        Method::Merge => (
            "merge it",
            switch().text(" && git merge --no-ff TOPIC && git push origin ").piece(branch()),
        ),
        Method::FastForward => {
            ("push it as it is", Line::new("git push origin TOPIC:").piece(branch()))
        }
        Method::Squash => (
            "squash it and name its source",
            switch()
                .text(" && git merge --squash TOPIC && git commit ")
                .text(source)
                .text(" && git push origin ")
                .piece(branch()),
        ),
        Method::Rebase => (
            "rebase it and name its source",
            Line::new("git rebase ")
                .piece(branch())
                .text(" TOPIC^0 && git commit --amend --no-edit ")
                .text(source)
                .text(" && git push origin HEAD:")
                .piece(branch()),
        ),
    };
    Hint::run(Line::new(when).text(what), command)
}

/// A merge where merges are not what the branch takes.
pub(crate) fn no_merges(rule: &Merge, name: &Refname, step: &Step) -> Box<Objection> {
    let what = Line::new("").oid(step.to).text(" is a merge, ").text(takes(rule));
    let mut objection = Objection::new(what).detail(merges(step));
    objection.hints.extend(ways(rule, name));
    Box::new(objection)
}

/// A clean merge of commits that the server had not seen. `None`: it had seen them.
pub(crate) fn unseen(step: &Step) -> Option<Box<Objection>> {
    let first = step.not_before.last()?;
    let what = Line::new("merge ").oid(step.to).text(" brings in ");
    let what = what.count(step.not_before.len(), "commit", "commits");
    let what = what.text(" that no push has brought before");
    let objection = Objection::new(what).detail(Line::new("the first is ").oid(*first));
    if let Some((commit, BY_NOBODY)) = step.makers.unknown {
        return Some(Box::new(past_the_gate(objection, commit)));
    }
    let source = step.source.first().copied().unwrap_or(step.to);
    let push = Line::new("git push origin ").oid(source).text(":refs/heads/TOPIC");
    let hint = Hint::run(Line::new("push the merged branch by itself first"), push);
    let again = Hint::new(Line::new("then push the merge again, it needs no change"));
    Some(Box::new(objection.hint(hint).hint(again)))
}

/// What is wrong with a merge that does not come out the same.
fn own_changes(step: &Step, fact: Option<&MergeFact>) -> Objection {
    let merge = Line::new("merge ").oid(step.to);
    let what = match fact {
        Some(MergeFact::Conflict(paths)) if paths.is_empty() => merge.text(" resolves a conflict"),
        Some(MergeFact::Conflict(paths)) => {
            with_paths(merge.text(" resolves a conflict in "), paths)
        }
        Some(MergeFact::Differs(paths)) => {
            with_paths(merge.text(" adds changes of its own: "), paths)
        }
        Some(MergeFact::Equal) | None => merge.text(" could not be recomputed"),
    };
    Objection::new(what).detail(merges(step))
}

fn merges(step: &Step) -> Line {
    Line::new("it merges ").quoted(&step.subject)
}

/// The remedy for a merge that holds work of its own.
pub(crate) fn not_equal(name: &Refname, step: &Step, fact: Option<&MergeFact>) -> Box<Objection> {
    let objection = own_changes(step, fact);
    let into = Line::new("merge the branch into the topic and resolve there");
    Box::new(objection.hint(Hint::run(into, into_topic(name))).hint(way(
        Method::Merge,
        "when it is approved, ",
        name,
    )))
}

fn into_topic(name: &Refname) -> Line {
    Line::new("git switch TOPIC && git merge ").piece(Piece::ShortRef(name.clone()))
}

/// What a merge lacks that `resolved-by` could let stand.
pub(crate) struct Lack<'l> {
    /// Whose approval counts.
    pub(crate) party: &'l Party,
    /// Who of them has given one that does.
    pub(crate) approvers: &'l [&'l PrincipalName],
    /// How many are asked for.
    pub(crate) asked: usize,
}

/// A merge that holds work of its own and that nobody has let stand yet.
pub(crate) fn not_resolved(
    name: &Refname,
    step: &Step,
    fact: Option<&MergeFact>,
    lack: &Lack<'_>,
) -> Box<Objection> {
    let mut objection = own_changes(step, fact);
    let who = lack.party.written.join(", ");
    let missing = lack.asked.saturating_sub(lack.approvers.len());
    if missing > 0 {
        let line =
            format!("{} of {} to let it stand, from {who}", lack.approvers.len(), lack.asked);
        objection = objection.detail(Line::new(line));
        let told = step.candidates.iter().filter(|c| c.says.commit == step.to).take(TOLD_MAX);
        objection.details.extend(told.filter_map(|c| not_counted(lack.party, step, c)));
    }
    if !step.itself_before {
        objection = objection.detail(Line::new("the merge itself was not on the server before"));
        let push = Line::new("git push origin ").oid(step.to).text(":refs/heads/TOPIC");
        objection = objection.hint(Hint::run(Line::new("push the merge to a branch first"), push));
    }
    if missing > 0 {
        let no_maker = |person: &&PrincipalName| {
            !step.makers.known.contains_key(*person) && !lack.approvers.contains(person)
        };
        let from: Vec<PrincipalName> = lack.party.names.iter().filter(no_maker).cloned().collect();
        if !from.is_empty() {
            let ask = if from.len() == 1 { "ask " } else { "ask one of " };
            let ask = Line::new(ask).names(from.iter().take(NAMES_TOLD_MAX)).text(" to run");
            let command = Line::new("portcullis approve ").oid(step.to).text(" --for ");
            let command = command.piece(Piece::ShortRef(name.clone()));
            objection = objection.hint(Hint::run(ask, command));
        }
        objection.missing = Some(Missing { approvals: missing, from });
    }
    let into = Line::new("or merge the branch into the topic, resolve there, and merge that");
    Box::new(objection.hint(Hint::run(into, into_topic(name))))
}

/// Why a statement about a merge does not let it stand. `None`: it does.
fn not_counted(party: &Party, step: &Step, candidate: &Candidate) -> Option<Line> {
    let no = no_approval(candidate).or_else(|| by_a_maker(step, candidate));
    if no.is_some() {
        return no;
    }
    let says = &candidate.says;
    let person = Line::new("").name(&says.person).text(" ");
    if !party.contains(&says.person) {
        return Some(person.text("approved it, and is not in `resolved-by`"));
    }
    let fits = Some(says.base) == step.from;
    (!fits).then(|| person.text("approved it from ").oid(says.base).text(", not its first parent"))
}

/// A move that is no row of steps: a rewind, or one that leaves the old value aside.
pub(crate) fn jump(name: &Refname, landing: &Landing, step: &Step) -> Box<Objection> {
    let what = match landing.start {
        Some(start) => Line::new("").oid(step.to).text(" does not build on ").oid(start),
        None => Line::new("").oid(step.to).text(" builds on nothing this ref has had"),
    };
    let detail = Line::new("merges are followed by first parents only, no method allows this");
    let command = Line::new("git switch ").piece(Piece::ShortRef(name.clone()));
    let hint = Hint::run(
        Line::new("begin at the branch as it is, and merge the topic into it"),
        command.text(" && git pull --ff-only && git merge --no-ff TOPIC"),
    );
    Box::new(Objection::new(what).detail(detail).hint(hint))
}

fn with_paths(mut line: Line, paths: &[RepoPath]) -> Line {
    for (i, path) in paths.iter().take(PATHS_MAX).enumerate() {
        line = if i == 0 { line } else { line.text(", ") }.path(path);
    }
    match paths.len().saturating_sub(PATHS_MAX) {
        0 => line,
        n => line.text(format!(" and {n} more")),
    }
}
