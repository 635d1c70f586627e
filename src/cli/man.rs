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
use crate::cli::version::VERSION;

/// The verb.
pub static VERB: Verb = Verb { group: Group::Hidden, command: Man::command, run };

/// Print the manual page, or write one for every verb and each verb of `log`
#[derive(Parser, Debug)]
#[command(name = "man")]
struct Man {
    /// Write portcullis.1, portcullis-VERB.1 and portcullis-log-VERB.1 into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Fault> {
    let man: Man = call.arguments()?;
    // The pages of a version are the same, whatever it was built from and by.
    let mut program = call.program.clone().version(VERSION).long_version(VERSION);
    program.build();
    let Some(dir) = man.dir else {
        let page = render(program)?;
        call.console.data_bytes(&page)?;
        return Ok(Exit::Yes);
    };
    let dir = call.around.absolute(&dir)?;
    files::make_folders(&dir, 0o755)
        .or_fault(|| format!("could not make the folder {}", shown(&dir)))?;
    let mut pages = vec![program];
    while let Some(command) = pages.pop() {
        pages.extend(command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned());
        write(&dir, command)?;
    }
    Ok(Exit::Yes)
}

fn write(dir: &Path, command: Command) -> Result<(), Fault> {
    let path = dir.join(Page::new(command.clone()).get_filename());
    files::write_whole(&path, &render(command)?, 0o644)
        .or_fault(|| format!("could not write {}", shown(&path)))
}

fn render(command: Command) -> Result<Vec<u8>, Fault> {
    let mut page = Vec::new();
    // An empty date would not be quoted, and the version be taken for one.
    let page_of = Page::new(command).date(" ").source(format!("portcullis {VERSION}"));
    let made = page_of.manual("Portcullis");
    made.render(&mut page).or_fault(|| "could not make the manual page".into())?;
    Ok(page)
}
