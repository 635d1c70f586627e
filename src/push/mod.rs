//! What Git asked for: the ref updates of one push, who pushes, through which door, and when.
//!
//! Made by `hook::wire` from stdin, argv and the environment; read by everything below `hook`.
//! Nothing here is believed about the repository: old and new oids are claims of the client
//! (`git help githooks`, pre-receive) until `gather` has looked.

pub mod certificate;
pub mod env;
pub mod pusher;
pub mod update;

use crate::names::moment::Moment;
use crate::push::certificate::Certified;
use crate::push::pusher::Pusher;
use crate::push::update::RefUpdate;

/// Which hook Git is running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// Once a push, all ref updates at once, objects in quarantine.
    PreReceive,
    /// Once a ref update, objects already in the store, no push options.
    Update,
}

impl Door {
    /// The hook's file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
        }
    }
}

/// What a door can or cannot show. Not seen is not the same as "there is none".
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen<T> {
    /// All there is.
    All(T),
    /// This hook is not shown such things.
    NotHere,
}

/// A push as Git describes it to a hook.
#[derive(Clone, Debug)]
pub struct Push {
    /// The hook that was called.
    pub door: Door,
    /// Who pushes, as far as the server can tell.
    pub pusher: Pusher,
    /// The ref updates, in Git's order.
    pub updates: Vec<RefUpdate>,
    /// Push options, any bytes (`git push -o`); the update hook is not shown them.
    pub options: Seen<Vec<Vec<u8>>>,
    /// The push certificate (`git push --signed`), looked at; the update hook is not shown it.
    pub certificate: Seen<Option<Certified>>,
    /// `GIT_NAMESPACE`, when the server uses namespaces (`git help gitnamespaces`).
    pub namespace: Option<Vec<u8>>,
    /// The server's time when the hook began.
    pub moment: Moment,
}
