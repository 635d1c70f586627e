//! What a statement says, field by field, and the text that is signed.
//!
//! Made by `statement::read` from bytes and by the verbs from answers; `text` is the only printer,
//! and reading what it printed gives the same fields back.

use std::fmt;

use crate::names::digest::Digest;
use crate::names::escape::is_deceptive;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::names::refname::Refname;
use crate::statement::place::{ApprovalKey, Place};

/// The SSH signature namespace of approvals (PROTOCOL.sshsig).
pub const APPROVAL_NAMESPACE: &str = "approval@portcullis";

/// The SSH signature namespace of checks.
pub const CHECK_NAMESPACE: &str = "check@portcullis";

/// The namespace Git signs tags in, and so approvals that are tags.
pub const TAG_NAMESPACE: &str = "git";

/// How long a repository's id may be, in bytes.
pub const REPOSITORY_BYTES_MAX: usize = 256;

/// How long a check's address may be, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// Everything a statement says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fields {
    /// The repository it is for, and for no other.
    pub repository: RepositoryId,
    /// The ref it is for, and for no other.
    pub refname: Refname,
    /// Where the delta begins: a commit, or the zero oid for the empty tree.
    pub base: Oid,
    /// Where the delta ends.
    pub commit: Oid,
    /// The digest of the delta from `base` to `commit`.
    pub delta: Digest,
    /// Who says it: a person, or for a check a machine.
    pub person: PrincipalName,
    /// When, in whole seconds.
    pub date: Moment,
    /// Until when it counts; later than `date`.
    pub expires: Moment,
    /// What is said about the delta.
    pub saying: Saying,
}

impl Fields {
    /// The commit the delta begins at; `None`: at the empty tree.
    pub fn base_commit(&self) -> Option<Oid> {
        (!self.base.is_zero()).then_some(self.base)
    }
}

/// What is said about a delta.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Saying {
    /// A person's word.
    Approval {
        /// The word.
        verdict: ApprovalVerdict,
    },
    /// A machine's word.
    Check {
        /// The name of the check.
        check: PrincipalName,
        /// The word.
        verdict: CheckVerdict,
        /// Where its details are.
        url: Option<Url>,
    },
}

/// A person's word about a delta.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ApprovalVerdict {
    /// It may land.
    Approve,
    /// It must not land.
    Reject,
    /// What I said before no longer stands.
    Revoke,
}

/// A machine's word about a delta.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum CheckVerdict {
    /// The check was passed.
    Pass,
    /// It was not.
    Fail,
}

/// A repository's id, written once by `install`: a readable name, `-` and 8 hexadecimal digits.
/// Compared byte by byte, so anything visible is taken.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RepositoryId(String);

/// The address of a check's details: `http://` or `https://`, no blanks, nothing invisible.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Url(String);

impl Fields {
    /// The namespace that the signature must be made in.
    pub fn namespace(&self) -> &'static str {
        match self.saying {
            Saying::Approval { .. } => APPROVAL_NAMESPACE,
            Saying::Check { .. } => CHECK_NAMESPACE,
        }
    }

    /// The key of the ref and the delta: where statements about them stand.
    pub fn key(&self) -> ApprovalKey {
        ApprovalKey::of(&self.refname, &self.delta)
    }

    /// The only ref that this statement may stand at.
    pub fn place(&self) -> Place {
        let key = self.key();
        match &self.saying {
            Saying::Approval { .. } => Place::Approval { key, person: self.person.clone() },
            Saying::Check { check, .. } => {
                Place::Check { key, check: check.clone(), machine: self.person.clone() }
            }
        }
    }

    /// The bytes that are signed: the lines and the empty line behind them.
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let mut line = |key: &str, value: &[u8]| {
            out.extend_from_slice(key.as_bytes());
            out.push(b' ');
            out.extend_from_slice(value);
            out.push(b'\n');
        };
        let (kind, check, verdict, url) = match &self.saying {
            Saying::Approval { verdict } => ("approval", None, verdict.as_str(), None),
            Saying::Check { check, verdict, url } => {
                ("check", Some(check), verdict.as_str(), url.as_ref())
            }
        };
        line(kind, b"v1");
        line("repository", self.repository.as_str().as_bytes());
        line("ref", self.refname.as_bytes());
        line("base", self.base.hex().as_bytes());
        line("commit", self.commit.hex().as_bytes());
        line("delta", format!("sha256:{}", self.delta).as_bytes());
        if let Some(check) = check {
            line("check", check.as_str().as_bytes());
        }
        line("person", self.person.as_str().as_bytes());
        line("date", self.date.rfc3339_seconds().as_bytes());
        line("expires", self.expires.rfc3339_seconds().as_bytes());
        line("verdict", verdict.as_bytes());
        if let Some(url) = url {
            line("url", url.as_str().as_bytes());
        }
        out.push(b'\n');
        out
    }
}

impl ApprovalVerdict {
    /// All of them, in the order that messages list them.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Reject, Self::Revoke];

    /// The word as it stands in a statement.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Revoke => "revoke",
        }
    }

    /// Reads the word. `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

impl CheckVerdict {
    /// What a machine did that said it, to follow its name.
    pub const fn past(self) -> &'static str {
        match self {
            Self::Pass => "passed",
            Self::Fail => "failed",
        }
    }

    /// The word as it stands in a statement.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }

    /// Reads the word. `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pass, Self::Fail].into_iter().find(|verdict| verdict.as_str() == text)
    }
}

impl RepositoryId {
    /// Takes an id: visible text, blanks only inside, at most `REPOSITORY_BYTES_MAX` bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty()
            && text.len() <= REPOSITORY_BYTES_MAX
            && text.trim() == text
            && text.chars().all(is_visible);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Url {
    /// Takes an address of at most `URL_BYTES_MAX` bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let fits = !rest.is_empty()
            && text.len() <= URL_BYTES_MAX
            && text.chars().all(|c| is_visible(c) && !c.is_whitespace());
        fits.then(|| Self(text.to_owned()))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_visible(c: char) -> bool {
    !c.is_control() && !is_deceptive(c)
}
