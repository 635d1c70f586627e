//! One ref, from one object to another, as the client claims it.

use crate::names::oid::Oid;
use crate::names::refname::Refname;

/// One line of pre-receive's stdin, or the arguments of `update`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefUpdate {
    /// The ref.
    pub name: Refname,
    /// The value the client believes the ref has; zero: it believes there is none.
    pub claimed_old: Oid,
    /// The value it shall have; zero: it shall be deleted.
    pub new: Oid,
}

/// What an update does to the ref's real value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// The ref does not exist yet.
    Create {
        /// Its first value.
        new: Oid,
    },
    /// The ref gets another value.
    Move {
        /// The value it has.
        old: Oid,
        /// The value it shall have.
        new: Oid,
    },
    /// The ref goes away.
    Delete {
        /// The value it has.
        old: Oid,
    },
    /// A deletion of a ref that does not exist: Git would run it unconditionally.
    Nothing,
}

impl RefUpdate {
    /// What this update does, given the value the ref really has.
    pub fn change(&self, real: Option<Oid>) -> Change {
        match (real, self.new.is_zero()) {
            (None, false) => Change::Create { new: self.new },
            (Some(old), false) => Change::Move { old, new: self.new },
            (Some(old), true) => Change::Delete { old },
            (None, true) => Change::Nothing,
        }
    }
}

impl Change {
    /// The word used in the log and in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Move { .. } => "move",
            Self::Delete { .. } => "delete",
            Self::Nothing => "nothing",
        }
    }
}
