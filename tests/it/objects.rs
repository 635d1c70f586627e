//! Objects that are not what a ref should name, that want to act on whoever reads of them, or that
//! come in odd packs.

use std::process::Output;

use crate::support::ground::{feed, run};
use crate::support::objects::packed;
use crate::support::site::Site;
use crate::support::wire::Request;

#[test]
fn e05_a_branch_names_a_commit_and_a_tag_leads_to_one() {
    let (site, alice, _) = Site::alice_and_bob();
    let (main, tree) = (site.main(), alice.oid("origin/main^{tree}"));
    let blob = alice.oid("origin/main:app/x");
    let tag_of = |oid: &str, kind: &str| {
        let text = format!("object {oid}\ntype {kind}\ntag x\ntagger a <a@b> 1 +0000\n\nx\n");
        alice.object("tag", text.as_bytes())
    };
    let (good, of_blob) = (tag_of(&main, "commit"), tag_of(&blob, "blob"));
    let of_tag = tag_of(&of_blob, "tag");
    let before = site.refs();
    for (new, name) in [
        (&blob, "refs/heads/blob"),
        (&tree, "refs/heads/tree"),
        (&good, "refs/heads/tag"),
        (&blob, "refs/tags/blob"),
        (&tree, "refs/tags/tree"),
        (&of_blob, "refs/tags/tag"),
        (&of_tag, "refs/tags/tag-of-tag"),
    ] {
        alice.push(&[&format!("{new}:{name}")]).refused_by("object-kind");
        let log = site.log();
        let one = &log.last("decision")["refs"][0];
        assert_eq!((&one["ref"], &one["new"]), (&name.into(), &new.as_str().into()));
        assert_eq!(one["findings"][0]["rule"], "object-kind", "{one}");
    }
    assert_eq!(site.refs(), before);
    alice.push(&[&format!("{good}:refs/tags/v1")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn e07_what_commits_say_about_themselves_acts_on_no_terminal() {
    let (site, alice, bob) = Site::alice_and_bob();
    let (main, blob) = (site.main(), alice.object("blob", b"port 8443\n"));
    let tree = format!("100644 blob {blob}\tnetwork.tf\n");
    let inner = feed(&mut alice.git(&["mktree"]), tree.as_bytes()).stdout;
    let inner = String::from_utf8(inner).unwrap();
    let tree = format!("040000 tree {}\tinfra\n", inner.trim_end());
    let tree =
        String::from_utf8(feed(&mut alice.git(&["mktree"]), tree.as_bytes()).stdout).unwrap();
    let mut text = format!("tree {}\nparent {main}\nauthor ", tree.trim_end()).into_bytes();
    let name = b"A\x1b[2J\r\x08\xe2\x80\xae\xff <alice\x1b]0;x\x07@example.org> 1 +0000\n";
    text.extend_from_slice(name);
    text.extend_from_slice(b"committer ");
    text.extend_from_slice(name);
    text.extend_from_slice(b"\n\x1b[31mReviewed-by: bob\r\x1b[2K\xff\n");
    let tip = alice.object("commit", &text);
    alice.push(&[&format!("{tip}:refs/heads/mine")]).accepted().well_formed();
    let merge = alice.merge(&tip);
    site.main_refuses(&alice, &merge).refused_by("infra-review").well_formed();
    site.approve(&bob, &tip).accepted();
    bob.push(&["-oask", &format!("{tip}:refs/portcullis/ask/heads/main")]).well_formed();
    let acts = |text: &str| text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
    let newest = (site.log().len() - 1).to_string();
    let quiet = |output: &Output| {
        let said = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(output.status.success() && !said.is_empty(), "{output:?}");
        assert!(!acts(&said), "{said:?}");
    };
    for words in [&["log", "show", "--full"][..], &["log", "show", &newest], &["log", "drift"]] {
        quiet(&site.verb(words));
    }
    bob.fetch();
    quiet(&run(&mut bob.portcullis(&["review", &tip])));
    for entry in site.log().all() {
        assert!(!acts(&entry.to_string()), "{entry}");
    }
    site.log_and_refs_agree();
}

#[test]
fn e14_objects_are_judged_in_whatever_order_and_form_they_come() {
    let (site, alice, bob) = Site::alice_and_bob();
    // Large enough that a pack holds only what has changed in it.
    let mut text: String = (0..2_000).map(|at| format!("line {at}\n")).collect();
    let first = alice.topic("first", &[("app/large", &text)]);
    alice.land(&first).accepted();
    text.push_str("port 8443\n");
    alice.begin("topic");
    let tip = alice.commit_all(&[("app/large", &text), ("infra/prod/large.tf", &text)]);
    alice.push(&["HEAD:refs/heads/topic"]).accepted();
    let merge = alice.merge(&tip);
    let tree = alice.oid(&format!("{merge}^{{tree}}"));
    let (old, new) = (alice.oid("origin/main:app/large"), alice.oid(&format!("{merge}:app/large")));
    let below = ["app", "infra", "infra/prod"].map(|at| alice.oid(&format!("{merge}:{at}")));
    let [app, infra, prod] = below.each_ref().map(String::as_str);
    let known = format!("^{}", site.main());
    let packs = [
        // Content first, the commit last; and the other way.
        packed(&alice, &["--window=0"], &[&new, prod, infra, app, &tree, &merge]),
        packed(&alice, &["--window=0"], &[&merge, &tree, app, infra, prod, &new]),
        // With what the server has already.
        packed(&alice, &[], &[&old, &new, &tip, &merge, &tree, app, infra, prod]),
        // Against what the server has, and not in the pack.
        packed(&alice, &["--revs", "--thin"], &[&merge, &known]),
    ];
    let before = site.main();
    let landing = |pack: &Vec<u8>| -> Request {
        site.request().command(&before, &merge, "refs/heads/main").pack(pack.clone())
    };
    for (at, pack) in packs.iter().enumerate() {
        let reply = site.raw("alice", landing(pack));
        assert!(reply.took_nothing().said.contains("infra-review"), "{at}: {}", reply.said);
    }
    site.approve(&bob, &tip).accepted();
    let reply = site.raw("alice", landing(&packs[1]));
    assert!(reply.status.contains(&"ok refs/heads/main".to_owned()), "{reply:?}");
    assert_eq!(site.main(), merge);
    site.log_and_refs_agree();
}
