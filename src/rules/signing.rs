//! What a signature must be to count, for the rule kinds `signature`, `signed-push` and `immutable`.

use crate::facts::Target;
use crate::facts::signature::{Signatures, Signed, SignedObject};
use crate::names::oid::Oid;
use crate::push::update::Change;
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::ssh::signature::GIT_NAMESPACE;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line, Piece};

/// How many unsigned objects are told one by one.
const TOLD_MAX: usize = 3;

/// Whose signature an object needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Anybody's whose signatures count.
    Anybody,
    /// Its own committer's, or tagger's.
    Committer,
}

/// What is asked of signatures.
#[derive(Clone, Debug)]
pub struct Signing {
    /// Whose count; `None`: anybody's in the roster.
    pub from: Option<Party>,
    /// Whose an object needs.
    pub by: By,
}

/// Reads whose signatures count. Nobody with a key is a problem: nothing could ever be pushed.
pub(super) fn signers(
    table: &mut Table<'_>,
    roster: &Roster,
    problems: &mut Problems,
) -> Option<Party> {
    let spot = table.key_spot("from").unwrap_or_else(|| table.header().clone());
    let party = match table.texts("from", problems) {
        Some(list) if list.value.is_empty() => {
            let hint = "name somebody, or take the key out: then anybody in the roster counts";
            problems.error_hint(&list.spot, "nobody's signature would count", hint);
            return None;
        }
        Some(list) => Some(roster.resolve(&list.value, problems)?),
        None => None,
    };
    let counts = |name| party.as_ref().is_none_or(|party| party.contains(name));
    if !roster.people().any(|p| roster.can_sign(&p.name, GIT_NAMESPACE) && counts(&p.name)) {
        let hint = "keys = [\"ssh-ed25519 AAAA...\"] in [people.NAME] is one";
        let what = "nobody whose signatures count has a key, so nobody could push";
        problems.error_hint(&spot, what, hint);
    }
    party
}

/// What is wrong with the signatures of one ref update.
pub(super) fn judge(rule: &Signing, view: &View<'_>) -> Ruling {
    let update = view.update;
    match update.change {
        Change::Delete { .. } | Change::Nothing => return Ruling::default(),
        Change::Create { .. } | Change::Move { .. } => {}
    }
    let Some(found) = view.signatures else {
        return refuse(
            Objection::new(Line::new("what the ref would name cannot be signed"))
                .hint(Hint::new(Line::new("push a commit, or a signed tag that leads to one"))),
        );
    };
    let mut objections = Vec::new();
    let tag = update.update.name.tag().is_some();
    if tag && found.tags.is_empty() {
        objections.push(bare_tag(view));
    }
    let tags: Vec<Doubt<'_>> = found.tags.iter().filter_map(|t| doubt(rule, t)).collect();
    if let Some(objection) = of_tags(rule, view, &tags, found.tags.len()) {
        objections.push(objection);
    }
    objections.extend(found.tags.first().and_then(|tag| other_name(view, tag)));
    let commits: Vec<Doubt<'_>> = found.commits.iter().filter_map(|c| doubt(rule, c)).collect();
    if let Some(objection) = of_commits(rule, found, &commits) {
        objections.push(objection);
    }
    let notes = if objections.is_empty() { spoke(found) } else { Vec::new() };
    Ruling { objections, notes }
}

fn refuse(objection: Objection) -> Ruling {
    Ruling { objections: vec![objection], notes: Vec::new() }
}

/// Something that is not signed as the rule asks, and why.
struct Doubt<'f> {
    object: &'f SignedObject,
    why: Line,
}

/// `None`: it is signed as the rule asks.
fn doubt<'f>(rule: &Signing, object: &'f SignedObject) -> Option<Doubt<'f>> {
    let words = object.signed.words();
    let why = match &object.signed {
        Signed::By(name) => {
            let counts = rule.from.as_ref().is_none_or(|party| party.contains(name));
            match (counts, rule.by) {
                (false, By::Anybody | By::Committer) => {
                    words.text(", whose signature does not count")
                }
                (true, By::Anybody) => return None,
                (true, By::Committer) if object.claims.as_ref() == Some(name) => return None,
                (true, By::Committer) => {
                    let line = words.text(" and committed as ").quoted(&object.email);
                    line.text(", which is not theirs")
                }
            }
        }
        Signed::NobodysKey { .. }
        | Signed::KeyNotNow { .. }
        | Signed::Not
        | Signed::X509
        | Signed::Malformed { .. }
        | Signed::Bad(_) => words,
    };
    let oid = Line::new("").oid(object.oid);
    let why = oid.line(&why);
    Some(Doubt { object, why })
}

fn of_commits(rule: &Signing, found: &Signatures, doubts: &[Doubt<'_>]) -> Option<Objection> {
    if doubts.is_empty() {
        return None;
    }
    let (bad, all) = (doubts.len(), found.commits.len());
    let what = match all {
        1 => Line::new("the commit carries no signature "),
        _ => Line::new(format!("{bad} of {all} commits ")).text(if bad == 1 {
            "carries no signature "
        } else {
            "carry no signature "
        }),
    };
    let objection = Objection::new(what.text(missing(rule)));
    let objection = tell(rule, objection, doubts).hint(sign_commits(found, doubts));
    let objection = match (found.base, found.commits.len()) {
        (None, 2..) => {
            let hint = "where this history stood on a branch before, ask the operators to name \
                        that branch in `starts` of the rule";
            objection.hint(Hint::new(Line::new(hint)))
        }
        (Some(_), _) | (None, 0 | 1) => objection,
    };
    Some(advise(objection, doubts))
}

/// What the signatures lack, to follow "no signature".
fn missing(rule: &Signing) -> &'static str {
    match (&rule.from, rule.by) {
        (None, By::Anybody) => "that the roster knows",
        (Some(_), By::Anybody) => "that counts here",
        (None | Some(_), By::Committer) => "by the committer that counts here",
    }
}

fn tell(rule: &Signing, mut objection: Objection, doubts: &[Doubt<'_>]) -> Objection {
    for doubt in doubts.iter().take(TOLD_MAX) {
        objection = objection.detail(doubt.why.clone());
    }
    if let Some(more @ 1..) = doubts.len().checked_sub(TOLD_MAX) {
        objection = objection.detail(Line::new(format!("and {more} more")));
    }
    match &rule.from {
        Some(party) => {
            objection.detail(Line::new("signatures count from ").text(party.written.join(", ")))
        }
        None => objection,
    }
}

/// The command that signs every commit anew.
fn sign_commits(found: &Signatures, doubts: &[Doubt<'_>]) -> Hint {
    let only_the_last = matches!((doubts, found.commits.first()), ([one], Some(last)) if one.object.oid == last.oid);
    if only_the_last {
        let command = Line::new("git commit --amend --no-edit -S");
        return Hint::run(Line::new("sign it and push again"), command);
    }
    let rebase = if found.has_merges { "git rebase -r --exec " } else { "git rebase --exec " };
    let command = Line::new(rebase).text("'git commit --amend --no-edit -S' ");
    let command = match found.base {
        Some(base) => command.piece(Piece::Oid(base)),
        None => command.text("--root"),
    };
    Hint::run(Line::new("sign them all and push again"), command)
}

fn of_tags(rule: &Signing, view: &View<'_>, doubts: &[Doubt<'_>], all: usize) -> Option<Objection> {
    if doubts.is_empty() {
        return None;
    }
    let what = match all {
        1 => Line::new("the tag carries no signature "),
        _ => Line::new(format!("{} of {all} tags, one in front of another, ", doubts.len()))
            .text(if doubts.len() == 1 { "carries no signature " } else { "carry no signature " }),
    };
    let what = what.text(match (&rule.from, rule.by) {
        (None, By::Anybody) => "that the roster knows",
        (Some(_), By::Anybody) => "that counts here",
        (None | Some(_), By::Committer) => "by the tagger that counts here",
    });
    let objection = tell(rule, Objection::new(what), doubts).hint(sign_tag(view));
    Some(advise(objection, doubts))
}

/// A signature is over the name in the tag: under another name it is somebody else's word.
pub(super) fn other_name(view: &View<'_>, tag: &SignedObject) -> Option<Objection> {
    let name = view.update.update.name.tag()?;
    if tag.named == name || matches!(tag.signed, Signed::Malformed { .. }) {
        return None;
    }
    let what = Line::new("the tag was made, and signed, under the name ").quoted(&tag.named);
    Some(Objection::new(what).hint(sign_tag(view)))
}

pub(super) fn bare_tag(view: &View<'_>) -> Objection {
    let what = Line::new("this tag is a bare name, which nobody can sign");
    Objection::new(what).hint(sign_tag(view))
}

/// The command that makes the tag anew, signed.
pub(super) fn sign_tag(view: &View<'_>) -> Hint {
    let command =
        Line::new("git tag -s -f ").word(view.update.update.name.tag().unwrap_or(b"NAME"));
    let command = match view.update.target {
        Target::Commit(oid) | Target::Tag { commit: oid } => {
            command.text(" ").piece(Piece::Oid(oid))
        }
        Target::Other | Target::Nothing | Target::Missing => command,
    };
    Hint::run(Line::new("make it anew, signed, and push again"), command)
}

/// Hints beyond the command, for those who need them.
fn advise(mut objection: Objection, doubts: &[Doubt<'_>]) -> Objection {
    let any = |is: fn(&Signed) -> bool| doubts.iter().any(|doubt| is(&doubt.object.signed));
    if any(Signed::is_of_another_kind) {
        let command = Line::new("git config gpg.format ssh");
        objection = objection.hint(Hint::run(Line::new("sign with an SSH key instead"), command));
    }
    if any(Signed::is_by_a_stranger) {
        let command = Line::new("portcullis explain roster");
        objection = objection.hint(Hint::run(Line::new("to enrol a new key read"), command));
    }
    objection
}

/// Who has signed, for somebody who asks.
fn spoke(found: &Signatures) -> Vec<Line> {
    let mut names = std::collections::BTreeSet::new();
    for object in found.tags.iter().chain(&found.commits) {
        if let Signed::By(name) = &object.signed {
            names.insert(name.clone());
        }
    }
    let all: Vec<Oid> = found.tags.iter().chain(&found.commits).map(|object| object.oid).collect();
    match (all.as_slice(), names.is_empty()) {
        ([], _) | (_, true) => Vec::new(),
        ([one], false) => vec![Line::new("").names(&names).text(" signed ").oid(*one)],
        (several, false) => {
            let line = Line::new("").names(&names).text(" signed all of ");
            vec![line.count(several.len(), "object", "objects")]
        }
    }
}
