//! Between our yes and the ref there is more that can say no, or nothing at all: the log ends right
//! whatever it is, and nobody has to push again for it.

use crate::support::person::{Person, WHO};
use crate::support::policy;
use crate::support::site::{Plan, Site};

/// A site with one setting more or one hook more, and Alice with a branch of two commits that stands
/// there.
fn with(plan: Plan) -> (Site, Person) {
    let site = plan.build();
    let alice = site.person("alice");
    alice.begin("mine");
    alice.commit("app/x", "new\n");
    alice.commit("app/x", "newer\n");
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    (site, alice)
}

/// The last word of the log on a ref, after everything was held against it. No drift, no open end.
#[track_caller]
fn end(site: &Site, name: &str) -> String {
    let swept = site.verb(&["log", "drift"]);
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stdout));
    let log = site.log();
    assert_eq!(log.count("drift"), 0);
    site.log_and_refs_agree();
    let items = log.of("outcome").flat_map(|entry| entry["refs"].as_array().unwrap());
    let last = items.filter(|item| item["ref"] == name).last().unwrap();
    last["state"].as_str().unwrap().to_owned()
}

#[test]
fn a11_git_refuses_a_rewind_after_our_yes() {
    let (site, alice) =
        with(Plan::new(policy::gated(1)).setting("receive.denyNonFastForwards", "true"));
    let before = site.value("refs/heads/mine");
    let push = alice.push(&["--force", "HEAD~1:refs/heads/mine"]);
    assert!(!push.is_accepted());
    assert_eq!(site.log().last("decision")["verdict"], "accept", "{}", push.said());
    assert_eq!(site.value("refs/heads/mine"), before);
    assert_eq!(end(&site, "refs/heads/mine"), "not-applied");
}

#[test]
fn a11_git_refuses_a_deletion_after_our_yes() {
    let (site, alice) = with(Plan::new(policy::gated(1)).setting("receive.denyDeletes", "true"));
    assert!(!alice.push(&[":refs/heads/mine"]).is_accepted());
    assert_eq!(site.log().last("decision")["verdict"], "accept");
    assert_eq!(end(&site, "refs/heads/mine"), "not-applied");
}

#[test]
fn a11_of_an_atomic_push_with_one_ref_that_git_refuses_nothing_is_applied() {
    let (site, alice) =
        with(Plan::new(policy::gated(1)).setting("receive.denyNonFastForwards", "true"));
    let push =
        alice.push(&["--atomic", "--force", "HEAD:refs/heads/fresh", "HEAD~1:refs/heads/mine"]);
    assert!(!push.is_accepted());
    assert_eq!(site.log().last("decision")["verdict"], "accept", "{}", push.said());
    assert_eq!(site.value("refs/heads/fresh"), None);
    assert_eq!(end(&site, "refs/heads/fresh"), "not-applied");
    assert_eq!(end(&site, "refs/heads/mine"), "not-applied");
    // Without it the one goes through.
    alice.push(&["--force", "HEAD:refs/heads/fresh", "HEAD~1:refs/heads/mine"]);
    assert_eq!(end(&site, "refs/heads/fresh"), "applied");
    assert_eq!(end(&site, "refs/heads/mine"), "not-applied");
}

#[test]
fn a11_a_stale_lock_or_a_folder_in_the_way_stops_git_after_our_yes() {
    let (site, alice) = with(Plan::new(policy::gated(1)));
    let lock = site.path().join("refs/heads/mine.lock");
    std::fs::write(&lock, "").unwrap();
    alice.commit("app/x", "newest\n");
    for name in ["refs/heads/mine", "refs/heads/mine/below"] {
        assert!(!alice.push(&[&format!("HEAD:{name}")]).is_accepted());
        assert_eq!(site.log().last("decision")["verdict"], "accept", "{name}");
        assert_eq!(end(&site, name), "not-applied", "{name}");
    }
    std::fs::remove_file(&lock).unwrap();
    alice.push(&["HEAD:refs/heads/mine"]).accepted();
    assert_eq!(end(&site, "refs/heads/mine"), "applied");
}

#[test]
fn a09_another_hook_says_no_after_our_yes() {
    for name in ["pre-receive", "update"] {
        let plan = Plan::new(policy::gated(1));
        let (site, alice) = with(plan.earlier_hook(name, "#!/bin/sh\n[ ! -e no ]\n"));
        std::fs::write(site.path().join("no"), "").unwrap();
        alice.commit("app/x", "newest\n");
        assert!(!alice.push(&["HEAD:refs/heads/mine"]).is_accepted());
        assert_eq!(site.log().last("decision")["verdict"], "accept", "{name}");
        assert_eq!(end(&site, "refs/heads/mine"), "not-applied", "{name}");
    }
}

#[test]
fn h12_h21_what_other_hooks_veto_or_prune_between_our_yes_and_the_ref_is_not_applied() {
    for (name, script) in [
        ("reference-transaction", "#!/bin/sh\n[ \"$1\" != prepared ] || [ ! -e no ]\n"),
        // The objects go, that the ref is about to name.
        ("update", "#!/bin/sh\n[ -e no ] && git prune --expire=now\nexit 0\n"),
    ] {
        let plan = Plan::new(policy::gated(1));
        let (site, alice) = with(plan.earlier_hook(name, script));
        alice.commit("app/x", "newest\n");
        std::fs::write(site.path().join("no"), "").unwrap();
        assert!(!alice.push(&["HEAD:refs/heads/mine"]).is_accepted(), "{name}");
        std::fs::remove_file(site.path().join("no")).unwrap();
        assert_eq!(site.log().last("decision")["verdict"], "accept", "{name}");
        assert_eq!(end(&site, "refs/heads/mine"), "not-applied", "{name}");
        alice.push(&["HEAD:refs/heads/mine"]).accepted();
        assert_eq!(end(&site, "refs/heads/mine"), "applied", "{name}");
    }
}

#[test]
fn h01_who_loses_the_race_after_our_yes_was_not_applied() {
    let (site, alice) = with(Plan::new(policy::gated(1)));
    let base = alice.oid("HEAD");
    let winner = alice.commit("app/x", "first\n");
    alice.push(&["HEAD:refs/heads/spare"]).accepted();
    alice.begin_at("other", &base);
    let loser = alice.commit("app/x", "second\n");
    // While Git is about to move the ref for the one push, another one gets there first.
    let ours = std::fs::read_to_string(site.hook_file("update")).unwrap();
    std::fs::rename(site.hook_file("update"), site.hook_file("update-ours")).unwrap();
    let home = alice.home().display();
    let clone = alice.clone_path().display();
    let server = site.path().display();
    let race = format!(
        "#!/bin/sh\nif [ ! -e raced ]; then touch raced\n\
         (cd {clone} && env -i PATH=\"$PATH\" HOME={home} {WHO}=alice \
         git push -q {server} {winner}:refs/heads/mine) >&2 </dev/null\nfi\n\
         exec hooks/update-ours \"$@\"\n"
    );
    site.write_hook("update", &race);
    let push = alice.push(&["HEAD:refs/heads/mine"]);
    assert!(!push.is_accepted(), "{}", push.said());
    site.write_hook("update", &ours);
    assert_eq!(site.value("refs/heads/mine"), Some(winner.clone()), "{}", push.said());
    end(&site, "refs/heads/mine");
    let log = site.log();
    let of = |new: &str| {
        let found = log.of("outcome").flat_map(|it| it["refs"].as_array().unwrap());
        found.filter(|it| it["new"] == new && it["ref"] == "refs/heads/mine").last().cloned()
    };
    assert_eq!(of(&winner).unwrap()["state"], "applied");
    assert_eq!(of(&loser).unwrap()["state"], "not-applied");
}

#[test]
fn h05_a_client_that_is_gone_before_post_receive_leaves_nothing_open() {
    let (site, alice) = with(Plan::new(policy::gated(1)));
    // Git has moved the ref and has not answered: the client goes, and the answer kills Git.
    let script = "#!/bin/sh\n[ \"$1\" = committed ] && [ ! -e gone ] || exit 0\ntouch gone\n\
                  read -r _ _ _ parent _ </proc/$PPID/stat\nkill -9 $parent\n";
    site.write_hook("reference-transaction", script);
    // Whether Git comes to post-receive is then a matter of who is faster; here it does not.
    let ours = std::fs::read_to_string(site.hook_file("post-receive")).unwrap();
    site.write_hook("post-receive", "#!/bin/sh\nexit 0\n");
    let tip = alice.commit("app/x", "newest\n");
    let _ = alice.push(&["HEAD:refs/heads/mine"]);
    // What Git does after its client has gone is over when nobody holds the ref.
    assert_eq!(site.value("refs/heads/mine"), Some(tip));
    site.write_hook("post-receive", &ours);
    while !waits_for_nobody(&site) {
        std::thread::yield_now();
    }
    assert_eq!(end(&site, "refs/heads/mine"), "applied");
}

/// Whether no push is under way any more.
fn waits_for_nobody(site: &Site) -> bool {
    let output = site.verb(&["log", "drift", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    value["repositories"][0]["waiting"] == serde_json::Value::Array(Vec::new())
}
