//! Checks of the hook files: will Git run them, are they ours, can a stranger change them.
//!
//! Most of what can be wrong here lets pushes through without a word (githooks(5) runs what it finds
//! and may run). Pure over the snapshot.

use crate::cli::config::Scope;
use crate::cli::doctor::finding::{Finding, Fix, Level};
use crate::cli::doctor::look::{Kind, Look, Seen};
use crate::cli::doctor::snapshot::{HookSeen, Snapshot};
use crate::cli::hookfile::HOOK_MODE;
use crate::cli::platform::Layout;
use crate::cli::quote::{shell, shown};
use crate::cli::shim::{self, Hook, Shim};

/// Nothing was ever installed, or its traces in the configuration are gone.
pub fn installed(snapshot: &Snapshot) -> Vec<Finding> {
    // One made from a template gets its id with its first push.
    let has_id = snapshot.site.repository_id().is_some() || snapshot.is_new;
    if !snapshot.hooks.is_empty() && has_id {
        return Vec::new();
    }
    let (what, why) = if snapshot.hooks.is_empty() {
        ("Portcullis is not installed here", "pushes are not judged")
    } else {
        ("the repository has no id", "no statement counts without one")
    };
    vec![Finding::new(Level::Error, "not-installed", what, why).mend(install(snapshot))]
}

/// The hook is not there, or is nothing that could be run.
pub fn present(snapshot: &Snapshot) -> Vec<Finding> {
    snapshot.hooks.iter().filter_map(|hook| absent(snapshot, hook)).collect()
}

fn absent(snapshot: &Snapshot, hook: &HookSeen) -> Option<Finding> {
    let path = shown(&hook.place.path);
    let skipped = "Git runs nothing and says nothing, pushes go unjudged";
    let install = install(snapshot);
    let found = |check, what: String, why: &str| {
        Some(Finding::new(weight(hook), check, what, why).mend(&install))
    };
    let file = shell(&hook.place.path);
    match (&hook.file.seen, &hook.target.seen) {
        (Seen::Absent, _) => found("hook-missing", format!("{path} is missing"), skipped)
            .map(|finding| finding.fix(rewritten(snapshot, hook))),
        (Seen::Hidden(why), _) | (Seen::There(_), Seen::Hidden(why)) => {
            let what = format!("{path} cannot be looked at: {why}");
            let finding = Finding::new(weight(hook), "hook-hidden", what, skipped);
            Some(finding.mend(format!("chmod 755 {}", shell(&hook.folder.path))))
        }
        (Seen::There(_), Seen::Absent) => {
            found("hook-dangling", format!("{path} is a symlink that leads nowhere"), skipped)
        }
        (Seen::There(link), Seen::There(target)) if target.kind == Kind::File => {
            if target.len_bytes == 0 {
                let why = "an empty file that may be run says yes to everything";
                let what = format!("{path} is empty");
                let finding = Finding::new(weight(hook), "hook-empty", what, why);
                let fix = rewritten(snapshot, hook).filter(|_| link.kind == Kind::File);
                return Some(finding.mend(format!("rm {file} && {install}")).fix(fix));
            }
            if link.kind == Kind::Link {
                let why = "once its target is gone or moved, Git runs nothing and says nothing";
                return found("hook-symlink", format!("{path} is a symlink"), why);
            }
            None
        }
        (Seen::There(_), Seen::There(_)) => {
            let what = format!("{path} is not a regular file");
            let finding = Finding::new(weight(hook), "hook-no-file", what, skipped);
            Some(finding.mend(format!("mv {file} {file}.away && {install}")))
        }
    }
}

/// The hook's file may not be run, by its mode or by the mount it is on.
pub fn executable(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for hook in &snapshot.hooks {
        let path = shown(&hook.place.path);
        let why = "Git skips such a hook and accepts the push, the client sees only a hint";
        if let Some(stat) = hook.target.stat()
            && stat.kind == Kind::File
            && stat.mode & 0o111 != 0o111
        {
            let what = format!("{path} is not executable (mode {:04o})", stat.mode);
            let finding = Finding::new(weight(hook), "hook-not-executable", what, why);
            let finding = finding.chmod(&hook.place.path, HOOK_MODE);
            // What a link leads to is not ours to change.
            let is_link = hook.file.stat().is_some_and(|stat| stat.kind == Kind::Link);
            findings.push(if is_link { finding.fix(None) } else { finding });
        }
        if !hook.may_run && hook.target.stat().is_some() {
            let what = format!("{path} is on a file system mounted noexec");
            findings.push(
                Finding::new(weight(hook), "hook-noexec", what, why)
                    .mend(format!("mount -o remount,exec {}", shell(&hook.folder.path))),
            );
        }
    }
    findings
}

/// The hook's file is not what `install` writes.
pub fn ours(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for hook in snapshot.hooks.iter().filter(|hook| !hook.bytes.is_empty()) {
        let path = shown(&hook.place.path);
        let finding = match shim::read(hook.place.hook, &hook.bytes) {
            Shim::Current { .. } => continue,
            Shim::Altered => {
                let why = "whether it still refuses when it should is not known";
                let what = format!("{path} was edited, or written by another version");
                let is_file = hook.file.stat().is_some_and(|stat| stat.kind == Kind::File);
                let fix = rewritten(snapshot, hook).filter(|_| is_file);
                Finding::new(weight(hook), "hook-altered", what, why).fix(fix)
            }
            Shim::Foreign => {
                let what = format!("{path} is not ours");
                let why = "another hook has taken the place of the gate, pushes go unjudged";
                Finding::new(weight(hook), "hook-foreign", what, why)
            }
        };
        findings.push(finding.mend(install(snapshot)));
    }
    findings
}

/// The program that the hook calls.
pub fn program(snapshot: &Snapshot) -> Vec<Finding> {
    let mut binaries: Vec<&Look> =
        snapshot.hooks.iter().filter_map(|h| h.binary.as_ref()).collect();
    binaries.dedup_by(|a, b| a.path == b.path);
    binaries.into_iter().filter_map(|binary| program_finding(snapshot, binary)).collect()
}

fn program_finding(snapshot: &Snapshot, binary: &Look) -> Option<Finding> {
    let path = shown(&binary.path);
    let refused = "every push is refused until it is back";
    let stat = match &binary.seen {
        Seen::There(stat) => stat,
        Seen::Absent => {
            let what = format!("the program {path}, which the hooks call, is missing");
            let finding = Finding::new(Level::Error, "program-missing", what, refused);
            return Some(finding.mend(format!("{} # or put it back", install(snapshot))));
        }
        Seen::Hidden(why) => {
            let what = format!("the program {path} cannot be looked at: {why}");
            let finding = Finding::new(Level::Error, "program-hidden", what, refused);
            let path = shell(&binary.path);
            return Some(
                finding.mend(format!("namei -l {path} # which folder keeps this account out")),
            );
        }
    };
    if stat.kind != Kind::File || stat.mode & 0o111 == 0 {
        let what = format!("the program {path} cannot be run");
        let finding = Finding::new(Level::Error, "program-not-executable", what, refused);
        return Some(finding.mend(format!("chmod 755 {}", shell(&binary.path))));
    }
    if stat.others_write {
        let what = format!("others may change the program {path} (mode {:04o})", stat.mode);
        let why = "whoever changes it decides what is accepted";
        let finding = Finding::new(Level::Error, "program-writable", what, why);
        return Some(finding.chmod(&binary.path, stat.mode & !0o022));
    }
    None
}

/// Somebody else may change the hook's file or its folder.
pub fn guarded(snapshot: &Snapshot) -> Vec<Finding> {
    let owner = snapshot.repository.stat().map(|stat| stat.owner);
    let mut folders: Vec<&Look> = snapshot.hooks.iter().map(|hook| &hook.folder).collect();
    folders.dedup();
    let files = snapshot.hooks.iter().map(|hook| &hook.file);
    let mut findings = Vec::new();
    for look in files.chain(folders) {
        let Some(stat) = look.stat().filter(|stat| stat.kind != Kind::Link) else { continue };
        let path = shown(&look.path);
        let why = "whoever may change the hooks may switch the gate off";
        if stat.others_write {
            let what = format!("others may change {path} (mode {:04o})", stat.mode);
            let finding = Finding::new(Level::Error, "hook-writable", what, why);
            findings.push(finding.chmod(&look.path, stat.mode & !0o022));
        }
        if stat.owner != 0 && Some(stat.owner) != owner {
            let what = format!("{path} belongs to account {}, the repository does not", stat.owner);
            let finding = Finding::new(Level::Error, "hook-owner", what, why);
            let owner = owner.unwrap_or_default();
            findings.push(finding.mend(format!("chown {owner} {}", shell(&look.path))));
        }
    }
    findings
}

/// The platform's own hook, which has to run ours, or has to be ours.
pub fn runner(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = snapshot.platform.name;
    for hook in &snapshot.hooks {
        let Some(runner) = &hook.runner else { continue };
        let may_run =
            runner.stat().is_some_and(|s| s.kind == Kind::File && s.mode & 0o111 == 0o111);
        let is_copy = snapshot.platform.common.is_some();
        if may_run && (!is_copy || hook.runner_is_ours) {
            continue;
        }
        let path = shown(&runner.path);
        let (what, why) = if may_run {
            (
                format!("{path} is not ours"),
                "it runs in place of our hook, pushes go unjudged".into(),
            )
        } else {
            let what = format!("{path} is missing or not executable");
            (what, format!("{name} runs our hook from it, pushes go unjudged"))
        };
        let rewrite =
            "let the platform write its hooks again (gitea: gitea admin regenerate hooks)";
        let mend = snapshot.platform.common.unwrap_or(rewrite);
        findings.push(Finding::new(weight(hook), "hook-runner", what, why).mend(mend));
    }
    findings
}

/// An earlier hook that never ran, or that is there twice.
pub fn earlier(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for hook in &snapshot.hooks {
        let Some(earlier) = &hook.earlier else { continue };
        let Some(stat) = earlier.stat().filter(|stat| stat.kind == Kind::File) else { continue };
        if stat.mode & 0o111 == 0 {
            let what = format!("the earlier hook {} is not executable", shown(&earlier.path));
            let why = "it does not run, as it did not before";
            let finding = Finding::new(Level::Note, "earlier-not-executable", what, why);
            let file = shell(&earlier.path);
            findings.push(finding.mend(format!("rm {file} # or chmod +x, if it is to run")));
        }
    }
    findings
}

/// Hooks that are not ours and have a say after ours.
pub fn watching(snapshot: &Snapshot) -> Vec<Finding> {
    let runs = |look: &&Look| {
        look.stat().is_some_and(|stat| stat.kind == Kind::File && stat.mode & 0o111 != 0)
    };
    let finding = |look: &Look| {
        let what = format!("there is a hook {}", shown(&look.path));
        let why = "it may refuse or move refs after ours has accepted, the log then says what came";
        let file = shell(&look.path);
        let mend = format!("mv {file} {file}.away # if nobody needs it");
        Finding::new(Level::Note, "other-hook", what, why).mend(mend)
    };
    snapshot.watching.iter().filter(runs).map(finding).collect()
}

/// What `--fix` puts in the place of a hook of ours. Nothing where the folder is others' too.
fn rewritten(snapshot: &Snapshot, hook: &HookSeen) -> Option<Fix> {
    let is_own = match snapshot.site.hooks_path_scope() {
        Some(Scope::Local) | None => true,
        Some(Scope::System | Scope::Global | Scope::Other(_)) => {
            snapshot.platform.layout != Layout::Single
        }
    };
    let is_folder = hook.folder.stat().is_some_and(|stat| stat.kind == Kind::Folder);
    let program = snapshot.program.as_ref().filter(|_| is_own && is_folder)?;
    let bytes = shim::render(hook.place.hook, program);
    Some(Fix::PutHook { place: hook.place.clone(), bytes })
}

/// A hook that decides weighs more than one that only records.
fn weight(hook: &HookSeen) -> Level {
    match hook.place.hook {
        Hook::PreReceive | Hook::Update => Level::Error,
        Hook::PostReceive => Level::Warning,
    }
}

fn install(snapshot: &Snapshot) -> String {
    format!("portcullis install {}", shell(&snapshot.site.git_dir))
}
