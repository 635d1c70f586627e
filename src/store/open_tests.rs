//! Repositories of all shapes, opened the way a hook opens them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::gitstore::GitStore;
use crate::store::objects::{HeadValue, Merged, ObjectKind, Objects, RefValue, read_kind};
use crate::store::open::{OpenAt, open};
use crate::store::testing::{Scratch, git, oid};

const FORMATS: [ObjectFormat; 2] = [ObjectFormat::Sha1, ObjectFormat::Sha256];

fn error(at: &OpenAt) -> StoreError {
    match open(at) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

fn name(text: &str) -> Refname {
    Refname::parse(text.as_bytes()).unwrap()
}

/// A commit in a folder of objects that stands for a push's quarantine.
fn quarantined(scratch: &Scratch, content: &[u8]) -> (Oid, OpenAt) {
    let quarantine = scratch.dir().join("objects/tmp_objdir-incoming-x");
    std::fs::create_dir(&quarantine).unwrap();
    let mut command = std::process::Command::new("git");
    command
        .args(["hash-object", "-w", "--stdin"])
        .current_dir(scratch.dir())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_DIR", scratch.dir())
        .env("GIT_OBJECT_DIRECTORY", &quarantine)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), content).unwrap();
    let written = oid(&child.wait_with_output().unwrap().stdout);
    let at = OpenAt {
        git_dir: scratch.dir().to_path_buf(),
        quarantine: Some(quarantine),
        lent: None,
        shallow_file: false,
    };
    (written, at)
}

fn sees_both_sides(scratch: &Scratch) {
    let old = scratch.blob("old");
    let (new, at) = quarantined(scratch, b"new");
    let store = open(&at).unwrap();
    assert_eq!(store.read(&old).unwrap(), Some((ObjectKind::Blob, b"old".to_vec())));
    assert_eq!(store.read(&new).unwrap(), Some((ObjectKind::Blob, b"new".to_vec())));
    assert_eq!(store.header(&new).unwrap(), Some((ObjectKind::Blob, 3)));
    assert!(store.was_here(&old).unwrap());
    assert!(!store.was_here(&new).unwrap());
    assert_eq!(scratch.store().read(&new).unwrap(), None);
}

#[test]
fn the_quarantine_is_read_but_was_not_here() {
    for format in FORMATS {
        sees_both_sides(&Scratch::new(format));
    }
}

#[test]
fn paths_may_hold_colons_blanks_and_any_bytes() {
    let names = [&b"we:ird d"[..], "gr\u{fc}n \"q\"".as_bytes(), b"not\xffutf8"];
    for name in names {
        sees_both_sides(&Scratch::named(ObjectFormat::Sha256, OsStr::from_bytes(name)));
    }
}

#[test]
fn packed_objects_and_alternates_are_read() {
    for format in FORMATS {
        let (lender, scratch) = (Scratch::new(format), Scratch::new(format));
        let commit = lender.commit(lender.raw_tree(&[]), &[], 1);
        lender.git(&["update-ref", "refs/heads/main", &commit.hex()]);
        lender.git(&["repack", "-q", "-a", "-d"]);
        let line = format!("{}\n", lender.dir().join("objects").display());
        std::fs::write(scratch.dir().join("objects/info/alternates"), line).unwrap();
        let store = scratch.store();
        assert!(store.was_here(&commit).unwrap());
        assert_eq!(store.header(&commit).unwrap().unwrap().0, ObjectKind::Commit);
    }
}

/// A server's environment may lend objects; a pusher's must not make them old.
#[test]
fn what_the_environment_lends_is_read_but_was_not_here() {
    let (lender, scratch) = (Scratch::new(ObjectFormat::Sha1), Scratch::new(ObjectFormat::Sha1));
    let (old, new) = (scratch.blob("old"), lender.blob("lent"));
    let lent = format!("objects:{}", lender.dir().join("objects").display());
    let at = OpenAt {
        lent: Some((lent.into_bytes(), scratch.dir().to_path_buf())),
        ..OpenAt::at_rest(scratch.dir())
    };
    let store = open(&at).unwrap();
    assert_eq!(store.read(&new).unwrap(), Some((ObjectKind::Blob, b"lent".to_vec())));
    assert!(store.was_here(&old).unwrap());
    assert!(!store.was_here(&new).unwrap());
}

#[test]
fn nothing_is_ever_written() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let side = |text| scratch.raw_tree(&[("100644", text, scratch.blob("x"))]);
    let base = scratch.commit(scratch.raw_tree(&[]), &[], 1);
    let ours = scratch.commit(side(b"a"), &[base], 2);
    let theirs = scratch.commit(side(b"b"), &[base], 3);
    let third = scratch.commit(side(b"c"), &[base], 4);
    let before = scratch.git(&["count-objects"]);
    let store = scratch.store();
    let Merged::Clean(merged) = store.merged_tree(&[ours, theirs, third], true).unwrap() else {
        panic!("a conflict")
    };
    let expected = scratch.git(&["count-objects"]);
    assert_eq!(before, expected);
    assert_eq!(store.read(&merged).unwrap().unwrap().0, ObjectKind::Tree);
    assert!(!store.was_here(&merged).unwrap());
    let x = scratch.blob("x");
    let whole = scratch.raw_tree(&[("100644", b"a", x), ("100644", b"b", x), ("100644", b"c", x)]);
    assert_eq!(merged, whole);
}

fn has_main(store: &GitStore, tip: Oid) {
    assert_eq!(store.read_ref(&name("refs/heads/main")).unwrap(), RefValue::Direct(tip));
}

#[test]
fn worktrees_and_repositories_with_a_worktree_are_read() {
    for format in FORMATS {
        let scratch = Scratch::new(format);
        let commit = scratch.commit(scratch.raw_tree(&[]), &[], 1);
        scratch.git(&["update-ref", "refs/heads/main", &commit.hex()]);
        let folder = scratch.dir().parent().unwrap();
        git(folder, &["clone", "-q", "repo.git", "work"], b"");
        let work = folder.join("work");
        git(&work, &["worktree", "add", "-q", "-b", "side", "../side"], b"");
        has_main(&open(&OpenAt::at_rest(work.join(".git"))).unwrap(), commit);
        let side = open(&OpenAt::at_rest(work.join(".git/worktrees/side"))).unwrap();
        has_main(&side, commit);
        // Who pushes chooses the path, and must not choose by it what `@default` is.
        assert_eq!(side.head().unwrap(), HeadValue::Branch(name("refs/heads/main")));
        assert!(side.was_here(&commit).unwrap());
    }
}

#[test]
fn refs_are_read_loose_packed_and_symbolic() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let tree = scratch.raw_tree(&[]);
    let (one, two) = (scratch.commit(tree, &[], 1), scratch.commit(tree, &[], 2));
    let store = scratch.store();
    assert_eq!(store.head().unwrap(), HeadValue::Branch(name("refs/heads/main")));
    assert_eq!(store.read_ref(&name("refs/heads/main")).unwrap(), RefValue::Absent);
    for refname in ["refs/heads/main", "refs/heads/a/b", "refs/heads/ab", "refs/tags/v1"] {
        scratch.git(&["update-ref", refname, &one.hex()]);
    }
    scratch.git(&["tag", "-a", "-m", "x", "annotated", &one.hex()]);
    scratch.git(&["pack-refs", "--all", "--prune"]);
    scratch.git(&["update-ref", "refs/heads/main", &two.hex()]);
    scratch.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    has_main(&store, two);
    assert_eq!(store.read_ref(&name("refs/heads/a/b")).unwrap(), RefValue::Direct(one));
    assert_eq!(store.read_ref(&name("refs/heads/a")).unwrap(), RefValue::Absent);
    let alias = RefValue::Symbolic(b"refs/heads/main".to_vec());
    assert_eq!(store.read_ref(&name("refs/heads/alias")).unwrap(), alias);

    let listed = |prefix: &str| -> Vec<String> {
        let refs = store.refs_under(prefix.as_bytes()).unwrap();
        refs.iter().map(|(name, oid)| format!("{name} {oid}")).collect()
    };
    for prefix in ["refs/", "refs/heads/", "refs/heads/a", "refs/heads/a/", "refs/none/"] {
        let format = "--format=%(refname) %(objectname) %(symref)";
        let by_git = scratch.git(&["for-each-ref", format]);
        let by_git = String::from_utf8(by_git).unwrap();
        // A symbolic ref has a third word.
        let by_git = by_git.lines().filter_map(|line| line.strip_suffix(' '));
        let expected: Vec<_> = by_git.filter(|line| line.starts_with(prefix)).collect();
        assert_eq!(listed(prefix), expected, "{prefix}");
    }
    // Packed again behind our back.
    scratch.git(&["pack-refs", "--all", "--prune"]);
    has_main(&store, two);
}

#[test]
fn a_broken_ref_is_a_fault_and_not_absent() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let path = |name: &str| scratch.dir().join(name);
    std::fs::write(path("refs/heads/main"), "nonsense\n").unwrap();
    std::fs::write(path("HEAD"), "nonsense\n").unwrap();
    let store = scratch.store();
    let main = store.read_ref(&name("refs/heads/main"));
    assert!(matches!(main, Err(StoreError::BrokenRef { .. })), "{main:?}");
    assert_eq!(store.head().unwrap(), HeadValue::Unreadable);
    let oid = scratch.blob("x");
    std::fs::write(path("HEAD"), format!("{oid}\n")).unwrap();
    assert_eq!(store.head().unwrap(), HeadValue::Detached(oid));
    std::fs::write(path("packed-refs"), "# pack-refs with: peeled\nnonsense\n").unwrap();
    let side = store.read_ref(&name("refs/heads/side"));
    assert!(matches!(side, Err(StoreError::BrokenPackedRefs { line: 2, .. })), "{side:?}");
}

#[test]
fn only_the_repositorys_own_configuration_is_read() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    for value in ["a", "b"] {
        scratch.git(&["config", "--add", "portcullis.policy", value]);
    }
    let store = scratch.store();
    assert_eq!(store.config_values("portcullis.policy").unwrap(), [b"a", b"b"]);
    assert_eq!(store.config_values("portcullis.other").unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(store.config_values("user.name").unwrap(), Vec::<Vec<u8>>::new());
}

#[test]
fn what_is_no_repository_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let found = error(&OpenAt::at_rest(folder.path()));
    assert!(matches!(found, StoreError::NotARepository { lacks: "HEAD", .. }), "{found}");
}

#[test]
fn formats_that_cannot_be_read_are_refused() {
    let set = |settings: &[(&str, &str)]| {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        for (key, value) in settings {
            scratch.git(&["config", key, value]);
        }
        open(&OpenAt::at_rest(scratch.dir())).err()
    };
    let version = |version| ("core.repositoryFormatVersion", version);
    let unknown = set(&[version("1"), ("extensions.fromTheFuture", "true")]);
    assert!(matches!(unknown, Some(StoreError::UnsupportedFormat { .. })), "{unknown:?}");
    let newer = set(&[version("2")]);
    assert!(matches!(newer, Some(StoreError::UnsupportedFormat { .. })), "{newer:?}");
    let elsewhere = set(&[version("1"), ("extensions.refStorage", "reftable://elsewhere")]);
    assert!(matches!(elsewhere, Some(StoreError::UnsupportedFormat { .. })), "{elsewhere:?}");
    let without = set(&[version("0"), ("extensions.objectFormat", "sha1")]);
    assert!(matches!(without, Some(StoreError::UnsupportedFormat { .. })), "{without:?}");
    assert!(set(&[version("0"), ("extensions.fromTheFuture", "true")]).is_none());
    let known = [
        ("noop", "true"),
        ("noop-v1", "true"),
        ("preciousObjects", "true"),
        ("worktreeConfig", "true"),
        ("relativeWorktrees", "true"),
        ("compatObjectFormat", "sha256"),
        ("refStorage", "files"),
    ];
    for (extension, value) in known {
        let key = format!("extensions.{extension}");
        assert!(set(&[version("1"), (key.as_str(), value)]).is_none(), "{extension}");
    }
}

#[test]
fn what_a_partial_clone_left_out_is_missing_and_said_to_be() {
    for setting in ["extensions.partialClone", "remote.origin.promisor"] {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        scratch.git(&["config", "core.repositoryFormatVersion", "1"]);
        let here = scratch.blob("here");
        scratch.git(&["config", setting, "true"]);
        let store = scratch.store();
        assert!(store.read(&here).unwrap().is_some());
        let gone = Oid::from_bytes(&[7; 20]).unwrap();
        assert_eq!(store.read(&gone).unwrap(), None);
        let told = read_kind(&store, &gone, ObjectKind::Blob).unwrap_err().to_string();
        assert!(told.contains(&setting.to_lowercase()) && told.contains("--refetch"), "{told}");
    }
}

#[test]
fn alternates_are_read_however_they_are_written() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let folder = scratch.dir().parent().unwrap().to_path_buf();
    let mut behind = scratch.dir().to_path_buf();
    let mut held = Vec::new();
    // As deep as git goes; one step more and it warns and stops.
    for (at, written) in ["../../lent 0/objects", "\"../../lent\\0401/objects\""]
        .into_iter()
        .chain(["# nothing\n../../lent 2/objects", "../../lent 3/./objects/"])
        .chain(["../../lent 4/objects", "../../lent 5/objects", "../../lent 6/objects"])
        .enumerate()
    {
        let name = format!("lent {at}");
        git(&folder, &["init", "-q", "--bare", &name], b"");
        let next = folder.join(&name);
        let text = format!("blob {at}");
        held.push(oid(&git(&next, &["hash-object", "-w", "--stdin"], text.as_bytes())));
        std::fs::write(behind.join("objects/info/alternates"), format!("{written}\n")).unwrap();
        behind = next;
    }
    let store = scratch.store();
    for (at, blob) in held.iter().enumerate() {
        let by_git = std::process::Command::new("git")
            .args(["cat-file", "-e", &blob.hex()])
            .current_dir(scratch.dir())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .stderr(std::process::Stdio::null())
            .status();
        let by_git = by_git.unwrap().success();
        assert_eq!(by_git, at < 6, "{at}");
        assert!(store.was_here(blob).unwrap() || !by_git, "{at}");
    }
    let tip = scratch.commit(scratch.raw_tree(&[("100644", b"f", held[5])]), &[], 1);
    // The view of the git program sees as far.
    assert_eq!(store.not_reachable_from(&[], &[tip]).unwrap(), [tip]);
}

#[test]
fn false_history_is_refused() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let at = OpenAt::at_rest(scratch.dir());
    let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
    let shallow = scratch.dir().join("shallow");
    write(&shallow, "1111111111111111111111111111111111111111\n");
    assert!(matches!(error(&at), StoreError::Shallow { .. }));
    std::fs::remove_file(shallow).unwrap();
    let grafts = scratch.dir().join("info/grafts");
    write(&grafts, "1111111111111111111111111111111111111111\n");
    assert!(matches!(error(&at), StoreError::Grafts { .. }));
    std::fs::remove_file(grafts).unwrap();
    let shallow_push = OpenAt { shallow_file: true, ..at.clone() };
    assert!(matches!(error(&shallow_push), StoreError::ShallowPush));
    assert!(open(&at).is_ok());
}

#[test]
fn replace_refs_change_nothing() {
    let scratch = Scratch::new(ObjectFormat::Sha1);
    let (true_one, false_one) = (scratch.blob("true"), scratch.blob("false"));
    scratch.git(&["update-ref", &format!("refs/replace/{true_one}"), &false_one.hex()]);
    let read = scratch.store().read(&true_one).unwrap().unwrap();
    assert_eq!(read.1, b"true");
}

#[test]
fn odd_oids_are_not_found() {
    let scratch = Scratch::new(ObjectFormat::Sha256);
    let store = scratch.store();
    for oid in [Oid::zero(ObjectFormat::Sha256), ObjectFormat::Sha1.empty_tree()] {
        assert_eq!(store.read(&oid).unwrap(), None);
        assert_eq!(store.header(&oid).unwrap(), None);
        assert!(!store.was_here(&oid).unwrap());
    }
    // Git knows this one without storing it.
    let empty = ObjectFormat::Sha256.empty_tree();
    assert_eq!(store.read(&empty).unwrap(), Some((ObjectKind::Tree, vec![])));
}
