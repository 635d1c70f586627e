//! One rule, compiled: what every rule has, and the body that its kind made.

use crate::facts::needs::Needs;
use crate::names::moment::Moment;
use crate::names::principal::PrincipalName;
use crate::pattern::refs::RefPatterns;
use crate::policy::exempt::{self, Exemption};
use crate::policy::raw::{Defaults, LEVELS, shown_text, until};
use crate::roster::Roster;
use crate::rules::rule::{Body, Kind, Rule};
use crate::rules::{KINDS, kind};
use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table};
use crate::source::text::{Located, Place, Spot};
use crate::verdict::finding::Level;

/// What every rule may hold, whatever its kind.
pub const COMMON_KEYS: [&str; 7] = ["kind", "refs", "starts", "level", "until", "why", "exempt"];

/// What every rule will be able to hold one day.
const COMMON_KEYS_LATER: [&str; 1] = ["notify"];

/// A rule of the policy.
#[derive(Debug)]
pub struct CompiledRule {
    /// Its name: `infra-review` of `[rule.infra-review]`.
    pub name: String,
    /// The name of its kind.
    pub kind: &'static str,
    /// Where its table begins.
    pub place: Place,
    /// The refs it is about.
    pub refs: RefPatterns,
    starts: Option<RefPatterns>,
    /// What it does before `until`.
    pub level: Level,
    /// The day from which a warning refuses. `None` where it refuses anyway, or warns for ever.
    pub until: Option<Moment>,
    /// Why it is there, for the pusher.
    pub why: Option<String>,
    /// Whose landings within some paths it passes over.
    pub exempt: Vec<Exemption>,
    /// What its kind made of the rest.
    pub body: Box<dyn Rule>,
    /// Where its name stands, for what is found when all rules are read.
    pub(super) spot: Spot,
}

impl CompiledRule {
    /// What it does at this moment.
    pub fn level_at(&self, moment: Moment) -> Level {
        match self.level {
            Level::Warn if self.until.is_some_and(|until| moment >= until) => Level::Refuse,
            level @ (Level::Warn | Level::Refuse) => level,
        }
    }

    /// From the past values of which refs a creation may be judged; its own, without a word.
    pub fn starts(&self) -> &RefPatterns {
        self.starts.as_ref().unwrap_or(&self.refs)
    }

    /// Where its name stands.
    pub const fn spot(&self) -> &Spot {
        &self.spot
    }

    /// What it asks of a ref update. An exemption is held to all that lands.
    pub fn needs(&self) -> Needs {
        let needs = self.body.needs();
        Needs { landing: needs.landing || !self.exempt.is_empty(), ..needs }
    }

    /// Reads `[rule.NAME]`. `None` goes with at least one problem.
    pub(super) fn read(
        name: &Located<String>,
        mut table: Table<'_>,
        defaults: &Defaults,
        roster: &Roster,
        problems: &mut Problems,
    ) -> Option<Self> {
        let before = problems.errors();
        check_name(name, problems);
        let refs = refs(&mut table, problems);
        let starts = table.texts("starts", problems);
        let starts = starts.and_then(|list| RefPatterns::read(&list, problems));
        let (level, until) = level(&mut table, defaults, problems);
        let why = shown_text(&mut table, "why", problems);
        let exempt = exempt::read(&mut table, roster, problems);
        let Some(kind) = read_kind(&mut table, problems) else {
            // Which keys belong to it nobody can say.
            return None;
        };
        let body = (kind.compile)(&mut Body { table: &mut table, roster }, problems);
        finish(table, kind, problems);
        let (refs, body) = (refs?, body?);
        let (name, spot) = (name.value.clone(), name.spot.clone());
        let (place, kind) = (spot.place(), kind.name);
        let rule = Self { name, kind, place, refs, starts, level, until, why, exempt, body, spot };
        (problems.errors() == before).then_some(rule)
    }
}

fn check_name(name: &Located<String>, problems: &mut Problems) {
    if PrincipalName::parse(&name.value).is_none() {
        let what = format!("`{}` cannot be the name of a rule", name.value);
        let hint = "up to 64 of a-z, 0-9, `.`, `_` and `-`, a letter or a digit first";
        problems.error_hint(&name.spot, what, hint);
    }
}

fn refs(table: &mut Table<'_>, problems: &mut Problems) -> Option<RefPatterns> {
    if !table.has("refs") {
        let hint = "refs = [\"@default\"] is the branch that HEAD names";
        problems.error_hint(table.header(), "`refs` is missing: what is this rule about?", hint);
        return None;
    }
    let list = table.texts("refs", problems)?;
    RefPatterns::read(&list, problems)
}

fn level(
    table: &mut Table<'_>,
    defaults: &Defaults,
    problems: &mut Problems,
) -> (Level, Option<Moment>) {
    let own = table.word("level", LEVELS, problems).map(|level| level.value);
    let own_until = until(table, problems);
    let level = own.or(defaults.level).unwrap_or(Level::Refuse);
    if level == Level::Refuse
        && let Some(until) = &own_until
    {
        let hint = "level = \"warn\" beside it, or take it out";
        problems.error_hint(&until.spot, "`until` ends a warning, and this rule refuses", hint);
    }
    let until = own_until.map(|until| until.value).or(defaults.until);
    (level, until.filter(|_| level == Level::Warn))
}

fn read_kind(table: &mut Table<'_>, problems: &mut Problems) -> Option<&'static Kind> {
    let names = || KINDS.iter().map(|kind| kind.name);
    if !table.has("kind") {
        let all: Vec<&str> = names().collect();
        let hint = format!("known kinds: {}", all.join(", "));
        problems.error_hint(table.header(), "`kind` is missing", hint);
        return None;
    }
    let written = table.text("kind", problems)?;
    let found = kind(&written.value);
    if found.is_none() {
        let near = suggestion(&written.value, "kinds", names());
        let problem = Problem::error("no such rule kind").hint_opt(near);
        problems.push(problem.at(&written.spot));
    }
    found
}

fn finish(table: Table<'_>, kind: &Kind, problems: &mut Problems) {
    let known: Vec<&str> = kind.key_names().into_iter().chain(COMMON_KEYS).collect();
    let later: Vec<&str> = kind.keys_later.iter().copied().chain(COMMON_KEYS_LATER).collect();
    table.finish(Keys { known: &known, later: &later }, problems);
}
