//! Symbolic links that lead out of what a rule covers (threats D09).
//!
//! Whoever may change what a link leads to changes what is read through it. So a link among
//! reviewed files leads to reviewed files, or it is refused.

use crate::facts::change::PathChange;
use crate::facts::landing::Step;
use crate::names::path::RepoPath;
use crate::rules::scope::Scope;
use crate::verdict::finding::Objection;
use crate::verdict::line::{Hint, Line};

/// The objection to the first of these entries that leads out.
pub(crate) fn leads_out(scope: &Scope, step: &Step, covered: &[&PathChange]) -> Option<Objection> {
    let covered = |path: &RepoPath| covered.iter().any(|change| change.path == *path);
    let stays = |(path, target): &&(RepoPath, Option<Vec<u8>>)| {
        let inside = target.as_deref().and_then(|target| resolved(path, target));
        inside.is_some_and(|target| scope.covers_target(&target))
    };
    let mut links = step.links.iter().filter(|(path, _)| covered(path));
    let (path, target) = links.find(|link| !stays(link))?;
    let shown = target.as_deref().unwrap_or(b"a path that is too long");
    let what = Line::new("").path(path).text(" leads to ").quoted(shown);
    let what = what.text(", which this rule does not cover");
    let detail = Line::new("what is there could be changed without anybody's approval");
    let hint = Hint::new(Line::new(
        "put the file itself there, or ask the operators to add the target to the rule's `paths`",
    ));
    Some(Objection::new(what).detail(detail).hint(hint))
}

/// The path in the tree that a link leads to. `None` where it leads out of the tree, or where that
/// depends on what else is a link.
fn resolved(link: &RepoPath, target: &[u8]) -> Option<RepoPath> {
    let mut parts: Vec<&[u8]> = link.as_bytes().split(|b| *b == b'/').collect();
    parts.pop();
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return None;
    }
    let mut going_up = true;
    for part in target.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if going_up => {
                parts.pop()?;
            }
            b".." => return None,
            _ => {
                going_up = false;
                parts.push(part);
            }
        }
    }
    (!parts.is_empty()).then(|| RepoPath::new(parts.join(&b'/')))
}

#[cfg(test)]
mod tests {
    use super::resolved;
    use crate::names::path::RepoPath;

    #[test]
    fn d09_a_link_is_followed_inside_the_tree_alone() {
        let leads = |link: &str, target: &str| {
            resolved(&RepoPath::new(link), target.as_bytes()).map(|path| path.to_string())
        };
        for (link, target, to) in [
            ("infra/a", "b", "infra/b"),
            ("infra/a", "./b//c/", "infra/b/c"),
            ("infra/prod/a", "../../app/x", "app/x"),
            ("a", "b", "b"),
        ] {
            assert_eq!(leads(link, target).as_deref(), Some(to), "{link} {target}");
        }
        for (link, target) in [
            ("infra/a", "/etc/passwd"),
            ("infra/a", ""),
            ("infra/a", "../../x"),
            ("infra/a", ".."),
            // Where this leads depends on what `b` is.
            ("infra/a", "b/../c"),
            ("infra/a", "b\0c"),
        ] {
            assert_eq!(leads(link, target), None, "{link} {target}");
        }
    }
}
