//! Files of ours that an interrupted write has left: half a hook, half a policy.

use std::path::PathBuf;

use crate::cli::doctor::finding::{Finding, Fix, Level};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::quote::{shell, shown};

/// How old such a file has to be, in seconds: writing takes a moment.
const AGE_MAX_SECONDS: i64 = 3600;

/// Says which there are.
pub fn files(snapshot: &Snapshot) -> Vec<Finding> {
    let old = snapshot.leftovers.iter().filter(|(_, age)| *age > AGE_MAX_SECONDS);
    let paths: Vec<PathBuf> = old.map(|(path, _)| path.clone()).collect();
    let Some(first) = paths.first() else { return Vec::new() };
    let what = format!("{} and {} more are left over from writing", shown(first), paths.len() - 1);
    let why = "an install or a doctor was stopped in the middle; nobody reads them";
    let words: Vec<String> = paths.iter().map(|path| shell(path)).collect();
    let finding = Finding::new(Level::Note, "left-over-files", what, why);
    vec![finding.mend(format!("rm {}", words.join(" "))).fix(Some(Fix::Remove { paths }))]
}
