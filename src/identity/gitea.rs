//! Gitea and Forgejo: `GITEA_PUSHER_NAME`, set for every hook they run.
//!
//! A push by deploy key carries the name of the repository's owner, who did not push; such a push
//! is known by the key's number instead, which is in nobody's table unless the policy puts it there.

use crate::identity::platform::{Platform, required};
use crate::push::env::Env;

/// Gitea and Forgejo.
pub static PLATFORM: Platform = Platform { name: "gitea", source: "GITEA_PUSHER_NAME", login };

fn login(env: &Env) -> Result<String, String> {
    match env.text("GITEA_DEPLOY_KEY_ID") {
        Some(id) if id != "0" => Ok(format!("deploy-key-{id}")),
        _ => required(env, "GITEA_PUSHER_NAME"),
    }
}
