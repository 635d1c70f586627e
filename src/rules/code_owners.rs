//! `code-owners`: what changes was approved by those who own it, by the repository's own CODEOWNERS
//! file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::codeowners::dialect::Dialect;
use crate::facts::needs::{Needs, OwnersNeeds};
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::age;
use crate::rules::approved::{FRESH, Terms};
use crate::rules::code_owners_judge;
use crate::rules::code_owners_lint;
use crate::rules::remark::{Remark, Seen};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::seats::Seat;
use crate::rules::view::View;
use crate::source::problem::{Problem, Problems};
use crate::source::table::Table;
use crate::verdict::finding::Ruling;

/// How many teams a rule may translate.
pub const TEAMS_MAX: usize = 1_000;

/// What becomes of a path that nobody owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unowned {
    /// Nobody may change it.
    Refuse,
    /// The rule asks for nothing.
    Accept,
    /// One of `from` has to approve.
    From,
}

const UNOWNED: &[(&str, Unowned)] =
    &[("refuse", Unowned::Refuse), ("accept", Unowned::Accept), ("from", Unowned::From)];

fn dialects() -> Vec<&'static str> {
    Dialect::ALL.iter().map(|dialect| dialect.word()).collect()
}

fn unowned_words() -> Vec<&'static str> {
    UNOWNED.iter().map(|(word, _)| *word).collect()
}

/// The kind.
pub static KIND: Kind = Kind {
    name: "code-owners",
    summary: "what changes was approved by those who own it, by the CODEOWNERS file",
    explain: EXPLAIN,
    keys: &[
        KeyDoc {
            name: "dialect",
            shape: Shape::Word(dialects),
            default: None,
            required: true,
            doc: "whose rules the file is read by: github, gitlab, or gitea, which is Forgejo's too",
        },
        KeyDoc::optional(
            "file",
            Shape::Path,
            "the file; without it the first that is there of those the dialect knows",
        ),
        KeyDoc {
            name: "unowned",
            shape: Shape::Word(unowned_words),
            default: Some("\"refuse\""),
            required: false,
            doc: "what becomes of a path that nobody owns: refuse, accept, or from: one of `from` \
                  approves",
        },
        KeyDoc::optional(
            "from",
            Shape::Party,
            "who else may approve a change of the file itself, and the first one",
        ),
        KeyDoc::optional(
            "teams",
            Shape::Parties,
            "whom the file's teams and roles stand for, { \"org/sre\" = \"@sre\" }; without a \
                  word the group of the same last name",
        ),
        age::KEY,
        FRESH,
        KeyDoc {
            name: "veto",
            shape: Shape::Flag,
            default: Some("true"),
            required: false,
            doc: "a reject by an owner of a path stops its change",
        },
    ],
    keys_later: &[],
    compile,
};

/// The owners approved.
#[derive(Clone, Debug)]
pub struct CodeOwners {
    /// Which file is read, how, and whom its names stand for.
    pub(crate) reads: OwnersNeeds,
    /// What becomes of a path that nobody owns.
    pub(crate) unowned: Unowned,
    /// Who else may approve a change of the file.
    pub(crate) from: Party,
    /// How an approval has to be.
    pub(crate) terms: Terms,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let table = &mut *body.table;
    if !table.has("dialect") {
        let hint =
            "dialect = \"github\", \"gitlab\" or \"gitea\": a line means something else in each";
        problems.error_hint(table.header(), "`dialect` is missing: how is the file read?", hint);
    }
    let words: Vec<(&str, Dialect)> = Dialect::ALL.iter().map(|it| (it.word(), *it)).collect();
    let dialect = table.word("dialect", &words, problems).map(|it| it.value);
    let file = file(table, problems);
    let from = from(table, body.roster, problems);
    let header = table.header().clone();
    let unowned = table.word("unowned", UNOWNED, problems);
    if let Some(word) = unowned.as_ref().filter(|it| it.value == Unowned::From)
        && from.names.is_empty()
    {
        let hint = "from = [\"@platform\"] names a group of [groups]";
        problems.error_hint(&word.spot, "`from` is to decide, and nobody is in it", hint);
    }
    let teams = teams(table, body.roster, problems);
    let max_age_seconds = age::read(table, problems);
    let fresh = table.flag("fresh", problems).is_some_and(|flag| flag.value);
    let veto = table.flag("veto", problems).is_none_or(|flag| flag.value);
    if !body.roster.people().any(|person| body.roster.can_approve(&person.name)) {
        let hint = "give people `keys` in [people]";
        problems.error_hint(&header, "nobody in the policy can approve, so no owner could", hint);
    }
    let dialect = dialect?;
    let directory = Arc::new(body.roster.directory(dialect, teams));
    let reads = OwnersNeeds { dialect, file, directory };
    let unowned = unowned.map_or(Unowned::Refuse, |it| it.value);
    let terms = Terms { max_age_seconds, fresh, veto, clean_merge: false };
    let rule = CodeOwners { reads, unowned, from, terms };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

fn file(table: &mut Table<'_>, problems: &mut Problems) -> Option<RepoPath> {
    let written = table.text("file", problems)?;
    let mut parts = written.value.split('/');
    if parts.any(|part| matches!(part, "" | "." | "..")) || written.value.contains('\0') {
        let hint = "as `git ls-files` shows it: file = \"docs/CODEOWNERS\"";
        problems.error_hint(&written.spot, "no file has this path", hint);
        return None;
    }
    Some(RepoPath::new(written.value))
}

fn from(table: &mut Table<'_>, roster: &Roster, problems: &mut Problems) -> Party {
    let Some(list) = table.texts("from", problems) else { return Party::default() };
    let Some(party) = roster.resolve(&list.value, problems) else { return Party::default() };
    let names: BTreeSet<PrincipalName> =
        party.names.into_iter().filter(|name| roster.can_approve(name)).collect();
    if names.is_empty() {
        let what = "nobody in `from` can approve";
        let hint = "machines, shared logins and people without `keys` cannot sign";
        problems.push(Problem::error(what).at(&list.spot).hint(hint));
    }
    Party { names, written: party.written }
}

fn teams(
    table: &mut Table<'_>,
    roster: &Roster,
    problems: &mut Problems,
) -> BTreeMap<String, BTreeSet<PrincipalName>> {
    let mut teams = BTreeMap::new();
    let Some(mut table) = table.table("teams", problems) else { return teams };
    let names = table.names();
    if names.len() > TEAMS_MAX {
        problems.error(table.header(), format!("more than {TEAMS_MAX} teams in one rule"));
    }
    for name in names {
        let Some(written) = table.text(&name.value, problems) else { continue };
        if let Some(party) = roster.resolve(std::slice::from_ref(&written), problems) {
            teams.insert(name.value, party.names);
        }
    }
    teams
}

impl Rule for CodeOwners {
    fn needs(&self) -> Needs {
        Needs {
            landing: true,
            reviewers: self.from.names.clone(),
            veto: self.terms.veto,
            owners: Some(self.reads.clone()),
            ..Needs::default()
        }
    }

    fn asks(&self, view: &View<'_>) -> Vec<Seat> {
        code_owners_judge::asks(self, view)
    }

    fn against(&self, seen: &Seen<'_>) -> Vec<Remark> {
        code_owners_lint::remarks(self, seen)
    }

    fn about(&self, _path: &RepoPath) -> Option<bool> {
        // Where what nobody owns may change, the file has to be asked too.
        (self.unowned != Unowned::Accept).then_some(true)
    }

    fn seats_apart(&self) -> bool {
        true
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        code_owners_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"Every path that a step changes was approved by somebody who owns it and did
not make the change. Who owns what is said by the repository's own
CODEOWNERS file, as it stood on the ref before the push.

    [people.alice]
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMlk+aR15PlOfXJ35mEDhpJHpLWBA2/5R3bPla3WBbUu alice"]
    [people.bob]
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMR+sI82Xp5tnRCmfwG/OLmzPk/xZ8R/F5FUgZfH9tNx bob"]
    [groups]
    sre = ["alice", "bob"]

    [rule.owners-approve]
    kind    = "code-owners"
    refs    = ["@default"]
    dialect = "github"
    unowned = "from"
    from    = ["@sre"]
    teams   = { "example/site-reliability" = "@sre" }

The file is read as the forge reads it that it was written for:
  github: patterns as in .gitignore; the last line that matches decides
  gitlab: sections with counts, default owners, exclusions and roles; each
  asks by itself, and an optional one never
  gitea: regular expressions; every line that matches asks

An owner is a person by login or e-mail, or a group: @org/team is what
`teams` says, else the group `team`. Who is not in the policy, a machine,
or without a key, owns nothing. Where nobody is left the change is refused,
as it is for a line that cannot be read, and the line is named: no owner
never means yes. `portcullis lint POLICY --against REPO` finds such lines.

A change of the file itself, in any place the dialect knows, needs one of
the owners of `*` or of `from`, besides whoever owns it by name. Only
`from` can approve the first one: without `from` it cannot land.

An approval that [rollback] asks for stands in for the owners'.
"#;
