//! Whether the log's disk has room for one more push.
//!
//! Asked once for each push, before it is judged; `[log] when-full` and two limits say what follows.

use crate::hook::fault::Stop;
use crate::hook::world::World;
use crate::log::space::{self, Space};
use crate::policy::Policy;
use crate::policy::settings::WhenFull;

const MIB: u64 = 1024 * 1024;

/// A warning for the answer, where the disk is nearly full.
///
/// # Errors
/// A fault where it is too full for the policy, or cannot be asked.
pub fn left(world: &World, policy: &Policy) -> Result<Option<String>, Stop> {
    let dir = world.log_dir();
    let free = space::free_bytes(&dir).map_err(|error| {
        Stop::fault(
            "the disk of the change log on this server cannot be asked for its room",
            &error,
        )
    })?;
    let limits = &policy.limits;
    match space::judged(free, limits.log_warn_bytes, limits.log_free_bytes) {
        Space::Enough => Ok(None),
        Space::Full(free) if policy.log.when_full == WhenFull::Refuse => {
            let told = "the disk of the change log on this server is nearly full";
            let dir = dir.display();
            let reason = format!(
                "{told}: {free} bytes are free at {dir}, `log-free-bytes` in [limits] asks for {}",
                limits.log_free_bytes
            );
            Err(Stop::fault_because(told, reason))
        }
        Space::Little(free) | Space::Full(free) => Ok(Some(format!(
            "warning: the disk of the change log has {} MiB left, tell whoever runs this server",
            free / MIB
        ))),
    }
}
