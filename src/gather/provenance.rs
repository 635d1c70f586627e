//! Where commits come from: brought by this push, by an earlier one, from before genesis, or by
//! nobody on record.
//!
//! The log answers for what came through the gate. What it does not know is asked of Git once a
//! push, all commits in one question: which of them can the branches of genesis reach.

use std::collections::{BTreeSet, HashMap};

use crate::facts::makers::{BY_NOBODY, MakerBy, Makers};
use crate::facts::past::{Brought, Maker, Past};
use crate::gather::error::GatherError;
use crate::gather::reader::Reader;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::push::Door;
use crate::push::pusher::Pusher;

/// How a commit came to be on the server.
#[derive(Clone, Debug)]
pub enum Origin {
    /// With this push.
    Fresh,
    /// With an earlier push that was applied; those who had brought it in vain before it too.
    Brought {
        /// Who.
        makers: Vec<Maker>,
        /// When.
        at: Moment,
    },
    /// With earlier pushes, none of which was applied.
    Claimed(Vec<Maker>),
    /// It was reachable from a branch when the log began.
    BeforeGenesis,
    /// Past the gate.
    Nobody,
}

impl Origin {
    /// Whether the commit was on the server, by the log, before this push.
    pub fn was_before(&self) -> bool {
        matches!(self, Self::Brought { .. } | Self::BeforeGenesis)
    }

    /// Whether the commit was on the server, by the log, before this moment. What was there when the
    /// log began was there before every moment that can be asked about.
    pub fn was_before_moment(&self, moment: Moment) -> bool {
        match self {
            Self::Brought { at, .. } => *at < moment,
            Self::BeforeGenesis => true,
            Self::Fresh | Self::Claimed(_) | Self::Nobody => false,
        }
    }
}

/// Answers for the commits of one push.
pub struct Provenance<'a> {
    past: &'a dyn Past,
    pusher: &'a Pusher,
    door: Door,
    known: HashMap<Oid, Origin>,
    asked: Vec<Oid>,
}

impl<'a> Provenance<'a> {
    /// Knows nothing yet.
    pub fn new(past: &'a dyn Past, pusher: &'a Pusher, door: Door) -> Self {
        Self { past, pusher, door, known: HashMap::new(), asked: Vec::new() }
    }

    /// Learns where all these commits come from, with at most one question to Git.
    pub fn learn(
        &mut self,
        reader: &Reader<'_>,
        commits: impl IntoIterator<Item = Oid>,
    ) -> Result<(), GatherError> {
        let mut open = Vec::new();
        for commit in commits {
            if self.known.contains_key(&commit) {
                continue;
            }
            match self.logged(reader, commit)? {
                Some(origin) => drop(self.known.insert(commit, origin)),
                None => open.push(commit),
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let genesis = self.past.genesis()?;
        let branches = genesis.refs.iter().filter(|(name, _)| name.branch().is_some());
        let tips: Vec<Oid> = branches.map(|(_, oid)| *oid).collect();
        let strangers: BTreeSet<Oid> =
            reader.not_reachable_from(&tips, &open)?.into_iter().collect();
        for commit in open {
            let origin = match (strangers.contains(&commit), self.door) {
                (false, _) => Origin::BeforeGenesis,
                // Where update is the only hook there is no quarantine to tell what is fresh.
                (true, Door::Update) => Origin::Fresh,
                (true, Door::PreReceive) => Origin::Nobody,
            };
            if matches!(origin, Origin::BeforeGenesis) {
                self.asked.push(commit);
            }
            self.known.insert(commit, origin);
        }
        Ok(())
    }

    /// `None`: the log does not know the commit and it was in the store before this push.
    fn logged(&self, reader: &Reader<'_>, commit: Oid) -> Result<Option<Origin>, GatherError> {
        Ok(match self.past.brought(&commit)? {
            Brought::Applied { at, by, mut earlier, .. } => {
                earlier.insert(0, by);
                Some(Origin::Brought { makers: earlier, at })
            }
            Brought::Claimed(makers) => Some(Origin::Claimed(makers)),
            Brought::BeforeGenesis => Some(Origin::BeforeGenesis),
            Brought::Nobody if reader.is_fresh(&commit)? => Some(Origin::Fresh),
            Brought::Nobody => None,
        })
    }

    /// The commits from before genesis that Git had to be asked about.
    pub fn asked_of_git(self) -> Vec<Oid> {
        self.asked
    }

    /// Where a commit comes from; `Nobody` for one that was never learned.
    pub fn origin(&self, commit: &Oid) -> &Origin {
        self.known.get(commit).unwrap_or(&Origin::Nobody)
    }

    /// Adds whoever brought this commit to the makers.
    pub fn add_bringers(&self, commit: Oid, makers: &mut Makers) {
        let (earlier, now): (&[Maker], bool) = match self.origin(&commit) {
            Origin::Fresh => (&[], true),
            Origin::Brought { makers, .. } => (makers, false),
            Origin::Claimed(makers) => (makers, true),
            Origin::BeforeGenesis => (&[], false),
            Origin::Nobody => {
                makers.unknown.get_or_insert((commit, BY_NOBODY));
                return;
            }
        };
        for maker in earlier {
            match &maker.name {
                Some(name) if !maker.unknown => makers.add(name, MakerBy::Brought, commit),
                _ => drop(makers.unknown.get_or_insert((commit, UNKNOWN_LOGIN))),
            }
        }
        if now {
            match self.pusher.name() {
                Some(name) if self.pusher.is_known_maker() => {
                    makers.add(name, MakerBy::Brought, commit);
                }
                _ => drop(makers.unknown.get_or_insert((commit, UNKNOWN_LOGIN))),
            }
        }
    }
}

const UNKNOWN_LOGIN: &str = "was brought by a login that is nobody's own";

/// The commits a push brings: reachable from its new values, named as brought by no earlier applied
/// entry, and either in the quarantine or named by a decision that was not applied.
pub fn brought(
    reader: &Reader<'_>,
    provenance: &mut Provenance<'_>,
    tip: Oid,
    known_tips: &[Oid],
) -> Result<Vec<Oid>, GatherError> {
    if provenance.door == Door::Update {
        return brought_without_quarantine(reader, provenance, tip, known_tips);
    }
    let mut seen: BTreeSet<Oid> = BTreeSet::new();
    let mut queue: Vec<Oid> = vec![tip];
    let mut brought = Vec::new();
    while let Some(commit) = queue.pop() {
        if !seen.insert(commit) {
            continue;
        }
        let arrives = match provenance.past.brought(&commit)? {
            Brought::Applied { .. } | Brought::BeforeGenesis => false,
            Brought::Claimed(_) => true,
            Brought::Nobody => reader.is_fresh(&commit)?,
        };
        if arrives {
            if brought.len() == reader.limits.commits {
                return Err(GatherError::Limit { name: "commits", limit: reader.limits.commits });
            }
            brought.push(commit);
            queue.extend(reader.parents(&commit)?);
        }
    }
    Ok(brought)
}

fn brought_without_quarantine(
    reader: &Reader<'_>,
    provenance: &mut Provenance<'_>,
    tip: Oid,
    known_tips: &[Oid],
) -> Result<Vec<Oid>, GatherError> {
    let commits = reader.arriving_oids(&[tip], known_tips)?;
    provenance.learn(reader, commits.iter().copied())?;
    Ok(commits.into_iter().filter(|c| !provenance.origin(c).was_before()).collect())
}
