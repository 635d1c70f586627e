//! Stand-ins for programs that no test can count on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::ground::Ground;

/// A program that tells how it was called and where, in `NAME.told` beside it, and refuses a tree
/// in which a file holds `refuse NAME`.
pub(crate) fn stand_in(ground: &Ground, name: &str) -> PathBuf {
    let path = ground.at(name);
    let told = ground.at(format!("{name}.told"));
    let script = format!(
        "#!/bin/sh\nhead -c 11 >>'{told}'\necho \" $* in $(pwd)\" >>'{told}'\n\
         case \" $* \" in *' init '*) exit 0;; esac\n\
         grep -rqs 'refuse {name}' . && echo '{name} says no' && exit 1\nexit 0\n",
        told = told.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A policy with stand-ins in place of the programs that its rules name, made in this folder.
pub(crate) fn with_stand_ins(ground: &Ground, policy: &str) -> String {
    let mut policy = policy.to_owned();
    for name in ["conftest", "kubeconform", "terraform"] {
        let path = stand_in(ground, name).display().to_string();
        let (word, called) = (format!("command = [\"{name}\""), format!("command = [\"{path}\""));
        policy = policy.replace(&word, &called);
        for call in ["-chdir", "init", "validate -no-color"] {
            policy = policy.replace(&format!("{name} {call}"), &format!("{path} {call}"));
        }
    }
    policy
}
