//! The program's verbs: command line in, exit code out.
//!
//! A verb is a file beside this one and two lines here: its `mod` and its row. What is shared
//! between verbs (git, files, places, faults) stands in leaves of its own; nothing in this folder
//! imports this file.

pub mod against;
pub mod approve;
pub mod args;
pub mod attest;
pub mod cases;
pub mod client;
pub mod completions;
pub mod config;
pub mod configfile;
pub mod crowd;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod fault;
pub mod files;
pub mod git;
pub mod hook;
pub mod hookfile;
pub mod idle;
pub mod import;
pub mod install;
pub mod inventory;
pub mod io;
pub mod lint;
pub mod log;
pub mod logs;
pub mod man;
pub mod newborn;
pub mod noticed;
pub mod platform;
pub mod policies;
pub mod quote;
pub mod replay;
pub mod review;
pub mod rollback;
pub mod shim;
pub mod site;
pub mod status;
pub mod surroundings;
pub mod tree;
pub mod trees;
pub mod uninstall;
pub mod verb;
pub mod version;

use clap::error::ErrorKind;

use crate::cli::fault::{Exit, Fault};
use crate::cli::io::Console;
use crate::cli::surroundings::Surroundings;
use crate::cli::verb::{Call, Verb};

/// Every verb, in the order the help shows them.
pub static VERBS: &[&Verb] = &[
    &install::VERB,
    &uninstall::VERB,
    &doctor::VERB,
    &status::VERB,
    &import::VERB,
    &lint::VERB,
    &replay::VERB,
    &review::VERB,
    &approve::APPROVE,
    &approve::REJECT,
    &approve::REVOKE,
    &attest::VERB,
    &rollback::VERB,
    &log::VERB,
    &demo::VERB,
    &explain::VERB,
    &completions::VERB,
    &man::VERB,
    &hook::VERB,
];

/// Runs the verb that the arguments name.
pub fn run(around: &Surroundings, console: &mut Console) -> Exit {
    if let Some(exit) = hook::interpreted(around, console) {
        return exit.unwrap_or_else(|fault| fault.show(console));
    }
    let program = args::command(VERBS);
    let matches = match program.clone().try_get_matches_from(&around.arguments) {
        Ok(matches) => matches,
        Err(error) => return show_usage(&error, console),
    };
    if matches.get_flag("trace") {
        trace();
    }
    let Some((name, matches)) = matches.subcommand() else {
        return Fault::mistyped("no verb given").hint("portcullis -h").show(console);
    };
    let Some(verb) = VERBS.iter().find(|verb| (verb.command)().get_name() == name) else {
        return Fault::mistyped("no such verb").hint("portcullis -h").show(console);
    };
    let mut call = Call { matches, program: &program, around, console };
    let exit = (verb.run)(&mut call);
    // What is still buffered belongs to the answer: where it cannot be written, there was none.
    let exit = exit.and_then(|exit| console.flush().map(|()| exit));
    exit.unwrap_or_else(|fault| fault.show(console))
}

/// Tells on standard error what is being done. Asked for by a flag alone: an environment variable
/// would let a pusher look inside (threats G15).
fn trace() {
    let told = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .finish();
    // Somebody who listens already goes on listening.
    let _ = tracing::subscriber::set_global_default(told);
}

/// Shows what clap has to say: help and version are data, everything else was mistyped.
fn show_usage(error: &clap::Error, console: &mut Console) -> Exit {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let rendered = error.render();
    let text = |colour: bool| match colour {
        true => rendered.ansi().to_string(),
        false => rendered.to_string(),
    };
    if !asked_for {
        let text = text(console.colour_err());
        // The exit code says it too, should standard error be gone.
        let _ = console.talk(text.trim_end());
        return Exit::Mistyped;
    }
    let text = text(console.screen().colour);
    match console.data_line(text.trim_end()).and_then(|()| console.flush()) {
        Ok(()) => Exit::Yes,
        Err(fault) => fault.show(console),
    }
}
