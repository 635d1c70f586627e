//! `portcullis log who`: who brought a commit, who approved it, by which entries it landed.
//!
//! From the log alone, so that a copy of its folder is enough. The story is told by `story`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Tone;
use crate::cli::log::place::{self, Below, Place};
use crate::cli::log::story::Story;
use crate::cli::log::words;
use crate::cli::quote::shown;
use crate::cli::verb::Call;
use crate::facts::past::{Past as _, PastError};
use crate::log::book::Log;
use crate::log::error::LogError;
use crate::log::trace::{DIGITS_MIN, Meant};
use crate::names::escape::escape_short;
use crate::names::oid::Oid;

/// How many commits are listed where an abbreviation means several.
const CANDIDATES_MAX: usize = 16;

/// Tell who brought a commit, who approved it, and by which entries it landed
///
/// Told oldest first, from the log alone: the repository is not asked, and a copy of the log's
/// folder is enough. A commit that came with a merge is found by the push that brought it, and by
/// what was approved and landed. Exit code 1 when no log here knows the commit, or several are
/// meant.
#[derive(Args, Debug)]
pub struct Who {
    /// The commit: its whole name, or at least four digits of it
    #[arg(value_name = "COMMIT")]
    commit: String,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    below: Below,

    /// Repositories, or folders of logs; the repository here when none is named
    #[arg(value_name = "REPO")]
    places: Vec<PathBuf>,
}

/// What one log answers.
enum Answer {
    Known(Oid),
    Unknown,
    Several(Vec<Oid>, bool),
}

impl Who {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let digits = digits(&self.commit)?;
        let (places, mut exit) = place::gather(call, &self.places, &self.below)?;
        let mut all: Vec<Value> = Vec::new();
        let mut known = 0;
        let mut several = false;
        for place in &places {
            let told = self.tell(call, place, &digits, places.len() > 1, &mut all);
            match told {
                Ok(Answer::Known(_)) => known += 1,
                Ok(Answer::Several(..)) => several = true,
                Ok(Answer::Unknown) => {}
                Err(fault) => exit = Exit::worst(exit, place::go_on(call, &places, fault)?),
            }
        }
        if self.json {
            call.console.json(&json!({ "asked": digits, "logs": all }))?;
        }
        if several {
            exit = Exit::worst(exit, Exit::No);
        } else if known == 0 {
            exit = Exit::worst(exit, Exit::No);
            unknown(call, &digits, &places)?;
        }
        Ok(exit)
    }

    /// Asks one log.
    fn tell(
        &self,
        call: &mut Call<'_>,
        place: &Place,
        digits: &str,
        is_one_of_many: bool,
        all: &mut Vec<Value>,
    ) -> Result<Answer, Fault> {
        let dir = place.folder.dir();
        let fault = |error: LogError| place::fault(dir, &error);
        let past = |error: PastError| fault(LogError::Past(error));
        let log = Log::open_to_read(dir).map_err(fault)?;
        let answer = asked(&log, digits).map_err(past)?;
        let about = json!({ "place": shown(&place.given), "log": words::plain(log.origin()) });
        match &answer {
            Answer::Known(commit) => {
                let trace = log.trace(commit).map_err(past)?;
                let brought = log.brought(commit).map_err(past)?;
                let story = Story { commit, brought: &brought, trace: &trace };
                if self.json {
                    let mut value = about;
                    value["known"] = story.json();
                    all.push(value);
                } else {
                    if is_one_of_many {
                        call.console.data_line(&format!("{}:", shown(&place.given)))?;
                    }
                    let lines = story.lines(call.console.screen());
                    lines.iter().try_for_each(|it| call.console.data_line(it))?;
                }
            }
            Answer::Several(commits, more) if self.json => {
                let mut value = about;
                value["candidates"] = commits.iter().map(|it| it.hex()).collect();
                value["more"] = (*more).into();
                all.push(value);
            }
            Answer::Several(commits, more) => candidates(call, place, digits, commits, *more)?,
            Answer::Unknown => {}
        }
        Ok(answer)
    }
}

/// What is asked for, in lower case.
fn digits(commit: &str) -> Result<String, Fault> {
    let digits = commit.to_ascii_lowercase();
    let is_name = digits.len() >= DIGITS_MIN
        && digits.len() <= 64
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_name {
        return Ok(digits);
    }
    let text = format!("\"{}\" is no name of a commit", escape_short(commit.as_bytes()));
    Err(Fault::mistyped(text)
        .hint("write at least four of its hexadecimal digits; `git rev-parse BRANCH` prints them"))
}

fn asked(log: &Log, digits: &str) -> Result<Answer, PastError> {
    if let Some(commit) = Oid::from_hex(digits.as_bytes()) {
        let is_known = !log.trace(&commit)?.is_empty();
        return Ok(if is_known { Answer::Known(commit) } else { Answer::Unknown });
    }
    Ok(match log.abbreviated(digits)? {
        Meant::TooMany => Answer::Several(Vec::new(), true),
        Meant::Commits(commits) => {
            let mut commits: Vec<Oid> = commits.into_iter().collect();
            match commits.as_slice() {
                [] => Answer::Unknown,
                [one] => Answer::Known(*one),
                [..] => {
                    let more = commits.len() > CANDIDATES_MAX;
                    commits.truncate(CANDIDATES_MAX);
                    Answer::Several(commits, more)
                }
            }
        }
    })
}

fn candidates(
    call: &mut Call<'_>,
    place: &Place,
    digits: &str,
    commits: &[Oid],
    more: bool,
) -> Result<(), Fault> {
    let text = format!("{}: several commits begin with {digits}", shown(&place.given));
    call.console.talk_lines(Tone::Error, &text)?;
    for commit in commits {
        call.console.talk(&format!("  {}", commit.hex()))?;
    }
    if more {
        call.console.talk("  and more")?;
    }
    call.console.talk_lines(Tone::Hint, "write more of its digits")
}

/// No log knows it: why that may be, and what to do.
fn unknown(call: &mut Call<'_>, digits: &str, places: &[Place]) -> Result<(), Fault> {
    let logs = if places.len() == 1 { "the log here does not know" } else { "no log here knows" };
    call.console.talk_lines(Tone::Error, &format!("{logs} the commit {digits}"))?;
    for hint in [
        "it was pushed to another repository: `portcullis log who COMMIT --recursive DIR` asks all below a folder",
        "or it was here before the log began, or was never pushed: `git for-each-ref --contains COMMIT` in the repository tells",
    ] {
        call.console.talk_lines(Tone::Hint, hint)?;
    }
    places.iter().try_for_each(|place| place::tell_pruned(call, place))?;
    Ok(())
}
