//! Approvals that are signed annotated tags: nothing but `git tag -s` and a push.

use crate::support::person::{Person, public_key};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::{Draft, Statement};

/// A tag whose message is the draft's lines, made by Git with the draft's key.
fn tag(person: &Person, draft: &Draft, kind: &str, name: &str, object: &str) -> Statement {
    let file = person.home().join("message");
    std::fs::write(&file, draft.text()).unwrap();
    let key = format!("user.signingKey={}", draft.key.display());
    let (key, file) = (key.as_str(), file.to_str().unwrap());
    person.run(&["-c", key, "tag", "--force", kind, "-F", file, name, object]);
    Statement { blob: person.oid(&format!("refs/tags/{name}")), place: draft.place() }
}

fn signed(person: &Person, draft: &Draft) -> Statement {
    let name = format!("{}-{}", draft.verdict, draft.commit);
    tag(person, draft, "-s", &name, &draft.commit)
}

/// It must be turned away at the door: nothing stands in its place afterwards.
#[track_caller]
fn not_taken(site: &Site, person: &Person, statement: &Statement) -> Pushed {
    let push = statement.push(person);
    push.refused_by("statement");
    assert_eq!(site.value(&statement.place), None);
    push
}

#[test]
fn a_signed_tag_is_an_approval_and_is_used_once() {
    for format in ["sha1", "sha256"] {
        let site = Plan::new(policy::gated(1)).format(format).build();
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
        bob.fetch();
        let approval = signed(&bob, &site.draft(&bob, &tip));
        approval.push(&bob).accepted();
        // Git itself says the same of what lies there.
        assert_eq!(site.git(&["cat-file", "-t", &approval.place]), "tag");
        alice.land(&tip).accepted();
        let log = site.log();
        let decision = log.last("decision");
        assert_eq!(decision["refs"][0]["uses"].as_array().unwrap().len(), 1);
        assert_eq!(site.value(&approval.place), None, "what was used leaves the refs");
        approval.push(&bob).refused_by("statement").tells("never counts again");
        site.log_and_refs_agree();
    }
}

#[test]
fn f07_a_tag_by_a_maker_does_not_count_and_a_revoked_one_no_more() {
    let (site, alice, bob, tip) = Site::topic();
    bob.fetch();
    signed(&alice, &site.draft(&alice, &tip)).push(&alice).accepted();
    site.does_not_land(&alice, &tip).says("makers do not count");
    site.approve(&bob, &tip).accepted();
    // A tag replaces a file, and the other way round, by its date.
    signed(&bob, &site.draft(&bob, &tip).verdict("revoke").later(1)).push(&bob).accepted();
    site.does_not_land(&alice, &tip).says("revoked");
    signed(&bob, &site.draft(&bob, &tip).verdict("reject").later(2)).push(&bob).accepted();
    site.does_not_land(&alice, &tip).says("bob rejected infra/prod/network.tf");
    site.draft(&bob, &tip).later(3).push(&bob).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn what_is_not_to_the_letter_such_a_tag_does_not_enter() {
    let (site, alice, bob, tip) = Site::topic();
    bob.fetch();
    let draft = site.draft(&bob, &tip);
    let name = format!("approve-{tip}");
    let refused = |statement: &Statement, why: &str| {
        not_taken(&site, &bob, statement).tells(why);
    };
    refused(&tag(&bob, &draft, "-a", &name, &tip), "no SSH or OpenPGP signature");
    refused(&tag(&bob, &draft, "-s", "v1.0", &tip), "the tag is called \"v1.0\"");
    refused(&tag(&bob, &draft, "-s", &format!("reject-{tip}"), &tip), "has to be called");
    refused(&tag(&bob, &draft, "-s", &name, &format!("{tip}^")), "is not the commit");
    refused(&tag(&bob, &draft, "-s", &name, &format!("{tip}^{{tree}}")), "\"tree\", commit was");
    let mut check = draft.clone().check("plan", "approve");
    check.person = "bob".to_owned();
    check.verdict = "pass".to_owned();
    let in_tag = Statement { place: draft.place(), ..tag(&bob, &check, "-s", &name, &tip) };
    refused(&in_tag, "only an approval may be a tag");
    let mut by_carol = draft.clone();
    by_carol.key = crate::support::statement::key_file(&bob, "carol");
    refused(&signed(&bob, &by_carol), "which is no key of bob");
    // Its own bytes, changed after it was signed, or in a file.
    let good = signed(&bob, &draft);
    let text = bob.run(&["cat-file", "tag", &good.blob]) + "\n";
    let blob = Statement { blob: bob.object("blob", text.as_bytes()), ..good.clone() };
    refused(&blob, "not with \"approval v1\"");
    let longer = text.replace("tagger ", "tagger Mallory and ");
    let longer = Statement { blob: bob.object("tag", longer.as_bytes()), ..good.clone() };
    refused(&longer, "not over these bytes");
    let more = text.replace("verdict approve\n", "verdict approve\nand more\n");
    let more = Statement { blob: bob.object("tag", more.as_bytes()), ..good.clone() };
    refused(&more, "no SSH or OpenPGP signature, or more");
    let elsewhere = Statement { place: draft.place().replace("/bob", "/carol"), ..good };
    refused(&elsewhere, "belongs at another place");
    site.does_not_land(&alice, &tip).says("0 of 1 approval");
}

#[test]
fn a_key_that_may_not_approve_does_not_by_a_tag() {
    let people = policy::gated(1);
    let with = people.replace("[identity]\n", "[identity]\nallowed-signers = \"keys/signers\"\n");
    let mut without = String::new();
    let mut in_bob = false;
    for line in with.lines() {
        in_bob = if line.starts_with('[') { line == "[people.bob]" } else { in_bob };
        if !(in_bob && line.starts_with("keys")) {
            without.push_str(line);
            without.push('\n');
        }
    }
    let signers = format!("bob namespaces=\"git\" {}\n", public_key("bob"));
    let site = Plan::new(without).beside("keys/signers", &signers).build();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    bob.fetch();
    let push = not_taken(&site, &bob, &signed(&bob, &site.draft(&bob, &tip)));
    push.tells("that is not for signatures of this kind");
}
