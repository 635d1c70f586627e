//! The hook that was there before us: it runs after ours has accepted, and may still say no.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::hook::fault::Stop;

/// What `install` adds to the name of a hook it found.
pub const SUFFIX: &str = ".before-portcullis";

/// The earlier hook, when there is one that Git would have run.
pub fn there(hooks_dir: &Path, name: &str) -> Option<PathBuf> {
    let path = hooks_dir.join(format!("{name}{SUFFIX}"));
    let runs = std::fs::metadata(&path)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    runs.then_some(path)
}

/// Runs the earlier hook, when there is one that Git would have run, with what Git gave ours.
/// Returns its exit code; a death by signal is a no.
pub fn run(
    hooks_dir: &Path,
    name: &str,
    args: &[Vec<u8>],
    stdin: &[u8],
) -> Result<Option<u8>, Stop> {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(path) = there(hooks_dir, name) else { return Ok(None) };
    let told = "the server's other hook could not be run";
    let fault = |error: std::io::Error| Stop::fault(told, &error);
    let mut child = Command::new(&path)
        .args(args.iter().map(|arg| std::ffi::OsStr::from_bytes(arg)))
        .stdin(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A hook need not read what it is given (githooks(5)).
        let _ = pipe.write_all(stdin);
    }
    let status = child.wait().map_err(fault)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Some(code))
}
