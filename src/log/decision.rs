//! The record of one push, judged: who asked for what, and what the answer was and why.
//!
//! Made by `hook` from facts and judgement, written before the answer is given. Field names and
//! their order are part of the log's format, version 1: a field is never renamed, moved or given
//! another meaning; a new one is optional. Absent means: there is none, or it is not known.

use serde::{Deserialize, Serialize};

use crate::log::wire::{AsText, Listed, Text};
use crate::names::digest::Digest;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;

/// `decision`: one push and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The id of the repository.
    pub repo: String,
    /// Who pushed.
    pub actor: Actor,
    /// The hook that judged: `pre-receive` or `update`.
    pub hook: Hook,
    /// The version of Git that called, as it says so itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub git: Option<String>,
    /// The push options, as sent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub opts: Vec<Text>,
    /// The push certificate it came with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cert: Option<CertRecord>,
    /// The policy it was judged by.
    pub policy: PolicyRef,
    /// How many entries the log had when it was judged; the evidence is no newer than that.
    pub judged_at: u64,
    /// Every ref update of the push, in the order Git gave them.
    pub refs: Vec<RefDecision>,
    /// The statements this push put in their places, when it was accepted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub statements: Vec<StatementRecord>,
    /// The answer. `accept` may still hold refs that are refused, where only those refs are.
    pub verdict: Verdict,
    /// How long judging took, in microseconds.
    pub dur_us: u64,
}

/// Who pushed, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name in the roster; absent for someone unlisted or unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<AsText<PrincipalName>>,
    /// What kind of principal.
    pub kind: ActorKind,
    /// The way in: `ssh`, `http` or `local`.
    pub door: String,
    /// The identity source that named them, as the policy calls it.
    pub source: String,
    /// What the source called them.
    pub login: Text,
    /// The fingerprint of the key they came with, `SHA256:...`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
}

/// A push certificate, and what it was found to be worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertRecord {
    /// The SHA-256 of its signed bytes.
    pub id: AsText<Digest>,
    /// Whether it was good: a key of the roster signed exactly this push.
    pub good: bool,
    /// Who signed, when it was good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<AsText<PrincipalName>>,
    /// The fingerprint of the key whose signature fits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// Why it was not good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<Text>,
    /// All of it with its signature, verbatim. Absent where a refused push's line had no room.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<Text>,
}

/// What kind of principal an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person of the roster.
    Person,
    /// A machine of the roster.
    Machine,
    /// A login that is in no roster.
    Unlisted,
    /// A login that several people share.
    Shared,
    /// Nobody could say who it was.
    Unknown,
}

/// Which hook judged or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Once for the whole push.
    PreReceive,
    /// Once for each ref.
    Update,
    /// After the refs have moved.
    PostReceive,
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRef {
    /// The digest of the compiled policy; the record `policy` with the same digest has its text.
    pub sha256: AsText<Digest>,
}

/// Yes, yes with a warning, or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Accept,
    /// Yes, and a rule at level `warn` objected.
    Warn,
    /// No.
    Refuse,
}

impl Verdict {
    /// Whether the ref may move.
    pub const fn is_yes(self) -> bool {
        match self {
            Self::Accept | Self::Warn => true,
            Self::Refuse => false,
        }
    }
}

/// One ref update of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefDecision {
    /// The ref as the client named it.
    #[serde(rename = "ref")]
    pub refname: Text,
    /// The ref it really moves, when the named one is symbolic.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<Text>,
    /// Its real value when the push was judged; zeros when there was none.
    pub old: AsText<Oid>,
    /// The value asked for; zeros for a deletion.
    pub new: AsText<Oid>,
    /// What the client said the old value was, when that was something else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claimed_old: Option<AsText<Oid>>,
    /// Create, move or delete.
    pub kind: UpdateKind,
    /// Whether the new value builds on the old one; absent when it cannot be said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ff: Option<bool>,
    /// How many commits the ref gains.
    pub commits: u64,
    /// The paths that differ between old and new.
    pub paths: Paths,
    /// The commits that this update brought to the server. Each stands once in a decision, under
    /// the first ref that reaches it.
    #[serde(skip_serializing_if = "is_none", default)]
    pub brought: Listed<AsText<Oid>>,
    /// The answer for this ref alone.
    pub verdict: Verdict,
    /// What the rules found, objections and warnings.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<FindingRecord>,
    /// The statements that a landing on this ref uses up: the SHA-256 of their signed bytes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub uses: Vec<AsText<Digest>>,
    /// The digests of the deltas that come to rest on the ref: of each step and, for a merge, of
    /// the other parents' changes. Every statement about one of them is used up.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub landed: Vec<AsText<Digest>>,
    /// The exemptions that made a rule silent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exempt: Vec<ExemptRecord>,
    /// The rollbacks among its steps, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rollback: Vec<RollbackRecord>,
    /// Where a rule was satisfied only by Git's own merge of an approved change.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub clean_merge: Vec<CleanMergeRecord>,
    /// What gittuf had about exactly this move, where a rule takes that for approval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gittuf: Option<GittufRecord>,
}

fn is_none<T>(list: &Listed<T>) -> bool {
    list.n == 0
}

/// What an update does to a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateKind {
    /// It had no value.
    Create,
    /// It gets another value.
    Move,
    /// It loses its value.
    Delete,
}

/// Changed paths. The digest is over all of them in order, each followed by a NUL byte.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Paths {
    /// How many.
    pub n: u64,
    /// The SHA-256 of the whole list. Filled in when the line is made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<AsText<Digest>>,
    /// The first of them, or all.
    pub list: Vec<Text>,
    /// The attachment that holds all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub att: Option<AsText<Digest>>,
}

impl Paths {
    /// The whole list.
    pub fn of(list: Vec<Text>) -> Self {
        Self { n: list.len() as u64, sha256: None, list, att: None }
    }
}

/// One objection of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// The rule's name, or the name of what is always on.
    pub rule: String,
    /// The kind of rule; `always` for what is always on.
    pub kind: String,
    /// `refuse` or `warn`.
    pub level: String,
    /// Where the rule stands, `FILE:LINE`; absent for what is always on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Text>,
    /// What was found, one sentence.
    pub text: Text,
}

/// A rule that would have objected and was silent because of an exemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptRecord {
    /// The rule's name.
    pub rule: String,
    /// Whom the exemption names.
    pub who: String,
    /// The patterns that cover every entry of the landing.
    pub paths: Vec<Text>,
}

/// A commit that went back to an earlier state of its ref.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackRecord {
    /// The commit.
    pub commit: AsText<Oid>,
    /// The state: a value the ref had.
    pub to: AsText<Oid>,
    /// The decision that gave the ref that value.
    pub of: u64,
    /// The value it left, which no rollback goes back to again.
    pub left: AsText<Oid>,
    /// The patterns within which it went back; absent: everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub paths: Vec<Text>,
}

/// An approved change that landed as Git merged it, in files that the branch had changed as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanMergeRecord {
    /// The name of the rule that takes this.
    pub rule: String,
    /// The merge that landed.
    pub commit: AsText<Oid>,
    /// The commit that was merged, of which the approved delta is.
    pub of: AsText<Oid>,
    /// The files whose lines Git merged, sorted; the first of them or all.
    pub paths: Vec<Text>,
    /// How many files those are, where `paths` has not all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub n: Option<u64>,
}

/// An authorization as gittuf keeps it, and whose word it was found to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GittufRecord {
    /// The SHA-256 of its signed bytes, the PAE of the DSSE protocol.
    pub id: AsText<Digest>,
    /// Those whose keys signed it and counted, each once, whatever a rule made of that.
    pub by: Vec<GittufSigner>,
    /// The envelope with its signatures, verbatim. Absent where a refused push's line had no room.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<Text>,
}

/// Somebody who signed an authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GittufSigner {
    /// Who.
    pub person: AsText<PrincipalName>,
    /// The fingerprint of the key.
    pub key: String,
}

/// A statement, whole, as it entered its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRecord {
    /// The ref that carries it, `refs/approvals/...` or `refs/checks/...`.
    #[serde(rename = "ref")]
    pub place: Text,
    /// The SHA-256 of its signed bytes.
    pub id: AsText<Digest>,
    /// `approval` or `check`.
    pub kind: String,
    /// Who signed.
    pub person: AsText<PrincipalName>,
    /// The name of the check, for a check.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub check: Option<String>,
    /// `approve`, `reject`, `revoke`, `pass` or `fail`.
    pub verdict: String,
    /// The ref it is for.
    pub for_ref: Text,
    /// The delta it speaks of.
    pub delta: AsText<Digest>,
    /// The base of that delta.
    pub base: AsText<Oid>,
    /// The commit at its end.
    pub commit: AsText<Oid>,
    /// The entries of its delta, where it rejects them: for each the SHA-256 of its bytes in the
    /// raw diff that the delta is the digest of.
    #[serde(skip_serializing_if = "is_none", default)]
    pub entries: Listed<AsText<Digest>>,
    /// When it was made.
    pub date: AsText<Moment>,
    /// Until when it counts.
    pub expires: AsText<Moment>,
    /// The whole statement with its signature, verbatim.
    pub text: Text,
}
