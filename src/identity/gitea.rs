//! Gitea and Forgejo: `GITEA_PUSHER_NAME`, set for every hook they run.
//!
//! A push by deploy key carries the name of the repository's owner, who did not push; such a push
//! is known by the key's number instead, which is in nobody's table unless the policy puts it there.

use crate::identity::platform::{Platform, deploy_key, required};
use crate::push::env::Env;

/// Gitea and Forgejo.
pub static PLATFORM: Platform = Platform { name: "gitea", source: "GITEA_PUSHER_NAME", login };

/// The number that the platform gives to nobody, and to what is not there.
const NONE: &str = "0";

fn login(env: &Env) -> Result<String, String> {
    let name = required(env, "GITEA_PUSHER_NAME")?;
    // The account's number comes with its name; machines of the platform have negative ones.
    if env.has("GITEA_PUSHER_ID") {
        let id = required(env, "GITEA_PUSHER_ID")?;
        if id == NONE || id.parse::<i64>().is_err() {
            return Err("GITEA_PUSHER_ID is no account's number".to_owned());
        }
    }
    if !env.has("GITEA_DEPLOY_KEY_ID") {
        return Ok(name);
    }
    match required(env, "GITEA_DEPLOY_KEY_ID")?.as_str() {
        NONE => Ok(name),
        id => deploy_key("GITEA_DEPLOY_KEY_ID", id),
    }
}
