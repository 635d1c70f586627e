//! Hostile names, trees and files, made object by object.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::entries::chain;
use crate::support::objects::{commit, pack, tree};
use crate::support::person::Person;
use crate::support::policy;
use crate::support::push::Pushed;
use crate::support::site::Site;

/// How long any answer may take on a machine that does much else.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn b10_b12_name_spaces_that_no_rule_names_take_nothing() {
    let site = Site::gated();
    let alice = site.person("alice");
    let tip = alice.topic("mine", &[("app/x", "new\n")]);
    let before = site.refs();
    for name in [
        "refs/notes/commits",
        "refs/notes/approved",
        "refs/pull/1/head",
        "refs/merge-requests/1/head",
        "refs/keep-around/x",
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/main",
        "refs/original/refs/heads/main",
        "refs/bisect/bad",
        "refs/worktree/x",
        "refs/rewritten/x",
        "refs/stash",
        "refs/for/main",
    ] {
        let reply = site.raw("alice", site.request().command(&site.zero(), &tip, name));
        reply.took_nothing();
        assert!(reply.said.contains("no rule names") && reply.said.contains(name), "{name}");
    }
    assert_eq!(site.refs(), before);
    site.log_and_refs_agree();
}

#[test]
fn b09_a_replacement_on_the_server_hides_nothing() {
    let site = Site::gated();
    let alice = site.person("alice");
    let tip = alice.topic("open-port", &[("infra/prod/network.tf", "port 8443\n")]);
    // To every git that honours it the topic now looks like the harmless commit below it.
    site.git(&["replace", &tip, &site.main()]);
    let merge = alice.merge(&tip);
    let push = site.main_refuses(&alice, &merge);
    push.refused_by("infra-review").says("infra/prod/network.tf");
    chain(&site.log_dir());
}

/// A commit with these trees' entries, pushed to a branch, and the merge of it that Git would make.
struct Topic<'t> {
    site: &'t Site,
    alice: &'t Person,
}

impl Topic<'_> {
    /// The tree of `main` with one entry more, which sorts after all others or has its place.
    fn with(&self, mode: &str, name: &[u8], oid: &str) -> String {
        let now = |path: &str| self.alice.oid(&format!("origin/main:{path}"));
        let (app, infra, readme) = (now("app"), now("infra"), now("README"));
        let mut entries = vec![
            ("100644", &b"README"[..], readme.as_str()),
            ("40000", b"app", &app),
            ("40000", b"infra", &infra),
            (mode, name, oid),
        ];
        let key = |(mode, name, _): &(&str, &[u8], &str)| match *mode {
            "40000" => [name, &b"/"[..]].concat(),
            _ => name.to_vec(),
        };
        entries.sort_by_key(key);
        tree(self.alice, &entries)
    }

    /// Brings a tree to a branch, and tries to land it.
    fn lands(&self, tree: &str) -> Pushed {
        let main = self.site.main();
        let tip = commit(self.alice, tree, &[&main]);
        self.alice.push(&["--force", &format!("{tip}:refs/heads/topic")]).accepted();
        self.merge(tree, &main, &tip)
    }

    fn merge(&self, tree: &str, main: &str, tip: &str) -> Pushed {
        let merge = commit(self.alice, tree, &[main, tip]);
        self.site.main_refuses(self.alice, &merge)
    }
}

#[test]
fn d04_d05_d07_d12_hostile_trees_on_a_protected_ref_are_refused() {
    let site = Site::gated();
    let alice = site.person("alice");
    let main = site.main();
    let blob = alice.object("blob", b"evil\n");
    let evil = tree(&alice, &[("100644", b"prod.tf", &blob)]);
    let infra = alice.oid("origin/main:infra");
    type Entries<'e> = &'e [(&'e str, &'e [u8], &'e str)];
    let cases: &[(Entries<'_>, &str)] = &[
        (&[("40000", b"infra", &infra), ("40000", b"infra", &evil)], "stands twice"),
        (&[("100644", b"infra", &blob), ("40000", b"infra", &infra)], "stands twice"),
        (&[("40000", b"x", &evil), ("40000", b"infra", &infra)], "is out of order"),
        (&[("100644", b"infra/prod/network.tf", &blob)], "has a slash in its name"),
        (&[("100644", b"../infra/prod.tf", &blob)], "has a slash in its name"),
        (&[("100644", b"", &blob)], "has no name"),
        (&[("100644", b"..", &blob)], "is named `.` or `..`"),
        (&[("40000", b".git", &evil)], "is named .git"),
        (&[("40000", b".GIT", &evil)], "is named .git"),
        (&[("40000", b"git~1", &evil)], "is named .git"),
        (&[("40000", b".git::$INDEX_ALLOCATION", &evil)], "is named .git"),
        (&[("40000", ".g\u{200c}it".as_bytes(), &evil)], "is named .git"),
        (&[("040000", b"x", &evil)], "has a mode that begins with 0"),
        (&[("100777", b"x", &blob)], "has a mode that Git does not write"),
        (&[("000000", b"x", &blob)], "has a mode that begins with 0"),
    ];
    let begin = Instant::now();
    for (entries, what) in cases {
        let made = tree(&alice, entries);
        let made_at = commit(&alice, &made, &[&main]);
        let brought = pack(&alice, &[&blob, &evil, &made, &made_at]);
        let request = site.request().command(&main, &made_at, "refs/heads/main").pack(brought);
        let reply = site.raw("alice", request);
        reply.took_nothing();
        assert!(reply.said.contains(what), "{what}: {}", reply.said);
        assert!(!reply.said.contains('\x1b') && !reply.said.contains("panicked"), "{}", reply.said);
        assert_eq!(site.main(), main);
    }
    assert!(begin.elapsed() < SOON * 2, "took {:?}", begin.elapsed());
    assert_eq!(site.log().count("decision"), cases.len());
    site.log_and_refs_agree();
}

#[test]
fn d12_a_hostile_tree_that_came_and_went_before_the_merge_is_refused_too() {
    let site = Site::gated();
    let alice = site.person("alice");
    let topic = Topic { site: &site, alice: &alice };
    let (main, blob) = (site.main(), alice.object("blob", b"evil\n"));
    let hooks = tree(&alice, &[("100755", b"post-checkout", &blob)]);
    let hostile = commit(&alice, &topic.with("40000", b".git", &hooks), &[&main]);
    let clean = topic.with("100644", b"words", &blob);
    let tip = commit(&alice, &clean, &[&hostile]);
    alice.push(&[&format!("{tip}:refs/heads/topic")]).accepted();
    topic.merge(&clean, &main, &tip).says("is named .git");
    // Without it in between the same content lands.
    let honest = commit(&alice, &clean, &[&main]);
    alice.push(&[&format!("{honest}:refs/heads/honest")]).accepted();
    let merge = commit(&alice, &clean, &[&main, &honest]);
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();
    site.log_and_refs_agree();
}

#[test]
fn d04_a_rule_that_asks_for_no_landing_does_not_let_a_hostile_tree_in() {
    let keepers = "\n[rule.keepers]\nkind = \"access\"\nrefs = [\"stable\"]\nrewind = []\n";
    let site = Site::new(policy::people() + keepers);
    let alice = site.person("alice");
    let (main, blob) = (site.main(), alice.object("blob", b"evil\n"));
    alice.push(&[&format!("{main}:refs/heads/stable")]).accepted();
    let twice = tree(&alice, &[("100644", b"x", &blob), ("100644", b"x", &blob)]);
    let hostile = commit(&alice, &twice, &[&main]);
    let on_top = commit(&alice, &alice.oid("origin/main^{tree}"), &[&hostile]);
    for (new, to) in [(&hostile, "stable"), (&on_top, "stable")] {
        alice.push(&[&format!("{new}:refs/heads/{to}")]).refused().says("stands twice");
    }
    alice.push(&[&format!("{on_top}:refs/heads/topic")]).accepted();
    alice.push(&[&format!("{on_top}:refs/heads/stable")]).refused().says("stands twice");
    site.log_and_refs_agree();
}

#[test]
fn d02_d10_d11_what_other_systems_take_for_a_protected_folder_is_protected() {
    let site = Site::gated();
    let alice = site.person("alice");
    let topic = Topic { site: &site, alice: &alice };
    let blob = alice.object("blob", b"evil\n");
    let inside = tree(&alice, &[("100644", b"words", &blob)]);
    let cases: &[(&str, &[u8], &str)] = &[
        ("40000", b"INFRA", &inside),
        ("40000", b"infra. ", &inside),
        ("100644", b"infra\\words", &blob),
        ("40000", "inf\u{200d}ra".as_bytes(), &inside),
        // What lies behind it is seen by no rule.
        ("120000", b"Infra", &blob),
    ];
    for (mode, name, oid) in cases {
        topic.lands(&topic.with(mode, name, oid)).refused_by("infra-review");
    }
    // The folder itself, as a submodule.
    let now = |path: &str| alice.oid(&format!("origin/main:{path}"));
    let (app, readme) = (now("app"), now("README"));
    let replaced = [
        ("100644", &b"README"[..], readme.as_str()),
        ("40000", b"app", &app),
        ("160000", b"infra", &"1".repeat(40)),
    ];
    topic.lands(&tree(&alice, &replaced)).refused_by("infra-review");
    site.log_and_refs_agree();
}

#[test]
fn d09_a_link_among_reviewed_files_leads_to_reviewed_files() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let link = |branch: &str, target: &str| {
        alice.begin(branch);
        let file = alice.clone_path().join("infra/link");
        std::os::unix::fs::symlink(target, file).unwrap();
        let tip = alice.commit_tree_as_it_is(branch);
        alice.push(&[&format!("HEAD:refs/heads/{branch}")]).accepted();
        site.approve(&bob, &tip).accepted();
        tip
    };
    for (branch, target) in [("out", "../app/x"), ("far", "/etc/passwd"), ("up", "../../x")] {
        let tip = link(branch, target);
        let merge = alice.merge(&tip);
        let says = format!("infra/link leads to \"{target}\", which this rule does not cover");
        site.main_refuses(&alice, &merge).refused_by("infra-review").says(&says);
    }
    let tip = link("in", "prod/network.tf");
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn d13_d14_names_that_are_no_text_are_reviewed_landed_and_logged_as_they_are() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let topic = Topic { site: &site, alice: &alice };
    let blob = alice.object("blob", b"words\n");
    let inside = tree(
        &alice,
        &[
            ("100644", b"\x1b[2J", &blob),
            ("100644", b"x\nA\tinfra-ok", &blob),
            ("100644", b"\xff\xfe", &blob),
        ],
    );
    let now = |path: &str| alice.oid(&format!("origin/main:{path}"));
    let (app, readme) = (now("app"), now("README"));
    let entries = [
        ("100644", &b"README"[..], readme.as_str()),
        ("40000", b"app", &app),
        ("40000", b"infra", &inside),
    ];
    let made = tree(&alice, &entries);
    let push = topic.lands(&made);
    push.refused_by("infra-review").says("and 3 more changed");
    assert!(!push.said().contains("infra-ok\n"), "{}", push.whole());
    let tip = site.value("refs/heads/topic").unwrap();
    site.approve(&bob, &tip).accepted();
    let merge = commit(&alice, &made, &[&site.main(), &tip]);
    alice.push(&[&format!("{merge}:refs/heads/main")]).accepted();
    let log = site.log();
    let paths = &log.last("decision")["refs"][0]["paths"]["list"];
    let names = ["infra/\u{1b}[2J", "infra/x\nA\tinfra-ok"];
    assert!(names.iter().all(|name| paths.as_array().unwrap().contains(&json!(name))), "{paths:#}");
    let bytes = paths.as_array().unwrap().iter().find(|path| path["b64"].is_string()).unwrap();
    assert_eq!(bytes["show"], r"infra/\xff\xfe");
    site.log_and_refs_agree();
}

#[test]
fn d17_d18_d19_files_that_say_what_others_are_need_approval_whatever_the_paths() {
    let site = Site::gated();
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let files = [
        ("app/.gitattributes", "*.tf -diff filter=lfs export-ignore\n"),
        (".gitmodules", "[submodule \"x\"]\n\tpath = -x\n\turl = -u./evil\n"),
        (".lfsconfig", "[lfs]\n\turl = https://elsewhere.example\n"),
    ];
    for (file, content) in files {
        let tip = alice.topic("topic", &[("app/x", file), (file, content)]);
        let merge = alice.merge(&tip);
        let says = format!("{file} changed, 0 of 1 approval");
        site.main_refuses(&alice, &merge).refused_by("infra-review").says(&says);
        alice.push(&[":refs/heads/topic"]).accepted();
    }
    // A pointer to a large file is a change of the path like any other.
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    let tip = alice.topic("pointer", &[("infra/image.bin", pointer)]);
    site.does_not_land(&alice, &tip);
    // Approved they land, and where an exclusion takes one away nobody is asked.
    let tip = alice.topic("modules", &[files[1]]);
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    let excluded = "paths = [\"infra/**\", \"!**/.gitattributes\"]";
    site.set_policy(policy::gated(1).replace("paths = [\"infra/**\"]", excluded));
    let tip = alice.topic("attributes", &[files[0]]);
    alice.land(&tip).accepted();
    site.log_and_refs_agree();
}

#[test]
fn d20_what_infrastructure_includes_is_reviewed_where_the_policy_lists_it() {
    let listed = "paths = [\"infra/**\", \"shared/**\"]";
    let site = Site::new(policy::gated(1).replace("paths = [\"infra/**\"]", listed));
    let (alice, bob) = (site.person("alice"), site.person("bob"));
    let includes = ("infra/kustomization.yaml", "resources: [../shared]\n");
    let tip = alice.topic("include", &[includes, ("shared/words", "one\n")]);
    site.approve(&bob, &tip).accepted();
    alice.land(&tip).accepted();
    let tip = alice.topic("indirect", &[("shared/words", "two\n")]);
    site.does_not_land(&alice, &tip).says("shared/words");
}

#[test]
fn d21_a_policy_inside_the_push_judges_nothing() {
    let site = Site::gated();
    let alice = site.person("alice");
    let lax = "version = 1\n[identity]\nlocal = \"os-user\"\n";
    let tip = alice.topic(
        "lax",
        &[
            ("policy.toml", lax),
            ("portcullis/policy.toml", lax),
            (".portcullis/policy.toml", lax),
            ("CODEOWNERS", "* @alice\n"),
            ("infra/prod/network.tf", "port 8443\n"),
        ],
    );
    let log = site.log();
    let before = log.last("decision")["policy"].clone();
    site.does_not_land(&alice, &tip);
    assert_eq!(site.log().last("decision")["policy"], before);
}
