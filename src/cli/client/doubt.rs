//! What speaks against giving a word, known before anything is signed.
//!
//! Used by `approve`, `reject` and `revoke`. The server decides what counts; this only spares
//! people a signature that by its own answer would be for nothing.

use crate::answer::{Answer, ApprovalAnswer};
use crate::cli::client::ask::Subject;
use crate::cli::client::target::Target;
use crate::names::escape::escape;
use crate::names::principal::PrincipalName;
use crate::statement::fields::ApprovalVerdict;

/// A word that somebody is about to give.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The word.
    pub verdict: ApprovalVerdict,
    /// Who gives it.
    pub person: &'a PrincipalName,
    /// Their own last word about the same.
    pub earlier: Option<&'a ApprovalAnswer>,
    /// What the server says.
    pub answer: &'a Answer,
}

/// Why there is nothing to sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Nothing {
    /// It is so already.
    Done(String),
    /// There is nothing to speak of, or it cannot be spoken of yet; and what to do.
    Not(String, Option<String>),
}

/// Why there is nothing to sign, if there is nothing.
pub fn nothing(about: &About<'_>, target: &Target, subject: &Subject) -> Option<Nothing> {
    let About { verdict, person, earlier, answer } = about;
    let (verb, commit, name) = (verdict.as_str(), target.commit.short(), target.refname.name());
    if answer.value.is_some() && answer.base == answer.commit {
        return Some(Nothing::Not(format!("nothing to {verb}: {name} has {commit} already"), None));
    }
    if subject.delta.entries.is_empty() {
        let sentence = format!("nothing to {verb}: {commit} changes nothing on {name}");
        return Some(Nothing::Not(sentence, None));
    }
    if answer.on_server == Some(false) {
        let sentence = format!("{commit} is not on the server yet, so nobody can {verb} it");
        let remote = escape(target.remote.as_bytes());
        let hint = match &target.topic {
            Some(topic) => format!("push it first: git push {remote} {}", escape(topic.as_bytes())),
            None => format!("push it first: git push {remote} {commit}:refs/heads/TOPIC"),
        };
        return Some(Nothing::Not(sentence, Some(hint)));
    }
    match (verdict, earlier) {
        (ApprovalVerdict::Revoke, None) => {
            let sentence = format!("nothing to revoke: {person} has said nothing about this delta");
            Some(Nothing::Not(sentence, None))
        }
        (ApprovalVerdict::Revoke, Some(last)) if last.verdict == "revoke" => {
            Some(Nothing::Done(format!("{person} revoked it on {}", shown(&last.date))))
        }
        (ApprovalVerdict::Approve | ApprovalVerdict::Reject, Some(last))
            if last.verdict == verb && last.counts && !is_asked(person, answer) =>
        {
            let until = last.expires.as_deref().map(|at| format!(", until {}", shown(at)));
            let said = if verb == "approve" { "approved" } else { "rejected" };
            let (date, until) = (shown(&last.date), until.unwrap_or_default());
            Some(Nothing::Done(format!("{person} {said} exactly this on {date}{until}")))
        }
        (ApprovalVerdict::Approve | ApprovalVerdict::Reject | ApprovalVerdict::Revoke, _) => None,
    }
}

/// Why the word would not count, if the server's answer says so.
pub fn would_not_count(about: &About<'_>) -> Option<String> {
    let About { verdict, person, answer, .. } = about;
    // A server that does not say whose word counts does not say whose does not.
    if answer.on_server.is_none() || is_asked(person, answer) {
        return None;
    }
    let asking: Vec<_> = answer.rules.iter().filter(|rule| !rule.reviewers.is_empty()).collect();
    let listed =
        asking.iter().any(|rule| rule.reviewers.iter().any(|name| name == person.as_str()));
    let name = shown(&answer.refname);
    match verdict {
        ApprovalVerdict::Revoke => None,
        ApprovalVerdict::Approve | ApprovalVerdict::Reject if asking.is_empty() => {
            // In a conflict no rule is asked.
            let judged = answer.conflicts.is_empty();
            judged.then(|| format!("no rule for {name} asks for anybody's approval"))
        }
        ApprovalVerdict::Approve | ApprovalVerdict::Reject if !listed => {
            Some(format!("no rule for {name} counts the word of {person}"))
        }
        ApprovalVerdict::Approve => {
            let maker = answer.makers.iter().find(|maker| maker.person == person.as_str())?;
            Some(format!("{person} {}, and makers do not count", shown(&maker.why)))
        }
        ApprovalVerdict::Reject => None,
    }
}

/// Whether some rule waits for this person's word.
fn is_asked(person: &PrincipalName, answer: &Answer) -> bool {
    let missing = answer.rules.iter().filter_map(|rule| rule.missing.as_ref());
    missing.flat_map(|missing| &missing.from).any(|name| name == person.as_str())
}

fn shown(text: &str) -> String {
    escape(text.as_bytes())
}
