//! What the strict and the lenient reader make of commits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

use crate::names::oid::{ObjectFormat, Oid};
use crate::store::commit::{Commit, CommitProblem, links_of};
use crate::store::ident::IdentProblem;
use crate::store::objects::{ObjectKind, read_kind};
use crate::store::testing::{Scratch, oid};

const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
const PARENT: &str = "parent 1111111111111111111111111111111111111111\n";
const AUTHOR: &str = "author A U Thor <author@example.com> 1112911993 -0700\n";
const COMMITTER: &str = "committer C O Mitter <committer@example.com> 1112911994 +0130\n";

fn parse(raw: &str) -> Result<Commit, CommitProblem> {
    Commit::parse(ObjectFormat::Sha1, raw.as_bytes())
}

fn with(headers: &str) -> String {
    format!("{TREE}{PARENT}{AUTHOR}{COMMITTER}{headers}\nsubject\nmore\n\nbody\n")
}

#[test]
fn a_commit_is_read_whole() {
    let commit = parse(&with("")).unwrap();
    assert_eq!(commit.tree, ObjectFormat::Sha1.empty_tree());
    assert_eq!(commit.parents, [Oid::from_bytes(&[0x11; 20]).unwrap()]);
    assert_eq!(commit.author.name, b"A U Thor");
    assert_eq!(commit.author.email, b"author@example.com");
    assert_eq!((commit.author.when_seconds, commit.author.zone_minutes), (1_112_911_993, -420));
    assert_eq!((commit.committer.when_seconds, commit.committer.zone_minutes), (1_112_911_994, 90));
    assert_eq!(commit.message(), b"subject\nmore\n\nbody\n");
    assert_eq!(commit.subject(), b"subject more");
    assert_eq!(commit.signature(), None);
}

#[test]
fn a_commit_without_message_is_fine() {
    let commit = parse(&format!("{TREE}{AUTHOR}{COMMITTER}")).unwrap();
    assert_eq!(commit.message(), b"");
    assert_eq!(commit.subject(), b"");
    assert!(parse(&format!("{TREE}{AUTHOR}{COMMITTER}\n")).is_ok());
}

#[test]
fn the_payload_is_the_object_without_the_signature() {
    let armor =
        "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n \n BBBB\n -----END SSH SIGNATURE-----\n";
    let other = "gpgsig-sha256 other\n form\n";
    let signed = with(&format!("encoding UTF-8\n{armor}{other}mergetag object\n x\n"));
    let signature = parse(&signed).unwrap().signature().unwrap();
    assert_eq!(signature.payload, with("encoding UTF-8\nmergetag object\n x\n").as_bytes());
    assert_eq!(
        signature.armor,
        b"-----BEGIN SSH SIGNATURE-----\nAAAA\n\nBBBB\n-----END SSH SIGNATURE-----\n"
    );
}

#[test]
fn the_signature_for_the_other_hash_does_not_count() {
    let commit = parse(&with("gpgsig-sha256 x\n y\n")).unwrap();
    assert_eq!(commit.signature(), None);
}

#[test]
fn malformed_commits_say_what_is_wrong() {
    let cases = [
        (format!("{AUTHOR}{COMMITTER}\n"), CommitProblem::NoTree),
        (with("").replace("tree 4b", "tree 4"), CommitProblem::BadOid("tree")),
        (with("").replace("tree 4b", "tree 4B"), CommitProblem::BadOid("tree")),
        (with("").replace("parent 11", "parent 1"), CommitProblem::BadOid("parent")),
        (format!("{TREE}{COMMITTER}\n"), CommitProblem::NoAuthor),
        (format!("{TREE}{AUTHOR}\n"), CommitProblem::NoCommitter),
        (format!("{TREE}{TREE}{AUTHOR}{COMMITTER}\n"), CommitProblem::NoAuthor),
        (format!("{TREE}{AUTHOR}{PARENT}{COMMITTER}\n"), CommitProblem::NoCommitter),
        (format!("{TREE}{AUTHOR}{AUTHOR}{COMMITTER}\n"), CommitProblem::NoCommitter),
        (with(TREE), CommitProblem::Twice("tree")),
        (with(PARENT), CommitProblem::Twice("parent")),
        (with(AUTHOR), CommitProblem::Twice("author")),
        (with("gpgsig a\ngpgsig b\n"), CommitProblem::Twice("gpgsig")),
        (
            with("").replace("1112911993", "99999999999999999999"),
            CommitProblem::Ident(IdentProblem::Date, "author"),
        ),
        (
            with("").replace("1112911993", "0112911993"),
            CommitProblem::Ident(IdentProblem::Date, "author"),
        ),
        (
            with("").replace("1112911994", "-1"),
            CommitProblem::Ident(IdentProblem::Date, "committer"),
        ),
        (
            with("").replace("1112911994 ", ""),
            CommitProblem::Ident(IdentProblem::Date, "committer"),
        ),
        (with("").replace("-0700", "0700"), CommitProblem::Ident(IdentProblem::Zone, "author")),
        (with("").replace("-0700", "-07000"), CommitProblem::Ident(IdentProblem::Zone, "author")),
        (
            with("").replace("A U Thor <", "A U Thor<"),
            CommitProblem::Ident(IdentProblem::Form, "author"),
        ),
        (
            with("").replace("<author", "<<author"),
            CommitProblem::Ident(IdentProblem::Form, "author"),
        ),
        (with("").replace("A U", "A > U"), CommitProblem::Ident(IdentProblem::Form, "author")),
        (with(" stray continuation\n"), CommitProblem::BadHeader),
        (with("x\0y\n"), CommitProblem::NulInHeader),
        (format!("{}\0hidden", with("")), CommitProblem::NulInMessage),
        (format!("{TREE}{AUTHOR}{COMMITTER}x"), CommitProblem::Unterminated),
        (String::new(), CommitProblem::Unterminated),
    ];
    for (raw, problem) in cases {
        let found = parse(&raw).err();
        // A line that continues the committer's is part of no header we read.
        assert_eq!(found, Some(problem), "{raw:?}");
    }
}

#[test]
fn an_oid_of_the_other_width_is_refused() {
    let raw = with("");
    let found = Commit::parse(ObjectFormat::Sha256, raw.as_bytes());
    assert_eq!(found.err(), Some(CommitProblem::BadOid("tree")));
    assert!(links_of(ObjectFormat::Sha256, raw.as_bytes()).is_err());
}

#[test]
fn links_forgive_what_git_forgives() {
    let raw = format!("{TREE}{PARENT}nonsense\n\0");
    let links = links_of(ObjectFormat::Sha1, raw.as_bytes()).unwrap();
    assert_eq!((links.parents.len(), links.when_seconds), (1, 0));
    assert!(links_of(ObjectFormat::Sha1, b"parent x\n").is_err());
    assert!(links_of(ObjectFormat::Sha1, format!("{TREE}parent 12\n").as_bytes()).is_err());
    let links = links_of(ObjectFormat::Sha1, with("").as_bytes()).unwrap();
    assert_eq!(links.when_seconds, 1_112_911_994);
    // Git takes a commit that says nothing but its tree and its parents for none.
    assert!(links_of(ObjectFormat::Sha1, TREE.as_bytes()).is_err());
    assert!(links_of(ObjectFormat::Sha1, format!("{TREE}{PARENT}").as_bytes()).is_err());
}

#[test]
fn co_authors_are_read_from_the_trailers() {
    let raw = with("").replace("body\n", "Co-authored-by: Bob B <bob@x>\nCo-authored-by: nobody\n");
    let commit = parse(&raw).unwrap();
    assert_eq!(commit.co_authors(), [(b"Bob B".to_vec(), b"bob@x".to_vec())]);
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(TREE.as_bytes().to_vec()),
        Just(PARENT.as_bytes().to_vec()),
        Just(AUTHOR.as_bytes().to_vec()),
        Just(COMMITTER.as_bytes().to_vec()),
        Just(b"gpgsig a\n b\n".to_vec()),
        Just(b"\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_both_readers_agree(raw in pieces()) {
        let links = links_of(ObjectFormat::Sha1, &raw);
        if let Ok(commit) = Commit::parse(ObjectFormat::Sha1, &raw) {
            let links = links.unwrap();
            assert_eq!(links.tree, commit.tree);
            assert_eq!(links.parents, commit.parents.clone());
            assert_eq!(links.when_seconds, commit.committer.when_seconds);
            commit.subject();
            commit.co_authors();
            commit.signature();
        }
    }
}

/// Whether git takes these bytes for a commit when it looks closely (git-fsck(1)).
fn git_takes(scratch: &Scratch, raw: &[u8]) -> bool {
    let mut command = Command::new("git");
    command.args(["hash-object", "-t", "commit", "--stdin"]).current_dir(scratch.dir());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", scratch.dir());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(raw).unwrap();
    child.wait().unwrap().success()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn what_we_take_git_takes_as_well(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let scratch = Scratch::new(ObjectFormat::Sha1);
        let mut raw = with("gpgsig a\n b\n").into_bytes();
        let at = at.index(raw.len());
        raw[at] = byte;
        if Commit::parse(ObjectFormat::Sha1, &raw).is_ok() {
            assert!(git_takes(&scratch, &raw), "{}", raw.escape_ascii());
        }
    }
}

#[test]
fn the_signature_that_git_makes_verifies_over_our_payload() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        let scratch = Scratch::new(format);
        let path = |name: &str| scratch.dir().join(name).display().to_string();
        let keygen = |args: &[&str], stdin: Option<&str>| {
            let mut command = Command::new("ssh-keygen");
            command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
            let input = stdin.map_or(Stdio::null(), |name| File::open(path(name)).unwrap().into());
            assert!(command.stdin(input).status().unwrap().success(), "{args:?}");
        };
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &path("key")], None);
        scratch.git(&["config", "gpg.format", "ssh"]);
        scratch.git(&["config", "user.signingKey", &path("key.pub")]);
        let tree = scratch.raw_tree(&[]).hex();
        let made = oid(&scratch.git(&["commit-tree", "-S", "-m", "signed", &tree]));
        let raw = read_kind(&scratch.store(), &made, ObjectKind::Commit).unwrap();
        let signature = Commit::parse(format, &raw).unwrap().signature().unwrap();
        std::fs::write(path("armor"), &signature.armor).unwrap();
        std::fs::write(path("payload"), &signature.payload).unwrap();
        keygen(&["-Y", "check-novalidate", "-n", "git", "-s", &path("armor")], Some("payload"));
    }
}
