//! One step of history as the facts of a push that would have made it.
//!
//! What a push shows and history does not is set so that it neither helps nor harms: the other
//! parents of a merge were brought before, nobody is known to have made anything, there is no
//! evidence, and the pusher is nobody in particular. The repository itself is read by the same
//! `gather` that reads it for a push.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::arrival::Arrivals;
use crate::facts::intake::Intake;
use crate::facts::landing::{Copied, Landing, Segment, Step, StepKind};
use crate::facts::limits::Limits;
use crate::facts::makers::Makers;
use crate::facts::needs::{ArrivalsOf, Checker, Needs, RefNeeds, SignaturesOf};
use crate::facts::owners::OwnersFile;
use crate::facts::past::GenesisSeen;
use crate::facts::remembered::Remembered;
use crate::facts::{Facts, Motion, PushFacts, Target, UpdateFacts};
use crate::gather::arrivals;
use crate::gather::content;
use crate::gather::error::GatherError;
use crate::gather::intake;
use crate::gather::links;
use crate::gather::owners;
use crate::gather::scene::{Scene, Sources};
use crate::gather::signatures;
use crate::infra::set::InfraKinds;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::push::pusher::{Pusher, Who};
use crate::push::update::RefUpdate;
use crate::push::{Door, Push, Seen};
use crate::replay::chain::{Link, Shape};
use crate::roster::Roster;
use crate::store::objects::Objects;

/// History holds no statement that a machine could add.
static NO_CHECKERS: BTreeSet<Checker> = BTreeSet::new();

/// What is the same for every step.
#[derive(Debug)]
pub struct Setting<'p> {
    /// The branch.
    pub refname: Refname,
    /// The branch that HEAD names.
    pub default_branch: Option<Refname>,
    /// What the policy asks of the branch.
    pub needs: RefNeeds,
    /// Who is who.
    pub roster: &'p Roster,
    /// The bounds of one push.
    pub limits: &'p Limits,
    /// The time of judging: levels are those of today.
    pub moment: Moment,
}

impl Setting<'_> {
    /// A push of nobody in particular that moves nothing yet.
    pub fn push(&self) -> Push {
        let pusher = Pusher {
            who: Who::Unlisted,
            login: String::new(),
            source: "history".into(),
            door: "local",
            key: None,
        };
        Push {
            door: Door::PreReceive,
            pusher,
            updates: Vec::new(),
            options: Seen::All(Vec::new()),
            certificate: Seen::All(None),
            namespace: None,
            moment: self.moment,
        }
    }
}

/// A log that holds nothing but its beginning.
pub fn empty_past(moment: Moment) -> Remembered {
    let genesis =
        GenesisSeen { at: moment, repository: String::new(), head: None, refs: Vec::new() };
    Remembered::since(genesis)
}

/// Which of some facts each rule reads: pairs of the rule's index and an index into them.
type Of = Vec<(usize, usize)>;

/// Tells steps, one after another, from one open repository.
pub struct Teller<'a> {
    scene: Scene<'a>,
    setting: &'a Setting<'a>,
    push: &'a Push,
    content: InfraKinds,
}

/// A step told: the facts, and what a person knows the commit by.
pub struct Told {
    /// The facts.
    pub facts: Facts,
    /// The commit's subject.
    pub subject: Vec<u8>,
    /// The committer's date.
    pub when: Moment,
}

impl<'a> Teller<'a> {
    /// Tells steps from this repository. `push` and `past` are those of this file.
    pub fn new(
        objects: &'a dyn Objects,
        setting: &'a Setting<'a>,
        past: &'a Remembered,
        push: &'a Push,
    ) -> Self {
        let (roster, limits) = (setting.roster, setting.limits);
        let checkers = &NO_CHECKERS;
        let sources = Sources { objects, past, roster, limits, repository: None, checkers };
        let scene = Scene::new(&sources, push, setting.default_branch.clone());
        let rules = setting.needs.rules.iter();
        let content =
            rules.fold(InfraKinds::default(), |kinds, rule| kinds.union(rule.needs.content));
        Self { scene, setting, push, content }
    }

    /// The facts of a step. `had_by`: the refs that have had its commit.
    pub fn tell(&mut self, link: &Link, had_by: &[Refname]) -> Result<Told, GatherError> {
        // Each step is a push of its own, with a budget of its own.
        self.scene.blob_bytes = 0;
        self.scene.intake_bytes = 0;
        self.scene.reader.take_problems();
        let commit = self.scene.reader.commit(&link.commit)?;
        let (subject, seconds) = (commit.subject(), commit.committer.when_seconds);
        let rules = self.setting.needs.rules.iter().filter(|rule| rule.needs.landing);
        let landing_of_rule: Vec<(usize, usize)> = rules.map(|rule| (rule.index, 0)).collect();
        let landings = match landing_of_rule.is_empty() {
            true => Vec::new(),
            false => vec![self.landing(link, subject.clone())?],
        };
        let signing = self
            .setting
            .needs
            .rules
            .iter()
            .filter(|rule| rule.needs.signatures == SignaturesOf::TagsAndCommits);
        let signatures_of_rule: Vec<(usize, usize)> = signing.map(|rule| (rule.index, 0)).collect();
        let signatures = match signatures_of_rule.is_empty() {
            true => Vec::new(),
            false => vec![signatures::of_commits(&self.scene, link.commit, link.before)?],
        };
        let owners_of_rule = self.owners(link.before)?;
        let (intakes, intake_of_rule) = self.intake(link)?;
        let (arrivals, arrivals_of_rule) = self.arrivals(link)?;
        let format = self.scene.reader.objects.format();
        let update = RefUpdate {
            name: self.setting.refname.clone(),
            claimed_old: link.before.unwrap_or(Oid::zero(format)),
            new: link.commit,
        };
        let motion = if link.before.is_some() { Motion::FastForward } else { Motion::Create };
        let update = UpdateFacts {
            motion: Some(motion),
            landings,
            landing_of_rule,
            signatures,
            signatures_of_rule,
            owners_of_rule,
            intakes,
            intake_of_rule,
            arrivals,
            arrivals_of_rule,
            had_by: had_by.to_vec(),
            structure: self.scene.reader.take_problems(),
            ..UpdateFacts::unasked(update, link.before, Target::Commit(link.commit))
        };
        let facts = self.facts(update, link.shape);
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Ok(Told { facts, subject, when: Moment::from_seconds(seconds) })
    }

    /// The files of owners that a step is judged by.
    fn owners(&self, before: Option<Oid>) -> Result<Vec<(usize, Arc<OwnersFile>)>, GatherError> {
        let mut files = Vec::new();
        for rule in &self.setting.needs.rules {
            if let Some(asks) = &rule.needs.owners {
                let file = owners::look(&self.scene.reader, before, asks)?;
                files.push((rule.index, Arc::new(file)));
            }
        }
        Ok(files)
    }

    /// What each commit of the step says of itself. Who brought it, history does not tell: nobody is
    /// taken for a stranger.
    fn arrivals(&mut self, link: &Link) -> Result<(Vec<Arrivals>, Of), GatherError> {
        let (mut arrivals, mut of_rule) = (Vec::new(), Vec::new());
        for rule in &self.setting.needs.rules {
            if rule.needs.arrivals == ArrivalsOf::Nothing {
                continue;
            }
            let claims = Needs { arrivals: ArrivalsOf::Claims, ..rule.needs.clone() };
            let mut found =
                arrivals::of_commits(&mut self.scene, link.commit, link.before, None, &claims)?;
            found.commits.iter_mut().for_each(|one| one.bringers = Some(Makers::default()));
            of_rule.push((rule.index, arrivals.len()));
            arrivals.push(found);
        }
        Ok((arrivals, of_rule))
    }

    fn facts(&self, update: UpdateFacts, shape: Shape) -> Facts {
        let push = PushFacts {
            push: Push { updates: vec![update.update.clone()], ..self.push.clone() },
            repository: None,
            default_branch: self.setting.default_branch.clone(),
            log_size: 0,
            birth: shape == Shape::First,
        };
        Facts { push, updates: vec![update], before_genesis: Vec::new() }
    }

    /// What a step takes in, and the rules that read it.
    fn intake(&mut self, link: &Link) -> Result<(Vec<Intake>, Of), GatherError> {
        let rules = &self.setting.needs.rules;
        let Some(asked) = intake::asked(rules) else { return Ok((Vec::new(), Vec::new())) };
        let reading = rules.iter().filter(|rule| rule.needs.intake.is_some());
        let of_rule = reading.map(|rule| (rule.index, 0)).collect();
        let range = self.scene.reader.arriving(&[link.commit], link.before.as_slice())?;
        let taken = intake::of_commits(&mut self.scene, link.before, &range, &asked)?;
        Ok((vec![taken], of_rule))
    }

    fn landing(&mut self, link: &Link, subject: Vec<u8>) -> Result<Landing, GatherError> {
        let whole = self.step(link, subject)?;
        let segments = vec![Segment { whole, each: Vec::new() }];
        Ok(Landing {
            start: link.before,
            end: link.commit,
            off_chain: false,
            segments,
            whole: None,
            authorized: None,
        })
    }

    fn step(&mut self, link: &Link, subject: Vec<u8>) -> Result<Step, GatherError> {
        let reader = &self.scene.reader;
        let delta = reader.delta(link.before, Some(link.commit))?;
        let (kind, merge, source) = match link.shape {
            Shape::Merge => {
                let mut others = reader.parents(&link.commit)?;
                others.remove(0);
                (StepKind::Merge, Some(reader.merge_fact(&link.commit)?), others)
            }
            Shape::First | Shape::Direct => (StepKind::Run, None, vec![link.commit]),
        };
        // Whether single commits were pushed to a topic before, or squashed from one that is gone
        // by now, history does not tell either.
        let itself_before = kind == StepKind::Run;
        let of = if itself_before { source.clone() } else { Vec::new() };
        let copied = Copied { of, not_of: Vec::new() };
        let infra = content::marks(&mut self.scene, delta.changes(), self.content)?;
        let links = links::targets(&self.scene.reader, &delta)?;
        Ok(Step {
            kind,
            from: link.before,
            to: link.commit,
            subject,
            commits: 1,
            delta,
            hidden: Vec::new(),
            merge,
            overtaken: None,
            clean: None,
            // Not walked: no rule asks for more than whether there are any.
            change_commits: source.len(),
            not_before: Vec::new(),
            itself_before,
            source,
            copied,
            makers: Makers::default(),
            digests: Vec::new(),
            candidates: Vec::new(),
            rejects: Vec::new(),
            near: Vec::new(),
            checks: Vec::new(),
            near_checks: Vec::new(),
            infra,
            links,
            rollback: None,
        })
    }
}
