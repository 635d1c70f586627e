//! The answer to a question asked by pushing, as it travels: one line of JSON.
//!
//! Written by the hook, read by the verbs that run in a clone. Its own shape and version, apart
//! from the types that judging uses, so that a client and a server of two versions understand each
//! other: unknown fields are passed over, fields that came later have defaults. Everything in it is
//! text that the reader checks and escapes before use; a client believes nothing of it that it can
//! compute itself.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of this shape. A client refuses a higher one.
pub const VERSION: u32 = 1;

/// How the line begins that carries the answer.
pub const LINE_BEGIN: &str = "portcullis-answer: ";

/// The push option that makes a push a question.
pub const ASK_OPTION: &str = "ask";

/// The push option that asks for the answer in this shape, too.
pub const JSON_OPTION: &str = "json";

/// The folder of the refs that questions are pushed to: what follows is the ref asked about,
/// without `refs/`.
pub const ASK_REFS: &str = "refs/portcullis/ask/";

/// The kind of the rule that stands in an answer for a debt that is asked about.
pub const DEBT_KIND: &str = "debt";

/// How long an answer may be, in bytes. What a server would have to say beyond it is cut there.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Everything a server says about landing one commit on one ref.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// `VERSION`.
    pub v: u32,
    /// Who asks, as the gate sees it.
    pub you: You,
    /// The repository's id.
    pub repository: String,
    /// The ref asked about, in full.
    #[serde(rename = "ref")]
    pub refname: String,
    /// Its value; absent where it does not exist.
    pub value: Option<String>,
    /// Where the delta begins: the merge base, or the zero oid.
    pub base: String,
    /// What would land.
    pub commit: String,
    /// `sha256:` and 64 digits.
    pub delta: String,
    /// The key of ref and delta, 40 digits.
    pub key: String,
    /// The server's time, RFC 3339.
    pub now: String,
    /// How many entries the delta has.
    #[serde(default)]
    pub delta_lines: u64,
    /// How many entries of the ref the landing would change; absent where there is no landing to
    /// look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing_lines: Option<u64>,
    /// Whether the commit was on the server before it was asked about; absent: not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_server: Option<bool>,
    /// How a change may land on the ref, as the policy names it: `merge`, `fast-forward`, `squash`,
    /// `rebase`. Empty: no rule says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The paths in which the commit and the ref do not merge by themselves, the first few. Other
    /// rules are not asked then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
    /// Who made the change, as far as they are in the policy; their approval does not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub makers: Vec<MakerAnswer>,
    /// A commit whose maker nobody knows, so that one approval more is asked, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_maker: Option<String>,
    /// The rules that name the ref.
    #[serde(default)]
    pub rules: Vec<RuleAnswer>,
    /// The statements about this delta that the server has.
    #[serde(default)]
    pub approvals: Vec<ApprovalAnswer>,
    /// The ref's latest landings, newest first.
    #[serde(default)]
    pub landings: Vec<LandingAnswer>,
    /// What broken glasses on the ref owe, oldest first.
    #[serde(default)]
    pub debts: Vec<DebtAnswer>,
    /// Commits of the change that nobody has brought yet, the first of them.
    #[serde(default)]
    pub nobody_brought: Vec<String>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nobody_brought_more: u64,
    /// The log entry of this question; absent where none could be written.
    #[serde(default)]
    pub entry: Option<u64>,
    /// The log's head, as printed to pushers.
    #[serde(default)]
    pub head: String,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct You {
    /// Their name in the policy; absent for someone who is not in it.
    pub name: Option<String>,
    /// `person` or `machine`, or what the gate calls someone unlisted.
    #[serde(default)]
    pub kind: String,
    /// What the source of identity calls them.
    #[serde(default)]
    pub login: String,
    /// The fingerprints of the keys that the policy has for them; empty: not said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// Somebody who made the change.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MakerAnswer {
    /// Their name in the policy.
    pub person: String,
    /// How that is known, to follow the name: `pushed 3f2a9c1`.
    pub why: String,
}

/// What one rule would say.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleAnswer {
    /// Its name.
    pub rule: String,
    /// Its kind.
    pub kind: String,
    /// `refuse` or `warn`.
    pub level: String,
    /// `FILE:LINE`, as a pusher is shown it.
    pub place: String,
    /// Whether the landing satisfies it now.
    pub satisfied: bool,
    /// What was found, in one line.
    #[serde(default)]
    pub what: String,
    /// The evidence that was looked at.
    #[serde(default)]
    pub lines: Vec<String>,
    /// What to do.
    #[serde(default)]
    pub hints: Vec<String>,
    /// Whose word is missing, where that is what is missing.
    #[serde(default)]
    pub missing: Option<Missing>,
    /// Whose word can count at all; empty where the rule asks for nobody's, or does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<String>,
    /// The policy's own words on why the rule is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Whose word is missing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Missing {
    /// How many approvals.
    pub approvals: u64,
    /// Who can give one; makers are not among them.
    #[serde(default)]
    pub from: Vec<String>,
}

/// One statement that the server has about this delta.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ApprovalAnswer {
    /// Who said it.
    pub person: String,
    /// What: `approve`, `reject`, `revoke`, `pass`, `fail`.
    pub verdict: String,
    /// When, RFC 3339 in whole seconds.
    pub date: String,
    /// Whether some rule counts it.
    pub counts: bool,
    /// Why, or why not.
    #[serde(default)]
    pub why: String,
    /// Until when it counts, RFC 3339; absent where that no longer matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The name of the check; absent for a person's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Where a check's details are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// One landing on the ref.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LandingAnswer {
    /// The log entry that let it in.
    pub entry: u64,
    /// The value that the ref had after it.
    pub commit: String,
    /// Who pushed it.
    #[serde(default)]
    pub by: String,
    /// When, RFC 3339.
    #[serde(default)]
    pub at: String,
    /// Whether a rollback may go back to it; absent where the policy has no `[rollback]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<bool>,
    /// Why it may not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state_why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What one broken glass owes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DebtAnswer {
    /// The log entry that let it in.
    pub entry: u64,
    /// The commit that it ended at: what is to be approved.
    pub commit: String,
    /// Who broke the glass.
    #[serde(default)]
    pub by: String,
    /// Why, in their words.
    #[serde(default)]
    pub reason: String,
    /// When, RFC 3339.
    #[serde(default)]
    pub at: String,
    /// Until when it is to be settled, RFC 3339.
    #[serde(default)]
    pub due: String,
    /// Whether that is over.
    #[serde(default)]
    pub overdue: bool,
    /// Whose word is missing, rule by rule.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// Why an answer cannot be read.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// No line of the server's output carries one.
    #[error("the server gave no answer that this version of portcullis reads")]
    Missing,
    /// Longer than `ANSWER_BYTES_MAX`.
    #[error("the server's answer has more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// It is not the JSON that was expected.
    #[error("the server's answer cannot be read")]
    Json(#[source] serde_json::Error),
    /// It is from a later version.
    #[error("the server answers in version {found}, this portcullis reads up to {VERSION}")]
    Later {
        /// The version that it names.
        found: u32,
    },
}

/// Enough of any version to know which one it is.
#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

impl Answer {
    /// The line to print, without its LF. JSON text holds no line breaks.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|json| format!("{LINE_BEGIN}{json}"))
    }

    /// Finds the answer in what `git push` printed: behind `remote: `, with blanks or a terminal's
    /// "clear to the end of the line" behind it, as Git adds them.
    pub fn find(output: &[u8]) -> Result<Self, AnswerError> {
        let line = output
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .filter_map(|line| line.strip_prefix(b"remote: "))
            .find_map(|line| line.strip_prefix(LINE_BEGIN.as_bytes()))
            .ok_or(AnswerError::Missing)?;
        if line.len() > ANSWER_BYTES_MAX {
            return Err(AnswerError::TooLong);
        }
        let line = line.trim_ascii_end();
        let line = line.strip_suffix(CLEAR_TO_END).unwrap_or(line).trim_ascii_end();
        let Versioned { v } = serde_json::from_slice(line).map_err(AnswerError::Json)?;
        if v > VERSION {
            return Err(AnswerError::Later { found: v });
        }
        serde_json::from_slice(line).map_err(AnswerError::Json)
    }
}

/// What Git prints behind each relayed line on a terminal.
const CLEAR_TO_END: &[u8] = b"\x1b[K";

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot prepare its input has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer() -> Answer {
        Answer {
            v: VERSION,
            you: You {
                name: Some("bob".into()),
                kind: "person".into(),
                login: "b".into(),
                keys: vec![],
            },
            repository: "infra-5f0c91ab".into(),
            refname: "refs/heads/main".into(),
            value: None,
            base: "0".repeat(40),
            commit: "1".repeat(40),
            delta: format!("sha256:{}", "2".repeat(64)),
            key: "3".repeat(40),
            now: "2026-11-22T21:00:00Z".into(),
            delta_lines: 1,
            rules: vec![RuleAnswer {
                rule: "infra-review".into(),
                kind: "approval".into(),
                level: "refuse".into(),
                place: "policy.toml:9".into(),
                satisfied: false,
                what: "0 of 1 approvals".into(),
                lines: vec!["a \"quoted\"\nline".into()],
                hints: vec![],
                missing: Some(Missing { approvals: 1, from: vec!["bob".into()] }),
                ..RuleAnswer::default()
            }],
            entry: Some(12),
            head: "8c1f2ad0e5b7".into(),
            ..Answer::default()
        }
    }

    #[test]
    fn an_answer_is_found_between_other_lines_whatever_git_adds() {
        let line = answer().to_line().unwrap();
        assert!(!line.contains('\n'));
        for behind in ["", "        ", "\x1b[K", "   \x1b[K  ", "\r"] {
            let output =
                format!("Enumerating\nremote: \nremote: error: x\nremote: {line}{behind}\nTo y\n");
            assert_eq!(Answer::find(output.as_bytes()).unwrap(), answer(), "{behind:?}");
        }
    }

    #[test]
    fn only_a_line_of_the_remote_counts() {
        let line = answer().to_line().unwrap();
        assert!(matches!(Answer::find(line.as_bytes()), Err(AnswerError::Missing)));
        assert!(matches!(Answer::find(b""), Err(AnswerError::Missing)));
    }

    #[test]
    fn a_later_version_says_so_and_an_unknown_field_does_not_matter() {
        let line = answer().to_line().unwrap();
        let later = format!("remote: {}", line.replacen("{\"v\":1,", "{\"v\":2,\"x\":[],", 1));
        assert!(matches!(Answer::find(later.as_bytes()), Err(AnswerError::Later { found: 2 })));
        let more = format!("remote: {}", line.replacen("{\"v\":1,", "{\"v\":1,\"x\":[],", 1));
        assert_eq!(Answer::find(more.as_bytes()).unwrap(), answer());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Answer::find(&[b"remote: portcullis-answer: ".as_slice(), &bytes].concat());
        }
    }
}
