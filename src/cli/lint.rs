//! `portcullis lint`: whether a policy can be used, and if not, where and why.
//!
//! For operators, and for the pipeline that a policy itself goes through.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};

use crate::cli::fault::{Exit, Fault};
use crate::cli::policies;
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Server, command: Lint::command, run };

/// Check policy files: every problem at once, with its place
///
/// Files that are named together are read together, as a repository that names several is judged by
/// all of them; the first is the site's. The exit code is 1 when there is a problem. A policy with a
/// problem refuses every push.
#[derive(Parser, Debug)]
#[command(name = "lint")]
struct Lint {
    /// Print the problems as JSON
    #[arg(long)]
    json: bool,

    /// The policy files of one repository, in their order
    #[arg(value_name = "POLICY", required = true)]
    policies: Vec<PathBuf>,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let lint: Lint = call.arguments()?;
    let paths: Vec<PathBuf> =
        lint.policies.iter().map(|path| call.around.absolute(path)).collect::<Result<_, _>>()?;
    let looked = policies::look(&policies::read(&paths)?);
    if lint.json {
        call.console.json(&looked.as_json())?;
    } else {
        let text = looked.render(call.console.colour_out());
        call.console.data(&text)?;
    }
    Ok(if looked.is_usable() { Exit::Yes } else { Exit::No })
}
