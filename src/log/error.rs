//! What can go wrong with the log. Every one of these means no.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::facts::past::PastError;
use crate::log::entry::{FORMAT_VERSION, LINE_BYTES_MAX};
use crate::log::scan::Break;

/// The log could not be opened, read or written.
#[derive(Debug, Error)]
pub enum LogError {
    /// There is no log folder.
    #[error("there is no change log at {}", dir.display())]
    Missing {
        /// Where it should be.
        dir: PathBuf,
    },
    /// There is a folder, and no log in it.
    #[error("the change log at {} has no first entry", dir.display())]
    NoGenesis {
        /// The folder.
        dir: PathBuf,
    },
    /// A log is there already.
    #[error("there is a change log at {} already", dir.display())]
    Exists {
        /// The folder.
        dir: PathBuf,
    },
    /// A newer program has written here.
    #[error(
        "the change log at {} has version {found}, this program knows version {FORMAT_VERSION}",
        dir.display()
    )]
    Version {
        /// The folder.
        dir: PathBuf,
        /// The version found.
        found: u32,
    },
    /// A newer program has written here, in a way that only it can read.
    #[error("the change log at {} holds {what} that this program does not know", dir.display())]
    Newer {
        /// The folder.
        dir: PathBuf,
        /// What it holds.
        what: &'static str,
    },
    /// The folder is on a file system where appending and locking are not safe.
    #[error("the change log at {} is on a network file system ({name})", dir.display())]
    Remote {
        /// The folder.
        dir: PathBuf,
        /// The file system.
        name: &'static str,
    },
    /// Another process held the lock for too long.
    #[error("the change log is busy: process {holder} has held it for {seconds} seconds")]
    Busy {
        /// The process id, as it wrote it into the lock file; `?` when it did not.
        holder: String,
        /// How long we have waited.
        seconds: u64,
    },
    /// The system said no.
    #[error("could not {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes were written and may not be on the disk.
    #[error("could not bring {} to the disk", path.display())]
    NotSynced {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier failure has made this open log unfit for writing.
    #[error("an earlier write to this log failed, so nothing more is written by this run")]
    Poisoned,
    /// What was written is not what stands in the file.
    #[error("{} changed while it was locked: somebody writes to it past the lock", path.display())]
    Interfered {
        /// The file.
        path: PathBuf,
    },
    /// The log does not hold together.
    #[error("the change log is broken at {0}")]
    Broken(#[from] Break),
    /// A file has the name of a segment and is none.
    #[error("{} does not begin as a segment of the change log", path.display())]
    NoSegment {
        /// The file.
        path: PathBuf,
    },
    /// The end of the log is damaged, further back than a writer looks.
    #[error("{} holds no whole entry from byte {offset} to its end", path.display())]
    NoTail {
        /// The file.
        path: PathBuf,
        /// How far back was looked.
        offset: u64,
    },
    /// The index was lost, or much was written past it, and making it takes longer than a pusher waits.
    #[error(
        "the index of the change log at {} lacks what came behind entry {entries}: it is being made anew, a part with each push",
        dir.display()
    )]
    Unindexed {
        /// The log's folder.
        dir: PathBuf,
        /// How many entries it knows.
        entries: u64,
    },
    /// Refs moved again and again while they were held against the log.
    #[error("the refs moved too often to hold them against the change log")]
    Restless,
    /// A seal in the log does not hold.
    #[error("the seal in entry {entry} does not hold")]
    Unsealed {
        /// The entry.
        entry: u64,
    },
    /// The log has signed another tree than the one it has.
    #[error("the log has signed a checkpoint of {size} entries that these are not")]
    OtherTree {
        /// The size of the tree that was signed.
        size: u64,
    },
    /// The key that the last seal names is not where it should be.
    #[error("the key that the last seal names is gone from {}: {key}", path.display())]
    KeyGone {
        /// The public half.
        key: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// The key file holds a key of another log.
    #[error("the key in {} is that of the log `{name}`", path.display())]
    KeyOfAnother {
        /// The file.
        path: PathBuf,
        /// The name the key signs under.
        name: String,
    },
    /// The policy names a key of an agent, and nobody says where an agent is.
    #[error("no ssh-agent is named: SSH_AUTH_SOCK is not set")]
    NoAgent,
    /// The agent did not answer, or not as it should.
    #[error("the ssh-agent at {} did not sign", socket.display())]
    Agent {
        /// Its socket.
        socket: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The agent holds no such key.
    #[error("the ssh-agent at {} does not hold the key {key}", socket.display())]
    AgentLacks {
        /// The fingerprint.
        key: String,
        /// Its socket.
        socket: PathBuf,
    },
    /// The agent's key is of a kind that signs no checkpoint.
    #[error("the agent's key {key} is no Ed25519 key")]
    AgentKeyKind {
        /// The fingerprint.
        key: String,
    },
    /// The agent's key is not the one that the last seal names.
    #[error("the last seal names the key {named}, the agent has {key}")]
    AgentKeyOther {
        /// The key that should sign.
        named: String,
        /// The agent's.
        key: String,
    },
    /// The log's name cannot be the name of a key.
    #[error("the log's name `{origin}` cannot be the name of a key")]
    NoKeyName {
        /// The log's name.
        origin: String,
    },
    /// A record does not fit in a line.
    #[error("a record `{kind}` does not fit in a line of {LINE_BYTES_MAX} bytes")]
    TooLong {
        /// Its kind.
        kind: &'static str,
    },
    /// A record could not be put into words.
    #[error("a record `{kind}` could not be written as JSON")]
    Json {
        /// Its kind.
        kind: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The past could not be read.
    #[error(transparent)]
    Past(#[from] PastError),
}

impl LogError {
    /// What an operator can do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } | Self::NoGenesis { .. } => {
                "run `portcullis install` for this repository, or put the log folder back"
            }
            Self::Exists { .. } => "move it away, or go on with it",
            Self::Version { .. } | Self::Newer { .. } => "install the newest portcullis here",
            Self::Remote { .. } => {
                "keep the log on a local disk: `portcullis install --log-dir DIR`; where that cannot be and one machine alone writes: --network-log"
            }
            Self::Busy { .. } => "look whether that process is stopped; pushing again may help",
            Self::Io { .. } => "mend the disk, the space or the rights, and push again",
            Self::NotSynced { .. } | Self::Poisoned => {
                "look at the disk's health; the next push writes down what is in doubt"
            }
            Self::Restless => "push again",
            Self::Unindexed { .. } => {
                "run `portcullis log tidy`, which makes it whole at once, and push again"
            }
            Self::Interfered { .. } => "find out who else writes there",
            Self::Broken(_) | Self::NoTail { .. } | Self::NoSegment { .. } | Self::Past(_) => {
                "run `portcullis log verify`, and compare with a copy of the log"
            }
            Self::Unsealed { .. } | Self::OtherTree { .. } => {
                "the log was written anew, or mixed with another: compare with a copy of it"
            }
            Self::KeyGone { .. } => "put the file back, or begin with a new key: --new-key",
            Self::KeyOfAnother { .. } => {
                "name a file of its own for each log in `[log] key`, or a folder for all of them"
            }
            Self::NoAgent => "set SSH_AUTH_SOCK, or write agent:/SOCKET#SHA256:... in `[log] key`",
            Self::Agent { .. } => "look whether the agent runs, and whether it is locked",
            Self::AgentLacks { .. } => "add the key: ssh-add FILE",
            Self::AgentKeyKind { .. } => "make one with: ssh-keygen -t ed25519",
            Self::AgentKeyOther { .. } => {
                "add the key that is named to the agent, or begin with this one: --new-key"
            }
            Self::NoKeyName { .. } => "begin a new log on a host whose name has no space or plus",
            Self::TooLong { .. } | Self::Json { .. } => "push less at once",
        }
    }
}
