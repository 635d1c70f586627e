//! `access`: who may create, move, rewind and delete.

use crate::facts::Motion;
use crate::facts::needs::Needs;
use crate::names::refname::Refname;
use crate::pattern::exact::ExactPaths;
use crate::push::pusher::Pusher;
use crate::roster::party::Party;
use crate::rules::access_judge;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::verdict::finding::Ruling;

/// What stands for the pusher's name in `own`.
const USER: &str = "{user}";

/// The kind.
pub static KIND: Kind = Kind {
    name: "access",
    summary: "who may create, move, rewind and delete these refs",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional("create", Shape::Party, "who may create one; without it, anyone"),
        KeyDoc::optional("move", Shape::Party, "who may move one forward; without it, anyone"),
        KeyDoc::optional(
            "rewind",
            Shape::Party,
            "who may move one to a commit that does not build on it; without it, nobody",
        ),
        KeyDoc::optional("delete", Shape::Party, "who may delete one; without it, nobody"),
        KeyDoc::optional(
            "own",
            Shape::Names,
            "patterns of names, {user} being the pusher's own: on such a ref that person may \
                  do all that the lists here are about",
        ),
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
    /// Patterns of full names of refs that are the pusher's, with `{user}` for whose.
    pub(crate) own: Vec<String>,
}

/// The lists.
const LISTS: [&str; 4] = ["create", "move", "rewind", "delete"];

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    if !LISTS.iter().any(|list| body.table.has(list)) {
        let hint = "name at least one of create, move, rewind, delete; [] is nobody";
        problems.error_hint(body.table.header(), "this rule says nothing", hint);
        body.table.discard("own");
        return None;
    }
    let own = own(body.table, problems);
    let mut party = |key| {
        let list = body.table.texts(key, problems)?;
        body.roster.resolve(&list.value, problems)
    };
    let rule = Access {
        create: party("create"),
        moving: party("move"),
        rewind: party("rewind"),
        delete: party("delete"),
        own,
    };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

/// The patterns of `own`, as full names.
fn own(table: &mut Table<'_>, problems: &mut Problems) -> Vec<String> {
    let Some(list) = table.texts("own", problems) else { return Vec::new() };
    if list.value.is_empty() {
        problems.error_hint(&list.spot, "`own` is empty", "name some, or take the key out");
    }
    let mut patterns = Vec::new();
    for written in &list.value {
        let full = match written.value.starts_with("refs/") {
            true => written.value.clone(),
            false => format!("refs/heads/{}", written.value),
        };
        if !written.value.contains(USER) {
            let hint = "own = [\"dev/{user}/**\"]";
            problems.error_hint(&written.spot, "this is the same name for everybody", hint);
        } else if let Err(why) = readable(&written.value).and_then(|()| readable(&full)) {
            let hint = "patterns are as in `refs`, without `!`: \"dev/{user}/**\"";
            problems.error_hint(&written.spot, format!("this cannot be used: {why}"), hint);
        }
        patterns.push(full);
    }
    patterns
}

/// Whether a pattern can be used, for somebody.
fn readable(pattern: &str) -> Result<(), String> {
    ExactPaths::read([pattern.replace(USER, "user").as_str()]).map(drop)
}

impl Access {
    /// Whether this ref is the pusher's own. Somebody without a name in the policy has none.
    pub(crate) fn is_own(&self, pusher: &Pusher, name: &Refname) -> bool {
        let Some(user) = pusher.name().filter(|_| !self.own.is_empty()) else { return false };
        let own: Vec<String> =
            self.own.iter().map(|own| own.replace(USER, user.as_str())).collect();
        ExactPaths::read(own.iter().map(String::as_str)).is_ok_and(|own| own.pick(name.as_bytes()))
    }
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

    [rule.branches-of-ones-own]
    kind   = "access"
    refs   = ["dev/**"]
    own    = ["dev/{user}/**"]
    create = []
    move   = []
    rewind = ["@release"]
    delete = ["@release"]

A list holds people, machines and @groups; [] is nobody. Without a key
anyone creates and moves, and nobody rewinds or deletes: that much holds for
every protected ref without a rule. `own` has patterns of names in which
{user} is the pusher's name in [people]: on such a ref that person is in
every list of the rule, so that dev/alice/ is Alice's. To be allowed here is
not to be excused elsewhere: a rewind to a value that the ref never had is
judged by the other rules like any change.
"#;
