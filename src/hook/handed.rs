//! Refs that Git would hand to a `proc-receive` hook instead of moving them (threats A12).
//!
//! Such a hook moves what refs it likes, past `update` and past every rule about them: what was
//! judged is not what happens. So a push to a ref that Git would hand over is refused.

use crate::hook::bench::gathered;
use crate::hook::fault::Stop;
use crate::hook::world::World;
use crate::push::update::RefUpdate;
use crate::store::objects::Objects as _;
use crate::verdict::line::{Hint, Line};

/// The setting that names them (git-config(1)).
const KEY: &str = "receive.procreceiverefs";

/// Refuses a push of which Git would hand a ref over.
pub fn over(world: &World, updates: &[RefUpdate]) -> Result<(), Stop> {
    let values = world.store.config_values(KEY).map_err(|error| gathered(error.into()))?;
    let handed =
        |update: &&RefUpdate| values.iter().any(|value| takes(value, update.name.as_bytes()));
    let Some(update) = updates.iter().find(handed) else { return Ok(()) };
    let told = Line::new("").refname(&update.name);
    let told =
        told.text(" is not moved by Git here but handed to a hook, which may move any other");
    let hint = "push a branch; the operators can unset receive.procReceiveRefs on the server";
    Err(Stop::refused(told).hint(Hint::new(Line::new(hint))))
}

/// Whether a value of the setting is about a ref, whatever happens to it: `[admn!]*:PREFIX`, or the
/// prefix alone. With `!` it is about all others; then it is taken to be about every ref.
fn takes(value: &[u8], name: &[u8]) -> bool {
    let (flags, prefix) = match value.iter().position(|b| *b == b':') {
        Some(at) => (&value[..at], &value[at + 1..]),
        None => (&b""[..], value),
    };
    let end = prefix.iter().rposition(|b| *b != b'/').map_or(0, |at| at + 1);
    let rest = name.strip_prefix(&prefix[..end]);
    flags.contains(&b'!') || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::takes;

    #[test]
    fn a12_what_git_hands_over_is_told_as_git_tells_it() {
        for (value, name) in [
            ("refs/for", "refs/for/main"),
            ("refs/for/", "refs/for/main"),
            ("refs/heads/main", "refs/heads/main"),
            ("ad:refs/drafts", "refs/drafts/x"),
            ("!:refs/heads", "refs/tags/v1"),
        ] {
            assert!(takes(value.as_bytes(), name.as_bytes()), "{value} {name}");
        }
        for (value, name) in [("refs/for", "refs/fort/x"), ("refs/heads/main", "refs/heads/mai")] {
            assert!(!takes(value.as_bytes(), name.as_bytes()), "{value} {name}");
        }
    }
}
