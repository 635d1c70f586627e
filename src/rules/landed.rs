//! `landed`: only what these other refs have had.

use crate::facts::needs::Needs;
use crate::pattern::refs::RefPatterns;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// The kind.
pub static KIND: Kind = Kind {
    name: "landed",
    summary: "the new value is one that these protected refs have had",
    explain: EXPLAIN,
    keys: &[KeyDoc {
        name: "in",
        shape: Shape::Refs,
        default: None,
        required: true,
        doc: "the refs that must have had the commit",
    }],
    keys_later: &[],
    compile,
};

/// Only what these other refs have had.
#[derive(Clone, Debug)]
pub struct Landed {
    /// The refs that must have had the value, peeled to a commit.
    pub(crate) had_by: RefPatterns,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    if !body.table.has("in") {
        let hint = "in = [\"@default\"]";
        let what = "`in` is missing: which refs must have had the commit?";
        problems.error_hint(body.table.header(), what, hint);
        return None;
    }
    let list = body.table.texts("in", problems)?;
    let had_by = RefPatterns::read(&list, problems)?;
    Some(Box::new(Landed { had_by }))
}

impl Rule for Landed {
    fn needs(&self) -> Needs {
        Needs { had_by: Some(self.had_by.clone()), ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        let update = view.update;
        let Some(commit) = update.target.commit() else { return Ruling::default() };
        let default = view.push.default_branch.as_ref();
        if let Some(name) = update.had_by.iter().find(|name| self.had_by.matches(name, default)) {
            let note = Line::new("").refname(name).text(" has had ").oid(commit);
            return Ruling { objections: Vec::new(), notes: vec![note] };
        }
        let refs = self.had_by.written().join(", ");
        let what = Line::new("").oid(commit).text(" is no commit that ").text(refs.clone());
        let what = what.text(" has had");
        let detail = Line::new("being reachable is not enough: the side of a merge was not judged");
        let hint = Line::new("land it on ").text(refs).text(" first, in a push of its own");
        let objection = Objection::new(what).detail(detail).hint(Hint::new(hint));
        Ruling { objections: vec![objection], notes: Vec::new() }
    }
}

const EXPLAIN: &str = r#"The new value, peeled to a commit, is one that one of these refs has had,
by the gate's own log or since before it. For release tags, and for a
`production` branch that follows `main`.

    [rule.main-takes-merges]
    kind = "merge"
    refs = ["main"]

    [rule.releases-come-from-main]
    kind = "landed"
    refs = ["refs/tags/v*", "production"]
    in   = ["main"]

Being reachable is not enough: what lies on the side of a merge was never
judged by itself. Neither is a push that moves both at once: push the branch
first, then the tag.
"#;
