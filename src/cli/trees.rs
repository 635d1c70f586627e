//! Which repositories a command line names: some by themselves, some by a folder that they are below.
//!
//! Used by `status` and `doctor`. One that is named has to be there; of what stands below a folder,
//! whatever cannot be looked at is told, and the rest is found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::fault::{Exit, Fault};
use crate::cli::files;
use crate::cli::log::place::Below;
use crate::cli::quote::shown;
use crate::cli::site::git_dir_of;
use crate::cli::verb::Call;

/// How long a repository's configuration may be, in bytes. Git's own have a few hundred.
pub const CONFIG_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The words that name repositories.
#[derive(Args, Clone, Debug, Default)]
pub struct Trees {
    /// Every repository below this folder, as if it stood without the option. Symbolic links are not
    /// followed
    #[arg(long, value_name = "DIR")]
    recursive: Vec<PathBuf>,

    /// Repositories, and folders that have repositories below them; the one here when none is named
    #[arg(value_name = "DIR|REPO")]
    places: Vec<PathBuf>,
}

/// A repository that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its folder, absolute: the one that holds HEAD, objects and refs. Of one that was named and is
    /// no repository: what was named.
    pub path: PathBuf,
    /// What people call it: the path below the folder that was named, else what was typed.
    pub label: PathBuf,
    /// Whether it was named by itself, and not found below a folder.
    pub is_named: bool,
    /// Why it is none, in words.
    pub missing: Option<String>,
}

/// What was asked for.
#[derive(Debug)]
pub struct Found {
    /// The repositories: those that were named in their order, then those below, by their paths.
    pub asked: Vec<Asked>,
    /// The worst that looking for them came to.
    pub exit: Exit,
}

impl Found {
    /// Whether exactly one repository was named, and no folder.
    pub fn is_one(&self) -> bool {
        matches!(self.asked.as_slice(), [one] if one.is_named)
    }
}

impl Trees {
    /// Finds what was asked for.
    ///
    /// # Errors
    /// When a folder is not there, or has no repository below it: an empty answer would look as if all
    /// were well.
    pub fn find(&self, call: &mut Call<'_>) -> Result<Found, Fault> {
        let here = [PathBuf::from(".")];
        let places = match self.places.is_empty() && self.recursive.is_empty() {
            true => &here[..],
            false => &self.places[..],
        };
        let mut found = Found { asked: Vec::new(), exit: Exit::Yes };
        let mut folders = self.recursive.clone();
        for given in places {
            let path = call.around.absolute(given)?;
            match git_dir_of(&path) {
                Ok(Some(git_dir)) => found.asked.push(Asked {
                    path: git_dir,
                    label: given.clone(),
                    is_named: true,
                    missing: None,
                }),
                Ok(None) if path.is_dir() => folders.push(given.clone()),
                Ok(None) => {
                    let what = format!("{} is not a Git repository", shown(&path));
                    found.asked.push(missing(path, given, what));
                }
                Err(fault) => found.asked.push(missing(path, given, fault.to_string())),
            }
        }
        for folder in folders {
            below(call, &folder, &mut found)?;
        }
        let mut seen = BTreeSet::new();
        found.asked.retain(|one| seen.insert(one.path.clone()));
        Ok(found)
    }
}

fn missing(path: PathBuf, given: &Path, what: String) -> Asked {
    Asked { path, label: given.to_owned(), is_named: true, missing: Some(what) }
}

/// Adds the repositories below a folder.
fn below(call: &mut Call<'_>, folder: &Path, found: &mut Found) -> Result<(), Fault> {
    let (paths, exit) = Below { recursive: vec![folder.to_owned()] }.find(call)?;
    found.exit = Exit::worst(found.exit, exit);
    let before = found.asked.len();
    for path in paths {
        let git_dir = call.around.absolute(&path)?;
        // A log that stands outside its repository is none. One with a `.git` in it that leads
        // elsewhere is still itself.
        if !git_dir.join("HEAD").is_file() || !git_dir.join("objects").is_dir() {
            continue;
        }
        let label = path.strip_prefix(folder).unwrap_or(&path);
        let label = if label.as_os_str().is_empty() { folder } else { label };
        found.asked.push(Asked {
            path: git_dir,
            label: label.to_owned(),
            is_named: false,
            missing: None,
        });
    }
    if found.asked.len() == before {
        return Err(Fault::new(format!("there is no repository below {}", shown(folder)))
            .hint("is it the right folder, and is its disk there?"));
    }
    Ok(())
}

/// Whether somebody who looks at a repository would have to wait, or read without end: below a folder of
/// other people's repositories anything may lie. Says why.
pub fn trap(path: &Path) -> Option<String> {
    for (name, is_required) in [("HEAD", true), ("config", false), ("commondir", false)] {
        let file = path.join(name);
        let meta = match std::fs::metadata(&file) {
            Ok(meta) => meta,
            Err(error) if !is_required && files::is_absent(&error) => continue,
            Err(error) => return Some(format!("could not look at {}: {error}", shown(&file))),
        };
        if !meta.is_file() || meta.len() > CONFIG_BYTES_MAX {
            return Some(format!("{} is not a file that Git would write", shown(&file)));
        }
    }
    None
}
