//! Bitbucket Data Center: `BB_USER_NAME`, set for every hook script ("Writing hook scripts").
//!
//! A dry run asks whether a pull request could be merged, for whoever looks at its page. Nothing is
//! pushed then and nobody pushes. The names that Stash used are not looked at: one source.

use crate::identity::platform::{Platform, required};
use crate::push::env::Env;

/// Bitbucket Data Center.
pub static PLATFORM: Platform = Platform { name: "bitbucket", source: "BB_USER_NAME", login };

fn login(env: &Env) -> Result<String, String> {
    if env.has("BB_IS_DRY_RUN") && required(env, "BB_IS_DRY_RUN")? != "false" {
        return Err("BB_IS_DRY_RUN is not `false`: nobody pushes".to_owned());
    }
    required(env, "BB_USER_NAME")
}
