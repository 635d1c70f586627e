//! `access`: who may create, move, rewind and delete.

use crate::facts::Motion;
use crate::facts::needs::Needs;
use crate::roster::party::Party;
use crate::rules::access_judge;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::verdict::finding::Ruling;

/// The kind.
pub static KIND: Kind = Kind {
    name: "access",
    summary: "who may create, move, rewind and delete these refs",
    explain: EXPLAIN,
    keys: &[
        key("create", "who may create one; without it, anyone"),
        key("move", "who may move one forward; without it, anyone"),
        key("rewind", "who may move one to a commit that does not build on it; without it, nobody"),
        key("delete", "who may delete one; without it, nobody"),
    ],
    keys_later: &[],
    compile,
};

/// Who may do what. `None` where the policy is silent: anyone creates and moves, nobody rewinds or
/// deletes. An empty party is nobody.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who may make the ref.
    pub(crate) create: Option<Party>,
    /// Who may move it forward.
    pub(crate) moving: Option<Party>,
    /// Who may move it to a commit that does not build on it.
    pub(crate) rewind: Option<Party>,
    /// Who may delete it.
    pub(crate) delete: Option<Party>,
}

const fn key(name: &'static str, doc: &'static str) -> KeyDoc {
    KeyDoc { name, shape: Shape::Party, default: None, required: false, doc }
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    if !KIND.keys.iter().any(|key| body.table.has(key.name)) {
        let hint = "name at least one of create, move, rewind, delete; [] is nobody";
        problems.error_hint(body.table.header(), "this rule says nothing", hint);
        return None;
    }
    let mut party = |key| {
        let list = body.table.texts(key, problems)?;
        body.roster.resolve(&list.value, problems)
    };
    let rule = Access {
        create: party("create"),
        moving: party("move"),
        rewind: party("rewind"),
        delete: party("delete"),
    };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

impl Rule for Access {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        access_judge::judge(self, view)
    }

    fn speaks_of(&self, motion: &Motion) -> bool {
        access_judge::list_for(self, motion).is_some()
    }
}

const EXPLAIN: &str = r#"Who may create, move, rewind and delete these refs.

    [people.alice]
    [people.release-bot]
    machine = true
    [groups]
    release = ["alice", "release-bot"]

    [rule.release-branches]
    kind   = "access"
    refs   = ["release/**"]
    create = ["@release"]
    rewind = ["alice"]
    delete = []

A list holds people, machines and @groups; [] is nobody. Without a key
anyone creates and moves, and nobody rewinds or deletes: that much holds for
every protected ref without a rule. To be allowed here is not to be excused
elsewhere: a rewind to a value that the ref never had is judged by the other
rules like any change.
"#;
