//! GitHub Enterprise Server: `GITHUB_USER_LOGIN`, set for every pre-receive hook ("Creating a
//! pre-receive hook script"), whether somebody pushed or pressed a button (`GITHUB_VIA`).
//!
//! The author of a pull request (`GITHUB_PULL_REQUEST_AUTHOR_LOGIN`) is not who lands it.

use crate::identity::platform::{Platform, required};

/// GitHub Enterprise Server.
pub static PLATFORM: Platform = Platform {
    name: "github",
    source: "GITHUB_USER_LOGIN",
    login: |env| required(env, "GITHUB_USER_LOGIN"),
};
