//! Finding repositories below a folder: the one way in which every verb with `--recursive` does it.
//!
//! Symbolic links are not followed, so there is no way round in circles and nothing is found twice;
//! they are named, because what they lead to was not looked at. Nothing is looked for inside of what
//! was found.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::fault::Fault;
use crate::cli::quote::shown;
use crate::cli::surroundings::Surroundings;

/// How many folders deep is looked.
pub const DEPTH_MAX: usize = 12;

/// How many places are found at most: more than any server holds, few enough to be kept in memory.
pub const FOUND_MAX: usize = 1_000_000;

/// What a folder is to somebody who looks for something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Here {
    /// What is looked for.
    Found,
    /// Something else that is worth naming; nothing below it is looked at.
    Aside(&'static str),
    /// A folder on the way.
    OnTheWay,
}

/// What was found below a folder, in order of the names.
#[derive(Clone, Default, Debug)]
pub struct Walk {
    /// What was looked for.
    pub found: Vec<PathBuf>,
    /// What was passed by, and what it is.
    pub aside: Vec<(PathBuf, &'static str)>,
    /// Symbolic links to folders.
    pub links: Vec<PathBuf>,
    /// What could not be looked at, and why.
    pub unseen: Vec<String>,
}

/// Looks at every folder below this one, and at itself.
///
/// # Errors
/// There is no such folder, or there is more below it than anybody could mean.
pub fn walk(
    around: &Surroundings,
    dir: &Path,
    look: &dyn Fn(&Path) -> Here,
) -> Result<Walk, Fault> {
    if !around.absolute(dir)?.is_dir() {
        return Err(Fault::new(format!("there is no folder {}", shown(dir)))
            .hint("name the folder below which your repositories are"));
    }
    let mut walk = Walk::default();
    let mut open = vec![(dir.to_owned(), 0)];
    while let Some((dir, depth)) = open.pop() {
        let path = around.absolute(&dir)?;
        match look(&path) {
            Here::Found if walk.found.len() == FOUND_MAX => {
                let text = format!("there are more than {FOUND_MAX} repositories");
                return Err(Fault::new(text).hint("name folders further down, one after the other"));
            }
            Here::Found => walk.found.push(dir),
            Here::Aside(what) => walk.aside.push((dir, what)),
            Here::OnTheWay => match folders(&path) {
                Ok(listed) => {
                    walk.links.extend(listed.links.iter().map(|name| dir.join(name)));
                    if depth < DEPTH_MAX {
                        open.extend(listed.folders.iter().map(|name| (dir.join(name), depth + 1)));
                    } else if !listed.folders.is_empty() {
                        walk.unseen.push(format!(
                            "{}: more than {DEPTH_MAX} folders deep, nothing below it was looked at",
                            shown(&dir)
                        ));
                    }
                }
                Err(error) => {
                    walk.unseen.push(format!("could not look into {}: {error}", shown(&dir)));
                }
            },
        }
    }
    walk.found.sort();
    walk.links.sort();
    Ok(walk)
}

/// Whether a folder is what Git takes for a repository, without a working tree around it.
pub fn is_repository(path: &Path) -> bool {
    let head = path.join("HEAD");
    // An old form of HEAD is a symbolic link to a branch, which need not be there yet.
    (head.is_file() || head.is_symlink())
        && path.join("objects").is_dir()
        && path.join("refs").is_dir()
}

/// A folder as `install` sees it: a bare repository, or somebody's working tree.
pub fn bare(path: &Path) -> Here {
    if is_repository(path) {
        return Here::Found;
    }
    match fs::symlink_metadata(path.join(".git")) {
        Ok(meta) if meta.is_dir() => Here::Aside("has a working tree"),
        Ok(meta) if meta.is_file() => Here::Aside("is a working tree of another repository"),
        Ok(_) | Err(_) => Here::OnTheWay,
    }
}

/// The names in a folder.
struct Listed {
    /// Folders, the last first: the next one taken is then the first.
    folders: Vec<OsString>,
    /// Symbolic links to folders.
    links: Vec<OsString>,
}

fn folders(path: &Path) -> io::Result<Listed> {
    let mut listed = Listed { folders: Vec::new(), links: Vec::new() };
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            listed.folders.push(entry.file_name());
        } else if kind.is_symlink() && entry.path().is_dir() {
            listed.links.push(entry.file_name());
        }
    }
    listed.folders.sort_by(|a, b| b.cmp(a));
    Ok(listed)
}
