//! What a push adds to a ref that a rule names, step by step (product contract, section 1).

use crate::facts::change::Delta;
use crate::facts::evidence::{Candidate, NearMiss, Reject};
use crate::facts::makers::Makers;
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
    /// How many commits the step brings in from elsewhere.
    pub change_commits: usize,
    /// Those of them that were not on the server before this push.
    pub not_before: Vec<Oid>,
    /// Where the change comes from: the merge's other parents, or the run's last commit.
    pub source: Vec<Oid>,
    /// Whose work it is.
    pub makers: Makers,
    /// The digests of the deltas whose statements are candidates: the step's own and, for a merge,
    /// those of the other parents' changes since a merge base. A landing uses all such statements.
    pub digests: Vec<Digest>,
    /// Statements that speak for exactly this change, whether they count or not.
    pub candidates: Vec<Candidate>,
    /// Rejects that stand and share an entry with the step, whatever became of their refs.
    pub rejects: Vec<Reject>,
    /// Statements for an earlier form of this change.
    pub near: Vec<NearMiss>,
    /// Paths that are infrastructure by what their blobs hold, on either side.
    pub infra: Vec<(RepoPath, InfraKinds)>,
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
