//! Checks of what the gate stands on: policy, log, folders, and who may change them.
//!
//! Pure over the snapshot, but for the asking whether the log can be written.

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::look::{Kind, Seen};
use crate::cli::doctor::snapshot::{OUR_FOLDER, Snapshot};
use crate::cli::quote::{shell, shown};
use crate::log::space::{self, Space};
use crate::names::moment::Moment;
use crate::source::duration;

/// The mode of our folder in a repository that is not shared.
const FOLDER_MODE: u32 = 0o700;

/// The policy cannot be used, so every push is refused.
pub fn policy(snapshot: &Snapshot) -> Vec<Finding> {
    let refused = "every push is refused until it is mended";
    let files: Vec<String> = snapshot.site.policies().iter().map(|path| shell(path)).collect();
    let (check, what) = match &snapshot.policy {
        Ok(problems) if problems.is_empty() => return Vec::new(),
        Ok(problems) => {
            let what = format!("the policy cannot be used\n{}", problems.trim_end());
            ("policy-broken", what)
        }
        Err(why) => ("policy-unreadable", why.clone()),
    };
    let finding = Finding::new(Level::Error, check, what, refused);
    vec![finding.mend(format!("portcullis lint {}", files.join(" ")))]
}

/// Files and folders that others may change, or that belong to somebody else.
pub fn owners(snapshot: &Snapshot) -> Vec<Finding> {
    let owner = snapshot.repository.stat().map(|stat| stat.owner);
    let mut findings = Vec::new();
    for (role, look) in &snapshot.guarded {
        let Some(stat) = look.stat() else { continue };
        let path = shown(&look.path);
        let why = format!("whoever may change {role} may go round the gate");
        // A repository that is shared on purpose has its own finding.
        let shared = snapshot.site.config.local_text("core.sharedrepository").is_some();
        let is_policy = *role == "the policy";
        let is_site = is_policy || *role == "the folder of the policy";
        // The hooks refuse a policy that a group may write, whoever is in it.
        if is_policy && stat.mode & 0o022 != 0 || stat.others_write && !shared {
            let what = format!("others may change {role} {path} (mode {:04o})", stat.mode);
            let finding = Finding::new(Level::Error, "writable-by-others", what, &why);
            let mode = if *role == OUR_FOLDER { FOLDER_MODE } else { stat.mode & !0o022 };
            findings.push(finding.chmod(&look.path, mode));
        }
        if stat.owner != 0 && Some(stat.owner) != owner {
            let what = format!("{role} {path} belongs to account {}", stat.owner);
            let level = if is_site { Level::Warning } else { Level::Error };
            let finding = Finding::new(level, "wrong-owner", what, &why);
            let owner = owner.unwrap_or_default();
            findings.push(finding.mend(format!("chown {owner} {}", shell(&look.path))));
        }
    }
    findings
}

/// Anybody may read policy and log.
pub fn private(snapshot: &Snapshot) -> Vec<Finding> {
    let path = snapshot.site.folder();
    let ours = snapshot.guarded.iter().find(|(_, look)| look.path == path);
    let Some(stat) = ours.and_then(|(_, look)| look.stat()) else { return Vec::new() };
    let shared = snapshot.site.config.local_text("core.sharedrepository").is_some();
    if shared || stat.others_write || stat.mode & 0o077 == 0 || stat.kind != Kind::Folder {
        return Vec::new();
    }
    let what = format!("others may look into {} (mode {:04o})", shown(&path), stat.mode);
    let why = "the log says who did what and from where, and may hold the key that seals it";
    let finding = Finding::new(Level::Warning, "folder-open", what, why);
    vec![finding.chmod(&path, FOLDER_MODE)]
}

/// `doctor` runs as another account than pushes do, so it may see something else.
pub fn account(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(stat) = snapshot.repository.stat() else { return Vec::new() };
    if stat.owner == snapshot.account {
        return Vec::new();
    }
    let what = format!(
        "the repository belongs to account {}, this is account {}",
        stat.owner, snapshot.account
    );
    let why = "settings and rights are those of this account, pushes may meet others";
    let command =
        format!("sudo -u '#{}' portcullis doctor {}", stat.owner, shell(&snapshot.site.git_dir));
    vec![Finding::new(Level::Warning, "other-account", what, why).mend(command)]
}

/// The log is missing, is not a folder, cannot be written, or is where locks do not hold.
pub fn log(snapshot: &Snapshot) -> Vec<Finding> {
    if snapshot.hooks.is_empty() || snapshot.is_new {
        return Vec::new();
    }
    let path = shown(&snapshot.log.path);
    let refused = "no push is accepted that cannot be written down";
    let error = |check, what: String, mend: String| {
        vec![Finding::new(Level::Error, check, what, refused).mend(mend)]
    };
    let install = format!("portcullis install {}", shell(&snapshot.site.git_dir));
    let stat = match &snapshot.log.seen {
        Seen::Absent => return error("log-missing", format!("the log {path} is missing"), install),
        Seen::Hidden(why) => {
            let folder = snapshot.log.path.parent().unwrap_or(&snapshot.log.path);
            let mend = format!("chmod u+rwx {}", shell(folder));
            return error("log-hidden", format!("the log {path} cannot be seen: {why}"), mend);
        }
        Seen::There(stat) => stat,
    };
    if stat.kind != Kind::Folder {
        let log = shell(&snapshot.log.path);
        let mend = format!("mv {log} {log}.away && {install}");
        return error("log-no-folder", format!("the log {path} is not a folder"), mend);
    }
    if !snapshot.log.is_writable() {
        let command = format!("chmod u+rwx {}", shell(&snapshot.log.path));
        return error("log-unwritable", format!("the log {path} cannot be written"), command);
    }
    let Some(kind) = snapshot.log.network_kind() else { return Vec::new() };
    let what = format!("the log {path} is on {kind}");
    let why = "locks and syncs of network file systems do not always hold, the log may fork";
    let mend = "keep it on a local disk: portcullis install --log-dir DIR";
    vec![Finding::new(Level::Warning, "log-on-network", what, why).mend(mend)]
}

/// The log went on in a file that is not append-only, as the others are.
pub fn log_append_only(snapshot: &Snapshot) -> Vec<Finding> {
    let Some(first) = snapshot.not_append_only.first() else { return Vec::new() };
    let more = snapshot.not_append_only.len() - 1;
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let what = format!("{}{more} can be changed, older files of the log cannot", shown(first));
    let why = "the account that pushes run as may not make the files append-only that it begins";
    let mend = format!("sudo portcullis install --append-only {}", shell(&snapshot.site.git_dir));
    vec![Finding::new(Level::Warning, "log-append-only", what, why).mend(mend)]
}

/// The log's disk is nearly full.
pub fn log_space(snapshot: &Snapshot) -> Vec<Finding> {
    let Some((free, warn, full)) = snapshot.log_space else { return Vec::new() };
    let (level, why) = match space::judged(free, warn, full) {
        Space::Enough => return Vec::new(),
        Space::Little(_) => (Level::Warning, "below log-free-bytes no push is accepted"),
        Space::Full(_) => (Level::Error, "no push is accepted, but for `when-full = \"use-up\"`"),
    };
    let what = format!("the disk of the log has {} MiB left", free / (1024 * 1024));
    let mend = format!("make room on the disk of {}", shown(&snapshot.log.path));
    vec![Finding::new(level, "log-space", what, why).mend(mend)]
}

/// The newest seal is older than it should be, twice over.
pub fn sealed(snapshot: &Snapshot) -> Vec<Finding> {
    let Some((every, since)) = snapshot.sealing else { return Vec::new() };
    if !is_overdue(every, since, snapshot.now) {
        return Vec::new();
    }
    let (since, every) = (since.rfc3339_seconds(), duration::shown(every));
    let what = format!("the log was not sealed since {since}, and the policy says every {every}");
    let why =
        "who breaks in can write anew what no seal covers, and silence cannot be told from a cut";
    let command = format!("portcullis log seal {}", shell(&snapshot.site.git_dir));
    vec![Finding::new(Level::Warning, "seal-overdue", what, why).mend(command)]
}

/// Whether a seal is overdue: late by as long as it may take.
pub fn is_overdue(every: i64, since: Moment, now: Moment) -> bool {
    since.plus_seconds(every.saturating_mul(2)) < now
}

/// A log that goes when the repository goes.
pub fn log_place(snapshot: &Snapshot) -> Vec<Finding> {
    if snapshot.hooks.is_empty() || !snapshot.log.path.starts_with(&snapshot.site.git_dir) {
        return Vec::new();
    }
    let what = "the log is inside the repository";
    let why =
        "whoever deletes the repository, a forge's delete button say, deletes the log with it";
    let mend = "before the first push: portcullis install --log-dir DIR";
    vec![Finding::new(Level::Note, "log-place", what, why).mend(mend)]
}
