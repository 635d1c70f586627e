//! `portcullis explain`: rule kinds and ideas, in words.
//!
//! For everybody. A rule kind brings its own text; the ideas are in `topics`.

pub mod reference;
pub mod topics;

use std::collections::BTreeSet;

use clap::{CommandFactory as _, Parser};

use crate::cli::explain::reference::page;
use crate::cli::explain::topics::{TOPICS, Topic};
use crate::cli::fault::{Exit, Fault};
use crate::cli::verb::{Call, Group, Verb};
use crate::names::escape::escape_short;
use crate::rules::KINDS;
use crate::rules::rule::Kind;
use crate::source::nearest::suggestion;

/// The verb.
pub static VERB: Verb = Verb { group: Group::Other, command: Explain::command, run };

/// Tell about a rule kind or an idea; all of them when none is named
#[derive(Parser, Debug)]
#[command(name = "explain")]
struct Explain {
    /// A rule kind or an idea: `portcullis explain` without one lists them
    #[arg(value_name = "KIND")]
    kind: Option<String>,

    /// Print docs/policy.md, the reference of every key
    #[arg(long, hide = true, conflicts_with = "kind")]
    markdown: bool,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let explain: Explain = call.arguments()?;
    if explain.markdown {
        call.console.data(&page())?;
        return Ok(Exit::Yes);
    }
    let Some(name) = explain.kind else {
        let text = list();
        call.console.data(&text)?;
        return Ok(Exit::Yes);
    };
    let kind = KINDS.iter().filter(|kind| kind.name == name).map(|kind| {
        format!("Rule kind `{}`\n{}\n\n{}", kind.name, kind.summary, kind.explanation().trim())
    });
    let texts: Vec<String> =
        kind.chain(topic(&name).map(|topic| topic.text.trim().to_owned())).collect();
    if texts.is_empty() {
        // A rule kind and an idea may have one name.
        let known: BTreeSet<&str> = kinds().iter().chain(TOPICS).map(|topic| topic.name).collect();
        return Err(Fault::mistyped(format!(
            "nothing to explain is called \"{}\"",
            escape_short(name.as_bytes())
        ))
        .hint(suggestion(&name, "names", known).unwrap_or_default()));
    }
    call.console.data_line(&texts.join("\n\n"))?;
    Ok(Exit::Yes)
}

/// The rule kinds, as things to explain.
fn kinds() -> Vec<Topic> {
    let topic =
        |kind: &&'static Kind| Topic { name: kind.name, summary: kind.summary, text: kind.explain };
    KINDS.iter().map(topic).collect()
}

fn topic(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

fn list() -> String {
    let kinds = kinds();
    let width = kinds.iter().chain(TOPICS).map(|topic| topic.name.len()).max().unwrap_or(0);
    let row = |topic: &Topic| format!("  {:width$}  {}\n", topic.name, topic.summary);
    let mut text = String::from("Rule kinds:\n");
    text.extend(kinds.iter().map(row));
    text.push_str("\nIdeas:\n");
    text.extend(TOPICS.iter().map(row));
    text.push_str("\n`portcullis explain NAME` tells all about one.\n");
    text
}
