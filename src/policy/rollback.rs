//! `[rollback]`: who may take a ref back to an earlier state of it, and how far.
//!
//! Made from the first file of a policy; what it asks is judged in `rules::rollback`.

use crate::policy::compiled::CompiledRule;
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::approval::APPROVALS_MAX;
use crate::rules::rollback::{SATISFIED, Terms};
use crate::source::duration;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table};
use crate::source::text::{Located, Spot};

/// How many approvals are asked for without a word.
const APPROVALS: u64 = 1;

/// How old a state may be without a word, in seconds: 30 days.
const WITHIN_SECONDS: i64 = 30 * 86_400;

/// The keys.
pub(super) const ROLLBACK_KEYS: [&str; 3] = ["by", "approvals", "within"];

/// Reads `[rollback]`. `None` goes with at least one problem.
pub(super) fn read(
    mut table: Table<'_>,
    roster: &Roster,
    problems: &mut Problems,
) -> Option<Terms> {
    let before = problems.errors();
    let header = table.header().clone();
    let asked = table.count("approvals", problems);
    if let Some(asked) = asked.as_ref().filter(|asked| asked.value > APPROVALS_MAX) {
        let what = "`approvals` is more than anybody can ask for";
        problems.error_hint(&asked.spot, what, format!("the most is {APPROVALS_MAX}"));
    }
    let within_seconds = within(&mut table, problems).unwrap_or(WITHIN_SECONDS);
    if !table.has("by") {
        let hint = "by = [\"@sre\"] names a group of [groups]";
        problems.error_hint(&header, "`by` is missing: who may take a ref back?", hint);
    }
    let list = table.texts("by", problems);
    table.finish(Keys { known: &ROLLBACK_KEYS, later: &[] }, problems);
    let list = list?;
    if list.value.is_empty() {
        let what = "`by` is empty, so nobody could ever roll back";
        problems.error_hint(&list.spot, what, "name people or @groups");
    }
    let party = roster.resolve(&list.value, problems)?;
    if problems.errors() > before {
        return None;
    }
    let approvals = asked.as_ref().map_or(APPROVALS, |asked| asked.value);
    let spot = asked.as_ref().map_or(&list.spot, |asked| &asked.spot);
    let by = match approvals {
        0 => pushers(party, roster, &list.spot, spot, problems),
        _ => reviewers(party, roster, approvals, &list.spot, spot, problems),
    };
    // At most APPROVALS_MAX, so it fits.
    let approvals = usize::try_from(approvals).unwrap_or(usize::MAX);
    (problems.errors() == before).then_some(Terms { by, approvals, within_seconds })
}

/// Those of `by` who can approve: enough, and better more than enough.
fn reviewers(
    party: Party,
    roster: &Roster,
    approvals: u64,
    list: &Spot,
    asked: &Spot,
    problems: &mut Problems,
) -> Party {
    let (able, unable): (Vec<_>, Vec<_>) =
        party.names.into_iter().partition(|name| roster.can_approve(name));
    let count = able.len() as u64;
    if count < approvals {
        let who = match able.as_slice() {
            [] => "nobody in `by` can approve".to_owned(),
            [one] => format!("only {one} of `by` can approve"),
            many => format!("only {} of `by` can approve", many.len()),
        };
        let problem = Problem::error(format!("{approvals} asked for, and {who}")).at(asked);
        let names: Vec<&str> = unable.iter().map(|name| name.as_str()).collect();
        problems.push(match names.is_empty() {
            true => problem.hint("ask for fewer, or name more people"),
            false => problem.hint(format!(
                "machines, shared logins and people without `keys` cannot sign: {}",
                names.join(", ")
            )),
        });
    } else if count == approvals {
        let hint = "makers do not count, so none of them could make a rollback that lands";
        let what = "everybody in `by` has to approve";
        problems.push(Problem::warning(what).at(list).hint(hint));
    }
    Party { names: able.into_iter().collect(), written: party.written }
}

/// Those of `by` who push in their own name. Without approvals that is all that is asked.
fn pushers(
    party: Party,
    roster: &Roster,
    list: &Spot,
    asked: &Spot,
    problems: &mut Problems,
) -> Party {
    let names: std::collections::BTreeSet<_> = party
        .names
        .into_iter()
        .filter(|name| roster.get(name).is_some_and(|one| !one.shared))
        .collect();
    if names.is_empty() {
        let what = "nobody in `by` pushes in a name of their own";
        problems.error_hint(list, what, "shared logins do not count: name people");
    } else {
        let what = "no approval is asked for, so anyone in `by` rolls back alone";
        let hint = "approvals = 1 asks for a second person";
        problems.push(Problem::warning(what).at(asked).hint(hint));
    }
    Party { names, written: party.written }
}

fn within(table: &mut Table<'_>, problems: &mut Problems) -> Option<i64> {
    let Located { value, spot } = table.text("within", problems)?;
    let seconds = duration::seconds(&value);
    if seconds.is_none() {
        let hint = "a whole number and a unit: \"30d\", \"12h\", \"4w\"";
        problems.error_hint(&spot, "this is no length of time", hint);
    }
    seconds
}

/// A `[rollback]` in a policy where no rule asks what a rollback satisfies.
pub(super) fn idle(header: &Spot, rules: &[CompiledRule]) -> Option<Problem> {
    let useful = rules.iter().any(|rule| SATISFIED.contains(&rule.kind));
    let what = "no rule asks what a rollback would satisfy";
    let hint = format!("it satisfies rules of the kinds {}", SATISFIED.join(", "));
    (!useful).then(|| Problem::warning(what).at(header).hint(hint))
}
