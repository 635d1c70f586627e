//! A repository on this server, and where in it everything stands.
//!
//! Made by the server's verbs from the path an operator typed. The hook finds its places by itself,
//! from the same configuration keys, which are named here.
//!
//! Invariant: `git_dir` is absolute and is the folder that holds HEAD, objects and refs; of a linked
//! worktree it is the main repository's.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::config::{Config, Scope};
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::git::Git;
use crate::cli::quote::shown;
use crate::cli::surroundings::Surroundings;
use crate::hook::world::{LEVEL_KEY, LEVEL_WARN_VALUE};

/// The policy files; may stand several times. Absent: `portcullis/policy.toml` in the repository.
pub const KEY_POLICY: &str = "portcullis.policy";
/// The repository's id, part of every statement.
pub const KEY_REPOSITORY: &str = "portcullis.repository";
/// Which hooks are installed: names with blanks between.
pub const KEY_HOOKS: &str = "portcullis.hooks";
/// The folder of logs outside the repository; each repository has a folder of its id in it.
pub const KEY_LOG_DIR: &str = "portcullis.logdir";
/// What `uninstall` puts back: `KEY` was unset before, `KEY=VALUE` was so.
pub const KEY_RESTORE: &str = "portcullis.restore";

/// The platform that the repository was installed for.
pub const KEY_PLATFORM: &str = "portcullis.platform";

/// `warn`: every rule of the policy only warns, until `install --enforce`.
pub const KEY_LEVEL: &str = LEVEL_KEY;

/// The value of `KEY_LEVEL` that says so.
pub const LEVEL_WARN: &str = LEVEL_WARN_VALUE;

/// Folders that `install` made for hooks; they go with the hooks.
pub const KEY_MADE: &str = "portcullis.made";

/// Our keys that `uninstall` takes away.
pub const OWN_KEYS: [&str; 8] = [
    KEY_POLICY,
    KEY_REPOSITORY,
    KEY_HOOKS,
    KEY_LOG_DIR,
    KEY_PLATFORM,
    KEY_RESTORE,
    KEY_LEVEL,
    KEY_MADE,
];

/// The setting without which clients cannot send push options, so nobody could ask.
pub const PUSH_OPTIONS: &str = "receive.advertisePushOptions";

/// Settings of others that `install` may change, so that `uninstall` may put them back.
pub const RESTORABLE: [&str; 1] = [PUSH_OPTIONS];

/// The folder for our own things inside a repository.
pub const FOLDER: &str = "portcullis";

/// How long a `.git` or `commondir` file may be, in bytes.
const POINTER_BYTES_MAX: usize = 8192;

/// A repository, found.
#[derive(Clone, Debug)]
pub struct Site {
    /// The repository's own folder; see the invariant above.
    pub git_dir: PathBuf,
    /// The configuration in force there for this account.
    pub config: Config,
    /// The folder that Git looks for hooks in.
    pub hooks_dir: PathBuf,
}

impl Site {
    /// Finds the repository at this path: bare, with a `.git` folder, with a `.git` file, or with
    /// `.git` left off at the end, as Git itself looks for it.
    pub fn find(around: &Surroundings, git: &Git, given: &Path) -> Result<Self, Fault> {
        let path = around.absolute(given)?;
        let git_dir = git_dir_of(&path)?.ok_or_else(|| {
            Fault::new(format!("{} is not a Git repository", shown(&path)))
                .hint("name the folder that holds HEAD, objects and refs")
        })?;
        let config = git.config(&git_dir)?;
        let named = config.last("core.hookspath").and_then(|setting| setting.value.as_deref());
        let hooks_dir = match named {
            None => git_dir.join("hooks"),
            // Git knows what these stand for; what else there is stands for itself.
            Some([b'~' | b'%' | b':', ..]) => {
                let path = git.config_path(&git_dir, "core.hooksPath")?.unwrap_or_default();
                git_dir.join(OsStr::from_bytes(&path))
            }
            // Relative to where hooks run, which for a push is the repository's folder.
            Some(path) => git_dir.join(OsStr::from_bytes(path)),
        };
        Ok(Self { git_dir, config, hooks_dir })
    }

    /// The folder for our own things.
    pub fn folder(&self) -> PathBuf {
        self.git_dir.join(FOLDER)
    }

    /// The policy files in force, in their order.
    pub fn policies(&self) -> Vec<PathBuf> {
        let named = self.config.local_paths(KEY_POLICY);
        if named.is_empty() { vec![self.starter_policy()] } else { named }
    }

    /// Where a policy stands when no other is named.
    pub fn starter_policy(&self) -> PathBuf {
        self.folder().join("policy.toml")
    }

    /// The repository's id; `None` before the first `install`.
    pub fn repository_id(&self) -> Option<&str> {
        self.config.local_text(KEY_REPOSITORY)
    }

    /// The log's folder, as `install` chose it. A policy's `[log] dir` goes before this.
    pub fn log_dir(&self) -> PathBuf {
        self.log_dir_with(None, self.repository_id().map(OsStr::new))
    }

    /// As `log_dir`, with this folder of logs (`None`: the one in force) and this id.
    pub fn log_dir_with(&self, outside: Option<PathBuf>, id: Option<&OsStr>) -> PathBuf {
        let outside = outside.or(self.config.local_paths(KEY_LOG_DIR).pop());
        match (outside.filter(|dir| !dir.as_os_str().is_empty()), id) {
            (Some(dir), Some(id)) => dir.join(id),
            (Some(_) | None, Some(_) | None) => self.folder().join("log"),
        }
    }

    /// Whether somebody has chosen hooks here: `install`, or a template that it wrote.
    pub fn is_prepared(&self) -> bool {
        !self.config.local(KEY_HOOKS).is_empty()
    }

    /// Where `uninstall` leaves the id for a later `install`: the log that stays is this id's.
    pub fn kept_id(&self) -> PathBuf {
        self.folder().join("repository")
    }

    /// Where the configuration from before the first `install` is kept.
    pub fn kept_config(&self) -> PathBuf {
        self.folder().join("config.before")
    }

    /// Whether every rule only warns here.
    pub fn only_warns(&self) -> bool {
        self.config.local_text(KEY_LEVEL) == Some(LEVEL_WARN)
    }

    /// Where `core.hooksPath` stands, when it is set at all.
    pub fn hooks_path_scope(&self) -> Option<&Scope> {
        self.config.last("core.hookspath").map(|setting| &setting.scope)
    }

    /// Whether Git looks for hooks in a folder that is set for the machine or the account.
    pub fn shares_hooks(&self) -> bool {
        match self.hooks_path_scope() {
            Some(Scope::System | Scope::Global | Scope::Other(_)) => true,
            Some(Scope::Local) | None => false,
        }
    }

    /// What people call the repository: its folder's name without `.git`.
    pub fn name(&self) -> String {
        let folder = match self.git_dir.file_name() {
            Some(name) if name == ".git" => self.git_dir.parent().and_then(Path::file_name),
            other => other,
        };
        readable_path(folder.unwrap_or_default().as_bytes())
    }
}

/// A repository's path below a folder of repositories, in the letters that an id may have.
pub fn readable_path(path: &[u8]) -> String {
    let path = path.strip_suffix(b".git").unwrap_or(path);
    // The end tells more than the beginning.
    readable(&path[path.len().saturating_sub(NAME_BYTES_MAX)..])
}

/// How much of a repository's name goes into its id, in bytes.
const NAME_BYTES_MAX: usize = 48;

/// The name in the letters that an id may have: `[a-z0-9._-]`, beginning with a letter or digit.
fn readable(name: &[u8]) -> String {
    let letters = name.iter().take(NAME_BYTES_MAX).map(|byte| match byte.to_ascii_lowercase() {
        b if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-') => char::from(b),
        _ => '-',
    });
    let text: String = letters.collect();
    let text = text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).replace("..", ".");
    if text.is_empty() { "repository".into() } else { text }
}

/// The folder that holds HEAD, objects and refs of what is at this path; `None`: it is no repository.
pub fn git_dir_of(path: &Path) -> Result<Option<PathBuf>, Fault> {
    let mut with_suffix = path.as_os_str().to_owned();
    with_suffix.push(".git");
    for candidate in [path.join(".git"), path.to_owned(), PathBuf::from(with_suffix)] {
        let found = if candidate.is_file() { pointed_at(&candidate)? } else { candidate };
        if !found.join("HEAD").is_file() && !found.join("HEAD").is_symlink() {
            continue;
        }
        let common = common_dir(&found)?;
        if common.join("objects").is_dir() {
            return Ok(Some(common));
        }
    }
    Ok(None)
}

/// Follows a `.git` file (gitrepository-layout(5)); a file that is none leads nowhere.
fn pointed_at(file: &Path) -> Result<PathBuf, Fault> {
    let text = read_pointer(file)?;
    let target = text.strip_prefix(b"gitdir: ").unwrap_or_default();
    Ok(file.parent().unwrap_or(file).join(OsStr::from_bytes(target)))
}

/// The folder that a linked worktree shares with its main repository.
fn common_dir(git_dir: &Path) -> Result<PathBuf, Fault> {
    let file = git_dir.join("commondir");
    if !file.is_file() {
        return Ok(git_dir.to_owned());
    }
    let shared = git_dir.join(OsStr::from_bytes(&read_pointer(&file)?));
    fs::canonicalize(&shared).or_fault(|| format!("could not find {}", shown(&shared)))
}

fn read_pointer(file: &Path) -> Result<Vec<u8>, Fault> {
    let text = files::read_whole(file, POINTER_BYTES_MAX)
        .or_fault(|| format!("could not read {}", shown(file)))?;
    Ok(text.trim_ascii_end().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_letters_that_an_id_may_have() {
        assert_eq!(readable(b"Infra"), "infra");
        assert_eq!(readable("größe 2".as_bytes()), "gr----e-2");
        assert_eq!(readable(b"..a..b.."), "a.b");
        assert_eq!(readable(b"---"), "repository");
        assert_eq!(readable(b""), "repository");
        assert_eq!(readable_path(b"acme/Infra.git"), "acme-infra");
        let long = readable_path(format!("{}/infra.git", "x/".repeat(40)).as_bytes());
        assert!(long.ends_with("-infra") && long.len() <= NAME_BYTES_MAX, "{long}");
    }
}
