//! Who signed what arrives on a ref: commits and annotated tags.
//!
//! Made by `gather::signatures`; read by the rules `signature` and `immutable`. A signature that
//! cannot be verified here is a reason with words, never a maybe.

use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;
use crate::openpgp::check::Unsigned;
use crate::roster::heard::Unheard;
use crate::ssh::key::short_fingerprint;
use crate::verdict::line::Line;

/// Whether an object is signed, and by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signed {
    /// By a key of this principal, and the key counts now.
    By(PrincipalName),
    /// By a good signature of a key that the roster does not know.
    NobodysKey {
        /// The key's fingerprint, `SHA256:...`.
        fingerprint: String,
    },
    /// By a key of this principal that does not count for this, or not now.
    KeyNotNow {
        /// Whose key it is.
        name: PrincipalName,
        /// Why not, to follow "a key that".
        why: String,
    },
    /// Not at all.
    Not,
    /// With X.509, which is not verified here.
    X509,
    /// The object is malformed, so nobody can say where its signature begins.
    Malformed {
        /// What is wrong with it, as a sentence.
        why: String,
    },
    /// The signature does not count.
    Bad(Unheard),
}

impl Signed {
    /// Whether it is of a kind that this policy has no keys for, whoever made it.
    pub fn is_of_another_kind(&self) -> bool {
        matches!(self, Self::X509 | Self::Bad(Unheard::OpenPgp(Unsigned::NoKeyring)))
    }

    /// Whether it is by a key that nobody here has.
    pub fn is_by_a_stranger(&self) -> bool {
        let unknown = |it: &Unheard| matches!(it, Unheard::OpenPgp(Unsigned::UnknownKey { .. }));
        matches!(self, Self::NobodysKey { .. }) || matches!(self, Self::Bad(why) if unknown(why))
    }

    /// Words that follow the object's name.
    pub fn words(&self) -> Line {
        match self {
            Self::By(name) => Line::new(" is signed by ").name(name),
            Self::NobodysKey { fingerprint } => {
                let shown = short_fingerprint(fingerprint).to_owned();
                Line::new(" is signed by ").text(shown).text(" which is nobody's key")
            }
            Self::KeyNotNow { name, why } => {
                let line = Line::new(" is signed by a key of ").name(name).text(" that ");
                line.text(why.clone())
            }
            Self::Not => Line::new(" is not signed"),
            Self::X509 => Line::new(" is signed with X.509, which is not supported here"),
            Self::Malformed { why } => Line::new(" is malformed: ").text(why.clone()),
            Self::Bad(check) => Line::new(" has a signature that is ").text(check.to_string()),
        }
    }
}

/// A commit or an annotated tag, and who signed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedObject {
    /// The object.
    pub oid: Oid,
    /// Whose e-mail its committer or tagger has; a claim. `None`: nobody's in the roster.
    pub claims: Option<PrincipalName>,
    /// The e-mail itself, any bytes.
    pub email: Vec<u8>,
    /// The name that a tag gives itself; empty for a commit.
    pub named: Vec<u8>,
    /// Whether it is signed, and by whom.
    pub signed: Signed,
}

/// The signatures of what arrives on a ref.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Signatures {
    /// The annotated tags in front of what the new value leads to, outermost first.
    pub tags: Vec<SignedObject>,
    /// The commits that arrive, newest first. Empty for a tag ref: who signs a tag answers for what
    /// it names.
    pub commits: Vec<SignedObject>,
    /// The commit they build on, where it is one that they all follow.
    pub base: Option<Oid>,
    /// Whether a merge is among the commits.
    pub has_merges: bool,
}

impl Signatures {
    /// The same without a commit that nobody has made yet: the merge that a question is about.
    pub fn leave_out(&mut self, commit: &Oid) {
        self.commits.retain(|signed| signed.oid != *commit);
    }
}
