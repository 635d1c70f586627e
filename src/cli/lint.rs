//! `portcullis lint`: whether a policy can be used, and if not, where and why.
//!
//! For operators, and for the pipeline that a policy itself goes through.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};

use crate::cli::against;
use crate::cli::cases;
use crate::cli::fault::{Exit, Fault};
use crate::cli::git::Git;
use crate::cli::idle;
use crate::cli::policies;
use crate::cli::site::Site;
use crate::cli::verb::{Call, Group, Verb};
use crate::policy::schema;
use crate::source::problem::{Colour, Problem, Severity};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Lint::command, run };

/// Check policy files: every problem at once, with its place
///
/// Files that are named together are read together, as a repository that names several is judged by
/// all of them; the first is the site's. The exit code is 1 when there is a problem. A policy with a
/// problem refuses every push.
///
/// With --against each rule is held against the branch that HEAD names there, or the first that the
/// rule names. An error is then a change that could never land; a warning, what comes to less than it
/// seems to. Where the log is older than a year, so is a rule that no push of the last year was about.
///
/// With --cases the policy is held against its unit tests: pushes that nobody has made, and what is
/// expected of each. No repository is needed. docs/policy-cases.md says how a case is written.
#[derive(Parser, Debug)]
#[command(name = "lint")]
struct Lint {
    /// Print the problems as JSON
    #[arg(long)]
    json: bool,

    /// Hold the rules against this repository too: patterns that match nothing there, and owners in
    /// its CODEOWNERS file that are nobody
    #[arg(long, value_name = "REPO")]
    against: Option<PathBuf>,

    /// Try the policy with the cases of these files, or of the .txt files of these folders
    #[arg(long, value_name = "FILE", num_args = 1..)]
    cases: Vec<PathBuf>,

    /// Print the policy's language as a JSON Schema, for editors
    #[arg(long, exclusive = true)]
    schema: bool,

    /// The policy files of one repository, in their order
    #[arg(value_name = "POLICY", required_unless_present = "schema")]
    policies: Vec<PathBuf>,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let lint: Lint = call.arguments()?;
    if lint.schema {
        call.console.data(&schema::text())?;
        return Ok(Exit::Yes);
    }
    let paths = policies::places(call.around, &lint.policies)?;
    let texts = policies::read(&paths)?;
    let looked = policies::look(&texts);
    // What cannot be used is held against nothing.
    let policy = policies::compiled(&texts).ok();
    let silent = policy.iter().flat_map(|policy| policy.roster.silent_openpgp(call.around.now));
    let looked = looked.with(silent.map(|(name, key, why)| {
        let what = format!("the key {key} of `{name}` counts for nothing now: it {why}");
        Problem::warning(what).hint("put the key as it is today into the keyring, or take it out")
    }));
    let found = match (&lint.against, &policy) {
        (Some(repo), Some(policy)) => {
            let git = Git::find(call.around)?;
            let site = Site::find(call.around, &git, repo)?;
            let mut found = against::look(policy, &site.git_dir)?;
            found.extend(idle::look(policy, &site.git_dir, call.around.now)?);
            Some(found)
        }
        (Some(_), None) | (None, _) => None,
    };
    let files: Vec<PathBuf> =
        lint.cases.iter().map(|path| call.around.absolute(path)).collect::<Result<_, _>>()?;
    let ran = match &policy {
        Some(policy) if !files.is_empty() => Some(cases::run(policy, &files)?),
        Some(_) | None => None,
    };
    if lint.json {
        let mut json = looked.as_json();
        if let Some(found) = &found {
            json["against"] = found.iter().map(policies::problem_as_json).collect();
        }
        if let Some(ran) = &ran {
            json["cases"] = ran.as_json();
        }
        call.console.json(&json)?;
    } else {
        let colour = if call.console.screen().colour { Colour::On } else { Colour::Off };
        let mut text = looked.render(colour == Colour::On);
        for problem in found.iter().flatten() {
            text.push_str(&problem.render(colour));
            text.push('\n');
        }
        text.extend(ran.iter().map(|ran| ran.render(colour)));
        call.console.data(&text)?;
    }
    let serious = |problem: &Problem| problem.severity == Severity::Error;
    let blocked = found.iter().flatten().any(serious);
    let held = ran.is_none_or(|ran| ran.holds());
    Ok(if looked.is_usable() && !blocked && held { Exit::Yes } else { Exit::No })
}
