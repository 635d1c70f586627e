//! Which logs a command line names, and which entries of them.
//!
//! Used by the sub-verbs. A log is named by its repository, however that is named, or by its own
//! folder: an auditor has a copy of the log and no repository. A word that is only digits and no
//! path is the number of an entry. With `--recursive`, all that stand below a folder.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::fault::{Exit, Fault};
use crate::cli::git::Git;
use crate::cli::io::Tone;
use crate::cli::quote::{shell, shown};
use crate::cli::site::Site;
use crate::cli::surroundings::Surroundings;
use crate::cli::tree::{self, Here};
use crate::cli::verb::Call;
use crate::hook::fault::Stop;
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
    /// Tells numbers from places.
    pub fn read(around: &Surroundings, words: &[OsString]) -> Result<Self, Fault> {
        let mut read = Self::default();
        for word in words {
            let path = Path::new(word);
            match number(word) {
                Some(number) if !around.absolute(path)?.exists() => read.numbers.push(number),
                Some(_) | None => read.places.push(path.to_owned()),
            }
        }
        Ok(read)
    }

    /// The places, or the one here.
    pub fn places_or_here(&self) -> Vec<PathBuf> {
        Below::default().with_named(&self.places)
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
    let dir = log_dir(around, given)?;
    let folder = Folder::existing(&dir).map_err(|error| fault(&dir, &error))?;
    Ok(Place { given: given.to_owned(), folder })
}

/// The folder of the log that is named by its repository or by itself.
fn log_dir(around: &Surroundings, given: &Path) -> Result<PathBuf, Fault> {
    let path = around.absolute(given)?;
    Ok(if is_log(&path) {
        path
    } else if is_something(&path) {
        let git = Git::find(around)?;
        let site = Site::find(around, &git, &path)
            .map_err(|fault| fault.hint("or the folder of a log, or of a copy of one"))?;
        site.log_dir()
    } else {
        return Err(Fault::new(format!("there is nothing at {}", shown(&path)))
            .hint("name a repository, or the folder of a log"));
    })
}
/// Adds every repository with a log below a folder.
#[derive(Args, Clone, Debug, Default)]
pub struct Below {
    /// Every repository with a log below this folder too, and every copy of a log, in order of
    /// their names. Symbolic links are not followed
    #[arg(long, value_name = "DIR")]
    pub recursive: Vec<PathBuf>,
}

impl Below {
    /// Whether anything is to be looked for.
    pub const fn is_asked(&self) -> bool {
        !self.recursive.is_empty()
    }

    /// The places that are named, the one here when there is none, and then those below.
    pub fn with_named(&self, named: &[PathBuf]) -> Vec<PathBuf> {
        if named.is_empty() && !self.is_asked() { vec![PathBuf::from(".")] } else { named.to_vec() }
    }

    /// Every repository and every log below the folders, in order, and the worst that looking for
    /// them came to. What cannot be looked at is told, and the rest is found.
    pub fn find(&self, call: &mut Call<'_>) -> Result<(Vec<PathBuf>, Exit), Fault> {
        let (mut found, mut exit) = (Vec::new(), Exit::Yes);
        let look = |path: &Path| match tree::is_repository(path) || is_log(path) {
            true => Here::Found,
            false => Here::OnTheWay,
        };
        for dir in &self.recursive {
            let walk = tree::walk(call.around, dir, &look)?;
            for text in &walk.unseen {
                exit = Exit::worst(exit, Exit::CouldNot);
                call.console.talk_lines(Tone::Warning, text)?;
            }
            found.extend(walk.found);
        }
        found.sort();
        found.dedup();
        Ok((found, exit))
    }
}

/// The logs that are named and those below folders. A named one has to be there; of those below,
/// one that cannot be read is told and the others are found. Answers the worst of that, too.
pub fn gather(
    call: &mut Call<'_>,
    named: &[PathBuf],
    below: &Below,
) -> Result<(Vec<Place>, Exit), Fault> {
    let mut places = find(call.around, &below.with_named(named))?;
    let (found, mut exit) = below.find(call)?;
    for given in found {
        let dir = match log_dir(call.around, &given) {
            Ok(dir) => dir,
            Err(fault) => {
                exit = Exit::worst(exit, fault.show(call.console));
                continue;
            }
        };
        match Folder::existing(&dir) {
            Ok(folder) => places.push(Place { given, folder }),
            // A repository that nobody has installed us in.
            Err(LogError::Missing { .. }) => {}
            Err(error) => exit = Exit::worst(exit, fault(&dir, &error).show(call.console)),
        }
    }
    if below.is_asked() {
        told(call, places.len())?;
    }
    Ok((places, exit))
}

/// As `gather`, for verbs that need the repositories themselves.
pub fn gather_repositories(
    call: &mut Call<'_>,
    named: &[PathBuf],
    below: &Below,
) -> Result<(Vec<PathBuf>, Exit), Fault> {
    let mut places = below.with_named(named);
    let (found, exit) = below.find(call)?;
    for given in found {
        let is_ours = tree::is_repository(&call.around.absolute(&given)?)
            && log_dir(call.around, &given)
                .is_ok_and(|dir| !matches!(Folder::existing(&dir), Err(LogError::Missing { .. })));
        if is_ours {
            places.push(given);
        }
    }
    if below.is_asked() {
        told(call, places.len())?;
    }
    Ok((places, exit))
}

fn told(call: &mut Call<'_>, found: usize) -> Result<(), Fault> {
    let what = if found == 1 { "1 log".to_owned() } else { format!("{found} logs") };
    call.console.talk_lines(Tone::Note, &what)
}

/// What one of several places came to: told, and the others are looked at. Of a single one, and
/// where nobody listens any more, it is the end.
pub fn go_on<P>(call: &mut Call<'_>, places: &[P], fault: Fault) -> Result<Exit, Fault> {
    if places.len() < 2 || fault.is_quiet() {
        return Err(fault);
    }
    Ok(fault.show(call.console))
}

/// What a repository answered that was to be held against its log.
pub fn stopped(place: &Path, stop: &Stop) -> Fault {
    Fault::new(format!("{}: {}", shown(place), stop.reason))
        .hint(format!("what is in the way: portcullis doctor {}", shell(place)))
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

/// Says that old entries were taken away, where some were.
pub fn tell_pruned(call: &mut Call<'_>, place: &Place) -> Result<(), Fault> {
    let first = place.folder.tape().map_or(0, |tape| tape.first());
    if first == 0 {
        return Ok(());
    }
    let text = format!("entries 0 to {} were taken away (portcullis log prune)", first - 1);
    call.console.talk_lines(Tone::Note, &text)
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
