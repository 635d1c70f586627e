//! Whatever this process has started, and what that has started: stopped when time is up.
//!
//! A child that goes on would keep the pusher's terminal open, and receive-pack waiting for it.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::hook::host::parent_of;

/// How often is looked: a process may start another while it is being stopped.
const LOOKS: usize = 3;

/// Stops all of them.
pub fn stop() {
    for _ in 0..LOOKS {
        let found = descendants(u64::from(std::process::id()));
        if found.is_empty() {
            return;
        }
        for pid in found {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            // It may be gone by now.
            let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

/// The processes below one, by proc(5); none where that cannot be read.
fn descendants(of: u64) -> BTreeSet<u64> {
    let Ok(folder) = fs::read_dir("/proc") else { return BTreeSet::new() };
    let names = folder.filter_map(Result::ok).map(|entry| entry.file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse::<u64>().ok());
    let mut parents: Vec<(u64, u64)> =
        pids.filter_map(|pid| Some((pid, parent_of(&pid.to_string())?))).collect();
    let mut found = BTreeSet::new();
    loop {
        let below = |parent: &u64| *parent == of || found.contains(parent);
        let (new, rest): (Vec<_>, Vec<_>) = parents.into_iter().partition(|(_, up)| below(up));
        if new.is_empty() {
            return found;
        }
        found.extend(new.into_iter().map(|(pid, _)| pid));
        parents = rest;
    }
}
