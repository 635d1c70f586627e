//! The lines of the log: what every entry says, and the records an entry may hold.
//!
//! Format, version 1, for ever. One entry is one line of JSON, at most `LINE_BYTES_MAX` bytes
//! with its line feed. Its keys stand in this order:
//!
//! ```text
//! {"v":1,"log":"git.example.com/infra-5f0c91ab","seq":412,"type":"decision",
//!  "ts":"2026-11-22T21:00:00.000Z","boot":"...","mono_us":8123456,"host":"git1","tool":"portcullis 0.1.0",
//!  "push":"<32 hex>","sess":{"pid":4711,"start":1234567}, the record's own fields ...,
//!  "short":{...} where something was left out,"prev":"<64 hex>","hash":"<64 hex>"}
//! ```
//!
//! `hash` is the SHA-256 of the line's bytes before `,"hash":`; `prev` is the `hash` of the entry
//! before, 64 zeros in the first. Bytes are hashed as they are stored; nothing is ever written
//! anew to be checked. Every key `att`, and the key `whole`, names a file in `att/` by the
//! SHA-256 of its bytes; it was on disk before the line was.
//!
//! These are the types of the file, not of the house: whoever has facts and judgements converts
//! them by hand, so that a renamed field elsewhere never changes the log.

use serde::{Deserialize, Serialize};

use crate::log::accepted::Acceptance;
use crate::log::config::Config;
use crate::log::damage::Recovered;
use crate::log::decision::{Actor, Decision, Hook, Verdict};
use crate::log::glass::{BreakGlass, Settled};
use crate::log::kind::Kind;
use crate::log::pruned::Pruned;
use crate::log::rate::Held;
use crate::log::seal::Seal;
use crate::log::segment::Segment;
use crate::log::tidy::Tidy;
use crate::log::wire::{AsText, Listed, Text};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;

/// The version of the format that this program writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// How long a line may be with its line feed. Under the 65,535 bytes of a tlog-tiles entry.
pub const LINE_BYTES_MAX: usize = 60_000;

/// How long the line of a refused push may be with its line feed, so that refusals cannot fill
/// the disk.
pub const REFUSED_LINE_BYTES_MAX: usize = 4_096;

/// What every entry says, apart from its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Common {
    /// The version of the format.
    pub v: u32,
    /// The log's origin: `<host>/<id>`, the same in every entry.
    pub log: String,
    /// The entry's number, from 0, without gaps.
    pub seq: u64,
    /// The kind of record.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The server's clock.
    pub ts: AsText<Moment>,
    /// Present and true when the clock said an earlier time than the entry before.
    #[serde(skip_serializing_if = "is_false", default)]
    pub ts_before_prev: bool,
    /// The boot id of the machine.
    pub boot: String,
    /// Microseconds since boot, by a clock that nobody sets.
    pub mono_us: u64,
    /// The machine's name.
    pub host: String,
    /// The version of this program.
    pub tool: String,
    /// A random number, 128 bits, the same for every entry of one run.
    pub push: String,
    /// The receive-pack process of the push, or our own where there is none.
    pub sess: Session,
    /// Refusals that were counted and not written, since the entry before.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub held: Vec<Held>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// One process, by a name that is never given twice within a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The process id.
    pub pid: u64,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

/// What an entry tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The first entry.
    Genesis(Box<Genesis>),
    /// The push that first made protected branches.
    Birth(Birth),
    /// One push and its answer.
    Decision(Box<Decision>),
    /// A no without a judgement.
    Refusal(Refusal),
    /// What became of an accepted push.
    Outcome(Outcome),
    /// A ref moved without the gate.
    Drift(Drift),
    /// A policy came into force.
    Policy(Policy),
    /// A question was answered.
    Asked(Asked),
    /// Damage was found and declared.
    Recovered(Recovered),
    /// A refusal was overridden, and a debt made.
    BreakGlass(Box<BreakGlass>),
    /// A debt was settled.
    Settled(Settled),
    /// What came before was sealed.
    Seal(Seal),
    /// Dead statements leave the refs.
    Tidy(Tidy),
    /// A new file begins.
    Segment(Segment),
    /// Hooks and settings are others than before.
    Config(Box<Config>),
    /// An operator accepts drifts.
    Accepted(Acceptance),
    /// Old entries were taken away.
    Pruned(Box<Pruned>),
}

impl Record {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Genesis(_) => Kind::Genesis,
            Self::Birth(_) => Kind::Birth,
            Self::Decision(_) => Kind::Decision,
            Self::Refusal(_) => Kind::Refusal,
            Self::Outcome(_) => Kind::Outcome,
            Self::Drift(_) => Kind::Drift,
            Self::Policy(_) => Kind::Policy,
            Self::Asked(_) => Kind::Asked,
            Self::Recovered(_) => Kind::Recovered,
            Self::BreakGlass(_) => Kind::BreakGlass,
            Self::Settled(_) => Kind::Settled,
            Self::Seal(_) => Kind::Seal,
            Self::Tidy(_) => Kind::Tidy,
            Self::Segment(_) => Kind::Segment,
            Self::Config(_) => Kind::Config,
            Self::Accepted(_) => Kind::Accepted,
            Self::Pruned(_) => Kind::Pruned,
        }
    }
}

/// `genesis`: the log begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// The id of the repository.
    pub repo: String,
    /// The repository's folder.
    pub path: Text,
    /// `sha1` or `sha256`.
    pub format: String,
    /// How the repository keeps its refs: `files` or `reftable`.
    pub backend: String,
    /// The policy in force, when there is one already.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub policy: Option<AsText<Digest>>,
    /// The ref that `HEAD` names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head: Option<Text>,
    /// Every ref of that day. Always an attachment, in the form of `git ls-remote --refs`:
    /// `<oid> TAB <refname> LF`, sorted by name.
    pub refs: Listed<GenesisRef>,
    /// The last checkpoint of the log that this one continues.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Checkpoint>,
}

/// One ref at genesis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenesisRef {
    /// The ref.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// Its value.
    pub oid: AsText<Oid>,
}

/// A log at one length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The log's origin.
    pub log: String,
    /// How many entries it had.
    pub size: u64,
    /// The `hash` of the last of them.
    pub hash: AsText<Digest>,
}

/// `birth`: the push that first made protected branches. Its decision stands in the entry after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth {
    /// The branches and their first values.
    pub refs: Vec<GenesisRef>,
}

/// `refusal`: a no without a judgement, by a fault, by `update`, or before judging began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which hook said no.
    pub hook: Hook,
    /// Who pushed, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actor: Option<Actor>,
    /// The decision it goes against, when there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<u64>,
    /// What was asked for, as claimed.
    pub refs: Vec<Asking>,
    /// Why, one sentence.
    pub reason: Text,
    /// Whether an operator must mend something.
    pub fault: bool,
}

/// A ref update as the client asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// The ref.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// The old value, as claimed; any bytes when it is no object name.
    pub old: Text,
    /// The new value, as claimed.
    pub new: Text,
}

/// `outcome`: what became of an accepted push. The last word on a ref of a decision counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The decision's number.
    pub of: u64,
    /// How it is known.
    pub via: Via,
    /// The refs it is known for.
    pub refs: Vec<RefOutcome>,
}

/// How an outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// Git told the push's own `post-receive`.
    PostReceive,
    /// By comparing refs with the log, later.
    Reconcile,
}

/// What became of one ref of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefOutcome {
    /// The ref.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// The value it was judged from.
    pub old: AsText<Oid>,
    /// The value it was to get.
    pub new: AsText<Oid>,
    /// What happened.
    pub state: State,
    /// Other decisions that accepted the same move; one of them, or this one, did it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub one_of: Vec<u64>,
}

/// What happened to an accepted move of a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The ref got the value, and has it.
    Applied,
    /// The ref did not get it. May be corrected by a later outcome.
    NotApplied,
    /// The ref got the value, and has moved on since.
    Superseded,
    /// The ref got the value, and after a restart of the machine stood at `old` again.
    Lost,
}

impl State {
    /// Whether the ref had the value.
    pub const fn had(self) -> bool {
        match self {
            Self::Applied | Self::Superseded | Self::Lost => true,
            Self::NotApplied => false,
        }
    }
}

/// `drift`: a ref has another value than the log gives it, and no accepted decision explains it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The ref.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// The last value by the log; zeros when it had none.
    pub logged: AsText<Oid>,
    /// The value found; zeros when there was none.
    pub found: AsText<Oid>,
    /// For HEAD, whose value is a name: both values above are zeros then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head: Option<HeadMoved>,
    /// What else is known: lines of the reflog, say.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub evidence: Vec<Evidence>,
}

/// What HEAD named, and what it names: a ref, or the digits of a commit when it is detached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadMoved {
    /// By the log; absent when it named nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub logged: Option<Text>,
    /// What was found; absent when it names nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub found: Option<Text>,
}

/// Something that speaks about a drift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it is from: `reflog`, `process`.
    pub kind: String,
    /// What it says.
    pub text: Text,
}

/// `policy`: judged by for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The digest of the compiled policy, as decisions name it.
    pub sha256: AsText<Digest>,
    /// Its files, in order.
    pub files: Vec<PolicyFile>,
    /// Who was there: the pusher whose push found it, or the operator who installed it.
    pub who: Text,
}

/// One file of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// Where it stands: a path, or `git:REPO:REF:PATH`.
    pub place: Text,
    /// Its text, as an attachment.
    pub att: AsText<Digest>,
    /// The text itself. Never in the line; it becomes the attachment.
    #[serde(skip)]
    pub text: Vec<u8>,
}

impl PolicyFile {
    /// A file with this text.
    pub fn new(place: Text, text: Vec<u8>) -> Self {
        Self { place, att: AsText(Digest::of(&text)), text }
    }
}

/// `asked`: a question was answered. Nothing changed; not worth waiting for the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who asked.
    pub actor: Actor,
    /// The ref the question was about.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// The commit that was to land there.
    pub commit: AsText<Oid>,
    /// What the answer would have been.
    pub verdict: Verdict,
    /// How long it took, in microseconds.
    pub dur_us: u64,
}
