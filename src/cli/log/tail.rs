//! `portcullis log tail`: the newest entries.
//!
//! Reads from the end, so a long log costs no more than a short one, unless a filter is given.

use std::path::PathBuf;

use clap::Args;

use crate::cli::fault::{Exit, Fault};
use crate::cli::log::filter::Asked;
use crate::cli::log::place;
use crate::cli::log::printer::{Form, Printer, heading};
use crate::cli::log::show::said;
use crate::cli::verb::Call;
use crate::log::read::Entries;

/// Show the newest entries, the oldest of them first
#[derive(Args, Debug)]
pub struct Tail {
    /// How many
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 10)]
    most: usize,

    #[command(flatten)]
    form: Form,

    #[command(flatten)]
    filters: Asked,

    /// Repositories, or folders of logs; the repository here when none is named
    #[arg(value_name = "REPO", default_value = ".")]
    places: Vec<PathBuf>,
}

impl Tail {
    /// Runs the verb.
    pub fn run(&self, call: &mut Call<'_>) -> Result<Exit, Fault> {
        let filter = self.filters.filter(call.around.now)?;
        let places = place::find(call.around, &self.places)?;
        let mut ends = Vec::new();
        for (at, place) in places.iter().enumerate() {
            heading(call.console, &self.form, &places, at)?;
            let mut printer = Printer::new(place, self.form.clone(), call.console.colour_out())?;
            if self.form.full {
                printer.learn()?;
            }
            let dir = place.folder.dir();
            match Entries::open(dir, filter.clone()).and_then(|it| it.last(self.most)) {
                Ok(last) => {
                    ends.push(None);
                    last.iter().try_for_each(|found| printer.print(call.console, found))?;
                }
                Err(error) => ends.push(Some(error)),
            }
        }
        said(call.console, &places, ends)
    }
}
