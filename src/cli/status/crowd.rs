//! Many repositories looked at, one after the other, and none of them holds up the rest.
//!
//! Below a folder of other people's repositories anything may lie: a configuration that includes a
//! pipe, a disk that does not answer. So somebody else looks while we wait, and whoever takes too long
//! is left behind with that repository.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::cli::quote::shown;
use crate::cli::status::look::{Eye, unseen};
use crate::cli::status::told::{State, Told};
use crate::cli::trees::Asked;

/// How long one repository may take.
pub const LOOK_TIME_MAX: Duration = Duration::from_secs(20);

/// Looks at all of them, in their order. `eye` makes what looks, `step` hears of each that is done.
pub fn look_at_all(
    asked: Vec<Asked>,
    patience: Duration,
    eye: &dyn Fn() -> Eye,
    step: &mut dyn FnMut(),
) -> Vec<Told> {
    let asked = Arc::new(asked);
    let mut all = Vec::with_capacity(asked.len());
    while all.len() < asked.len() {
        let (send, receive) = channel();
        let (from, list, mut eye) = (all.len(), Arc::clone(&asked), eye());
        let looker = thread::Builder::new().spawn(move || {
            for one in list.iter().skip(from) {
                // Where nobody listens any more, somebody else goes on.
                if send.send(eye.look(one)).is_err() {
                    return;
                }
            }
        });
        let why = match looker {
            Err(error) => format!("could not look: {error}"),
            Ok(_) => loop {
                match receive.recv_timeout(patience) {
                    Ok(told) => {
                        all.push(told);
                        step();
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        break format!(
                            "it could not be looked at within {} seconds",
                            patience.as_secs()
                        );
                    }
                    Err(RecvTimeoutError::Disconnected) => {
                        break "the look at it ended in the middle: a bug".to_owned();
                    }
                }
            },
        };
        if let Some(one) = asked.get(all.len()) {
            all.push(left(one, why));
            step();
        }
    }
    all
}

fn left(asked: &Asked, why: String) -> Told {
    let mut told = Told::nothing(asked.path.clone(), shown(&asked.label), State::Unseen);
    told.findings.push(unseen(&asked.path, why));
    told
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::cli::config::Config;
    use crate::cli::git::Git;
    use crate::cli::status::programs::Programs;
    use crate::cli::surroundings::Surroundings;
    use crate::hook::host;
    use crate::names::moment::Moment;
    use crate::push::env::Env;

    fn eye() -> Eye {
        let around = Surroundings {
            arguments: Vec::new(),
            environment: Env::new([("PATH".into(), "/usr/bin:/bin".into())]),
            directory: None,
            executable: None,
            now: Moment::from_seconds(1_800_000_000),
        };
        Eye {
            git: Git::find(&around).unwrap(),
            shared: Config::default(),
            shared_hooks: None,
            ctx: host::ctx(around.now),
            programs: Programs::new(None),
        }
    }

    fn repository(folder: &Path, name: &str, config: &str) -> Asked {
        let path = folder.join(name);
        for part in ["refs", "objects"] {
            fs::create_dir_all(path.join(part)).unwrap();
        }
        fs::write(path.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(path.join("config"), config).unwrap();
        Asked { path, label: name.into(), is_named: false, missing: None }
    }

    #[test]
    fn who_makes_us_wait_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let waits = format!("[include]\n\tpath = {}\n", pipe.display());
        let asked = [("a", ""), ("b", &waits), ("c", ""), ("d", &waits), ("e", "")]
            .map(|(name, config)| repository(folder.path(), name, config));
        let mut steps = 0;
        let patience = Duration::from_millis(500);
        let all = look_at_all(asked.into(), patience, &eye, &mut || steps += 1);
        let told: Vec<_> = all.iter().map(|told| (told.label.as_str(), told.state)).collect();
        let (open, unseen) = (State::Open, State::Unseen);
        assert_eq!(told, [("a", open), ("b", unseen), ("c", open), ("d", unseen), ("e", open)]);
        assert_eq!(steps, 5);
        // Whoever waits there still is let go.
        drop(fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap());
    }
}
