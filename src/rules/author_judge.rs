//! What `author` says of the names, addresses and dates of a commit. Pure.

use crate::facts::arrival::{Arrival, Claim};
use crate::facts::makers::Makers;
use crate::names::escape::is_deceptive;
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::rules::author::{Author, Domain, Patterns, Whose};
use crate::rules::commits::{Anew, Faulty, Wrong, ruling};
use crate::rules::view::View;
use crate::source::duration::shown;
use crate::verdict::finding::Ruling;
use crate::verdict::line::{Line, Piece};

/// How a commit is made anew as whoever makes it.
const AS_YOURSELF: Anew = Anew::Amend("--reset-author");

pub(super) fn judge(rule: &Author, view: &View<'_>) -> Ruling {
    let Some(found) = view.arrivals else { return Ruling::default() };
    let now = view.push.push.moment;
    let judged = found.commits.iter().filter(|commit| !rule.merges.pass(commit));
    let faults = judged.map(|commit| (commit, faults(rule, commit, now)));
    let faulty: Faulty<'_> = faults.filter(|(_, wrong)| !wrong.is_empty()).collect();
    let mut ruling = ruling(
        found,
        &faulty,
        "does not name people as it should",
        "do not name people as they should",
    );
    if let (Some(objection), Some(party)) = (ruling.objections.first_mut(), &rule.from) {
        let line = Line::new("e-mails count from ").text(party.written.join(", "));
        objection.details.push(line);
    }
    ruling
}

fn faults(rule: &Author, commit: &Arrival, now: Moment) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let sides = [
        ("author", &commit.author, rule.author, &rule.author_email),
        ("committer", &commit.committer, rule.committer, &rule.committer_email),
    ];
    for (role, claim, whose, patterns) in sides {
        let mut say = |why: Line| {
            let why = Line::new("has the ").text(role).text(" ").line(&why);
            wrong.push(Wrong { why, anew: AS_YOURSELF });
        };
        let address = Line::new("").quoted(&claim.email);
        if let Some(why) = malformed(claim) {
            say(why);
            continue;
        }
        if let Some(why) = whose.and_then(|whose| stranger(rule, commit, claim, whose)) {
            say(address.clone().text(", ").line(&why));
        }
        if !rule.domains.is_empty() && !rule.domains.iter().any(|it| it.holds(&claim.email)) {
            say(address.clone().text(", of another domain"));
        }
        if let Some(why) = patterns.doubt(&claim.email) {
            say(address.text(", which ").line(&why));
        }
        if let Some(why) = rule.name.doubt(&claim.name) {
            say(Line::new("name ").quoted(&claim.name).text(", which ").line(&why));
        }
        if let Some(max) = rule.ahead_max_seconds
            && claim.when.seconds() > now.plus_seconds(max).seconds()
        {
            let why = format!("date {}, more than {} ahead", claim.when, shown(max));
            say(Line::new(why));
        }
    }
    wrong
}

/// What is wrong with a name and an address whatever the keys ask. `None`: nothing.
fn malformed(claim: &Claim) -> Option<Line> {
    let seen = |text: &[u8]| {
        let says = |c: char| !c.is_whitespace() && !c.is_control() && !is_deceptive(c);
        text.utf8_chunks().any(|chunk| chunk.valid().chars().any(says))
    };
    if !seen(&claim.name) {
        return Some(Line::new("").quoted(&claim.email).text(", without a name"));
    }
    let bare = |b: &u8| !b.is_ascii_whitespace() && !b.is_ascii_control();
    let at = claim.email.iter().rposition(|&b| b == b'@');
    let whole = at.is_some_and(|at| at > 0 && at + 1 < claim.email.len());
    let good = whole && claim.email.iter().all(bare);
    (!good).then(|| Line::new("").quoted(&claim.email).text(", which is no address"))
}

/// Why an address is not one of those it has to be. `None`: it is.
fn stranger(rule: &Author, commit: &Arrival, claim: &Claim, whose: Whose) -> Option<Line> {
    let counts = |name: &PrincipalName| rule.from.as_ref().is_none_or(|party| party.contains(name));
    match whose {
        Whose::Author => {
            let same = claim.email.eq_ignore_ascii_case(&commit.author.email);
            (!same).then(|| Line::new("who is not its author"))
        }
        Whose::People => match &claim.owner {
            None => Some(Line::new("which is nobody's in the policy")),
            Some(owner) if !counts(owner) => {
                Some(Line::new("which is ").name(owner).text("'s and does not count"))
            }
            Some(_) => None,
        },
        Whose::Pusher => {
            let nobody = Makers::default();
            let bringers = commit.bringers.as_ref();
            let known = &bringers.unwrap_or(&nobody).known;
            // From before the log: nobody has brought it, and nobody came past the gate with it.
            if bringers.is_some_and(|it| it.known.is_empty() && it.unknown.is_none()) {
                return None;
            }
            match &claim.owner {
                Some(owner) if known.contains_key(owner) && counts(owner) => None,
                Some(owner) if known.contains_key(owner) => {
                    Some(Line::new("which is ").name(owner).text("'s and does not count"))
                }
                Some(_) | None if known.is_empty() => {
                    Some(Line::new("and was brought by nobody we can name"))
                }
                Some(_) | None => {
                    Some(Line::new("and was brought by ").names(known.keys().take(3)))
                }
            }
        }
    }
}

impl Domain {
    fn holds(&self, email: &[u8]) -> bool {
        let domain = email.rsplit(|&b| b == b'@').next().unwrap_or_default().to_ascii_lowercase();
        let name = self.name.as_bytes();
        match self.below {
            false => domain == name,
            true => {
                domain.strip_suffix(name).is_some_and(|rest| rest.len() > 1 && rest.ends_with(b"."))
            }
        }
    }
}

impl Patterns {
    /// Why a text is not as the patterns ask, to follow "which". `None`: it is.
    fn doubt(&self, text: &[u8]) -> Option<Line> {
        let quoted = |written: &str| Piece::Quoted(written.as_bytes().to_vec());
        let missed = self.matches.iter().find(|pattern| !pattern.matches(text));
        let missed = missed.map(|it| Line::new("does not match ").piece(quoted(it.written())));
        let met = || self.reject.iter().find(|pattern| pattern.matches(text));
        missed.or_else(|| met().map(|it| Line::new("matches ").piece(quoted(it.written()))))
    }
}
