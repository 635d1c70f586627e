//! `size`: how much one push may bring to a ref, and how many refs it may touch.

use std::collections::BTreeSet;

use crate::facts::landing::Landing;
use crate::facts::needs::{ArrivalsOf, Needs};
use crate::names::path::RepoPath;
use crate::push::Door;
use crate::push::update::Change;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::verdict::finding::{Objection, Ruling};
use crate::verdict::line::{Hint, Line};

/// The kind.
pub static KIND: Kind = Kind {
    name: "size",
    summary: "a push is no larger than people can look at",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "commits-max",
            Shape::Count,
            "how many commits a push may bring to the ref",
        ),
        KeyDoc::optional(
            "files-max",
            Shape::Count,
            "how many paths it may change, in whatever way",
        ),
        KeyDoc::optional("new-files-max", Shape::Count, "how many paths it may add"),
        KeyDoc::optional("deletions-max", Shape::Count, "how many paths it may delete"),
        KeyDoc::optional(
            "refs-max",
            Shape::Count,
            "how many refs one push may create, move and delete",
        ),
        KeyDoc::optional("ref-deletions-max", Shape::Count, "how many refs one push may delete"),
    ],
    keys_later: &[],
    compile,
};

/// How much a push may bring; `None`: any number.
#[derive(Clone, Debug)]
pub struct Size {
    commits: Option<usize>,
    files: Option<usize>,
    new_files: Option<usize>,
    deletions: Option<usize>,
    refs: Option<usize>,
    ref_deletions: Option<usize>,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let names = KIND.key_names();
    if !names.iter().any(|name| body.table.has(name)) {
        let hint = "files-max = 300 is one bound";
        let what = "no bound is named, so this rule could never refuse anything";
        problems.error_hint(body.table.header(), what, hint);
    }
    let mut bound = |key: &str, least: u64| {
        let written = body.table.count(key, problems)?;
        if written.value < least {
            let what = format!("`{key}` is {}, so nothing could be pushed", written.value);
            problems.error_hint(&written.spot, what, format!("at least {least}"));
        }
        usize::try_from(written.value).ok()
    };
    let rule = Size {
        commits: bound("commits-max", 1),
        files: bound("files-max", 1),
        new_files: bound("new-files-max", 0),
        deletions: bound("deletions-max", 0),
        refs: bound("refs-max", 1),
        ref_deletions: bound("ref-deletions-max", 0),
    };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

/// What is counted of paths, each once whatever happened to it how often.
#[derive(Default)]
struct Paths<'l> {
    changed: BTreeSet<&'l RepoPath>,
    added: BTreeSet<&'l RepoPath>,
    deleted: BTreeSet<&'l RepoPath>,
}

impl<'l> Paths<'l> {
    fn of(landing: &'l Landing) -> Self {
        let mut paths = Self::default();
        for step in landing.steps() {
            for change in step.delta.changes() {
                paths.changed.insert(&change.path);
                match (&change.old, &change.new) {
                    (None, Some(_)) => drop(paths.added.insert(&change.path)),
                    (Some(_), None) => drop(paths.deleted.insert(&change.path)),
                    (Some(_), Some(_)) | (None, None) => {}
                }
            }
            paths.changed.extend(&step.hidden);
        }
        paths
    }
}

impl Rule for Size {
    fn needs(&self) -> Needs {
        let arrivals = match self.commits {
            Some(_) => ArrivalsOf::Claims,
            None => ArrivalsOf::Nothing,
        };
        let landing = self.files.or(self.new_files).or(self.deletions).is_some();
        Needs { arrivals, landing, ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        if view.update.change == Change::Nothing {
            return Ruling::default();
        }
        let mut objections = Vec::new();
        if let Some(found) = view.arrivals {
            let hint =
                "land it in parts: git push origin COMMIT:BRANCH for an earlier commit first";
            over(
                self.commits,
                found.count,
                ["commit arrives", "commits arrive"],
                hint,
                &mut objections,
            );
        }
        if let Some(landing) = view.landing {
            let paths = Paths::of(landing);
            let hint = "make it several changes, each landed by itself";
            let mut of = |max, paths: &BTreeSet<_>, words| {
                over(max, paths.len(), words, hint, &mut objections);
            };
            of(self.files, &paths.changed, ["path changes", "paths change"]);
            of(self.new_files, &paths.added, ["path is added", "paths are added"]);
            of(self.deletions, &paths.deleted, ["path is deleted", "paths are deleted"]);
        }
        objections.extend(self.of_refs(view));
        Ruling { objections: together(objections), notes: Vec::new() }
    }
}

impl Size {
    fn of_refs(&self, view: &View<'_>) -> Vec<Objection> {
        let push = &view.push.push;
        let mut objections = Vec::new();
        if self.refs.or(self.ref_deletions).is_none() {
            return objections;
        }
        if push.door == Door::Update {
            let what = "the update hook is shown one ref at a time, and cannot count them";
            let hint = "ask the operators to install the pre-receive hook as well";
            let objection = Objection::new(Line::new(what));
            return vec![objection.hint(Hint::new(Line::new(hint)))];
        }
        let deleted = push.updates.iter().filter(|update| update.new.is_zero()).count();
        let hint = "push fewer refs at a time";
        let pushed = ["ref is pushed", "refs are pushed"];
        over(self.refs, push.updates.len(), pushed, hint, &mut objections);
        let words = ["ref is deleted", "refs are deleted"];
        over(self.ref_deletions, deleted, words, hint, &mut objections);
        objections
    }
}

/// Objects where there are more than the bound.
fn over(
    max: Option<usize>,
    has: usize,
    [one, many]: [&'static str; 2],
    hint: &'static str,
    objections: &mut Vec<Objection>,
) {
    let Some(max) = max.filter(|max| has > *max) else { return };
    let what = Line::new("").count(has, one, many).text(format!(", at most {max} may"));
    objections.push(Objection::new(what).hint(Hint::new(Line::new(hint))));
}

/// One objection: the first, and the others as what was found besides.
fn together(objections: Vec<Objection>) -> Vec<Objection> {
    let mut rest = objections.into_iter();
    let Some(mut first) = rest.next() else { return Vec::new() };
    for other in rest {
        first.details.push(other.what);
        for hint in other.hints {
            if !first.hints.contains(&hint) {
                first.hints.push(hint);
            }
        }
    }
    vec![first]
}

const EXPLAIN: &str = r#"A push is no larger than people can look at.

    [rule.small-changes]
    kind          = "size"
    refs          = ["@default"]
    commits-max   = 50
    files-max     = 300
    new-files-max = 200
    deletions-max = 20
    why           = "what nobody can read nobody has reviewed"

    [rule.few-refs]
    kind              = "size"
    refs              = ["**", "refs/tags/**"]
    refs-max          = 20
    ref-deletions-max = 3

    [people.alice]

    [rule.topics-are-rewritten]
    kind   = "access"
    refs   = ["**", "!main"]
    rewind = ["alice"]
    delete = ["alice"]

Commits are those that arrive on the ref, of merged branches too, and not
those that a branch of the rule's own `starts` has had. A path counts once,
however often it changes on the way; one that came and went again counts as
changed, and a renamed one as one deleted and one added. Refs are those of the
whole push, whether this rule is about them or not.

How large a file may be is asked by rule kind `files`; how large what is sent
may be, by Git itself: git config receive.maxInputSize 100m.
"#;
