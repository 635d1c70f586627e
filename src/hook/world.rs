//! What a hook finds around it: the repository, its policy, its log.
//!
//! Everything is found from `GIT_DIR` and the repository's own configuration; nothing comes from
//! the environment that a pusher could reach, and nothing from the push.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::facts::past::{PastError, SessionKey};
use crate::hook::committed::{Committed, Unread};
use crate::hook::fault::{Road, Stop};
use crate::hook::traces;
use crate::log::book::Log;
use crate::log::entry::Evidence;
use crate::log::error::LogError;
use crate::log::settle::{self, Site};
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::policy::place::{GitPlace, beside, label, seen_from};
use crate::policy::{POLICY_BYTES_MAX, Policy, PolicyFile, compile_with, key_files_named};
use crate::push::env::Env;
use crate::source::problem::Colour;
use crate::store::error::StoreError;
use crate::store::gitstore::GitStore;
use crate::store::objects::{Objects, RefValue};
use crate::store::open::{OpenAt, open};
use crate::verdict::line::{Hint, Line};

/// The folder of ours inside a repository.
pub const FOLDER: &str = "portcullis";

/// The key of the repository's own configuration that may say `warn`: then every rule of the policy
/// only warns. `install` writes it for a whole tree of repositories, and takes it away.
pub const LEVEL_KEY: &str = "portcullis.level";

/// The one value of it that means anything.
pub const LEVEL_WARN_VALUE: &str = "warn";

/// A repository, opened the way a hook must.
pub struct World {
    /// The repository.
    pub store: GitStore,
    /// The folder that Git calls the repository's.
    pub git_dir: PathBuf,
    /// Its id; without one no statement counts.
    pub repository: Option<String>,
    /// The hooks that `install` put in place, by name. Empty: not installed by us.
    pub hooks: Vec<String>,
    /// Whether a pusher waits for us.
    awaited: bool,
}

impl World {
    /// Opens the repository that Git runs us for, quarantine included.
    pub fn find(env: &Env, directory: &Path) -> Result<Self, Stop> {
        let Some(git_dir) = env.get("GIT_DIR") else {
            let told = "this hook was not called by git: GIT_DIR is not set";
            return Err(Stop::fault_because(told, told.to_owned()));
        };
        let git_dir = directory.join(git_dir);
        let at = OpenAt {
            git_dir: git_dir.clone(),
            quarantine: quarantine(env).map(|dir| directory.join(dir)),
            lent: env
                .bytes("GIT_ALTERNATE_OBJECT_DIRECTORIES")
                .map(|value| (value.to_vec(), directory.to_owned())),
            shallow_file: env.has("GIT_SHALLOW_FILE"),
        };
        let store = open(&at).map_err(|error| unopened(&error))?;
        Self::of(store, git_dir, true)
    }

    /// A repository at rest, for the verbs.
    pub fn at_rest(git_dir: &Path) -> Result<Self, Stop> {
        let store = open(&OpenAt::at_rest(git_dir)).map_err(|error| unopened(&error))?;
        Self::of(store, git_dir.to_owned(), false)
    }

    fn of(store: GitStore, git_dir: PathBuf, awaited: bool) -> Result<Self, Stop> {
        let one = |key: &str| -> Result<Option<String>, Stop> {
            let values = store.config_values(key).map_err(|error| unopened(&error))?;
            Ok(values.last().map(|value| String::from_utf8_lossy(value).into_owned()))
        };
        let repository = one("portcullis.repository")?;
        let hooks = one("portcullis.hooks")?.unwrap_or_default();
        let hooks = hooks.split_whitespace().map(str::to_owned).collect();
        Ok(Self { store, git_dir, repository, hooks, awaited })
    }

    /// Where the log is: `DIR/<repository id>` of the configuration, else inside the repository.
    pub fn log_dir(&self) -> PathBuf {
        let outside = self.store.config_values("portcullis.logdir").unwrap_or_default();
        match (outside.last(), &self.repository) {
            (Some(dir), Some(id)) => Path::new(OsStr::from_bytes(dir)).join(id),
            _ => self.store.common_dir().join(FOLDER).join("log"),
        }
    }

    /// Opens the log. No log, no push.
    pub fn log(&self) -> Result<Log, Stop> {
        let dir = self.log_dir();
        let opened = if self.awaited { Log::open_awaited(&dir) } else { Log::open(&dir) };
        opened.map_err(|error| unusable(&error))
    }

    /// Opens the log to look at it, by whoever can read it; nothing in its folder changes.
    pub fn log_to_read(&self) -> Result<Log, Stop> {
        Log::open_to_read(&self.log_dir()).map_err(|error| {
            Stop::fault("the change log of this repository cannot be read", &error)
        })
    }

    /// The policy files, the site's first.
    pub fn policy_paths(&self) -> Vec<PathBuf> {
        let named = self.store.config_values("portcullis.policy").unwrap_or_default();
        if named.is_empty() {
            return vec![self.store.common_dir().join(FOLDER).join("policy.toml")];
        }
        let base = self.store.common_dir().to_owned();
        named.iter().map(|path| seen_from(&base, Path::new(OsStr::from_bytes(path)))).collect()
    }

    /// The text of the site's own policy.
    pub fn site_policy(&self) -> Result<PolicyFile, Stop> {
        let told = "there is no policy";
        let first = self.policy_paths().into_iter().next();
        let first = first.ok_or_else(|| Stop::fault_because(told, told.to_owned()))?;
        read_policy(&first, &mut Committed::default())
    }

    /// The policy in force before this push, and its texts.
    pub fn policy(&self) -> Result<(Policy, Vec<(PathBuf, PolicyFile)>), Stop> {
        let mut files = Vec::new();
        let mut committed = Committed::default();
        for path in self.policy_paths() {
            let file = read_policy(&path, &mut committed)?;
            files.push((path, file));
        }
        let policies: Vec<PolicyFile> = files.iter().map(|(_, file)| file.clone()).collect();
        let mut signers = Vec::new();
        if let (Some((path, _)), Some(site)) = (files.first(), policies.first()) {
            let site_path = path.clone();
            for named in key_files_named(site) {
                let path = beside(&site_path, &named);
                let file = read_policy(&path, &mut committed)?;
                signers.push(file.clone());
                files.push((path, file));
            }
        }
        let levels = self.store.config_values(LEVEL_KEY).map_err(|error| unopened(&error))?;
        let only_warns = levels.last().is_some_and(|level| level == LEVEL_WARN_VALUE.as_bytes());
        match compile_with(&policies, &signers) {
            Ok(policy) if only_warns => Ok((policy.only_warning(), files)),
            Ok(policy) => Ok((policy, files)),
            Err(problems) => Err(Stop::fault_because(
                "the policy on this server has problems",
                format!("the policy is not usable:\n{}", problems.render(Colour::Off)),
            )),
        }
    }

    /// The folder that Git takes hooks from, for all we are told.
    pub fn hooks_dir(&self) -> PathBuf {
        let named = self.store.config_values("core.hookspath").unwrap_or_default();
        match named.last() {
            Some(path) => self.git_dir.join(OsStr::from_bytes(path)),
            None => self.store.common_dir().join("hooks"),
        }
    }

    /// Whether Git will run our hook of this name: it is a file, executable, and not empty.
    pub fn hook_runs(&self, name: &str) -> bool {
        if !self.hooks.iter().any(|hook| hook == name) {
            return false;
        }
        let meta = fs::metadata(self.hooks_dir().join(name));
        meta.is_ok_and(|m| m.is_file() && m.len() > 0 && m.permissions().mode() & 0o111 != 0)
    }
}

/// The folder with the push's objects, until Git takes them in.
///
/// Git itself also sets `GIT_QUARANTINE_PATH`. Gitaly (GitLab) hands its custom hooks the two
/// object variables and not that one.
fn quarantine(env: &Env) -> Option<&OsStr> {
    let is_said = env.has("GIT_QUARANTINE_PATH") || env.has("GIT_ALTERNATE_OBJECT_DIRECTORIES");
    env.get("GIT_OBJECT_DIRECTORY").filter(|_| is_said)
}

fn unopened(error: &StoreError) -> Stop {
    Stop::fault("this repository cannot be read in full, so nothing can be judged", error)
}

/// Reads one policy file. One that others may write is nobody's policy (threats G17).
fn read_policy(path: &Path, committed: &mut Committed) -> Result<PolicyFile, Stop> {
    let shown = path.display();
    if let Some(place) = GitPlace::parse(path) {
        return read_committed(path, place, committed);
    }
    let fault = |error: std::io::Error| {
        let reason = format!("could not read the policy {shown}: {error}");
        Stop::fault_because("the policy on this server cannot be read", reason)
    };
    let mut file = fs::File::open(path).map_err(fault)?;
    let meta = file.metadata().map_err(fault)?;
    let told = "the policy on this server is not safe to use";
    if !meta.is_file() {
        return Err(Stop::fault_because(told, format!("the policy {shown} is no file")));
    }
    if meta.permissions().mode() & 0o022 != 0 {
        let reason = format!("others may write the policy {shown}: chmod go-w {shown}");
        return Err(Stop::fault_because(told, reason));
    }
    let mine = rustix::process::geteuid().as_raw();
    if meta.uid() != 0 && meta.uid() != mine {
        let reason =
            format!("the policy {shown} belongs to user {}, not to us or root", meta.uid());
        return Err(Stop::fault_because(told, reason));
    }
    let mut bytes = Vec::new();
    file.by_ref().take(POLICY_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(fault)?;
    Ok(PolicyFile { label: label(path), bytes })
}

/// The same for one that is kept in a repository.
fn read_committed(
    path: &Path,
    place: Result<GitPlace, &'static str>,
    committed: &mut Committed,
) -> Result<PolicyFile, Stop> {
    let told = "the policy on this server cannot be read";
    let place = place.map_err(|flaw| {
        let reason = format!("the policy {} {flaw}", path.display());
        Stop::fault_because(told, reason)
    })?;
    let bytes = committed.read(&place).map_err(|error| match error {
        Unread::Unsafe(reason) => {
            Stop::fault_because("the policy on this server is not safe to use", reason)
        }
        Unread::Store(..)
        | Unread::Object(..)
        | Unread::NotBare(_)
        | Unread::Ref { .. }
        | Unread::File { .. } => Stop::fault(told, &error),
    })?;
    Ok(PolicyFile { label: label(path), bytes })
}

impl Site for World {
    type Error = Stop;

    fn value(&self, refname: &Refname) -> Result<Oid, Stop> {
        let none = Oid::zero(self.store.format());
        match self.store.read_ref(refname) {
            Ok(RefValue::Direct(oid)) => Ok(oid),
            // What names no object is no value; `evidence` says what stands there instead.
            Ok(RefValue::Absent | RefValue::Symbolic(_)) | Err(StoreError::BrokenRef { .. }) => {
                Ok(none)
            }
            Err(error) => Err(unopened(&error)),
        }
    }

    fn is_running(&self, session: &SessionKey) -> bool {
        settle::is_running(session)
    }

    fn evidence(&self, refname: &Refname, _logged: &Oid, found: &Oid) -> Vec<Evidence> {
        traces::of_ref(&self.store, refname, found)
    }
}

impl From<LogError> for Stop {
    fn from(error: LogError) -> Self {
        if matches!(error, LogError::Unindexed { .. }) {
            return unusable(&error);
        }
        let busy = matches!(error, LogError::Busy { .. } | LogError::Restless);
        let stop = Self::fault("the change log could not be written", &error);
        match busy {
            true => Self { road: Road::Busy, ..stop },
            false => stop,
        }
    }
}

impl From<PastError> for Stop {
    fn from(error: PastError) -> Self {
        Self::fault("the change log could not be read", &error)
    }
}

/// What a pusher reads where the log cannot be opened.
fn unusable(error: &LogError) -> Stop {
    if matches!(error, LogError::Unindexed { .. }) {
        let told =
            "the index of this repository's change log is being made anew, a part with each push";
        let hint = "an operator makes all of it at once: portcullis log tidy";
        let stop = Stop::fault(told, error).hint(Hint::new(Line::new(hint)));
        return Stop { road: Road::Busy, ..stop };
    }
    Stop::fault("the change log of this repository cannot be used", error)
}

/// The refs that have to be settled before a push is judged: its own.
pub fn refs_in_hand<'r>(names: impl IntoIterator<Item = &'r Refname>) -> BTreeSet<Refname> {
    names.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use crate::hook::answer::stop_text;
    use crate::hook::fault::Stop;
    use crate::log::error::LogError;

    #[test]
    fn a_pusher_reads_that_the_index_is_being_made_and_what_to_do() {
        let error = LogError::Unindexed {
            dir: "/srv/git/infra.git/portcullis/log".into(),
            entries: 16_384,
        };
        let stop = Stop::from(error);
        let words: Vec<String> =
            stop_text(&stop, None, None).split_whitespace().map(str::to_owned).collect();
        assert_eq!(
            words.join(" "),
            "error: this push could not be judged, so it is refused the index of this repository's \
             change log is being made anew, a part with each push an operator makes all of it at \
             once: portcullis log tidy hint: push again, the commits need no change"
        );
        assert!(stop.reason.contains("lacks what came behind entry 16384"), "{}", stop.reason);
    }
}
