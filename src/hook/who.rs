//! Who pushes, by the one source that the policy names for the way they came.

use std::fs;
use std::io::Read as _;

use crate::hook::host;
use crate::identity::{Given, Source, door, pusher as ask};
use crate::policy::Policy;
use crate::policy::settings::{Asks, DoorSource};
use crate::push::Seen;
use crate::push::certificate::Certified;
use crate::push::env::Env;
use crate::push::pusher::Pusher;
use crate::ssh::auth_info::AUTH_INFO_BYTES_MAX;

/// Asks the policy's source who pushes.
pub fn pusher(env: &Env, policy: &Policy, certificate: &Seen<Option<Certified>>) -> Pusher {
    let source = match &policy.identity.asks {
        Asks::Platform(name) => Source::Platform(name),
        Asks::Doors { ssh, http, local } => {
            let at = match door(env) {
                "ssh" => ssh,
                "http" => http,
                _ => local,
            };
            match at {
                DoorSource::SshAuthInfo => Source::SshAuthInfo,
                DoorSource::PushCertificate => Source::PushCertificate,
                DoorSource::OsUser => Source::OsUser,
                DoorSource::Variable(name) => Source::Variable(name),
            }
        }
    };
    let auth_info = auth_info(env);
    let os_user = host::os_user();
    let (auth_info, os_user) = (auth_info.as_deref(), os_user.as_deref());
    let given = Given { env, auth_info, os_user, certificate };
    ask(&given, source, &policy.roster)
}

/// What stands in the file that sshd names (`ExposeAuthInfo`, sshd_config(5)).
fn auth_info(env: &Env) -> Option<String> {
    let file = fs::File::open(env.get("SSH_USER_AUTH")?).ok()?;
    let mut text = String::new();
    file.take(AUTH_INFO_BYTES_MAX as u64).read_to_string(&mut text).ok()?;
    Some(text)
}
