//! What `status` knows of each repository.
//!
//! Plain data, made by `look`; the table, `--json` and the Prometheus file say the same because all
//! three read it.

use std::path::PathBuf;

use crate::answer::DebtAnswer;
use crate::cli::doctor::finding::{Finding, Level};
use crate::names::moment::Moment;
use crate::names::refname::Refname;

/// What a repository is to us.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It could not be looked at.
    Unseen,
    /// Nobody has put our hooks there.
    Open,
    /// Our hooks are there, or ought to be.
    Gated,
    /// A mirror of a repository elsewhere: nobody pushes to it.
    Mirror,
}

impl State {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 4] = [Self::Gated, Self::Open, Self::Mirror, Self::Unseen];

    /// The word for scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gated => "gated",
            Self::Open => "open",
            Self::Mirror => "mirror",
            Self::Unseen => "unseen",
        }
    }
}

/// What is told of one repository.
#[derive(Debug)]
pub struct Told {
    /// Its folder.
    pub path: PathBuf,
    /// What people call it.
    pub label: String,
    /// What it is to us.
    pub state: State,
    /// Whether it was made from a template of ours and gets id and log with its first push.
    pub is_new: bool,
    /// Its id; empty where it has none.
    pub repository: String,
    /// The Git server's software; empty where nothing of ours is there.
    pub platform: String,
    /// The hooks that `install` wrote down.
    pub hooks: Vec<HookTold>,
    /// The programs that the hooks call, each once.
    pub programs: Vec<Program>,
    /// The policy; `None` where it cannot be used.
    pub policy: Option<PolicyTold>,
    /// The log's last entry.
    pub last: Option<Last>,
    /// The newest seal of the log, and how often there should be one.
    pub seal: Option<SealTold>,
    /// Bytes that are free on the log's disk.
    pub free_bytes: Option<u64>,
    /// The drifts that nobody has accepted: the entry and the ref of each.
    pub drifts: Vec<(u64, String)>,
    /// How many statements wait to be used.
    pub waiting: usize,
    /// What broken glasses owe.
    pub debts: Vec<Owed>,
    /// What is not as it should be, the worst first.
    pub findings: Vec<Finding>,
}

/// A hook, and whether Git will run it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HookTold {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Whether a push meets it, as far as its file, its mode and Git's settings tell.
    pub runs: bool,
}

/// A program that hooks call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// Its file.
    pub path: PathBuf,
    /// Its version; `None`: it is not there, or nobody who is careful would run it to ask.
    pub version: Option<String>,
}

/// A policy that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyTold {
    /// The SHA-256 of all its texts, in hexadecimal.
    pub digest: String,
    /// What it does about what it finds.
    pub stance: Stance,
}

/// What a policy does about what it finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stance {
    /// Every rule refuses.
    Enforce,
    /// Some rules refuse, some warn.
    Mixed,
    /// Every rule warns.
    Warn,
}

impl Stance {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Mixed => "mixed",
            Self::Warn => "warn",
        }
    }
}

/// The log's last entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Last {
    /// Its number.
    pub entry: u64,
    /// When it was written.
    pub at: Moment,
    /// The SHA-256 of its line, in hexadecimal.
    pub head: String,
}

/// How the log is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealTold {
    /// When the newest seal was written; `None`: there is none.
    pub at: Option<Moment>,
    /// Since when nothing was sealed: the newest seal, else the log's beginning.
    pub since: Moment,
    /// How often the policy wants one, in seconds.
    pub every: Option<i64>,
    /// Whether it is late.
    pub is_overdue: bool,
}

/// A debt and the ref that owes it.
#[derive(Debug)]
pub struct Owed {
    /// The ref.
    pub refname: Refname,
    /// When the glass was broken.
    pub at: Moment,
    /// What is owed.
    pub told: DebtAnswer,
}

impl Told {
    /// A repository of which nothing is known yet.
    pub fn nothing(path: PathBuf, label: String, state: State) -> Self {
        Self {
            path,
            label,
            state,
            is_new: false,
            repository: String::new(),
            platform: String::new(),
            hooks: Vec::new(),
            programs: Vec::new(),
            policy: None,
            last: None,
            seal: None,
            free_bytes: None,
            drifts: Vec::new(),
            waiting: 0,
            debts: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// How many findings there are at this level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether somebody has to do something about it.
    pub fn needs_a_hand(&self) -> bool {
        self.count(Level::Error) > 0
    }

    /// Whether pushes are judged: every hook that decides runs, and policy and log can be used.
    pub fn is_judging(&self) -> bool {
        let decides = |hook: &&HookTold| hook.name != "post-receive";
        self.state == State::Gated
            && self.hooks.iter().any(|hook| decides(&hook))
            && self.hooks.iter().filter(decides).all(|hook| hook.runs)
            && self.policy.is_some()
            && (self.last.is_some() || self.is_new)
    }

    /// How far up in a list of worst first.
    pub fn rank(&self) -> (u8, std::cmp::Reverse<usize>, std::cmp::Reverse<usize>, State) {
        let group = match self.state {
            State::Gated if self.needs_a_hand() => 0,
            State::Unseen => 1,
            State::Open => 2,
            State::Gated => 3,
            State::Mirror => 4,
        };
        let count = |level| std::cmp::Reverse(self.count(level));
        (group, count(Level::Error), count(Level::Warning), self.state)
    }
}

/// All repositories, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// How many there are.
    pub repositories: usize,
    /// How many need a hand.
    pub hands: usize,
    /// How many of them judge pushes.
    pub judging: usize,
    /// Drifts that nobody has accepted.
    pub drifts: usize,
    /// Debts of broken glasses.
    pub debts: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Summary {
    /// Of these.
    pub fn of(all: &[Told]) -> Self {
        Self {
            repositories: all.len(),
            hands: all.iter().filter(|told| told.needs_a_hand()).count(),
            judging: all.iter().filter(|told| told.is_judging()).count(),
            drifts: all.iter().map(|told| told.drifts.len()).sum(),
            debts: all.iter().map(|told| told.debts.len()).sum(),
            warnings: all.iter().map(|told| told.count(Level::Warning)).sum(),
        }
    }
}

/// How many repositories are in this state.
pub fn in_state(all: &[Told], state: State) -> usize {
    all.iter().filter(|told| told.state == state).count()
}
