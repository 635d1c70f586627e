//! Policies and landings of every shape that the rules about evidence tell apart.
//!
//! Small worlds on purpose: five people, three machines, four files. Whatever can clash, clashes
//! often.

use portcullis::facts::change::PathChange;
use portcullis::facts::evidence::{Candidate, Standing};
use portcullis::facts::landing::{Segment, Step, StepKind};
use portcullis::facts::makers::MakerBy;
use portcullis::names::digest::Digest;
use portcullis::names::path::RepoPath;
use portcullis::statement::fields::{ApprovalVerdict, CheckVerdict, Saying};
use portcullis::verdict::line::Line;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::made::{MACHINES, PEOPLE, alone, change, delta, name, now, oid, statement, step};

/// What rules are about.
const SCOPES: [&str; 5] = [
    "paths = [\"**\"]",
    "paths = [\"infra/**\"]",
    "paths = [\"infra/a.tf\"]",
    "paths = [\"app/**\", \"infra/**\", \"!infra/b.tf\"]",
    "infra = [\"terraform\"]\npaths = [\"!infra/b.tf\"]",
];

const FILES: [&str; 4] = ["app/x", "infra/a.tf", "infra/b.tf", "infra/c.tf"];

/// Names of checks.
pub(crate) const CHECKS: [&str; 2] = ["plan", "test"];

fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(", "))
}

/// An approval rule, without its name.
fn approval() -> impl Strategy<Value = String> {
    // Three people can always fill two chairs and one.
    let from = || subsequence(PEOPLE.to_vec(), 3..=5);
    let (seat, and) = ((1usize..3, from()), option::of(from()));
    let age = option::of(select(vec!["12h", "36h"]));
    (select(SCOPES.to_vec()), seat, and, age, any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(scope, (approvals, from), and, age, veto, fresh)| {
            let mut text = format!(
                "kind = \"approval\"\nrefs = [\"main\", \"next\"]\n{scope}\napprovals = {approvals}\n\
                 from = {}\nveto = {veto}\nfresh = {fresh}\n",
                list(&from)
            );
            if let Some(from) = and {
                let from = list(&from);
                text += &format!("and = [{{ from = {from} }}]\n");
            }
            age.map(|age| text.clone() + &format!("max-age = \"{age}\"\n")).unwrap_or(text)
        })
}

/// A check rule, without its name.
fn check() -> impl Strategy<Value = String> {
    let scope = option::of(select(SCOPES[..4].to_vec()));
    let names = subsequence(CHECKS.to_vec(), 1..=2);
    let age = option::of(select(vec!["12h", "36h"]));
    (scope, names, subsequence(MACHINES.to_vec(), 1..=3), age).prop_map(
        |(scope, checks, from, age)| {
            let (scope, checks) = (scope.unwrap_or_default(), list(&checks));
            let age = age.map(|age| format!("max-age = \"{age}\"\n")).unwrap_or_default();
            let from = list(&from);
            format!(
                "kind = \"check\"\nrefs = [\"main\"]\n{scope}\nchecks = {checks}\nfrom = {from}\n{age}"
            )
        },
    )
}

/// The rules of a policy, each with its name.
pub(crate) fn rules() -> impl Strategy<Value = Vec<String>> {
    let name = |(number, rule)| format!("[rule.r{number}]\n{rule}");
    let rule = prop_oneof![approval(), check()];
    vec(rule, 1..3).prop_map(move |rules| rules.into_iter().enumerate().map(name).collect())
}

/// Which entries a statement is about.
#[derive(Clone, Debug)]
enum About {
    /// The step's whole delta.
    All,
    /// Some of its entries, as they are.
    Some(Vec<Index>),
    /// An entry with another old side.
    Other,
}

/// A statement, before the step it is about is known.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    by: &'static str,
    saying: Saying,
    about: About,
    good: bool,
    hours: i64,
    fresh: bool,
}

impl Word {
    /// The same, as one that may count and speaks for the change.
    pub(crate) fn for_it(mut self) -> Self {
        self.good = true;
        match &mut self.saying {
            Saying::Approval { verdict } => *verdict = ApprovalVerdict::Approve,
            Saying::Check { verdict, .. } => *verdict = CheckVerdict::Pass,
        }
        self
    }

    /// The same, as a machine's word against the change, or a person's.
    pub(crate) fn against_it(mut self) -> Self {
        self.good = true;
        match &mut self.saying {
            Saying::Approval { verdict } => *verdict = ApprovalVerdict::Reject,
            Saying::Check { verdict, .. } => *verdict = CheckVerdict::Fail,
        }
        self
    }

    /// The statement about a step.
    pub(crate) fn about(&self, step: &Step) -> Candidate {
        let all = step.delta.changes();
        let mut changes: Vec<PathChange> = match &self.about {
            About::All => all.to_vec(),
            About::Some(which) => which.iter().map(|at| at.get(all).clone()).collect(),
            About::Other => vec![PathChange { old: None, ..all[0].clone() }],
        };
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes.dedup();
        let mut candidate = statement(self.by, self.saying.clone(), step, &changes);
        candidate.says.date = now().plus_seconds(-3600 * self.hours);
        if !self.fresh {
            candidate.says.base = oid(0xba5e);
        }
        candidate.id = Digest::of(&candidate.says.text());
        if !self.good {
            candidate.standing = Standing::Not(Line::new("said it too late"));
            candidate.delta = delta(&[]);
        }
        candidate
    }
}

fn about() -> impl Strategy<Value = About> {
    prop_oneof![
        12 => Just(About::All),
        2 => vec(any::<Index>(), 1..3).prop_map(About::Some),
        1 => Just(About::Other),
    ]
}

fn word(saying: impl Strategy<Value = (&'static str, Saying)>) -> impl Strategy<Value = Word> {
    let rest = (about(), prop::bool::weighted(0.9), 0i64..40, prop::bool::weighted(0.9));
    (saying, rest).prop_map(|((by, saying), (about, good, hours, fresh))| Word {
        by,
        saying,
        about,
        good,
        hours,
        fresh,
    })
}

/// A person's statement.
pub(crate) fn approving() -> impl Strategy<Value = Word> {
    let verdict =
        prop_oneof![12 => Just(ApprovalVerdict::Approve), 1 => Just(ApprovalVerdict::Reject)];
    let saying = (select(PEOPLE.to_vec()), verdict);
    word(saying.prop_map(|(by, verdict)| (by, Saying::Approval { verdict })))
}

/// A machine's statement.
pub(crate) fn checking() -> impl Strategy<Value = Word> {
    let verdict = prop_oneof![16 => Just(CheckVerdict::Pass), 1 => Just(CheckVerdict::Fail)];
    let saying = (select(MACHINES.to_vec()), select(CHECKS.to_vec()), verdict);
    word(saying.prop_map(|(by, check, verdict)| {
        (by, Saying::Check { check: name(check), verdict, url: None })
    }))
}

/// A step with its makers, some of its evidence, and sometimes something that changed back.
fn any_step(number: u32) -> impl Strategy<Value = Step> {
    let file = (select(FILES.to_vec()), 0u32..3, 3u32..6);
    let changes = vec(file, 1..3).prop_map(|files| {
        let mut changes: Vec<PathChange> =
            files.into_iter().map(|(path, old, new)| change(path, old, new)).collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes.dedup_by(|a, b| a.path == b.path);
        changes
    });
    let makers = btree_set(select(PEOPLE.to_vec()), 0..2);
    let words = (vec(approving(), 1..8), vec(checking(), 1..10));
    let rare = || prop::bool::weighted(0.05);
    (changes, makers, words, rare(), rare()).prop_map(
        move |(changes, makers, (people, machines), unknown, hidden)| {
            let mut step = step(number, &changes);
            for maker in makers {
                step.makers.add(&name(maker), MakerBy::Brought, step.source[0]);
            }
            step.makers.unknown = unknown.then_some((oid(7), "was brought by nobody on record"));
            step.hidden = hidden.then(|| RepoPath::new("infra/gone.tf")).into_iter().collect();
            step.candidates = people.iter().map(|word| word.about(&step)).collect();
            step.checks = machines.iter().map(|word| word.about(&step)).collect();
            step
        },
    )
}

/// A merge, or a run with the reading of its parts.
fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        2 => any_step(1).prop_map(alone),
        1 => (any_step(2), vec(any_step(3), 2)).prop_map(|(whole, each)| Segment {
            whole: Step { kind: StepKind::Run, ..whole },
            each: each.into_iter().map(|step| Step { kind: StepKind::Run, ..step }).collect(),
        }),
    ]
}

/// What lands on one branch: its segments, and sometimes the reading as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Lands {
    pub(crate) segments: Vec<Segment>,
    pub(crate) whole: Option<Step>,
}

impl Lands {
    /// Every step of every reading.
    pub(crate) fn steps(&mut self) -> Vec<&mut Step> {
        let mut steps: Vec<&mut Step> = Vec::new();
        for Segment { whole, each } in &mut self.segments {
            steps.push(whole);
            steps.extend(each.iter_mut());
        }
        steps.extend(self.whole.as_mut());
        steps
    }
}

/// Any landing.
pub(crate) fn lands() -> impl Strategy<Value = Lands> {
    let whole = prop_oneof![
        3 => Just(None),
        1 => any_step(9).prop_map(|step| Some(Step { kind: StepKind::Jump, ..step })),
    ];
    (vec(segment(), 1..3), whole).prop_map(|(segments, whole)| Lands { segments, whole })
}
