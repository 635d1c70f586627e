//! What a client that lies gets, and what bad input gets at the hook itself.

use std::process::Output;

use crate::support::ground::feed;
use crate::support::person::Person;
use crate::support::policy;
use crate::support::site::{Plan, Site};

/// An oid that no repository of these tests has.
fn unknown(site: &Site) -> String {
    "1".repeat(site.zero().len())
}

/// A gated site, and one that uses SHA-256.
fn sites() -> [Site; 2] {
    [Site::gated(), Plan::new(policy::gated(1)).format("sha256").build()]
}

/// A commit on a topic branch of the server.
fn topic(site: &Site) -> (Person, String) {
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    (alice, tip)
}

#[test]
fn a01_a_name_with_a_line_in_it_is_refused_and_forges_nothing() {
    for site in sites() {
        let main = site.main();
        let before = site.refs();
        let forged = format!("refs/heads/ok\n{main} {} refs/heads/main", unknown(&site));
        let request = site.request().command(&site.zero(), &main, forged);
        site.raw("alice", request).took_nothing();
        assert_eq!(site.refs(), before);
        site.log_and_refs_agree();
    }
}

#[test]
fn zero_to_zero_deletes_nothing() {
    for site in sites() {
        let before = site.refs();
        let zero = site.zero();
        site.raw("alice", site.request().command(&zero, &zero, "refs/heads/main")).took_nothing();
        assert_eq!(site.refs(), before);
    }
}

#[test]
fn an_old_value_that_is_not_true_is_refused() {
    for site in sites() {
        let (_, tip) = topic(&site);
        let main = site.main();
        let before = site.refs();
        let (zero, unknown) = (site.zero(), unknown(&site));
        for (old, new, name) in [
            (&unknown, &zero, "refs/heads/words"),
            (&zero, &main, "refs/heads/main"),
            (&zero, &tip, "refs/heads/main"),
            (&tip, &main, "refs/heads/main"),
            (&unknown, &main, "refs/heads/words"),
            (&main, &tip, "refs/heads/not-there"),
        ] {
            site.raw("alice", site.request().command(old, new, name)).took_nothing();
            assert_eq!(site.refs(), before, "{old} {new} {name}");
        }
        site.log_and_refs_agree();
    }
}

#[test]
fn an_object_that_nobody_has_is_refused() {
    for site in sites() {
        let before = site.refs();
        let request = site.request().command(&site.zero(), &unknown(&site), "refs/heads/ghost");
        site.raw("alice", request).took_nothing();
        assert_eq!(site.refs(), before);
    }
}

#[test]
fn a_ref_named_twice_is_refused() {
    for site in sites() {
        let (zero, main) = (site.zero(), site.main());
        let before = site.refs();
        let twice = site.request().command(&zero, &main, "refs/heads/d").command(
            &zero,
            &main,
            "refs/heads/d",
        );
        site.raw("alice", twice).took_nothing();
        let folded = site.request().command(&zero, &main, "refs/heads/d").command(
            &zero,
            &main,
            "refs/heads/D",
        );
        site.raw("alice", folded).took_nothing();
        assert_eq!(site.refs(), before);
    }
}

#[test]
fn bytes_that_are_no_text_make_a_name_and_are_shown_escaped() {
    for site in sites() {
        let name = b"refs/heads/\x80\xff";
        let entries = site.log().len();
        let reply =
            site.raw("alice", site.request().command(&site.zero(), &site.main(), name.as_slice()));
        // Whether such a name is welcome or not: no panic, no raw byte, and an entry.
        assert!(!reply.said.contains("panicked"), "{}", reply.said);
        assert!(site.log().len() > entries);
        let esc = b"refs/heads/\x1b[2Jx";
        let reply =
            site.raw("alice", site.request().command(&site.zero(), &site.main(), esc.as_slice()));
        reply.took_nothing();
        assert!(!reply.said.contains('\x1b'), "{:?}", reply.said);
    }
}

#[test]
fn a_push_option_is_a_claim_and_never_a_line() {
    let site = Site::gated();
    let (alice, tip) = topic(&site);
    let request = site
        .request()
        .command(&site.zero(), &tip, "refs/heads/again")
        .option("reason=x\nGIT_PUSH_OPTION_9=approved-by=bob")
        .option(b"\x1b[31m\xff");
    let reply = site.raw("alice", request);
    assert!(!reply.said.contains('\x1b'), "{:?}", reply.said);
    assert!(!reply.said.contains("panicked"), "{}", reply.said);
    drop(alice);
    crate::support::entries::chain(&site.log_dir());
}

#[test]
fn somebody_without_a_name_is_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    let mut git = alice.git(&["push"]);
    git.env_remove(crate::support::person::WHO).arg(site.path()).arg("HEAD:refs/heads/mine");
    crate::support::push::Pushed::of(&git.output().unwrap()).refused();
    assert_eq!(site.value("refs/heads/mine"), None);
}

/// The hook said no, with a sentence, without a panic, with one of the four codes.
#[track_caller]
fn said_no(output: &Output, input: &[u8]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let shown = String::from_utf8_lossy(input);
    assert!(matches!(output.status.code(), Some(1..=3)), "{shown:?}: {}\n{said}", output.status);
    assert!(said.lines().any(|line| line.starts_with("error:")), "{shown:?}: {said:?}");
    assert!(!said.contains("panicked"), "{shown:?}: {said}");
}

#[test]
fn odd_input_to_pre_receive_is_refused_with_a_sentence() {
    for site in sites() {
        let (_, tip) = topic(&site);
        let (zero, main, unknown) = (site.zero(), site.main(), unknown(&site));
        let before = site.refs();
        let good = format!("{zero} {tip} refs/heads/new\n");
        for input in [
            String::new(),
            "\n".to_owned(),
            format!("{good}\n"),
            format!("\n{good}"),
            format!("{zero} {tip}\n"),
            format!("{zero} {tip} \n"),
            format!("{zero}\n"),
            format!("{zero}  {tip} refs/heads/new\n"),
            format!("{} {tip} refs/heads/new\n", &zero[1..]),
            format!("{zero} {}a refs/heads/new\n", tip),
            format!("{zero} {} refs/heads/new\n", "z".repeat(tip.len())),
            format!("{zero} {} refs/heads/new\n", tip.to_uppercase()),
            format!("{zero} {unknown} refs/heads/new\n"),
            format!("{unknown} {tip} refs/heads/main\n"),
            "0 0 refs/heads/main\n".to_owned(),
            format!("{zero} {zero} refs/heads/main\n"),
            format!("{main} {tip} refs/heads/..\n"),
            format!("{main} {tip} main\n"),
            format!("{good}{good}"),
            format!("{good}{}", "x".repeat(100_000)),
            good.trim_end().to_owned() + "\r\n",
        ] {
            said_no(&site.hook("pre-receive", &[], input.as_bytes(), "alice"), input.as_bytes());
        }
        let bytes = [format!("{zero} {tip} refs/heads/").as_bytes(), b"a\0b\n"].concat();
        said_no(&site.hook("pre-receive", &[], &bytes, "alice"), &bytes);
        assert_eq!(site.refs(), before);
    }
}

#[test]
fn odd_arguments_to_update_are_refused() {
    let site = Site::gated();
    let (_, tip) = topic(&site);
    let (zero, main) = (site.zero(), site.main());
    for args in [
        &[][..],
        &["refs/heads/main"],
        &["refs/heads/main", &main],
        &["refs/heads/main", &main, &tip, "more"],
        &["refs/heads/main", &zero, &zero],
        &["refs/heads/main", "0", "0"],
        &["main", &main, &tip],
        &["--help", &main, &tip],
        // All true, but nobody has decided it.
        &["refs/heads/new", &zero, &tip],
        &["refs/heads/main", &main, &tip],
    ] {
        said_no(&site.hook("update", args, b"", "alice"), args.join(" ").as_bytes());
    }
}

#[test]
fn very_many_refs_are_refused_soon() {
    let site = Site::gated();
    let (zero, main) = (site.zero(), site.main());
    let mut request = site.request();
    for number in 0..20_000 {
        request = request.command(&zero, &main, format!("refs/heads/many/{number}"));
    }
    site.raw("alice", request).took_nothing();
    assert_eq!(site.refs().len(), 1);
}

/// A pack of these objects and no others, however little sense they make together.
fn pack(person: &Person, objects: &[&str]) -> Vec<u8> {
    let list = objects.join("\n") + "\n";
    let output = feed(&mut person.git(&["pack-objects", "--stdout", "-q"]), list.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn hostile_trees_on_a_protected_ref_are_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    let main = site.main();
    let blob = alice.object("blob", b"evil\n");
    for (mode, name) in [
        ("100644", &b"infra/prod/network.tf"[..]),
        ("100644", b".."),
        ("100644", b".git"),
        ("100644", b".GIT"),
        ("100644", b""),
        ("100777", b"x"),
        ("100644", b"x\nA\tinfra-ok\x1b[2J"),
        ("000000", b"x"),
    ] {
        let mut tree = [mode.as_bytes(), b" ", name, b"\0"].concat();
        tree.extend((0..20).map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap()));
        let tree = alice.object("tree", &tree);
        let who = "a <a@b> 1 +0000";
        let commit = format!("tree {tree}\nparent {main}\nauthor {who}\ncommitter {who}\n\nx\n");
        let commit = alice.object("commit", commit.as_bytes());
        let request = site
            .request()
            .command(&main, &commit, "refs/heads/main")
            .pack(pack(&alice, &[&blob, &tree, &commit]));
        let reply = site.raw("alice", request);
        reply.took_nothing();
        assert!(reply.said.contains("error:"), "{mode} {name:?}: {}", reply.said);
        assert!(!reply.said.contains('\x1b') && !reply.said.contains("panicked"), "{}", reply.said);
        assert_eq!(site.main(), main);
    }
    site.log_and_refs_agree();
}

#[test]
fn e06_malformed_commits_never_land() {
    let site = Site::gated();
    let alice = site.person("alice");
    let (main, tree) = (site.main(), alice.oid("origin/main^{tree}"));
    let who = "a <a@b> 1 +0000";
    for text in [
        format!("tree {tree}\nparent {main}\n\nno author\n"),
        format!("parent {main}\nauthor {who}\ncommitter {who}\n\nno tree\n"),
        format!("tree {tree}\ntree {tree}\nparent {main}\nauthor {who}\ncommitter {who}\n\nx\n"),
        format!(
            "tree {tree}\nparent {main}\nauthor a <a@b> {}\ncommitter {who}\n\nx\n",
            "9".repeat(20)
        ),
        format!("tree {tree}\nparent {main}\nauthor \x1b[2J <> 1\ncommitter {who}\n\n\x1b[2J\n"),
        format!(
            "tree {tree}\nparent {main}\nparent {}\nauthor {who}\ncommitter {who}\n\nx\n",
            &main[1..]
        ),
        "no commit at all\n".to_owned(),
    ] {
        let commit = alice.object("commit", text.as_bytes());
        let request = site
            .request()
            .command(&main, &commit, "refs/heads/main")
            .pack(pack(&alice, &[&commit]));
        let reply = site.raw("alice", request);
        reply.took_nothing();
        assert!(!reply.said.contains('\x1b') && !reply.said.contains("panicked"), "{}", reply.said);
        assert_eq!(site.main(), main);
    }
    let blob = alice.object("blob", b"no commit\n");
    let request =
        site.request().command(&main, &blob, "refs/heads/main").pack(pack(&alice, &[&blob]));
    site.raw("alice", request).took_nothing();
    assert_eq!(site.main(), main);
    site.log_and_refs_agree();
}
