//! `docs/servers.md`, from which the commands are taken.
//!
//! A block is preceded by a remark that no reader sees: `<!-- SERVER: STEP -->`.

use std::fs;
use std::path::Path;

/// Where a server has its things. In a test the same path lies below the test's folder.
const ROOTS: &[&str] = &["/srv/", "/etc/", "/var/", "/usr/local/"];

/// The text of one block.
#[track_caller]
pub(crate) fn block(server: &str, step: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/servers.md");
    let page = fs::read_to_string(file).unwrap();
    let remark = format!("<!-- {server}: {step} -->\n");
    let (_, rest) =
        page.split_once(&remark).unwrap_or_else(|| panic!("docs/servers.md has no {remark}"));
    let (_, rest) = rest.split_once("```").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let (block, _) = rest.split_once("\n```").unwrap();
    format!("{block}\n")
}

/// A block with its paths below this folder.
#[track_caller]
pub(crate) fn block_below(folder: &Path, server: &str, step: &str) -> String {
    let mut text = block(server, step);
    for root in ROOTS {
        for before in [" ", "\n", "'", "\"", "=", ":"] {
            let here = format!("{before}{}{root}", folder.display());
            text = text.replace(&format!("{before}{root}"), &here);
        }
    }
    text
}
