//! Many patterns that match together, each belonging to an entry of a list.
//!
//! Used by `paths`, `refs` and `exact`. A hook starts anew for every push, and a general library
//! takes longer to compile a policy's patterns than a push takes to be judged; this takes them as
//! they are. It knows `*`, `?`, brackets and `**` as a whole component, all on bytes, and a test
//! holds it to `globset`.
//!
//! The cost of a match is at worst the pattern's length times the name's: of several `*`, or
//! several `**`, only the last is ever tried again, since whatever an earlier one could take, the
//! last one can.

use std::sync::Arc;

/// Patterns compiled together, each belonging to an entry of a list.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// By rising entry.
    globs: Arc<[(usize, Glob)]>,
}

/// Collects patterns for a `Layer`.
#[derive(Debug, Default)]
pub(crate) struct LayerBuilder {
    globs: Vec<(usize, String)>,
}

/// A bracket that does not close, or a range that runs backwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a bracket cannot be read")]
pub(crate) struct BadBracket;

impl LayerBuilder {
    /// Adds a pattern that belongs to this entry of the list.
    pub(crate) fn add(&mut self, entry: usize, pattern: String) {
        self.globs.push((entry, pattern));
    }

    /// Compiles them.
    pub(crate) fn build(self) -> Result<Layer, BadBracket> {
        let globs = self.globs.into_iter().map(|(entry, text)| Ok((entry, Glob::read(&text)?)));
        let mut globs = globs.collect::<Result<Vec<_>, BadBracket>>()?;
        globs.sort_by_key(|(entry, _)| *entry);
        Ok(Layer { globs: globs.into() })
    }
}

impl Layer {
    /// The entries of the list that have a matching pattern here.
    pub(crate) fn matching(&self, name: &[u8]) -> Vec<usize> {
        let all = self.globs.iter();
        all.filter(|(_, glob)| glob.covers(name)).map(|(entry, _)| *entry).collect()
    }

    /// The last entry of the list that has a matching pattern here.
    pub(crate) fn last_match(&self, name: &[u8]) -> Option<usize> {
        self.globs.iter().rev().find(|(_, glob)| glob.covers(name)).map(|(entry, _)| *entry)
    }
}

/// One pattern.
#[derive(Debug)]
struct Glob {
    parts: Box<[Part]>,
}

/// What stands between two slashes of a pattern.
#[derive(Debug)]
enum Part {
    /// A component of exactly these bytes.
    Name(Box<[u8]>),
    /// A component that has this.
    Wild(Box<[Ask]>),
    /// Any number of components, also none.
    Folders,
}

/// What a component has to have next.
#[derive(Debug)]
enum Ask {
    Byte(u8),
    /// Any one byte.
    One,
    /// Any bytes, none included.
    Many,
    Class(Box<Class>),
}

/// Which bytes stand in brackets.
#[derive(Debug)]
struct Class {
    negated: bool,
    ranges: Vec<(u8, u8)>,
}

impl Class {
    fn has(&self, byte: u8) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&byte)) != self.negated
    }
}

impl Glob {
    fn read(text: &str) -> Result<Self, BadBracket> {
        let mut parts = Vec::new();
        let mut asks = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'/' => push(&mut parts, std::mem::take(&mut asks)),
                b'*' => asks.push(Ask::Many),
                b'?' => asks.push(Ask::One),
                b'[' => {
                    let (class, after) = class(rest)?;
                    asks.push(Ask::Class(Box::new(class)));
                    rest = after;
                }
                byte => asks.push(Ask::Byte(byte)),
            }
        }
        push(&mut parts, asks);
        // At the end of more than itself, `**` takes one component or more.
        if let [_, .., Part::Folders] = parts.as_slice() {
            parts.insert(parts.len() - 1, Part::Wild(Box::new([Ask::Many])));
        }
        Ok(Self { parts: parts.into() })
    }

    /// Whether a name matches, component by component.
    fn covers(&self, name: &[u8]) -> bool {
        let mut wanted = self.parts.iter();
        let mut given = name.split(|&b| b == b'/');
        let mut retry = None;
        loop {
            let (mut wanted_next, mut given_next) = (wanted.clone(), given.clone());
            let fits = match (wanted_next.next(), given_next.next()) {
                (None, None) => return true,
                (Some(Part::Folders), _) => {
                    retry = Some((wanted_next.clone(), given.clone()));
                    wanted = wanted_next;
                    continue;
                }
                (Some(Part::Name(part)), Some(name)) => **part == *name,
                (Some(Part::Wild(asks)), Some(name)) => fits(asks, name),
                (Some(Part::Name(_) | Part::Wild(_)), None) | (None, Some(_)) => false,
            };
            if fits {
                (wanted, given) = (wanted_next, given_next);
                continue;
            }
            let Some((after, from)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            (wanted, given) = (after.clone(), from.clone());
        }
    }
}

/// Ends a component. Several `**` in a row are one.
fn push(parts: &mut Vec<Part>, asks: Vec<Ask>) {
    if let [Ask::Many, Ask::Many] = asks.as_slice() {
        if !matches!(parts.last(), Some(Part::Folders)) {
            parts.push(Part::Folders);
        }
        return;
    }
    let byte = |ask: &Ask| match ask {
        Ask::Byte(byte) => Some(*byte),
        Ask::One | Ask::Many | Ask::Class(_) => None,
    };
    let plain: Option<Box<[u8]>> = asks.iter().map(byte).collect();
    parts.push(plain.map_or_else(|| Part::Wild(asks.into()), Part::Name));
}

/// Whether one component has what is asked.
fn fits(asks: &[Ask], name: &[u8]) -> bool {
    let (mut asked, mut at) = (0, 0);
    let mut retry = None;
    while let Some(&byte) = name.get(at) {
        let fits = match asks.get(asked) {
            Some(Ask::Many) => {
                asked += 1;
                retry = Some((asked, at));
                continue;
            }
            Some(Ask::One) => true,
            Some(Ask::Byte(wanted)) => *wanted == byte,
            Some(Ask::Class(class)) => class.has(byte),
            None => false,
        };
        if fits {
            (asked, at) = (asked + 1, at + 1);
            continue;
        }
        let Some((after, from)) = retry else { return false };
        retry = Some((after, from + 1));
        (asked, at) = (after, from + 1);
    }
    asks.get(asked..).unwrap_or_default().iter().all(|ask| matches!(ask, Ask::Many))
}

/// Reads what follows a `[`, up to its `]`. A `]` that comes first stands for itself, and so does a
/// `-` at either end.
fn class(text: &[u8]) -> Result<(Class, &[u8]), BadBracket> {
    let mut rest = text;
    let negated = matches!(rest, [b'!' | b'^', ..]);
    if negated {
        rest = &rest[1..];
    }
    let end = rest.iter().skip(1).position(|&b| b == b']').ok_or(BadBracket)? + 1;
    let (mut members, after) = (&rest[..end], &rest[end + 1..]);
    let mut ranges = Vec::new();
    while let Some((&from, next)) = members.split_first() {
        let (to, next) = match next {
            [b'-', to, next @ ..] => (*to, next),
            _ => (from, next),
        };
        if to < from {
            return Err(BadBracket);
        }
        ranges.push((from, to));
        members = next;
    }
    Ok((Class { negated, ranges }, after))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use globset::{GlobBuilder, GlobSetBuilder};
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::fold::folded_pattern;
    use crate::pattern::glob::{components, wild_parents, with_bare_name};

    fn layer(patterns: &[String]) -> Layer {
        let mut builder = LayerBuilder::default();
        patterns.iter().enumerate().for_each(|(at, text)| builder.add(at, text.clone()));
        builder.build().unwrap()
    }

    fn globset_says(patterns: &[String], name: &[u8]) -> Vec<usize> {
        let mut set = GlobSetBuilder::new();
        for text in patterns {
            let mut glob = GlobBuilder::new(text);
            set.add(glob.literal_separator(true).backslash_escape(false).build().unwrap());
        }
        set.build().unwrap().matches_candidate(&globset::Candidate::from_bytes(name))
    }

    #[test]
    fn each_wildcard_takes_what_it_should() {
        let one = |pattern: &str, name: &str| {
            layer(&[pattern.to_owned()]).last_match(name.as_bytes()).is_some()
        };
        assert!(one("a/*.tf", "a/b.tf") && !one("a/*.tf", "a/b/c.tf"));
        assert!(one("a/**", "a/b") && one("a/**", "a/b/c") && !one("a/**", "a"));
        assert!(one("a/**/b", "a/b") && one("a/**/b", "a/x/y/b") && !one("a/**/b", "a/b/x"));
        assert!(one("**/b", "b") && one("**/b", "a/b") && !one("**/b", "ab"));
        assert!(one("**", "a") && one("**/**", "a/b") && one("a/**/**", "a/b"));
        assert!(one("a?c", "abc") && !one("a?c", "ac") && !one("a?c", "a/c"));
        assert!(one("[a-c]", "b") && one("[]-]", "]") && one("[]-]", "-") && !one("[!a/]", "/"));
        assert!(one("*a*b*c", "xaybbzcc") && !one("*a*b*c", "xaybbz"));
    }

    #[test]
    fn the_last_entry_that_matches_is_found() {
        let layer = layer(&["a/**".into(), "a/b/*".into(), "a/**".into(), "c".into()]);
        assert_eq!(layer.last_match(b"a/b/c"), Some(2));
        assert_eq!(layer.matching(b"a/b/c"), [0, 1, 2]);
        assert_eq!(layer.last_match(b"d"), None);
    }

    #[test]
    fn a_bracket_that_does_not_close_is_no_pattern() {
        for text in ["[a", "[", "[]", "[!", "[!]", "x[b-a]"] {
            assert_eq!(Glob::read(text).err(), Some(BadBracket), "{text}");
        }
    }

    const PATTERN: &str = "(\\*\\*/){0,2}([abA.]|\\*|\\?|a\\*|\\*b|a\\*b\\*|\\[ab\\]|\\[!a\\]|\\[\\]a-c-\\]|\\*\\[\\^-a\\]|é)\
         (/([abB.]|\\*|\\*\\*|a\\*b|\\?\\*\\?|a\\[a-c\\]\\?|[ab]{2,3})){0,4}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(120))]

        #[test]
        fn globset_agrees(
            patterns in prop::collection::vec(PATTERN, 1..4),
            names in prop::collection::vec("([ab\\]\\-cé.]{0,4}|/){1,5}(/[ab.]{1,3}){0,4}", 1..12),
        ) {
            let mut all: Vec<String> = Vec::new();
            for pattern in &patterns {
                let Ok(parts) = components(pattern) else { continue };
                all.extend(with_bare_name(&parts).into_iter().chain(wild_parents(&parts)));
            }
            let folded: Vec<String> = all.iter().flat_map(|text| folded_pattern(text)).collect();
            all.extend(folded);
            let ours = layer(&all);
            for name in &names {
                let theirs = globset_says(&all, name.as_bytes());
                prop_assert_eq!(ours.matching(name.as_bytes()), theirs.clone(), "{:?} {:?}", all, name);
                prop_assert_eq!(ours.last_match(name.as_bytes()), theirs.into_iter().max());
            }
        }

        #[test]
        fn globset_agrees_on_any_bytes(
            pattern in PATTERN,
            name in prop::collection::vec(prop::sample::select(b"ab/.\xc3\xa9\xff\n".to_vec()), 0..10),
        ) {
            let parts = components(&pattern);
            prop_assume!(parts.is_ok());
            let all = with_bare_name(&parts.unwrap());
            prop_assert_eq!(layer(&all).matching(&name), globset_says(&all, &name));
        }
    }
}
