//! gitolite: `GL_USER`, set by gitolite-shell before Git runs (gitolite, "environment variables").

use crate::identity::platform::{Platform, required};

/// gitolite.
pub static PLATFORM: Platform =
    Platform { name: "gitolite", source: "GL_USER", login: |env| required(env, "GL_USER") };
