//! Every bound of one push, named, in one place: what `[limits]` may set.
//!
//! Made by `policy`; obeyed by `hook`, `gather` and `message`. Past a bound the answer is no, and
//! names the bound. What no policy may change (the length of a refname, of a statement's line)
//! stands with its type instead.
//!
//! Invariant: every value is at least 1 and at most its row's `max`.

/// How much of everything one push may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Ref updates in one push.
    pub refs: usize,
    /// Bytes that Git may write to a hook's standard input.
    pub stdin_bytes: usize,
    /// Commits walked for one push.
    pub commits: usize,
    /// Changed entries of one step.
    pub delta_entries: usize,
    /// Changes of all commits that arrive on one ref.
    pub intake_entries: usize,
    /// Folders within folders.
    pub tree_depth: usize,
    /// Tags that lead to tags.
    pub tag_chain: usize,
    /// Parents of one commit.
    pub parents: usize,
    /// Bytes of one statement.
    pub statement_bytes: usize,
    /// Bytes of one file that is looked into.
    pub blob_bytes: u64,
    /// Bytes of all files that are looked into.
    pub blob_budget_bytes: u64,
    /// Lines of one answer.
    pub message_lines: usize,
    /// Seconds until the gate gives up.
    pub deadline_seconds: u64,
    /// Bytes that must be free on the log's disk.
    pub log_free_bytes: u64,
    /// Bytes below which the log's disk is said to be nearly full.
    pub log_warn_bytes: u64,
}

/// One row of `[limits]`.
pub struct LimitDoc {
    /// The key.
    pub key: &'static str,
    /// What it bounds, a sentence without a full stop.
    pub doc: &'static str,
    /// What holds without a word in the policy.
    pub default: u64,
    /// The most a policy may ask for.
    pub max: u64,
    /// Puts a value in its place.
    pub set: fn(&mut Limits, u64),
}

/// Every row, in the order of the starter policy.
pub static LIMITS: &[LimitDoc] = &[
    LimitDoc {
        key: "refs",
        doc: "ref updates in one push",
        default: 5_000,
        max: 1_000_000,
        set: |limits, value| limits.refs = count(value),
    },
    LimitDoc {
        key: "stdin-bytes",
        doc: "bytes that Git may write to the hook",
        default: 4 * MIB,
        max: 1024 * MIB,
        set: |limits, value| limits.stdin_bytes = count(value),
    },
    LimitDoc {
        key: "commits",
        doc: "commits walked for one push",
        default: 100_000,
        max: 10_000_000,
        set: |limits, value| limits.commits = count(value),
    },
    LimitDoc {
        key: "delta-entries",
        doc: "changed paths of one step",
        default: 100_000,
        max: 10_000_000,
        set: |limits, value| limits.delta_entries = count(value),
    },
    LimitDoc {
        key: "intake-entries",
        doc: "changed paths of all commits of one push, where a rule looks at each commit",
        default: 500_000,
        max: 10_000_000,
        set: |limits, value| limits.intake_entries = count(value),
    },
    LimitDoc {
        key: "tree-depth",
        doc: "folders within folders",
        default: 256,
        max: 2_048,
        set: |limits, value| limits.tree_depth = count(value),
    },
    LimitDoc {
        key: "tag-chain",
        doc: "tags that lead to tags",
        default: 10,
        max: 100,
        set: |limits, value| limits.tag_chain = count(value),
    },
    LimitDoc {
        key: "parents",
        doc: "parents of one commit",
        default: 16,
        max: 1_000,
        set: |limits, value| limits.parents = count(value),
    },
    LimitDoc {
        key: "statement-bytes",
        doc: "bytes of one approval",
        default: 16 * KIB,
        max: 16 * KIB,
        set: |limits, value| limits.statement_bytes = count(value),
    },
    LimitDoc {
        key: "blob-bytes",
        doc: "bytes of one file that is looked into; a larger one counts as what its name suggests",
        default: MIB,
        max: 64 * MIB,
        set: |limits, value| limits.blob_bytes = value,
    },
    LimitDoc {
        key: "blob-budget-bytes",
        doc: "bytes of all files that one push makes the gate look into",
        default: 16 * MIB,
        max: 1024 * MIB,
        set: |limits, value| limits.blob_budget_bytes = value,
    },
    LimitDoc {
        key: "message-lines",
        doc: "lines of one answer; what is cut is counted, and whole in the log",
        default: 200,
        max: 10_000,
        set: |limits, value| limits.message_lines = count(value),
    },
    LimitDoc {
        key: "deadline-seconds",
        doc: "seconds until the gate gives up and refuses",
        default: 30,
        max: 3_600,
        set: |limits, value| limits.deadline_seconds = value,
    },
    LimitDoc {
        key: "log-free-bytes",
        doc: "bytes that must be free on the change log's disk, or else no push is accepted",
        default: 16 * MIB,
        max: PIB,
        set: |limits, value| limits.log_free_bytes = value,
    },
    LimitDoc {
        key: "log-warn-bytes",
        doc: "bytes below which every accepted push says that this disk is nearly full",
        default: 256 * MIB,
        max: PIB,
        set: |limits, value| limits.log_warn_bytes = value,
    },
];

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const PIB: u64 = 1024 * 1024 * 1024 * MIB;

/// Every value is within its `max`, which any machine's `usize` holds.
fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Default for Limits {
    /// What holds where a policy is silent.
    fn default() -> Self {
        let mut limits = Self {
            refs: 0,
            stdin_bytes: 0,
            commits: 0,
            delta_entries: 0,
            intake_entries: 0,
            tree_depth: 0,
            tag_chain: 0,
            parents: 0,
            statement_bytes: 0,
            blob_bytes: 0,
            blob_budget_bytes: 0,
            message_lines: 0,
            deadline_seconds: 0,
            log_free_bytes: 0,
            log_warn_bytes: 0,
        };
        for row in LIMITS {
            (row.set)(&mut limits, row.default);
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_row_and_a_default_within_its_bounds() {
        let shown = format!("{:?}", Limits::default());
        assert!(!shown.contains(": 0"), "{shown}");
        assert_eq!(shown.matches(": ").count(), LIMITS.len());
        for row in LIMITS {
            assert!((1..=row.max).contains(&row.default), "{}", row.key);
            assert!(!row.doc.ends_with('.'), "{}", row.key);
        }
    }
}
