//! Which refs a rule is about.
//!
//! Without `refs/` in front a pattern names branches; `refs/...` is a full name; `@default` is the
//! branch that HEAD names, which the caller passes in. Refs match by exact bytes: a look-alike of
//! a protected name is refused as such, not judged as if it were that name.

use crate::names::refname::Refname;
use crate::pattern::fold::{folded, folded_pattern};
use crate::pattern::glob::{
    Component, PATTERNS_MAX, components, literal_folder, picks_letters, samples, with_bare_name,
};
use crate::pattern::layer::{Layer, LayerBuilder};
use crate::pattern::readable::{Readable, is_plainly_readable};
use crate::source::problem::{Problem, Problems};
use crate::source::text::Located;

/// What stands for the branch that HEAD names.
pub const DEFAULT_BRANCH: &str = "@default";

/// Refs that the gate keeps for itself. No rule is about them, whatever its patterns.
pub const OWN_PREFIXES: [&str; 4] =
    ["refs/approvals/", "refs/checks/", "refs/portcullis/", "refs/replace/"];

/// Names of branches that only patterns for any name pick.
const NOBODYS_BRANCHES: [&str; 2] =
    ["refs/heads/\u{10fffd}", "refs/heads/\u{10fffd}/\u{10fffd}/\u{10fffd}"];

/// A list of ref patterns, compiled. The last that matches decides.
#[derive(Clone, Debug)]
pub struct RefPatterns {
    written: Vec<String>,
    /// For each entry, whether it takes away.
    negative: Vec<bool>,
    /// The entries that are `@default`.
    default: Vec<usize>,
    exact: Layer,
    folded: Layer,
    /// The folder that each entry needs, as far as it is spelled out, in every look-alike spelling.
    folders: Vec<String>,
}

/// One entry, read.
enum Entry {
    Default,
    Parts(Vec<Component>),
}

impl Entry {
    fn parts(&self) -> Option<&[Component]> {
        match self {
            Self::Default => None,
            Self::Parts(parts) => Some(parts),
        }
    }
}

impl RefPatterns {
    /// Reads a list. Every pattern that cannot match is a problem; with one there is no list.
    pub fn read(list: &Located<Vec<Located<String>>>, problems: &mut Problems) -> Option<Self> {
        let before = problems.errors();
        let list = match list.value.as_slice() {
            [] => {
                let hint = "refs = [\"@default\"] is the branch that HEAD names";
                problems.error_hint(&list.spot, "no refs: this could never refuse anything", hint);
                return None;
            }
            [.., last] if list.value.len() > PATTERNS_MAX => {
                let what = format!("more than {PATTERNS_MAX} patterns in one list");
                problems.error(&last.spot, what);
                return None;
            }
            entries => entries,
        };
        let entries: Vec<Option<Entry>> = list.iter().map(|w| parse(w, problems)).collect();
        if problems.errors() > before {
            return None;
        }
        let entries: Vec<Entry> = entries.into_iter().flatten().collect();
        let patterns = Self::compile(list, &entries)
            .map_err(|fault| {
                let what = format!("these patterns do not compile: {}", fault.kind());
                problems.push(Problem::error(what).at(&list[0].spot));
            })
            .ok()?;
        patterns.look_over(list, &entries, problems);
        (problems.errors() == before).then_some(patterns)
    }

    fn compile(list: &[Located<String>], entries: &[Entry]) -> Result<Self, globset::Error> {
        let negative: Vec<bool> = list.iter().map(|w| w.value.starts_with('!')).collect();
        let mut default = Vec::new();
        let (mut exact, mut folded) = (LayerBuilder::default(), LayerBuilder::default());
        let mut folders = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let Some(parts) = entry.parts() else {
                default.push(at);
                continue;
            };
            if !negative[at] {
                folders.extend(literal_folder(parts).iter().flat_map(|it| folded_pattern(it)));
            }
            for pattern in with_bare_name(parts) {
                if !negative[at] {
                    folded_pattern(&pattern).for_each(|p| folded.add(at, p));
                }
                exact.add(at, pattern);
            }
        }
        // Most names have no other spelling.
        let is_same = folded == exact;
        let exact = exact.build();
        let folded = if is_same { exact.clone() } else { folded.build() };
        if !is_plainly_readable(entries.iter().filter_map(Entry::parts)) {
            let mut readable = Readable::default();
            [&exact, &folded].into_iter().try_for_each(|layer| layer.read(&mut readable))?;
        }
        let written = list.iter().map(|written| written.value.clone()).collect();
        Ok(Self { written, negative, default, exact, folded, folders })
    }

    /// Whether the list is about this ref. `default` is the branch that HEAD names, `None` when
    /// HEAD names none; then `@default` matches nothing.
    pub fn matches(&self, refname: &Refname, default: Option<&Refname>) -> bool {
        !is_own(refname) && self.decides(self.exact_match(refname, default))
    }

    /// Whether this name is not one of the list's, and some file system would take it for one.
    pub fn folds_onto(&self, refname: &Refname, default: Option<&Refname>) -> bool {
        if is_own(refname) || self.matches(refname, default) {
            return false;
        }
        let spellings = folded(refname.as_bytes());
        let alike = default.filter(|d| shares_spelling(refname, d));
        let mut last = self.exact_match(refname, alike.map(|_| refname));
        for name in std::iter::once(&spellings.letters).chain(&spellings.loose) {
            last = last.max(self.folded.last_match(name));
        }
        self.decides(last)
    }

    /// Whether this name is not one of the list's, and stands where one of them needs a folder:
    /// `refs/heads/release` where `release/*` is protected. Git keeps no ref beside a folder of
    /// the same name, so it would keep the protected ones from being made.
    pub fn blocks_folder(&self, refname: &Refname, default: Option<&Refname>) -> bool {
        if self.matches(refname, default) {
            return false;
        }
        let spellings = folded(refname.as_bytes());
        let mut spelled = std::iter::once(&spellings.letters).chain(&spellings.loose);
        let default = default.filter(|_| !self.default.is_empty());
        let default = default.map(|default| folded(default.as_bytes()).letters);
        spelled.any(|name| {
            let on_the_way =
                |folder: &String| folder.as_bytes() == name || is_parent(name, folder.as_bytes());
            self.folders.iter().any(on_the_way)
                || default.as_ref().is_some_and(|default| is_parent(name, default))
        })
    }

    /// The refs that the list names without wildcards, exclusions left out.
    pub fn plain_names(&self) -> Vec<Refname> {
        let full = |word: &String| match word.starts_with("refs/") {
            true => Refname::parse(word.as_bytes()),
            false => Refname::parse(format!("refs/heads/{word}").as_bytes()),
        };
        let plain = self.written.iter().filter(|word| !word.starts_with(['!', '@']));
        // Wildcards are no letters of refnames, so patterns do not parse.
        plain.filter_map(full).collect()
    }

    /// Whether the list is about branches whatever they are called, as `**` is and `release/**` is not.
    pub fn pick_any_branch(&self) -> bool {
        let mut names = NOBODYS_BRANCHES.iter();
        names.any(|name| self.decides(self.exact.last_match(name.as_bytes())))
    }

    /// The list as it was written.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// The last entry that matches by exact bytes.
    fn exact_match(&self, refname: &Refname, default: Option<&Refname>) -> Option<usize> {
        let by_head = self.default.last().copied().filter(|_| default == Some(refname));
        self.exact.last_match(refname.as_bytes()).max(by_head)
    }

    fn decides(&self, last: Option<usize>) -> bool {
        last.is_some_and(|entry| !self.negative[entry])
    }

    /// Finds lists and exclusions that come to nothing.
    fn look_over(&self, list: &[Located<String>], entries: &[Entry], problems: &mut Problems) {
        let Some(first) = self.negative.iter().position(|negative| !negative) else {
            let hint = "put what it takes away from before it, such as `**`";
            problems.error_hint(&list[0].spot, "a list of exclusions alone picks nothing", hint);
            return;
        };
        for (at, written) in list.iter().enumerate() {
            if self.negative[at] && at < first {
                let hint = "the last pattern that matches decides: put exclusions after the others";
                problems.error_hint(&written.spot, "nothing stands before this exclusion", hint);
            }
            if !self.negative[at] && self.is_taken_away(at, entries) {
                let hint = "a later exclusion removes all it picks: take one of the two out";
                problems.error_hint(&written.spot, "this pattern picks nothing", hint);
            }
        }
    }

    fn is_taken_away(&self, at: usize, entries: &[Entry]) -> bool {
        let later = || (at + 1..entries.len()).filter(|later| self.negative[*later]);
        let parts = match &entries[at] {
            Entry::Default => return later().any(|l| matches!(entries[l], Entry::Default)),
            Entry::Parts(parts) => parts,
        };
        // An exclusion by letter may match a sample and still leave other names.
        let by_letter = later().any(|l| matches!(&entries[l], Entry::Parts(p) if picks_letters(p)));
        !by_letter
            && later().next().is_some()
            && samples(parts).all(|sample| {
                let last = self.exact.last_match_from(at + 1, sample.as_bytes());
                last.is_some_and(|last| self.negative[last])
            })
    }
}

/// Whether the gate keeps this ref for itself.
fn is_own(refname: &Refname) -> bool {
    OWN_PREFIXES.iter().any(|prefix| refname.as_bytes().starts_with(prefix.as_bytes()))
}

/// Whether some file system takes the two for one.
fn shares_spelling(one: &Refname, other: &Refname) -> bool {
    let (one, other) = (folded(one.as_bytes()), folded(other.as_bytes()));
    let loose = |f: &crate::pattern::fold::Folded| f.loose.clone().unwrap_or(f.letters.clone());
    one.letters == other.letters || loose(&one) == loose(&other)
}

/// Whether `name` is a folder on the way to the other one.
fn is_parent(name: &[u8], other: &[u8]) -> bool {
    other.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"/"))
}

/// Reads one entry of the list. A flaw becomes a problem.
fn parse(written: &Located<String>, problems: &mut Problems) -> Option<Entry> {
    let pattern = written.value.strip_prefix('!').unwrap_or(&written.value);
    if pattern == DEFAULT_BRANCH {
        return Some(Entry::Default);
    }
    let parts = match components(pattern) {
        Ok(parts) => parts,
        Err(flaw) => {
            problems.error_hint(&written.spot, flaw.what, flaw.hint);
            return None;
        }
    };
    if let Some((what, hint)) = misread(pattern).or_else(|| unmatchable(&parts)) {
        problems.error_hint(&written.spot, what, hint);
        return None;
    }
    if pattern.starts_with("refs/") {
        return Some(Entry::Parts(parts));
    }
    let branch = ["refs", "heads"].map(|part| Component::Literal(part.to_owned()));
    Some(Entry::Parts(branch.into_iter().chain(parts).collect()))
}

/// A pattern that reads as something else than its writer will have meant.
fn misread(pattern: &str) -> Option<(String, String)> {
    if let Some(word) = pattern.strip_prefix('@') {
        return Some((format!("`@{word}` is no ref"), format!("known: {DEFAULT_BRANCH}")));
    }
    if matches!(pattern, "HEAD" | "refs" | "refs/heads" | "refs/tags") {
        let what = format!("`{pattern}` is not the name of a branch");
        return Some((
            what,
            "`@default` is the branch that HEAD names, `**` is all of them".into(),
        ));
    }
    for space in ["heads/", "tags/", "remotes/", "notes/"] {
        if pattern.starts_with(space) {
            let what = format!("without `refs/` in front this is a branch named `{pattern}`");
            let hint =
                format!("write `refs/{pattern}`, or `refs/heads/{pattern}` if a branch is meant");
            return Some((what, hint));
        }
    }
    let own = OWN_PREFIXES.iter().find(|own| pattern.starts_with(**own))?;
    let hint = "the gate's own rules hold there, whatever a policy says: take it out";
    Some((format!("no rule is about `{own}**`"), hint.into()))
}

/// Whether a component has only letters that may stand anywhere in a refname.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A pattern that no refname keeps.
pub(crate) fn unmatchable(parts: &[Component]) -> Option<(String, String)> {
    let hint = "see `git help check-ref-format` for what a ref may be called";
    let odd = parts.iter().find(|part| match part {
        Component::Literal(text) => {
            !is_plain(text) && Refname::parse(format!("refs/heads/{text}").as_bytes()).is_none()
        }
        Component::Wild(text) => {
            text.starts_with('.')
                || text.ends_with(".lock")
                || text.contains("..")
                || text.contains("@{")
                || text.contains([' ', '~', '^', ':'])
        }
        Component::Any => false,
    })?;
    Some((
        format!("no ref has `{}` in its name, so this can match nothing", odd.as_str()),
        hint.into(),
    ))
}
