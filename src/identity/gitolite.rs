//! gitolite: `GL_USER`, set by gitolite-shell before Git runs (gitolite, "environment variables").
//!
//! With `GL_BYPASS_ACCESS_CHECKS` gitolite looks at nobody: whoever has a shell on the server set
//! both variables.

use crate::identity::platform::{Platform, required};
use crate::push::env::Env;

/// gitolite.
pub static PLATFORM: Platform = Platform { name: "gitolite", source: "GL_USER", login };

fn login(env: &Env) -> Result<String, String> {
    if env.has("GL_BYPASS_ACCESS_CHECKS") {
        return Err("GL_BYPASS_ACCESS_CHECKS is set: gitolite checked nobody".to_owned());
    }
    required(env, "GL_USER")
}
