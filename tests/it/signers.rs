//! Keys from `allowed_signers` files: who they are, what they may sign, and until when.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::ground::text;
use crate::support::person::{Person, public_key};
use crate::support::policy;
use crate::support::site::{Plan, Site};
use crate::support::statement::{Draft, key_file};

/// The gated policy, with everybody's keys in the file `signers` beside it and in no table, and
/// commits and approvals asked for.
fn site(signers: &str) -> Site {
    let whole = policy::gated(1)
        .replace("[identity]\n", "[identity]\nallowed-signers = \"keys/signers\"\n");
    let without: String = whole
        .lines()
        .filter(|line| !line.starts_with("keys = "))
        .map(|line| format!("{line}\n"))
        .collect();
    let rule = "[rule.signed]\nkind = \"signature\"\nrefs = [\"signed/**\"]\n\
                starts = [\"@default\", \"signed/**\"]\n";
    // The folder is there before `install` looks.
    let plan = Plan::new(without + rule);
    plan.beside("keys/signers", &filled(signers)).build()
}

/// Public keys in place of `{name}`.
fn filled(signers: &str) -> String {
    ["alice", "alice-second", "bob", "carol", "dave", "erin", "mallory"]
        .iter()
        .fold(signers.to_owned(), |text, name| {
            text.replace(&format!("{{{name}}}"), &public_key(name))
        })
}

const ALL: &str = "alice@example.org {alice}\nbob {bob}\ncarol@home.example {carol}\nerin {erin}\n";

fn signs(person: &Person, path: &str) -> String {
    person.begin("work");
    person.commit(path, "new\n");
    person.run(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
    person.oid("HEAD")
}

#[test]
fn keys_may_stand_in_a_file_beside_the_policy() {
    let site = site(ALL);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    signs(&alice, "a");
    alice.push(&["HEAD:refs/heads/signed/a"]).accepted();
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    // The file is a part of the policy: its text is in the log, and another text is another policy.
    let files = |site: &Site| site.log().last("policy")["files"].clone();
    assert_eq!(files(&site).as_array().unwrap().len(), 2);
    let recorded = site.log().count("policy");
    let file = site.ground().at("keys/signers");
    fs::write(&file, filled(&ALL.replace("alice@example.org {alice}", "alice {alice-second}")))
        .unwrap();
    signs(&alice, "b");
    alice.push(&["HEAD:refs/heads/signed/b"]).refused_by("signed").says("which is nobody's key");
    assert_eq!(site.log().count("policy"), recorded + 1);
    site.log_and_refs_agree();
}

#[test]
fn f11_what_a_line_says_beside_its_key_is_honoured() {
    let site = site(
        "alice namespaces=\"git\" {alice}\nbob namespaces=\"approval@*\" {bob}\n\
         carol valid-before=\"20200101Z\" {carol}\nerin valid-after=\"20990101Z\" {erin}\n",
    );
    let people = ["alice", "bob", "carol", "erin"].map(|name| site.person(name));
    let [alice, bob, carol, erin] = &people;
    signs(alice, "a");
    alice.push(&["HEAD:refs/heads/signed/a"]).accepted();
    for (person, why) in [
        (bob, "that is not for signatures of this kind"),
        (carol, "that counted until 2020-01-01T00:00:00Z"),
        (erin, "that counts from 2099-01-01T00:00:00Z"),
    ] {
        signs(person, person.name());
        let target = format!("HEAD:refs/heads/signed/{}", person.name());
        person.push(&[&target]).refused_by("signed").says("is signed by a key of").says(&why[..16]);
    }
    let tip = bob.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    for (person, why) in [
        (alice, "is not for signatures of this kind"),
        (carol, "counted until 2020-01-01T00:00:00Z"),
        (erin, "counts from 2099-01-01T00:00:00Z"),
    ] {
        let push = site.approve(person, &tip);
        push.refused().says("is signed by a key that").says(&why[..11]);
    }
    let tip = alice.topic("close-port", &[("infra/prod/network.tf", "port 80\n")]);
    site.approve(bob, &tip).accepted();
    alice.land(&tip).accepted();
}

#[test]
fn f12_an_approval_counts_no_longer_than_its_key() {
    let site = site(ALL);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let file = site.ground().at("keys/signers");
    let ended = ALL.replace("bob {bob}", "bob valid-before=\"20200101Z\" {bob}");
    fs::write(&file, filled(&ended)).unwrap();
    let push = alice.land(&tip);
    push.refused_by("infra-review").says("bob has a statement signed by a key that counted until");
    fs::write(&file, filled(ALL)).unwrap();
    alice.land(&tip).accepted();
}

#[test]
fn a_file_of_keys_that_cannot_be_trusted_or_read_refuses_every_push() {
    let site = site(ALL);
    let alice = site.person("alice");
    alice.begin("work");
    alice.commit("app/a", "new\n");
    let file = site.ground().at("keys/signers");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let refused = || alice.push(&["HEAD:refs/heads/work"]);
    refused().refused().says("the policy on this server is not safe to use");
    let doctor = String::from_utf8(site.verb(&["doctor", "--json"]).stdout).unwrap();
    assert!(doctor.contains("the file of keys"), "{doctor}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let text = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    refused().refused().says("the policy on this server cannot be read");
    fs::write(&file, b"\xff\xfe").unwrap();
    refused().refused().says("the policy on this server has problems");
    fs::write(&file, text).unwrap();
    refused().accepted();
    let lint = site.portcullis(&["lint", site.policy_file().to_str().unwrap()]);
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stderr));
}

/// A certificate for a key of the tests, made by another of them; the file to sign with.
fn certified(person: &Person, key: &str, by: &str, more: &[&str]) -> PathBuf {
    let (key, by) = (key_file(person, key), key_file(person, by));
    let public = text(person.command("ssh-keygen").arg("-y").arg("-f").arg(&key));
    fs::write(key.with_extension("pub"), public).unwrap();
    let mut vouch = person.command("ssh-keygen");
    vouch.args(["-q", "-I", "badge 7", "-s"]).arg(by).args(more).arg(key.with_extension("pub"));
    text(&mut vouch);
    let name = key.file_name().unwrap().to_str().unwrap().to_owned();
    key.with_file_name(format!("{name}-cert.pub"))
}

#[test]
fn an_authority_vouches_for_whom_its_certificates_name() {
    // Nobody has a key but Alice; mallory is the authority, for everybody at example.org.
    let site = site("alice {alice}\n*@example.org cert-authority {mallory}\n");
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    bob.fetch();
    let mut draft = site.draft(&bob, &tip);
    let refused = |draft: &Draft, why: &str| {
        draft.push(&bob).refused_by("statement").tells(why);
    };
    draft.key = certified(&bob, "erin", "dave", &["-n", "bob@example.org"]);
    refused(&draft, "the certificate \"badge 7\" is of no authority in the policy");
    draft.key = certified(&bob, "erin", "mallory", &["-n", "bob"]);
    refused(&draft, "names nobody for whom its authority may speak");
    draft.key = certified(&bob, "erin", "mallory", &["-n", "bob@example.org,carol@example.org"]);
    refused(&draft, "names several people");
    draft.key = certified(&bob, "erin", "mallory", &["-n", "carol@example.org"]);
    refused(&draft, "which is no key of bob");
    let over = ["-n", "bob@example.org", "-V", "20200101:20200102"];
    draft.key = certified(&bob, "erin", "mallory", &over);
    refused(&draft, "is signed by a key that was certified until 2020-01-0");
    let condition = ["-n", "bob@example.org", "-O", "force-command=true"];
    draft.key = certified(&bob, "erin", "mallory", &condition);
    refused(&draft, "certified under the condition \"force-command\"");
    draft.key = key_file(&bob, "erin");
    refused(&draft, "which is no key of bob");
    draft.key = certified(&bob, "erin", "mallory", &["-n", "bob@example.org"]);
    draft.push(&bob).accepted();
    alice.land(&tip).accepted();
    // A commit counts the same way, and its signer is a maker.
    let key = format!("user.signingKey={}", draft.key.display());
    bob.begin("work");
    bob.commit("infra/prod/b.tf", "new\n");
    bob.run(&["-c", &key, "commit", "--quiet", "--amend", "--no-edit", "-S"]);
    bob.push(&["HEAD:refs/heads/signed/b"]).accepted();
    site.log_and_refs_agree();
}
