//! Which paths of a tree a rule is about.
//!
//! Made by the rule kinds that have `paths`; asked for every changed entry. Knows nothing of
//! infrastructure kinds: whoever combines the two says what holds where no pattern matches.
//!
//! Invariant: what protects is matched on every look-alike spelling, what takes away on exact
//! bytes, so that a spelling can only ever add protection.

use std::sync::OnceLock;

use crate::names::path::RepoPath;
use crate::pattern::fold::{folded, folded_pattern};
use crate::pattern::glob::{
    Component, PATTERNS_MAX, components, join, literal_parents, picks_letters, samples,
    wild_parents, with_bare_name,
};
use crate::pattern::layer::{Layer, LayerBuilder};
use crate::pattern::readable::{Readable, is_plainly_readable};
use crate::source::problem::{Problem, Problems};
use crate::source::text::Located;

/// A list of path patterns, compiled. The last that matches decides.
#[derive(Clone, Debug)]
pub struct PathPatterns {
    written: Vec<String>,
    /// For each entry, whether it takes away.
    negative: Vec<bool>,
    parts: Vec<Vec<Component>>,
    exact: Layer,
    /// Made when the first path comes: hardly any rule of a long policy is asked about one.
    alike: OnceLock<Alike>,
}

/// What is matched on look-alike spellings.
#[derive(Clone, Debug)]
struct Alike {
    folded: Layer,
    links: Layer,
    /// What is taken away; for `holds`.
    guards: Layer,
}

/// What an entry of a tree is, as far as it matters for patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryShape {
    /// A file. It stands in for a folder of the same name only by replacing it.
    File,
    /// A symlink or a submodule: more names may lie behind it, which no tree shows.
    Link,
}

/// What the list starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing: a list of exclusions alone picks nothing.
    Nothing,
    /// Something else picks paths too, and exclusions take away from that.
    Other,
}

impl PathPatterns {
    /// Reads a list. Every pattern that cannot match is a problem; with one there is no list.
    pub fn read(list: &[Located<String>], base: Base, problems: &mut Problems) -> Option<Self> {
        let before = problems.errors();
        if list.len() > PATTERNS_MAX {
            let what = format!("more than {PATTERNS_MAX} patterns in one list");
            problems.error(&list[PATTERNS_MAX].spot, what);
            return None;
        }
        let parts: Vec<Vec<Component>> =
            list.iter().map(|written| parse(written, problems)).collect();
        if problems.errors() > before {
            return None;
        }
        let patterns = Self::compile(list, parts)
            .map_err(|fault| {
                // What `components` lets through, globset reads; past its size limit it does not.
                let what = format!("these patterns do not compile: {}", fault.kind());
                problems.push(Problem::error(what).at(&list[0].spot));
            })
            .ok()?;
        patterns.look_over(list, base, problems);
        (problems.errors() == before).then_some(patterns)
    }

    fn compile(
        list: &[Located<String>],
        parts: Vec<Vec<Component>>,
    ) -> Result<Self, globset::Error> {
        let mut exact = LayerBuilder::default();
        for (entry, parts) in parts.iter().enumerate() {
            with_bare_name(parts).for_each(|pattern| exact.add(entry, pattern));
        }
        let (exact, alike) = (exact.build(), OnceLock::new());
        let negative = list.iter().map(|written| written.value.starts_with('!')).collect();
        let written = list.iter().map(|written| written.value.clone()).collect();
        let patterns = Self { written, negative, parts, exact, alike };
        if !is_plainly_readable(patterns.parts.iter().map(Vec::as_slice)) {
            let Alike { folded, links, guards } = patterns.alike();
            let mut readable = Readable::default();
            let layers = [&patterns.exact, folded, links, guards];
            layers.into_iter().try_for_each(|layer| layer.read(&mut readable))?;
        }
        Ok(patterns)
    }

    fn alike(&self) -> &Alike {
        self.alike.get_or_init(|| Alike::of(&self.parts, &self.negative))
    }

    /// Whether the list lets this path be, where it grants rather than protects: it is picked by
    /// its exact bytes, and no later exclusion is about it or about anything that it looks like.
    pub fn holds(&self, path: &RepoPath) -> bool {
        let Some(last) = self.exact.last_match(path.as_bytes()) else { return false };
        let spellings = folded(path.as_bytes());
        let mut alike = std::iter::once(&spellings.letters).chain(&spellings.loose);
        !self.negative[last] && alike.all(|name| self.alike().guards.last_match(name) < Some(last))
    }

    /// Whether the list is about this entry. `otherwise` holds where no pattern matches: whether
    /// something else, such as an infrastructure kind, has picked the path.
    ///
    /// A change of entry P counts as a change of P and of everything under P: a symlink, a
    /// submodule or a file that takes the place of `infra` is a change of `infra/**` and of
    /// `infra/a/*.tf`.
    pub fn picks(&self, path: &RepoPath, shape: EntryShape, otherwise: bool) -> bool {
        let spellings = folded(path.as_bytes());
        let mut last = self.exact.last_match(path.as_bytes());
        let mut also = |layer: &Layer, name: &[u8]| last = last.max(layer.last_match(name));
        for name in std::iter::once(&spellings.letters).chain(&spellings.loose) {
            also(&self.alike().folded, name);
            if shape == EntryShape::Link {
                also(&self.alike().links, name);
            }
        }
        if shape == EntryShape::Link {
            also(&self.alike().links, path.as_bytes());
        }
        last.map_or(otherwise, |entry| !self.negative[entry])
    }

    /// The entries of the list that match none of these paths, as they were written.
    pub fn dead(&self, paths: &[RepoPath]) -> Vec<&str> {
        let mut alive = vec![false; self.written.len()];
        for path in paths {
            let spellings = folded(path.as_bytes());
            let names = std::iter::once(&spellings.letters).chain(&spellings.loose);
            let matching = self.exact.matching(path.as_bytes()).into_iter();
            let loosely = names.flat_map(|name| self.alike().folded.matching(name));
            matching.chain(loosely).for_each(|entry| alive[entry] = true);
        }
        let dead = self.written.iter().zip(alive).filter(|(_, alive)| !alive);
        dead.map(|(written, _)| written.as_str()).collect()
    }

    /// The list as it was written.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Finds lists and exclusions that come to nothing.
    fn look_over(&self, list: &[Located<String>], base: Base, problems: &mut Problems) {
        let first = self.negative.iter().position(|negative| !negative);
        if base == Base::Nothing && first.is_none() {
            if let Some(written) = list.first() {
                let hint = "put what it takes away from before it, such as `**`";
                problems.error_hint(
                    &written.spot,
                    "a list of exclusions alone picks nothing",
                    hint,
                );
            }
            return;
        }
        for (entry, written) in list.iter().enumerate() {
            if self.negative[entry] && base == Base::Nothing && first > Some(entry) {
                let hint = "the last pattern that matches decides: put exclusions after the others";
                problems.error_hint(&written.spot, "nothing stands before this exclusion", hint);
            }
            if !self.negative[entry] && self.is_taken_away(entry) {
                let hint = "a later exclusion removes all it picks: take one of the two out";
                problems.error_hint(&written.spot, "this pattern picks nothing", hint);
            }
        }
    }

    /// Whether an exclusion after this entry takes away all that it picks.
    fn is_taken_away(&self, entry: usize) -> bool {
        let parts = &self.parts;
        let later = || (entry + 1..parts.len()).filter(|later| self.negative[*later]);
        let by_letter = later().any(|later| picks_letters(&parts[later]));
        // An exclusion by letter may match a sample and still leave other names.
        !by_letter
            && later().next().is_some()
            && samples(&parts[entry]).all(|sample| {
                let last = self.exact.last_match_from(entry + 1, sample.as_bytes());
                last.is_some_and(|last| self.negative[last])
            })
    }
}

impl Alike {
    fn of(parts: &[Vec<Component>], negative: &[bool]) -> Self {
        let (mut folded, mut links, mut guards) =
            (LayerBuilder::default(), LayerBuilder::default(), LayerBuilder::default());
        for (entry, parts) in parts.iter().enumerate() {
            let protected = with_bare_name(parts).chain(literal_parents(parts));
            let spellings = protected.flat_map(|pattern| folded_pattern(&pattern));
            if negative[entry] {
                spellings.for_each(|spelling| guards.add(entry, spelling));
                continue;
            }
            spellings.for_each(|spelling| folded.add(entry, spelling));
            for parent in wild_parents(parts) {
                folded_pattern(&parent).for_each(|p| links.add(entry, p));
                links.add(entry, parent);
            }
        }
        Self { folded: folded.build(), links: links.build(), guards: guards.build() }
    }
}

/// Takes one entry of the list apart. A flaw becomes a problem, and the parts are empty.
fn parse(written: &Located<String>, problems: &mut Problems) -> Vec<Component> {
    let pattern = written.value.strip_prefix('!').unwrap_or(&written.value);
    let parts = components(pattern).unwrap_or_else(|flaw| {
        problems.error_hint(&written.spot, flaw.what, flaw.hint);
        Vec::new()
    });
    if parts.iter().any(|part| part.as_str().eq_ignore_ascii_case(".git")) {
        let hint = "Git lets nothing named so into a tree";
        problems.error_hint(&written.spot, format!("`{}` can match nothing", join(&parts)), hint);
    }
    parts
}
