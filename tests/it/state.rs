//! What becomes of statements: used once, revoked for good, and each no with its own reason.

use std::time::Instant;

use crate::support::ground::{run, text};
use crate::support::person::{Person, public_key};
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::Site;
use crate::support::statement::{Draft, Statement, key_file, moment};

const NETWORK: &str = "infra/prod/network.tf";

/// What stands there before anybody pushes.
const FIRST: &str = "port 443\n";

/// The pusher must have read these words, wherever lines were broken.
#[track_caller]
fn says(push: &Pushed, words: &str) {
    let said = push.said().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(words), "nobody said {words:?}:\n{}", push.said());
}

/// The same signed bytes with another armour, as a push to the same place.
fn wrapped_anew(person: &Person, statement: &Statement) -> String {
    let whole = text(&mut person.git(&["cat-file", "blob", &statement.blob]));
    let (signed, armour) = whole.split_once("-----BEGIN SSH SIGNATURE-----\n").unwrap();
    let body: String = armour.lines().take_while(|line| !line.starts_with('-')).collect();
    let (first, rest) = body.split_at(64);
    let whole = format!(
        "{signed}-----BEGIN SSH SIGNATURE-----\n{first}\n{rest}\n-----END SSH SIGNATURE-----\n"
    );
    let blob = person.object("blob", whole.as_bytes());
    assert_ne!(blob, statement.blob);
    format!("+{blob}:{}", statement.place)
}

/// The policy of these tests with Dave in the group that approves.
fn with_dave() -> String {
    policy::gated(1).replace("\"carol\", \"erin\"]", "\"carol\", \"erin\", \"dave\"]")
}

/// Alice opens the port, and closes it again, each by a topic that Bob approves.
fn opened_and_closed(site: &Site, alice: &Person, bob: &Person, tip: &str) {
    site.approve(bob, tip).accepted();
    alice.land(tip).accepted();
    let back = alice.topic("close-port", &[(NETWORK, FIRST)]);
    site.approve(bob, &back).accepted();
    alice.land(&back).accepted();
}

#[test]
fn spare_approvals_are_used_up_whether_a_rule_asked_for_them_or_not() {
    let (site, alice, bob, tip) = Site::topic();
    let (carol, dave) = (site.person("carol"), site.person("dave"));
    site.approve(&carol, &tip).accepted();
    // No rule asks for Dave's word yet. He dates it as late as he may.
    site.draft(&dave, &tip).later(290).push(&dave).accepted();
    opened_and_closed(&site, &alice, &bob, &tip);
    site.set_policy(with_dave());
    let again = alice.topic("open-again", &[(NETWORK, "port 8443\n")]);
    site.does_not_land(&alice, &again).says("0 of 1 approval");
    site.draft(&carol, &again).later(1).push(&carol).accepted();
    alice.land(&again).accepted();
    site.log_and_refs_agree();
}

#[test]
fn one_approval_serves_one_of_two_equal_steps_of_a_push() {
    let (site, alice, bob, tip) = Site::topic();
    let back = {
        alice.begin_at("back", &tip);
        alice.commit(NETWORK, FIRST)
    };
    let again = alice.commit(NETWORK, "port 8443\n");
    alice.push(&["HEAD:refs/heads/back"]).accepted();
    bob.fetch();
    site.approve(&bob, &tip).accepted();
    let id = site.id();
    Draft::new(&bob, &id, "refs/heads/main", &tip, &back).push(&bob).accepted();
    alice.begin("three");
    for topic in [&tip, &back, &again] {
        alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", topic]);
    }
    let push = site.main_refuses(&alice, "HEAD");
    push.refused_by("infra-review").says("an earlier step of this push");
    // Two of them are what was approved.
    alice.push(&["HEAD~1:refs/heads/main"]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn each_statement_that_is_not_taken_hears_its_own_reason() {
    let (site, alice, bob, tip) = Site::topic();
    let refuse = |draft: &Draft, words: &str| {
        let push = draft.push(&bob);
        push.refused_by("statement").says("portcullis ");
        says(&push, words);
    };
    let draft = site.draft(&bob, &tip);
    refuse(&draft.clone().later(3_600), "more than 5 minutes ahead of the server's clock");
    refuse(&draft.clone().later(-86_400), "is dated before the change log began");
    refuse(&Draft { expires: moment(-1), ..draft.clone().later(-2) }, "this statement expired at");
    refuse(&Draft { key: key_file(&bob, "mallory"), ..draft.clone() }, "which is no key of bob");
    let fork = format!("{}00000000", &site.id()[..site.id().len() - 8]);
    refuse(&Draft { repository: fork, ..draft.clone() }, "this statement is for repository");

    let first = draft.sign(&bob);
    first.push(&bob).accepted();
    let replaced = "was replaced by the one of";
    let second = draft.clone().later(1).sign(&bob);
    second.push(&bob).accepted();
    says(first.push(&bob).refused(), replaced);
    refuse(&Draft { expires: moment(9_999), ..draft.clone() }, "not later than the last one here");
    draft.clone().later(2).verdict("revoke").push(&bob).accepted();
    says(second.push(&bob).refused(), "was revoked in entry");
    says(&site.does_not_land(&alice, &tip), "bob revoked their approval");

    let last = draft.later(3).sign(&bob);
    last.push(&bob).accepted();
    alice.land(&tip).accepted();
    let anew = wrapped_anew(&bob, &last);
    says(bob.push(&[&anew]).refused(), "was used by the landing of entry");
    site.log_and_refs_agree();
}

#[test]
fn an_approval_that_does_not_count_says_why_where_it_is_needed() {
    let (site, alice, bob, tip) = Site::topic();
    let carol = site.person("carol");
    let mut elsewhere = site.draft(&carol, &tip);
    "refs/heads/sandbox".clone_into(&mut elsewhere.reference);
    elsewhere.push(&carol).accepted();
    let push = site.does_not_land(&alice, &tip);
    says(&push, "for refs/heads/sandbox, which is another ref");

    // The policy takes Bob's key away after he has approved with it.
    site.draft(&bob, &tip).push(&bob).accepted();
    let without = policy::gated(1).replace(&public_key("bob"), &public_key("mallory"));
    site.set_policy(&without);
    says(&site.does_not_land(&alice, &tip), "which is not a key of theirs");
    site.set_policy(policy::gated(1));

    // The repository gets another id, as a copy of it would.
    let id = site.id();
    site.git(&["config", "portcullis.repository", "other-12345678"]);
    says(&site.does_not_land(&alice, &tip), "bob approved it for repository");
    site.git(&["config", "portcullis.repository", &id]);

    alice.land(&tip).accepted();
}

/// What Carol says to a change of the network, and what Alice makes of it then.
fn rejected_and_amended() -> (Site, [Person; 3], Draft, String) {
    let (site, alice, bob, tip) = Site::topic();
    let carol = site.person("carol");
    carol.fetch();
    let draft = site.draft(&carol, &tip).verdict("reject");
    draft.push(&carol).accepted();
    // The same file with the same content, and another one beside it.
    let other = alice.topic(
        "open-port-and-more",
        &[(NETWORK, "port 8443\n"), ("infra/prod/dns.tf", "name x\n")],
    );
    site.approve(&bob, &other).accepted();
    (site, [alice, bob, carol], draft, other)
}

#[test]
fn a_reject_stops_the_entry_in_whatever_change_it_comes() {
    let (site, [alice, _, carol], draft, other) = rejected_and_amended();
    let push = site.does_not_land(&alice, &other);
    says(&push, &format!("carol rejected {NETWORK} as in {}", &draft.commit[..7]));
    says(&push, &format!("until {}", draft.expires));
    says(&push, "settle it with carol");
    // What she did not reject lands.
    let dns = alice.topic("only-dns", &[("infra/prod/dns.tf", "name x\n")]);
    site.draft(&carol, &dns).push(&carol).accepted();
    alice.land(&dns).accepted();
    // Her later approval of the same entry is another word, in another place.
    let port = alice.topic("port", &[(NETWORK, "port 8443\n"), ("infra/prod/a.tf", "a\n")]);
    site.draft(&carol, &port).later(1).push(&carol).accepted();
    alice.land(&port).accepted();
    site.log_and_refs_agree();
}

#[test]
fn a_reject_that_is_taken_back_stops_nothing() {
    let (site, [alice, _, carol], draft, other) = rejected_and_amended();
    site.does_not_land(&alice, &other);
    draft.later(1).verdict("revoke").push(&carol).accepted();
    alice.land(&other).accepted();
}

#[test]
fn a_reject_counts_though_its_ref_is_gone_and_its_signer_is_a_maker() {
    let (site, alice, bob, tip) = Site::topic();
    site.approve(&bob, &tip).accepted();
    let statement = site.draft(&alice, &tip).verdict("reject").sign(&alice);
    statement.push(&alice).accepted();
    site.git(&["update-ref", "-d", &statement.place]);
    says(&site.main_refuses(&alice, &alice.merge(&tip)), "alice rejected");
}

#[test]
fn a_reject_ends_with_its_date_with_the_rule_or_with_who_may_reject() {
    let (site, [alice, bob, carol], draft, other) = rejected_and_amended();
    site.does_not_land(&alice, &other);
    let merge = alice.merge(&other);
    // Out of the group, and back again.
    let without = policy::gated(1).replace("\"carol\", \"erin\"]", "\"erin\"]");
    let veto = policy::gated(1).replace("approvals = 1", "approvals = 1\nveto = false");
    let landing = format!("{merge}:refs/heads/main");
    for lenient in [without, veto] {
        let question = format!("{other}:refs/portcullis/ask/heads/main");
        site.set_policy(policy::gated(1));
        alice.push(&["-oask", &question]).says("carol rejected");
        site.set_policy(lenient);
        alice.push(&["-oask", &question]).is_silent_about("carol rejected");
    }
    site.set_policy(policy::gated(1));
    // Her last word stands for a few seconds only.
    let begun = Instant::now();
    let short = [3, 10, 40].iter().find(|seconds| {
        let draft = Draft { expires: moment(**seconds), ..draft.clone().later(1) };
        draft.push(&carol).is_accepted()
    });
    assert!(short.is_some(), "{bob:?}");
    while !alice.push(&[&landing]).is_accepted() {
        assert!(begun.elapsed().as_secs() < 120, "the reject does not end");
    }
}

#[test]
fn a_reject_in_the_same_push_counts() {
    let (site, alice, bob, tip) = Site::topic();
    site.approve(&bob, &tip).accepted();
    let merge = alice.merge(&tip);
    let reject = site.draft(&alice, &tip).verdict("reject").sign(&alice);
    let landing = format!("{merge}:refs/heads/main");
    let push = alice.push(&[&landing, &reject.refspec()]);
    says(push.refused_by("infra-review"), "alice rejected");
    alice.push(&[&landing]).accepted();
}

/// `main` needs what this rule says of `infra/**`, and nothing else.
fn ruled(keys: &str) -> String {
    let people = policy::people();
    format!(
        "{people}\n[rule.infra-review]\nkind = \"approval\"\nrefs = [\"@default\"]\n\
         paths = [\"infra/**\"]\n{keys}\n"
    )
}

#[test]
fn a_rule_asks_only_for_the_operations_that_it_names() {
    let site = Site::new(ruled("from = [\"@platform\"]\noperations = [\"delete\", \"mode\"]"));
    let alice = site.person("alice");
    let direct = |shell: &str| {
        alice.begin("direct");
        let mut sh = alice.command("sh");
        let script = format!("set -e; {shell}; git add -A; git commit -q -m change");
        assert!(run(sh.arg("-c").arg(script).current_dir(alice.clone_path())).status.success());
        alice.push(&["HEAD:refs/heads/main"])
    };
    direct(&format!("echo port 8443 > {NETWORK}")).accepted();
    direct("echo a > infra/a.tf").accepted();
    direct(&format!("chmod +x {NETWORK}")).refused_by("infra-review");
    direct(&format!("chmod +x {NETWORK}; echo b > {NETWORK}")).refused_by("infra-review");
    direct("git rm -q infra/a.tf").refused_by("infra-review");
    direct("git mv infra/a.tf infra/b.tf").refused_by("infra-review");
    direct("ln -sf /etc/passwd infra/a.tf").accepted();
    direct("rm infra/a.tf").refused_by("infra-review");
}

#[test]
fn a_fresh_approval_is_one_of_the_branch_as_it_stands() {
    let site = Site::new(ruled("from = [\"@platform\"]\nfresh = true"));
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    let words = alice.topic("words", &[("app/words", "hello\n")]);
    alice.land(&words).accepted();
    says(&site.does_not_land(&alice, &tip), "the branch has moved since (`fresh`)");
    alice.begin_at("open-port", &tip);
    alice.run(&["merge", "--quiet", "--no-edit", "origin/main"]);
    alice.push(&["HEAD:refs/heads/open-port"]).accepted();
    let tip = alice.oid("HEAD");
    // The same delta, from another base: a later statement in the same place.
    site.draft(&bob, &tip).later(1).push(&bob).accepted();
    alice.land(&tip).accepted();
}

#[test]
fn an_approval_ages() {
    let site = Site::new(ruled("from = [\"@platform\"]\nmax-age = \"2s\""));
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let draft = site.draft(&bob, &tip);
    draft.push(&bob).accepted();
    let merge = alice.merge(&tip);
    let begun = Instant::now();
    while begun.elapsed().as_secs() < 3 {
        alice.run(&["fetch", "--quiet", "origin"]);
    }
    says(&site.main_refuses(&alice, &merge), "longer ago than `max-age`");
    // Dated a little ahead, as a statement may be, it is young enough.
    draft.later(60).push(&bob).accepted();
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();
}

#[test]
fn nobody_sits_on_two_seats_and_an_unknown_maker_costs_one_more_in_each() {
    let seats =
        "from = [\"@sre\"]\nand = [{ approvals = 1, from = [\"bob\", \"carol\", \"erin\"] }]";
    let site = Site::new(ruled(seats));
    let [alice, bob, carol, dave, erin] =
        ["alice", "bob", "carol", "dave", "erin"].map(|name| site.person(name));
    let tip = dave.topic("open-port", &[(NETWORK, "port 8443\n")]);
    site.approve(&bob, &tip).accepted();
    site.does_not_land(&dave, &tip).says("1 of 2 approvals");
    site.approve(&carol, &tip).accepted();
    dave.land(&tip).accepted();

    // Brought by a login that is nobody's: both seats want one more.
    let stranger = site.person("stranger");
    let tip = stranger.topic("close-port", &[(NETWORK, FIRST)]);
    for (person, have) in [(&bob, 1), (&carol, 2), (&alice, 3)] {
        site.approve(person, &tip).accepted();
        let push = site.does_not_land(&dave, &tip);
        says(&push, &format!("{have} of 4 approvals"));
        says(&push, "one approval more is asked in every seat");
    }
    site.approve(&erin, &tip).accepted();
    dave.land(&tip).accepted();
    site.log_and_refs_agree();
}

/// The statements that stand in the refs.
fn standing(site: &Site) -> Vec<String> {
    site.refs().into_keys().filter(|name| !name.starts_with("refs/heads/")).collect()
}

/// Why each statement left, by the log's newest record of it.
fn tidied(site: &Site) -> Vec<(String, String)> {
    let log = site.log();
    let refs = log.last("tidy")["refs"].as_array().unwrap().clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    refs.iter().map(|one| (text(&one["ref"]), text(&one["why"]))).collect()
}

#[test]
fn f09_what_a_landing_used_leaves_the_refs_and_the_log_keeps_it() {
    let (site, alice, bob, tip) = Site::topic();
    let [carol, dave] = ["carol", "dave"].map(|name| site.person(name));
    let used = site.draft(&bob, &tip).sign(&bob);
    used.push(&bob).accepted();
    // Spare ones: of somebody whom no rule asks, and of an earlier form of the change.
    let spare = site.draft(&dave, &tip).sign(&dave);
    spare.push(&dave).accepted();
    alice.begin_at("open-port", &tip);
    alice.commit("app/words", "hello\n");
    alice.push(&["HEAD:refs/heads/open-port"]).accepted();
    let end = alice.oid("HEAD");
    let rejected = site.draft(&dave, &end).verdict("reject").sign(&dave);
    rejected.push(&dave).accepted();
    let last = site.draft(&carol, &end).sign(&carol);
    last.push(&carol).accepted();
    // This one has nothing to do with it.
    let other = alice.topic("other", &[("infra/prod/other.tf", "x\n")]);
    let stays = site.draft(&bob, &other).sign(&bob);
    stays.push(&bob).accepted();

    alice.land(&end).accepted();
    assert_eq!(standing(&site), [stays.place]);
    let why = |statement: &Statement, why: &str| (statement.place.clone(), why.to_owned());
    let mut left = vec![
        why(&used, "landed"),
        why(&spare, "landed"),
        why(&rejected, "landed"),
        why(&last, "used"),
    ];
    left.sort();
    assert_eq!(tidied(&site), left);
    site.log_and_refs_agree();
    // What the log knows of them still tells everybody why they do not count.
    says(last.push(&carol).refused(), "was used by the landing of entry");
    let back = alice.topic("back", &[(NETWORK, FIRST)]);
    site.approve(&bob, &back).accepted();
    alice.land(&back).accepted();
    let again = alice.topic("again", &[(NETWORK, "port 8443\n"), ("app/words", "more\n")]);
    says(&site.does_not_land(&alice, &again), "0 of 1 approval");
    site.approve(&bob, &again).accepted();
    // Dave's reject of the entry stands, though its ref is gone: it would stop a rule that asks him.
    site.set_policy(with_dave());
    says(&site.does_not_land(&alice, &again), "dave rejected");
    assert_eq!(site.log().count("drift"), 0);
}

#[test]
fn a_revocation_leaves_with_what_it_revokes_and_a_new_word_is_taken() {
    let (site, alice, bob, tip) = Site::topic();
    let draft = site.draft(&bob, &tip);
    let first = draft.sign(&bob);
    first.push(&bob).accepted();
    let revoke = draft.clone().later(1).verdict("revoke");
    revoke.push(&bob).accepted();
    assert_eq!(standing(&site), [""; 0]);
    assert_eq!(tidied(&site), [(first.place.clone(), "revoked".to_owned())]);
    says(first.push(&bob).refused(), "was revoked in entry");
    says(&site.does_not_land(&alice, &tip), "bob revoked their approval");
    says(revoke.verdict("approve").push(&bob).refused(), "not later than the last one here");
    draft.later(2).push(&bob).accepted();
    alice.land(&tip).accepted();
    assert_eq!(standing(&site), [""; 0]);
    site.log_and_refs_agree();
}

#[test]
fn many_reviewers_at_once_are_all_heard() {
    let site = Site::new(policy::gated(3));
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[(NETWORK, "port 8443\n")]);
    let reviewers = ["bob", "carol", "erin"].map(|name| site.person(name));
    let statements: Vec<Statement> = reviewers
        .iter()
        .map(|person| {
            person.fetch();
            site.draft(person, &tip).sign(person)
        })
        .collect();
    let pushes: Vec<Pushed> = std::thread::scope(|scope| {
        let push = |(person, statement): (&'_ Person, &'_ Statement)| statement.push(person);
        let all = reviewers.iter().zip(&statements);
        let running: Vec<_> = all.map(|pair| scope.spawn(move || push(pair))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for push in &pushes {
        push.accepted();
    }
    alice.land(&tip).accepted();
    assert_eq!(standing(&site), [""; 0]);
    site.log_and_refs_agree();
}

/// Bob's push of a statement, as a line of shell that sees nothing of the push it runs in.
fn push_in_shell(site: &Site, bob: &Person, statement: &Statement) -> String {
    format!(
        "cd {} && env -i PATH=\"$PATH\" HOME={} {}={} git push -q {} '{}' >&2",
        bob.clone_path().display(),
        bob.home().display(),
        crate::support::person::WHO,
        bob.name(),
        site.path().display(),
        statement.refspec()
    )
}

#[test]
fn of_two_words_in_one_place_at_once_one_wins_and_the_other_is_told() {
    let (site, alice, bob, tip) = Site::topic();
    let [first, second] = [0, 1].map(|later| site.draft(&bob, &tip).later(later).sign(&bob));
    // Between our yes to the first and Git's move of the ref comes the second.
    let script = format!(
        "#!/bin/sh\ncat >/dev/null; [ -e spent ] && exit 0; touch spent\n({})\n",
        push_in_shell(&site, &bob, &second)
    );
    site.write_hook("pre-receive.before-portcullis", &script);
    let push = first.push(&bob);
    assert!(!push.is_accepted());
    says(&push, "has moved to");
    assert_eq!(site.value(&second.place), Some(second.blob));
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn f09_h02_a_reject_that_comes_while_a_landing_is_judged_stops_it_or_comes_too_late() {
    let (site, alice, bob, tip) = Site::topic();
    let carol = site.person("carol");
    carol.fetch();
    site.approve(&bob, &tip).accepted();
    let reject = site.draft(&carol, &tip).verdict("reject").sign(&carol);
    let merge = alice.merge(&tip);
    let landing = format!("{merge}:refs/heads/main");
    let (landed, rejected) = std::thread::scope(|scope| {
        let one = scope.spawn(|| alice.push(&[&landing]));
        let other = scope.spawn(|| reject.push(&carol));
        (one.join().unwrap(), other.join().unwrap())
    });
    rejected.accepted();
    let log = site.log();
    let entry = |what: &str| {
        let is = |entry: &&serde_json::Value| {
            entry["verdict"] == "accept" && entry["refs"][0]["ref"] == what
        };
        log.of("decision").find(is).map(|entry| entry["seq"].as_u64().unwrap())
    };
    match entry("refs/heads/main") {
        Some(number) => assert!(number < entry(&reject.place).unwrap(), "judged before it came"),
        None => says(&landed, "carol rejected"),
    }
    site.log_and_refs_agree();
}
