//! Refs that the server keeps from those who push: `transfer.hideRefs` and `receive.hideRefs`.
//!
//! Git refuses pushes to them by itself, but not before pre-receive has run, and nothing of it knows
//! of a question. So they are refused here first, in words that hold nothing but what was sent.

use crate::hook::bench::gathered;
use crate::hook::fault::Stop;
use crate::hook::world::World;
use crate::names::refname::Refname;
use crate::store::objects::Objects as _;
use crate::verdict::line::Line;

/// The settings, the one that holds for both directions first.
const KEYS: [&str; 2] = ["transfer.hideRefs", "receive.hideRefs"];

/// Refuses whatever names a hidden ref.
pub fn refuse<'n>(world: &World, names: impl IntoIterator<Item = &'n Refname>) -> Result<(), Stop> {
    let mut patterns = Vec::new();
    for key in KEYS {
        patterns.extend(world.store.config_values(key).map_err(|error| gathered(error.into()))?);
    }
    match names.into_iter().find(|name| is_hidden(name.as_bytes(), &patterns)) {
        Some(name) => {
            let told =
                Line::new("").refname(name).text(" is in a place that this server keeps hidden");
            Err(Stop::refused(told))
        }
        None => Ok(()),
    }
}

/// As git-config(1) has it: the last pattern that fits decides, `!` says it is not hidden, `^` that
/// the name is whole, which it is here.
fn is_hidden(name: &[u8], patterns: &[Vec<u8>]) -> bool {
    for written in patterns.iter().rev() {
        let (hides, pattern) = match written.strip_prefix(b"!") {
            Some(rest) => (false, rest),
            None => (true, written.as_slice()),
        };
        let mut pattern = pattern.strip_prefix(b"^").unwrap_or(pattern);
        while let Some(rest) = pattern.strip_suffix(b"/") {
            pattern = rest;
        }
        let fits = name.strip_prefix(pattern);
        if fits.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
            return hides;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_hidden;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let patterns = ["refs/heads/secret/", "^refs/pull", "!refs/heads/secret/open"];
        let patterns = patterns.map(|pattern| pattern.as_bytes().to_vec());
        for (name, hidden) in [
            ("refs/heads/secret", true),
            ("refs/heads/secret/plan", true),
            ("refs/heads/secrets", false),
            ("refs/heads/secret/open", false),
            ("refs/heads/secret/open/more", false),
            ("refs/pull/1/head", true),
            ("refs/heads/main", false),
        ] {
            assert_eq!(is_hidden(name.as_bytes(), &patterns), hidden, "{name}");
        }
    }
}
