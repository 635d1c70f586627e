//! Whether globset reads what a list makes of its patterns.
//!
//! Asked as a list is read: what comes after may not fail. Mostly told by a glance, for globset takes
//! its time; what is not plain it reads itself.

use std::collections::HashSet;

use crate::pattern::glob::Component;
use crate::pattern::layer::glob;

/// From how many bytes of wildcards on a list is compiled as it is read: it may be too large for
/// globset, and its reader has to say so. A shorter one is not, by far.
pub(super) const DOUBTFUL_BYTES: usize = 8 * 1024;

/// Patterns that globset has read. Most layers of a list have the same ones.
#[derive(Debug, Default)]
pub(crate) struct Readable(HashSet<String>);

impl Readable {
    /// Has globset read a pattern, if it has not.
    pub(super) fn check(&mut self, pattern: &str) -> Result<(), globset::Error> {
        if !self.0.contains(pattern) {
            glob(pattern)?;
            self.0.insert(pattern.to_owned());
        }
        Ok(())
    }
}

/// Whether globset reads these patterns, and every spelling and parent that a list makes of them,
/// without asking it: all it could object to is a class, or that they are too many.
pub(crate) fn is_plainly_readable<'a>(list: impl IntoIterator<Item = &'a [Component]>) -> bool {
    let lengths: Option<Vec<usize>> = list.into_iter().map(bytes_at_most).collect();
    lengths.is_some_and(|lengths| lengths.iter().sum::<usize>() < DOUBTFUL_BYTES)
}

/// How long all that is made of a pattern is, at most. `None` where it is not plain.
fn bytes_at_most(parts: &[Component]) -> Option<usize> {
    let texts = || parts.iter().map(Component::as_str);
    // Beyond ASCII a spelling may be longer than what it spells.
    let is_plain = texts().all(|text| text.is_ascii() && !text.contains('['));
    let length: usize = texts().map(|text| text.len() + 1).sum();
    // As many parents as components, the bare name besides; each as it is and in two spellings.
    is_plain.then_some(3 * length * (parts.len() + 2))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::fold::folded_pattern;
    use crate::pattern::glob::{components, wild_parents, with_bare_name};
    use crate::pattern::layer::tests::pattern;
    use crate::pattern::paths::{Base, PathPatterns};
    use crate::pattern::refs::RefPatterns;
    use crate::source::problem::Problems;
    use crate::source::text::{Located, SourceText};

    /// All that a list makes of a pattern: itself, its bare name, its parents, and how they fold.
    pub(in crate::pattern) fn spellings(parts: &[Component]) -> Vec<String> {
        let own = with_bare_name(parts).chain(wild_parents(parts));
        own.flat_map(|text| folded_pattern(&text).chain([text])).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_plainly_readable_is_read_and_no_longer_than_said(written in pattern()) {
            let Ok(parts) = components(&written) else { return Ok(()) };
            let Some(bytes) = bytes_at_most(&parts) else { return Ok(()) };
            let all = spellings(&parts);
            prop_assert!(all.iter().map(String::len).sum::<usize>() <= bytes, "{written}");
            for text in all {
                prop_assert!(glob(&text).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn what_is_plain_is_told_by_a_glance_and_what_is_not_is_read() {
        let plain = |text: &str| is_plainly_readable([components(text).unwrap().as_slice()]);
        for text in ["infra/**", "**/*.md", "release/?", "a,b/!c"] {
            assert!(plain(text), "{text}");
        }
        for text in ["[a-c]x", "\u{e9}/*", "*a/".repeat(60).trim_end_matches('/')] {
            assert!(!plain(text), "{text}");
        }
    }

    #[test]
    fn a_list_that_globset_does_not_take_is_a_problem_before_a_name_comes() {
        let text = SourceText::read(0, "policy.toml", b"x", 9).unwrap();
        let at = |value: String| Located { value, spot: text.whole() };
        let greedy = || (0..1000).map(|at| format!("{at}{}", "?".repeat(1000)));
        let list: Vec<_> = greedy().map(at).collect();
        let mut problems = Problems::new();
        assert!(PathPatterns::read(&list, Base::Nothing, &mut problems).is_none());
        assert!(problems.to_string().contains("these patterns do not compile"), "{problems}");
        let list = Located { value: list, spot: text.whole() };
        let mut problems = Problems::new();
        assert!(RefPatterns::read(&list, &mut problems).is_none());
        assert!(problems.to_string().contains("these patterns do not compile"), "{problems}");
    }
}
