//! `lint --against REPO`: rules that no push was about for a year, by the repository's log.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cli::fault::{Fault, OrFault};
use crate::cli::quote::shown;
use crate::gather::default_branch;
use crate::hook::world::World;
use crate::log::decision::{Decision, RefDecision};
use crate::log::entry::Record;
use crate::log::error::LogError;
use crate::log::read::{Entries, Filter};
use crate::names::moment::Moment;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::policy::compiled::CompiledRule;
use crate::source::problem::Problem;

/// How long nothing has to have happened, in seconds.
const YEAR_SECONDS: i64 = 365 * 86_400;

/// The rules that no push of the last year was about. None where the log is younger than that, or
/// is not there.
pub fn look(policy: &Policy, git_dir: &Path, now: Moment) -> Result<Vec<Problem>, Fault> {
    let could_not = || format!("could not read the log of {}", shown(git_dir));
    let world =
        World::at_rest(git_dir).map_err(|stop| Fault::new(could_not()).cause(stop.reason))?;
    let default = default_branch(&world.store).or_fault(could_not)?;
    let dir = world.log_dir();
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let since = now.plus_seconds(-YEAR_SECONDS);
    let quiet = quiet(policy, &dir, default.as_ref(), since).or_fault(could_not)?;
    let rules = quiet.into_iter().filter_map(|index| policy.rules.get(index));
    Ok(rules.map(problem).collect())
}

fn problem(rule: &CompiledRule) -> Problem {
    Problem::warning("no push of the last year was about what this rule names")
        .at(rule.spot())
        .hint("does it name what it should, and is it still needed?")
}

/// The rules, by their places in the policy, that no decision since then was about.
fn quiet(
    policy: &Policy,
    dir: &Path,
    default: Option<&Refname>,
    since: Moment,
) -> Result<BTreeSet<usize>, LogError> {
    let first = Entries::open(dir, Filter::default())?.next_entry()?;
    if first.is_none_or(|first| first.entry.common.ts.0 > since) {
        return Ok(BTreeSet::new());
    }
    let mut quiet: BTreeSet<usize> = (0..policy.rules.len()).collect();
    let mut entries = Entries::open(dir, Filter { since: Some(since), ..Filter::default() })?;
    while !quiet.is_empty()
        && let Some(found) = entries.next_entry()?
    {
        if let Record::Decision(decision) = &found.entry.record {
            heard(policy, default, decision, &mut quiet);
        }
    }
    Ok(quiet)
}

/// Takes out the rules that a decision was about.
fn heard(
    policy: &Policy,
    default: Option<&Refname>,
    decision: &Decision,
    quiet: &mut BTreeSet<usize>,
) {
    for one in &decision.refs {
        let Some(name) = Refname::parse(&one.refname.0) else { continue };
        quiet.retain(|index| {
            let rule = policy.rules.get(*index);
            !rule.is_some_and(|rule| rule.refs.matches(&name, default) && concerns(rule, one))
        });
    }
}

/// Whether a rule may have been about one of the paths. What the log did not keep may be one.
fn concerns(rule: &CompiledRule, one: &RefDecision) -> bool {
    let about = |path: &[u8]| rule.body.about(&RepoPath::new(path.to_vec())) != Some(false);
    one.paths.n > one.paths.list.len() as u64
        || one.paths.list.is_empty()
        || one.paths.list.iter().any(|path| about(&path.0))
}
