//! `lint --against REPO`: what a policy comes to in a repository that is there.
//!
//! Each rule is held against the branch that HEAD names where it names that, else against the first
//! ref that it names. Nothing is written and no log is asked.

use std::path::Path;

use crate::cli::fault::{Fault, OrFault};
use crate::cli::quote::shown;
use crate::facts::limits::Limits;
use crate::facts::needs::OwnersNeeds;
use crate::gather::default_branch;
use crate::gather::owners;
use crate::gather::reader::Reader;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::policy::compiled::CompiledRule;
use crate::rules::remark::{Remark, Seen};
use crate::source::problem::Problem;
use crate::store::gitstore::GitStore;
use crate::store::open::{OpenAt, open};

/// How many paths of a tree are looked at.
const PATHS_MAX: usize = 10_000_000;

/// How deep its folders may lie.
const DEPTH_MAX: usize = 2_048;

/// What there is to say about the rules of a policy in a repository, rule by rule.
pub fn look(policy: &Policy, git_dir: &Path) -> Result<Vec<Problem>, Fault> {
    let could_not = || format!("could not read {}", shown(git_dir));
    let store = open(&OpenAt::at_rest(git_dir)).or_fault(could_not)?;
    let refs = store.all_refs().or_fault(could_not)?;
    let default = default_branch(&store).or_fault(could_not)?;
    let repository = Repository { store, refs, default };
    let mut problems = Vec::new();
    for rule in &policy.rules {
        let remarks = repository.remarks(rule).or_fault(could_not)?;
        problems.extend(remarks.into_iter().map(|remark| problem(rule, remark)));
    }
    Ok(problems)
}

fn problem(rule: &CompiledRule, remark: Remark) -> Problem {
    let problem = match remark.serious {
        true => Problem::error(remark.what),
        false => Problem::warning(remark.what),
    };
    problem.at(rule.spot()).hint_opt(remark.hint)
}

struct Repository {
    store: GitStore,
    refs: Vec<(Refname, Oid)>,
    default: Option<Refname>,
}

impl Repository {
    fn remarks(
        &self,
        rule: &CompiledRule,
    ) -> Result<Vec<Remark>, crate::gather::error::GatherError> {
        let limits =
            Limits { delta_entries: PATHS_MAX, tree_depth: DEPTH_MAX, ..Limits::default() };
        let reader = Reader::new(&self.store, &limits);
        let mut remarks: Vec<Remark> = self.untrusted(rule).into_iter().collect();
        let named = |(name, _): &&(Refname, Oid)| rule.refs.matches(name, self.default.as_ref());
        let mut named = self.refs.iter().filter(named).peekable();
        let first = named.peek().copied();
        let Some((refname, value)) =
            named.find(|it| Some(&it.0) == self.default.as_ref()).or(first)
        else {
            let written = rule.refs.written().join(", ");
            let what = format!("no ref of the repository is named by {written}");
            let hint = "the rule has nothing to protect there yet".to_owned();
            remarks.push(Remark { serious: false, what, hint: Some(hint) });
            return Ok(remarks);
        };
        let Some(commit) = reader.peel_commit(value)? else { return Ok(remarks) };
        let tree = reader.delta(None, Some(commit))?;
        let paths: Vec<RepoPath> = tree.changes().iter().map(|it| it.path.clone()).collect();
        let asks: Option<OwnersNeeds> = rule.body.needs().owners;
        let file = asks.map(|asks| owners::look(&reader, Some(commit), &asks)).transpose()?;
        let seen = Seen { refname, paths: &paths, owners: file.as_ref() };
        remarks.extend(rule.body.against(&seen));
        Ok(remarks)
    }

    /// A rule that takes only what other refs have had, where there is none of them.
    fn untrusted(&self, rule: &CompiledRule) -> Option<Remark> {
        let trusted = rule.body.needs().had_by?;
        let matches = |name: &Refname| trusted.matches(name, self.default.as_ref());
        if self.refs.is_empty() || self.refs.iter().any(|(name, _)| matches(name)) {
            return None;
        }
        let what =
            format!("no ref is there that must have had it: {}", trusted.written().join(", "));
        let hint = "nothing can land by this rule until one of them is".to_owned();
        Some(Remark { serious: true, what, hint: Some(hint) })
    }
}
