//! GitLab: `GL_USERNAME`, set by Gitaly for custom hooks, with `GL_ID` beside it.
//!
//! `GL_ID` says what the name is worth: `user-N` for a person, `key-N` for a deploy key, which is
//! used by whoever has it and is known by its number instead.

use crate::identity::platform::{Platform, deploy_key, is_number, required};
use crate::push::env::Env;

/// GitLab.
pub static PLATFORM: Platform = Platform { name: "gitlab", source: "GL_USERNAME", login };

fn login(env: &Env) -> Result<String, String> {
    let id = required(env, "GL_ID")?;
    if let Some(number) = id.strip_prefix("key-") {
        return deploy_key("GL_ID", number);
    }
    if id.strip_prefix("user-").is_some_and(is_number) {
        return required(env, "GL_USERNAME");
    }
    Err("GL_ID names neither a user nor a key".to_owned())
}
