//! `merge`: no direct commits.

use std::collections::BTreeSet;

use crate::facts::needs::Needs;
use crate::names::principal::PrincipalName;
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::merge_judge;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::source::table::{Table, pick};
use crate::source::text::Located;
use crate::verdict::finding::Ruling;

/// The kind.
pub static KIND: Kind = Kind {
    name: "merge",
    summary: "no direct commits: every step brings in a change that was on the server before",
    explain: EXPLAIN,
    keys: &[
        KeyDoc {
            name: "methods",
            shape: Shape::Words(method_names),
            default: Some("[\"merge\"]"),
            required: false,
            doc: "how a change may be brought in",
        },
        KeyDoc::optional(
            "resolved-by",
            Shape::Party,
            "whose approval lets a merge stand that settles a conflict; without it nobody's",
        ),
    ],
    keys_later: &[],
    compile,
};

/// How a change comes to a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// A merge commit.
    Merge,
    /// The branch moves to commits that were on the server before.
    FastForward,
    /// One new commit with the content of the whole change.
    Squash,
    /// New commits with the content of the change's own.
    Rebase,
}

/// Every method, as a policy names it.
pub const METHODS: &[(&str, Method)] = &[
    ("merge", Method::Merge),
    ("fast-forward", Method::FastForward),
    ("squash", Method::Squash),
    ("rebase", Method::Rebase),
];

/// No direct commits.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The methods that are allowed, in the order they were written; never empty.
    pub(crate) methods: Vec<Method>,
    /// Whose approval lets a merge stand that does not come out the same when made again. All of
    /// them can approve; absent: nobody's does.
    pub(crate) resolved_by: Option<Party>,
}

impl Merge {
    /// Whether a change may come this way.
    pub(crate) fn takes(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }
}

fn method_names() -> Vec<&'static str> {
    METHODS.iter().map(|(name, _)| *name).collect()
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let methods = methods(body.table, problems);
    let list = body.table.texts("resolved-by", problems);
    let resolved_by = list.and_then(|list| resolved_by(&list, body.roster, &methods, problems));
    let fine = problems.errors() == before;
    fine.then(|| Box::new(Merge { methods, resolved_by }) as Box<dyn Rule>)
}

fn methods(table: &mut Table<'_>, problems: &mut Problems) -> Vec<Method> {
    let before = problems.errors();
    let Some(list) = table.texts("methods", problems) else { return vec![Method::Merge] };
    if list.value.is_empty() && problems.errors() == before {
        let hint = "name a method, or take the key out: then it is [\"merge\"]";
        problems.error_hint(&list.spot, "no method: nothing could ever land", hint);
    }
    let mut methods = Vec::new();
    for written in &list.value {
        let Some(method) = pick(written, "no such method", METHODS, problems) else { continue };
        if !methods.contains(&method.value) {
            methods.push(method.value);
        }
    }
    methods
}

/// Who may let a merge stand. `None` goes with a problem.
fn resolved_by(
    list: &Located<Vec<Located<String>>>,
    roster: &Roster,
    methods: &[Method],
    problems: &mut Problems,
) -> Option<Party> {
    if list.value.is_empty() {
        let hint = "name people or @groups, or take the key out: then it is nobody";
        problems.error_hint(&list.spot, "`resolved-by` is empty", hint);
        return None;
    }
    if !methods.is_empty() && !methods.contains(&Method::Merge) {
        let hint = "add \"merge\" to `methods`, or take the key out";
        let what = "`resolved-by` is about merges, and `methods` has none";
        problems.error_hint(&list.spot, what, hint);
    }
    let party = roster.resolve(&list.value, problems)?;
    let (able, unable): (BTreeSet<PrincipalName>, BTreeSet<PrincipalName>) =
        party.names.into_iter().partition(|name| roster.can_approve(name));
    if able.is_empty() {
        let names: Vec<&str> = unable.iter().map(PrincipalName::as_str).collect();
        let hint = format!(
            "machines, shared logins and people without `keys` cannot sign: {}",
            names.join(", ")
        );
        problems.error_hint(&list.spot, "nobody in `resolved-by` can approve", hint);
    }
    Some(Party { names: able, written: party.written })
}

impl Rule for Merge {
    fn needs(&self) -> Needs {
        let people = self.resolved_by.iter().flat_map(|party| party.names.iter().cloned());
        Needs { landing: true, reviewers: people.collect(), ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        merge_judge::judge(self, view)
    }

    fn methods(&self) -> Vec<&'static str> {
        let allowed = METHODS.iter().filter(|(_, method)| self.methods.contains(method));
        allowed.map(|(name, _)| *name).collect()
    }
}

const EXPLAIN: &str = r#"No direct commits. Every step of a push to these refs brings in a change that
was on the server before, by one of `methods`, and adds nothing of its own.

    [people.bob]
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMR+sI82Xp5tnRCmfwG/OLmzPk/xZ8R/F5FUgZfH9tNx bob"]

    [rule.main-takes-merges]
    kind        = "merge"
    refs        = ["@default", "release/**"]
    methods     = ["merge", "squash"]
    resolved-by = ["bob"]
    why         = "every change can be looked at before it lands"

"On the server before" is a fact of the gate's own log: the commits came with
an earlier accepted push, to any ref, or are older than the log. So push the
topic branch first, then land it by one of the methods.

`merge`: a merge commit of the topic. The server makes the merge again, and it
must come out the same.

  git switch main && git merge --no-ff topic

`fast-forward`: the branch moves to the topic, no commit is made.

  git push origin topic:main

`squash` and `rebase`: one commit with the content of the whole topic, or
commits like the topic's own on top of the branch. The end must have the
content that merging the topic would give. Which topic that is, an approval of
the same change tells, or a trailer of the last commit, with the whole name of
the topic's tip:

  git switch main && git merge --squash topic
  git commit --trailer "Source: $(git rev-parse topic)"

A topic that is on top of the branch already may land by `rebase` as it is.
The trailer is looked up, never believed.

Where a merge does not come out the same, because a conflict was settled by
hand, merge the branch into the topic instead, settle it there, push the
topic, have it approved and merge that. Or, with `resolved-by`, push the merge
itself to a branch of its own: one of these people who is no maker of it reads
it and approves it, from its first parent to the merge, and it may land.

First parents count. A push after which the branch's old value is not among
them lands by no method. Several changes in one push are judged one by one; of
several squashes in one push each names its own source.
"#;
