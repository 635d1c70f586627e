//! `paths` and `infra`: which changes of a step a rule is about.
//!
//! What every kind that looks at changed entries shares: reading the two keys, and asking of an
//! entry whether it is meant, on its old side or its new.

use crate::facts::change::{FileMode, PathChange, Side};
use crate::facts::landing::Step;
use crate::infra::paths::by_path;
use crate::infra::set::{InfraKinds, names as infra_names};
use crate::names::path::RepoPath;
use crate::pattern::fold::folded;
use crate::pattern::paths::{Base, EntryShape, PathPatterns};
use crate::rules::remark::{Remark, Seen};
use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::source::table::Table;

/// What a rule is about where it names neither `paths` nor `infra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// Nothing, which is a problem.
    Nothing,
    /// Every change.
    Everything,
}

/// Which changes a rule is about.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The paths, and what is taken away from `infra` too. Empty where only `infra` was named.
    paths: PathPatterns,
    /// The kinds of infrastructure.
    infra: InfraKinds,
    /// Whether a path is meant that no pattern and no kind speaks of.
    unnamed: Unnamed,
    /// Whether files are meant that say what others are, see `governs`.
    governing: bool,
}

/// The kinds of infrastructure that `infra` may name.
pub(crate) fn infra_kind_names() -> Vec<&'static str> {
    infra_names().collect()
}

impl Scope {
    /// Reads `paths` and `infra`. `None` goes with at least one problem.
    pub(crate) fn read(
        table: &mut Table<'_>,
        unnamed: Unnamed,
        problems: &mut Problems,
    ) -> Option<Self> {
        let named = table.has("infra") || table.has("paths");
        let infra = infra(table, problems);
        let base = match (&infra, named, unnamed) {
            (Some(_), _, _) | (None, false, Unnamed::Everything) => Base::Other,
            (None, _, _) => Base::Nothing,
        };
        let unnamed = if named { Unnamed::Nothing } else { unnamed };
        let paths = paths(table, base, problems)?;
        Some(Self { paths, infra: infra.unwrap_or_default(), unnamed, governing: false })
    }

    /// The same, and the files that say what others are, as far as no exclusion takes them away.
    pub(crate) const fn with_governing(mut self) -> Self {
        self.governing = true;
        self
    }

    /// The kinds that must be told by content where the path says nothing.
    pub(crate) const fn infra(&self) -> InfraKinds {
        self.infra
    }

    /// Whether the rule is about a changed entry: by its path, by what its blobs are, and not taken
    /// away by an exclusion.
    pub(crate) fn covers(&self, change: &PathChange, step: &Step) -> bool {
        self.covers_marked(change, &step.infra)
    }

    /// The same, where it is known otherwise which paths are infrastructure by their content.
    pub(crate) fn covers_marked(
        &self,
        change: &PathChange,
        marks: &[(RepoPath, InfraKinds)],
    ) -> bool {
        let mut marked = marks.iter().filter(|(at, _)| *at == change.path);
        let by_content = marked.any(|(_, kinds)| !kinds.intersection(self.infra).is_empty());
        let link = |side: &Side| match side.mode {
            FileMode::File | FileMode::Executable => false,
            FileMode::Symlink | FileMode::Gitlink => true,
        };
        let shape = match [change.old, change.new].iter().flatten().any(link) {
            true => EntryShape::Link,
            false => EntryShape::File,
        };
        self.paths.picks(&change.path, shape, by_content || self.otherwise(&change.path))
    }

    /// Whether what stands at a path could only change by an entry that the rule is about.
    pub(crate) fn covers_target(&self, path: &RepoPath) -> bool {
        self.paths.picks(path, EntryShape::File, self.otherwise(path))
    }

    /// The same for a path whose change is gone again.
    pub(crate) fn covers_path(&self, path: &RepoPath) -> bool {
        self.paths.picks(path, EntryShape::Link, self.otherwise(path))
    }

    /// The patterns that match nothing in a tree.
    pub(crate) fn remarks(&self, seen: &Seen<'_>) -> Vec<Remark> {
        dead(&self.paths, seen)
    }

    fn otherwise(&self, path: &RepoPath) -> bool {
        self.unnamed == Unnamed::Everything
            || self.governing && governs(path)
            || !by_path(self.infra, path.as_bytes()).is_empty()
    }
}

/// The patterns of a list that match nothing in a tree.
pub(crate) fn dead(paths: &PathPatterns, seen: &Seen<'_>) -> Vec<Remark> {
    let told = |pattern: &str| {
        let what = format!("`{pattern}` matches nothing on {}", seen.refname);
        Remark::mild(what, "mend it, or keep it for files that are still to come")
    };
    paths.dead(seen.paths).into_iter().map(told).collect()
}

/// Files by which Git and its kin show other content under a path than its entry holds: attributes,
/// where submodules come from, where large files come from (threats D17, D18, D19).
fn governs(path: &RepoPath) -> bool {
    let spellings = folded(path.as_bytes());
    let mut names = std::iter::once(&spellings.letters).chain(&spellings.loose);
    names.any(|name| {
        let file = name.rsplit(|b| *b == b'/').next().unwrap_or_default();
        // The short names are those that NTFS gives them.
        file == b".gitattributes"
            || file.starts_with(b"gitatt~")
            || matches!(name.as_slice(), b".gitmodules" | b".lfsconfig")
            || name.starts_with(b"gitmod~")
            || name.starts_with(b"lfscon~")
    })
}

/// `None` where the key is not there; the kinds named, as far as they are known, where it is.
fn infra(table: &mut Table<'_>, problems: &mut Problems) -> Option<InfraKinds> {
    if !table.has("infra") {
        return None;
    }
    // `infra = "all"` reads better than a list of one.
    let list = table.texts_or_text("infra", problems)?;
    if list.value.is_empty() {
        let hint = "\"all\" is every kind";
        problems.error_hint(&list.spot, "`infra` names no kind", hint);
    }
    let mut kinds = InfraKinds::default();
    for written in &list.value {
        match InfraKinds::parse(&[&written.value]) {
            Ok(kind) => kinds = kinds.union(kind),
            Err(why) => problems.push(
                Problem::error(why.to_string()).at(&written.spot).hint_opt(suggestion(
                    &written.value,
                    "kinds",
                    infra_kind_names(),
                )),
            ),
        }
    }
    Some(kinds)
}

fn paths(table: &mut Table<'_>, base: Base, problems: &mut Problems) -> Option<PathPatterns> {
    let given = table.has("paths");
    let list = table.texts("paths", problems);
    if !given && base == Base::Nothing {
        let hint = "name `paths` or `infra`; paths = [\"**\"] is every change";
        let what = "this rule is about no paths, so it could never refuse anything";
        problems.error_hint(table.header(), what, hint);
        return None;
    }
    match list {
        Some(list) if list.value.is_empty() => {
            let hint = "name some, or take the key out";
            problems.error_hint(&list.spot, "`paths` is empty", hint);
            None
        }
        Some(list) => PathPatterns::read(&list.value, base, problems),
        None => PathPatterns::read(&[], base, problems),
    }
}

#[cfg(test)]
mod tests {
    use super::governs;
    use crate::names::path::RepoPath;

    #[test]
    fn d17_d18_d19_files_that_say_what_others_are_are_told_by_name() {
        for path in [
            ".gitattributes",
            "app/deep/.gitattributes",
            ".GitAttributes",
            "app/.gitattributes. ",
            "GITATT~1",
            ".gitmodules",
            ".git\u{200c}modules",
            "gitmod~2",
            ".lfsconfig",
            ".LFSCONFIG",
        ] {
            assert!(governs(&RepoPath::new(path)), "{path}");
        }
        // Git reads these two at the top alone.
        for path in ["app/.gitmodules", "app/.lfsconfig", ".gitignore", "gitattributes", "a.tf"] {
            assert!(!governs(&RepoPath::new(path)), "{path}");
        }
    }
}
