//! What a platform is: a server that calls Git's hooks and says who pushes.

use crate::push::env::Env;

/// A server that runs Git and says who pushes in variables of its own.
pub struct Platform {
    /// The name used in the policy's `identity.platform`.
    pub name: &'static str,
    /// Where the name comes from, for messages and the log.
    pub source: &'static str,
    /// Reads who pushes; the error says what is missing, as a sentence without its subject.
    pub login: fn(&Env) -> Result<String, String>,
}

/// The value of a variable that the platform always sets.
pub fn required(env: &Env, name: &str) -> Result<String, String> {
    env.text(name).map(str::to_owned).ok_or_else(|| format!("{name} is not set, or is not UTF-8"))
}
