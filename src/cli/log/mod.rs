//! `portcullis log`: the change log for people, for scripts, and for whoever doubts it.
//!
//! Looking needs neither index nor repository and writes nothing: a copy of the log's folder is
//! enough. What an entry means is told by `row` and `block`; whether the log holds together is the
//! log room's to say. Sealing, signing and tidying write.

pub mod again;
pub mod block;
pub mod bundle;
pub mod change;
pub mod cloudevents;
pub mod csv;
pub mod drift;
pub mod export;
pub mod filter;
pub mod gittuf;
pub mod glass;
pub mod lore;
pub mod ocsf;
pub mod pager;
pub mod place;
pub mod printer;
pub mod prune;
mod published;
pub mod repo;
pub mod report;
pub mod roots;
pub mod row;
pub mod scope;
pub mod seal;
pub mod sheet;
pub mod show;
pub mod signing;
pub mod stood;
pub mod story;
pub mod tail;
pub mod tidy;
pub mod truth;
pub mod verify;
pub mod who;
pub mod witness;
pub mod words;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::cli::fault::{Exit, Fault};
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Audit, command: Log::command, run };

/// Show the change log, and check that it is whole
///
/// Every push that was judged has an entry, accepted or refused; `portcullis explain log` tells
/// about the kinds of entries. A log is named by its repository, or by its own folder: a copy of
/// the folder can be read and checked anywhere. `seal` and `checkpoint` sign what is there, `drift`
/// and `tidy` write what they found and what they took out of the refs; nothing here changes an entry,
/// and `prune` alone takes old ones away.
#[derive(Parser, Debug)]
#[command(name = "log", subcommand_required = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
struct Log {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Show(show::Show),
    Tail(tail::Tail),
    Who(who::Who),
    Export(export::Export),
    Report(report::Report),
    Verify(verify::Verify),
    Drift(drift::Drift),
    Seal(seal::Seal),
    Checkpoint(seal::CheckpointOf),
    Prove(seal::Prove),
    Tidy(tidy::Tidy),
    Prune(prune::Prune),
    Witness(witness::Witness),
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let log: Log = call.arguments()?;
    match log.what {
        What::Show(show) => show.run(call),
        What::Tail(tail) => tail.run(call),
        What::Who(who) => who.run(call),
        What::Export(export) => export.run(call),
        What::Report(report) => report.run(call),
        What::Verify(verify) => verify.run(call),
        What::Drift(drift) => drift.run(call),
        What::Seal(seal) => seal.run(call),
        What::Checkpoint(checkpoint) => checkpoint.run(call),
        What::Prove(prove) => prove.run(call),
        What::Tidy(tidy) => tidy.run(call),
        What::Prune(prune) => prune.run(call),
        What::Witness(witness) => witness.run(call),
    }
}
