//! Checks of where programs are found: the `git` of this account, and the folders before it in `PATH`.

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::quote::{shell, shown};

/// Somebody else may put a program of their own where this account takes `git` from.
pub fn writable(snapshot: &Snapshot) -> Vec<Finding> {
    let owner = snapshot.repository.stat().map(|stat| stat.owner);
    let mut findings = Vec::new();
    for look in &snapshot.search {
        let Some(stat) = look.stat() else { continue };
        let is_strange =
            stat.owner != 0 && stat.owner != snapshot.account && Some(stat.owner) != owner;
        if !stat.others_write && !is_strange {
            continue;
        }
        let path = shown(&look.path);
        let what = format!("others may change {path}, where PATH finds programs before or as git");
        let why = "the server runs what stands there under the name of git, with its own rights";
        let finding = Finding::new(Level::Warning, "path-writable", what, why);
        findings.push(match is_strange {
            true => finding.mend(format!("chown root {}", shell(&look.path))),
            false => finding.mend(format!("chmod go-w {}", shell(&look.path))),
        });
    }
    findings
}
