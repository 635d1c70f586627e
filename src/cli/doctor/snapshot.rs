//! Everything `doctor` looks at, gathered before anything is judged.
//!
//! Made once for each repository; the checks read it and nothing else. What could not be looked at
//! is `None` or an error text, so that a check can tell "fine" from "cannot tell".

use std::path::{Path, PathBuf};

use crate::cli::doctor::history::History;
use crate::cli::doctor::look::{self, Kind, Look, Seen};
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files;
use crate::cli::git::{self, Git};
use crate::cli::newborn;
use crate::cli::platform::{Place, Platform};
use crate::cli::policies::{self, Certificates};
use crate::cli::quote::shown;
use crate::cli::shim::{self, HOOK_BYTES_MAX, Hook, Shim};
use crate::cli::site::{KEY_HOOKS, KEY_LOG_DIR, Site};
use crate::cli::surroundings::Surroundings;
use crate::log::keeper::unsealed_since;
use crate::log::{append_only, space};
use crate::names::moment::Moment;
use crate::policy::place::GitPlace;
use crate::store::objects::Objects as _;
use crate::store::open::{self, OpenAt};

/// What the folder inside the repository is called where modes are spoken of.
pub const OUR_FOLDER: &str = "the folder of Portcullis";

/// How many files of a log are looked at.
const LOG_FILES_MAX: usize = 1000;

/// A ref that is another name of a ref: its name and its target.
pub type Alias = (Vec<u8>, Vec<u8>);

/// One repository on this server, as it is now.
#[derive(Debug)]
pub struct Snapshot {
    /// Where everything is.
    pub site: Site,
    /// The Git server's software.
    pub platform: &'static Platform,
    /// When it was looked at.
    pub now: Moment,
    /// The account that looks.
    pub account: u32,
    /// The repository's folder.
    pub repository: Look,
    /// Whether it was made from a template of ours and nobody has pushed yet.
    pub is_new: bool,
    /// The hooks that should be there. Empty: nothing was installed.
    pub hooks: Vec<HookSeen>,
    /// Folders and files that only the owner may change.
    pub guarded: Vec<(&'static str, Look)>,
    /// The policy: problems in words, empty when there are none; or why it could not be read.
    pub policy: Result<String, String>,
    /// What the policy asks of push certificates; `Never` where it could not be read.
    pub certificates: Certificates,
    /// The log's folder.
    pub log: Look,
    /// Bytes that are free on the log's disk, and how many its policy wants: first a warning, then
    /// no push is accepted. `None`: nobody knows.
    pub log_space: Option<(u64, u64, u64)>,
    /// Files of the log that lack the append-only attribute, where others have it.
    pub not_append_only: Vec<PathBuf>,
    /// How often the policy wants it sealed, in seconds, and since when it was not. `None`: the
    /// policy does not say, or it could not be looked at.
    pub sealing: Option<(i64, Moment)>,
    /// Why the repository, or its refs, could not be read, in words.
    pub unreadable: Option<String>,
    /// The setting that makes it a partial clone, if it is one.
    pub left_out: Option<String>,
    /// Lock files, and how old they are in seconds.
    pub locks: Vec<(PathBuf, i64)>,
    /// Left-over folders of pushes that never ended, and how old they are in seconds.
    pub incoming: Vec<(PathBuf, i64)>,
    /// Files of ours that an interrupted write has left, and how old they are in seconds.
    pub leftovers: Vec<(PathBuf, i64)>,
    /// Symbolic refs other than HEAD: name and target.
    pub aliases: Vec<Alias>,
    /// The branch that HEAD had better name, of those there are.
    pub branch: Option<Vec<u8>>,
    /// What HEAD names, and whether that branch is there; `None`: HEAD names no branch.
    pub head: Option<(Vec<u8>, bool)>,
    /// The owner's line in the password file.
    pub owner: Option<look::Account>,
    /// Who else is in the group that may write the repository. Empty where none may.
    pub group: Vec<look::Account>,
    /// The folders of `PATH` as far as `git`, and `git` itself.
    pub search: Vec<Look>,
    /// Hooks that are not ours to write and have a say: their files.
    pub watching: Vec<Look>,
    /// The program that hooks which have to be written again would call.
    pub program: Option<PathBuf>,
    /// What the log has to say.
    pub history: History,
    /// sshd's configuration, as far as it may be read.
    pub sshd: Vec<look::SshdLine>,
}

/// A hook's file, and what belongs to it.
#[derive(Debug)]
pub struct HookSeen {
    /// Where it should be.
    pub place: Place,
    /// What is there, symlinks not followed.
    pub file: Look,
    /// What is there, symlinks followed.
    pub target: Look,
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// The folder it is in.
    pub folder: Look,
    /// Whether programs may be run from there at all (the mount's `noexec`).
    pub may_run: bool,
    /// The program that it calls, when it is ours.
    pub binary: Option<Look>,
    /// A hook that was there before ours.
    pub earlier: Option<Look>,
    /// The platform's own file that has to run ours.
    pub runner: Option<Look>,
    /// Whether that file is itself what `install` writes.
    pub runner_is_ours: bool,
}

impl Snapshot {
    /// Looks at one repository. `sshd`: the files of sshd's configuration.
    pub fn gather(
        around: &Surroundings,
        git: &Git,
        path: &Path,
        sshd: &[PathBuf],
    ) -> Result<Self, Fault> {
        let site = Site::find(around, git, path)?;
        let platform = Platform::of(&site)?;
        let dir = site.git_dir.clone();
        let repository = Look::at(&dir);
        let owner = match &repository.seen {
            Seen::There(stat) => look::account(stat.owner),
            Seen::Absent | Seen::Hidden(_) => None,
        };
        let hooks: Vec<HookSeen> =
            installed(&site).map(|hook| hook_seen(platform, &site, hook)).collect();
        let (aliases, branch) = refs(git, &dir)?;
        let (unreadable, left_out) = opened(&dir);
        Ok(Self {
            platform,
            now: around.now,
            account: rustix::process::geteuid().as_raw(),
            group: group(&repository),
            repository,
            is_new: newborn::mark(&site.git_dir).is_file(),
            guarded: guarded(&site),
            leftovers: look::aged(&leftovers(&site, &hooks), around.now),
            search: search(around),
            watching: ["reference-transaction", "proc-receive"]
                .map(|name| Look::through(&site.hooks_dir.join(name)))
                .into(),
            program: program(around, &hooks),
            history: match hooks.is_empty() {
                true => History::default(),
                false => History::gather(&site, around.now),
            },
            hooks,
            policy: policy_of(&site),
            certificates: policies::read(&site.policies())
                .map_or(Certificates::Never, |texts| policies::certificates(&texts)),
            log: Look::at(&site.log_dir()),
            log_space: log_space(&site),
            // Where there is no log there is nothing to lack.
            not_append_only: append_only::forgotten(&site.log_dir()).unwrap_or_default(),
            sealing: sealing(&site),
            unreadable,
            left_out,
            locks: look::aged(&look::locks(&dir), around.now),
            incoming: look::aged(&look::incoming(&dir), around.now),
            aliases,
            branch,
            head: head(git, &dir)?,
            owner,
            sshd: look::sshd(sshd),
            site,
        })
    }
}

/// Why the repository or its refs cannot be read; and the setting that makes it a partial clone.
fn opened(dir: &Path) -> (Option<String>, Option<String>) {
    let in_words =
        |error| Fault::caused("", &error).to_string().trim_start_matches(": ").to_owned();
    match open::open(&OpenAt::at_rest(dir)) {
        Ok(store) => (store.head().err().map(in_words), store.left_out().map(str::to_owned)),
        Err(error) => (Some(in_words(error)), None),
    }
}

/// The hooks that `install` wrote down.
fn installed(site: &Site) -> impl Iterator<Item = Hook> {
    let names = site.config.local_text(KEY_HOOKS).unwrap_or_default();
    names.split_whitespace().filter_map(Hook::named)
}

fn hook_seen(platform: &Platform, site: &Site, hook: Hook) -> HookSeen {
    let place = platform.place(site, hook);
    // A file that cannot be read looks empty here; `file` says why.
    let bytes = files::read_start(&place.path, HOOK_BYTES_MAX).unwrap_or_default();
    let binary = match shim::read(hook, &bytes) {
        Shim::Current { binary } => Some(Look::through(&binary)),
        Shim::Altered | Shim::Foreign => None,
    };
    let folder = place.path.parent().unwrap_or(&site.git_dir);
    let runner = platform.runner(site, hook);
    let runner_is_ours = runner.as_deref().is_some_and(|path| {
        let bytes = files::read_start(path, HOOK_BYTES_MAX).unwrap_or_default();
        matches!(shim::read(hook, &bytes), Shim::Current { .. })
    });
    HookSeen {
        file: Look::at(&place.path),
        target: Look::through(&place.path),
        bytes,
        folder: Look::through(folder),
        may_run: look::may_run(folder),
        binary,
        earlier: place.earlier.as_deref().map(Look::at),
        runner: runner.as_deref().map(Look::through),
        runner_is_ours,
        place,
    }
}

fn log_space(site: &Site) -> Option<(u64, u64, u64)> {
    let free = space::free_bytes(&site.log_dir()).ok()?;
    let limits = policies::compiled(&policies::read(&site.policies()).ok()?).ok()?.limits;
    Some((free, limits.log_warn_bytes, limits.log_free_bytes))
}

fn policy_of(site: &Site) -> Result<String, String> {
    let texts = policies::read(&site.policies()).map_err(|fault| fault.to_string())?;
    let looked = policies::look(&texts);
    Ok(if looked.is_usable() { String::new() } else { looked.render(false) })
}

fn sealing(site: &Site) -> Option<(i64, Moment)> {
    let every = policies::seal_every(&policies::read(&site.policies()).ok()?)?;
    Some((every, unsealed_since(&site.log_dir()).ok()?))
}

/// Asks Git, which knows every way refs are kept, for refs that are other names of refs, and for the
/// branch that HEAD had better name.
fn refs(git: &Git, git_dir: &Path) -> Result<(Vec<Alias>, Option<Vec<u8>>), Fault> {
    let format = "--format=%(refname)%00%(symref)";
    let listing = git.run(git_dir, &["for-each-ref".as_ref(), format.as_ref()])?;
    let pairs = listing.split(|&b| b == b'\n').filter_map(|line| {
        let at = line.iter().position(|&b| b == 0)?;
        Some((line[..at].to_vec(), line[at + 1..].to_vec()))
    });
    let (aliases, refs): (Vec<Alias>, Vec<Alias>) =
        pairs.partition(|(_, target)| !target.is_empty());
    let named = |name: &[u8]| refs.iter().any(|(refname, _)| refname == name);
    let usual = [&b"refs/heads/main"[..], b"refs/heads/master"].into_iter().find(|it| named(it));
    let first = || refs.iter().find(|(name, _)| name.starts_with(b"refs/heads/"));
    let branch = usual.map(<[u8]>::to_vec).or_else(|| first().map(|(name, _)| name.clone()));
    Ok((aliases, branch))
}

/// The files and folders that only the owner, or root, may change.
fn guarded(site: &Site) -> Vec<(&'static str, Look)> {
    let dir = &site.git_dir;
    let folder = site.folder();
    let mut guarded = vec![
        ("the repository", Look::at(dir)),
        ("the repository's configuration", Look::through(&dir.join("config"))),
        (OUR_FOLDER, Look::at(&folder)),
    ];
    let policies = site.policies();
    // Who reads one that is kept in a repository looks at that repository.
    for path in policies.iter().filter(|path| GitPlace::parse(path).is_none()) {
        guarded.push(("the policy", Look::through(path)));
        // Whoever may change the folder may put another file there, and so with that of a link's target.
        let real = std::fs::canonicalize(path).ok();
        let folders =
            [Some(path), real.as_ref()].into_iter().flatten().filter_map(|it| it.parent());
        let mut folders: Vec<&Path> = folders.filter(|it| *it != folder && it != dir).collect();
        folders.dedup();
        guarded.extend(folders.iter().map(|it| ("the folder of the policy", Look::through(it))));
    }
    let mut signers = policies.first().map(|site| policies::signers(site)).unwrap_or_default();
    signers.retain(|path| GitPlace::parse(path).is_none());
    guarded.extend(signers.iter().map(|path| ("the file of keys", Look::through(path))));
    let log = site.log_dir();
    let outside = site.config.local_paths(KEY_LOG_DIR);
    guarded.extend(outside.iter().map(|path| ("the folder of logs", Look::through(path))));
    guarded.push(("the log", Look::at(&log)));
    let files = std::fs::read_dir(&log).into_iter().flatten().flatten().take(LOG_FILES_MAX);
    let files = files.map(|entry| Look::at(&entry.path()));
    // One is enough to say so.
    let open =
        |look: &Look| look.stat().is_some_and(|stat| stat.others_write && stat.kind != Kind::Link);
    guarded.extend(files.into_iter().find(open).map(|look| ("the log's file", look)));
    guarded
}

fn group(repository: &Look) -> Vec<look::Account> {
    let Some(stat) = repository.stat().filter(|stat| stat.mode & 0o020 != 0) else {
        return Vec::new();
    };
    let owner = look::account(stat.owner).map(|account| account.name);
    let mut accounts = look::accounts_of(stat.group);
    accounts.retain(|account| Some(&account.name) != owner.as_ref());
    accounts
}

/// Files that are written beside others and renamed, and never were (`files::write_whole`).
fn leftovers(site: &Site, hooks: &[HookSeen]) -> Vec<PathBuf> {
    let mut folders = vec![site.folder()];
    folders.extend(hooks.iter().map(|hook| hook.folder.path.clone()));
    folders.dedup();
    let entries =
        folders.iter().flat_map(|it| std::fs::read_dir(it).into_iter().flatten().flatten());
    let is_ours = |name: &[u8]| {
        let Some(name) = name.strip_prefix(b".").and_then(|it| it.strip_suffix(b".tmp")) else {
            return false;
        };
        let at = name.len().saturating_sub(9);
        let (name, tail) = name.split_at(at);
        let known = [
            &b"pre-receive"[..],
            b"update",
            b"post-receive",
            b"portcullis",
            b"policy.toml",
            b"repository",
        ];
        known.contains(&name)
            && tail.strip_prefix(b".").is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let name_of =
        |entry: &std::fs::DirEntry| std::os::unix::ffi::OsStringExt::into_vec(entry.file_name());
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.filter(|entry| is_ours(&name_of(entry))).map(|entry| entry.path()).collect()
}

/// The folders that are searched for `git`, and what is found.
fn search(around: &Surroundings) -> Vec<Look> {
    let path = around.variable("PATH").unwrap_or_default();
    let name = std::ffi::OsStr::new("git");
    let Some(found) = git::find_program(name, path) else { return Vec::new() };
    let mut looks = Vec::new();
    for folder in std::env::split_paths(path).filter(|folder| folder.is_absolute()) {
        looks.push(Look::through(&folder));
        if folder.join(name) == found {
            break;
        }
    }
    looks.push(Look::through(&found));
    looks
}

/// What the hooks call that are as they should be, else this program.
fn program(around: &Surroundings, hooks: &[HookSeen]) -> Option<PathBuf> {
    let runs = |look: &&Look| {
        look.stat().is_some_and(|stat| stat.kind == Kind::File && stat.mode & 0o111 != 0)
    };
    let called = hooks.iter().filter_map(|hook| hook.binary.as_ref()).find(runs);
    called.map(|look| look.path.clone()).or_else(|| around.executable.clone())
}

fn head(git: &Git, git_dir: &Path) -> Result<Option<(Vec<u8>, bool)>, Fault> {
    let words = ["symbolic-ref", "--quiet", "HEAD"].map(std::ffi::OsStr::new);
    let output = git.output(git_dir, &words)?;
    if !output.status.success() {
        return Ok(None);
    }
    let name = output.stdout.trim_ascii_end().to_vec();
    let name_os: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&name);
    let words = ["show-ref".as_ref(), "--verify".as_ref(), "--quiet".as_ref(), name_os];
    let is_there = git.output(git_dir, &words)?.status.success();
    Ok(Some((name, is_there)))
}

/// Where two repositories say they are the same one.
pub fn id_of(site: &Site) -> Option<(String, PathBuf)> {
    let real = std::fs::canonicalize(&site.git_dir)
        .or_fault(|| format!("could not find {}", shown(&site.git_dir)));
    Some((site.repository_id()?.to_owned(), real.ok()?))
}
