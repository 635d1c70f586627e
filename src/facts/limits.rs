//! Every bound of one push, named, in one place: what `[limits]` may set.
//!
//! Made by `policy`; obeyed by `hook`, `gather` and `message`. Past a bound the answer is no, and
//! names the bound. What no policy may change (the length of a refname, of a statement's line)
//! stands with its type instead. `docs/limits.md` has both.
//!
//! Invariant: every value is at least 1 and at most its row's `max`.

/// How much of everything one push may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Ref updates in one push.
    pub refs: usize,
    /// Bytes that Git may write to a hook's standard input.
    pub stdin_bytes: usize,
    /// Push options of one push.
    pub push_options: usize,
    /// Bytes of one push option.
    pub push_option_bytes: usize,
    /// Commits walked for one push.
    pub commits: usize,
    /// Bytes of all commits walked at a time.
    pub commit_bytes: usize,
    /// Bytes of one commit, tag or folder.
    pub object_bytes: usize,
    /// Changed entries of one step.
    pub delta_entries: usize,
    /// Changes of all commits that arrive on one ref.
    pub intake_entries: usize,
    /// Folders within folders.
    pub tree_depth: usize,
    /// Bytes of the folders that lead to one changed path.
    pub tree_bytes: usize,
    /// Tags that lead to tags.
    pub tag_chain: usize,
    /// Parents of one commit.
    pub parents: usize,
    /// Merge bases of one merge.
    pub merge_bases: usize,
    /// Bytes of one file whose lines are merged.
    pub merge_file_bytes: u64,
    /// Bytes of one statement.
    pub statement_bytes: usize,
    /// Statements of one signer within a day.
    pub statements_a_day: usize,
    /// Bytes of one file that is looked into.
    pub blob_bytes: u64,
    /// Bytes of all files that are looked into.
    pub blob_budget_bytes: u64,
    /// Lines of one answer.
    pub message_lines: usize,
    /// Bytes of one answer.
    pub message_bytes: usize,
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
    /// What whoever meets it can do, to follow "hint:".
    pub instead: &'static str,
    /// What holds without a word in the policy.
    pub default: u64,
    /// The most a policy may ask for.
    pub max: u64,
    /// Puts a value in its place.
    pub set: fn(&mut Limits, u64),
}

/// The row of a key.
pub fn row(key: &str) -> Option<&'static LimitDoc> {
    LIMITS.iter().find(|row| row.key == key)
}

/// Every row, in the order of the starter policy.
pub static LIMITS: &[LimitDoc] = &[
    LimitDoc {
        key: "refs",
        doc: "ref updates in one push",
        instead: "push fewer refs at a time",
        default: 5_000,
        max: 1_000_000,
        set: |limits, value| limits.refs = count(value),
    },
    LimitDoc {
        key: "stdin-bytes",
        doc: "bytes that Git may write to the hook, a line for each ref update",
        instead: "push fewer refs at a time",
        default: 4 * MIB,
        max: 1024 * MIB,
        set: |limits, value| limits.stdin_bytes = count(value),
    },
    LimitDoc {
        key: "push-options",
        doc: "push options of one push",
        instead: "send fewer of them with git push -o",
        default: 64,
        max: 1_000,
        set: |limits, value| limits.push_options = count(value),
    },
    LimitDoc {
        key: "push-option-bytes",
        doc: "bytes of one push option",
        instead: "say less in it",
        default: 4 * KIB,
        max: 64 * KIB,
        set: |limits, value| limits.push_option_bytes = count(value),
    },
    LimitDoc {
        key: "commits",
        doc: "commits walked for one push",
        instead: "push older commits first, then the rest",
        default: 100_000,
        max: 10_000_000,
        set: |limits, value| limits.commits = count(value),
    },
    LimitDoc {
        key: "commit-bytes",
        doc: "bytes of all commits that are walked at a time",
        instead: "push older commits first, then the rest",
        default: 128 * MIB,
        max: 16 * GIB,
        set: |limits, value| limits.commit_bytes = count(value),
    },
    LimitDoc {
        key: "object-bytes",
        doc: "bytes of one commit, tag or folder",
        instead: "make the message shorter, or the folder smaller",
        default: 8 * MIB,
        max: 1024 * MIB,
        set: |limits, value| limits.object_bytes = count(value),
    },
    LimitDoc {
        key: "delta-entries",
        doc: "changed paths of one step, and of each side of a merge that is made again",
        instead: "change fewer files at a time, or bring the branch up to date before it lands",
        default: 100_000,
        max: 10_000_000,
        set: |limits, value| limits.delta_entries = count(value),
    },
    LimitDoc {
        key: "intake-entries",
        doc: "changed paths of all commits of one push, where a rule looks at each commit",
        instead: "push older commits first, then the rest",
        default: 500_000,
        max: 10_000_000,
        set: |limits, value| limits.intake_entries = count(value),
    },
    LimitDoc {
        key: "tree-depth",
        doc: "folders within folders",
        instead: "nest fewer folders",
        default: 256,
        max: 2_048,
        set: |limits, value| limits.tree_depth = count(value),
    },
    LimitDoc {
        key: "tree-bytes",
        doc: "bytes of the folders that lead to one changed path",
        instead: "make the folders smaller",
        default: 64 * MIB,
        max: 4 * GIB,
        set: |limits, value| limits.tree_bytes = count(value),
    },
    LimitDoc {
        key: "tag-chain",
        doc: "tags that lead to tags",
        instead: "let the tag name the commit itself",
        default: 10,
        max: 100,
        set: |limits, value| limits.tag_chain = count(value),
    },
    LimitDoc {
        key: "parents",
        doc: "parents of one commit",
        instead: "merge fewer branches at a time",
        default: 16,
        max: 1_000,
        set: |limits, value| limits.parents = count(value),
    },
    LimitDoc {
        key: "merge-bases",
        doc: "merge bases of one merge",
        instead: "merge the branch into the topic and push that first",
        default: 8,
        max: 64,
        set: |limits, value| limits.merge_bases = count(value),
    },
    LimitDoc {
        key: "merge-file-bytes",
        doc: "bytes of one file whose lines are merged; a larger one counts as a conflict",
        instead: "settle it by hand, push it and have it approved",
        default: 16 * MIB,
        max: 1024 * MIB,
        set: |limits, value| limits.merge_file_bytes = value,
    },
    LimitDoc {
        key: "statement-bytes",
        doc: "bytes of one approval or check, of gittuf's too",
        instead: "make it with portcullis approve or attest",
        default: 16 * KIB,
        max: 16 * KIB,
        set: |limits, value| limits.statement_bytes = count(value),
    },
    LimitDoc {
        key: "statements-a-day",
        doc: "approvals and checks that one person or machine may leave within 24 hours",
        instead: "wait until the first of them is a day old",
        default: 1_000,
        max: 100_000,
        set: |limits, value| limits.statements_a_day = count(value),
    },
    LimitDoc {
        key: "blob-bytes",
        doc: "bytes of one file that is looked into; a larger one counts as what its name suggests",
        instead: "make the file smaller",
        default: MIB,
        max: 64 * MIB,
        set: |limits, value| limits.blob_bytes = value,
    },
    LimitDoc {
        key: "blob-budget-bytes",
        doc: "bytes of all files that one push makes the gate look into; past it a file counts as what its name suggests",
        instead: "change fewer files at a time",
        default: 16 * MIB,
        max: 1024 * MIB,
        set: |limits, value| limits.blob_budget_bytes = value,
    },
    LimitDoc {
        key: "message-lines",
        doc: "lines of one answer; what is cut is counted, and whole in the log",
        instead: "read the log's entry",
        default: 200,
        max: 10_000,
        set: |limits, value| limits.message_lines = count(value),
    },
    LimitDoc {
        key: "message-bytes",
        doc: "bytes of one answer; what is cut is counted, and whole in the log",
        instead: "read the log's entry",
        default: 16 * KIB,
        max: 48 * KIB,
        set: |limits, value| limits.message_bytes = count(value),
    },
    LimitDoc {
        key: "deadline-seconds",
        doc: "seconds until the gate gives up and refuses",
        instead: "push less at a time",
        default: 30,
        max: 3_600,
        set: |limits, value| limits.deadline_seconds = value,
    },
    LimitDoc {
        key: "log-free-bytes",
        doc: "bytes that must be free on the change log's disk, or else no push is accepted",
        instead: "tell the operators",
        default: 16 * MIB,
        max: PIB,
        set: |limits, value| limits.log_free_bytes = value,
    },
    LimitDoc {
        key: "log-warn-bytes",
        doc: "bytes below which every accepted push says that this disk is nearly full",
        instead: "tell the operators",
        default: 256 * MIB,
        max: PIB,
        set: |limits, value| limits.log_warn_bytes = value,
    },
];

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const PIB: u64 = 1024 * 1024 * GIB;

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
            push_options: 0,
            push_option_bytes: 0,
            commits: 0,
            commit_bytes: 0,
            object_bytes: 0,
            delta_entries: 0,
            intake_entries: 0,
            tree_depth: 0,
            tree_bytes: 0,
            tag_chain: 0,
            parents: 0,
            merge_bases: 0,
            merge_file_bytes: 0,
            statement_bytes: 0,
            statements_a_day: 0,
            blob_bytes: 0,
            blob_budget_bytes: 0,
            message_lines: 0,
            message_bytes: 0,
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
            assert!(!row.doc.ends_with('.') && !row.instead.ends_with('.'), "{}", row.key);
        }
    }
}
