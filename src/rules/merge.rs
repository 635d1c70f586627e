//! `merge`: no direct commits.

use crate::facts::needs::Needs;
use crate::rules::merge_judge;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::source::table::{not_supported, pick};
use crate::verdict::finding::Ruling;

/// The kind.
pub static KIND: Kind = Kind {
    name: "merge",
    summary: "no direct commits: every step merges a change that was on the server before",
    explain: EXPLAIN,
    keys: &[KeyDoc {
        name: "methods",
        shape: Shape::Words(method_names),
        default: Some("[\"merge\"]"),
        required: false,
        doc: "how a change may be brought in",
    }],
    keys_later: &["resolved-by"],
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

/// The methods that this version judges. A policy that names another has a problem.
pub const METHODS_SUPPORTED: &[Method] = &[Method::Merge, Method::FastForward];

/// No direct commits.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The methods that are allowed, in the order they were written; never empty.
    pub(crate) methods: Vec<Method>,
}

fn method_names() -> Vec<&'static str> {
    METHODS.iter().map(|(name, _)| *name).collect()
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let Some(list) = body.table.texts("methods", problems) else {
        let fine = problems.errors() == before;
        return fine.then(|| Box::new(Merge { methods: vec![Method::Merge] }) as Box<dyn Rule>);
    };
    if list.value.is_empty() && problems.errors() == before {
        let hint = "name a method, or take the key out: then it is [\"merge\"]";
        problems.error_hint(&list.spot, "no method: nothing could ever land", hint);
    }
    let mut methods = Vec::new();
    for written in &list.value {
        let Some(method) = pick(written, "no such method", METHODS, problems) else { continue };
        if !METHODS_SUPPORTED.contains(&method.value) {
            let what = format!("the method `{}`", written.value);
            problems.push(not_supported(&what).at(&written.spot));
        } else if !methods.contains(&method.value) {
            methods.push(method.value);
        }
    }
    (problems.errors() == before).then(|| Box::new(Merge { methods }) as Box<dyn Rule>)
}

impl Rule for Merge {
    fn needs(&self) -> Needs {
        Needs { landing: true, ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        merge_judge::judge(self, view)
    }

    fn methods(&self) -> Vec<&'static str> {
        let allowed = METHODS.iter().filter(|(_, method)| self.methods.contains(method));
        allowed.map(|(name, _)| *name).collect()
    }
}

const EXPLAIN: &str = r#"No direct commits. Every step of a push to these refs merges a change
that was on the server before, and adds nothing of its own.

    [rule.main-takes-merges]
    kind = "merge"
    refs = ["@default", "release/**"]
    why  = "every change can be looked at before it lands"

"On the server before" is a fact of the gate's own log: the commits came
with an earlier accepted push, to any ref, or are older than the log. So:
push the topic branch first, merge it, then push the merge.

  git push origin topic
  git switch main
  git merge --no-ff topic
  git push origin main

The merge is made again by the server and must come out the same. Where it
does not, because a conflict was settled by hand, merge the branch into the
topic instead, settle it there, push the topic, and merge that.
"#;
