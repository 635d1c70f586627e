//! `[rollback]`: going back to a state that was judged, and everything that only looks like it.

use std::cell::Cell;

use serde_json::Value;

use crate::json::is_told_of;
use crate::support::ground::{feed, run, text};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::{Plan, Site};
use crate::support::statement::Draft;

const NETWORK: &str = "infra/prod/network.tf";
const RULE: &str = "main-takes-merges";

/// The usual policy, and a rollback by one of the platform people.
fn gated() -> String {
    with_rollback("by = [\"@platform\"]")
}

fn with_rollback(lines: &str) -> String {
    format!("{}\n[rollback]\n{lines}\n", policy::gated(1))
}

/// A server where somebody goes back: Alice makes, Bob reviews.
struct Scene {
    site: Site,
    alice: Person,
    bob: Person,
    genesis: String,
    /// How often Bob has approved: a next word in one place has to be a second later.
    approvals: Cell<i64>,
}

impl Scene {
    fn new() -> Self {
        Self::of(Plan::new(gated()))
    }

    fn of(plan: Plan) -> Self {
        let site = plan.build();
        let (alice, bob) = (site.person("alice"), site.person("bob"));
        let genesis = site.main();
        Self { site, alice, bob, genesis, approvals: Cell::new(0) }
    }

    /// Alice's change, approved by Bob and merged; the value that main has then.
    #[track_caller]
    fn land(&self, topic: &str, files: &[(&str, &str)]) -> String {
        let tip = self.alice.topic(topic, files);
        self.site.approve(&self.bob, &tip).accepted();
        self.alice.land(&tip).accepted();
        self.alice.fetch();
        self.site.main()
    }

    /// Two landings: a good one and a bad one.
    fn good_and_bad(&self) -> (String, String) {
        let good = self.land("good", &[(NETWORK, "port 8443\n"), ("app/x", "good\n")]);
        let bad = self.land("bad", &[(NETWORK, "port 666\n"), ("app/x", "bad\n"), ("new", "n\n")]);
        (good, bad)
    }

    /// A commit on main as it stands, with this tree and these trailers.
    fn back(&self, who: &Person, tree: &str, trailers: &str) -> String {
        who.fetch();
        let message = format!("Go back\n\n{trailers}\n");
        let parent = self.site.main();
        let mut git = who.git(&["commit-tree", "-p", &parent, tree]);
        let output = feed(&mut git, message.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The whole tree of a state again, by Alice.
    fn back_to(&self, state: &str) -> String {
        self.back(&self.alice, &format!("{state}^{{tree}}"), &format!("Rollback-To: {state}"))
    }

    /// Alice pushes it to a branch, Bob approves it.
    #[track_caller]
    fn approved(&self, commit: &str) {
        self.offer(commit);
        self.approvals.set(self.approvals.get() + 1);
        let approval = self.site.draft(&self.bob, commit).later(self.approvals.get());
        approval.push(&self.bob).accepted();
    }

    /// Alice pushes it to a branch of its own.
    #[track_caller]
    fn offer(&self, commit: &str) {
        self.alice.push(&[&format!("{commit}:refs/heads/back-{}", &commit[..9])]).accepted();
    }

    #[track_caller]
    fn lands(&self, commit: &str) {
        self.alice.push(&[&format!("{commit}:refs/heads/main")]).accepted();
        assert_eq!(self.site.main(), commit);
        self.site.log_and_refs_agree();
    }

    /// It must not land, and the pusher reads why it is no rollback.
    #[track_caller]
    fn no_rollback(&self, commit: &str, why: &str) -> Pushed {
        let push = self.site.main_refuses(&self.alice, commit);
        push.refused_by(RULE).says(why);
        self.site.log_and_refs_agree();
        push
    }

    /// The number of the decision that let main have this value.
    fn entry(&self, value: &str) -> u64 {
        let log = self.site.log();
        let gave = |entry: &&Value| {
            entry["refs"][0]["ref"] == "refs/heads/main" && entry["refs"][0]["new"] == value
        };
        log.of("decision").filter(gave).last().unwrap()["seq"].as_u64().unwrap()
    }

    fn file(&self, path: &str) -> String {
        self.site.git(&["show", &format!("main:{path}")])
    }
}

#[test]
fn a_state_comes_back_whole_when_it_was_approved() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let back = scene.back_to(&good);
    let push = scene.site.main_refuses(&scene.alice, &back);
    let missing = format!("0 of 1 approval for a rollback to entry {}", scene.entry(&good));
    push.refused_by(RULE).says(&missing).says("@platform");
    push.refused_by("infra-review").says("ask one of bob, carol, erin to run");
    push.says(&format!("portcullis approve {} --for main", &back[..7]));
    let (short, state, entry) = (&back[..7], &good[..7], scene.entry(&good));
    push.says(&format!(
        "error: refs/heads/main refused by rule `main-takes-merges`\n\
         \x20 0 of 1 approval for a rollback to entry {entry}\n\
         \x20 {short} goes back to {state} of entry {entry}\n\
         \x20 approvals of a rollback count from @platform\n\
         \x20 policy: policy.toml:37\n\
         hint: push it where reviewers can get it:\n\
         \x20 git push origin {short}:refs/heads/rollback-{short}\n\
         hint: ask one of bob, carol, erin to run:\n\
         \x20 portcullis approve {short} --for main"
    ));
    scene.approved(&back);
    scene.lands(&back);
    assert_eq!(scene.file(NETWORK), "port 8443");
    assert_eq!(
        scene.site.git(&["rev-parse", "main^{tree}"]),
        scene.site.git(&["rev-parse", &format!("{good}^{{tree}}")])
    );
    let log = scene.site.log();
    let record = &log.last("decision")["refs"][0]["rollback"][0];
    assert_eq!(record["commit"], back);
    assert_eq!(record["to"], good);
    assert_eq!(record["of"], scene.entry(&good));
    assert_eq!(record["left"], bad);
    assert_eq!(record["paths"], Value::Null, "the whole tree");
    let shown = scene.site.verb(&["log", "show"]);
    assert!(shown.status.success());
}

#[test]
fn the_log_says_where_a_ref_went_back_to() {
    let scene = Scene::new();
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    scene.lands(&back);
    let entry = scene.entry(&back).to_string();
    let shown =
        scene.site.portcullis(&["log", "show", &entry, scene.site.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(said.contains("goes back") && said.contains(&good), "{said}");
}

#[test]
fn named_paths_come_back_and_the_rest_stays() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let tree = infra_of(&scene.alice, &bad, &good);
    let trailers = format!("Rollback-To: {good}\nRollback-Paths: infra/**");
    let back = scene.back(&scene.alice, &tree, &trailers);
    scene.approved(&back);
    scene.lands(&back);
    assert_eq!(scene.file(NETWORK), "port 8443");
    assert_eq!(scene.file("app/x"), "bad", "outside the paths nothing changes");
    let log = scene.site.log();
    assert_eq!(log.last("decision")["refs"][0]["rollback"][0]["paths"][0], "infra/**");
}

/// The tree of one commit with the folder `infra` of another.
fn infra_of(who: &Person, commit: &str, other: &str) -> String {
    let listing = who.run(&["ls-tree", commit]);
    let infra = who.run(&["ls-tree", other, "infra"]);
    let kept = listing.lines().filter(|line| !line.ends_with("\tinfra"));
    let lines: Vec<&str> = kept.chain([infra.as_str()]).collect();
    let output = feed(&mut who.git(&["mktree"]), (lines.join("\n") + "\n").as_bytes());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn content_decides_and_not_the_trailers() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let alice = &scene.alice;
    let tree = |commit: &str| format!("{commit}^{{tree}}");
    // Half of the state, called the whole.
    let half = infra_of(alice, &bad, &good);
    let whole = format!("Rollback-To: {good}");
    let commit = scene.back(alice, &half, &whole);
    scene.approved(&commit);
    scene.no_rollback(&commit, "app/x is not as in");
    // The whole state, called a part.
    let part = format!("{whole}\nRollback-Paths: infra/**");
    let commit = scene.back(alice, &tree(&good), &part);
    scene.approved(&commit);
    scene.no_rollback(&commit, "app/x changed, and no Rollback-Paths names it");
    // Something of its own besides.
    alice.begin_at("own", &good);
    let own = alice.commit("infra/prod/door.tf", "open\n");
    let commit = scene.back(alice, &tree(&own), &whole);
    scene.approved(&commit);
    scene.no_rollback(&commit, "infra/prod/door.tf is not as in");
    // A mode alone.
    alice.run(&["update-index", "--chmod=+x", NETWORK]);
    let commit = scene.back(alice, &alice.run(&["write-tree"]), &part);
    scene.offer(&commit);
    scene.no_rollback(&commit, "is not as in");
}

#[test]
fn trailers_that_say_too_little_or_too_much_claim_nothing_that_holds() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let tree = format!("{good}^{{tree}}");
    let claims = [
        (format!("Rollback-To: {}", &good[..12]), "names no whole object"),
        (format!("Rollback-To: {good}\nRollback-To: {bad}"), "more than one trailer"),
        (format!("Rollback-To: {}", scene.site.zero()), "names no whole object"),
        (format!("Rollback-To: {good}\nRollback-Paths: !infra/**"), "no pattern takes away here"),
        (format!("Rollback-To: {good}\nRollback-Paths: /infra"), "Rollback-Paths: "),
        (format!("Rollback-To: {good}\nRollback-Paths: INFRA/**"), "changed, and no"),
    ];
    for (trailers, why) in claims {
        let commit = scene.back(&scene.alice, &tree, &trailers);
        scene.no_rollback(&commit, why);
    }
    let idle = scene.back(&scene.alice, &format!("{bad}^{{tree}}"), &format!("Rollback-To: {bad}"));
    scene.no_rollback(&idle, "it changes nothing");
    // In the middle of a message it is prose.
    let prose = scene.back(&scene.alice, &tree, &format!("Rollback-To: {good}\n\nas discussed"));
    let push = scene.site.main_refuses(&scene.alice, &prose);
    push.refused_by(RULE).is_silent_about("rollback");
}

#[test]
fn only_what_pushes_left_on_this_ref_is_a_state() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let side = scene.alice.oid("origin/good");
    let other = scene.alice.topic("elsewhere", &[("app/y", "y\n")]);
    for (value, why) in [
        (scene.genesis.as_str(), "stood there when the log began"),
        (side.as_str(), "is no value that a push left on main"),
        (other.as_str(), "is no value that a push left on main"),
    ] {
        let commit = scene.back_to(value);
        scene.approved(&commit);
        scene.no_rollback(&commit, why);
    }
    // Behind the gate's back, and then on from there.
    scene.site.git(&["update-ref", "refs/heads/main", &other]);
    let next = scene.land("next", &[("app/z", "z\n")]);
    let commit = scene.back_to(&other);
    scene.approved(&commit);
    scene.no_rollback(&commit, "is no value that a push left on main");
    assert_ne!(next, bad);
    let commit = scene.back_to(&good);
    scene.approved(&commit);
    scene.lands(&commit);
}

#[test]
fn a_value_in_the_middle_of_a_push_is_no_state() {
    let scene = Scene::new();
    let first = scene.alice.topic("first", &[(NETWORK, "port 1\n")]);
    let second = scene.alice.topic("second", &[("app/x", "2\n")]);
    scene.site.approve(&scene.bob, &first).accepted();
    scene.alice.begin("both");
    scene.alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &first]);
    let middle = scene.alice.oid("HEAD");
    scene.alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &second]);
    let end = scene.alice.oid("HEAD");
    scene.lands(&end);
    scene.land("bad", &[(NETWORK, "port 666\n")]);
    let commit = scene.back_to(&middle);
    scene.approved(&commit);
    scene.no_rollback(&commit, "is no value that a push left on main");
    let commit = scene.back_to(&end);
    scene.approved(&commit);
    scene.lands(&commit);
}

#[test]
fn what_a_rollback_has_left_does_not_come_back() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    scene.lands(&back);
    let again = scene.back_to(&bad);
    scene.approved(&again);
    scene.no_rollback(
        &again,
        &format!("was left by a rollback before, in entry {}", scene.entry(&back)),
    );
    // What the rollback made is a state like any other.
    scene.land("later", &[(NETWORK, "port 3\n")]);
    let commit = scene.back_to(&back);
    scene.approved(&commit);
    scene.lands(&commit);
}

#[test]
fn a_state_is_good_for_as_long_as_the_policy_says() {
    let scene = Scene::of(Plan::new(with_rollback("by = [\"@platform\"]\nwithin = \"1s\"")));
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    // The log's own clock says when it is over.
    let seconds = |entry: &Value| {
        entry["ts"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
    };
    let log = scene.site.log();
    let landed = seconds(&log.all()[usize::try_from(scene.entry(&good)).unwrap()]);
    for round in 0.. {
        if seconds(scene.site.log().all().last().unwrap()) > landed + 1 {
            break;
        }
        scene.alice.topic(&format!("round-{round}"), &[("app/r", &round.to_string())]);
    }
    scene.no_rollback(&back, "older than `within`");
}

#[test]
fn makers_do_not_approve_and_rejects_stand() {
    let scene = Scene::of(Plan::new(with_rollback("by = [\"@platform\"]\napprovals = 2")));
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    scene.site.approve(&scene.alice, &back).accepted();
    let push = scene.site.main_refuses(&scene.alice, &back);
    push.refused_by(RULE).says("1 of 2 approvals for a rollback").says("makers do not count");
    let carol = scene.site.person("carol");
    let reject = scene.site.draft(&carol, &back).verdict("reject");
    reject.push(&carol).accepted();
    let push = scene.site.main_refuses(&scene.alice, &back);
    push.refused_by(RULE).says("carol rejected this rollback");
    scene.site.draft(&carol, &back).later(1).push(&carol).accepted();
    scene.lands(&back);
}

#[test]
fn what_comes_along_has_to_answer_for_itself() {
    let scene = Scene::new();
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    // A direct commit behind the rollback, and one before a rollback.
    scene.alice.begin_at("behind", &back);
    let behind = scene.alice.commit("app/q", "q\n");
    scene.site.main_refuses(&scene.alice, &behind).refused_by(RULE);
    scene.alice.begin("before");
    let before = scene.alice.commit(NETWORK, "port 31337\n");
    let message = format!("Go back\n\nRollback-To: {good}\n");
    let undo = scene.alice.run(&[
        "commit-tree",
        "-p",
        &before,
        "-m",
        message.trim(),
        &format!("{good}^{{tree}}"),
    ]);
    scene.approved(&undo);
    scene.site.main_refuses(&scene.alice, &undo).refused_by(RULE);
    // An approved merge on top of it lands in the same push.
    let tip = scene.alice.topic("on-top", &[("app/t", "t\n")]);
    scene.alice.begin_at("together", &back);
    scene.alice.run(&["merge", "--quiet", "--no-ff", "--no-edit", &tip]);
    scene.lands(&scene.alice.oid("HEAD"));
}

#[test]
fn other_rules_judge_a_rollback_like_any_push() {
    let frozen = format!(
        "{}\n[rule.only-carol]\nkind = \"access\"\nrefs = [\"main\"]\nmove = [\"carol\"]\nlevel = \"warn\"\n",
        gated()
    );
    let scene = Scene::of(Plan::new(&frozen));
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    scene.site.set_policy(frozen.replace("level = \"warn\"\n", ""));
    let push = scene.site.main_refuses(&scene.alice, &back);
    push.refused_by("only-carol").not_by(RULE).not_by("infra-review");
    let carol = scene.site.person("carol");
    carol.fetch();
    carol.push(&[&format!("{back}:refs/heads/main")]).accepted();
}

#[test]
fn what_came_by_a_broken_glass_is_a_state_once_somebody_approved_it() {
    let glass = "\n[break-glass]\nby = [\"alice\"]\nsettle-within = \"7d\"\n";
    let scene = Scene::of(Plan::new(gated() + glass));
    scene.alice.begin("hotfix");
    let broken = scene.alice.commit(NETWORK, "port 1\n");
    let refspec = format!("{broken}:refs/heads/main");
    scene.alice.push(&["-obreak-glass=INC-42: the door is open", &refspec]).accepted();
    scene.land("bad", &[(NETWORK, "port 666\n")]);
    let back = scene.back_to(&broken);
    scene.approved(&back);
    scene.no_rollback(&back, "came past the rules, in entry");
    let base = scene.genesis.clone();
    Draft::new(&scene.bob, &scene.site.id(), "refs/heads/main", &base, &broken)
        .push(&scene.bob)
        .accepted();
    assert_eq!(scene.site.log().last("settled")["how"], "approved");
    scene.lands(&back);
}

#[test]
fn a_rollback_needs_no_check_and_no_other_commit_goes_without() {
    let scene = Scene::new();
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    let tip = scene.alice.topic("unchecked", &[(NETWORK, "port 5\n")]);
    scene.site.approve(&scene.bob, &tip).accepted();
    let check = "\n[rule.planned]\nkind = \"check\"\nrefs = [\"main\"]\npaths = [\"infra/**\"]\n\
                 checks = [\"terraform-plan\"]\nfrom = [\"plan-bot\"]\n";
    scene.site.set_policy(gated() + check);
    let merge = scene.alice.merge(&tip);
    scene.site.main_refuses(&scene.alice, &merge).refused_by("planned").not_by(RULE);
    scene.lands(&back);
}

#[test]
fn without_approvals_it_matters_who_pushes() {
    let scene = Scene::of(Plan::new(with_rollback("by = [\"@sre\"]\napprovals = 0")));
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    let dave = scene.site.person("dave");
    scene.offer(&back);
    dave.fetch();
    let push = scene.site.main_refuses(&dave, &back);
    push.refused_by(RULE).says("is pushed by one of @sre");
    scene.lands(&back);
}

#[test]
fn without_the_table_a_rollback_is_a_direct_commit() {
    let scene = Scene::of(Plan::new(policy::gated(1)));
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    scene.approved(&back);
    let push = scene.site.main_refuses(&scene.alice, &back);
    push.refused_by(RULE).is_silent_about("rollback").not_by("infra-review");
}

#[test]
fn who_lands_a_commit_by_other_rights_takes_no_state_away() {
    let open = with_rollback("by = [\"@platform\"]").replace(policy::MERGES, "");
    let scene = Scene::of(Plan::new(open));
    let push = |commit: &str| scene.alice.push(&[&format!("{commit}:refs/heads/main")]);
    scene.alice.begin("notes");
    let first = scene.alice.commit("notes", "first\n");
    push(&first).accepted();
    let second = scene.alice.commit("notes", "second\n");
    push(&second).accepted();
    // Nobody has to approve notes here, so this lands though nobody approved a rollback.
    let back = scene.back_to(&first);
    push(&back).accepted();
    assert_eq!(scene.site.log().last("decision")["refs"][0]["rollback"], Value::Null);
    let third = scene.back_to(&second);
    scene.approved(&third);
    push(&third).accepted();
    assert_eq!(scene.site.log().last("decision")["refs"][0]["rollback"][0]["to"], second);
    scene.site.log_and_refs_agree();
}

#[test]
fn a_rollback_that_nobody_brought_needs_one_approval_more() {
    let scene = Scene::new();
    let (good, _) = scene.good_and_bad();
    let back = scene.back_to(&good);
    // It comes past the gate, by somebody with a shell on the server.
    let clone = scene.alice.clone_path().to_str().unwrap();
    scene.alice.run(&["branch", "smuggled", &back]);
    scene.site.git(&["fetch", "--quiet", clone, "smuggled:refs/heads/smuggled"]);
    scene.bob.fetch();
    scene.site.approve(&scene.bob, &back).accepted();
    let push = scene.site.main_refuses(&scene.alice, &back);
    push.refused_by(RULE)
        .says("1 of 2 approvals for a rollback")
        .says("one approval more is asked");
    let carol = scene.site.person("carol");
    scene.site.approve(&carol, &back).accepted();
    scene.alice.push(&[&format!("{back}:refs/heads/main")]).accepted();
}

#[test]
fn what_the_first_push_brought_is_no_state() {
    let site = Plan::new(gated()).empty().build();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let first = alice.commit(NETWORK, "port 1\n");
    alice.push(&["HEAD:refs/heads/main"]).accepted();
    let scene = Scene { site, alice, bob, genesis: first.clone(), approvals: Cell::new(0) };
    scene.land("next", &[(NETWORK, "port 2\n")]);
    let commit = scene.back_to(&first);
    scene.approved(&commit);
    scene.no_rollback(&commit, "came with the push that made the repository");
}

/// Runs the verb as Alice; what it printed, and what it said.
#[track_caller]
fn verb(scene: &Scene, args: &[&str], code: i32) -> (String, String) {
    let before = (scene.alice.oid("HEAD"), scene.alice.run(&["status", "--porcelain"]));
    let output = run(&mut scene.alice.portcullis(&[&["rollback"], args].concat()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(code), "{printed}{said}");
    let after = (scene.alice.oid("HEAD"), scene.alice.run(&["status", "--porcelain"]));
    assert_eq!(before, after, "the work tree and the branch stay");
    (printed.trim_end().to_owned(), said)
}

#[test]
fn the_verb_makes_it_and_says_how_to_push_it() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let (commit, said) = verb(&scene, &["main", "-1"], 0);
    assert_eq!(
        scene.alice.oid(&format!("{commit}^{{tree}}")),
        scene.alice.oid(&format!("{good}^{{tree}}"))
    );
    assert_eq!(scene.alice.oid(&format!("{commit}^")), bad);
    let entry = scene.entry(&good);
    let message = scene.alice.run(&["log", "-1", "--format=%B", &commit]);
    assert!(message.contains(&format!("Rollback-To: {good}")), "{message}");
    assert!(message.contains(&format!("as entry {entry} of the change log left it")), "{message}");
    for words in [
        format!(
            "made {}, it takes main back to {} (entry {entry}), 3 entries change",
            &commit[..7],
            &good[..7]
        ),
        format!("0 of 1 approval for a rollback to entry {entry}"),
        format!("git push origin {}:refs/heads/rollback-{}", &commit[..7], &commit[..7]),
        format!("portcullis approve {} --for main", &commit[..7]),
        format!("then push it: git push origin {commit}:refs/heads/main"),
    ] {
        assert!(said.contains(&words), "nobody said {words:?}:\n{said}");
    }
    scene.approved(&commit);
    // With everything there, review says so.
    let review = run(&mut scene.alice.portcullis(&["review", &commit, "--for", "main"]));
    let text = String::from_utf8_lossy(&review.stdout).into_owned();
    assert_eq!(review.status.code(), Some(0), "{text}");
    assert!(text.contains(&format!("git push origin {}:refs/heads/main", &commit[..7])), "{text}");
    assert!(!text.contains("merge --no-ff"), "behind a merge it would be no rollback: {text}");
    scene.lands(&commit);
    // The state that was left is passed over; what is left is what main holds.
    let (_, said) = verb(&scene, &["main", "-1"], 1);
    assert!(said.contains("passed over") && said.contains("nothing to roll back"), "{said}");
    let (_, said) = verb(&scene, &["main", "--to", &bad], 1);
    assert!(said.contains("is no state to go back to"), "{said}");
}

#[test]
fn the_verb_goes_back_in_paths_and_the_plain_commands_do_the_same() {
    for format in ["sha1", "sha256"] {
        let scene = Scene::of(Plan::new(gated()).format(format));
        let (good, bad) = scene.good_and_bad();
        let args = ["main", "--to", &good, "--paths", "infra/**", "--paths", "new"];
        let (commit, _) = verb(&scene, &args, 0);
        let (script, said) = verb(&scene, &[&args[..], &["--print"]].concat(), 0);
        assert!(!said.contains("made"), "{said}");
        let mut shell = scene.alice.command("sh");
        let plain = text(shell.args(["-c", &script]).current_dir(scene.alice.clone_path()));
        for revision in [&commit, &plain] {
            assert_eq!(scene.alice.oid(&format!("{revision}^")), bad);
        }
        let tree = |commit: &str| scene.alice.oid(&format!("{commit}^{{tree}}"));
        assert_eq!(tree(&commit), tree(&plain), "{script}");
        let message = |commit: &str| scene.alice.run(&["log", "-1", "--format=%B", commit]);
        assert_eq!(message(&commit), message(&plain));
        scene.approved(&plain);
        scene.lands(&plain);
        assert_eq!(scene.file(NETWORK), "port 8443");
        assert_eq!(scene.file("app/x"), "bad");
        assert!(!scene.site.git(&["ls-tree", "--name-only", "main"]).contains("new"));
    }
}

#[test]
fn the_verb_prints_a_whole_rollback_and_answers_programs() {
    let scene = Scene::new();
    let (good, bad) = scene.good_and_bad();
    let (script, _) = verb(&scene, &["main", "-N", "1", "--print"], 0);
    let mut shell = scene.alice.command("sh");
    let plain = text(shell.args(["-c", &script]).current_dir(scene.alice.clone_path()));
    let (json, _) = verb(&scene, &["main", "-1", "--json"], 0);
    is_told_of("`rollback`", &json);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["state"], &json["left"]), (&Value::from(good), &Value::from(bad)));
    assert_eq!(json["changes"], 3);
    assert_eq!(json["answer"]["commit"], json["commit"]);
    scene.approved(&plain);
    scene.lands(&plain);
}

#[test]
fn the_verb_signs_where_git_is_told_to() {
    let scene = Scene::new();
    scene.good_and_bad();
    scene.alice.run(&["config", "commit.gpgSign", "true"]);
    let (commit, _) = verb(&scene, &["main", "-1"], 0);
    let object = scene.alice.run(&["cat-file", "commit", &commit]);
    assert!(object.contains("gpgsig -----BEGIN SSH SIGNATURE-----"), "{object}");
    scene.approved(&commit);
    scene.lands(&commit);
}

#[test]
fn the_verb_says_what_cannot_be_done() {
    let scene = Scene::new();
    let (good, _) = scene.good_and_bad();
    let (_, said) = verb(&scene, &["main"], 2);
    assert!(said.contains("--to"), "{said}");
    verb(&scene, &["main", "-1", "--to", &good], 2);
    let (_, said) = verb(&scene, &["main", "-1", "--paths", "infra/"], 2);
    assert!(said.contains("these are no paths"), "{said}");
    let (_, said) = verb(&scene, &["main", "-1", "--paths", "docs/**"], 1);
    assert!(said.contains("in these paths main is as"), "{said}");
    let (_, said) = verb(&scene, &["nowhere", "-1"], 3);
    assert!(said.contains("has no refs/heads/nowhere"), "{said}");
    let (_, said) = verb(&scene, &["main", "-9"], 1);
    assert!(said.contains("the server tells of 1 earlier state"), "{said}");
    // Without the table the commit can be made; nobody promises that it lands.
    scene.site.set_policy(policy::gated(1));
    let (_, said) = verb(&scene, &["main", "-1"], 0);
    assert!(said.contains("has no [rollback]"), "{said}");
}
