//! `check`: machines passed exactly this change, and none of them failed it.

use std::collections::BTreeSet;

use crate::facts::needs::{Checker, Needs};
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::age;
use crate::rules::check_judge;
use crate::rules::remark::{Remark, Seen};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::scope::{Scope, Unnamed, infra_kind_names};
use crate::rules::view::View;
use crate::source::problem::{Problem, Problems};
use crate::source::table::Table;
use crate::source::text::Located;
use crate::verdict::finding::Ruling;

/// How many checks one rule may ask for.
pub const CHECKS_MAX: usize = 50;

/// The kind.
pub static KIND: Kind = Kind {
    name: "check",
    summary: "machines passed exactly this change, and none of them failed it",
    explain: EXPLAIN,
    keys: &[
        KeyDoc {
            name: "checks",
            shape: Shape::Names,
            default: None,
            required: true,
            doc: "the names of the checks, such as terraform-plan; each must have passed",
        },
        KeyDoc {
            name: "from",
            shape: Shape::Party,
            default: None,
            required: true,
            doc: "whose word counts: machines and @groups of machines; one pass is enough, \
                  any fail refuses",
        },
        KeyDoc::optional(
            "paths",
            Shape::Paths,
            "the paths whose changes are checked; with `infra` the union, `!` takes away \
                  from both; without either, every change",
        ),
        KeyDoc::optional(
            "infra",
            Shape::Words(infra_kind_names),
            "built-in kinds of infrastructure files, told by path and content",
        ),
        KeyDoc::optional(
            "max-age",
            Shape::Duration,
            "how old a pass may be; without it, as long as it says itself, and so does a fail",
        ),
    ],
    keys_later: &[],
    compile,
};

/// Machines said pass.
#[derive(Clone, Debug)]
pub struct Check {
    /// Each of these must have passed; never empty.
    pub(crate) checks: BTreeSet<PrincipalName>,
    /// The machines whose word counts; never empty.
    pub(crate) from: Party,
    /// Which changes are checked.
    pub(crate) scope: Scope,
    /// How old a pass may be.
    pub(crate) max_age_seconds: Option<i64>,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let checks = checks(body.table, problems);
    let from = from(body.table, body.roster, problems);
    let scope = Scope::read(body.table, Unnamed::Everything, problems);
    let max_age_seconds = age::read(body.table, problems);
    let (checks, from, scope) = (checks?, from?, scope?);
    let rule = Check { checks, from, scope, max_age_seconds };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

/// The names of the checks, each once.
fn checks(table: &mut Table<'_>, problems: &mut Problems) -> Option<BTreeSet<PrincipalName>> {
    if !table.has("checks") {
        let hint = "checks = [\"terraform-plan\"] is a name that you choose";
        problems.error_hint(table.header(), "`checks` is missing: what must have passed?", hint);
        return None;
    }
    let list = table.texts("checks", problems)?;
    if list.value.is_empty() {
        let what = "`checks` is empty, so this rule could never refuse anything";
        problems.error_hint(&list.spot, what, "name some, or delete the rule");
    }
    if list.value.len() > CHECKS_MAX {
        problems.error(&list.spot, format!("more than {CHECKS_MAX} checks in one rule"));
    }
    let mut checks = BTreeSet::new();
    for Located { value, spot } in &list.value {
        let Some(name) = PrincipalName::parse(value) else {
            let what = format!("`{value}` cannot be the name of a check");
            let hint = "up to 64 of a-z, 0-9, `.`, `_` and `-`, a letter or a digit first";
            problems.error_hint(spot, what, hint);
            continue;
        };
        if !checks.insert(name) {
            problems.error(spot, format!("`{value}` is named twice"));
        }
    }
    (!checks.is_empty()).then_some(checks)
}

/// The machines. Whoever else is named would wait for a word that never counts.
fn from(table: &mut Table<'_>, roster: &Roster, problems: &mut Problems) -> Option<Party> {
    if !table.has("from") {
        let hint = "from = [\"plan-bot\"] names a machine of [people]";
        problems.error_hint(table.header(), "`from` is missing: whose checks count?", hint);
        return None;
    }
    let list = table.texts("from", problems)?;
    if list.value.is_empty() {
        let what = "`from` is empty, so nothing could ever pass";
        problems.error_hint(&list.spot, what, "name machines or @groups of them");
        return None;
    }
    let party = roster.resolve(&list.value, problems)?;
    let is_machine = |name: &&PrincipalName| roster.get(name).is_some_and(|p| p.machine);
    let people: Vec<&str> =
        party.names.iter().filter(|n| !is_machine(n)).map(PrincipalName::as_str).collect();
    if !people.is_empty() {
        let problem = Problem::error("people never check").at(&list.spot);
        let names = people.join(", ");
        problems.push(problem.hint(format!("these are no machines: {names}")));
    }
    let keyless = party.names.iter().filter(|n| is_machine(n) && !roster.can_check(n));
    let keyless: Vec<&str> = keyless.map(PrincipalName::as_str).collect();
    if !keyless.is_empty() {
        let problem = Problem::error("a machine without `keys` cannot sign a check");
        let names = keyless.join(", ");
        problems.push(problem.at(&list.spot).hint(format!("give keys to {names}")));
    }
    (people.is_empty() && keyless.is_empty()).then_some(party)
}

impl Rule for Check {
    fn needs(&self) -> Needs {
        let of = |check: &PrincipalName| {
            let check = check.clone();
            self.from
                .names
                .iter()
                .map(move |machine| Checker { check: check.clone(), machine: machine.clone() })
        };
        Needs {
            landing: true,
            checkers: self.checks.iter().flat_map(of).collect(),
            content: self.scope.infra(),
            ..Needs::default()
        }
    }

    fn against(&self, seen: &Seen<'_>) -> Vec<Remark> {
        self.scope.remarks(seen)
    }

    fn about(&self, path: &RepoPath) -> Option<bool> {
        Some(self.scope.covers_path(path))
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        check_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"Every step that changes one of these paths, on its old side or its new,
passed each of these checks: one machine says pass, and none says fail.

    [people.plan-bot]
    machine = true
    keys    = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINNkYQOrhmR16Gr4xPGqAqUg+6qdZ8r5zemERFIlzBr6 plan-bot"]

    [rule.plan-is-clean]
    kind    = "check"
    refs    = ["@default"]
    checks  = ["terraform-plan"]
    from    = ["plan-bot"]
    infra   = ["terraform"]
    max-age = "1d"
    why     = "what is applied was planned"

A check is a machine's signed statement about one change and one branch, as
an approval is a person's. It survives a merge, a squash and a clean rebase,
and dies with any other content; the landing that it speaks for uses it up.
The machine signs with a key of its own, wherever it runs, and anybody may
carry the statement to the server:

  portcullis attest terraform-plan pass COMMIT --for main --url https://...

Plain git and ssh-keygen do as well. The latest word of a machine holds until
it expires. A fail that has expired refuses no more, and is still no pass.
Only machines that a rule of this kind names can leave checks on the server.
"#;
