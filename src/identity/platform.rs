//! What a platform is: a server that calls Git's hooks and says who pushes.

use crate::push::env::Env;

/// A server that runs Git and says who pushes in variables of its own.
pub struct Platform {
    /// The name used in the policy's `identity.platform`.
    pub name: &'static str,
    /// Where the name comes from, for messages and the log.
    pub source: &'static str,
    /// Reads who pushes; the error says what is missing, as a sentence without its subject.
    ///
    /// What is missing or does not fit together names nobody: never somebody else.
    pub login: fn(&Env) -> Result<String, String>,
}

/// The value of a variable that the platform always sets.
///
/// # Errors
/// It is not set, empty, no UTF-8, or set twice with two values, of which each reader would take
/// another.
pub fn required(env: &Env, name: &str) -> Result<String, String> {
    if env.is_ambiguous(name) {
        return Err(format!("{name} is set twice, with two values"));
    }
    env.text(name).map(str::to_owned).ok_or_else(|| format!("{name} is not set, or is not UTF-8"))
}

/// The number of a key that belongs to a repository and to nobody, as a login: nobody is called
/// this unless the policy says so.
///
/// # Errors
/// It is no number.
pub fn deploy_key(variable: &str, number: &str) -> Result<String, String> {
    if is_number(number) {
        return Ok(format!("deploy-key-{number}"));
    }
    Err(format!("{variable} holds no number"))
}

/// Decimal digits and nothing else, at least one.
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
