//! Refs in tables against the git that keeps them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::names::oid::{ObjectFormat, Oid};
use crate::names::refname::Refname;
use crate::store::error::StoreError;
use crate::store::gitstore::GitStore;
use crate::store::objects::{HeadValue, Objects as _, RefValue};
use crate::store::open::{Layout, OpenAt, open};
use crate::store::refs::{RefFormat, Refs as _};
use crate::store::reftables::RefTables;
use crate::store::testing::{git, oid};

/// A repository with tables that vanishes with this value.
struct Kept {
    _folder: TempDir,
    dir: PathBuf,
}

impl Kept {
    /// `None`, with a word, where this git keeps no tables.
    fn new(format: ObjectFormat) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("kept.git");
        let format = format!("--object-format={}", format.name());
        let made = Command::new("git")
            .args(["init", "-q", "--bare", "-b", "main", "--ref-format=reftable", &format])
            .arg(&dir)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        if !made.status.success() {
            skipped();
            return None;
        }
        Some(Self { _folder: folder, dir })
    }

    fn git(&self, args: &[&str]) -> Vec<u8> {
        git(&self.dir, args, b"")
    }

    fn commit(&self, message: &str) -> Oid {
        let tree = oid(&git(&self.dir, &["mktree"], b""));
        oid(&self.git(&["commit-tree", "-m", message, &tree.hex()]))
    }

    fn store(&self) -> GitStore {
        open(&OpenAt::at_rest(&self.dir)).unwrap()
    }

    fn tables(&self) -> RefTables {
        let format = match self.git(&["rev-parse", "--show-object-format"]).trim_ascii() {
            b"sha1" => ObjectFormat::Sha1,
            _ => ObjectFormat::Sha256,
        };
        RefTables::new(&Layout {
            git_dir: self.dir.clone(),
            common_dir: self.dir.clone(),
            objects: self.dir.join("objects"),
            quarantine: None,
            borrowed: Vec::new(),
            lent: Vec::new(),
            format,
            ref_format: RefFormat::Reftable,
            partial: None,
        })
    }
}

#[expect(clippy::print_stdout, clippy::disallowed_macros, reason = "the harness shows it")]
fn skipped() {
    println!("skipped: this git keeps no refs in tables (2.45 is the first that does)");
}

fn name(text: &str) -> Refname {
    Refname::parse(text.as_bytes()).unwrap()
}

fn symbolic(target: &str) -> RefValue {
    RefValue::Symbolic(target.into())
}

#[test]
fn refs_are_read_as_git_has_them_in_both_object_formats() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let Some(kept) = Kept::new(format) else { return };
        let store = kept.store();
        assert_eq!(store.ref_format().name(), "reftable");
        assert_eq!(store.head().unwrap(), HeadValue::Branch(name("refs/heads/main")));
        assert_eq!(store.read_ref(&name("refs/heads/main")).unwrap(), RefValue::Absent);
        assert_eq!(store.refs_under(b"refs/").unwrap(), []);
        let (one, two) = (kept.commit("one"), kept.commit("two"));
        for refname in ["refs/heads/main", "refs/heads/a/b", "refs/heads/ab", "refs/tags/v1"] {
            kept.git(&["update-ref", refname, &one.hex()]);
        }
        kept.git(&["tag", "-a", "-m", "x", "annotated", &one.hex()]);
        kept.git(&["update-ref", "refs/heads/main", &two.hex()]);
        kept.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
        // What was read before is not remembered.
        assert_eq!(store.read_ref(&name("refs/heads/main")).unwrap(), RefValue::Direct(two));
        assert_eq!(store.read_ref(&name("refs/heads/a")).unwrap(), RefValue::Absent);
        assert_eq!(store.read_ref(&name("refs/heads/alias")).unwrap(), symbolic("refs/heads/main"));
        for prefix in ["refs/", "refs/heads/", "refs/heads/a", "refs/heads/a/", "refs/none/"] {
            let by_git = kept.git(&["for-each-ref", "--format=%(refname) %(objectname) %(symref)"]);
            let by_git = String::from_utf8(by_git).unwrap();
            let by_git = by_git.lines().filter_map(|line| line.strip_suffix(' '));
            let expected: Vec<_> = by_git.filter(|line| line.starts_with(prefix)).collect();
            let refs = store.refs_under(prefix.as_bytes()).unwrap();
            let listed: Vec<_> = refs.iter().map(|(name, oid)| format!("{name} {oid}")).collect();
            assert_eq!(listed, expected, "{prefix}");
        }
        let all = store.all_refs().unwrap();
        assert!(all.contains(&(name("refs/heads/alias"), Oid::zero(format))));
        kept.git(&["update-ref", "-d", "refs/heads/ab"]);
        kept.git(&["pack-refs", "--all"]);
        assert_eq!(store.read_ref(&name("refs/heads/ab")).unwrap(), RefValue::Absent);
        assert_eq!(store.read_ref(&name("refs/heads/main")).unwrap(), RefValue::Direct(two));
        kept.git(&["update-ref", "--no-deref", "HEAD", &one.hex()]);
        assert_eq!(store.head().unwrap(), HeadValue::Detached(one));
    }
}

/// A push to such a name would make, or move, the ref that it leads to.
#[test]
fn another_name_for_a_ref_is_never_taken_for_nothing() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let one = kept.commit("one");
    kept.git(&["update-ref", "refs/heads/main", &one.hex()]);
    kept.git(&["symbolic-ref", "refs/heads/first", "refs/heads/main"]);
    kept.git(&["symbolic-ref", "refs/heads/second", "refs/heads/first"]);
    kept.git(&["symbolic-ref", "refs/heads/nowhere", "refs/heads/none"]);
    kept.git(&["symbolic-ref", "refs/heads/over", "refs/heads/nowhere"]);
    let mut refs = kept.tables();
    for (from, to) in
        [("first", "main"), ("second", "first"), ("nowhere", "none"), ("over", "nowhere")]
    {
        let found = refs.read(&name(&format!("refs/heads/{from}"))).unwrap();
        assert_eq!(found, symbolic(&format!("refs/heads/{to}")), "{from}");
    }
    assert_eq!(refs.head().unwrap(), HeadValue::Branch(name("refs/heads/main")));
    kept.git(&["symbolic-ref", "HEAD", "refs/heads/first"]);
    assert_eq!(refs.head().unwrap(), HeadValue::Branch(name("refs/heads/first")));
    kept.git(&["symbolic-ref", "HEAD", "refs/heads/born/later"]);
    assert_eq!(refs.head().unwrap(), HeadValue::Branch(name("refs/heads/born/later")));
    // Git lists no name that leads nowhere.
    assert_eq!(refs.under(b"refs/").unwrap(), [(name("refs/heads/main"), one)]);
}

#[test]
fn a_push_costs_few_processes_however_many_refs_it_has() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let one = kept.commit("one");
    kept.git(&["update-ref", "refs/heads/main", &one.hex()]);
    let mut refs = kept.tables();
    let asked = |refs: &RefTables| refs.shared.asked.get();
    for _ in 0..3 {
        assert_eq!(refs.head().unwrap(), HeadValue::Branch(name("refs/heads/main")));
        assert_eq!(refs.read(&name("refs/heads/main")).unwrap(), RefValue::Direct(one));
        assert_eq!(refs.under(b"refs/").unwrap().len(), 1);
    }
    assert_eq!(asked(&refs), 1);
    for at in 0..200 {
        let new = name(&format!("refs/heads/new-{at}"));
        assert_eq!(refs.read(&new).unwrap(), RefValue::Absent);
        assert_eq!(refs.read(&new).unwrap(), RefValue::Absent);
    }
    assert_eq!(asked(&refs), 1);
    kept.git(&["update-ref", "refs/heads/new-7", &one.hex()]);
    assert_eq!(refs.read(&name("refs/heads/new-7")).unwrap(), RefValue::Direct(one));
    assert_eq!(refs.read(&name("refs/heads/new-8")).unwrap(), RefValue::Absent);
    assert_eq!(asked(&refs), 2);
}

/// Names are bytes, and some of them look like something else to git.
#[test]
fn names_that_git_would_take_for_something_else_are_only_names() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let one = kept.commit("one");
    let described = format!("refs/heads/v1-2-g{}", &one.hex()[..10]);
    let mut refs = kept.tables();
    // git-describe(1) calls a commit so, and git resolves it; it is no ref.
    assert_eq!(refs.read(&name(&described)).unwrap(), RefValue::Absent);
    kept.git(&["update-ref", "refs/tags/refs/heads/x", &one.hex()]);
    assert_eq!(refs.read(&name("refs/heads/x")).unwrap(), RefValue::Absent);
    kept.git(&["symbolic-ref", "refs/tags/refs/heads/y", "refs/heads/none"]);
    assert_eq!(refs.read(&name("refs/heads/y")).unwrap(), RefValue::Absent);
    let odd: [&[u8]; 4] = [
        b"refs/heads/\xff\xfe",
        "refs/heads/gr\u{fc}n".as_bytes(),
        b"refs/-x",
        b"refs/heads/a\"'$(",
    ];
    for bytes in odd {
        let odd = Refname::parse(bytes).unwrap();
        assert_eq!(refs.read(&odd).unwrap(), RefValue::Absent, "{odd}");
        let line = [b"create ", bytes, b"\0", one.hex().as_bytes(), b"\0"].concat();
        git(&kept.dir, &["update-ref", "-z", "--stdin"], &line);
        assert_eq!(refs.read(&odd).unwrap(), RefValue::Direct(one), "{odd}");
    }
    let long = [&b"refs/heads/"[..], &vec![b'n'; 3900]].concat();
    assert_eq!(refs.read(&Refname::parse(&long).unwrap()).unwrap(), RefValue::Absent);
}

#[test]
fn what_is_missing_behind_a_ref_does_not_hide_the_ref() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let one = kept.commit("one");
    kept.git(&["update-ref", "refs/heads/main", &one.hex()]);
    let hex = one.hex();
    std::fs::remove_file(kept.dir.join("objects").join(&hex[..2]).join(&hex[2..])).unwrap();
    let store = kept.store();
    assert_eq!(store.read_ref(&name("refs/heads/main")).unwrap(), RefValue::Direct(one));
    assert_eq!(store.header(&one).unwrap(), None);
}

/// Of damaged tables git lists what it can read, says nothing, and reports success.
#[test]
fn damaged_tables_are_a_fault_wherever_they_are_damaged() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let one = kept.commit("one");
    let lines: String = (0..600).map(|at| format!("create refs/heads/b{at:03} {one}\n")).collect();
    git(&kept.dir, &["update-ref", "--stdin"], lines.as_bytes());
    kept.git(&["pack-refs"]);
    let list = std::fs::read_to_string(kept.dir.join("reftable/tables.list")).unwrap();
    let table = kept.dir.join("reftable").join(list.lines().next().unwrap());
    assert_eq!(list.lines().count(), 1, "{list}");
    let whole = std::fs::read(&table).unwrap();
    std::fs::set_permissions(&table, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let main = || {
        let store = kept.store();
        (store.read_ref(&name("refs/heads/b599")), store.head(), store.all_refs())
    };
    assert_eq!(main().2.unwrap().len(), 600);
    let mut silent = 0;
    let places = (0..14).map(|at| at * 1024 + 24).chain([0, 4096, 8192, whole.len() - 10]);
    for at in places {
        let mut damaged = whole.clone();
        damaged[at..at + 8].fill(0);
        std::fs::write(&table, &damaged).unwrap();
        let by_git = kept.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        silent += usize::from(by_git.split(|&b| b == b'\n').count() < 600);
        match main() {
            (Err(_), Err(_), Err(_)) => {}
            // Not in the refs' part, and git reads as much as before.
            (Ok(value), Ok(_), Ok(all)) => {
                assert_eq!((value, all.len()), (RefValue::Direct(one), 600), "{at}");
                assert_eq!(by_git.split(|&b| b == b'\n').count(), 601, "{at}");
            }
            other => panic!("{at}: {other:?}"),
        }
    }
    assert!(silent > 3, "git tells of damage now: {silent}");
    std::fs::remove_file(&table).unwrap();
    assert!(matches!(main(), (Err(_), Err(_), Err(_))));
    std::fs::remove_file(kept.dir.join("reftable/tables.list")).unwrap();
    assert!(matches!(main(), (Err(_), Err(_), Err(_))));
}

#[test]
fn readers_that_do_not_agree_are_a_fault() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let (one, two) = (kept.commit("one"), kept.commit("two"));
    kept.git(&["update-ref", "refs/heads/main", &one.hex()]);
    kept.git(&["pack-refs"]);
    let before = std::fs::read(kept.dir.join("reftable/tables.list")).unwrap();
    let tables = kept.tables();
    assert!(tables.shared.both_readers(&before).is_ok());
    let table = kept.dir.join("reftable").join(std::str::from_utf8(before.trim_ascii()).unwrap());
    let old = std::fs::read(&table).unwrap();
    kept.git(&["update-ref", "refs/heads/main", &two.hex()]);
    std::fs::write(&table, old).unwrap();
    // As if one of the two did not see the last table.
    let found = tables.shared.both_readers(&before).err();
    assert!(matches!(found, Some(StoreError::BrokenTable { .. })), "{found:?}");
    let now = std::fs::read(kept.dir.join("reftable/tables.list")).unwrap();
    assert!(tables.shared.both_readers(&now).is_ok());
    assert!(matches!(tables.shared.both_readers(b""), Err(StoreError::BrokenTable { .. })));
}

#[test]
fn a_linked_worktree_shares_all_but_its_own() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let (one, two) = (kept.commit("one"), kept.commit("two"));
    kept.git(&["update-ref", "refs/heads/main", &one.hex()]);
    kept.git(&["worktree", "add", "-q", "-b", "side", "../side", "main"]);
    let side = kept.dir.parent().unwrap().join("side");
    git(&side, &["update-ref", "refs/worktree/mark", &two.hex()], b"");
    kept.git(&["update-ref", "refs/worktree/mark", &one.hex()]);
    let mark = name("refs/worktree/mark");
    let linked = open(&OpenAt::at_rest(kept.dir.join("worktrees/side"))).unwrap();
    assert_eq!(linked.head().unwrap(), HeadValue::Branch(name("refs/heads/main")));
    assert_eq!(linked.read_ref(&mark).unwrap(), RefValue::Direct(two));
    assert_eq!(kept.store().read_ref(&mark).unwrap(), RefValue::Direct(one));
    assert_eq!(linked.read_ref(&name("refs/heads/side")).unwrap(), RefValue::Direct(one));
    let listed = linked.refs_under(b"refs/").unwrap();
    let expected =
        [(name("refs/heads/main"), one), (name("refs/heads/side"), one), (mark.clone(), two)];
    assert_eq!(listed, expected);
}

/// A git that does not know tables says so, and its version is told.
#[test]
fn a_git_that_is_too_old_is_named() {
    let Some(kept) = Kept::new(ObjectFormat::Sha1) else { return };
    let refused = |words: &str| {
        let answer = crate::store::plumbing::Answer {
            code: Some(128),
            stdout: Vec::new(),
            stderr: words.as_bytes().to_vec(),
        };
        kept.tables().shared.refused("for-each-ref", &answer)
    };
    let told = refused("fatal: unknown repository extension found:\n\trefstorage\n");
    let text = told.to_string();
    assert!(matches!(told, StoreError::GitTooOld { needs: "2.45", .. }), "{text}");
    assert!(text.contains("git version 2."), "{text}");
    assert!(matches!(refused("fatal: disk\n"), StoreError::Git { .. }));
    assert!(matches!(
        refused("error: unknown option `include-root-refs'"),
        StoreError::GitTooOld { .. }
    ));
}
