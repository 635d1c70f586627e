//! Signed commits and tags: what counts, what never does, and what the pusher reads.

use crate::support::ground::text;
use crate::support::person::{Person, put_key};
use crate::support::policy;
use crate::support::site::{Plan, Site};

/// The people of the tests, and signatures asked for on these refs with these keys more.
fn signed(refs: &str, more: &str) -> String {
    format!(
        "{}\n[rule.signed-commits]\nkind = \"signature\"\nrefs = [{refs}]\n{more}\n",
        policy::people()
    )
}

/// One more commit, signed with the person's own key.
fn signs(person: &Person, path: &str) -> String {
    commit(person, path, &["-c", "commit.gpgSign=true"])
}

/// One more commit, made with these settings.
fn commit(person: &Person, path: &str, settings: &[&str]) -> String {
    person.commit(path, "new\n");
    let amend = ["commit", "--quiet", "--amend", "--no-edit"];
    person.run(&[settings, &amend].concat());
    person.oid("HEAD")
}

fn short(oid: &str) -> &str {
    &oid[..7]
}

#[test]
fn unsigned_commits_are_refused_and_the_hint_signs_them() {
    for format in ["sha1", "sha256"] {
        let site = Plan::new(signed("\"@default\"", "")).format(format).build();
        let alice = site.person("alice");
        let base = site.main();
        alice.begin("work");
        signs(&alice, "a");
        let unsigned = alice.commit("b", "new\n");
        signs(&alice, "c");
        put_key(&alice.home().join("other"), "mallory");
        let key = format!("user.signingKey={}", alice.home().join("other").display());
        let stranger = commit(&alice, "d", &["-c", "commit.gpgSign=true", "-c", &key]);
        signs(&alice, "e");
        let push = site.main_refuses(&alice, "HEAD");
        push.refused_by("signed-commits")
            .says("  2 of 5 commits carry no signature that the roster knows")
            .says(&format!("  {} is not signed", short(&unsigned)))
            .says(&format!("  {} is signed by SHA256:", short(&stranger)))
            .says("which is nobody's key")
            .says("hint: to enrol a new key read: portcullis explain roster");
        let said = push.said();
        let command = said.lines().find(|line| line.contains("git rebase --exec")).unwrap();
        let hinted =
            format!("git rebase --exec 'git commit --amend --no-edit -S' {}", short(&base));
        assert_eq!(command.trim(), hinted);
        let mut shell = alice.command("sh");
        text(shell.current_dir(alice.clone_path()).args(["-c", command.trim()]));
        alice.push(&["HEAD:refs/heads/main"]).accepted();
        site.log_and_refs_agree();
    }
}

#[test]
fn one_unsigned_commit_at_the_end_is_amended() {
    let site = Site::new(signed("\"@default\"", ""));
    let alice = site.person("alice");
    alice.begin("work");
    signs(&alice, "a");
    alice.commit("b", "new\n");
    let push = site.main_refuses(&alice, "HEAD");
    push.says("  1 of 2 commits carries no signature that the roster knows");
    push.says("hint: sign it and push again: git commit --amend --no-edit -S");
    alice.run(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
    alice.push(&["HEAD:refs/heads/main"]).accepted();
}

#[test]
fn a_merge_and_what_it_brings_are_signed_too() {
    let site = Site::new(signed("\"@default\"", ""));
    let alice = site.person("alice");
    alice.begin("topic");
    let inner = alice.commit("a", "new\n");
    alice.push(&["HEAD:refs/heads/topic"]).accepted();
    let merge = alice.merge(&inner);
    let push = site.main_refuses(&alice, &merge);
    push.says("2 of 2 commits carry no signature").says("git rebase -r --exec");
    alice.run(&["-c", "commit.gpgSign=true", "commit", "--quiet", "--amend", "--no-edit"]);
    let push = site.main_refuses(&alice, "HEAD");
    push.says("1 of 2 commits carries").says(&format!("{} is not signed", short(&inner)));
}

#[test]
fn f16_by_committer_and_from_say_whose_signature_counts() {
    let site = Site::new(signed("\"@default\"", "from = [\"@sre\"]\nby = \"committer\""));
    let (alice, carol) = (site.person("alice"), site.person("carol"));
    carol.begin("work");
    signs(&carol, "a");
    site.main_refuses(&carol, "HEAD")
        .refused_by("signed-commits")
        .says("the commit carries no signature by the committer that counts here")
        .says("is signed by carol, whose signature does not count")
        .says("signatures count from @sre");
    alice.begin("work");
    alice.commit("b", "new\n");
    put_key(&alice.home().join("bobs"), "bob");
    let key = format!("user.signingKey={}", alice.home().join("bobs").display());
    alice.run(&["-c", &key, "commit", "--quiet", "--amend", "--no-edit", "-S"]);
    site.main_refuses(&alice, "HEAD")
        .says("is signed by bob and committed as \"alice@example.org\", which");
    alice.run(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
    alice.push(&["HEAD:refs/heads/main"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn what_stood_there_before_is_not_asked_again() {
    let site = Site::new(signed("\"**\"", ""));
    let alice = site.person("alice");
    // The history of `main` is older than the rule, and unsigned.
    alice.begin("topic");
    alice.push(&["HEAD:refs/heads/same"]).accepted();
    signs(&alice, "a");
    alice.push(&["HEAD:refs/heads/topic"]).accepted();
    alice.push(&["HEAD:refs/heads/main"]).accepted();
    alice.commit("b", "new\n");
    alice.push(&["HEAD:refs/heads/other"]).refused_by("signed-commits").says("the commit carries");
    alice.run(&["checkout", "--quiet", "--orphan", "fresh"]);
    alice.run(&["commit", "--quiet", "-m", "root"]);
    alice.push(&["HEAD:refs/heads/fresh"]).refused_by("signed-commits");
    alice.run(&["commit", "--quiet", "--amend", "--no-edit", "-S"]);
    alice.push(&["HEAD:refs/heads/fresh"]).accepted();
    alice.push(&[":refs/heads/fresh"]).refused_by("protected").not_by("signed-commits");
    site.log_and_refs_agree();
}

#[test]
fn a_tag_is_signed_itself_under_its_own_name() {
    for format in ["sha1", "sha256"] {
        let site = Plan::new(signed("\"refs/tags/**\"", "")).format(format).build();
        let alice = site.person("alice");
        let main = site.main();
        let tag = |name: &str| alice.push(&[&format!("refs/tags/{name}")]);
        alice.run(&["tag", "bare", &main]);
        tag("bare")
            .refused_by("signed-commits")
            .says("this tag is a bare name, which nobody can sign")
            .says(&format!("git tag -s -f bare {}", short(&main)));
        alice.run(&["tag", "-a", "-m", "one", "unsigned", &main]);
        tag("unsigned").says("the tag carries no signature that the roster knows");
        alice.run(&["tag", "-s", "-m", "one", "v1", &main]);
        tag("v1").accepted();
        // Somebody's word about v1 is none about v9.
        alice
            .push(&["refs/tags/v1:refs/tags/v9"])
            .refused_by("signed-commits")
            .says("the tag was made, and signed, under the name \"v1\"");
        alice.run(&["tag", "-s", "-m", "two", "v2", "unsigned"]);
        tag("v2").says("1 of 2 tags, one in front of another, carries no signature");
        alice.run(&["tag", "-s", "-m", "three", "v3", "v1"]);
        tag("v3").accepted();
        site.log_and_refs_agree();
    }
}

#[test]
fn what_is_immutable_may_have_to_be_signed() {
    let rule = "[rule.tags-stay]\nkind = \"immutable\"\nrefs = [\"kept*\", \"refs/tags/**\"]\nsigned = true\n";
    let site = Site::new(format!("{}\n{rule}", policy::people()));
    let alice = site.person("alice");
    alice.run(&["tag", "v1", "HEAD"]);
    alice.push(&["refs/tags/v1"]).refused_by("tags-stay").says("git tag -s -f v1 ");
    alice.run(&["tag", "-a", "-f", "-m", "x", "v1", "HEAD"]);
    alice.push(&["refs/tags/v1"]).refused_by("tags-stay").says("the tag carries no signature");
    alice.run(&["tag", "-s", "-f", "-m", "x", "v1", "HEAD"]);
    alice.push(&["refs/tags/v1"]).accepted();
    alice.run(&["tag", "-s", "-f", "-m", "y", "v1", "HEAD"]);
    alice.push(&["--force", "refs/tags/v1"]).refused_by("tags-stay").says("never moved");
    // A branch is kept as it is, and need not be signed.
    alice.push(&["HEAD:refs/heads/kept"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn f12_other_kinds_of_signatures_are_named_and_never_count() {
    let site = Site::new(signed("\"@default\", \"refs/tags/**\"", ""));
    let alice = site.person("alice");
    alice.begin("work");
    let good = signs(&alice, "a");
    let raw = alice.run(&["cat-file", "commit", &good]) + "\n";
    let forge = |from: &str, to: &str| {
        assert!(raw.contains(from), "{raw}");
        alice.object("commit", raw.replace(from, to).as_bytes())
    };
    for (oid, words) in [
        (
            forge("SSH SIGNATURE", "PGP SIGNATURE"),
            "has a signature that is of OpenPGP, and the policy names no",
        ),
        (forge("SSH SIGNATURE", "SIGNED MESSAGE"), "is signed with X.509, which is not supported"),
        (forge("change a", "change b"), "has a signature that is not over these bytes"),
        (forge("SSH SIGNATURE", "NEW SIGNATURE"), "has a signature that is no SSH signature"),
    ] {
        site.main_refuses(&alice, &oid).refused_by("signed-commits").says(&words[..40]);
    }
    site.main_refuses(&alice, &forge("SSH SIGNATURE", "PGP SIGNATURE"))
        .says("hint: sign with an SSH key instead: git config gpg.format ssh");
    alice.push(&[&format!("{good}:refs/heads/main")]).accepted();
}

#[test]
fn a_signature_for_another_purpose_does_not_count() {
    let site = Site::new(signed("\"@default\"", ""));
    let alice = site.person("alice");
    alice.begin("work");
    let plain = alice.commit("a", "new\n");
    let payload = alice.run(&["cat-file", "commit", &plain]) + "\n";
    let file = alice.home().join("payload");
    std::fs::write(&file, &payload).unwrap();
    let mut sign = alice.command("ssh-keygen");
    text(
        sign.args(["-q", "-Y", "sign", "-n", "approval@portcullis", "-f"])
            .arg(alice.key())
            .arg(&file),
    );
    let armour = std::fs::read_to_string(file.with_extension("sig")).unwrap();
    let folded = armour.trim_end().replace('\n', "\n ");
    let (headers, message) = payload.split_once("\n\n").unwrap();
    let whole = format!("{headers}\ngpgsig {folded}\n\n{message}");
    let oid = alice.object("commit", whole.as_bytes());
    site.main_refuses(&alice, &oid)
        .says("has a signature that is made for another purpose")
        .says("\"approval@portcullis\"");
}

#[test]
fn a_question_does_not_ask_for_the_signature_of_a_merge_nobody_made() {
    let policy = signed("\"@default\"", "");
    let site = Site::new(policy);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    bob.begin("elsewhere");
    signs(&bob, "z");
    alice.begin("topic");
    signs(&alice, "a");
    alice.push(&["HEAD:refs/heads/topic"]).accepted();
    bob.push(&["HEAD:refs/heads/main"]).accepted();
    let asked = alice.push(&["-oask", "HEAD:refs/portcullis/ask/heads/main"]);
    asked.says("rule `signed-commits` is satisfied: alice signed");
    alice.commit("b", "new\n");
    let asked = alice.push(&["-oask", "HEAD:refs/portcullis/ask/heads/main"]);
    asked
        .says("rule `signed-commits` is not satisfied")
        .says("1 of 2 commits carries no signature");
}

#[test]
fn history_is_replayed_under_the_rule() {
    let site = Site::new(signed("\"@default\"", ""));
    let alice = site.person("alice");
    alice.begin("work");
    signs(&alice, "a");
    alice.push(&["HEAD:refs/heads/main"]).accepted();
    let replay = site.verb(&["replay", "--json"]);
    let told = String::from_utf8(replay.stdout).unwrap();
    assert!(told.contains("signed-commits"), "{told}");
}
