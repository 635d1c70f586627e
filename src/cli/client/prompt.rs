//! Asks the person at the terminal before something is signed.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::cli::fault::{Fault, OrFault};
use crate::cli::io::Console;

/// How long an answer may be, in bytes; more is not a yes.
const REPLY_BYTES_MAX: u64 = 16;

/// Whether the person says yes. Without a terminal nobody can, and that is a fault.
pub fn confirm(console: &mut Console, question: &str) -> Result<bool, Fault> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Fault::mistyped("standard input is no terminal, so nobody can say yes")
            .hint("look at it with --print, then say --yes"));
    }
    console.talk(&format!("{question} [y/N]"))?;
    let mut reply = String::new();
    let mut limited = io::Read::take(stdin.lock(), REPLY_BYTES_MAX);
    limited.read_line(&mut reply).or_fault(|| "could not read your reply".into())?;
    Ok(matches!(reply.trim(), "y" | "Y" | "yes" | "Yes"))
}
