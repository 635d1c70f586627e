//! One repository, looked at by `status`.
//!
//! Reads only, and starts no program where our hooks are: the configuration through libgit2, the log
//! through its index and its mark. What cannot be read is a finding, never the end.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::config::Config;
use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::storage::is_overdue;
use crate::cli::files;
use crate::cli::git::Git;
use crate::cli::install::mirror::fetches_into_branches;
use crate::cli::newborn;
use crate::cli::platform::Platform;
use crate::cli::quote::{shell, shown};
use crate::cli::shim::{self, HOOK_BYTES_MAX, Hook, Shim};
use crate::cli::site::Site;
use crate::cli::status::programs::Programs;
use crate::cli::status::told::{
    HookTold, Last, Owed, PolicyTold, Program, SealTold, Stance, State, Told,
};
use crate::cli::trees::{Asked, CONFIG_BYTES_MAX, trap};
use crate::hook::world::World;
use crate::hook::{debts, owed};
use crate::judge::debts::paid;
use crate::log::book::Log;
use crate::log::disk::Folder;
use crate::log::file::Ctx;
use crate::log::keeper::unsealed_since;
use crate::log::mark::Mark;
use crate::log::space::{self, Space};
use crate::names::escape::escape;
use crate::names::moment::Moment;
use crate::names::refname::Refname;
use crate::policy::Policy;
use crate::source::duration;
use crate::store::objects::Objects as _;
use crate::verdict::finding::Level as RuleLevel;

/// How many entries are walked for the newest seal where nothing says where it is.
const SEAL_WALK_ENTRIES_MAX: u64 = 10_000;

/// What is the same for every repository.
#[derive(Debug)]
pub struct Eye {
    /// Git.
    pub git: Git,
    /// The settings of the machine and of this account.
    pub shared: Config,
    /// Where `core.hooksPath` of those leads, `~` resolved.
    pub shared_hooks: Option<PathBuf>,
    /// The circumstances of this run.
    pub ctx: Ctx,
    /// The programs that were met.
    pub programs: Programs,
}

impl Eye {
    /// Looks at one repository.
    pub fn look(&mut self, asked: &Asked) -> Told {
        let label = shown(&asked.label);
        let mut told = Told::nothing(asked.path.clone(), label, State::Unseen);
        if let Some(why) = &asked.missing {
            told.findings.push(unseen(&asked.path, why.clone()));
            return told;
        }
        let world = match trap(&asked.path) {
            Some(why) => Err(why),
            None => World::at_rest(&asked.path).map_err(|stop| stop.reason),
        };
        match world {
            Ok(world) => self.fill(&world, asked, &mut told),
            Err(why) => told.findings.push(unseen(&asked.path, why)),
        }
        told.findings.sort_by_key(|finding| finding.level);
        told
    }

    fn fill(&mut self, world: &World, asked: &Asked, told: &mut Told) {
        let path = &asked.path;
        if world.hooks.is_empty() && self.is_mirror(path) {
            told.state = State::Mirror;
            return;
        }
        told.repository = world.repository.clone().unwrap_or_default();
        let install = format!("portcullis install {}", shell(path));
        if world.hooks.is_empty() {
            told.state = State::Open;
            let what = "no hooks are installed: pushes are not judged";
            told.findings
                .push(error("not-installed", what, "whoever can push, can push").mend(install));
            return;
        }
        told.state = State::Gated;
        told.is_new = world.repository.is_none() && newborn::mark(path).is_file();
        if world.repository.is_none() && !told.is_new {
            let finding =
                error("no-id", "the repository has no id", "no statement counts without one");
            told.findings.push(finding.mend(install));
        }
        self.hooks(world, told);
        let policy = policy(world, told, self.ctx.moment);
        if told.is_new {
            return;
        }
        match log(world) {
            Ok(log) => self.history(world, &log, policy.as_ref(), told),
            Err((what, hint)) => {
                let why = "no push is accepted that cannot be written down";
                told.findings.push(error("log-unusable", what, why).mend(hint));
            }
        }
    }

    /// Asks Git only where the configuration may say so at all.
    fn is_mirror(&self, path: &Path) -> bool {
        let most = usize::try_from(CONFIG_BYTES_MAX).unwrap_or(usize::MAX);
        let Ok(bytes) = files::read_whole(&path.join("config"), most) else { return false };
        let has = |words: &[u8]| bytes.windows(words.len()).any(|part| part == words);
        (has(b":refs/*") || has(b":refs/heads/*"))
            && self.git.config(path).is_ok_and(|config| fetches_into_branches(&config).is_some())
    }

    fn hooks(&mut self, world: &World, told: &mut Told) {
        let own = world.store.config_values("core.hookspath").unwrap_or_default();
        let hooks_dir = match &self.shared_hooks {
            Some(shared) if own.is_empty() => world.git_dir.join(shared),
            Some(_) | None => world.hooks_dir(),
        };
        let site = Site { git_dir: told.path.clone(), config: Config::default(), hooks_dir };
        let named = world.store.config_values("portcullis.platform").unwrap_or_default();
        let named = named.last().map_or_else(|| "plain".into(), |it| String::from_utf8_lossy(it));
        told.platform = named.clone().into_owned();
        let doctor = format!("portcullis doctor {}", shell(&told.path));
        let Ok(platform) = Platform::named(&named) else {
            let what = format!("there is no platform `{}`", escape(named.as_bytes()));
            let why = "where its hooks are cannot be told";
            told.findings.push(error("platform-unknown", what, why).mend(doctor));
            return;
        };
        for name in &world.hooks {
            let Some(hook) = Hook::named(name) else { continue };
            let place = platform.place(&site, hook);
            let bytes = files::read_start(&place.path, HOOK_BYTES_MAX).unwrap_or_default();
            let shim = shim::read(hook, &bytes);
            let runner = platform.runner(&site, hook);
            let runs = shim != Shim::Foreign
                && may_run(&place.path)
                && runner.is_none_or(|runner| may_run(&runner))
                && !self.is_switched_off(world, hook);
            if !runs {
                let what = format!("the hook {name} does not run");
                let level = match hook {
                    Hook::PreReceive | Hook::Update => Level::Error,
                    Hook::PostReceive => Level::Warning,
                };
                let why = "Git passes over it, pushes go on without it";
                let finding = Finding::new(level, "hook-not-run", what, why);
                told.findings.push(finding.mend(&doctor));
            }
            if let Shim::Current { binary } = shim {
                self.program(binary, told);
            }
            told.hooks.push(HookTold { name: name.clone(), path: place.path, runs });
        }
    }

    /// Git 2.54 and later pass over a hook that its configuration switches off.
    fn is_switched_off(&self, world: &World, hook: Hook) -> bool {
        let key = format!("hook.{}.enabled", hook.name());
        let own = world.store.config_values(&key).unwrap_or_default().pop();
        let shared = || self.shared.last(&key).and_then(|setting| setting.value.clone());
        own.or_else(shared).is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            [&b"false"[..], b"no", b"off", b"0", b""].contains(&value.as_slice())
        })
    }

    fn program(&mut self, path: PathBuf, told: &mut Told) {
        if told.programs.iter().any(|program| program.path == path) {
            return;
        }
        let version = self.programs.version(&path);
        if !may_run(&path) {
            let what = format!("the program {}, which the hooks call, cannot be run", shown(&path));
            let finding = error("program-missing", what, "every push is refused until it is back");
            told.findings.push(finding.mend(format!("portcullis doctor {}", shell(&told.path))));
        } else if version.as_deref().is_some_and(|version| version != env!("CARGO_PKG_VERSION")) {
            let what = format!(
                "the hooks run version {}, this is {}",
                escape(version.as_deref().unwrap_or_default().as_bytes()),
                env!("CARGO_PKG_VERSION")
            );
            let why = "what this program says of the policy may not be what the hooks do";
            let finding = Finding::new(Level::Warning, "program-version", what, why);
            told.findings.push(finding.mend(format!("portcullis install {}", shell(&told.path))));
        }
        told.programs.push(Program { path, version });
    }

    /// What the log says, and what statements wait.
    fn history(&self, world: &World, log: &Log, policy: Option<&Policy>, told: &mut Told) {
        let read = || -> Result<_, String> {
            let head = log.head();
            let entry = head.size.saturating_sub(1);
            let found = log.entry_by_number(entry).map_err(|error| error.to_string())?;
            let last = Last { entry, at: found.common.ts.0, head: head.hash.hex() };
            let drifts = log.drifts().map_err(|error| error.to_string())?;
            let open = drifts.into_iter().filter(|one| one.accepted.is_none());
            let open = open.map(|one| (one.entry, escape(&one.drift.refname.0))).collect();
            let owed = owed(world, log, policy, &self.ctx)?;
            let places = world.store.refs_under(b"refs/approvals/");
            let waiting = places.map_err(|error| error.to_string())?.len();
            Ok((last, open, owed, waiting))
        };
        match read() {
            Ok((last, drifts, debts, waiting)) => {
                told.last = Some(last);
                (told.drifts, told.debts, told.waiting) = (drifts, debts, waiting);
            }
            Err(why) => {
                let mend = format!("portcullis log verify {}", shell(&told.path));
                told.findings.push(error("log-unusable", why, "pushes are refused").mend(mend));
            }
        }
        drifts(told);
        overdue_debts(told);
        seal(log, policy, told, self.ctx.moment);
        room(log, policy, told);
    }
}

/// Whether Git finds a file there that it may run.
fn may_run(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path)
        .is_ok_and(|m| m.is_file() && m.len() > 0 && m.permissions().mode() & 0o111 != 0)
}

fn error(check: &'static str, what: impl Into<String>, why: &str) -> Finding {
    Finding::new(Level::Error, check, what, why)
}

/// A repository that could not be looked at.
pub fn unseen(path: &Path, why: String) -> Finding {
    error("unseen", why, "whether its pushes are judged is not known")
        .mend(format!("portcullis doctor {}", shell(path)))
}

fn policy(world: &World, told: &mut Told, now: Moment) -> Option<Policy> {
    let files: Vec<String> = world.policy_paths().iter().map(|path| shell(path)).collect();
    let lint = format!("portcullis lint {}", files.join(" "));
    let policy = match world.policy() {
        Ok((policy, _)) => policy,
        Err(stop) => {
            let why = "every push is refused until it is mended";
            told.findings.push(error("policy-unusable", stop.reason, why).mend(lint));
            return None;
        }
    };
    let refuses = |rule: &&crate::policy::compiled::CompiledRule| match rule.level_at(now) {
        RuleLevel::Refuse => true,
        RuleLevel::Warn => false,
    };
    let stance = match policy.rules.iter().filter(refuses).count() {
        0 => Stance::Warn,
        all if all == policy.rules.len() => Stance::Enforce,
        _ => Stance::Mixed,
    };
    told.policy = Some(PolicyTold { digest: policy.digest.hex(), stance });
    if !policy.warnings.is_empty() {
        let what = "the policy can be used, and says something that is probably not meant";
        let finding = Finding::new(Level::Warning, "policy-warning", what, "see what it lets pass");
        told.findings.push(finding.mend(lint));
    }
    Some(policy)
}

/// The log, by its index where there is one. Or why not, and what to do.
fn log(world: &World) -> Result<Log, (String, String)> {
    let dir = world.log_dir();
    let indexed = Log::open_indexed(&dir).transpose();
    indexed.unwrap_or_else(|| Log::open_to_read(&dir)).map_err(|error| {
        let what = crate::hook::fault::causes(&error);
        (what, error.hint().to_owned())
    })
}

fn drifts(told: &mut Told) {
    let Some((entry, refname)) = told.drifts.first() else { return };
    let more = match told.drifts.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = format!("{refname} was moved past the gate (entry {entry}){more}");
    let why = "no push that was accepted explains it, and nobody has accepted it";
    let dir = shell(&told.path);
    let finding = error("drift", what, why).mend(format!("portcullis log drift {dir}"));
    told.findings.push(finding);
}

fn overdue_debts(told: &mut Told) {
    let overdue = told.debts.iter().filter(|debt| debt.told.overdue);
    let findings = overdue.map(|debt| {
        let what = format!("the debt of entry {} on {} is overdue", debt.told.entry, debt.refname);
        let why = "it went in unreviewed, by a broken glass, and still is";
        let commit = &debt.told.commit;
        error("debt-overdue", what, why)
            .mend(format!("in a clone: portcullis approve {commit} --for {}", debt.refname))
    });
    let findings: Vec<Finding> = findings.collect();
    told.findings.extend(findings);
}

/// What is owed. Without a policy that can be used nobody can say what would settle it.
fn owed(world: &World, log: &Log, policy: Option<&Policy>, ctx: &Ctx) -> Result<Vec<Owed>, String> {
    let all = log.all_debts().map_err(|error| error.to_string())?;
    let Some(policy) = policy else { return Ok(Vec::new()) };
    let refs: BTreeSet<Refname> = all.into_iter().map(|debt| debt.refname).collect();
    let mut owed = Vec::new();
    for name in refs {
        let debts = debts::on(world, log, policy, &name, ctx).map_err(|stop| stop.reason)?;
        // One that is paid and not written down yet is nobody's debt any more.
        for facts in debts.iter().filter(|facts| paid(policy, facts).is_none()) {
            let told = owed::answer(policy, facts, ctx.moment);
            owed.push(Owed { refname: name.clone(), at: facts.debt.at, told });
        }
    }
    Ok(owed)
}

fn seal(log: &Log, policy: Option<&Policy>, told: &mut Told, now: Moment) {
    let every = policy.and_then(|policy| policy.log.seal_every);
    let mend = format!("portcullis log seal {}", shell(&told.path));
    let marked = Folder::existing(log.dir()).ok().and_then(|folder| Mark::read(&folder));
    if marked.is_none() && log.head().size > SEAL_WALK_ENTRIES_MAX {
        let what = "the log is long and has no mark, so its newest seal was not looked for";
        let why = "the mark is written with every seal, and was taken away or never was there";
        let finding = Finding::new(Level::Warning, "seal-unknown", what, why);
        return told.findings.push(finding.mend(mend));
    }
    let begun = log.entry_by_number(0).map(|entry| entry.common.ts.0).ok();
    let since = match unsealed_since(log.dir()) {
        Ok(since) => since,
        Err(fault) => {
            let why = "its seals do not hold, or it does not hold together";
            let verify = format!("portcullis log verify {}", shell(&told.path));
            return told.findings.push(error("log-unusable", fault.to_string(), why).mend(verify));
        }
    };
    let is_overdue = every.is_some_and(|every| is_overdue(every, since, now));
    let at = Some(since).filter(|since| Some(*since) != begun);
    told.seal = Some(SealTold { at, since, every, is_overdue });
    if let Some(every) = every.filter(|_| is_overdue) {
        let every = duration::shown(every);
        let what = format!("the log was to be sealed every {every}, and was not");
        let why = "what no seal covers can be written anew by whoever breaks in";
        told.findings.push(error("seal-overdue", what, why).mend(mend));
    }
}

fn room(log: &Log, policy: Option<&Policy>, told: &mut Told) {
    let Ok(free) = space::free_bytes(log.dir()) else { return };
    told.free_bytes = Some(free);
    let Some(limits) = policy.map(|policy| &policy.limits) else { return };
    let (level, why) = match space::judged(free, limits.log_warn_bytes, limits.log_free_bytes) {
        Space::Enough => return,
        Space::Little(_) => (Level::Warning, "below log-free-bytes no push is accepted"),
        Space::Full(_) => (Level::Error, "no push is accepted, but for `when-full = \"use-up\"`"),
    };
    let what = format!("the disk of the log has {} MiB left", free / (1024 * 1024));
    let mend = format!("make room on the disk of {}", shown(log.dir()));
    told.findings.push(Finding::new(level, "log-space", what, why).mend(mend));
}
