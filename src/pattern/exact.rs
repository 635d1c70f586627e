//! Path patterns that somebody claims, as opposed to those a policy protects with.
//!
//! Written in a commit's trailer, so matched on exact bytes only: no look-alike spelling, no
//! exclusion, no folder that stands in for what lies in it, but `dir/**` covers `dir` itself. What
//! such a list does not pick counts as outside it, which is the side that refuses.

use crate::pattern::glob::{components, with_bare_name};
use crate::pattern::layer::{Layer, LayerBuilder};
use crate::pattern::readable::Readable;

/// How many patterns one claim may hold.
pub const CLAIMED_MAX: usize = 64;

/// A list of path patterns, matched on exact bytes.
#[derive(Clone, Debug)]
pub struct ExactPaths {
    layer: Layer,
}

impl ExactPaths {
    /// Reads a list. `Err` with what is wrong, in words that follow the pattern.
    pub fn read<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, String> {
        let mut builder = LayerBuilder::default();
        for (entry, pattern) in patterns.into_iter().enumerate() {
            if entry == CLAIMED_MAX {
                return Err(format!("more than {CLAIMED_MAX} patterns in one list"));
            }
            if pattern.starts_with('!') {
                return Err("no pattern takes away here: name what is meant".to_owned());
            }
            let parts = components(pattern).map_err(|flaw| flaw.what)?;
            with_bare_name(&parts).for_each(|spelling| builder.add(entry, spelling));
        }
        let layer = builder.build();
        layer
            .read(&mut Readable::default())
            .map_err(|fault| format!("it does not compile: {fault}"))?;
        Ok(Self { layer })
    }

    /// Whether the list picks this path.
    pub fn pick(&self, path: &[u8]) -> bool {
        self.layer.last_match(path).is_some()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
mod tests {
    use super::*;

    #[test]
    fn only_exact_bytes_are_picked() {
        let paths = ExactPaths::read(["infra/**", "app/*.yaml"]).unwrap();
        for picked in ["infra", "infra/a", "infra/prod/network.tf", "app/x.yaml"] {
            assert!(paths.pick(picked.as_bytes()), "{picked}");
        }
        for beside in ["Infra/a", "infra.", "infra ", "inframe/a", "app", "app/x/y.yaml", "x"] {
            assert!(!paths.pick(beside.as_bytes()), "{beside}");
        }
        assert!(paths.pick(b"infra/\xff"));
    }

    #[test]
    fn a_list_that_would_mean_something_else_is_not_read() {
        for wrong in ["", "!infra/**", "/infra", "infra/", "a/**b", "{a,b}"] {
            assert!(ExactPaths::read([wrong]).is_err(), "{wrong:?}");
        }
        let many: Vec<String> = (0..=CLAIMED_MAX).map(|n| format!("p{n}")).collect();
        assert!(ExactPaths::read(many.iter().map(String::as_str)).is_err());
    }
}
