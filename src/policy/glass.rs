//! `[break-glass]`: who may let in what some rules refuse, and what that owes (product contract,
//! section 4).
//!
//! Read from the site's file; asked by `judge`. The kinds of rule that can be overridden are named
//! here and nowhere else: everything beside them holds whatever is broken.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::pattern::paths::{Base, PathPatterns};
use crate::pattern::refs::RefPatterns;
use crate::policy::compiled::CompiledRule;
use crate::roster::Roster;
use crate::roster::party::Party;
use crate::source::duration;
use crate::source::problem::{Problem, Problems};
use crate::source::table::{Keys, Table};
use crate::source::text::{Located, Spot};

/// The kinds of rule whose refusals a broken glass turns into a debt.
pub const OVERRIDABLE: [&str; 9] =
    ["merge", "approval", "code-owners", "check", "run", "freeze", "message", "author", "size"];

/// What may stand in `[break-glass]`.
pub const GLASS_KEYS: [&str; 6] = ["by", "refs", "paths", "reason-match", "settle-within", "debt"];

/// How long a pattern for reasons may be, in bytes.
pub const REASON_MATCH_BYTES_MAX: usize = 1000;

/// How much memory a pattern for reasons may take, in bytes.
const REASON_MATCH_MEMORY_MAX: usize = 1024 * 1024;

/// How long a debt may stand without a word, in seconds: three days.
const SETTLE_WITHIN_SECONDS: i64 = 3 * 24 * 60 * 60;

/// Who may let in what, and what that owes.
#[derive(Clone, Debug)]
pub struct BreakGlass {
    /// Who may: people only.
    pub by: Party,
    /// On which refs. `None`: on all that rules name.
    pub refs: Option<RefPatterns>,
    /// Within which paths. `None`: within all.
    pub paths: Option<PathPatterns>,
    /// What a reason has to look like. `None`: it has to be there.
    pub reason: Option<ReasonMatch>,
    /// How soon the debt is to be settled, in seconds.
    pub settle_within: i64,
    /// What an overdue debt does.
    pub debt: DebtMode,
    /// Where the table stands.
    pub spot: Spot,
}

/// What a debt does that was not settled in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DebtMode {
    /// It is shown.
    #[default]
    Report,
    /// It is shown, and nothing else lands on the ref.
    Block,
}

/// A regular expression that finds its match anywhere in a reason.
#[derive(Clone, Debug)]
pub struct ReasonMatch {
    written: String,
    regex: Regex,
}

impl ReasonMatch {
    fn read(written: &str) -> Result<Self, String> {
        if written.len() > REASON_MATCH_BYTES_MAX {
            return Err(format!("it is longer than {REASON_MATCH_BYTES_MAX} bytes"));
        }
        let regex = Regex::builder()
            .configure(
                Regex::config().nfa_size_limit(Some(REASON_MATCH_MEMORY_MAX)).utf8_empty(false),
            )
            // Bytes and ASCII classes: what a ticket's number is made of.
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build(written)
            .map_err(|error| match error.syntax_error() {
                Some(_) => "it is not well-formed".to_owned(),
                None => "it takes too much memory".to_owned(),
            })?;
        Ok(Self { written: written.to_owned(), regex })
    }

    /// Whether a reason is as it should be.
    pub fn matches(&self, reason: &str) -> bool {
        self.regex.is_match(reason)
    }

    /// The pattern as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }
}

impl BreakGlass {
    /// Whether the table is about this ref.
    pub fn names(&self, name: &Refname, default: Option<&Refname>) -> bool {
        self.refs.as_ref().is_none_or(|refs| refs.matches(name, default))
    }
}

/// Reads the table. `None` goes with at least one problem.
pub(super) fn read(
    mut table: Table<'_>,
    roster: &Roster,
    problems: &mut Problems,
) -> Option<BreakGlass> {
    let before = problems.errors();
    let spot = table.header().clone();
    let by = by(&mut table, roster, problems);
    let refs = table.texts("refs", problems);
    let refs = refs.map(|list| RefPatterns::read(&list, problems));
    let paths = paths(&mut table, problems);
    let reason = reason(&mut table, problems);
    let settle_within = settle_within(&mut table, problems);
    let words = &[("report", DebtMode::Report), ("block", DebtMode::Block)];
    let debt = table.word("debt", words, problems).map(|word| word.value).unwrap_or_default();
    table.finish(Keys { known: &GLASS_KEYS, later: &[] }, problems);
    let glass =
        BreakGlass { by: by?, refs: refs.flatten(), paths, reason, settle_within, debt, spot };
    (problems.errors() == before).then_some(glass)
}

/// Refs that no rule names: nothing there could ever be refused by a rule.
pub(super) fn idle_refs(glass: &BreakGlass, rules: &[CompiledRule]) -> Vec<Problem> {
    let names = glass.refs.as_ref().map(RefPatterns::plain_names).unwrap_or_default();
    // The name may be the branch that HEAD names, which is not known here.
    let named = |name: &Refname| rules.iter().any(|rule| rule.refs.matches(name, Some(name)));
    let idle = names.iter().filter(|name| !named(name));
    idle.map(|name| {
        Problem::error(format!("no rule names {}, so there is no glass to break", name.short()))
            .at(&glass.spot)
            .hint("take it out of `refs`, or give it a rule")
    })
    .collect()
}

fn by(table: &mut Table<'_>, roster: &Roster, problems: &mut Problems) -> Option<Party> {
    let hint = "by = [\"@oncall\"] names a group of [groups]";
    if !table.has("by") {
        let what = "`by` is missing: who may break the glass?";
        problems.error_hint(table.header(), what, hint);
        return None;
    }
    let list = table.texts("by", problems)?;
    if list.value.is_empty() {
        let what = "`by` is empty, so nobody could ever break the glass";
        problems.error_hint(&list.spot, what, hint);
        return None;
    }
    let party = roster.resolve(&list.value, problems)?;
    let is_person =
        |name: &PrincipalName| roster.get(name).is_some_and(|it| !it.machine && !it.shared);
    let (people, others): (Vec<_>, Vec<_>) = party.names.into_iter().partition(is_person);
    if people.is_empty() {
        let what = "only machines and shared logins are in `by`, and they never break the glass";
        problems.error_hint(&list.spot, what, "name people");
        return None;
    }
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(PrincipalName::as_str).collect();
        let what =
            format!("machines and shared logins never break the glass: {}", names.join(", "));
        problems.push(Problem::warning(what).at(&list.spot).hint("take them out of `by`"));
    }
    Some(Party { names: people.into_iter().collect(), written: party.written })
}

fn paths(table: &mut Table<'_>, problems: &mut Problems) -> Option<PathPatterns> {
    let list = table.texts("paths", problems)?;
    if list.value.is_empty() {
        let hint = "name some, or take the key out: then it is all of them";
        problems.error_hint(&list.spot, "`paths` is empty, so the glass reaches nothing", hint);
        return None;
    }
    PathPatterns::read(&list.value, Base::Nothing, problems)
}

fn reason(table: &mut Table<'_>, problems: &mut Problems) -> Option<ReasonMatch> {
    let Located { value, spot } = table.text("reason-match", problems)?;
    let read = ReasonMatch::read(&value);
    let read = read.map_err(|why| {
        let hint = "a regular expression over bytes, such as '^INC-[0-9]+: '";
        problems.error_hint(&spot, format!("`reason-match` cannot be used: {why}"), hint);
    });
    let read = read.ok()?;
    if read.matches("") {
        let hint = "take it out: a reason has to be there all the same";
        let what = "every reason matches this";
        problems.push(Problem::warning(what).at(&spot).hint(hint));
    }
    Some(read)
}

fn settle_within(table: &mut Table<'_>, problems: &mut Problems) -> i64 {
    let Some(written) = table.text("settle-within", problems) else { return SETTLE_WITHIN_SECONDS };
    duration::seconds(&written.value).unwrap_or_else(|| {
        let hint = "a whole number and a unit: \"3d\", \"12h\", \"30m\"";
        problems.error_hint(&written.spot, "this is no length of time", hint);
        SETTLE_WITHIN_SECONDS
    })
}
