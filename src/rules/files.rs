//! `files`: what files may be: how large, of which type, by which names.

use crate::facts::needs::{IntakeOf, Needs, Since};
use crate::names::path::RepoPath;
use crate::pattern::paths::{Base, EntryShape, PathPatterns};
use crate::pattern::text::{self, TextPattern, Wanted};
use crate::rules::files_judge;
use crate::rules::remark::{Remark, Seen};
use crate::rules::rule::{Body, KeyDoc, Kind, Rule, Shape};
use crate::rules::scope::dead;
use crate::rules::since;
use crate::rules::view::View;
use crate::source::nearest::suggestion;
use crate::source::problem::{Problem, Problems};
use crate::source::size;
use crate::source::table::Table;
use crate::verdict::finding::Ruling;

/// How long a path may be on any system Git runs on, in bytes: more than that cannot be asked for.
const PATH_BYTES_MAX: u64 = 4096;

/// The kind.
pub static KIND: Kind = Kind {
    name: "files",
    summary: "how large files may be that arrive, of which type, and how they may be named",
    explain: EXPLAIN,
    keys: &[
        KeyDoc::optional("paths", Shape::Paths, "which files it is about; without it all of them"),
        KeyDoc::optional("max-size", Shape::Size, "the most a file may hold: \"5MiB\""),
        KeyDoc::optional("max-binary-size", Shape::Size, "the same for files that are not text"),
        KeyDoc::optional("max-path", Shape::Count, "how many bytes a path may have that is added"),
        KeyDoc::optional(
            "forbid",
            Shape::Words(trait_names),
            "what no file may be: executable, not-executable, symlink, outside-symlink (one that \
             leads out of the tree), submodule, binary, lfs-pointer, not-lfs-pointer, generated, \
             empty, collision (a name that differs from another only by case or composition), \
             unportable-name (one that Windows cannot have, or that cannot be seen)",
        ),
        KeyDoc::optional("forbid-names", Shape::Paths, "patterns of paths that are not added"),
        KeyDoc::optional(
            "forbid-match",
            Shape::Regexes,
            "regular expressions for paths that are not added",
        ),
        KeyDoc::optional("only-names", Shape::Paths, "patterns of the only paths that are added"),
        since::KEY,
    ],
    keys_later: &[],
    compile,
};

/// What a file can be, as a policy names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trait {
    /// It can be run.
    Executable,
    /// It cannot.
    NotExecutable,
    /// A symbolic link.
    Symlink,
    /// A symbolic link that leads out of the tree.
    OutsideSymlink,
    /// A submodule.
    Submodule,
    /// Not text.
    Binary,
    /// The pointer of a file in Git LFS.
    LfsPointer,
    /// Anything but such a pointer.
    NotLfsPointer,
    /// Written by a program.
    Generated,
    /// Nothing is in it.
    Empty,
    /// Another name in its folder looks the same to some file system.
    Collision,
    /// A name that some system cannot have.
    UnportableName,
}

/// Every trait and its word.
const TRAITS: [(&str, Trait); 12] = [
    ("executable", Trait::Executable),
    ("not-executable", Trait::NotExecutable),
    ("symlink", Trait::Symlink),
    ("outside-symlink", Trait::OutsideSymlink),
    ("submodule", Trait::Submodule),
    ("binary", Trait::Binary),
    ("lfs-pointer", Trait::LfsPointer),
    ("not-lfs-pointer", Trait::NotLfsPointer),
    ("generated", Trait::Generated),
    ("empty", Trait::Empty),
    ("collision", Trait::Collision),
    ("unportable-name", Trait::UnportableName),
];

fn trait_names() -> Vec<&'static str> {
    TRAITS.iter().map(|(name, _)| *name).collect()
}

/// What files may be.
#[derive(Clone, Debug)]
pub struct Files {
    /// Which files it is about.
    pub(crate) paths: PathPatterns,
    /// The most a file may hold, in bytes.
    pub(crate) max_size: Option<u64>,
    /// The most a file may hold that is not text, in bytes.
    pub(crate) max_binary_size: Option<u64>,
    /// How long an added path may be, in bytes.
    pub(crate) max_path: Option<u64>,
    /// What no file may be.
    pub(crate) forbid: Vec<Trait>,
    /// Paths that are not added.
    pub(crate) forbid_names: Option<PathPatterns>,
    /// Paths that are not added, by expression.
    pub(crate) forbid_match: Vec<TextPattern>,
    /// The only paths that are added.
    pub(crate) only_names: Option<PathPatterns>,
    /// Which commits are passed over.
    pub(crate) since: Since,
}

impl Files {
    /// Whether it is about a file: every one, but for those that `paths` takes away; where `paths`
    /// names some, only those.
    pub(crate) fn covers(&self, path: &RepoPath, shape: EntryShape) -> bool {
        let everything = self.paths.written().iter().all(|written| written.starts_with('!'));
        self.paths.picks(path, shape, everything)
    }
}

fn compile(body: &mut Body<'_, '_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let before = problems.errors();
    let asks = KIND.keys.iter().filter(|key| !["paths", since::KEY.name].contains(&key.name));
    if !asks.clone().any(|key| body.table.has(key.name)) {
        let names: Vec<&str> = asks.map(|key| key.name).collect();
        let hint = format!("name at least one of {}", names.join(", "));
        problems.error_hint(body.table.header(), "this rule asks for nothing", hint);
        // What is left is known: the complaint is that it is all there is.
        ["paths", since::KEY.name].iter().for_each(|key| body.table.discard(key));
        return None;
    }
    let paths = match patterns(body.table, "paths", Base::Other, problems) {
        Some(paths) => Some(paths),
        None => PathPatterns::read(&[], Base::Other, problems),
    };
    let rule = Files {
        paths: paths?,
        max_size: bytes(body.table, "max-size", problems),
        max_binary_size: bytes(body.table, "max-binary-size", problems),
        max_path: max_path(body.table, problems),
        forbid: forbid(body.table, problems),
        forbid_names: patterns(body.table, "forbid-names", Base::Nothing, problems),
        forbid_match: text::read(body.table, "forbid-match", Wanted::NoMatch, problems),
        only_names: patterns(body.table, "only-names", Base::Nothing, problems),
        since: since::read(body.table, problems),
    };
    if let (Some(all), Some(binary)) = (rule.max_size, rule.max_binary_size)
        && binary >= all
    {
        let what = "`max-binary-size` is no less than `max-size`, so it asks for nothing";
        problems.push(Problem::error(what).at(body.table.header()).hint("take it out"));
    }
    (problems.errors() == before).then(|| Box::new(rule) as Box<dyn Rule>)
}

fn patterns(
    table: &mut Table<'_>,
    key: &str,
    base: Base,
    problems: &mut Problems,
) -> Option<PathPatterns> {
    let list = table.texts(key, problems)?;
    if list.value.is_empty() {
        let hint = "name some, or take the key out";
        problems.error_hint(&list.spot, format!("`{key}` is empty"), hint);
        return None;
    }
    PathPatterns::read(&list.value, base, problems)
}

fn bytes(table: &mut Table<'_>, key: &str, problems: &mut Problems) -> Option<u64> {
    let written = table.text(key, problems)?;
    let bytes = size::bytes(&written.value);
    if bytes.is_none() {
        let hint = "a whole number and a unit: \"500B\", \"64KiB\", \"5MiB\"";
        problems.error_hint(&written.spot, "this is no size", hint);
    }
    bytes
}

fn max_path(table: &mut Table<'_>, problems: &mut Problems) -> Option<u64> {
    let count = table.count("max-path", problems)?;
    if !(1..=PATH_BYTES_MAX).contains(&count.value) {
        let hint = format!("from 1 to {PATH_BYTES_MAX}");
        problems.error_hint(&count.spot, "no path is so long, or every one is", hint);
    }
    Some(count.value)
}

fn forbid(table: &mut Table<'_>, problems: &mut Problems) -> Vec<Trait> {
    let Some(list) = table.texts("forbid", problems) else { return Vec::new() };
    if list.value.is_empty() {
        let hint = "name some, or take the key out";
        problems.error_hint(&list.spot, "`forbid` is empty", hint);
    }
    let mut read = Vec::new();
    for written in &list.value {
        match TRAITS.iter().find(|(name, _)| *name == written.value) {
            Some((_, one)) => read.push(*one),
            None => problems.push(
                Problem::error("no file can be this").at(&written.spot).hint_opt(suggestion(
                    &written.value,
                    "words",
                    trait_names(),
                )),
            ),
        }
    }
    let both = |one, other| read.contains(&one) && read.contains(&other);
    if both(Trait::Executable, Trait::NotExecutable)
        || both(Trait::LfsPointer, Trait::NotLfsPointer)
    {
        let hint = "take one of the two out, or give each a rule with its own `paths`";
        problems.error_hint(&list.spot, "no file could arrive: each is one or the other", hint);
    }
    read
}

impl Rule for Files {
    fn needs(&self) -> Needs {
        let has = |one: Trait| self.forbid.contains(&one);
        let inside = [
            Trait::Binary,
            Trait::LfsPointer,
            Trait::NotLfsPointer,
            Trait::Generated,
            Trait::OutsideSymlink,
        ];
        let intake = IntakeOf {
            sizes: self.max_size.is_some() || has(Trait::Empty),
            inside: self.max_binary_size.is_some() || inside.into_iter().any(has),
            secrets: false,
            clashes: has(Trait::Collision),
        };
        Needs { intake: Some(intake), since: self.since.clone(), ..Needs::default() }
    }

    fn against(&self, seen: &Seen<'_>) -> Vec<Remark> {
        dead(&self.paths, seen)
    }

    fn about(&self, path: &RepoPath) -> Option<bool> {
        Some(self.covers(path, EntryShape::Link))
    }

    fn judge(&self, view: &View<'_>) -> Ruling {
        files_judge::judge(self, view)
    }
}

const EXPLAIN: &str = r#"How large files may be that arrive, of which type, and how they may be
named.

    [rule.files]
    kind         = "files"
    refs         = ["**"]
    paths        = ["**", "!testdata/**"]
    max-size     = "5MiB"
    max-path     = 150
    forbid       = ["submodule", "outside-symlink", "collision"]
    forbid-names = ["**/*.exe", "**/*.jar", "**/node_modules/**"]
    forbid-match = '(?i)\.(bak|orig|swp)\z'

    [rule.pictures-are-kept-elsewhere]
    kind   = "files"
    refs   = ["**"]
    paths  = ["**/*.png", "**/*.psd"]
    forbid = ["not-lfs-pointer"]

    [rule.scripts]
    kind   = "files"
    refs   = ["**"]
    paths  = ["bin/**"]
    forbid = ["not-executable", "binary"]

    [people.alice]

    [rule.topics-are-rewritten]
    kind   = "access"
    refs   = ["**", "!main"]
    rewind = ["alice"]
    delete = ["alice"]

Every arriving commit counts, so that what is added and taken out again in
one push is seen: it stays in history. Only what arrives is judged: names,
when a path is added; types, when a path becomes one; sizes and contents,
when new content comes. What lay there before is left alone, and so is what
another ref of the rule (of its `starts`) holds already.

`forbid-names` and `only-names` are patterns as in `paths`: a name that some
file system takes for a forbidden one is forbidden, and only exact names are
the only ones. A file that is too large to be looked into ([limits]
blob-bytes, blob-budget-bytes) counts as whatever is forbidden of its
content, and the answer says so. The pointer of a file in Git LFS is as
small as it is; what LFS keeps is not here to be looked at.
"#;
