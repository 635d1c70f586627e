//! Git and we, asked the same about input that was made to be read in two ways: deltas of hostile
//! trees, commits that no client writes, patterns beside odd names.
//!
//! Many questions go to one Git process, so that there can be many. What well-meaning clients write
//! is compared beside the code (`src/store/*_tests.rs`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test is the outside: files and children")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::ObjectType;
use portcullis::names::oid::{ObjectFormat, Oid};
use portcullis::names::path::RepoPath;
use portcullis::pattern::paths::{Base, PathPatterns};
use portcullis::source::problem::Problems;
use portcullis::source::text::{Located, SourceText};
use portcullis::store::commit::{Commit, links_of};
use portcullis::store::delta::{DeltaLimits, TreeCache, delta};
use portcullis::store::open::{OpenAt, open};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use tempfile::TempDir;

#[path = "differential/refs.rs"]
mod refs;

/// A bare repository that takes any object.
struct Repository {
    _folder: TempDir,
    dir: PathBuf,
    writer: git2::Repository,
}

impl Repository {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let dir = folder.path().join("repo.git");
        fs::create_dir(&dir).unwrap();
        git(&dir, &["init", "--quiet", "--bare", "--object-format=sha1"], b"");
        let writer = git2::Repository::open_bare(&dir).unwrap();
        Self { _folder: folder, dir, writer }
    }

    fn write(&self, kind: ObjectType, bytes: &[u8]) -> Oid {
        let oid = self.writer.odb().unwrap().write(kind, bytes).unwrap();
        Oid::from_bytes(oid.as_bytes()).unwrap()
    }
}

/// What git prints, with nothing of the surroundings.
fn git(dir: &Path, arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir);
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_CEILING_DIRECTORIES", dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&stdin));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().ok();
    let said = String::from_utf8_lossy(&output.stderr);
    // check-ignore says 1 where nothing is ignored.
    assert!(matches!(output.status.code(), Some(0 | 1)), "git {arguments:?}: {said}");
    output.stdout
}

/// Few cases, as each asks very much; and nothing is made smaller, for the same reason.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    }
}

/// An entry: mode, name, and which of what was written before it holds.
type Made = (&'static str, Vec<u8>, usize);

/// Modes that are written, and such as are not.
const MODES: [&str; 15] = [
    "100644", "100755", "100664", "120000", "160000", "40000", "040000", "40755", "100600", "0",
    "100111", "140000", "200000", "1100644", "7",
];

fn made() -> impl Strategy<Value = Vec<Made>> {
    let name = prop_oneof![
        8 => prop::sample::select(vec!["a", "a.b", "a0", "a-", "b", ".", "..", ".git", "x/y", "a "])
            .prop_map(|name| name.as_bytes().to_vec()),
        2 => prop::collection::vec(prop_oneof![1..=46_u8, 48..=255_u8], 1..4),
    ];
    let mode = prop_oneof![6 => Just("40000"), 7 => prop::sample::select(MODES.to_vec())];
    prop::collection::vec((mode, name, 0..1000_usize), 0..7)
}

/// Whether git takes an entry of this mode for a folder (canon_mode in its object.h).
fn is_folder(mode: &str) -> bool {
    u32::from_str_radix(mode, 8).unwrap() & 0o170_000 == 0o040_000
}

fn after_nul(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte == 0).unwrap() + 1
}

/// The entries of a raw delta by path and what is said of it, in the order of their text: where a tree
/// is out of order, Git's delta is too and ours is not.
fn records(raw: &[u8]) -> Vec<String> {
    let fields: Vec<&[u8]> = raw.split(|&byte| byte == 0).collect();
    let each = fields.chunks_exact(2);
    let mut all: Vec<String> =
        each.map(|one| format!("{} {}", one[1].escape_ascii(), one[0].escape_ascii())).collect();
    all.sort_unstable();
    all
}

proptest! {
    #![proptest_config(cases(3))]
    #[test]
    fn a_delta_of_hostile_trees_is_what_git_says(
        made in prop::collection::vec(made(), 60), sorted: u64,
    ) {
        let repository = Repository::new();
        let mut trees = vec![repository.write(ObjectType::Tree, b"")];
        for (number, mut entries) in made.into_iter().enumerate() {
            // Most in the order of their names, so that the walks go side by side for a while.
            if sorted >> (number % 64) & 1 == 1 {
                entries.sort_by(|a, b| a.1.cmp(&b.1));
            }
            let mut raw = Vec::new();
            for (mode, name, holds) in entries {
                // No blob is read for a delta, so none has to be there.
                let leaf = Oid::from_bytes(&[(holds % 3) as u8; 20]).unwrap();
                let oid = if is_folder(mode) { trees[holds % trees.len()] } else { leaf };
                raw.extend([mode.as_bytes(), b" ", &name, b"\0", oid.as_bytes()].concat());
            }
            trees.push(repository.write(ObjectType::Tree, &raw));
        }
        let store = open(&OpenAt::at_rest(&repository.dir)).unwrap();
        let (mut asked, mut ours) = (String::new(), Vec::new());
        let mut cache = TreeCache::new();
        let limits = DeltaLimits { entries_max: 20_000, ..DeltaLimits::JUDGING };
        for (old, new) in (0..trees.len()).map(|at| (trees[at], trees[at * 7 % trees.len()])) {
            let walk = delta(&store, &mut cache, Some(old), Some(new), limits).unwrap();
            if old == new || walk.cut.is_some() {
                continue;
            }
            let header = format!("{old} {new}\n");
            ours.push((header.clone(), records(&walk.delta.raw_bytes())));
            asked.push_str(&header);
        }
        let theirs = git(&repository.dir, &[
            "diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", "--raw",
            "--ignore-submodules=none", "--stdin",
        ], asked.as_bytes());
        assert!(ours.len() > 30, "{}", ours.len());
        let mut rest = theirs.as_slice();
        for (header, ours) in ours {
            rest = rest.strip_prefix(header.as_bytes()).unwrap();
            // What follows begins with a colon, the next header with a name of a tree.
            let mut end = 0;
            while rest.get(end) == Some(&b':') {
                end += 1 + after_nul(&rest[end + 1..]);
                end += after_nul(&rest[end..]);
            }
            assert_eq!(records(&rest[..end]), ours, "{}", header);
            rest = &rest[end..];
        }
        assert!(rest.is_empty());
    }
}

/// Pieces of commits, in no particular order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "author ",
        "authors ",
        "committer ",
        "committer",
        "A U Thor <a@example.com>",
        " <",
        "> ",
        "1112911993",
        " +0000",
        " -0130",
        " 99999999999999999999",
        " -5",
        "\x0c7",
        "\t8",
        "\n",
        "\n\n",
        "gpgsig a\n b\n",
        "mergetag x\n",
        "subject\nmore\n\nbody\n",
        "parent 1111111111111111111111111111111111111111\n",
        "author A <a@x> 1 +0000\n",
        "committer C <c@x> 2 -0130\n",
        "committer C < > 3 +9999\n",
    ])
    .prop_map(|word| word.as_bytes().to_vec());
    let bytes = prop::collection::vec(1..=255_u8, 0..4);
    prop::collection::vec(prop_oneof![9 => words, 1 => bytes], 0..9)
        .prop_map(|pieces| pieces.concat())
}

/// A well-formed commit, perhaps with pieces in place of some of it.
fn commit() -> impl Strategy<Value = Vec<u8>> {
    let whole = "parent 2222222222222222222222222222222222222222\nauthor A U Thor <a@x> 5 +0100\n\
        committer C <c@y> 6 +0000\ngpgsig a\n b\n\nsubject\nmore\n\nbody\n";
    let spliced =
        (pieces(), any::<prop::sample::Index>(), 0..9_usize).prop_map(|(piece, at, len)| {
            let (at, mut raw) = (at.index(whole.len()), whole.as_bytes().to_vec());
            raw.splice(at..(at + len).min(whole.len()), piece);
            raw
        });
    let oids = prop_oneof![
        4 => Just("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
        1 => Just("4B825DC642CB6EB9A060E54BF8D69288FBEE4904"),
    ];
    (oids, prop_oneof![spliced, pieces()])
        .prop_map(|(oid, rest)| [b"tree ", oid.as_bytes(), b"\n", &rest].concat())
}

/// A commit as the lenient reader sees it, in the words of `git rev-list --timestamp --parents`.
fn walked(oid: &Oid, raw: &[u8]) -> Option<String> {
    let links = links_of(ObjectFormat::Sha1, raw).ok()?;
    let parents: String = links.parents.iter().map(|oid| format!(" {oid}")).collect();
    Some(format!("{} {oid}{parents}", links.when_seconds))
}

/// What the strict reader makes of a commit, field by field as git shows it.
fn shown(oid: &Oid, commit: &Commit) -> Vec<Vec<u8>> {
    let parents: Vec<String> = commit.parents.iter().map(Oid::hex).collect();
    let mut fields = vec![oid.hex().into_bytes(), commit.tree.hex().into_bytes()];
    fields.push(parents.join(" ").into_bytes());
    for who in [&commit.author, &commit.committer] {
        let trim = |text: &[u8]| text.trim_ascii().to_vec();
        fields.extend([trim(&who.name), trim(&who.email), who.when_seconds.to_string().into()]);
    }
    fields
}

proptest! {
    #![proptest_config(cases(2))]
    #[test]
    fn commits_are_read_as_git_reads_them(made in prop::collection::vec(commit(), 400)) {
        let repository = Repository::new();
        let mut commits = BTreeMap::new();
        for raw in made {
            commits.insert(repository.write(ObjectType::Commit, &raw).hex(), raw);
        }
        let mut asked = String::new();
        let (mut walk, mut strict) = (Vec::new(), Vec::new());
        for (hex, raw) in &commits {
            let oid = Oid::from_hex(hex.as_bytes()).unwrap();
            let Some(line) = walked(&oid, raw) else { continue };
            asked.push_str(&format!("{hex}\n"));
            walk.push((line, raw));
            if let Ok(commit) = Commit::parse(ObjectFormat::Sha1, raw) {
                strict.push((shown(&oid, &commit), raw));
            }
        }
        assert!(walk.len() > 200 && strict.len() > 20, "{} {}", walk.len(), strict.len());
        let theirs = git(
            &repository.dir,
            &["rev-list", "--no-walk=unsorted", "--timestamp", "--parents", "--stdin"],
            asked.as_bytes(),
        );
        let theirs = String::from_utf8(theirs).unwrap();
        assert_eq!(theirs.lines().count(), walk.len());
        for (theirs, (ours, raw)) in theirs.lines().zip(walk) {
            assert_eq!(theirs, ours, "{}", raw.escape_ascii());
        }
        let asked: String =
            strict.iter().map(|(fields, _)| String::from_utf8_lossy(&fields[0]).into_owned() + "\n").collect();
        let theirs = git(&repository.dir, &[
            "log", "--no-walk=unsorted", "--stdin", "--encoding=none",
            "--format=tformat:%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00",
        ], asked.as_bytes());
        let fields: Vec<&[u8]> = theirs.split(|&byte| byte == 0).collect();
        assert_eq!(fields.len(), strict.len() * 9 + 1);
        for (theirs, (ours, raw)) in fields.chunks(9).zip(strict) {
            let theirs: Vec<Vec<u8>> = theirs.iter().map(|field| field.trim_ascii().to_vec()).collect();
            assert_eq!(theirs, ours, "{}", raw.escape_ascii());
        }
    }
}

fn pattern() -> impl Strategy<Value = String> {
    let component = prop_oneof![
        6 => prop::collection::vec(prop::sample::select(vec![
            "a", "b", ".", "-", "*", "?", "[ab]", "[!a]", "[a-c]", "[]a]", "[!]]", "[a-]", "[*]", "[[]",
            "[[:alpha:]]", "[[:]", "\u{e9}", "A", "~", "0", "#", "!", " a",
        ]), 1..4).prop_map(|parts| parts.concat()),
        2 => Just("**".to_owned()),
    ];
    let several = prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("/"));
    several.prop_filter("`**` twice is `**`", |pattern| !pattern.contains("**/**"))
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    let letters = prop::sample::select(vec![
        &b"a"[..],
        b"b",
        b"c",
        b".a",
        b"-",
        b"*",
        b"[",
        b"]",
        b"\xc3\xa9",
        b"\xff",
        b"A",
        b"~",
        b"0",
        b"#",
        b"!",
        b" a",
        b"\n",
        b"\\",
    ]);
    let component = prop::collection::vec(letters, 1..4).prop_map(|parts| parts.concat());
    prop::collection::vec(component, 1..4).prop_map(|parts| parts.join(&b'/'))
}

/// A list of this one pattern; `None` for one that we do not read.
fn list(pattern: &str) -> Option<PathPatterns> {
    let text = SourceText::read(0, "pattern", pattern.as_bytes(), 1024).ok()?;
    let written = Located { value: pattern.to_owned(), spot: text.whole() };
    PathPatterns::read(&[written], Base::Nothing, &mut Problems::new())
}

proptest! {
    #![proptest_config(cases(4))]
    #[test]
    fn patterns_mean_what_they_mean_in_gitignore(
        asked in prop::collection::vec((pattern(), prop::collection::vec(path(), 4)), 150),
    ) {
        // Of each case a folder, so that one Git answers for all; a pattern with a leading slash
        // stands for itself and all in it.
        let repository = Repository::new();
        let (mut patterns, mut paths, mut ours) = (String::new(), Vec::new(), Vec::new());
        for (number, (pattern, names)) in asked.iter().enumerate() {
            let Some(list) = list(pattern) else { continue };
            // Git's `dir/**` leaves the folder itself out; ours is the folder and all in it.
            let bare = pattern.strip_suffix("/**").unwrap_or(pattern);
            patterns.push_str(&format!("/c{number}/{bare}\n"));
            for name in names {
                let ends = (0..=name.len()).filter(|&at| at == name.len() || name[at] == b'/');
                let held = ends.into_iter().any(|end| list.holds(&RepoPath::new(&name[..end])));
                paths.extend([format!("c{number}/").as_bytes(), name, b"\0"].concat());
                ours.push((held, pattern, name.escape_ascii().to_string()));
            }
        }
        assert!(ours.iter().filter(|(held, ..)| *held).count() > 20);
        git(&repository.dir, &["config", "core.bare", "false"], b"");
        fs::create_dir_all(repository.dir.join("info")).unwrap();
        fs::write(repository.dir.join("info/exclude"), patterns).unwrap();
        let work = TempDir::new().unwrap();
        let (folder, tree) = (
            format!("--git-dir={}", repository.dir.display()),
            format!("--work-tree={}", work.path().display()),
        );
        let arguments = [&folder, &tree, "check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"];
        let answers = git(work.path(), &arguments, &paths);
        let fields: Vec<&[u8]> = answers.split(|&byte| byte == 0).collect();
        assert_eq!(fields.len(), ours.len() * 4 + 1);
        for (answer, (held, pattern, name)) in fields.chunks(4).zip(ours) {
            assert_eq!(!answer[0].is_empty(), held, "git and we, {pattern} on {name}");
        }
    }
}
