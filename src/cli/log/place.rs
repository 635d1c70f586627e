//! Which logs a command line names, and which entries of them.
//!
//! Used by the sub-verbs. A log is named by its repository, however that is named, or by its own
//! folder: an auditor has a copy of the log and no repository. A word that is only digits and no
//! path is the number of an entry.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::cli::fault::Fault;
use crate::cli::git::Git;
use crate::cli::quote::shown;
use crate::cli::site::Site;
use crate::cli::surroundings::Surroundings;
use crate::log::disk::{Folder, is_log};
use crate::log::error::LogError;

/// One log, named.
#[derive(Clone, Debug)]
pub struct Place {
    /// What was typed.
    pub given: PathBuf,
    /// The log's folder.
    pub folder: Folder,
}

/// What stands behind `show`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Words {
    /// Numbers of entries.
    pub numbers: Vec<u64>,
    /// Repositories or folders of logs.
    pub places: Vec<PathBuf>,
}

impl Words {
    /// Tells numbers from places. Without a place, the one here is meant.
    pub fn read(around: &Surroundings, words: &[OsString]) -> Result<Self, Fault> {
        let mut read = Self::default();
        for word in words {
            let path = Path::new(word);
            match number(word) {
                Some(number) if !around.absolute(path)?.exists() => read.numbers.push(number),
                Some(_) | None => read.places.push(path.to_owned()),
            }
        }
        if read.places.is_empty() {
            read.places.push(PathBuf::from("."));
        }
        Ok(read)
    }
}

fn number(word: &OsStr) -> Option<u64> {
    let text = word.to_str()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    text.parse().ok()
}

/// Finds the logs that were named, in their order.
pub fn find(around: &Surroundings, given: &[PathBuf]) -> Result<Vec<Place>, Fault> {
    given.iter().map(|path| find_one(around, path)).collect()
}

fn find_one(around: &Surroundings, given: &Path) -> Result<Place, Fault> {
    let path = around.absolute(given)?;
    let dir = if is_log(&path) {
        path
    } else if is_something(&path) {
        let git = Git::find(around)?;
        let site = Site::find(around, &git, &path)
            .map_err(|fault| fault.hint("or the folder of a log, or of a copy of one"))?;
        site.log_dir()
    } else {
        return Err(Fault::new(format!("there is nothing at {}", shown(&path)))
            .hint("name a repository, or the folder of a log"));
    };
    let folder = Folder::existing(&dir).map_err(|error| fault(&dir, &error))?;
    Ok(Place { given: given.to_owned(), folder })
}

/// The repository that was named; the folder of a log is none.
pub fn site(around: &Surroundings, place: &Place) -> Result<Site, Fault> {
    let git = Git::find(around)?;
    Site::find(around, &git, &place.given)
        .map_err(|fault| fault.hint("the folder of a log has no refs: name the repository itself"))
}

/// Whether there is anything by this name, or with `.git` behind it as Git itself looks.
fn is_something(path: &Path) -> bool {
    let mut with_suffix = path.as_os_str().to_owned();
    with_suffix.push(".git");
    path.exists() || Path::new(&with_suffix).exists()
}

/// What the log room says, as a fault.
pub fn fault(dir: &Path, error: &LogError) -> Fault {
    Fault::caused(format!("could not read the log in {}", shown(dir)), error).hint(error.hint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_a_number() {
        assert_eq!(number(OsStr::new("412")), Some(412));
        for other in ["", "4a", "-4", "+4", "0x4", "99999999999999999999999"] {
            assert_eq!(number(OsStr::new(other)), None, "{other}");
        }
    }
}
