//! The lines that tell more of a push, and the one that says what comes of it.

use crate::facts::change::FileMode;
use crate::names::moment::Moment;
use crate::names::path::RepoPath;
use crate::source::{duration, size};
use crate::statement::fields::CheckVerdict;
use crate::trial::deed::refname;
use crate::trial::file::{Expected, Told, ToldChange};
use crate::trial::words::{Flawed, Word, Words};

/// The first words of the lines that are read here.
pub(super) const DETAILS: [&str; 25] = [
    "adds",
    "modifies",
    "deletes",
    "makes",
    "links",
    "made",
    "approved",
    "rejected",
    "passed",
    "failed",
    "unseen",
    "edited",
    "message",
    "author",
    "committer",
    "signed",
    "annotated",
    "option",
    "on",
    "commits",
    "beside",
    "owners",
    "run",
    "at",
    "HEAD",
];

/// How many other refs one push may be told to create.
const OTHER_REFS_MAX: usize = 10_000;

/// How long ago a statement was made whose age is not told, in seconds.
const STATEMENT_AGE_SECONDS: i64 = 3_600;

/// Reads one line about a push.
pub(super) fn detail(line: &str, told: &mut Told) -> Flawed<()> {
    let mut words = Words::of(line)?;
    let first = words.bare("what is told of the push")?;
    match first.as_str() {
        "adds" | "modifies" | "deletes" | "makes" | "links" => changes(&first, &mut words, told)?,
        "approved" | "rejected" | "passed" | "failed" => said(&first, &mut words, told)?,
        "made" => {
            words.exactly("by")?;
            let mut names = words.list("who made the change")?;
            let all = names.len();
            names.retain(|name| name != "nobody");
            let unknown = names.len() < all;
            told.makers = Some((names, unknown));
        }
        "unseen" => told.not_before = true,
        "edited" => told.edited = true,
        "annotated" => told.annotated = true,
        "message" => told.message = Some(words.text("the message")?),
        "author" => told.author = Some(name_and_email(&words.text("a name and e-mail")?)?),
        "committer" => told.committer = Some(name_and_email(&words.text("a name and e-mail")?)?),
        "signed" if words.accept("push") => told.signed_push = true,
        "signed" => {
            words.exactly("by")?;
            told.signed_by = Some(words.bare("who signed what arrives")?);
        }
        "option" => told.options.push(words.text("a push option")?),
        "on" => {
            told.had_by.push(refname(&mut words)?);
            words.exactly("before")?;
        }
        "commits" => told.commits = Some(number(&mut words, "how many commits arrive")?),
        "beside" => {
            told.other_refs = number(&mut words, "how many other refs the push creates")?;
            if told.other_refs > OTHER_REFS_MAX {
                return Err(format!("at most {OTHER_REFS_MAX} other refs"));
            }
            words.exactly("others")?;
        }
        "owners" => told.owners = Some(words.text("what CODEOWNERS says")?),
        "run" => told.runs.push(ran(&mut words)?),
        "at" => {
            let text = words.bare("a moment")?;
            let moment = Moment::parse(&text);
            told.at = Some(moment.ok_or("a moment is written 2026-11-22T21:00:00Z")?);
        }
        "HEAD" => {
            words.exactly("names")?;
            told.head = Some(refname(&mut words)?);
        }
        other => {
            let known = DETAILS.join(", ");
            return Err(format!("nobody understands `{other}`; known are {known}"));
        }
    }
    words.end()
}

/// The rule whose command was run, and whether it passes.
fn ran(words: &mut Words) -> Flawed<(String, bool)> {
    let rule = words.bare("the name of a rule")?;
    match words.bare("`passes` or `fails`")?.as_str() {
        "passes" => Ok((rule, true)),
        "fails" => Ok((rule, false)),
        other => Err(format!("`passes` or `fails`, not `{other}`")),
    }
}

fn number(words: &mut Words, what: &str) -> Flawed<usize> {
    words.bare(what)?.parse().map_err(|_| format!("a number says {what}"))
}

/// `adds PATH [= "CONTENT" | of SIZE], ...` and its kin.
fn changes(verb: &str, words: &mut Words, told: &mut Told) -> Flawed<()> {
    loop {
        let path = RepoPath::new(words.either("a path")?);
        let file = Some(FileMode::File);
        let (old, new, rewritten) = match verb {
            "adds" => (None, file, true),
            "modifies" => (file, file, true),
            "deletes" => (file, None, false),
            "makes" => {
                words.exactly("executable")?;
                (file, Some(FileMode::Executable), false)
            }
            // The only other word that comes here.
            _ => (None, Some(FileMode::Symlink), true),
        };
        let mut change = ToldChange { path, old, new, rewritten, content: None, size: None };
        if new == Some(FileMode::Symlink) {
            words.exactly("to")?;
            change.content = Some(words.either("where the link leads to")?);
        } else if rewritten && words.accept("=") {
            change.content = Some(words.text("its content")?);
        } else if rewritten && words.accept("of") {
            let written = words.bare("its size")?;
            change.size = Some(size::bytes(&written).ok_or("a size is written 5MiB")?);
        }
        if told.changes.iter().any(|other| other.path == change.path) {
            return Err("this path is told of twice".to_owned());
        }
        told.changes.push(change);
        if !words.comma() {
            return Ok(());
        }
    }
}

/// `approved by NAME [3d ago], ...`, `passed CHECK by MACHINE [3d ago]` and their kin.
fn said(verb: &str, words: &mut Words, told: &mut Told) -> Flawed<()> {
    let verdict = match verb {
        "passed" => Some(CheckVerdict::Pass),
        "failed" => Some(CheckVerdict::Fail),
        _ => None,
    };
    let check = verdict.map(|_| words.bare("the name of a check")).transpose()?;
    words.exactly("by")?;
    loop {
        let name = words.bare("who says so")?;
        let age = age(words)?;
        match (verdict, &check) {
            (Some(verdict), Some(check)) => told.checks.push((check.clone(), verdict, name, age)),
            _ if verb == "approved" => told.approved.push((name, age)),
            _ => told.rejected.push(name),
        }
        if !words.comma() {
            return Ok(());
        }
    }
}

fn age(words: &mut Words) -> Flawed<i64> {
    let written = match words.peek() {
        Some(Word::Bare(written)) => written.clone(),
        Some(Word::Text(_) | Word::Comma) | None => return Ok(STATEMENT_AGE_SECONDS),
    };
    let Some(seconds) = duration::seconds(&written) else {
        return Err(format!("how long ago is written `3d ago`, not `{written}`"));
    };
    words.exactly(&written)?;
    words.exactly("ago")?;
    Ok(seconds)
}

/// `Alice <alice@example.org>`.
fn name_and_email(text: &[u8]) -> Flawed<(Vec<u8>, Vec<u8>)> {
    let flaw = || "somebody is written \"Alice <alice@example.org>\"".to_owned();
    let rest = text.strip_suffix(b">").ok_or_else(flaw)?;
    let at = rest.iter().position(|&byte| byte == b'<').ok_or_else(flaw)?;
    let (name, email) = rest.split_at(at);
    Ok((name.trim_ascii().to_vec(), email.get(1..).unwrap_or_default().to_vec()))
}

/// `accepted` or `refused by RULE and RULE`, then `warned by RULE`, `says "..."` and
/// `silent about "..."`.
pub(super) fn expected(line: &str) -> Flawed<Expected> {
    let mut words = Words::of(line)?;
    let refused_by = match words.bare("`accepted` or `refused by`")?.as_str() {
        "accepted" => Vec::new(),
        "refused" => rules(&mut words)?,
        other => return Err(format!("`accepted` or `refused by`, not `{other}`")),
    };
    let mut expected =
        Expected { refused_by, warned_by: None, says: Vec::new(), silent: Vec::new() };
    while words.comma() {
        match words.bare("`warned by`, `says` or `silent about`")?.as_str() {
            "warned" if words.accept("by") && words.accept("nothing") => {
                expected.warned_by = Some(Vec::new());
            }
            "warned" => expected.warned_by = Some(names(&mut words)?),
            "says" => expected.says.push(shown(words.text("what is said")?)),
            "silent" => {
                words.exactly("about")?;
                expected.silent.push(shown(words.text("what is not said")?));
            }
            other => {
                return Err(format!("`warned by`, `says` or `silent about`, not `{other}`"));
            }
        }
    }
    words.end()?;
    Ok(expected)
}

fn shown(text: Vec<u8>) -> String {
    String::from_utf8_lossy(&text).into_owned()
}

fn rules(words: &mut Words) -> Flawed<Vec<String>> {
    words.exactly("by")?;
    names(words)
}

/// `RULE and RULE`, sorted.
fn names(words: &mut Words) -> Flawed<Vec<String>> {
    let mut names = vec![words.bare("the name of a rule")?];
    while words.accept("and") {
        names.push(words.bare("the name of a rule")?);
    }
    names.sort();
    names.dedup();
    Ok(names)
}
