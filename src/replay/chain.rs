//! The steps of a branch's history: its first-parent chain, one step a commit.
//!
//! A push may have brought several of them at once. One by one is the stricter reading, and the
//! only one that history tells.

use crate::gather::reader::Reader;
use crate::names::oid::Oid;
use crate::replay::error::ReplayError;

/// One step of history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// The commit the branch stood at afterwards.
    pub commit: Oid,
    /// Where it stood before; `None`: the branch began here.
    pub before: Option<Oid>,
    /// What this is.
    pub shape: Shape,
}

/// What a step of history is, by its parents alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// The first commit: no parent.
    First,
    /// One parent: it came directly.
    Direct,
    /// Two parents or more.
    Merge,
}

/// The chain from a commit down to its root, or the newest `last` steps of it, oldest first.
pub fn chain(reader: &Reader<'_>, tip: Oid, last: Option<usize>) -> Result<Vec<Link>, ReplayError> {
    let most = last.unwrap_or(usize::MAX);
    let mut links = Vec::new();
    let mut at = Some(tip);
    while let Some(commit) = at.filter(|_| links.len() < most) {
        let parents = reader.parents(&commit).map_err(ReplayError::Chain)?;
        let before = parents.first().copied();
        let shape = match parents.len() {
            0 => Shape::First,
            1 => Shape::Direct,
            _ => Shape::Merge,
        };
        links.push(Link { commit, before, shape });
        at = before;
    }
    links.reverse();
    Ok(links)
}
