//! What every part of `gather` looks through: the repository, the past, the roster, the limits.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::facts::change::Delta;
use crate::facts::evidence::StatementPush;
use crate::facts::intake::Blob;
use crate::facts::limits::Limits;
use crate::facts::needs::{Checker, IntakeOf, RollbackNeeds};
use crate::facts::owners::OwnersFile;
use crate::facts::past::Past;
use crate::gather::error::GatherError;
use crate::gather::provenance::Provenance;
use crate::gather::reader::Reader;
use crate::infra::set::InfraKinds;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::push::Push;
use crate::roster::Roster;
use crate::roster::heard::Heard;
use crate::ssh::signature::GIT_NAMESPACE;
use crate::store::commit::CommitSignature;
use crate::store::objects::Objects;

/// What facts are gathered from.
pub struct Sources<'a> {
    /// The repository, quarantine included.
    pub objects: &'a dyn Objects,
    /// The log's answers.
    pub past: &'a dyn Past,
    /// Who is who.
    pub roster: &'a Roster,
    /// The bounds.
    pub limits: &'a Limits,
    /// The repository's id, from its own configuration.
    pub repository: Option<&'a str>,
    /// Which machines may give which checks, by any rule of the policy.
    pub checkers: &'a BTreeSet<Checker>,
}

/// One push's view of the world.
pub struct Scene<'a> {
    /// The repository, with caches.
    pub reader: Reader<'a>,
    /// Where commits come from.
    pub provenance: Provenance<'a>,
    /// What the log says.
    pub past: &'a dyn Past,
    /// Who is who.
    pub roster: &'a Roster,
    /// The repository's id.
    pub repository: Option<&'a str>,
    /// Which machines may give which checks.
    pub checkers: &'a BTreeSet<Checker>,
    /// The branch that HEAD names.
    pub default_branch: Option<Refname>,
    /// The time of judging.
    pub moment: Moment,
    /// Statements that this push carries and that may enter their places.
    pub carried: Vec<(Refname, StatementPush)>,
    /// How many of them each signer has, for the limit `statements-a-day`.
    pub signed: BTreeMap<PrincipalName, usize>,
    /// How many sources were looked into so far, for `SOURCES_PER_PUSH_MAX`.
    pub sources_seen: usize,
    /// Bytes of blobs read so far, for the limit `blob-budget-bytes`.
    pub blob_bytes: u64,
    /// What blobs were found to be, by oid and file name.
    pub content_known: HashMap<(Oid, Vec<u8>), InfraKinds>,
    /// Bytes of arriving files read so far, for the same limit.
    pub intake_bytes: u64,
    /// What is known of arriving files, by what was asked of them.
    pub blobs_known: HashMap<(Oid, IntakeOf), Blob>,
    /// Whose word the signatures of commits and tags are, by the object.
    heard_known: RefCell<HashMap<Oid, Heard<'a>>>,
}

impl<'a> Scene<'a> {
    /// A view with nothing looked at yet.
    pub fn new(sources: &Sources<'a>, push: &'a Push, default_branch: Option<Refname>) -> Self {
        Self {
            reader: Reader::new(sources.objects, sources.limits),
            provenance: Provenance::new(sources.past, &push.pusher, push.door),
            past: sources.past,
            roster: sources.roster,
            repository: sources.repository,
            checkers: sources.checkers,
            default_branch,
            moment: push.moment,
            carried: Vec::new(),
            signed: BTreeMap::new(),
            sources_seen: 0,
            blob_bytes: 0,
            content_known: HashMap::new(),
            intake_bytes: 0,
            blobs_known: HashMap::new(),
            heard_known: RefCell::default(),
        }
    }

    /// Whose word the signature of a commit or a tag is. Verified once, however many rules ask, and
    /// however many approvals are of that commit.
    pub fn heard(&self, oid: Oid, signature: &CommitSignature) -> Heard<'a> {
        let known = self.heard_known.borrow().get(&oid).cloned();
        known.unwrap_or_else(|| {
            let CommitSignature { payload, armor } = signature;
            let heard = self.roster.heard(GIT_NAMESPACE, payload, armor, self.moment);
            self.heard_known.borrow_mut().insert(oid, heard.clone());
            heard
        })
    }

    /// Commits known to have been here before: the given values and the branches of genesis. What
    /// they reach is not brought by a push whose objects are already in the store.
    pub fn known_tips(&self, values: &[Oid]) -> Result<Vec<Oid>, GatherError> {
        let genesis = self.past.genesis()?;
        let branches = genesis.refs.iter().filter(|(name, _)| name.branch().is_some());
        let mut tips: Vec<Oid> = branches.map(|(_, oid)| *oid).collect();
        for value in values {
            tips.extend(self.reader.peel_commit(value)?);
        }
        Ok(tips)
    }
}

/// What all rules that name a ref ask, added up.
#[derive(Clone, Default, Debug)]
pub struct Asked {
    /// Whose statements are looked for.
    pub reviewers: BTreeSet<PrincipalName>,
    /// Whether a reject can stop what lands.
    pub veto: bool,
    /// Whose checks are looked for.
    pub checkers: BTreeSet<Checker>,
    /// Kinds of infrastructure to tell by content.
    pub content: InfraKinds,
    /// The files that name more whose statements are looked for, path by path.
    pub owners: Vec<Arc<OwnersFile>>,
    /// Whether it is looked where symbolic links lead to.
    pub links: bool,
    /// Whether it is looked what Git merged where the branch has moved in the same file.
    pub clean_merge: bool,
    /// Whether it is looked what gittuf has about the move.
    pub gittuf: bool,
    /// What `[rollback]` asks of commits that claim one.
    pub rollback: Option<RollbackNeeds>,
}

impl Asked {
    /// The same for a step that is a rollback: those who may approve one are looked for too, and
    /// rejects can stop it.
    pub fn of_rollback(&self) -> Self {
        let mut asked = Self { veto: true, ..self.clone() };
        asked.reviewers.extend(self.rollback.iter().flat_map(|r| r.reviewers.iter().cloned()));
        asked
    }

    /// The same, with the owners of what a step changes among those who are looked for.
    pub fn of_owners(&self, delta: &Delta) -> Cow<'_, Self> {
        if self.owners.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut asked = self.clone();
        for file in &self.owners {
            let people = delta.changes().iter().flat_map(|change| file.people(&change.path));
            people.for_each(|name| {
                if !asked.reviewers.contains(name) {
                    asked.reviewers.insert(name.clone());
                }
            });
        }
        Cow::Owned(asked)
    }
}
