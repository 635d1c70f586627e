//! `portcullis completions`: what a shell needs to complete our command line.
//!
//! Hidden: called by packagers and by shell start-up files.

use clap::{CommandFactory as _, Parser};
use clap_complete::Shell;

use crate::cli::fault::{Exit, Fault};
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Hidden, command: Completions::command, run };

/// Print the completions for a shell
#[derive(Parser, Debug)]
#[command(name = "completions")]
struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let completions: Completions = call.arguments()?;
    let mut program = call.program.clone();
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut program, "portcullis", &mut script);
    call.console.data_bytes(&script)?;
    Ok(Exit::Yes)
}
