//! Patterns of one list that are matched together.
//!
//! Made and used by the lists of the room. What a pattern means is globset's to say. But to compile
//! its patterns takes longer than all the rest of a small push, and hardly ever is a name near
//! enough to any of them: so a pattern without wildcards is compared as bytes, the others are
//! compiled when a name comes that has all the letters one of them insists on. That globset will
//! read them is known before: from what they are, or it has read each by itself.

use std::sync::{Arc, OnceLock};

use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::pattern::readable::{DOUBTFUL_BYTES, Readable};

/// What may mean something else than itself, in what globset reads.
const META: [char; 8] = ['*', '?', '[', ']', '{', '}', ',', '\\'];

/// Patterns compiled together, each belonging to an entry of a list.
#[derive(Clone, Debug)]
pub(crate) struct Layer(Arc<Patterns>);

#[derive(Debug)]
struct Patterns {
    /// Those without wildcards, and their entries.
    plain: Vec<(usize, String)>,
    wild: Vec<Pattern>,
    /// The wild ones, compiled.
    set: OnceLock<GlobSet>,
}

/// A pattern with wildcards, and its entry.
#[derive(Debug)]
struct Pattern {
    text: String,
    entry: usize,
    /// How long the letters are that every name begins with, and those that it ends with.
    head: usize,
    tail: usize,
}

/// Collects patterns for a `Layer`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LayerBuilder {
    patterns: Vec<(usize, String)>,
}

impl LayerBuilder {
    /// Adds a pattern that belongs to this entry of the list.
    pub(crate) fn add(&mut self, entry: usize, pattern: String) {
        // A spelling is often no other than the last.
        let of_entry = self.patterns.iter().rev().take_while(|(of, _)| *of == entry);
        if !of_entry.map(|(_, known)| known).any(|known| *known == pattern) {
            self.patterns.push((entry, pattern));
        }
    }

    /// Makes what matches of them.
    pub(crate) fn build(self) -> Layer {
        let (wild, plain): (Vec<_>, Vec<_>) =
            self.patterns.into_iter().partition(|(_, text)| text.contains(META));
        let wild = wild.into_iter().map(|(entry, text)| Pattern::new(text, entry)).collect();
        Layer(Arc::new(Patterns { plain, wild, set: OnceLock::new() }))
    }
}

impl Layer {
    /// Has globset read each pattern, and all of them where they are many: for what is not plainly
    /// readable, before a name comes.
    pub(crate) fn read(&self, readable: &mut Readable) -> Result<(), globset::Error> {
        let Patterns { wild, set, .. } = &*self.0;
        wild.iter().try_for_each(|pattern| readable.check(&pattern.text))?;
        if wild.iter().map(|pattern| pattern.text.len()).sum::<usize>() >= DOUBTFUL_BYTES {
            // Never set before: no name has come.
            let _ = set.set(compiled(wild)?);
        }
        Ok(())
    }

    /// The entries of the list that have a matching pattern here.
    pub(crate) fn matching(&self, name: &[u8]) -> Vec<usize> {
        self.matching_from(0, name)
    }

    /// The last entry of the list that has a matching pattern here.
    pub(crate) fn last_match(&self, name: &[u8]) -> Option<usize> {
        self.last_match_from(0, name)
    }

    /// The same, of the entries from this one on.
    pub(crate) fn last_match_from(&self, first: usize, name: &[u8]) -> Option<usize> {
        self.matching_from(first, name).into_iter().max()
    }

    fn matching_from(&self, first: usize, name: &[u8]) -> Vec<usize> {
        let plain = self.0.plain.iter().filter(|(_, text)| text.as_bytes() == name);
        let plain = plain.map(|(entry, _)| *entry).filter(|entry| *entry >= first);
        plain.chain(self.0.wild_from(first, name)).collect()
    }
}

impl Patterns {
    fn wild_from(&self, first: usize, name: &[u8]) -> Vec<usize> {
        let mut asked = self.wild.iter().filter(|pattern| pattern.entry >= first);
        if !asked.any(|pattern| pattern.may_match(name)) {
            return Vec::new();
        }
        let set = self.set.get_or_init(|| {
            let failed = |_| unreachable!("each can be read, and all are short");
            compiled(&self.wild).unwrap_or_else(failed)
        });
        let found = set.matches_candidate(&Candidate::from_bytes(name));
        let entries = found.into_iter().map(|at| self.wild[at].entry);
        entries.filter(|entry| *entry >= first).collect()
    }
}

impl Pattern {
    fn new(text: String, entry: usize) -> Self {
        let head = text.split(META).next().unwrap_or_default().len();
        // `**/` in front of it may stand for nothing.
        let tail = text.rsplit(META).next().unwrap_or_default().trim_start_matches('/').len();
        Self { text, entry, head, tail }
    }

    /// Whether a name has all the letters that this pattern insists on.
    fn may_match(&self, name: &[u8]) -> bool {
        let (text, end) = (self.text.as_bytes(), self.text.len() - self.tail);
        if !name.starts_with(&text[..self.head]) || !name.ends_with(&text[end..]) {
            return false;
        }
        // What stands in brackets is no letter of the name's.
        let inside = self.text.get(self.head..end).filter(|inside| !inside.contains('['));
        let mut runs = inside.into_iter().flat_map(|inside| inside.split(META));
        runs.all(|run| memchr::memmem::find(name, run.trim_matches('/').as_bytes()).is_some())
    }
}

/// globset's reading of a pattern.
pub(super) fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    // Its `*` crosses `/` unless told otherwise.
    GlobBuilder::new(pattern).literal_separator(true).backslash_escape(false).build()
}

fn compiled(patterns: &[Pattern]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(glob(&pattern.text)?);
    }
    set.build()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects")]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::fold::folded;
    use crate::pattern::glob::{components, join, samples};
    use crate::pattern::readable::tests::spellings;

    fn layer(patterns: &[String]) -> Result<Layer, globset::Error> {
        let mut builder = LayerBuilder::default();
        patterns.iter().enumerate().for_each(|(at, text)| builder.add(at, text.clone()));
        read(builder)
    }

    fn read(builder: LayerBuilder) -> Result<Layer, globset::Error> {
        let layer = builder.build();
        layer.read(&mut Readable::default())?;
        Ok(layer)
    }

    /// What globset says by itself, all patterns compiled.
    fn globset(patterns: &[String]) -> Result<GlobSet, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(glob(pattern)?);
        }
        set.build()
    }

    /// Patterns over few letters, with every kind of wildcard, so that they often match.
    pub(in crate::pattern) fn pattern() -> impl Strategy<Value = String> {
        let letter = prop_oneof![
            8 => "[abA./]".prop_map(String::from),
            4 => "[*?]".prop_map(String::from),
            1 => prop_oneof![
                "\\[!?[ab.\\]-]{1,3}\\]", "[ \u{e9}\u{df}\u{200b},{}!\u{130}\u{17f}-]", ".",
            ].prop_map(String::from),
        ];
        let component = prop_oneof![
            3 => prop::collection::vec(letter, 1..4).prop_map(|letters| letters.concat()),
            1 => Just("**".to_owned()),
        ];
        prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("/"))
    }

    fn name() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            4 => "[abA./]{0,8}".prop_map(String::into_bytes),
            1 => "[ab/. \u{e9}\u{df}\u{200b},\u{130}\u{17f}\u{1}\\\\-]{0,8}".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..8),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn a_layer_says_what_globset_says(
            written in prop::collection::vec(pattern(), 1..4),
            names in prop::collection::vec(name(), 0..6),
        ) {
            let parts: Vec<_> = written.iter().filter_map(|text| components(text).ok()).collect();
            let all: Vec<String> = parts.iter().flat_map(|parts| spellings(parts)).collect();
            let (layer, globset) = (layer(&all), globset(&all));
            prop_assert_eq!(layer.is_ok(), globset.is_ok());
            let (Ok(layer), Ok(globset)) = (layer, globset) else { return Ok(()) };
            let alike = parts.iter().flat_map(|parts| {
                let mut texts: Vec<String> = samples(parts).collect();
                texts.push(join(parts));
                texts
            });
            for name in names.into_iter().chain(alike.map(String::into_bytes)) {
                let folded = folded(&name);
                for name in [Some(folded.letters), folded.loose, Some(name)].into_iter().flatten() {
                    let mut found = layer.matching(&name);
                    found.sort_unstable();
                    prop_assert_eq!(&found, &globset.matches_candidate(&Candidate::from_bytes(&name)));
                    let from_one = found.iter().copied().filter(|at| *at >= 1).max();
                    prop_assert_eq!(layer.last_match_from(1, &name), from_one);
                }
            }
        }
    }

    #[test]
    fn what_is_far_from_every_pattern_compiles_nothing() {
        let layer = layer(&["infra/**", "**/examples/**", "*.tf", "plain"].map(str::to_owned));
        let layer = layer.unwrap();
        for far in ["app/main.rs", "plain", "infrastructure/x", "tf", "a/example/b"] {
            layer.last_match(far.as_bytes());
        }
        assert!(layer.0.set.get().is_none());
        assert_eq!(layer.last_match(b"main.tf"), Some(2));
        assert!(layer.0.set.get().is_some());
    }

    #[test]
    fn no_list_below_the_doubtful_size_is_too_large_for_globset() {
        for dense in ["?", "[!a-z]", "[acegikmoqsuwy]", "*", "*/", "a", "**/", "**/*/", "\u{e9}"] {
            let long = dense.repeat(1024 / dense.len());
            let count = DOUBTFUL_BYTES / long.len() + 1;
            let texts: Vec<String> = (0..count).map(|at| format!("?{at}{long}x")).collect();
            let bytes: usize = texts.iter().map(String::len).sum();
            assert!(bytes >= DOUBTFUL_BYTES);
            // Read at once, as it is not below it; then twice as much is fine as well.
            assert!(layer(&texts).is_ok(), "{dense}");
            assert!(layer(&[texts.clone(), texts].concat()).is_ok(), "{dense}");
        }
    }

    #[test]
    fn a_list_that_is_too_large_is_said_to_be_as_it_is_read() {
        let mut builder = LayerBuilder::default();
        (0..1000).for_each(|at| builder.add(at, format!("{at}{}", "?".repeat(1000))));
        assert!(read(builder).is_err());
    }
}
