//! The commits that arrive on a ref, as they tell of themselves, and who brought them.
//!
//! Made by `gather::arrivals`; read by the rules `message`, `author` and `size`. What stands in a
//! commit is a claim; who brought it is a fact of the log.

use crate::facts::makers::Makers;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::principal::PrincipalName;

/// How much of a message is kept, in bytes. A rule that reads messages refuses a longer one.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Whom a commit names, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The name, any bytes.
    pub name: Vec<u8>,
    /// The e-mail address, any bytes.
    pub email: Vec<u8>,
    /// Whose address that is. `None`: nobody's in the roster.
    pub owner: Option<PrincipalName>,
    /// The date.
    pub when: Moment,
}

/// A commit that arrives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// The commit.
    pub oid: Oid,
    /// How many parents it has.
    pub parents: usize,
    /// Who claims to have written it.
    pub author: Claim,
    /// Who claims to have committed it.
    pub committer: Claim,
    /// What it says its message is written in; without a word, UTF-8.
    pub encoding: Option<Vec<u8>>,
    /// The message, as it stands, up to [`MESSAGE_BYTES_MAX`].
    pub message: Vec<u8>,
    /// The message's first paragraph on one line.
    pub subject: Vec<u8>,
    /// Whether the message is longer than what is kept.
    pub cut: bool,
    /// The trailers, names and values, in order; empty where no rule asked for messages.
    pub trailers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Who brought it, by the log; nobody at all for what is from before genesis. `None`: no rule
    /// asked.
    pub bringers: Option<Makers>,
}

impl Arrival {
    /// Whether it is a merge.
    pub const fn is_merge(&self) -> bool {
        self.parents > 1
    }
}

/// The commits that arrive on a ref.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arrivals {
    /// The commits, newest first, without those that are passed over (`since`).
    pub commits: Vec<Arrival>,
    /// How many arrive, those that are passed over too.
    pub count: usize,
    /// The commit they build on, where it is one that they all follow.
    pub base: Option<Oid>,
    /// The newest commit that arrives, passed over or not.
    pub last: Option<Oid>,
    /// Whether a merge is among those that arrive.
    pub has_merges: bool,
}

impl Arrivals {
    /// The same without a commit that nobody has made yet: the merge that a question is about.
    pub fn leave_out(&mut self, commit: &Oid) {
        self.commits.retain(|one| one.oid != *commit);
    }
}
