//! What `doctor --fix` does: mends that need no decision, each said aloud, and the change of hooks and
//! settings written into the log.
//!
//! Nothing here lets more or less through than `install` meant to, and nothing of anybody else's is
//! changed or taken away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::cli::doctor::finding::{Finding, Fix};
use crate::cli::fault::{Fault, OrFault};
use crate::cli::files::{self, Durable};
use crate::cli::git::Git;
use crate::cli::hookfile;
use crate::cli::inventory;
use crate::cli::io::{Console, Tone};
use crate::cli::quote::{shell, shown};
use crate::cli::site::Site;
use crate::cli::surroundings::Surroundings;
use crate::hook::host;
use crate::log::book::Log;
use crate::log::config::Noticed;

/// Mends what a check says can be mended. Answers whether anything was.
pub fn mend(
    around: &Surroundings,
    console: &mut Console,
    git: &Git,
    site: &Site,
    found: &[Finding],
) -> Result<bool, Fault> {
    let fixable = || found.iter().filter_map(|finding| Some((finding, finding.fix.as_ref()?)));
    if fixable().next().is_none() {
        return Ok(false);
    }
    if let Some(owner) = another_owner(site)? {
        let text = format!(
            "{} belongs to account {owner}, so nothing was mended there: what this account writes, \
             that one might not change\nsudo -u '#{owner}' portcullis doctor --fix {}",
            shown(&site.git_dir),
            shell(&site.git_dir)
        );
        console.talk_lines(Tone::Warning, &text)?;
        return Ok(false);
    }
    for (finding, fix) in fixable() {
        apply(git, site, fix)?;
        console.talk_lines(
            Tone::Success,
            &format!("mended: {} [{}]\n{}", finding.what, finding.check, done(fix)),
        )?;
    }
    note(around, git, site)?;
    Ok(true)
}

/// The account that the repository belongs to, where that is another.
fn another_owner(site: &Site) -> Result<Option<u32>, Fault> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = fs::metadata(&site.git_dir)
        .or_fault(|| format!("could not look at {}", shown(&site.git_dir)))?;
    Ok(Some(meta.uid()).filter(|owner| *owner != rustix::process::geteuid().as_raw()))
}

fn apply(git: &Git, site: &Site, fix: &Fix) -> Result<(), Fault> {
    match fix {
        Fix::Chmod { path, mode } => fs::set_permissions(path, Permissions::from_mode(*mode))
            .or_fault(|| format!("could not change the mode of {}", shown(path))),
        Fix::Configure(change) => git.configure(&site.git_dir, std::slice::from_ref(change)),
        Fix::PutHook { place, bytes } => hookfile::put(place, bytes, Durable::AtOnce),
        Fix::Remove { paths } => paths.iter().try_for_each(|path| {
            files::remove(path).or_fault(|| format!("could not remove {}", shown(path)))
        }),
    }
}

/// What was done, as the commands that would do it.
fn done(fix: &Fix) -> String {
    match fix {
        Fix::Chmod { path, mode } => format!("chmod {mode:o} {}", shell(path)),
        Fix::Configure(change) => change.describe().join("\n"),
        Fix::PutHook { place, .. } => format!("wrote {}", shown(&place.path)),
        Fix::Remove { paths } => {
            let words: Vec<String> = paths.iter().map(|path| shell(path)).collect();
            format!("rm {}", words.join(" "))
        }
    }
}

/// Writes the hooks and the settings that are in force now into the log, if there is one that takes
/// it: what is wrong with the log is a finding of its own.
fn note(around: &Surroundings, git: &Git, site: &Site) -> Result<(), Fault> {
    let site = Site::find(around, git, &site.git_dir)?;
    let Ok(mut log) = Log::open(&site.log_dir()) else { return Ok(()) };
    let ctx = host::own_ctx(&host::ctx(around.now));
    inventory::note(&site, &mut log, Noticed::Doctor, &ctx).map(drop)
}
