//! The first line of a push: who does what to which ref.

use crate::names::refname::Refname;
use crate::trial::file::{Deed, ToldWho};
use crate::trial::words::{Flawed, Words};

/// The verbs, the word that follows, and what they mean.
pub(super) const DEEDS: [(&str, Option<&str>, Deed); 8] = [
    ("merges", Some("into"), Deed::Merge),
    ("commits", Some("to"), Deed::Commits),
    ("fast-forwards", None, Deed::FastForward),
    ("squashes", Some("into"), Deed::Squash),
    ("rebases", Some("onto"), Deed::Rebase),
    ("creates", None, Deed::Create),
    ("rewinds", None, Deed::Rewind),
    ("deletes", None, Deed::Delete),
];

/// The verbs alone.
pub(super) const VERBS: [&str; DEEDS.len()] = [
    "merges into",
    "commits to",
    "fast-forwards",
    "squashes into",
    "rebases onto",
    "creates",
    "rewinds",
    "deletes",
];

/// `NAME VERB REF`, `stranger LOGIN VERB REF` or `somebody VERB REF`.
pub(super) fn head(words: &mut Words) -> Flawed<(ToldWho, Deed, Refname)> {
    let first = words.bare("who pushes")?;
    let mut verb = words.bare("what they do")?;
    let who = match first.as_str() {
        "stranger" if !is_verb(&verb) => {
            let login = std::mem::replace(&mut verb, words.bare("what they do")?);
            ToldWho::Stranger(login)
        }
        "somebody" => ToldWho::Unnamed,
        _ => ToldWho::Listed(first),
    };
    let known = DEEDS.iter().find(|(name, _, _)| *name == verb);
    let (_, after, deed) = known.ok_or_else(|| {
        let all: Vec<&str> = DEEDS.iter().map(|(name, _, _)| *name).collect();
        format!("nobody knows how to do `{verb}`; known are {}", all.join(", "))
    })?;
    after.map_or(Ok(()), |word| words.exactly(word))?;
    let name = refname(words)?;
    words.end()?;
    Ok((who, *deed, name))
}

fn is_verb(word: &str) -> bool {
    DEEDS.iter().any(|(name, _, _)| *name == word)
}

/// A ref by its whole name; without `refs/` in front it is a branch.
pub(super) fn refname(words: &mut Words) -> Flawed<Refname> {
    let written = words.either("the name of a ref")?;
    let whole = match written.starts_with(b"refs/") {
        true => written,
        false => [b"refs/heads/", written.as_slice()].concat(),
    };
    Refname::parse(&whole).ok_or_else(|| "that is no name for a ref".to_owned())
}
