//! The globs of the built-in kinds, and the folded form of a path they are held against.
//!
//! Used by `infra::paths` alone; a policy's own patterns are compiled in the room `pattern`. A
//! general glob library takes milliseconds to compile the table's few hundred globs, and a hook
//! starts anew for every push; these take microseconds because they know three things only: `*`
//! within a component, `**` as a whole component, and `{a,b}`. A test holds them to `globset`.
//!
//! Both sides are folded: what a case-insensitive checkout takes for `Dockerfile` is one. And a
//! glob that ends in `/**` also covers the folder's own name, so that a symbolic link or a
//! submodule in the folder's place is seen.

/// One glob without braces, lower case.
#[derive(Debug)]
pub(crate) struct Glob {
    text: Vec<u8>,
    /// Where the literal end of the last component begins: `.tf` of `**/*.tf`.
    tail: usize,
    /// The stamps of its literal components.
    stamps: u64,
}

/// A path as a forgiving file system sees it.
#[derive(Debug)]
pub(crate) struct Folded {
    bytes: Vec<u8>,
    /// Where the last component begins.
    name: usize,
    /// The stamps of its components.
    stamps: u64,
}

impl Glob {
    /// The globs that a pattern with `{a,b}` stands for. Braces do not nest.
    pub(crate) fn expand(pattern: &str) -> Vec<Self> {
        let mut whole = Vec::new();
        let mut open = vec![pattern.to_ascii_lowercase()];
        while let Some(text) = open.pop() {
            let braces = text.split_once('{').and_then(|(head, rest)| {
                rest.split_once('}').map(|(choices, tail)| (head, choices, tail))
            });
            let Some((head, choices, tail)) = braces else {
                whole.push(Self::new(text.into_bytes()));
                continue;
            };
            open.extend(choices.split(',').map(|choice| [head, choice, tail].concat()));
        }
        whole
    }

    fn new(text: Vec<u8>) -> Self {
        let tail = text.iter().rposition(|b| matches!(b, b'*' | b'/')).map_or(0, |at| at + 1);
        let literal = text.split(|&b| b == b'/').filter(|part| !part.contains(&b'*'));
        let stamps = literal.fold(0, |stamps, part| stamps | stamp(part));
        Self { text, tail, stamps }
    }

    /// Whether the glob covers everything below a folder, and the folder's name.
    pub(crate) fn is_folder(&self) -> bool {
        self.text.ends_with(b"/**")
    }

    /// Whether the glob covers a path.
    pub(crate) fn covers(&self, path: &Folded) -> bool {
        // Most globs do not get past the first two, and those cost next to nothing.
        self.stamps & path.stamps == self.stamps
            && path.bytes.ends_with(&self.text[self.tail..])
            && match self.text.strip_prefix(b"**/") {
                Some(name) if !name.contains(&b'/') => name_matches(name, path.file_name()),
                _ => components_match(&self.text, &path.bytes),
            }
    }
}

/// One bit of 64 for a component's name: equal names have equal bits.
fn stamp(name: &[u8]) -> u64 {
    let ends = [name.first(), name.last()].map(|end| end.map_or(0, |&b| usize::from(b)));
    1 << ((ends[0] * 7 + ends[1] * 3 + name.len()) % 64)
}

/// Whether the components of a path match those of a glob. Each `**` first takes nothing; when
/// what follows does not fit, the last one takes one component more. No earlier one needs to be
/// tried again: whatever it could take, the last one can.
fn components_match(glob: &[u8], path: &[u8]) -> bool {
    let mut wanted = glob.split(|&b| b == b'/');
    let mut given = path.split(|&b| b == b'/');
    let mut retry = None;
    loop {
        let mut wanted_next = wanted.clone();
        let mut given_next = given.clone();
        let fits = match (wanted_next.next(), given_next.next()) {
            (None, None) => return true,
            (Some(b"**"), _) => {
                retry = Some((wanted_next.clone(), given.clone()));
                wanted = wanted_next;
                continue;
            }
            (Some(part), Some(name)) => name_matches(part, name),
            (Some(_), None) | (None, Some(_)) => false,
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

/// Whether one component matches: `*` stands for any bytes, none included.
fn name_matches(part: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry = None;
    while n < name.len() {
        if part.get(p) == Some(&b'*') {
            retry = Some((p + 1, n));
            p += 1;
        } else if part.get(p) == Some(&name[n]) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((after, from)) = retry {
            retry = Some((after, from + 1));
            (p, n) = (after, from + 1);
        } else {
            return false;
        }
    }
    part[p..].iter().all(|&b| b == b'*')
}

impl Folded {
    /// Folds to ASCII lower case, with the two other characters that fold to an ASCII letter, and
    /// without dots or blanks at the end of a component.
    pub(crate) fn new(path: &[u8]) -> Self {
        let mut folded = Self { bytes: Vec::with_capacity(path.len()), name: 0, stamps: 0 };
        for (i, name) in path.split(|&b| b == b'/').enumerate() {
            if i > 0 {
                folded.bytes.push(b'/');
            }
            folded.name = folded.bytes.len();
            fold_name(name, &mut folded.bytes);
            folded.stamps |= stamp(folded.file_name());
        }
        folded
    }

    /// The last component.
    pub(crate) fn file_name(&self) -> &[u8] {
        &self.bytes[self.name..]
    }
}

fn fold_name(name: &[u8], out: &mut Vec<u8>) {
    let end = name.iter().rposition(|b| !matches!(b, b'.' | b' ')).map_or(0, |at| at + 1);
    let mut rest = &name[..end];
    while let [first, after @ ..] = rest {
        let (byte, tail) = match rest {
            [0xe2, 0x84, 0xaa, tail @ ..] => (b'k', tail), // U+212A, the Kelvin sign
            [0xc5, 0xbf, tail @ ..] => (b's', tail),       // U+017F, the long s
            _ => (first.to_ascii_lowercase(), after),
        };
        out.push(byte);
        rest = tail;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use globset::GlobBuilder;
    use proptest::prelude::*;

    use crate::infra::glob::{Folded, Glob};
    use crate::infra::kinds::TABLE;

    fn covers(pattern: &str, path: &str) -> bool {
        let folded = Folded::new(path.as_bytes());
        Glob::expand(pattern).iter().any(|glob| glob.covers(&folded))
    }

    fn globset_says(pattern: &str, path: &str) -> bool {
        let one = |glob: &str| {
            let glob = GlobBuilder::new(glob)
                .literal_separator(true)
                .case_insensitive(true)
                .empty_alternates(true)
                .build()
                .unwrap();
            glob.compile_matcher().is_match(path)
        };
        one(pattern) || pattern.strip_suffix("/**").is_some_and(one)
    }

    #[test]
    fn a_star_stops_at_a_slash_and_two_do_not() {
        assert!(covers("a/*.tf", "a/b.tf"));
        assert!(!covers("a/*.tf", "a/b/c.tf"));
        assert!(covers("a/**/*.tf", "a/c.tf") && covers("a/**/*.tf", "a/b/c/d.tf"));
        assert!(covers("**/x/*/y/**", "x/y/x/1/y/z"));
    }

    #[test]
    fn a_folder_glob_covers_the_folder_itself() {
        assert!(covers("**/flux-system/**", "clusters/a/flux-system"));
        assert!(!covers("**/flux-system/**", "clusters/a/flux-systems"));
    }

    #[test]
    fn what_a_forgiving_file_system_opens_is_covered() {
        for path in ["DOCKERFILE", "dockerfile", "Dockerfile.", "Dockerfile. ", "Doc\u{212a}erfile"]
        {
            assert!(covers("**/Dockerfile", path), "{path}");
        }
        assert!(covers("**/hosts.ini", "host\u{17f}.ini"));
    }

    proptest! {
        #[test]
        fn globset_agrees_on_the_table(
            row in 0..TABLE.len(),
            pick in any::<prop::sample::Index>(),
            path in "((a|terraform|charts|roles|x\\.y|templates|tasks|\\.github|values)/){0,4}\
                     ([a-c]{0,2}|values|Chart|main|Dockerfile|_h|-values|compose)\
                     (\\.[a-c]|-[a-c])?(\\.(tf|yaml|yml|json|tpl|tmpl|lock|hcl|rb|ini))?",
        ) {
            prop_assume!(!path.ends_with('/') && !path.is_empty() && !path.ends_with('.'));
            let pattern = TABLE[row].paths[pick.index(TABLE[row].paths.len())];
            prop_assert_eq!(
                covers(pattern, &path), globset_says(pattern, &path), "{} {}", pattern, path
            );
        }

        #[test]
        fn globset_agrees_on_any_small_glob(
            pattern in "(\\*\\*/)?([ab]|\\*|a\\*|\\*b|a\\*b|\\{a,b\\})(/([ab]|\\*|\\*\\*|a\\*b)){0,3}",
            path in "[ab]{1,3}(/[ab]{1,3}){0,4}",
        ) {
            prop_assume!(!pattern.contains("**/**"));
            prop_assert_eq!(
                covers(&pattern, &path), globset_says(&pattern, &path), "{} {}", pattern, path
            );
        }
    }
}
