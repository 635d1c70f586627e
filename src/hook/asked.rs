//! A question, and the landing that it is about: which form that would take on the ref, made in
//! memory.
//!
//! Used by `reply`. By a merge, where the policy allows that; else by what it does allow.

use crate::gather::default_branch;
use crate::gather::reader::Reader;
use crate::hook::back;
use crate::hook::bench::{Bench, gathered};
use crate::hook::fault::Stop;
use crate::hook::overlay::{Made, made, merged};
use crate::hook::world::World;
use crate::log::settle::Site as _;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;
use crate::names::refname::Refname;
use crate::store::objects::Merged;
use crate::verdict::line::Line;

/// A question: may this commit land on this ref?
#[derive(Clone, Debug)]
pub struct Question {
    /// The ref that is asked about.
    pub name: Refname,
    /// The commit.
    pub commit: Oid,
    /// Whether the answer is for a program.
    pub json: bool,
}

/// What is asked about, looked at.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The ref's value.
    pub value: Option<Oid>,
    /// The commit that the value leads to.
    pub tip: Option<Oid>,
    /// The commit that the question leads to.
    pub commit: Oid,
    /// Where the delta begins: the merge base.
    pub base: Option<Oid>,
    /// The methods that every rule on methods allows. Empty: no rule says.
    pub methods: Vec<&'static str>,
    /// How it would land.
    pub form: Form,
}

/// How a commit would land.
#[derive(Clone, Debug)]
pub enum Form {
    /// The ref moves to what was asked about, or is created there.
    Itself(Oid),
    /// A commit is made that exists nowhere yet: a merge, or a squash.
    Made(Made),
    /// The ref has it already.
    Landed,
    /// It does not merge by itself; the first paths.
    Conflict(Vec<RepoPath>),
}

impl Asked {
    /// Looks at a commit and a ref, and makes the landing.
    pub fn look(world: &World, bench: &Bench, name: &Refname, asked: Oid) -> Result<Self, Stop> {
        let store = &world.store;
        let reader = Reader::new(store, &bench.policy.limits);
        let peeled = |oid: &Oid| reader.peel(oid).map_err(gathered);
        let commit = peeled(&asked)?
            .commit()
            .ok_or_else(|| Stop::refused(Line::new("").oid(asked).text(" leads to no commit")))?;
        let value = Some(world.value(name)?).filter(|value| !value.is_zero());
        let tip = match value {
            Some(value) => peeled(&value)?.commit(),
            None => None,
        };
        let bases = match tip {
            Some(tip) => reader.merge_bases(&tip, &commit).map_err(gathered)?,
            None => Vec::new(),
        };
        let default = default_branch(store).map_err(gathered)?;
        let mut methods = methods(bench, name, default.as_ref());
        let form = match tip {
            Some(_) if bases.contains(&commit) => Form::Landed,
            Some(tip) if back::is_claimed(bench, &reader, &tip, &commit)? => {
                methods = vec!["fast-forward"];
                Form::Itself(commit)
            }
            Some(tip) if name.branch().is_some() => {
                let forward = bases.contains(&tip);
                branch_form(&reader, (tip, commit), forward, &methods)?
            }
            Some(_) | None => Form::Itself(asked),
        };
        Ok(Self { value, tip, commit, base: bases.first().copied(), methods, form })
    }
}

/// How it lands on a branch that exists.
fn branch_form(
    reader: &Reader<'_>,
    (tip, commit): (Oid, Oid),
    forward: bool,
    methods: &[&'static str],
) -> Result<Form, Stop> {
    let may = |method: &str| methods.contains(&method);
    let by_merge = methods.is_empty() || may("merge");
    if !by_merge && forward && may("fast-forward") {
        return Ok(Form::Itself(commit));
    }
    let tree = match merged(reader, tip, commit).map_err(gathered)? {
        Merged::Clean(tree) => tree,
        Merged::Conflict(paths) => return Ok(Form::Conflict(paths)),
    };
    let format = reader.objects.format();
    let landing = if !by_merge && (may("squash") || may("rebase")) {
        made(format, tree, &[tip], &format!("Squash {}\n\nSource: {commit}\n", commit.short()))
    } else {
        made(format, tree, &[tip, commit], &format!("Merge {}\n", commit.short()))
    };
    let told = "the landing that was asked about could not be made";
    landing.map(Form::Made).ok_or_else(|| Stop::fault_because(told, told.to_owned()))
}

/// What every rule on methods allows for this ref, the preferred first.
fn methods(bench: &Bench, name: &Refname, default: Option<&Refname>) -> Vec<&'static str> {
    let rules = bench.policy.rules.iter().filter(|rule| rule.refs.matches(name, default));
    let mut lists = rules.map(|rule| rule.body.methods()).filter(|list| !list.is_empty());
    let first = lists.next().unwrap_or_default();
    lists.fold(first, |all, list| all.into_iter().filter(|m| list.contains(m)).collect())
}
