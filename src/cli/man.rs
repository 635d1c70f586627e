//! `portcullis man`: manual pages, made from the same command line that is parsed.
//!
//! Hidden: called by packagers.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _, Parser};
use clap_mangen::Man as Page;

use crate::cli::fault::{Exit, Fault, OrFault};
use crate::cli::files;
use crate::cli::quote::shown;
use crate::cli::verb::{Call, Group, Verb};

/// The verb.
pub static VERB: Verb = Verb { group: Group::Hidden, command: Man::command, run };

/// Print the manual page, or write one for every verb
#[derive(Parser, Debug)]
#[command(name = "man")]
struct Man {
    /// Write portcullis.1 and portcullis-VERB.1 into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let man: Man = call.arguments()?;
    let mut program = call.program.clone();
    program.build();
    let Some(dir) = man.dir else {
        let page = render(program)?;
        call.console.data_bytes(&page)?;
        return Ok(Exit::Yes);
    };
    let dir = call.around.absolute(&dir)?;
    files::make_folders(&dir, 0o755)
        .or_fault(|| format!("could not make the folder {}", shown(&dir)))?;
    write(&dir, "portcullis", program.clone())?;
    for verb in program.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let name = format!("portcullis-{}", verb.get_name());
        write(&dir, &name, verb.clone())?;
    }
    Ok(Exit::Yes)
}

fn write(dir: &Path, name: &str, command: Command) -> Result<(), Fault> {
    let path = dir.join(format!("{name}.1"));
    files::write_whole(&path, &render(command)?, 0o644)
        .or_fault(|| format!("could not write {}", shown(&path)))
}

fn render(command: Command) -> Result<Vec<u8>, Fault> {
    let mut page = Vec::new();
    Page::new(command).render(&mut page).or_fault(|| "could not make the manual page".into())?;
    Ok(page)
}
