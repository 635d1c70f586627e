//! Checks of what push certificates need on the server.

use crate::cli::doctor::finding::{Finding, Level};
use crate::cli::doctor::snapshot::Snapshot;
use crate::cli::policies::Certificates;
use crate::cli::quote::shell;

/// Seconds that a nonce may be old where a push takes two requests, as by http.
const SLOP_SECONDS: u32 = 60;

/// Git gives out nonces where the policy asks for certificates.
pub fn nonces(snapshot: &Snapshot) -> Vec<Finding> {
    let (level, why) = match snapshot.certificates {
        Certificates::Never => return Vec::new(),
        Certificates::ByARule => {
            (Level::Warning, "git push --signed fails, and a rule of the policy asks for it")
        }
        Certificates::ForAName => {
            (Level::Error, "git push --signed fails, and nobody is known without it")
        }
    };
    let config = &snapshot.site.config;
    let git = format!("git --git-dir={}", shell(&snapshot.site.git_dir));
    let empty = |setting: &crate::cli::config::Setting| {
        setting.value.as_deref().is_none_or(<[u8]>::is_empty)
    };
    if config.last("receive.certnonceseed").is_none_or(empty) {
        let what = "this server gives out no nonces for push certificates";
        let seed = "\"$(openssl rand -hex 32)\"";
        let command = format!("{git} config receive.certNonceSeed {seed}");
        return vec![Finding::new(level, "cert-nonce", what, why).mend(command)];
    }
    if config.last("receive.certnonceslop").is_none() {
        let what = "a nonce counts within one request only (receive.certNonceSlop)";
        let why = "a signed push by http takes two, and is refused when a second has passed";
        let command = format!("{git} config receive.certNonceSlop {SLOP_SECONDS}");
        return vec![Finding::new(Level::Note, "cert-nonce-slop", what, why).mend(command)];
    }
    Vec::new()
}
