//! `exempt`, a key of every rule: who may do what without the rule's say (product contract,
//! section 4).
//!
//! An exemption holds by itself or not at all: two of them are never put together. It is about what
//! lands, so it never excuses a rewind or a deletion, which no list of entries shows.

use crate::facts::Motion;
use crate::facts::change::Operation;
use crate::names::principal::PrincipalName;
use crate::pattern::paths::{Base, PathPatterns};
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::rules::view::View;
use crate::rules::within::{Bounds, OPERATIONS, first_outside, makers};
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table, pick};

/// How many exemptions one rule may have.
pub const EXEMPTIONS_MAX: usize = 64;

/// What may stand in one exemption.
pub const EXEMPT_KEYS: [&str; 3] = ["who", "paths", "operations"];

/// Somebody whose landings within some paths the rule passes over.
#[derive(Clone, Debug)]
pub struct Exemption {
    /// Who: the pusher and every maker have to be among them.
    pub who: Party,
    /// The paths that every entry lies within.
    pub paths: PathPatterns,
    /// What may be done to them. `None`: anything.
    pub operations: Option<Vec<Operation>>,
}

impl Exemption {
    /// Whether it holds for a whole landing.
    pub fn holds(&self, view: &View<'_>) -> bool {
        let grows = match view.update.motion {
            Some(Motion::Create | Motion::FastForward) => true,
            Some(Motion::Rewind { .. } | Motion::Delete) | None => false,
        };
        let Some(landing) = view.landing.filter(|it| grows && !it.off_chain) else { return false };
        let pusher = &view.push.push.pusher;
        let named = |name: &PrincipalName| self.who.contains(name);
        if !pusher.is_known_maker() || !pusher.name().is_some_and(named) {
            return false;
        }
        let makers = makers(landing);
        makers.unknown.is_none()
            && makers.known.keys().all(named)
            && landing.steps().next().is_some()
            && first_outside(landing, self.bounds()).is_none()
    }

    fn bounds(&self) -> Bounds<'_> {
        Bounds { paths: Some(&self.paths), operations: self.operations.as_deref() }
    }
}

/// Reads `exempt` of a rule; without the key there is none.
pub(super) fn read(
    table: &mut Table<'_>,
    roster: &Roster,
    problems: &mut Problems,
) -> Vec<Exemption> {
    let Some(list) = table.tables("exempt", problems) else { return Vec::new() };
    if list.value.len() > EXEMPTIONS_MAX {
        problems.error(&list.spot, format!("more than {EXEMPTIONS_MAX} exemptions in one rule"));
    }
    let each = list.value.into_iter().map(|table| exemption(table, roster, problems));
    each.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn exemption(mut table: Table<'_>, roster: &Roster, problems: &mut Problems) -> Option<Exemption> {
    let header = table.header().clone();
    for (key, hint) in [
        ("who", "who = \"flux-bot\", or a group: who = \"@robots\""),
        ("paths", "paths = [\"clusters/**/tags.yaml\"]; [\"**\"] is every path"),
    ] {
        if !table.has(key) {
            problems.error_hint(&header, format!("`{key}` is missing in this exemption"), hint);
        }
    }
    let who = table.text("who", problems);
    let paths = table.texts("paths", problems);
    let operations = operations(&mut table, problems);
    table.finish(Keys { known: &EXEMPT_KEYS, later: &[] }, problems);
    let (who, paths) = (who?, paths?);
    let party = roster.resolve(std::slice::from_ref(&who), problems)?;
    if party.names.iter().all(|name| roster.get(name).is_some_and(|it| it.shared)) {
        let what = format!("`{}` is a login that several share, so this never holds", who.value);
        let hint = "give the robot a login of its own";
        problems.push(Problem::error(what).at(&who.spot).hint(hint));
        return None;
    }
    if paths.value.is_empty() {
        let hint = "name some, or take the exemption out";
        problems.error_hint(&paths.spot, "`paths` is empty, so this never holds", hint);
        return None;
    }
    let paths = PathPatterns::read(&paths.value, Base::Nothing, problems)?;
    Some(Exemption { who: party, paths, operations: operations? })
}

/// `Some(None)` where the key is not there, `None` where it is wrong.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
fn operations(table: &mut Table<'_>, problems: &mut Problems) -> Option<Option<Vec<Operation>>> {
    if !table.has("operations") {
        return Some(None);
    }
    let before = problems.errors();
    let list = table.texts("operations", problems)?;
    if list.value.is_empty() && problems.errors() == before {
        let hint = "name some, or take the key out: then it is all of them";
        problems.error_hint(&list.spot, "`operations` is empty, so this never holds", hint);
    }
    let read = list.value.iter();
    let read = read.filter_map(|word| pick(word, "no such operation", OPERATIONS, problems));
    let read: Vec<Operation> = read.map(|it| it.value).collect();
    (problems.errors() == before).then_some(Some(read))
}
