//! What the change log says about the past, as questions a judging may ask.
//!
//! The log answers them (`log::past`), gather and judging ask; `remembered` answers them where
//! there is no log. Nothing here opens a file.
//!
//! Invariant: an answer is what the log proves, never what Git's refs say now. A decision is *open*
//! from its yes until an outcome says what became of it; what it brought or used counts against
//! a later push all that time.

use thiserror::Error;

use crate::facts::debt::Debt;
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;

/// The log could not answer. A fault: whoever judges without the answer must say no.
#[derive(Debug, Error)]
pub enum PastError {
    /// A file of the log could not be read.
    #[error("could not read {what} of the log")]
    Unreadable {
        /// Which part was being read.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is more to look at than anybody may be made to look at.
    #[error("the log holds more than {limit} {what}")]
    TooMany {
        /// What there is so much of.
        what: &'static str,
        /// How much would have been looked at.
        limit: usize,
    },
    /// The log does not say what it must say at this entry.
    #[error("entry {entry} of the log is damaged: {what}")]
    Damaged {
        /// The entry's number.
        entry: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Who brought a commit, as the decision recorded the pusher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    /// The name in the roster of that day; `None` for someone unlisted.
    pub name: Option<PrincipalName>,
    /// What the identity source called the pusher.
    pub login: Vec<u8>,
    /// Whether it cannot be said who that is: unlisted, or a login that several people share.
    pub unknown: bool,
}

/// How a commit came to this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brought {
    /// By a push that was applied; of several, the first.
    Applied {
        /// The decision that brought it.
        entry: u64,
        /// When it was decided.
        at: Moment,
        /// Its pusher.
        by: Maker,
        /// The pushers of earlier decisions that named it and were not applied. They count as
        /// bringers too.
        earlier: Vec<Maker>,
    },
    /// Named only by decisions that were refused, not applied, or are still open. Oldest first.
    Claimed(Vec<Maker>),
    /// It was here before the log began. Known only once somebody asked Git and told the log.
    BeforeGenesis,
    /// The log has never heard of it.
    Nobody,
}

/// Where a value of a ref comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// It stood there when the log began.
    Genesis,
    /// A push that was judged put it there; the number is its decision.
    Applied(u64),
    /// It was found there and no decision explains it.
    Drift,
    /// An applied value was lost in a crash and the ref stood at this older one again; the number
    /// is the decision that was lost.
    Lost(u64),
}

/// The last value that the log gives a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefValue {
    /// The value; the zero oid when the ref was deleted.
    pub oid: Oid,
    /// The entry that says so.
    pub entry: u64,
    /// How it came about.
    pub source: ValueSource,
}

/// What the log says of a value as a state of a ref that a rollback may go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateSeen {
    /// No push that was applied gave the ref this value, or what gave it was lost again.
    Never,
    /// It stood there when the log began, which nobody judged.
    Genesis,
    /// The push of this decision gave it, the one that made the repository: no rule judged it.
    Birth(u64),
    /// The push of this decision gave it, past the rules, and nobody has approved that since.
    Owed(u64),
    /// A rollback has left it; the number is that rollback's decision.
    Left(u64),
    /// A push gave it, and the rules were satisfied.
    State {
        /// The decision; of several, the newest.
        entry: u64,
        /// When it was decided.
        at: Moment,
    },
}

/// What the log knows about a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementState {
    /// Never accepted into its place, or only by a push that was not applied.
    Unseen,
    /// Accepted, and it stands.
    Seen {
        /// The decision that accepted it.
        entry: u64,
        /// The ref that carries it.
        place: Refname,
    },
    /// A later statement was accepted in its place.
    Replaced {
        /// The decision that accepted the later one.
        entry: u64,
    },
    /// A later statement in its place takes it back.
    Revoked {
        /// The decision that accepted the revocation.
        entry: u64,
    },
    /// A landing used it. It never counts again.
    Used {
        /// The decision that used it; possibly still open.
        entry: u64,
    },
}

/// A statement as the log has accepted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementSeen {
    /// The SHA-256 of its signed bytes.
    pub id: Digest,
    /// The decision that accepted it.
    pub entry: u64,
    /// The ref that carries it.
    pub place: Refname,
    /// Who signed.
    pub person: PrincipalName,
    /// `approve`, `reject`, `revoke`, `pass` or `fail`.
    pub verdict: String,
    /// The ref it is for.
    pub for_ref: Refname,
    /// The delta it speaks of.
    pub delta: Digest,
    /// The commit it names.
    pub commit: Oid,
    /// When it was made.
    pub date: Moment,
    /// Until when it counts.
    pub expires: Moment,
    /// The whole statement, signature included.
    pub text: Vec<u8>,
}

/// A reject that is the latest word in its place, and which of the entries asked about it rejects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectSeen {
    /// The statement.
    pub statement: StatementSeen,
    /// The digests of the entries, in the order in which they were asked.
    pub entries: Vec<Digest>,
}

/// A move of a ref past the gate that nobody has taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftSeen {
    /// The entry that tells of it.
    pub entry: u64,
    /// The value by the log; zeros for none.
    pub logged: Oid,
    /// The value found; zeros for none.
    pub found: Oid,
}

/// A delta that came to rest on a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeltaLanded {
    /// The decision, applied or open.
    pub entry: u64,
    /// When it was decided.
    pub at: Moment,
}

/// The process that one push is: git-receive-pack, by a name that is never given twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The boot id of the machine (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
    /// The process id.
    pub pid: u64,
    /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub start: u64,
}

/// An accepted move of a ref whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDecision {
    /// The decision.
    pub entry: u64,
    /// When it was decided.
    pub at: Moment,
    /// The receive-pack run it was decided for.
    pub session: SessionKey,
    /// Who pushed.
    pub by: Maker,
    /// The ref.
    pub refname: Refname,
    /// The real value it was judged from.
    pub old: Oid,
    /// The value it may get.
    pub new: Oid,
}

/// An applied move of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The decision.
    pub entry: u64,
    /// When it was decided.
    pub at: Moment,
    /// Who pushed.
    pub by: Maker,
    /// The value before.
    pub old: Oid,
    /// The value after.
    pub new: Oid,
}

/// The beginning of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisSeen {
    /// When the log began. A statement dated before never counts.
    pub at: Moment,
    /// The id of the repository.
    pub repository: String,
    /// What `HEAD` named.
    pub head: Option<Refname>,
    /// Every ref and its value.
    pub refs: Vec<(Refname, Oid)>,
}

/// What the change log can be asked. Every look-up costs a few reads, whatever the log's length.
pub trait Past {
    /// How many entries the answers rest on; what a decision calls `judged_at`.
    fn size(&self) -> u64;

    /// The beginning of the log, with every ref of that day.
    fn genesis(&self) -> Result<GenesisSeen, PastError>;

    /// Who brought this commit.
    fn brought(&self, commit: &Oid) -> Result<Brought, PastError>;

    /// The last value the log gives this ref. `None` when the log has never seen it have one.
    fn value(&self, refname: &Refname) -> Result<Option<RefValue>, PastError>;

    /// The entry by which this ref has had this value: a genesis, or an applied decision. A value
    /// that came by drift is not one it *had*.
    fn had(&self, refname: &Refname, oid: &Oid) -> Result<Option<u64>, PastError>;

    /// How many times this ref has come to this value so, counted up to `most`. More than once: it
    /// had left it.
    fn times_had(&self, refname: &Refname, oid: &Oid, most: usize) -> Result<usize, PastError>;

    /// Whether this ref has had this value as a state: at the end of a push that was judged and
    /// applied, and not one that a rollback has left since.
    fn state_of(&self, refname: &Refname, oid: &Oid) -> Result<StateSeen, PastError>;

    /// Whether a branch for which the answer is yes has ever had a value, by genesis or by an
    /// applied decision. Asks oldest first and stops at the first yes.
    fn any_branch_ever(&self, is_it: &dyn Fn(&Refname) -> bool) -> Result<bool, PastError>;

    /// What became of a statement.
    fn statement(&self, id: &Digest) -> Result<StatementState, PastError>;

    /// The newest statement accepted in a place, by date, whether its ref is still there or not. A
    /// next one must be later.
    fn latest_at(&self, place: &Refname) -> Result<Option<StatementSeen>, PastError>;

    /// When the newest but so many of this signer's statements was accepted, whatever became of it.
    /// `None` when there are not so many.
    fn signed_at(&self, by: &PrincipalName, newer: usize) -> Result<Option<Moment>, PastError>;

    /// The newest statements that name this commit, for whichever ref and whatever became of them.
    fn statements_on(&self, commit: &Oid) -> Result<Vec<StatementSeen>, PastError>;

    /// When this delta last landed on this ref.
    fn delta_landed(
        &self,
        for_ref: &Refname,
        delta: &Digest,
    ) -> Result<Option<DeltaLanded>, PastError>;

    /// Whether anybody ever rejected anything for this ref.
    fn any_reject(&self, for_ref: &Refname) -> Result<bool, PastError>;

    /// The rejects for this ref of any of these entries (`Delta::entry_digests`) that are still the
    /// latest word in their place, whether their refs are there or not. Whether they have expired
    /// is for the caller to say.
    fn rejects(&self, for_ref: &Refname, entries: &[Digest]) -> Result<Vec<RejectSeen>, PastError>;

    /// The open decisions that accepted exactly this move, newest first.
    fn decision_for(
        &self,
        refname: &Refname,
        old: &Oid,
        new: &Oid,
    ) -> Result<Vec<OpenDecision>, PastError>;

    /// The open decisions that move this ref, newest first.
    fn open_on(&self, refname: &Refname) -> Result<Vec<OpenDecision>, PastError>;

    /// The open moves that brought this commit, newest first.
    fn open_bringing(&self, commit: &Oid) -> Result<Vec<OpenDecision>, PastError>;

    /// The open moves that accepted or used this statement, newest first.
    fn open_with(&self, statement: &Digest) -> Result<Vec<OpenDecision>, PastError>;

    /// The newest applied moves of a ref, newest first, at most so many.
    fn recent_landings(&self, refname: &Refname, most: usize) -> Result<Vec<Landing>, PastError>;

    /// The newest decision on a push that carried this certificate, accepted or not.
    fn certificate(&self, id: &Digest) -> Result<Option<u64>, PastError>;

    /// The newest move of this ref past the gate, where no operator has accepted it.
    fn drift(&self, refname: &Refname) -> Result<Option<DriftSeen>, PastError>;

    /// What broken glasses on this ref owe still, oldest first. A push that was not applied owes
    /// nothing; one whose outcome is not known yet does.
    fn debts(&self, refname: &Refname) -> Result<Vec<Debt>, PastError>;

    /// The digest of the policy that was last recorded as in force.
    fn last_policy(&self) -> Result<Option<Digest>, PastError>;
}
