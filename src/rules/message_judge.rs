//! What `message` says of a message. Pure; every message is looked at once, line by line.

use crate::facts::arrival::{Arrival, MESSAGE_BYTES_MAX};
use crate::names::escape::is_deceptive;
use crate::pattern::text::TextPattern;
use crate::rules::commits::{Anew, Faulty, Wrong, ruling};
use crate::rules::message::{Encoding, Message, Period, SignedOff, Trailer};
use crate::rules::view::View;
use crate::verdict::finding::Ruling;
use crate::verdict::line::Line;

/// How a line begins that stands where a conflict was.
const CONFLICT_MARKERS: [&[u8]; 4] = [b"<<<<<<< ", b"||||||| ", b">>>>>>> ", b"======="];

/// How a line begins that Git writes for whoever writes the message.
const LEFT_BY_GIT: [&[u8]; 7] = [
    b"# ------------------------ >8",
    b"# Please enter the commit message",
    b"# Conflicts:",
    b"# On branch ",
    b"# Changes to be committed:",
    b"# This is a combination of ",
    b"Conflicts:",
];

/// How a subject begins of a commit that is meant for another.
const MEANT_FOR_ANOTHER: [&[u8]; 3] = [b"fixup! ", b"squash! ", b"amend! "];

/// Characters of ISO 8859-15 in place of those of ISO 8859-1, and the latter.
const LATIN9: [char; 8] = ['€', 'Š', 'š', 'Ž', 'ž', 'Œ', 'œ', 'Ÿ'];
const NOT_LATIN9: [char; 8] = ['¤', '¦', '¨', '´', '¸', '¼', '½', '¾'];

pub(super) fn judge(rule: &Message, view: &View<'_>) -> Ruling {
    let Some(found) = view.arrivals else { return Ruling::default() };
    let judged = found.commits.iter().filter(|commit| !rule.merges.pass(commit));
    let faults = judged.map(|commit| (commit, faults(rule, commit)));
    let faulty: Faulty<'_> = faults.filter(|(_, wrong)| !wrong.is_empty()).collect();
    ruling(found, &faulty, "has a message that does not fit", "have messages that do not fit")
}

fn faults(rule: &Message, commit: &Arrival) -> Vec<Wrong> {
    let mut wrong = Faults(Vec::new());
    if commit.cut {
        wrong.reword(Line::new(format!("is longer than {MESSAGE_BYTES_MAX} bytes")));
        return wrong.0;
    }
    let message = Text::of(&commit.message);
    of_subject(rule, &message, &mut wrong);
    of_lines(rule, &message, &mut wrong);
    of_patterns(rule, commit, &mut wrong);
    of_characters(rule, commit, &mut wrong);
    if rule.no_leftovers
        && let Some(line) = message.lines.iter().find(is_left_over)
    {
        wrong.reword(Line::new("holds what Git or an editor left there, ").quoted(line));
    }
    rule.trailers.iter().for_each(|trailer| of_trailer(trailer, commit, &mut wrong));
    if let Some(whose) = rule.signed_off {
        of_sign_off(whose, commit, &mut wrong);
    }
    wrong.0
}

struct Faults(Vec<Wrong>);

impl Faults {
    fn reword(&mut self, why: Line) {
        self.0.push(Wrong { why, anew: Anew::Reword });
    }
}

/// A message without the line feeds at its end, in lines.
struct Text<'m> {
    lines: Vec<&'m [u8]>,
}

impl<'m> Text<'m> {
    fn of(message: &'m [u8]) -> Self {
        let end = message.iter().rposition(|&b| b != b'\n').map_or(0, |at| at + 1);
        Self { lines: message[..end].split(|&b| b == b'\n').collect() }
    }

    fn subject(&self) -> &'m [u8] {
        self.lines.first().copied().unwrap_or_default()
    }
}

/// How many characters a line shows; a byte that is no UTF-8 shows as one.
fn width(line: &[u8]) -> usize {
    line.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

fn of_subject(rule: &Message, message: &Text<'_>, wrong: &mut Faults) {
    let subject = message.subject();
    // What cannot be seen says nothing.
    let says = |c: char| !c.is_whitespace() && !c.is_control() && !is_deceptive(c);
    if !subject.utf8_chunks().any(|chunk| chunk.valid().chars().any(says)) {
        wrong.reword(Line::new("has nothing in its first line"));
        return;
    }
    if let Some(max) = rule.subject_max
        && width(subject) > max
    {
        let has = width(subject);
        wrong.reword(Line::new(format!("has a first line of {has} characters, of at most {max}")));
    }
    match (rule.period, subject.trim_ascii_end().ends_with(b".")) {
        (Some(Period::Deny), true) => wrong.reword(Line::new("has a first line with a full stop")),
        (Some(Period::Require), false) => {
            wrong.reword(Line::new("has a first line without a full stop"));
        }
        (Some(Period::Deny), false) | (Some(Period::Require), true) | (None, _) => {}
    }
    for pattern in rule.subject_match.iter().filter(|pattern| !pattern.matches(subject)) {
        wrong.reword(Line::new("has a first line that does not match ").piece(shown(pattern)));
    }
    for pattern in rule.subject_reject.iter().filter(|pattern| pattern.matches(subject)) {
        wrong.reword(Line::new("has a first line that matches ").piece(shown(pattern)));
    }
}

fn of_lines(rule: &Message, message: &Text<'_>, wrong: &mut Faults) {
    if rule.blank_second_line && message.lines.get(1).is_some_and(|line| !line.is_empty()) {
        wrong.reword(Line::new("has no empty second line"));
    }
    let Some(max) = rule.line_max else { return };
    let mut wide = message.lines.iter().enumerate().skip(1).filter(|(_, line)| width(line) > max);
    if let Some((at, line)) = wide.next() {
        let (number, has) = (at + 1, width(line));
        let words = format!("has {has} characters in line {number}, of at most {max}");
        let more = wide.count();
        let line = Line::new(words);
        wrong.reword(match more {
            0 => line,
            _ => line.text(", and ").count(more, "line more", "lines more"),
        });
    }
}

fn of_patterns(rule: &Message, commit: &Arrival, wrong: &mut Faults) {
    for pattern in rule.matches.iter().filter(|pattern| !pattern.matches(&commit.message)) {
        wrong.reword(Line::new("does not match ").piece(shown(pattern)));
    }
    for pattern in rule.reject.iter().filter(|pattern| pattern.matches(&commit.message)) {
        wrong.reword(Line::new("matches ").piece(shown(pattern)));
    }
}

/// A pattern of the policy, as it is written there.
fn shown(pattern: &TextPattern) -> crate::verdict::line::Piece {
    crate::verdict::line::Piece::Quoted(pattern.written().as_bytes().to_vec())
}

fn of_characters(rule: &Message, commit: &Arrival, wrong: &mut Faults) {
    if let Some(asked) = rule.encoding {
        if let Some(says) = commit.encoding.as_deref().filter(|says| !is_utf8(says)) {
            wrong.reword(Line::new("says that it is written in ").quoted(says));
        }
        match std::str::from_utf8(&commit.message) {
            Err(_) => wrong.reword(Line::new("is not written in UTF-8")),
            Ok(text) => {
                if let Some(odd) = text.chars().find(|c| !asked.holds(*c)) {
                    let line = Line::new("holds ").quoted(odd.to_string().as_bytes());
                    wrong.reword(line.text(", which is not ").text(asked.words()));
                }
            }
        }
    }
    if rule.plain_text {
        let hidden = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_deceptive(c);
        let chars = commit.message.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
        if let Some(odd) = { chars }.find(|c| hidden(*c)) {
            let line = Line::new("holds ").quoted(odd.to_string().as_bytes());
            wrong.reword(line.text(", which nobody can see"));
        }
    }
}

fn is_utf8(says: &[u8]) -> bool {
    says.eq_ignore_ascii_case(b"utf-8") || says.eq_ignore_ascii_case(b"utf8")
}

impl Encoding {
    fn holds(self, c: char) -> bool {
        match self {
            Self::Utf8 => true,
            Self::Latin9 => {
                (u32::from(c) < 0x100 && !NOT_LATIN9.contains(&c)) || LATIN9.contains(&c)
            }
            Self::Ascii => c.is_ascii(),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Latin9 => "in ISO 8859-15",
            Self::Ascii => "ASCII",
        }
    }
}

fn is_left_over(line: &&&[u8]) -> bool {
    let begins = |with: &[&[u8]]| with.iter().any(|begin| line.starts_with(begin));
    let separator = b"=======";
    let is_marker = match line.strip_prefix(separator) {
        // A heading is underlined with more of them.
        Some(rest) => rest.is_empty(),
        None => begins(&CONFLICT_MARKERS),
    };
    is_marker || begins(&LEFT_BY_GIT) || begins(&MEANT_FOR_ANOTHER)
}

fn of_trailer(trailer: &Trailer, commit: &Arrival, wrong: &mut Faults) {
    let named =
        |(name, _): &&(Vec<u8>, Vec<u8>)| name.eq_ignore_ascii_case(trailer.name.as_bytes());
    let mut values = commit.trailers.iter().filter(named).map(|(_, value)| value).peekable();
    if values.peek().is_none() {
        wrong.reword(Line::new("has no trailer `").text(trailer.name.clone()).text("`"));
        return;
    }
    let odd = match &trailer.value {
        // Each of them: one that fits does not excuse one that does not.
        Some(pattern) => values.find(|value| !pattern.matches(value)),
        None => values.find(|value| value.is_empty()),
    };
    if let Some(odd) = odd {
        let line = Line::new("has the trailer `").text(trailer.name.clone()).text(": ");
        let line = line.quoted(odd).text("`");
        wrong.reword(match &trailer.value {
            Some(pattern) => line.text(", which does not match ").piece(shown(pattern)),
            None => line.text(", which is empty"),
        });
    }
}

fn of_sign_off(whose: SignedOff, commit: &Arrival, wrong: &mut Faults) {
    let named = |(name, _): &&(Vec<u8>, Vec<u8>)| name.eq_ignore_ascii_case(b"Signed-off-by");
    let emails = commit.trailers.iter().filter(named).map(|(_, value)| email(value));
    let emails: Vec<&[u8]> = emails.flatten().collect();
    let (wanted, words) = match whose {
        SignedOff::Author => (Some(&commit.author.email), "its author"),
        SignedOff::Committer => (Some(&commit.committer.email), "its committer"),
        SignedOff::Anybody => (None, "anybody"),
    };
    let signed = match wanted {
        Some(wanted) => emails.iter().any(|email| email.eq_ignore_ascii_case(wanted)),
        None => !emails.is_empty(),
    };
    if !signed {
        let why = Line::new("is not signed off by ").text(words);
        let why = wanted.map_or(why.clone(), |email| why.text(", ").quoted(email));
        // `--signoff` signs for whoever commits, who is not always the author.
        let theirs = commit.author.email.eq_ignore_ascii_case(&commit.committer.email);
        let anew = match whose {
            SignedOff::Author if !theirs => Anew::Reword,
            SignedOff::Author | SignedOff::Committer | SignedOff::Anybody => {
                Anew::Amend("--signoff")
            }
        };
        wrong.0.push(Wrong { why, anew });
    }
    let twice = emails
        .iter()
        .enumerate()
        .find(|(at, one)| emails.iter().take(*at).any(|other| other.eq_ignore_ascii_case(one)));
    if let Some((_, email)) = twice {
        wrong.reword(Line::new("is signed off twice by ").quoted(email));
    }
}

/// The address of `name <address>`, with nothing behind it.
fn email(value: &[u8]) -> Option<&[u8]> {
    let inner = value.trim_ascii_end().strip_suffix(b">")?;
    let open = inner.iter().rposition(|&b| b == b'<')?;
    inner.get(open + 1..).filter(|email| !email.is_empty())
}
