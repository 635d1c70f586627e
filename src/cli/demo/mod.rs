//! `portcullis demo`: the whole story in a folder that vanishes, with real git, real keys and real
//! pushes through the hooks that the real `install` writes.
//!
//! For whoever wants to see it before they believe it. Where and how commands run stands in
//! `stage`, the story in `acts`. The demo checks itself: an act that goes otherwise than it says is
//! a fault, never a shrug.

pub mod acts;
pub mod stage;

use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, Parser};

use crate::cli::demo::acts::ACTS;
use crate::cli::demo::stage::Stage;
use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::quote::{shell, shown};
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Other, command: Demo::command, run };

/// See it work: a server, two people, refusals, an approval, a proof
///
/// Makes a server and two people in a temporary folder and plays what happens to a change there:
/// a direct commit is refused, an unreviewed infrastructure change is refused, it is approved and
/// lands, the log is shown and verified, one byte of a copy is changed and the break is found. Every
/// command that is shown is run, with the git and ssh-keygen of this machine; your own settings and
/// keys are neither read nor changed.
#[derive(Parser, Debug)]
#[command(name = "demo")]
struct Demo {
    /// Play it here and leave it there; DIR must be new or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// The mode of the demo's folder: keys are in it.
const FOLDER_MODE: u32 = 0o700;

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let demo: Demo = call.arguments()?;
    let Some(given) = &demo.keep else {
        let folder = tempfile::Builder::new().prefix("portcullis-demo-").tempdir();
        let folder = folder.or_fault(|| "could not make a temporary folder".into())?;
        play(call, folder.path())?;
        call.console
            .data_line("the folder is gone again; portcullis demo --keep DIR leaves one")?;
        let path = folder.path().to_owned();
        folder.close().or_fault(|| format!("could not remove {}", shown(&path)))?;
        return Ok(Exit::Yes);
    };
    let folder = call.around.absolute(given)?;
    take(&folder)?;
    play(call, &folder)?;
    for line in how_to_play(&folder) {
        call.console.data_line(&line)?;
    }
    Ok(Exit::Yes)
}

/// Takes a folder that nobody uses.
fn take(folder: &Path) -> Result<(), Fault> {
    let could_not = || format!("could not use {}", shown(folder));
    files::make_folders(folder, FOLDER_MODE).or_fault(could_not)?;
    let mut entries = std::fs::read_dir(folder).or_fault(could_not)?;
    if entries.next().is_some() {
        return Err(Fault::new(format!("{} is not empty", shown(folder)))
            .hint("name a folder that does not exist yet"));
    }
    Ok(())
}

fn play(call: &mut Call<'_>, folder: &Path) -> Result<(), Fault> {
    // Git's hooks are called by a path without symlinks; what is compared with it has none either.
    let folder =
        std::fs::canonicalize(folder).or_fault(|| format!("could not find {}", shown(folder)))?;
    let mut stage = Stage::set(call.around, &folder)?;
    acts::prepare(&mut stage)?;
    let console = &mut *call.console;
    console.data_line(acts::BEFORE)?;
    for (number, act) in ACTS.iter().enumerate() {
        console.data_line(&format!("\n{}. {}", number + 1, act.title))?;
        console.data_line(&indented(act.story))?;
        console.flush()?;
        (act.play)(&mut stage, console)
            .map_err(|fault| fault.hint("look at what is there: portcullis demo --keep DIR"))?;
    }
    console.data_line(&format!("\nAll of it went as it should: {}.", acts::SUM))?;
    console.data_line("Your own repository: portcullis install --people allowed_signers REPO")
}

fn indented(text: &str) -> String {
    format!("   {}", text.replace('\n', "\n   "))
}

fn how_to_play(folder: &Path) -> Vec<String> {
    let at = |name: &str| shell(&folder.join(name));
    vec![
        String::from("It is all still there. To go on:"),
        format!("  {}   a shell in her clone", at("as-alice")),
        format!("  {}     a shell in his", at("as-bob")),
        format!("  {}  beside infra.git and policy.toml", at("as-server")),
        format!("and to be rid of it: rm -r {}", shell(folder)),
    ]
}
