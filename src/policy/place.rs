//! Where a file of a policy is: on the disk, or in a commit of a repository.
//!
//! A place is written as Git's configuration has it, `git:REPO:REF:PATH` for one in a commit, and
//! travels as a path, since that is what most of them are. Reading is somebody else's work.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::names::path::RepoPath;
use crate::names::refname::Refname;

/// What a place in a repository begins with.
const SCHEME: &[u8] = b"git:";

/// A file of the commit that a ref names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GitPlace {
    /// The repository: bare, by its path.
    pub repository: PathBuf,
    /// The ref.
    pub refname: Refname,
    /// The file in the tree.
    pub path: RepoPath,
}

/// Why a place that begins as one in a repository is none; to follow what was written.
pub type Flaw = &'static str;

impl GitPlace {
    /// Reads `git:REPO:REF:PATH`; REF without `refs/` in front is a branch. `None`: the path of a
    /// file.
    pub fn parse(written: &Path) -> Option<Result<Self, Flaw>> {
        let rest = written.as_os_str().as_bytes().strip_prefix(SCHEME)?;
        Some(Self::parts(rest))
    }

    fn parts(rest: &[u8]) -> Result<Self, Flaw> {
        let mut parts = rest.splitn(3, |&byte| byte == b':');
        let (Some(repository), Some(name), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err("has too few parts: it is written git:REPO:REF:PATH");
        };
        if repository.is_empty() {
            return Err("names no repository: it is written git:REPO:REF:PATH");
        }
        let whole = match name.starts_with(b"refs/") {
            true => name.to_vec(),
            false => [b"refs/heads/", name].concat(),
        };
        let refname = Refname::parse(&whole).ok_or("names no ref: a branch, or refs/...")?;
        let path = RepoPath::new(inside(path).ok_or("names no file of a tree")?);
        let repository = PathBuf::from(OsStr::from_bytes(repository));
        Ok(Self { repository, refname, path })
    }

    /// The place as it is written, the ref by its whole name.
    pub fn written(&self) -> PathBuf {
        let parts: [&[u8]; 6] = [
            SCHEME,
            self.repository.as_os_str().as_bytes(),
            b":",
            self.refname.as_bytes(),
            b":",
            self.path.as_bytes(),
        ];
        PathBuf::from(OsStr::from_bytes(&parts.concat()))
    }
}

/// The path of a tree, if it is one: no empty parts, no way out.
fn inside(path: &[u8]) -> Option<Vec<u8>> {
    let fits = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
    path.split(|&byte| byte == b'/').all(fits).then(|| path.to_vec())
}

/// The place as seen from this folder: a file's path, or that of a place's repository.
pub fn seen_from(folder: &Path, written: &Path) -> PathBuf {
    match GitPlace::parse(written) {
        Some(Ok(mut place)) => {
            place.repository = folder.join(&place.repository);
            place.written()
        }
        // Whoever reads it says what is wrong with it.
        Some(Err(_)) => written.to_owned(),
        None => folder.join(written),
    }
}

/// The place of a file that another one names from its own folder, or by a full path.
pub fn beside(place: &Path, named: &str) -> PathBuf {
    match GitPlace::parse(place) {
        Some(Ok(mut git)) if !named.starts_with('/') => {
            let path = git.path.as_bytes();
            let folder = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
            let folder = path.get(..folder).unwrap_or_default();
            git.path = RepoPath::new([folder, named.as_bytes()].concat());
            git.written()
        }
        Some(Ok(_) | Err(_)) => PathBuf::from(named),
        None => place.parent().unwrap_or(place).join(named),
    }
}

/// The name by which messages call what is at a place: the file's own, without its folder.
pub fn label(place: &Path) -> String {
    let whole = place.as_os_str().as_bytes();
    let git = GitPlace::parse(place).and_then(Result::ok);
    let path = git.as_ref().map_or(whole, |git| git.path.as_bytes());
    let name = path.rsplit(|&byte| byte == b'/').find(|name| !name.is_empty());
    String::from_utf8_lossy(name.unwrap_or(whole)).into_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_repository_is_read_and_written() {
        for (written, whole) in [
            ("git:/srv/p.git:main:policy.toml", "git:/srv/p.git:refs/heads/main:policy.toml"),
            ("git:p.git:refs/heads/x/y:a/b.toml", "git:p.git:refs/heads/x/y:a/b.toml"),
            ("git:/p:main:a:b", "git:/p:refs/heads/main:a:b"),
        ] {
            let place = GitPlace::parse(Path::new(written)).unwrap().unwrap();
            assert_eq!(place.written(), Path::new(whole));
            let again = GitPlace::parse(Path::new(whole)).unwrap().unwrap();
            assert_eq!(again, place);
        }
        assert_eq!(GitPlace::parse(Path::new("/etc/git:x")), None);
        for wrong in [
            "git:",
            "git:/srv/p.git",
            "git:/srv/p.git:main",
            "git::main:x",
            "git:/p:ma..in:x",
            "git:/p::x",
            "git:/p:main:",
            "git:/p:main:/x",
            "git:/p:main:a//b",
            "git:/p:main:../x",
            "git:/p:main:a/./b",
            "git:/p:main:a/",
        ] {
            assert!(GitPlace::parse(Path::new(wrong)).unwrap().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_named_from_a_place_stands_beside_it() {
        let git = Path::new("git:/p:refs/heads/main:a/policy.toml");
        assert_eq!(beside(git, "keys"), Path::new("git:/p:refs/heads/main:a/keys"));
        assert_eq!(beside(git, "/etc/keys"), Path::new("/etc/keys"));
        let top = Path::new("git:/p:refs/heads/main:policy.toml");
        assert_eq!(beside(top, "keys/all"), Path::new("git:/p:refs/heads/main:keys/all"));
        // What leads out of the tree is no place, and so cannot be read.
        assert!(GitPlace::parse(&beside(git, "../keys")).unwrap().is_err());
        assert_eq!(beside(Path::new("/etc/p.toml"), "keys"), Path::new("/etc/keys"));
    }

    #[test]
    fn a_place_has_a_folder_it_is_seen_from_and_a_name() {
        let base = Path::new("/srv");
        let git = seen_from(base, Path::new("git:p.git:main:x"));
        assert_eq!(git, Path::new("git:/srv/p.git:refs/heads/main:x"));
        assert_eq!(seen_from(base, Path::new("git:x")), Path::new("git:x"));
        assert_eq!(seen_from(base, Path::new("a/b")), Path::new("/srv/a/b"));
        assert_eq!(label(&git), "x");
        assert_eq!(label(Path::new("git:/p:refs/heads/main:a/b.toml")), "b.toml");
        assert_eq!(label(Path::new("/etc/policy.toml")), "policy.toml");
        assert_eq!(label(Path::new("/etc/a:b.toml")), "a:b.toml");
        assert_eq!(label(Path::new("/")), "/");
    }
}
