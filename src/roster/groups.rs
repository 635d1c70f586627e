//! Groups within groups, taken apart.
//!
//! A group is done when every group it names is done; what is never done is in a circle or hangs
//! on one. No recursion: how deep groups nest is up to a policy's writer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::names::principal::PrincipalName;
use crate::roster::read::Draft;
use crate::roster::unknown::unknown;
use crate::source::problem::Problems;
use crate::source::text::Located;

/// What one group lists, told apart.
struct Listed {
    people: BTreeSet<PrincipalName>,
    groups: BTreeSet<PrincipalName>,
}

/// Who is in each group, nested ones included. Unknown names and circles are problems.
pub(super) fn resolve(
    draft: &Draft,
    problems: &mut Problems,
) -> BTreeMap<PrincipalName, BTreeSet<PrincipalName>> {
    let mut waiting: BTreeMap<&PrincipalName, Listed> =
        draft.groups.iter().map(|(name, group)| (name, listed(draft, group, problems))).collect();
    let mut done: BTreeMap<PrincipalName, BTreeSet<PrincipalName>> = BTreeMap::new();
    let mut named_by: BTreeMap<PrincipalName, Vec<&PrincipalName>> = BTreeMap::new();
    for (name, listed) in &waiting {
        for group in &listed.groups {
            named_by.entry(group.clone()).or_default().push(name);
        }
    }
    // Every group is looked at when it may be done: at the start, and after each that it names.
    let mut ready: VecDeque<&PrincipalName> = waiting.keys().copied().collect();
    while let Some(name) = ready.pop_front() {
        let Some(listed) = waiting.get(name) else { continue };
        if !listed.groups.iter().all(|group| done.contains_key(group)) {
            continue;
        }
        let nested = listed.groups.iter().filter_map(|group| done.get(group)).flatten();
        let members = listed.people.iter().chain(nested).cloned().collect();
        waiting.remove(name);
        done.insert(name.clone(), members);
        ready.extend(named_by.remove(name).into_iter().flatten());
    }
    report_circles(draft, &waiting, problems);
    // Whoever names one of these was told about the circle, not that there is no such group.
    done.extend(waiting.into_iter().map(|(name, listed)| (name.clone(), listed.people)));
    done
}

fn listed(draft: &Draft, group: &Located<Vec<Located<String>>>, problems: &mut Problems) -> Listed {
    let mut told = Listed { people: BTreeSet::new(), groups: BTreeSet::new() };
    for written in &group.value {
        let (bare, is_group) = match written.value.strip_prefix('@') {
            Some(bare) => (bare, true),
            None => (written.value.as_str(), false),
        };
        let name = PrincipalName::parse(bare);
        match name {
            Some(name) if is_group && draft.groups.contains_key(&name) => {
                told.groups.insert(name);
            }
            Some(name) if !is_group && draft.people.contains_key(&name) => {
                told.people.insert(name);
            }
            Some(_) | None => {
                problems.push(unknown(written, draft.people.keys(), draft.groups.keys()));
            }
        }
    }
    told
}

/// Names each circle once, at the group of it that comes first.
fn report_circles(
    draft: &Draft,
    waiting: &BTreeMap<&PrincipalName, Listed>,
    problems: &mut Problems,
) {
    let mut told: BTreeSet<&PrincipalName> = BTreeSet::new();
    for start in waiting.keys() {
        let mut path: Vec<&PrincipalName> = Vec::new();
        let mut at: &PrincipalName = start;
        // Each group here names another that is here, so the walk ends only by coming back.
        while !path.contains(&at) && !told.contains(at) {
            path.push(at);
            let next = waiting
                .get(at)
                .and_then(|listed| listed.groups.iter().find(|group| waiting.contains_key(group)));
            let Some(next) = next else { break };
            at = next;
        }
        let circle = path.iter().position(|name| *name == at).map(|from| &path[from..]);
        if let Some(circle) = circle
            && !told.contains(at)
            && let Some(group) = draft.groups.get(at)
        {
            let names: Vec<String> = circle.iter().chain([&at]).map(|n| format!("@{n}")).collect();
            let what = format!("the group `{at}` is in itself: {}", names.join(" -> "));
            problems.error_hint(&group.spot, what, "take one of these out");
        }
        told.extend(path);
    }
}
