//! `message`: how the messages of arriving commits are written.

use crate::facts::needs::{ArrivalsOf, Needs, Since};
use crate::pattern::text::{self, TextPattern, Wanted};
use crate::rules::commits::{self, Merges};
use crate::rules::message_judge;
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::since;
use crate::rules::view::View;
use crate::source::problem::Problems;
use crate::source::table::Table;
use crate::source::text::Located;
use crate::verdict::finding::Ruling;

/// The longest subject or line that a policy may allow, in characters.
const WIDTH_MAX: u64 = 10_000;

/// The kind.
pub static KIND: Kind = Kind {
    name: "message",
    summary: "the messages of arriving commits have a form",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional(
            "subject-max",
            Shape::Count,
            "how many characters the first line may have",
        ),
        KeyDoc::optional(
            "subject-period",
            Shape::Word(period_names),
            "whether the first line ends with a full stop: \"deny\" or \"require\"; either may be \
             without it",
        ),
        KeyDoc::optional(
            "subject-match",
            Shape::Regexes,
            "regular expressions that each find a match in the first line",
        ),
        KeyDoc::optional(
            "subject-reject",
            Shape::Regexes,
            "regular expressions of which none finds a match in the first line",
        ),
        KeyDoc {
            default: Some("false"),
            ..KeyDoc::optional(
                "blank-second-line",
                Shape::Flag,
                "true: the second line, if any, is empty",
            )
        },
        KeyDoc::optional("line-max", Shape::Count, "how many characters any other line may have"),
        KeyDoc::optional(
            "match",
            Shape::Regexes,
            "regular expressions that each find a match somewhere in the message",
        ),
        KeyDoc::optional(
            "reject",
            Shape::Regexes,
            "regular expressions of which none finds a match anywhere in the message",
        ),
        KeyDoc::optional(
            "trailers",
            Shape::Names,
            "trailers that must be there: a name, \"Ticket\", or a name and a regular expression \
             for its value, \"Ticket: ^OPS-[0-9]+$\"",
        ),
        KeyDoc::optional(
            "signed-off-by",
            Shape::Word(signed_off_names),
            "whose Signed-off-by must be there, by e-mail: \"author\", \"committer\" or \
             \"anybody\"; nobody signs twice",
        ),
        KeyDoc::optional(
            "encoding",
            Shape::Word(encoding_names),
            "what messages are written in: \"utf-8\", and say no other; or only the characters of \
             \"iso-8859-15\" or \"ascii\"",
        ),
        KeyDoc {
            default: Some("false"),
            ..KeyDoc::optional(
                "plain-text",
                Shape::Flag,
                "true: no control characters, and none that are invisible or turn the direction \
                 of text",
            )
        },
        KeyDoc {
            default: Some("false"),
            ..KeyDoc::optional(
                "no-leftovers",
                Shape::Flag,
                "true: none of what Git and editors leave behind: lists of conflicts, conflict \
                 markers, scissors, instructions, subjects that begin with fixup!, squash! or \
                 amend!",
            )
        },
        commits::MERGES,
        since::KEY,
    ],
    keys_later: &[],
    compile,
};

/// How the first line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    /// Never with a full stop.
    Deny,
    /// Always.
    Require,
}

const PERIODS: &[(&str, Period)] = &[("deny", Period::Deny), ("require", Period::Require)];

/// Whose sign-off must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignedOff {
    /// The author's.
    Author,
    /// The committer's.
    Committer,
    /// Anybody's.
    Anybody,
}

const SIGNED_OFF: &[(&str, SignedOff)] = &[
    ("author", SignedOff::Author),
    ("committer", SignedOff::Committer),
    ("anybody", SignedOff::Anybody),
];

/// What messages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8, of the characters of ISO 8859-15 only.
    Latin9,
    /// ASCII.
    Ascii,
}

const ENCODINGS: &[(&str, Encoding)] =
    &[("utf-8", Encoding::Utf8), ("iso-8859-15", Encoding::Latin9), ("ascii", Encoding::Ascii)];

fn period_names() -> Vec<&'static str> {
    PERIODS.iter().map(|(name, _)| *name).collect()
}

fn signed_off_names() -> Vec<&'static str> {
    SIGNED_OFF.iter().map(|(name, _)| *name).collect()
}

fn encoding_names() -> Vec<&'static str> {
    ENCODINGS.iter().map(|(name, _)| *name).collect()
}

/// A trailer that must be there.
#[derive(Clone, Debug)]
pub(crate) struct Trailer {
    /// Its name; letters match in either case.
    pub(crate) name: String,
    /// What its value must match; anything but nothing, without one.
    pub(crate) value: Option<TextPattern>,
}

/// How messages are written.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) subject_max: Option<usize>,
    pub(crate) period: Option<Period>,
    pub(crate) subject_match: Vec<TextPattern>,
    pub(crate) subject_reject: Vec<TextPattern>,
    pub(crate) blank_second_line: bool,
    pub(crate) line_max: Option<usize>,
    pub(crate) matches: Vec<TextPattern>,
    pub(crate) reject: Vec<TextPattern>,
    pub(crate) trailers: Vec<Trailer>,
    pub(crate) signed_off: Option<SignedOff>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) plain_text: bool,
    pub(crate) no_leftovers: bool,
    pub(crate) merges: Merges,
    pub(crate) since: Since,
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let table = &mut *body.table;
    let rule = Message {
        subject_max: width(table, "subject-max", problems),
        period: table.word("subject-period", PERIODS, problems).map(|word| word.value),
        subject_match: text::read(table, "subject-match", Wanted::Match, problems),
        subject_reject: text::read(table, "subject-reject", Wanted::NoMatch, problems),
        blank_second_line: flag(table, "blank-second-line", problems),
        line_max: width(table, "line-max", problems),
        matches: text::read(table, "match", Wanted::Match, problems),
        reject: text::read(table, "reject", Wanted::NoMatch, problems),
        trailers: trailers(table, problems),
        signed_off: table.word("signed-off-by", SIGNED_OFF, problems).map(|word| word.value),
        encoding: table.word("encoding", ENCODINGS, problems).map(|word| word.value),
        plain_text: flag(table, "plain-text", problems),
        no_leftovers: flag(table, "no-leftovers", problems),
        merges: Merges::read(table, problems),
        since: since::read(table, problems),
    };
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

fn flag(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> bool {
    table.flag(key, problems).is_some_and(|flag| flag.value)
}

fn width(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> Option<usize> {
    let written = table.count(key, problems)?;
    if !(1..=WIDTH_MAX).contains(&written.value) {
        let hint = "take it out where any width will do";
        let what = format!("`{key}` goes from 1 to {WIDTH_MAX}");
        problems.error_hint(&written.spot, what, hint);
        return None;
    }
    usize::try_from(written.value).ok()
}

fn trailers(table: &mut Table<'_>, problems: &mut Problems) -> Vec<Trailer> {
    let Some(list) = table.texts_or_text("trailers", problems) else { return Vec::new() };
    if list.value.is_empty() {
        problems.error_hint(&list.spot, "`trailers` is empty", "name some, or take the key out");
    }
    if list.value.len() > text::TEXT_PATTERNS_MAX {
        let what = format!("more than {} trailers", text::TEXT_PATTERNS_MAX);
        problems.error(&list.spot, what);
        return Vec::new();
    }
    list.value.iter().filter_map(|written| trailer(written, problems)).collect()
}

fn trailer(written: &Located<String>, problems: &mut Problems) -> Option<Trailer> {
    let (name, value) = match written.value.split_once(':') {
        Some((name, value)) => (name, Some(value.trim())),
        None => (written.value.as_str(), None),
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(fits) {
        let hint = "letters, digits and `-`, as in \"Ticket\" or \"Ticket: ^OPS-[0-9]+$\"";
        problems.error_hint(&written.spot, "no trailer can be called this", hint);
        return None;
    }
    let value = match value {
        Some("") | None => None,
        Some(value) => {
            let value = Located { value: value.to_owned(), spot: written.spot.clone() };
            Some(text::one(&value, "trailers", Wanted::Match, problems)?)
        }
    };
    Some(Trailer { name: name.to_owned(), value })
}

impl Rule for Message {
    fn needs(&self) -> Needs {
        let since = self.since.clone();
        Needs { arrivals: ArrivalsOf::Claims, since, ..Needs::default() }
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        message_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"The messages of arriving commits have a form that people and programs can
read. Every message has a first line that says something; all else is asked
only where a key asks it.

    [rule.messages]
    kind              = "message"
    refs              = ["@default", "release/**"]
    subject-max       = 72
    blank-second-line = true
    line-max          = 76
    trailers          = ['Ticket: ^OPS-[0-9]+$']
    signed-off-by     = "author"
    reject            = ['(?i)\bdo not merge\b']
    encoding          = "utf-8"
    plain-text        = true
    no-leftovers      = true
    since             = 2026-11-01

Every commit that a push brings to the ref is judged, those of merged branches
too, whoever made them and wherever; what already stood on a branch of the
rule's own `starts` (without the key: of its `refs`) is not asked again when a
new branch is made from it. No word in a message switches this off.

Regular expressions find their match anywhere: `^` and `$` are the ends of a
line, `\A` and `\z` those of the whole; `.` is a byte, `(?i)` takes letters in
either case. They take time that grows with the message and no faster.

  starts with X     match = ['\AX']
  ends with X       match = ['X\s*\z']
  contains X        match = ['X']
  must not          reject in place of match

Widths are counted in characters, as a message shows them. A message longer
than 64 KiB is refused as such. Trailers are found as git interpret-trailers
finds them: in the last paragraph.
"#;
