//! `restrict-paths`: who may change these paths at all.

use crate::facts::needs::{IntakeOf, Needs};
use crate::names::path::RepoPath;
use crate::push::pusher::Pusher;
use crate::roster::party::Party;
use crate::rules::operations::{self, Operations};
use crate::rules::remark::{Remark, Seen};
use crate::rules::restrict_paths_judge;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::scope::{Scope, Unnamed, infra_kind_names};
use crate::rules::view::View;
use crate::source::problem::{Problem, Problems};
use crate::verdict::finding::Ruling;

/// The kind.
pub static KIND: Kind = Kind {
    name: "restrict-paths",
    summary: "who may add, modify, delete, flip the mode or change the type of these paths at all",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "paths",
            Shape::Paths,
            "which paths; `!` takes away from `infra` too. This or `infra` has to be there",
        ),
        KeyDoc::optional(
            "infra",
            Shape::Words(infra_kind_names),
            "kinds of infrastructure, by path and by content; \"all\"",
        ),
        KeyDoc::optional(
            "by",
            Shape::Party,
            "who may: people, machines and @groups; [] is nobody. This or `not-by` has to be \
                  there",
        ),
        KeyDoc::optional("not-by", Shape::Party, "who may not, where everybody else may"),
        KeyDoc::optional(
            "operations",
            Shape::Words(operations::words),
            "only for what happens to a path in these ways: add, modify, delete, mode, type; \
                  without it for all. A rename is a delete and an add",
        ),
    ],
    keys_later: &[],
    compile,
};

/// Who may.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// Only these.
    By(Party),
    /// All but these.
    NotBy(Party),
}

impl Who {
    /// Whether the pusher may. Somebody without a name in the policy is in no list of those who
    /// may, and somebody whom nobody can name may nothing.
    pub(crate) fn allows(&self, pusher: &Pusher) -> bool {
        let is_in = |party: &Party| pusher.name().is_some_and(|name| party.contains(name));
        match self {
            Self::By(party) => is_in(party),
            Self::NotBy(party) => !is_in(party),
        }
    }
}

/// Who may change these paths at all.
#[derive(Clone, Debug)]
pub struct RestrictPaths {
    /// Which changes it is about.
    pub(crate) scope: Scope,
    /// What has to happen to a path for the rule to ask.
    pub(crate) operations: Operations,
    /// Who may.
    pub(crate) who: Who,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let scope = Scope::read(body.table, Unnamed::Nothing, problems);
    let operations = operations::read(body.table, problems);
    let who = who(body, problems);
    let rule = RestrictPaths { scope: scope?, operations, who: who? };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

fn who(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Who> {
    let header = body.table.header().clone();
    let hint = "by = [\"@sre\"] names who may, not-by = [\"@juniors\"] who may not";
    match (body.table.has("by"), body.table.has("not-by")) {
        (true, true) => {
            body.table.discard("not-by");
            let what = "`by` and `not-by` say the same thing twice, or two things";
            problems.error_hint(&header, what, "keep one of them");
        }
        (false, false) => {
            problems.error_hint(&header, "who may change these paths, or may not?", hint);
            return None;
        }
        (true, false) | (false, true) => {}
    }
    if let Some(list) = body.table.texts("by", problems) {
        return body.roster.resolve(&list.value, problems).map(Who::By);
    }
    let list = body.table.texts("not-by", problems)?;
    if list.value.is_empty() {
        let what = "`not-by` is empty, so this rule can never refuse";
        problems.push(Problem::error(what).at(&list.spot).hint(hint));
        return None;
    }
    body.roster.resolve(&list.value, problems).map(Who::NotBy)
}

impl Rule for RestrictPaths {
    fn needs(&self) -> Needs {
        let intake = Some(IntakeOf::default());
        Needs { landing: true, content: self.scope.infra(), intake, ..Needs::default() }
    }

    fn against(&self, seen: &Seen<'_>) -> Vec<Remark> {
        self.scope.remarks(seen)
    }

    fn about(&self, path: &RepoPath) -> Option<bool> {
        Some(self.scope.covers_path(path))
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        restrict_paths_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"Who may change these paths at all, whatever others approve.

    [people.alice]
    [people.flux-bot]
    machine = true
    [groups]
    sre     = ["alice"]
    juniors = ["bob"]
    [people.bob]

    [rule.production-is-for-sre]
    kind  = "restrict-paths"
    refs  = ["@default"]
    infra = ["terraform"]
    paths = ["clusters/prod/**", "!**/README.md"]
    by    = ["@sre", "flux-bot"]

    [rule.licences-stay]
    kind       = "restrict-paths"
    refs       = ["**"]
    paths      = ["LICENSE*", "NOTICE"]
    operations = ["modify", "delete", "type"]
    by         = []

    [rule.juniors-write-docs]
    kind   = "restrict-paths"
    refs   = ["**"]
    paths  = ["**", "!docs/**"]
    not-by = ["@juniors"]

    [rule.topics-are-rewritten]
    kind   = "access"
    refs   = ["**", "!main"]
    rewind = ["alice", "bob"]
    delete = ["alice", "bob"]

It is the pusher who may or may not; who wrote a commit is what the commit
says. Every arriving commit counts, those on the side of a merge too, and so
does what becomes of the ref: what is changed and changed back within a push,
what a merge adds to the branches it merges, and what it drops. A symbolic
link, a submodule or a file that takes the place of a folder is a change of
all that lay in it, and a name that some file system takes for one of these
is one of these. Commits that another ref of the rule (of its `starts`) holds
already are passed over; what they would change on this ref is not.

Nobody is excused by breaking the glass. `exempt` excuses somebody within
some paths; a rule of kind approval asks for a review instead.
"#;
