//! Checks of Git's configuration: what switches hooks off or goes round them, and what is worth
//! having.
//!
//! Pure over the snapshot. The configuration is the one that this account sees; the account that
//! serves pushes is the one to run `doctor` as.

use crate::cli::config::{Scope, Setting};
use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::look::Kind;
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::platform::Layout;
use crate::cli::quote::{shell, shell_word, shown};
use crate::cli::shim::Hook;
use crate::cli::site::KEY_REPOSITORY;
use crate::names::escape::escape_short;

/// Git looks for hooks in a folder that is not the repository's own.
pub fn hooks_path(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(setting) = snapshot.site.config.last("core.hookspath") else { return Vec::new() };
    if setting.scope == Scope::Local && snapshot.platform.layout == Layout::Single {
        // Put there for this repository: our hooks were installed where it points, if they could be.
        let is_folder = snapshot.hooks.iter().all(|hook| {
            hook.folder.is_absent() || hook.folder.stat().is_some_and(|s| s.kind == Kind::Folder)
        });
        if is_folder {
            return Vec::new();
        }
        let what =
            format!("core.hooksPath is {}, which is no folder", shown(&snapshot.site.hooks_dir));
        let finding = Finding::new(Level::Error, "hooks-path", what, "Git runs no hook at all");
        return vec![finding.mend(unset(snapshot, setting))];
    }
    let is_ours = !snapshot.hooks.is_empty() && snapshot.hooks.iter().all(|it| it.binary.is_some());
    if snapshot.platform.layout == Layout::Single && is_ours {
        // `install --global` put them there for every repository.
        return Vec::new();
    }
    let what = format!(
        "Git looks for hooks in {}, not in the repository",
        shown(&snapshot.site.hooks_dir)
    );
    let why = format!("core.hooksPath is set in {}, our hooks do not run", origin(setting));
    let own = snapshot.site.git_dir.join("hooks");
    let command = format!("{} config core.hooksPath {}", git(snapshot), shell(&own));
    vec![Finding::new(Level::Error, "hooks-path", what, why).mend(command)]
}

/// Rules that were to warn at first, and still do.
pub fn only_warns(snapshot: &Snapshot) -> Vec<Finding> {
    if !snapshot.site.only_warns() {
        return Vec::new();
    }
    let what = "no rule refuses anything here yet, all of them only warn";
    let why = "it was installed so that people may get used to it (portcullis.level)";
    let command = format!("portcullis install {} --enforce", shell(&snapshot.site.git_dir));
    vec![Finding::new(Level::Warning, "only-warns", what, why).mend(command)]
}

/// Hooks from the configuration (Git 2.54 and later): they can switch ours off or veto after it.
pub fn configured_hooks(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for setting in snapshot.site.config.settings() {
        let Some(name) = setting.key.strip_prefix(b"hook.") else { continue };
        let ours = |name: &[u8]| Hook::ALL.iter().any(|hook| hook.name().as_bytes() == name);
        let value = setting.value.as_deref().unwrap_or(b"true");
        let unset = unset(snapshot, setting);
        if name.strip_suffix(b".enabled").is_some_and(ours) && is_false(value) {
            let what = format!("{} is switched off in {}", shown_key(setting), origin(setting));
            let why = "Git does not run the hook, pushes go unjudged";
            findings.push(Finding::new(Level::Error, "hook-disabled", what, why).mend(unset));
        } else if name.ends_with(b".event") && ours(value) {
            let what = format!("{} adds another {} hook", shown_key(setting), escape_short(value));
            let why = "it may refuse after ours accepted, the log then says not-applied";
            findings.push(Finding::new(Level::Note, "hook-configured", what, why).mend(unset));
        }
    }
    findings
}

/// Refs that Git hands to another program, which moves them without the `update` hook.
pub fn proc_receive(snapshot: &Snapshot) -> Vec<Finding> {
    let why =
        "these refs are moved by a program of its own, which may put there what was not judged";
    each(snapshot, "receive.procreceiverefs", |setting| {
        let what = format!("receive.procReceiveRefs is set in {}", origin(setting));
        Some(Finding::new(Level::Warning, "proc-receive", what, why))
    })
}

/// Pushes from clones that were cut off may cut off the repository, too.
pub fn shallow_update(snapshot: &Snapshot) -> Vec<Finding> {
    let why = "a push from a shallow clone may cut history off, and what was cut cannot be judged";
    each(snapshot, "receive.shallowupdate", |setting| {
        let what = format!("receive.shallowUpdate is on in {}", origin(setting));
        is_on(setting).then(|| Finding::new(Level::Warning, "shallow-update", what, why))
    })
}

/// What is found about each value of a key, mended by taking the value away where it stands.
fn each(
    snapshot: &Snapshot,
    key: &str,
    find: impl Fn(&Setting) -> Option<Finding>,
) -> Vec<Finding> {
    let settings = snapshot.site.config.settings().iter();
    let settings = settings.filter(|setting| setting.key == key.as_bytes());
    settings.filter_map(|one| Some(find(one)?.mend(unset(snapshot, one)))).collect()
}

/// Places that people have to push to, hidden from them.
pub fn hidden_refs(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for setting in snapshot.site.config.settings() {
        let is_hiding = setting.key == b"transfer.hiderefs" || setting.key == b"receive.hiderefs";
        let value = setting.value.as_deref().unwrap_or_default();
        let prefix = value.strip_prefix(b"^").unwrap_or(value);
        let needed: [&[u8]; 3] = [b"refs/approvals", b"refs/checks", b"refs/portcullis"];
        let hides = needed.iter().any(|place| {
            place.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        });
        if !is_hiding || value.starts_with(b"!") || prefix.is_empty() || !hides {
            continue;
        }
        let what = format!("{} hides \"{}\"", shown_key(setting), escape_short(value));
        let why = "Git refuses pushes to hidden refs, so nobody can approve, check or ask";
        let command = format!(
            "{} --fixed-value --unset {} {}",
            config_of(snapshot, setting),
            shell_word(&setting.key),
            shell_word(value)
        );
        findings.push(Finding::new(Level::Warning, "hidden-refs", what, why).mend(command));
    }
    findings
}

/// Ways in for people without a name.
pub fn anonymous(snapshot: &Snapshot) -> Vec<Finding> {
    let config = &snapshot.site.config;
    let mut findings = Vec::new();
    for (listed, key) in
        [("daemon.receivepack", "daemon.receivepack"), ("http.receivepack", "http.receivepack")]
    {
        if config.boolean(listed) != Some(true) {
            continue;
        }
        let what = format!("{key} lets people push without a login");
        let why = "whoever has no name is refused, but may fill the disk first";
        let command = format!("{} config {key} false", git(snapshot));
        findings.push(Finding::new(Level::Note, "anonymous-push", what, why).mend(command));
    }
    findings
}

/// Several accounts write to the repository itself.
pub fn shared(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(value) = snapshot.site.config.local_text("core.sharedrepository") else {
        return Vec::new();
    };
    if ["false", "umask", "0", "no", "off"].contains(&value.to_ascii_lowercase().as_str()) {
        return Vec::new();
    }
    let what = "the repository is shared between accounts (core.sharedRepository)";
    let why =
        "pushers can change refs, hooks and the log without a push: the gate is advice to them";
    let dir = shell(&snapshot.site.git_dir);
    let finding = Finding::new(Level::Warning, "shared-repository", what, why);
    let command = format!("{} config --unset-all core.sharedRepository", git(snapshot));
    vec![
        finding
            .mend(format!(
                "{command} # and one account for all pushes: ssh with a forced command, http"
            ))
            .mend(format!("chmod -R go-w {dir}")),
    ]
}

/// Settings that nothing breaks without.
pub fn worth_having(snapshot: &Snapshot) -> Vec<Finding> {
    let config = &snapshot.site.config;
    let dir = &snapshot.site.git_dir;
    let mut findings = Vec::new();
    if config.boolean("receive.advertisepushoptions") != Some(true) {
        let what = "clients cannot send push options";
        let why = "`portcullis review`, `approve` and `git push -o ask` cannot ask this server";
        let finding = Finding::new(Level::Warning, "push-options", what, why);
        findings.push(finding.set(dir, "receive.advertisePushOptions", "true"));
    }
    let fsck = config.boolean("receive.fsckobjects").or(config.boolean("transfer.fsckobjects"));
    if fsck != Some(true) {
        let what = "Git does not check the objects that arrive";
        let why = "malformed and hostile objects are kept, on refs that no rule protects as well";
        let finding = Finding::new(Level::Note, "fsck-objects", what, why);
        // Not for --fix: pushes that were taken yesterday may be refused by it.
        findings.push(finding.set(dir, "receive.fsckObjects", "true").fix(None));
    }
    if !config.last("core.logallrefupdates").is_some_and(is_on) {
        let what = "Git keeps no reflogs here";
        let why = "a reflog is a second witness of who moved a ref round the gate";
        let finding = Finding::new(Level::Note, "reflogs", what, why);
        findings.push(finding.set(dir, "core.logAllRefUpdates", "true"));
    }
    let syncs_refs = config.last("core.fsync").and_then(|s| s.value.as_deref()).is_some_and(|v| {
        v.split(|&b| b == b',').any(|part| {
            let part = part.trim_ascii();
            [&b"all"[..], b"added", b"committed", b"reference"].contains(&part)
        })
    });
    if !syncs_refs {
        let what = "Git does not sync refs to disk";
        let why = "after a power cut an accepted push may be gone while the log has it";
        let finding = Finding::new(Level::Note, "fsync", what, why);
        findings.push(finding.set(dir, "core.fsync", "committed"));
    }
    findings
}

/// Housekeeping that may remove the objects of a push that is under way.
pub fn pruning(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(setting) = snapshot.site.config.last("gc.pruneexpire") else { return Vec::new() };
    if !setting.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(b"now")) {
        return Vec::new();
    }
    let what = "gc.pruneExpire is `now`";
    let why = "housekeeping may take the objects of a push between its acceptance and its refs";
    let command = format!("{} config gc.pruneExpire 2.weeks.ago", git(snapshot));
    vec![Finding::new(Level::Warning, "prune-now", what, why).mend(command)]
}

/// Our own keys, where they do not count or do not agree.
pub fn own_keys(snapshot: &Snapshot) -> Vec<Finding> {
    let config = &snapshot.site.config;
    let mut findings = Vec::new();
    let ours = |s: &&Setting| s.key.starts_with(b"portcullis.") && s.scope != Scope::Local;
    for setting in config.settings().iter().filter(ours) {
        let what = format!("{} is set in {}", shown_key(setting), origin(setting));
        let why = "only the repository's own configuration is looked at";
        let finding = Finding::new(Level::Warning, "key-elsewhere", what, why);
        findings.push(finding.mend(unset(snapshot, setting)));
    }
    if config.local(KEY_REPOSITORY).len() > 1 {
        let what = "the repository has two ids";
        let why = "statements for one of them do not count";
        let finding = Finding::new(Level::Error, "two-ids", what, why);
        let begun = snapshot.history.begun_for();
        let id = begun.or(snapshot.site.repository_id()).unwrap_or_default();
        let id = shell_word(id.as_bytes());
        findings.push(finding.mend(format!(
            "{} config --replace-all portcullis.repository {id} # the log's",
            git(snapshot)
        )));
    }
    findings
}

/// The command that takes all values of a key away from the file that they stand in.
fn unset(snapshot: &Snapshot, setting: &Setting) -> String {
    format!("{} --unset-all {}", config_of(snapshot, setting), shell_word(&setting.key))
}

/// The command that changes the file that a setting stands in.
fn config_of(snapshot: &Snapshot, setting: &Setting) -> String {
    match (&setting.scope, setting.origin.strip_prefix(b"file:")) {
        (Scope::System | Scope::Global | Scope::Other(_), Some(file)) => {
            format!("git config --file {}", shell_word(file))
        }
        (Scope::System | Scope::Global | Scope::Local | Scope::Other(_), _) => {
            format!("{} config", git(snapshot))
        }
    }
}

fn git(snapshot: &Snapshot) -> String {
    format!("git --git-dir={}", shell(&snapshot.site.git_dir))
}

fn origin(setting: &Setting) -> String {
    escape_long(setting.origin.strip_prefix(b"file:").unwrap_or(&setting.origin))
}

fn escape_long(bytes: &[u8]) -> String {
    crate::names::escape::escape(bytes)
}

fn shown_key(setting: &Setting) -> String {
    escape_long(&setting.key)
}

fn is_false(value: &[u8]) -> bool {
    matches!(value.to_ascii_lowercase().as_slice(), b"false" | b"no" | b"off" | b"0" | b"")
}

/// Also for `core.logAllRefUpdates`, which may be `always`.
fn is_on(setting: &Setting) -> bool {
    setting.value.as_deref().is_none_or(|value| !is_false(value))
}
