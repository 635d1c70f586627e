//! What a case may say of this policy: nobody it does not know, nothing that could not be.

use crate::names::principal::PrincipalName;
use crate::policy::Policy;
use crate::rules::run;
use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::trial::file::{Deed, ToldPush, ToldWho};

/// Looks for people and rules that the policy does not have, and for what could never be so.
pub(super) fn check(policy: &Policy, push: &ToldPush, problems: &mut Problems) {
    let told = &push.told;
    let mut wrong = |what: String, hint: Option<String>| {
        problems.push(Problem::error(what).at(&push.spot).hint_opt(hint));
    };
    let known = |name: &str| PrincipalName::parse(name).filter(|n| policy.roster.get(n).is_some());
    let everybody: Vec<&str> = policy.roster.people().map(|one| one.name.as_str()).collect();
    let near = |name: &str| suggestion(name, "names", everybody.iter().copied());
    let makers = told.makers.iter().flat_map(|(names, _)| names);
    let pusher = match &push.who {
        ToldWho::Listed(name) => Some(name),
        ToldWho::Stranger(login) => {
            if policy.roster.by_login(login).is_some() {
                wrong(format!("`{login}` is no stranger, the policy has this login"), None);
            }
            None
        }
        ToldWho::Unnamed => None,
    };
    for name in pusher.into_iter().chain(makers).chain(&told.signed_by) {
        if known(name).is_none() {
            let stranger = "a login that nobody has is written `stranger NAME`".to_owned();
            wrong(format!("the policy knows no `{name}`"), near(name).or(Some(stranger)));
        }
    }
    for name in told.approved.iter().map(|(name, _)| name).chain(&told.rejected) {
        if !known(name).is_some_and(|name| policy.roster.can_approve(&name)) {
            let hint = near(name).or_else(|| Some("a person with a key of their own".to_owned()));
            wrong(format!("`{name}` can never approve or reject"), hint);
        }
    }
    for (check, _, name, _) in &told.checks {
        if !known(name).is_some_and(|name| policy.roster.can_check(&name)) {
            let hint = near(name).or_else(|| Some("a machine with a key".to_owned()));
            wrong(format!("`{name}` can never give a check"), hint);
        }
        if PrincipalName::parse(check).is_none() {
            wrong(format!("`{check}` cannot be the name of a check"), None);
        }
    }
    for (name, _) in &told.runs {
        if !policy.rules.iter().any(|rule| rule.kind == run::NAME && rule.name == *name) {
            wrong(format!("no rule of kind `run` is called `{name}`"), None);
        }
    }
    if let Some(what) = could_not_be(push) {
        wrong(what.to_owned(), None);
    }
}

/// What contradicts itself.
fn could_not_be(push: &ToldPush) -> Option<&'static str> {
    let told = &push.told;
    if told.edited && push.deed != Deed::Merge {
        return Some("only a merge can be `edited`: it then has something of its own");
    }
    if push.deed == Deed::Delete && !told.changes.is_empty() {
        return Some("a deletion brings no files");
    }
    if told.annotated && push.refname.tag().is_none() {
        return Some("only a tag can be `annotated`");
    }
    let brings = matches!(push.deed, Deed::Merge | Deed::Commits | Deed::Squash | Deed::Rebase);
    if brings && push.refname.tag().is_some() {
        return Some("a tag is created, fast-forwarded, rewound or deleted");
    }
    None
}
