//! Which statements count, which do not, and what is said about each.

use crate::support::ground::{run, text};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::Site;
use crate::support::statement::{Draft, Statement, key_file, moment};

const NETWORK: &str = "infra/prod/network.tf";

/// What stands there before anybody pushes.
const FIRST: &str = "port 443\n";

/// The statement must be turned away at the door: nothing stands in its place afterwards.
#[track_caller]
fn not_taken(site: &Site, person: &Person, draft: &Draft) -> Pushed {
    let statement = draft.sign(person);
    let before = site.value(&statement.place);
    let push = statement.push(person);
    push.refused();
    assert_eq!(site.value(&statement.place), before);
    push
}

#[test]
fn f07_nobody_reviews_what_they_made() {
    let (site, alice, _, tip) = Site::topic();
    // Alice is in the group; her statement is well formed, and may lie there, but does not count.
    site.approve(&alice, &tip);
    site.does_not_land(&alice, &tip).says("alice").says("0 of 1 approval");
}

#[test]
fn f07_a_second_key_or_address_makes_no_second_person() {
    let site = Site::new(policy::gated(2));
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = bob.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&alice, &tip).accepted();
    let mut second = site.draft(&alice, &tip).later(1);
    second.key = key_file(&alice, "alice-second");
    second.push(&alice).accepted();
    site.does_not_land(&bob, &tip).says("1 of 2 approvals");
}

#[test]
fn f07_an_author_under_a_second_address_is_still_the_author() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    // Alice commits under her other address; Carol, whom nobody asks, pushes it.
    let carol = site.person("carol");
    carol.begin("disguise");
    carol.commit(NETWORK, "port 8443\n");
    let mut amend = carol.git(&["commit", "--amend", "--quiet", "--no-edit", "--reset-author"]);
    amend.env("GIT_AUTHOR_NAME", "Al").env("GIT_AUTHOR_EMAIL", "Alice@Home.Example");
    assert!(run(&mut amend).status.success());
    carol.push(&["HEAD:refs/heads/disguise"]).accepted();
    let tip = carol.oid("HEAD");
    alice.fetch();
    site.approve(&alice, &tip).accepted();
    site.does_not_land(&bob, &tip).says("alice");
}

#[test]
fn f16_who_is_outside_the_group_does_not_count() {
    let (site, alice, _, tip) = Site::topic();
    let dave = site.person("dave");
    site.approve(&dave, &tip);
    site.does_not_land(&alice, &tip).says("0 of 1 approval");
}

#[test]
fn an_ecdsa_key_signs_as_well() {
    let (site, alice, _, tip) = Site::topic();
    let erin = site.person("erin");
    site.approve(&erin, &tip).accepted();
    alice.land(&tip).accepted();
}

#[test]
fn a_key_that_nobody_has_signs_nothing() {
    let (site, alice, bob, tip) = Site::topic();
    let mut draft = site.draft(&bob, &tip);
    draft.key = key_file(&bob, "mallory");
    not_taken(&site, &bob, &draft).says_one_of(&["key", "signed"]);
    draft.key = key_file(&bob, "carol");
    not_taken(&site, &bob, &draft);
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_signature_for_another_purpose_is_no_approval() {
    let (site, alice, bob, tip) = Site::topic();
    for namespace in ["git", "file", "check@portcullis", "approval@portcullis.example"] {
        let mut draft = site.draft(&bob, &tip);
        namespace.clone_into(&mut draft.namespace);
        not_taken(&site, &bob, &draft);
    }
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_machine_never_reviews() {
    let (site, alice, _, tip) = Site::topic();
    let bot = site.person("plan-bot");
    site.approve(&bot, &tip);
    site.does_not_land(&alice, &tip);
}

#[test]
fn f06_a_statement_for_another_repository_is_not_taken() {
    let (site, alice, bob, tip) = Site::topic();
    // A fork has the same name and another id.
    let id = site.id();
    let mut fork = id.clone();
    fork.replace_range(fork.len() - 8.., "00000000");
    assert_ne!(id, fork);
    for repository in [fork.as_str(), "infra", "elsewhere-12345678"] {
        let mut draft = site.draft(&bob, &tip);
        repository.clone_into(&mut draft.repository);
        not_taken(&site, &bob, &draft).says_one_of(&["repository"]);
    }
    site.does_not_land(&alice, &tip);
}

#[test]
fn c09_a_statement_for_another_ref_does_not_count_here() {
    let (site, alice, bob, tip) = Site::topic();
    let elsewhere = {
        let mut draft = site.draft(&bob, &tip);
        "refs/heads/sandbox".clone_into(&mut draft.reference);
        draft
    };
    elsewhere.push(&bob);
    site.does_not_land(&alice, &tip).says("0 of 1 approval");
    // Nor does it lie in the place that belongs to `main`.
    let main = site.draft(&bob, &tip);
    let lie = Statement { place: main.place(), ..elsewhere.later(2).sign(&bob) };
    lie.push(&bob).refused();
    site.does_not_land(&alice, &tip);
}

#[test]
fn f06_an_expired_statement_does_not_count() {
    let (site, alice, bob, tip) = Site::topic();
    let mut draft = site.draft(&bob, &tip);
    draft.expires = moment(-1);
    draft.push(&bob);
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_statement_from_before_genesis_or_from_the_future_does_not_count() {
    let (site, alice, bob, tip) = Site::topic();
    not_taken(&site, &bob, &site.draft(&bob, &tip).later(3_600));
    site.draft(&bob, &tip).later(-86_400).push(&bob);
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_digest_that_is_not_that_of_the_delta_is_not_taken() {
    let (site, alice, bob, tip) = Site::topic();
    let mut draft = site.draft(&bob, &tip);
    draft.delta = "ab".repeat(32);
    not_taken(&site, &bob, &draft).says_one_of(&["delta"]);
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_commit_that_nobody_has_is_not_approved() {
    let (site, alice, bob, tip) = Site::topic();
    bob.begin("private");
    bob.commit(NETWORK, "port 9\n");
    let private = bob.oid("HEAD");
    not_taken(&site, &bob, &site.draft(&bob, &private));
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_changed_byte_is_no_statement() {
    let (site, alice, bob, tip) = Site::topic();
    let draft = site.draft(&bob, &tip);
    let good = draft.signed(&bob);
    let changed: Vec<Vec<u8>> = vec![
        good.replace("verdict approve", "verdict  approve").into_bytes(),
        good.replace("approval v1", "approval v2").into_bytes(),
        good.replace('\n', "\r\n").into_bytes(),
        good.replacen("person bob\n", "person bob\nperson bob\n", 1).into_bytes(),
        good.replacen("verdict approve\n", "verdict approve\nnote hello\n", 1).into_bytes(),
        good.replacen("person bob", "person carol", 1).into_bytes(),
        good.split("-----BEGIN").next().unwrap().as_bytes().to_vec(),
        [good.as_bytes(), &[0xff, 0xfe][..]].concat(),
        vec![b'x'; 20_000],
        Vec::new(),
    ];
    for content in changed {
        let blob = bob.object("blob", &content);
        let push = bob.push(&[&format!("+{blob}:{}", draft.place())]);
        push.refused();
    }
    // Neither a commit nor a tree is a statement.
    for object in [tip.clone(), bob.oid(&format!("{tip}^{{tree}}"))] {
        bob.push(&[&format!("+{object}:{}", draft.place())]).refused();
    }
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_statement_lies_only_in_its_own_place() {
    let (site, alice, bob, tip) = Site::topic();
    let draft = site.draft(&bob, &tip);
    let blob = draft.sign(&bob).blob;
    let place = draft.place();
    let folder = place.rsplit_once('/').unwrap().0;
    for wrong in [
        format!("{folder}/carol"),
        format!("{folder}/bob/more"),
        folder.to_owned(),
        "refs/approvals/bob".to_owned(),
        format!("refs/approvals/{}/bob", "0".repeat(40)),
        format!("{folder}/BOB"),
        "refs/approvals".to_owned() + "/x",
        place.replacen("refs/approvals", "refs/checks", 1),
    ] {
        bob.push(&[&format!("{blob}:{wrong}")]).refused();
        assert_eq!(site.value(&wrong), None);
    }
    site.does_not_land(&alice, &tip);
}

#[test]
fn a_revoked_approval_does_not_count_and_does_not_come_back() {
    let (site, alice, bob, tip) = Site::topic();
    let draft = site.draft(&bob, &tip);
    let content = draft.signed(&bob);
    let first = Statement { blob: bob.object("blob", content.as_bytes()), place: draft.place() };
    assert_eq!(alice.object("blob", content.as_bytes()), first.blob);
    first.push(&bob).accepted();
    site.draft(&bob, &tip).later(1).verdict("revoke").push(&bob).accepted();
    site.does_not_land(&alice, &tip).says("bob");
    // The old one once more, over its revocation: anybody could have kept it.
    first.push(&alice).refused();
    first.push(&bob).refused();
    site.does_not_land(&alice, &tip);
    // A new and later word of Bob's is what counts.
    site.draft(&bob, &tip).later(2).push(&bob).accepted();
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_reject_blocks_the_change_whoever_else_approves() {
    let (site, alice, bob, tip) = Site::topic();
    let carol = site.person("carol");
    carol.fetch();
    site.draft(&carol, &tip).verdict("reject").push(&carol).accepted();
    site.approve(&bob, &tip).accepted();
    site.does_not_land(&alice, &tip).says("carol").says_one_of(&["reject"]);
    site.draft(&carol, &tip).later(1).verdict("approve").push(&carol).accepted();
    alice.land(&tip).accepted();
}

#[test]
fn a_used_statement_is_used_however_its_armour_is_wrapped() {
    let (site, alice, bob, tip) = Site::topic();
    let draft = site.draft(&bob, &tip);
    let whole = draft.signed(&bob);
    let blob = bob.object("blob", whole.as_bytes());
    bob.push(&[&format!("{blob}:{}", draft.place())]).accepted();
    alice.land(&tip).accepted();
    let back = alice.topic("close-port", &[(NETWORK, FIRST)]);
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let again = alice.topic("open-again", &[(NETWORK, "port 8443\n")]);
    // The same statement, and the same with its signature wrapped at another column.
    let (signed, armour) = whole.split_once("-----BEGIN SSH SIGNATURE-----\n").unwrap();
    let body: String = armour.lines().take_while(|line| !line.starts_with('-')).collect();
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|chunk| std::str::from_utf8(chunk).unwrap()).collect();
    let rewrapped = format!(
        "{signed}-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        lines.join("\n")
    );
    for content in [&whole, &rewrapped] {
        let blob = bob.object("blob", content.as_bytes());
        bob.push(&[&format!("+{blob}:{}", draft.place())]);
        site.does_not_land(&alice, &again);
    }
}

#[test]
fn nobody_deletes_a_statement() {
    let (site, alice, bob, tip) = Site::topic();
    let statement = site.draft(&bob, &tip).sign(&bob);
    statement.push(&bob).accepted();
    for person in [&alice, &bob] {
        person.push(&[&format!(":{}", statement.place)]).refused();
    }
    assert_eq!(site.value(&statement.place), Some(statement.blob));
}

#[test]
fn anybody_may_bring_a_statement_that_somebody_signed() {
    let (site, alice, bob, tip) = Site::topic();
    let statement = site.draft(&bob, &tip).sign(&bob);
    // It went by mail: Alice has only the text.
    let content = text(&mut bob.git(&["cat-file", "blob", &statement.blob])) + "\n";
    assert_eq!(alice.object("blob", content.as_bytes()), statement.blob);
    statement.push(&alice).accepted();
    alice.land(&tip).accepted();
}

#[test]
fn a_second_person_approves_without_touching_the_first() {
    let site = Site::new(policy::gated(2));
    let (alice, bob, carol) = (site.person("alice"), site.person("bob"), site.person("carol"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    bob.fetch();
    carol.fetch();
    let (one, two) = (site.draft(&bob, &tip).sign(&bob), site.draft(&carol, &tip).sign(&carol));
    one.push(&bob).accepted();
    two.push(&carol).accepted();
    assert_eq!(site.value(&one.place), Some(one.blob));
    assert_eq!(site.value(&two.place), Some(two.blob));
    alice.land(&tip).accepted();
}

#[test]
fn a_merge_by_its_reviewer_is_accepted() {
    let (site, _, bob, tip) = Site::topic();
    site.approve(&bob, &tip).accepted();
    bob.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn trailers_and_notes_are_no_approvals() {
    let (site, alice, bob, _) = Site::topic();
    alice.begin("trailers");
    alice.commit(NETWORK, "port 8443\n");
    alice.run(&[
        "commit",
        "--amend",
        "--quiet",
        "-m",
        "open it\n\nReviewed-by: bob <bob@example.org>\nApproved-by: bob <bob@example.org>",
    ]);
    alice.push(&["HEAD:refs/heads/trailers"]).accepted();
    let tip = alice.oid("HEAD");
    bob.fetch();
    bob.run(&["notes", "add", "-m", "approved", &tip]);
    bob.push(&["refs/notes/commits"]);
    site.does_not_land(&alice, &tip).says("0 of 1 approval");
}
