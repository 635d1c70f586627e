//! What a push adds to a ref that a rule names, step by step (product contract, section 1).

use crate::facts::authorized::Authorized;
use crate::facts::change::Delta;
use crate::facts::evidence::{Candidate, NearCheck, NearMiss, Reject};
use crate::facts::makers::Makers;
use crate::facts::rollback::Rollback;
use crate::infra::set::InfraKinds;
use crate::names::digest::Digest;
use crate::names::oid::Oid;
use crate::names::path::RepoPath;

/// Where a landing begins and the steps it takes from there.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The value it is judged from: the ref's own, or the start of a creation; `None`: nothing.
    pub start: Option<Oid>,
    /// The value it ends at.
    pub end: Oid,
    /// The start is not on the end's first-parent chain, so the whole move is one step.
    pub off_chain: bool,
    /// The steps, oldest first. Empty for a rewind to a value the log gives this ref.
    pub segments: Vec<Segment>,
    /// The other reading: the move as one step, where the new value was on the server before.
    pub whole: Option<Box<Step>>,
    /// What gittuf has about the whole of it. `None`: nothing at all, or no rule asked.
    pub authorized: Option<Authorized>,
}

impl Landing {
    /// Every step of every reading, oldest first.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        let segments = self.segments.iter().flat_map(|s| std::iter::once(&s.whole).chain(&s.each));
        segments.chain(self.whole.as_deref())
    }
}

/// A merge, or the longest run of single-parent commits.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The segment as one step.
    pub whole: Step,
    /// The other reading of a run: commit by commit. Empty for a merge and a run of one.
    pub each: Vec<Step>,
}

/// What a step is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepKind {
    /// One merge commit.
    Merge,
    /// Single-parent commits, judged by their net delta.
    Run,
    /// A whole move, judged by its net delta.
    Jump,
}

/// One step of a landing.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// The commit it starts at; `None`: from the empty tree.
    pub from: Option<Oid>,
    /// The commit it ends at.
    pub to: Oid,
    /// The subject of the commit it ends at.
    pub subject: Vec<u8>,
    /// How many commits of the first-parent chain it takes.
    pub commits: usize,
    /// The step's net delta, `from` to `to`.
    pub delta: Delta,
    /// Paths that some commit of the run changes and the net delta lacks.
    pub hidden: Vec<RepoPath>,
    /// How a merge compares with the merge recomputed; `None` for what is no merge.
    pub merge: Option<MergeFact>,
    /// A path that a merge lands otherwise than its other parent has it, because the branch has
    /// changed it too. Then no statement about that parent can count.
    pub overtaken: Option<RepoPath>,
    /// What Git merged line by line, where a rule asks.
    pub clean: Option<CleanMerge>,
    /// How many commits the step brings in from elsewhere.
    pub change_commits: usize,
    /// Those of them that were not on the server before this push.
    pub not_before: Vec<Oid>,
    /// Whether the commit it ends at was on the server before this push.
    pub itself_before: bool,
    /// Where the change comes from: the merge's other parents, what a run is a copy of, or the
    /// run's last commit.
    pub source: Vec<Oid>,
    /// For a run that was not on the server before: whether its change was, by other commits.
    pub copied: Copied,
    /// Whose work it is.
    pub makers: Makers,
    /// The digests of the deltas whose statements are candidates: the step's own and, for a merge,
    /// those of the other parents' changes since a merge base. A landing uses all such statements.
    pub digests: Vec<Digest>,
    /// Approvals of exactly this change, and words against it, whether they count or not.
    pub candidates: Vec<Candidate>,
    /// Rejects that stand and share an entry with the step, whatever became of their refs.
    pub rejects: Vec<Reject>,
    /// Approvals of an earlier form of this change.
    pub near: Vec<NearMiss>,
    /// Checks of exactly this change, whether they count or not; at most one a place.
    pub checks: Vec<Candidate>,
    /// Checks that an earlier form of this change has passed.
    pub near_checks: Vec<NearCheck>,
    /// Paths that are infrastructure by what their blobs hold, on either side.
    pub infra: Vec<(RepoPath, InfraKinds)>,
    /// What symbolic links on the new side hold, where a rule asks; `None`: too long to be followed.
    pub links: Vec<(RepoPath, Option<Vec<u8>>)>,
    /// What its trailers' claim of a rollback comes to; of a run of commits, the first that claims
    /// one. `None` where nobody claims one or the policy has no `[rollback]`.
    pub rollback: Option<Rollback>,
}

impl Step {
    /// Every statement of people and machines about exactly this change.
    pub fn statements(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().chain(&self.checks)
    }

    /// Commits that somebody would have had to push before: its own, and those it may be a copy of.
    pub fn unseen(&self) -> impl Iterator<Item = &Oid> {
        let lacking = self.copied.not_of.iter().flat_map(|named| match &named.why {
            WhyNotSource::NotBefore(commits) => commits.as_slice(),
            WhyNotSource::NoOid
            | WhyNotSource::NotHere
            | WhyNotSource::TooFar
            | WhyNotSource::Holds
            | WhyNotSource::PastTheGate(_)
            | WhyNotSource::Differs(_)
            | WhyNotSource::Conflict(_) => &[],
        });
        self.not_before.iter().chain(lacking)
    }
}

/// What a run is a copy of: by commits of other names, with the content of the whole (a squash, a
/// rebase).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Copied {
    /// Commits that were on the server before, with all that is below them, and whose merge into
    /// the run's parent gives the run's own tree. Empty: none was found.
    pub of: Vec<Oid>,
    /// What was named as such and is not.
    pub not_of: Vec<NotSource>,
}

/// Something that was named as the source of a run and is not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotSource {
    /// As a trailer has it, or the name of the commit that a statement is about.
    pub named: Vec<u8>,
    /// Why it is not.
    pub why: WhyNotSource,
}

/// Why something is not the source of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhyNotSource {
    /// It is no whole name of an object.
    NoOid,
    /// The server has no such commit.
    NotHere,
    /// It would take more looking than a push may ask for.
    TooFar,
    /// The run's parent holds it already.
    Holds,
    /// These commits were not on the server before, newest first; never empty.
    NotBefore(Vec<Oid>),
    /// This commit of it is on the server, and no push brought it.
    PastTheGate(Oid),
    /// Merging it gives another tree; these paths differ, the first few of them.
    Differs(Vec<RepoPath>),
    /// It does not merge by itself; these paths conflict, the first few of them.
    Conflict(Vec<RepoPath>),
}

/// A merge that lands an approved change in files which the branch had changed as well: Git's own
/// merge of two parents since one base, without a conflict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CleanMerge {
    /// The other parent.
    pub of: Oid,
    /// The digest of its delta since the merge base, of which statements about the change speak.
    pub digest: Digest,
    /// The files whose lines Git merged, sorted; never empty.
    pub paths: Vec<RepoPath>,
    /// Rejects that stand of the change as it was before, by the places of what they reject in the
    /// step's delta.
    pub rejects: Vec<Reject>,
}

/// How a merge compares with the merge of its parents, recomputed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MergeFact {
    /// The same tree.
    Equal,
    /// Another tree; these paths differ, the first few of them.
    Differs(Vec<RepoPath>),
    /// The parents do not merge by themselves; these paths conflict, the first few of them.
    Conflict(Vec<RepoPath>),
}
