//! What else on the server speaks about a ref that was moved past the gate.
//!
//! Read once, when the drift is found; nothing of it is proof. Who can write a ref can write a reflog.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::log::entry::Evidence;
use crate::log::wire::Text;
use crate::names::moment::Moment;
use crate::names::oid::Oid;
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::gitstore::GitStore;
use crate::store::objects::{Objects as _, RefValue};

/// How long a line of a reflog may be that is kept as evidence.
const REFLOG_LINE_BYTES_MAX: u64 = 1024;

/// How much of a file that is no ref is kept as evidence.
const BROKEN_BYTES_MAX: u64 = 200;

/// What speaks about this ref, found with this value; zeros for none.
pub fn of_ref(store: &GitStore, refname: &Refname, found: &Oid) -> Vec<Evidence> {
    let name = OsStr::from_bytes(refname.as_bytes());
    let common = store.common_dir();
    let mut traces = Vec::new();
    match store.read_ref(refname) {
        Err(StoreError::BrokenRef { .. }) => {
            traces.push(trace("broken", start(&common.join(name))));
        }
        Ok(RefValue::Symbolic(target)) => traces.push(trace("symbolic", target)),
        Ok(RefValue::Absent | RefValue::Direct(_)) | Err(_) => {}
    }
    if !found.is_zero() && matches!(store.header(found), Ok(None)) {
        traces.push(trace("object", "what it names is not in the repository"));
    }
    traces.extend(reflog(&common.join("logs").join(name), found.hex().as_bytes()));
    traces.extend(file(&common.join(name)));
    traces
}

/// What speaks about HEAD, found to name this.
pub fn of_head(store: &GitStore) -> Vec<Evidence> {
    let dir = store.common_dir();
    let reflog = last_line(&dir.join("logs").join("HEAD"));
    let reflog = reflog.map(|line| trace("reflog", without_address(line)));
    reflog.into_iter().chain(file(&dir.join("HEAD"))).collect()
}

/// The last line of the reflog where it leads to what was found; else that none does, which is how it
/// looks when a file was edited by hand.
fn reflog(path: &Path, found: &[u8]) -> Option<Evidence> {
    let line = last_line(path)?;
    let leads_there = line.split(|&byte| byte == b' ').nth(1) == Some(found);
    Some(match leads_there {
        true => trace("reflog", without_address(line)),
        false => trace("reflog", "its last line does not lead to what was found"),
    })
}

fn last_line(path: &Path) -> Option<Vec<u8>> {
    let mut file = fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(REFLOG_LINE_BYTES_MAX))).ok()?;
    let mut end = Vec::new();
    file.take(REFLOG_LINE_BYTES_MAX).read_to_end(&mut end).ok()?;
    let lines = end.strip_suffix(b"\n")?;
    let line = match lines.iter().rposition(|&byte| byte == b'\n') {
        Some(at) => &lines[at + 1..],
        None if length < REFLOG_LINE_BYTES_MAX => lines,
        None => return None,
    };
    Some(line.to_vec())
}

/// A line of a reflog without the peer's address, which `git http-backend` puts behind the pusher's
/// name: `<alice@http.192.0.2.7>`.
fn without_address(line: Vec<u8>) -> Vec<u8> {
    const BEFORE: &[u8] = b"@http.";
    let at = line.windows(BEFORE.len()).position(|part| part == BEFORE);
    let Some((head, rest)) = at.and_then(|at| line.split_at_checked(at + BEFORE.len())) else {
        return line;
    };
    let Some(end) = rest.iter().position(|&byte| byte == b'>') else { return line };
    [head, rest.get(end..).unwrap_or_default()].concat()
}

/// When the ref's file was written last, and whose it is.
fn file(path: &Path) -> Option<Evidence> {
    let meta = fs::symlink_metadata(path).ok().filter(|meta| !meta.is_dir())?;
    let when = Moment::from_seconds(meta.mtime()).rfc3339_seconds();
    Some(trace("file", format!("written {when}, it belongs to account {}", meta.uid())))
}

fn start(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read any more is shown as nothing.
    let _ = fs::File::open(path).and_then(|it| it.take(BROKEN_BYTES_MAX).read_to_end(&mut bytes));
    bytes
}

fn trace(kind: &str, text: impl AsRef<[u8]>) -> Evidence {
    Evidence { kind: kind.to_owned(), text: Text::from(text.as_ref()) }
}
