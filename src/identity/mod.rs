//! Who pushes: one source a door, asked once, never a second one when the first is silent.
//!
//! Made from the environment that the server set (threats F13: what a client can set is no
//! identity). Reads nothing itself; the file that `SSH_USER_AUTH` names is handed in.

pub mod bitbucket;
pub mod certificate;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod gitolite;
pub mod platform;
pub mod soft_serve;
#[cfg(test)]
mod tests;

use crate::identity::platform::{Platform, required};
use crate::names::principal::PrincipalName;
use crate::push::Seen;
use crate::push::certificate::{Certified, Standing};
use crate::push::env::Env;
use crate::push::pusher::{BY_CERTIFICATE, Pusher, Who};
use crate::roster::Roster;
use crate::ssh::auth_info;
use crate::ssh::key::SshKey;

/// Every platform. A new one is a file beside this and its row here.
pub static PLATFORMS: &[&Platform] = &[
    &gitolite::PLATFORM,
    &gitea::PLATFORM,
    &gitlab::PLATFORM,
    &github::PLATFORM,
    &bitbucket::PLATFORM,
    &soft_serve::PLATFORM,
];

/// Where a door's pusher is known from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source<'p> {
    /// The key that sshd accepted (`ExposeAuthInfo` of sshd_config(5)).
    SshAuthInfo,
    /// Whoever signed the push certificate.
    PushCertificate,
    /// The account the hook runs as.
    OsUser,
    /// A variable that the server sets.
    Variable(&'p str),
    /// A platform's own variables.
    Platform(&'static str),
}

/// What the process was given to tell who pushes.
pub struct Given<'g> {
    /// The environment.
    pub env: &'g Env,
    /// What stands in the file that `SSH_USER_AUTH` names; `None`: there is none, or unreadable.
    pub auth_info: Option<&'g str>,
    /// The name of the account the hook runs as.
    pub os_user: Option<&'g str>,
    /// The push certificate, looked at.
    pub certificate: &'g Seen<Option<Certified>>,
}

/// Which way the push came: `ssh`, `http` or `local`.
pub fn door(env: &Env) -> &'static str {
    if env.has("SSH_CONNECTION") {
        "ssh"
    } else if env.has("GATEWAY_INTERFACE") {
        "http"
    } else {
        "local"
    }
}

/// Asks one source who pushes.
pub fn pusher(given: &Given<'_>, source: Source<'_>, roster: &Roster) -> Pusher {
    let door = door(given.env);
    let named = |login: Result<String, String>, source: &str| by_login(login, source, door, roster);
    match source {
        Source::SshAuthInfo => by_key(given, door, roster),
        Source::PushCertificate => by_certificate(given, door, roster),
        Source::OsUser => {
            let login = given.os_user.map(str::to_owned);
            named(login.ok_or_else(|| "the account has no name".to_owned()), "os-user")
        }
        Source::Variable(name) => named(required(given.env, name), name),
        Source::Platform(name) => match PLATFORMS.iter().find(|p| p.name == name) {
            Some(platform) => named((platform.login)(given.env), platform.source),
            None => named(Err(format!("platform {name} is not known")), name),
        },
    }
}

fn by_login(
    login: Result<String, String>,
    source: &str,
    door: &'static str,
    roster: &Roster,
) -> Pusher {
    let (who, login) = match login {
        Err(why) => (Who::Unnamed { why }, String::new()),
        Ok(login) => match roster.by_login(&login) {
            Some(name) => (listed(name, roster), login),
            None => (Who::Unlisted, login),
        },
    };
    Pusher { who, login, source: source.to_owned(), door, key: None }
}

/// By the keys of the log-in: the first that is somebody's.
fn by_key(given: &Given<'_>, door: &'static str, roster: &Roster) -> Pusher {
    let unnamed = |why: &str| Pusher {
        who: Who::Unnamed { why: why.to_owned() },
        login: String::new(),
        source: "ssh-auth-info".to_owned(),
        door,
        key: None,
    };
    if !given.env.has("SSH_USER_AUTH") {
        return unnamed("SSH_USER_AUTH is not set, sshd_config needs `ExposeAuthInfo yes`");
    }
    let Some(text) = given.auth_info else {
        return unnamed("the file that SSH_USER_AUTH names cannot be read");
    };
    let info = auth_info::parse(text);
    let Some(first) = info.keys.first() else {
        return unnamed("the log-in used no key");
    };
    let known = info.keys.iter().find_map(|key| Some((key, roster.by_key(key.bytes())?)));
    let (key, who): (&SshKey, Who) = match known {
        Some((key, name)) => (key, listed(name, roster)),
        None => (first, Who::Unlisted),
    };
    let fingerprint = key.fingerprint();
    Pusher {
        who,
        login: fingerprint.clone(),
        source: "ssh-auth-info".to_owned(),
        door,
        key: Some(fingerprint),
    }
}

/// By whoever signed the push certificate, when it is good.
fn by_certificate(given: &Given<'_>, door: &'static str, roster: &Roster) -> Pusher {
    let (who, key) = match given.certificate {
        Seen::NotHere => (Err("the update hook is shown no push certificate".to_owned()), None),
        Seen::All(None) => (Err("the push carries no certificate".to_owned()), None),
        Seen::All(Some(certified)) => match &certified.standing {
            Standing::Good(name) => (Ok(listed(name, roster)), certified.fingerprint.clone()),
            Standing::Not(why) => (Err(format!("the certificate {why}")), None),
        },
    };
    Pusher {
        who: who.unwrap_or_else(|why| Who::Unnamed { why }),
        login: key.clone().unwrap_or_default(),
        source: BY_CERTIFICATE.to_owned(),
        door,
        key,
    }
}

fn listed(name: &PrincipalName, roster: &Roster) -> Who {
    let principal = roster.get(name);
    Who::Listed {
        name: name.clone(),
        machine: principal.is_some_and(|p| p.machine),
        // Nobody on record is nobody's own: the careful reading.
        shared: principal.is_none_or(|p| p.shared),
    }
}
