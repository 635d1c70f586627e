//! Soft Serve: `SOFT_SERVE_USERNAME`, set where somebody logged in. It serves people without an
//! account as well: then it names nobody, even where it knows a key.

use crate::identity::platform::{Platform, required};

/// Soft Serve.
pub static PLATFORM: Platform = Platform {
    name: "soft-serve",
    source: "SOFT_SERVE_USERNAME",
    login: |env| required(env, "SOFT_SERVE_USERNAME"),
};
