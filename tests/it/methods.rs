//! By which methods a reviewed change may land, and who may land it.

use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::Draft;

const NETWORK: &str = "infra/prod/network.tf";
const DNS: &str = "infra/prod/dns.tf";
const RULE: &str = "main-takes-merges";

/// `main` takes these methods, infrastructure needs one approval.
fn taking(methods: &str) -> String {
    let merges = format!(
        "\n[rule.{RULE}]\nkind = \"merge\"\nrefs = [\"@default\"]\nmethods = [{methods}]\n"
    );
    policy::people() + &merges + &policy::infra_review(1)
}

fn site(format: &'static str, methods: &str) -> Site {
    Plan::new(taking(methods)).format(format).build()
}

/// The work tree of a revision as one commit on the server's `main`; returns the commit.
fn squash(person: &Person, revision: &str, message: &str) -> String {
    person.begin("squashed");
    person.run(&["merge", "--quiet", "--squash", revision]);
    person.run(&["commit", "--quiet", "-m", message]);
    person.oid("HEAD")
}

/// A squash that names its source.
fn named(person: &Person, revision: &str) -> String {
    squash(person, revision, &format!("open port\n\nSource: {revision}"))
}

fn to_main(person: &Person, revision: &str) -> Pushed {
    person.push(&[&format!("{revision}:refs/heads/main")])
}

#[test]
fn an_approved_topic_is_squashed_where_squashes_are_taken() {
    for format in ["sha1", "sha256"] {
        let site = site(format, "\"squash\"");
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
        let words = alice.topic("words", &[("app/words", "hello\n")]);
        to_main(&alice, &named(&alice, &words)).accepted();
        // Not a word about its source, and nobody has approved it.
        bob.fetch();
        let bare = squash(&bob, &tip, "open port");
        site.main_refuses(&bob, &bare)
            .refused_by(RULE)
            .refused_by("infra-review")
            .says("this branch takes squashes only")
            .says("neither a trailer `Source:` nor an approval")
            .says("git merge --squash TOPIC");
        site.main_refuses(&bob, &bob.merge(&tip)).refused_by(RULE).says("is a merge");
        // The approval tells the source, and makes the squash nobody's work: Bob lands it himself.
        site.approve(&bob, &tip).accepted();
        to_main(&bob, &bare).accepted();
        assert_eq!(site.main(), bare);
        site.log_and_refs_agree();
    }
}

#[test]
fn a_squash_brings_in_what_was_pushed_and_nothing_else() {
    let site = site("sha1", "\"merge\", \"squash\"");
    let alice = site.person("alice");
    let tip = alice.topic("words", &[("app/words", "hello\n")]);
    alice.begin_at("local", &tip);
    let unseen = alice.commit("app/more", "hello\n");
    site.main_refuses(&alice, &named(&alice, &unseen)).refused_by(RULE).says("no such commit");
    squash(&alice, &tip, "x");
    std::fs::write(alice.clone_path().join("app/own"), "evil\n").unwrap();
    let own = alice.commit_tree_as_it_is("more");
    alice.run(&["reset", "--quiet", "--soft", "origin/main"]);
    alice.run(&["commit", "--quiet", "-m", &format!("x\n\nSource: {tip}")]);
    site.main_refuses(&alice, "HEAD").refused_by(RULE).says("the content differs in app/own");
    assert_ne!(own, tip);
    let abbreviated = squash(&alice, &tip, &format!("x\n\nSource: {}", &tip[..10]));
    site.main_refuses(&alice, &abbreviated).refused_by(RULE).says("not the whole name");
    to_main(&alice, &named(&alice, &tip)).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_bot_squashes_what_was_approved_and_not_the_reviewers_own() {
    for format in ["sha1", "sha256"] {
        let site = site(format, "\"squash\"");
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        let bot = site.person("plan-bot");
        // Bob makes it; a robot lands it for him, and he approves it: his own work all the same.
        let own = bob.topic("own", &[(NETWORK, "port 22\n")]);
        site.approve(&bob, &own).accepted();
        bot.fetch();
        site.main_refuses(&bot, &named(&bot, &own))
            .refused_by("infra-review")
            .not_by(RULE)
            .says("bob approved it, but pushed")
            .says("makers do not count");
        let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
        bot.fetch();
        let squashed = named(&bot, &tip);
        // Refused for want of approval only; the same commit lands once there is one.
        site.main_refuses(&bot, &squashed).refused_by("infra-review").not_by(RULE);
        site.approve(&bob, &tip).accepted();
        to_main(&bot, &squashed).accepted();
        site.log_and_refs_agree();
    }
}

#[test]
fn a_rebase_lands_where_rebases_are_taken() {
    for format in ["sha1", "sha256"] {
        let site = site(format, "\"rebase\"");
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        alice.begin("open-port");
        alice.commit(NETWORK, "port 8443\n");
        let tip = alice.commit(DNS, "a name\n");
        alice.push(&["HEAD:refs/heads/open-port"]).accepted();
        let words = alice.topic("words", &[("app/words", "hello\n")]);
        // What is on top of the branch already is rebased as it is.
        to_main(&alice, &words).accepted();
        site.approve(&bob, &tip).accepted();
        bob.fetch();
        bob.run(&["checkout", "--quiet", "--detach", &tip]);
        bob.run(&["rebase", "--quiet", "origin/main"]);
        let rebased = bob.oid("HEAD");
        assert_ne!(rebased, tip);
        // One of the two commits alone is half of what was approved.
        site.main_refuses(&bob, &format!("{rebased}~1")).refused_by("infra-review");
        to_main(&bob, &rebased).accepted();
        assert_eq!(site.main(), rebased);
        site.log_and_refs_agree();
    }
}

#[test]
fn several_commits_are_no_squash() {
    let site = site("sha1", "\"squash\"");
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    alice.begin("open-port");
    alice.commit(NETWORK, "port 8443\n");
    let tip = alice.commit(DNS, "a name\n");
    alice.push(&["HEAD:refs/heads/open-port"]).accepted();
    site.approve(&bob, &tip).accepted();
    let words = alice.topic("words", &[("app/words", "hello\n")]);
    to_main(&alice, &named(&alice, &words)).accepted();
    alice.fetch();
    alice.run(&["checkout", "--quiet", "--detach", &tip]);
    alice.run(&["rebase", "--quiet", "origin/main"]);
    site.main_refuses(&alice, "HEAD")
        .refused_by(RULE)
        .not_by("infra-review")
        .says("2 commits are a rebase of");
    to_main(&alice, &named(&alice, &tip)).accepted();
}

#[test]
fn several_squashes_land_in_one_push() {
    let site = site("sha1", "\"squash\"");
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let one = alice.topic("one", &[(NETWORK, "port 8443\n")]);
    let two = alice.topic("two", &[(DNS, "a name\n")]);
    site.approve(&bob, &one).accepted();
    site.approve(&bob, &two).accepted();
    bob.fetch();
    named(&bob, &one);
    bob.run(&["merge", "--quiet", "--squash", &two]);
    bob.run(&["commit", "--quiet", "-m", &format!("two\n\nSource: {two}")]);
    to_main(&bob, "HEAD").accepted();
    site.log_and_refs_agree();
}

#[test]
fn an_approved_topic_is_pushed_as_it_is_where_topics_are_taken() {
    for format in ["sha1", "sha256"] {
        let site = site(format, "\"fast-forward\"");
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
        site.main_refuses(&alice, &tip).refused_by("infra-review").not_by(RULE);
        site.approve(&bob, &tip).accepted();
        bob.fetch();
        site.main_refuses(&bob, &bob.merge(&tip))
            .refused_by(RULE)
            .says("this branch takes pushed topics only")
            .says("git push origin TOPIC:main");
        to_main(&bob, &tip).accepted();
        alice.begin("direct");
        alice.commit("app/x", "new\n");
        site.main_refuses(&alice, "HEAD").refused_by(RULE).says("push the work to a branch");
        // A merge inside the topic does not matter to a branch that moves to it.
        let words = alice.topic("words", &[("app/words", "hello\n")]);
        alice.topic("more", &[("app/more", "hello\n")]);
        alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &words]);
        alice.push(&["HEAD:refs/heads/more"]).accepted();
        to_main(&alice, "HEAD").accepted();
        site.log_and_refs_agree();
    }
}

#[test]
fn a_branch_that_takes_merges_says_so_to_the_rest() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    site.main_refuses(&alice, &tip)
        .refused_by(RULE)
        .not_by("infra-review")
        .says("this branch takes merges only")
        .says("this would be a fast-forward");
    let squashed = named(&bob, &{
        bob.fetch();
        tip.clone()
    });
    site.main_refuses(&bob, &squashed)
        .refused_by(RULE)
        .not_by("infra-review")
        .says("this branch takes merges only")
        .says("is a squash of");
    to_main(&bob, &bob.merge(&tip)).accepted();
}

#[test]
fn a_squash_lands_where_only_update_runs() {
    let policy = taking("\"squash\"");
    let site = Plan::new(policy).install("--hooks").install("update,post-receive").build();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let squashed = named(&alice, &tip);
    site.main_refuses(&alice, &squashed).refused_by("infra-review").not_by(RULE);
    site.approve(&bob, &tip).accepted();
    bob.fetch();
    to_main(&bob, &named(&bob, &tip)).accepted();
    site.log_and_refs_agree();
}

#[test]
fn the_topic_of_somebody_who_hung_up_is_a_source_too() {
    let site = site("sha1", "\"squash\"");
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    // Git dies when the ref has moved, so that nobody is told what became of the push.
    site.write_hook(
        "reference-transaction",
        "#!/bin/sh\n[ \"$1\" = committed ] && [ ! -e spent ] && touch spent && kill -9 $PPID\nexit 0\n",
    );
    alice.begin("words");
    let tip = alice.commit("app/words", "hello\n");
    alice.push(&["HEAD:refs/heads/words"]);
    assert_eq!(site.value("refs/heads/words"), Some(tip.clone()));
    assert_eq!(site.log().count("outcome"), 0);
    bob.fetch();
    to_main(&bob, &named(&bob, &tip)).accepted();
    site.log_and_refs_agree();
}

/// Two topics that change the same file, the first of them landed; the other's tip.
fn conflict(site: &Site, alice: &Person, bob: &Person) -> String {
    let one = alice.topic("one", &[(NETWORK, "port 8443\n")]);
    let two = alice.topic("two", &[(NETWORK, "port 8080\n")]);
    site.approve(bob, &one).accepted();
    alice.land(&one).accepted();
    two
}

/// A person settles the conflict in the merge itself; returns the merge.
fn settle(person: &Person, tip: &str) -> String {
    person.begin("settled");
    let mut merge = person.git(&["merge", "--quiet", "--no-ff", "--no-edit", tip]);
    assert!(!merge.output().unwrap().status.success(), "that was to conflict");
    std::fs::write(person.clone_path().join(NETWORK), "port 8443\nport 8080\n").unwrap();
    person.run(&["add", "--all"]);
    person.run(&["commit", "--quiet", "-m", "merge two, both ports stay"]);
    person.oid("HEAD")
}

/// A person's approval of a merge, from its first parent.
fn let_stand(site: &Site, person: &Person, merge: &str) -> Pushed {
    person.fetch();
    let base = person.oid(&format!("{merge}^1"));
    Draft::new(person, &site.id(), "refs/heads/main", &base, merge).push(person)
}

#[test]
fn a_conflict_settled_in_the_merge_lands_by_the_word_of_who_may_say_so() {
    for format in ["sha1", "sha256"] {
        let policy = taking("\"merge\"").replace(
            "methods = [\"merge\"]\n",
            "methods = [\"merge\"]\nresolved-by = [\"@sre\"]\n",
        );
        let site = Plan::new(policy).format(format).build();
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        let (carol, erin) = (site.person("carol"), site.person("erin"));
        let two = conflict(&site, &alice, &bob);
        carol.fetch();
        let merge = settle(&carol, &two);
        site.main_refuses(&carol, &merge)
            .refused_by(RULE)
            .says(&format!("resolves a conflict in {NETWORK}"))
            .says("the merge itself was not on the server before")
            .says("0 of 1 to let it stand, from @sre")
            .says("push the merge to a branch first");
        carol.push(&[&format!("{merge}:refs/heads/settled")]).accepted();
        // Erin may approve the change, and not let a merge stand; Carol has made it.
        let_stand(&site, &erin, &merge).accepted();
        site.main_refuses(&carol, &merge)
            .refused_by(RULE)
            .not_by("infra-review")
            .says("ask bob to run: portcullis approve");
        let_stand(&site, &bob, &merge).accepted();
        to_main(&carol, &merge).accepted();
        assert_eq!(site.main(), merge);
        site.log_and_refs_agree();
    }
}

#[test]
fn nobody_lets_their_own_merge_stand() {
    let policy = taking("\"merge\"")
        .replace("methods = [\"merge\"]\n", "methods = [\"merge\"]\nresolved-by = [\"@sre\"]\n");
    let site = Site::new(policy);
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let two = conflict(&site, &alice, &bob);
    bob.fetch();
    let merge = settle(&bob, &two);
    bob.push(&[&format!("{merge}:refs/heads/settled")]).accepted();
    let_stand(&site, &bob, &merge).accepted();
    site.main_refuses(&bob, &merge).refused_by(RULE).says("makers do not count");
}

#[test]
fn without_anybody_to_say_so_a_settled_conflict_goes_back_to_the_topic() {
    let (site, alice, bob) = Site::alice_and_bob();
    let two = conflict(&site, &alice, &bob);
    bob.fetch();
    let merge = settle(&alice, &two);
    alice.push(&[&format!("{merge}:refs/heads/settled")]).accepted();
    let_stand(&site, &bob, &merge).accepted();
    site.main_refuses(&alice, &merge)
        .refused_by(RULE)
        .not_by("infra-review")
        .says("merge the branch into the topic and resolve there")
        .says("git merge --no-ff");
    // As the hint says: the same content, settled in the topic.
    alice.begin_at("two", &two);
    let mut into = alice.git(&["merge", "--quiet", "--no-edit", "origin/main"]);
    assert!(!into.output().unwrap().status.success());
    std::fs::write(alice.clone_path().join(NETWORK), "port 8443\nport 8080\n").unwrap();
    let tip = alice.commit_tree_as_it_is("settle it");
    alice.push(&["HEAD:refs/heads/two"]).accepted();
    bob.fetch();
    site.draft(&bob, &tip).later(5).push(&bob).accepted();
    bob.land(&tip).accepted();
    site.log_and_refs_agree();
}
