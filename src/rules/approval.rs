//! `approval`: changes of these paths were approved by enough people who did not make them.

use crate::facts::landing::Step;
use crate::facts::needs::Needs;
use crate::names::path::RepoPath;
use crate::names::principal::PrincipalName;
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::age;
use crate::rules::approval_step;
use crate::rules::approved::FRESH;
use crate::rules::authorized::GITTUF;
use crate::rules::operations::{self, Operations};
use crate::rules::remark::{Remark, Seen};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::scope::{Scope, Unnamed, infra_kind_names};
use crate::rules::seats::{Seat, seat_people};
use crate::rules::view::View;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table};
use crate::source::text::Spot;
use crate::verdict::finding::Ruling;

/// The most approvals one seat may ask for.
pub const APPROVALS_MAX: u64 = 50;

/// The most seats a rule may have: its own and those of `and`.
pub const SEATS_MAX: usize = 8;

/// The kind.
pub static KIND: Kind = Kind {
    name: "approval",
    summary: "changes of these paths were approved by enough people who did not make them",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "paths",
            Shape::Paths,
            "the paths that need approval; with `infra` the union, `!` takes away from both. \
                  Always among them: `.gitattributes`, and `.gitmodules` and `.lfsconfig` at the top",
        ),
        KeyDoc::optional(
            "infra",
            Shape::Words(infra_kind_names),
            "built-in kinds of infrastructure files, told by path and content",
        ),
        KeyDoc {
            name: "approvals",
            shape: Shape::Count,
            default: Some("1"),
            required: false,
            doc: "how many distinct people must have approved",
        },
        KeyDoc {
            name: "from",
            shape: Shape::Party,
            default: None,
            required: true,
            doc: "whose approvals count: people and @groups; never a maker of the change",
        },
        KeyDoc {
            name: "and",
            shape: Shape::Seats,
            default: Some("[]"),
            required: false,
            doc: "more approvals, by other people: nobody counts twice",
        },
        KeyDoc::optional(
            "operations",
            Shape::Words(operations::words),
            "only for what happens to a path in these ways: add, modify, delete, mode, type; \
                  without it for all. A rename is a delete and an add",
        ),
        age::KEY,
        FRESH,
        KeyDoc {
            name: "moved",
            shape: Shape::Word(moved_names),
            default: Some("\"approve-anew\""),
            required: false,
            doc: "what becomes of an approval when the branch has moved in the same file since: \
                  approve-anew, it is for another content; clean-merge, it holds for what Git's own \
                  merge makes of it, where that merge lands",
        },
        KeyDoc {
            name: "veto",
            shape: Shape::Flag,
            default: Some("true"),
            required: false,
            doc: "a reject by anyone in `from` stops the change",
        },
        GITTUF,
    ],
    keys_later: &[],
    compile,
};

/// Enough people approved.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Which changes need approval.
    pub(crate) scope: Scope,
    /// What has to happen to a path for the rule to ask.
    pub(crate) operations: Operations,
    /// Whose approvals are asked for, `approvals` and `from` first, then `and`; never empty.
    pub(crate) seats: Vec<Seat>,
    /// How old an approval may be.
    pub(crate) max_age_seconds: Option<i64>,
    /// Whether it must have been given on the step's first parent.
    pub(crate) fresh: bool,
    /// Whether it holds for what Git made of the change where the branch has moved in the same file.
    pub(crate) clean_merge: bool,
    /// Whether a reject stops the step.
    pub(crate) veto: bool,
    /// Whether an authorization of gittuf's is an approval.
    pub(crate) gittuf: bool,
}

/// What `moved` may be, and whether Git's own merge counts then.
const MOVED: [(&str, bool); 2] = [("approve-anew", false), ("clean-merge", true)];

fn moved_names() -> Vec<&'static str> {
    MOVED.iter().map(|(name, _)| *name).collect()
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let scope = Scope::read(body.table, Unnamed::Nothing, problems).map(Scope::with_governing);
    let mut seats: Vec<Seat> = Vec::new();
    let header = body.table.header().clone();
    seats.extend(seat(body.table, body.roster, &header, problems));
    if let Some(more) = body.table.tables("and", problems) {
        if more.value.len() >= SEATS_MAX {
            problems.error(&more.spot, format!("`and` holds more than {} tables", SEATS_MAX - 1));
        }
        for mut table in more.value {
            let header = table.header().clone();
            seats.extend(seat(&mut table, body.roster, &header, problems));
            table.finish(Keys { known: &["approvals", "from"], later: &[] }, problems);
        }
    }
    let operations = operations::read(body.table, problems);
    let max_age_seconds = age::read(body.table, problems);
    let fresh = body.table.flag("fresh", problems).is_some_and(|flag| flag.value);
    let moved = body.table.word("moved", &MOVED, problems);
    if let Some(moved) = moved.as_ref().filter(|moved| moved.value && fresh) {
        let what = "with `fresh` the branch cannot have moved, so `clean-merge` says nothing";
        problems.error_hint(&moved.spot, what, "take one of the two");
    }
    let clean_merge = moved.is_some_and(|moved| moved.value);
    let veto = body.table.flag("veto", problems).is_none_or(|flag| flag.value);
    let gittuf = body.table.flag("gittuf", problems);
    if let Some(gittuf) = gittuf.as_ref().filter(|it| it.value && max_age_seconds.is_some()) {
        let what = "gittuf's authorizations have no date, so with `max-age` none would count";
        problems.error_hint(&gittuf.spot, what, "take one of the two");
    }
    let gittuf = gittuf.is_some_and(|flag| flag.value);
    let scope = scope?;
    if problems.errors() > before {
        return None;
    }
    all_can_sit(&seats, &header, problems);
    let rule =
        Approval { scope, operations, seats, max_age_seconds, fresh, clean_merge, veto, gittuf };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

/// Reads `approvals` and `from`, of the rule itself or of a table in `and`.
fn seat(
    table: &mut Table<'_>,
    roster: &Roster,
    header: &Spot,
    problems: &mut Problems,
) -> Option<Seat> {
    let before = problems.errors();
    let asked = table.count("approvals", problems);
    if let Some(asked) = &asked
        && !(1..=APPROVALS_MAX).contains(&asked.value)
    {
        let (what, hint) = match asked.value {
            0 => (
                "`approvals` is 0, so this rule can never refuse",
                "delete it, or ask for at least 1",
            ),
            _ => ("`approvals` is more than anybody can ask for", "the most is 50"),
        };
        problems.error_hint(&asked.spot, what, hint);
    }
    if !table.has("from") {
        let hint = "from = [\"@reviewers\"] names a group of [groups]";
        problems.error_hint(header, "`from` is missing: whose approvals count?", hint);
    }
    let list = table.texts("from", problems)?;
    if list.value.is_empty() && problems.errors() == before {
        let hint = "name people or @groups";
        problems.error_hint(&list.spot, "`from` is empty, so nobody could ever approve", hint);
    }
    let party = roster.resolve(&list.value, problems)?;
    if problems.errors() > before {
        return None;
    }
    let (able, unable): (Vec<_>, Vec<_>) =
        party.names.into_iter().partition(|name| roster.can_approve(name));
    let approvals = asked.as_ref().map_or(1, |asked| asked.value);
    if (able.len() as u64) < approvals {
        let spot = asked.map_or_else(|| list.spot.clone(), |asked| asked.spot);
        problems.push(too_few(&spot, approvals, &able, &unable));
    }
    // At most APPROVALS_MAX, so it fits.
    let approvals = usize::try_from(approvals).unwrap_or(usize::MAX);
    if able.len() == approvals {
        let what = "everybody in `from` has to approve";
        let hint = "makers do not count, so none of them could land a change of their own";
        problems.push(Problem::warning(what).at(&list.spot).hint(hint));
    }
    let from = Party { names: able.into_iter().collect(), written: party.written };
    Some(Seat { approvals, from })
}

fn too_few(
    spot: &Spot,
    approvals: u64,
    able: &[PrincipalName],
    unable: &[PrincipalName],
) -> Problem {
    let who = match able {
        [] => "nobody in `from` can approve".to_owned(),
        [one] => format!("only {one} of `from` can approve"),
        many => format!("only {} of `from` can approve", many.len()),
    };
    let problem = Problem::error(format!("{approvals} asked for, and {who}")).at(spot);
    if unable.is_empty() {
        return problem.hint("ask for fewer, or name more people");
    }
    let names: Vec<&str> = unable.iter().map(PrincipalName::as_str).collect();
    problem.hint(format!(
        "machines, shared logins and people without `keys` cannot sign: {}",
        names.join(", ")
    ))
}

/// Nobody sits on two seats, so all seats together may ask for more than each of them does.
fn all_can_sit(seats: &[Seat], header: &Spot, problems: &mut Problems) {
    let mut people: Vec<&PrincipalName> = seats.iter().flat_map(|seat| &seat.from.names).collect();
    people.sort();
    people.dedup();
    let chairs: usize = seats.iter().map(|seat| seat.approvals).sum();
    let seated = seat_people(seats, 0, &people).into_iter().flatten().count();
    if seated < chairs {
        let what = format!("{chairs} approvals are asked for, and only {seated} can be given");
        let hint = "one approval fills one place: nobody counts for `from` and for `and`";
        problems.error_hint(header, what, hint);
    }
}

impl Rule for Approval {
    fn needs(&self) -> Needs {
        Needs {
            landing: true,
            reviewers: self.seats.iter().flat_map(|seat| seat.from.names.iter().cloned()).collect(),
            veto: self.veto,
            content: self.scope.infra(),
            links: true,
            clean_merge: self.clean_merge,
            gittuf: self.gittuf,
            ..Needs::default()
        }
    }

    fn seats(&self) -> &[Seat] {
        &self.seats
    }

    fn against(&self, seen: &Seen<'_>) -> Vec<Remark> {
        self.scope.remarks(seen)
    }

    fn about(&self, path: &RepoPath) -> Option<bool> {
        Some(self.scope.covers_path(path))
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        approval_step::judge(self, view)
    }

    fn by_merge<'f>(&self, view: &View<'f>) -> Vec<&'f Step> {
        approval_step::by_merge(self, view)
    }
}

const EXPLAIN: &str = r#"Every step that changes one of these paths, on its old side or its new,
was approved by enough distinct people who did not make the change.

    [people.alice]
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMlk+aR15PlOfXJ35mEDhpJHpLWBA2/5R3bPla3WBbUu alice"]
    [people.bob]
    keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMR+sI82Xp5tnRCmfwG/OLmzPk/xZ8R/F5FUgZfH9tNx bob"]
    [groups]
    platform = ["alice", "bob"]

    [rule.infra-review]
    kind      = "approval"
    refs      = ["@default"]
    infra     = ["terraform", "kubernetes"]
    paths     = ["infra/**", "!**/examples/**"]
    approvals = 1
    from      = ["@platform"]
    why       = "production is built from here"

An approval is a signed statement about one change and one branch: all that
differs between two commits. It survives a merge, a squash and a clean
rebase, and dies with any other content. `portcullis review` shows what is
missing, `portcullis approve COMMIT` gives one.

Where the branch has moved in the same file, an approval is for another
content, and the change is approved anew. With `moved = "clean-merge"` it
holds for Git's own merge of what was approved: two parents, one merge base,
no conflict, nothing added, no file renamed or told by `.gitattributes` how
to merge. Nobody has read what the two changes are together.

With `gittuf = true` an authorization in `refs/gittuf/attestations` is an
approval too, by each person whose key signed it: of one move of the branch,
from the commit it stands at to the tree it will hold. It has no date, so it
holds only while the branch is there for the first time.

Files that say what other files are need approval too, whatever the paths:
`.gitattributes` anywhere, `.gitmodules` and `.lfsconfig` at the top.
`!.gitattributes` takes that one away. A symbolic link among reviewed files
leads to files that this rule covers, or it is refused.

Makers do not count: who brought, signed, wrote or committed any of it.
Neither do machines, shared logins, or anybody twice. A change that nobody
on record brought needs one approval more.
"#;
