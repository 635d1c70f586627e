//! What a client that lies gets, and what bad input gets at the hook itself.

use std::process::Output;
use std::time::{Duration, Instant};

use crate::support::objects::{pack, pack_since};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::site::{Plan, Site};
use crate::support::wire::{Reply, Request};

/// An oid that no repository of these tests has.
fn unknown(site: &Site) -> String {
    "1".repeat(site.zero().len())
}

/// How long any answer may take on a machine that does much else.
const SOON: Duration = Duration::from_secs(20);

/// The push is refused: soon, with a sentence fit for a terminal, with one entry in the log that
/// says so, and with every ref where it was.
#[track_caller]
fn refuses(site: &Site, request: Request) -> Reply {
    let (refs, entries, begin) = (site.refs(), site.log().len(), Instant::now());
    let reply = site.raw("alice", request);
    assert!(begin.elapsed() < SOON, "took {:?}", begin.elapsed());
    reply.took_nothing();
    assert!(reply.said.contains("error:"), "{}", reply.said);
    assert!(!reply.said.contains("panicked"), "{}", reply.said);
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!reply.said.contains(control), "{:?}", reply.said);
    assert_eq!(site.refs(), refs, "a refused push moves nothing");
    let log = site.log();
    let [entry] = &log.all()[entries..] else { panic!("{:#?}", &log.all()[entries..]) };
    let no = entry["type"] == "refusal" || entry["verdict"] == "refuse";
    assert!(no, "{entry:#}");
    reply
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
        let (alice, tip) = topic(&site);
        let main = site.main();
        // The second line is a lie; then it is a landing that might be taken; then it ends oddly.
        let merge = alice.merge(&tip);
        for line in [
            format!("{main} {} refs/heads/main", unknown(&site)),
            format!("{main} {merge} refs/heads/main"),
            format!("{} {tip} refs/heads/more\r", site.zero()),
        ] {
            let name = format!("refs/heads/ok\n{line}");
            refuses(&site, site.request().command(&site.zero(), &main, name));
        }
        site.log_and_refs_agree();
    }
}

#[test]
fn a02_zero_to_zero_deletes_nothing() {
    for site in sites() {
        let zero = site.zero();
        for name in ["refs/heads/main", "refs/heads/not-there"] {
            refuses(&site, site.request().command(&zero, &zero, name));
        }
        site.log_and_refs_agree();
    }
}

#[test]
fn a03_a04_a05_an_old_value_that_is_not_true_is_refused() {
    for site in sites() {
        let (_, tip) = topic(&site);
        let main = site.main();
        let (zero, unknown) = (site.zero(), unknown(&site));
        for (old, new, name) in [
            (&unknown, &zero, "refs/heads/words"),
            (&zero, &main, "refs/heads/main"),
            (&zero, &tip, "refs/heads/main"),
            (&tip, &main, "refs/heads/main"),
            (&unknown, &main, "refs/heads/words"),
            (&main, &tip, "refs/heads/not-there"),
        ] {
            refuses(&site, site.request().command(old, new, name));
            // What is written down is where the ref was, not where it was said to be.
            let log = site.log();
            let told = &log.last("decision")["refs"][0]["old"];
            assert_eq!(*told, *site.value(name).as_ref().unwrap_or(&zero), "{old} {new} {name}");
        }
        site.log_and_refs_agree();
    }
}

#[test]
fn a06_an_object_that_nobody_has_is_refused() {
    for site in sites() {
        for (old, name) in [(site.zero(), "refs/heads/ghost"), (site.main(), "refs/heads/main")] {
            refuses(&site, site.request().command(&old, &unknown(&site), name));
        }
    }
}

#[test]
fn a08_a_ref_named_twice_is_refused() {
    for site in sites() {
        let (zero, main) = (site.zero(), site.main());
        for (one, other) in [
            ("refs/heads/d", "refs/heads/d"),
            ("refs/heads/d", "refs/heads/D"),
            ("refs/heads/caf\u{e9}", "refs/heads/cafe\u{301}"),
        ] {
            let twice = site.request().command(&zero, &main, one).command(&zero, &main, other);
            refuses(&site, twice);
        }
    }
}

#[test]
fn b07_bytes_that_are_no_text_make_a_name_and_are_shown_escaped() {
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
fn a14_a_push_option_is_a_claim_and_never_a_line() {
    let site = Site::gated();
    let (alice, _) = topic(&site);
    let tip = alice.topic("port", &[("infra/prod/network.tf", "port 8443\n")]);
    let merge = alice.merge(&tip);
    let claim = "reason=x\nGIT_PUSH_OPTION_9=approved-by=bob";
    let pushes = |old: &str, new: &str, name: &str| {
        let request =
            site.request().command(old, new, name).pack(pack_since(&alice, &merge, &[&tip]));
        request.option(claim).option(b"\x1b[31m\xff").option("portcullis.verdict=accept")
    };
    // A claim lands nothing that needs approval, and is no line of the log or the terminal.
    let reply = refuses(&site, pushes(&site.main(), &merge, "refs/heads/main"));
    assert!(reply.said.contains("0 of 1 approval"), "{}", reply.said);
    let reply = site.raw("alice", pushes(&site.zero(), &tip, "refs/heads/again"));
    assert!(reply.status.contains(&"ok refs/heads/again".to_owned()), "{reply:?}");
    assert!(!reply.said.contains('\x1b'), "{:?}", reply.said);
    let log = site.log();
    let options = log.last("decision")["opts"].as_array().unwrap();
    let texts = [&options[0], &options[1]["show"], &options[2]];
    assert_eq!(texts, [claim, r"\x1b[31m\xff", "portcullis.verdict=accept"]);
    // Longer or more than is read.
    let long = "x".repeat(5_000);
    refuses(&site, site.request().command(&site.zero(), &tip, "refs/heads/long").option(long));
    let mut many = site.request().command(&site.zero(), &tip, "refs/heads/many");
    for number in 0..100 {
        many = many.option(format!("o{number}"));
    }
    refuses(&site, many);
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
fn a13_odd_input_to_pre_receive_is_refused_with_a_sentence() {
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
fn a16_odd_arguments_to_update_are_refused() {
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
fn a13_very_many_refs_are_refused_soon() {
    let site = Site::gated();
    let (zero, main) = (site.zero(), site.main());
    let mut request = site.request();
    for number in 0..20_000 {
        request = request.command(&zero, &main, format!("refs/heads/many/{number}"));
    }
    refuses(&site, request);
    assert_eq!(site.refs().len(), 1);
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
